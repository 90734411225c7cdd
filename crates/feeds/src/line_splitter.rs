//! Cuts a stream of bytes into lines, with bounded memory and without I/O.

use bytes::BytesMut;

/// A line that is not blank.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// Number of the line, from 1. Blank lines count.
    pub number: u64,
    /// The line without its line feed.
    pub text: Result<BytesMut, TooLong>,
}

/// The text of a line exceeds the size limit and was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// The end of a line in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Number of lines up to here, including blank ones.
    pub lines: u64,
    /// Number of bytes up to here, including line feeds.
    pub bytes: u64,
}

/// Cuts chunks of bytes into lines.
///
/// The caller alternates between [`push`](Self::push) and [`next_line`](Self::next_line), and calls
/// [`finish`](Self::finish) at the end of the stream. Blank lines are skipped. At most the size limit plus one chunk is
/// held in memory.
#[derive(Debug)]
pub struct LineSplitter {
    max_line_bytes: usize,
    /// Bytes that were received and not yet returned.
    buffer: BytesMut,
    /// Length of the start of the buffer that is known to have no line feed.
    searched: usize,
    /// True while the rest of a line over the limit is discarded.
    is_skipping: bool,
    position: Position,
    received: u64,
}

impl LineSplitter {
    /// Creates a splitter for a stream whose lines may have `max_line_bytes` bytes each.
    pub fn new(max_line_bytes: usize) -> Self {
        Self::starting_at(Position::default(), max_line_bytes)
    }

    /// Creates a splitter for the rest of a stream, from the end of an earlier line on. Numbers and positions continue.
    pub fn starting_at(position: Position, max_line_bytes: usize) -> Self {
        Self {
            max_line_bytes,
            buffer: BytesMut::new(),
            searched: 0,
            is_skipping: false,
            position,
            received: position.bytes,
        }
    }

    /// Appends bytes of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        self.received += chunk.len() as u64;
        self.buffer.extend_from_slice(chunk);
    }

    /// Ends the stream. The last line needs no line feed.
    pub fn finish(&mut self) {
        if self.is_skipping || !self.buffer.is_empty() {
            self.buffer.extend_from_slice(b"\n");
        }
    }

    /// Discards the line that has begun, because the rest of the stream will not come.
    pub fn discard(&mut self) {
        self.buffer.clear();
        self.searched = 0;
    }

    /// Returns the next complete line that is not blank, or `None` if more bytes are needed.
    pub fn next_line(&mut self) -> Option<Line> {
        loop {
            let found = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n');
            let Some(end) = found.map(|at| self.searched + at) else {
                self.searched = self.buffer.len();
                if self.searched > self.max_line_bytes {
                    self.is_skipping = true;
                    self.discard();
                }
                return None;
            };
            let mut text = self.buffer.split_to(end + 1);
            text.truncate(end);
            self.searched = 0;
            // `finish` may have added one line feed that was not received.
            self.position.bytes = self.received.saturating_sub(self.buffer.len() as u64);
            let is_too_long = std::mem::take(&mut self.is_skipping) || text.len() > self.max_line_bytes;
            let line =
                Line { number: self.count_line(), text: if is_too_long { Err(TooLong) } else { Ok(text) } };
            if !line.text.as_ref().is_ok_and(|text| text.trim_ascii().is_empty()) {
                return Some(line);
            }
        }
    }

    /// Counts one more line and returns its number.
    pub fn count_line(&mut self) -> u64 {
        self.position.lines += 1;
        self.position.lines
    }

    /// Returns the end of the line that was returned last.
    pub fn position(&self) -> Position {
        self.position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str], max_line_bytes: usize) -> Vec<(u64, Result<String, TooLong>)> {
        let mut splitter = LineSplitter::new(max_line_bytes);
        let mut lines = Vec::new();
        for at in 0..=chunks.len() {
            match chunks.get(at) {
                Some(chunk) => splitter.push(chunk.as_bytes()),
                None => splitter.finish(),
            }
            while let Some(Line { number, text }) = splitter.next_line() {
                lines.push((number, text.map(|text| String::from_utf8(text.to_vec()).unwrap())));
            }
        }
        lines
    }

    #[test]
    fn lines_are_cut_wherever_chunks_end() {
        let found = lines(&["a\nb", "c\n", "\n", "d\r\ne"], 100);
        let expected =
            [(1, "a"), (2, "bc"), (4, "d\r"), (5, "e")].map(|(at, text)| (at, Ok(text.to_owned())));
        assert_eq!(found, expected);
        assert_eq!(lines(&[], 100), []);
    }

    #[test]
    fn a_line_over_the_limit_is_discarded_alone() {
        let found = lines(&["1234\n12345\n", "123", "456", "789", "\nx\n", "123456"], 4);
        let shown: Vec<(u64, Option<&str>)> =
            found.iter().map(|(number, text)| (*number, text.as_deref().ok())).collect();
        assert_eq!(shown, [(1, Some("1234")), (2, None), (3, None), (4, Some("x")), (5, None)]);
    }

    #[test]
    fn a_splitter_continues_at_a_position() {
        let text = "a\n\nbb\nlast";
        let mut whole = LineSplitter::new(100);
        whole.push(text.as_bytes());
        assert_eq!((whole.next_line().unwrap().number, whole.next_line().unwrap().number), (1, 3));
        assert_eq!(whole.position(), Position { lines: 3, bytes: 6 });
        let mut rest = LineSplitter::starting_at(whole.position(), 100);
        rest.push(&text.as_bytes()[6..]);
        rest.finish();
        assert_eq!(rest.next_line().unwrap().number, 4);
        assert_eq!(rest.position(), Position { lines: 4, bytes: 10 });
    }
}
