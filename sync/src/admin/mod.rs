//! The routes for operators, under `/admin/`. A proxy in front of the service must keep shoppers away from them.

pub mod dead_letters;
mod index;
mod stream;

pub use index::index_routes;
