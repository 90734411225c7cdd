//! Writes beside the searches, writes alone, and how soon they are found.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection::{Ask, Client};
use super::figures::Slice;
use crate::failure::{Context as _, Failure};

/// Connections that write. Each waits for one answer at a time, so there have to be some.
const WRITERS: u32 = 8;

/// Writers that change the stock of products, over HTTP, at a steady pace.
pub(crate) struct Writers {
    tasks: JoinSet<Result<u64, Failure>>,
    stop: CancellationToken,
    begun: Instant,
}

impl Writers {
    /// Begins to write to the products with these ids at a host and port.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn start(host: &str, ids: &Arc<[String]>, per_second: u32) -> Result<Self, Failure> {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        for seed in 0..WRITERS {
            let client = Client::connect(host).await?;
            let pause = Duration::from_secs(1) * WRITERS / per_second.max(1);
            tasks.spawn(write(client, Arc::clone(ids), pause, Rng::with_seed(seed.into()), stop.clone()));
        }
        Ok(Self { tasks, stop, begun: Instant::now() })
    }

    /// Lets the writes under way end, and tells how many there were in a second.
    ///
    /// # Errors
    /// When one failed.
    pub(crate) async fn stop(mut self) -> Result<f64, Failure> {
        self.stop.cancel();
        let mut written = 0;
        while let Some(task) = self.tasks.join_next().await {
            written += task.context(|| "writing".to_owned())??;
        }
        Ok(written as f64 / self.begun.elapsed().as_secs_f64())
    }
}

/// Counts what it wrote.
async fn write(
    mut client: Client,
    ids: Arc<[String]>,
    pause: Duration,
    mut rng: Rng,
    stop: CancellationToken,
) -> Result<u64, Failure> {
    let mut pace = tokio::time::interval(pause);
    let mut written = 0;
    while stop.run_until_cancelled(pace.tick()).await.is_some() {
        let id = rng.choice(ids.iter()).ok_or_else(|| Failure::new("there is no product to write to"))?;
        client.send(&Ask::patch(id, format!(r#"{{"stock":{}}}"#, rng.u32(..100_000)))?).await?;
        written += 1;
    }
    Ok(written)
}

/// Connections that create products, each one after the other.
pub(crate) const CREATORS: usize = 64;

/// A product that nobody has, of about 250 bytes.
fn lamp(number: usize) -> String {
    format!(
        r#"{{"name":"Desk lamp {number}","brand":"Hikari","category":"Home > Lamps","price":39.9,"stock":12,"tags":["oak"],"description":"A lamp for a desk with a shade of oak and paper","attributes":{{"colour":"black","watts":8}}}}"#
    )
}

/// So many creates of one product each.
///
/// # Errors
/// Never, as the path is one.
pub(crate) fn creates(count: usize) -> Result<Arc<[Ask]>, Failure> {
    (0..count).map(|number| Ask::post("/products", &lamp(number))).collect()
}

/// Clients that create a product and wait until a search finds it, again and again.
pub(crate) struct Waiters {
    tasks: JoinSet<Result<Vec<Duration>, Failure>>,
    stop: CancellationToken,
    begun: Instant,
}

/// Clients that wait at the same time.
const WAITERS: usize = 4;

impl Waiters {
    /// Begins to create products at a host and port.
    ///
    /// # Errors
    /// When nobody listens there.
    pub(crate) async fn start(host: &str) -> Result<Self, Failure> {
        let (mut tasks, stop) = (JoinSet::new(), CancellationToken::new());
        for number in 0..WAITERS {
            tasks.spawn(wait(Client::connect(host).await?, number * 1_000_000, stop.clone()));
        }
        Ok(Self { tasks, stop, begun: Instant::now() })
    }

    /// How long each took, from the answer to the write until a search found it.
    ///
    /// # Errors
    /// When a request failed.
    pub(crate) async fn stop(mut self) -> Result<Slice, Failure> {
        self.stop.cancel();
        let mut times = Vec::new();
        while let Some(task) = self.tasks.join_next().await {
            times.extend(task.context(|| "waiting for writes".to_owned())??);
        }
        Ok(Slice { times, wall: self.begun.elapsed() })
    }
}

async fn wait(mut client: Client, first: usize, stop: CancellationToken) -> Result<Vec<Duration>, Failure> {
    let mut times = Vec::new();
    for number in first.. {
        if stop.is_cancelled() {
            break;
        }
        let headers = client.send_for_headers(&Ask::post("/products", &lamp(number))?).await?;
        let token = headers.get(runtime::http::SYNC_TOKEN).and_then(|token| token.to_str().ok());
        let token = token.ok_or_else(|| Failure::new("a write was answered without a token"))?;
        let begun = Instant::now();
        let search = format!("/products/search?pageSize=1&syncTimeout=10&syncToken={token}");
        client.send(&Ask::get(&search)?).await?;
        times.push(begun.elapsed());
    }
    Ok(times)
}
