//! The facets of a search, and the response of `/products/facets/{field}`.

use std::borrow::Cow;
use std::fmt;

use domain::Currency;
use domain::search::FacetValue;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// Facets by name: an object whose members keep their order.
#[derive(Debug)]
pub struct Facets<'a>(pub Vec<(Cow<'a, str>, Facet<'a>)>);

impl Serialize for Facets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, facet)| (name, facet)))
    }
}

impl<'de> Deserialize<'de> for Facets<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(Cow<'static, str>, Facet<'static>)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of facets")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut facets = Vec::new();
                while let Some((name, facet)) = map.next_entry::<String, Facet<'static>>()? {
                    facets.push((Cow::Owned(name), facet));
                }
                Ok(facets)
            }
        }
        deserializer.deserialize_map(Members).map(Self)
    }
}

/// A facet: the values of a field; or, for `price`, the prices in one currency, null if no product found has one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Facet<'a> {
    /// Of `brand`, `category`, `tags` and `attributes.KEY`.
    Values(ValuesFacet<'a>),
    /// Of `price`.
    Price(Option<PriceFacet>),
}

/// The values of a field.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ValuesFacet<'a> {
    /// The most frequent values, by count descending, then by value: numbers in their order, then texts.
    #[schema(value_type = Vec<FacetValue>)]
    pub values: Cow<'a, [FacetValue]>,
    /// The number of different values, including those that are not listed.
    pub distinct: usize,
    /// Of `category`: the top categories, and the subcategories of each category that is filtered by or contains one that
    /// is. Each list has at most `facetSize`, besides those that lead to a filter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Category<'static>>>)]
    pub tree: Option<Vec<Category<'a>>>,
    /// The values of an attribute that are numbers; absent if no value is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberFacet>,
    /// The values of an attribute that are dates of ISO 8601; absent if no value is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateFacet>,
}

/// Distinguishes the variants by their fields: serde would convert prices to floats.
impl<'de> Deserialize<'de> for Facet<'_> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        if let Ok(values) = serde_json::from_str::<ValuesFacet<'static>>(json.get()) {
            return Ok(Self::Values(values));
        }
        serde_json::from_str(json.get()).map(Self::Price).map_err(D::Error::custom)
    }
}

impl ToSchema for Facet<'_> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((ValuesFacet::name().into_owned(), ValuesFacet::schema()));
        ValuesFacet::schemas(schemas);
        schemas.push((PriceFacet::name().into_owned(), PriceFacet::schema()));
        PriceFacet::schemas(schemas);
    }
}

impl PartialSchema for Facet<'_> {
    fn schema() -> RefOr<Schema> {
        let about = "A facet: the values of a field; or, for `price`, the prices in one currency, null if no product found \
                     has one.";
        let facet = OneOfBuilder::new()
            .description(Some(about))
            .item(Ref::from_schema_name(ValuesFacet::name()))
            .item(Ref::from_schema_name(PriceFacet::name()))
            .item(ObjectBuilder::new().schema_type(Type::Null));
        Schema::from(facet.build()).into()
    }
}

/// A category of a facet.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Category<'a> {
    /// The path, to filter by.
    #[schema(value_type = String, examples("Computers > Laptops"))]
    pub value: Cow<'a, str>,
    /// Its last level, to show.
    #[schema(value_type = String, examples("Laptops"))]
    pub name: Cow<'a, str>,
    /// The number of products in it and in its subcategories.
    #[schema(examples(12))]
    pub count: u64,
    /// The direct subcategories; absent if there are none, and if the search filters neither by this category nor by one
    /// below.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Option<Vec<Category<'static>>>, no_recursion)]
    pub children: Vec<Category<'a>>,
}

/// The numbers that an attribute has in the products found.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NumberFacet {
    /// The lowest.
    #[schema(examples(10))]
    pub min: f64,
    /// The highest.
    #[schema(examples(27.5))]
    pub max: f64,
    /// The number of products that have a number.
    #[schema(examples(40))]
    pub count: u64,
    /// At most 10 buckets of equal width from the lowest to the highest number, without gaps.
    pub histogram: Vec<NumberBucket>,
}

/// The products with a number from `from` up to, but excluding, `to`: those that the filter `from..<to` finds. The last bucket
/// includes `to`, so its filter is `from..to`.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NumberBucket {
    /// The lowest number of the bucket.
    #[schema(examples(10))]
    pub from: f64,
    /// The lower bound of the next bucket.
    #[schema(examples(15))]
    pub to: f64,
    /// The number of products in it.
    #[schema(examples(3))]
    pub count: u64,
}

/// The dates that an attribute has in the products found.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DateFacet {
    /// The earliest, in UTC.
    #[schema(examples("2026-01-05T00:00:00Z"))]
    pub min: String,
    /// The latest.
    #[schema(examples("2026-06-30T00:00:00Z"))]
    pub max: String,
    /// The number of products that have a date.
    #[schema(examples(40))]
    pub count: u64,
    /// At most 10 buckets from the earliest to the latest date, without gaps: hours, days, weeks, months or years.
    pub histogram: Vec<DateBucket>,
}

/// The products with a date from `from` to `to`, both included: those that the filter `from..to` finds.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DateBucket {
    /// The first moment of the bucket.
    #[schema(examples("2026-01-01T00:00:00Z"))]
    pub from: String,
    /// The last moment of the bucket.
    #[schema(examples("2026-01-31T23:59:59.999Z"))]
    pub to: String,
    /// The number of products in it.
    #[schema(examples(3))]
    pub count: u64,
}

/// Prices of the products found.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PriceFacet {
    /// The lowest, an exact decimal number.
    #[schema(value_type = f64, examples(12.5))]
    pub min: Box<RawValue>,
    /// The highest.
    #[schema(value_type = f64, examples(900))]
    pub max: Box<RawValue>,
    /// The number of products that have a price in the currency.
    #[schema(examples(40))]
    pub count: u64,
    /// The currency of all these prices, ISO 4217.
    #[schema(value_type = String, examples("USD"))]
    pub currency: Currency,
    /// At most 10 buckets of equal width from the lowest to the highest price, without gaps.
    pub histogram: Vec<PriceBucket>,
}

/// The products with a price from `from` to `to`, both included.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct PriceBucket {
    /// The lowest price of the bucket.
    #[schema(value_type = f64, examples(0))]
    pub from: Box<RawValue>,
    /// The highest price of the bucket.
    #[schema(value_type = f64, examples(99.99))]
    pub to: Box<RawValue>,
    /// The number of products in it.
    #[schema(examples(3))]
    pub count: u64,
}

/// The values of one facet.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct FacetValues<'a> {
    /// The facet.
    #[schema(examples("brand"))]
    pub field: String,
    /// Its values: those that match `prefix` best first, then the most frequent, then by value.
    #[schema(value_type = Vec<FacetValue>)]
    pub values: Cow<'a, [FacetValue]>,
    /// True if the query was longer than the bounds, and was cut at them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(value_type = Option<bool>)]
    pub truncated: bool,
}
