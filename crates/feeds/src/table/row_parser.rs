//! The grammar of one CSV row: where it ends, its cells, and whether its quotation marks can be trusted.

use csv::ByteRecord;

/// The start of a text, read as a row.
#[derive(Debug, PartialEq)]
pub(super) enum Parsed {
    /// The row ends after the available bytes.
    Incomplete,
    /// A row.
    Row(ParsedRow),
    /// A quoted cell that has text after its closing quotation mark, or that is never closed. `scanned` bytes were read.
    Broken { fault: Broken, column: usize, scanned: usize },
}

/// A row as its quotation marks divide it.
#[derive(Debug, PartialEq)]
pub(super) struct ParsedRow {
    pub(super) cells: ByteRecord,
    /// Length in bytes, with the line break.
    pub(super) length: usize,
    pub(super) lines: u64,
    /// True if a mark that closes a cell follows a delimiter or a line break, like one that opens a cell.
    pub(super) is_doubtful: bool,
    /// Number of cells that are not quoted and contain a quotation mark.
    pub(super) bare_quotes: usize,
}

/// The fault of a quoted cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Text follows a quotation mark inside a quoted cell.
    QuoteInside,
    /// The text ends before the closing quotation mark.
    NotClosed,
}

/// Reads the row at the start of `text`. With `is_at_end`, nothing follows `text`, so a row may end without a line break.
pub(super) fn parse_row(text: &[u8], delimiter: u8, is_at_end: bool) -> Parsed {
    let mut row = ByteRecord::new();
    let mut cell = Vec::new();
    let mut at = 0;
    let (mut is_doubtful, mut bare_quotes) = (false, 0);
    loop {
        cell.clear();
        if text.get(at) == Some(&b'"') {
            match quoted_cell(&text[at..], delimiter, is_at_end, &mut cell) {
                Quoted::Cell(length) => at += length,
                Quoted::Incomplete => return Parsed::Incomplete,
                Quoted::Broken(fault, length) => {
                    return Parsed::Broken { fault, column: row.len(), scanned: at + length };
                }
            }
            // Marks at the end may belong to the same run as the one that closes the cell.
            let before_marks = cell.iter().rev().find(|byte| **byte != b'"');
            is_doubtful |=
                before_marks.is_some_and(|byte| *byte == delimiter || matches!(byte, b'\n' | b'\r'));
        } else {
            let rest = &text[at..];
            let is_end = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
            let length = rest.iter().position(is_end).unwrap_or(rest.len());
            cell.extend_from_slice(&rest[..length]);
            bare_quotes += usize::from(cell.contains(&b'"'));
            at += length;
        }
        row.push_field(&cell);
        match text.get(at) {
            Some(byte) if *byte == delimiter => {
                at += 1;
                continue;
            }
            Some(b'\r') if text.get(at + 1) == Some(&b'\n') => at += 2,
            Some(b'\r') if at + 1 == text.len() && !is_at_end => return Parsed::Incomplete,
            Some(_) => at += 1,
            None if !is_at_end => return Parsed::Incomplete,
            None => {}
        }
        let lines = line_breaks(&text[..at]).max(1);
        return Parsed::Row(ParsedRow { cells: row, length: at, lines, is_doubtful, bare_quotes });
    }
}

enum Quoted {
    /// Its length in bytes with both quotation marks.
    Cell(usize),
    Incomplete,
    /// A fault, found after this number of bytes.
    Broken(Broken, usize),
}

/// Reads the quoted cell at the start of a text into `cell`.
fn quoted_cell(text: &[u8], delimiter: u8, is_at_end: bool, cell: &mut Vec<u8>) -> Quoted {
    let mut at = 1;
    loop {
        let Some(length) = text[at..].iter().position(|byte| *byte == b'"') else {
            return if is_at_end {
                Quoted::Broken(Broken::NotClosed, text.len())
            } else {
                Quoted::Incomplete
            };
        };
        cell.extend_from_slice(&text[at..at + length]);
        at += length + 1;
        match text.get(at) {
            Some(b'"') => {
                cell.push(b'"');
                at += 1;
            }
            Some(byte) if *byte == delimiter || matches!(byte, b'\n' | b'\r') => return Quoted::Cell(at),
            // Text after a quotation mark on a later line: it opens the cell of another row.
            Some(_) if cell.contains(&b'\n') || cell.contains(&b'\r') => {
                return Quoted::Broken(Broken::NotClosed, at);
            }
            Some(_) => return Quoted::Broken(Broken::QuoteInside, at),
            None if is_at_end => return Quoted::Cell(at),
            None => return Quoted::Incomplete,
        }
    }
}

/// Counts line breaks: CRLF, LF, or CR alone.
pub(super) fn line_breaks(text: &[u8]) -> u64 {
    let is_break = |at: usize| match text[at] {
        b'\n' => true,
        b'\r' => text.get(at + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..text.len()).filter(|at| is_break(*at)).count() as u64
}

/// Returns the length of the first line with its line break, or `None` if it ends after the available bytes.
pub(super) fn first_line(text: &[u8], is_at_end: bool) -> Option<usize> {
    let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    match end {
        Some(at) if text[at] == b'\r' => match text.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            None if !is_at_end => None,
            _ => Some(at + 1),
        },
        Some(at) => Some(at + 1),
        None => is_at_end.then_some(text.len()),
    }
}

/// Splits a line at its delimiters, whatever its quotation marks, for a rejects file.
pub(super) fn raw_cells(line: &[u8], delimiter: u8) -> ByteRecord {
    line.trim_ascii_end().split(|byte| *byte == delimiter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<String> {
        match parse_row(text.as_bytes(), b',', true) {
            Parsed::Row(ParsedRow { cells, length, .. }) => {
                assert!(length <= text.len());
                cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cells_are_cut_like_those_of_rfc_4180() {
        assert_eq!(cells("a,\"b, \"\"c\"\"\",d"), ["a", "b, \"c\"", "d"]);
        assert_eq!(cells("a,,\r\nx"), ["a", "", ""]);
        assert_eq!(cells("a,"), ["a", ""]);
        assert_eq!(cells("\"\",\"\""), ["", ""]);
        assert_eq!(cells("TV 55\" OLED,1"), ["TV 55\" OLED", "1"]);
    }

    #[test]
    fn a_row_needs_its_line_break_unless_the_file_ends() {
        for text in ["a,b", "a,\"b", "a,b\r", "a,\"b\""] {
            assert_eq!(parse_row(text.as_bytes(), b',', false), Parsed::Incomplete, "{text}");
        }
    }

    #[test]
    fn a_quotation_mark_without_its_pair_is_a_fault() {
        let broken = |text: &str| match parse_row(text.as_bytes(), b',', true) {
            Parsed::Broken { fault, column, .. } => (fault, column),
            other => panic!("{other:?}"),
        };
        assert_eq!(broken("a,\"TV 75\" OLED,9\n"), (Broken::QuoteInside, 1));
        assert_eq!(broken("a,\"Tea \"\"green,1\nb,x,2\n"), (Broken::NotClosed, 1));
    }
}
