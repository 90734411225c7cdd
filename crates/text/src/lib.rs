//! What every index makes of a product's texts and values, so that all of them find the same: words, typos,
//! highlights, and the terms of attributes. No I/O.

#![warn(missing_docs)]

pub mod analysis;
pub mod attributes;
pub mod cjk;
pub mod completion;
mod compound;
pub mod dictionary;
pub mod explain;
pub mod facets;
pub mod field_weights;
pub mod forms;
pub mod function_words;
pub mod highlight;
pub mod product;
pub mod projection;
pub mod query;
pub mod score;
pub mod similar;
mod terms;
pub mod typos;
pub mod weights;
