//! Noren in one process, and its command line.
//!
//! [`cli`] defines the commands. Each of the other modules is one of them; [`client`] is how they reach a catalogue.

pub mod app;
pub mod backup;
pub mod bench;
pub mod check_rules;
pub mod cli;
pub mod client;
pub mod demo;
pub mod dlq;
pub mod eval;
pub mod explain;
pub mod export;
pub mod failure;
pub mod import;
pub mod maintain;
pub mod operator;
mod raw_object;
mod run;
pub mod search;
pub mod serve;

pub use run::{import_into, run};
