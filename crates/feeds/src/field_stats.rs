//! Statistics of the fields of JSON records, for the report.

use std::collections::HashMap;

use domain::input::{FIELDS, READ_ONLY_FIELDS, RawObject};

use crate::columns::{beginning_of, is_cost_name};
use crate::json::is_empty;
use crate::product::publication_of;
use crate::table::{ColumnReport, NO_PRICE, TableReport, example_of, near_field};

/// The most fields that are counted.
const MAX_FIELDS: usize = 2_000;

/// The fields of records in the order in which they occur first, with the number of their values.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldStats {
    columns: Vec<ColumnReport>,
    positions: HashMap<String, usize>,
}

impl FieldStats {
    /// Counts a value of a field; `target` returns what it fills. Of a name that no attribute can have, the beginning counts.
    pub(crate) fn add(&mut self, path: &str, target: impl FnOnce() -> String, value: &str) {
        let path = beginning_of(path);
        if let Some(at) = self.positions.get(path) {
            self.columns[*at].filled += 1;
        } else if self.columns.len() < MAX_FIELDS {
            self.positions.insert(path.to_owned(), self.columns.len());
            let (column, field) = (path.to_owned(), beginning_of(&target()).to_owned());
            self.columns.push(ColumnReport { column, field, filled: 1, example: example_of(value) });
        }
    }

    /// Counts the fields of a record in the form of Noren.
    pub(crate) fn add_record(&mut self, record: &RawObject<'_>) {
        for (key, raw) in record.0.iter().filter(|(_, raw)| !is_empty(raw)) {
            self.add(key, || target_of(key, raw.get()), raw.get().trim_matches('"'));
        }
    }

    /// Returns the report on the fields, or `None` if there are none.
    pub(crate) fn report(&self, format: &str) -> Option<TableReport> {
        let columns = self.columns.clone();
        let mut warnings = Vec::new();
        if !columns.iter().any(|column| column.field.starts_with("price")) {
            warnings.push(NO_PRICE.to_owned());
        }
        let costs = columns.iter().filter(|column| column.field == "ignored" && is_cost_name(&column.column));
        warnings.extend(costs.map(|column| {
            format!("field `{0}` has costs, so it is left out; to publish it, give it as attributes: {{\"{0}\": …}}", column.column)
        }));
        let attributes = columns.iter().filter(|column| column.field.starts_with("attributes."));
        warnings.extend(attributes.filter_map(|column| near_field(&column.column)));
        let format = Some(format.to_owned());
        (!columns.is_empty()).then_some(TableReport {
            format,
            encoding: None,
            sheet: None,
            columns,
            warnings,
        })
    }
}

/// Returns the target of a field that no mapping names.
pub(crate) fn target_of(key: &str, json: &str) -> String {
    match FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key)) {
        Some(field) => (*field).to_owned(),
        None if READ_ONLY_FIELDS.contains(&key) => "ignored".to_owned(),
        None if is_cost_name(key) => "ignored".to_owned(),
        None if publication_of(key, json).is_some() => "status".to_owned(),
        None if key.eq_ignore_ascii_case("categories") => "category".to_owned(),
        None => format!("attributes.{key}"),
    }
}
