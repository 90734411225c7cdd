//! Arguments that say how the columns of tables are read.

use clap::Args;
use domain::Currency;
use feeds::{Mark, TableOptions};

use crate::failure::{Context as _, Failure};
use crate::target::{currency_of_environment, language_of_environment};

/// Options for the columns of tables.
#[derive(Debug, Args)]
pub struct TableArgs {
    /// A mapping file, or one column and its field: `title=name`; may be repeated
    #[arg(long, value_name = "FILE|COLUMN=FIELD")]
    pub map: Vec<String>,
    /// Read `1.299` as 1299, and `1,299` as a number with three decimals
    #[arg(long, conflicts_with = "decimal_point")]
    pub decimal_comma: bool,
    /// Read `1,299` as 1299, and `1.299` as a number with three decimals
    #[arg(long)]
    pub decimal_point: bool,
    /// Character set of the files, such as windows-1251 or shift_jis [default: UTF-8, UTF-16 or Windows-1252, by content]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,
}

impl TableArgs {
    /// Returns the options, and reads the mapping files. The language, and the currency unless given, come from the environment.
    ///
    /// # Errors
    /// If a file cannot be read or is no mapping.
    pub(super) fn options(&self, currency: Option<Currency>) -> Result<TableOptions, Failure> {
        let mut options = TableOptions::default();
        options.language = Some(language_of_environment()?);
        options.currency = Some(currency.map_or_else(currency_of_environment, Ok)?);
        options.mark = match (self.decimal_comma, self.decimal_point) {
            (true, _) => Some(Mark::Comma),
            (_, true) => Some(Mark::Point),
            _ => None,
        };
        if let Some(name) = &self.encoding {
            options.set_encoding(name).map_err(|fault| Failure::usage(format!("--encoding: {fault}")))?;
        }
        for map in &self.map {
            match map.rsplit_once('=') {
                Some((column, field)) => options.map_column(column, field),
                None => {
                    let text =
                        std::fs::read_to_string(map).context(|| format!("reading the mapping {map}"))?;
                    options.set_mapping(&text).map_err(|fault| Failure::usage(format!("{map}: {fault}")))?;
                }
            }
        }
        Ok(options)
    }
}
