//! Many products in one request: lines in, results out, in order and with bounded memory.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use bytes::BytesMut;
use domain::input::{InputError, read_product};
use domain::ports::{WriteAnswer, WriteOutcome};
use domain::{Fault, FaultKind, ProductId, SyncToken, Version};
use futures::stream;
use futures::stream::{Fuse, Stream, StreamExt};
use runtime::Problem;
use runtime::http::MAX_BODY_BYTES;
use serde::Serialize;
use tokio::sync::mpsc;

use crate::Catalogue;
use crate::catalogue::Command;
use crate::error::CommandError;

/// Lines that are written together.
const BATCH_LINES: usize = 500;
/// Bytes of lines that are written together, so that large products make small batches.
const BATCH_BYTES: usize = 1024 * 1024;
/// How long to wait for more of the body before what is there is written and answered.
const LINGER: Duration = Duration::from_millis(50);
/// How long a client may send nothing before its request is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Carries out the lines of `body`; the stream has a chunk of results for each batch.
pub(crate) fn results(
    catalogue: Catalogue,
    body: Body,
    traceparent: Option<String>,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
    // Two batches of results may wait for a slow reader; then reading the body waits too.
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        let mut lines = Lines::new(body);
        while let Some(batch) = lines.next_batch().await {
            let results = carry_out(&catalogue, batch, traceparent.as_deref()).await;
            if sender.send(results).await.is_err() {
                tracing::debug!("the client of a bulk request went away");
                return;
            }
        }
    });
    let results = stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|results| (Ok(Bytes::from(results)), receiver))
    });
    // Compression asks once more after the end.
    results.fuse()
}

/// One line of the body, counted from 1.
struct Line {
    number: u64,
    text: Result<BytesMut, LineFault>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineFault {
    TooLong,
    CutOff,
}

/// Cuts a body into lines.
struct Lines {
    body: Fuse<BodyDataStream>,
    /// What was read and not yet cut.
    buffer: BytesMut,
    /// How much of the buffer is known to have no line break.
    searched: usize,
    /// Whether the rest of the current line is thrown away because it is too long.
    skipping: bool,
    number: u64,
    ended: bool,
}

impl Lines {
    fn new(body: Body) -> Self {
        let body = body.into_data_stream().fuse();
        Self { body, buffer: BytesMut::new(), searched: 0, skipping: false, number: 0, ended: false }
    }

    /// The next lines: a full batch, or what came before the client paused. None when there are no more.
    async fn next_batch(&mut self) -> Option<Vec<Line>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_LINES && bytes < BATCH_BYTES {
            let patience = if batch.is_empty() { IDLE_TIMEOUT } else { LINGER };
            match tokio::time::timeout(patience, self.next_line()).await {
                Ok(Some(line)) => {
                    bytes += line.text.as_ref().map_or(0, |text| text.len());
                    batch.push(line);
                }
                Ok(None) => break,
                Err(_) if batch.is_empty() => {
                    self.ended = true;
                    return Some(vec![self.numbered(Err(LineFault::CutOff))]);
                }
                Err(_) => break,
            }
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// The next line that is not empty. Whatever was read stays in `self` when this is cancelled.
    async fn next_line(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.cut_line() {
                return Some(line);
            }
            if self.ended {
                return None;
            }
            match self.body.next().await {
                Some(Ok(chunk)) => self.buffer.extend_from_slice(&chunk),
                Some(Err(_)) => {
                    self.ended = true;
                    self.buffer.clear();
                    return Some(self.numbered(Err(LineFault::CutOff)));
                }
                None => {
                    // The last line may lack its line break.
                    self.ended = true;
                    self.buffer.extend_from_slice(b"\n");
                }
            }
        }
    }

    /// Cuts the next line that is not empty from the buffer, if it holds a whole one.
    fn cut_line(&mut self) -> Option<Line> {
        loop {
            let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            let Some(end) = found.map(|at| self.searched + at) else {
                self.searched = self.buffer.len();
                if self.searched > MAX_BODY_BYTES {
                    (self.skipping, self.searched) = (true, 0);
                    self.buffer.clear();
                }
                return None;
            };
            let mut text = self.buffer.split_to(end + 1);
            text.truncate(end);
            self.searched = 0;
            let too_long = std::mem::take(&mut self.skipping) || text.len() > MAX_BODY_BYTES;
            let line = self.numbered(if too_long { Err(LineFault::TooLong) } else { Ok(text) });
            if !line.text.as_ref().is_ok_and(|text| text.trim_ascii().is_empty()) {
                return Some(line);
            }
        }
    }

    fn numbered(&mut self, text: Result<BytesMut, LineFault>) -> Line {
        self.number += 1;
        Line { number: self.number, text }
    }
}

/// One line of the answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineResult<'a> {
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

/// Writes a batch of lines; answers their results as NDJSON.
async fn carry_out(catalogue: &Catalogue, batch: Vec<Line>, traceparent: Option<&str>) -> Vec<u8> {
    let mut commands = Vec::with_capacity(batch.len());
    let mut read = Vec::with_capacity(batch.len());
    for Line { number, text } in batch {
        let input = match text {
            Ok(text) => read_product(&text, catalogue.currency()),
            Err(fault) => Err(fault.into()),
        };
        let id = input.as_ref().ok().and_then(|input| input.id.clone());
        let fault = input.map(|input| {
            let traceparent = traceparent.map(str::to_owned);
            commands.push(Command { traceparent, ..Command::upsert(input) });
        });
        read.push((number, id, fault.err()));
    }
    let mut answers = catalogue.execute_many(commands).await.into_iter();
    let mut out = Vec::with_capacity(read.len() * 96);
    for (number, id, fault) in read {
        let answer = match fault {
            Some(fault) => Err(CommandError::Input(fault)),
            // There is an answer for each command.
            None => answers.next().unwrap_or(Err(CommandError::Input(LineFault::CutOff.into()))),
        };
        write_result(&mut out, number, id.as_ref(), &answer);
    }
    out
}

fn write_result(
    out: &mut Vec<u8>,
    line: u64,
    id: Option<&ProductId>,
    answer: &Result<WriteAnswer, CommandError>,
) {
    let result = match answer {
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
            let status = problem.status().as_u16();
            LineResult {
                line,
                status,
                outcome: None,
                id,
                version: None,
                sync_token: None,
                problem: Some(problem),
            }
        }
    };
    // Numbers, texts and problems always have a JSON form, and a vector takes every byte.
    let _ = serde_json::to_writer(&mut *out, &result);
    out.push(b'\n');
}

impl From<LineFault> for InputError {
    fn from(fault: LineFault) -> Self {
        let message = match fault {
            LineFault::TooLong => format!("a line has at most {MAX_BODY_BYTES} bytes"),
            LineFault::CutOff => "the body ended in the middle of a line; send what follows again".to_owned(),
        };
        InputError::Faults(Fault::new("", FaultKind::OutOfRange, message).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn lines(chunks: &[&str]) -> Vec<(u64, Result<String, LineFault>)> {
        let chunks: Vec<Result<Bytes, Infallible>> =
            chunks.iter().map(|chunk| Ok(Bytes::from((*chunk).to_owned()))).collect();
        let mut lines = Lines::new(Body::from_stream(stream::iter(chunks)));
        let mut found = Vec::new();
        while let Some(batch) = lines.next_batch().await {
            found.extend(
                batch.into_iter().map(|line| {
                    (line.number, line.text.map(|text| String::from_utf8(text.to_vec()).unwrap()))
                }),
            );
        }
        found
    }

    #[tokio::test]
    async fn lines_are_cut_wherever_chunks_end() {
        let found = lines(&["a\nb", "c\n", "\n", "d\r\ne"]).await;
        let expected = [(1, "a"), (2, "bc"), (4, "d\r"), (5, "e")].map(|(n, text)| (n, Ok(text.to_owned())));
        assert_eq!(found, expected);
        assert_eq!(lines(&[]).await, []);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_passed_over_alone() {
        let long = "x".repeat(700 * 1024);
        let found = lines(&["a\n", &long, &long, &long, "\nb\n"]).await;
        let expected = [(1, Ok("a".to_owned())), (2, Err(LineFault::TooLong)), (3, Ok("b".to_owned()))];
        assert_eq!(found, expected);
    }
}
