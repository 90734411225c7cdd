//! The client of a service at any address: over TLS, below a path, with an API key.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::Response;
use axum::http::header::CONTENT_TYPE;
use reqwest::{Client, Url};

use crate::error::BenchError;
use crate::request::BenchRequest;

/// Time limit of a response. API Gateway gives up after the same time.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);

/// A service at an address.
#[derive(Debug, Clone)]
pub struct RemoteService {
    client: Client,
    base: Url,
    name: String,
    timeout: Duration,
}

impl RemoteService {
    /// Creates a service. `client` adds the credentials to requests; the path of `base` ends in a slash; `name` is the address as
    /// errors show it.
    pub fn new(client: Client, base: Url, name: String) -> Self {
        Self { client, base, name, timeout: RESPONSE_TIMEOUT }
    }

    /// Returns the address as errors show it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Creates a service without a key.
    #[cfg(test)]
    pub(crate) fn of_url(url: &str) -> Self {
        // The workspace compiles reqwest without a TLS provider. Another test may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        Self::new(client, url.parse().unwrap(), url.to_owned())
    }

    /// Changes the time limit of a response.
    #[cfg(test)]
    pub(crate) fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends a request and waits for the complete response.
    ///
    /// # Errors
    /// If the response does not arrive in time, or is a success but not JSON, such as the page of a proxy. Any other status is
    /// returned.
    pub(crate) async fn send(&self, request: &BenchRequest) -> Result<Response<Bytes>, BenchError> {
        let (url, client) = (self.url(request), &self.client);
        let mut builder = client.request(request.method.clone(), url).timeout(self.timeout);
        if let Some((content_type, body)) = request.content() {
            builder = builder.header(CONTENT_TYPE, content_type).body(body.clone());
        }
        let response = builder.send().await.map_err(|error| self.error(error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| self.error(error))?;
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if status.is_success() && !content_type.starts_with("application/json") {
            return Err(BenchError::NotJson { host: self.name.clone() });
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn url(&self, request: &BenchRequest) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{}", self.base.path(), request.target.path().trim_start_matches('/')));
        url.set_query(request.target.query());
        url
    }

    fn error(&self, error: reqwest::Error) -> BenchError {
        let host = self.name.clone();
        // A connection that is not made in time is both.
        if error.is_connect() {
            return BenchError::Connect { host, source: error.without_url().into() };
        }
        if error.is_timeout() {
            return BenchError::Timeout { host, seconds: self.timeout.as_secs() };
        }
        BenchError::Disconnected { host, source: error.without_url().into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queries::{Facets, Query};

    #[test]
    fn an_address_may_have_a_path() {
        let request = BenchRequest::search(&Query::of_words("a b"), Facets::None).unwrap();
        for (base, url) in [
            ("https://shop.test/", "https://shop.test/products/search?query=a+b"),
            ("https://shop.test/stage/", "https://shop.test/stage/products/search?query=a+b"),
        ] {
            assert_eq!(RemoteService::of_url(base).url(&request).as_str(), url);
        }
    }
}
