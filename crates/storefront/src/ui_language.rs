//! The languages of the pages.

/// A language of the pages. Texts of products are in the language of the catalogue, whatever the language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UiLanguage {
    /// English.
    English,
    /// German.
    German,
    /// Japanese.
    Japanese,
}

impl UiLanguage {
    /// All languages, the default first.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::Japanese];

    /// Returns the code of the language, ISO 639-1.
    pub fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Japanese => "ja",
        }
    }

    /// Returns the name of the language in itself.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Japanese => "日本語",
        }
    }

    /// Parses a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// Returns the language that the header `Accept-Language` prefers, or English.
    pub fn of_header(accept_language: &str) -> Self {
        let preferred = accept_language::parse(accept_language);
        // A region such as that of `de-AT` makes no difference.
        let mut known = preferred.iter().filter_map(|tag| Self::parse(tag.split('-').next()?));
        known.next().unwrap_or(Self::English)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_that_it_prefers() {
        for (header, language) in [
            ("", UiLanguage::English),
            ("de", UiLanguage::German),
            ("de-AT,de;q=0.9,en;q=0.8", UiLanguage::German),
            ("de-DE", UiLanguage::German),
            ("fr,ja;q=0.5", UiLanguage::Japanese),
            ("en;q=0.1, ja;q=0.9", UiLanguage::Japanese),
            ("fr-FR", UiLanguage::English),
            ("*", UiLanguage::English),
            (";;q=,,", UiLanguage::English),
        ] {
            assert_eq!(UiLanguage::of_header(header), language, "{header}");
        }
    }
}
