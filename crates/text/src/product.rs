//! The texts of a product, part by part.

use domain::{AttributeValue, Content};

/// The parts of a product in which words are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The name.
    Name,
    /// The sku.
    Code,
    /// The brand.
    Brand,
    /// The category, with those above it, and tags.
    Labels,
    /// Texts and numbers of attributes.
    Attributes,
    /// The description.
    Description,
}

/// How many parts there are.
pub const PARTS: usize = 6;

/// Hands every text of the product to `each`, with the part it stands in.
pub fn each_text(content: &Content, mut each: impl FnMut(&str, Part)) {
    each(&content.name, Part::Name);
    if let Some(sku) = &content.sku {
        each(sku, Part::Code);
    }
    if let Some(brand) = &content.brand {
        each(brand, Part::Brand);
    }
    for level in content.category.iter().flat_map(|category| category.levels()).chain(&content.tags) {
        each(level, Part::Labels);
    }
    for value in content.attributes.values().filter(|value| !matches!(value, AttributeValue::Flag(_))) {
        for text in value.facet_values() {
            each(&text, Part::Attributes);
        }
    }
    if let Some(description) = &content.description {
        each(description, Part::Description);
    }
}
