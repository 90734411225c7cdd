//! The elements of a product in XML, and what their attributes say.

use std::collections::BTreeSet;

use domain::Currency;
use quick_xml::XmlVersion;
use quick_xml::events::BytesStart;

/// Elements that hold an attribute of the product, whose name is in an attribute of XML: `<param name="Colour">red</param>`.
const NAMED_ELEMENTS: [&str; 9] = [
    "param",
    "parameter",
    "attribute",
    "property",
    "feature",
    "spec",
    "option",
    "characteristic",
    "custom_attribute",
];
/// Attributes with that name.
const NAMES: [&str; 4] = ["name", "key", "code", "label"];
/// Attributes with the currency of a price.
const CURRENCIES: [&str; 4] = ["currency", "currencyid", "currency_id", "currencycode"];
/// Attributes with an address, for elements without a text.
const ADDRESSES: [&str; 3] = ["href", "url", "src"];
/// The most names of attributes that are kept for the warning.
const MAX_UNREAD: usize = 10;

/// An open element.
#[derive(Debug, Default)]
pub(super) struct Element {
    /// Its local name.
    pub(super) name: String,
    /// True if it has a prefix, such as `g:title`.
    pub(super) is_prefixed: bool,
    /// The attribute of the product that it holds.
    pub(super) names: Option<String>,
    /// The currency of its price.
    pub(super) currency: Option<Currency>,
}

/// Attributes of XML that say nothing about the product, as `element@attribute`.
pub(super) type Unread = BTreeSet<String>;

impl Element {
    /// Reads a tag. Returns the attributes that become values, each with its name.
    pub(super) fn of(
        tag: &BytesStart<'_>,
        is_product: bool,
        unread: &mut Unread,
    ) -> (Self, Vec<(String, String)>) {
        let mut element = Self {
            name: tag.local_name().as_ref().to_owned(),
            is_prefixed: tag.name().prefix().is_some(),
            ..Self::default()
        };
        let mut values = Vec::new();
        let is_named = NAMED_ELEMENTS.iter().any(|name| name.eq_ignore_ascii_case(&element.name));
        for attribute in tag.attributes().flatten() {
            let key: &str = attribute.key.as_ref();
            let lower = key.to_ascii_lowercase();
            let Ok(value) = attribute.normalized_value(XmlVersion::Implicit1_0) else { continue };
            let value = value.trim().to_owned();
            let currency = || Currency::parse(&value.to_ascii_uppercase()).ok();
            if value.is_empty() || lower.starts_with("xml") || lower.starts_with("xsi:") {
                continue;
            }
            if is_product {
                values.push((key.rsplit(':').next().unwrap_or(key).to_owned(), value));
            } else if is_named && element.names.is_none() && NAMES.contains(&lower.as_str()) {
                element.names = Some(value);
            } else if CURRENCIES.contains(&lower.as_str()) && currency().is_some() {
                element.currency = currency();
            } else if ADDRESSES.contains(&lower.as_str()) && values.is_empty() {
                values.push((element.name.clone(), value));
            } else if unread.len() < MAX_UNREAD {
                unread.insert(format!("{}@{key}", element.name));
            }
        }
        (element, values)
    }

    /// Returns the text with the currency of the element, unless it names one itself.
    pub(super) fn with_currency(&self, text: &str) -> String {
        match self.currency {
            Some(currency) if !text.contains(char::is_alphabetic) => format!("{text} {currency}"),
            _ => text.to_owned(),
        }
    }
}
