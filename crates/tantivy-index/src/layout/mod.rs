//! The index on disk: folders, generations, the schema, and the conversion of products to documents.

pub(crate) mod document;
pub(crate) mod encoding;
pub(crate) mod files;
pub(crate) mod folder;
pub(crate) mod format;
pub(crate) mod format_file;
pub(crate) mod generations;
pub(crate) mod live_document;
pub(crate) mod open_error;
pub(crate) mod schema;
pub(crate) mod tokenizers;
pub(crate) mod value_field;
