//! The parameters of a request: from a query string or a JSON body to a request of the domain, and back to a canonical form.
//!
//! The [table] has one row for each parameter. Everything else here is derived from it. The read service reads searches with it, the
//! write service the filters of API keys, and the command line derives its flags from it.

#![warn(missing_docs)]

mod body;
mod did_you_mean;
mod filter;
pub mod openapi;
mod parameter;
mod parsed;
mod read;
mod required_versions;
pub mod table;
mod values;

pub use body::{MAX_SEARCHES, Searches, read_searches};
pub use filter::{filter_check, read_filter};
pub use parameter::{Endpoint, Example, Flag, Kind, Parameter, TextBounds};
pub use parsed::ParsedSearch;
pub use read::{read, write};
pub use required_versions::{MAX_SYNC_TIMEOUT, RequiredVersions};
pub use values::{read_facet_field, wanted};
