//! Products as hits.

use domain::Product;
use domain::search::Hit;
use serde_json::{Map, Value, json};

use crate::attribute::Attribute;
use crate::highlight::Highlighted;
use crate::request::View;

/// The member with the id of a product.
const OBJECT_ID: &str = "objectID";
/// The members whose highlights are whole texts.
const HIGHLIGHTED: [&str; 5] = ["name", "brand", "category", "sku", "tags"];

/// Returns a product as an object of the protocol: its own members, `objectID`, and its categories by level. `attributes` names the
/// members that are wanted; all if `None`.
///
/// # Errors
/// If the product cannot be written as JSON.
pub fn object(
    product: &Product,
    attributes: Option<&[String]>,
) -> Result<Map<String, Value>, serde_json::Error> {
    let Value::Object(mut members) = serde_json::to_value(product)? else { return Ok(Map::new()) };
    let levels = levels(product);
    if !levels.is_empty() {
        // The field of this name has the whole paths.
        members.insert(
            "categoryPaths".to_owned(),
            members.get("categories").cloned().unwrap_or_else(|| json!([members["category"]])),
        );
        members.insert("categories".to_owned(), Value::Object(levels));
    }
    if let Some(wanted) = attributes {
        // `attributes.colour` needs all attributes.
        let is_wanted = |name: &String| {
            wanted.iter().any(|wanted| {
                wanted == name || wanted.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('.'))
            })
        };
        members.retain(|name, _| is_wanted(name));
    }
    members.insert(OBJECT_ID.to_owned(), product.id.as_str().into());
    Ok(members)
}

/// Returns the categories of a product by level: `{"lvl0": ["Home"], "lvl1": ["Home > Lamps"]}`.
fn levels(product: &Product) -> Map<String, Value> {
    let mut levels = Map::new();
    for path in &product.content.categories {
        for (level, ancestor) in path.with_ancestors().enumerate() {
            let name = Attribute::level_name(level);
            let name = name.trim_start_matches("categories.").to_owned();
            let values = levels.entry(name).or_insert_with(|| json!([]));
            if let Value::Array(values) = values
                && !values.contains(&Value::from(ancestor.as_str()))
            {
                values.push(ancestor.into());
            }
        }
    }
    levels
}

/// Returns a hit: the object, with its highlights. `query_words` is the number of words of the query.
///
/// # Errors
/// If the product cannot be written as JSON.
pub(crate) fn hit(hit: &Hit, view: &View, query_words: usize) -> Result<Value, serde_json::Error> {
    let mut members = object(&hit.product, view.attributes.as_deref())?;
    let content = &hit.product.content;
    let highlighted = |field: &str, text: &str| match hit.highlights.get(field) {
        Some(html) => Highlighted::of_html(html, &view.tags, query_words),
        None => Highlighted::plain(text),
    };
    let mut highlights = Map::new();
    for field in HIGHLIGHTED {
        let text = match field {
            "name" => Some(content.name.clone()),
            "brand" => content.brand.clone(),
            "category" => content.category().map(ToString::to_string),
            "sku" => content.sku.as_ref().map(ToString::to_string),
            _ => None,
        };
        if let Some(text) = text {
            highlights.insert(field.to_owned(), serde_json::to_value(highlighted(field, &text))?);
        }
    }
    if !content.tags.is_empty() {
        highlights.insert("tags".to_owned(), serde_json::to_value(tags(hit, view, query_words))?);
    }
    if let Some(description) = &content.description {
        let description = highlighted("description", description);
        let snippet = serde_json::to_value(description.clone().into_snippet())?;
        members.insert("_snippetResult".to_owned(), json!({ "description": snippet }));
        highlights.insert("description".to_owned(), serde_json::to_value(description)?);
    }
    members.insert("_highlightResult".to_owned(), highlights.into());
    Ok(members.into())
}

/// Returns the highlights of the tags. The index has one for all, with commas between them.
fn tags(hit: &Hit, view: &View, query_words: usize) -> Vec<Highlighted> {
    let tags = &hit.product.content.tags;
    let together = hit.highlights.get("tags").map(|html| html.split(", ").collect::<Vec<_>>());
    match together.filter(|parts| parts.len() == tags.len()) {
        Some(parts) => parts.iter().map(|html| Highlighted::of_html(html, &view.tags, query_words)).collect(),
        None => tags.iter().map(|tag| Highlighted::plain(tag)).collect(),
    }
}
