//! Signs: characters that are neither letters nor digits, and letters that stand for a unit.

use domain::Language;

/// Returns true for a sign that is a term of an index: `&`, `€`, `★`, `🍕`. A query of signs only finds the products that have them.
/// The other signs of ASCII are punctuation: nearly every text has them, and nobody looks for them.
pub(crate) fn is_sign(c: char) -> bool {
    match c {
        '!' | '#'..='&' | '*' | '+' | '<'..='@' | '^' | '~' => true,
        '\0'..='\x7F' => false,
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
        || matches!(c, '\u{B5}' | '\u{3A9}' | '\u{3BC}' | '\u{3C9}' | '\u{2033}' | '\u{2126}')
        || is_cyrillic_x(c)
}

/// Returns true for a sign that means inches after a number: `27"`.
pub(crate) fn is_inch(c: char) -> bool {
    matches!(c, '"' | '\u{2033}' | '\u{201D}')
}

/// Returns true for a sign that means feet after a number: `5'`. Two of them mean inches.
pub(crate) fn is_foot(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2032}')
}

/// Returns true for the Cyrillic letter that looks like `x`.
fn is_cyrillic_x(c: char) -> bool {
    matches!(c, '\u{425}' | '\u{445}')
}

/// Returns true for the Cyrillic letter that looks like `x` if it stands between two numbers, where people type it for `×`.
pub(crate) fn is_times(c: char, before: &str, after: &str) -> bool {
    is_cyrillic_x(c) && before.trim_end().ends_with(is_digit) && after.trim_start().starts_with(is_digit)
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || digit(c).is_some()
}

/// Returns true if a sign between a word and the rest of a text separates thousands of a number: `20,000`, `1'000`, and a point if a
/// second group or a decimal comma shows that no decimals follow it: `1.000.000`, `1.250,5`. `written` is the word as it is in the text,
/// and `before` the text before it.
pub(crate) fn is_thousands(c: char, word: &str, written: &str, before: &str, rest: &str) -> bool {
    let is_number = !word.starts_with('0') && is_digits(word);
    if !is_number || !(1..=MAX_THOUSANDS).contains(&word.len()) || digit_count(rest) != GROUP_DIGITS {
        return false;
    }
    match c {
        ',' | '\'' | '\u{2019}' | '\u{66C}' => true,
        '.' => {
            // The numbers of a network address are no groups.
            let is_first = word.len() <= GROUP_DIGITS && !before.ends_with('.');
            written.contains('.') || is_first && ends_in_group_or_decimals(rest.trim_start_matches(is_digit))
        }
        _ => false,
    }
}

/// Returns true for the rest of a number after its first group, if that is one more group or decimals.
fn ends_in_group_or_decimals(rest: &str) -> bool {
    let Some((separator, next)) = rest.chars().next().map(|c| (c, &rest[c.len_utf8()..])) else {
        return false;
    };
    let after = next.trim_start_matches(is_digit);
    let has_more = after.strip_prefix('.').is_some_and(|more| more.starts_with(is_digit));
    let count = digit_count(next);
    !has_more && (separator == '.' && count == GROUP_DIGITS || separator == ',' && count > 0)
}

fn digit_count(text: &str) -> usize {
    text.chars().take_while(|c| is_digit(*c)).count()
}

/// The digits between two separators of thousands.
const GROUP_DIGITS: usize = 3;

/// Returns the sign for a character within a number, which continues after it: the point of `5.5`, `5,5`, `usb3.0` and `3x1,5`, the
/// bar of `3/4`. Versions and dates such as `1.2.3` are several words. `before` is the text before the word.
pub(crate) fn inside_number(c: char, word: &str, before: &str, rest: &str) -> Option<char> {
    let digits: usize = rest.chars().take_while(|c| is_digit(*c)).map(char::len_utf8).sum();
    let is_point = |c: char| matches!(c, '.' | ',' | '\u{66B}' | '/' | '\u{2044}');
    let mut after = rest[digits..].chars();
    let is_row = before.strip_suffix(is_point).is_some_and(|before| before.ends_with(is_digit))
        || after.next().is_some_and(is_point) && after.next().is_some_and(is_digit);
    let head = word.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &word[head.len()..];
    if digits == 0 || is_row || !(1..=MAX_THOUSANDS).contains(&number.len()) {
        return None;
    }
    let is_measure = ends_in_times(head);
    match c {
        '.' if head.is_empty() || is_measure || is_version(head, number, &rest[..digits]) => Some('.'),
        ',' | '\u{66B}' if head.is_empty() => Some('.'),
        // `10x15,20x30` are two measures.
        ',' | '\u{66B}' if is_measure && (digits == 1 || !rest[digits..].starts_with(['x', 'X'])) => {
            Some('.')
        }
        '/' | '\u{2044}' if head.is_empty() || is_measure => {
            is_fraction_of(number, &rest[..digits]).then_some('/')
        }
        _ => None,
    }
}

/// Returns true for a number and its `x`, which another number follows: `3x`, `1/2x`.
fn ends_in_times(head: &str) -> bool {
    head.strip_suffix('x').is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit()))
}

/// Returns true if letters with a number and a point are the version of a thing: `usb3.0`, `bluetooth5.0`. Longer numbers are those of
/// codes.
fn is_version(letters: &str, number: &str, fraction: &str) -> bool {
    letters.bytes().all(|byte| byte.is_ascii_lowercase())
        && number.len() <= MAX_VERSION_DIGITS
        && fraction.len() <= MAX_VERSION_DIGITS
}

/// The most digits of each number of a version.
const MAX_VERSION_DIGITS: usize = 2;

/// Returns true for a word so short that with a dot before it, it is another word: `.NET`, `.com`.
pub(crate) fn is_domain(word: &str) -> bool {
    (2..=3).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The most digits after a point that no digit precedes.
const MAX_FRACTION: usize = 4;

/// Returns true for the digits after a point that no digit precedes, and their unit: `.5`, `.5mm`.
pub(crate) fn is_after_point(word: &str) -> bool {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    (1..=MAX_FRACTION).contains(&digits) && !word.contains(['.', '/'])
}

/// Returns true if a text has digits only, and also if it is empty.
pub(crate) fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns true for a number: `27`, `5.5`, `3/4`.
pub(crate) fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'/'))
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
        // In lower case it is the sign only directly after a number or its prefix, as in `10kω`.
        'ω' if before.is_some_and(|before| before.is_ascii_alphanumeric())
            && !after.is_some_and(char::is_alphabetic) =>
        {
            Some("ohm")
        }
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
    fn thousands_are_separated_by_signs_that_separate_no_decimals() {
        for (text, expected) in [
            ("20,000", "20000"),
            ("1,234,567", "1234567"),
            ("1.000.000", "1000000"),
            ("12.500.000 mAh", "12500000 mah"),
            ("1.250,5", "1250.5"),
            ("100.000,50", "100000.50"),
            ("1,250.5", "1250.5"),
            ("1'000", "1000"),
            ("1\u{2019}250 mm", "1250 mm"),
            ("1.250", "1.250"),
            ("0.125.250", "0 125 250"),
            ("1.25.100", "1 25 100"),
            ("192.168.100.200", "192 168 100 200"),
            ("1.250,2.500", "1 250 2 500"),
            ("5'11", "5 11"),
        ] {
            let words: Vec<String> = query_words(text).into_iter().map(|(word, _)| word).collect();
            assert_eq!(words.join(" "), expected, "{text}");
        }
    }

    #[test]
    fn numbers_continue_after_a_point_or_a_bar() {
        for (word, c, rest, expected) in [
            ("5", ',', "5", Some('.')),
            ("usb3", '.', "0 hub", Some('.')),
            ("usb3", ',', "0", None),
            ("usb3", '.', "0.1", None),
            ("pc1000", '.', "20", None),
            ("3x1", ',', "5", Some('.')),
            ("10x15", ',', "20x30", None),
            ("1/2x3", '/', "32", Some('/')),
            ("12", '/', "24", None),
            ("3", '\u{66B}', "\u{665}", Some('.')),
            ("a", '.', "5", None),
        ] {
            assert_eq!(inside_number(c, word, "", rest), expected, "{word}{c}{rest}");
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
