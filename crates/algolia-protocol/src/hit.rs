//! Products as hits.

use std::collections::BTreeMap;

use domain::Product;
use domain::input::RawObject;
use domain::search::Hit;
use serde::ser::{Error as _, SerializeMap as _};
use serde::{Serialize, Serializer};
use serde_json::json;

use crate::highlight::Highlighted;
use crate::request::View;

/// The member with the id of a product.
const OBJECT_ID: &str = "objectID";
/// The member with the categories by level, as widgets expect. It replaces the product's own member `categories`, a list of paths.
const CATEGORIES: &str = "categories";
/// The member with all paths of the categories.
const CATEGORY_PATHS: &str = "categoryPaths";

/// A product as an object of the protocol: its own members, `objectID`, and its categories by level.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// The product.
    pub product: &'a Product,
    /// The members to write; all if `None`.
    pub attributes: Option<&'a [String]>,
}

/// A hit: an object, with its highlights.
pub(crate) struct HitObject<'a> {
    pub(crate) hit: &'a Hit,
    pub(crate) view: &'a View,
    /// The number of words of the query.
    pub(crate) words: usize,
}

impl Object<'_> {
    fn is_wanted(&self, member: &str) -> bool {
        // A nested name such as `attributes.colour` selects the whole member.
        let is_part = |wanted: &String| wanted.strip_prefix(member).is_some_and(|rest| rest.starts_with('.'));
        self.attributes.is_none_or(|wanted| {
            wanted.iter().any(|wanted| wanted == "*" || wanted == member || is_part(wanted))
        })
    }

    fn write<S: Serializer>(&self, map: &mut S::SerializeMap) -> Result<(), S::Error> {
        // The values stay JSON text, so prices keep their digits.
        let json = serde_json::to_string(self.product).map_err(S::Error::custom)?;
        let RawObject(members) = serde_json::from_str(&json).map_err(S::Error::custom)?;
        map.serialize_entry(OBJECT_ID, &self.product.id)?;
        for (name, value) in members.iter().filter(|(name, _)| name != CATEGORIES && self.is_wanted(name)) {
            map.serialize_entry(name, value)?;
        }
        let paths = &self.product.content.categories;
        if !paths.is_empty() && self.is_wanted(CATEGORIES) {
            map.serialize_entry(CATEGORIES, &levels(self.product))?;
        }
        if !paths.is_empty() && self.is_wanted(CATEGORY_PATHS) {
            map.serialize_entry(CATEGORY_PATHS, paths)?;
        }
        Ok(())
    }
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write::<S>(&mut map)?;
        map.end()
    }
}

/// Returns the categories of a product by level: `{"lvl0": ["Home"], "lvl1": ["Home > Lamps"]}`.
fn levels(product: &Product) -> BTreeMap<String, Vec<String>> {
    let mut levels = BTreeMap::<String, Vec<String>>::new();
    for path in &product.content.categories {
        for (level, ancestor) in path.with_ancestors().enumerate() {
            let values = levels.entry(format!("lvl{level}")).or_default();
            if !values.contains(&ancestor) {
                values.push(ancestor);
            }
        }
    }
    levels
}

/// The highlights of a hit.
#[derive(Serialize)]
struct Highlights {
    name: Highlighted,
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<Highlighted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<Highlighted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<Highlighted>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Highlighted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Highlighted>,
}

impl Serialize for HitObject<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let (product, attributes) = (&*self.hit.product, self.view.attributes.as_deref());
        Object { product, attributes }.write::<S>(&mut map)?;
        let highlights = self.highlights();
        if let Some(description) = &highlights.description {
            map.serialize_entry("_snippetResult", &json!({ "description": description.snippet() }))?;
        }
        map.serialize_entry("_highlightResult", &highlights)?;
        map.end()
    }
}

impl HitObject<'_> {
    fn highlights(&self) -> Highlights {
        let content = &self.hit.product.content;
        let of = |field: &str, text: &str| match self.hit.highlights.get(field) {
            Some(html) => self.marked(html),
            None => Highlighted::plain(text),
        };
        Highlights {
            name: of("name", &content.name),
            brand: content.brand.as_deref().map(|brand| of("brand", brand)),
            category: content.category().map(|path| of("category", &path.to_string())),
            sku: content.sku.as_deref().map(|sku| of("sku", sku)),
            tags: self.tags(),
            description: content.description.as_deref().map(|description| of("description", description)),
        }
    }

    fn marked(&self, html: &str) -> Highlighted {
        Highlighted::of_html(html, &self.view.marks, self.words)
    }

    /// Returns the highlights of the tags. The index returns one for all tags, separated by commas.
    fn tags(&self) -> Vec<Highlighted> {
        let tags = &self.hit.product.content.tags;
        let together = self.hit.highlights.get("tags").map(|html| html.split(", ").collect::<Vec<_>>());
        match together.filter(|parts| parts.len() == tags.len()) {
            Some(parts) => parts.into_iter().map(|html| self.marked(html)).collect(),
            None => tags.iter().map(|tag| Highlighted::plain(tag)).collect(),
        }
    }
}
