//! The handling of HTML in the texts of products.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The form in which HTML in the texts of a product is stored. Searches, highlights and snippets always use it without markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HtmlPolicy {
    /// As it was written. The default.
    #[default]
    Raw,
    /// Names and descriptions as text, without markup.
    Text,
    /// Names as text; descriptions as HTML that a page can show without danger: only elements and attributes of a list remain.
    Safe,
}

impl HtmlPolicy {
    /// All policies with their names in the configuration.
    pub const ALL: [(&str, Self); 3] = [("raw", Self::Raw), ("text", Self::Text), ("safe", Self::Safe)];
}

/// The error for an unknown policy.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("must be `raw`, `text` or `safe`")]
pub struct UnknownHtmlPolicy;

impl FromStr for HtmlPolicy {
    type Err = UnknownHtmlPolicy;
    fn from_str(name: &str) -> Result<Self, UnknownHtmlPolicy> {
        let policy = Self::ALL.into_iter().find(|(known, _)| *known == name);
        policy.map(|(_, policy)| policy).ok_or(UnknownHtmlPolicy)
    }
}

impl fmt::Display for HtmlPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let own = Self::ALL.into_iter().find(|(_, policy)| policy == self);
        f.write_str(own.map_or("", |(name, _)| name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_read_by_its_name() {
        for (name, policy) in HtmlPolicy::ALL {
            assert_eq!((name.parse(), policy.to_string().as_str()), (Ok(policy), name));
        }
        assert_eq!("html".parse::<HtmlPolicy>(), Err(UnknownHtmlPolicy));
    }
}
