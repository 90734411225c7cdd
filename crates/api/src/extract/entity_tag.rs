//! Entity tags of products and responses.

use domain::Version;
use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderValue};

/// Returns the strong entity tag of a product: its version in quotes.
pub fn version_tag(version: Version) -> HeaderValue {
    // A number in quotes is always a valid header.
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Returns true if an `If-None-Match` header names the tag, so that the response is 304.
///
/// `tag` is the opaque part without quotes. The comparison is weak: `W/` is ignored. `*` names every tag.
pub fn has_entity_tag(headers: &HeaderMap, tag: &str) -> bool {
    let lists = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|given| {
        let opaque = given.strip_prefix("W/").unwrap_or(given);
        given == "*" || opaque.trim_matches('"') == tag
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_names_the_tags_that_it_has() {
        let has = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(IF_NONE_MATCH, HeaderValue::from_static(value));
            }
            has_entity_tag(&headers, "3f")
        };
        for values in [&[][..], &["\"x\""], &["\"3\""], &["W/\"3ff\""]] {
            assert!(!has(values), "{values:?}");
        }
        for values in [&["W/\"3f\""][..], &["\"3f\""], &["\"x\", W/\"3f\""], &["*"], &["\"x\"", "\"3f\""]] {
            assert!(has(values), "{values:?}");
        }
        assert_eq!(version_tag(Version(3)), "\"3\"");
    }
}
