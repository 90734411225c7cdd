//! The response of `/health/ready`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use runtime::health::{Backlog, OutboxBacklog};

/// The readiness of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Readiness {
    /// Each part with `ready` or the error that keeps it from being ready.
    #[serde(default)]
    pub parts: BTreeMap<String, String>,
    /// The changes that are not indexed yet; absent if the service has no queue or the queue does not respond.
    #[serde(default)]
    pub backlog: Option<Backlog>,
}
