//! Labels: texts of one line that are not empty.

use crate::fault::FaultKind;

/// Parses a label: removes surrounding spaces and checks the rest.
///
/// # Errors
/// Returns the kind of the fault, and a message that follows the name of the field: `must have …`.
pub fn parse_label(text: &str, max_chars: usize) -> Result<String, (FaultKind, String)> {
    let text = text.trim();
    let chars = text.chars().count();
    if chars == 0 || chars > max_chars {
        let message = format!("must have 1 to {max_chars} characters; it has {chars}");
        return Err((FaultKind::OutOfRange, message));
    }
    if text.contains(char::is_control) {
        let message = "must not contain control characters or line breaks";
        return Err((FaultKind::Malformed, message.to_owned()));
    }
    Ok(text.to_owned())
}
