//! The activity of one connection: how long the server has waited for the client.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The size of the read buffer of a connection in bytes: the maximum for the head of a request and for one part of a body.
pub(super) const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// The activity of one connection.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// The time since which there is no request.
    idle: WaitingSince,
    /// The time since which a request waits for the next part of its body.
    body: WaitingSince,
    /// The time since which a write waits, because the client does not read.
    stalled: WaitingSince,
    /// True if the last request was answered without reading all of its body.
    has_unread_body: AtomicBool,
    /// True if the unread part is too long to be discarded before the next request, so the connection ends with the response.
    has_long_unread_body: AtomicBool,
    /// Cancelled when the connection must end, because a new one needs its slot.
    pub(super) evicted: CancellationToken,
}

/// Milliseconds from the opening of the connection, plus one; zero while the server does not wait.
#[derive(Debug, Default)]
struct WaitingSince(AtomicU64);

impl WaitingSince {
    /// Begins a wait, unless the server waits already.
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
            stalled: WaitingSince::default(),
            has_unread_body: AtomicBool::new(false),
            has_long_unread_body: AtomicBool::new(false),
            evicted: CancellationToken::new(),
        };
        activity.idle.begin(activity.opened);
        Arc::new(activity)
    }

    /// Returns the longest time for which the server has waited for the client, or `None` if the client waits for the server.
    pub(super) fn waiting(&self) -> Option<Duration> {
        let begun = [&self.idle, &self.body, &self.stalled].map(|since| since.0.load(Ordering::Relaxed));
        let longest = begun.into_iter().filter(|begun| *begun > 0).min()?;
        Some(self.opened.elapsed().saturating_sub(Duration::from_millis(longest - 1)))
    }

    /// Records that a write waits for the client.
    pub(super) fn begin_stall(&self) {
        self.stalled.begin(self.opened);
    }

    /// Records that the client reads again.
    pub(super) fn end_stall(&self) {
        self.stalled.end();
    }

    /// Returns true if a write waits for the client.
    pub(super) fn is_stalled(&self) -> bool {
        self.stalled.0.load(Ordering::Relaxed) > 0
    }

    /// Returns true if the last request was answered without reading all of its body, which the client may still be sending.
    pub(super) fn has_unread_body(&self) -> bool {
        self.has_unread_body.load(Ordering::Relaxed)
    }

    /// Returns true if the unread part of the last request's body may be longer than [`MAX_BUFFER_BYTES`].
    pub(super) fn has_long_unread_body(&self) -> bool {
        self.has_long_unread_body.load(Ordering::Relaxed)
    }

    /// Begins a request, and tracks when the server waits for its body.
    pub(super) fn request<B: Body>(self: &Arc<Self>, body: B) -> RequestBody<B> {
        self.idle.end();
        self.has_unread_body.store(false, Ordering::Relaxed);
        self.has_long_unread_body.store(false, Ordering::Relaxed);
        RequestBody { body, is_read: false, activity: Arc::clone(self) }
    }

    /// Tracks the body of a response. The connection becomes idle when it is dropped.
    pub(super) fn response<B>(self: &Arc<Self>, body: B) -> ResponseBody<B> {
        ResponseBody { body, activity: Arc::clone(self) }
    }
}

/// The body of a request. The server waits for the client while a reader waits for a part of it.
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
            self.activity.has_unread_body.store(true, Ordering::Relaxed);
            let is_long = self.body.size_hint().upper().is_none_or(|rest| rest > MAX_BUFFER_BYTES as u64);
            self.activity.has_long_unread_body.store(is_long, Ordering::Relaxed);
        }
    }
}

/// The body of a response, whose end begins the idle time of the connection.
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
