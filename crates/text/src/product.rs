//! The words of a product, part by part.

use domain::{AttributeValue, Content};

use crate::analysis::{Purpose, joined, words};

/// The parts of a product in which words are found, each one bit. The parts that have a word are its *mask* in the
/// product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The description.
    Description = 1,
    /// Texts and numbers of attributes.
    Attributes = 2,
    /// The category, with those above it, and tags.
    Labels = 4,
    /// The brand.
    Brand = 8,
    /// The name and the sku.
    Name = 16,
}

/// Hands every word of the product to `emit`, with the part it stands in; those of the name alone come first.
pub fn each_name_word(content: &Content, mut emit: impl FnMut(&str)) {
    words(&content.name, Purpose::Document, |word, _| emit(word));
}

/// Hands every word of the product that does not stand in its name to `emit`, with the part it stands in. The sku
/// counts as [`Part::Name`].
pub fn each_other_word(content: &Content, mut emit: impl FnMut(&str, Part)) {
    let mut texts = |text: &str, part| words(text, Purpose::Document, |word, _| emit(word, part));
    if let Some(sku) = &content.sku {
        texts(sku, Part::Name);
    }
    if let Some(brand) = &content.brand {
        texts(brand, Part::Brand);
    }
    for level in content.category.iter().flat_map(|category| category.levels()).chain(&content.tags) {
        texts(level, Part::Labels);
    }
    for value in content.attributes.values().filter(|value| !matches!(value, AttributeValue::Flag(_))) {
        for text in value.facet_values() {
            texts(&text, Part::Attributes);
        }
    }
    if let Some(description) = &content.description {
        texts(description, Part::Description);
    }
    if let Some(sku) = &content.sku {
        let joined = joined(sku);
        if !joined.is_empty() {
            emit(&joined, Part::Name);
        }
    }
}
