//! Turns a row into a product, cell by cell.

use std::collections::BTreeMap;

use csv::ByteRecord;
use domain::{Fault, FaultKind, ProductId};

use super::category_list::CategoryList;
use super::cell_values::{
    attribute_json, category_paths, entries, is_scientific, named_options, protect, restored,
    split_addresses, split_list, with_line_breaks,
};
use super::currency_signs::{NamedCurrency, currency_in};
use super::notes::Notes;
use super::numbers::{Reading, read_number};
use super::plan::{Column, Plan};
use super::prices::Prices;
use super::role::Role;
use super::survey::{Availability, availability, flag};
use crate::columns::REPEATED;
use crate::day::day;
use crate::json::{list_json, text_json};
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
    pub(super) plan: &'a Plan,
    pub(super) notes: &'n mut Notes,
    pub(super) line: u64,
    pub(super) texts: Vec<(&'static str, String)>,
    pub(super) lists: Vec<(&'static str, Vec<String>)>,
    pub(super) categories: CategoryList,
    pub(super) images: Vec<String>,
    pub(super) prices: Prices,
    pub(super) stock: Option<String>,
    pub(super) status: Option<&'static str>,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) options: BTreeMap<String, (String, String)>,
    pub(super) group: Option<String>,
    pub(super) short_description: Option<String>,
    /// The currencies that prices name, with their columns.
    pub(super) named_currencies: Vec<(String, NamedCurrency)>,
    pub(super) faults: Vec<Fault>,
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
            named_currencies: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Adds a cell.
    pub(crate) fn add(&mut self, column: &Column, cell: &str, is_variant: bool) {
        if cell.is_empty() {
            return;
        }
        let cell = self.first_of(column, cell);
        let cell = column.role.without_mark(cell);
        let protected = self.plan.mapping.backslash_escapes.then(|| protect(cell));
        let cell = protected.as_deref().unwrap_or(cell);
        if is_scientific(cell) && column.role.may_be_code() {
            let message = "was rounded by a spreadsheet; format the column as text and export again";
            self.fault(column, format!("`{cell}` {message}"));
            return;
        }
        let mapping = &self.plan.mapping;
        match &column.role {
            Role::Ignored => {}
            Role::Text("status") => self.add_own_status(cell),
            Role::Text("description") => self.add_text("description", &self.unescaped(cell)),
            Role::Text(field) => self.add_text(field, cell),
            Role::ShortDescription => self.short_description = Some(self.unescaped(cell)),
            Role::List("categories") => {
                let paths = |part| category_paths(part, Some(&column.separator), ">", None);
                self.categories.extend(cell.split(REPEATED).flat_map(paths));
            }
            Role::List(field) => {
                let values = cell.split(REPEATED).flat_map(|part| split_list(part, &column.separator));
                self.lists.push((field, values.map(restored).collect()));
            }
            Role::Category => {
                let (path, level) = (mapping.path_separator.as_deref(), mapping.level_separator.as_deref());
                let paths =
                    |part| category_paths(part, path, level.unwrap_or(">"), mapping.category_root.as_deref());
                self.categories.extend(cell.split(REPEATED).flat_map(paths).map(restored));
            }
            Role::CategoryLevel => {
                let level = mapping.level_separator.as_deref().unwrap_or(">");
                for path in category_paths(cell, None, level, mapping.category_root.as_deref()) {
                    self.categories.add_level(path);
                }
            }
            Role::Images => self.add_images(column, cell),
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
            Role::NamedOptions => {
                let options = named_options(cell).into_iter();
                self.attributes.extend(options.map(|(name, value)| (name, text_json(&value))));
            }
            Role::Attribute(key) => {
                let cell = cell.replace(REPEATED, ",");
                self.attributes.push((key.clone(), attribute_json(column, &restored(cell))));
            }
        }
    }

    /// Adds the values of a parent that a variant has in addition to its own.
    fn add_from_parent(&mut self, column: &Column, cell: &str) {
        match &column.role {
            _ if cell.is_empty() => {}
            Role::PackedAttributes => self.add_packed(cell),
            Role::Images => self.add_images(column, cell),
            Role::Publication => self.add_publication(column, cell),
            Role::Text("status") => self.add_own_status(cell),
            _ => {}
        }
    }

    /// Returns the first of several values, with a warning, for a column that can have one only.
    fn first_of<'c>(&mut self, column: &Column, cell: &'c str) -> &'c str {
        let takes_several = matches!(
            column.role,
            Role::List(_)
                | Role::Images
                | Role::Category
                | Role::CategoryLevel
                | Role::Attribute(_)
                | Role::Ignored
        );
        match cell.split_once(REPEATED).filter(|_| !takes_several) {
            Some((first, _)) => {
                self.notes
                    .add(&format!("`{}` occurs several times; the first counts", column.name), self.line);
                first.trim_end()
            }
            None => cell,
        }
    }

    fn add_images(&mut self, column: &Column, cell: &str) {
        let images = cell.split(REPEATED).flat_map(|part| split_addresses(part, &column.separator));
        // Magento writes `no_selection` for none.
        self.images.extend(images.map(restored).filter(|image| image != "no_selection"));
    }

    /// Returns a text with the line breaks that the format escapes.
    fn unescaped(&self, cell: &str) -> String {
        match self.plan.mapping.backslash_escapes {
            true => with_line_breaks(&restored(cell.to_owned())),
            false => cell.to_owned(),
        }
    }

    pub(super) fn fault(&mut self, column: &Column, message: String) {
        self.faults.push(Fault::new(column.name.clone(), FaultKind::Malformed, message));
    }

    /// Adds a text; of two columns with one field, the first that has a text counts.
    pub(super) fn add_text(&mut self, field: &'static str, cell: &str) {
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
        let named = column.currency.map(NamedCurrency::One).into_iter().chain(currency_in(cell));
        self.named_currencies.extend(named.map(|named| (column.name.clone(), named)));
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

    /// Makes a product a draft if its publication time is null in JSON or in the future.
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

    /// Adds an attribute with its JSON. Of several with one key, the first counts.
    pub(crate) fn add_attribute(&mut self, key: &str, json: &str) {
        self.attributes.push((key.to_owned(), json.to_owned()));
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
}

pub(super) fn shown(cell: &str) -> String {
    cell.chars().take(40).collect()
}
