//! The shared reader of query strings.

pub(crate) use api::parameters::{MAX_PARAMETERS, Pair, parse_query as parse, push_pair, shown};
