//! `noren search`: a search, shown as a table.

mod args;
mod command;
mod render;

pub(crate) use args::SearchArgs;
pub(crate) use command::search;
