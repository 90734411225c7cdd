//! The read side of the catalogue: turns the parameters of a request into one search of the index, and its answer into JSON.
//!
//! Nothing here can reach the store, and no text of a caller reaches a query parser or a regular expression.

#![warn(missing_docs)]

mod algolia;
pub mod answer;
mod auto_facets;
mod category_tree;
mod circuit;
mod endpoints;
mod execute;
mod explanation;
mod extract;
mod http;
mod metrics;
mod read_after_write;
mod reader;
mod respond;
mod response_cache;
mod restrictions;
mod routes;
mod search_service;
pub mod service;
mod shop_pages;
pub mod shop_rules;
mod waiters;

pub use routes::ReadSide;
pub use search_service::Settings;
pub use shop_rules::{Locale, ShopRules};

#[cfg(test)]
#[cfg(feature = "embedded")]
mod router_tests;
#[cfg(test)]
#[cfg(feature = "embedded")]
mod test_index;
