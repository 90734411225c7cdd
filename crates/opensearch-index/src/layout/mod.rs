//! The layout of an index: its mapping, its documents, and the aliases of its generations.

pub(crate) mod admin;
pub(crate) mod aliases;
pub(crate) mod document;
pub(crate) mod schema;
pub(crate) mod terms;
