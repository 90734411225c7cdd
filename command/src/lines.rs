//! Splits streamed NDJSON into lines, and lines into batches, with bounded memory.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::BytesMut;
use domain::input::InputError;
use domain::{Fault, FaultKind};
use feeds::LineSplitter;
pub(crate) use feeds::Position;
use futures::stream::{Fuse, StreamExt};
use runtime::http::MAX_BODY_BYTES;

/// The most lines of a batch.
pub(crate) const BATCH_LINES: usize = 500;
/// Bytes after which a batch ends, so that batches of large products are small.
const BATCH_BYTES: usize = 1024 * 1024;
/// The time that a batch waits for more of the body.
const LINGER: Duration = Duration::from_millis(50);
/// The longest pause of a client before its request fails.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// A line of the body.
pub(crate) struct Line {
    /// Its number, counted from 1.
    pub(crate) number: u64,
    pub(crate) text: Result<BytesMut, LineFault>,
}

/// The reason why a line has no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LineFault {
    /// The line is longer than the limit.
    TooLong,
    /// The body broke off in this line.
    CutOff,
}

/// Splits a body into lines.
pub(crate) struct Lines {
    body: Fuse<BodyDataStream>,
    splitter: LineSplitter,
    is_at_end: bool,
}

impl Lines {
    pub(crate) fn new(body: Body) -> Self {
        Self::starting_at(Position::default(), body)
    }

    /// Splits the rest of a body, which begins at a [`position`](Self::position) of an earlier reader of the body.
    pub(crate) fn starting_at(position: Position, rest: Body) -> Self {
        let splitter = LineSplitter::starting_at(position, MAX_BODY_BYTES);
        Self { body: rest.into_data_stream().fuse(), splitter, is_at_end: false }
    }

    /// Returns the position after the last batch.
    pub(crate) fn position(&self) -> Position {
        self.splitter.position()
    }

    /// Returns the next batch: a full one, or the lines before a pause of the client. `None` at the end of the body.
    pub(crate) async fn next_batch(&mut self) -> Option<Vec<Line>> {
        self.next_lines(BATCH_LINES).await
    }

    /// Returns the next batch with at most `most` lines.
    pub(crate) async fn next_lines(&mut self, most: usize) -> Option<Vec<Line>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < most && bytes < BATCH_BYTES {
            let limit = if batch.is_empty() { IDLE_TIMEOUT } else { LINGER };
            match tokio::time::timeout(limit, self.next_line()).await {
                Ok(Some(line)) => {
                    bytes += line.text.as_ref().map_or(0, |text| text.len());
                    batch.push(line);
                }
                Ok(None) => break,
                Err(_) if batch.is_empty() => {
                    return Some(vec![self.cut_off()]);
                }
                Err(_) => break,
            }
        }
        (!batch.is_empty()).then_some(batch)
    }

    /// Returns the next line that is not empty. Cancel-safe: all bytes read stay in `self`.
    async fn next_line(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.splitter.next_line() {
                return Some(Line { number: line.number, text: line.text.map_err(|_| LineFault::TooLong) });
            }
            if self.is_at_end {
                return None;
            }
            match self.body.next().await {
                Some(Ok(chunk)) => self.splitter.push(&chunk),
                Some(Err(_)) => return Some(self.cut_off()),
                None => {
                    self.is_at_end = true;
                    self.splitter.finish();
                }
            }
        }
    }

    /// Ends the body, and returns the line in which it broke off.
    fn cut_off(&mut self) -> Line {
        self.is_at_end = true;
        self.splitter.discard();
        Line { number: self.splitter.count_line(), text: Err(LineFault::CutOff) }
    }
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
    use std::convert::Infallible;

    use bytes::Bytes;
    use futures::stream;

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
    async fn lines_are_split_wherever_chunks_end() {
        let found = lines(&["a\nb", "c\n", "\n", "d\r\ne"]).await;
        let expected = [(1, "a"), (2, "bc"), (4, "d\r"), (5, "e")].map(|(n, text)| (n, Ok(text.to_owned())));
        assert_eq!(found, expected);
        assert_eq!(lines(&[]).await, []);
    }

    #[tokio::test]
    async fn reading_continues_from_the_position_of_a_batch() {
        let long = "x".repeat(MAX_BODY_BYTES + 1);
        let body = format!("a\n\nb\n{long}\n{}\nlast", "c\n".repeat(1200));
        let chunks: Vec<Result<Bytes, Infallible>> =
            body.as_bytes().chunks(1000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let mut whole = Lines::new(Body::from_stream(stream::iter(chunks)));
        let mut batches = 0;
        while let Some(batch) = whole.next_batch().await {
            batches += 1;
            let position = whole.position();
            assert_eq!(batch.last().unwrap().number, position.lines);
            let rest = body[usize::try_from(position.bytes).unwrap()..].to_owned();
            let lines_before = body[..usize::try_from(position.bytes).unwrap()].lines().count() as u64;
            assert_eq!(lines_before, position.lines, "batch {batches}");
            if let Some(next) = Lines::starting_at(position, Body::from(rest)).next_batch().await {
                assert!(next[0].number > position.lines && next[0].text.is_ok(), "batch {batches}");
            }
        }
        assert!(batches >= 3, "{batches}");
        assert_eq!(whole.position(), Position { lines: 1206, bytes: body.len() as u64 });
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_skipped_alone() {
        let long = "x".repeat(700 * 1024);
        let found = lines(&["a\n", &long, &long, &long, "\nb\n"]).await;
        let expected = [(1, Ok("a".to_owned())), (2, Err(LineFault::TooLong)), (3, Ok("b".to_owned()))];
        assert_eq!(found, expected);
    }
}
