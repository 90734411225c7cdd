//! Responses to credentials stay out of shared caches.

use reqwest::Method;

use super::shop::{Shop, get, request};
use crate::support::Answer;

const VARIABLES: [(&str, &str); 3] =
    [("NOREN_ACCESS", "keys"), ("NOREN_ANONYMOUS", "search"), ("NOREN_CACHE_SECONDS", "300")];

fn names(answer: &Answer, header: &str) -> Vec<String> {
    let values = answer.headers.get_all(header).iter().map(|value| value.to_str().unwrap().to_lowercase());
    values.flat_map(|value| value.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_with_a_key_is_private_and_an_anonymous_one_public() {
    let shop = Shop::new();
    let key = shop.key("search").key;
    let service = shop.start("noren", &VARIABLES).await;
    for path in ["/products/search?query=lamp", "/products/suggest?query=la", "/products/facets/brand"] {
        let anonymous = Answer::of(request(&service, Method::GET, path)).await.expect(200);
        let bearer = request(&service, Method::GET, path).header("authorization", format!("Bearer {key}"));
        let keyed = [get(&service, path, &key).await, Answer::of(bearer).await];
        for (answer, is_public) in [(&anonymous, true), (&keyed[0], false), (&keyed[1], false)] {
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let caching = names(answer, "cache-control");
            let expected = if is_public { ("public", "private") } else { ("private", "public") };
            assert!(caching.iter().any(|name| name == expected.0), "{path}: {answer:?}");
            assert!(caching.iter().all(|name| name != expected.1), "{path}: {answer:?}");
            // A cache must not answer a request with a key by the response to one without.
            let vary = names(answer, "vary");
            for name in ["authorization", "x-api-key"] {
                assert!(vary.iter().any(|varied| varied == name), "{name}: {path}: {answer:?}");
            }
        }
        assert!(!keyed[0].header("etag").is_empty(), "{:?}", keyed[0]);
        let again = request(&service, Method::GET, path).header("x-api-key", &key);
        let again = Answer::of(again.header("if-none-match", keyed[0].header("etag"))).await.expect(304);
        assert!(names(&again, "cache-control").iter().all(|name| name != "public"), "{again:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_to_a_key_is_private() {
    let shop = Shop::new();
    let key = shop.key("search,read,write,admin").key;
    let service = shop.start("noren", &[("NOREN_ACCESS", "keys"), ("NOREN_CACHE_SECONDS", "0")]).await;
    for path in ["/products/search", "/products/facets/brand", "/products", "/imports", "/admin/keys"] {
        let answer = get(&service, path, &key).await.expect(200);
        let caching = names(&answer, "cache-control");
        assert!(caching.iter().any(|name| name == "private" || name == "no-store"), "{path}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_not_stored() {
    let shop = Shop::new();
    let key = shop.key("search").key;
    let service = shop.start("noren", &VARIABLES).await;
    for answer in [
        Answer::of(request(&service, Method::GET, "/products")).await.expect(401),
        get(&service, "/products/search", "nonsense").await.expect(401),
        get(&service, "/products", &key).await.expect(403),
    ] {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
    }
}
