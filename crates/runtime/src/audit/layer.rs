//! The layer that writes an entry for each request.

use std::sync::Arc;

use access::limits::LoggedRefusals;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;

use super::{Entry, Trail};
use crate::routes::SharedRequirements;

/// The state of the layer.
pub(crate) type Audited = (SharedRequirements, Arc<LoggedRefusals>);

/// Writes an entry for each request that changes something or is refused, see [`audit`](super).
///
/// A flood of requests must not fill the log: a 429 has no entry, and 401 and 403 have at most 100 entries a minute for each network.
/// Metrics count all.
pub(crate) async fn record(
    State((requirements, refusals)): State<Audited>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(trail) = Trail::of(&mut request, &requirements).await else { return next.run(request).await };
    let is_change = !request.method().is_safe();
    request.extensions_mut().insert(trail.clone());
    let open = Open { trail: is_change.then(|| trail.clone()) };
    let response = next.run(request).await;
    open.close();
    let is_written = match response.status() {
        StatusCode::TOO_MANY_REQUESTS => false,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => refusals.count(trail.client()),
        _ => is_change,
    };
    if is_written {
        trail.write_response(response.status().as_u16(), response.extensions().get::<Entry>());
    }
    response
}

/// A change without a response yet. If it is dropped before [`close`](Self::close), the client has disconnected, and the change may be
/// made or not.
struct Open {
    trail: Option<Trail>,
}

impl Open {
    fn close(mut self) {
        self.trail = None;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(trail) = &self.trail {
            trail.write_abandoned();
        }
    }
}
