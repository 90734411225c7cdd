//! The JSON body of a search: the parameters as fields, with lists, numbers and booleans of JSON as their values.
//!
//! The fields are converted to the pairs of a query string, so that one reader checks both forms.

use api::parameters::{MAX_HINTS, MAX_PARAMETERS, Pair, ParameterReader};
use domain::fault::excerpt;
use domain::input::{Counted, Field, InputError, RawObject, json_type};
use domain::{AttributeValue, Currency, Fault, FaultKind, Faults};
use serde_json::value::RawValue;

use crate::did_you_mean;
use crate::parameter::{ATTRIBUTE_BRACKET, ATTRIBUTE_PREFIX, Endpoint, Kind, Parameter};
use crate::parsed::ParsedSearch;
use crate::read::read_all;
use crate::table;
use crate::values::escape_name;

/// The most searches in one call.
pub const MAX_SEARCHES: usize = 10;
/// The field that holds several searches.
const SEARCHES: &str = "searches";

/// The searches of a body.
#[derive(Debug, PartialEq)]
pub enum Searches {
    /// One search: `{"query": …}`.
    One(Box<ParsedSearch>),
    /// Several searches on one snapshot of the index: `{"searches": [{"query": …}, …]}`.
    Several(Vec<ParsedSearch>),
}

/// Reads the body of `POST /products/search`. Prices are in `default_currency` unless a search names another.
///
/// # Errors
/// [`InputError::Syntax`] for a body that is not JSON; otherwise the faults of all searches together. The field of each fault is
/// the name of the parameter, with the position of the search if there are several: `searches[1].priceRange`.
pub fn read_searches(body: &[u8], default_currency: Currency) -> Result<Searches, InputError> {
    let RawObject(fields) = RawObject::parse_at_most(body, MAX_PARAMETERS, "a search")?;
    let Some((_, list)) = fields.iter().find(|(name, _)| *name == SEARCHES) else {
        return Ok(Searches::One(Box::new(read_one(&fields, default_currency)?)));
    };
    let others = fields.iter().filter(|(name, _)| *name != SEARCHES).map(|(name, _)| {
        let message = "cannot be combined with `searches`; write it into each search that it applies to";
        Fault::new(excerpt(name), FaultKind::Unknown, message)
    });
    let mut faults: Faults = others.collect();
    let requests = read_several(list, default_currency, &mut faults);
    Ok(faults.or(Searches::Several(requests))?)
}

fn read_several(list: &RawValue, default_currency: Currency, faults: &mut Faults) -> Vec<ParsedSearch> {
    let Some(searches) = Counted::list(list, MAX_SEARCHES) else {
        let message = format!("must be a list of searches, not {}", json_type(list));
        faults.add(Fault::new(SEARCHES, FaultKind::WrongType, message));
        return Vec::new();
    };
    if searches.count == 0 || searches.count > MAX_SEARCHES {
        let message = format!("must be 1 to {MAX_SEARCHES} searches; there are {}", searches.count);
        faults.add(Fault::new(SEARCHES, FaultKind::OutOfRange, message));
        return Vec::new();
    }
    let mut requests = Vec::with_capacity(searches.count);
    for (at, raw) in searches.first.into_iter().enumerate() {
        let place = format!("{SEARCHES}[{at}]");
        match read_element(raw, default_currency) {
            Ok(request) => requests.push(request),
            Err(own) => faults.append(own, |field| match field.is_empty() {
                true => place.clone(),
                false => format!("{place}.{field}"),
            }),
        }
    }
    requests
}

/// Reads one of several searches.
fn read_element(raw: &RawValue, default_currency: Currency) -> Result<ParsedSearch, Faults> {
    match Counted::object(raw, MAX_PARAMETERS) {
        Some(Counted { first, count }) if count <= MAX_PARAMETERS => read_one(&first, default_currency),
        Some(Counted { count, .. }) => {
            let message = format!("a search has at most {MAX_PARAMETERS} fields; this one has {count}");
            Err(Fault::new("", FaultKind::OutOfRange, message).into())
        }
        None => {
            let message =
                format!("must be an object with the parameters of a search, not {}", json_type(raw));
            Err(Fault::new("", FaultKind::WrongType, message).into())
        }
    }
}

fn read_one(object: &[Field<'_>], default_currency: Currency) -> Result<ParsedSearch, Faults> {
    let mut fields = Fields::default();
    fields.read(object);
    read_all(Endpoint::Search, ParameterReader::of_pairs(fields.pairs, fields.faults), default_currency)
}

/// A converter of fields to pairs, with the faults of their types.
#[derive(Default)]
struct Fields {
    pairs: Vec<Pair>,
    faults: Faults,
    /// The number of unknown fields so far.
    unknown: usize,
}

impl Fields {
    fn fault(&mut self, field: &str, kind: FaultKind, message: impl Into<String>) {
        self.faults.add_with(|| Fault::new(excerpt(field), kind, message));
    }

    fn read(&mut self, object: &[Field<'_>]) {
        let mut seen = Vec::with_capacity(object.len().min(table::all().len()));
        for (name, raw) in object {
            let Some(parameter) = table::of(Endpoint::Search).find(|known| known.field_name() == *name)
            else {
                self.unknown_field(name);
                continue;
            };
            if seen.contains(&parameter.name) {
                self.fault(name, FaultKind::Repeated, "is given twice; give it once");
                continue;
            }
            seen.push(parameter.name);
            match parameter.kind {
                _ if raw.get() == "null" => {}
                Kind::Attributes { .. } => self.attributes(parameter, raw),
                _ => self.values(parameter.name, parameter.kind, raw),
            }
        }
    }

    /// Adds the fault of an unknown field, with a suggestion for the first few of them.
    fn unknown_field(&mut self, name: &str) {
        self.unknown += 1;
        let message = match self.unknown <= MAX_HINTS {
            true => unknown_field_message(name),
            false => "is not a field here".to_owned(),
        };
        self.fault(name, FaultKind::Unknown, message);
    }

    fn attributes(&mut self, parameter: &Parameter, raw: &RawValue) {
        let field = parameter.field_name();
        let Some(keys) = Counted::object(raw, MAX_PARAMETERS) else {
            let message = format!("must be an object of keys and values, not {}", json_type(raw));
            return self.fault(field, FaultKind::WrongType, message);
        };
        if keys.count > MAX_PARAMETERS {
            let message = format!("must have at most {MAX_PARAMETERS} keys; it has {}", keys.count);
            return self.fault(field, FaultKind::OutOfRange, message);
        }
        for (key, raw) in keys.first {
            if raw.get() != "null" {
                self.values(&format!("{ATTRIBUTE_PREFIX}{key}"), parameter.kind, raw);
            }
        }
    }

    /// Adds a pair for each value of a field. Does not read the values of a list that is too long.
    fn values(&mut self, name: &str, kind: Kind, raw: &RawValue) {
        let list = match kind {
            Kind::Texts { max_items, .. }
            | Kind::Names { max_items, .. }
            | Kind::Attributes { max_items } => {
                Counted::list(raw, MAX_PARAMETERS).map(|list| (list, max_items))
            }
            _ => None,
        };
        let values = match list {
            // Equal values count once, so a list may have more than `max_items`.
            Some((Counted { count, .. }, max_items)) if count > MAX_PARAMETERS => {
                let message = format!("must have at most {max_items} values; it has {count}");
                return self.fault(name, FaultKind::OutOfRange, message);
            }
            Some((list, _)) => list.first,
            None => vec![raw],
        };
        for raw in values {
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

/// Returns a value as it is written in a query string.
///
/// # Errors
/// Returns a message that follows the name of the field: `must be …`.
fn value(kind: Kind, raw: &RawValue) -> Result<String, String> {
    let json = raw.get();
    let wrong = |takes: &str| Err(format!("must be {takes}, not {}", json_type(raw)));
    let text =
        || serde_json::from_str::<String>(json).map_err(|error| format!("is not a JSON text: {error}"));
    let is_text = json.starts_with('"');
    match kind {
        Kind::Text(_) | Kind::Texts { .. } if is_text => text(),
        Kind::Text(_) => wrong("a text"),
        Kind::Texts { .. } => wrong("a text or a list of texts"),
        Kind::Names { .. } if is_text => Ok(escape_name(&text()?)),
        Kind::Names { .. } => wrong("a name or a list of names"),
        Kind::Number { .. } | Kind::Seconds { .. }
            if json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) =>
        {
            Ok(json.to_owned())
        }
        Kind::Number { .. } => wrong("a whole number"),
        Kind::Seconds { .. } => wrong("a number"),
        Kind::Flag { .. } if matches!(json, "true" | "false") => Ok(json.to_owned()),
        Kind::Flag { .. } => wrong("true or false"),
        Kind::Attributes { .. } => match serde_json::from_str::<AttributeValue>(json) {
            Ok(AttributeValue::List(_)) | Err(_) => wrong("a text, a number, a flag, or a list of them"),
            Ok(value) => Ok(value.facet_values().next().unwrap_or_default().into_owned()),
        },
    }
}

fn unknown_field_message(name: &str) -> String {
    let in_brackets = name.strip_prefix(ATTRIBUTE_BRACKET).map(|key| key.trim_end_matches(']'));
    if let Some(key) = name.strip_prefix(ATTRIBUTE_PREFIX).or(in_brackets) {
        return format!("is not a field here; write {{\"attributes\": {{\"{}\": …}}}}", excerpt(key));
    }
    let known = table::of(Endpoint::Search);
    match did_you_mean::closest(name, &known, Parameter::field_name) {
        Some(near) => format!("is not a field here; did you mean `{near}`?"),
        None => {
            let names: Vec<&str> = known.map(Parameter::field_name).collect();
            format!("is not a field here; there are {}", names.join(", "))
        }
    }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
