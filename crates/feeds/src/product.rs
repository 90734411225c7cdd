//! A product under construction from the fields of a foreign record.

use std::borrow::Cow;
use std::collections::HashSet;

use domain::input::{FIELDS, MAX_KEY_CHARS, READ_ONLY_FIELDS, RawObject};
use domain::{Currency, Fault, FaultKind, Faults};
use serde_json::value::RawValue;

use crate::columns::{beginning_of, is_cost_name};
use crate::identity::{self, IdOrigin};
use crate::json::{is_empty, write_field, write_key};
use crate::publication::{Statement, meaning_of, statement, strictness};
use crate::table::{NamedCurrency, currency_in};
use crate::values::{Categories, field_value, list_of_texts};

/// Depth limit of nested objects, which are flattened to attributes.
const MAX_NESTING: usize = 8;

/// A product as JSON, with an id.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) json: Vec<u8>,
    /// The JSON of its id.
    pub(crate) id: String,
    pub(crate) origin: IdOrigin,
}

/// Collects the fields and attributes of a product, each as JSON.
#[derive(Default)]
pub(crate) struct ProductBuilder<'a> {
    fields: Vec<(&'static str, Cow<'a, str>)>,
    categories: Option<&'a RawValue>,
    attributes: Option<&'a RawValue>,
    extras: Vec<(String, Cow<'a, str>)>,
    /// The strictest status of all fields that say whether the product is public.
    status: Option<&'static str>,
    /// The currency that the price names.
    named_currency: Option<NamedCurrency>,
    faults: Faults,
}

/// Returns the statement of a field that says whether a product is public.
pub(crate) fn publication_of(key: &str, json: &str) -> Option<Statement> {
    let meaning = meaning_of(key)?;
    match json.starts_with('"') {
        true => statement(meaning, serde_json::from_str::<Cow<'_, str>>(json).ok()?.trim()),
        false => statement(meaning, json),
    }
}

impl<'a> ProductBuilder<'a> {
    /// Adds a field of the record. A field that a product does not have becomes an attribute.
    pub(crate) fn add(&mut self, key: &'a str, raw: &'a RawValue) {
        if READ_ONLY_FIELDS.contains(&key) {
            return;
        }
        let field = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key));
        if field.is_none()
            && let Some(statement) = publication_of(key, raw.get())
        {
            return self.restrict(statement.status());
        }
        if is_empty(raw) {
            return;
        }
        match field {
            Some(&"attributes") if raw.get().starts_with('{') && self.attributes.is_none() => {
                self.attributes = Some(raw);
            }
            Some(&"categories") => self.categories = Some(raw),
            // Other catalogues mean something else by `source`.
            Some(&"source") if !raw.get().starts_with('"') => self.add_attribute(key, raw, MAX_NESTING),
            Some(&field) => {
                if field == "price" && raw.get().starts_with('"') {
                    self.named_currency = currency_in(raw.get());
                }
                self.fields.push((field, field_value(field, raw)));
            }
            None if is_cost_name(key) => {}
            None => self.add_attribute(key, raw, MAX_NESTING),
        }
    }

    /// Adds a value as an attribute; an object becomes one attribute per field.
    fn add_attribute(&mut self, key: &str, raw: &'a RawValue, nesting: usize) {
        let json = raw.get();
        match json.as_bytes().first() {
            _ if is_empty(raw) => {}
            Some(b'{') if nesting > 0 => {
                let Ok(object) = serde_json::from_str::<RawObject<'_>>(json) else { return };
                for (inner, raw) in object.0.iter().filter(|(_, raw)| !is_empty(raw)) {
                    // Each attribute has the name, so it is checked before they are made.
                    if key.len() > MAX_KEY_CHARS * char::MAX.len_utf8() {
                        let message = "has a name that is too long; shorten it or leave it out";
                        return self.fault(key, FaultKind::OutOfRange, message);
                    }
                    self.add_attribute(&format!("{key}.{inner}"), raw, nesting - 1);
                }
            }
            Some(b'{') => {
                self.fault(key, FaultKind::WrongType, "is nested too deeply; flatten it or leave it out")
            }
            Some(b'[') => match list_of_texts(json) {
                Some(list) => self.extras.push((key.to_owned(), Cow::Owned(list))),
                None => self.fault(
                    key,
                    FaultKind::WrongType,
                    "is a list of lists or objects, which no attribute can hold; flatten it or leave it out",
                ),
            },
            _ => self.extras.push((key.to_owned(), Cow::Borrowed(json))),
        }
    }

    fn fault(&mut self, key: &str, kind: FaultKind, message: &str) {
        self.faults.add(Fault::new(beginning_of(key), kind, message));
    }

    fn restrict(&mut self, status: Option<&'static str>) {
        if strictness(status) > strictness(self.status) {
            self.status = status;
        }
    }

    /// Adds the status, unless the record's own `status` is stricter or invalid. Validation reports an invalid one.
    fn add_status(&mut self) {
        let Some(status) = self.status else { return };
        let json = Cow::Owned(format!("\"{status}\""));
        match self.fields.iter_mut().find(|(field, _)| *field == "status") {
            None => self.fields.push(("status", json)),
            Some((_, own)) if strictness(Some(own.trim_matches('"'))) < strictness(Some(status)) => {
                *own = json
            }
            Some(_) => {}
        }
    }

    /// Gives the product the currency that its price names. A price in another one is a fault.
    fn settle_currency(&mut self, asked: Option<Currency>) {
        let Some(named) = self.named_currency else { return };
        let given = self.fields.iter().find(|(field, _)| *field == "currency");
        let given = given.map(|(_, code)| Currency::parse(code.trim_matches('"')).ok());
        match (named, given.unwrap_or(asked)) {
            (NamedCurrency::One(currency), _) if given.is_none() => {
                self.fields.push(("currency", Cow::Owned(format!("\"{currency}\""))));
            }
            (_, Some(expected)) if !named.fits(expected) => {
                let message = format!(
                    "names another currency than {expected}, that of the product; correct one of them"
                );
                self.faults.add(Fault::new("price", FaultKind::Malformed, message));
            }
            (NamedCurrency::Several(sign, codes), None) if given.is_none() && sign != "$" => {
                let message = format!(
                    "has the sign `{sign}`, which is that of {}; add the currency",
                    codes.join(" or ")
                );
                self.faults.add(Fault::new("price", FaultKind::Malformed, message));
            }
            _ => {}
        }
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| *field == name)
    }

    /// Writes the product.
    ///
    /// # Errors
    /// The faults of values that no attribute can hold.
    pub(crate) fn build(
        mut self,
        object: &RawObject<'_>,
        length: usize,
        currency: Option<Currency>,
    ) -> Result<Built, Faults> {
        self.add_categories(object);
        self.add_status();
        self.settle_currency(currency);
        match currency {
            // A currency without a price has no meaning, and foreign exports write it into every record.
            _ if !self.has("price") => self.fields.retain(|(field, _)| *field != "currency"),
            Some(currency) if !self.has("currency") => {
                self.fields.push(("currency", Cow::Owned(format!("\"{currency}\""))));
            }
            _ => {}
        }
        let given = self.fields.iter().find(|(field, _)| *field == "id").map(|(_, id)| id.to_string());
        let (id, origin) = match given {
            Some(id) => (id, IdOrigin::Given),
            None => {
                let (id, origin) = identity::derive_id(object);
                (format!("\"{id}\""), origin)
            }
        };
        let mut out = Vec::with_capacity(length + 64);
        out.push(b'{');
        if !origin.is_given() {
            write_field("id", &id, &mut out);
        }
        for (field, json) in &self.fields {
            write_field(field, json, &mut out);
        }
        self.write_attributes(&mut out);
        out.push(b'}');
        self.faults.or(Built { json: out, id, origin })
    }

    /// Adds the field `categories` with the meaning that it has in this record.
    fn add_categories(&mut self, object: &RawObject<'_>) {
        let Some(raw) = self.categories.take() else { return };
        let is_own = |key: &str| FIELDS.contains(&key) || READ_ONLY_FIELDS.contains(&key);
        let is_own = object.0.iter().all(|(key, _)| is_own(key));
        let main = self.fields.iter().find(|(field, _)| *field == "category").map(|(_, main)| main.as_ref());
        match Categories::read(raw, main, is_own) {
            Categories::Path(path) => self.fields.push(("category", Cow::Owned(path))),
            Categories::Paths { paths, others } => {
                self.fields.push(("categories", Cow::Owned(paths)));
                self.extras.extend(others.map(|others| ("categories".to_owned(), Cow::Owned(others))));
            }
            Categories::Unclear => self.add_attribute("categories", raw, MAX_NESTING),
        }
    }

    /// Writes the record's own attributes first, then the other fields whose keys are still free.
    fn write_attributes(&mut self, out: &mut Vec<u8>) {
        let mut extras = std::mem::take(&mut self.extras);
        if let Some(attributes) = self.attributes {
            let own: RawObject<'a> = match serde_json::from_str(attributes.get()) {
                Ok(own) => own,
                Err(_) => RawObject(Vec::new()),
            };
            for (key, raw) in own.0 {
                self.add_attribute(&key, raw, MAX_NESTING);
            }
        }
        let own = std::mem::take(&mut self.extras);
        let taken: HashSet<&str> = own.iter().map(|(key, _)| key.as_str()).collect();
        extras.retain(|(key, _)| !taken.contains(key.as_str()));
        if own.is_empty() && extras.is_empty() {
            return;
        }
        write_key("attributes", out);
        out.push(b'{');
        for (key, json) in own.iter().chain(&extras) {
            write_field(key, json, out);
        }
        out.push(b'}');
    }
}
