//! The folder of an index and the documents in it.

pub(crate) mod document;
pub(crate) mod folder;
pub(crate) mod generations;
pub(crate) mod live_document;
pub(crate) mod schema;
