//! Faults in a caller's input. Each names the field, the problem, and the type of the fault.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One fault in a request or a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fault {
    /// The dotted path of the field (`attributes.colour`), or the query parameter; empty for the body as a whole.
    pub field: String,
    /// The problem and the remedy, for a person.
    pub message: String,
    /// The type of fault, for a program.
    #[serde(rename = "type")]
    pub kind: FaultKind,
}

/// The type of a fault, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FaultKind {
    /// Required but absent.
    Missing,
    /// Not a field or parameter of this request.
    Unknown,
    /// Given twice; only one is allowed.
    Repeated,
    /// The wrong JSON type.
    WrongType,
    /// The right type, but the wrong form.
    Malformed,
    /// Too small, too large, too long or too many.
    OutOfRange,
    /// Must be unique, but is in use.
    Taken,
}

impl Fault {
    /// Creates a fault of `field` with a message for people.
    pub fn new(field: impl Into<String>, kind: FaultKind, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), kind }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            write!(f, "{}", self.message)
        } else {
            write!(f, "{}: {}", self.field, self.message)
        }
    }
}

/// All faults of one input; at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
pub struct Faults(pub Vec<Fault>);

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self(vec![fault])
    }
}

/// The most characters of a caller's text in a message.
const MAX_EXCERPT_CHARS: usize = 60;

/// Returns the first 60 characters of a caller's text, to quote them in a message. Control characters are replaced, and an
/// ellipsis marks omitted text.
pub fn excerpt(text: &str) -> String {
    let end = text.char_indices().nth(MAX_EXCERPT_CHARS).map(|(end, _)| end);
    let excerpt = printable(&text[..end.unwrap_or(text.len())]);
    if end.is_some() { format!("{excerpt}…") } else { excerpt.into_owned() }
}

/// Replaces control characters with U+FFFD, so that data cannot control the terminal that shows it.
pub fn printable(text: &str) -> Cow<'_, str> {
    match text.contains(char::is_control) {
        true => text.replace(char::is_control, "\u{fffd}").into(),
        false => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        assert_eq!(excerpt("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(excerpt(&"é".repeat(MAX_EXCERPT_CHARS)), "é".repeat(MAX_EXCERPT_CHARS));
        assert_eq!(excerpt(&"é".repeat(99)), format!("{}…", "é".repeat(MAX_EXCERPT_CHARS)));
    }
}
