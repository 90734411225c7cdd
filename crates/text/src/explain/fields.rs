//! The searched fields of a product.

use std::fmt;

use domain::{AttributeValue, Content};

use crate::markup::plain_text;
use crate::product::for_each_level;

/// A field of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Name,
    Sku,
    Brand,
    /// The main category.
    Category,
    /// The other categories.
    Categories,
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
            Self::Categories => f.write_str("categories"),
            Self::Tags => f.write_str("tags"),
            Self::Attribute(key) => write!(f, "attributes.{key}"),
            Self::Description => f.write_str("description"),
        }
    }
}

/// Calls `each` with every searched text of a product and its field. The texts and their order are those of
/// [`for_each_text`](crate::product::for_each_text).
pub(super) fn for_each_field(content: &Content, mut each: impl FnMut(Field<'_>, &str)) {
    each(Field::Name, &plain_text(&content.name));
    content.sku.iter().for_each(|sku| each(Field::Sku, sku));
    content.brand.iter().for_each(|brand| each(Field::Brand, &plain_text(brand)));
    for_each_level(content, |level, is_main| {
        each(if is_main { Field::Category } else { Field::Categories }, &plain_text(level));
    });
    content.tags.iter().for_each(|tag| each(Field::Tags, &plain_text(tag)));
    for (key, value) in &content.attributes {
        if !matches!(value, AttributeValue::Flag(_)) {
            value.facet_values().for_each(|text| each(Field::Attribute(key), &plain_text(&text)));
        }
    }
    content.description.iter().for_each(|description| each(Field::Description, &plain_text(description)));
}
