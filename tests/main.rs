//! The integration tests of the workspace: one binary, so that it links once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to stop there")]

mod api;
mod aws;
mod cli;
mod contract;
mod faults;
mod lambda;
mod languages;
mod oracle;
mod packaging;
mod processes;
mod services;
mod support;
mod tidy;
mod warnings;
mod worker;
