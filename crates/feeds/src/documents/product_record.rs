//! Turns a foreign JSON record into products, one a variant.

use std::collections::HashSet;
use std::mem::discriminant;

use domain::input::RawObject;
use domain::{Fault, FaultKind};
use serde_json::value::RawValue;

use super::cells::{Cell, Cells, Roles, text};
use super::form::Form;
use crate::columns::REPEATED;
use crate::covered::Covered;
use crate::field_stats::{FieldStats, target_of};
use crate::json::{field, write_field};
use crate::record::Rejected;
use crate::table::{Column, Mark, Notes, ProductRow, Role};

/// Size limit in MiB of what all variants of a record repeat of their parent, so that a small file is no day's work.
const MAX_REPEATED_MIB: usize = 128;

/// The JSON of a product, or its faults, with the fields that the record has without a value.
pub(super) type Product = (Result<Vec<u8>, Rejected>, Covered);

/// The products of a record.
pub(super) enum Products {
    One(Product),
    Variants(Variants),
}

/// The variants of a record. [`next`](Self::next) builds their products one at a time, because each copies the fields of the parent.
pub(super) struct Variants {
    parent: Cells,
    remaining: std::vec::IntoIter<Box<RawValue>>,
    /// Path of the list that the variants are in.
    list: String,
    group_key: Option<String>,
    /// True if the record has one variant.
    is_single: bool,
}

/// Returns the product of a record, or its variants.
///
/// # Errors
/// A fault if the variants would repeat too much of their parent.
pub(super) fn products(
    record: &RawObject<'_>,
    line: u64,
    form: &Form,
    notes: &mut Notes,
    stats: &mut FieldStats,
) -> Result<Products, Fault> {
    let mapping = form.mapping();
    let list = mapping.variants.as_deref().map(|name| (name, variants(record, name)));
    let Some((list, variants)) = list.filter(|(_, variants)| !variants.is_empty()) else {
        let cells = Cells::read(record, &roles(form, ""), None);
        return Ok(Products::One(product(&cells, None, line, form, notes, stats)));
    };
    check_repeated(record, list, variants.len())?;
    let is_single = variants.len() == 1;
    let variants: Vec<Box<RawValue>> = variants.into_iter().map(ToOwned::to_owned).collect();
    Ok(Products::Variants(Variants {
        parent: Cells::read(record, &roles(form, ""), Some(list)),
        remaining: variants.into_iter(),
        list: list.to_owned(),
        group_key: mapping.group_field.as_deref().and_then(|name| field(record, &[name])).and_then(text),
        is_single,
    }))
}

/// Returns a fault if the variants of a record would repeat too many bytes of their parent.
fn check_repeated(record: &RawObject<'_>, list: &str, variants: usize) -> Result<(), Fault> {
    let repeated = record.0.iter().filter(|(key, _)| key != list);
    let bytes: usize = repeated.map(|(key, raw)| key.len() + raw.get().len()).sum();
    if variants.saturating_mul(bytes) <= MAX_REPEATED_MIB * 1024 * 1024 {
        return Ok(());
    }
    let message = format!(
        "has {variants} entries that each repeat {bytes} bytes of other fields, together more than {MAX_REPEATED_MIB} MiB; \
         shorten the other fields, or split the record"
    );
    Err(Fault::new(list, FaultKind::OutOfRange, message))
}

impl Variants {
    /// Returns the product of the next variant, or `None` after the last one.
    pub(super) fn next(
        &mut self,
        line: u64,
        form: &Form,
        notes: &mut Notes,
        stats: &mut FieldStats,
    ) -> Option<Product> {
        let variant = self.remaining.next()?;
        // Cannot fail: all variants are objects.
        let variant: RawObject<'_> = serde_json::from_str(variant.get()).ok()?;
        let own = Cells::read(&variant, &roles(form, &self.list), None);
        let is_placeholder = |cell: &Cell| {
            matches!(cell.role, Role::OptionValue(_)) && cell.text.eq_ignore_ascii_case("Default Title")
        };
        let is_grouped = !(self.is_single && own.cells.iter().any(is_placeholder));
        let suffix = (!self.is_single).then(|| suffix(&own, &variant));
        let family = Family { key: self.group_key.clone(), is_grouped, suffix };
        Some(product(&own.with_parent(&self.parent), Some(&family), line, form, notes, stats))
    }
}

fn roles<'a>(form: &'a Form, prefix: &'a str) -> Roles<'a> {
    Roles { mapping: form.mapping(), given: &form.given, prefix }
}

/// Returns the elements of a list of objects; none if it is something else.
fn variants<'a>(record: &RawObject<'a>, name: &str) -> Vec<&'a RawValue> {
    let list = record.0.iter().find(|(key, _)| key == name).map(|(_, raw)| raw.get());
    let list: Vec<&'a RawValue> = list.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    match list.iter().all(|element| element.get().starts_with('{')) {
        true => list,
        false => Vec::new(),
    }
}

/// The key that the variants of a product share.
struct Family {
    key: Option<String>,
    /// True if the product can have other variants.
    is_grouped: bool,
    /// Tells the variant from the others, if it has no id of its own.
    suffix: Option<String>,
}

/// Returns the options of a variant, or else its first text.
fn suffix(own: &Cells, variant: &RawObject<'_>) -> String {
    let options = own.cells.iter().filter(|cell| matches!(cell.role, Role::OptionValue(_)));
    let options: Vec<&str> = options.map(|cell| cell.text.as_str()).collect();
    let text = match options.is_empty() {
        false => options.join("-"),
        true => variant.0.iter().find_map(|(_, raw): &(_, &RawValue)| text(raw)).unwrap_or_default(),
    };
    text.replace([' ', '/'], "-")
}

impl Cells {
    /// Adds the fields of a parent that a variant leaves out, and the images of both.
    fn with_parent(mut self, parent: &Self) -> Self {
        let own: HashSet<_> = self.cells.iter().map(|cell| discriminant_of(&cell.role)).collect();
        let added = parent.cells.iter().filter(|cell| {
            matches!(cell.role, Role::Images | Role::OptionName(_))
                || !own.contains(&discriminant_of(&cell.role))
        });
        let is_id = |cell: &&Cell| matches!(cell.role, Role::Text("id"));
        let copied = added.filter(|cell| !is_id(cell)).map(|cell| Cell {
            path: cell.path.clone(),
            role: cell.role.clone(),
            text: cell.text.clone(),
            is_list: cell.is_list,
        });
        let copied: Vec<Cell> = copied.collect();
        self.cells.extend(copied);
        for (key, json) in &parent.attributes {
            if !self.attributes.contains_key(key) {
                self.attributes.insert(key.clone(), json.clone());
            }
        }
        self.shortened.extend(parent.shortened.iter().cloned());
        parent.covered.fields.iter().for_each(|field| self.covered.add_field(field));
        parent.covered.attributes.iter().for_each(|key| self.covered.add_attribute(key));
        self
    }
}

impl Cells {
    /// Counts the fields for the report.
    fn count(&self, stats: &mut FieldStats) {
        for cell in self.cells.iter().filter(|cell| !cell.text.trim().is_empty()) {
            stats.add(&cell.path, || cell.role.target(), &cell.text.replace(REPEATED, ", "));
        }
        for (key, json) in &self.attributes {
            stats.add(key, || target_of(key, json), json.trim_matches('"'));
        }
    }
}

/// Identifies a role; roles of texts and lists differ by their field.
fn discriminant_of(role: &Role) -> (std::mem::Discriminant<Role>, &str) {
    let field = match role {
        Role::Text(field) | Role::List(field) => field,
        _ => "",
    };
    (discriminant(role), field)
}

fn product(
    cells: &Cells,
    family: Option<&Family>,
    line: u64,
    form: &Form,
    notes: &mut Notes,
    stats: &mut FieldStats,
) -> Product {
    cells.count(stats);
    (product_json(cells, family, line, form, notes), cells.covered.clone())
}

fn product_json(
    cells: &Cells,
    family: Option<&Family>,
    line: u64,
    form: &Form,
    notes: &mut Notes,
) -> Result<Vec<u8>, Rejected> {
    for path in &cells.shortened {
        notes.add(&format!("`{path}` has several entries; the first counts"), line);
    }
    let group = family.filter(|family| family.is_grouped).and_then(|family| family.key.as_deref());
    let mut product = ProductRow::new(&form.plan, notes, line);
    for cell in &cells.cells {
        let name = match &cell.role {
            Role::OptionValue(at) => Some(format!("option{at}")),
            _ => None,
        };
        let repeated = REPEATED.to_string();
        let separator = match (cell.is_list, &form.mapping().list_separator) {
            (true, _) => repeated.as_str(),
            (false, Some(separator)) => separator,
            (false, None) => "|",
        };
        // JSON has one decimal mark.
        let column = Column {
            name: cell.path.clone(),
            role: cell.role.clone(),
            mark: Some(Mark::Point),
            currency: None,
            is_flag: false,
            separator: separator.to_owned(),
        };
        product.add(&column, cell.text.trim(), family.is_some());
        if let Some(name) = name {
            product.name_option(&cell.role, &name);
        }
    }
    if let Some(family) = family {
        product.add_variant_id(family.key.as_deref(), family.suffix.as_deref());
    }
    let own = own_attributes(cells);
    for (key, raw) in own.iter().flat_map(|own| &own.0) {
        // A field of a variant says more than an attribute of its parent.
        if family.is_none() || !cells.attributes.contains_key(key.as_ref()) {
            product.add_attribute(key, raw.get());
        }
    }
    let own_keys: HashSet<&str> = own.iter().flat_map(|own| &own.0).map(|(key, _)| key.as_ref()).collect();
    let is_merged = |key: &str| match key.eq_ignore_ascii_case("attributes") {
        true => own.is_some(),
        false => family.is_none() && own_keys.contains(key),
    };
    let mut json = product.finish_record(group)?;
    // The product is an object; the attributes that are left follow its fields.
    json.pop();
    for (key, value) in cells.attributes.iter().filter(|(key, _)| !is_merged(key)) {
        write_field(key, value, &mut json);
    }
    json.push(b'}');
    Ok(json)
}

/// Returns the object `attributes` of a record. It becomes one with the attributes that come from the mapping.
fn own_attributes(cells: &Cells) -> Option<RawObject<'_>> {
    let (_, json) = cells.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case("attributes"))?;
    serde_json::from_str(json).ok()
}
