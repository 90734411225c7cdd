//! Text analysis that all indexes share, so that they return the same results: words, typos, weights, scores, highlights, and
//! the terms of attributes. No I/O.

#![warn(missing_docs)]

/// The version of the analysis: of the terms and weights that a product has in an index. Increase it with every change to the
/// terms or weights of any product. An index records it, and an index of an older analysis is rebuilt.
pub const ANALYSIS: u32 = 5;

mod alternatives;
pub mod analysis;
pub mod attributes;
pub mod cjk;
mod closed_compounds;
mod codes;
pub mod collation;
pub mod completion;
mod compound;
pub mod corrected_query;
mod counting;
pub mod dictionary;
pub mod did_you_mean;
pub mod explain;
pub mod facets;
pub mod field_weights;
mod fold;
pub mod forms;
mod grammar;
mod grouped_numbers;
pub mod highlight;
mod joins;
pub mod kinds;
pub mod markup;
pub mod misspelt;
mod neighbours;
mod number_parts;
mod occurrences;
pub mod operand;
pub mod operators;
mod pairs;
mod plurals;
pub mod product;
pub mod projection;
mod purpose;
pub mod query;
pub mod relaxing;
pub mod score;
mod signs;
pub mod similar;
pub mod sort_keys;
mod terms;
pub mod typed_form;
pub mod typos;
mod units;
pub mod weights;
mod word;
mod written;
