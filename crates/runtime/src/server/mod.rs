//! The HTTP server, with limits for connections and slow clients, and a graceful stop.
//!
//! A client that keeps the server waiting loses its connection:
//!
//! 1. after [`HEADER_TIMEOUT`] without the head of a request;
//! 2. after [`ConnectionLimits::write_timeout`] without reading a response;
//! 3. immediately if all connections are in use and it has kept the server waiting longest.
//!
//! Routes limit the time for a body themselves.

mod activity;
mod client_stream;
mod connections;
mod open_files;

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use http::header::CONNECTION;
use http::{HeaderValue, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::StartError;
use activity::MAX_BUFFER_BYTES;
use client_stream::ClientStream;
pub use connections::ConnectionLimits;
pub(crate) use connections::describe_metrics;
use connections::{Connection, Connections, PeerIsFull};

/// The time limit for the head of a request, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// The time limit for requests that are running when the service stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(4);

/// The response to a peer with too many connections.
const TOO_MANY_CONNECTIONS: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\n\
    retry-after: 1\r\nconnection: close\r\ncontent-length: 145\r\n\r\n\
    {\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,\
    \"detail\":\"this address has too many connections; close some, or use them again\"}";

/// Binds the address of a service.
///
/// # Errors
/// If the address cannot be bound. The message says what to do.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| {
        StartError::because(format!("cannot listen on {address}: {}", advice(error.kind())), error)
    })
}

/// Returns the advice for an address that cannot be bound.
fn advice(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AddrInUse => {
            "the port is in use; stop the other program or choose another port with --listen (NOREN_LISTEN)"
        }
        ErrorKind::PermissionDenied => {
            "this user may not use the port; choose one from 1024 with --listen (NOREN_LISTEN), or grant \
             CAP_NET_BIND_SERVICE"
        }
        ErrorKind::AddrNotAvailable => {
            "this machine has no such address; choose one that it has, or 0.0.0.0 for all, with --listen \
             (NOREN_LISTEN)"
        }
        _ => "choose an address of this machine with --listen (NOREN_LISTEN)",
    }
}

/// Serves requests until `stop` completes, with the default limits, then [closes](Server::close) the server.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    Server::new(listener).serve(router, ConnectionLimits::default(), stop).await;
}

/// A listener and its open connections. The extensions of each request contain the address of its peer, [`ConnectInfo`] of
/// [`SocketAddr`].
pub struct Server {
    listener: TcpListener,
    /// The routes of the next request. They change when a program that waited for its back ends has opened them.
    router: Arc<RwLock<Router>>,
    open: GracefulShutdown,
    /// The connections of all calls of [`Self::serve_until`], so that their limits hold together.
    connections: OnceLock<Arc<Connections>>,
}

impl Server {
    /// Binds the address of a service.
    ///
    /// # Errors
    /// See [`listen`].
    pub async fn listen(address: SocketAddr) -> Result<Self, StartError> {
        listen(address).await.map(Self::new)
    }

    /// Returns the address: port 0 took a free port.
    ///
    /// # Errors
    /// If the system does not tell it.
    pub fn address(&self) -> Result<SocketAddr, StartError> {
        let address = self.listener.local_addr();
        address.map_err(|error| StartError::because("cannot determine the address of the server", error))
    }

    fn new(listener: TcpListener) -> Self {
        let (router, open, connections) = (Arc::default(), GracefulShutdown::new(), OnceLock::new());
        Self { listener, router, open, connections }
    }

    /// Serves requests until `stop` completes, then [closes](Self::close) the server. Logs the address, because nothing else tells
    /// which port it took for 0.
    pub async fn serve(self, router: Router, limits: ConnectionLimits, stop: impl Future<Output = ()>) {
        match self.address() {
            Ok(address) => tracing::info!(%address, "listening"),
            Err(error) => tracing::warn!(error = error.line(), "cannot log the address"),
        }
        self.serve_until(router, limits, stop).await;
        self.close().await;
    }

    /// Accepts connections until `stop` completes. They stay open, and are served by `router` until the next call.
    pub(crate) async fn serve_until(
        &self,
        router: Router,
        limits: ConnectionLimits,
        stop: impl Future<Output = ()>,
    ) {
        *self.router.write().unwrap_or_else(PoisonError::into_inner) = router;
        let connections = self.connections.get_or_init(|| Connections::new(limits.clone()));
        connections.set_limits(limits);
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(MAX_BUFFER_BYTES);
        tokio::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = accept_one(&self.listener, connections) => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok(Some(accepted)) => {
                    self.serve_connection(&builder, accepted, connections.limits().write_timeout)
                }
                Ok(None) => {}
                Err(error) => {
                    // Most likely the process has too many open files; retrying immediately would be a busy loop.
                    tracing::warn!(error = %error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    /// Serves the requests of a connection on a task of its own.
    fn serve_connection(&self, builder: &http1::Builder, accepted: Accepted, write_timeout: Duration) {
        let Accepted { stream, peer, connection } = accepted;
        let activity = Arc::clone(&connection.activity);
        let stream = ClientStream::new(stream, Arc::clone(&activity), write_timeout);
        let routers = Arc::clone(&self.router);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(|body| activity.request(body));
            request.extensions_mut().insert(ConnectInfo(peer));
            let router = routers.read().unwrap_or_else(PoisonError::into_inner).clone();
            let activity = Arc::clone(&activity);
            async move {
                let Ok(mut response) = router.oneshot(request).await;
                if activity.has_long_unread_body() {
                    // The client must not send its next request on this connection, which hyper closes.
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(response.map(|body| activity.response(body)))
            }
        });
        let serving = self.open.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            tokio::select! {
                served = serving => if let Err(error) = served {
                    tracing::debug!(error = %error, "a connection ended early");
                },
                () = connection.activity.evicted.cancelled() => {
                    tracing::debug!(client.address = %peer.ip(), "closed a waiting connection, because a new one needs its slot");
                }
            }
            drop(connection);
        });
    }

    /// Closes the listener and lets running requests finish, for at most [`DRAIN_TIMEOUT`].
    pub(crate) async fn close(self) {
        drop(self.listener);
        if tokio::time::timeout(DRAIN_TIMEOUT, self.open.shutdown()).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
    }
}

/// An accepted connection that has a slot.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    connection: Connection,
}

/// Accepts a connection and waits for its slot. Returns `None` if its peer has too many connections.
async fn accept_one(listener: &TcpListener, connections: &Arc<Connections>) -> io::Result<Option<Accepted>> {
    let (stream, peer) = listener.accept().await?;
    match connections.admit(peer.ip()).await {
        Ok(connection) => {
            // Responses are small and written at once, so Nagle's algorithm would only delay them.
            let _ = stream.set_nodelay(true);
            Ok(Some(Accepted { stream, peer, connection }))
        }
        Err(PeerIsFull) => {
            tracing::debug!(client.address = %peer.ip(), "a client has too many connections");
            // The empty send buffer of a new connection has room for it. A client that is gone does not need it.
            let _ = stream.try_write(TOO_MANY_CONNECTIONS.as_bytes());
            Ok(None)
        }
    }
}

/// Completes once the process has received Ctrl-C or SIGTERM after the first call. Call it first at the start of a service: no signal
/// between two calls is lost.
pub async fn stop_signal() {
    static STOP: OnceLock<CancellationToken> = OnceLock::new();
    let stop = STOP.get_or_init(|| {
        let (stop, signalled) = (CancellationToken::new(), next_signal());
        let stopping = stop.clone();
        tokio::spawn(async move {
            signalled.await;
            stopping.cancel();
        });
        stop
    });
    stop.cancelled().await;
}

/// Installs the signal handlers immediately, and completes at the next signal.
#[cfg(unix)]
fn next_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut signals: Vec<_> = [SignalKind::interrupt(), SignalKind::terminate()]
        .into_iter()
        .filter_map(|kind| signal(kind).ok())
        .collect();
    async move {
        let any = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        match any.len() {
            0 => std::future::pending().await,
            _ => _ = futures::future::select_all(any).await,
        }
    }
}

/// Completes at Ctrl-C.
#[cfg(not(unix))]
async fn next_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests;
