//! Suggests the known name that a mistyped name probably means.

use crate::typos::Pattern;

/// The longest name that is compared, in characters. Known names are less than half as long.
const MAX_COMPARED_CHARS: usize = 40;
/// The most edits between a name and its suggestion.
const MAX_EDITS: u8 = 3;

/// Returns the known name with the fewest edits; `None` if it needs more than 3 edits, or more than one for every three of its
/// characters. Capitals and punctuation are ignored.
///
/// An edit is a typo of [`crate::typos`]. Of several names with equally few edits the first one is returned.
pub fn nearest(name: &str, known: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    if name.chars().nth(MAX_COMPARED_CHARS).is_some() {
        return None;
    }
    // No pattern for an empty name, for which there is no suggestion either.
    let pattern = Pattern::new(&fold(name), MAX_EDITS)?;
    let edits = known.into_iter().filter_map(|known| Some((pattern.typos(&fold(known))?, known)));
    edits
        .min_by_key(|(edits, _)| *edits)
        .filter(|(edits, known)| usize::from(*edits) * 3 <= known.chars().count())
        .map(|(_, known)| known)
}

/// Returns a name in lower case, reduced to letters and digits.
pub fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_near_names_are_found() {
        let known = ["brand", "priceRange", "tags"];
        for (name, meant) in [
            ("price_range", Some("priceRange")),
            ("brnad", Some("brand")),
            ("tag", Some("tags")),
            ("colour", None),
            ("", None),
            ("_", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
        assert_eq!(nearest(&"brand".repeat(1000), known), None);
        assert_eq!(nearest("kitten", ["sittings", "sitting-on-a-chair"]), None, "half of its letters");
        assert_eq!(
            nearest("kittens-basket", ["sittings-basket"]),
            Some("sittings-basket"),
            "3 of 14 letters"
        );
    }
}
