//! The JSON that services write and the command line reads.
//!
//! Each type is serialized by a service and deserialized by the command line, so that both agree on every name.

pub mod dead_letters;
pub mod explain;
pub mod facets;
pub mod health;
pub mod imports;
pub mod keys;
pub mod reindex;
pub mod search;
pub mod suggest;
pub mod verify;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The last event of a streamed response that failed. Its absence at the end means that the connection broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Failed {
    /// The error with its causes.
    pub detail: String,
}

#[expect(clippy::ptr_arg, reason = "serde passes a reference to the field")]
fn is_empty<T: Clone>(list: &Cow<'_, [T]>) -> bool {
    list.is_empty()
}
