//! The search page.

use std::sync::Arc;

use domain::{CategoryPath, Product};
use maud::{Markup, html};

use crate::page::{Page, PageContext, Storefront};

/// The root of the service, as the search page sees it.
const ROOT: &str = "./";

/// The first results of a search. The script replaces them by its own, with filters.
#[derive(Debug, Clone, Copy)]
pub struct FirstResults<'a> {
    /// The query string of the page.
    pub parameters: &'a str,
    /// The products found, in order.
    pub products: &'a [Arc<Product>],
}

impl Storefront {
    /// Returns the search page. Without results it is empty, and the script fills it.
    pub fn search_page(&self, context: &PageContext, first: Option<&FirstResults<'_>>) -> String {
        let texts = context.texts();
        let page = Page {
            title: &texts.title,
            description: Some(&texts.tagline),
            root: ROOT,
            path: Some(""),
            head: html! {},
            class: "shop",
            main: html! {
                noscript { p { (texts.no_script) } }
                @if let Some(first) = first { (self.first_results(context, first)) }
            },
        };
        self.render(context, &page)
    }

    fn first_results(&self, context: &PageContext, first: &FirstResults<'_>) -> Markup {
        let title = title(context, first.parameters);
        html! {
            div.first-results {
                div.banner.is-start[title.is_none()] { h1 { (title.as_deref().unwrap_or(&context.texts().tagline)) } }
                @if title.is_none() { div.start {} }
                div.shop-columns {
                    div.filters-column {}
                    div.results {
                        div.results-bar {}
                        ul.cards { @for product in first.products { (self.card(context, ROOT, product)) } }
                    }
                }
            }
        }
    }
}

/// Returns the title of a search; `None` for the one of the start page, which has neither words nor filters.
fn title(context: &PageContext, parameters: &str) -> Option<String> {
    let all = || form_urlencoded::parse(parameters.as_bytes()).filter(|(_, value)| !value.is_empty());
    let value = |name: &str| all().find(|(known, _)| known == name).map(|(_, value)| value);
    if let Some(query) = value("query") {
        return Some(context.texts().results_for.replace("{query}", &query));
    }
    let is_start = all().all(|(name, _)| matches!(&*name, "language" | "sort"));
    let category = value("category").and_then(|path| CategoryPath::parse(&path).ok());
    let category = category.and_then(|path| path.levels().last().cloned());
    (!is_start).then(|| category.unwrap_or_else(|| context.texts().all_products.clone()))
}
