//! Reads the rows of one sheet of a spreadsheet.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader as _, SheetType, SheetVisible, Xlsx, XlsxCellReader, XlsxError};

use super::mapping_file::recognise;
use super::merged_cells::MergedCells;
use super::sheet_limits::check_limits;
use super::sheet_row::{NextCell, SheetRow, column_name};
use super::sheet_values::cell_text;
use super::spool::{MAX_COLUMNS, Spool, SpoolWriter};
use crate::containers::Scratch;
use crate::error::FeedError;
use crate::record::MAX_LINE_BYTES;

type Workbook = Xlsx<BufReader<File>>;

/// The most sheets that are looked at.
const MAX_SHEETS: usize = 100;
/// The most rows above the names of the columns, such as a title.
const MAX_TITLE_ROWS: usize = 50;
/// The most cells of a row, as in spreadsheet programs.
const MAX_CELLS: usize = 16_384;
/// The most formulas without a result that are recorded.
const MAX_FORMULAS: usize = 1_000_000;
/// First cell of the template that precedes an Amazon flat file; two more rows precede the products.
const AMAZON_TEMPLATE: &str = "TemplateType=";

/// Reads the rows of a visible sheet: of the first that has a column `name` or those of a known format, else of the first that has rows.
///
/// # Errors
/// If the file is damaged, exceeds a limit, or has no rows.
pub(crate) fn spool_workbook(file: &File, name: &str, scratch: &Scratch) -> Result<Spool, FeedError> {
    let checked = check_limits(file, name)?;
    // The library panics on some damaged files, for example if a range ends before its start.
    let spool = catch_unwind(AssertUnwindSafe(|| {
        let mut workbook = Workbook::new(BufReader::new(file.try_clone()?))?;
        let FoundSheets { chosen, hidden } = find_sheet(&mut workbook)?;
        let Some(found) = chosen else { return Ok(Err(hidden)) };
        let pending = match checked.has_formulas_without_result {
            true => formulas_without_result(&mut workbook, &found.name)?,
            false => HashSet::new(),
        };
        let merged = match checked.has_merged_cells {
            true => workbook.merge_cells_by_sheet_name(&found.name)?,
            false => Vec::new(),
        };
        spool_sheet(&mut workbook, &found, &pending, MergedCells::new(merged), scratch)
            .map(|spool| spool.ok_or(hidden))
    }));
    match spool {
        Ok(Ok(Ok(spool))) => Ok(spool),
        Ok(Ok(Err(hidden))) if hidden.is_empty() => Err(FeedError::Empty { name: name.to_owned() }),
        Ok(Ok(Err(hidden))) => {
            let message = format!(
                "has rows on hidden sheets only, which are not read: `{}`; show one",
                hidden.join("`, `")
            );
            Err(FeedError::Container { name: name.to_owned(), message })
        }
        Ok(Err(error)) => Err(refused(name, error)),
        Err(_) => Err(damaged(name, "its parts contradict each other")),
    }
}

fn refused(name: &str, error: XlsxError) -> FeedError {
    match error {
        XlsxError::Io(source) => FeedError::Read { name: name.to_owned(), source },
        XlsxError::Password => FeedError::Container {
            name: name.to_owned(),
            message: "is a spreadsheet with a password; save it without one, or as CSV".to_owned(),
        },
        error => damaged(name, &error.to_string()),
    }
}

fn damaged(name: &str, reason: &str) -> FeedError {
    let message = format!("is a damaged spreadsheet: {reason}; open and save it again, or save it as CSV");
    FeedError::Container { name: name.to_owned(), message }
}

/// The sheet to read.
struct FoundSheet {
    name: String,
    /// Number of rows with cells above the one that names the columns.
    rows_above: usize,
    header: Vec<(usize, String)>,
    /// Names of other sheets with rows.
    others: Vec<String>,
    /// Names of hidden sheets with rows.
    hidden: Vec<String>,
}

struct FoundSheets {
    /// `None` if no visible sheet has rows.
    chosen: Option<FoundSheet>,
    /// Names of hidden sheets with rows.
    hidden: Vec<String>,
}

fn find_sheet(workbook: &mut Workbook) -> Result<FoundSheets, XlsxError> {
    let is_sheet = |sheet: &&calamine::Sheet| sheet.typ == SheetType::WorkSheet;
    let sheets = || workbook.sheets_metadata().iter().filter(is_sheet).take(MAX_SHEETS);
    let visible = sheets().filter(|sheet| sheet.visible == SheetVisible::Visible);
    let hidden = sheets().filter(|sheet| sheet.visible != SheetVisible::Visible);
    let hidden: Vec<String> = hidden.map(|sheet| sheet.name.clone()).collect();
    let names: Vec<String> = visible.map(|sheet| sheet.name.clone()).collect();
    let mut found: Vec<FoundSheet> = Vec::new();
    for name in names {
        if let Some((rows_above, header)) = header_of(workbook, &name)? {
            found.push(FoundSheet { name, rows_above, header, others: Vec::new(), hidden: Vec::new() });
        }
    }
    let mut hidden_with_rows = Vec::new();
    for name in hidden {
        if header_of(workbook, &name)?.is_some() {
            hidden_with_rows.push(name);
        }
    }
    if found.is_empty() {
        return Ok(FoundSheets { chosen: None, hidden: hidden_with_rows });
    }
    let has_products = |sheet: &FoundSheet| {
        let names: Vec<String> = sheet.header.iter().map(|(_, name)| name.trim().to_owned()).collect();
        names.iter().any(|name| name.eq_ignore_ascii_case("name")) || recognise(&names).is_some()
    };
    let chosen = found.iter().position(has_products).unwrap_or(0);
    let mut chosen = found.swap_remove(chosen);
    chosen.others = found.into_iter().map(|sheet| sheet.name).collect();
    chosen.hidden.clone_from(&hidden_with_rows);
    Ok(FoundSheets { chosen: Some(chosen), hidden: hidden_with_rows })
}

/// The number of rows above the names of the columns, and the names with their positions.
type Header = (usize, Vec<(usize, String)>);

/// Finds the row that names the columns: the first with several cells, or else the first. Titles above it have one.
fn header_of(workbook: &mut Workbook, sheet: &str) -> Result<Option<Header>, XlsxError> {
    let mut rows = match SheetRows::open(workbook, sheet) {
        Ok(rows) => rows,
        Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut first = None;
    let mut is_amazon = false;
    for at in 0..MAX_TITLE_ROWS {
        let Some(row) = rows.next_row()? else { break };
        is_amazon |= at == 0 && row.cells.first().is_some_and(|(_, text)| text.starts_with(AMAZON_TEMPLATE));
        if row.cells.len() > 1 && (!is_amazon || at == 2) {
            return Ok(Some((at, row.cells)));
        }
        if at == 0 {
            first = Some((0, row.cells));
        }
    }
    Ok(first)
}

/// Returns the positions of formulas that have no result.
fn formulas_without_result(workbook: &mut Workbook, sheet: &str) -> Result<HashSet<(u32, u32)>, XlsxError> {
    let mut cells = workbook.worksheet_cells_reader(sheet)?;
    let mut positions = HashSet::new();
    while let Some(cell) = cells.next_cell_with_formula_metadata()? {
        if cell.formula.is_some() && cell.value == DataRef::Empty && positions.len() < MAX_FORMULAS {
            positions.insert(cell.pos);
        }
    }
    Ok(positions)
}

fn spool_sheet(
    workbook: &mut Workbook,
    sheet: &FoundSheet,
    pending: &HashSet<(u32, u32)>,
    mut merged: MergedCells,
    scratch: &Scratch,
) -> Result<Option<Spool>, XlsxError> {
    let width = sheet.header.iter().map(|(column, _)| column + 1).max().unwrap_or(0);
    let mut header = vec![String::new(); width];
    for (column, name) in &sheet.header {
        header[*column].clone_from(name);
    }
    let mut writer = SpoolWriter::new(scratch)?;
    let mut rows = SheetRows::open(workbook, &sheet.name)?;
    rows.pending = Some(pending);
    for _ in 0..=sheet.rows_above {
        rows.next_row()?;
    }
    let (mut beyond, mut first_beyond, mut is_cut, mut is_empty) = (0_u64, 0, false, true);
    while let Some(mut row) = rows.next_row()? {
        merged.fill(&mut row);
        is_empty = false;
        is_cut |= row.is_cut;
        if row.cells.iter().any(|(column, _)| *column >= width) {
            beyond += 1;
            first_beyond = if beyond == 1 { row.line } else { first_beyond };
            row.cells.retain(|(column, _)| *column < width);
        }
        match &row.fault {
            Some(fault) => writer.add_faulty(row.line, fault, &row.cells)?,
            None if row.cells.is_empty() => {}
            None => writer.add(row.line, &row.cells)?,
        }
    }
    if is_empty && !sheet.hidden.is_empty() {
        return Ok(None);
    }
    let mut spool = writer.finish(&header)?;
    spool.sheet = Some(sheet.name.clone());
    if beyond > 0 {
        spool.warnings.push(format!(
            "{beyond} rows, the first in row {first_beyond}, have cells right of the last column with a name; they are not read"
        ));
    }
    if is_cut {
        spool.warnings.push(format!(
            "columns after the first {MAX_COLUMNS}, to {}, are not read",
            column_name(MAX_COLUMNS - 1)
        ));
    }
    spool.warnings.extend(merged.warnings());
    if !sheet.others.is_empty() {
        spool.warnings.push(format!(
            "only the sheet `{}` is read, not `{}`; save another one as a file of its own to import it",
            sheet.name,
            sheet.others.join("`, `")
        ));
    }
    if !sheet.hidden.is_empty() {
        spool.warnings.push(format!("hidden sheets are not read: `{}`", sheet.hidden.join("`, `")));
    }
    Ok(Some(spool))
}

/// The rows of a sheet that have cells, with one in memory.
struct SheetRows<'a> {
    cells: XlsxCellReader<'a, BufReader<File>>,
    pending: Option<&'a HashSet<(u32, u32)>>,
    next: Option<NextCell>,
    is_at_end: bool,
}

impl<'a> SheetRows<'a> {
    fn open(workbook: &'a mut Workbook, sheet: &str) -> Result<Self, XlsxError> {
        let cells = workbook.worksheet_cells_reader(sheet)?;
        Ok(Self { cells, pending: None, next: None, is_at_end: false })
    }

    /// Returns the next row that has a cell with text, or `None` at the end.
    fn next_row(&mut self) -> Result<Option<SheetRow>, XlsxError> {
        loop {
            let first = match self.next.take() {
                Some(cell) => cell,
                None => match self.next_cell()? {
                    Some(cell) => cell,
                    None => return Ok(None),
                },
            };
            let number = first.row;
            let mut row =
                SheetRow { line: u64::from(number) + 1, cells: Vec::new(), fault: None, is_cut: false };
            let mut bytes = row.add(first);
            while let Some(cell) = self.next_cell()? {
                if cell.row != number {
                    self.next = Some(cell);
                    break;
                }
                if row.cells.len() < MAX_CELLS && bytes <= MAX_LINE_BYTES {
                    bytes += row.add(cell);
                }
            }
            if bytes > MAX_LINE_BYTES || row.cells.len() >= MAX_CELLS {
                row.cells.clear();
                let message = format!("has more than {MAX_LINE_BYTES} bytes or {MAX_CELLS} cells");
                row.fault = Some(format!("{message}; a product has at most 204800 bytes"));
            }
            if !row.cells.is_empty() || row.fault.is_some() {
                return Ok(Some(row));
            }
        }
    }

    /// Returns the next cell that has text, is an error, or lacks its result.
    fn next_cell(&mut self) -> Result<Option<NextCell>, XlsxError> {
        while !self.is_at_end {
            let Some((cell, style)) = self.cells.next_cell_with_style_id()? else {
                self.is_at_end = true;
                break;
            };
            let (row, column) = cell.get_position();
            let is_pending = self.pending.is_some_and(|pending| pending.contains(&(row, column)));
            let format = self.cells.styles().get(style).and_then(|style| style.number_format.as_ref());
            let text = match is_pending {
                true => Err("a formula without a result".to_owned()),
                false => cell_text(cell.get_value(), format.map(|format| format.format_code.as_str())),
            };
            if text.as_ref().map_or(true, |text| !text.trim().is_empty()) {
                return Ok(Some(NextCell { row, column, text }));
            }
        }
        Ok(None)
    }
}
