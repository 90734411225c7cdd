//! Explanations of ranks: how each word of a search matches a product, and what that adds to its score.
//!
//! An explanation is derived from the product and the search alone. Whether an index accepted typos and prefixes depends on
//! other products, but shows in the score that it gave: of all combinations of possible matches, the explanation is the first
//! one that adds up to that score.

mod explainer;
mod explanation;
mod fields;
mod locator;
mod sums;

pub use explainer::Explainer;
pub use explanation::{Explanation, KindMatch, MatchKind, PhraseMatch, WordMatch};

#[cfg(test)]
mod tests;
