//! The interface of both clients.

use async_trait::async_trait;
use axum::body::Bytes;
use reqwest::Method;

use super::response::Response;
use crate::failure::Failure;

/// Receives the lines of a response one after the other. An error ends the request.
pub type LineHandler<'a> = &'a mut (dyn for<'l> FnMut(&'l [u8]) -> Result<(), Failure> + Send);

/// The HTTP API of a catalogue.
#[async_trait]
pub trait Api: Send + Sync {
    /// Sends a GET and returns the response, whatever its status.
    ///
    /// # Errors
    /// If there is no response.
    async fn get(&self, path: &str, parameters: &[(String, String)]) -> Result<Response, Failure>;

    /// Sends a POST with a JSON body and returns the response, whatever its status.
    ///
    /// # Errors
    /// If there is no response.
    async fn post(&self, path: &str, body: Bytes) -> Result<Response, Failure>;

    /// Sends a POST with lines of NDJSON and returns the response, whatever its status.
    ///
    /// # Errors
    /// If there is no response.
    async fn post_lines(&self, path: &str, lines: Bytes) -> Result<Response, Failure>;

    /// Sends a DELETE and returns the response, whatever its status.
    ///
    /// # Errors
    /// If there is no response.
    async fn delete(&self, path: &str) -> Result<Response, Failure>;

    /// Sends a request whose response is NDJSON, and passes each line to `handler` as soon as it arrives.
    ///
    /// # Errors
    /// If there is no response, the response is a problem or breaks off, or `handler` returns an error.
    async fn stream(
        &self,
        method: Method,
        path: &str,
        parameters: &[(String, String)],
        handler: LineHandler<'_>,
    ) -> Result<(), Failure>;
}
