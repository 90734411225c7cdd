//! The measurements behind `noren bench`: how fast a machine imports and searches.
//!
//! The services run complete, over HTTP on a port of this machine, with the clients in the same process: both share the
//! processors, as a shop's pages and its search would. Responses are not cached, except where caching is measured.
//!
//! The crate does not open a catalogue itself: the caller passes a [`Catalogue`], or the address of a running service.

mod args;
mod assertion;
mod catalogue;
mod check;
mod client;
mod error;
pub mod figures;
pub mod load;
mod load_figures;
mod machine;
mod measure;
pub mod queries;
mod remote;
mod report;
mod request;
mod sample;
mod served;
mod sustained;
mod workload;
mod writes;

pub use args::BenchArgs;
pub use assertion::Assertion;
pub use catalogue::{Catalogue, Cause};
pub use client::Endpoint;
pub use error::BenchError;
pub use machine::ScratchFolder;
pub use measure::{measure_catalogue, measure_service};
pub use remote::RemoteService;
pub use sample::Sample;
pub use sustained::measure_load;
pub use workload::Workload;
