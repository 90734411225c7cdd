//! The searched fields of a product.

use std::fmt;

use domain::{AttributeValue, Content};

/// A field of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Name,
    Sku,
    Brand,
    Category,
    Tags,
    Attribute(&'a str),
    Description,
}

impl fmt::Display for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name => f.write_str("name"),
            Self::Sku => f.write_str("sku"),
            Self::Brand => f.write_str("brand"),
            Self::Category => f.write_str("category"),
            Self::Tags => f.write_str("tags"),
            Self::Attribute(key) => write!(f, "attributes.{key}"),
            Self::Description => f.write_str("description"),
        }
    }
}

/// Calls `each` with every searched text of a product and its field. The texts and their order are those of
/// [`for_each_text`](crate::product::for_each_text).
pub(super) fn for_each_field(content: &Content, mut each: impl FnMut(Field<'_>, &str)) {
    each(Field::Name, &content.name);
    content.sku.iter().for_each(|sku| each(Field::Sku, sku));
    content.brand.iter().for_each(|brand| each(Field::Brand, brand));
    let levels = content.category.iter().flat_map(|category| category.levels());
    levels.for_each(|level| each(Field::Category, level));
    content.tags.iter().for_each(|tag| each(Field::Tags, tag));
    for (key, value) in &content.attributes {
        if !matches!(value, AttributeValue::Flag(_)) {
            value.facet_values().for_each(|text| each(Field::Attribute(key), &text));
        }
    }
    content.description.iter().for_each(|description| each(Field::Description, description));
}
