//! The domain: products, money, changes, searches, and the ports to the outside world.
//!
//! This crate does no I/O and depends on no async runtime, cloud SDK or database. Every type that a service or an adapter
//! exchanges with another is defined here.

#![warn(missing_docs)]

pub mod category_path;
pub mod change;
pub mod fault;
pub mod hash;
mod html_policy;
pub mod image;
pub mod input;
pub mod language;
pub mod max_delete;
pub mod merge_patch;
pub mod money;
pub mod ports;
pub mod product;
pub mod search;
pub mod selection;
pub mod status;
pub mod sync_token;
pub mod write_mode;

pub use category_path::CategoryPath;
pub use change::{Action, Change, Record, Tombstone};
pub use fault::{Fault, FaultKind, Faults, MAX_FAULTS};
pub use html_policy::{HtmlPolicy, UnknownHtmlPolicy};
pub use language::{Language, UnknownLanguage};
pub use max_delete::MaxDelete;
pub use money::{Currency, Money, MoneyError, PriceRange};
pub use product::{AttributeValue, Content, Product, ProductId, Version};
pub use selection::Selection;
pub use status::Status;
pub use sync_token::SyncToken;
pub use write_mode::WriteMode;

/// Returns the current time in UTC, truncated to milliseconds so that every adapter can store it exactly.
pub fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
