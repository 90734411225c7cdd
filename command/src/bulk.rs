//! Bulk writes: lines in, results out, in order and with bounded memory.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use domain::{Fault, FaultKind, WriteMode};
use futures::stream;
use futures::stream::{Stream, StreamExt};
use runtime::audit::Trail;
use tokio::sync::mpsc;

use crate::Catalogue;
use crate::audit;
use crate::batch::{self, Reading};
use crate::command::Command;
use crate::lines::{Line, Lines};

/// The maximum number of result batches that wait for a slow client. Until one is taken, the body is not read further.
const MAX_WAITING: usize = 2;

/// The options of a bulk write.
#[derive(Clone)]
pub(crate) struct BulkLines {
    pub(crate) mode: WriteMode,
    /// The source to write into the products.
    pub(crate) source: Option<Arc<str>>,
    /// The W3C trace context of the request.
    pub(crate) traceparent: Option<String>,
}

/// Executes the lines of `body`. The stream has a chunk of results for each batch.
pub(crate) fn results(
    catalogue: Catalogue,
    body: Body,
    options: BulkLines,
    trail: Trail,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    tokio::spawn(async move {
        let mut lines = Lines::new(body);
        while let Some(batch) = lines.next_batch().await {
            let results = execute_batch(&catalogue, batch, options.clone(), &trail).await;
            if sender.send(results).await.is_err() {
                tracing::debug!("the client of a bulk request disconnected");
                return;
            }
        }
    });
    let results = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|results| (Ok(Bytes::from(results)), receiver))
    });
    // The compression layer polls once more after the end.
    results.fuse()
}

/// Executes a batch of lines. Returns the results as NDJSON.
async fn execute_batch(
    catalogue: &Catalogue,
    lines: Vec<Line>,
    options: BulkLines,
    trail: &Trail,
) -> Vec<u8> {
    let BulkLines { mode, source, traceparent } = options;
    let items = batch::parse(lines, Reading::lines(catalogue.currency(), mode), move |_, text, input| {
        if mode == WriteMode::Merge && input.id().is_none() {
            return Err(Fault::new("id", FaultKind::Missing, "is missing").into());
        }
        let command = Command::of_text(input, text, mode);
        Ok(Command { source: source.clone(), traceparent: traceparent.clone(), ..command })
    });
    let items = items.await;
    let executed = batch::execute(catalogue, items).await;
    audit::write_lines(trail, &executed).await;
    let mut out = Vec::with_capacity(executed.len() * 96);
    executed.iter().for_each(|line| line.write(&mut out));
    out
}
