//! Contract suites: plain functions over `&dyn Port`, called for each adapter.

mod index;
mod maintenance;
mod queue;
mod store;
