//! The writing side: applying changes, merging segments, and managing generations.

mod document_builder;
mod entries;
mod generation_writer;
mod indexed_versions;
mod merging;
mod options;
mod writer;
mod writer_thread;

pub use options::WriterOptions;
pub use writer::TantivyWriter;
