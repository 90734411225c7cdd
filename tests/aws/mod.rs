//! The AWS adapters beyond the contracts, on real servers, and the services as processes on them.

mod access;
mod dead_letters;
mod index;
mod operator;
mod permissions;
mod queue;
mod serve;
mod shares;
mod stack;
mod start;
mod store;

use std::net::SocketAddr;

use crate::support::free_port;

pub(crate) use start::variables;

/// An address of this machine that refuses connections.
fn closed_address() -> SocketAddr {
    ([127, 0, 0, 1], free_port()).into()
}
