//! Units of measurement and words that count.

/// Returns true for a word that gives the unit of a number: `ft` in `6 ft ladder`.
pub(crate) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

/// Returns true for a unit with a digit, which forms pairs with a number: `30 m²`.
pub(crate) fn is_power(word: &str) -> bool {
    POWERS.contains(&word)
}

const POWERS: [&str; 12] = ["m2", "m3", "cm2", "cm3", "mm2", "mm3", "km2", "dm3", "ft2", "ft3", "in2", "in3"];

/// Returns the word that a unit abbreviates after a number, if it means something else without one: `20 pcs` are pieces, while `pcs`
/// are computers.
pub(crate) fn spelt_out(unit: &str) -> Option<&'static str> {
    (unit == "pcs").then_some("pieces")
}

const UNITS: [&str; 44] = [
    "mm", "cm", "dm", "m", "km", "in", "inch", "inches", "ft", "foot", "feet", "yd", "g", "kg", "mg", "oz",
    "lb", "lbs", "l", "ml", "cl", "gal", "qt", "pt", "w", "kw", "v", "mah", "ah", "wh", "gb", "tb", "mb",
    "hz", "khz", "mhz", "ghz", "psi", "pc", "pcs", "piece", "pieces", "pack", "ct",
];
