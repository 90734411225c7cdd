//! The texts of a product, by part.

use domain::{AttributeValue, Content};

use crate::analysis::{Purpose, Token, tokens};
use crate::markup::plain_text;

/// A part of a product that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The name.
    Name,
    /// The sku.
    Sku,
    /// The brand.
    Brand,
    /// The levels of the categories, the tags, and attributes that say what the product is.
    Labels,
    /// The texts and numbers of other attributes.
    Attributes,
    /// The description.
    Description,
}

/// The number of parts.
pub const PART_COUNT: usize = 6;

/// Keys of attributes that say what a product is, reduced to letters, as product feeds and shop systems name them.
const KINDS: [&str; 10] = [
    "type",
    "kind",
    "category",
    "producttype",
    "productcategory",
    "productkind",
    "itemtype",
    "devicetype",
    "articletype",
    "googleproductcategory",
];

/// Returns true if an attribute with this key says what a product is, like its category: `product_type`, `Product type`,
/// `productType`.
fn is_kind(key: &str) -> bool {
    let letters = || key.bytes().filter(u8::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase());
    KINDS.iter().any(|kind| letters().eq(kind.bytes()))
}

/// Calls `each` with every level of the categories, and with true for the levels of the main one. A level that several
/// categories share comes once.
pub(crate) fn for_each_level<'a>(content: &'a Content, mut each: impl FnMut(&'a str, bool)) {
    let mut known = Vec::new();
    for (at, category) in content.categories.iter().enumerate() {
        for level in category.levels() {
            if at == 0 || !known.contains(&level) {
                each(level, at == 0);
                known.push(level);
            }
        }
    }
}

/// Calls `each` with every searched text of a product, without its [markup](plain_text), and its part.
pub fn for_each_text(content: &Content, mut each: impl FnMut(&str, Part)) {
    for_each_naming_text(content, &mut each);
    for_each_other_text(content, each);
}

/// Calls `each` with every searched text from the categories on, and its part.
pub(crate) fn for_each_other_text(content: &Content, mut each: impl FnMut(&str, Part)) {
    for_each_level(content, |level, _| each(&plain_text(level), Part::Labels));
    for_each_describing_text(content, |text, part, _| each(text, part));
}

/// Calls `each` with every searched text before the categories, and its part.
pub(crate) fn for_each_naming_text(content: &Content, mut each: impl FnMut(&str, Part)) {
    each(&plain_text(&content.name), Part::Name);
    if let Some(sku) = &content.sku {
        each(sku, Part::Sku);
    }
    if let Some(brand) = &content.brand {
        each(&plain_text(brand), Part::Brand);
    }
}

/// Calls `each` with every searched text after the categories, its part, and true if it is the value of an attribute that says what
/// the product is.
pub(crate) fn for_each_describing_text(content: &Content, mut each: impl FnMut(&str, Part, bool)) {
    for tag in &content.tags {
        each(&plain_text(tag), Part::Labels, false);
    }
    for (key, value) in &content.attributes {
        if matches!(value, AttributeValue::Flag(_)) {
            continue;
        }
        let is_kind = is_kind(key);
        let part = if is_kind { Part::Labels } else { Part::Attributes };
        for text in value.facet_values() {
            each(&plain_text(&text), part, is_kind);
        }
    }
    if let Some(description) = &content.description {
        each(&plain_text(description), Part::Description, false);
    }
}

/// Calls `each` with every run of the product that has more than one bigram, which an index needs to match adjacent bigrams.
/// Shorter runs are matched by their characters and bigrams alone.
pub fn for_each_cjk_run(content: &Content, mut each: impl FnMut(&str)) {
    for_each_text(content, |text, _| {
        if text.is_ascii() {
            return;
        }
        tokens(text, Purpose::Document, |token| match token {
            Token::Cjk(run) if run.has_bigrams() => each(run.text()),
            Token::Cjk(_) | Token::Word(..) | Token::Sign(..) => {}
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Currency;
    use domain::input::read_product;

    #[test]
    fn attributes_that_say_what_a_product_is_are_labels() {
        let json = r#"{"name":"A","tags":["t"],"attributes":{"Product type":"Lamp","ink_type":"b","type":true,"typ":"c"}}"#;
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let mut texts = Vec::new();
        for_each_text(&content, |text, part| texts.push((text.to_owned(), part)));
        texts.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let expected = [
            ("A", Part::Name),
            ("Lamp", Part::Labels),
            ("b", Part::Attributes),
            ("c", Part::Attributes),
            ("t", Part::Labels),
        ];
        assert_eq!(texts, expected.map(|(text, part)| (text.to_owned(), part)));
    }

    #[test]
    fn a_level_that_categories_share_is_one_text() {
        let json = r#"{"name":"A","categories":["Home > Lamps","Home > Lights","Lamps"]}"#;
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let mut levels = Vec::new();
        for_each_level(&content, |level, is_main| levels.push((level, is_main)));
        assert_eq!(levels, [("Home", true), ("Lamps", true), ("Lights", false)]);
    }

    #[test]
    fn keys_are_compared_by_their_letters() {
        for key in ["type", "Type", "product_type", "productType", "google_product_category"] {
            assert!(is_kind(key), "{key}");
        }
        for key in ["", "ink_type", "types", "typ", "product"] {
            assert!(!is_kind(key), "{key}");
        }
    }

    #[test]
    fn only_runs_of_several_bigrams_are_indexed_as_runs() {
        let json =
            r#"{"name":"東京都の本 lamp","brand":"日本","tags":["ﾄﾅｰ"],"description":"本 語、辞書だ"}"#;
        let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
        let mut found = Vec::new();
        for_each_cjk_run(&content, |run| found.push(run.to_owned()));
        assert_eq!(found, ["東京都ノ本", "トナー", "辞書ダ"]);
    }
}
