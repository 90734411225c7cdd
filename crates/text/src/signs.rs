//! Signs: characters that are neither letters nor digits, and letters that stand for a unit.

use domain::Language;

/// The signs of ASCII that are terms of an index. The others are punctuation: nearly every text has them, and nobody looks for
/// them.
const ASCII_SIGNS: &[u8] = b"!#$%&*+<=>?@^~";

/// Returns true for a sign that is a term of an index: `&`, `€`, `★`, `🍕`. A query of signs only finds the products that have them.
pub(crate) fn is_sign(c: char) -> bool {
    match u8::try_from(c) {
        Ok(ascii) if ascii < 0x80 => ASCII_SIGNS.contains(&ascii),
        _ => {
            matches!(c,
                '\u{A2}'..='\u{A7}' | '\u{AC}' | '\u{B0}' | '\u{B1}' | '\u{B6}' | '\u{D7}' | '\u{F7}'
                | '\u{20A0}'..='\u{20CF}' | '\u{2100}'..='\u{214F}' | '\u{2190}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
                && !c.is_alphanumeric()
                && !is_owner_mark(c)
        }
    }
}

/// Returns true for a character outside ASCII that may stand for something else, or for nothing.
pub(crate) fn is_special(c: char) -> bool {
    is_owner_mark(c)
        || is_invisible(c)
        || is_letter_apostrophe(c)
        || is_fraction(c)
        || matches!(c, '\u{B5}' | '\u{3A9}' | '\u{3BC}' | '\u{2033}' | '\u{2126}')
}

/// Returns true for a sign that means inches after a number: `27"`.
pub(crate) fn is_inch(c: char) -> bool {
    matches!(c, '"' | '\u{2033}' | '\u{201D}')
}

/// Returns true if a comma between a word and the rest of a text separates thousands of a number: `20,000`.
pub(crate) fn is_thousands(word: &str, rest: &str) -> bool {
    let is_number = !word.starts_with('0') && word.bytes().all(|byte| byte.is_ascii_digit());
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    is_number && (1..=MAX_THOUSANDS).contains(&word.len()) && digits == 3
}

/// Returns the sign for a character within a number, which continues after it: the point of `5.5` and `5,5`, the bar of `3/4`.
/// Versions and dates such as `1.2.3` are several words. `before` is the text before the word.
pub(crate) fn inside_number(c: char, word: &str, before: &str, rest: &str) -> Option<char> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_point = |c: char| matches!(c, '.' | ',' | '/' | '\u{2044}');
    let mut after = rest[digits..].chars();
    let is_row =
        before.strip_suffix(is_point).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()))
            || after.next().is_some_and(is_point) && after.next().is_some_and(|c| c.is_ascii_digit());
    if digits == 0 || is_row || word.len() > MAX_THOUSANDS || !word.bytes().all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    match c {
        '.' | ',' => Some('.'),
        '/' | '\u{2044}' => is_fraction_of(word, &rest[..digits]).then_some('/'),
        _ => None,
    }
}

/// Returns true for the fractions in which sizes are given: `1/2`, `3/4`, `11/16`. `12/24` are two numbers.
fn is_fraction_of(numerator: &str, denominator: &str) -> bool {
    let parts = numerator.parse::<u32>().ok().zip(denominator.parse::<u32>().ok());
    parts.is_some_and(|(numerator, denominator)| {
        (1..denominator).contains(&numerator) && matches!(denominator, 2..=6 | 8 | 16 | 32 | 64)
    })
}

/// The most digits before a comma that separates thousands.
const MAX_THOUSANDS: usize = 6;

/// Returns true for trademark and copyright signs, which are not part of a name: `LEGO™`.
pub(crate) fn is_owner_mark(c: char) -> bool {
    matches!(c, '™' | '℠' | '®' | '©')
}

/// Returns true for characters that a reader does not see: the soft hyphen and the like.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{2060}' | '\u{FEFF}')
}

/// Returns true for letters that are written as an apostrophe.
pub(crate) fn is_letter_apostrophe(c: char) -> bool {
    matches!(c, '\u{2B9}' | '\u{2BB}' | '\u{2BC}' | '\u{A78B}' | '\u{A78C}')
}

/// Returns true for a fraction of one character, which stands apart from a digit before it: `3½`.
pub(crate) fn is_fraction(c: char) -> bool {
    matches!(c, '\u{BC}'..='\u{BE}' | '\u{2150}'..='\u{215F}' | '\u{2189}')
}

/// Returns the letters that people type for the sign of a unit, given its neighbours: `µ` in `22 µF` is `u`, `Ω` in `10 kΩ` is `ohm`.
/// Greek letters are the same characters, so a sign next to another Greek letter does not stand for a unit.
pub(crate) fn unit(c: char, before: Option<char>, after: Option<char>) -> Option<&'static str> {
    let is_greek =
        |c: Option<char>| c.is_some_and(|c| matches!(c, '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}'));
    match c {
        '\u{B5}' => Some("u"),
        '\u{2126}' => Some("ohm"),
        'μ' if !is_greek(before) && after.is_some_and(|after| after.is_ascii_alphabetic()) => Some("u"),
        'Ω' if !is_greek(before) && !after.is_some_and(char::is_alphabetic) => Some("ohm"),
        _ => None,
    }
}

/// The zeros of scripts with digits of their own; nine digits follow each.
const ZEROS: [char; 22] = [
    '\u{660}', '\u{6F0}', '\u{7C0}', '\u{966}', '\u{9E6}', '\u{A66}', '\u{AE6}', '\u{B66}', '\u{BE6}',
    '\u{C66}', '\u{CE6}', '\u{D66}', '\u{DE6}', '\u{E50}', '\u{ED0}', '\u{F20}', '\u{1040}', '\u{17E0}',
    '\u{1810}', '\u{19D0}', '\u{A8D0}', '\u{ABF0}',
];

/// Returns the ASCII digit of a digit of another script.
pub(crate) fn digit(c: char) -> Option<char> {
    if !c.is_numeric() {
        return None;
    }
    let offset = |zero: char| u32::from(c).checked_sub(u32::from(zero)).filter(|offset| *offset < 10);
    ZEROS.into_iter().find_map(offset).and_then(|offset| char::from_digit(offset, 10))
}

/// Returns the length of a sign that forms another word with the word before it: `C#`, `C++`, `A+`, `Notepad++`. `rest` begins
/// with the sign.
pub(crate) fn suffix_length(word: &str, rest: &str) -> Option<usize> {
    let is_letter = word.len() == 1 && word.as_bytes()[0].is_ascii_lowercase();
    let plus = rest.bytes().take_while(|byte| *byte == b'+').count();
    let length = match plus {
        0 => usize::from(is_letter && rest.starts_with('#')),
        1 if !is_letter => 0,
        plus => plus.min(MAX_PLUS),
    };
    let ends = !rest[length..].starts_with(|next: char| next.is_alphanumeric() || matches!(next, '+' | '#'));
    (length > 0 && ends).then_some(length)
}

/// The most `+` at the end of a word.
const MAX_PLUS: usize = 3;

/// Returns true for the word that `&` and `+` stand for, in English and in the language of the products: between two words, it
/// means no more than the sign. Words of one letter, such as `e`, may mean something else.
pub(crate) fn is_conjunction(word: &str, language: Language) -> bool {
    word == "and" || (word.len() > 1 && word == conjunction(language))
}

/// Returns the word that `&` and `+` stand for in a language, folded.
pub(crate) fn conjunction(language: Language) -> &'static str {
    match language {
        Language::English | Language::EnglishSnowball => "and",
        Language::Arabic => "و",
        Language::Catalan | Language::Polish => "i",
        Language::Czech => "a",
        Language::Danish | Language::Norwegian => "og",
        Language::Dutch => "en",
        Language::Finnish => "ja",
        Language::French => "et",
        Language::German => "und",
        Language::Greek => "και",
        Language::Hungarian => "es",
        Language::Italian | Language::Portuguese => "e",
        Language::Romanian => "si",
        Language::Russian => "и",
        Language::Spanish => "y",
        Language::Swedish => "och",
        Language::Turkish => "ve",
        Language::Ukrainian => "та",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::query_words;

    #[test]
    fn conjunctions_are_folded_words() {
        for (language, _) in Language::ALL {
            let word = conjunction(language);
            assert_eq!(query_words(word).first().map(|(word, _)| word.as_str()), Some(word), "{language}");
        }
        assert!(is_conjunction("and", Language::German) && is_conjunction("und", Language::German));
        assert!(!is_conjunction("und", Language::English) && !is_conjunction("e", Language::Italian));
    }

    #[test]
    fn a_sign_at_the_end_of_a_word_makes_another_word() {
        for (word, rest, length) in [
            ("c", "++", Some(2)),
            ("c", "# 9", Some(1)),
            ("a", "+", Some(1)),
            ("a", "+++)", Some(3)),
            ("notepad", "++", Some(2)),
            ("a", "+b", None),
            ("18", "+", None),
            ("part", "# 5", None),
            ("c", "#5", None),
            ("c", " #", None),
        ] {
            assert_eq!(suffix_length(word, rest), length, "{word}{rest}");
        }
    }

    #[test]
    fn digits_of_all_scripts_are_digits() {
        for (c, expected) in
            [('٣', Some('3')), ('۹', Some('9')), ('०', Some('0')), ('५', Some('5')), ('x', None), ('Ⅳ', None)]
        {
            assert_eq!(digit(c), expected, "{c}");
        }
    }

    #[test]
    fn signs_are_no_punctuation() {
        for sign in "&+#$%@€★🍕→°×∞!?".chars() {
            assert!(is_sign(sign), "{sign}");
        }
        for other in "-.,;:'\"()/|_a1é東 ™\u{300}\u{2014}\u{201C}".chars() {
            assert!(!is_sign(other), "{other}");
        }
    }
}
