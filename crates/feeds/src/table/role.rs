//! The meaning of a column.

use crate::identity::ARTICLE_NUMBERS;

/// The meaning of a column: the field of the product that it fills, or how it changes others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Role {
    /// A field with one text.
    Text(&'static str),
    /// Used as description if there is none.
    ShortDescription,
    /// Tags; or paths of categories, under the name `categories`.
    List(&'static str),
    /// Paths of categories. The first is the main one.
    Category,
    /// One level of a category path, written with those above it; the narrowest of each path is a category.
    CategoryLevel,
    /// Addresses of images.
    Images,
    /// The price outside of sales.
    Price,
    /// The price in a sale.
    SalePrice,
    /// The first or the last day of a sale, or both as `FROM/TO`.
    SaleFrom,
    SaleTo,
    SaleDates,
    /// A former price to show beside the price.
    CompareAtPrice,
    Stock,
    /// The availability of the product: `out_of_stock`.
    Availability,
    /// The publication of the product: public or not.
    Publication,
    /// The time of the publication, null for a draft.
    PublishedAt,
    /// Says whether the row deletes a product.
    Deletion,
    /// The key that the variants of a product share.
    Group,
    /// The name and the value of an option such as the size; the text is the part at the `*` that the names of both columns share.
    OptionName(String),
    OptionValue(String),
    /// Names and values of options in one cell: `Type=Rectangle|Name=Size|Value=S`.
    NamedOptions,
    /// Several attributes in one cell: `color=Blue,size=XS`.
    PackedAttributes,
    Attribute(String),
    Ignored,
}

const TEXTS: [&str; 7] = ["id", "name", "description", "sku", "brand", "currency", "status"];

impl Role {
    /// Returns the role with this name in a mapping file; `star` is the part of the column's name at its `*`.
    pub(crate) fn parse(name: &str, star: &str) -> Option<Self> {
        if let Some(key) = name.strip_prefix("attributes.") {
            return Some(Self::Attribute(key.replace('*', star)));
        }
        if let Some(field) = TEXTS.iter().find(|field| **field == name) {
            return Some(Self::Text(field));
        }
        Some(match name {
            "short-description" => Self::ShortDescription,
            "tags" => Self::List("tags"),
            "category" => Self::Category,
            "categories" => Self::List("categories"),
            "category-level" => Self::CategoryLevel,
            "images" => Self::Images,
            "price" => Self::Price,
            "sale-price" => Self::SalePrice,
            "sale-from" => Self::SaleFrom,
            "sale-to" => Self::SaleTo,
            "sale-dates" => Self::SaleDates,
            "compare-at-price" => Self::CompareAtPrice,
            "stock" => Self::Stock,
            "availability" => Self::Availability,
            "publication" => Self::Publication,
            "published-at" => Self::PublishedAt,
            "deletion" => Self::Deletion,
            "group" => Self::Group,
            "option-name" => Self::OptionName(star.to_owned()),
            "option-value" => Self::OptionValue(star.to_owned()),
            "named-options" => Self::NamedOptions,
            "packed-attributes" => Self::PackedAttributes,
            "ignore" => Self::Ignored,
            _ => return None,
        })
    }

    /// Returns the field or attribute that the column fills, for people.
    pub(crate) fn target(&self) -> String {
        match self {
            Self::Text(field) | Self::List(field) => (*field).to_owned(),
            Self::ShortDescription => "description, if there is none".to_owned(),
            Self::Category | Self::CategoryLevel => "category".to_owned(),
            Self::Images => "images".to_owned(),
            Self::Price => "price".to_owned(),
            Self::SalePrice => "price during the sale".to_owned(),
            Self::SaleFrom | Self::SaleTo | Self::SaleDates => "days of the sale price".to_owned(),
            Self::CompareAtPrice => "attributes.compare_at_price".to_owned(),
            Self::Stock => "stock".to_owned(),
            Self::Availability => "stock (0 if not available)".to_owned(),
            Self::Publication | Self::PublishedAt => "status".to_owned(),
            Self::Deletion => "nothing; rows that delete are rejected".to_owned(),
            Self::Group => "attributes.item_group_id".to_owned(),
            Self::OptionName(_) | Self::OptionValue(_) | Self::NamedOptions => {
                "an attribute per option".to_owned()
            }
            Self::PackedAttributes => "an attribute per entry".to_owned(),
            Self::Attribute(key) => format!("attributes.{key}"),
            Self::Ignored => "ignored".to_owned(),
        }
    }

    /// Returns true if the cells are prices.
    pub(crate) fn is_price(&self) -> bool {
        matches!(self, Self::Price | Self::SalePrice | Self::CompareAtPrice)
    }

    /// Returns true if the cells are numbers that people write with a decimal mark.
    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Price | Self::SalePrice | Self::CompareAtPrice | Self::Stock)
    }

    /// Returns true if the cells may be codes, which have no value as numbers.
    pub(crate) fn may_be_code(&self) -> bool {
        match self {
            Self::Text("id" | "sku") => true,
            Self::Attribute(key) => is_code_name(key) || names_code(key),
            _ => false,
        }
    }

    /// Returns the cell of a code without the apostrophe by which spreadsheets mark it as a text.
    pub(crate) fn without_mark<'a>(&self, cell: &'a str) -> &'a str {
        let code = cell.strip_prefix('\'').filter(|code| code.starts_with(|c: char| c.is_ascii_digit()));
        code.filter(|_| self.may_be_code()).unwrap_or(cell)
    }

    /// Returns true if a variant takes this from its parent where it has none of its own.
    pub(crate) fn is_inherited(&self) -> bool {
        match self {
            Self::Text(field) => !matches!(*field, "id" | "sku" | "currency"),
            Self::ShortDescription | Self::List(_) | Self::Category | Self::Images | Self::Publication => {
                true
            }
            Self::Group | Self::OptionName(_) => true,
            Self::Attribute(key) => !is_code_name(key),
            _ => false,
        }
    }
}

/// Returns true for attributes that hold codes: as numbers they would lose leading zeros.
pub(crate) fn is_code_name(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ARTICLE_NUMBERS.contains(&key.as_str())
        || ["model", "mpn", "barcode", "asin", "gtin8", "gtin12", "gtin13", "gtin14"].contains(&key.as_str())
}

/// Returns true if a word in the name of an attribute says that it holds codes: `EAN-Code`, `Barcode Number`, `productCode`.
fn names_code(key: &str) -> bool {
    let mut words = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_uppercase() && words.ends_with(|before: char| before.is_lowercase()) {
            words.push(' ');
        }
        words.push(c);
    }
    let words = words.to_lowercase();
    let is_code = |word: &str| {
        [
            "code",
            "sku",
            "ean",
            "upc",
            "gtin",
            "isbn",
            "asin",
            "mpn",
            "number",
            "nr",
            "no",
            "artikelnr",
            "artikelnummer",
            "serial",
        ]
        .contains(&word)
            || word.ends_with("code")
            || word.ends_with("nummer")
    };
    words.split(|c: char| !c.is_alphanumeric()).any(is_code)
}
