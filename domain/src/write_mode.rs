//! How a write treats what a product has and the request leaves out.

use serde::{Deserialize, Serialize};

/// How a write treats what a product has and the request leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WriteMode {
    /// It stays. A line is a JSON merge patch (RFC 7396), and creates the product if it does not exist.
    Merge,
    /// It is removed: a line is the whole product.
    Replace,
}

impl WriteMode {
    /// Parses the name of a mode.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "merge" => Some(Self::Merge),
            "replace" => Some(Self::Replace),
            _ => None,
        }
    }
}
