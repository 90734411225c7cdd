//! Column mappings of export formats, as TOML files.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use domain::{Fault, FaultKind};
use serde::Deserialize;

use super::column_names::{is_same, position};
use super::role::Role;
use crate::publication::{Meaning, Statement, meaning_of, statement};

/// The mapping of the columns of one export format.
#[derive(Debug, Clone, Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct TableMapping {
    /// The name of the format, for people.
    pub(crate) title: String,
    /// The columns that a file of this format has. Names of one column are separated by `|`.
    pub(crate) recognise: Vec<String>,
    /// Fields that a record of this format does not have.
    pub(crate) unless: Vec<String>,
    /// The field of a JSON record that lists its variants.
    pub(crate) variants: Option<String>,
    /// The field of a JSON record that names the group of its variants.
    pub(crate) group_field: Option<String>,
    /// The relation between rows.
    pub(crate) grouping: Grouping,
    /// The columns that tell which rows belong together, by the names that the grouping has for them. Names of one column are separated
    /// by `|`.
    pub(crate) keys: BTreeMap<String, String>,
    /// Separates the elements of tags and images.
    pub(crate) list_separator: Option<String>,
    /// Separates the levels of a category path.
    pub(crate) level_separator: Option<String>,
    /// Separates several category paths in one cell.
    pub(crate) path_separator: Option<String>,
    /// The first level of every category path, which is left out.
    pub(crate) category_root: Option<String>,
    /// Prefix of image paths that are no addresses.
    pub(crate) image_prefix: Option<String>,
    /// True if names of columns carry a locale, a channel or a currency: `name-en_US`.
    pub(crate) localized: bool,
    /// True if `\,` is a comma that separates nothing, and `\n` a line break of a description.
    pub(crate) backslash_escapes: bool,
    /// True if a product without an id has its sku as id.
    pub(crate) id_is_sku: bool,
    /// The role of each column. A `*` in a name stands for any text.
    pub(crate) columns: BTreeMap<String, String>,
    /// The status that each value of a publication column stands for.
    pub(crate) status: BTreeMap<String, BTreeMap<String, String>>,
}

/// The relation between rows of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Grouping {
    /// Each row is a product.
    #[default]
    None,
    Shopify,
    Woocommerce,
    Magento,
    Amazon,
    Bigcommerce,
}

/// The values of a status.
const STATUSES: [&str; 3] = ["active", "draft", "archived"];

/// The mappings that are part of the program, by name.
const EMBEDDED: [(&str, &str); 10] = [
    ("shopify", include_str!("../../mappings/shopify.toml")),
    ("woocommerce", include_str!("../../mappings/woocommerce.toml")),
    ("magento", include_str!("../../mappings/magento.toml")),
    ("google", include_str!("../../mappings/google.toml")),
    ("bigcommerce", include_str!("../../mappings/bigcommerce.toml")),
    ("bigcommerce-v3", include_str!("../../mappings/bigcommerce-v3.toml")),
    ("bigcommerce-bulk-edit", include_str!("../../mappings/bigcommerce-bulk-edit.toml")),
    ("amazon-listings", include_str!("../../mappings/amazon-listings.toml")),
    ("akeneo", include_str!("../../mappings/akeneo.toml")),
    ("amazon", include_str!("../../mappings/amazon.toml")),
];

/// The mappings of the fields of JSON records, by name.
const DOCUMENTS: [(&str, &str); 4] = [
    ("shopify-json", include_str!("../../mappings/shopify-json.toml")),
    ("schema-org", include_str!("../../mappings/schema-org.toml")),
    ("algolia", include_str!("../../mappings/algolia.toml")),
    ("search-records", include_str!("../../mappings/search-records.toml")),
];

/// Returns the TOML of an embedded mapping.
///
/// # Errors
/// Names the embedded mappings if there is none with this name.
pub fn embedded_mapping(name: &str) -> Result<&'static str, String> {
    let all = || EMBEDDED.iter().chain(&DOCUMENTS);
    let found = all().find(|(known, _)| *known == name).map(|(_, text)| *text);
    let names = || all().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("there is no mapping `{name}`; the mappings are {}", names()))
}

/// Parses and checks a mapping file.
///
/// # Errors
/// Names the line or the column that is wrong.
pub(crate) fn parse_mapping(text: &str) -> Result<TableMapping, String> {
    let mapping: TableMapping = toml::from_str(text).map_err(|error| error.to_string())?;
    for (column, role) in &mapping.columns {
        if Role::parse(role, "").is_none() {
            return Err(format!("columns.\"{column}\": `{role}` is no field; docs/IMPORT.md lists them"));
        }
    }
    for (value, status) in mapping.status.values().flatten() {
        if !STATUSES.contains(&status.as_str()) {
            return Err(format!("status of \"{value}\": `{status}` must be active, draft or archived"));
        }
    }
    Ok(mapping)
}

/// Returns the embedded mapping that recognises this header; of several, the one that requires most columns.
pub(crate) fn recognise(header: &[String]) -> Option<TableMapping> {
    let has = |names: &String| position(header, names).is_some();
    EMBEDDED
        .iter()
        // The tests parse every embedded mapping.
        .filter_map(|(_, text)| parse_mapping(text).ok())
        .filter(|mapping| !mapping.recognise.is_empty() && mapping.recognise.iter().all(has))
        .max_by_key(|mapping| mapping.recognise.len())
}

/// The mappings of the fields of JSON records. The tests parse each of them.
static DOCUMENT_MAPPINGS: LazyLock<Vec<TableMapping>> =
    LazyLock::new(|| DOCUMENTS.iter().filter_map(|(_, text)| parse_mapping(text).ok()).collect());

/// Returns the mapping whose fields a JSON record has; of several, the one that demands most fields.
pub(crate) fn recognise_record(has: impl Fn(&str) -> bool) -> Option<TableMapping> {
    let fits = |mapping: &&TableMapping| {
        mapping.recognise.iter().all(|field| has(field)) && !mapping.unless.iter().any(|field| has(field))
    };
    DOCUMENT_MAPPINGS.iter().filter(fits).max_by_key(|mapping| mapping.recognise.len()).cloned()
}

/// Returns the fault of a record in another form than the first of its file.
pub(crate) fn other_form(form: &str, first: &str) -> Fault {
    let message = format!(
        "is a record of {form}, unlike the first of the file, which is {first}; import it from a file of its own"
    );
    Fault::new("", FaultKind::Unknown, message)
}

/// Returns the name of the form of a JSON record, if its fields leave no doubt.
pub(crate) fn form_of_record(has: impl Fn(&str) -> bool) -> Option<&'static str> {
    let fits = |mapping: &&TableMapping| {
        mapping.unless.is_empty() && mapping.recognise.iter().all(|field| has(field))
    };
    DOCUMENT_MAPPINGS.iter().find(fits).map(|mapping| mapping.title.as_str())
}

impl TableMapping {
    /// Returns the role that the mapping gives to a column.
    pub(crate) fn role_of(&self, column: &str) -> Option<Role> {
        let exact = self.columns.iter().find(|(name, _)| name.eq_ignore_ascii_case(column));
        let similar = || self.columns.iter().find(|(name, _)| is_same(name, column));
        if let Some((_, role)) = exact.or_else(similar) {
            return Role::parse(role, "");
        }
        let fitting = self
            .columns
            .iter()
            .filter_map(|(pattern, role)| Some((pattern, role, star_of(pattern, column)?)));
        // The longest pattern says most about the column.
        let (_, role, star) = fitting.max_by_key(|(pattern, ..)| pattern.len())?;
        Role::parse(role, star)
    }

    /// Returns true if the mapping names a column itself, not only by a pattern.
    pub(crate) fn names(&self, column: &str) -> bool {
        self.columns.keys().any(|name| is_same(name, column))
    }

    /// Returns the statement of a value of a publication column.
    pub(crate) fn statement(&self, column: &str, value: &str) -> Option<Statement> {
        let own = self.status.iter().find(|(name, _)| is_same(name, column));
        let own =
            own.and_then(|(_, values)| values.iter().find(|(known, _)| known.eq_ignore_ascii_case(value)));
        let own = own.and_then(|(_, status)| STATUSES.into_iter().find(|known| known == status));
        let usual = || statement(meaning_of(column).unwrap_or(Meaning::Public), value);
        own.map(Statement::Status).or_else(usual)
    }
}

/// Returns the text at the `*` of a pattern that fits a name. Letter case is ignored.
fn star_of<'a>(pattern: &str, name: &'a str) -> Option<&'a str> {
    let (before, after) = pattern.split_once('*')?;
    let end = name.len().checked_sub(after.len())?;
    let star = name.get(before.len()..end)?;
    (name.get(..before.len())?.eq_ignore_ascii_case(before) && name.get(end..)?.eq_ignore_ascii_case(after))
        .then_some(star)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_mapping_is_valid_and_recognised_by_its_own_columns() {
        for (name, text) in EMBEDDED {
            let mapping = parse_mapping(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!mapping.title.is_empty() && !mapping.recognise.is_empty(), "{name}");
            for at in [0, 1] {
                let column = |names: &String| names.split('|').nth(at).unwrap_or(names).to_owned();
                let columns: Vec<String> = mapping.recognise.iter().map(column).collect();
                assert_eq!(
                    recognise(&columns).map(|found| found.title).as_ref(),
                    Some(&mapping.title),
                    "{name}"
                );
            }
        }
        for (name, text) in DOCUMENTS {
            let mapping = parse_mapping(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = recognise_record(|field| mapping.recognise.iter().any(|known| known == field));
            assert_eq!(found.map(|found| found.title), Some(mapping.title), "{name}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        assert_eq!(star_of("Attribute * name", "attribute 12 Name"), Some("12"));
        assert_eq!(star_of("Meta: *", "Meta: x"), Some("x"));
        assert_eq!(star_of("Attribute * name", "Attribute name"), None);
    }

    #[test]
    fn a_mapping_with_an_unknown_field_is_refused() {
        let error = parse_mapping("[columns]\ncost = \"prise\"").unwrap_err();
        assert!(error.contains("cost") && error.contains("prise"), "{error}");
        assert!(parse_mapping("colums = 1").unwrap_err().contains("colums"));
    }
}
