//! Reads the parameters of a request, and writes them back in canonical form.

use api::parameters::ParameterReader;
use domain::search::MAX_FILTERS;
use domain::{Currency, FaultKind, Faults};

use crate::did_you_mean;
use crate::parameter::{Endpoint, Parameter};
use crate::parsed::{Draft, ParsedSearch};
use crate::table;

/// Reads the query string of an endpoint. Prices are in `default_currency` unless the query names another.
///
/// # Errors
/// The faults of all parameters together; the field of each is the name of the parameter.
pub fn read(endpoint: Endpoint, query: &str, default_currency: Currency) -> Result<ParsedSearch, Faults> {
    read_all(endpoint, ParameterReader::of_query(query), default_currency)
}

/// Returns the canonical query string. Equal searches have equal canonical query strings. Omitted are
/// defaults (but not those of currency and limit), required writes, `is_truncated`, and everything that is not a parameter, such as
/// the restriction. Otherwise [`read`] turns it back into an equal [`ParsedSearch`].
pub fn write(endpoint: Endpoint, parsed: &ParsedSearch) -> String {
    let mut query = String::new();
    for parameter in table::of(endpoint) {
        (parameter.write)(parameter, parsed, &mut query);
    }
    query
}

/// Reads all parameters of an endpoint. Any other parameter is a fault.
pub(crate) fn read_all(
    endpoint: Endpoint,
    mut reader: ParameterReader,
    default_currency: Currency,
) -> Result<ParsedSearch, Faults> {
    let mut draft = Draft::new(default_currency);
    let mut done = Vec::new();
    for parameter in table::of(endpoint) {
        read_with_needs(parameter, endpoint, &mut done, &mut reader, &mut draft);
    }
    let filters = draft.parsed.request.filters.count();
    if filters > MAX_FILTERS {
        let message = format!("a search has at most {MAX_FILTERS} filter values; this one has {filters}");
        reader.fault("", FaultKind::OutOfRange, message);
    }
    reader.finish(|name| unknown(name, endpoint))?;
    Ok(draft.parsed)
}

/// Reads a parameter once, after those that it needs.
fn read_with_needs(
    parameter: &'static Parameter,
    endpoint: Endpoint,
    done: &mut Vec<&'static str>,
    reader: &mut ParameterReader,
    draft: &mut Draft,
) {
    if done.contains(&parameter.name) {
        return;
    }
    done.push(parameter.name);
    for needed in table::of(endpoint).filter(|other| parameter.needs.contains(&other.name)) {
        read_with_needs(needed, endpoint, done, reader, draft);
    }
    (parameter.read)(parameter, reader, draft);
}

fn unknown(name: &str, endpoint: Endpoint) -> String {
    let is_known = table::all().iter().any(|parameter| parameter.name == name);
    if is_known && endpoint == Endpoint::Filter {
        return "is not a filter; leave it out".to_owned();
    }
    if is_known {
        return "has no effect here; leave it out".to_owned();
    }
    let known = table::of(endpoint);
    match did_you_mean::closest(name, &known, |parameter| parameter.name) {
        Some(near) => format!("is not a parameter here; did you mean `{near}`?"),
        None => {
            let names: Vec<&str> = known.map(|parameter| parameter.name).collect();
            format!("is not a parameter here; there are {}", names.join(", "))
        }
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
