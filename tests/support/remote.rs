//! A service at an address, which tests of the API use in place of one in this process.
//!
//! | variable | effect |
//! | --- | --- |
//! | `API_ENDPOINT` | Address of the service, such as `http://127.0.0.1:8080`. |
//! | `API_ENDPOINT_RESET` | Shell command that leaves a new, empty catalogue at this address. It runs before each test. |
//! | `API_ENDPOINT_MAY_BE_EMPTIED` | `yes` if tests may delete every product there, in place of the command. |
//! | `NOREN_API_KEY` | API key with every scope, if the service asks for one. |
//!
//! Without the command, versions of deleted products and idempotency records stay, so a test fails if it expects version 1 of a
//! product that another test has written. Tests that need a service with other options, or read its folder, run in this process
//! and say so on standard error.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::Command;
use std::thread::ThreadId;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};

use super::answer::Answer;
use super::{http_client_with, wait_until};

/// The turn of one test at the address. Tests of several threads take turns.
static TURN: Mutex<()> = Mutex::const_new(());
/// The thread of the test whose turn it is.
static OWNER: std::sync::Mutex<Option<ThreadId>> = std::sync::Mutex::new(None);

/// The service at the address, for one test.
pub(crate) struct RemoteService {
    pub(crate) url: String,
    pub(crate) client: reqwest::Client,
    _turn: MutexGuard<'static, ()>,
}

/// Returns the address of the service, if the tests have one.
fn endpoint() -> Option<String> {
    let url = variable("API_ENDPOINT")?;
    Some(url.trim_end_matches('/').to_owned())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Writes a line about a test that runs in this process although there is an address.
pub(crate) fn report_own_process() {
    if endpoint().is_some() {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test");
        // Not by `eprintln!`, which libtest keeps for tests that fail.
        let _ = writeln!(std::io::stderr(), "{test}: in this process, not at API_ENDPOINT");
    }
}

impl RemoteService {
    /// Waits for this test's turn and empties the service, or returns `None` if the tests have no address.
    ///
    /// # Panics
    /// Panics if the service may not be emptied, or if this test already has it.
    pub(crate) async fn take() -> Option<Self> {
        let url = endpoint()?;
        let this = std::thread::current().id();
        let owner = *OWNER.lock().expect("no test panics while it holds this");
        assert_ne!(owner, Some(this), "a test has one service at API_ENDPOINT; others run in this process");
        let turn = TURN.lock().await;
        *OWNER.lock().expect("no test panics while it holds this") = Some(this);
        let mut headers = HeaderMap::new();
        if let Some(key) = variable("NOREN_API_KEY") {
            let key = HeaderValue::try_from(key).expect("NOREN_API_KEY has the characters of a key");
            headers.insert("x-api-key", key);
        }
        let service = Self { url, client: http_client_with(headers), _turn: turn };
        service.reset().await;
        Some(service)
    }

    async fn reset(&self) {
        if let Some(command) = variable("API_ENDPOINT_RESET") {
            let status = tokio::task::block_in_place(|| Command::new("sh").args(["-c", &command]).status());
            let status = status.expect("there is a shell");
            assert!(status.success(), "`{command}` ended with {status}");
            let is_ready = async || {
                let response = self.client.get(format!("{}/health/ready", self.url)).send().await;
                response.is_ok_and(|response| response.status() == StatusCode::OK)
            };
            return wait_until("the service is ready after API_ENDPOINT_RESET", is_ready).await;
        }
        let may_be_emptied = variable("API_ENDPOINT_MAY_BE_EMPTIED").is_some_and(|value| value == "yes");
        assert!(
            may_be_emptied,
            "the tests delete every product at {}: set API_ENDPOINT_RESET, or API_ENDPOINT_MAY_BE_EMPTIED=yes",
            self.url
        );
        let stored = self.stored().await;
        for ids in stored.keys().collect::<Vec<_>>().chunks(500) {
            let lines: String =
                ids.iter().map(|id| format!("{}\n", json!({"id": id, "delete": true}))).collect();
            let request = self.client.post(format!("{}/products/bulk", self.url));
            let request = request.header("content-type", "application/x-ndjson").body(lines);
            Answer::of(request).await.expect(200);
        }
        assert_eq!(self.stored().await.len(), 0, "all products of {} are deleted", self.url);
        self.sync_all().await;
    }

    /// Waits until searches find exactly the active products of the store in their current versions, and no change is queued.
    pub(crate) async fn sync_all(&self) {
        let is_synced = async || {
            let stored = self.stored().await;
            let active = stored.into_iter().filter(|(_, product)| product["status"] == "active");
            let active: BTreeMap<String, Value> =
                active.map(|(id, product)| (id, product["version"].clone())).collect();
            active == self.indexed().await && self.has_empty_queue().await
        };
        wait_until("searches at API_ENDPOINT find what is stored", is_synced).await;
    }

    /// Returns all products by their ids.
    async fn stored(&self) -> BTreeMap<String, Value> {
        self.pages("/products", "limit=500").await
    }

    /// Returns the versions of the products that searches find, by their ids.
    async fn indexed(&self) -> BTreeMap<String, Value> {
        let found = self.pages("/products/search", "pageSize=100&fields=id,version").await;
        found.into_iter().map(|(id, product)| (id, product["version"].clone())).collect()
    }

    /// Returns the products of all pages by their ids.
    async fn pages(&self, path: &str, parameters: &str) -> BTreeMap<String, Value> {
        let mut products = BTreeMap::new();
        let mut address = format!("{path}?{parameters}");
        loop {
            let page = self.get(&address).await.expect(200).json();
            for product in page["products"].as_array().expect("there is a list of products") {
                let id = product["id"].as_str().expect("a product has an id").to_owned();
                products.insert(id, product.clone());
            }
            let Some(cursor) = page["nextCursor"].as_str() else { return products };
            address = format!("{path}?{parameters}&cursor={cursor}");
        }
    }

    /// Returns true if no change waits, or if the service does not report its backlog.
    async fn has_empty_queue(&self) -> bool {
        let answer = self.get("/health/ready").await;
        let backlog = serde_json::from_str::<Value>(&answer.text).unwrap_or_default()["backlog"].clone();
        let counts = [&backlog["waiting"], &backlog["inFlight"], &backlog["outbox"]["unsent"]];
        counts.iter().all(|count| count.as_u64().unwrap_or_default() == 0)
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}{path}", self.url))).await
    }
}

impl Drop for RemoteService {
    fn drop(&mut self) {
        if let Ok(mut owner) = OWNER.lock() {
            *owner = None;
        }
    }
}
