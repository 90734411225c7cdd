//! The search protocol of Algolia, for the clients that speak it: `algoliasearch`, InstantSearch, Autocomplete.
//!
//! This crate translates without I/O: [`request`] converts bodies to requests of the domain, and [`answer`] renders the responses.
//! `docs/INSTANTSEARCH.md` lists the supported parts of the protocol and the names of attributes. Algolia describes the protocol at
//! <https://www.algolia.com/doc/rest-api/search/>.

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
