//! Answers that go on for as long as the work does: a line of JSON for each thing that is told. The work ends with the
//! request.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use domain::ports::PortError;
use futures::stream;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

/// Lines that may wait for a slow reader; then the work waits, too.
const LINES_WAITING: usize = 256;
/// After so long without anything to tell, an empty line says that the work goes on.
const STILL_WORKING: Duration = Duration::from_secs(10);

/// Answers with what `work` tells, and with what it came to as the last line: `{"event":"failed","detail":…}` where it
/// failed.
pub(super) fn answer<E, F>(work: impl FnOnce(mpsc::Sender<E>) -> F) -> Response
where
    E: Serialize + Send + 'static,
    F: Future<Output = Result<E, PortError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(LINES_WAITING);
    let working = work(sender.clone());
    let (last, failed) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        tokio::select! {
            () = sender.closed() => tracing::info!("whoever asked for this work went away; it ends here"),
            result = working => match result {
                Ok(event) => _ = sender.send(event).await,
                Err(error) => {
                    tracing::error!(error = error.chain(), "work that an operator asked for failed");
                    let _ = last.send(error.chain());
                }
            },
        }
    });
    let lines = stream::unfold(Some((receiver, failed)), next_line);
    ([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

type Told<E> = (mpsc::Receiver<E>, tokio::sync::oneshot::Receiver<String>);

async fn next_line<E: Serialize>(
    told: Option<Told<E>>,
) -> Option<(Result<Bytes, Infallible>, Option<Told<E>>)> {
    let (mut events, mut failed) = told?;
    match tokio::time::timeout(STILL_WORKING, events.recv()).await {
        Err(_) => Some((Ok(Bytes::from_static(b"\n")), Some((events, failed)))),
        Ok(Some(event)) => Some((Ok(line(&event)), Some((events, failed)))),
        Ok(None) => {
            let detail = failed.try_recv().ok()?;
            Some((Ok(line(&json!({ "event": "failed", "detail": detail }))), None))
        }
    }
}

fn line(event: &impl Serialize) -> Bytes {
    // Texts and numbers always have a JSON form.
    let mut line = serde_json::to_vec(event).unwrap_or_default();
    line.push(b'\n');
    line.into()
}
