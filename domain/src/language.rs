//! The language of a catalogue.

use std::fmt;
use std::str::FromStr;

/// The language of a catalogue's texts. It decides which forms of a word are equal, `Lampe` and `Lampen`, and the order of names.
/// Accents, typos and scripts without spaces are treated alike in all languages, so Japanese, Chinese, Korean, Thai, Lao, Khmer and
/// Burmese have no entry of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English, of which only plurals are normalised. The default.
    #[default]
    English,
    /// English, with all endings normalised: `print`, `prints`, `printed`, `printing`.
    EnglishSnowball,
    /// Arabic.
    Arabic,
    /// Catalan.
    Catalan,
    /// Czech.
    Czech,
    /// Danish.
    Danish,
    /// Dutch.
    Dutch,
    /// Finnish.
    Finnish,
    /// French.
    French,
    /// German.
    German,
    /// Greek.
    Greek,
    /// Hungarian.
    Hungarian,
    /// Italian.
    Italian,
    /// Norwegian.
    Norwegian,
    /// Polish.
    Polish,
    /// Portuguese.
    Portuguese,
    /// Romanian.
    Romanian,
    /// Russian.
    Russian,
    /// Spanish.
    Spanish,
    /// Swedish.
    Swedish,
    /// Turkish.
    Turkish,
    /// Ukrainian.
    Ukrainian,
}

/// The error for an unknown language code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a known language; write one of {codes}; Japanese, Chinese, Korean, Thai, Lao, Khmer and Burmese need none", codes = codes())]
pub struct UnknownLanguage(String);

impl Language {
    /// All languages with their codes.
    pub const ALL: [(Self, &'static str); 22] = [
        (Self::English, "en"),
        (Self::EnglishSnowball, "en-snowball"),
        (Self::Arabic, "ar"),
        (Self::Catalan, "ca"),
        (Self::Czech, "cs"),
        (Self::Danish, "da"),
        (Self::Dutch, "nl"),
        (Self::Finnish, "fi"),
        (Self::French, "fr"),
        (Self::German, "de"),
        (Self::Greek, "el"),
        (Self::Hungarian, "hu"),
        (Self::Italian, "it"),
        (Self::Norwegian, "no"),
        (Self::Polish, "pl"),
        (Self::Portuguese, "pt"),
        (Self::Romanian, "ro"),
        (Self::Russian, "ru"),
        (Self::Spanish, "es"),
        (Self::Swedish, "sv"),
        (Self::Turkish, "tr"),
        (Self::Ukrainian, "uk"),
    ];

    /// Returns the language of a code: two letters of ISO 639-1, or `en-snowball`.
    ///
    /// # Errors
    /// Fails for an unknown code; the error lists the known ones.
    pub fn parse(code: &str) -> Result<Self, UnknownLanguage> {
        let known = Self::ALL.iter().find(|(_, known)| *known == code);
        known.map(|(language, _)| *language).ok_or_else(|| UnknownLanguage(code.chars().take(20).collect()))
    }

    /// Returns the code.
    pub fn code(self) -> &'static str {
        Self::ALL.iter().find(|(language, _)| *language == self).map_or("", |(_, code)| code)
    }
}

fn codes() -> String {
    Language::ALL.map(|(_, code)| code).join(", ")
}

impl FromStr for Language {
    type Err = UnknownLanguage;
    fn from_str(code: &str) -> Result<Self, UnknownLanguage> {
        Self::parse(code)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_language_has_a_code_of_its_own() {
        for (language, code) in Language::ALL {
            assert_eq!(Language::parse(code), Ok(language));
            assert_eq!(language.code(), code);
        }
        let error = Language::parse("xx").map_err(|error| error.to_string());
        assert!(error.is_err_and(|error| error.contains("`xx`") && error.contains("de, el")));
    }
}
