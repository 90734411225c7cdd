//! The arguments of `noren delete`.

use clap::Args;
use clap::builder::TypedValueParser as _;
use domain::{CategoryPath, ProductId, Selection, Status};
use jiff::Timestamp;

use crate::label_arg::parse_label_arg;
use crate::target::Target;

/// `noren delete`.
#[derive(Debug, Args)]
#[command(
    override_usage = "noren delete [OPTIONS] <ID...|CONDITIONS|--all>",
    after_help = "\
Examples:
  noren delete lamp-1 lamp-2                   two products
  noren delete --source spring-feed --dry-run  count what came from a feed
  noren delete --source spring-feed            and delete it
  noren delete --status archived --updated-before 2026-01-01T00:00:00Z
  noren delete --category 'Home > Lamps' --brand Hikari
  noren delete --all --data-dir ./data         everything

A product must pass all conditions; of a condition that is given several times, one value suffices. Drafts and archived products \
are deleted as well. Exit code: 0 all deleted, 1 some stayed or the command failed, 2 wrong arguments."
)]
#[group(id = "selected", required = true, multiple = true, args = ["ids", "source", "category", "brand", "status", "updated_before", "all"])]
pub struct DeleteArgs {
    /// Ids of products to delete
    #[arg(value_name = "ID", conflicts_with_all = ["source", "category", "brand", "status", "updated_before", "all"])]
    pub ids: Vec<ProductId>,
    #[command(flatten)]
    pub target: Target,
    /// Delete the products of this source, which `noren import --source` names
    #[arg(long, value_name = "NAME", value_parser = parse_label_arg)]
    pub source: Vec<String>,
    /// Delete the products of this category and of those below it
    #[arg(long, value_name = "PATH", value_parser = CategoryPath::parse)]
    pub category: Vec<CategoryPath>,
    /// Delete the products of this brand, as they write it
    #[arg(long, value_name = "NAME", value_parser = parse_label_arg)]
    pub brand: Vec<String>,
    /// Delete the products of this status
    #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(["active", "draft", "archived"]).try_map(|name| Status::parse(&name)))]
    pub status: Vec<Status>,
    /// Delete the products that were written last before this time, such as 2026-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub updated_before: Option<Timestamp>,
    /// Delete every product
    #[arg(long, conflicts_with_all = ["source", "category", "brand", "status", "updated_before"])]
    pub all: bool,
    /// Count the products and delete nothing
    #[arg(long, conflicts_with = "ids")]
    pub dry_run: bool,
}

impl DeleteArgs {
    /// Returns the selection of the conditions.
    pub(super) fn selection(&self) -> Selection {
        Selection {
            sources: self.source.clone(),
            categories: self.category.clone(),
            brands: self.brand.clone(),
            statuses: self.status.clone(),
            updated_before: self.updated_before,
            ..Selection::default()
        }
    }
}
