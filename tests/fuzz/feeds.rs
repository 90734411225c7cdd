//! Import files: CSV and NDJSON of foreign catalogues.

use std::io::Cursor;
use std::path::Path;

use domain::input::{InputError, read_product};
use domain::{Currency, FaultKind};
use feeds::{FeedReader, Format, map_record, unwrap_reject};

use super::fuzz;

/// Reads a file to its end, and each of its records as the import does.
fn read(input: &[u8], format: Option<Format>) {
    let file = Box::new(Cursor::new(input.to_vec()));
    let Ok(mut reader) = FeedReader::of(file, Path::new("products"), format, &feeds::TableOptions::default())
    else {
        return;
    };
    let mut line = 0;
    while let Ok(Some(mut record)) = reader.next_record() {
        // Rows of a CSV file that end with a carriage return alone are on one line.
        assert!(record.line >= line, "line {} follows line {line}", record.line);
        line = record.line;
        unwrap_reject(&mut record);
        let Ok(json) = record.json() else { continue };
        let Ok(mapped) = map_record(json, Some(Currency::USD)) else { continue };
        let Some(product) = mapped.rewritten else { continue };
        // A record with two ids has none, and is refused.
        if read_product(&product, Currency::USD).is_err_and(is_of_two_ids) {
            continue;
        }
        let again = map_record(&product, Some(Currency::USD));
        assert_eq!(again.expect("a product is a record").id, mapped.id, "{}", product.escape_ascii());
    }
}

fn is_of_two_ids(error: InputError) -> bool {
    let InputError::Faults(faults) = error else { return false };
    faults.into_list().iter().any(|fault| fault.field == "id" && fault.kind == FaultKind::Repeated)
}

#[test]
fn a_csv_file_is_read_to_its_end() {
    fuzz("csv", |input| read(input, Some(Format::Csv)));
}

#[test]
fn an_ndjson_file_is_read_to_its_end() {
    fuzz("ndjson", |input| read(input, Some(Format::Ndjson)));
}

#[test]
fn a_file_of_unknown_format_is_read_to_its_end() {
    fuzz("feed", |input| read(input, None));
}
