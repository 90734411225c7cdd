//! `noren import`: writes products from files, or the demo catalogue, into a catalogue.
//!
//! A thread reads, maps and validates; batches go through a bounded channel to the [`Sink`], several at a time. Outcomes are
//! counted, and faults reported, in the order of the files.

mod args;
mod candidate;
mod catalogue_sink;
mod command;
mod http_sink;
mod mapping_text;
mod options;
mod pipeline;
mod reporter;
mod sink;
mod source;
mod summary;
mod sync;
mod table_args;
#[cfg(test)]
mod tests;

pub use args::ImportArgs;
pub use candidate::Candidate;
pub use command::import_into;
pub(crate) use command::run;
pub use options::Options;
pub use pipeline::import;
pub use sink::{PutResult, Sink};
pub use source::Source;
pub use summary::Summary;
