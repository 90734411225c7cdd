//! Many products in one request: lines in, results out, in order and with bounded memory.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use futures::stream;
use futures::stream::{Stream, StreamExt};
use tokio::sync::mpsc;

use crate::Catalogue;
use crate::batch::{self, carry_out};
use crate::catalogue::Command;
use crate::lines::{Line, Lines};

/// Carries out the lines of `body`; the stream has a chunk of results for each batch.
pub(crate) fn results(
    catalogue: Catalogue,
    body: Body,
    traceparent: Option<String>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    // Two batches of results may wait for a slow reader; then reading the body waits too.
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        let mut lines = Lines::new(body);
        while let Some(batch) = lines.next_batch().await {
            let results = results_of(&catalogue, batch, traceparent.as_deref()).await;
            if sender.send(results).await.is_err() {
                tracing::debug!("the client of a bulk request went away");
                return;
            }
        }
    });
    let results = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|results| (Ok(Bytes::from(results)), receiver))
    });
    // Compression asks once more after the end.
    results.fuse()
}

/// Writes a batch of lines; answers their results as NDJSON.
async fn results_of(catalogue: &Catalogue, lines: Vec<Line>, traceparent: Option<&str>) -> Vec<u8> {
    let items = batch::read(lines, catalogue.currency(), |_, _, input| {
        let traceparent = traceparent.map(str::to_owned);
        Command { traceparent, ..Command::upsert(input) }
    });
    let done = carry_out(catalogue, items).await;
    let mut out = Vec::with_capacity(done.len() * 96);
    done.iter().for_each(|done| done.result().write(&mut out));
    out
}
