//! The page of a product.

use std::borrow::Cow;

use domain::{AttributeValue, Content, Product};

use maud::{Markup, PreEscaped, html};
use text::markup::plain_text;

use crate::card::price_data;
use crate::page::{Page, Storefront, Visit};
use crate::structured_data;
use crate::texts::{Texts, safe_in_script};

/// The root of the service, as pages of products see it.
const ROOT: &str = "../../";
/// The most characters of the summary for search engines.
const MAX_SUMMARY_CHARS: usize = 160;

/// A product that a page shows beside its own.
#[derive(Debug, Clone, Copy)]
pub struct RelatedProduct<'a>(pub &'a Product);

impl Storefront {
    /// Returns the page of a product, with links to related ones.
    pub fn product_page(&self, visit: &Visit, product: &Product, related: &[RelatedProduct<'_>]) -> String {
        let content = &product.content;
        let name = plain_text(&content.name);
        let description = content.description.as_deref().map(plain_text).unwrap_or_default();
        let summary = summary(&description);
        let path = format!("shop/products/{}", product.id);
        let picture = self.picture_address(content, ROOT);
        let data = structured_data::of_product(product, &name, &description, visit.base.as_deref(), &picture);
        let title = format!("{name} – {}", visit.texts().title);
        let page = Page {
            title: &title,
            description: (!summary.is_empty()).then_some(&*summary),
            root: ROOT,
            path: Some(&path),
            head: html! {
                script type="application/ld+json" { (PreEscaped(safe_in_script(&data.to_string()))) }
            },
            class: "product",
            main: html! {
                (breadcrumbs(visit, content))
                (article(visit, content, &name, &description, &picture))
                @if !related.is_empty() {
                    section.related aria-labelledby="related" {
                        h2 #related { (visit.texts().related_products) }
                        ul.cards {
                            @for RelatedProduct(product) in related { (self.card(visit, ROOT, product)) }
                        }
                    }
                }
            },
        };
        self.render(visit, &page)
    }
}

fn breadcrumbs(visit: &Visit, content: &Content) -> Markup {
    let Some(category) = content.category() else { return html! {} };
    html! {
        nav.breadcrumbs aria-label=(visit.texts().categories) {
            ol {
                @for (level, path) in category.levels().iter().zip(category.with_ancestors()) {
                    li { a href=(visit.search_address(ROOT, "category", &path)) { (level) } }
                }
            }
        }
    }
}

fn article(visit: &Visit, content: &Content, name: &str, description: &str, picture: &str) -> Markup {
    let texts = visit.texts();
    html! {
        article.product-detail {
            img.picture src=(picture) alt="" width="480" height="480";
            div.product-facts {
                @if let Some(brand) = &content.brand {
                    p.brand { a href=(visit.search_address(ROOT, "brand", brand)) { (brand) } }
                }
                h1 { (name) }
                @if let Some(price) = content.price { p.price { (price_data(price)) } }
                @match content.stock {
                    Some(0) => { p.stock.stock-no { (texts.out_of_stock) } }
                    Some(_) => { p.stock.stock-yes { (texts.in_stock) } }
                    None => {}
                }
                @if !description.is_empty() {
                    div.text {
                        @for paragraph in description.lines().filter(|line| !line.trim().is_empty()) {
                            p { (paragraph) }
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

/// Returns the attributes and codes as a list of names and values.
fn details(content: &Content, texts: &Texts) -> Markup {
    if content.attributes.is_empty() && content.sku.is_none() {
        return html! {};
    }
    html! {
        h2 { (texts.details) }
        dl.details {
            @for (key, value) in &content.attributes {
                div { dt { (key.replace('_', " ")) } dd { (attribute(value, texts)) } }
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
