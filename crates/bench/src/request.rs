//! Requests of the load generators, prepared before the clock starts.

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::http::{Method, Request, Uri};
use reqwest::Url;

use crate::error::BenchError;
use crate::queries::{Facets, Query};

/// An HTTP request that can be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct BenchRequest {
    pub(crate) method: Method,
    pub(crate) target: Uri,
    /// Content type and body.
    content: Option<(&'static str, Bytes)>,
}

impl BenchRequest {
    /// Creates a search by `GET /products/search`.
    ///
    /// # Errors
    /// If the query does not form a valid URL.
    pub(crate) fn search(query: &Query, facets: Facets) -> Result<Self, BenchError> {
        Self::get("/products/search", &query.parameters(facets))
    }

    /// Creates a GET with parameters.
    ///
    /// # Errors
    /// If path and parameters do not form a valid URL.
    pub(crate) fn get(path: &str, parameters: &[(String, String)]) -> Result<Self, BenchError> {
        let mut url = url(path)?;
        url.query_pairs_mut().extend_pairs(parameters);
        let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
        Self::new(Method::GET, &target, None)
    }

    /// Creates a POST with a JSON body, which is sent unchanged.
    ///
    /// # Errors
    /// If `path` is not a valid path.
    pub(crate) fn post(path: &str, body: &str) -> Result<Self, BenchError> {
        Self::new(Method::POST, path, Some(("application/json", Bytes::copy_from_slice(body.as_bytes()))))
    }

    /// Creates a merge patch of a product.
    ///
    /// # Errors
    /// If the id does not form a valid URL.
    pub(crate) fn patch(id: &str, body: String) -> Result<Self, BenchError> {
        let url = url(&format!("/products/{id}"))?;
        Self::new(Method::PATCH, url.path(), Some(("application/merge-patch+json", body.into())))
    }

    fn new(method: Method, target: &str, content: Option<(&'static str, Bytes)>) -> Result<Self, BenchError> {
        let target = target.parse().map_err(|error| invalid(target, error))?;
        Ok(Self { method, target, content })
    }

    /// Returns the content type and the body, if there is one.
    pub(crate) fn content(&self) -> Option<(&'static str, &Bytes)> {
        self.content.as_ref().map(|(content_type, body)| (*content_type, body))
    }

    /// Returns the request for a client.
    pub(crate) fn to_http<B: From<Bytes>>(&self, host: &str) -> Result<Request<B>, BenchError> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.target.clone());
        request = request.header(HOST, host);
        let mut body = Bytes::new();
        if let Some((content_type, content)) = &self.content {
            request = request.header(CONTENT_TYPE, *content_type);
            body = content.clone();
        }
        request.body(body.into()).map_err(|error| invalid(&self.target.to_string(), error))
    }
}

fn url(path: &str) -> Result<Url, BenchError> {
    let mut url = Url::parse("http://any/").map_err(|error| invalid(path, error))?;
    url.set_path(path);
    Ok(url)
}

fn invalid(target: &str, source: impl std::error::Error + Send + Sync + 'static) -> BenchError {
    BenchError::Request { target: target.to_owned(), source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_into_an_address() {
        let request = BenchRequest::patch("a b", r#"{"stock":1}"#.to_owned()).unwrap();
        assert_eq!((request.method, request.target.path()), (Method::PATCH, "/products/a%20b"));
    }
}
