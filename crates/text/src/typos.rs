//! How many typos lie between two words: letters to insert, remove, replace, or swap with their neighbour.
//!
//! The distance is the one of optimal string alignment, counted by bits as in Hyyrö, *A Bit-Vector Algorithm for
//! Computing Levenshtein and Damerau Edit Distances* (2003): all cells of a column of the table at once.

use std::ops::Range;

use crate::analysis::has_digit;
use crate::cjk::is_cjk;

/// How many typos a word may have, by its letters; words with digits are codes and sizes and have none, and in scripts
/// without spaces each character is half a word.
pub fn typos_allowed(word: &str) -> u8 {
    if has_digit(word) || is_cjk(word) {
        return 0;
    }
    match word.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    }
}

/// Which letters a word has, as bits; different letters may share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterSet(u32);

impl LetterSet {
    /// The letters of a word.
    pub fn new(word: &str) -> Self {
        Self(word.chars().fold(0, |letters, letter| letters | 1 << (u32::from(letter) % 32)))
    }
}

/// A word that others are compared with.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// The places of each letter, as bits.
    places: Vec<(char, u64)>,
    /// The same for letters of ASCII, which most are.
    ascii: Box<[u64; 128]>,
    letters: LetterSet,
    chars: usize,
    most: u8,
}

/// The longest word that is compared, in characters: one bit each.
const MAX_CHARS: usize = 64;

impl Pattern {
    /// The pattern of a word that may have `most` typos; none for a word that is too long.
    pub fn new(word: &str, most: u8) -> Option<Self> {
        let chars = word.chars().count();
        if chars == 0 || chars > MAX_CHARS {
            return None;
        }
        let (mut places, mut ascii) = (Vec::<(char, u64)>::new(), Box::new([0; 128]));
        for (at, letter) in word.chars().enumerate() {
            let bit = 1 << at;
            match ascii.get_mut(letter as usize) {
                Some(own) => *own |= bit,
                None => match places.iter_mut().find(|(known, _)| *known == letter) {
                    Some((_, own)) => *own |= bit,
                    None => places.push((letter, bit)),
                },
            }
        }
        Some(Self { places, ascii, letters: LetterSet::new(word), chars, most })
    }

    /// Creates the pattern of a word that may have as many typos as [`typos_allowed`] says; `None` if it may have none, or
    /// is longer than 64 characters.
    pub fn for_word(word: &str) -> Option<Self> {
        let allowed = typos_allowed(word);
        if allowed == 0 { None } else { Self::new(word, allowed) }
    }

    /// How many characters a word within reach has.
    pub fn lengths(&self) -> Range<usize> {
        self.chars.saturating_sub(usize::from(self.most))..self.chars + usize::from(self.most) + 1
    }

    /// Whether a word with these letters can be within reach: each typo brings one new letter at most, and takes one.
    pub fn may_match(&self, other: LetterSet) -> bool {
        let (own, other) = (self.letters.0, other.0);
        (own & !other).count_ones() <= u32::from(self.most)
            && (other & !own).count_ones() <= u32::from(self.most)
    }

    /// Whether a word with these letters can begin with one within reach.
    pub fn may_match_prefix(&self, other: LetterSet) -> bool {
        (self.letters.0 & !other.0).count_ones() <= u32::from(self.most)
    }

    /// How many typos lie between the two, when the pattern allows as many.
    pub fn typos(&self, word: &str) -> Option<u8> {
        let mut typos = self.chars;
        self.each_distance(word.chars(), |distance| typos = distance);
        self.allowed(typos)
    }

    /// The same for the beginning of `word` that is nearest.
    pub fn prefix_typos(&self, word: &str) -> Option<u8> {
        let mut least = self.chars;
        let letters = word.chars().take(self.chars + usize::from(self.most));
        self.each_distance(letters, |distance| least = least.min(distance));
        self.allowed(least)
    }

    fn allowed(&self, typos: usize) -> Option<u8> {
        u8::try_from(typos).ok().filter(|typos| *typos <= self.most)
    }

    /// Hands the distance to what came so far to `each`, after each letter.
    fn each_distance(&self, letters: impl Iterator<Item = char>, mut each: impl FnMut(usize)) {
        // `vertical_*` are the differences between cells of a column, one bit a cell.
        let (mut vertical_up, mut vertical_down) = (u64::MAX, 0_u64);
        let (mut diagonal, mut places_before) = (0_u64, 0_u64);
        let last = 1_u64 << (self.chars - 1);
        let mut distance = self.chars;
        for letter in letters {
            let places = self.places_of(letter);
            let swapped = ((!diagonal & places) << 1) & places_before;
            diagonal = swapped
                | ((places & vertical_up).wrapping_add(vertical_up) ^ vertical_up)
                | places
                | vertical_down;
            let horizontal_up = vertical_down | !(diagonal | vertical_up);
            let horizontal_down = diagonal & vertical_up;
            distance += usize::from(horizontal_up & last != 0);
            distance -= usize::from(horizontal_down & last != 0);
            let shifted_up = horizontal_up << 1 | 1;
            let shifted_down = horizontal_down << 1;
            vertical_up = shifted_down | !(diagonal | shifted_up);
            vertical_down = shifted_up & diagonal;
            places_before = places;
            each(distance);
        }
    }

    fn places_of(&self, letter: char) -> u64 {
        match self.ascii.get(letter as usize) {
            Some(places) => *places,
            None => self.places.iter().find(|(known, _)| *known == letter).map_or(0, |(_, places)| *places),
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
            ("hdd", 1),
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
            // Swapped letters are not changed again.
            ("ca", "abc", None),
        ] {
            assert_eq!(Pattern::new(from, 2).unwrap().typos(to), typos, "{from} {to}");
        }
    }

    /// The table, cell by cell.
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
