//! The contracts of the ports: a test of each sentence of their documentation, run against every adapter.

mod access_store;
mod dead_letters;
mod images;
mod index;
mod maintenance;
mod queue;
mod store;
