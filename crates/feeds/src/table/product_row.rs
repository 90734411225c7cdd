//! Turns a row into the JSON of a product.

use std::collections::{BTreeMap, HashSet};

use csv::ByteRecord;
use domain::{Fault, FaultKind, ProductId};

use super::category_list::{CategoryList, Chosen};
use super::cell_values::{
    attribute_json, category_paths, entries, is_scientific, split_addresses, split_list,
};
use super::notes::Notes;
use super::numbers::{Reading, currency_in, read_number};
use super::plan::{Column, Plan};
use super::prices::{Prices, day};
use super::role::Role;
use super::survey::{Availability, availability, flag};
use crate::identity::{ARTICLE_NUMBERS, IdOrigin};
use crate::json::{text_json, write_field, write_key};
use crate::publication::strictness;
use crate::record::Rejected;

/// A row, with what it takes from its parent.
pub(crate) struct FamilyRow<'a> {
    pub(crate) line: u64,
    /// The cells, with those of the parent where the row leaves them out.
    pub(crate) cells: &'a ByteRecord,
    pub(crate) parent: Option<&'a ByteRecord>,
    pub(crate) group: Option<&'a str>,
    pub(crate) images: &'a [String],
}

/// Returns the row as a JSON object.
///
/// # Errors
/// The faults of its cells.
pub(crate) fn product_json(plan: &Plan, row: &FamilyRow<'_>, notes: &mut Notes) -> Result<Vec<u8>, Rejected> {
    let mut product = ProductRow::new(plan, notes, row.line);
    for (column, cell) in plan.columns.iter().zip(row.cells) {
        product.add(column, text(cell), row.parent.is_some());
    }
    for (column, cell) in plan.columns.iter().zip(row.parent.into_iter().flatten()) {
        product.add_from_parent(column, text(cell));
    }
    product.images.extend(row.images.iter().cloned());
    product.finish(row)
}

pub(super) fn text(cell: &[u8]) -> &str {
    // The reader rejects rows that are not UTF-8.
    std::str::from_utf8(cell).unwrap_or_default().trim()
}

/// A product that is put together from cells.
pub(crate) struct ProductRow<'a, 'n> {
    plan: &'a Plan,
    notes: &'n mut Notes,
    line: u64,
    texts: Vec<(&'static str, String)>,
    lists: Vec<(&'static str, Vec<String>)>,
    categories: CategoryList,
    images: Vec<String>,
    prices: Prices,
    stock: Option<String>,
    status: Option<&'static str>,
    attributes: Vec<(String, String)>,
    options: BTreeMap<String, (String, String)>,
    group: Option<String>,
    short_description: Option<String>,
    faults: Vec<Fault>,
}

impl<'a, 'n> ProductRow<'a, 'n> {
    pub(crate) fn new(plan: &'a Plan, notes: &'n mut Notes, line: u64) -> Self {
        Self {
            plan,
            notes,
            line,
            texts: Vec::new(),
            lists: Vec::new(),
            categories: CategoryList::default(),
            images: Vec::new(),
            prices: Prices::default(),
            stock: None,
            status: None,
            attributes: Vec::new(),
            options: BTreeMap::new(),
            group: None,
            short_description: None,
            faults: Vec::new(),
        }
    }

    /// Adds a cell.
    pub(crate) fn add(&mut self, column: &Column, cell: &str, is_variant: bool) {
        if cell.is_empty() {
            return;
        }
        if column.role.is_code() && is_scientific(cell) {
            let message = "was rounded by a spreadsheet; format the column as text and export again";
            self.fault(column, format!("`{cell}` {message}"));
            return;
        }
        let mapping = &self.plan.mapping;
        match &column.role {
            Role::Ignored => {}
            Role::Text("status") => self.add_own_status(cell),
            Role::Text(field) => self.add_text(field, cell),
            Role::ShortDescription => self.short_description = Some(cell.to_owned()),
            Role::List("categories") => {
                self.categories.extend(category_paths(cell, Some(&column.separator), ">", None));
            }
            Role::List(field) => self.lists.push((field, split_list(cell, &column.separator))),
            Role::Category => self.categories.extend(category_paths(
                cell,
                mapping.path_separator.as_deref(),
                mapping.level_separator.as_deref().unwrap_or(">"),
                mapping.category_root.as_deref(),
            )),
            Role::CategoryLevel => {
                let level = mapping.level_separator.as_deref().unwrap_or(">");
                for path in category_paths(cell, None, level, mapping.category_root.as_deref()) {
                    self.categories.add_level(path);
                }
            }
            Role::Images => self.images.extend(split_addresses(cell, &column.separator)),
            Role::Price | Role::SalePrice | Role::CompareAtPrice => self.add_price(column, cell),
            Role::SaleFrom => self.prices.from = Some(cell.to_owned()),
            Role::SaleTo => self.prices.to = Some(cell.to_owned()),
            Role::SaleDates => {
                let (from, to) = cell.split_once('/').unwrap_or((cell, "?"));
                (self.prices.from, self.prices.to) = (Some(from.to_owned()), Some(to.to_owned()));
            }
            Role::Stock => self.add_stock(column, cell),
            Role::Availability => self.add_availability(cell),
            // A variant is not found alone in the shop that it comes from, but it is on sale.
            Role::Publication if is_variant && cell.eq_ignore_ascii_case("Not Visible Individually") => {}
            Role::Publication => self.add_publication(column, cell),
            Role::PublishedAt => self.add_publication_time(cell),
            Role::Deletion => self.check_deletion(column, cell),
            Role::Group => self.group = Some(cell.to_owned()),
            Role::OptionName(at) => self.options.entry(at.clone()).or_default().0 = cell.to_owned(),
            Role::OptionValue(at) => self.options.entry(at.clone()).or_default().1 = cell.to_owned(),
            Role::PackedAttributes => self.add_packed(cell),
            Role::Attribute(key) => self.attributes.push((key.clone(), attribute_json(column, cell))),
        }
    }

    /// Adds what a variant has of its parent beside its own.
    fn add_from_parent(&mut self, column: &Column, cell: &str) {
        match &column.role {
            _ if cell.is_empty() => {}
            Role::PackedAttributes => self.add_packed(cell),
            Role::Images => self.images.extend(split_addresses(cell, &column.separator)),
            Role::Publication => self.add_publication(column, cell),
            Role::Text("status") => self.add_own_status(cell),
            _ => {}
        }
    }

    fn fault(&mut self, column: &Column, message: String) {
        self.faults.push(Fault::new(column.name.clone(), FaultKind::Malformed, message));
    }

    /// Adds a text; of two columns with one field, the first that has a text counts.
    fn add_text(&mut self, field: &'static str, cell: &str) {
        if !self.texts.iter().any(|(known, _)| *known == field) {
            self.texts.push((field, cell.to_owned()));
        }
    }

    /// Reads a number by the decimal mark of its column.
    fn number(&mut self, column: &Column, cell: &str) -> Option<String> {
        match (read_number(cell), column.mark) {
            (Reading::One { digits, .. }, _) => Some(digits),
            (Reading::Two { as_decimal, as_thousands, mark }, Some(decimal)) => {
                Some(if mark == decimal { as_decimal } else { as_thousands })
            }
            (Reading::Two { as_decimal, as_thousands, .. }, None) => {
                self.fault(
                    column,
                    format!(
                        "`{cell}` may be {as_decimal} or {as_thousands}, and the other numbers of the file do not settle \
                         it; say --decimal-comma or --decimal-point"
                    ),
                );
                None
            }
            (Reading::None, _) => {
                self.fault(column, format!("must be a number such as 19.99, not `{}`", shown(cell)));
                None
            }
        }
    }

    fn add_price(&mut self, column: &Column, cell: &str) {
        let Some(number) = self.number(column, cell) else { return };
        if let Some(currency) = column.currency.or_else(|| currency_in(cell)) {
            self.add_text("currency", &currency.to_string());
        }
        match column.role {
            Role::CompareAtPrice => self.attributes.push(("compare_at_price".to_owned(), number)),
            // Of two columns, the first that has a price counts.
            Role::SalePrice => _ = self.prices.sale.get_or_insert(number),
            _ => _ = self.prices.regular.get_or_insert(number),
        }
    }

    fn add_stock(&mut self, column: &Column, cell: &str) {
        let words = cell.contains(|c: char| c.is_alphabetic());
        if words && availability(cell) != Availability::Unknown {
            return self.add_availability(cell);
        }
        let Some(number) = self.number(column, cell) else { return };
        let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
        if fraction.bytes().any(|byte| byte != b'0') {
            self.fault(column, format!("must be a whole number, not `{cell}`"));
        } else if whole.starts_with('-') {
            self.notes.add("a stock below 0 is taken as 0", self.line);
            self.stock = Some("0".to_owned());
        } else if self.stock.is_none() {
            self.stock = Some(whole.to_owned());
        }
    }

    fn add_availability(&mut self, cell: &str) {
        match availability(cell) {
            Availability::Out => self.stock = Some("0".to_owned()),
            Availability::Discontinued => self.restrict(Some("archived")),
            Availability::In | Availability::Unknown => {}
        }
        if cell.contains(|c: char| c.is_alphabetic()) && flag(cell).is_none() {
            self.attributes.push(("availability".to_owned(), text_json(cell)));
        }
    }

    fn add_own_status(&mut self, cell: &str) {
        match ["active", "draft", "archived"].into_iter().find(|status| status.eq_ignore_ascii_case(cell)) {
            Some(status) => self.restrict(Some(status)),
            // Validation says what a status may be.
            None => self.add_text("status", cell),
        }
    }

    fn add_publication(&mut self, column: &Column, cell: &str) {
        match self.plan.mapping.statement(&column.name, cell) {
            Some(statement) => self.restrict(statement.status()),
            None => self.fault(
                column,
                format!(
                    "`{}` does not say whether the product is public; correct it, or add it to the mapping",
                    shown(cell)
                ),
            ),
        }
    }

    /// A product without a time of publication, which is null in JSON, or with one to come is a draft.
    fn add_publication_time(&mut self, cell: &str) {
        if cell == "null" || day(cell).is_some_and(|day| day > self.plan.today) {
            self.restrict(Some("draft"));
        }
    }

    fn check_deletion(&mut self, column: &Column, cell: &str) {
        if cell.eq_ignore_ascii_case("delete") {
            let message =
                "is a row that deletes, which an import of files does not do; delete the product by its id";
            self.fault(column, message.to_owned());
        }
    }

    /// Keeps the stricter of two statuses, so that no draft becomes public.
    fn restrict(&mut self, status: Option<&'static str>) {
        if strictness(status) > strictness(self.status) {
            self.status = status;
        }
    }

    /// Names an option that has no name of its own.
    pub(crate) fn name_option(&mut self, role: &Role, name: &str) {
        let Role::OptionValue(at) = role else { return };
        let option = self.options.entry(at.clone()).or_default();
        if option.0.is_empty() {
            option.0 = name.to_owned();
        }
    }

    /// Gives a variant without an id of its own the key of its product, with a suffix if there are several.
    pub(crate) fn add_variant_id(&mut self, key: Option<&str>, suffix: Option<&str>) {
        let has = |wanted: &str| self.texts.iter().any(|(field, _)| *field == wanted);
        if has("id") || (self.plan.mapping.id_is_sku && has("sku")) {
            return;
        }
        let id = key.into_iter().chain(suffix).collect::<Vec<_>>().join("-");
        if ProductId::parse(&id).is_ok() {
            self.texts.insert(0, ("id", id));
        }
    }

    /// Writes the product of a JSON record.
    ///
    /// # Errors
    /// The faults of its fields.
    pub(crate) fn finish_record(self, group: Option<&str>) -> Result<Vec<u8>, Rejected> {
        let (cells, line) = (ByteRecord::new(), self.line);
        self.finish(&FamilyRow { line, cells: &cells, parent: None, group, images: &[] })
    }

    fn add_packed(&mut self, cell: &str) {
        for (key, value) in entries(cell).into_iter().filter(|(_, value)| !value.is_empty()) {
            let json = match value.contains('|') {
                true => list_json(&split_list(&value, "|")),
                false => text_json(&value),
            };
            self.attributes.push((key, json));
        }
    }

    /// Writes the product.
    ///
    /// # Errors
    /// The faults of its cells.
    fn finish(mut self, row: &FamilyRow<'_>) -> Result<Vec<u8>, Rejected> {
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
        for (field, list) in &self.lists {
            write_field(field, &list_json(list), &mut out);
        }
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

    /// Writes addresses as images. Paths are no addresses and become an attribute.
    fn write_images(&mut self, out: &mut Vec<u8>) {
        let mut seen = HashSet::new();
        let mut images = std::mem::take(&mut self.images);
        images.retain(|image| seen.insert(image.clone()));
        let Some(prefix) = &self.plan.mapping.image_prefix else {
            if !images.is_empty() {
                write_field("images", &list_json(&images), out);
            }
            return;
        };
        let (paths, addresses): (Vec<_>, Vec<_>) =
            images.into_iter().partition(|image| !image.contains("://"));
        if !addresses.is_empty() {
            write_field("images", &list_json(&addresses), out);
        }
        if !paths.is_empty() {
            let paths: Vec<String> =
                paths.iter().map(|path| format!("{prefix}/{}", path.trim_start_matches('/'))).collect();
            self.attributes.push(("image_paths".to_owned(), list_json(&paths)));
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
    let values = split_list(value, ",");
    match is_variant || values.len() < 2 {
        true => text_json(value),
        false => list_json(&values),
    }
}

fn list_json(list: &[String]) -> String {
    serde_json::Value::from(list).to_string()
}

fn shown(cell: &str) -> String {
    cell.chars().take(40).collect()
}
