//! Import jobs: a file of any size is accepted at once and applied in the background, each line exactly once.
//!
//! The upload is written to a folder of the job before the job is acknowledged. A runner applies the lines batch by batch
//! and writes a checkpoint after each. After a crash it continues from the last checkpoint: lines after it that were
//! applied already have responses under their idempotency keys, and are not applied again.

mod checkpoint;
mod conversion;
mod converting;
mod deletes;
mod entry;
mod error;
mod file_options;
mod jobs;
mod mapping_report;
mod request;
mod routes;
mod runner;
mod selection;
mod space;
mod spool;
mod syncing;
mod upload;
mod uploads;

pub use jobs::Imports;
pub use routes::import_routes;
pub(crate) use spool::check_room;

#[cfg(test)]
#[cfg(feature = "embedded")]
mod tests;
