//! The products of a table.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use csv::ByteRecord;
use domain::{Fault, FaultKind, WriteMode};

use super::families::{Families, Member};
use super::mapping_file::{Grouping, TableMapping, recognise};
use super::notes::Notes;
use super::options::TableOptions;
use super::plan::Plan;
use super::product_row::{FamilyRow, product_json};
use super::report::TableReport;
use super::role::Role;
use super::row_neighbours::Rows;
use super::row_splitter::RawRow;
use super::source::Source;
use super::survey::ColumnStats;
use super::table_start::TableStart;
use crate::covered::Covered;
use crate::error::FeedError;
use crate::record::{FeedRecord, Original};
use crate::text_encoding::RowDecoder;

/// The first reading of a table.
struct Survey {
    decoder: RowDecoder,
    names: Vec<String>,
    mapping: TableMapping,
    stats: Vec<ColumnStats>,
    families: Families,
}

impl Survey {
    fn read(
        source: &Source,
        name: &str,
        options: &TableOptions,
        decoder: Option<RowDecoder>,
    ) -> Result<Self, FeedError> {
        let failed = |source| FeedError::Read { name: name.to_owned(), source };
        let TableStart { mut rows, mut decoder, header } =
            TableStart::open(source, decoder, name, Arc::default())?;
        let names: Vec<String> =
            header.iter().map(|cell| String::from_utf8_lossy(cell).trim().to_owned()).collect();
        let mapping = options.mapping.clone().or_else(|| recognise(&names)).unwrap_or_default();
        let mut families = Families::new(&mapping, &names);
        if let Some(column) = families.missing_column() {
            let message = format!(
                "the mapping `{}` groups rows by the column `{column}`, which the file does not have; leave out --map, or the line \
                 `grouping` of the mapping",
                mapping.title
            );
            return Err(FeedError::Mapping { name: name.to_owned(), message });
        }
        let mut stats = vec![ColumnStats::default(); header.len()];
        let mut has_rows = false;
        while let Some(row) = rows.next_row().map_err(failed)? {
            has_rows = true;
            if row.fault.is_some() {
                continue;
            }
            let Ok(cells) = decoder.decode(row.cells) else { continue };
            for (stats, cell) in stats.iter_mut().zip(&cells) {
                let cell = std::str::from_utf8(cell).unwrap_or_default().trim();
                if !cell.is_empty() {
                    stats.add(cell);
                }
            }
            if !families.survey(&cells) {
                return Err(FeedError::TooManyVariants { name: name.to_owned() });
            }
        }
        match has_rows {
            true => Ok(Self { decoder, names, mapping, stats, families }),
            false => Err(FeedError::NoRows { name: name.to_owned() }),
        }
    }
}

/// Reads the products of a table.
pub(crate) struct TableReader {
    rows: Rows,
    decoder: RowDecoder,
    header: ByteRecord,
    plan: Plan,
    families: Families,
    notes: Notes,
    report: TableReport,
    covered: Arc<Covered>,
}

impl TableReader {
    /// Reads the table once to learn what its columns mean, and opens it again at its first product.
    ///
    /// # Errors
    /// If the file cannot be read, is no table, or does not fit the options.
    pub(crate) fn open(
        source: &Source,
        name: &str,
        options: &TableOptions,
        bytes_read: Arc<AtomicU64>,
    ) -> Result<Self, FeedError> {
        let mut survey = Survey::read(source, name, options, None)?;
        if !survey.decoder.decide() {
            survey = Survey::read(source, name, options, Some(survey.decoder))?;
        }
        let Survey { decoder, names, mapping, stats, families } = survey;
        let plan = Plan::new(mapping, &names, &stats, options)
            .map_err(|message| FeedError::Mapping { name: name.to_owned(), message })?;
        let merges = options.mode != Some(WriteMode::Replace);
        let has_key = plan.has(|role| *role == Role::Text("id"))
            || (plan.mapping.id_is_sku && plan.has(|role| *role == Role::Text("sku")));
        // A row may change single fields of a product that exists.
        let names_products = plan.has(|role| *role == Role::Text("name")) || merges && has_key;
        if !names_products {
            return Err(FeedError::NoNameColumn { name: name.to_owned() });
        }
        let mut report = TableReport::new(&plan, &stats, decoder.name());
        report.warnings.extend(decoder.warning());
        if let Source::Rows(spool) = source {
            report.sheet.clone_from(&spool.sheet);
            report.warnings.extend_from_slice(&spool.warnings);
        }
        let TableStart { rows, decoder, header } = TableStart::open(source, Some(decoder), name, bytes_read)?;
        let covered = Arc::new(Covered::of_plan(&plan));
        Ok(Self { rows, decoder, header, plan, families, notes: Notes::default(), report, covered })
    }

    /// Returns the row that names the columns.
    pub(crate) fn header(&self) -> &ByteRecord {
        &self.header
    }

    /// Returns the mapping that is applied.
    pub(crate) fn report(&self) -> &TableReport {
        &self.report
    }

    /// Returns warnings about the rows read so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.texts()
    }

    /// Returns the next product, or `None` at the end. A row with a fault is a record with that fault.
    ///
    /// # Errors
    /// If the rest of the file cannot be read.
    pub(crate) fn next_record(&mut self, name: &str) -> Result<Option<FeedRecord>, FeedError> {
        loop {
            let row = self.rows.next_row();
            let row = row.map_err(|source| FeedError::Read { name: name.to_owned(), source })?;
            let Some(row) = row else { return Ok(None) };
            if let Some(record) = self.record(row) {
                return Ok(Some(record));
            }
        }
    }

    fn record(&mut self, row: RawRow) -> Option<FeedRecord> {
        let RawRow { line, cells, fault, .. } = row;
        let decoded = self.decoder.decode(cells);
        let (cells, fault) = match (decoded, fault) {
            (Ok(cells), None) => (cells, None),
            (Ok(cells), Some(fault)) | (Err((cells, _)), Some(fault)) => (cells, Some(fault)),
            (Err((cells, fault)), None) => (cells, Some(fault.to_owned())),
        };
        if let Some(fault) = fault {
            return Some(faulty(line, cells, fault));
        }
        let (parent, group, images) = match self.families.member(&cells) {
            Member::Product { parent, group, images } => (parent, group, images),
            Member::Absorbed => return None,
            Member::Fault(fault) => return Some(faulty(line, cells, fault)),
            Member::Skipped(reason) => {
                self.notes.add(&reason, line);
                return None;
            }
        };
        let filled = match &parent {
            Some(parent) => self.filled(&cells, parent),
            None => cells,
        };
        let row = FamilyRow {
            line,
            cells: &filled,
            parent: parent.as_deref(),
            group: group.as_deref(),
            images: &images,
        };
        let json = product_json(&self.plan, &row, &mut self.notes).map(Some);
        let covered = Some(Arc::clone(&self.covered));
        let original = match parent.is_some() || group.is_some() {
            true => self.plan.with_family(&row),
            false => filled,
        };
        Some(FeedRecord { line, original: Original::Row(original), json, covered })
    }

    /// Returns a variant with the cells of its parent where it leaves them out.
    fn filled(&self, cells: &ByteRecord, parent: &ByteRecord) -> ByteRecord {
        let columns = self.plan.columns.iter().zip(cells).zip(parent);
        let filled = columns.map(|((column, own), parent)| {
            let is_inherited = column.role.is_inherited()
                || (self.plan.mapping.grouping == Grouping::Bigcommerce && column.role.is_price());
            match own.trim_ascii().is_empty() && is_inherited {
                true => parent,
                false => own,
            }
        });
        filled.collect()
    }
}

fn faulty(line: u64, cells: ByteRecord, fault: String) -> FeedRecord {
    let json = Err(Fault::new("", FaultKind::Malformed, fault).into());
    FeedRecord { line, original: Original::Row(cells), json, covered: None }
}
