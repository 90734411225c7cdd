//! Filters of boosts: those that a search has as parameters.

use std::collections::BTreeMap;

use domain::input::{MAX_KEY_CHARS, MAX_LABEL_CHARS};
use domain::search::{AttributeFilter, Filters, MAX_FILTERS};
use domain::{CategoryPath, Currency, PriceRange};
use toml::Spanned;
use toml::de::DeValue;

use crate::fault::Found;
use crate::reader::{Section, Value, flag, label, number, one_or_more, section, text, wrong_kind};

/// The most characters of a category, and of the value of an attribute.
const MAX_VALUE_CHARS: usize = 1000;

/// Which products a boost moves.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub(crate) filters: Filters,
    /// The currency of their prices; none where their price does not matter.
    pub(crate) currency: Option<Currency>,
}

/// Reads a table of filters; prices without a currency are in `default_currency`.
pub(crate) fn read(mut table: Section<'_>, default_currency: Currency, found: &mut Found) -> Moved {
    let before = found.len();
    let label = |value: &Value<'_>, found: &mut Found| text(value, MAX_LABEL_CHARS, found);
    let filters = Filters {
        category: values(table.take("category"), found, category),
        brand: values(table.take("brand"), found, label),
        tags: values(table.take("tags"), found, label),
        price: Vec::new(),
        in_stock: table.take("inStock").and_then(|value| flag(&value, found)),
        attributes: table.take("attributes").map(|value| attributes(value, found)).unwrap_or_default(),
    };
    let (price, currency) = prices(&mut table, default_currency, found);
    let filters = Filters { price, ..filters };
    match filters.count() {
        // One whose values are faulty is not empty.
        0 if found.len() == before => {
            found.add(&table.at, "filters nothing; name a brand, a tag, a price, …")
        }
        count if count > MAX_FILTERS => {
            found.add(&table.at, format!("has {count} values; write at most {MAX_FILTERS}"));
        }
        _ => {}
    }
    table.end(found);
    Moved { filters, currency }
}

/// One value or a list of them, each once.
fn values<T: PartialEq>(
    value: Option<Value<'_>>,
    found: &mut Found,
    read: impl Fn(&Value<'_>, &mut Found) -> Option<T>,
) -> Vec<T> {
    let mut values = Vec::new();
    for value in
        value.into_iter().flat_map(|value| one_or_more(value, MAX_FILTERS, found)).collect::<Vec<_>>()
    {
        values.extend(read(&value, found).filter(|value| !values.contains(value)));
    }
    values
}

fn category(value: &Value<'_>, found: &mut Found) -> Option<CategoryPath> {
    let path = text(value, MAX_VALUE_CHARS, found)?;
    CategoryPath::parse(&path).map_err(|message| found.add(&value.span(), message)).ok()
}

/// Where the currency is at fault, the form of a range can still be checked.
fn prices(
    table: &mut Section<'_>,
    default_currency: Currency,
    found: &mut Found,
) -> (Vec<PriceRange>, Option<Currency>) {
    let given = table.take("currency");
    let currency = given.as_ref().map_or(Some(default_currency), |value| {
        let code = text(value, MAX_LABEL_CHARS, found)?;
        Currency::parse(&code).map_err(|error| found.add(&value.span(), error.to_string())).ok()
    });
    let ranges = table.take("priceRange");
    if let (Some(given), None) = (&given, &ranges) {
        found.add(&given.span(), "stands without a `priceRange`; leave it out");
    }
    let prices = values(ranges, found, |value, found| {
        let range = text(value, MAX_LABEL_CHARS, found)?;
        let range = PriceRange::parse(&range, currency.unwrap_or(default_currency));
        range.map_err(|error| found.add(&value.span(), error.to_string())).ok()
    });
    let currency = currency.filter(|_| !prices.is_empty());
    (prices, currency)
}

fn attributes(value: Value<'_>, found: &mut Found) -> BTreeMap<String, Vec<AttributeFilter>> {
    let mut attributes = BTreeMap::new();
    for (key, value) in section(value, found).into_iter().flat_map(Section::into_entries) {
        let filters = values(Some(value), found, attribute);
        let key = Spanned::new(key.span(), key.get_ref().as_str());
        if let Some(key) = label(&key, MAX_KEY_CHARS, found) {
            attributes.insert(key, filters);
        }
    }
    attributes
}

/// A text, `min..max`, a number, or true or false.
fn attribute(value: &Value<'_>, found: &mut Found) -> Option<AttributeFilter> {
    let equals = |text: String| Some(AttributeFilter::Equals(text));
    match value.get_ref() {
        DeValue::Boolean(flag) => equals(flag.to_string()),
        // With all its digits, as products have it.
        DeValue::Integer(number) if number.radix() == 10 => equals(number.as_str().to_owned()),
        DeValue::Float(_) => number(value, found).and_then(|number| equals(number.to_string())),
        DeValue::String(_) => {
            let filter = AttributeFilter::parse(&text(value, MAX_VALUE_CHARS, found)?);
            filter.map_err(|message| found.add(&value.span(), message)).ok()
        }
        _ => wrong_kind(value, "a text, a number, `true` or `false`", found),
    }
}
