//! CSV broken at random: every row is imported right or rejected, and no product is invented.

use std::io::Cursor;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

use crate::{FeedReader, Format, Original, TableOptions};

const HEADER: &str = "id,name,brand,größe\n";
const WIDTH: usize = 4;

/// A cell with delimiters or line breaks, not both: a line of a cell that looks like a row is one once the cell is broken.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-c\", ]{0,6}", "[a-c\"\n ]{0,6}", "[a-cé]{1,3}"]
}

/// A way to break a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Damage {
    MarkAdded,
    MarkRemoved,
    DelimiterAdded,
    DelimiterRemoved,
    LineBreakAdded,
    LineBreakRemoved,
    /// A byte that is no UTF-8.
    Byte,
    Truncated,
}

fn damage() -> impl Strategy<Value = Damage> {
    use Damage::*;
    prop_oneof![
        6 => Just(MarkAdded),
        6 => Just(MarkRemoved),
        1 => Just(DelimiterAdded),
        1 => Just(DelimiterRemoved),
        3 => Just(LineBreakAdded),
        1 => Just(LineBreakRemoved),
        1 => Just(Byte),
        1 => Just(Truncated),
    ]
}

fn quoted(cell: &str) -> String {
    match cell.contains(['"', ',', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

fn written(rows: &[Vec<String>]) -> String {
    let line =
        |cells: &Vec<String>| cells.iter().map(|cell| quoted(cell)).collect::<Vec<_>>().join(",") + "\n";
    rows.iter().map(line).collect()
}

/// Returns the positions at which a character that fits is outside of quoted cells.
fn outside(text: &str, fits: impl Fn(u8) -> bool) -> Vec<usize> {
    let mut is_quoted = false;
    let outside = text.bytes().enumerate().filter(|(_, byte)| {
        is_quoted ^= *byte == b'"';
        !is_quoted && fits(*byte)
    });
    outside.map(|(at, _)| at).collect()
}

fn broken(text: &str, damage: Damage, index: Index) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let pick = |places: Vec<usize>| (!places.is_empty()).then(|| places[index.index(places.len())]);
    let boundary = |at: &usize| text.is_char_boundary(*at);
    let place = match damage {
        Damage::MarkAdded => pick((0..text.len()).filter(boundary).collect()),
        Damage::MarkRemoved => pick(text.match_indices('"').map(|(at, _)| at).collect()),
        Damage::DelimiterAdded | Damage::LineBreakAdded => {
            pick(outside(text, |byte| byte != b'"').into_iter().filter(boundary).collect())
        }
        Damage::DelimiterRemoved => pick(outside(text, |byte| byte == b',')),
        Damage::LineBreakRemoved => pick(outside(text, |byte| byte == b'\n')),
        Damage::Byte | Damage::Truncated => pick((0..text.len()).filter(boundary).collect()),
    };
    let Some(at) = place else { return bytes };
    match damage {
        Damage::MarkAdded => bytes.insert(at, b'"'),
        Damage::DelimiterAdded => bytes.insert(at, b','),
        Damage::LineBreakAdded => bytes.insert(at, b'\n'),
        Damage::Byte => bytes[at] = 0xff,
        Damage::Truncated => bytes.truncate(at),
        _ => drop(bytes.remove(at)),
    }
    bytes
}

/// Reads a file. Returns the cells of each product, and the text of all rejected rows.
fn import(bytes: Vec<u8>) -> (Vec<Vec<String>>, String) {
    let mut reader = match FeedReader::of(
        Box::new(Cursor::new(bytes)),
        Path::new("broken.csv"),
        Some(Format::Csv),
        &TableOptions::default(),
    ) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(error.to_string().contains("no rows"), "{error}");
            return (Vec::new(), String::new());
        }
    };
    let (mut products, mut rejected) = (Vec::new(), String::new());
    while let Some(record) = reader.next_record().unwrap() {
        match (record.json(), &record.original) {
            (Ok(json), _) => {
                let product: Value = serde_json::from_slice(json).unwrap();
                let text = |value: &Value| value.as_str().map(str::to_owned).unwrap_or_default();
                let fields = ["id", "name", "brand"].map(|field| text(&product[field]));
                products.push(fields.into_iter().chain([text(&product["attributes"]["größe"])]).collect());
            }
            (Err(_), Original::Row(cells)) => {
                cells.iter().for_each(|cell| rejected.push_str(&String::from_utf8_lossy(cell)));
                rejected.push(' ');
            }
            (Err(_), Original::Text(text)) => panic!("{text:?} is no row"),
        }
    }
    (products, rejected)
}

/// Returns a cell as it must be read. `24"` cannot be told from a cell that lost or won a mark.
fn expected(cell: &str, damage: Damage) -> String {
    let is_mark = matches!(damage, Damage::MarkAdded | Damage::MarkRemoved | Damage::Truncated);
    let cell = if is_mark { cell.replace('"', "") } else { cell.to_owned() };
    cell.trim().to_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// A cell that begins with a delimiter can make two readings of a whole file possible, so only
    /// `all_rows_of_an_undamaged_file_are_imported` demands that nothing is rejected.
    #[test]
    fn a_row_of_a_broken_file_is_imported_right_or_rejected(
        cells in prop::collection::vec(prop::collection::vec(cell(), WIDTH - 1), 1..6),
        damage in damage(),
        index: Index,
    ) {
        let id = |(at, cells): (usize, Vec<String>)| std::iter::once(format!("id{at}")).chain(cells).collect();
        let rows: Vec<Vec<String>> = cells.into_iter().enumerate().map(id).collect();
        let text = written(&rows);
        let bytes = [HEADER.as_bytes(), &broken(&text, damage, index)].concat();
        let file = String::from_utf8_lossy(&bytes).into_owned();
        let all = |rows: &[Vec<String>]| -> Vec<Vec<String>> {
            rows.iter().map(|cells| cells.iter().map(|cell| expected(cell, damage)).collect()).collect()
        };
        let (products, rejected) = import(bytes);
        let (products, rows) = (all(&products), all(&rows));
        let letters: String = rejected.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let cut = match damage {
            // The row at the cut may be gone, or whole but for the end of its last cell.
            Damage::Truncated => file.matches("id").count().saturating_sub(2),
            _ => usize::MAX,
        };
        for (at, cells) in rows.iter().enumerate().filter(|(at, _)| *at < cut) {
            let is_rejected = letters.contains(&format!("id{at}")) || (damage == Damage::Byte && rejected.contains('\u{fffd}'));
            prop_assert!(products.contains(cells) || is_rejected, "row {} is lost: {:?} gives {:?}", at, file, products);
        }
        for cells in &products {
            let is_cut = damage == Damage::Truncated && rows.iter().any(|row| row[..WIDTH - 1] == cells[..WIDTH - 1]);
            prop_assert!(rows.contains(cells) || is_cut, "{:?} is invented: {:?}", cells, file);
        }
    }

    #[test]
    fn all_rows_of_an_undamaged_file_are_imported(
        cells in prop::collection::vec(prop::collection::vec("([a-c][a-cé\", \n]{0,8})?", WIDTH - 1), 1..6),
    ) {
        let id = |(at, cells): (usize, Vec<String>)| std::iter::once(format!("id{at}")).chain(cells).collect();
        let rows: Vec<Vec<String>> = cells.into_iter().enumerate().map(id).collect();
        let (products, rejected) = import((HEADER.to_owned() + &written(&rows)).into_bytes());
        let rows: Vec<Vec<String>> =
            rows.iter().map(|cells| cells.iter().map(|cell| cell.trim().to_owned()).collect()).collect();
        prop_assert_eq!(products, rows, "rejected: {}", rejected);
    }
}
