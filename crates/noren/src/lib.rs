//! Noren in one process, and its command line.
//!
//! [`cli`] defines the commands. Each of the other modules is one of them; [`client`] is how they reach a catalogue.

pub mod bench;
pub mod cli;
pub mod client;
pub mod demo;
pub mod export;
pub mod failure;
pub mod import;
mod raw_object;
pub mod search;
