//! The integration tests of the workspace: one binary, so that it links once.

mod api;
mod cli;
mod contract;
mod oracle;
mod processes;
mod support;
mod tidy;
