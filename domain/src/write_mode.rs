//! The treatment of fields that a product has and a write leaves out.

use serde::{Deserialize, Serialize};

/// The treatment of fields that a product has and a write leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum WriteMode {
    /// They stay. A line is a JSON merge patch (RFC 7396), and creates the product if it does not exist.
    Merge,
    /// They are removed: a line is the whole product.
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
