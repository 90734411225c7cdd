//! A proxy that does with each request what its test says: pass it on, answer itself, be slow, or cut the connection.

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

/// A request on its way.
pub(crate) struct Passing {
    pub(crate) method: Method,
    /// With the query string.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What becomes of a request.
pub(crate) enum Rule {
    /// It is passed on.
    Pass,
    /// It is passed on after so long.
    Late(Duration),
    /// It goes no further and is answered with this status and JSON.
    Answer(u16, String),
    /// It goes no further, and the connection is cut.
    Cut,
    /// It is passed on, and the connection is cut instead of an answer.
    Swallow,
    /// It is passed on with this body, and its answer's body is what is made of it.
    Change(Bytes, AnswerChange),
}

/// Makes another body of an answer's body.
pub(crate) type AnswerChange = Box<dyn FnOnce(&[u8]) -> Bytes + Send>;

type Rules = Arc<dyn Fn(&Passing) -> Rule + Send + Sync>;

/// Stands before a server on this machine until it is dropped.
pub(crate) struct FaultProxy {
    pub(crate) url: String,
    serving: JoinHandle<()>,
}

impl FaultProxy {
    /// A proxy before the server at an address such as `http://127.0.0.1:9200`, that asks `rules` about each request.
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
    // Its connections end with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        while connections.try_join_next().is_some() {}
        let way = Arc::clone(&way);
        connections.spawn(async move {
            let _ = stream.set_nodelay(true);
            let service = service_fn(|request| way.handle(request));
            // One that was cut ends with the error that cut it.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Whereto requests go.
struct Way {
    to: String,
    client: reqwest::Client,
    rules: Rules,
}

/// Ends a connection without an answer.
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
        // What is said of this connection and this length is said anew of the next, and answers must be readable here.
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
