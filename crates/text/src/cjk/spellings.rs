//! The spellings of a query's run.

use super::kana::{LONG_VOWEL, OPTIONAL_LONG_VOWEL, vowel};

/// Returns every spelling of a query's run that products may have: with and without each optional long vowel, and each of
/// those with all long vowels written as marks and as vowels.
pub fn spellings(run: &str) -> Vec<String> {
    let mut spellings = vec![String::with_capacity(run.len())];
    for c in run.chars() {
        if c == OPTIONAL_LONG_VOWEL {
            let long = spellings.iter().map(|spelling| format!("{spelling}{LONG_VOWEL}")).collect::<Vec<_>>();
            spellings.extend(long);
        } else {
            spellings.iter_mut().for_each(|spelling| spelling.push(c));
        }
    }
    for typed in spellings.clone() {
        for other in [with_vowels(&typed), with_marks(&typed)] {
            if !spellings.contains(&other) {
                spellings.push(other);
            }
        }
    }
    spellings
}

/// Replaces each long vowel mark with the vowel before it.
fn with_vowels(run: &str) -> String {
    let mut other = String::with_capacity(run.len());
    for c in run.chars() {
        let before = if c == LONG_VOWEL { other.chars().next_back().and_then(vowel) } else { None };
        other.push(before.unwrap_or(c));
    }
    other
}

/// Replaces each vowel that lengthens the one before it with the long vowel mark.
fn with_marks(run: &str) -> String {
    let mut before = None;
    let mark = |c| {
        let is_long = before.is_some_and(|before| vowel(before) == Some(c));
        before = Some(c);
        if is_long { LONG_VOWEL } else { c }
    };
    run.chars().map(mark).collect()
}
