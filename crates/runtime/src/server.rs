//! The HTTP server, with limits for connections and slow clients, and a graceful stop.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::StartError;

/// The maximum number of connections; further ones wait to be accepted.
const MAX_CONNECTIONS: usize = 4096;

/// The time limit for the head of a request, and for an idle connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// The time limit for requests that are running when the service stops.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(4);

/// Binds the address of a service.
///
/// # Errors
/// When it cannot be bound, with what to do about it.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| {
        StartError::because(format!("cannot listen on {address}: {}", advice(error.kind())), error)
    })
}

/// Returns what to do about an address that cannot be bound.
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

/// Serves requests until `stop` completes, then closes the listener and lets running requests end.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let graceful = accept(&listener, router, stop).await;
    drop(listener);
    drain(graceful).await;
}

/// Serves requests until `stop` completes, then lets running requests end. The listener stays open, so connections that
/// arrive afterwards wait for whoever serves it next.
pub(crate) async fn serve_on(listener: &TcpListener, router: Router, stop: impl Future<Output = ()>) {
    drain(accept(listener, router, stop).await).await;
}

/// Accepts connections until `stop` completes. Returns those that are open then.
async fn accept(listener: &TcpListener, router: Router, stop: impl Future<Output = ()>) -> GracefulShutdown {
    let graceful = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
    tokio::pin!(stop);
    loop {
        let slot = Arc::clone(&slots).acquire_owned();
        let accepted = async { (slot.await, listener.accept().await) };
        let (slot, stream) = tokio::select! {
            (slot, accepted) = accepted => match accepted {
                Ok((stream, _)) => (slot, stream),
                Err(error) => {
                    // Most likely the process is out of file handles; retrying immediately would be a busy loop.
                    tracing::warn!(error = %error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Responses are small and written at once, so Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(error = %error, "a connection ended early");
            }
            drop(slot);
        });
    }
    graceful
}

/// Lets running requests end, within a time limit.
async fn drain(connections: GracefulShutdown) {
    if tokio::time::timeout(DRAIN_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and were cut off");
    }
}

/// Completes when the process receives Ctrl-C or SIGTERM.
pub async fn stop_signal() {
    let ctrl_c = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = ctrl_c => {}
        () = terminate => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_that_cannot_be_bound_is_told_with_what_to_do() {
        let taken = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let error = listen(address).await.unwrap_err().line();
        assert!(
            error.contains(&address.to_string()) && error.contains("another port with --listen"),
            "{error}"
        );
        // An address for documentation, which no machine has: RFC 5737.
        let error = listen(([192, 0, 2, 1], 0).into()).await.unwrap_err().line();
        assert!(error.contains("192.0.2.1:0") && error.contains("0.0.0.0 for all"), "{error}");
        // Root may bind every port, so that cannot be tried everywhere.
        assert!(advice(ErrorKind::PermissionDenied).contains("from 1024"));
    }
}
