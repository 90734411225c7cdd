//! Mutations of a corpus. Random bytes alone would not get past the first character of a JSON text or a token.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// The most bytes of an input.
const MAX_BYTES: usize = 64 * 1024;
/// The most changes that make an input from one of the corpus.
const MAX_CHANGES: usize = 6;
/// The longest part that is removed or repeated, in bytes.
const MAX_PART: usize = 64;
/// A part is repeated up to two to the power of this many times.
const MAX_DOUBLINGS: u32 = 12;
/// Texts that parsers treat differently from their neighbours.
const TEXTS: [&str; 42] = [
    "\"",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "&",
    "=",
    "%",
    "+",
    ".",
    "_",
    "-",
    ">",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "null",
    "true",
    "0",
    "-1",
    "1e999",
    "9223372036854775807",
    "18446744073709551616",
    "0.1",
    "\\u0000",
    "\\ud800",
    "%00",
    "%ff",
    "[[[[[[[[",
    "{\"a\":{\"a\":",
    "\u{feff}",
    "\u{200d}",
    "\u{301}",
    "\u{10ffff}",
    "ß",
    "İ",
    "東京",
    "2026-02-29T24:00:00Z",
];

/// An input of a target. Shown as a byte string.
#[derive(Clone)]
pub(super) struct Input(Vec<u8>);

impl Input {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A change of an input at some position.
#[derive(Debug, Clone)]
enum Change {
    Insert(u8),
    Replace(u8),
    Flip(u32),
    Remove(usize),
    Repeat(usize, u32),
    /// Continues with another input of the corpus, from a position on.
    Splice(Vec<u8>, Index),
    Truncate,
    InsertText(&'static str),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>, position: Index) {
        let at = position.index(bytes.len() + 1);
        let end = |length: usize| (at + length).min(bytes.len());
        match self {
            Self::Insert(byte) => bytes.insert(at, *byte),
            Self::Replace(byte) => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = *byte),
            Self::Flip(bit) => bytes.iter_mut().skip(at).take(1).for_each(|old| *old ^= 1 << bit),
            Self::Remove(length) => drop(bytes.drain(at..end(*length))),
            Self::Repeat(length, doublings) => {
                let part = bytes[at..end(*length)].repeat(1 << doublings);
                bytes.splice(at..at, part);
            }
            Self::Splice(other, from) => {
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from.index(other.len() + 1)..]);
            }
            Self::Truncate => bytes.truncate(at),
            Self::InsertText(text) => drop(bytes.splice(at..at, text.bytes())),
        }
        bytes.truncate(MAX_BYTES);
    }
}

/// Returns the inputs that some changes make from those of a corpus, which is not empty.
pub(super) fn mutations(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Input> {
    let change = prop_oneof![
        any::<u8>().prop_map(Change::Insert),
        any::<u8>().prop_map(Change::Replace),
        (0..8_u32).prop_map(Change::Flip),
        (1..=MAX_PART).prop_map(Change::Remove),
        (1..=MAX_PART, 0..=MAX_DOUBLINGS).prop_map(|(length, doublings)| Change::Repeat(length, doublings)),
        (select(corpus.clone()), any::<Index>()).prop_map(|(other, from)| Change::Splice(other, from)),
        Just(Change::Truncate),
        select(TEXTS.to_vec()).prop_map(Change::InsertText),
    ];
    (select(corpus), vec((change, any::<Index>()), 1..=MAX_CHANGES)).prop_map(|(mut bytes, changes)| {
        changes.iter().for_each(|(change, position)| change.apply(&mut bytes, *position));
        Input(bytes)
    })
}
