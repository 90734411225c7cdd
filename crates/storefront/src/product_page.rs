//! The page of a product.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{AttributeValue, Content, Product};
use maud::{Markup, PreEscaped, html};
use text::markup::plain_text;

use crate::card::{display_name, price_data};
use crate::page::{PRODUCT_ROOT, Page, PageContext, Storefront};
use crate::structured_data;
use crate::texts::{Texts, safe_in_script};

/// The most characters of the summary for search engines.
const MAX_SUMMARY_CHARS: usize = 160;

impl Storefront {
    /// Returns the page of a product, with links to related ones.
    pub fn product_page(&self, context: &PageContext, product: &Product, related: &[Arc<Product>]) -> String {
        let content = &product.content;
        let name = display_name(product);
        let description = content.description.as_deref().map(plain_text).unwrap_or_default();
        let summary = summary(&description);
        let path = format!("shop/products/{}", product.id);
        let picture = self.picture(content, PRODUCT_ROOT, 480);
        let image = self.image(content);
        let data = structured_data::of_product(product, &name, &description, context.base.as_deref(), image);
        let title = format!("{name} – {}", context.texts().title);
        let page = Page {
            title: &title,
            description: (!summary.is_empty()).then_some(&*summary),
            root: PRODUCT_ROOT,
            path: Some(&path),
            head: html! {
                script type="application/ld+json" { (PreEscaped(safe_in_script(&data.to_string()))) }
            },
            class: "product",
            main: html! {
                (breadcrumbs(context, content))
                (article(context, content, &name, &description, &picture))
                @if !related.is_empty() {
                    section.related aria-labelledby="related" {
                        h2 #related { (context.texts().related_products) }
                        ul.cards {
                            @for product in related { (self.card(context, PRODUCT_ROOT, product)) }
                        }
                    }
                }
            },
        };
        self.render(context, &page)
    }
}

fn breadcrumbs(context: &PageContext, content: &Content) -> Markup {
    let Some(category) = content.category() else { return html! {} };
    html! {
        nav.breadcrumbs aria-label=(context.texts().breadcrumbs) {
            ol {
                @for (level, path) in category.levels().iter().zip(category.with_ancestors()) {
                    li { a href=(context.search_address(PRODUCT_ROOT, "category", &path)) { (level) } }
                }
            }
        }
    }
}

fn article(
    context: &PageContext,
    content: &Content,
    name: &str,
    description: &str,
    picture: &Markup,
) -> Markup {
    let texts = context.texts();
    html! {
        article.product-detail {
            (picture)
            div.product-facts {
                @if let Some(brand) = &content.brand {
                    p.brand { a href=(context.search_address(PRODUCT_ROOT, "brand", brand)) { (brand) } }
                }
                h1 dir="auto" { (name) }
                @if let Some(price) = content.price { p.price { (price_data(price)) } }
                @match content.stock {
                    Some(0) => { p.stock.stock-no { (texts.out_of_stock) } }
                    Some(_) => { p.stock.stock-yes { (texts.in_stock) } }
                    None => {}
                }
                @if !description.is_empty() {
                    div.text {
                        @for paragraph in description.lines().filter(|line| !line.trim().is_empty()) {
                            p dir="auto" { (paragraph) }
                        }
                    }
                }
                (details(content, texts))
                @if !content.tags.is_empty() {
                    ul.tags { @for tag in &content.tags { li { (tag) } } }
                }
            }
        }
    }
}

/// Returns the attributes and the sku as a list of names and values.
fn details(content: &Content, texts: &Texts) -> Markup {
    if content.attributes.is_empty() && content.sku.is_none() {
        return html! {};
    }
    html! {
        h2 { (texts.details) }
        dl.details {
            @for (key, value) in &content.attributes {
                div { dt { (key.replace('_', " ")) } dd dir="auto" { (attribute(value, texts)) } }
            }
            @if let Some(sku) = &content.sku { div { dt { (texts.sku) } dd { (sku) } } }
        }
    }
}

fn attribute<'a>(value: &'a AttributeValue, texts: &'a Texts) -> Cow<'a, str> {
    match value {
        AttributeValue::Text(text) => text.into(),
        AttributeValue::Number(number) => number.to_string().into(),
        AttributeValue::Flag(true) => (&texts.yes).into(),
        AttributeValue::Flag(false) => (&texts.no).into(),
        AttributeValue::List(values) => values.join(", ").into(),
    }
}

/// Returns the first words of a description on one line, cut at a word.
fn summary(description: &str) -> String {
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = line.char_indices().nth(MAX_SUMMARY_CHARS) else { return line };
    let cut = line[..end].rfind(' ').unwrap_or(end);
    format!("{}…", &line[..cut])
}
