//! Reads and writes the values of the parameters in the [table](super::table).

use std::collections::BTreeMap;
use std::time::Duration;

use api::parameters::{MAX_HINTS, MAX_PARAMETERS, Pair, ParameterReader, ValueFault, push_pair};
use api::wire::fields::ChosenField;
use domain::fault::excerpt;
use domain::input::{MAX_KEY_CHARS, MAX_LABEL_CHARS};
use domain::search::{
    AttributeFilter, Cursor, Field, MAX_PAGED_PRODUCTS, MAX_QUERY_CHARS, MAX_QUERY_WORDS, PageStart,
    SearchRequest, Sort, format_moment,
};
use domain::{CategoryPath, Currency, FaultKind, MoneyError, PriceRange};
use text::analysis::query_words;
use text::did_you_mean::nearest;

use crate::parameter::{ATTRIBUTE_BRACKET, ATTRIBUTE_PREFIX, Kind, Parameter};
use crate::parsed::{Draft, ParsedSearch};
use crate::required_versions::RequiredVersions;

/// The name in `facets` that selects the facets that matter for the products found.
const AUTO_FACETS: &str = "*";

// Kinds.

/// Reads an integer within the bounds of its row.
pub(crate) fn number(row: &Parameter, reader: &mut ParameterReader) -> Option<usize> {
    let Kind::Number { min, max, .. } = row.kind else { return None };
    reader.whole_number(row.name, min..=max)
}

/// Parses a brand or a tag.
pub(crate) fn label(text: &str) -> Result<String, ValueFault> {
    match text.chars().count() {
        0 => Err((FaultKind::Malformed, "must not be empty; leave the parameter out instead".to_owned())),
        1..=MAX_LABEL_CHARS => Ok(text.to_owned()),
        chars => {
            let message = format!("must have at most {MAX_LABEL_CHARS} characters; it has {chars}");
            Err((FaultKind::OutOfRange, message))
        }
    }
}

// Words and filters.

/// Reads the query. A query beyond the bounds is cut at the end of a word.
pub(crate) fn read_words(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let text = reader.one(row.name).unwrap_or_default();
    let words = within_bounds(text.trim());
    draft.parsed.is_truncated = words.len() < text.trim().len();
    words.clone_into(&mut draft.parsed.request.words);
}

/// Returns the words at the start of a query that are within its bounds. If the first word alone is too long, cuts it.
fn within_bounds(query: &str) -> &str {
    let end_of_chars = query.char_indices().nth(MAX_QUERY_CHARS).map(|(end, _)| end);
    let short = end_of_chars.map_or(query, |end| match query[end..].starts_with(char::is_whitespace) {
        true => &query[..end],
        false => query[..end].rfind(char::is_whitespace).map_or(&query[..end], |space| &query[..space]),
    });
    let end = query_words(short).get(MAX_QUERY_WORDS).map_or(short.len(), |(_, span)| span.start);
    short[..end].trim_end()
}

pub(crate) fn read_operators(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    draft.parsed.request.operators = reader.flag(row.name).unwrap_or(true);
}

pub(crate) fn write_operators(row: &Parameter, parsed: &ParsedSearch, query: &mut String) {
    if !parsed.request.operators {
        push_pair(query, row.name, "false");
    }
}

pub(crate) fn read_categories(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    draft.parsed.request.filters.category = reader
        .list(row.name, |text| CategoryPath::parse(text).map_err(|message| (FaultKind::Malformed, message)));
}

/// Reads the price ranges. If the currency is faulty, its number of decimals is unknown, so decimals and size are not checked.
pub(crate) fn read_price_ranges(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    for text in reader.all(row.name) {
        let ranges = &mut draft.parsed.request.filters.price;
        let kind = match PriceRange::parse(&text, draft.parsed.request.currency) {
            Ok(range) => {
                if !ranges.contains(&range) {
                    ranges.push(range);
                }
                continue;
            }
            Err(MoneyError::TooManyDecimals { .. } | MoneyError::TooLarge { .. })
                if draft.has_unknown_currency =>
            {
                continue;
            }
            Err(error @ MoneyError::NotARange) => (FaultKind::Malformed, error),
            Err(error) => (FaultKind::OutOfRange, error),
        };
        reader.fault(row.name, kind.0, kind.1.to_string());
    }
}

pub(crate) fn read_currency(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    match reader.one(row.name).map(|code| Currency::parse(&code)) {
        None => {}
        Some(Ok(currency)) => draft.parsed.request.currency = currency,
        Some(Err(error)) => {
            reader.fault(row.name, FaultKind::Malformed, error.to_string());
            draft.has_unknown_currency = true;
        }
    }
}

pub(crate) fn read_attributes(_: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let attributes: &mut BTreeMap<String, Vec<AttributeFilter>> =
        &mut draft.parsed.request.filters.attributes;
    let dotted = reader.all_with_prefix(ATTRIBUTE_PREFIX);
    for Pair { name, value } in dotted.into_iter().chain(reader.all_with_prefix(ATTRIBUTE_BRACKET)) {
        let (key, is_exact) = match attribute_key(&name) {
            Ok(found) => found,
            Err(message) => {
                reader.fault(&name, FaultKind::Malformed, message);
                continue;
            }
        };
        let filter = match is_exact {
            true => Ok(AttributeFilter::Equals(value)),
            false => AttributeFilter::parse(&value),
        };
        match filter {
            Ok(filter) => {
                let filters = attributes.entry(key.to_owned()).or_default();
                if !filters.contains(&filter) {
                    filters.push(filter);
                }
            }
            Err(message) => reader.fault(&name, FaultKind::OutOfRange, message),
        }
    }
}

/// The suffix of the name of a parameter whose value is never a range.
const EXACT_SUFFIX: &str = ".is";
/// The same suffix in the form with brackets.
const EXACT_BRACKET: &str = "][is";

/// Returns the key in the name `attributes.KEY` or `attributes[KEY]`, and true for `attributes.KEY.is` and `attributes[KEY][is]`.
fn attribute_key(name: &str) -> Result<(&str, bool), String> {
    let (key, is_exact) = match name.strip_prefix(ATTRIBUTE_BRACKET) {
        None => {
            let key = &name[ATTRIBUTE_PREFIX.len()..];
            let exact = key.strip_suffix(EXACT_SUFFIX).filter(|key| !key.is_empty());
            exact.map_or((key, false), |key| (key, true))
        }
        Some(rest) => match rest.strip_suffix(']').map(|key| without_suffix(key, EXACT_BRACKET)) {
            Some((key, is_exact)) if !key.contains(['[', ']']) => (key, is_exact),
            Some(_) => {
                return Err("must have one pair of brackets; for several values repeat `attributes[KEY]=VALUE`, and for a \
                            key with brackets write `attributes.KEY`"
                    .to_owned());
            }
            None => {
                return Err(
                    "must end with `]`: write `attributes[KEY]=VALUE`, or `attributes.KEY=VALUE`".to_owned()
                );
            }
        },
    };
    check_key(key).map(|()| (key, is_exact))
}

/// Returns a text without a suffix, and true if it had it.
fn without_suffix<'a>(text: &'a str, suffix: &str) -> (&'a str, bool) {
    text.strip_suffix(suffix).map_or((text, false), |text| (text, true))
}

/// Returns the name of the parameter of a filter.
fn attribute_name(key: &str, filter: &AttributeFilter) -> String {
    let is_exact = match filter {
        // A text that would be read as a range needs the suffix.
        AttributeFilter::Equals(text) => AttributeFilter::parse(text).as_ref() != Ok(filter),
        AttributeFilter::Range { .. } | AttributeFilter::Dates { .. } => false,
    };
    let has_suffix = key.ends_with(EXACT_SUFFIX);
    match is_exact {
        true => format!("{ATTRIBUTE_PREFIX}{key}{EXACT_SUFFIX}"),
        // The key itself ends with the suffix.
        false if has_suffix && !key.contains(['[', ']']) => format!("{ATTRIBUTE_BRACKET}{key}]"),
        false if has_suffix && matches!(filter, AttributeFilter::Equals(_)) => {
            format!("{ATTRIBUTE_PREFIX}{key}{EXACT_SUFFIX}")
        }
        false => format!("{ATTRIBUTE_PREFIX}{key}"),
    }
}

pub(crate) fn write_attributes(_: &Parameter, parsed: &ParsedSearch, query: &mut String) {
    for (key, filters) in &parsed.request.filters.attributes {
        for filter in filters {
            push_pair(query, &attribute_name(key, filter), &attribute_filter_text(filter));
        }
    }
}

fn attribute_filter_text(filter: &AttributeFilter) -> String {
    let end = |end: &Option<f64>| end.map(|number| number.to_string()).unwrap_or_default();
    match filter {
        AttributeFilter::Equals(text) => text.clone(),
        AttributeFilter::Range { min, max } => format!("{}..{}", end(min), end(max)),
        AttributeFilter::Dates { min, max } => {
            let end = |end: &Option<i64>| end.map(format_moment).unwrap_or_default();
            format!("{}..{}", end(min), end(max))
        }
    }
}

/// Returns the values of `field` that a search filters by, in the form of its parameter.
pub fn wanted(request: &SearchRequest, field: &Field) -> Vec<String> {
    let filters = &request.filters;
    match field {
        Field::Category => filters.category.iter().map(ToString::to_string).collect(),
        Field::Brand => filters.brand.clone(),
        Field::Tags => filters.tags.clone(),
        Field::Price => filters.price.iter().map(|range| range.display(request.currency)).collect(),
        Field::Stock => filters.in_stock.iter().map(ToString::to_string).collect(),
        Field::Attribute(key) => {
            filters.attributes.get(key).into_iter().flatten().map(attribute_filter_text).collect()
        }
    }
}

// Facets.

/// Parses the name of a facet as [`Field::parse_facet`] does, and checks that a product can have an attribute with its key.
///
/// # Errors
/// Returns a message that follows the name of the parameter: `must be …`.
pub fn read_facet_field(text: &str) -> Result<Field, String> {
    let field = Field::parse_facet(text)?;
    if let Field::Attribute(key) = &field {
        check_key(key)?;
    }
    Ok(field)
}

fn check_key(key: &str) -> Result<(), String> {
    let chars = key.chars().count();
    match chars == 0 || chars > MAX_KEY_CHARS || key.contains(char::is_control) {
        true => Err(format!(
            "must be `attributes[KEY]` or `attributes.KEY` with a key of 1 to {MAX_KEY_CHARS} characters and no control characters"
        )),
        false => Ok(()),
    }
}

pub(crate) fn read_facets(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let Kind::Names { max_items, .. } = row.kind else { return };
    let Some(names) = read_names(row, "facets", reader) else { return };
    let (mut fields, mut unknown) = (Vec::new(), 0);
    for name in &names {
        match read_facet_field(name) {
            _ if name == AUTO_FACETS => draft.parsed.auto_facets = true,
            Ok(field) if fields.contains(&field) => {}
            Ok(field) => fields.push(field),
            Err(message) => {
                unknown += 1;
                let known = Field::FACETS.iter().map(Field::name);
                let hint = if unknown <= MAX_HINTS { name_hint(name, known) } else { String::new() };
                let message = format!("{message}, not `{}`{hint}", excerpt(name));
                reader.fault(row.name, FaultKind::Unknown, message);
            }
        }
    }
    reader.at_most(row.name, "facets", fields.len(), max_items);
    draft.parsed.request.facets = fields;
}

/// Reads names and removes the spaces around them. Returns `None` and reports a fault if there are too many.
fn read_names(row: &Parameter, what: &str, reader: &mut ParameterReader) -> Option<Vec<String>> {
    let Kind::Names { max_items, .. } = row.kind else { return None };
    let mut names: Vec<String> = reader.all(row.name).iter().flat_map(|text| split_names(text)).collect();
    // Equal names count once, so there may be more than `max_items`.
    if names.len() > MAX_PARAMETERS {
        let message = format!("must name at most {max_items} {what}; it has {} names", names.len());
        reader.fault(row.name, FaultKind::OutOfRange, message);
        return None;
    }
    for name in &mut names {
        // Spaces at the end of an attribute's key belong to the key.
        let trimmed = name.trim_start();
        let trimmed = if trimmed.starts_with(ATTRIBUTE_PREFIX) { trimmed } else { trimmed.trim_end() };
        *name = trimmed.to_owned();
    }
    Some(names)
}

fn name_hint(name: &str, known: impl IntoIterator<Item = &'static str>) -> String {
    let nearest = nearest(name, known);
    nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default()
}

pub(crate) fn write_facets(row: &Parameter, parsed: &ParsedSearch, query: &mut String) {
    let fields = parsed.request.facets.iter().map(|field| escape_name(&field.to_string()));
    let names: Vec<String> =
        parsed.auto_facets.then(|| AUTO_FACETS.to_owned()).into_iter().chain(fields).collect();
    if !names.is_empty() {
        push_pair(query, row.name, &names.join(","));
    }
}

pub(crate) fn read_fields(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let Kind::Names { max_items, .. } = row.kind else { return };
    let Some(names) = read_names(row, "fields", reader) else { return };
    let (mut fields, mut unknown) = (Vec::new(), 0);
    for name in &names {
        let field = ChosenField::parse(name).ok_or_else(|| {
            let known: Vec<&str> = ChosenField::names().collect();
            format!("must be one of {} or `attributes.KEY`", known.join(", "))
        });
        let field = field.and_then(|field| match &field {
            ChosenField::Attribute(key) => check_key(key).map(|()| field),
            ChosenField::Whole(_) => Ok(field),
        });
        match field {
            Ok(field) if fields.contains(&field) => {}
            Ok(field) => fields.push(field),
            Err(message) => {
                unknown += 1;
                let known = ChosenField::names();
                let hint = if unknown <= MAX_HINTS { name_hint(name, known) } else { String::new() };
                let message = format!("{message}, not `{}`{hint}", excerpt(name));
                reader.fault(row.name, FaultKind::Unknown, message);
            }
        }
    }
    reader.at_most(row.name, "fields", fields.len(), max_items);
    draft.parsed.fields = fields;
}

pub(crate) fn write_fields(row: &Parameter, parsed: &ParsedSearch, query: &mut String) {
    let names: Vec<String> = parsed.fields.iter().map(|field| escape_name(&field.to_string())).collect();
    if !names.is_empty() {
        push_pair(query, row.name, &names.join(","));
    }
}

/// Splits at commas, except after a backslash: keys of attributes may contain commas.
pub(crate) fn split_names(text: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next_if(|next| matches!(next, ',' | '\\')) } else { None };
        match (c, names.last_mut()) {
            (',', _) => names.push(String::new()),
            (c, Some(name)) => name.push(escaped.unwrap_or(c)),
            (_, None) => {}
        }
    }
    names
}

/// Escapes a name so that [`split_names`] returns it unchanged.
pub(crate) fn escape_name(name: &str) -> String {
    name.replace('\\', r"\\").replace(',', r"\,")
}

// Order and page.

pub(crate) fn read_sort(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let Some(text) = reader.one(row.name) else { return };
    let names = || Sort::FIXED.map(|(name, _)| format!("`{name}`")).join(", ");
    let sort = Sort::parse(&text)
        .ok_or_else(|| format!("must be one of {}, `attributes.KEY`, or `attributes.KEY_desc`", names()));
    let sort = sort.and_then(|sort| match &sort {
        Sort::Attribute { key, .. } => check_key(key).map(|()| sort),
        _ => Ok(sort),
    });
    draft.sort = sort.map_err(|message| reader.fault(row.name, FaultKind::Malformed, message)).ok();
    draft.parsed.request.sort = draft.sort.clone().unwrap_or_default();
}

pub(crate) fn write_sort(row: &Parameter, parsed: &ParsedSearch, query: &mut String) {
    let sort = &parsed.request.sort;
    if *sort != Sort::default() {
        push_pair(query, row.name, &sort.to_string());
    }
}

pub(crate) fn read_page(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    draft.page = number(row, reader);
    let (page, size) = (draft.page.unwrap_or(1), draft.parsed.request.page.size);
    draft.parsed.request.page.start = PageStart::Number(page);
    if page * size > MAX_PAGED_PRODUCTS {
        let message = format!(
            "must be at most {} with {size} products a page; to go further, send the `nextCursor` of a page as \
             `cursor`",
            MAX_PAGED_PRODUCTS / size
        );
        reader.fault(row.name, FaultKind::OutOfRange, message);
    }
}

pub(crate) fn write_page(row: &Parameter, parsed: &ParsedSearch, query: &mut String) {
    match parsed.request.page.start {
        PageStart::Number(1) | PageStart::After(_) => {}
        PageStart::Number(number) => push_pair(query, row.name, &number.to_string()),
    }
}

pub(crate) fn read_cursor(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let Some(text) = reader.one(row.name) else { return };
    if draft.page.is_some() {
        let message = "cannot be combined with `page`: both say where to begin; give one of them";
        reader.fault(row.name, FaultKind::Repeated, message);
    }
    let Some(cursor) = Cursor::decode(&text).filter(Cursor::is_valid) else {
        let message = "is not the `nextCursor` of a search";
        return reader.fault(row.name, FaultKind::Malformed, message);
    };
    if draft.sort.as_ref().is_some_and(|sort| *sort != cursor.sort) {
        let message = "belongs to a list in another order; leave it out, or keep the `sortBy` of that list";
        reader.fault(row.name, FaultKind::Malformed, message);
    }
    draft.parsed.request.sort = cursor.sort.clone();
    draft.parsed.request.page.start = PageStart::After(cursor);
}

pub(crate) fn write_cursor(row: &Parameter, parsed: &ParsedSearch, query: &mut String) {
    if let PageStart::After(cursor) = &parsed.request.page.start {
        push_pair(query, row.name, &cursor.encode());
    }
}

// Reading one's own writes.

pub(crate) fn read_sync_tokens(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let tokens = reader.all(row.name);
    match RequiredVersions::parse(tokens.iter().map(String::as_str)) {
        Ok(required) => draft.parsed.required = required.with_timeout_of(&draft.parsed.required),
        Err((kind, message)) => reader.fault(row.name, kind, message),
    }
}

pub(crate) fn read_sync_timeout(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let Kind::Seconds { max, .. } = row.kind else { return };
    let Some(text) = reader.one(row.name) else { return };
    // Rust also parses `inf`, `nan` and a leading `+`, which JSON does not allow.
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let seconds = text.parse::<f64>().ok().filter(|_| is_number);
    // Compared before rounding to nanoseconds, which could accept a value slightly above the maximum.
    let within = seconds.filter(|seconds| *seconds <= max.as_secs_f64());
    match within.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()) {
        Some(timeout) => draft.parsed.required = std::mem::take(&mut draft.parsed.required).within(timeout),
        None => {
            let kind = if seconds.is_some() { FaultKind::OutOfRange } else { FaultKind::Malformed };
            let message = format!("must be seconds from 0 to {}, such as 0.5", max.as_secs());
            reader.fault(row.name, kind, message);
        }
    }
}

// Lists.

pub(crate) fn read_prefix(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    draft.parsed.prefix = reader.one(row.name).unwrap_or_default();
    reader.at_most(row.name, "characters", draft.parsed.prefix.chars().count(), MAX_QUERY_CHARS);
}

pub(crate) fn read_limit(row: &Parameter, reader: &mut ParameterReader, draft: &mut Draft) {
    let Kind::Number { default, .. } = row.kind else { return };
    draft.parsed.limit = number(row, reader).or(default).unwrap_or_default();
}
