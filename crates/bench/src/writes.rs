//! Load generators that write: updates during searches, single creates, and probes of how soon a write is found.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::error::BenchError;
use crate::figures::Round;
use crate::request::BenchRequest;

/// Number of connections that update products. Each waits for one response at a time, so one alone would be too slow.
const WRITERS: u32 = 8;
/// Number of connections that create products, each one after the other.
pub(crate) const CREATORS: usize = 64;
/// Number of clients that probe how soon a write is found.
const PROBES: usize = 4;

/// Clients that change the stock of products over HTTP at a steady rate.
pub(crate) struct Writers {
    tasks: JoinSet<Result<u64, BenchError>>,
    stop: CancellationToken,
    started: Instant,
}

impl Writers {
    /// Starts to update the products with these ids at a host and port.
    ///
    /// # Errors
    /// If there is no server, or no product.
    pub(crate) async fn start(host: &str, ids: &Arc<[String]>, per_second: u32) -> Result<Self, BenchError> {
        if ids.is_empty() {
            return Err(BenchError::NoQueries("the catalogue has no products"));
        }
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        for seed in 0..WRITERS {
            let client = Client::connect(host).await?;
            let pause = Duration::from_secs(1) * WRITERS / per_second.max(1);
            tasks.spawn(write(client, Arc::clone(ids), pause, Rng::with_seed(seed.into()), stop.clone()));
        }
        Ok(Self { tasks, stop, started: Instant::now() })
    }

    /// Stops the clients after their current write. Returns the number of writes per second.
    ///
    /// # Errors
    /// If a write failed.
    pub(crate) async fn stop(mut self) -> Result<f64, BenchError> {
        self.stop.cancel();
        let mut written = 0;
        while let Some(task) = self.tasks.join_next().await {
            written += task??;
        }
        Ok(written as f64 / self.started.elapsed().as_secs_f64())
    }
}

/// Updates one product per `pause`, and returns the number of updates.
async fn write(
    mut client: Client,
    ids: Arc<[String]>,
    pause: Duration,
    mut rng: Rng,
    stop: CancellationToken,
) -> Result<u64, BenchError> {
    let mut ticks = tokio::time::interval(pause);
    let mut written = 0;
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let id = &ids[rng.usize(..ids.len())];
        client.send(&BenchRequest::patch(id, format!(r#"{{"stock":{}}}"#, rng.u32(..100_000)))?).await?;
        written += 1;
    }
    Ok(written)
}

/// Returns a product of about 250 bytes as JSON, without an id.
fn sample_product(number: usize) -> String {
    format!(
        r#"{{"name":"Desk lamp {number}","brand":"Hikari","category":"Home > Lamps","price":39.9,"stock":12,"tags":["oak"],"description":"A lamp for a desk with a shade of oak and paper","attributes":{{"colour":"black","watts":8}}}}"#
    )
}

/// Returns `count` requests that create one product each.
///
/// # Errors
/// Never: the path is valid.
pub(crate) fn create_requests(count: usize) -> Result<Vec<BenchRequest>, BenchError> {
    (0..count).map(|number| BenchRequest::post("/products", &sample_product(number))).collect()
}

/// Clients that create a product and wait until a search finds it, again and again.
pub(crate) struct FreshnessProbes {
    tasks: JoinSet<Result<Vec<Duration>, BenchError>>,
    stop: CancellationToken,
    started: Instant,
}

impl FreshnessProbes {
    /// Starts to create products at a host and port.
    ///
    /// # Errors
    /// If there is no server.
    pub(crate) async fn start(host: &str) -> Result<Self, BenchError> {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        for number in 0..PROBES {
            tasks.spawn(probe(Client::connect(host).await?, number * 1_000_000, stop.clone()));
        }
        Ok(Self { tasks, stop, started: Instant::now() })
    }

    /// Stops the clients. Returns the time from the response to each write until a search found it.
    ///
    /// # Errors
    /// If a request failed.
    pub(crate) async fn stop(mut self) -> Result<Round, BenchError> {
        self.stop.cancel();
        let mut times = Vec::new();
        while let Some(task) = self.tasks.join_next().await {
            times.extend(task??);
        }
        Ok(Round { times, wall: self.started.elapsed() })
    }
}

async fn probe(
    mut client: Client,
    first: usize,
    stop: CancellationToken,
) -> Result<Vec<Duration>, BenchError> {
    let mut times = Vec::new();
    for number in first.. {
        if stop.is_cancelled() {
            break;
        }
        let create = BenchRequest::post("/products", &sample_product(number))?;
        let headers = client.send_for_headers(&create).await?;
        let token = headers.get(runtime::http::SYNC_TOKEN).and_then(|token| token.to_str().ok());
        let token = token.ok_or(BenchError::NoSyncToken)?;
        let written = Instant::now();
        let parameters = [("pageSize", "1"), ("syncTimeout", "10"), ("syncToken", token)];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
        client.send(&BenchRequest::get("/products/search", &parameters)?).await?;
        times.push(written.elapsed());
    }
    Ok(times)
}
