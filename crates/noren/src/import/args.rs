//! The arguments of `noren import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use domain::{Currency, MaxDelete};
use feeds::Format;

use super::table_args::TableArgs;
use crate::label_arg::parse_label_arg;
use crate::target::Target;

/// `noren import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren import products.ndjson.gz             into the service at http://127.0.0.1:8080
  noren import --data-dir ./data a.csv b.csv  into a folder, without a service
  noren import --dry-run products.csv         validate only
  zcat products.gz | noren import -           from standard input
  noren import --map title=name shop.csv      a column with another name
  noren import --replace shop.csv             rows are whole products
  noren import --sync --source erp erp.csv    and delete what the file lacks
  noren import --demo                         2,000 sample products, instead of files

Reads JSON (one product per line, a list, or an answer of an API), CSV whose first row names the fields, .xlsx, or feeds in XML. Exports of \
Shopify, WooCommerce, Magento 2, BigCommerce, Akeneo, Amazon, Google Merchant, Algolia and schema.org are recognised. \
Tables (CSV, XML, .xlsx) are merged: what they have no column for stays, and an empty cell clears its field. JSON replaces products. \
Importing the same file again changes nothing. A product with a fault is written to NAME.rejects.ndjson or NAME.rejects.csv in the working directory, with its faults; the \
import continues. docs/IMPORT.md describes how fields of other catalogues are mapped. Exit code: 0 all products accepted, 1 \
some rejected or the import failed, 2 wrong arguments.")]
pub struct ImportArgs {
    /// Files of products, optionally gzipped or zipped; `-` is standard input
    #[arg(required_unless_present_any = ["demo", "show_mapping"], value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Import the 2,000 sample products of `noren serve --demo` instead of files; products with the same ids are replaced
    #[arg(long, conflicts_with_all = ["files", "format", "currency", "rejects"])]
    pub demo: bool,
    #[command(flatten)]
    pub target: Target,
    /// Validate everything and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Format of the files, if neither name nor content tells
    #[arg(long)]
    pub format: Option<FormatArg>,
    #[command(flatten)]
    pub table: TableArgs,
    /// Keep what a product has and the file leaves out; the default for tables
    #[arg(long, conflicts_with_all = ["replace", "demo"])]
    pub merge: bool,
    /// Remove what a product has and the file leaves out; the default for JSON
    #[arg(long, conflicts_with = "demo")]
    pub replace: bool,
    /// Name the source of the products: it is stored with them, for --sync and `noren delete --source`
    #[arg(long, value_name = "NAME", value_parser = parse_label_arg)]
    pub source: Option<String>,
    /// Delete the products that the files do not have: of the --source, or without one of the whole catalogue
    #[arg(long, conflicts_with = "demo")]
    pub sync: bool,
    /// The most products that --sync may delete, as a number or a percentage; above it, nothing is changed
    #[arg(long, value_name = "MAX", default_value = "20%", requires = "sync")]
    pub max_delete: MaxDelete,
    /// Print the column mapping of a format: shopify, woocommerce, magento, google, bigcommerce, bigcommerce-v3,
    /// bigcommerce-bulk-edit, akeneo, amazon, amazon-listings, shopify-json, schema-org, algolia or search-records
    #[arg(long, value_name = "NAME", exclusive = true)]
    pub show_mapping: Option<String>,
    /// Currency of prices without one [default: that of the catalogue]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// File for rejected products; only with a single FILE
    #[arg(long, value_name = "PATH")]
    pub rejects: Option<PathBuf>,
}

/// The format of a file of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// JSON: one object per line, objects in any layout, or a list
    Ndjson,
    /// The same
    Json,
    /// Separated by commas, semicolons or tabs, with field names in the first row
    Csv,
    /// The same
    Tsv,
    /// A feed in XML
    Xml,
    /// A spreadsheet
    Xlsx,
}

impl From<FormatArg> for Format {
    fn from(format: FormatArg) -> Self {
        match format {
            FormatArg::Ndjson | FormatArg::Json => Self::Ndjson,
            // Tables; XML and spreadsheets are recognised among them by their content.
            FormatArg::Csv | FormatArg::Tsv | FormatArg::Xml | FormatArg::Xlsx => Self::Csv,
        }
    }
}
