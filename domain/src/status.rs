//! The visibility of a product.

use serde::{Deserialize, Serialize};

/// The visibility of a product. Search finds active products only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    /// On sale: found by search.
    #[default]
    Active,
    /// Not on sale yet: stored, not found by search.
    Draft,
    /// No longer on sale: stored, not found by search.
    Archived,
}

impl Status {
    /// All statuses with their names in JSON.
    pub const ALL: [(&'static str, Self); 3] =
        [("active", Self::Active), ("draft", Self::Draft), ("archived", Self::Archived)];

    /// Parses the name of a status.
    ///
    /// # Errors
    /// Returns a message that follows the name of the field: `must be …`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let named = Self::ALL.iter().find(|(name, _)| *name == text);
        named.map(|(_, status)| *status).ok_or_else(|| "must be `active`, `draft` or `archived`".to_owned())
    }
}
