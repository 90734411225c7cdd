//! The order of names, by the rules of the catalogue's language: the Unicode collation algorithm with the tailorings of CLDR.

use domain::Language;
use icu_collator::options::{CollatorOptions, Strength};
use icu_collator::preferences::CollationNumericOrdering;
use icu_collator::{CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

/// The most bytes of a key. Products whose names have the same key up to there are ordered by id.
const MAX_KEY_BYTES: usize = 512;

/// Compares names in one language. `Äpfel` sorts next to `Apfel` in German, and after everything with `z` in Swedish; numbers in a
/// name compare by their value. Upper and lower case are equal.
#[derive(Debug)]
pub struct Collation(CollatorBorrowed<'static>);

impl Collation {
    /// Creates the order of a language.
    pub fn new(language: Language) -> Self {
        let code = match language {
            Language::EnglishSnowball => Language::English.code(),
            language => language.code(),
        };
        let mut preferences =
            CollatorPreferences::from(Locale::try_from_str(code).unwrap_or(Locale::UNKNOWN));
        preferences.numeric_ordering = Some(CollationNumericOrdering::True);
        let mut options = CollatorOptions::default();
        options.strength = Some(Strength::Secondary);
        let collator = CollatorBorrowed::try_new(preferences, options);
        Self(collator.expect("the data of every language are compiled in"))
    }

    /// Returns the key of a name: names are in the order of their keys by code points, and so by bytes.
    ///
    /// Each byte of the collation's sort key is one character, so that an index can hold it as text.
    pub fn key(&self, name: &str) -> String {
        let mut bytes = Vec::with_capacity(2 * name.len());
        let Ok(()) = self.0.write_sort_key_to(name, &mut bytes);
        let mut key: String = bytes.into_iter().map(char::from).collect();
        key.truncate(key.floor_char_boundary(MAX_KEY_BYTES));
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(language: &str, mut names: Vec<&str>) -> Vec<String> {
        let collation = Collation::new(Language::parse(language).unwrap());
        names.sort_by_key(|name| collation.key(name));
        names.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn accents_stand_where_the_language_has_them() {
        for (language, expected) in [
            ("de", ["Apfel", "Äpfel", "Birne", "Öl", "Zange"]),
            ("en", ["Apfel", "Äpfel", "Birne", "Öl", "Zange"]),
            ("fr", ["Apfel", "Äpfel", "Birne", "Öl", "Zange"]),
            ("sv", ["Apfel", "Birne", "Zange", "Äpfel", "Öl"]),
            ("fi", ["Apfel", "Birne", "Zange", "Äpfel", "Öl"]),
        ] {
            assert_eq!(
                sorted(language, vec!["Zange", "Öl", "Äpfel", "Birne", "Apfel"]),
                expected,
                "{language}"
            );
        }
        assert_eq!(sorted("da", vec!["Ål", "Zebra", "Æble", "Øl"]), ["Zebra", "Æble", "Øl", "Ål"]);
        assert_eq!(sorted("no", vec!["Ål", "Zebra", "Æble", "Øl"]), ["Zebra", "Æble", "Øl", "Ål"]);
        assert_eq!(sorted("es", vec!["Oro", "Ñu", "Nuez"]), ["Nuez", "Ñu", "Oro"]);
        assert_eq!(sorted("cs", vec!["Ihned", "Chata", "Cukr"]), ["Cukr", "Chata", "Ihned"]);
        assert_eq!(sorted("tr", vec!["İNCİR", "IRMAK", "incı", "ılık"]), ["ılık", "IRMAK", "incı", "İNCİR"]);
        assert_eq!(sorted("uk", vec!["Яблуко", "Ґудзик", "Гриб"]), ["Гриб", "Ґудзик", "Яблуко"]);
    }

    #[test]
    fn numbers_compare_by_their_value() {
        let names = vec!["Lot 10", "lot 2", "Lot 1", "Lot", "Lot 100 b", "Lot 100 a"];
        let expected = ["Lot", "Lot 1", "lot 2", "Lot 10", "Lot 100 a", "Lot 100 b"];
        for (language, code) in Language::ALL {
            assert_eq!(sorted(code, names.clone()), expected, "{language}");
        }
    }

    #[test]
    fn a_key_is_bounded_and_ignores_case() {
        let collation = Collation::new(Language::English);
        assert_eq!(collation.key("LAMP"), collation.key("lamp"));
        assert_ne!(collation.key("Résumé"), collation.key("Resume"));
        for long in ["x", "é", "日", "𝒳"] {
            assert!(collation.key(&long.repeat(500)).len() <= MAX_KEY_BYTES);
        }
        assert!(collation.key("").is_empty() || collation.key("") < collation.key(" "));
    }

    proptest! {
        #[test]
        fn keys_compare_as_the_names_do(a in "\\PC{0,12}", b in "\\PC{0,12}") {
            let collation = Collation::new(Language::Swedish);
            let (keys, names) = (collation.key(&a).cmp(&collation.key(&b)), collation.0.compare(&a, &b));
            prop_assert_eq!(keys, names);
        }
    }
}
