//! Contract suites: plain functions over `&dyn Port`, called for each adapter.

mod dead_letters;
mod index;
mod maintenance;
mod queue;
mod store;
