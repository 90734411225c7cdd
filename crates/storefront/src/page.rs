//! The frame of every page: head, header, search field, languages and footer.

use domain::Currency;
use domain::search::MAX_QUERY_CHARS;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::files::FILES;
use crate::picture::colours;
use crate::texts::Texts;
use crate::ui_language::UiLanguage;

/// The root of the service, as pages of products see it.
pub(crate) const PRODUCT_ROOT: &str = "../../";

/// A storefront.
#[derive(Debug, Clone)]
pub struct Storefront {
    /// The address at which shoppers see the service, without a slash at the end, such as `https://shop.example`.
    pub url: Option<String>,
    /// The sites that pictures of products may come from, such as `https://images.example`.
    pub image_origins: Vec<String>,
}

/// The properties of a page that follow from the request and the catalogue.
#[derive(Debug, Clone)]
pub struct PageContext {
    /// The language of the page.
    pub language: UiLanguage,
    /// True if the address of the page names the language, so that links on it must name it too.
    pub names_language: bool,
    /// The address of the service, without a slash at the end, if it is known.
    pub base: Option<String>,
    /// The currency of price filters.
    pub currency: Currency,
}

/// The parts in which pages differ.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    /// The summary that search engines show.
    pub(crate) description: Option<&'a str>,
    /// The relative address of the root of the service, with a slash at the end.
    pub(crate) root: &'static str,
    /// The address of the page from the root of the service, if search engines may list it.
    pub(crate) path: Option<&'a str>,
    /// Further elements of the head.
    pub(crate) head: Markup,
    /// The class of the main part.
    pub(crate) class: &'static str,
    pub(crate) main: Markup,
}

impl PageContext {
    pub(crate) fn texts(&self) -> &'static Texts {
        Texts::of(self.language)
    }

    /// Returns the query string of a link to another page, or nothing.
    pub(crate) fn language_query(&self) -> String {
        match self.names_language {
            true => format!("?language={}", self.language.code()),
            false => String::new(),
        }
    }

    /// Returns the address of the search page from `root`, with this parameter.
    pub(crate) fn search_address(&self, root: &str, name: &str, value: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair(name, value);
        if self.names_language {
            query.append_pair("language", self.language.code());
        }
        format!("{root}?{}", query.finish())
    }
}

impl Storefront {
    /// Returns the page for the address of a product that searches do not find.
    pub fn not_found_page(&self, context: &PageContext) -> String {
        let texts = context.texts();
        let page = Page {
            title: &texts.not_found_title,
            description: None,
            root: PRODUCT_ROOT,
            path: None,
            head: html! {},
            class: "message",
            main: html! {
                h1 { (texts.not_found_title) }
                p { (texts.not_found_text) }
                a.button href={ (PRODUCT_ROOT) (context.language_query()) } { (texts.home) }
            },
        };
        self.render(context, &page)
    }

    /// Returns the Content-Security-Policy of the pages: nothing inline, and nothing from other hosts but pictures of products.
    pub fn content_security_policy(&self) -> String {
        let images: String = self.image_origins.iter().map(|origin| format!(" {origin}")).collect();
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'{images}; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
             trusted-types 'none'"
        )
    }

    pub(crate) fn render(&self, context: &PageContext, page: &Page<'_>) -> String {
        let texts = context.texts();
        let root = page.root;
        let markup = html! {
            (DOCTYPE)
            html lang=(context.language.code()) data-root=(root) data-currency=(context.currency.code())
                data-images=(self.image_origins.join(" ")) {
                (self.head(context, page))
                body {
                    a.skip-link href="#content" { (texts.skip_to_content) }
                    (header(context, root))
                    main #content class=(page.class) tabindex="-1" { (page.main) }
                    footer.footer {
                        p { (texts.title) }
                        ul {
                            li { a href={ (root) "docs" } { (texts.api) } }
                            li { a href={ (root) "openapi.json" } { "OpenAPI" } }
                        }
                    }
                    script #texts type="application/json" { (PreEscaped(&texts.json)) }
                    script #colours type="application/json" { (PreEscaped(colours::json())) }
                }
            }
        };
        markup.into_string()
    }

    fn head(&self, context: &PageContext, page: &Page<'_>) -> Markup {
        let [script, style, icon] = &*FILES;
        let root = page.root;
        let canonical = context.base.as_deref().zip(page.path).map(|(base, path)| format!("{base}/{path}"));
        html! {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) }
                @if let Some(description) = page.description {
                    meta name="description" content=(description);
                }
                link rel="stylesheet" href={ (root) (style.address()) };
                script type="module" src={ (root) (script.address()) } {}
                link rel="icon" type="image/svg+xml" href={ (root) (icon.address()) };
                @if let Some(address) = &canonical {
                    link rel="canonical" href={ (address) (context.language_query()) };
                    link rel="alternate" hreflang="x-default" href=(address);
                    @for language in UiLanguage::ALL {
                        link rel="alternate" hreflang=(language.code()) href={ (address) "?language=" (language.code()) };
                    }
                }
                (page.head)
            }
        }
    }
}

fn header(context: &PageContext, root: &str) -> Markup {
    let texts = context.texts();
    html! {
        header.header {
            a.logo href={ (root) (context.language_query()) } { (texts.title) }
            form.search-form role="search" action=(root) method="get" {
                label.visually-hidden for="search" { (texts.search_label) }
                input #search name="query" type="search" maxlength=(MAX_QUERY_CHARS) autocomplete="off" placeholder=(texts.search_placeholder);
                @if context.names_language {
                    input name="language" type="hidden" value=(context.language.code());
                }
                button { (texts.search_button) }
            }
            nav.languages aria-label=(texts.languages) {
                @for language in UiLanguage::ALL {
                    @let current = (language == context.language).then_some("true");
                    a href={ "?language=" (language.code()) } lang=(language.code()) hreflang=(language.code())
                        aria-current=[current] { (language.name()) }
                }
            }
        }
    }
}
