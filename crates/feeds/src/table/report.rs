//! A report for people: the field that each column of a table fills.

use std::collections::HashSet;

use serde::Serialize;

use super::column_names::is_same;
use super::numbers::Reading;
use super::numbers::read_number;
use super::plan::Plan;
use super::role::Role;
use super::survey::ColumnStats;
use crate::columns::is_cost_name;

/// The mapping that was applied to a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The export format, if it was recognised.
    pub format: Option<String>,
    /// The character set, if it is not UTF-8.
    pub encoding: Option<&'static str>,
    /// The sheet of a spreadsheet that was read.
    pub sheet: Option<String>,
    /// The columns in their order.
    pub columns: Vec<ColumnReport>,
    /// Warnings for people.
    pub warnings: Vec<String>,
}

impl TableReport {
    /// Returns true if costs of the shop are left out.
    pub fn leaves_out_costs(&self) -> bool {
        self.columns.iter().any(|column| column.field == "ignored" && is_cost_name(&column.column))
    }
}

/// The mapping of one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnReport {
    /// Its name.
    pub column: String,
    /// The field or attribute that it fills.
    pub field: String,
    /// The number of rows that have a value.
    pub filled: u64,
    /// The first value.
    pub example: String,
}

/// Fields that a column may have been meant for.
const FIELD_NAMES: [&str; 12] = [
    "name",
    "description",
    "sku",
    "brand",
    "category",
    "categories",
    "tags",
    "price",
    "currency",
    "images",
    "stock",
    "status",
];

pub(crate) const NO_PRICE: &str = "no product has a price";

/// Parts of names of columns that hold prices.
const PRICE_WORDS: [&str; 6] = ["price", "preis", "prix", "precio", "prezzo", "prijs"];

impl TableReport {
    pub(super) fn new(plan: &Plan, stats: &[ColumnStats], encoding: Option<&'static str>) -> Self {
        let columns: Vec<ColumnReport> = plan
            .columns
            .iter()
            .zip(stats)
            .map(|(column, stats)| ColumnReport {
                column: column.name.clone(),
                field: column.role.target(),
                filled: stats.filled,
                example: stats.example.clone(),
            })
            .collect();
        let format = Some(plan.mapping.title.clone()).filter(|title| !title.is_empty());
        Self { format, encoding, sheet: None, columns, warnings: warnings(plan, stats) }
    }
}

/// Returns a warning if the name of an attribute's column is nearly that of a field.
pub(crate) fn near_field(column: &str) -> Option<String> {
    let lower = column.to_ascii_lowercase();
    let field = FIELD_NAMES.iter().find(|field| is_near(&lower, field))?;
    Some(format!("column `{column}` became an attribute; if it is the {field}, say --map {column}={field}"))
}

fn warnings(plan: &Plan, stats: &[ColumnStats]) -> Vec<String> {
    let mut warnings = plan.warnings.clone();
    let columns = || plan.columns.iter().zip(stats);
    let is_price = |role: &Role| matches!(role, Role::Price | Role::SalePrice);
    if !columns().any(|(column, stats)| is_price(&column.role) && stats.filled > 0) {
        warnings.push(NO_PRICE.to_owned());
    }
    let mut earlier = HashSet::new();
    for (column, stats) in columns() {
        let lower = column.name.to_ascii_lowercase();
        if !earlier.insert(column.name.as_str()) && column.role != Role::Ignored {
            warnings
                .push(format!("column `{}` occurs twice; the first that has a value counts", column.name));
        }
        if column.role == Role::Ignored && !plan.mapping.names(&column.name) && is_cost_name(&column.name) {
            warnings.push(format!(
                "column `{0}` has costs, so it is left out; to publish it, say --map \"{0}=attributes.{0}\"",
                column.name
            ));
        }
        let Role::Attribute(key) = &column.role else { continue };
        let is_mapped = plan.mapping.role_of(&column.name).is_some();
        warnings.extend(near_field(&column.name));
        let holds_numbers = !matches!(read_number(stats.example.trim_end_matches('…')), Reading::None);
        let is_price = is_mapped || is_same(&column.name, "regular_price");
        if !is_price && holds_numbers && PRICE_WORDS.iter().any(|word| lower.contains(word)) {
            warnings.push(format!(
                "column `{0}` was not read as a price, it became attributes.{key}; if it is, say --map {0}=price",
                column.name
            ));
        }
    }
    warnings
}

/// Returns true if one letter is missing, added, replaced or swapped with the next, or only a plural `s` differs.
fn is_near(name: &str, field: &str) -> bool {
    if name == field || name.len() < 4 {
        return false;
    }
    let (name, field): (Vec<char>, Vec<char>) = (name.chars().collect(), field.chars().collect());
    let start = name.iter().zip(&field).take_while(|(a, b)| a == b).count();
    let (name, field) = (&name[start..], &field[start..]);
    let tail = |list: &[char], from: usize| list.get(from..).map(<[char]>::to_vec);
    tail(name, 1).as_deref() == Some(field)
        || tail(field, 1).as_deref() == Some(name)
        || (!name.is_empty() && tail(name, 1) == tail(field, 1))
        || (name.len() > 1
            && field.len() > 1
            && name[0] == field[1]
            && name[1] == field[0]
            && name[2..] == field[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_letter_is_near() {
        for (name, field) in
            [("curency", "currency"), ("prise", "price"), ("barnd", "brand"), ("tagss", "tags")]
        {
            assert!(is_near(name, field), "{name}");
        }
        for name in ["price", "colour", "pr", "brandname"] {
            assert!(!FIELD_NAMES.iter().any(|field| is_near(name, field)), "{name}");
        }
    }
}
