//! Reads a file as an import does, for tests.

use std::path::Path;

use serde_json::Value;

use crate::{FeedError, FeedReader, TableOptions, TableReport, map_record};

/// The products of a file by id, the rejected lines with their faults, the warnings, and the report.
pub(crate) struct Imported {
    pub(crate) products: Vec<Value>,
    pub(crate) rejects: Vec<(u64, String)>,
    pub(crate) notes: Vec<String>,
    report: Option<TableReport>,
}

impl Imported {
    pub(crate) fn ids(&self) -> Vec<&str> {
        self.products.iter().map(|product| product["id"].as_str().unwrap()).collect()
    }

    pub(crate) fn product(&self, id: &str) -> &Value {
        let found = self.products.iter().find(|product| product["id"] == id);
        found.unwrap_or_else(|| panic!("{id} is not among {:?}, rejects {:?}", self.ids(), self.rejects))
    }

    pub(crate) fn report(&self) -> &TableReport {
        self.report.as_ref().expect("a table has a report")
    }

    pub(crate) fn rejected_lines(&self) -> Vec<u64> {
        self.rejects.iter().map(|(line, _)| *line).collect()
    }
}

pub(crate) fn read(path: &Path, options: &TableOptions) -> Result<Imported, FeedError> {
    read_all(FeedReader::open(path, None, options)?)
}

/// Reads an input that cannot be read again, such as standard input.
pub(crate) fn read_bytes(bytes: &[u8], name: &str, options: &TableOptions) -> Result<Imported, FeedError> {
    let input = Box::new(std::io::Cursor::new(bytes.to_vec()));
    read_all(FeedReader::of(input, Path::new(name), None, options)?)
}

fn read_all(mut reader: FeedReader) -> Result<Imported, FeedError> {
    let (mut products, mut rejects) = (Vec::new(), Vec::new());
    while let Some(record) = reader.next_record()? {
        let mapped = record.json().map_err(|rejected| rejected.faults.clone()).and_then(|json| {
            let mapped = map_record(json, None)?;
            Ok(mapped.rewritten.unwrap_or_else(|| json.to_vec()))
        });
        match mapped {
            Ok(json) => products.push(serde_json::from_slice(&json).unwrap()),
            Err(faults) => rejects.push((record.line, faults[0].to_string())),
        }
    }
    let report = reader.report();
    Ok(Imported { products, rejects, notes: reader.notes(), report })
}
