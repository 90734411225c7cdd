//! Over HTTP, every route lets in those who have its scope, and nobody else.

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::credentials::{Credentials, SCOPES, Seen, every_kind, key_of, variables};
use super::routes::{PUBLIC, ROUTES, Route};
use super::shop::{Shop, get, new_address, request};
use crate::support::{Answer, Running, http_client};

/// The number of concurrent requests.
const CLIENTS: usize = 8;

/// Sends a request of a route with some credentials, each from an address of its own.
async fn send(
    client: &reqwest::Client,
    url: &str,
    route: &Route,
    method: Method,
    with: &Credentials,
) -> Answer {
    let mut request = client.request(method, format!("{url}{}", route.example()));
    request = request.header("x-forwarded-for", new_address());
    if let Some((name, value)) = with.header() {
        request = request.header(name, value);
    }
    Answer::of(request).await
}

fn seen(answer: Answer) -> Seen {
    Seen {
        status: answer.status.as_u16(),
        challenge: answer.header("www-authenticate").to_owned(),
        body: answer.text,
    }
}

/// Checks all routes with all credentials.
async fn check(service: &Running, kinds: &[Credentials], anonymous: Option<&str>) {
    let client = http_client();
    let requests = ROUTES.iter().flat_map(|route| kinds.iter().map(move |with| (route, with)));
    let sent = futures::stream::iter(requests).for_each_concurrent(CLIENTS, |(route, with)| {
        let (client, url) = (client.clone(), service.url.clone());
        async move {
            let method = route.method.parse().unwrap();
            with.check(route, anonymous, &seen(send(&client, &url, route, method, with).await));
        }
    });
    sent.await;
}

async fn start(shop: &Shop, more: &[(&str, &str)]) -> Running {
    let variables = variables(shop);
    let variables = variables.iter().map(|(name, value)| (*name, value.as_str()));
    shop.start("noren", &variables.chain(more.iter().copied()).collect::<Vec<_>>()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_with_every_kind_of_credentials() {
    let shop = Shop::new();
    let kinds = every_kind(&shop);
    let service = start(&shop, &[]).await;
    check(&service, &kinds, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_shoppers_may_search_without_a_key_they_may_do_nothing_else() {
    let shop = Shop::new();
    let kinds = every_kind(&shop);
    let service = start(&shop, &[("NOREN_ANONYMOUS", "search")]).await;
    check(&service, &kinds, Some("search")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_request_needs_what_a_get_request_does() {
    let shop = Shop::new();
    let kinds = every_kind(&shop);
    let service = start(&shop, &[]).await;
    let client = http_client();
    for route in ROUTES.iter().filter(|route| route.method == "GET") {
        for with in &kinds {
            let got = send(&client, &service.url, route, Method::GET, with).await;
            let head = send(&client, &service.url, route, Method::HEAD, with).await;
            let shown = format!("{} with {}", route.path, with.name);
            assert_eq!((head.status, head.text.as_str()), (got.status, ""), "{shown}");
            assert_eq!(head.header("www-authenticate"), got.header("www-authenticate"), "{shown}");
        }
    }
}

/// A browser sends no credentials with it, and the response says nothing about the catalogue.
#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_request_needs_no_credentials_and_lets_pages_of_other_sites_search_only() {
    let shop = Shop::new();
    let service = start(&shop, &[]).await;
    let listed = start_listed().await;
    for route in ROUTES {
        let preflight = |service: &Running| {
            let preflight = request(service, Method::OPTIONS, &route.example());
            let preflight = preflight.header("origin", "https://admin.example");
            let preflight = preflight.header("access-control-request-method", route.method);
            preflight.header("access-control-request-headers", "x-api-key,content-type")
        };
        let shown = format!("{} {}", route.method, route.path);
        let answer = Answer::of(preflight(&service)).await.expect(200);
        let is_open = matches!(route.needs, PUBLIC | "search");
        let named: Vec<&str> = answer.headers.keys().map(|name| name.as_str()).collect();
        let of_cors = named.iter().filter(|name| name.starts_with("access-control-")).count();
        assert_eq!(of_cors > 0, is_open, "{shown}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), if is_open { "*" } else { "" }, "{shown}");
        let answer = Answer::of(preflight(&listed.1)).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{shown}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-headers"), "x-api-key,content-type", "{shown}");
    }
}

/// Starts a service that lets the pages of one other site use every route.
async fn start_listed() -> (Shop, Running) {
    let shop = Shop::new();
    let variables = [("NOREN_ACCESS", "keys"), ("NOREN_CORS", "https://admin.example")];
    let service = shop.start("noren", &variables).await;
    (shop, service)
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_product_exists_is_not_told_to_those_who_may_not_read_it() {
    let shop = Shop::new();
    let (search, write) = (shop.key("search").key, shop.key("write").key);
    let service = start(&shop, &[]).await;
    let put = request(&service, Method::PUT, "/products/lamp").header("x-api-key", &write);
    Answer::of(put.json(&json!({"name": "Lamp", "status": "draft"}))).await.expect(201);
    let wrong = key_of("0123456789abcdef", &"5a".repeat(32));
    for method in ["GET", "PUT", "PATCH", "DELETE"] {
        for key in [None, Some(&search), Some(&wrong)] {
            let ask = async |id: &str| {
                let mut asked = request(&service, method.parse().unwrap(), &format!("/products/{id}"));
                asked = asked.header("x-forwarded-for", new_address()).header("if-match", "\"1\"");
                if let Some(key) = key {
                    asked = asked.header("x-api-key", key);
                }
                let answer = Answer::of(asked.json(&json!({"name": "Cup"}))).await;
                let status = answer.status.as_u16();
                let mut problem = answer.problem(status);
                problem.as_object_mut().unwrap().remove("requestId");
                assert!(matches!(status, 401 | 403), "{method} {problem}");
                (status, problem)
            };
            assert_eq!(ask("lamp").await, ask("missing").await, "{method}");
        }
    }
    let unchanged = get(&service, "/products/lamp", &shop.key("read").key).await.expect(200).json();
    assert_eq!((&unchanged["name"], &unchanged["version"]), (&json!("Lamp"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn whether_a_draft_or_a_deleted_product_exists_is_not_told_to_shoppers() {
    let shop = Shop::new();
    let (search, write) = (shop.key("search").key, shop.key("search,write").key);
    let service = start(&shop, &[("NOREN_ANONYMOUS", "search")]).await;
    for (id, status) in [("active", "active"), ("draft", "draft"), ("deleted", "active")] {
        let put = request(&service, Method::PUT, &format!("/products/{id}")).header("x-api-key", &write);
        Answer::of(put.json(&json!({"name": "Lamp", "status": status}))).await.expect(201);
    }
    let delete = request(&service, Method::DELETE, "/products/deleted").header("x-api-key", &write);
    Answer::of(delete).await.expect(200);
    // A client that may write waits for versions of every status.
    let tokens = "syncToken=1.active&syncToken=1.draft&syncToken=2.deleted";
    get(&service, &format!("/products/search?{tokens}"), &write).await.expect(200);
    for key in [None, Some(&search)] {
        let ask = async |path: &str| {
            let asked = request(&service, Method::GET, path);
            Answer::of(key.into_iter().fold(asked, |asked, key| asked.header("x-api-key", key))).await
        };
        ask("/products/active/explain?query=lamp").await.expect(200);
        ask("/products/search?syncToken=1.active").await.expect(200);
        for id in ["draft", "deleted", "missing"] {
            let problem = ask(&format!("/products/{id}/explain?query=lamp")).await.problem(404);
            assert_eq!(problem["detail"], format!("there is no product {id} that you may find"), "{key:?}");
            let search = ask(&format!("/products/search?syncTimeout=0&syncToken=1.{id}")).await;
            assert!(search.problem(504)["detail"].as_str().unwrap().contains("may find"), "{key:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_has_details_for_operators_alone() {
    let shop = Shop::new();
    let keys = SCOPES.map(|scope| (scope, shop.key(scope).key));
    let service = start(&shop, &[("NOREN_ANONYMOUS", "search")]).await;
    let plain = Answer::of(request(&service, Method::GET, "/health/ready")).await.expect(200).json();
    assert_eq!(plain, json!({"status": "ready"}));
    for (scope, key) in &keys {
        let ready = get(&service, "/health/ready", key).await.expect(200).json();
        match *scope {
            "admin" => assert!(ready["parts"]["store"] == "ready" && ready["backlog"].is_object(), "{ready}"),
            _ => assert_eq!(ready, plain, "{scope}"),
        }
    }
    let wrong: Value = get(&service, "/health/ready", "nonsense").await.expect(200).json();
    assert_eq!(wrong, plain);
}
