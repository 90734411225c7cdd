//! The currency and language of a rules file.

use domain::{Currency, Language};

/// The currency and language of a rules file, which are those of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locale {
    /// The currency of prices without one.
    pub currency: Currency,
    /// The language whose normal forms apply to words.
    pub language: Language,
}

impl Default for Locale {
    fn default() -> Self {
        Self { currency: Currency::USD, language: Language::default() }
    }
}
