//! The configuration of an index in OpenSearch.

use std::fmt;

use aws_setup::{Aws, SetupError};
use domain::Language;
use opensearch::http::Url;
use text::field_weights::FieldWeights;

/// The suffixes of host names of Amazon OpenSearch Service, which accepts signed requests only.
const AMAZON_DOMAINS: [&str; 2] = [".amazonaws.com", ".amazonaws.com.cn"];

/// The address and settings of an index.
#[derive(Clone)]
pub struct Options {
    /// The address of OpenSearch: `http://127.0.0.1:9200`, or with a user, `https://user:password@host`.
    pub url: String,
    /// The alias of the index.
    pub alias: String,
    /// The language that texts are analysed in; the same for every writer and searcher of the index.
    pub language: Language,
    /// The weights of the parts of a product, for documents written from now on.
    pub weights: FieldWeights,
    /// Region and credentials to sign requests with (Signature Version 4).
    pub aws: Option<Aws>,
}

impl Options {
    /// Creates the options for an alias at an address. Requests to Amazon OpenSearch Service are signed with the
    /// default AWS credentials, unless the address has a user.
    ///
    /// # Errors
    /// Returns [`SetupError`] if the address belongs to Amazon and no region or credentials are found.
    pub async fn load(url: &str, alias: &str, language: Language) -> Result<Self, SetupError> {
        let aws = if requires_signature(url) { Some(Aws::load().await?) } else { None };
        let weights = FieldWeights::default();
        Ok(Self { url: url.to_owned(), alias: alias.to_owned(), language, weights, aws })
    }
}

/// Returns true if the server at this address accepts only requests that are signed with AWS credentials.
fn requires_signature(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let host = url.host_str().unwrap_or_default();
    url.username().is_empty() && AMAZON_DOMAINS.iter().any(|domain| host.ends_with(domain))
}

/// Omits the address, which may contain a password.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("alias", &self.alias).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazon_wants_requests_signed() {
        for (url, signed) in [
            ("https://search-shop-abc.eu-central-1.es.amazonaws.com", true),
            ("https://search-shop-abc.cn-north-1.es.amazonaws.com.cn/", true),
            ("https://user:word@search-shop-abc.eu-central-1.es.amazonaws.com", false),
            ("http://127.0.0.1:9200", false),
            ("https://es.amazonaws.com.example.org", false),
        ] {
            assert_eq!(requires_signature(url), signed, "{url}");
        }
    }
}
