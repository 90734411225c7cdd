//! A batch of lines: read, written together, and what became of each.

use domain::input::{InputError, ProductInput, read_product};
use domain::ports::{WriteOutcome, WriteResponse};
use domain::{Currency, ProductId, SyncToken, Version};
use runtime::Problem;
use serde::Serialize;

use crate::Catalogue;
use crate::catalogue::Command;
use crate::error::CommandError;
use crate::lines::{Line, LineFault};

/// A line that was read.
#[derive(Clone)]
pub(crate) struct Item {
    line: u64,
    /// The id that it names.
    id: Option<ProductId>,
    /// What to do for it.
    command: Result<Command, InputError>,
}

impl Item {
    /// The product that is written for it; none where it cannot be read.
    pub(crate) fn product(&self) -> Option<&ProductId> {
        self.command.as_ref().ok().map(|command| &command.id)
    }
}

/// What became of a line.
pub(crate) struct Done {
    pub(crate) line: u64,
    /// The id that it names.
    id: Option<ProductId>,
    pub(crate) answer: Result<WriteResponse, CommandError>,
}

/// Reads lines; `command` makes of the number, the text and the product of each what to do for it.
pub(crate) fn read(
    lines: Vec<Line>,
    currency: Currency,
    command: impl Fn(u64, &[u8], ProductInput) -> Command,
) -> Vec<Item> {
    let read = |Line { number, text }| {
        let text = match text {
            Ok(text) => text,
            Err(fault) => return Item { line: number, id: None, command: Err(fault.into()) },
        };
        let input = read_product(&text, currency);
        let id = input.as_ref().ok().and_then(|input| input.id.clone());
        Item { line: number, id, command: input.map(|input| command(number, &text, input)) }
    };
    lines.into_iter().map(read).collect()
}

/// Writes what was read, each line on its own; the answers are in the order of the lines.
pub(crate) async fn carry_out(catalogue: &Catalogue, items: Vec<Item>) -> Vec<Done> {
    let (mut commands, mut read) = (Vec::with_capacity(items.len()), Vec::with_capacity(items.len()));
    for Item { line, id, command } in items {
        let fault = command.map(|command| commands.push(command)).err();
        read.push((line, id, fault));
    }
    let mut answers = catalogue.execute_many(commands).await.into_iter();
    let done = |(line, id, fault)| {
        let answer = match fault {
            Some(fault) => Err(CommandError::Input(fault)),
            // There is an answer for each command.
            None => answers.next().unwrap_or(Err(CommandError::Input(LineFault::CutOff.into()))),
        };
        Done { line, id, answer }
    };
    read.into_iter().map(done).collect()
}

/// What became of a line, as clients are told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LineResult<'a> {
    line: u64,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<WriteOutcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a ProductId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sync_token: Option<SyncToken>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

impl Done {
    pub(crate) fn result(&self) -> LineResult<'_> {
        let line = self.line;
        match &self.answer {
            Ok(answer) => LineResult {
                line,
                status: if answer.outcome == WriteOutcome::Created { 201 } else { 200 },
                outcome: Some(answer.outcome),
                id: Some(&answer.id),
                version: Some(answer.version),
                sync_token: Some(answer.sync_token()),
                problem: None,
            },
            Err(error) => {
                let problem = error.to_problem();
                let (status, id) = (problem.status().as_u16(), self.id.as_ref());
                let problem = Some(problem);
                LineResult { line, status, outcome: None, id, version: None, sync_token: None, problem }
            }
        }
    }
}

impl LineResult<'_> {
    /// Of many faults of one line only the first.
    pub(crate) fn abridged(self, errors: usize) -> Self {
        Self { problem: self.problem.map(|problem| problem.with_errors_at_most(errors)), ..self }
    }

    /// Appends it as a line of NDJSON.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // Numbers, texts and problems always have a JSON form, and a vector takes every byte.
        let _ = serde_json::to_writer(&mut *out, self);
        out.push(b'\n');
    }
}
