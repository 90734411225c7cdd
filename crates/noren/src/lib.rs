//! All services in one process, and the command line.
//!
//! [`cli`] lists the commands; most other modules are one command each, with its arguments. [`target`] opens the catalogue
//! that a command works on, and [`client`] sends requests to it. [`app`] runs all services in one process.

pub mod app;
mod backup;
mod bench;
pub mod cli;
pub mod client;
mod completions;
mod configuration;
mod cost;
mod delete;
mod dlq;
mod eval;
mod explain;
pub mod export;
pub mod failure;
pub mod import;
mod keys;
mod label_arg;
mod login;
mod maintenance_events;
mod parameter_args;
mod part_file;
mod reindex;
mod rules;
mod run;
mod search;
mod serve;
pub mod target;
mod terminal;
mod verify;

pub use run::run_command_line;
