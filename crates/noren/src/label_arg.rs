//! Arguments that are labels of products, such as a brand or a source.

use domain::input::{MAX_LABEL_CHARS, parse_label};

/// Parses a label as products have them, without surrounding spaces.
///
/// # Errors
/// Returns a message for the command line.
pub(crate) fn parse_label_arg(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    parse_label(text, MAX_LABEL_CHARS).map_err(|(_, message)| message)
}
