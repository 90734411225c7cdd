//! Import files: CSV and NDJSON of foreign catalogues.

use std::io::Cursor;
use std::path::Path;

use domain::Currency;
use domain::input::{RawObject, read_product};
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
        let read = read_product(&product, Currency::USD);
        if ids(&product) > 1 {
            assert!(read.is_err(), "a record with two ids has none: {}", product.escape_ascii());
            continue;
        }
        let again = map_record(&product, Some(Currency::USD));
        assert_eq!(again.expect("a product is a record").id, mapped.id, "{}", product.escape_ascii());
    }
}

/// Returns how often a product has the field `id`.
fn ids(product: &[u8]) -> usize {
    let object: RawObject<'_> = serde_json::from_slice(product).unwrap();
    object.0.iter().filter(|(key, _)| key == "id").count()
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
