//! The numbers in a word of a product.

use crate::joins::base_of_measure;
use crate::signs::{is_digits, is_number};
use crate::units::without_zeros;

/// The fewest consecutive digits of a code that are also a word of their own, such as `5600` in `TW5600`.
const MIN_RUN: usize = 4;

/// Calls `emit` with the numbers in a word of a document: those of `5.5` and `3/4`, `1.5` for `1.50`, and runs of digits such as that of
/// `TW5600`. The version of `usb3.0` is also that of `usb3`, and a measure of three numbers also one of two.
pub(crate) fn for_each_number(word: &str, mut emit: impl FnMut(&str)) {
    // Most words with digits are whole numbers.
    if is_digits(word) {
        return;
    }
    base_of_measure(word).into_iter().for_each(&mut emit);
    let bytes = word.as_bytes();
    let is_point = |byte: &u8| matches!(byte, b'.' | b'/');
    let point = bytes.iter().position(is_point);
    let begins_with_digit = bytes.first().is_some_and(u8::is_ascii_digit);
    if let Some(point) = point.filter(|point| !begins_with_digit && !word[*point..].contains('x')) {
        emit(&word[..point]);
    }
    let is_split = begins_with_digit && point.is_some() && !bytes.contains(&b'x');
    let is_mixed = bytes.len() > MIN_RUN;
    if !is_split && !is_mixed {
        return;
    }
    let number = without_zeros(word);
    if number.len() < word.len() && number.contains('.') && is_number(word) {
        emit(number);
    }
    for run in word.split(|c: char| !c.is_ascii_digit()) {
        let is_part = is_split && !run.is_empty() && !word.ends_with(char::is_alphabetic);
        if run.len() < word.len() && (is_part || run.len() >= MIN_RUN) {
            emit(run);
        }
    }
}
