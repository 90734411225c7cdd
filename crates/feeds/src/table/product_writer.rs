//! Writes the product of a row as JSON.

use std::collections::HashSet;

use domain::input::MAX_LIST_LENGTH;
use domain::{Currency, Fault, FaultKind, ProductId};

use super::category_list::Chosen;
use super::cell_values::{restored, split_list};
use super::currency_signs::NamedCurrency;
use super::product_row::{FamilyRow, ProductRow, text};
use super::role::Role;
use crate::identity::{ARTICLE_NUMBERS, IdOrigin};
use crate::json::{list_json, text_json, write_field, write_key};
use crate::record::Rejected;

impl ProductRow<'_, '_> {
    /// Writes the product.
    ///
    /// # Errors
    /// The faults of its cells.
    pub(super) fn finish(mut self, row: &FamilyRow<'_>) -> Result<Vec<u8>, Rejected> {
        self.group = row.group.map(str::to_owned).or(self.group);
        for (name, value) in std::mem::take(&mut self.options).into_values() {
            let is_placeholder =
                name.eq_ignore_ascii_case("title") && value.eq_ignore_ascii_case("default title");
            if !name.is_empty() && !value.is_empty() && !is_placeholder {
                self.attributes.push((name, option_json(&value, row.group.is_some())));
            }
        }
        let chosen = std::mem::take(&mut self.prices).choose(&self.plan.today);
        if chosen.has_unreadable_day {
            self.notes.add("the days of the sale cannot be read, so the price is the regular one", self.line);
        }
        self.attributes.extend(chosen.attribute.map(|(name, number)| (name.to_owned(), number)));
        if let Some(description) = self.short_description.take() {
            self.add_text("description", &description);
        }
        self.settle_currency();
        self.add_id(row);
        if !self.faults.is_empty() {
            let text =
                |wanted| self.texts.iter().find(|(field, _)| *field == wanted).map(|(_, text)| text.clone());
            return Err(Rejected {
                id: text("id"),
                sku: text("sku"),
                origin: IdOrigin::Given,
                faults: self.faults,
            });
        }
        let mut out = vec![b'{'];
        for (field, value) in &self.texts {
            write_field(field, &text_json(value), &mut out);
        }
        self.write_categories(&mut out);
        self.write_lists(&mut out);
        self.write_images(&mut out);
        let numbers = [("price", &chosen.price), ("stock", &self.stock)];
        for (field, number) in
            numbers.into_iter().filter_map(|(field, number)| Some((field, number.as_ref()?)))
        {
            write_field(field, number, &mut out);
        }
        if let Some(status) = self.status.filter(|_| !self.texts.iter().any(|(field, _)| *field == "status"))
        {
            write_field("status", &text_json(status), &mut out);
        }
        self.write_attributes(&mut out);
        out.push(b'}');
        Ok(out)
    }

    /// Gives the product the currency that its prices name. A price in another one is a fault.
    fn settle_currency(&mut self) {
        let given = self.texts.iter().find(|(field, _)| *field == "currency");
        let given = given.map(|(_, code)| Currency::parse(&code.to_ascii_uppercase()).ok());
        let named = std::mem::take(&mut self.named_currencies);
        let own = named.iter().find_map(|(_, named)| match named {
            NamedCurrency::One(currency) => Some(*currency),
            NamedCurrency::Several(..) => None,
        });
        // Validation reports an invalid currency.
        let Some(expected) = given.or(own.map(Some)).unwrap_or(self.plan.currency) else {
            return named.iter().for_each(|(column, named)| self.check_sign(column, *named));
        };
        for (column, named) in &named {
            match named {
                _ if named.fits(expected) => {}
                NamedCurrency::One(other) => self.currency_fault(
                    column,
                    format!("is in {other}, but the product is in {expected}; give all prices and the currency of a product in one"),
                ),
                NamedCurrency::Several(sign, _) => self.currency_fault(
                    column,
                    format!("has the sign `{sign}`, which is not that of {expected}; name the currency by its code"),
                ),
            }
        }
        match own.filter(|_| given.is_none()) {
            Some(own) => self.add_text("currency", own.code()),
            None if given.is_none() && !named.is_empty() && self.faults.is_empty() => {
                self.notes.add("the sign of the currency is read as that of the catalogue", self.line);
            }
            None => {}
        }
    }

    /// Checks the sign of a price where the currency of the catalogue is not known.
    fn check_sign(&mut self, column: &str, named: NamedCurrency) {
        if let NamedCurrency::Several(sign, codes) = named
            && sign != "$"
        {
            let codes = codes.join(" or ");
            self.currency_fault(
                column,
                format!("has the sign `{sign}`, which is that of {codes}; name the currency by its code"),
            );
        }
    }

    fn currency_fault(&mut self, column: &str, message: String) {
        self.faults.push(Fault::new(column, FaultKind::Malformed, message));
    }

    /// Gives a product of a format without ids its sku as id, or its group and options.
    fn add_id(&mut self, row: &FamilyRow<'_>) {
        if !self.plan.mapping.id_is_sku || self.texts.iter().any(|(field, _)| *field == "id") {
            return;
        }
        let sku = self.texts.iter().find(|(field, _)| *field == "sku").map(|(_, sku)| sku.clone());
        let id = sku.filter(|sku| ProductId::parse(sku).is_ok()).or_else(|| {
            let has_sku = self.texts.iter().any(|(field, _)| *field == "sku");
            let handle = self
                .attributes
                .iter()
                .find(|(key, _)| key == "handle")
                .map(|(_, json)| json.trim_matches('"'));
            let group = row.group.or(self.group.as_deref()).or(handle).filter(|_| !has_sku)?;
            let options = self.plan.columns.iter().zip(row.cells);
            let options = options.filter(|(column, _)| matches!(column.role, Role::OptionValue(_)));
            let parts = options
                .map(|(_, cell)| text(cell))
                .filter(|cell| !cell.is_empty() && !cell.eq_ignore_ascii_case("default title"));
            let id = std::iter::once(group).chain(parts).collect::<Vec<_>>().join("-");
            let id: String = id.chars().map(|c| if c == ' ' || c == '/' { '-' } else { c }).collect();
            ProductId::parse(&id).is_ok().then_some(id)
        });
        if let Some(id) = id {
            self.texts.insert(0, ("id", id));
        }
    }

    /// Writes the category, unless it is among the texts, and all categories if there are several. Those that a product cannot
    /// have become an attribute.
    fn write_categories(&mut self, out: &mut Vec<u8>) {
        let written =
            self.texts.iter().find(|(field, _)| *field == "category").map(|(_, main)| main.as_str());
        let Chosen { categories, others } = std::mem::take(&mut self.categories).choose(written);
        if let Some(main) = categories.first().filter(|_| written.is_none()) {
            write_field("category", &text_json(main), out);
        }
        if categories.len() > 1 {
            write_field("categories", &list_json(&categories), out);
        }
        if !others.is_empty() {
            self.notes.add("has too many categories; the others are in attributes.categories", self.line);
            self.attributes.push(("categories".to_owned(), list_json(&others)));
        }
    }

    /// Writes the lists. What is above the limit of a list becomes an attribute, unless the row has one of that name.
    fn write_lists(&mut self, out: &mut Vec<u8>) {
        for (field, mut list) in std::mem::take(&mut self.lists) {
            let others = list.split_off(list.len().min(MAX_LIST_LENGTH));
            write_field(field, &list_json(&list), out);
            if !others.is_empty() {
                let note =
                    format!("has more than {MAX_LIST_LENGTH} {field}; the others are in attributes.{field}");
                self.notes.add(&note, self.line);
                self.attributes.push((field.to_owned(), list_json(&others)));
            }
        }
    }

    /// Writes addresses as images, as many as a product can have. Paths are no addresses and become an attribute.
    fn write_images(&mut self, out: &mut Vec<u8>) {
        let mut seen = HashSet::new();
        let mut images = std::mem::take(&mut self.images);
        images.retain(|image| seen.insert(image.clone()));
        let Some(prefix) = &self.plan.mapping.image_prefix else {
            return self.write_addresses(images, out);
        };
        let (paths, addresses): (Vec<_>, Vec<_>) =
            images.into_iter().partition(|image| !image.contains("://"));
        self.write_addresses(addresses, out);
        if !paths.is_empty() {
            let paths: Vec<String> =
                paths.iter().map(|path| format!("{prefix}/{}", path.trim_start_matches('/'))).collect();
            self.attributes.push(("image_paths".to_owned(), list_json(&paths)));
        }
    }

    /// Writes the images, up to the limit.
    fn write_addresses(&mut self, mut addresses: Vec<String>, out: &mut Vec<u8>) {
        if addresses.len() > MAX_LIST_LENGTH {
            self.notes.add(
                &format!(
                    "has more than {MAX_LIST_LENGTH} images; only the first {MAX_LIST_LENGTH} are imported"
                ),
                self.line,
            );
            addresses.truncate(MAX_LIST_LENGTH);
        }
        if !addresses.is_empty() {
            write_field("images", &list_json(&addresses), out);
        }
    }

    fn write_attributes(&mut self, out: &mut Vec<u8>) {
        let mut attributes = vec![b'{'];
        let group = self.group.take().map(|group| ("item_group_id".to_owned(), text_json(&group)));
        let mut seen = HashSet::new();
        for (key, json) in group.into_iter().chain(std::mem::take(&mut self.attributes)) {
            // An id may be derived from article numbers, so they stay fields of the record.
            let is_top_level = ARTICLE_NUMBERS.contains(&key.as_str()) || key == "model";
            if seen.insert(key.clone()) {
                write_field(&key, &json, if is_top_level { &mut *out } else { &mut attributes });
            }
        }
        if attributes.len() > 1 {
            attributes.push(b'}');
            write_key("attributes", out);
            out.append(&mut attributes);
        }
    }
}

/// Returns the value of an option: one text for a variant, or the list of all that a product comes in.
fn option_json(value: &str, is_variant: bool) -> String {
    let values: Vec<String> = split_list(value, ",").into_iter().map(restored).collect();
    match is_variant || values.len() < 2 {
        true => text_json(&restored(value.to_owned())),
        false => list_json(&values),
    }
}
