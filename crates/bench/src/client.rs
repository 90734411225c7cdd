//! Clients that send prepared requests: over HTTP, or to a router in this process.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::error::BenchError;
use crate::remote::RemoteService;
use crate::request::BenchRequest;

/// Time limit of a response.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// Length of the beginning of a body that an error shows, in characters.
const SHOWN_CHARS: usize = 300;

/// An address that requests are sent to.
#[derive(Clone)]
pub enum Endpoint {
    /// The host and port of a service, for measurements with little work in the client.
    Http(String),
    /// A service at any address.
    Remote(RemoteService),
    /// A router in this process.
    Router(Router),
}

impl Endpoint {
    /// Opens a connection. A router needs none, and a service at any address gets one with the first request.
    ///
    /// # Errors
    /// If there is no server.
    pub(crate) async fn connect(&self) -> Result<Connection, BenchError> {
        Ok(match self {
            Self::Http(host) => Connection::Http(Client::connect(host).await?),
            Self::Remote(service) => Connection::Remote(service.clone()),
            Self::Router(router) => Connection::Router(router.clone()),
        })
    }
}

/// A connection that sends one request after the other.
pub(crate) enum Connection {
    Http(Client),
    Remote(RemoteService),
    Router(Router),
}

impl Connection {
    /// Sends a request and waits for the complete response.
    ///
    /// # Errors
    /// If the response is not a success or does not arrive.
    pub(crate) async fn send(&mut self, request: &BenchRequest) -> Result<Bytes, BenchError> {
        let response = match self {
            Self::Http(client) => client.send(request).await?,
            Self::Remote(service) => success(request, service.send(request).await?)?,
            Self::Router(router) => call(router, request).await?,
        };
        Ok(response.into_body())
    }
}

async fn call(router: &Router, request: &BenchRequest) -> Result<Response<Bytes>, BenchError> {
    // A host name that every service accepts, even one that accepts only known names.
    let host = "localhost";
    let http: Request<Body> = request.to_http(host)?;
    let response = match tower::ServiceExt::oneshot(router.clone(), http).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(|error| disconnected(host, error))?.to_bytes();
    success(request, Response::from_parts(head, body))
}

fn success(request: &BenchRequest, response: Response<Bytes>) -> Result<Response<Bytes>, BenchError> {
    let status: StatusCode = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let beginning: String = String::from_utf8_lossy(response.body()).chars().take(SHOWN_CHARS).collect();
    let (method, target) = (request.method.clone(), request.target.clone());
    Err(BenchError::Status { method, target, status, body: beginning.escape_debug().to_string() })
}

fn disconnected(host: &str, source: impl std::error::Error + Send + Sync + 'static) -> BenchError {
    BenchError::Disconnected { host: host.to_owned(), source: Box::new(source) }
}

/// An HTTP/1.1 client with one connection. It uses little processor time, because it shares the processors with the
/// service that it measures.
pub(crate) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Client {
    /// Connects to a host and port.
    ///
    /// # Errors
    /// If there is no server.
    pub(crate) async fn connect(host: &str) -> Result<Self, BenchError> {
        let failed = |source| BenchError::Connect { host: host.to_owned(), source };
        let stream = TcpStream::connect(host).await.map_err(|error| failed(error.into()))?;
        stream.set_nodelay(true).map_err(|error| failed(error.into()))?;
        let (sender, connection) =
            handshake(TokioIo::new(stream)).await.map_err(|error| failed(error.into()))?;
        // The task ends with the client. Its errors also reach the request that is being sent.
        tokio::spawn(connection);
        Ok(Self { sender, host: host.to_owned() })
    }

    /// Sends a request and waits for the complete response.
    ///
    /// # Errors
    /// If the response is not a success or does not arrive.
    pub(crate) async fn send(&mut self, request: &BenchRequest) -> Result<Response<Bytes>, BenchError> {
        let http = request.to_http(&self.host)?;
        let exchange = async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(http).await?.into_parts();
            Ok(Response::from_parts(head, body.collect().await?.to_bytes()))
        };
        let response: Result<_, hyper::Error> =
            tokio::time::timeout(RESPONSE_TIMEOUT, exchange).await.map_err(|_| BenchError::Timeout {
                host: self.host.clone(),
                seconds: RESPONSE_TIMEOUT.as_secs(),
            })?;
        success(request, response.map_err(|error| disconnected(&self.host, error))?)
    }

    /// Sends a request and returns the headers of the response.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub(crate) async fn send_for_headers(&mut self, request: &BenchRequest) -> Result<HeaderMap, BenchError> {
        Ok(self.send(request).await?.into_parts().0.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_error_names_the_address_without_a_server() {
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = Client::connect(&host).await.err().unwrap().to_string();
        assert!(error.contains(&host), "{error}");
    }
}
