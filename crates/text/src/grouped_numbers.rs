//! Numbers that are written in groups: article numbers, part numbers, and thousands.

use crate::codes::{is_part_number, is_spaced_number};
use crate::signs::is_digits;
use crate::units::is_unit;

/// The fewest digits of a number with hyphens that is one word: of an EAN or ISBN, not of a range such as `1000-2000`.
const MIN_CODE_DIGITS: usize = 9;
/// The most bytes of a number with hyphens. Bounds the work for a long row of numbers, each of which would else be read to the row's end.
const MAX_CODE_BYTES: usize = 250;

/// Returns the length of a number with hyphens at the start of a text: `978-0-13-110362-7`, `0-8044-2957-X`.
pub(crate) fn hyphenated_length(text: &str) -> Option<usize> {
    let (mut digits, mut end, mut last) = (0, 0, ' ');
    for (at, c) in text.char_indices().take_while(|(at, _)| *at <= MAX_CODE_BYTES) {
        let is_check = matches!(c, 'x' | 'X') && is_hyphen(last);
        if !(c.is_ascii_digit() || is_check || (is_hyphen(c) && !is_hyphen(last))) {
            break;
        }
        if !is_hyphen(c) {
            digits += 1;
            end = at + 1;
        }
        last = c;
        if is_check {
            break;
        }
    }
    let is_apart = !text[end..].starts_with(char::is_alphanumeric);
    (text[..end].contains(is_hyphen) && digits >= MIN_CODE_DIGITS && is_apart).then_some(end)
}

/// Returns the length of a part number with hyphens at the start of a text: `XL-4000`, `DCD-796-P1T`. `None` if anything but punctuation
/// follows before the next space, because it may belong to the last part: `XL-4000+`.
pub(crate) fn part_number_length(text: &str) -> Option<usize> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || is_hyphen(c);
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let after = text[end..].trim_start_matches(['.', ',', ';', ':', '!', '?', ')']);
    if end > MAX_PART_NUMBER_BYTES || !after.is_empty() && !after.starts_with(char::is_whitespace) {
        return None;
    }
    let number = text[..end].to_ascii_lowercase();
    let parts: Vec<&str> = number.split(is_hyphen).collect();
    is_part_number(&parts).then_some(end)
}

/// Returns true for a hyphen.
pub(crate) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

/// The most bytes of a part number with hyphens.
const MAX_PART_NUMBER_BYTES: usize = 40;

/// Returns the length of an article number with spaces at the start of a text, as it stands below its bars: `4 006381 333931`.
pub(crate) fn spaced_length(text: &str) -> Option<usize> {
    let mut groups = Vec::new();
    let mut length = None;
    let mut end = 0;
    for group in text.split(' ').take(MAX_GROUPS) {
        let digits = group.bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 || group[digits..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '.'))
        {
            break;
        }
        groups.push(&group[..digits]);
        end += digits;
        if groups.len() > 1 && is_spaced_number(&groups) {
            length = Some(end);
        }
        if digits < group.len() {
            break;
        }
        end += 1;
    }
    length
}

/// Returns the length of a round number whose thousands are separated by spaces, and of its unit, at the start of a text: `20 000`,
/// `20 000mAh`. Groups of other digits are numbers of their own: `iPhone 12 128 GB`.
pub(crate) fn thousands_length(text: &str) -> Option<usize> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=3).contains(&digits) || text.starts_with('0') {
        return None;
    }
    let is_space = |c: char| matches!(c, ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}');
    let mut end = digits;
    while let Some(rest) = text[end..].strip_prefix(is_space).and_then(|rest| rest.strip_prefix("000")) {
        end = text.len() - rest.len();
    }
    if end == digits {
        return None;
    }
    let unit: String = text[end..].chars().take_while(char::is_ascii_alphabetic).collect();
    let after = end + if is_unit(&unit.to_ascii_lowercase()) { unit.len() } else { 0 };
    let is_apart = !text[after..].starts_with(char::is_alphanumeric);
    is_apart.then_some(after)
}

/// The most groups of digits of an article number: those of an ISBN.
const MAX_GROUPS: usize = 5;

/// Returns true for nine or more digits, of which the last may be an `x`: an article number whose hyphens were removed.
pub(crate) fn is_long_number(word: &str) -> bool {
    let number = word.strip_suffix('x').unwrap_or(word);
    word.len() >= MIN_CODE_DIGITS && is_digits(number)
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn article_numbers_with_spaces_are_one_word() {
        for (text, length) in [
            ("4 006381 333931", Some(15)),
            ("4 006381 333931 pens", Some(15)),
            ("0 36000 29145 2", Some(15)),
            ("9638 5074", Some(9)),
            ("978 0 13 110362 7", Some(17)),
            ("0 13 110362 8", Some(13)),
            ("4 006381 333932", None),
            ("10 20 30", None),
            ("9638 5074x", None),
            ("4006381333931", None),
            ("4  006381 333931", None),
            ("", None),
        ] {
            assert_eq!(spaced_length(text), length, "{text}");
        }
    }

    #[test]
    fn part_numbers_with_hyphens_are_one_word() {
        for (text, length) in [
            ("XL-4000 printer", Some(7)),
            ("wh\u{2010}1000xm4.", Some(12)),
            ("xl-4000, red", Some(7)),
            ("xl-4000+", None),
            ("xl-4000.5", None),
            ("xl-4000\u{301}", None),
            ("xl-4000-", None),
            ("xl-4000-\u{E9}", None),
            ("t-shirt 4000", None),
        ] {
            assert_eq!(part_number_length(text), length, "{text}");
        }
    }

    #[test]
    fn thousands_may_be_separated_by_spaces() {
        for (text, length) in [
            ("20 000 mAh", Some(6)),
            ("1\u{A0}000", Some(6)),
            ("1\u{202F}000 000 pcs", Some(11)),
            ("12 128 GB", None),
            ("20 000mAh", Some(9)),
            ("20 000M\u{E9}", None),
            ("20 000abc", None),
            ("20 0000", None),
            ("0 000", None),
            ("2000 000", None),
            ("20  000", None),
            ("20", None),
        ] {
            assert_eq!(thousands_length(text), length, "{text}");
        }
    }

    #[test]
    fn long_numbers_with_hyphens_are_one_word() {
        for (text, length) in [
            ("978-0-13-110362-7 x", Some(17)),
            ("0-8044-2957-X", Some(13)),
            ("6178-9999-9999", Some(14)),
            ("10-20", None),
            ("1000-2000", None),
            ("978-0-13-110362-7a", None),
            ("9780131103627", None),
            ("9780131103627-", None),
        ] {
            assert_eq!(hyphenated_length(text), length, "{text}");
        }
    }
}
