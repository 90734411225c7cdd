//! Words that are written as one or in parts: measures such as `20 x 30`, and initials such as `e.l.f.`.

use std::borrow::Cow;
use std::ops::Range;

use crate::signs::{is_foot, is_inch};
use crate::units::{is_beside, is_power, is_unit, without_zeros};

/// The most letters before the number of a measure: `M8 x 25`.
const MAX_LETTERS: usize = 2;
/// The most digits of a number of a measure.
const MAX_DIGITS: usize = 6;
/// The most letters of a unit that is not in the list.
const MAX_UNIT: usize = 3;
/// The most parts of a measure. Longer rows of numbers are not measures.
const MAX_PARTS: usize = 6;

/// A measure, and the unit that is written together with its last number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measure {
    /// The numbers with `x` between them: `20x30`.
    pub(crate) text: String,
    pub(crate) span: Range<usize>,
    pub(crate) unit: Option<(String, Range<usize>)>,
}

/// Finds measures in the words of a text, read in order: numbers with `x`, `×` or `*` between them, with or without spaces.
#[derive(Debug, Default)]
pub(crate) struct Measures {
    /// The measure so far; empty outside of one.
    text: String,
    span: Range<usize>,
    parts: usize,
    /// The end of the last word.
    last_end: usize,
    /// True after an `x`: a number must follow.
    is_open: bool,
    unit: Option<(String, Range<usize>)>,
    /// True if the measure so far is a word of the text itself.
    is_word: bool,
}

/// The text between two words.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    Space,
    Times,
    Other,
}

impl Gap {
    /// Reads the text between a word that ends at `end` and the next one; `None` if they overlap.
    fn of(text: &str, end: usize, next: &Range<usize>) -> Option<Self> {
        let gap = text.get(end..next.start)?;
        Some(match after_unit(&text[..end], gap).trim() {
            "" => Self::Space,
            "×" | "*" => Self::Times,
            _ => Self::Other,
        })
    }
}

/// Returns `rest`, which follows a number or its unit, without signs of inches and feet and without the dot of an abbreviated unit: `in.`.
fn after_unit<'a>(before: &str, rest: &'a str) -> &'a str {
    let rest = rest.trim_start_matches(is_mark);
    let dot = if before.ends_with(char::is_alphabetic) { "." } else { "" };
    rest.strip_prefix(dot).unwrap_or(rest)
}

/// A word as a part of a measure.
struct Parts<'a> {
    /// The word without its units and without zeros at the end of decimals.
    number: Cow<'a, str>,
    unit: &'a str,
    count: usize,
}

impl<'a> Parts<'a> {
    /// Reads `20`, `m8`, `30cm`, `20x30`, `20x30cm`, `20cmx30cm`.
    fn read(word: &'a str) -> Option<Self> {
        let letters = word.bytes().take_while(u8::is_ascii_lowercase).count();
        if letters > MAX_LETTERS || !word.is_ascii() {
            return None;
        }
        let (mut number, mut start, mut end, mut count) = (Cow::Borrowed(""), 0, letters, 0);
        loop {
            end += number_length(&word[end..])?;
            number = add(number, without_zeros(&word[start..end]));
            count += 1;
            let Some(times) = times(&word[end..]).filter(|_| count < MAX_PARTS) else { break };
            start = end + times;
            end = start + 1;
        }
        let unit = &word[end..];
        let is_short = unit.len() <= MAX_UNIT && unit.bytes().all(|byte| byte.is_ascii_lowercase());
        (is_short || is_power(unit) || is_unit(unit)).then_some(Self { number, unit, count })
    }
}

fn add<'a>(text: Cow<'a, str>, more: &'a str) -> Cow<'a, str> {
    if text.is_empty() { Cow::Borrowed(more) } else { text + more }
}

/// Returns the length of the number at the start of a text: `30`, `2.5`, `3/4`.
fn number_length(text: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let fraction = text[whole..].strip_prefix(['.', '/']).map_or(0, |fraction| 1 + digits(fraction));
    (1..=MAX_DIGITS).contains(&whole).then_some(whole + fraction)
}

/// Returns the length of the unit between a number and an `x` before another number, which is 0 in `20x30`; `None` if no number follows.
fn times(text: &str) -> Option<usize> {
    let is_times =
        |at: usize| text[at..].starts_with('x') && text[at + 1..].starts_with(|c: char| c.is_ascii_digit());
    (0..=MAX_UNIT.min(text.len()))
        .take_while(|at| text[..*at].bytes().all(|byte| byte.is_ascii_lowercase()))
        .find(|at| is_times(*at))
}

impl Measures {
    /// Returns true within a measure, which a word without a digit may end.
    pub(crate) fn is_inside(&self) -> bool {
        !self.text.is_empty()
    }

    /// Reads the next word. Returns the measure that ended before it.
    pub(crate) fn next(&mut self, word: &str, span: &Range<usize>, text: &str) -> Option<Measure> {
        let is_inside = self.is_inside();
        // Most words neither are nor follow a number.
        if !is_inside && !word.bytes().take(MAX_LETTERS + 1).any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if is_inside && self.continues(word, span, text) {
            return None;
        }
        let ended = self.end();
        if let Some(Parts { number, unit, count }) = Parts::read(word) {
            self.text.push_str(&number);
            self.span = span.clone();
            self.last_end = span.end;
            self.parts = count;
            self.is_word = number == word;
            self.set_unit(unit, span, text);
        }
        ended
    }

    fn continues(&mut self, word: &str, span: &Range<usize>, text: &str) -> bool {
        let Some(gap) = Gap::of(text, self.last_end, span) else { return false };
        let is_next = if self.is_open { gap == Gap::Space } else { gap == Gap::Times };
        // `24"x36"`: the sign ends the word before the `x`.
        let after_mark = word
            .strip_prefix('x')
            .filter(|_| gap == Gap::Space && !self.is_open && text[..span.start].ends_with(is_mark));
        if is_next || after_mark.is_some() {
            let word = after_mark.unwrap_or(word);
            let Some(Parts { number, unit, count }) = Parts::read(word) else { return false };
            self.text.push('x');
            self.text.push_str(&number);
            self.parts += count;
            self.set_unit(unit, span, text);
        } else if word == "x" && gap == Gap::Space && !self.is_open {
            (self.is_open, self.last_end) = (true, span.end);
            // The `x` belongs to the measure only if a number follows.
            return true;
        } else if self.unit.is_none()
            && !self.is_open
            && (gap == Gap::Space || is_beside(&text[self.last_end..span.start]))
            && is_unit(word)
        {
            // So does a unit, which may follow each number: `20 cm x 30 cm`.
            self.last_end = span.end;
            return self.has_more(text);
        } else {
            return false;
        }
        (self.span.end, self.last_end, self.is_open, self.is_word) = (span.end, span.end, false, false);
        self.parts <= MAX_PARTS
    }

    /// Returns true if an `x` and a number follow.
    fn has_more(&self, text: &str) -> bool {
        let (before, rest) = text.split_at(self.last_end);
        let rest = after_unit(before, rest).trim_start();
        let rest = rest.strip_prefix(['x', 'X', '×', '*']);
        rest.is_some_and(|rest| rest.trim_start().starts_with(|c: char| c.is_ascii_digit()))
    }

    fn set_unit(&mut self, unit: &str, span: &Range<usize>, text: &str) {
        // The letters of the text may be longer or shorter than the folded ones.
        let start = text.floor_char_boundary(span.end.saturating_sub(unit.len())).max(span.start);
        self.unit = (!unit.is_empty()).then(|| (unit.to_owned(), start..span.end));
    }

    /// Ends the current measure. Returns it if it has several numbers and is not a word of the text itself.
    pub(crate) fn end(&mut self) -> Option<Measure> {
        let text = std::mem::take(&mut self.text);
        let unit = self.unit.take();
        let is_measure = (2..=MAX_PARTS).contains(&self.parts) && !self.is_word;
        (self.parts, self.is_open, self.is_word) = (0, false, false);
        is_measure.then(|| Measure { text, span: self.span.clone(), unit })
    }
}

/// Replaces the words of each measure with the measure, followed by its unit if that is written together with it.
pub(crate) fn with_measures(words: Vec<(String, Range<usize>)>, text: &str) -> Vec<(String, Range<usize>)> {
    let mut measures = Measures::default();
    let ended = words.iter().filter_map(|(word, span)| measures.next(word, span, text));
    let mut found: Vec<_> = ended.collect();
    found.extend(measures.end());
    if found.is_empty() {
        return words;
    }
    let ends: Vec<usize> = found.iter().map(|measure| measure.span.end).collect();
    let mut merged = Vec::with_capacity(words.len());
    let mut found = found.into_iter().peekable();
    for (word, span) in words {
        while let Some(measure) = found.next_if(|measure| measure.span.end <= span.start) {
            merged.push((measure.text, measure.span));
            merged.extend(measure.unit);
        }
        let is_outside = found.peek().is_none_or(|measure| span.start < measure.span.start);
        // The sign for inches after a measure says no more than the signs inside it, which are left out, too.
        let is_mark = text[span.clone()].starts_with(is_mark) && ends.contains(&span.start);
        if is_outside && !is_mark {
            merged.push((word, span));
        }
    }
    for measure in found {
        merged.push((measure.text, measure.span));
        merged.extend(measure.unit);
    }
    merged
}

/// Returns true for a sign of inches or feet.
fn is_mark(c: char) -> bool {
    is_inch(c) || is_foot(c)
}

/// Returns true for a measure, or the beginning of one: `20x30`, `m8x25`, `3x1.5`.
pub(crate) fn is_measure(word: &str) -> bool {
    Parts::read(word).is_some_and(|parts| parts.count > 1)
}

/// Returns the first two numbers of a measure with more: `10x15` for `10x15x20`, which is a box with that base.
pub(crate) fn base_of_measure(word: &str) -> Option<&str> {
    let (end, _) = word.match_indices('x').nth(1)?;
    Some(&word[..end]).filter(|base| is_measure(word) && is_measure(base))
}

/// Returns the length of initials at the start of a text: letters with the same dot after each, at least two of them, of which the last
/// one needs no dot. `e.l.f.`, `D.I.Y`, `M·A·C`.
pub(crate) fn initials_length(text: &str) -> Option<usize> {
    let dot = text.chars().nth(1).filter(|dot| is_dot(*dot))?;
    let (mut end, mut letters) = (0, 0);
    while text.as_bytes().get(end).is_some_and(u8::is_ascii_alphabetic) {
        let after = &text[end + 1..];
        let has_dot = after.starts_with(dot);
        if !has_dot && after.starts_with(|next: char| next.is_alphanumeric() || next == '\'') {
            return None;
        }
        letters += 1;
        end += 1;
        if !has_dot {
            break;
        }
        end += dot.len_utf8();
    }
    let is_apart = !text[end..].starts_with(char::is_alphanumeric);
    (letters >= 2 && is_apart).then_some(end)
}

/// Returns true for a dot after the letters of initials.
pub(crate) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{B7}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Purpose, words};

    fn measures(text: &str) -> Vec<String> {
        let (mut measures, mut found) = (Measures::default(), Vec::new());
        words(text, Purpose::Query, |word, span| found.extend(measures.next(word, &span, text)));
        found.extend(measures.end());
        let shown = |measure: Measure| match measure.unit {
            Some((unit, at)) => {
                assert_eq!(&text[at], unit);
                format!("{} {unit}", measure.text)
            }
            None => measure.text,
        };
        found.into_iter().map(shown).collect()
    }

    #[test]
    fn numbers_with_a_sign_of_multiplication_are_a_measure() {
        for (text, expected) in [
            ("M8 x 25", &["m8x25"][..]),
            ("Frame 20 x 30 cm", &["20x30"]),
            ("20 × 30cm", &["20x30 cm"]),
            ("10×15", &["10x15"]),
            ("10 * 15 * 20 mm", &["10x15x20"]),
            ("20x30cm", &["20x30 cm"]),
            ("20x30", &[]),
            ("20cm x 30cm", &["20x30 cm"]),
            ("20 cm x 30 cm", &["20x30"]),
            ("20cmx30cm", &["20x30 cm"]),
            ("20cmx30", &["20x30"]),
            ("24inch x 36inches", &["24x36 inches"]),
            ("2\" x 4\"", &["2x4"]),
            ("2 in x 4 in x 8 ft", &["2x4x8"]),
            ("24 in. x 36 in.", &["24x36"]),
            ("5ft. x 8ft.", &["5x8 ft"]),
            ("24-inch x 36-inch", &["24x36"]),
            ("24\u{2011}inch x 36\u{2011}inch", &["24x36"]),
            ("24-inch-x-36-inch", &[]),
            ("20. x 30", &[]),
            ("20 cm. Red", &[]),
            ("20 cm and 30 cm", &[]),
            ("20 cm x red", &[]),
            ("m8x25", &[]),
            ("2.5 x 4", &["2.5x4"]),
            ("2,5x4", &[]),
            ("4,0x40", &["4x40"]),
            ("m4.50 x 40.0", &["m4.5x40"]),
            ("3 x 5 and 4 x 6", &["3x5", "4x6"]),
            ("1 x 2 x 3 x 4 x 5 x 6 x 7", &[]),
            ("iPhone x 64", &[]),
            ("20 x AA", &[]),
            ("20, x 30", &[]),
            ("5 6", &[]),
            ("2.5", &[]),
        ] {
            assert_eq!(measures(text), expected, "{text}");
        }
    }

    #[test]
    fn initials_have_dots_between_them() {
        for (text, length) in [
            ("e.l.f. lip balm", Some(6)),
            ("D.I.Y", Some(5)),
            ("A.P.C.", Some(6)),
            ("J.R.R. Tolkien", Some(6)),
            ("a.k.", Some(4)),
            ("a.", None),
            ("a.bc", None),
            ("e.l.f.s", Some(7)),
            ("b.1", None),
            ("elf", None),
            ("M\u{B7}A\u{B7}C lipstick", Some(7)),
            ("a\u{B7}bc", None),
        ] {
            assert_eq!(initials_length(text), length, "{text}");
        }
    }
}
