//! Responses of a service over HTTP.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::PATIENCE;

/// A response over HTTP.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.timeout(PATIENCE).send().await.expect("the service answers");
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.expect("the answer is text") }
    }

    /// Returns the body, which must be JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON: {error}: {self:?}"))
    }

    /// Returns the response, which must have this status.
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// Returns the body, which must be a problem document of this status.
    pub(crate) fn problem(self, status: u16) -> Value {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], "about:blank");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Returns the ids of the products of a search or a list, in order.
    pub(crate) fn ids(&self) -> Vec<String> {
        let products = self.json()["products"].as_array().expect("there is a list of products").clone();
        products
            .iter()
            .map(|product| product["id"].as_str().expect("a product has an id").to_owned())
            .collect()
    }

    /// Returns the fields of all faults, in order.
    pub(crate) fn faulty_fields(problem: &Value) -> Vec<&str> {
        let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
        errors.iter().map(|fault| fault["field"].as_str().expect("a fault has a field")).collect()
    }
}
