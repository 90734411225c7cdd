//! A product in a list, and the parts of it that its own page has too: name, picture and price.

use std::borrow::Cow;

use domain::{Content, Money, Product};
use maud::{Markup, html};
use text::markup::plain_text;

use crate::page::{PageContext, Storefront};
use crate::picture::Picture;

impl Storefront {
    /// Returns the first image of a product, if pages may show it.
    pub(crate) fn image<'a>(&self, content: &'a Content) -> Option<&'a str> {
        let image = content.images.first()?;
        let rest = self.image_origins.iter().find_map(|origin| image.strip_prefix(origin.as_str()))?;
        rest.starts_with('/').then_some(image)
    }

    /// Returns the picture of a product: its image, or the drawing, which also takes the place of an image that does not load.
    pub(crate) fn picture(&self, content: &Content, root: &str, size: u32) -> Markup {
        let drawing = format!("{root}{}", Picture::of(content).address());
        let image = self.image(content);
        let replacement = image.map(|_| &drawing);
        html! {
            img.picture src=(image.unwrap_or(&drawing)) data-drawing=[replacement] alt="" width=(size) height=(size)
                loading="lazy";
        }
    }

    pub(crate) fn card(&self, context: &PageContext, root: &str, product: &Product) -> Markup {
        let content = &product.content;
        html! {
            li.card.is-out-of-stock[content.stock == Some(0)] {
                a href={ (root) "shop/products/" (product.id.as_str()) (context.language_query()) } {
                    (self.picture(content, root, 240))
                    @if let Some(brand) = &content.brand { span.card-brand dir="auto" { (brand) } }
                    span.card-name dir="auto" { (display_name(product)) }
                    @if let Some(price) = content.price { span.card-price { (price_data(price)) } }
                    @if content.stock == Some(0) { span.card-stock { (context.texts().out_of_stock) } }
                }
            }
        }
    }
}

/// Returns the name of a product as text. If the name is markup only, returns the sku, or else the id.
pub(crate) fn display_name(product: &Product) -> Cow<'_, str> {
    let name = plain_text(&product.content.name);
    match name.trim().is_empty() {
        true => product.content.sku.as_deref().unwrap_or(product.id.as_str()).into(),
        false => name,
    }
}

/// Returns a price as a `data` element, which the script formats for the language.
pub(crate) fn price_data(price: Money) -> Markup {
    let (amount, currency) = (price.to_json_number(), price.currency().code());
    html! { data value=(amount.get()) data-currency=(currency) { (amount.get()) " " (currency) } }
}
