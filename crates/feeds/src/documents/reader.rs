//! The products of a JSON file.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use domain::input::RawObject;
use domain::{Fault, FaultKind};

use super::form::{Form, other_type};
use super::product_record::{Product, Products, Variants, products};
use super::scanner::{Found, Scanner};
use crate::field_stats::FieldStats;
use crate::ndjson::NdjsonRecords;
use crate::prepare::{fault_of_deletion, rejected};
use crate::record::{FeedRecord, Original};
use crate::rejects::unwrap_reject;
use crate::table::{Notes, TableOptions, TableReport};
use crate::text_encoding::Input;

/// Reads the products of a JSON file in any layout.
pub(crate) struct DocumentReader {
    records: Records,
    options: TableOptions,
    /// The form of the records, once the first was read.
    form: Option<Option<Form>>,
    /// The record whose variants are being returned.
    current: Option<(SourceRecord, Variants)>,
    notes: Notes,
    fields: FieldStats,
}

/// The record that a product is from.
struct SourceRecord {
    line: u64,
    text: Bytes,
}

enum Records {
    Lines(NdjsonRecords),
    Document(Scanner),
}

impl DocumentReader {
    /// Reads one record a line.
    pub(crate) fn lines(input: Input, options: &TableOptions) -> Self {
        Self::new(Records::Lines(NdjsonRecords::new(input)), options)
    }

    /// Reads records in any layout.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub(crate) fn document(input: Input, options: &TableOptions) -> io::Result<Self> {
        Ok(Self::new(Records::Document(Scanner::of(input)?), options))
    }

    fn new(records: Records, options: &TableOptions) -> Self {
        Self {
            records,
            options: options.clone(),
            form: None,
            current: None,
            notes: Notes::default(),
            fields: FieldStats::default(),
        }
    }

    /// Returns warnings about the records read so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.texts()
    }

    /// Returns the report on the fields read so far, if the records are in a form other than that of Noren.
    pub(crate) fn report(&self) -> Option<TableReport> {
        let form = self.form.as_ref().and_then(Option::as_ref)?;
        let title = Some(form.mapping().title.as_str()).filter(|title| !title.is_empty());
        self.fields.report(title.unwrap_or("JSON"))
    }

    /// Returns the next product, or `None` at the end. A record with a fault is returned with that fault.
    ///
    /// # Errors
    /// If the rest of the file cannot be read.
    pub(crate) fn next_record(&mut self) -> io::Result<Option<FeedRecord>> {
        loop {
            if let Some(product) = self.next_variant() {
                return Ok(Some(product));
            }
            let record = match &mut self.records {
                Records::Lines(lines) => lines.next_record()?,
                Records::Document(scanner) => scanner.next()?.map(record),
            };
            let Some(mut record) = record else { return Ok(None) };
            // The form is that of the record that was rejected.
            unwrap_reject(&mut record);
            if matches!(self.form, Some(None)) || record.json.is_err() {
                return Ok(Some(record));
            }
            if let Some(product) = self.map(record) {
                return Ok(Some(product));
            }
        }
    }

    /// Returns the product of a record. `None` if it is skipped, or if it has variants, which [`next_variant`](Self::next_variant)
    /// returns.
    fn map(&mut self, record: FeedRecord) -> Option<FeedRecord> {
        let Original::Text(text) = &record.original else { return Some(record) };
        let Ok(object) = serde_json::from_slice::<RawObject<'_>>(text) else { return Some(record) };
        let form = self.form.get_or_insert_with(|| Form::of(&object, &self.options));
        let Some(form) = form else { return Some(record) };
        if let Some(fault) = fault_of_deletion(&object).or_else(|| form.fault_of_another(&object)) {
            let json = Err(rejected(&object, fault));
            return Some(FeedRecord { json, ..record });
        }
        if let Some(kind) = other_type(&object) {
            self.notes.add(&format!("skipped, it is a {kind} and no product"), record.line);
            return None;
        }
        let source = SourceRecord { line: record.line, text: text.clone() };
        match products(&object, record.line, form, &mut self.notes, &mut self.fields) {
            Ok(Products::One(product)) => Some(source.to_feed_record(product)),
            Ok(Products::Variants(variants)) => {
                self.current = Some((source, variants));
                None
            }
            Err(fault) => {
                let json = Err(rejected(&object, fault));
                Some(FeedRecord { json, ..record })
            }
        }
    }

    fn next_variant(&mut self) -> Option<FeedRecord> {
        let form = self.form.as_ref()?.as_ref()?;
        let (source, variants) = self.current.as_mut()?;
        let product = variants.next(source.line, form, &mut self.notes, &mut self.fields);
        match product {
            Some(product) => Some(source.to_feed_record(product)),
            None => {
                self.current = None;
                None
            }
        }
    }
}

impl SourceRecord {
    fn to_feed_record(&self, (json, covered): Product) -> FeedRecord {
        let original = Original::Text(self.text.clone());
        FeedRecord { line: self.line, original, json: json.map(Some), covered: Some(Arc::new(covered)) }
    }
}

fn record(Found { line, text }: Found) -> FeedRecord {
    match text {
        Ok(text) => FeedRecord { line, original: Original::Text(text.into()), json: Ok(None), covered: None },
        Err(message) => {
            let fault = Fault::new("", FaultKind::Malformed, message);
            FeedRecord {
                line,
                original: Original::Text(Bytes::new()),
                json: Err(fault.into()),
                covered: None,
            }
        }
    }
}
