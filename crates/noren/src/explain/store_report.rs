//! The product in the store, and its changes on the way to the index.

use api::wire::health::{Backlog, Readiness};
use domain::ports::DeadLetter;
use domain::{Status, Version};
use reqwest::StatusCode;
use serde::{Deserialize, Serialize};

use crate::client::{Api, read_json};
use crate::failure::Failure;

/// The product in the store.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase", untagged)]
pub(super) enum StoredProduct {
    Product(ProductSummary),
    /// There is no such product; `found` is false.
    None {
        found: bool,
    },
    /// The write service did not report it.
    Unknown {
        error: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ProductSummary {
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) status: Status,
}

impl StoredProduct {
    /// Reads the product from the write service.
    pub(super) async fn read(writes: &dyn Api, id: &str) -> Self {
        let read = async || -> Result<Self, Failure> {
            let response = writes.get(&format!("/products/{id}"), &[]).await?;
            if response.status == StatusCode::NOT_FOUND {
                return Ok(Self::None { found: false });
            }
            Ok(Self::Product(read_json(&response.success()?, "the product")?))
        };
        read().await.unwrap_or_else(|failure| Self::Unknown { error: failure.to_string() })
    }
}

/// Reads the backlog, or returns `None` if the write service does not report it.
pub(super) async fn read_backlog(writes: &dyn Api) -> Option<Backlog> {
    // A service that is not ready reports its backlog as well.
    let response = writes.get("/health/ready", &[]).await.ok()?;
    serde_json::from_slice::<Readiness>(&response.body).ok()?.backlog
}

/// A change of the product that could not be indexed.
#[derive(Debug, Serialize)]
pub(super) struct FailedChange {
    pub(super) version: Version,
    pub(super) reason: String,
    pub(super) receives: u32,
    pub(super) at: String,
}

/// Returns the dead letters of a product. Those without a version, reason or time, which SQS itself moves after crashes, are left
/// out.
pub(super) fn dead_letters_of(letters: Vec<DeadLetter>, id: &str) -> Vec<FailedChange> {
    let own = letters.into_iter().filter(|letter| letter.id.as_ref().is_some_and(|own| own.as_str() == id));
    let change = |DeadLetter { version, reason, receives, dead_lettered_at, .. }| {
        Some(FailedChange { version: version?, reason: reason?, receives, at: dead_lettered_at?.to_string() })
    };
    own.filter_map(change).collect()
}
