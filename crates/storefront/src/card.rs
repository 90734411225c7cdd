//! A product in a list.

use domain::{Content, Money, Product};
use maud::{Markup, html};
use text::markup::plain_text;

use crate::page::{PageContext, Storefront};
use crate::picture::Picture;

impl Storefront {
    /// Returns the address of the picture of a product: its own, if pages may show it, or the one that the program draws.
    pub(crate) fn picture_address(&self, content: &Content, root: &str) -> String {
        let is_allowed = |image: &&String| {
            let rest = self.image_origins.iter().find_map(|origin| image.strip_prefix(origin.as_str()));
            rest.is_some_and(|rest| rest.starts_with('/'))
        };
        match content.images.first().filter(is_allowed) {
            Some(image) => image.clone(),
            None => format!("{root}{}", Picture::of(content).address()),
        }
    }

    pub(crate) fn card(&self, context: &PageContext, root: &str, product: &Product) -> Markup {
        let content = &product.content;
        html! {
            li.card.is-out-of-stock[content.stock == Some(0)] {
                a href={ (root) "shop/products/" (product.id.as_str()) (context.language_query()) } {
                    img.picture src=(self.picture_address(content, root)) alt="" width="240" height="240" loading="lazy";
                    @if let Some(brand) = &content.brand { span.card-brand { (brand) } }
                    span.card-name { (plain_text(&content.name)) }
                    @if let Some(price) = content.price { span.card-price { (price_data(price)) } }
                    @if content.stock == Some(0) { span.card-stock { (context.texts().out_of_stock) } }
                }
            }
        }
    }
}
/// Returns a price as data, which the script shows in the form of the language.
pub(crate) fn price_data(price: Money) -> Markup {
    let (amount, currency) = (price.to_json_number(), price.currency().code());
    html! { data value=(amount.get()) data-currency=(currency) { (amount.get()) " " (currency) } }
}
