//! The meaning of the columns of a file, which is decided before its products are read.

use domain::Currency;
use domain::input::{FIELDS, READ_ONLY_FIELDS};

use super::column_names::is_same;
use super::localized::Localized;
use super::mapping_file::TableMapping;
use super::numbers::{Evidence, Mark};
use super::options::TableOptions;
use super::role::{Role, is_code_name};
use super::survey::ColumnStats;
use crate::columns::{REJECTS_PREFIX, is_cost_name};
use crate::day::day;
use crate::publication::{Meaning, meaning_of};

/// A column with its meaning.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The decimal mark of its numbers, for those that can be read in two ways.
    pub(crate) mark: Option<Mark>,
    /// True if all cells are flags such as `TRUE`.
    pub(crate) is_flag: bool,
    /// The currency of its prices, from the name of the column.
    pub(crate) currency: Option<Currency>,
    /// Separates the elements of a list.
    pub(crate) separator: String,
}

/// The meaning of all columns.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) mapping: TableMapping,
    pub(crate) columns: Vec<Column>,
    /// Today as `2026-11-28`, to which the days of a sale are compared.
    pub(crate) today: String,
    /// Currency of the catalogue, if it is known.
    pub(crate) currency: Option<Currency>,
    pub(crate) warnings: Vec<String>,
}

/// Columns that hold the name if no column is called `name`.
const NAME_COLUMNS: [&str; 4] = ["title", "product_name", "product_title", "item_name"];

impl Plan {
    /// Decides the meaning of each column.
    ///
    /// # Errors
    /// Names a given role that does not exist, or a given column that the file does not have.
    pub(crate) fn new(
        mapping: TableMapping,
        header: &[String],
        stats: &[ColumnStats],
        options: &TableOptions,
    ) -> Result<Self, String> {
        let given = &options.columns;
        let localized = mapping.localized.then(|| Localized::new(header, options));
        let mut columns = Vec::with_capacity(header.len());
        for (name, stats) in header.iter().zip(stats) {
            let by_locale = localized.as_ref().and_then(|localized| localized.role(name, &mapping));
            let (by_locale, currency) =
                by_locale.map_or((None, None), |(role, currency)| (Some(role), currency));
            let role = match given.iter().find(|(column, _)| column.eq_ignore_ascii_case(name)) {
                Some((_, role)) => Role::parse(role, "").ok_or_else(|| {
                    format!("--map {name}={role}: `{role}` is no field; docs/IMPORT.md lists them")
                })?,
                None => {
                    by_locale.or_else(|| mapping.role_of(name)).unwrap_or_else(|| usual_role(name, stats))
                }
            };
            columns.push(Column {
                name: name.clone(),
                role,
                mark: None,
                currency,
                is_flag: stats.is_flag(),
                separator: separator(&mapping, stats),
            });
        }
        if let Some((column, _)) =
            given.iter().find(|(column, _)| !header.iter().any(|name| name.eq_ignore_ascii_case(column)))
        {
            return Err(format!("--map {column}=…: the file has no column `{column}`"));
        }
        stand_in(&mut columns, Role::Text("name"), &NAME_COLUMNS);
        stand_in(&mut columns, Role::Price, &["regular_price"]);
        if options.mapping.is_some()
            && !mapping.columns.is_empty()
            && !header.iter().any(|name| mapping.names(name))
        {
            return Err(format!(
                "the file has no column of the mapping `{}`; leave out --map, or name the columns of the file in it",
                mapping.title
            ));
        }
        choose_marks(&mut columns, stats, options.mark);
        let warnings = localized.and_then(|localized| localized.warning).into_iter().collect();
        Ok(Self { mapping, columns, today: today(), currency: options.currency, warnings })
    }

    /// Creates the plan of JSON records, which have no columns.
    pub(crate) fn of_records(mapping: TableMapping, currency: Option<Currency>) -> Self {
        Self { mapping, columns: Vec::new(), today: today(), currency, warnings: Vec::new() }
    }

    /// Returns true if a column has this role.
    pub(crate) fn has(&self, is_role: impl Fn(&Role) -> bool) -> bool {
        self.columns.iter().any(|column| is_role(&column.role))
    }
}

fn today() -> String {
    jiff::Timestamp::now().to_string().chars().take(10).collect()
}

fn separator(mapping: &TableMapping, stats: &ColumnStats) -> String {
    match &mapping.list_separator {
        Some(separator) => separator.clone(),
        None => if stats.has_pipe || !stats.has_comma { "|" } else { "," }.to_owned(),
    }
}

/// Chooses the decimal mark of each column: `forced`, else that of its numbers, else that of all numbers of the file.
fn choose_marks(columns: &mut [Column], stats: &[ColumnStats], forced: Option<Mark>) {
    let mut file = Evidence::default();
    for (_, stats) in columns.iter().zip(stats).filter(|(column, _)| column.role.is_number()) {
        file.join(stats.evidence);
    }
    for (column, stats) in columns.iter_mut().zip(stats) {
        let own = if stats.evidence.is_empty() { file } else { stats.evidence };
        column.mark = forced.or(own.mark());
    }
}

/// Returns true if the column says whether products are public. Its name does not suffice: the year of a book is also `published`.
fn is_publication(name: &str, stats: &ColumnStats) -> bool {
    match meaning_of(name) {
        Some(Meaning::Public | Meaning::Withdrawn(_)) => stats.is_publication(),
        Some(Meaning::Word) => stats.is_publication_word(),
        Some(Meaning::DeletedAt) => day(&stats.example).is_some(),
        Some(Meaning::PublishedAt) | None => false,
    }
}

/// Gives a role that no column has to the first column with one of these names that would be an attribute.
fn stand_in(columns: &mut [Column], role: Role, names: &[&str]) {
    if columns.iter().any(|column| column.role == role) {
        return;
    }
    let fits = |column: &&mut Column| {
        matches!(column.role, Role::Attribute(_)) && names.iter().any(|name| is_same(&column.name, name))
    };
    if let Some(column) = columns.iter_mut().find(fits) {
        column.role = role;
    }
}

fn is_currency_name(lower: &str) -> bool {
    let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    ["currencyid", "currencycode", "pricecurrency"].contains(&letters.as_str())
}

/// Returns the role of a column that no mapping names.
fn usual_role(name: &str, stats: &ColumnStats) -> Role {
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "tags" => Role::List("tags"),
        "categories" => Role::List("categories"),
        "category" => Role::Text("category"),
        "images" => Role::Images,
        "price" => Role::Price,
        "sale_price" | "special_price" => Role::SalePrice,
        "compare_at_price" => Role::CompareAtPrice,
        "stock" => Role::Stock,
        "attributes" | "" => Role::Ignored,
        "availability" | "available" | "is_available" | "in_stock" | "instock" | "is_in_stock"
            if stats.is_availability() =>
        {
            Role::Availability
        }
        _ if stats.is_currency() && is_currency_name(&lower) => Role::Text("currency"),
        _ if is_cost_name(name) => Role::Ignored,
        _ if lower.starts_with(REJECTS_PREFIX) => Role::Ignored,
        _ if READ_ONLY_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name)) => Role::Ignored,
        _ if is_publication(name, stats) => Role::Publication,
        _ => match FIELDS.iter().find(|field| **field == lower) {
            // A column of that name is about the goods; an option of the import names the source of its products.
            Some(field) if *field != "source" => Role::Text(field),
            _ if is_code_name(name) => Role::Attribute(lower),
            _ => Role::Attribute(name.strip_prefix("attributes.").unwrap_or(name).to_owned()),
        },
    }
}
