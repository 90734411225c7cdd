//! Merged cells of a spreadsheet: each row takes the value of its range.

use std::collections::BTreeMap;

use calamine::Dimensions;

use super::sheet_row::SheetRow;

/// The merged ranges of a sheet, and the values of those around the current row.
#[derive(Debug, Default)]
pub(super) struct MergedCells {
    /// In the order of their first rows, the last one first.
    ranges: Vec<Dimensions>,
    /// By first column. Ranges do not overlap, so a new one replaces one that has ended.
    open: BTreeMap<u32, (Dimensions, Option<String>)>,
    /// The number of rows that took a value, and the first of them.
    filled: (u64, u64),
    has_wide: bool,
}

impl MergedCells {
    pub(super) fn new(mut ranges: Vec<Dimensions>) -> Self {
        ranges.sort_unstable_by_key(|range| std::cmp::Reverse(range.start));
        Self { ranges, ..Self::default() }
    }

    /// Adds the values of merged cells to a row. Rows must be in their order.
    pub(super) fn fill(&mut self, row: &mut SheetRow) {
        let at = row.line.saturating_sub(1);
        while let Some(range) = self.ranges.pop_if(|range| u64::from(range.start.0) <= at) {
            self.open.insert(range.start.1, (range, None));
        }
        self.open.retain(|_, (range, _)| u64::from(range.end.0) >= at);
        let mut is_filled = false;
        for (range, value) in self.open.values_mut() {
            let column = range.start.1 as usize;
            let own = row.cells.iter().find(|(known, _)| *known == column).map(|(_, text)| text.clone());
            if u64::from(range.start.0) == at {
                self.has_wide |= range.end.1 > range.start.1;
                *value = own;
            } else if let (Some(value), None) = (&value, own) {
                row.cells.push((column, value.clone()));
                is_filled = true;
            }
        }
        if is_filled {
            self.filled = (self.filled.0 + 1, if self.filled.0 == 0 { row.line } else { self.filled.1 });
        }
    }

    /// Returns warnings about the rows so far.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if let (rows @ 1.., first) = self.filled {
            warnings.push(format!(
                "merged cells have the value of their range in each row, {rows} in all, of which the first is row {first}"
            ));
        }
        if self.has_wide {
            warnings.push(
                "the value of cells merged across columns counts for the first of the columns".to_owned(),
            );
        }
        warnings
    }
}
