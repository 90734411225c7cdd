//! The filters of a boost: the same as those of a search.

use std::collections::BTreeMap;

use domain::input::{MAX_KEY_CHARS, MAX_LABEL_CHARS};
use domain::search::{AttributeFilter, Filters, MAX_FILTERS};
use domain::{CategoryPath, Currency, PriceRange};
use toml::Spanned;
use toml::de::DeValue;

use crate::fault::FaultLog;
use crate::reader::{Section, Value, flag, label, number, one_or_more, section, text, wrong_kind};

/// The most characters of a category, and of the value of an attribute.
const MAX_VALUE_CHARS: usize = 1000;

/// The products that a boost moves.
#[derive(Debug, Default)]
pub(crate) struct BoostFilters {
    pub(crate) filters: Filters,
    /// The currency of the price filter; `None` without one.
    pub(crate) currency: Option<Currency>,
}

/// Reads a table of filters. Prices without a currency are in `default_currency`.
pub(crate) fn read(
    mut table: Section<'_>,
    default_currency: Currency,
    faults: &mut FaultLog,
) -> BoostFilters {
    let before = faults.len();
    let label = |value: &Value<'_>, faults: &mut FaultLog| text(value, MAX_LABEL_CHARS, faults);
    let filters = Filters {
        category: values(table.take("category"), faults, category),
        brand: values(table.take("brand"), faults, label),
        tags: values(table.take("tags"), faults, label),
        price: Vec::new(),
        in_stock: table.take("inStock").and_then(|value| flag(&value, faults)),
        attributes: table.take("attributes").map(|value| attributes(value, faults)).unwrap_or_default(),
    };
    let (price, currency) = prices(&mut table, default_currency, faults);
    let filters = Filters { price, ..filters };
    match filters.count() {
        // A table whose values are all faulty is not empty.
        0 if faults.len() == before => {
            faults.add(&table.header, "filters nothing; name a brand, a tag, a price, …")
        }
        count if count > MAX_FILTERS => {
            faults.add(&table.header, format!("has {count} values; write at most {MAX_FILTERS}"));
        }
        _ => {}
    }
    table.finish(faults);
    BoostFilters { filters, currency }
}

/// Reads one value or a list of distinct values.
fn values<T: PartialEq>(
    value: Option<Value<'_>>,
    faults: &mut FaultLog,
    read: impl Fn(&Value<'_>, &mut FaultLog) -> Option<T>,
) -> Vec<T> {
    let mut values = Vec::new();
    for value in
        value.into_iter().flat_map(|value| one_or_more(value, MAX_FILTERS, faults)).collect::<Vec<_>>()
    {
        values.extend(read(&value, faults).filter(|value| !values.contains(value)));
    }
    values
}

fn category(value: &Value<'_>, faults: &mut FaultLog) -> Option<CategoryPath> {
    let path = text(value, MAX_VALUE_CHARS, faults)?;
    CategoryPath::parse(&path).map_err(|message| faults.add(&value.span(), message)).ok()
}

/// Reads the price ranges and their currency. With a faulty currency the form of the ranges is still checked.
fn prices(
    table: &mut Section<'_>,
    default_currency: Currency,
    faults: &mut FaultLog,
) -> (Vec<PriceRange>, Option<Currency>) {
    let given = table.take("currency");
    let currency = given.as_ref().map_or(Some(default_currency), |value| {
        let code = text(value, MAX_LABEL_CHARS, faults)?;
        Currency::parse(&code).map_err(|error| faults.add(&value.span(), error.to_string())).ok()
    });
    let ranges = table.take("priceRange");
    if let (Some(given), None) = (&given, &ranges) {
        faults.add(&given.span(), "has no effect without `priceRange`; remove it");
    }
    let prices = values(ranges, faults, |value, faults| {
        let range = text(value, MAX_LABEL_CHARS, faults)?;
        let range = PriceRange::parse(&range, currency.unwrap_or(default_currency));
        range.map_err(|error| faults.add(&value.span(), error.to_string())).ok()
    });
    let currency = currency.filter(|_| !prices.is_empty());
    (prices, currency)
}

fn attributes(value: Value<'_>, faults: &mut FaultLog) -> BTreeMap<String, Vec<AttributeFilter>> {
    let mut attributes = BTreeMap::new();
    for (key, value) in section(value, faults).into_iter().flat_map(Section::into_entries) {
        let filters = values(Some(value), faults, attribute);
        let key = Spanned::new(key.span(), key.get_ref().as_str());
        if let Some(key) = label(&key, MAX_KEY_CHARS, faults) {
            attributes.insert(key, filters);
        }
    }
    attributes
}

/// Reads a text, `min..max`, a number, or a flag.
fn attribute(value: &Value<'_>, faults: &mut FaultLog) -> Option<AttributeFilter> {
    let equals = |text: String| Some(AttributeFilter::Equals(text));
    match value.get_ref() {
        DeValue::Boolean(flag) => equals(flag.to_string()),
        // Keeps all digits, as products do.
        DeValue::Integer(number) if number.radix() == 10 => equals(number.as_str().to_owned()),
        DeValue::Float(_) => number(value, faults).and_then(|number| equals(number.to_string())),
        DeValue::String(_) => {
            let filter = AttributeFilter::parse(&text(value, MAX_VALUE_CHARS, faults)?);
            filter.map_err(|message| faults.add(&value.span(), message)).ok()
        }
        _ => wrong_kind(value, "a text, a number, `true` or `false`", faults),
    }
}
