//! Calls to OpenSearch: each with a time limit, each failure with what a caller can do about it.

use std::fmt;
use std::time::Duration;

use aws_setup::{Aws, SetupError};
use bytes::Bytes;
use domain::Language;
use domain::ports::{PortError, PortErrorKind};
use opensearch::auth::Credentials;
use opensearch::http::headers::{CONTENT_TYPE, HeaderMap, HeaderValue};
use opensearch::http::transport::{SingleNodeConnectionPool, TransportBuilder};
use opensearch::http::{Method, Url};
use opensearch::{Error, OpenSearch};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use text::field_weights::FieldWeights;

/// The most characters of what OpenSearch says that go into an error.
const MAX_REASON_CHARS: usize = 300;
/// The most bytes an alias may have; the name of its index is longer.
const MAX_ALIAS_BYTES: usize = 200;

/// Hosts with this end belong to Amazon OpenSearch Service, which wants requests signed.
const AMAZON_DOMAINS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// Where the index is.
#[derive(Clone)]
pub struct Options {
    /// Address of OpenSearch: `http://127.0.0.1:9200`, or with a user, `https://user:password@host`.
    pub url: String,
    /// Alias of the index.
    pub alias: String,
    /// What texts are analysed as; the same for all who write and search the index.
    pub language: Language,
    /// How much the parts of products count that are written from now on.
    pub weights: FieldWeights,
    /// Region and credentials to sign requests with (Signature Version 4).
    pub aws: Option<Aws>,
}

impl Options {
    /// The index behind an alias at an address. Requests to Amazon OpenSearch Service are signed with the credentials
    /// that every AWS tool uses, unless the address names a user.
    ///
    /// # Errors
    /// [`SetupError`] when an address of Amazon is given, and no region or credentials are found.
    pub async fn load(url: &str, alias: &str, language: Language) -> Result<Self, SetupError> {
        let aws = if wants_signature(url) { Some(Aws::load().await?) } else { None };
        let weights = FieldWeights::default();
        Ok(Self { url: url.to_owned(), alias: alias.to_owned(), language, weights, aws })
    }
}

/// Whether OpenSearch at this address takes only requests that are signed with credentials of AWS.
fn wants_signature(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    url.username().is_empty() && AMAZON_DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// Without the address, which may hold a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("alias", &self.alias).finish_non_exhaustive()
    }
}

/// Why an index cannot be used. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is none.
    #[error("the address of OpenSearch cannot be used ({reason}); write it as http://127.0.0.1:9200")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// The alias cannot be the name of one.
    #[error(
        "`{alias}` cannot be an alias in OpenSearch; write 1 to 200 of a-z, 0-9, `-`, `_` and `.`, the first one a letter or digit"
    )]
    Alias {
        /// The alias.
        alias: String,
    },
    /// A later version of this program made the index.
    #[error(
        "the index behind the alias {alias} has schema {found}, which is newer than the {known} of this noren; update noren, or rebuild the index from the store with `noren reindex --back-ends`"
    )]
    Newer {
        /// The alias.
        alias: String,
        /// Its schema.
        found: u64,
        /// The schema of this program.
        known: u64,
    },
    /// An earlier version of this program made the index.
    #[error(
        "the index behind the alias {alias} has schema {found} and this noren needs {known}; rebuild it from the store with \
         `noren reindex --back-ends`, while the services of the earlier version run on"
    )]
    Older {
        /// The alias.
        alias: String,
        /// Its schema.
        found: u64,
        /// The schema of this program.
        known: u64,
    },
    /// The texts of the index were analysed as another language's.
    #[error(
        "the index behind the alias {alias} was made for NOREN_LANGUAGE={found}, not {wanted}; set \
         NOREN_LANGUAGE={found}, or rebuild the index from the store with `noren reindex --back-ends`"
    )]
    OtherLanguage {
        /// The alias.
        alias: String,
        /// The language of the index.
        found: Language,
        /// The language that was asked for.
        wanted: Language,
    },
    /// Something else has the alias.
    #[error("the alias {alias} cannot be used ({reason}); set NOREN_OPENSEARCH_INDEX to another alias")]
    Unusable {
        /// The alias.
        alias: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nothing has the alias, and nobody asked to make it.
    #[error(
        "there is no index behind the alias {alias}; set NOREN_OPENSEARCH_INDEX to an alias that exists, or \
         NOREN_CREATE_TABLES=true for noren-sync to make one"
    )]
    Missing {
        /// The alias.
        alias: String,
    },
    /// OpenSearch does not let us in.
    #[error(
        "the index behind the alias {alias} may not be used; check the user and password in NOREN_OPENSEARCH_URL, or \
         the AWS credentials and what they may do"
    )]
    Denied {
        /// The alias.
        alias: String,
        /// What it said.
        #[source]
        source: PortError,
    },
    /// OpenSearch cannot be asked now; it may be later.
    #[error(transparent)]
    Failed(#[from] PortError),
}

impl From<OpenError> for PortError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Failed(error) => error,
            other => Self::new(PortErrorKind::Unavailable, "opening the index", other),
        }
    }
}

/// Talks to one alias.
pub(crate) struct Client {
    client: OpenSearch,
    /// Checked to be safe in a path.
    pub(crate) alias: String,
    pub(crate) language: Language,
    pub(crate) weights: FieldWeights,
    /// The address without user and password.
    pub(crate) address: String,
}

/// Why a call has no good answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("no answer from {address}")]
    Unreachable { address: String, source: Error },
    #[error("{address} answered {status}: {reason}")]
    Refused { address: String, status: u16, name: String, reason: String },
    #[error("{address} answered something that cannot be understood")]
    Unreadable { address: String, source: serde_json::Error },
    /// Nobody can tell which of them it speaks of.
    #[error("{address} answered for {answered} of {asked} documents")]
    Partial { address: String, asked: usize, answered: usize },
}

impl CallError {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The kind that OpenSearch gives its error, such as `index_not_found_exception`.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Refused { name, .. } => name,
            _ => "",
        }
    }

    pub(crate) fn kind(&self) -> PortErrorKind {
        match self {
            Self::Unreachable { .. } | Self::Partial { .. } => PortErrorKind::Unavailable,
            Self::Unreadable { .. } => PortErrorKind::Internal,
            Self::Refused { status, name, .. } => kind_of(*status, name),
        }
    }

    /// The error for a caller of a port.
    pub(crate) fn during(self, context: &str) -> PortError {
        PortError::new(self.kind(), context, self)
    }
}

/// What can be done about an error of OpenSearch. A missing index or missing rights mend when someone mends them.
pub(crate) fn kind_of(status: u16, name: &str) -> PortErrorKind {
    match (status, name) {
        // All disks are fuller than they may be.
        (_, "cluster_block_exception") => PortErrorKind::Full,
        (429, _) => PortErrorKind::Throttled,
        (401 | 403 | 404 | 408, _) => PortErrorKind::Unavailable,
        (500.., _) => PortErrorKind::Unavailable,
        _ => PortErrorKind::Internal,
    }
}

/// What to send.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Behind the address, without a slash at its start.
    pub(crate) path: String,
    pub(crate) query: &'a [(&'a str, &'a str)],
    pub(crate) body: Option<Bytes>,
    pub(crate) patience: Duration,
}

impl Client {
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let alias = options.alias.clone();
        if !is_alias(&alias) {
            return Err(OpenError::Alias { alias });
        }
        let unusable = |reason: String| OpenError::Address { reason };
        let mut url = Url::parse(&options.url).map_err(|error| unusable(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(unusable("it begins with neither http:// nor https://".to_owned()));
        }
        let user = decoded(url.username());
        let credentials = match &options.aws {
            _ if !user.is_empty() => {
                Some(Credentials::Basic(user, url.password().map(decoded).unwrap_or_default()))
            }
            Some(aws) => Some(aws.config().try_into().map_err(|error: Error| unusable(error.to_string()))?),
            None => None,
        };
        // Neither fails for an address with a host.
        let _ = (url.set_username(""), url.set_password(None));
        let address = url.to_string();
        // Another part of the process may have chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut transport = TransportBuilder::new(SingleNodeConnectionPool::new(url)).disable_proxy();
        if let Some(credentials) = credentials {
            transport = transport.auth(credentials);
        }
        let transport = transport.build().map_err(|error| unusable(error.to_string()))?;
        let Options { language, weights, .. } = *options;
        Ok(Self { client: OpenSearch::new(transport), alias, language, weights, address })
    }

    /// Sends a call and reads its answer; every status but 2xx is an error.
    pub(crate) async fn call<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, CallError> {
        let mut headers = HeaderMap::new();
        if call.body.is_some() && (call.path.ends_with("_bulk") || call.path.ends_with("_msearch")) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        }
        let unreachable = |source| CallError::Unreachable { address: self.address.clone(), source };
        let query = (!call.query.is_empty()).then_some(call.query);
        let response = self
            .client
            .send(call.method, &call.path, headers, query, call.body, Some(call.patience))
            .await
            .map_err(unreachable)?;
        let status = response.status_code().as_u16();
        let body = response.bytes().await.map_err(unreachable)?;
        if !(200..300).contains(&status) {
            let (name, reason) = reason_of(&body);
            return Err(CallError::Refused { address: self.address.clone(), status, name, reason });
        }
        serde_json::from_slice(&body)
            .map_err(|source| CallError::Unreadable { address: self.address.clone(), source })
    }
}

/// Refuses an answer that has another number of items than were asked for.
pub(crate) fn answer_for_each<T>(address: &str, asked: usize, items: Vec<T>) -> Result<Vec<T>, CallError> {
    match items.len() {
        answered if answered == asked => Ok(items),
        answered => Err(CallError::Partial { address: address.to_owned(), asked, answered }),
    }
}

fn decoded(text: &str) -> String {
    percent_decoded(text).unwrap_or_else(|| text.to_owned())
}

/// The text without percent signs; none when they mean nothing.
fn percent_decoded(text: &str) -> Option<String> {
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

fn is_alias(alias: &str) -> bool {
    let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    alias.len() <= MAX_ALIAS_BYTES
        && alias.starts_with(first)
        && alias.chars().all(|c| first(c) || matches!(c, '-' | '_' | '.'))
}

/// The name and the text of an error in the body of an answer.
fn reason_of(body: &[u8]) -> (String, String) {
    #[derive(Deserialize)]
    struct Body {
        error: Value,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { error }) => described(&error),
        Err(_) => (String::new(), "no reason given".to_owned()),
    }
}

/// The name and the text of an error.
pub(crate) fn described(error: &Value) -> (String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cause = error["root_cause"].get(0).filter(|cause| cause["reason"].is_string()).unwrap_or(error);
    let (name, mut reason) = match error {
        Value::String(reason) => (String::new(), reason.clone()),
        _ => (text(&cause["type"]), text(&cause["reason"])),
    };
    if let Some(deeper) = error["caused_by"]["reason"].as_str()
        && !reason.contains(deeper)
    {
        reason = format!("{reason}: {deeper}");
    }
    (name, reason.chars().take(MAX_REASON_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn opened(url: &str, alias: &str) -> Result<Client, OpenError> {
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
            assert!(matches!(opened(url, "a"), Err(OpenError::Address { .. })), "{url}");
        }
        for alias in ["", "A", "-a", "a/b", "a*", "a b", "a,b", &"a".repeat(201)] {
            assert!(matches!(opened("http://x", alias), Err(OpenError::Alias { .. })), "{alias}");
        }
        assert!(opened("https://x:443/path", "noren-products.2").is_ok());
    }

    #[test]
    fn amazon_wants_requests_signed() {
        for (url, signed) in [
            ("https://search-shop-abc.eu-central-1.es.amazonaws.com", true),
            ("https://search-shop-abc.cn-north-1.es.amazonaws.com.cn/", true),
            ("https://user:word@search-shop-abc.eu-central-1.es.amazonaws.com", false),
            ("http://127.0.0.1:9200", false),
            ("https://es.amazonaws.com.example.org", false),
        ] {
            assert_eq!(wants_signature(url), signed, "{url}");
        }
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
        assert_eq!(decoded("p%40ss%"), "p%40ss%");
        assert_eq!(decoded("p%40ss"), "p@ss");
    }

    #[test]
    fn errors_say_what_can_be_done() {
        assert_eq!(kind_of(429, "rejected_execution_exception"), PortErrorKind::Throttled);
        assert_eq!(kind_of(429, "cluster_block_exception"), PortErrorKind::Full);
        assert_eq!(kind_of(503, ""), PortErrorKind::Unavailable);
        assert_eq!(kind_of(404, "index_not_found_exception"), PortErrorKind::Unavailable);
        assert_eq!(kind_of(400, "parsing_exception"), PortErrorKind::Internal);
        let error =
            json!({ "type": "outer", "reason": "it\nfailed", "caused_by": { "reason": "too large" } });
        assert_eq!(described(&error), ("outer".to_owned(), "it failed: too large".to_owned()));
        assert_eq!(described(&json!("plain")), (String::new(), "plain".to_owned()));
        assert_eq!(reason_of(b"<html>").1, "no reason given");
    }
}
