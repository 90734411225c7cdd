//! The form of the records of a file: that of another system with a mapping, or Noren's own.

use domain::Fault;
use domain::input::{FIELDS, READ_ONLY_FIELDS, RawObject};

use super::cells::text;
use crate::json::field;
use crate::table::{Plan, TableMapping, TableOptions, form_of_record, other_form, recognise_record};

/// Types of schema.org that pages describe in addition to products.
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
        let plan = Plan::of_records(mapping.unwrap_or_default(), options.currency);
        Some(Self { plan, given: options.columns.clone() })
    }

    /// Returns the fault of a record that is certainly in another form. One that may be in this form is read in it.
    pub(super) fn fault_of_another(&self, record: &RawObject<'_>) -> Option<Fault> {
        let mapping = self.mapping();
        let has = |name: &str| record.0.iter().any(|(key, _)| key == name);
        if mapping.recognise.is_empty() || mapping.recognise.iter().all(|field| has(field)) {
            return None;
        }
        let is_of_noren = || {
            let is_known = |key: &str| FIELDS.contains(&key) || READ_ONLY_FIELDS.contains(&key);
            mapping.unless.is_empty()
                && has("id")
                && has("name")
                && record.0.iter().all(|(key, _)| is_known(key))
        };
        let other = form_of_record(has).or_else(|| is_of_noren().then_some("Noren's own JSON"))?;
        Some(other_form(other, &mapping.title))
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
