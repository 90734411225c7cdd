//! A router served on a free port of this machine.

use axum::Router;
use runtime::{StartError, server};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Endpoint;
use crate::error::BenchError;

/// A running server.
pub(crate) struct Served {
    /// Host and port.
    pub(crate) host: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Served {
    /// Serves a router.
    ///
    /// # Errors
    /// If no port can be opened.
    pub(crate) async fn start(router: Router) -> Result<Self, BenchError> {
        let listener = server::listen(([127, 0, 0, 1], 0).into()).await?;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::because("cannot determine the port of the server", error))?;
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(server::serve(listener, router, stopped));
        Ok(Self { host: address.to_string(), stop, task })
    }

    /// Returns the address of the server.
    pub(crate) fn endpoint(&self) -> Endpoint {
        Endpoint::Http(self.host.clone())
    }

    /// Stops the server once its requests are answered.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server failed");
        }
    }
}
