//! The number of typos between two words: letters to insert, delete or replace, or two adjacent letters to swap.
//!
//! This is the optimal string alignment distance, computed by the bit-vector algorithm of Hyyrö, *A Bit-Vector Algorithm for
//! Computing Levenshtein and Damerau Edit Distances* (2003): a whole column of the table at once.

use std::ops::Range;

use crate::analysis::has_digit;
use crate::cjk::is_cjk;

/// A word is corrected to another only if at least this many times as many products have that one.
pub const MIN_CORRECTION_RATIO: u64 = 10;

/// Returns the number of typos that a word may have, by its length. None are allowed in words with digits, which are codes and
/// sizes, or in scripts without spaces, where each character is about half a word.
pub fn typos_allowed(word: &str) -> u8 {
    if has_digit(word) || is_cjk(word) {
        return 0;
    }
    match word.chars().count() {
        0..=3 => 0,
        4..=5 => 1,
        _ => 2,
    }
}

/// The set of letters of a word, as bits. Different letters may share a bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterSet(u32);

impl LetterSet {
    /// Creates the set of letters of a word.
    pub fn new(word: &str) -> Self {
        Self(word.chars().fold(0, |letters, letter| letters | 1 << (u32::from(letter) % 32)))
    }
}

/// A word, prepared for comparison with many other words.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The positions of each letter outside ASCII: bit `n` is set if the letter is at position `n`.
    positions: Vec<(char, u64)>,
    /// The positions of each ASCII letter, indexed by its code: faster, and most letters are ASCII.
    ascii: Box<[u64; 128]>,
    letters: LetterSet,
    chars: usize,
    max_typos: u8,
    /// The first letter of a word of a query. People rarely mistype it, so a typo there counts as two.
    first: Option<char>,
}

/// The maximum length of a pattern in characters, each of which has one bit of a `u64`.
const MAX_CHARS: usize = 64;

impl Pattern {
    /// Creates the pattern of a word that may have `max_typos` typos; `None` if the word is empty or longer than 64 characters.
    pub fn new(word: &str, max_typos: u8) -> Option<Self> {
        let chars = word.chars().count();
        if chars == 0 || chars > MAX_CHARS {
            return None;
        }
        let (mut positions, mut ascii) = (Vec::<(char, u64)>::new(), Box::new([0; 128]));
        for (at, letter) in word.chars().enumerate() {
            let bit = 1 << at;
            match ascii.get_mut(letter as usize) {
                Some(own) => *own |= bit,
                None => match positions.iter_mut().find(|(known, _)| *known == letter) {
                    Some((_, own)) => *own |= bit,
                    None => positions.push((letter, bit)),
                },
            }
        }
        Some(Self { positions, ascii, letters: LetterSet::new(word), chars, max_typos, first: None })
    }

    /// Creates the pattern of a word of a query, with the number of typos that [`typos_allowed`] returns for it; `None` if that is 0
    /// or the word is longer than 64 characters. A typo in the first letter counts as two.
    pub fn for_word(word: &str) -> Option<Self> {
        let allowed = typos_allowed(word);
        let pattern = if allowed == 0 { None } else { Self::new(word, allowed) };
        pattern.map(|pattern| Self { first: word.chars().next(), ..pattern })
    }

    /// Returns the range of lengths, in characters, that a matching word may have.
    pub fn lengths(&self) -> Range<usize> {
        self.chars.saturating_sub(usize::from(self.max_typos))..self.chars + usize::from(self.max_typos) + 1
    }

    /// Returns false if no word with these letters can match: each typo adds at most one new letter and removes at most one.
    pub fn may_match(&self, other: LetterSet) -> bool {
        let (own, other) = (self.letters.0, other.0);
        (own & !other).count_ones() <= u32::from(self.max_typos)
            && (other & !own).count_ones() <= u32::from(self.max_typos)
    }

    /// Returns false if no word with these letters can begin with a match.
    pub fn may_match_prefix(&self, other: LetterSet) -> bool {
        (self.letters.0 & !other.0).count_ones() <= u32::from(self.max_typos)
    }

    /// Returns the number of typos between pattern and word; `None` if there are more than the pattern allows.
    pub fn typos(&self, word: &str) -> Option<u8> {
        let mut typos = self.chars;
        self.for_each_distance(word.chars(), |distance| typos = distance);
        let is_other_first = self.first.is_some_and(|first| !word.starts_with(first));
        self.allowed(typos + usize::from(is_other_first))
    }

    /// Returns the fewest typos between the pattern and any prefix of the word; `None` if the pattern allows fewer. A typo in the first
    /// letter counts as one.
    pub fn prefix_typos(&self, word: &str) -> Option<u8> {
        let mut least = self.chars;
        let letters = word.chars().take(self.chars + usize::from(self.max_typos));
        self.for_each_distance(letters, |distance| least = least.min(distance));
        self.allowed(least)
    }

    fn allowed(&self, typos: usize) -> Option<u8> {
        u8::try_from(typos).ok().filter(|typos| *typos <= self.max_typos)
    }

    /// Calls `each` after each letter with the distance between the pattern and the letters so far.
    fn for_each_distance(&self, letters: impl Iterator<Item = char>, mut each: impl FnMut(usize)) {
        // `vertical_*` are the differences between adjacent cells of a column, one bit for each cell.
        let (mut vertical_up, mut vertical_down) = (u64::MAX, 0_u64);
        let (mut diagonal, mut positions_before) = (0_u64, 0_u64);
        let last = 1_u64 << (self.chars - 1);
        let mut distance = self.chars;
        for letter in letters {
            let positions = self.positions_of(letter);
            let swapped = ((!diagonal & positions) << 1) & positions_before;
            diagonal = swapped
                | ((positions & vertical_up).wrapping_add(vertical_up) ^ vertical_up)
                | positions
                | vertical_down;
            let horizontal_up = vertical_down | !(diagonal | vertical_up);
            let horizontal_down = diagonal & vertical_up;
            distance += usize::from(horizontal_up & last != 0);
            distance -= usize::from(horizontal_down & last != 0);
            let shifted_up = horizontal_up << 1 | 1;
            let shifted_down = horizontal_down << 1;
            vertical_up = shifted_down | !(diagonal | shifted_up);
            vertical_down = shifted_up & diagonal;
            positions_before = positions;
            each(distance);
        }
    }

    fn positions_of(&self, letter: char) -> u64 {
        match self.ascii.get(letter as usize) {
            Some(positions) => *positions,
            None => self
                .positions
                .iter()
                .find(|(known, _)| *known == letter)
                .map_or(0, |(_, positions)| *positions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn typos_grow_with_the_letters() {
        for (word, typos) in [
            ("tv", 0),
            ("hdd", 0),
            ("mouse", 1),
            ("camera", 2),
            ("ps5", 0),
            ("wh1000xm4", 0),
            ("ノートパソコン", 0),
        ] {
            assert_eq!(typos_allowed(word), typos, "{word}");
        }
    }

    #[test]
    fn neighbours_that_swap_are_one_typo() {
        for (from, to, typos) in [
            ("mouse", "mouse", Some(0)),
            ("mouse", "muose", Some(1)),
            ("mouse", "moues", Some(1)),
            ("mouse", "muoes", Some(2)),
            ("mouse", "ouse", Some(1)),
            ("mouse", "mouuse", Some(1)),
            ("mouse", "house", Some(1)),
            ("mouse", "hose", Some(2)),
            ("mouse", "mice", None),
            ("müsli", "msüli", Some(1)),
            // Swapped letters are not edited again.
            ("ca", "abc", None),
        ] {
            assert_eq!(Pattern::new(from, 2).unwrap().typos(to), typos, "{from} {to}");
        }
    }

    #[test]
    fn a_typo_in_the_first_letter_counts_as_two() {
        for (from, to, typos) in [
            ("mouse", "house", None),
            ("printer", "qrinter", Some(2)),
            ("printer", "rpinter", Some(2)),
            ("printer", "prinetr", Some(1)),
            ("printer", "qrintr", None),
        ] {
            assert_eq!(Pattern::for_word(from).unwrap().typos(to), typos, "{from} {to}");
        }
    }

    /// Computes the distance from its definition: the whole table, cell by cell.
    fn distance(from: &str, to: &str) -> usize {
        let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
        let mut table = vec![vec![0; to.len() + 1]; from.len() + 1];
        for i in 0..=from.len() {
            for j in 0..=to.len() {
                if i == 0 || j == 0 {
                    table[i][j] = i + j;
                    continue;
                }
                let replaced = table[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                let mut best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                    best = best.min(table[i - 2][j - 2] + 1);
                }
                table[i][j] = best;
            }
        }
        table[from.len()][to.len()]
    }

    proptest! {
        #[test]
        fn bits_count_as_the_table_does(from in "[a-cé]{1,9}", to in "[a-cé]{1,9}", most in 0_u8..4) {
            let pattern = Pattern::new(&from, most).unwrap();
            let expected = Some(distance(&from, &to) as u8).filter(|typos| *typos <= most);
            prop_assert_eq!(pattern.typos(&to), expected);
            let ends = to.char_indices().map(|(start, letter)| start + letter.len_utf8());
            let least = ends.map(|end| distance(&from, &to[..end]) as u8).min();
            let least = least.filter(|typos| *typos <= most);
            prop_assert_eq!(pattern.prefix_typos(&to), least);
            prop_assert!(least.is_none() || pattern.may_match_prefix(LetterSet::new(&to)));
            if expected.is_some() {
                prop_assert!(pattern.may_match(LetterSet::new(&to)));
                prop_assert!(pattern.lengths().contains(&to.chars().count()));
            }
        }
    }
}
