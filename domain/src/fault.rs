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

/// The most faults of one input that are listed. Further ones are only counted, so that no input can cause a large response.
pub const MAX_FAULTS: usize = 50;

/// The faults of one input: the first [`MAX_FAULTS`] in the order in which they were found, and the number of the others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Faults {
    listed: Vec<Fault>,
    omitted: usize,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, fault: Fault) {
        self.add_with(|| fault);
    }

    /// Adds a fault, which is only built if it is listed.
    pub fn add_with(&mut self, fault: impl FnOnce() -> Fault) {
        match self.listed.len() < MAX_FAULTS {
            true => self.listed.push(fault()),
            false => self.omitted += 1,
        }
    }

    /// Adds the faults of a part of the input. `place` returns the field in the whole for a field of the part.
    pub fn append(&mut self, part: Self, place: impl Fn(String) -> String) {
        for fault in part.listed {
            self.add_with(|| Fault { field: place(fault.field), ..fault });
        }
        self.omitted += part.omitted;
    }

    /// Returns the faults that are listed.
    pub fn listed(&self) -> &[Fault] {
        &self.listed
    }

    /// Returns the number of faults that are not listed.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Returns the number of all faults.
    pub fn count(&self) -> usize {
        self.listed.len() + self.omitted
    }

    /// Returns true if nothing is at fault.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Returns `value` if nothing is at fault.
    ///
    /// # Errors
    /// The faults, if there are any.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }

    /// Returns the listed faults. If others are not listed, a last entry names their number.
    pub fn into_list(self) -> Vec<Fault> {
        let mut list = self.listed;
        if self.omitted > 0 {
            let message = format!("and {} more faults", self.omitted);
            list.push(Fault::new("", FaultKind::OutOfRange, message));
        }
        list
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list: Vec<String> = self.clone().into_list().iter().map(Fault::to_string).collect();
        f.write_str(&list.join("; "))
    }
}

impl std::error::Error for Faults {}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { listed: vec![fault], omitted: 0 }
    }
}

impl FromIterator<Fault> for Faults {
    fn from_iter<I: IntoIterator<Item = Fault>>(list: I) -> Self {
        let mut faults = Self::default();
        list.into_iter().for_each(|fault| faults.add(fault));
        faults
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
    fn faults_beyond_the_limit_are_counted() {
        let fault = |number: usize| Fault::new(number.to_string(), FaultKind::Unknown, "is unknown");
        let mut faults: Faults = (0..MAX_FAULTS + 2).map(fault).collect();
        assert_eq!((faults.listed().len(), faults.omitted(), faults.count()), (50, 2, 52));
        faults.add_with(|| unreachable!("a fault that is not listed is not built"));
        let mut whole = Faults::from(fault(7));
        whole.append(faults, |field| format!("searches[1].{field}"));
        assert_eq!((whole.listed().len(), whole.omitted()), (50, 4));
        assert_eq!(whole.listed()[1].field, "searches[1].0");
        assert!(whole.to_string().ends_with("; and 4 more faults"), "{whole}");
        assert_eq!(whole.into_list().len(), 51);
        assert_eq!(Faults::default().or(1), Ok(1));
    }

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        assert_eq!(excerpt("a\u{1b}[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
        assert_eq!(excerpt(&"é".repeat(MAX_EXCERPT_CHARS)), "é".repeat(MAX_EXCERPT_CHARS));
        assert_eq!(excerpt(&"é".repeat(99)), format!("{}…", "é".repeat(MAX_EXCERPT_CHARS)));
    }
}
