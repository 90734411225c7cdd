//! CSV broken at random: every row is read right or rejected, and none is invented.

use std::io::Cursor;

use proptest::prelude::*;

use super::row_splitter::RowSplitter;

const WIDTH: usize = 4;

/// A cell with delimiters or line breaks, not both: a line of a broken cell must not look like a row. The last cell has no line
/// break, since a row whose last cell lost its first mark ends there, and only its next line can be rejected.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c\", ]{0,6}", "[a-c\"\n ]{0,6}", "[a-c]{1,3}"]
}

fn last_cell() -> impl Strategy<Value = String> {
    "[a-c\", ]{0,6}"
}

fn quoted(cell: &str) -> String {
    match cell.contains(['"', ',', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

/// Returns the text without quotation marks and spaces around it: `24"` cannot be told from a cell that lost a mark.
fn bare(cell: &str) -> String {
    cell.replace('"', "").trim().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_row_of_a_broken_file_is_read_right_or_rejected(
        rows in prop::collection::vec((prop::collection::vec(cell(), WIDTH - 2), last_cell()), 1..6),
        position: prop::sample::Index,
        is_insertion: bool,
    ) {
        let rows: Vec<Vec<String>> = rows
            .into_iter()
            .enumerate()
            .map(|(at, (cells, last))| std::iter::once(format!("id{at}")).chain(cells).chain([last]).collect())
            .collect();
        let mut text: String = rows
            .iter()
            .map(|cells| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\n")
            .collect();
        if is_insertion {
            text.insert(position.index(text.len()), '"');
        } else if let Some(marks) = Some(text.match_indices('"').map(|(at, _)| at).collect::<Vec<_>>()).filter(|it| !it.is_empty()) {
            text.remove(marks[position.index(marks.len())]);
        }
        let mut splitter = RowSplitter::new(Box::new(Cursor::new(text.clone().into_bytes())), b',', 1);
        splitter.expect_width(WIDTH);
        let (mut read, mut rejected) = (Vec::new(), String::new());
        while let Some(row) = splitter.next_row().unwrap() {
            let cells: Vec<String> = row.cells.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
            match row.fault {
                None => read.push(cells.iter().map(|cell| bare(cell)).collect::<Vec<_>>()),
                Some(_) => rejected.push_str(&cells.join(",")),
            }
        }
        let expected: Vec<Vec<String>> = rows.iter().map(|cells| cells.iter().map(|cell| bare(cell)).collect()).collect();
        for (at, cells) in expected.iter().enumerate() {
            let is_rejected = bare(&rejected).contains(&format!("id{at}"));
            prop_assert!(read.contains(cells) || is_rejected, "row {at} is lost: {text:?} gives {read:?}");
        }
        for cells in &read {
            prop_assert!(expected.contains(cells), "{cells:?} is invented: {text:?}");
        }
    }
}
