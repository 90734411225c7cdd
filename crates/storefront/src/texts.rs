//! The texts of the pages. The script gets them from the page, so each text is in one place.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::ui_language::UiLanguage;

/// The texts in one language.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Texts {
    pub(crate) title: String,
    pub(crate) tagline: String,
    pub(crate) skip_to_content: String,
    pub(crate) search_label: String,
    pub(crate) search_placeholder: String,
    pub(crate) search_button: String,
    pub(crate) languages: String,
    pub(crate) no_script: String,
    pub(crate) results_for: String,
    pub(crate) all_products: String,
    pub(crate) home: String,
    pub(crate) api: String,
    pub(crate) categories: String,
    pub(crate) details: String,
    pub(crate) sku: String,
    pub(crate) in_stock: String,
    pub(crate) out_of_stock: String,
    pub(crate) related_products: String,
    pub(crate) not_found_title: String,
    pub(crate) not_found_text: String,
    pub(crate) yes: String,
    pub(crate) no: String,
    /// All texts, those of the script too, as JSON that may stand in a page.
    #[serde(skip)]
    pub(crate) json: String,
}

/// The texts of [`UiLanguage::ALL`], in that order.
static TEXTS: LazyLock<[Texts; 3]> = LazyLock::new(|| {
    [
        Texts::read(include_str!("../texts/en.json")),
        Texts::read(include_str!("../texts/de.json")),
        Texts::read(include_str!("../texts/ja.json")),
    ]
});

impl Texts {
    pub(crate) fn of(language: UiLanguage) -> &'static Self {
        let [english, german, japanese] = &*TEXTS;
        match language {
            UiLanguage::English => english,
            UiLanguage::German => german,
            UiLanguage::Japanese => japanese,
        }
    }

    fn read(json: &str) -> Self {
        let mut texts: Self =
            serde_json::from_str(json).expect("the files are part of the program, and a test reads them");
        texts.json = safe_in_script(json);
        texts
    }
}

/// Returns JSON that cannot end the `script` element in which it stands.
pub(crate) fn safe_in_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_language_has_every_text() {
        let texts = UiLanguage::ALL.map(|language| {
            serde_json::from_str::<BTreeMap<String, String>>(&Texts::of(language).json).unwrap()
        });
        for (language, other) in UiLanguage::ALL.into_iter().zip(&texts) {
            // Languages differ in their plural forms only.
            let is_plural = |key: &&String| key.contains('.');
            let keys = |texts: &BTreeMap<String, String>| {
                texts.keys().filter(|key| !is_plural(key)).cloned().collect::<Vec<_>>()
            };
            assert_eq!(keys(&texts[0]), keys(other), "{language:?}");
            assert!(other.values().all(|text| !text.trim().is_empty()), "{language:?}");
        }
    }

    #[test]
    fn json_cannot_end_its_element() {
        let json = serde_json::to_string("</script><!--").unwrap();
        let safe = safe_in_script(&json);
        assert!(!safe.contains('<') && !safe.contains('>'));
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), "</script><!--");
    }
}
