//! Finds the records in a stream of JSON, with at most one record in memory.

use std::io::{self, BufRead};

use super::nesting::Nesting;
use crate::record::MAX_LINE_BYTES;
use crate::text_encoding::Input;

/// Keys of an object that hold the list of products.
const LIST_KEYS: [&str; 16] = [
    "products",
    "items",
    "hits",
    "results",
    "data",
    "records",
    "documents",
    "@graph",
    "docs",
    "rows",
    "entries",
    "objects",
    "value",
    "list",
    "member",
    "hydra:member",
];
/// Keys of an object that holds the one with the list.
const WRAPPER_KEYS: [&str; 9] =
    ["result", "response", "payload", "body", "page", "feed", "export", "catalog", "_embedded"];
/// Keys of an object that is a product itself.
const PRODUCT_KEYS: [&str; 6] = ["id", "name", "title", "sku", "objectID", "@type"];
/// Bytes of a further object that are looked at to see whether it holds a list.
const LOOK_AHEAD: usize = 1024;
/// Depth limit of the objects around a list.
const MAX_DEPTH: usize = 8;

/// A record as its file has it, without white space between its parts.
#[derive(Debug)]
pub(super) struct Found {
    /// Line at which it begins, from 1.
    pub(super) line: u64,
    /// Its text, or the reason why there is none.
    pub(super) text: Result<Vec<u8>, String>,
}

/// Returns true if a JSON file is not NDJSON: it begins with an array, with an object that holds a list of products, or with one that
/// continues in the next line.
pub(crate) fn is_document(beginning: &[u8]) -> bool {
    let text = beginning.trim_ascii_start();
    if text.first() != Some(&b'{') {
        return text.first() == Some(&b'[');
    }
    let (line, rest) = match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], text[end..].trim_ascii_start()),
        None => (text, &b""[..]),
    };
    let goes_on =
        matches!(line.trim_ascii_end().last(), Some(b'{' | b'[' | b',' | b':')) && !rest.starts_with(b"{");
    goes_on || holds_list(text)
}

/// Returns true if an object holds a list of products and is none itself, as far as its beginning tells.
fn holds_list(beginning: &[u8]) -> bool {
    let mut scanner = Scanner::new(Box::new(io::Cursor::new(beginning.to_vec())));
    // A cursor cannot fail.
    matches!(scanner.enter(), Ok(true))
}

/// Reads the records of a stream.
pub(super) struct Scanner {
    input: Input,
    line: u64,
    /// The brackets that are open around the next record.
    open: Vec<u8>,
    /// Line at which the innermost list began.
    list_line: u64,
    /// True if the first object holds a list of products; others may then, too.
    holds_lists: bool,
}

impl Scanner {
    fn new(input: Input) -> Self {
        Self { input, line: 1, open: Vec::new(), list_line: 0, holds_lists: false }
    }

    /// Reads a stream from its start.
    pub(super) fn of(mut input: Input) -> io::Result<Self> {
        let holds_lists = holds_list(input.fill_buf()?);
        Ok(Self { holds_lists, ..Self::new(input) })
    }

    /// Returns the next record, or `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Found>> {
        loop {
            let Some(byte) = self.peek_token()? else {
                return Ok(self.open.pop().map(|_| {
                    self.open.clear();
                    let text =
                        Err(format!("the file ends inside the list that begins in line {}", self.list_line));
                    Found { line: self.line, text }
                }));
            };
            match (self.open.last().copied(), byte) {
                (Some(b'['), b']') | (Some(b'{'), b'}') => {
                    self.take()?;
                    self.open.pop();
                }
                (Some(b'{'), _) => drop(self.enter_field()?),
                (None, b'[') => {
                    self.take()?;
                    self.open_list();
                }
                (None, b'{') if self.holds_list()? => {
                    self.take()?;
                    self.open.push(b'{');
                }
                (None, b'{') | (Some(_), _) => return self.record().map(Some),
                (None, _) => return self.stray_line().map(Some),
            }
        }
    }

    /// Returns true if the next object holds a list of products.
    fn holds_list(&mut self) -> io::Result<bool> {
        let look_ahead = if self.holds_lists { usize::MAX } else { LOOK_AHEAD };
        let beginning = self.input.fill_buf()?;
        Ok(holds_list(&beginning[..beginning.len().min(look_ahead)]))
    }

    fn open_list(&mut self) {
        self.open.push(b'[');
        self.list_line = self.line;
    }

    /// Goes from the start of an object into the list of products that it holds. Returns false if it holds none.
    fn enter(&mut self) -> io::Result<bool> {
        if self.peek_token()? != Some(b'{') {
            return Ok(false);
        }
        self.take()?;
        self.open.push(b'{');
        let mut has_empty = false;
        loop {
            match (self.peek_token()?, self.open.last()) {
                (_, None) => return Ok(has_empty),
                // No field begins with a bracket. The fields after it belong to the next record, which looks at them again.
                (None | Some(b'{' | b'[' | b']'), _) => return Ok(false),
                (Some(b'}'), _) => {
                    self.take()?;
                    self.open.pop();
                }
                _ => match self.enter_field()? {
                    Some(key) if PRODUCT_KEYS.contains(&key.as_str()) => return Ok(false),
                    _ if self.open.last() != Some(&b'[') => {}
                    // Another list may have the products.
                    _ if self.peek_token()? == Some(b']') => {
                        self.take()?;
                        self.open.pop();
                        has_empty = true;
                    }
                    _ => return Ok(self.peek_token()? == Some(b'{')),
                },
            }
        }
    }

    /// Reads a field of an object around the list: enters the list, or an object that may hold it, and skips any other value.
    /// Returns the key.
    fn enter_field(&mut self) -> io::Result<Option<String>> {
        let mut key = Vec::new();
        self.value(&mut key)?;
        let key: Option<String> = serde_json::from_slice(&key).ok();
        let byte = self.peek_token()?;
        let is_list = key.as_deref().is_some_and(|key| LIST_KEYS.contains(&key));
        let is_wrapper = key.as_deref().is_some_and(|key| WRAPPER_KEYS.contains(&key));
        match byte {
            Some(b'[') if is_list => {
                self.take()?;
                self.open_list();
            }
            Some(b'{') if (is_list || is_wrapper) && self.open.len() < MAX_DEPTH => {
                self.take()?;
                self.open.push(b'{');
            }
            Some(b'}' | b']') | None => {}
            Some(_) => self.value(&mut Vec::new()).map(drop)?,
        }
        Ok(key)
    }

    fn record(&mut self) -> io::Result<Found> {
        let line = self.line;
        let mut text = Vec::new();
        let is_text = self.peek()? == Some(b'"');
        let mut is_complete = self.value(&mut text)?;
        if is_text && self.is_name()? {
            // The fields of a record that lacks its bracket; objects in it are no records.
            is_complete = self.value_in(Nesting::of_object(), &mut text)?;
        }
        let text = match text.len() {
            _ if !is_complete => Err("is not complete; the file ends inside it".to_owned()),
            length if length > MAX_LINE_BYTES => {
                Err(format!("has more than {MAX_LINE_BYTES} bytes; a product has at most 204800"))
            }
            _ => Ok(text),
        };
        Ok(Found { line, text })
    }

    /// Returns true if a colon follows, which makes the text before it the name of a field.
    fn is_name(&mut self) -> io::Result<bool> {
        while self.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.take()?;
        }
        Ok(self.peek()? == Some(b':'))
    }

    /// Skips a line that does not begin with an object or a list.
    fn stray_line(&mut self) -> io::Result<Found> {
        let line = self.line;
        while self.peek()?.is_some_and(|byte| byte != b'\n') {
            self.take()?;
        }
        Ok(Found { line, text: Err("is no JSON object".to_owned()) })
    }

    /// Reads a value without the white space around its parts, and stops keeping it once it is over the limit. Returns false if the
    /// file ends inside it. A value that is no JSON ends where it would if its quotation marks and brackets were complete, as far as
    /// [`Nesting`] can tell, so that the values after it are read.
    fn value(&mut self, text: &mut Vec<u8>) -> io::Result<bool> {
        self.value_in(Nesting::default(), text)
    }

    /// As [`value`](Self::value), for a value that was begun.
    fn value_in(&mut self, mut nesting: Nesting, text: &mut Vec<u8>) -> io::Result<bool> {
        while let Some(byte) = self.peek()? {
            let is_end = matches!(byte, b',' | b':' | b']' | b'}') || byte.is_ascii_whitespace();
            if nesting.is_outside() && !text.is_empty() && is_end {
                return Ok(true);
            }
            if nesting.ends_before(byte) {
                return Ok(true);
            }
            self.take()?;
            if nesting.is_string() || !byte.is_ascii_whitespace() {
                push(text, byte);
            }
            if byte == b'\\' && nesting.is_string() {
                if let Some(escaped) = self.take()? {
                    push(text, escaped);
                }
                continue;
            }
            if nesting.ends_with(byte) {
                return Ok(true);
            }
        }
        Ok(nesting.is_outside())
    }

    /// Returns the next byte that is no white space, comma or colon.
    fn peek_token(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() && !matches!(byte, b',' | b':') {
                return Ok(Some(byte));
            }
            self.take()?;
        }
        Ok(None)
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn take(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.line += u64::from(byte == b'\n');
            self.input.consume(1);
        }
        Ok(byte)
    }
}

/// Keeps a byte unless the text is over the limit already.
fn push(text: &mut Vec<u8>, byte: u8) {
    if text.len() <= MAX_LINE_BYTES {
        text.push(byte);
    }
}
