//! The search protocol of Algolia, for the clients that speak it: `algoliasearch`, InstantSearch, Autocomplete.
//!
//! This crate translates without I/O: [`request`] reads bodies into requests of the domain, and [`answer`] renders the answers. `docs/INSTANTSEARCH.md` says which parts of the protocol exist and how attributes are named. The protocol is
//! described at <https://www.algolia.com/doc/rest-api/search/>.

#![warn(missing_docs)]

pub mod answer;
pub mod attribute;
mod combine;
mod condition;
mod error;
mod filter_language;
mod filters;
pub mod highlight;
pub mod hit;
mod params;
pub mod request;

pub use attribute::Attribute;
pub use error::RequestError;
