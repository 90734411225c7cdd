//! A proxy that forwards, answers, delays or cuts each request as its test decides.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::http_client;

/// A request that the proxy received.
pub(crate) struct Passing {
    pub(crate) method: Method,
    /// With the query string.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The fate of a request.
pub(crate) enum Rule {
    /// Forward it.
    Pass,
    /// Forward it after this time.
    Late(Duration),
    /// Answer it with this status and JSON.
    Answer(u16, String),
    /// Cut the connection.
    Cut,
    /// Forward it, and cut the connection instead of returning the response.
    Swallow,
    /// Forward it with this body, and change the body of the response.
    Change(Bytes, AnswerChange),
}

/// Changes the body of a response.
pub(crate) type AnswerChange = Box<dyn FnOnce(&[u8]) -> Bytes + Send>;

type Rules = Arc<dyn Fn(&Passing) -> Rule + Send + Sync>;

/// A proxy in front of a server on this machine. It runs until it is dropped.
pub(crate) struct FaultProxy {
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl FaultProxy {
    /// Starts a proxy in front of the server at an address such as `http://127.0.0.1:9200`. `rules` decides about each
    /// request.
    pub(crate) async fn before(url: &str, rules: impl Fn(&Passing) -> Rule + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let way = Arc::new(Way { to: url.to_owned(), client: http_client(), rules: Arc::new(rules) });
        Self { url: format!("http://{address}"), serving: tokio::spawn(serve(listener, way)) }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, way: Arc<Way>) {
    // Connections end with the proxy.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let way = Arc::clone(&way);
        connections.spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(|request| way.handle(request));
            // A cut connection ends with the error that cut it.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// The destination of requests and the rules.
struct Way {
    to: String,
    client: reqwest::Client,
    rules: Rules,
}

/// Ends a connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut")]
struct Cut;

impl From<Infallible> for Cut {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Way {
    async fn handle(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let passing = Passing { method: parts.method, path, headers: parts.headers, body };
        match (self.rules)(&passing) {
            Rule::Pass => self.pass(passing).await,
            Rule::Late(duration) => {
                tokio::time::sleep(duration).await;
                self.pass(passing).await
            }
            Rule::Answer(status, json) => {
                let mut response = Response::new(Full::new(Bytes::from(json)));
                *response.status_mut() = StatusCode::from_u16(status).expect("it is a status");
                let json = "application/json".parse().expect("it is a header");
                response.headers_mut().insert(CONTENT_TYPE, json);
                Ok(response)
            }
            Rule::Cut => Err(Cut),
            Rule::Swallow => {
                self.pass(passing).await?;
                Err(Cut)
            }
            Rule::Change(body, answer) => {
                let response = self.pass(Passing { body, ..passing }).await?;
                let (parts, body) = response.into_parts();
                let body = body.collect().await?.to_bytes();
                Ok(Response::from_parts(parts, Full::new(answer(&body))))
            }
        }
    }

    async fn pass(&self, passing: Passing) -> Result<Response<Full<Bytes>>, Cut> {
        let Passing { method, path, mut headers, body } = passing;
        // These headers describe this connection and this length, and responses must be readable here.
        for name in [HOST, CONTENT_LENGTH, TRANSFER_ENCODING, ACCEPT_ENCODING] {
            headers.remove(name);
        }
        let request = self.client.request(method, format!("{}{path}", self.to)).headers(headers).body(body);
        let answer = request.send().await.map_err(|_| Cut)?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        let mut response = Response::new(Full::new(answer.bytes().await.map_err(|_| Cut)?));
        (*response.status_mut(), *response.headers_mut()) = (status, headers);
        Ok(response)
    }
}
