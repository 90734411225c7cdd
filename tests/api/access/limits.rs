//! Rate limits that all processes on a folder count together, and the limit of wrong credentials.

use jiff::Timestamp;
use reqwest::Method;

use super::credentials::key_of;
use super::shop::{Key, Shop, get, request};
use crate::support::{Answer, Running};

const KEYS: [(&str, &str); 2] = [("NOREN_ACCESS", "keys"), ("NOREN_TRUSTED_PROXIES", "127.0.0.1")];
/// The length of a window in seconds, so long that a test rarely meets the end of one.
const WINDOW: i64 = 3600;

/// Runs a test whose requests must fall into one window. If a window ends meanwhile, runs it again.
async fn within_one_window<T>(test: impl AsyncFn() -> T) -> T {
    let window = || Timestamp::now().as_second() / WINDOW;
    let begun = window();
    let seen = test().await;
    if begun == window() { seen } else { test().await }
}

/// Starts two query processes on one folder, and the sync process that maintains their index.
async fn two_processes(shop: &Shop) -> (Running, Running, Running) {
    let sync = shop.start("noren-sync", &KEYS).await;
    let first = shop.start("noren-query", &KEYS).await;
    let second = shop.start("noren-query", &KEYS).await;
    (first, second, sync)
}

fn limited(shop: &Shop, requests: u32) -> Key {
    shop.key_with("search", &["--rate-limit", &format!("{requests}/{WINDOW}")])
}

/// Checks the headers that describe a limit and what is left of it.
fn check_headers(answer: &Answer, limit: u32, remaining: u32) {
    let number =
        |name: &str| -> i64 { answer.header(name).parse().unwrap_or_else(|_| panic!("{name}: {answer:?}")) };
    let reset = number("x-ratelimit-reset");
    assert!((1..=WINDOW).contains(&reset), "{answer:?}");
    assert_eq!(answer.header("ratelimit"), format!("\"key\";r={remaining};t={reset}"), "{answer:?}");
    assert_eq!(answer.header("ratelimit-policy"), format!("\"key\";q={limit};w={WINDOW}"), "{answer:?}");
    assert_eq!(number("x-ratelimit-limit"), i64::from(limit), "{answer:?}");
    assert_eq!(number("x-ratelimit-remaining"), i64::from(remaining), "{answer:?}");
    match answer.status.as_u16() {
        429 => assert_eq!(number("retry-after"), reset, "{answer:?}"),
        _ => assert_eq!(answer.header("retry-after"), "", "{answer:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_requests_at_a_limit_of_five_over_two_processes_are_five_successes() {
    let shop = Shop::new();
    let (first, second, _sync) = two_processes(&shop).await;
    let answers = within_one_window(async || {
        let key = limited(&shop, 5).key;
        let mut answers = Vec::new();
        for n in 0..10 {
            let service = if n % 2 == 0 { &first } else { &second };
            answers.push(get(service, "/products/search", &key).await);
        }
        answers
    })
    .await;
    let statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(statuses, [[200; 5], [429; 5]].concat());
    for (n, answer) in (0_u32..).zip(answers) {
        check_headers(&answer, 5, 4_u32.saturating_sub(n));
        if n >= 5 {
            let problem = answer.problem(429);
            assert!(problem["detail"].as_str().unwrap().contains("5 in 3600 s"), "{problem}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_and_a_search_side_count_together() {
    let shop = Shop::new();
    let _sync = shop.start("noren-sync", &KEYS).await;
    let command = shop.start("noren-command", &KEYS).await;
    let query = shop.start("noren-query", &KEYS).await;
    let statuses = within_one_window(async || {
        let key = shop.key_with("search,read", &["--rate-limit", &format!("5/{WINDOW}")]).key;
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(get(&command, "/products", &key).await.status.as_u16());
            statuses.push(get(&query, "/products/search", &key).await.status.as_u16());
        }
        statuses
    })
    .await;
    assert_eq!(statuses, [[200; 5], [429; 5]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_requests_at_once_exactly_the_limit_passes() {
    let shop = Shop::new();
    let (first, second, _sync) = two_processes(&shop).await;
    let passed = within_one_window(async || {
        let key = limited(&shop, 40).key;
        let requests = (0..100).map(|n| {
            let service = if n % 2 == 0 { &first } else { &second };
            get(service, "/products/search", &key)
        });
        let answers = futures::future::join_all(requests).await;
        let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
        (count(200), count(429))
    })
    .await;
    assert_eq!(passed, (40, 60));
}

/// A refused request counts, so that nobody floods a route that the key does not open.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_with_a_key_counts_except_those_that_need_none() {
    let shop = Shop::new();
    let service = shop.start("noren", &KEYS).await;
    let last = within_one_window(async || {
        let key = limited(&shop, 5).key;
        for path in ["/products", "/admin/keys", "/health/ready", "/nothing", "/openapi.json"] {
            let answer = get(&service, path, &key).await;
            assert_eq!(answer.header("ratelimit"), "", "{path}: {answer:?}");
        }
        // An invalid request counts like a valid one.
        get(&service, "/products/search?unknown=1", &key).await.expect(400);
        get(&service, "/products/search", &key).await.expect(200)
    })
    .await;
    check_headers(&last, 5, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_without_a_limit_of_their_own_share_the_default_by_address() {
    let shop = Shop::new();
    let variables = [&KEYS[..], &[("NOREN_ANONYMOUS", "search"), ("NOREN_RATE_LIMIT", "3/3600")]].concat();
    let service = shop.start("noren", &variables).await;
    let search = async |address: &str| {
        let search = request(&service, Method::GET, "/products/search");
        Answer::of(search.header("x-forwarded-for", address)).await
    };
    for (n, status) in [200, 200, 200, 429, 429].into_iter().enumerate() {
        let answer = search("203.0.113.7").await.expect(status);
        assert_eq!(answer.header("ratelimit-policy"), "\"default\";q=3;w=3600", "{answer:?}");
        assert_eq!(answer.header("x-ratelimit-remaining"), 2_usize.saturating_sub(n).to_string());
        assert_eq!(answer.header("retry-after").is_empty(), status == 200, "{answer:?}");
    }
    search("203.0.113.8").await.expect(200);
    // The client wrote the first address, the proxy the second.
    search("198.51.100.1, 203.0.113.7").await.expect(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_requests_count_as_well() {
    let shop = Shop::new();
    let key = shop.key("search").key;
    let variables = [&KEYS[..], &[("NOREN_RATE_LIMIT", "3/3600")]].concat();
    let service = shop.start("noren", &variables).await;
    let list = async |address: &str, key: Option<&str>| {
        let list = request(&service, Method::GET, "/products").header("x-forwarded-for", address);
        Answer::of(key.into_iter().fold(list, |list, key| list.header("x-api-key", key))).await
    };
    for status in [401, 401, 401, 429] {
        list("203.0.113.7", None).await.problem(status);
    }
    for status in [403, 403, 403, 429] {
        list("203.0.113.8", Some(&key)).await.problem(status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_guesses_keys_is_kept_out_except_with_keys_in_use() {
    let shop = Shop::new();
    let right = shop.key("search").key;
    let wrong = key_of("0123456789abcdef", &"5a".repeat(32));
    let service = shop.start("noren", &KEYS).await;
    let search = async |address: &str, key: &str| {
        let search = request(&service, Method::GET, "/products/search").header("x-api-key", key);
        Answer::of(search.header("x-forwarded-for", address)).await
    };
    // Twice the limit, in case the window ends meanwhile.
    let mut refused = None;
    for n in 1..=62 {
        let answer = search("203.0.113.7", &wrong).await;
        if answer.status == 429 {
            assert!(n > 30, "the first 30 are not limited: {n}");
            refused = Some(answer);
            break;
        }
        answer.problem(401);
    }
    let refused = refused.expect("the 31st wrong key of a window is one too many");
    assert!(refused.header("ratelimit-policy").starts_with("\"authentication\";q=30;w=60"), "{refused:?}");
    assert!(!refused.header("retry-after").is_empty(), "{refused:?}");
    assert!(refused.problem(429)["detail"].as_str().unwrap().contains("wrong credentials"));
    // A key that this process has not seen yet could be a guess.
    let seconds = Timestamp::now().as_second();
    let answer = search("203.0.113.7", &right).await;
    if seconds / 60 == Timestamp::now().as_second() / 60 && seconds % 60 > 0 {
        answer.problem(429);
    }
    search("203.0.113.8", &right).await.expect(200);
    // Now it is in use, and nobody guesses 256 bits.
    search("203.0.113.7", &right).await.expect(200);
    // Probes and pages need no credentials, so wrong ones do not matter.
    let ready = request(&service, Method::GET, "/health/ready").header("x-api-key", &wrong);
    Answer::of(ready.header("x-forwarded-for", "203.0.113.7")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_cannot_choose_its_address_without_a_trusted_proxy() {
    let shop = Shop::new();
    let wrong = key_of("0123456789abcdef", &"5a".repeat(32));
    let service = shop.start("noren", &[("NOREN_ACCESS", "keys")]).await;
    let mut statuses = Vec::new();
    for n in 0..62 {
        let search = request(&service, Method::GET, "/products/search").header("x-api-key", &wrong);
        let search = search.header("x-forwarded-for", format!("203.0.113.{n}"));
        statuses.push(Answer::of(search).await.status.as_u16());
    }
    assert!(statuses.contains(&429), "{statuses:?}");
}
