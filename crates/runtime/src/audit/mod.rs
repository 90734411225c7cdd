//! The audit log: who changed what, when and from where.
//!
//! Each request of a route with scope `write` or `admin` that changes something writes one entry before its response is sent, also if it
//! was refused; so does a refused read of such a route. [`record`] knows the action, the caller and the status. A handler adds what
//! only it knows by an [`Entry`] in the extensions of its response, and writes further entries, such as one for each line of
//! a bulk request, by the [`Trail`] of its request.
//!
//! An entry is an event of the target [`TARGET`], which telemetry writes as one line of JSON whatever `RUST_LOG` says. It has neither
//! secrets nor contents of products.

mod layer;
mod trail;

use std::net::IpAddr;

use axum::Extension;
use serde::{Deserialize, Serialize};

pub(crate) use layer::record;
pub use trail::Trail;

/// The target of the events.
pub const TARGET: &str = "noren::audit";

/// The sender of a request. An import job stores it, because it writes its entries after the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Caller {
    /// The identity; `None` if the request was refused before it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// True if the identity was proved by credentials.
    #[serde(default)]
    pub has_credentials: bool,
    /// The address of the client, if the request came over a connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The id of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Caller {
    /// Returns the identity, if credentials proved it.
    pub fn owner(&self) -> Option<&str> {
        self.principal.as_deref().filter(|_| self.has_credentials)
    }
}

/// The part of an entry that only a handler knows.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// The object of the action: the id of a product, a key or a job. By default the parameter `id` of the path, or else its last
    /// parameter.
    pub id: Option<String>,
    /// The version of the product before the action, if it is known.
    pub version_before: Option<u64>,
    /// The version of the product after the action.
    pub version_after: Option<u64>,
    /// The outcome. By default `done`, `refused` or `failed`, by the status of the response.
    pub outcome: Option<&'static str>,
    /// The number of the line, for a line of a bulk request.
    pub line: Option<u64>,
    /// The lines of an import job by result.
    pub lines: Option<Lines>,
    /// Further details of the action, such as the id of the key that replaces another.
    pub detail: Option<String>,
}

/// The lines of an import job by result.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines {
    /// Products created.
    pub created: u64,
    /// Products with a new version.
    pub updated: u64,
    /// Products deleted.
    pub deleted: u64,
    /// Products that did not change.
    pub unchanged: u64,
    /// Lines with faults.
    pub rejected: u64,
}

impl Entry {
    /// Creates an entry about the object with this id.
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), ..Self::default() }
    }

    /// Returns the part of a response that adds this entry.
    pub fn attached(self) -> Extension<Self> {
        Extension(self)
    }
}

/// Writes an entry. `status` is that of the response, if there is one.
pub fn write(action: &str, caller: &Caller, status: Option<u16>, entry: &Entry) {
    let lines = entry.lines.as_ref();
    let client = caller.client.map(|client| client.to_string());
    tracing::info!(
        target: TARGET,
        action,
        id = entry.id.as_deref(),
        line = entry.line,
        version.before = entry.version_before,
        version.after = entry.version_after,
        lines.created = lines.map(|lines| lines.created),
        lines.updated = lines.map(|lines| lines.updated),
        lines.deleted = lines.map(|lines| lines.deleted),
        lines.unchanged = lines.map(|lines| lines.unchanged),
        lines.rejected = lines.map(|lines| lines.rejected),
        detail = entry.detail.as_deref(),
        outcome = entry.outcome.unwrap_or("done"),
        status,
        principal = caller.principal.as_deref(),
        client = client.as_deref(),
        request.id = caller.request_id.as_deref(),
        "audit"
    );
}

/// Returns true if entries are written.
pub fn is_on() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::INFO)
}
