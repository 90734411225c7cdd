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
    pub(crate) breadcrumbs: String,
    pub(crate) details: String,
    pub(crate) sku: String,
    pub(crate) in_stock: String,
    pub(crate) out_of_stock: String,
    pub(crate) related_products: String,
    pub(crate) not_found_title: String,
    pub(crate) not_found_text: String,
    pub(crate) yes: String,
    pub(crate) no: String,
    /// All texts, those of the script too, as JSON that is safe in a page.
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
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    fn all(language: UiLanguage) -> BTreeMap<String, String> {
        serde_json::from_str(&Texts::of(language).json).unwrap()
    }

    /// Returns the key of a text, without the plural form that follows its dot.
    fn base(key: &str) -> &str {
        key.split('.').next().unwrap_or(key)
    }

    fn placeholders(text: &str) -> BTreeSet<&str> {
        text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
    }

    #[test]
    fn every_language_has_every_text_with_the_same_placeholders() {
        let english = all(UiLanguage::English);
        let bases: BTreeSet<&str> = english.keys().map(|key| base(key)).collect();
        for language in UiLanguage::ALL {
            let texts = all(language);
            assert_eq!(bases, texts.keys().map(|key| base(key)).collect(), "{language:?}");
            for (key, text) in &texts {
                assert!(!text.trim().is_empty(), "{language:?}: {key}");
                let other = format!("{}.other", base(key));
                assert!(!key.contains('.') || texts.contains_key(&other), "{language:?}: {other}");
                let original = english.get(key).or_else(|| english.get(&other)).unwrap();
                assert_eq!(placeholders(text), placeholders(original), "{language:?}: {key}");
            }
        }
    }

    #[test]
    fn every_text_is_used() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let script = sources(&folder.join("web/src"));
        let own = include_str!("texts.rs");
        for key in all(UiLanguage::English).keys().map(|key| base(key)) {
            let field: String = key
                .chars()
                .flat_map(|c| c.is_uppercase().then_some('_').into_iter().chain(c.to_lowercase()))
                .collect();
            let is_used =
                script.contains(&format!("'{key}'")) || own.contains(&format!("pub(crate) {field}: String"));
            assert!(is_used, "nothing uses {key}");
        }
    }

    /// Returns the contents of all files in a folder.
    fn sources(folder: &Path) -> String {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths
            .map(|path| if path.is_dir() { sources(&path) } else { std::fs::read_to_string(&path).unwrap() })
            .collect()
    }

    #[test]
    fn json_cannot_end_its_element() {
        let json = serde_json::to_string("</script><!--").unwrap();
        let safe = safe_in_script(&json);
        assert!(!safe.contains('<') && !safe.contains('>'));
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), "</script><!--");
    }
}
