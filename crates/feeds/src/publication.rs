//! Fields that say whether a product is public, under the names that catalogues have for them.

use crate::day::day;

/// The meaning of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A flag or a word: `published`, `visibility`.
    Public,
    /// A flag that takes a product out of the shop: `hidden`. It gets this status.
    Withdrawn(&'static str),
    /// A word, because flags would mean something else: `state`.
    Word,
    /// The time of the publication; null for a draft.
    PublishedAt,
    /// The time of the deletion.
    DeletedAt,
}

/// The statement of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Statement {
    /// The product has this status.
    Status(&'static str),
    /// The product was not withdrawn, which does not make a draft public.
    Nothing,
}

impl Statement {
    pub(crate) fn status(self) -> Option<&'static str> {
        match self {
            Self::Status(status) => Some(status),
            Self::Nothing => None,
        }
    }
}

/// Names without letter case, spaces and signs.
const NAMES: [(&str, Meaning); 54] = [
    ("published", Meaning::Public),
    ("ispublished", Meaning::Public),
    ("publishedononlinestore", Meaning::Public),
    ("publishedonlinestore", Meaning::Public),
    ("enabled", Meaning::Public),
    ("isenabled", Meaning::Public),
    ("visible", Meaning::Public),
    ("isvisible", Meaning::Public),
    ("productvisible", Meaning::Public),
    ("visibility", Meaning::Public),
    ("productvisibility", Meaning::Public),
    ("visibilityincatalog", Meaning::Public),
    ("productonline", Meaning::Public),
    ("online", Meaning::Public),
    ("isonline", Meaning::Public),
    ("active", Meaning::Public),
    ("isactive", Meaning::Public),
    ("productactive", Meaning::Public),
    // Shop systems name their columns in the language of the shop.
    ("veröffentlicht", Meaning::Public),
    ("sichtbar", Meaning::Public),
    ("aktiv", Meaning::Public),
    ("publié", Meaning::Public),
    ("visibilité", Meaning::Public),
    ("publicado", Meaning::Public),
    ("pubblicato", Meaning::Public),
    ("gepubliceerd", Meaning::Public),
    ("publicerad", Meaning::Public),
    ("opublikowany", Meaning::Public),
    ("hidden", Meaning::Withdrawn("draft")),
    ("ishidden", Meaning::Withdrawn("draft")),
    ("disabled", Meaning::Withdrawn("draft")),
    ("isdisabled", Meaning::Withdrawn("draft")),
    ("inactive", Meaning::Withdrawn("draft")),
    ("isinactive", Meaning::Withdrawn("draft")),
    ("unpublished", Meaning::Withdrawn("draft")),
    ("draft", Meaning::Withdrawn("draft")),
    ("isdraft", Meaning::Withdrawn("draft")),
    ("deleted", Meaning::Withdrawn("archived")),
    ("isdeleted", Meaning::Withdrawn("archived")),
    ("archived", Meaning::Withdrawn("archived")),
    ("isarchived", Meaning::Withdrawn("archived")),
    ("trashed", Meaning::Withdrawn("archived")),
    ("discontinued", Meaning::Withdrawn("archived")),
    ("isdiscontinued", Meaning::Withdrawn("archived")),
    ("state", Meaning::Word),
    ("productstate", Meaning::Word),
    ("productstatus", Meaning::Word),
    ("publishstatus", Meaning::Word),
    ("publicationstatus", Meaning::Word),
    ("poststatus", Meaning::Word),
    ("itemstatus", Meaning::Word),
    ("publishedat", Meaning::PublishedAt),
    ("deletedat", Meaning::DeletedAt),
    ("archivedat", Meaning::DeletedAt),
];

/// Returns the meaning of a field, if it says whether a product is public.
pub(crate) fn meaning_of(name: &str) -> Option<Meaning> {
    let letters: String = name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect();
    NAMES.iter().find(|(name, _)| *name == letters).map(|(_, meaning)| *meaning)
}

/// Returns the statement that a value makes, if any. A missing JSON value is the text `null`.
pub(crate) fn statement(meaning: Meaning, value: &str) -> Option<Statement> {
    let of_words = |value: &str| status_of(value).map(Statement::Status);
    match meaning {
        Meaning::Public => of_words(value),
        Meaning::Word => is_word(value).then(|| of_words(value))?,
        Meaning::Withdrawn(status) => match status_of(value)? {
            "active" if !is_word(value) => Some(Statement::Status(status)),
            "draft" if !is_word(value) => Some(Statement::Nothing),
            status => Some(Statement::Status(status)),
        },
        Meaning::PublishedAt => (value == "null").then_some(Statement::Status("draft")),
        Meaning::DeletedAt => day(value).map(|_| Statement::Status("archived")),
    }
}

/// Returns true for words such as `hidden`, and false for flags such as `no` and `TRUE`.
pub(crate) fn is_word(value: &str) -> bool {
    value.len() > 3 && !["true", "false"].iter().any(|flag| flag.eq_ignore_ascii_case(value))
}

/// Returns the status that a flag or word usually stands for.
pub(crate) fn status_of(value: &str) -> Option<&'static str> {
    Some(match value.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "y" | "on" | "active" | "published" | "publish" | "visible" | "enabled"
        | "public" | "online" | "live" | "both" | "catalog" | "search" | "catalog, search" => "active",
        "0" | "-1" | "false" | "no" | "n" | "off" | "draft" | "private" | "pending" | "hidden"
        | "disabled" | "inactive" | "unpublished" | "invisible" | "offline" | "suspended" | "paused"
        | "not published" | "not active" | "not enabled" => "draft",
        "archived" | "discontinued" | "trash" | "deleted" => "archived",
        value if value.starts_with("not visible") => "draft",
        _ => return None,
    })
}

/// Returns a number that is higher if a status publishes less.
pub(crate) fn strictness(status: Option<&str>) -> u8 {
    match status {
        None => 0,
        Some("active") => 1,
        Some("draft") => 2,
        Some(_) => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_says_whether_a_product_is_public() {
        let says = |name: &str, value: &str| meaning_of(name).and_then(|meaning| statement(meaning, value));
        let status = |status| Some(Statement::Status(status));
        for (name, value, expected) in [
            ("Is Visible", "FALSE", status("draft")),
            ("visibility", "Not Visible Individually", status("draft")),
            ("visibility", "catalog", status("active")),
            ("published", "1998", None),
            ("hidden", "TRUE", status("draft")),
            ("hidden", "0", Some(Statement::Nothing)),
            ("hidden", "visible", status("active")),
            ("deleted", "yes", status("archived")),
            ("State", "disabled", status("draft")),
            ("State", "no", None),
            ("State", "ON", None),
            ("publishedAt", "null", status("draft")),
            ("publishedAt", "2026-01-01", None),
            ("deleted_at", "2026-01-01T00:00:00Z", status("archived")),
            ("colour", "hidden", None),
        ] {
            assert_eq!(says(name, value), expected, "{name}={value}");
        }
    }
}
