//! Fault 2: `kill -9` at random moments while clients write over HTTP.
//!
//! Guarantee: after the restart, every write that got a 2xx is in the store and in search; a write without a response
//! was applied entirely or not at all; once writes stop, the index holds the same version of every product as the
//! store, without dead letters.
//!
//! `SEED=7 NOREN_TEST_SCALE=10 cargo test --workspace --test integration faults::killed` repeats it at other moments,
//! with ten times as many kills.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::support::{Answer, PATIENCE, Running, finished, http_client, scaled, seed, wait_until};

/// The number of concurrent clients, each with its own products.
const CLIENTS: u64 = 16;
/// The number of products of a client.
const PRODUCTS: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn one_process_that_is_killed_at_random_moments_loses_nothing() {
    let kills = scaled(50, 5);
    killed(&["noren"], vec!["noren"; kills as usize], 400 * kills).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_three_processes_that_is_killed_at_random_moments_loses_nothing() {
    let names = ["noren-command", "noren-sync", "noren-query"];
    let kills = scaled(10, 2);
    let mut victims = names.repeat(kills as usize);
    fastrand::Rng::with_seed(seed()).shuffle(&mut victims);
    killed(&names, victims, 2000 * kills).await;
}

/// Makes this many writes and meanwhile kills the processes one after the other.
async fn killed(names: &[&'static str], victims: Vec<&'static str>, writes: u64) {
    let seed = seed();
    println!("seed {seed}");
    let dir = tempfile::tempdir().unwrap();
    let mut service = Service::start(names, dir.path()).await;
    let (publish, address) = watch::channel(Address { starts: 0, url: service.writes().to_owned() });
    let answered = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let client = Writer {
            http: http_client(),
            chance: fastrand::Rng::with_seed(seed.wrapping_mul(1000) + number),
            address: address.clone(),
            answered: Arc::clone(&answered),
            products: (0..PRODUCTS).map(|n| (format!("c{number}-{n}"), ProductState::default())).collect(),
            unanswered: [0, 0],
        };
        clients.spawn(client.run(writes));
    }
    let mut chance = fastrand::Rng::with_seed(seed);
    let share = writes / victims.len() as u64;
    let begun = Instant::now();
    let kills = victims.len();
    for (turn, victim) in (0..).zip(victims) {
        let moment = turn * share + chance.u64(0..share);
        wait_until("writes go on", async || answered.load(Ordering::Relaxed) >= moment).await;
        let takes_writes = service.restart(victim, dir.path()).await;
        if takes_writes {
            // A client without a response waits for the next start; the address alone may stay the same.
            let url = service.writes().to_owned();
            publish.send_modify(|address| *address = Address { starts: address.starts + 1, url });
        }
    }
    let (mut expected, mut unanswered) = (BTreeMap::new(), [0, 0]);
    while let Some(client) = clients.join_next().await {
        let client = client.expect("what a client saw is right");
        expected.extend(client.products);
        unanswered = [0, 1].map(|made| unanswered[made] + client.unanswered[made]);
    }
    let wrote = begun.elapsed();
    service.holds(&expected).await;
    println!(
        "{} writes answered with 2xx and {kills} kills in {wrote:?}; of {} writes without an answer {} were made; \
         the index was as the store after {:?} more",
        answered.load(Ordering::Relaxed),
        unanswered[0] + unanswered[1],
        unanswered[1],
        begun.elapsed() - wrote
    );
    assert!(unanswered[0] + unanswered[1] > 0, "the kills came while clients wrote");
}

// ------------------------------------------------------------------------------------------------ service

/// One process or three.
struct Service {
    running: BTreeMap<&'static str, Running>,
}

impl Service {
    async fn start(names: &[&'static str], dir: &Path) -> Self {
        let mut running = BTreeMap::new();
        for name in names {
            running.insert(*name, started(name, dir).await);
        }
        Self { running }
    }

    /// Kills a process and starts it again. Returns true if it is the one that takes writes.
    async fn restart(&mut self, name: &'static str, dir: &Path) -> bool {
        let killed = self.running.remove(name).expect("it runs");
        let took_writes = !self.running.contains_key("noren-command");
        killed.kill();
        self.running.insert(name, started(name, dir).await);
        took_writes
    }

    fn url(&self, names: [&'static str; 2]) -> &str {
        let found = names.into_iter().find_map(|name| self.running.get(name));
        &found.expect("one of them runs").url
    }

    fn writes(&self) -> &str {
        self.url(["noren", "noren-command"])
    }

    fn searches(&self) -> &str {
        self.url(["noren", "noren-query"])
    }

    /// Compares store and index with the responses that clients got.
    async fn holds(&self, expected: &BTreeMap<String, ProductState>) {
        let http = http_client();
        let get = async |url: String| Answer::of(http.get(url)).await;
        for (id, state) in expected {
            let answer = get(format!("{}/products/{id}", self.writes())).await;
            state.matches_response(id, &answer).unwrap_or_else(|fault| panic!("{fault}"));
            let indexed = async || {
                let body = get(format!("{}/products/{id}/explain", self.searches())).await.expect(200).json();
                let expected_state = if state.product.is_some() { "active" } else { "deleted" };
                (body["state"] == expected_state && body["version"] == state.version)
                    || (state.version == 0 && body["state"] == "unknown")
            };
            wait_until(&format!("the index holds {id} as {state:?}"), indexed).await;
        }
        let live: Vec<&String> =
            expected.iter().filter(|(_, state)| state.product.is_some()).map(|(id, _)| id).collect();
        let found = get(format!("{}/products/search?pageSize=1", self.searches())).await.expect(200).json();
        assert_eq!(found["total"], live.len(), "search finds what is there");
        let (mut listed, mut query) = (Vec::new(), String::new());
        loop {
            let page = get(format!("{}/products?limit=500{query}", self.writes())).await.expect(200);
            listed.extend(page.ids());
            match page.json()["nextCursor"].as_str() {
                Some(cursor) => query = format!("&cursor={cursor}"),
                None => break,
            }
        }
        listed.sort();
        assert_eq!(listed.iter().collect::<Vec<_>>(), live, "the store lists what is there");
        let verified = finished("noren", &["verify", "--url", self.url(["noren", "noren-sync"])], &[]);
        assert!(verified.status.success(), "store and index do not differ: {verified:?}");
        let metrics = get(format!("{}/metrics", self.writes())).await.expect(200).text;
        let dead = metrics.lines().find(|line| line.starts_with("noren_queue_dead_letters"));
        assert!(dead.is_some_and(|line| line.ends_with(" 0")), "{dead:?}");
    }
}

async fn started(name: &str, dir: &Path) -> Running {
    let data = ["--data-dir", dir.to_str().expect("a path is text")];
    match name {
        "noren" => Running::start(name, &["serve", data[0], data[1]]).await,
        _ => Running::start(name, &data).await,
    }
}

// ------------------------------------------------------------------------------------------------ clients

/// The address for writes, and the number of starts so far.
#[derive(Clone)]
struct Address {
    starts: u64,
    url: String,
}

/// The state of a product that the service must have.
#[derive(Debug, Clone, Default, PartialEq)]
struct ProductState {
    /// The version; 0 if the product never existed.
    version: u64,
    /// Name and stock; `None` if the product does not exist.
    product: Option<(String, u64)>,
}

impl ProductState {
    /// Succeeds if the response to a GET has this state.
    fn matches_response(&self, id: &str, answer: &Answer) -> Result<(), String> {
        let found = match answer.status.as_u16() {
            404 => None,
            200 => {
                let product = answer.json();
                let name = product["name"].as_str().unwrap_or_default().to_owned();
                Some((name, product["stock"].as_u64().unwrap_or_default(), product["version"].as_u64()))
            }
            _ => return Err(format!("{id} cannot be read: {answer:?}")),
        };
        let state = self.product.clone().map(|(name, stock)| (name, stock, Some(self.version)));
        if found == state { Ok(()) } else { Err(format!("{id} should be {self:?} and is {found:?}")) }
    }
}

/// A client that writes its own products one after the other and knows their state.
struct Writer {
    http: Client,
    chance: fastrand::Rng,
    address: watch::Receiver<Address>,
    /// The number of writes of all clients that got a 2xx.
    answered: Arc<AtomicU64>,
    products: BTreeMap<String, ProductState>,
    /// The number of writes without a response: not applied, and applied.
    unanswered: [u64; 2],
}

impl Writer {
    async fn run(mut self, writes: u64) -> Self {
        let ids: Vec<String> = self.products.keys().cloned().collect();
        for step in 0.. {
            if self.answered.load(Ordering::Relaxed) >= writes {
                break;
            }
            let id = &ids[self.chance.usize(0..ids.len())];
            self.write(id, step).await;
        }
        self
    }

    /// Makes one write; without a response, reads whether it was applied.
    async fn write(&mut self, id: &str, step: u64) {
        let before = self.products[id].clone();
        let (method, body, product) = self.choose(id, &before, step);
        let after = ProductState { version: before.version + 1, product };
        let address = self.address.borrow().clone();
        let path = if method == Method::POST { String::new() } else { format!("/{id}") };
        let request = self.http.request(method.clone(), format!("{}/products{path}", address.url));
        let request = match method {
            Method::PATCH => {
                request.header("content-type", "application/merge-patch+json").body(body.to_string())
            }
            Method::DELETE => request,
            _ => request.json(&body),
        };
        let state = match answer(request).await {
            Some((status, text)) if (200..300).contains(&status) => {
                let body: Value = serde_json::from_str(&text).expect("an answer is JSON");
                assert_eq!(body["version"], after.version, "{method} {id}: {text}");
                self.answered.fetch_add(1, Ordering::Relaxed);
                after
            }
            Some((status, text)) => panic!("{method} {id} over {before:?}: {status} {text}"),
            None => {
                let found = self.read(id, address.starts).await;
                let was_made = after.matches_response(id, &found).is_ok();
                self.unanswered[usize::from(was_made)] += 1;
                let state = if was_made { after } else { before };
                state.matches_response(id, &found).unwrap_or_else(|fault| panic!("half a {method}: {fault}"));
                state
            }
        };
        self.products.insert(id.to_owned(), state);
    }

    /// Chooses a method, a body and the product that must result.
    fn choose(
        &mut self,
        id: &str,
        before: &ProductState,
        step: u64,
    ) -> (Method, Value, Option<(String, u64)>) {
        let (name, stock) = (format!("cup {step} of {id}"), self.chance.u64(0..1000));
        let body = json!({"id": id, "name": name, "stock": stock});
        match (&before.product, self.chance.u8(0..100)) {
            (None, 0..50) => (Method::POST, body, Some((name, stock))),
            (None, _) | (Some(_), 0..40) => (Method::PUT, body, Some((name, stock))),
            // A different number, because an equal one would change nothing.
            (Some((name, before)), 40..75) => {
                let stock = before + 1 + stock;
                (Method::PATCH, json!({"stock": stock}), Some((name.clone(), stock)))
            }
            (Some(_), _) => (Method::DELETE, Value::Null, None),
        }
    }

    /// Reads a product of unknown state once the service has been started more than `starts` times.
    async fn read(&mut self, id: &str, starts: u64) -> Answer {
        let mut after = starts;
        loop {
            let next = self.address.wait_for(|address| address.starts > after).await;
            let address = next.expect("a killed service is started again").clone();
            let request = self.http.get(format!("{}/products/{id}", address.url)).timeout(PATIENCE);
            match request.send().await {
                Ok(response) => {
                    let (status, headers) = (response.status(), response.headers().clone());
                    if let Ok(text) = response.text().await {
                        return Answer { status, headers, text };
                    }
                }
                Err(error) => assert!(!error.is_timeout(), "a service that runs answers: {error}"),
            }
            after = address.starts;
        }
    }
}

/// Returns status and body if both arrive.
async fn answer(request: RequestBuilder) -> Option<(u16, String)> {
    let response = request.timeout(PATIENCE).send().await.ok()?;
    let status = response.status().as_u16();
    Some((status, response.text().await.ok()?))
}
