//! `noren explain`: why a search finds a product or does not, from the state of store, queue and index.

mod args;
mod command;
mod excluding_filter;
mod report;
mod score_table;
mod store_report;

pub(crate) use args::ExplainArgs;
pub(crate) use command::explain;
