//! JSON documents: objects one after the other in any layout, arrays, and answers of APIs that contain a list of products. Records in
//! the forms of other systems become products by mapping files, as the rows of tables do.

mod cells;
mod form;
mod nesting;
mod product_record;
mod reader;
mod scanner;
#[cfg(test)]
mod tests;

pub(crate) use reader::DocumentReader;
pub(crate) use scanner::is_document;
