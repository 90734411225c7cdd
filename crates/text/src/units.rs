//! Units of measurement and words that count.

/// Returns true for a word that gives the unit of a number: `ft` in `6 ft ladder`.
pub(crate) fn is_unit(word: &str) -> bool {
    UNITS.contains(&word)
}

const UNITS: [&str; 44] = [
    "mm", "cm", "dm", "m", "km", "in", "inch", "inches", "ft", "foot", "feet", "yd", "g", "kg", "mg", "oz",
    "lb", "lbs", "l", "ml", "cl", "gal", "qt", "pt", "w", "kw", "v", "mah", "ah", "wh", "gb", "tb", "mb",
    "hz", "khz", "mhz", "ghz", "psi", "pc", "pcs", "piece", "pieces", "pack", "ct",
];
