//! Reads the product in a request, reports all faults at once, and keeps prices exact.
//!
//! The body is first split into its fields as raw JSON; then each field is read on its own. A price never passes through a
//! float.

#[cfg(feature = "openapi")]
mod body;
mod error;
mod label;
mod limits;
mod line;
mod raw;
mod reader;

#[cfg(feature = "openapi")]
pub use body::{ProductBody, ProductPatch};
pub use error::InputError;
pub use label::parse_label;
pub use limits::{
    FIELDS, MAX_ATTRIBUTE_VALUES, MAX_ATTRIBUTES, MAX_CATEGORIES, MAX_FIELDS, MAX_IMAGE_CHARS, MAX_KEY_CHARS,
    MAX_LABEL_CHARS, MAX_LIST_LENGTH, MAX_NAME_CHARS, MAX_STOCK, READ_ONLY_FIELDS,
};
pub use line::{DeleteInput, LineInput, read_line};
pub use raw::{Counted, Field, RawObject, json_type};
pub use reader::{ProductInput, read_product, read_product_object, size_fault};

#[cfg(test)]
mod tests;
