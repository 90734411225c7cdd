//! Article numbers: EAN, UPC, GTIN and ISBN, which are one number in several lengths.

use std::borrow::Cow;

use crate::signs::is_digits;
use crate::units::is_unit;

/// The fewest and the most digits of an article number.
const DIGITS: std::ops::RangeInclusive<usize> = 8..=14;
/// The fewest digits without zeros at the start. A shorter number is not an article number.
const MIN_SIGNIFICANT: usize = 6;
/// The digits of an ISBN before 2007.
const ISBN_DIGITS: usize = 10;
/// The fewest consecutive digits of a part number.
const MIN_PART_DIGITS: usize = 3;
/// The most letters of a part of a part number that has letters only.
const MAX_PART_LETTERS: usize = 4;

/// Returns true for a whole number that is too short for an article number.
pub(crate) fn is_short_number(word: &str) -> bool {
    word.len() < *DIGITS.start() && is_digits(word)
}

/// Returns the form that an article number has in every length: without zeros at the start, and an ISBN as an EAN. `None` for other
/// words.
///
/// A UPC has 12 digits. The same number is an EAN with 13 digits and a GTIN with 14, with zeros in front, which spreadsheets drop.
/// An ISBN of 10 digits becomes an EAN by `978` in front and another check digit.
pub(crate) fn canonical(word: &str) -> Option<Cow<'_, str>> {
    let digits = word.strip_suffix('x').filter(|digits| digits.len() < ISBN_DIGITS).unwrap_or(word);
    if !DIGITS.contains(&word.len()) || !is_digits(digits) {
        return None;
    }
    let significant = word.trim_start_matches('0');
    if let Some(isbn) = ean_of_isbn(significant) {
        return Some(Cow::Owned(isbn));
    }
    let is_number = digits.len() == word.len() && significant.len() >= MIN_SIGNIFICANT;
    is_number.then_some(Cow::Borrowed(significant))
}

/// Returns true for the parts of a part number, in lower case, that hyphens join: `xl-4000`, `dcd-796-p1t`. It has letters and digits and a
/// number of three or more digits that is not a size. Letters on their own are few, unlike those of words: `playstation-500`. After
/// digits at the start, a letter must precede a digit somewhere: `100-pack` and `100-240v` are quantities.
pub(crate) fn is_part_number(parts: &[&str]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let has_digits =
        |part: &&str| part.as_bytes().windows(MIN_PART_DIGITS).any(|run| run.iter().all(is_digit));
    let is_size = |part: &&str| is_unit(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    let is_letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_model = |part: &&str| {
        part.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_digit())
    };
    parts.len() > 1
        && parts.iter().any(|part| has_digits(part) && !is_size(part))
        && parts.iter().any(|part| !is_digits(part))
        && parts.iter().all(|part| !is_letters(part) || (1..=MAX_PART_LETTERS).contains(&part.len()))
        && (parts[0].starts_with(|c: char| c.is_ascii_lowercase()) || parts.iter().any(is_model))
}

/// Returns true if groups of digits are an article number that is written with spaces: its check digit is right. An EAN of 8 digits
/// must also have two groups of four, because one in ten numbers of 8 digits has a right check digit, and an ISBN of 10 four groups.
pub(crate) fn is_spaced_number(groups: &[&str]) -> bool {
    let number = groups.concat();
    match number.len() {
        8 => groups.iter().all(|group| group.len() == 4) && has_check_digit(&number),
        ISBN_DIGITS => groups.len() == 4 && ean_of_isbn(&number).is_some(),
        12..=14 => has_check_digit(&number),
        _ => false,
    }
}

/// Returns true if the last of these digits is the check digit of a GTIN: GS1 General Specifications, section 7.9.
fn has_check_digit(digits: &str) -> bool {
    let weighted = digits.bytes().rev().zip([1, 3].into_iter().cycle());
    let sum: u32 = weighted.map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    sum.is_multiple_of(10)
}

/// Returns the EAN of an ISBN of 10 digits, of which zeros at the start may be missing; `None` if its check digit is wrong.
fn ean_of_isbn(significant: &str) -> Option<String> {
    if !(DIGITS.start() - 1..=ISBN_DIGITS).contains(&significant.len()) {
        return None;
    }
    let isbn = format!("{significant:0>ISBN_DIGITS$}");
    let value = |byte: u8| if byte == b'x' { 10 } else { u32::from(byte - b'0') };
    let sum: u32 = isbn.bytes().zip((1..=10).rev()).map(|(byte, weight)| value(byte) * weight).sum();
    if !sum.is_multiple_of(11) {
        return None;
    }
    let mut ean = format!("978{}", &isbn[..ISBN_DIGITS - 1]);
    let sum: u32 =
        ean.bytes().zip([1, 3].into_iter().cycle()).map(|(byte, weight)| value(byte) * weight).sum();
    ean.push(char::from_digit((10 - sum % 10) % 10, 10)?);
    Some(ean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_article_number_is_one_in_every_length() {
        for forms in [
            &["036000291452", "0036000291452", "00036000291452", "36000291452"][..],
            &["4006381333931", "04006381333931"],
            &["96385074", "0000096385074"],
            &["9780131103627", "0131103628", "131103628", "00131103628"],
            &["080442957x", "80442957x", "9780804429573"],
        ] {
            for form in forms {
                assert_eq!(canonical(form), canonical(forms[0]), "{form}");
                assert!(canonical(form).is_some(), "{form}");
            }
        }
    }

    #[test]
    fn part_numbers_have_letters_and_digits() {
        let is_number = |text: &str| is_part_number(&text.split('-').collect::<Vec<_>>());
        for text in ["xl-4000", "b12-7777", "wh-1000xm4", "dcd-796-p1t", "796-p1t", "rtx-4070-ti", "1000-xm4"]
        {
            assert!(is_number(text), "{text}");
        }
        for text in [
            "t-shirt",
            "usb-c",
            "2-pack",
            "24-inch",
            "4-port",
            "10-20",
            "wi-fi-6",
            "galaxy-s24",
            "100-pack",
            "500-piece",
            "100-240v",
            "500ml-set",
            "1080p-60hz",
            "usb-128gb",
            "1000-2000",
            "playstation-500",
            "xl4000",
            "a--100",
            "",
        ] {
            assert!(!is_number(text), "{text}");
        }
    }

    #[test]
    fn other_numbers_and_words_are_none() {
        for word in [
            "1234567",
            "123456789012345",
            "00000001",
            "wh1000xm4",
            "lampshade",
            "12345678x9",
            "1234567890123x",
            "",
        ] {
            assert_eq!(canonical(word), None, "{word}");
        }
    }
}
