//! The fields whose values are texts of a small vocabulary. A row of [`VALUE_FIELDS`] is all that this crate needs to index,
//! filter and count such a field.

use domain::search::{Field, Filters, facet_text};
use text::projection::ActiveDocument;

/// A field whose values are texts of a small vocabulary.
pub(crate) struct ValueField {
    /// The field in requests.
    pub(crate) field: Field,
    /// The name of the column.
    pub(crate) column: &'static str,
    /// The number of values that a document may have, and their relation.
    pub(crate) shape: ValueShape,
    /// Passes each value of a product to the callback.
    pub(crate) each_value: EachValue,
    /// Returns the values of which a product must have one; empty if there is no filter.
    pub(crate) wanted: fn(&Filters) -> Vec<String>,
}

/// Passes each value of a product to a callback.
pub(crate) type EachValue = fn(&ActiveDocument<'_>, &mut dyn FnMut(&str));

/// The number of values that a document may have, and their relation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueShape {
    /// At most one.
    Single,
    /// Any number of paths, each with all its ancestors. A filter by a path or by an ancestor accepts the document, and the
    /// document counts once for each path and each ancestor.
    Paths,
    /// Any number.
    List,
}

/// All fields of this kind. Their order is part of the schema on disk.
pub(crate) static VALUE_FIELDS: [ValueField; VALUE_FIELD_COUNT] = [
    ValueField {
        field: Field::Brand,
        column: "brand",
        shape: ValueShape::Single,
        each_value: |product, add| product.brand.iter().for_each(|brand| add(brand)),
        wanted: |filters| filters.brand.iter().map(|brand| facet_text(brand).into_owned()).collect(),
    },
    ValueField {
        field: Field::Category,
        column: "category",
        shape: ValueShape::Paths,
        each_value: |product, add| product.categories.iter().for_each(|path| add(path)),
        wanted: |filters| {
            let paths = filters.category.iter().map(ToString::to_string);
            paths.map(|path| facet_text(&path).into_owned()).collect()
        },
    },
    ValueField {
        field: Field::Tags,
        column: "tags",
        shape: ValueShape::List,
        each_value: |product, add| product.tags.iter().for_each(|tag| add(tag)),
        wanted: |filters| filters.tags.iter().map(|tag| facet_text(tag).into_owned()).collect(),
    },
];

/// The number of rows in [`VALUE_FIELDS`].
pub(crate) const VALUE_FIELD_COUNT: usize = 3;
