//! Requests that cannot be answered.

use std::fmt;

/// The longest message about a parameter, in bytes: messages quote values.
const MAX_MESSAGE_BYTES: usize = 500;
/// The name of the index of all products. Others begin with it and name an order: `products_price_asc`.
pub(crate) const INDEX: &str = "products";

/// A request that cannot be answered, with a message for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestError {
    /// The request is malformed.
    Invalid(String),
    /// There is no such index.
    UnknownIndex(String),
}

impl RequestError {
    pub(crate) fn invalid(parameter: &str, message: impl fmt::Display) -> Self {
        let mut text = format!("{parameter}: {message}");
        text.truncate(text.floor_char_boundary(MAX_MESSAGE_BYTES));
        Self::Invalid(text)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(message) => f.write_str(message),
            Self::UnknownIndex(name) => write!(
                f,
                "there is no index {name:?}; use `{INDEX}`, or a sorted one such as `{INDEX}_price_asc`"
            ),
        }
    }
}

impl std::error::Error for RequestError {}
