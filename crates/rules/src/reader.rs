//! Reading TOML value by value, so that what is wrong with one keeps nobody from looking at the next.

use std::ops::Range;

use domain::near::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Error};

use crate::fault::{Found, shown};

/// A value and where it stands, in bytes.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// Parses a text as TOML. Where it is none, nothing else can be said of it.
pub(crate) fn parse<'t>(text: &'t str, found: &mut Found) -> Option<Section<'t>> {
    let (table, mut errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Some(Section { table: table.into_inner(), at: 0..0, known: Vec::new() });
    }
    let is_open = errors.iter().any(|error| OPEN.iter().any(|open| error.message().starts_with(open)));
    let hint = if is_open { "; a bracket that is opened here or before is not closed" } else { "" };
    let at = |error: &Error| text.floor_char_boundary(error.span().unwrap_or_default().start);
    errors.sort_by_key(at);
    let mut told = None;
    for error in &errors {
        // One fault makes others behind it: on its line, and where a list does not end, in all that follows.
        let is_new = told.is_none_or(|told| !is_open && text[told..at(error)].contains('\n'));
        if is_new {
            told = Some(at(error));
            found.add(&(at(error)..at(error)), format!("not valid TOML: {}{hint}", error.message()));
        }
    }
    None
}

/// What the parser says of a bracket over several lines that does not end.
const OPEN: [&str; 2] = ["unclosed array,", "unclosed inline table,"];

/// A table whose keys are taken one by one; what is left in the end is unknown.
pub(crate) struct Section<'t> {
    table: DeTable<'t>,
    /// Its header.
    pub(crate) at: Range<usize>,
    known: Vec<&'static str>,
}

impl<'t> Section<'t> {
    /// The value of a key.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Value<'t>> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&mut self, key: &'static str, example: &str, found: &mut Found) -> Option<Value<'t>> {
        let value = self.take(key);
        if value.is_none() {
            found.add(&self.at, format!("`{key}` is missing; write `{key} = {example}`"));
        }
        value
    }

    /// All keys, where they are free, with their places.
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (Spanned<String>, Value<'t>)> {
        let entry = |(key, value): (Spanned<std::borrow::Cow<'t, str>>, Value<'t>)| {
            (Spanned::new(key.span(), key.into_inner().into_owned()), value)
        };
        self.table.into_iter().map(entry)
    }

    /// Says of every key that was not taken that it means nothing.
    pub(crate) fn end(self, found: &mut Found) {
        for key in self.table.keys() {
            let name = shown(key.get_ref());
            let what = match nearest(key.get_ref(), self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("here may stand {}", self.known.join(", ")),
            };
            found.add(&key.span(), format!("unknown key `{name}`; {what}"));
        }
    }
}

/// What a value is, for a sentence.
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

/// Adds that a value is of the wrong kind; `wanted` says what it must be.
pub(crate) fn wrong_kind<T>(value: &Value<'_>, wanted: &str, found: &mut Found) -> Option<T> {
    found.add(&value.span(), format!("must be {wanted}, not {}", kind(value.get_ref())));
    None
}

/// A text of 1 to `most` characters on one line; spaces at its ends do not count.
pub(crate) fn text(value: &Value<'_>, most: usize, found: &mut Found) -> Option<String> {
    let DeValue::String(text) = value.get_ref() else { return wrong_kind(value, "a text in quotes", found) };
    label(&Spanned::new(value.span(), text.as_ref()), most, found)
}

/// The same of a text that is known to be one.
pub(crate) fn label(text: &Spanned<&str>, most: usize, found: &mut Found) -> Option<String> {
    let label = text.get_ref().trim();
    let chars = label.chars().count();
    let message = match chars {
        0 => "is empty; write something, or leave it out".to_owned(),
        chars if chars > most => format!("has {chars} characters; write at most {most}"),
        _ if label.contains(char::is_control) => {
            "has control characters or line breaks; write one line of plain text".to_owned()
        }
        _ => return Some(label.to_owned()),
    };
    found.add(&text.span(), message);
    None
}

/// A number.
pub(crate) fn number(value: &Value<'_>, found: &mut Found) -> Option<f64> {
    let number = match value.get_ref() {
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        DeValue::Float(float) => float.as_str().parse().ok(),
        _ => None,
    };
    number.or_else(|| wrong_kind(value, "a number such as 0.5", found))
}

/// True or false.
pub(crate) fn flag(value: &Value<'_>, found: &mut Found) -> Option<bool> {
    match value.get_ref() {
        DeValue::Boolean(flag) => Some(*flag),
        _ => wrong_kind(value, "`true` or `false`, without quotes", found),
    }
}

/// A table with keys of ours.
pub(crate) fn section<'t>(value: Value<'t>, found: &mut Found) -> Option<Section<'t>> {
    let at = value.span();
    match value.into_inner() {
        DeValue::Table(table) => Some(Section { table, at, known: Vec::new() }),
        other => wrong_kind(&Spanned::new(at, other), "a table", found),
    }
}

/// The elements of a list, at most `most`.
pub(crate) fn list<'t>(value: Value<'t>, most: usize, found: &mut Found) -> Vec<Value<'t>> {
    let at = value.span();
    match value.into_inner() {
        DeValue::Array(list) if list.len() > most => {
            found.add(&at, format!("has {} elements; write at most {most}", list.len()));
            Vec::new()
        }
        DeValue::Array(list) => list.into_iter().collect(),
        other => wrong_kind(&Spanned::new(at, other), "a list in square brackets", found).unwrap_or_default(),
    }
}

/// The elements of a list that is not empty, or the one value that stands instead of it.
pub(crate) fn one_or_more<'t>(value: Value<'t>, most: usize, found: &mut Found) -> Vec<Value<'t>> {
    let at = value.span();
    match value.get_ref() {
        DeValue::Array(list) if list.is_empty() => {
            found.add(&at, "is an empty list; write something into it, or leave it out");
            Vec::new()
        }
        DeValue::Array(_) => list(value, most, found),
        _ => vec![value],
    }
}
