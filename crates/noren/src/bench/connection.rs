//! Whom a bench asks, and how: over HTTP, through the services' router in this process, or the index itself.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{HeaderMap, Method, Request, Uri};
use domain::ports::SearchIndex;
use domain::search::SearchRequest;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use reqwest::Url;
use tokio::net::TcpStream;

use super::queries::{Facets, Query};
use crate::failure::{Context as _, Failure};

/// The longest that an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request of HTTP.
#[derive(Debug, Clone)]
pub struct Ask {
    method: Method,
    target: Uri,
    /// Content type and body.
    content: Option<(&'static str, Bytes)>,
}

impl Ask {
    /// The search that `GET /products/search` makes for a query.
    ///
    /// # Errors
    /// When it makes no address.
    pub fn search(query: &Query, facets: Facets) -> Result<Self, Failure> {
        let mut address =
            Url::parse("http://any/products/search").context(|| "writing an address".to_owned())?;
        address.query_pairs_mut().extend_pairs(query.parameters(facets));
        let target = format!("{}?{}", address.path(), address.query().unwrap_or_default());
        Self::new(Method::GET, &target, None)
    }

    /// What is at a path, with its parameters.
    ///
    /// # Errors
    /// When `target` is none.
    pub fn get(target: &str) -> Result<Self, Failure> {
        Self::new(Method::GET, target, None)
    }

    /// A JSON body that is posted as it stands.
    ///
    /// # Errors
    /// When `path` is none.
    pub fn post(path: &str, body: &str) -> Result<Self, Failure> {
        Self::new(Method::POST, path, Some(("application/json", Bytes::copy_from_slice(body.as_bytes()))))
    }

    /// A merge patch of a product.
    ///
    /// # Errors
    /// When the id makes no address.
    pub fn patch(id: &str, body: String) -> Result<Self, Failure> {
        let mut address = Url::parse("http://any/").context(|| "writing an address".to_owned())?;
        address.set_path(&format!("/products/{id}"));
        Self::new(Method::PATCH, address.path(), Some(("application/merge-patch+json", body.into())))
    }

    fn new(method: Method, target: &str, content: Option<(&'static str, Bytes)>) -> Result<Self, Failure> {
        let target = target.parse().context(|| format!("reading the path {target}"))?;
        Ok(Self { method, target, content })
    }

    fn request<B: From<Bytes>>(&self, host: &str) -> Result<Request<B>, Failure> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.target.clone());
        request = request.header(HOST, host);
        let mut body = Bytes::new();
        if let Some((kind, content)) = &self.content {
            request = request.header(CONTENT_TYPE, *kind);
            body = content.clone();
        }
        request.body(body.into()).context(|| "making a request".to_owned())
    }
}

/// Whom searches go to, with what they are.
#[derive(Clone)]
pub enum Target {
    /// A service behind a host and port.
    Http(String, Arc<[Ask]>),
    /// A router in this process.
    Router(Router, Arc<[Ask]>),
    /// An index in this process: its answers are values, and nothing is written of them.
    Index(Arc<dyn SearchIndex>, Arc<[SearchRequest]>),
}

impl Target {
    /// How many different searches there are.
    pub fn searches(&self) -> usize {
        match self {
            Self::Http(_, asks) | Self::Router(_, asks) => asks.len(),
            Self::Index(_, requests) => requests.len(),
        }
    }

    /// Opens a connection, where one is needed.
    ///
    /// # Errors
    /// When nobody answers.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        Ok(match self {
            Self::Http(host, asks) => Connection::Http(Client::connect(host).await?, Arc::clone(asks)),
            Self::Router(router, asks) => Connection::Router(router.clone(), Arc::clone(asks)),
            Self::Index(index, requests) => Connection::Index(Arc::clone(index), Arc::clone(requests)),
        })
    }
}

/// A connection that makes one search after the other.
pub enum Connection {
    /// Kept alive.
    Http(Client, Arc<[Ask]>),
    /// A call.
    Router(Router, Arc<[Ask]>),
    /// A call.
    Index(Arc<dyn SearchIndex>, Arc<[SearchRequest]>),
}

impl Connection {
    /// Makes the search whose turn it is, and waits for all of the answer.
    ///
    /// # Errors
    /// When the answer is no success.
    pub async fn search(&mut self, turn: usize) -> Result<(), Failure> {
        match self {
            Self::Http(client, asks) => client.send(&asks[turn % asks.len()]).await,
            Self::Router(router, asks) => call(router, &asks[turn % asks.len()]).await,
            Self::Index(index, requests) => {
                let answer = index.search(&requests[turn % requests.len()]).await;
                answer.map(drop).context(|| "searching the index".to_owned())
            }
        }
    }
}

async fn call(router: &Router, ask: &Ask) -> Result<(), Failure> {
    let request: Request<Body> = ask.request("in.process")?;
    let response = match tower::ServiceExt::oneshot(router.clone(), request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let body = response.into_body().collect().await.context(|| "reading an answer".to_owned())?;
    success(status, &body.to_bytes(), ask)
}

fn success(status: axum::http::StatusCode, body: &[u8], ask: &Ask) -> Result<(), Failure> {
    if status.is_success() {
        return Ok(());
    }
    let start: String = String::from_utf8_lossy(body).chars().take(300).collect();
    Err(Failure::new(format!(
        "{} {} was answered with {status}: {}",
        ask.method,
        ask.target,
        start.escape_debug()
    )))
}

/// A client of HTTP/1.1 with one connection, which takes as little as possible of the processor that it measures.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Client {
    /// Connects to a host and port.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(host: &str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(host).await.context(|| format!("connecting to {host}"))?;
        stream.set_nodelay(true).context(|| format!("connecting to {host}"))?;
        let connected = handshake(TokioIo::new(stream)).await;
        let (sender, connection) = connected.context(|| format!("connecting to {host}"))?;
        // It ends with the client; what goes wrong, the request under way tells.
        tokio::spawn(connection);
        Ok(Self { sender, host: host.to_owned() })
    }

    /// Sends a request and waits for all of the answer.
    ///
    /// # Errors
    /// When the answer is no success, or does not come.
    pub async fn send(&mut self, ask: &Ask) -> Result<(), Failure> {
        self.send_for_headers(ask).await.map(drop)
    }

    /// The same, and gives the headers of the answer.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn send_for_headers(&mut self, ask: &Ask) -> Result<HeaderMap, Failure> {
        let request = ask.request(&self.host)?;
        let exchange = async {
            self.sender.ready().await?;
            let response = self.sender.send_request(request).await?;
            let (head, body) = response.into_parts();
            Ok((head, body.collect().await?.to_bytes()))
        };
        let broken = || format!("{} broke off", self.host);
        let answer: Result<_, hyper::Error> =
            tokio::time::timeout(PATIENCE, exchange).await.context(|| "waiting for an answer".to_owned())?;
        let (head, body) = answer.context(broken)?;
        success(head.status, &body, ask)?;
        Ok(head.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;

    fn query(words: &str) -> Query {
        Query { words: words.into(), price: None, brand: None }
    }

    /// Finds tea, and nothing else.
    fn router() -> Router {
        let search = async |uri: Uri| match uri.query() {
            Some("query=green+tea&facets=brand%2Ccategory") => Ok("tea"),
            _ => Err(axum::http::StatusCode::NOT_FOUND),
        };
        Router::new().route("/products/search", get(search))
    }

    #[tokio::test]
    async fn the_same_search_goes_over_http_and_through_the_router() {
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        tokio::spawn(runtime::server::serve(listener, router(), std::future::pending()));
        let asks: Arc<[Ask]> =
            ["green tea", "ink"].map(|words| Ask::search(&query(words), Facets::Two).unwrap()).into();
        for target in [Target::Http(host, Arc::clone(&asks)), Target::Router(router(), asks)] {
            assert_eq!(target.searches(), 2);
            let mut connection = target.connect().await.unwrap();
            connection.search(0).await.unwrap();
            let error = connection.search(1).await.unwrap_err().to_string();
            assert!(error.contains("query=ink") && error.contains("404"), "{error}");
            connection.search(2).await.unwrap();
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_the_address_is_told() {
        let listener = runtime::server::listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        drop(listener);
        let error = Client::connect(&host).await.err().unwrap().to_string();
        assert!(error.contains(&host), "{error}");
    }

    #[test]
    fn an_id_is_written_into_an_address() {
        let ask = Ask::patch("a b", r#"{"stock":1}"#.to_owned()).unwrap();
        assert_eq!((ask.method, ask.target.path()), (Method::PATCH, "/products/a%20b"));
    }
}
