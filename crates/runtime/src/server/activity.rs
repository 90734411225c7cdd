//! The activity of one connection: whether the server waits for the client, and since when.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The maximum size of the head of a request, and of what is read of a body at a time, in bytes.
pub(super) const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// The activity of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// The time since which there is no request.
    idle: WaitingSince,
    /// The time since which a request waits for the next part of its body.
    body: WaitingSince,
    /// The time since which the client does not read.
    unread: WaitingSince,
    /// True if the last request was answered without reading all of its body.
    has_rest: AtomicBool,
    /// True if that rest is too long to be read before the next request, so that the connection ends with the response.
    has_long_rest: AtomicBool,
    /// Cancelled when the connection must end, because others need its place.
    pub(super) evicted: CancellationToken,
}

/// Milliseconds from the opening of the connection, plus one; zero while the server does not wait.
#[derive(Debug, Default)]
struct WaitingSince(AtomicU64);

impl WaitingSince {
    /// Begins to wait, unless the server waits already.
    fn begin(&self, opened: Instant) {
        if self.0.load(Ordering::Relaxed) == 0 {
            self.0.store(opened.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
        }
    }

    fn end(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Activity {
    /// Returns the activity of a new connection, which waits for its first request.
    pub(super) fn new() -> Arc<Self> {
        let activity = Self {
            opened: Instant::now(),
            idle: WaitingSince::default(),
            body: WaitingSince::default(),
            unread: WaitingSince::default(),
            has_rest: AtomicBool::new(false),
            has_long_rest: AtomicBool::new(false),
            evicted: CancellationToken::new(),
        };
        activity.idle.begin(activity.opened);
        Arc::new(activity)
    }

    /// Returns the time for which the server has waited for the client; `None` if the client waits for the server.
    pub(super) fn waiting(&self) -> Option<Duration> {
        let begun = [&self.idle, &self.body, &self.unread].map(|since| since.0.load(Ordering::Relaxed));
        let longest = begun.into_iter().filter(|begun| *begun > 0).min()?;
        Some(self.opened.elapsed().saturating_sub(Duration::from_millis(longest - 1)))
    }

    /// Notes that the client does not read what was sent.
    pub(super) fn begin_unread(&self) {
        self.unread.begin(self.opened);
    }

    /// Notes that the client reads.
    pub(super) fn end_unread(&self) {
        self.unread.end();
    }

    /// Returns true if the client does not read what was sent.
    pub(super) fn is_unread(&self) -> bool {
        self.unread.0.load(Ordering::Relaxed) > 0
    }

    /// Returns true if the last request was answered without reading all of its body, which the client may still be sending.
    pub(super) fn has_rest(&self) -> bool {
        self.has_rest.load(Ordering::Relaxed)
    }

    /// Returns true if the rest of the last request's body is longer than [`MAX_BUFFER_BYTES`].
    pub(super) fn has_long_rest(&self) -> bool {
        self.has_long_rest.load(Ordering::Relaxed)
    }

    /// Follows the body of a request, which begins.
    pub(super) fn request<B: Body>(self: &Arc<Self>, body: B) -> RequestBody<B> {
        self.idle.end();
        self.has_rest.store(false, Ordering::Relaxed);
        self.has_long_rest.store(false, Ordering::Relaxed);
        RequestBody { body, is_read: false, activity: Arc::clone(self) }
    }

    /// Follows the body of a response; the connection is idle when it ends.
    pub(super) fn response<B>(self: &Arc<Self>, body: B) -> ResponseBody<B> {
        ResponseBody { body, activity: Arc::clone(self) }
    }
}

/// The body of a request. While its reader waits for the client, so does the connection.
pub(super) struct RequestBody<B: Body> {
    body: B,
    is_read: bool,
    activity: Arc<Activity>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for RequestBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        match frame.is_pending() {
            true => self.activity.body.begin(self.activity.opened),
            false => self.activity.body.end(),
        }
        self.is_read |= matches!(frame, Poll::Ready(None));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: Body> Drop for RequestBody<B> {
    fn drop(&mut self) {
        self.activity.body.end();
        if !self.is_read && !self.body.is_end_stream() {
            self.activity.has_rest.store(true, Ordering::Relaxed);
            let is_long = self.body.size_hint().upper().is_none_or(|rest| rest > MAX_BUFFER_BYTES as u64);
            self.activity.has_long_rest.store(is_long, Ordering::Relaxed);
        }
    }
}

/// The body of a response.
pub(super) struct ResponseBody<B> {
    body: B,
    activity: Arc<Activity>,
}

impl<B: Body<Data = Bytes> + Unpin> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B> Drop for ResponseBody<B> {
    fn drop(&mut self) {
        self.activity.idle.begin(self.activity.opened);
    }
}
