//! A proxy that makes a server unavailable and available again at the same address.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::free_port;

/// A proxy in front of a server on this machine. It refuses connections until it is connected.
pub(crate) struct Proxy {
    address: SocketAddr,
    to: String,
    forwarding: Option<JoinHandle<()>>,
}

impl Proxy {
    /// Creates a proxy in front of the server at an address such as `http://127.0.0.1:9200`.
    pub(crate) fn before(url: &str) -> Self {
        let to = url.trim_start_matches("http://").to_owned();
        Self { address: ([127, 0, 0, 1], free_port()).into(), to, forwarding: None }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Forwards to another server from the next [`Self::connect`] on.
    pub(crate) fn lead_to(&mut self, url: &str) {
        self.to = url.trim_start_matches("http://").to_owned();
    }

    /// Forwards connections from now on.
    pub(crate) async fn connect(&mut self) {
        let listener = TcpListener::bind(self.address).await.expect("nobody else took the port");
        self.forwarding = Some(tokio::spawn(forward(listener, self.to.clone())));
    }

    /// Refuses connections from now on and closes the existing ones.
    pub(crate) async fn cut(&mut self) {
        if let Some(forwarding) = self.forwarding.take() {
            forwarding.abort();
            // It ends with the error of the abort.
            let _ = forwarding.await;
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(forwarding) = &self.forwarding {
            forwarding.abort();
        }
    }
}

async fn forward(listener: TcpListener, to: String) {
    // Connections end with the proxy.
    let mut connections = JoinSet::new();
    while let Ok((mut from, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let to = to.clone();
        connections.spawn(async move {
            let mut to = TcpStream::connect(to).await.expect("the server is there");
            // Either side may disconnect at any time.
            let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
        });
    }
}
