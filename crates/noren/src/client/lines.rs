//! The lines of a streamed response.

use feeds::{Line, LineSplitter};

use super::api::LineHandler;
use super::response::MAX_RESPONSE_BYTES;
use crate::failure::Failure;

/// Cuts a streamed response into lines and passes them to a handler.
pub(super) struct ResponseLines<'a> {
    splitter: LineSplitter,
    handler: LineHandler<'a>,
}

impl<'a> ResponseLines<'a> {
    pub(super) fn new(handler: LineHandler<'a>) -> Self {
        Self { splitter: LineSplitter::new(MAX_RESPONSE_BYTES), handler }
    }

    /// Adds a chunk of the response.
    ///
    /// # Errors
    /// If a line is over the size limit, or the handler returns an error.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), Failure> {
        self.splitter.push(chunk);
        while let Some(Line { text, .. }) = self.splitter.next_line() {
            let text = text.map_err(|_| Failure::new("a line of the response is too long"))?;
            (self.handler)(text.trim_ascii())?;
        }
        Ok(())
    }

    /// Ends the response.
    ///
    /// # Errors
    /// As [`ResponseLines::push`].
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.splitter.finish();
        self.push(b"")
    }
}
