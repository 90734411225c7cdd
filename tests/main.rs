//! The integration tests of the workspace: one binary, so that it links once.
//!
//! Long suites run at a tenth of their size unless `NOREN_TEST_SCALE` is set, see `support/run.rs`. `times.rs` prints the
//! slowest suites after each run.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

mod api;
mod audit;
mod aws;
mod cli;
mod closed_pipes;
mod compose;
mod configuration;
mod contract;
mod cost_command;
mod delete_command;
mod faults;
mod fuzz;
mod help;
mod lambda;
mod languages;
mod login;
mod observability;
mod oracle;
mod packaging;
mod private_files;
mod processes;
mod relevance;
mod services;
mod starts;
mod support;
mod template;
mod tidy;
mod tour;
mod upgrades;
mod warnings;
mod worker;
