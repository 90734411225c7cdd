//! Streamed responses: one JSON object a line for each event of an operation. The operation ends with the request.

use std::convert::Infallible;
use std::time::Duration;

use api::wire::Failed;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use domain::ports::PortError;
use futures::stream::{self, StreamExt as _};
use http::header::CONTENT_TYPE;
use runtime::audit::{Entry, Trail};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

/// Events that may wait for a slow client; beyond that the operation waits.
const MAX_WAITING: usize = 256;
/// Pause after which an empty line shows that the operation continues.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Responds with the events that `operation` sends, then with a last event: the result of the operation, or [`Failed`]. The
/// operation ends if the client disconnects. Its start and its end are in the audit log.
pub(super) fn respond<E, F>(
    trail: Trail,
    detail: Option<String>,
    operation: impl FnOnce(mpsc::Sender<E>) -> F,
) -> Response
where
    E: Serialize + From<Failed> + Send + 'static,
    F: Future<Output = Result<E, PortError>> + Send + 'static,
{
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let running = operation(sender.clone());
    let (last_sender, last) = oneshot::channel();
    let entry = Entry { detail, outcome: Some("started"), ..Entry::default() };
    let ended = entry.clone();
    let audit = move |outcome| trail.write(&Entry { outcome: Some(outcome), ..ended });
    tokio::spawn(async move {
        tokio::select! {
            () = sender.closed() => {
                tracing::info!("the client disconnected; the operation ends");
                audit("abandoned");
            }
            result = running => {
                audit(if result.is_ok() { "done" } else { "failed" });
                let event = result.unwrap_or_else(|error| {
                    let detail = error.chain();
                    tracing::error!(error = detail, "an operation of an operator failed");
                    Failed { detail }.into()
                });
                // The client may have disconnected just now.
                let _ = last_sender.send(event);
            }
        }
    });
    // Fused, because the compression layer polls once more after the end.
    let lines = stream::unfold(Some(Events { receiver, last }), next_line).fuse();
    (entry.attached(), [(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// The events of an operation that are not sent yet.
struct Events<E> {
    receiver: mpsc::Receiver<E>,
    /// The last event, which is there once the receiver is closed.
    last: oneshot::Receiver<E>,
}

async fn next_line<E: Serialize>(
    events: Option<Events<E>>,
) -> Option<(Result<Bytes, Infallible>, Option<Events<E>>)> {
    let Events { mut receiver, mut last } = events?;
    match tokio::time::timeout(KEEP_ALIVE, receiver.recv()).await {
        Err(_) => Some((Ok(Bytes::from_static(b"\n")), Some(Events { receiver, last }))),
        Ok(Some(event)) => Some((Ok(line(&event)), Some(Events { receiver, last }))),
        Ok(None) => Some((Ok(line(&last.try_recv().ok()?)), None)),
    }
}

fn line(event: &impl Serialize) -> Bytes {
    // Texts and numbers always have a JSON form.
    let mut line = serde_json::to_vec(event).unwrap_or_default();
    line.push(b'\n');
    line.into()
}
