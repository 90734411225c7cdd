//! Writes beside the searches.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connection::{Ask, Client};
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
