//! What an operator may ask of a running service, under `/admin/`: a proxy in front of it keeps shoppers away from
//! there.

mod index;
mod stream;

pub use index::index_routes;
