//! Collects and folds the characters of a run.

use std::ops::Range;

use unicode_normalization::char::compose;

use super::kana::{
    LONG_VOWEL, OPTIONAL_LONG_VOWEL, is_any_kana, is_counter, is_dash, is_half_width_kana, is_middle_dot,
    katakana, large, unvoiced, vowel,
};
use super::run::CjkRun;
use super::script::{is_spaceless, is_zero_width};
use crate::purpose::Purpose;

/// The fewest characters before a final long vowel that is optional. In shorter words it makes a difference: `トナー` without
/// it would be another word, or no word.
const MIN_SIGNS_BEFORE_LONG: usize = 3;
/// The most optional long vowels in a query's run. Later ones are taken as typed.
pub(super) const MAX_OPTIONAL_VOWELS: usize = 2;
/// The most bytes of a query's run; the rest is ignored.
pub(super) const MAX_QUERY_BYTES: usize = 250;

/// Collects the characters of a run.
#[derive(Debug, Default)]
pub(crate) struct CjkRunBuilder {
    signs: Vec<Sign>,
    /// The last finished run.
    run: CjkRun,
}

/// A character of a run.
#[derive(Debug, Clone)]
struct Sign {
    c: char,
    /// Its bytes in the original text.
    span: Range<usize>,
    script: Script,
    is_long: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Hiragana,
    Katakana,
    Other,
}

impl CjkRunBuilder {
    pub(crate) fn is_empty(&self) -> bool {
        self.signs.is_empty()
    }

    /// Adds the next character, which must be [spaceless](is_spaceless).
    pub(crate) fn push(&mut self, c: char, span: Range<usize>) {
        let script = match c {
            '\u{3041}'..='\u{309F}' => Script::Hiragana,
            LONG_VOWEL => self.signs.last().map_or(Script::Katakana, |last| last.script),
            '\u{30A1}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' => Script::Katakana,
            _ => Script::Other,
        };
        self.signs.push(Sign { c, span, script, is_long: c == LONG_VOWEL });
    }

    /// Consumes a punctuation character that belongs to the run and returns true; otherwise returns false. Such a character is a dash
    /// after kana that stands for a long vowel, a middle dot between two kana words, or a character without width, which some
    /// writers of Khmer, Burmese and Thai put between words. `text` is the whole text.
    pub(crate) fn accepts(&mut self, c: char, span: &Range<usize>, text: &str) -> bool {
        if is_zero_width(c) {
            return !self.signs.is_empty();
        }
        let Some(last) = self.signs.last().filter(|last| last.script != Script::Other) else { return false };
        let next = text[span.end..].chars().next();
        if is_middle_dot(c) {
            return next.is_some_and(is_any_kana);
        }
        let is_sign = match c {
            // Half-width kana keyboards have no key of their own for the mark.
            '-' if span.len() == 1 => text[last.span.start..].chars().next().is_some_and(is_half_width_kana),
            c => is_dash(c),
        };
        let is_long = is_sign
            && next.is_none_or(|next| !next.is_alphanumeric() || is_spaceless(next) || is_any_kana(next));
        if is_long {
            self.push(LONG_VOWEL, span.clone());
        }
        is_long
    }

    /// Finishes the run and returns it folded. The next character begins a new run.
    pub(crate) fn end(&mut self, purpose: Purpose) -> &CjkRun {
        let run = &mut self.run;
        run.span = match (self.signs.first(), self.signs.last()) {
            (Some(first), Some(last)) => first.span.start..last.span.end,
            _ => 0..0,
        };
        expand_iteration_marks(&mut self.signs);
        let mut signs = folded(self.signs.drain(..));
        run.ends_in_optional = ends_in_optional(&signs);
        if purpose == Purpose::Query {
            signs = with_optional_vowels(&signs);
        }
        run.text = signs.iter().map(|sign| sign.c).collect();
        run.chars = signs.into_iter().map(|sign| (sign.span, sign.is_long)).collect();
        if purpose == Purpose::Query {
            run.text.truncate(run.text.floor_char_boundary(MAX_QUERY_BYTES));
        }
        run
    }
}

/// Replaces iteration marks with the characters that they repeat. Several marks repeat as many characters.
fn expand_iteration_marks(signs: &mut [Sign]) {
    let is_mark = |sign: &Sign| matches!(sign.c, '々' | 'ゝ' | 'ゞ' | 'ヽ' | 'ヾ');
    let mut start = 0;
    while start < signs.len() {
        let marks = signs[start..].iter().take_while(|sign| is_mark(sign)).count();
        for at in start.max(marks)..start + marks {
            let (before, mark) = (&signs[at - marks], signs[at].c);
            let is_kanji = before.script == Script::Other;
            if before.is_long || is_kanji != (mark == '々') {
                continue;
            }
            signs[at].c = match mark {
                '々' => before.c,
                'ゞ' | 'ヾ' => compose(unvoiced(before.c), '\u{3099}').unwrap_or(before.c),
                _ => unvoiced(before.c),
            };
        }
        start += marks + 1;
    }
}

/// Folds kana to large katakana.
fn folded(signs: impl Iterator<Item = Sign>) -> Vec<Sign> {
    let mut folded = Vec::<Sign>::with_capacity(signs.size_hint().0);
    let mut rest = signs.map(|sign| Sign { c: katakana(sign.c), ..sign }).peekable();
    while let Some(mut sign) = rest.next() {
        if sign.c == 'ヴ' {
            let row = match rest.peek().map(|next| next.c) {
                Some('ァ') => Some('バ'),
                Some('ィ') => Some('ビ'),
                Some('ェ') => Some('ベ'),
                Some('ォ') => Some('ボ'),
                _ => None,
            };
            let is_before_y = rest.peek().is_some_and(|next| matches!(next.c, 'ャ' | 'ュ' | 'ョ'));
            sign.c = row.unwrap_or(if is_before_y { 'ビ' } else { 'ブ' });
            if row.is_some()
                && let Some(vowel) = rest.next()
            {
                sign.span.end = vowel.span.end;
            }
        } else if matches!(sign.c, 'ヶ' | 'ケ' | '箇') && rest.peek().is_some_and(|next| is_counter(next.c))
        {
            sign.c = 'カ';
        } else {
            sign.c = large(sign.c);
        }
        folded.push(sign);
    }
    folded
}

/// Returns true if the last word is long enough that its final long vowel is optional.
fn ends_in_optional(signs: &[Sign]) -> bool {
    let Some(last) = signs.last().filter(|last| last.is_long && last.script != Script::Other) else {
        return false;
    };
    let word = signs.iter().rev().take_while(|sign| sign.script == last.script);
    word.take(MIN_SIGNS_BEFORE_LONG + 1).count() > MIN_SIGNS_BEFORE_LONG
}

/// Marks with [`OPTIONAL_LONG_VOWEL`] where a word of a query may end with or without a long vowel, whichever was typed. At the
/// end of the run the long vowel is dropped, because a query also matches inside words.
fn with_optional_vowels(signs: &[Sign]) -> Vec<Sign> {
    let mut marked = Vec::with_capacity(signs.len() + MAX_OPTIONAL_VOWELS);
    let (mut left, mut seen) = (MAX_OPTIONAL_VOWELS, 0);
    for word in signs.chunk_by(|a, b| a.script == b.script) {
        seen += word.len();
        let (before, long) = match word.split_last() {
            Some((last, before)) if last.is_long => (before, Some(last)),
            _ => (word, None),
        };
        marked.extend(before.iter().cloned());
        let is_kana = word.iter().all(|sign| sign.script != Script::Other);
        if !is_kana || before.len() < MIN_SIGNS_BEFORE_LONG {
            marked.extend(long.cloned());
            continue;
        }
        if seen == signs.len() {
            continue;
        }
        // A word typed without the long vowel may only gain one if it is of foreign origin, that is, in katakana.
        let may_be_long =
            before.last().filter(|last| last.script == Script::Katakana && vowel(last.c).is_some());
        match long.or(may_be_long) {
            Some(end) if left > 0 => {
                left -= 1;
                marked.push(Sign { c: OPTIONAL_LONG_VOWEL, is_long: true, ..end.clone() });
            }
            _ => marked.extend(long.cloned()),
        }
    }
    marked
}
