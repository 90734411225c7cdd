//! The description of a product for search engines: JSON-LD in the vocabulary of <https://schema.org/Product>.

use domain::Product;
use serde_json::{Map, Value, json};

use crate::picture::Picture;

/// Returns the description. Addresses are left out if the address of the service is unknown.
pub(crate) fn of_product(
    product: &Product,
    name: &str,
    description: &str,
    base: Option<&str>,
    image: Option<&str>,
) -> Value {
    let content = &product.content;
    let mut members = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        members.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("@context", Some(json!("https://schema.org")));
    add("@type", Some(json!("Product")));
    add("name", Some(json!(name)));
    add("productID", Some(json!(product.id)));
    add("description", (!description.is_empty()).then(|| json!(description)));
    add("sku", content.sku.as_ref().map(|sku| json!(sku)));
    add("brand", content.brand.as_ref().map(|brand| json!({"@type": "Brand", "name": brand})));
    add("category", content.category().map(|category| json!(category.to_string())));
    let drawing = || base.map(|base| format!("{base}/{}", Picture::of(content).address()));
    add("image", image.map(str::to_owned).or_else(drawing).map(Value::from));
    let address = base.map(|base| format!("{base}/shop/products/{}", product.id));
    add("url", address.clone().map(Value::from));
    add("offers", offer(product, address));
    Value::Object(members)
}

fn offer(product: &Product, address: Option<String>) -> Option<Value> {
    let price = product.content.price?;
    let mut offer = json!({
        "@type": "Offer",
        "price": price.to_json_number().get(),
        "priceCurrency": price.currency().code(),
    });
    let availability = product.content.stock.map(|stock| match stock {
        0 => "https://schema.org/OutOfStock",
        _ => "https://schema.org/InStock",
    });
    for (name, value) in [("availability", availability.map(str::to_owned)), ("url", address)] {
        if let Some(value) = value {
            offer[name] = value.into();
        }
    }
    Some(offer)
}
