//! `noren delete`: products by their ids, or a selection.

mod args;
mod command;
mod deletion;

pub(crate) use args::DeleteArgs;
pub(crate) use command::run;
pub(crate) use deletion::{Deleted, Deletion};
