//! Reads TOML value by value, so that a faulty value does not stop the reading of the next.

use std::ops::Range;

use domain::fault::excerpt;
use text::did_you_mean::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::fault::FaultLog;

/// A value and its span, in bytes.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// Parses a text as TOML. If it is not, logs the syntax errors and returns `None`.
pub(crate) fn parse<'t>(text: &'t str, faults: &mut FaultLog) -> Option<Section<'t>> {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(Section { table: table.into_inner(), header: 0..0, known: Vec::new() });
    }
    let is_open = errors.iter().any(|error| UNCLOSED.iter().any(|open| error.message().starts_with(open)));
    let hint = if is_open { "; a bracket that is opened here or before is not closed" } else { "" };
    let at = |error: &Error| text.floor_char_boundary(error.span().unwrap_or_default().start);
    errors.sort_by_key(at);
    // The end of the line of the last logged error.
    let mut end = None;
    for error in &errors {
        // One syntax error causes others: on the same line or, for an unclosed list, in all that follows.
        let is_new = end.is_none_or(|end| !is_open && at(error) > end);
        if is_new {
            end = Some(text[at(error)..].find('\n').map_or(text.len(), |line| at(error) + line));
            faults.add(&(at(error)..at(error)), format!("not valid TOML: {}{hint}", error.message()));
        }
    }
    None
}

/// The beginnings of the parser's messages about an unclosed bracket.
const UNCLOSED: [&str; 2] = ["unclosed array,", "unclosed inline table,"];

/// A table whose known keys are taken one by one; keys that are left are unknown.
pub(crate) struct Section<'t> {
    table: DeTable<'t>,
    /// The span of its header.
    pub(crate) header: Range<usize>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// Takes the value of a key.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// Takes the value of a required key; logs a fault if it is missing.
    pub(crate) fn require(
        &mut self,
        key: &'static str,
        example: &str,
        faults: &mut FaultLog,
    ) -> Option<Value<'t>> {
        let value = self.take(key);
        if value.is_none() {
            faults.add(&self.header, format!("`{key}` is missing; write `{key} = {example}`"));
        }
        value
    }

    /// Returns all keys with their spans, for a table with arbitrary keys.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Spanned<String>, Value<'t>)> {
        let entry = |(key, value): (Spanned<std::borrow::Cow<'t, str>>, Value<'t>)| {
            (Spanned::new(key.span(), key.into_inner().into_owned()), value)
        };
        self.table.into_iter().map(entry)
    }

    /// Logs a fault for every key that was not taken.
    pub(crate) fn finish(self, faults: &mut FaultLog) {
        for key in self.table.keys() {
            let name = excerpt(key.get_ref());
            let what = match nearest(key.get_ref(), self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("expected one of {}", self.known.join(", ")),
            };
            faults.add(&key.span(), format!("unknown key `{name}`; {what}"));
        }
    }
}

/// Returns the kind of a value, for a message.
fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Logs that a value is of the wrong kind, and returns `None`. `wanted` says what it must be.
pub(crate) fn wrong_kind<T>(value: &Value<'_>, wanted: &str, faults: &mut FaultLog) -> Option<T> {
    faults.add(&value.span(), format!("must be {wanted}, not {}", kind(value.get_ref())));
    None
}

/// Reads a text of 1 to `most` characters on one line. Surrounding spaces are removed.
pub(crate) fn text(value: &Value<'_>, most: usize, faults: &mut FaultLog) -> Option<String> {
    let DeValue::String(text) = value.get_ref() else { return wrong_kind(value, "a text in quotes", faults) };
    label(&Spanned::new(value.span(), text.as_ref()), most, faults)
}

/// Checks a text like [`text`].
pub(crate) fn label(text: &Spanned<&str>, most: usize, faults: &mut FaultLog) -> Option<String> {
    let label = text.get_ref().trim();
    let chars = label.chars().count();
    let message = match chars {
        0 => "is empty; add a value or remove it".to_owned(),
        chars if chars > most => format!("has {chars} characters; write at most {most}"),
        _ if label.contains(char::is_control) => {
            "has control characters or line breaks; write one line of plain text".to_owned()
        }
        _ => return Some(label.to_owned()),
    };
    faults.add(&text.span(), message);
    None
}

/// Reads a number.
pub(crate) fn number(value: &Value<'_>, faults: &mut FaultLog) -> Option<f64> {
    let number = match value.get_ref() {
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    };
    number.or_else(|| wrong_kind(value, "a number such as 0.5", faults))
}

/// Reads a flag.
pub(crate) fn flag(value: &Value<'_>, faults: &mut FaultLog) -> Option<bool> {
    match value.get_ref() {
        DeValue::Boolean(flag) => Some(*flag),
        _ => wrong_kind(value, "`true` or `false`, without quotes", faults),
    }
}

/// Reads a table.
pub(crate) fn section<'t>(value: Value<'t>, faults: &mut FaultLog) -> Option<Section<'t>> {
    let at = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Some(Section { table, header: at, known: Vec::new() }),
        other => wrong_kind(&Spanned::new(at, other), "a table", faults),
    }
}

/// Reads a list of at most `most` elements.
pub(crate) fn list<'t>(value: Value<'t>, most: usize, faults: &mut FaultLog) -> Vec<Value<'t>> {
    let at = value.span();
    match value.into_inner() {
        DeValue::Array(list) if list.len() > most => {
            faults.add(&at, format!("has {} elements; write at most {most}", list.len()));
            Vec::new()
        }
        DeValue::Array(list) => list.into_iter().collect(),
        other => {
            wrong_kind(&Spanned::new(at, other), "a list in square brackets", faults).unwrap_or_default()
        }
    }
}

/// Reads a list that is not empty, or a single value as a list of one.
pub(crate) fn one_or_more<'t>(value: Value<'t>, most: usize, faults: &mut FaultLog) -> Vec<Value<'t>> {
    let at = value.span();
    match value.get_ref() {
        DeValue::Array(list) if list.is_empty() => {
            faults.add(&at, "is an empty list; add a value or remove it");
            Vec::new()
        }
        DeValue::Array(_) => list(value, most, faults),
        _ => vec![value],
    }
}
