//! The rows of a spreadsheet and their cells.

use super::spool::MAX_COLUMNS;

/// A row with its cells that have text.
pub(super) struct SheetRow {
    /// Number of the row, from 1.
    pub(super) line: u64,
    pub(super) cells: Vec<(usize, String)>,
    pub(super) fault: Option<String>,
    /// True if it has cells in columns that are not read.
    pub(super) is_cut: bool,
}

/// A cell with its text, or the reason why it has none.
pub(super) struct NextCell {
    pub(super) row: u32,
    pub(super) column: u32,
    pub(super) text: Result<String, String>,
}

impl SheetRow {
    /// Adds a cell. Returns the length of its text.
    pub(super) fn add(&mut self, cell: NextCell) -> usize {
        let column = cell.column as usize;
        let text = cell.text.unwrap_or_else(|error| {
            let place = format!("{}{}", column_name(column), self.line);
            let fault =
                format!("cell {place} is {error}; correct it, and save the file in a spreadsheet program");
            self.fault.get_or_insert(fault);
            error
        });
        let length = text.len();
        if column < MAX_COLUMNS {
            self.cells.push((column, text));
        } else {
            self.is_cut = true;
        }
        length
    }
}

/// Returns the letters of a column: `A`, `Z`, `AA`.
pub(super) fn column_name(column: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        letters.push(b'A' + ((rest - 1) % 26) as u8);
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::column_name;

    #[test]
    fn columns_have_letters() {
        let names = [0, 25, 26, 701, 702].map(column_name);
        assert_eq!(names, ["A", "Z", "AA", "ZZ", "AAA"]);
    }
}
