//! The form of the records of a file: that of another system with a mapping, or Noren's own.

use domain::input::RawObject;

use super::cells::text;
use crate::json::field;
use crate::table::{Plan, TableMapping, TableOptions, recognise_record};

/// Types of schema.org that pages describe beside products.
const OTHER_TYPES: [&str; 14] = [
    "BreadcrumbList",
    "WebSite",
    "WebPage",
    "Organization",
    "OnlineStore",
    "LocalBusiness",
    "Store",
    "Person",
    "ImageObject",
    "SearchAction",
    "FAQPage",
    "Article",
    "BlogPosting",
    "CollectionPage",
];

/// The form of foreign records.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) plan: Plan,
    /// Fields with the names of their roles, from the command line.
    pub(super) given: Vec<(String, String)>,
}

impl Form {
    /// Chooses the form by the first record of a file. `None` if its records are those of Noren.
    pub(super) fn of(first: &RawObject<'_>, options: &TableOptions) -> Option<Self> {
        let has = |name: &str| first.0.iter().any(|(key, _)| key == name);
        let mapping = options.mapping.clone().or_else(|| recognise_record(has));
        if mapping.is_none() && options.columns.is_empty() {
            return None;
        }
        let plan = Plan::of_records(mapping.unwrap_or_default());
        Some(Self { plan, given: options.columns.clone() })
    }

    pub(super) fn mapping(&self) -> &TableMapping {
        &self.plan.mapping
    }
}

/// Returns the type of a record of schema.org that is no product.
pub(super) fn other_type(record: &RawObject<'_>) -> Option<&'static str> {
    let kind = field(record, &["@type"]).and_then(text)?;
    let kind = kind.rsplit('/').next().unwrap_or(&kind);
    OTHER_TYPES.into_iter().find(|other| *other == kind)
}
