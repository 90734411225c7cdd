//! Units of measurement and words that count, in each of their notations.

use std::sync::LazyLock;

use foldhash::HashMap;

use crate::signs::is_number;

/// The word for the sign of inches after a number: `27"`.
pub(crate) const INCH: &str = "inch";

/// The notations of a unit. They mean the unit only directly after a number.
struct Unit {
    /// The notation that stands for all others after a number without a space: `60w`.
    sign: &'static str,
    /// The notation that stands for all others after a space: `60 watt`. It is a word if the sign is one letter, which may be a size as
    /// well (`M`, `L`), and may be the sign otherwise.
    word: &'static str,
    /// The other notations, folded, in the languages of products.
    others: &'static [&'static str],
}

const fn unit(sign: &'static str, word: &'static str, others: &'static [&'static str]) -> Unit {
    Unit { sign, word, others }
}

/// The units. Words that mean something else after a number as well are left out, such as French `pieds` and `To`, and so are `a` and `c`,
/// which end the names of models: `Pixel 4a`.
#[rustfmt::skip]
static UNITS: [Unit; 45] = [
    // Lengths
    unit("mm", "mm", &["millimeter", "millimeters", "millimetre", "millimetres", "milimetros", "millimetri", "мм"]),
    unit("cm", "cm", &["centimeter", "centimeters", "centimetre", "centimetres", "zentimeter", "centimetros", "centimetri", "см"]),
    unit("dm", "dm", &[]),
    unit("m", "meter", &["meters", "metre", "metres", "mtr", "metro", "metros", "metri", "м", "метр", "метра", "метров"]),
    unit("km", "km", &["kilometer", "kilometers", "kilometre", "kilometres", "км"]),
    unit(INCH, INCH, &[
        "in", "inches", "zoll", "pouce", "pouces", "pulgada", "pulgadas", "polegada", "polegadas", "pollice", "pollici", "tum",
        "дюйм", "дюйма", "дюймов",
    ]),
    unit("ft", "ft", &["foot", "feet"]),
    unit("yd", "yd", &["yard", "yards"]),
    // Areas
    unit("m2", "m2", &["sqm", "qm"]),
    unit("ft2", "ft2", &["sqft"]),
    // Masses
    unit("g", "gram", &["gr", "grams", "gramme", "grammes", "gramm", "gramo", "gramos", "grammi", "gramas", "г", "гр", "грамм"]),
    unit("kg", "kg", &["kgs", "kilo", "kilos", "kilogram", "kilograms", "kilogramm", "kilogramme", "kilogrammes", "кг"]),
    unit("mg", "mg", &["milligram", "milligrams"]),
    unit("oz", "oz", &["ounce", "ounces"]),
    unit("lb", "lb", &["lbs", "pound", "pounds"]),
    // Volumes
    unit("l", "liter", &[
        "lt", "ltr", "liters", "litre", "litres", "litro", "litros", "litri", "litr", "litry", "л", "литр", "литра", "литров",
    ]),
    unit("ml", "ml", &["milliliter", "milliliters", "millilitre", "millilitres", "мл"]),
    unit("cl", "cl", &["centiliter", "centiliters", "centilitre", "centilitres"]),
    unit("gal", "gal", &["gallon", "gallons"]),
    unit("qt", "qt", &["quart", "quarts"]),
    unit("pt", "pt", &["pint", "pints"]),
    // Electricity
    unit("w", "watt", &["watts", "vatios", "вт", "ватт"]),
    unit("kw", "kw", &["kilowatt", "kilowatts", "квт"]),
    unit("v", "volt", &["volts", "voltios", "вольт"]),
    unit("amp", "amp", &["amps", "ampere", "amperes"]),
    unit("ah", "ah", &[]),
    unit("mah", "mah", &[]),
    unit("wh", "wh", &[]),
    unit("ohm", "ohm", &["ohms"]),
    unit("kohm", "kohm", &["kohms"]),
    unit("mohm", "mohm", &["mohms"]),
    // Data, images and frequencies
    unit("mb", "mb", &["megabyte", "megabytes"]),
    unit("gb", "gb", &["gigabyte", "gigabytes", "go"]),
    unit("tb", "tb", &["terabyte", "terabytes"]),
    unit("mp", "mp", &["megapixel", "megapixels"]),
    unit("hz", "hz", &["hertz"]),
    unit("khz", "khz", &[]),
    unit("mhz", "mhz", &[]),
    unit("ghz", "ghz", &[]),
    // Times, pressure
    unit("h", "hour", &["hr", "hrs", "hours", "stunden", "heures", "horas"]),
    unit("min", "min", &["mins", "minute", "minutes", "minuten", "minutos"]),
    unit("psi", "psi", &[]),
    // Counts
    unit("pcs", "pieces", &["pc", "piece", "stk", "stuck", "stuks", "pieza", "piezas", "pezzi", "pecas", "szt", "шт"]),
    unit("pack", "pack", &["packs", "pk"]),
    unit("ct", "ct", &["count"]),
];

/// The units that are devices and places as well.
const THINGS: [&str; 10] =
    ["meter", "meters", "metre", "metres", "metro", "metros", "yard", "yards", "amp", "amps"];

/// Units with a digit, which form pairs with a number: `30 m²`.
const POWERS: [&str; 12] = ["m2", "m3", "cm2", "cm3", "mm2", "mm3", "km2", "dm3", "ft2", "ft3", "in2", "in3"];

/// The unit of each notation. Nearly every number of a text is followed by a word that is looked up.
static BY_NOTATION: LazyLock<HashMap<&str, &Unit>> = LazyLock::new(|| {
    let notations = |unit: &'static Unit| {
        let all = [unit.sign, unit.word].into_iter().chain(unit.others.iter().copied());
        all.map(move |notation| (notation, unit))
    };
    UNITS.iter().flat_map(notations).collect()
});

fn find(word: &str) -> Option<&'static Unit> {
    BY_NOTATION.get(word).copied()
}

/// Returns true for a word that gives the unit of a number: `ft` in `6 ft ladder`.
pub(crate) fn is_unit(word: &str) -> bool {
    find(word).is_some()
}

/// Returns true for a unit that names no thing, unlike `meter`.
pub(crate) fn is_only_unit(word: &str) -> bool {
    is_unit(word) && !THINGS.contains(&word)
}

/// Returns true for a unit with a digit: `m2`.
pub(crate) fn is_power(word: &str) -> bool {
    POWERS.contains(&word)
}

/// Returns the notation that stands for a unit after a number and a space; `None` if it is this one.
pub(crate) fn spelt_out(unit: &str) -> Option<&'static str> {
    find(unit).map(|found| found.word).filter(|word| *word != unit)
}

/// Returns true for a unit that is a form of another word without a number: `20 pcs` are pieces, while `pcs` are computers.
pub(crate) fn is_other_plural(unit: &str) -> bool {
    unit == "pcs"
}

/// Splits a word before the letters at its end.
fn before_letters(word: &str) -> (&str, &str) {
    word.split_at(word.trim_end_matches(char::is_alphabetic).len())
}

/// Returns the number and the unit of a word that has both: `60w`, `5.5mm`.
pub(crate) fn parts_of_size(word: &str) -> Option<(&str, &str)> {
    Some(before_letters(word)).filter(|(number, unit)| is_number(number) && is_unit(unit))
}

/// Returns the common form of a number with its unit: `27inch` for `27in`, `2l` for `2.0litres`. `None` if it is this one.
pub(crate) fn with_sign(word: &str) -> Option<String> {
    let (number, unit) = before_letters(word);
    let sign = find(unit).filter(|_| is_number(number))?.sign;
    Some(format!("{}{sign}", without_zeros(number))).filter(|form| form != word)
}

/// Returns true for a number with its unit: `60w`, `5.5mm`.
pub(crate) fn is_size(word: &str) -> bool {
    parts_of_size(word).is_some()
}

/// Returns the position of the unit in a fraction with its unit: 3 for `1/4in`.
pub(crate) fn after_fraction(word: &str) -> Option<usize> {
    let (number, _) = word.contains('/').then(|| parts_of_size(word))??;
    Some(number.len())
}

/// Returns a number without the zeros at the end of its decimals: `4` for `4.0`. Three decimals may be thousands.
pub(crate) fn without_zeros(number: &str) -> &str {
    match number.split_once('.') {
        Some((_, decimals)) if (1..=MAX_DECIMALS).contains(&decimals.len()) => {
            number.trim_end_matches('0').trim_end_matches('.')
        }
        _ => number,
    }
}

/// The most decimals that may end with zeros.
const MAX_DECIMALS: usize = 2;

/// Returns true if the text between a number and a word leaves them together: nothing, a space or a hyphen.
pub(crate) fn is_beside(gap: &str) -> bool {
    matches!(gap, "" | " " | "-" | "\u{A0}" | "\u{2009}" | "\u{202F}" | "\u{2010}" | "\u{2011}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::query_words;

    #[test]
    fn each_notation_is_a_folded_word_of_one_unit() {
        let mut known = Vec::new();
        for unit in &UNITS {
            let mut notations: Vec<&str> = unit.others.to_vec();
            notations.push(unit.sign);
            notations.extend((unit.word != unit.sign).then_some(unit.word));
            for notation in notations {
                let words = query_words(notation);
                assert_eq!(words.first().map(|(word, _)| word.as_str()), Some(notation));
                assert!(!known.contains(&notation), "{notation} twice");
                known.push(notation);
            }
        }
        assert!(THINGS.iter().all(|thing| known.contains(thing)));
    }

    #[test]
    fn a_number_and_its_unit_have_one_common_form() {
        for (word, form) in [
            ("60watts", Some("60w")),
            ("2.0l", Some("2l")),
            ("2.50litres", Some("2.5l")),
            ("200pieces", Some("200pcs")),
            ("1/4in", Some("1/4inch")),
            ("60w", None),
            ("1.250l", None),
            ("60", None),
            ("watt", None),
            ("a60watt", None),
            ("60wattage", None),
        ] {
            assert_eq!(with_sign(word).as_deref(), form, "{word}");
        }
    }
}
