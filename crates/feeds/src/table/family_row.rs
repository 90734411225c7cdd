//! Writes a rejected variant as a complete row, with all that it takes from its family, whose other rows are not rejected.

use std::collections::HashSet;

use csv::ByteRecord;

use super::cell_values::{entries, split_addresses};
use super::plan::{Column, Plan};
use super::product_row::{FamilyRow, text};
use super::role::Role;
use crate::publication::strictness;

impl Plan {
    /// Returns the cells of a variant, such that the row alone becomes the same product.
    pub(super) fn with_family(&self, row: &FamilyRow<'_>) -> ByteRecord {
        let has_group = self.has(|role| *role == Role::Group);
        let mut images: Vec<&str> = row.images.iter().map(String::as_str).collect();
        let mut cells = ByteRecord::with_capacity(row.cells.as_slice().len() + 64, row.cells.len());
        for (at, own) in row.cells.iter().enumerate() {
            let Some(column) = self.columns.get(at) else {
                cells.push_field(own);
                continue;
            };
            let parent = row.parent.and_then(|parent| parent.get(at)).map(text).unwrap_or_default();
            let cell = match &column.role {
                Role::Publication | Role::Text("status") => {
                    self.stricter(column, text(own), parent).to_owned()
                }
                Role::Group => row.group.unwrap_or(text(own)).to_owned(),
                Role::Images => {
                    let others = std::mem::take(&mut images);
                    joined_addresses(column, [text(own), parent].into_iter().chain(others))
                }
                Role::PackedAttributes => {
                    let group =
                        row.group.filter(|_| !has_group).map(|group| format!("item_group_id={group}"));
                    joined_entries([text(own), parent, &group.unwrap_or_default()])
                }
                _ => {
                    cells.push_field(own);
                    continue;
                }
            };
            cells.push_field(cell.as_bytes());
        }
        cells
    }

    /// Returns the cell of a variant or of its parent: the one that publishes less.
    fn stricter<'a>(&self, column: &Column, own: &'a str, parent: &'a str) -> &'a str {
        let status = |cell: &str| match &column.role {
            // The visibility of a variant is that of its parent.
            _ if cell.eq_ignore_ascii_case("Not Visible Individually") && cell == own => None,
            Role::Publication => {
                let statement = self.mapping.statement(&column.name, cell);
                statement.and_then(|statement| statement.status()).map(str::to_owned)
            }
            _ => Some(cell.to_ascii_lowercase()).filter(|cell| !cell.is_empty()),
        };
        let (of_own, of_parent) = (status(own), status(parent));
        match strictness(of_parent.as_deref()) > strictness(of_own.as_deref()) {
            true => parent,
            false => own,
        }
    }
}

fn joined_addresses<'a>(column: &Column, cells: impl Iterator<Item = &'a str>) -> String {
    let mut seen = HashSet::new();
    let mut addresses: Vec<String> =
        cells.flat_map(|cell| split_addresses(cell, &column.separator)).collect();
    addresses.retain(|address| seen.insert(address.clone()));
    addresses.join(&column.separator)
}

/// Joins `color=Blue,size=XS`. Of two entries with one name, the first stays.
fn joined_entries(cells: [&str; 3]) -> String {
    let mut seen = HashSet::new();
    let all = cells.into_iter().flat_map(entries).filter(|(key, _)| seen.insert(key.clone()));
    all.map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}
