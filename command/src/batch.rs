//! A batch of lines: parsed, written together, each with its own result.

use api::wire::imports::LineResult;
use domain::input::{InputError, LineInput, RawObject, read_line};
use domain::ports::{WriteOutcome, WriteResponse};
use domain::{Currency, Fault, FaultKind, Faults, ProductId, WriteMode};
use feeds::read_record;
use runtime::{Problem, off_thread};

use crate::Catalogue;
use crate::command::Command;
use crate::converted_record::ConvertedRecord;
use crate::error::CommandError;
use crate::lines::{Line, LineFault};

/// A parsed line.
#[derive(Clone)]
pub(crate) struct Item {
    line: u64,
    /// The line of the file, if the file had to be converted: then `line` is the number of the record.
    source_line: Option<u64>,
    /// The id in the line.
    id: Option<ProductId>,
    command: Result<Command, InputError>,
}

impl Item {
    /// Returns the product that the line writes; `None` if the line has faults.
    pub(crate) fn product(&self) -> Option<&ProductId> {
        self.command.as_ref().ok().map(|command| &command.id)
    }
}

/// A line with its result.
pub(crate) struct ExecutedLine {
    pub(crate) line: u64,
    /// The line of the file, if the file had to be converted: then `line` is the number of the record.
    source_line: Option<u64>,
    /// The id in the line.
    pub(crate) id: Option<ProductId>,
    pub(crate) result: Result<WriteResponse, CommandError>,
}

/// The most faults of one line that its result lists; `errorsOmitted` is the number of the others.
const MAX_ERRORS_PER_LINE: usize = 20;

/// The settings for reading lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) currency: Currency,
    pub(crate) mode: WriteMode,
    /// True for lines of a converted file.
    pub(crate) is_converted: bool,
}

impl Reading {
    /// Returns the settings for lines of products, or of patches in the mode `merge`.
    pub(crate) fn lines(currency: Currency, mode: WriteMode) -> Self {
        Self { currency, mode, is_converted: false }
    }

    /// Reads a line: a product or a patch, or a delete.
    fn read(self, line: &[u8]) -> Result<LineInput, InputError> {
        let is_delete =
            || RawObject::parse(line).is_ok_and(|object| object.0.iter().any(|(name, _)| name == "delete"));
        match self.mode {
            WriteMode::Merge if !is_delete() => {
                let product = read_record(line, self.currency, WriteMode::Merge)?;
                Ok(LineInput::Product(product.into()))
            }
            _ => read_line(line, self.currency),
        }
    }
}

/// Parses lines off the threads of the runtime. `command` makes a command from the number, the text and the contents of a line.
pub(crate) async fn parse(
    lines: Vec<Line>,
    reading: Reading,
    command: impl Fn(u64, &[u8], LineInput) -> Result<Command, InputError> + Send + 'static,
) -> Vec<Item> {
    let bytes = lines.iter().map(|line| line.text.as_ref().map_or(0, |text| text.len())).sum();
    off_thread(bytes, move || parse_lines(lines, reading, command)).await
}

pub(crate) fn parse_lines(
    lines: Vec<Line>,
    reading: Reading,
    command: impl Fn(u64, &[u8], LineInput) -> Result<Command, InputError>,
) -> Vec<Item> {
    let parse_line = |Line { number, text }| {
        let text = match text {
            Ok(text) => text,
            Err(fault) => {
                return Item { line: number, source_line: None, id: None, command: Err(fault.into()) };
            }
        };
        let (source_line, product) = match reading.is_converted {
            true => converted(&text),
            false => (None, Ok(&text[..])),
        };
        let input = product.and_then(|product| Ok((product, reading.read(product)?)));
        let id = input.as_ref().ok().and_then(|(_, input)| input.id().cloned());
        let command = input.and_then(|(product, input)| command(number, product, input));
        Item { line: number, source_line, id, command }
    };
    lines.into_iter().map(parse_line).collect()
}

/// Returns the line of the file and the product of a converted record, or its faults.
fn converted(text: &[u8]) -> (Option<u64>, Result<&[u8], InputError>) {
    match ConvertedRecord::parse(text) {
        Ok(ConvertedRecord { line, product: Some(product), .. }) => {
            (Some(line), Ok(product.get().as_bytes()))
        }
        Ok(ConvertedRecord { line, faults, .. }) => {
            let mut all = Faults::default();
            faults.into_iter().for_each(|fault| all.add(fault));
            (Some(line), Err(InputError::Faults(all)))
        }
        // A defect, because this service wrote the line itself.
        Err(error) => (None, Err(InputError::Syntax(error.to_string()))),
    }
}

/// Executes parsed lines, each independently, with the results in the order of the lines.
pub(crate) async fn execute(catalogue: &Catalogue, items: Vec<Item>) -> Vec<ExecutedLine> {
    let (mut commands, mut lines) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for Item { line, source_line, id, command } in items {
        let fault = command.map(|command| commands.push(command)).err();
        lines.push((line, source_line, id, fault));
    }
    let mut results = catalogue.execute_many(commands).await.into_iter();
    let executed = |(line, source_line, id, fault)| {
        let result = match fault {
            Some(fault) => Err(CommandError::Input(fault)),
            // There is a result for each command.
            None => results.next().unwrap_or(Err(CommandError::Input(LineFault::CutOff.into()))),
        };
        ExecutedLine { line, source_line, id, result }
    };
    lines.into_iter().map(executed).collect()
}

impl ExecutedLine {
    /// Returns the result of a line that is skipped, because its execution ended the process before.
    pub(crate) fn skipped(line: u64, source_line: Option<u64>) -> Self {
        let message = "ended the process twice while it was imported, so it was skipped; if the line is right, import it by \
                       itself, with more memory";
        let fault = Fault::new("", FaultKind::OutOfRange, message);
        Self { line, source_line, id: None, result: Err(CommandError::Input(fault.into())) }
    }

    /// Appends the result as a line of NDJSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // Cannot fail: every field has a JSON form, and a vector takes every byte.
        let _ = serde_json::to_writer(&mut *out, &self.to_wire());
        out.push(b'\n');
    }

    fn to_wire(&self) -> LineResult<Problem> {
        let (line, record) = match self.source_line {
            Some(line) => (line, Some(self.line)),
            None => (self.line, None),
        };
        match &self.result {
            Ok(response) => LineResult {
                line,
                record,
                status: if response.outcome == WriteOutcome::Created { 201 } else { 200 },
                outcome: Some(response.outcome),
                id: Some(response.id.clone()),
                version: Some(response.version),
                sync_token: Some(response.sync_token()),
                problem: None,
            },
            Err(error) => {
                let problem = error.to_problem().with_errors_at_most(MAX_ERRORS_PER_LINE);
                let status = problem.status().as_u16();
                let (id, problem) = (self.id.clone(), Some(problem));
                LineResult {
                    line,
                    record,
                    status,
                    outcome: None,
                    id,
                    version: None,
                    sync_token: None,
                    problem,
                }
            }
        }
    }
}
