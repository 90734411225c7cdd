//! The client of routers in this process.

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::http::Request;
use futures::StreamExt as _;
use reqwest::{Method, Url};

use super::api::{Api, LineHandler};
use super::lines::ResponseLines;
use super::response::{MAX_RESPONSE_BYTES, Response};
use crate::failure::{Context as _, Failure};

/// The routers of the services, called in this process.
#[derive(Debug, Clone)]
pub struct InProcess(pub axum::Router);

impl InProcess {
    async fn post_as(&self, path: &str, content_type: &str, body: Bytes) -> Result<Response, Failure> {
        let request = Request::post(path).header("content-type", content_type).body(Body::from(body));
        read(path, self.send(request.context(|| building(path))?).await).await
    }

    async fn send(&self, request: Request<Body>) -> axum::response::Response {
        match tower::ServiceExt::oneshot(self.0.clone(), request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}

/// Builds a request without a body.
fn request(method: Method, path: &str, parameters: &[(String, String)]) -> Result<Request<Body>, Failure> {
    let mut url = Url::parse("http://in.process/").context(|| building(path))?;
    url.set_path(path);
    if !parameters.is_empty() {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let request = Request::builder().method(method).uri(format!("{}{query}", url.path()));
    request.body(Body::empty()).context(|| building(path))
}

fn building(path: &str) -> String {
    format!("building the request for {path}")
}

async fn read(path: &str, response: axum::response::Response) -> Result<Response, Failure> {
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), MAX_RESPONSE_BYTES).await;
    Ok(Response { status, body: body.context(|| format!("reading the response of {path}"))? })
}

#[async_trait]
impl Api for InProcess {
    async fn get(&self, path: &str, parameters: &[(String, String)]) -> Result<Response, Failure> {
        read(path, self.send(request(Method::GET, path, parameters)?).await).await
    }

    async fn post(&self, path: &str, body: Bytes) -> Result<Response, Failure> {
        self.post_as(path, "application/json", body).await
    }

    async fn post_lines(&self, path: &str, lines: Bytes) -> Result<Response, Failure> {
        self.post_as(path, "application/x-ndjson", lines).await
    }

    async fn delete(&self, path: &str) -> Result<Response, Failure> {
        read(path, self.send(request(Method::DELETE, path, &[])?).await).await
    }

    async fn stream(
        &self,
        method: Method,
        path: &str,
        parameters: &[(String, String)],
        handler: LineHandler<'_>,
    ) -> Result<(), Failure> {
        let response = self.send(request(method, path, parameters)?).await;
        if !response.status().is_success() {
            return read(path, response).await?.success().map(drop);
        }
        let (mut body, mut lines) = (response.into_body().into_data_stream(), ResponseLines::new(handler));
        while let Some(chunk) = body.next().await {
            lines.push(&chunk.context(|| format!("reading the response of {path}"))?)?;
        }
        lines.finish()
    }
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
        let body = api.get("/products/search", &parameters).await.unwrap().success().unwrap();
        let read: Vec<(String, String)> =
            Url::parse(&format!("http://x/?{}", std::str::from_utf8(&body).unwrap()))
                .unwrap()
                .query_pairs()
                .into_owned()
                .collect();
        assert_eq!(read, parameters);
    }
}
