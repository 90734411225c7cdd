//! The storefront: the pages of a small shop, the pictures of its products, and its sitemap.
//!
//! This crate renders without I/O. Searches run in the browser: `web` has the sources of the script and the style sheet, which
//! `web/build.mjs` bundles into `dist`. Pages of products are rendered here, so that they can be found and shared.
//!
//! **Text of products is only ever text**: [`maud`] escapes it in pages, and the script makes text nodes of it.

#![warn(missing_docs)]

mod card;
pub mod files;
mod page;
pub mod picture;
mod product_page;
mod search_page;
pub mod sitemap;
mod structured_data;
mod texts;
mod ui_language;

pub use page::{PageContext, Storefront};
pub use search_page::FirstResults;
pub use ui_language::UiLanguage;
