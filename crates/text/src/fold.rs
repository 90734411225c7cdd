//! Folds characters: to lower case, without accents, and digits to ASCII.

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

use crate::cjk::is_spaceless;
use crate::signs;

/// Returns true for characters that only affect how others are shown.
pub(crate) fn is_format(c: char) -> bool {
    signs::is_invisible(c)
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns true if a character forms a cluster with the one before it: combining marks, the sound marks of half-width katakana,
/// and the later parts of a Korean syllable.
pub(crate) fn extends_cluster(c: Option<char>) -> bool {
    c.is_some_and(|c| {
        !c.is_ascii()
            && (canonical_combining_class(c) != 0
                || matches!(c, '\u{FF9E}' | '\u{FF9F}' | '\u{1160}'..='\u{11FF}'))
    })
}

pub(crate) fn cluster_end(text: &str, after_first: usize) -> usize {
    let rest = &text[after_first..];
    let extension: usize = rest.chars().take_while(|c| extends_cluster(Some(*c))).map(char::len_utf8).sum();
    after_first + extension
}

/// Returns true for a mark that only changes the sound or look of a letter and that people omit when they type. In scripts
/// such as Devanagari marks are vowels, which are kept.
pub(crate) fn is_accent(c: char) -> bool {
    matches!(c,
        '\u{0300}'..='\u{036F}' | '\u{0591}'..='\u{05C7}' | '\u{064B}'..='\u{065F}' | '\u{0670}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}'
        // Kana sound marks that stand alone, and variation selectors.
        | '\u{3099}' | '\u{309A}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Calls `push` with the letter in lower case and without its accent. Letters that Unicode does not decompose are spelt out.
pub(crate) fn fold(c: char, mut push: impl FnMut(char)) {
    if c.is_ascii() {
        return push(c.to_ascii_lowercase());
    }
    if is_spaceless(c) {
        return push(c);
    }
    for lower in c.to_lowercase() {
        // It is a letter of its own, not an accented one, and frequent at the end of words.
        if lower == 'й' {
            push(lower);
            continue;
        }
        if let Some(digit) = signs::digit(lower) {
            push(digit);
            continue;
        }
        decompose_compatible(lower, |part| match part {
            'ß' => ['s', 's'].into_iter().for_each(&mut push),
            'æ' => ['a', 'e'].into_iter().for_each(&mut push),
            'œ' => ['o', 'e'].into_iter().for_each(&mut push),
            'þ' => ['t', 'h'].into_iter().for_each(&mut push),
            'ø' => push('o'),
            'ł' => push('l'),
            'đ' | 'ð' => push('d'),
            'ı' => push('i'),
            'ς' => push('σ'),
            part if is_accent(part) => {}
            part => push(part),
        });
    }
}
