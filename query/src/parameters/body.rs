//! The JSON body of a search: the names of the parameters, with JSON's own lists, numbers and flags as their values.
//! It is turned into the same pairs as a query string, so that both are read and checked by one reader.

use domain::input::{InputError, RawObject, json_type};
use domain::{AttributeValue, Currency, Fault, FaultKind, Faults};
use serde_json::value::RawValue;

use crate::hint;
use crate::params::{ATTRIBUTE_PREFIX, Asked, Reader};
use crate::query_string::{Pair, shown};

/// The most searches in one call.
pub const MAX_SEARCHES: usize = 10;
/// The field with several searches.
const SEARCHES: &str = "searches";

/// What a body asks for.
#[derive(Debug, PartialEq)]
pub enum Searches {
    /// One search: `{"query": …}`.
    One(Box<Asked>),
    /// Searches to be answered on one state of the index: `{"searches": [{"query": …}, …]}`.
    Several(Vec<Asked>),
}

/// Reads the body of `POST /products/search`. Prices are in `default_currency` unless a search names another.
///
/// # Errors
/// [`InputError::Syntax`] for a body that is not JSON, else all faults of all searches at once. The field of each is
/// the name of the parameter, of one among several searches behind its place: `searches[1].priceRange`.
pub fn read_searches(body: &[u8], default_currency: Currency) -> Result<Searches, InputError> {
    let object = RawObject::parse(body)?;
    let Some((_, list)) = object.0.iter().find(|(name, _)| *name == SEARCHES) else {
        return Ok(Searches::One(Box::new(read_one(&object, default_currency)?)));
    };
    let mut faults: Vec<Fault> = object
        .0
        .iter()
        .filter(|(name, _)| *name != SEARCHES)
        .map(|(name, _)| {
            let message = "stands beside `searches`; write it into each search that it is for";
            Fault::new(shown(name), FaultKind::Unknown, message)
        })
        .collect();
    let requests = read_several(list, default_currency, &mut faults);
    if faults.is_empty() { Ok(Searches::Several(requests)) } else { Err(Faults(faults).into()) }
}

fn read_several(list: &RawValue, default_currency: Currency, faults: &mut Vec<Fault>) -> Vec<Asked> {
    let Ok(searches) = serde_json::from_str::<Vec<&RawValue>>(list.get()) else {
        let message = format!("must be a list of searches, not {}", json_type(list));
        faults.push(Fault::new(SEARCHES, FaultKind::WrongType, message));
        return Vec::new();
    };
    if searches.is_empty() || searches.len() > MAX_SEARCHES {
        let message = format!("must be 1 to {MAX_SEARCHES} searches; there are {}", searches.len());
        faults.push(Fault::new(SEARCHES, FaultKind::OutOfRange, message));
        return Vec::new();
    }
    let mut requests = Vec::with_capacity(searches.len());
    for (at, raw) in searches.into_iter().enumerate() {
        let place = format!("{SEARCHES}[{at}]");
        let Ok(object) = serde_json::from_str::<RawObject<'_>>(raw.get()) else {
            let message =
                format!("must be an object with the parameters of a search, not {}", json_type(raw));
            faults.push(Fault::new(place, FaultKind::WrongType, message));
            continue;
        };
        match read_one(&object, default_currency) {
            Ok(request) => requests.push(request),
            Err(Faults(own)) => faults.extend(own.into_iter().map(|fault| Fault {
                field: if fault.field.is_empty() {
                    place.clone()
                } else {
                    format!("{place}.{}", fault.field)
                },
                ..fault
            })),
        }
    }
    requests
}

fn read_one(object: &RawObject<'_>, default_currency: Currency) -> Result<Asked, Faults> {
    let mut fields = Fields::default();
    fields.read(object);
    Reader::of_pairs(fields.pairs, fields.faults).search(default_currency)
}

/// What a field takes. Where it takes several values, one alone may stand there without a list.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Texts,
    /// Names of facets, which stand in one parameter, between commas.
    Names,
    Number,
    Decimal,
    Flag,
    /// An object of keys with texts, numbers and flags.
    Attributes,
}

/// The fields of a search.
const FIELDS: [(&str, Kind); 17] = [
    ("query", Kind::Text),
    ("category", Kind::Texts),
    ("brand", Kind::Texts),
    ("tags", Kind::Texts),
    ("priceRange", Kind::Texts),
    ("inStock", Kind::Flag),
    ("attributes", Kind::Attributes),
    ("currency", Kind::Text),
    ("sortBy", Kind::Text),
    ("facets", Kind::Names),
    ("facetSize", Kind::Number),
    ("page", Kind::Number),
    ("pageSize", Kind::Number),
    ("cursor", Kind::Text),
    ("explain", Kind::Flag),
    ("syncToken", Kind::Texts),
    ("syncTimeout", Kind::Decimal),
];

/// Turns fields into pairs, and gathers what is wrong with their types.
#[derive(Default)]
struct Fields {
    pairs: Vec<Pair>,
    faults: Vec<Fault>,
}

impl Fields {
    fn fault(&mut self, field: &str, kind: FaultKind, message: impl Into<String>) {
        self.faults.push(Fault::new(shown(field), kind, message));
    }

    fn read(&mut self, object: &RawObject<'_>) {
        let mut seen = Vec::with_capacity(object.0.len().min(FIELDS.len()));
        for (name, raw) in &object.0 {
            let Some((name, kind)) = FIELDS.iter().find(|(known, _)| known == name) else {
                let message = unknown_field_message(name);
                self.fault(name, FaultKind::Unknown, message);
                continue;
            };
            if seen.contains(name) {
                self.fault(name, FaultKind::Repeated, "is given twice; give it once");
                continue;
            }
            seen.push(*name);
            match kind {
                _ if raw.get() == "null" => {}
                Kind::Attributes => self.attributes(raw),
                kind => self.values(name, *kind, raw),
            }
        }
    }

    fn attributes(&mut self, raw: &RawValue) {
        let Ok(RawObject(keys)) = serde_json::from_str::<RawObject<'_>>(raw.get()) else {
            let message = format!("must be an object of keys and values, not {}", json_type(raw));
            return self.fault("attributes", FaultKind::WrongType, message);
        };
        for (key, raw) in keys {
            if raw.get() != "null" {
                self.values(&format!("{ATTRIBUTE_PREFIX}{key}"), Kind::Attributes, raw);
            }
        }
    }

    /// Adds the values of a field, one pair each.
    fn values(&mut self, name: &str, kind: Kind, raw: &RawValue) {
        let takes_several = matches!(kind, Kind::Texts | Kind::Names | Kind::Attributes);
        let list = takes_several.then(|| serde_json::from_str::<Vec<&RawValue>>(raw.get()).ok()).flatten();
        for raw in list.unwrap_or_else(|| vec![raw]) {
            match value(kind, raw) {
                Ok(value) if value.contains('\0') => {
                    self.fault(name, FaultKind::Malformed, "must not contain the NUL character");
                }
                Ok(value) => self.pairs.push(Pair { name: name.to_owned(), value }),
                Err(message) => self.fault(name, FaultKind::WrongType, message),
            }
        }
    }
}

/// A value as it stands in a query string; the error ends a sentence.
fn value(kind: Kind, raw: &RawValue) -> Result<String, String> {
    let json = raw.get();
    let wrong = |takes: &str| Err(format!("must be {takes}, not {}", json_type(raw)));
    let text =
        || serde_json::from_str::<String>(json).map_err(|error| format!("is not a JSON text: {error}"));
    let is_text = json.starts_with('"');
    match kind {
        Kind::Text if is_text => text(),
        Kind::Text => wrong("a text"),
        Kind::Texts if is_text => text(),
        Kind::Texts => wrong("a text or a list of texts"),
        Kind::Names if is_text => Ok(text()?.replace('\\', r"\\").replace(',', r"\,")),
        Kind::Names => wrong("a name or a list of names"),
        Kind::Number | Kind::Decimal if json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            Ok(json.to_owned())
        }
        Kind::Number => wrong("a whole number"),
        Kind::Decimal => wrong("a number"),
        Kind::Flag if matches!(json, "true" | "false") => Ok(json.to_owned()),
        Kind::Flag => wrong("true or false"),
        Kind::Attributes => match serde_json::from_str::<AttributeValue>(json) {
            Ok(AttributeValue::List(_)) | Err(_) => wrong("a text, a number, a flag, or a list of them"),
            Ok(value) => Ok(value.facet_values().next().unwrap_or_default().into_owned()),
        },
    }
}

fn unknown_field_message(name: &str) -> String {
    if let Some(key) = name.strip_prefix(ATTRIBUTE_PREFIX) {
        return format!("is not a field here; write {{\"attributes\": {{\"{}\": …}}}}", shown(key));
    }
    let known = FIELDS.map(|(known, _)| known);
    match hint::parameter(name, &known) {
        Some(near) => format!("is not a field here; did you mean `{near}`?"),
        None => format!("is not a field here; there are {}", known.join(", ")),
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
