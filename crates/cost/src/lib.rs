//! The monthly cost of a catalogue, by part and provider. No I/O.
//!
//! [`Prices`] are read from a dated TOML file, [`Estimate::new`] applies them to a [`Workload`], [`text`], [`json`] and
//! [`markdown`] show the result. All calculations are in decimal numbers; amounts are rounded to cents when they are shown.

mod assumptions;
mod break_even;
mod dollars;
mod estimate;
mod functions;
mod grid;
pub mod json;
mod machine;
pub mod markdown;
mod month;
mod part;
mod price_list;
mod prices;
mod provider;
mod quantity;
mod requests;
mod sizes;
mod stack;
pub mod text;
mod toml_fields;
mod workload;

pub use break_even::{BreakEven, Range};
pub use dollars::Dollars;
pub use estimate::{Bill, Column, Estimate};
pub use grid::Grid;
pub use part::Part;
pub use prices::{Prices, PricesError};
pub use provider::Provider;
pub use quantity::{Megabytes, Milliseconds, Monthly, Products, QuantityError};
pub use sizes::SizeName;
pub use workload::Workload;
