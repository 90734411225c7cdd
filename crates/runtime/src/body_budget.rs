//! Bodies that are read as a whole, within a budget of memory for all of them.

use std::error::Error;

use axum::RequestExt as _;
use axum::body::Bytes;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures::StreamExt as _;
use http::StatusCode;
use http_body_util::LengthLimitError;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Problem;

/// The most bytes of all bodies in progress, not counting the first [`FREE_BYTES`] of each.
const BUDGET_BYTES: usize = 64 * 1024 * 1024;
/// The first bytes of a body, which need no budget: while large bodies use it up, small ones are still read. The limit of
/// connections bounds their sum.
const FREE_BYTES: usize = 16 * 1024;

static BUDGET: Semaphore = Semaphore::const_new(BUDGET_BYTES);

/// Reads a body as a whole. It counts against the budget as it arrives, until it is dropped.
///
/// # Errors
/// 413 for a body above the limit of the route, 503 while other bodies use up the budget, 400 if the body breaks off.
pub(crate) async fn read_whole(request: Request) -> Result<Bytes, Response> {
    read_within(&BUDGET, request).await
}

async fn read_within(budget: &'static Semaphore, request: Request) -> Result<Bytes, Response> {
    let mut chunks = request.into_limited_body().into_data_stream();
    let mut body = BudgetedBody { bytes: Vec::new(), share: None };
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| unreadable(&error))?;
        body.grow(budget, chunk.len())?;
        body.bytes.extend_from_slice(&chunk);
    }
    Ok(Bytes::from_owner(body))
}

/// A body with its share of the budget.
struct BudgetedBody {
    bytes: Vec<u8>,
    share: Option<SemaphorePermit<'static>>,
}

impl BudgetedBody {
    /// Makes room for `more` bytes, and takes the budget for it.
    fn grow(&mut self, budget: &'static Semaphore, more: usize) -> Result<(), Response> {
        let length = self.bytes.len() + more;
        if length <= self.bytes.capacity() {
            return Ok(());
        }
        let capacity = length.next_power_of_two();
        let held = self.share.as_ref().map_or(0, SemaphorePermit::num_permits);
        let needed = capacity.saturating_sub(FREE_BYTES);
        // The limit of a body is far below the range of a `u32`.
        let missing = u32::try_from(needed.saturating_sub(held)).unwrap_or(u32::MAX);
        if missing > 0 {
            let share = budget.try_acquire_many(missing).map_err(|_| {
                let detail = "the large bodies of other requests take all the memory for them; try again";
                Problem::unavailable(detail).into_response()
            })?;
            match &mut self.share {
                Some(held) => held.merge(share),
                None => self.share = Some(share),
            }
        }
        self.bytes.reserve_exact(capacity - self.bytes.len());
        Ok(())
    }
}

impl AsRef<[u8]> for BudgetedBody {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns the response to a body that cannot be read.
fn unreadable(error: &axum::Error) -> Response {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            // The middleware adds the problem document.
            return StatusCode::PAYLOAD_TOO_LARGE.into_response();
        }
        cause = error.source();
    }
    Problem::new(StatusCode::BAD_REQUEST, "the body broke off; send it again").into_response()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use tower::ServiceExt as _;

    use super::*;

    fn request(bytes: usize) -> Request {
        Request::new(Body::from(vec![b'x'; bytes]))
    }

    #[tokio::test]
    async fn large_bodies_share_the_budget_and_small_ones_need_none() {
        static SMALL: Semaphore = Semaphore::const_new(200_000);
        let first = read_within(&SMALL, request(FREE_BYTES + 60_000)).await.unwrap();
        let refused = read_within(&SMALL, request(FREE_BYTES + 60_000)).await.unwrap_err();
        assert_eq!(
            (refused.status().as_u16(), refused.headers()["retry-after"].as_bytes()),
            (503, &b"1"[..])
        );
        assert_eq!(read_within(&SMALL, request(FREE_BYTES)).await.unwrap().len(), FREE_BYTES);
        let part = first.slice(..1);
        drop(first);
        assert!(SMALL.available_permits() < 200_000 - 60_000, "a part of the body holds its memory");
        drop(part);
        assert_eq!(SMALL.available_permits(), 200_000);
    }

    #[tokio::test]
    async fn a_body_above_the_limit_of_its_route_is_too_large() {
        let read = async |request: Request| read_whole(request).await.map(|body| body.len().to_string());
        let service = Router::new().fallback(read).layer(DefaultBodyLimit::max(100));
        for (bytes, status) in [(100, 200), (101, 413)] {
            let response = service.clone().oneshot(request(bytes)).await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{bytes}");
        }
    }
}
