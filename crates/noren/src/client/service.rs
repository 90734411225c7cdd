//! The client of a running service.

use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Url};

use super::api::{Api, LineHandler};
use super::lines::ResponseLines;
use super::response::{MAX_RESPONSE_BYTES, Response};
use crate::failure::{Context as _, Failure};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the next bytes of a response.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// A running service.
#[derive(Debug, Clone)]
pub struct Service {
    client: Client,
    base: Url,
}

impl Service {
    /// Creates the client of the service at an address such as `http://127.0.0.1:8080`, with the API key for it, if it asks for
    /// one. Nothing is sent yet.
    ///
    /// # Errors
    /// If the text is not the address of a service, or the key has characters that no key has.
    pub fn with_key(url: &str, key: Option<&str>) -> Result<Self, Failure> {
        let base = base_url(url)?;
        // Fails only if another part of the process has installed a provider, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder: ClientBuilder = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            // A redirect would send the key to another address.
            .redirect(reqwest::redirect::Policy::none())
            // Compression costs more time than it saves on the way to a service nearby.
            .no_gzip()
            .default_headers(headers_of(key)?)
            .user_agent(concat!("noren/", env!("CARGO_PKG_VERSION")));
        if is_local(&base) {
            // A proxy would look for the service on its own machine.
            builder = builder.no_proxy();
        }
        Ok(Self { client: builder.build().context(|| "preparing HTTP".to_owned())?, base })
    }

    /// Returns true if both are at one address.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.base == other.base
    }

    /// Returns the address, without a user and a password.
    pub fn url_text(&self) -> String {
        let mut shown = self.base.clone();
        // Fails only for an address without a host; every base has one.
        let _ = shown.set_username("").and_then(|()| shown.set_password(None));
        shown.as_str().trim_end_matches('/').to_owned()
    }

    /// Checks that the address may be stored, and that nothing of it would be lost.
    ///
    /// # Errors
    /// If it has a user, a password, a query or a fragment.
    pub fn check_storable(&self) -> Result<(), Failure> {
        if !self.base.username().is_empty() || self.base.password().is_some() {
            return Err(Failure::usage(
                "the address has a user or a password; leave them out: a key is all that a service asks for",
            ));
        }
        if self.base.query().is_some() || self.base.fragment().is_some() {
            let shown = self.url_text();
            return Err(Failure::usage(format!(
                "`{shown}` has a query or a fragment; an address ends with its path"
            )));
        }
        Ok(())
    }

    /// Sends a GET and returns the response without its body, whatever its status.
    pub(super) async fn get_head(&self, path: &str) -> Result<reqwest::Response, Failure> {
        Ok(self.client.get(self.url(path)).send().await.map_err(|error| self.error(error))?)
    }

    /// Returns true if requests to the service can be read on the way: without TLS, and not on this machine.
    pub fn is_readable_on_the_way(&self) -> bool {
        self.base.scheme() == "http" && !is_local(&self.base)
    }

    /// Returns host and port, for a connection without TLS.
    ///
    /// # Errors
    /// If the address needs TLS.
    pub fn host_and_port(&self) -> Result<String, Failure> {
        match (self.base.scheme(), self.base.host_str(), self.base.port_or_known_default()) {
            ("http", Some(host), Some(port)) => Ok(format!("{host}:{port}")),
            _ => Err(Failure::usage(format!(
                "`{}` is not an http:// address; `noren bench` needs one, unless it has --seconds",
                self.url_text()
            ))),
        }
    }

    /// Returns the HTTP client, which sends the key, and the address, whose path ends in a slash.
    pub fn client_and_base(&self) -> (Client, Url) {
        (self.client.clone(), self.base.clone())
    }

    /// Sends a POST and returns the response, whatever its status.
    ///
    /// # Errors
    /// If there is no response.
    pub async fn post_as(
        &self,
        path: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<Response, RequestError> {
        let request = self.client.post(self.url(path)).header("content-type", content_type).body(body);
        self.send(request).await
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(&format!("{}{}", self.base.path(), path.trim_start_matches('/')));
        url.set_query(query);
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, RequestError> {
        let mut response = request.send().await.map_err(|error| self.error(error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.error(error))? {
            if body.len() + chunk.len() > MAX_RESPONSE_BYTES {
                let failure = Failure::new("the response is larger than any response of noren");
                return Err(RequestError { failure, is_connect: false });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Response { status, body: body.into() })
    }

    fn error(&self, error: reqwest::Error) -> RequestError {
        let base = self.url_text();
        if error.is_connect() {
            let failure = Failure::new(format!(
                "no service answers at {base}; start it with `noren serve`, name another with --url, \
                 or work on a folder with --data-dir"
            ));
            return RequestError { failure, is_connect: true };
        }
        let failure = Failure::new(format!("the service at {base} broke off")).because(error.without_url());
        RequestError { failure, is_connect: false }
    }
}

/// A request without a response.
#[derive(Debug)]
pub struct RequestError {
    /// The failure to report.
    pub failure: Failure,
    /// True if no connection was made.
    pub is_connect: bool,
}

impl From<RequestError> for Failure {
    fn from(error: RequestError) -> Self {
        error.failure
    }
}

/// Returns the headers of every request.
fn headers_of(key: Option<&str>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::new();
    if let Some(key) = key {
        let fault = || {
            Failure::usage(
                "the API key has characters that no key has; write it as `noren keys create` printed it",
            )
        };
        let mut value = HeaderValue::from_str(key).map_err(|_| fault())?;
        value.set_sensitive(true);
        headers.insert("x-api-key", value);
    }
    Ok(headers)
}

/// Parses an address, which may lack its scheme. The path of the result ends in a slash.
fn base_url(url: &str) -> Result<Url, Failure> {
    let text = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
    let mut base = Url::parse(&text).map_err(|error| {
        let shown = without_user(url);
        Failure::usage(format!("`{shown}` is not an address; write one such as http://127.0.0.1:8080"))
            .because(error)
    })?;
    if !matches!(base.scheme(), "http" | "https") {
        let shown = without_user(url);
        return Err(Failure::usage(format!("`{shown}` is neither an http:// nor an https:// address")));
    }
    if !base.path().ends_with('/') {
        base.set_path(&format!("{}/", base.path()));
    }
    Ok(base)
}

/// Returns the text of an address without a user and a password, for an error.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    match rest.rsplit_once('@') {
        Some((_, host)) if scheme.is_empty() => host.to_owned(),
        Some((_, host)) => format!("{scheme}://{host}"),
        None => url.to_owned(),
    }
}

fn is_local(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[async_trait]
impl Api for Service {
    async fn get(&self, path: &str, parameters: &[(String, String)]) -> Result<Response, Failure> {
        Ok(self.send(self.client.get(self.url(path)).query(parameters)).await?)
    }

    async fn post(&self, path: &str, body: Bytes) -> Result<Response, Failure> {
        Ok(self.post_as(path, "application/json", body).await?)
    }

    async fn post_lines(&self, path: &str, lines: Bytes) -> Result<Response, Failure> {
        Ok(self.post_as(path, "application/x-ndjson", lines).await?)
    }

    async fn delete(&self, path: &str) -> Result<Response, Failure> {
        Ok(self.send(self.client.delete(self.url(path))).await?)
    }

    async fn stream(
        &self,
        method: Method,
        path: &str,
        parameters: &[(String, String)],
        handler: LineHandler<'_>,
    ) -> Result<(), Failure> {
        let failed = |error| self.error(error).failure;
        let request = self.client.request(method, self.url(path)).query(parameters);
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status();
        if !status.is_success() {
            let body = response.bytes().await.map_err(failed)?;
            return Response { status, body }.success().map(drop);
        }
        let mut lines = ResponseLines::new(handler);
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            lines.push(&chunk)?;
        }
        lines.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_service_that_does_not_answer_is_one_clear_line() {
        // Only root can listen on port 1, and no common service does.
        let service = Service::with_key("127.0.0.1:1", None).unwrap();
        let line = service.get("/products", &[]).await.unwrap_err().to_string();
        assert!(line.contains("start it with `noren serve`") && line.contains("--data-dir"), "{line}");
        assert!(!line.contains('\n'));
    }

    #[test]
    fn an_address_needs_no_scheme_and_may_have_a_path() {
        let url = |base| Service::with_key(base, None).unwrap().url("/products/bulk").to_string();
        assert_eq!(url("localhost:8080"), "http://localhost:8080/products/bulk");
        assert_eq!(url("http://shop.test/catalogue"), "http://shop.test/catalogue/products/bulk");
        assert!(Service::with_key("ftp://shop.test", None).is_err());
        assert!(Service::with_key("http://", None).is_err());
    }
    #[tokio::test]
    async fn a_password_in_an_address_is_not_shown() {
        let service = Service::with_key("http://u:SECRET@127.0.0.1:1", None).unwrap();
        let line = service.get("/products", &[]).await.unwrap_err().to_string();
        assert!(line.contains("http://127.0.0.1:1;") && !line.contains("SECRET"), "{line}");
        for url in ["ftp://u:SECRET@shop.test", "u:SECRET@:x", "http://u:SECRET@"] {
            let line = Service::with_key(url, None).unwrap_err().to_string();
            assert!(!line.contains("SECRET"), "{line}");
        }
        let tls = Service::with_key("https://u:SECRET@shop.test", None).unwrap();
        assert!(!tls.host_and_port().unwrap_err().to_string().contains("SECRET"));
    }
}
