//! How the commands reach a catalogue: a running service over HTTP, or the services' own routers in this process.
//! Both give the same answers, so that a command shows the same for either.

use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::response::Response;
use domain::Fault;
use futures::StreamExt as _;
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;

use crate::failure::{Context as _, Failure};

/// The longest answer that is read whole: more than a page of the largest products.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;
const JSON: &str = "application/json";

/// Takes the lines of an answer, one after the other.
pub type EachLine<'a> = &'a mut (dyn for<'l> FnMut(&'l [u8]) -> Result<(), Failure> + Send);

/// Does what takes long and is told of meanwhile.
#[async_trait]
pub trait Events: Send + Sync {
    /// Asks for something whose answer is a line of JSON for each event, and hands each line to `each` as it comes.
    ///
    /// # Errors
    /// When it cannot be reached, breaks off, or answers with a problem; and what `each` answers with.
    async fn events(
        &self,
        method: Method,
        path: &str,
        parameters: &[(String, String)],
        each: EachLine<'_>,
    ) -> Result<(), Failure>;
}

/// Answers requests.
#[async_trait]
pub trait Api: Send + Sync {
    /// The answer to JSON that is posted to `path`, whatever its status.
    ///
    /// # Errors
    /// When it cannot be reached.
    async fn tell(&self, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), Failure>;

    /// The answer of `path` with these parameters, whatever its status.
    ///
    /// # Errors
    /// When it cannot be reached.
    async fn ask(&self, path: &str, parameters: &[(String, String)]) -> Result<(StatusCode, Bytes), Failure>;

    /// What is at `path` with these parameters.
    ///
    /// # Errors
    /// When it cannot be reached, or answers with a problem: then the message is the problem's.
    async fn get(&self, path: &str, parameters: &[(String, String)]) -> Result<Bytes, Failure> {
        let (status, body) = self.ask(path, parameters).await?;
        success(status, body)
    }
}

/// A running service.
#[derive(Debug, Clone)]
pub struct Service {
    client: reqwest::Client,
    base: Url,
}

impl Service {
    /// The service at an address such as `http://127.0.0.1:8080`. Nothing is sent yet.
    ///
    /// # Errors
    /// When the text is no address of a service.
    pub fn at(url: &str) -> Result<Self, Failure> {
        let text = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let mut base = Url::parse(&text).map_err(|error| {
            Failure::usage(format!("`{url}` is no address; write one such as http://127.0.0.1:8080"))
                .because(error)
        })?;
        if !matches!(base.scheme(), "http" | "https") {
            let message = format!("`{url}` is neither an http:// nor an https:// address");
            return Err(Failure::usage(message));
        }
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        // Another part of the process may have chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(60))
            // Packing costs more than it saves on the way to a service nearby.
            .no_gzip()
            .user_agent(concat!("noren/", env!("CARGO_PKG_VERSION")));
        let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let is_loopback = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if host == "localhost" || is_loopback {
            // A proxy would look for the service on its own machine.
            builder = builder.no_proxy();
        }
        let client = builder.build().context(|| "preparing HTTP".to_owned())?;
        Ok(Self { client, base })
    }

    /// Where it listens, for a connection without TLS.
    ///
    /// # Errors
    /// When it wants TLS.
    pub fn host_and_port(&self) -> Result<String, Failure> {
        match (self.base.scheme(), self.base.host_str(), self.base.port_or_known_default()) {
            ("http", Some(host), Some(port)) => Ok(format!("{host}:{port}")),
            _ => Err(Failure::usage(format!("`{}` is no http:// address", self.base))),
        }
    }

    /// Sends a POST and gives the answer, whatever its status.
    ///
    /// # Errors
    /// When the service cannot be reached or breaks off.
    pub async fn post(
        &self,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), RequestError> {
        let request = self.client.post(self.address(path)).header("content-type", content_type).body(body);
        self.answer(request).await
    }

    fn address(&self, path: &str) -> Url {
        let mut address = self.base.clone();
        address.set_path(&format!("{}{}", self.base.path(), path.trim_start_matches('/')));
        address
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<(StatusCode, Bytes), RequestError> {
        let mut response = request.send().await.map_err(|error| self.error(error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.error(error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(RequestError::new(
                    "the answer is larger than any answer of noren".to_owned(),
                    false,
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body.into()))
    }

    fn error(&self, error: reqwest::Error) -> RequestError {
        let base = self.base.as_str().trim_end_matches('/');
        if error.is_connect() {
            let message = format!(
                "no service answers at {base}; start it with `noren serve`, name another with --url, \
                 or work on a folder with --data-dir"
            );
            return RequestError::new(message, true);
        }
        let failure = Failure::new(format!("the service at {base} broke off")).because(error.without_url());
        RequestError { failure, is_connect: false }
    }
}

/// A request that got no answer.
#[derive(Debug)]
pub struct RequestError {
    /// What to tell a person.
    pub failure: Failure,
    /// Whether there was no connection at all.
    pub is_connect: bool,
}

impl RequestError {
    fn new(message: String, is_connect: bool) -> Self {
        Self { failure: Failure::new(message), is_connect }
    }
}

#[async_trait]
impl Api for Service {
    async fn tell(&self, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), Failure> {
        self.post(path, JSON, body).await.map_err(|error| error.failure)
    }

    async fn ask(&self, path: &str, parameters: &[(String, String)]) -> Result<(StatusCode, Bytes), Failure> {
        let request = self.client.get(self.address(path)).query(parameters);
        self.answer(request).await.map_err(|error| error.failure)
    }
}

#[async_trait]
impl Events for Service {
    async fn events(
        &self,
        method: Method,
        path: &str,
        parameters: &[(String, String)],
        each: EachLine<'_>,
    ) -> Result<(), Failure> {
        let failed = |error| self.error(error).failure;
        let request = self.client.request(method, self.address(path)).query(parameters);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        if !status.is_success() {
            return success(status, response.bytes().await.map_err(failed)?).map(drop);
        }
        let mut lines = EventLines::default();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            lines.take(&chunk, each)?;
        }
        lines.end(each)
    }
}

/// Cuts what comes of an answer into lines.
#[derive(Default)]
struct EventLines(Vec<u8>);

impl EventLines {
    fn take(&mut self, chunk: &[u8], each: EachLine<'_>) -> Result<(), Failure> {
        self.0.extend_from_slice(chunk);
        while let Some(end) = self.0.iter().position(|byte| *byte == b'\n') {
            let rest = self.0.split_off(end + 1);
            let line = std::mem::replace(&mut self.0, rest);
            if !line.trim_ascii().is_empty() {
                each(line.trim_ascii())?;
            }
        }
        match self.0.len() > MAX_ANSWER_BYTES {
            true => Err(Failure::new("a line of the answer is larger than any of noren")),
            false => Ok(()),
        }
    }

    fn end(mut self, each: EachLine<'_>) -> Result<(), Failure> {
        self.take(b"\n", each)
    }
}

/// The routers of the services, called in this process.
#[derive(Debug, Clone)]
pub struct InProcess(pub axum::Router);

impl InProcess {
    async fn send(&self, request: Request<Body>) -> Response {
        match tower::ServiceExt::oneshot(self.0.clone(), request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn answer(&self, request: Request<Body>) -> Result<(StatusCode, Bytes), Failure> {
        let path = request.uri().path().to_owned();
        let response = self.send(request).await;
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), MAX_ANSWER_BYTES)
            .await
            .context(|| format!("reading the answer of {path}"))?;
        Ok((status, body))
    }

    /// A request without a body.
    fn request(
        method: Method,
        path: &str,
        parameters: &[(String, String)],
    ) -> Result<Request<Body>, Failure> {
        let mut address = Url::parse("http://in.process/").context(|| "asking in this process".to_owned())?;
        address.set_path(path);
        if !parameters.is_empty() {
            address.query_pairs_mut().extend_pairs(parameters);
        }
        let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
        let request = Request::builder().method(method).uri(format!("{}{query}", address.path()));
        request.body(Body::empty()).context(|| format!("asking for {path} in this process"))
    }
}

#[async_trait]
impl Api for InProcess {
    async fn tell(&self, path: &str, body: Bytes) -> Result<(StatusCode, Bytes), Failure> {
        let request = Request::post(path).header("content-type", JSON).body(Body::from(body));
        self.answer(request.context(|| format!("asking for {path} in this process"))?).await
    }

    async fn ask(&self, path: &str, parameters: &[(String, String)]) -> Result<(StatusCode, Bytes), Failure> {
        self.answer(Self::request(Method::GET, path, parameters)?).await
    }
}

#[async_trait]
impl Events for InProcess {
    async fn events(
        &self,
        method: Method,
        path: &str,
        parameters: &[(String, String)],
        each: EachLine<'_>,
    ) -> Result<(), Failure> {
        let reading = || format!("reading the answer of {path}");
        let response = self.send(Self::request(method, path, parameters)?).await;
        let status = response.status();
        if !status.is_success() {
            let problem = axum::body::to_bytes(response.into_body(), MAX_ANSWER_BYTES).await;
            return success(status, problem.context(reading)?).map(drop);
        }
        let (mut body, mut lines) = (response.into_body().into_data_stream(), EventLines::default());
        while let Some(chunk) = body.next().await {
            lines.take(&chunk.context(reading)?, each)?;
        }
        lines.end(each)
    }
}

/// What a service says of an error, RFC 9457.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// What happened.
    pub detail: String,
    /// Every fault of the request.
    pub errors: Vec<Fault>,
}

impl Problem {
    /// The faults, or what happened as the only one.
    pub fn into_faults(self, status: u16) -> Vec<Fault> {
        if !self.errors.is_empty() {
            return self.errors;
        }
        let detail =
            if self.detail.is_empty() { format!("was refused with status {status}") } else { self.detail };
        vec![Fault::new("", domain::FaultKind::Malformed, detail)]
    }
}

/// The body of a successful answer, or the problem it tells of.
pub fn success(status: StatusCode, body: Bytes) -> Result<Bytes, Failure> {
    if status.is_success() {
        return Ok(body);
    }
    let problem: Problem = serde_json::from_slice(&body).unwrap_or_default();
    let faults = problem.into_faults(status.as_u16());
    let faults: Vec<String> = faults.iter().map(Fault::to_string).collect();
    Err(Failure::new(faults.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::RawQuery;
    use axum::routing::get;

    #[tokio::test]
    async fn parameters_arrive_as_they_were_given() {
        let echo = get(|RawQuery(query): RawQuery| async move { query.unwrap_or_default() });
        let api = InProcess(axum::Router::new().route("/products/search", echo));
        let parameters = [("attributes.a&b".to_owned(), "x=ü + y".to_owned())];
        let body = api.get("/products/search", &parameters).await.unwrap();
        let read: Vec<(String, String)> =
            Url::parse(&format!("http://x/?{}", std::str::from_utf8(&body).unwrap()))
                .unwrap()
                .query_pairs()
                .into_owned()
                .collect();
        assert_eq!(read, parameters);
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_one_clear_line() {
        // Nobody can listen on port 1 without being root, and no common service does.
        let service = Service::at("127.0.0.1:1").unwrap();
        let line = service.get("/products", &[]).await.unwrap_err().to_string();
        assert!(line.contains("start it with `noren serve`") && line.contains("--data-dir"), "{line}");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_problem_is_told_with_all_its_faults() {
        let body = r#"{"title":"x","detail":"the request has faults","errors":[
            {"field":"page","message":"must be a number","type":"malformed"},
            {"field":"sort","message":"is unknown","type":"unknown"}]}"#;
        let failure = success(StatusCode::UNPROCESSABLE_ENTITY, body.into()).unwrap_err();
        assert_eq!(failure.to_string(), "page: must be a number; sort: is unknown");
        let failure = success(StatusCode::BAD_GATEWAY, "<html>".into()).unwrap_err();
        assert_eq!(failure.to_string(), "was refused with status 502");
    }

    #[test]
    fn an_address_needs_no_scheme_and_may_have_a_path() {
        let address = |base| Service::at(base).unwrap().address("/products/bulk").to_string();
        assert_eq!(address("localhost:8080"), "http://localhost:8080/products/bulk");
        assert_eq!(address("http://shop.test/catalogue"), "http://shop.test/catalogue/products/bulk");
        assert!(Service::at("ftp://shop.test").is_err());
        assert!(Service::at("http://").is_err());
    }
}
