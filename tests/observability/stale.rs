//! Stale rather than nothing: what searches get while the index is away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::lambda::variables_on_aws;
use crate::support::{FaultProxy, Proxy, Rule, Running, http_client, wait_until};

const SEEN: &str = "/products/search?query=teapot&facets=price";
const NEW: &str = "/products/search?query=teapot&brand=Tokoname";

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Returns the status and the word of `X-Cache`.
async fn sent(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), header(&response, "x-cache").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_index_is_away_a_page_seen_before_is_answered() {
    let Some(variables) = variables_on_aws().await else { return };
    let value = |name: &str| variables.iter().find(|(variable, _)| *variable == name).unwrap().1.clone();
    let mut proxy = Proxy::before(&value("NOREN_OPENSEARCH_URL"));
    proxy.connect().await;
    let url = proxy.url();
    let start = async |name: &str| {
        Running::start_with(name, &[], |program| {
            program.envs(variables.iter().cloned()).env("NOREN_OPENSEARCH_URL", &url);
            program.env("NOREN_ANSWER_CACHE_SECONDS", "0");
        })
        .await
    };
    let (command, _sync, query) =
        (start("noren-command").await, start("noren-sync").await, start("noren-query").await);
    let client = http_client();
    let get = |path: &str| client.get(format!("{}{path}", query.url));
    let created =
        client.post(format!("{}/products", command.url)).json(&json!({"name": "Teapot", "price": 40}));
    let created = created.send().await.unwrap();
    let token = header(&created, "noren-sync-token").to_owned();
    assert_eq!(get(SEEN).header("noren-sync-token", &token).send().await.unwrap().status(), 200);

    let fresh = get(SEEN).send().await.unwrap();
    let cached = header(&fresh, "cache-control");
    assert_eq!(cached, "public, max-age=300, stale-while-revalidate=60, stale-if-error=3600");
    let tag = header(&fresh, "etag").to_owned();
    let fresh: Value = fresh.json().await.unwrap();
    assert_eq!(fresh["total"], 1);
    let body = client
        .post(format!("{}/products/search", query.url))
        .json(&json!({"query": "teapot", "facets": "price"}));
    assert_eq!(sent(body.try_clone().unwrap()).await.0, 200);

    proxy.cut().await;
    let metrics = async || get("/metrics").send().await.unwrap().text().await.unwrap();
    wait_until("the circuit is open", async || {
        // A new search: it fails, and so do those that open the circuit.
        assert_eq!(sent(get(NEW)).await, (503, String::new()));
        metrics().await.contains("\nnoren_index_circuit_open 1\n")
    })
    .await;
    let begun = Instant::now();
    let stale = get(SEEN).send().await.unwrap();
    println!("a stale answer after {:.1?}", begun.elapsed());
    assert_eq!((stale.status().as_u16(), header(&stale, "x-cache")), (200, "STALE"));
    let age: u64 = header(&stale, "age").parse().unwrap();
    assert_eq!(header(&stale, "cache-status"), format!("noren; hit; ttl=-{age}; detail=index-away"));
    assert_eq!(header(&stale, "cache-control"), "no-cache");
    let stale: Value = stale.json().await.unwrap();
    assert_eq!((&stale["products"], &stale["facets"]), (&fresh["products"], &fresh["facets"]));
    assert_eq!(sent(body.try_clone().unwrap()).await, (200, "STALE".to_owned()));
    assert_eq!(sent(get(SEEN).header("if-none-match", &tag)).await, (304, "STALE".to_owned()));
    // Whoever must see a write gets no answer without it.
    assert_eq!(sent(get(SEEN).header("noren-sync-token", &token)).await, (503, String::new()));
    assert!(metrics().await.contains("\nnoren_stale_answers_total 3\n"));

    proxy.connect().await;
    wait_until("a new search is answered again", async || sent(get(NEW)).await.0 == 200).await;
    wait_until("a page seen before is fresh", async || sent(get(SEEN)).await == (200, "MISS".to_owned()))
        .await;
    assert!(metrics().await.contains("\nnoren_index_circuit_open 0\n"));
}

/// An index that does not identify its snapshots is asked again after a second; within it, memory answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_comes_again_at_once_is_answered_from_memory() {
    let Some(variables) = variables_on_aws().await else { return };
    let query = Running::start_with("noren-query", &["--answer-cache-seconds", "60"], |program| {
        program.envs(variables.iter().cloned());
    })
    .await;
    let get = async || {
        let response = http_client().get(format!("{}{SEEN}", query.url)).send().await.unwrap();
        let headers = ["x-cache", "cache-status"].map(|name| header(&response, name).to_owned());
        let has_age = response.headers().contains_key("age");
        (headers, has_age, response.text().await.unwrap())
    };
    let (first, again) = (get().await, get().await);
    assert_eq!((first.0, first.1), (["MISS", "noren; fwd=miss"].map(str::to_owned), false));
    assert_eq!((again.0, again.1), (["HIT", "noren; hit"].map(str::to_owned), true));
    assert_eq!(first.2, again.2, "the same bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_too_old_is_not_given_again() {
    let Some(variables) = variables_on_aws().await else { return };
    let value = |name: &str| variables.iter().find(|(variable, _)| *variable == name).unwrap().1.clone();
    let mut proxy = Proxy::before(&value("NOREN_OPENSEARCH_URL"));
    proxy.connect().await;
    let flags = ["--stale-seconds", "1", "--answer-cache-seconds", "0"];
    let query = Running::start_with("noren-query", &flags, |program| {
        program.envs(variables.iter().cloned()).env("NOREN_OPENSEARCH_URL", proxy.url());
    })
    .await;
    let get = || http_client().get(format!("{}{SEEN}", query.url));
    let asked = Instant::now();
    assert_eq!(sent(get()).await, (200, "MISS".to_owned()));
    proxy.cut().await;
    wait_until("the answer is refused", async || sent(get()).await.0 == 503).await;
    assert!(asked.elapsed() >= Duration::from_secs(1));
}

/// The index still tells its name, and only searches hang; and no client waits for the time-out.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_whose_searches_hang_is_away_although_clients_give_up() {
    let Some(variables) = variables_on_aws().await else { return };
    let value = |name: &str| variables.iter().find(|(variable, _)| *variable == name).unwrap().1.clone();
    let (hangs, hanging) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let proxy = {
        let (hangs, hanging) = (Arc::clone(&hangs), Arc::clone(&hanging));
        FaultProxy::before(&value("NOREN_OPENSEARCH_URL"), move |passing| {
            if !hangs.load(Ordering::SeqCst) || !passing.path.contains("search") {
                return Rule::Pass;
            }
            hanging.fetch_add(1, Ordering::SeqCst);
            Rule::Late(Duration::from_secs(3600))
        })
        .await
    };
    let query = Running::start_with("noren-query", &["--answer-cache-seconds", "0"], |program| {
        program.envs(variables.iter().cloned()).env("NOREN_OPENSEARCH_URL", &proxy.url);
    })
    .await;
    let get = |path: &str| http_client().get(format!("{}{path}", query.url));
    assert_eq!(sent(get(SEEN)).await, (200, "MISS".to_owned()));
    hangs.store(true, Ordering::SeqCst);
    let is_open = async || {
        let metrics = get("/metrics").send().await.unwrap().text().await.unwrap();
        metrics.contains("\nnoren_index_circuit_open 1\n")
    };
    wait_until("clients that give up open the circuit", async || {
        let given_up = get(NEW).timeout(Duration::from_millis(1200)).send().await;
        assert!(given_up.is_err() || is_open().await, "the index hangs");
        is_open().await
    })
    .await;
    assert_eq!(sent(get(SEEN)).await, (200, "STALE".to_owned()));
    let tried = hanging.load(Ordering::SeqCst);
    wait_until("the index was tried again", async || hanging.load(Ordering::SeqCst) > tried).await;
    assert!(is_open().await, "an index that does not search is away");
    hangs.store(false, Ordering::SeqCst);
    wait_until("the circuit is closed", async || !is_open().await).await;
    assert_eq!(sent(get(SEEN)).await, (200, "MISS".to_owned()));
}
