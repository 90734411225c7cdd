//! The names of attributes, which facets, filters and hits share.

use domain::search::Field;

/// The prefix of the names of the levels of categories, which hierarchical menus use.
const LEVEL_PREFIX: &str = "categories.lvl";
/// The members of a hit that filters cannot name.
const UNFILTERED: [&str; 13] = [
    "objectID",
    "id",
    "name",
    "description",
    "sku",
    "stock",
    "currency",
    "status",
    "images",
    "version",
    "createdAt",
    "updatedAt",
    "source",
];

/// An attribute that filters can name. All but `InStock` can also be facets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Attribute {
    /// A field under its own name: `brand`, `category`, `tags`, `price`, `attributes.KEY`.
    Field(Field),
    /// The categories of one level, from 0, as paths: `categories.lvl1` has `Home > Lamps`.
    Level(usize),
    /// `inStock`, which can only be filtered by.
    InStock,
}

impl Attribute {
    /// Parses a name. A name that is not a facet field is the key of an attribute; the prefix `attributes.` is optional.
    pub fn parse(name: &str) -> Self {
        if let Some(level) = name.strip_prefix(LEVEL_PREFIX)
            && let [digit @ b'0'..=b'9'] = level.as_bytes()
        {
            return Self::Level(usize::from(digit - b'0'));
        }
        match name {
            "inStock" => Self::InStock,
            "_tags" => Self::Field(Field::Tags),
            "categories" => Self::Field(Field::Category),
            name => {
                Self::Field(Field::parse_facet(name).unwrap_or_else(|_| Field::Attribute(name.to_owned())))
            }
        }
    }

    /// Parses a name in a condition.
    ///
    /// # Errors
    /// If it is a member of a product that filters cannot name. The text is a message for people.
    pub(crate) fn parse_filter(name: &str) -> Result<Self, String> {
        match UNFILTERED.contains(&name) {
            true => Err(format!("`{name}` cannot be filtered by")),
            false => Ok(Self::parse(name)),
        }
    }

    /// Returns the field of the product that has the values; `None` if they are not counted.
    pub fn counted_field(&self) -> Option<Field> {
        match self {
            Self::Field(field) => Some(field.clone()),
            Self::Level(_) => Some(Field::Category),
            Self::InStock => None,
        }
    }

    /// Returns the name of a level of categories.
    pub fn level_name(level: usize) -> String {
        format!("{LEVEL_PREFIX}{level}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_fields_levels_or_keys_of_attributes() {
        let attribute = |key: &str| Attribute::Field(Field::Attribute(key.to_owned()));
        for (name, parsed) in [
            ("brand", Attribute::Field(Field::Brand)),
            ("price", Attribute::Field(Field::Price)),
            ("categories", Attribute::Field(Field::Category)),
            ("categories.lvl0", Attribute::Level(0)),
            ("inStock", Attribute::InStock),
            ("attributes.colour", attribute("colour")),
            ("colour", attribute("colour")),
            ("categories.lvl10", attribute("categories.lvl10")),
            ("categories.lvlx", attribute("categories.lvlx")),
            ("categories.lvl01", attribute("categories.lvl01")),
            ("_tags", Attribute::Field(Field::Tags)),
        ] {
            assert_eq!(Attribute::parse(name), parsed, "{name}");
        }
        assert_eq!(Attribute::parse(&Attribute::level_name(3)), Attribute::Level(3));
        assert_eq!(Attribute::Level(2).counted_field(), Some(Field::Category));
        assert_eq!(Attribute::InStock.counted_field(), None);
    }
}
