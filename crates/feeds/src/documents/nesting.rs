//! Tracks the brackets and quotation marks around a position in JSON, even if some of them are missing:
//!
//! 1. A quotation mark is missing: a text ends with its line, and words outside of texts are a text if several follow each other or a
//!    quotation mark follows.
//! 2. An object begins where the name of a field belongs: the object around it lacks its closing bracket.
//! 3. A closing bracket also closes the brackets that were opened since its pair.

/// Depth limit. Deeper brackets are counted.
const MAX_DEPTH: usize = 10_000;

/// A word outside of texts, such as `true`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Word {
    #[default]
    None,
    Inside,
    /// White space follows it.
    After,
}

/// The state of a scan.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    open: Vec<u8>,
    /// Brackets that are open beyond the limit.
    deeper: u64,
    is_string: bool,
    word: Word,
    /// True if the name of a field comes next.
    expects_name: bool,
}

impl Nesting {
    /// Begins inside an object, after the name of a field.
    pub(super) fn of_object() -> Self {
        Self { open: vec![b'{'], ..Self::default() }
    }

    pub(super) fn is_string(&self) -> bool {
        self.is_string
    }

    /// Returns true outside of all brackets and texts.
    pub(super) fn is_outside(&self) -> bool {
        self.open.is_empty() && !self.is_string
    }

    /// Returns true if the value ends before this byte, because it lacks a bracket and another object begins. Inner objects are closed.
    pub(super) fn ends_before(&mut self, byte: u8) -> bool {
        if byte != b'{' || self.is_string || !self.expects_name || self.deeper > 0 {
            return false;
        }
        self.expects_name = false;
        self.open.pop();
        self.open.is_empty()
    }

    /// Adds a byte. Returns true if the value ends with it.
    pub(super) fn ends_with(&mut self, byte: u8) -> bool {
        if self.is_string {
            self.is_string = !matches!(byte, b'"' | b'\n');
            return byte == b'"' && self.open.is_empty();
        }
        match byte {
            _ if self.open.is_empty() && !matches!(byte, b'"' | b'{' | b'[') => {}
            b'"' if self.word != Word::None => self.word = Word::None,
            b'"' => self.is_string = true,
            b' ' | b'\t' if self.word != Word::None => self.word = Word::After,
            b'{' | b'[' if self.open.len() == MAX_DEPTH => self.deeper += 1,
            b'{' | b'[' => self.open.push(byte),
            b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
            b'}' | b']' => return self.close(if byte == b'}' { b'{' } else { b'[' }),
            b',' | b':' | b'\n' | b'\r' | b' ' | b'\t' => self.word = Word::None,
            _ if self.word == Word::After => (self.is_string, self.word) = (true, Word::None),
            b'0'..=b'9' | b'+' | b'-' | b'.' => {}
            _ => self.word = Word::Inside,
        }
        if !byte.is_ascii_whitespace() {
            self.expects_name = byte == b'{' || (byte == b',' && self.open.last() == Some(&b'{'));
        }
        false
    }

    /// Closes a bracket with those inside it. One without its pair closes nothing.
    fn close(&mut self, bracket: u8) -> bool {
        (self.expects_name, self.word) = (false, Word::None);
        if let Some(at) = self.open.iter().rposition(|open| *open == bracket) {
            self.open.truncate(at);
        }
        self.open.is_empty()
    }
}
