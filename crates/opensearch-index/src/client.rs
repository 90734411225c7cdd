//! Calls to OpenSearch, each with a timeout.

use std::time::Duration;

use bytes::Bytes;
use domain::Language;
use opensearch::auth::Credentials;
use opensearch::http::headers::{CONTENT_TYPE, HeaderMap, HeaderValue};
use opensearch::http::transport::{SingleNodeConnectionPool, TransportBuilder};
use opensearch::http::{Method, Url};
use opensearch::{Error, OpenSearch};
use serde::de::DeserializeOwned;
use serde_json::Value;
use text::field_weights::FieldWeights;

use crate::error::{CallError, OpenError, parse_error_body};
use crate::options::Options;

/// The most bytes in an alias. The names of its indexes are longer, and OpenSearch limits those to 255.
const MAX_ALIAS_BYTES: usize = 200;

/// A client of one alias.
pub(crate) struct Client {
    client: OpenSearch,
    /// A valid alias, safe in a path.
    pub(crate) alias: String,
    pub(crate) language: Language,
    pub(crate) weights: FieldWeights,
    /// The address without user and password.
    pub(crate) address: String,
}

/// A request to OpenSearch.
pub(crate) struct Call<'a> {
    method: Method,
    path: String,
    query: &'a [(&'a str, &'a str)],
    body: Option<Bytes>,
    timeout: Duration,
}

impl<'a> Call<'a> {
    /// Creates a call without query string and body. `path` is relative to the address and has no leading slash.
    pub(crate) fn new(method: Method, path: impl Into<String>, timeout: Duration) -> Self {
        Self { method, path: path.into(), query: &[], body: None, timeout }
    }

    /// Sets the query string.
    pub(crate) fn query(self, query: &'a [(&'a str, &'a str)]) -> Self {
        Self { query, ..self }
    }

    /// Sets the body.
    pub(crate) fn body(self, body: Bytes) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Sets the body to a JSON value.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body(Bytes::from(body.to_string()))
    }
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let alias = options.alias.clone();
        if !is_valid_alias(&alias) {
            return Err(OpenError::Alias { alias });
        }
        let invalid = |reason: String| OpenError::Address { reason };
        let mut url = Url::parse(&options.url).map_err(|error| invalid(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(invalid("it begins with neither http:// nor https://".to_owned()));
        }
        let user = percent_decode_or_keep(url.username());
        let credentials = match &options.aws {
            _ if !user.is_empty() => {
                let password = url.password().map(percent_decode_or_keep).unwrap_or_default();
                Some(Credentials::Basic(user, password))
            }
            Some(aws) => Some(aws.config().try_into().map_err(|error: Error| invalid(error.to_string()))?),
            None => None,
        };
        // Neither fails for an address with a host.
        let _ = (url.set_username(""), url.set_password(None));
        let address = url.to_string();
        // Fails if another part of the process has already installed a provider, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut transport = TransportBuilder::new(SingleNodeConnectionPool::new(url)).disable_proxy();
        if let Some(credentials) = credentials {
            transport = transport.auth(credentials);
        }
        let transport = transport.build().map_err(|error| invalid(error.to_string()))?;
        let Options { language, weights, .. } = *options;
        Ok(Self { client: OpenSearch::new(transport), alias, language, weights, address })
    }

    /// Sends a call and decodes the response.
    ///
    /// # Errors
    /// Fails if there is no response, if its status is not 2xx, or if its body cannot be decoded.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, CallError> {
        let mut headers = HeaderMap::new();
        if call.body.is_some() && call.path.ends_with("_bulk") {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        }
        let unreachable = |source| CallError::Unreachable { address: self.address.clone(), source };
        let query = (!call.query.is_empty()).then_some(call.query);
        let response = self
            .client
            .send(call.method, &call.path, headers, query, call.body, Some(call.timeout))
            .await
            .map_err(unreachable)?;
        let status = response.status_code().as_u16();
        let body = response.bytes().await.map_err(unreachable)?;
        if !(200..300).contains(&status) {
            let (error_type, reason) = parse_error_body(&body);
            return Err(CallError::Status { address: self.address.clone(), status, error_type, reason });
        }
        serde_json::from_slice(&body)
            .map_err(|source| CallError::Malformed { address: self.address.clone(), source })
    }

    /// Checks that a response has one item for each that was requested, and returns the items.
    pub(crate) fn expect_items<T>(&self, expected: usize, items: Vec<T>) -> Result<Vec<T>, CallError> {
        match items.len() {
            received if received == expected => Ok(items),
            received => Err(CallError::ItemCount { address: self.address.clone(), expected, received }),
        }
    }
}

/// Decodes percent-encoded text; returns it unchanged if the encoding is invalid.
fn percent_decode_or_keep(text: &str) -> String {
    percent_decode(text).unwrap_or_else(|| text.to_owned())
}

/// Decodes percent-encoded text; returns `None` if the encoding is invalid.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn is_valid_alias(alias: &str) -> bool {
    let may_be_first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    alias.len() <= MAX_ALIAS_BYTES
        && alias.starts_with(may_be_first)
        && alias.chars().all(|c| may_be_first(c) || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A client that connects to nothing.
    pub(crate) fn client(url: &str, alias: &str) -> Result<Client, OpenError> {
        let (url, alias) = (url.to_owned(), alias.to_owned());
        Client::new(&Options {
            url,
            alias,
            language: Language::English,
            weights: FieldWeights::default(),
            aws: None,
        })
    }

    #[test]
    fn addresses_and_aliases_are_checked() {
        for url in ["", "localhost:9200", "ftp://x", "not an address"] {
            assert!(matches!(client(url, "a"), Err(OpenError::Address { .. })), "{url}");
        }
        for alias in ["", "A", "-a", "a/b", "a*", "a b", "a,b", &"a".repeat(201)] {
            assert!(matches!(client("http://x", alias), Err(OpenError::Alias { .. })), "{alias}");
        }
        assert!(client("https://x:443/path", "noren-products.2").is_ok());
    }

    #[test]
    fn a_password_is_in_no_message() {
        let options = Options {
            url: "http://u:s3cret@127.0.0.1:1".to_owned(),
            alias: "a".to_owned(),
            language: Language::English,
            weights: FieldWeights::default(),
            aws: None,
        };
        assert!(!format!("{options:?}").contains("s3cret"));
        let client = Client::new(&options).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(client.address, "http://127.0.0.1:1/");
        assert_eq!(percent_decode_or_keep("p%40ss%"), "p%40ss%");
        assert_eq!(percent_decode_or_keep("p%40ss"), "p@ss");
    }
}
