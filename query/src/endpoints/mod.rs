//! The endpoints under `/products`, one file each.

pub(crate) mod explain;
pub(crate) mod facets;
pub(crate) mod search;
pub(crate) mod similar;
pub(crate) mod suggest;
