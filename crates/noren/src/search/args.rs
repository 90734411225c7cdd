//! The arguments of `noren search`, and the search parameters that they stand for.

use clap::{Args, ValueEnum};
use domain::Currency;

use crate::target::Target;

/// `noren search`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren search green tea                              words, also with typos
  noren search --brand HP --price 100-200 laptop      filters
  noren search --facet brand --facet price --sort price_asc kettle
  noren search --attribute colour=red --attribute width=10..20
  noren search --json tea | jq .total                 for programs
  NOREN_INDEX=opensearch noren search --back-ends tea in the index itself, without a service")]
pub struct SearchArgs {
    /// Words to search for; without words, every product is found
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub filters: FilterArgs,
    /// Sort order [default: relevance]
    #[arg(long, value_enum)]
    pub sort: Option<SortArg>,
    /// Number of the page, from 1
    #[arg(long, value_name = "N")]
    pub page: Option<u32>,
    /// Products per page, at most 100 [default: 20]
    #[arg(long, value_name = "N")]
    pub page_size: Option<u32>,
    /// Count the values of this field: brand, category, tags, price or attributes.KEY
    #[arg(long, value_name = "FIELD")]
    pub facet: Vec<String>,
    /// Write the JSON of the service
    #[arg(long)]
    pub json: bool,
}

/// Filters of a search.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Only this brand; repeat for alternatives
    #[arg(long, value_name = "BRAND")]
    pub brand: Vec<String>,
    /// Only this category and its subcategories, such as `Kitchen > Kettles`; repeat for alternatives
    #[arg(long, value_name = "PATH")]
    pub category: Vec<String>,
    /// Only products with this tag; repeat for alternatives
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only prices in this range; either end may be omitted: `100-`, `-50`
    #[arg(long, value_name = "MIN-MAX", allow_hyphen_values = true)]
    pub price: Option<String>,
    /// Currency of price filter, price order and price facet [default: that of the catalogue]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Only products in stock
    #[arg(long)]
    pub in_stock: bool,
    /// Only this value of an attribute, or a range `KEY=MIN..MAX`; repeat a key for alternatives
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub attribute: Vec<(String, String)>,
}

/// The sort orders, named as in the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum SortArg {
    /// Best match first
    Relevance,
    /// Lowest price first
    PriceAsc,
    /// Highest price first
    PriceDesc,
    /// Latest creation first
    Newest,
    /// By name
    Name,
}

impl SearchArgs {
    /// Returns the parameters of `GET /products/search`.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        if !self.words.is_empty() {
            parameters.push(("query".to_owned(), self.words.join(" ")));
        }
        parameters.extend(self.filters.parameters());
        let mut add = |name: &str, value: String| parameters.push((name.to_owned(), value));
        if let Some(sort) = self.sort.and_then(|sort| sort.to_possible_value()) {
            add("sortBy", sort.get_name().to_owned());
        }
        self.page.iter().for_each(|page| add("page", page.to_string()));
        self.page_size.iter().for_each(|size| add("pageSize", size.to_string()));
        if !self.facet.is_empty() {
            add("facets", self.facet.join(","));
        }
        parameters
    }
}

impl FilterArgs {
    /// Returns the search parameters of the filters.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let mut parameters = Vec::new();
        let mut add = |name: &str, value: String| parameters.push((name.to_owned(), value));
        self.brand.iter().for_each(|brand| add("brand", brand.clone()));
        self.category.iter().for_each(|category| add("category", category.clone()));
        self.tag.iter().for_each(|tag| add("tags", tag.clone()));
        self.price.iter().for_each(|price| add("priceRange", price.clone()));
        self.currency.iter().for_each(|currency| add("currency", currency.to_string()));
        if self.in_stock {
            add("inStock", "true".to_owned());
        }
        self.attribute.iter().for_each(|(key, value)| add(&format!("attributes.{key}"), value.clone()));
        parameters
    }
}

fn parse_pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE, such as colour=red".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: SearchArgs,
    }

    fn args(line: &[&str]) -> SearchArgs {
        Line::try_parse_from(line).unwrap_or_else(|error| panic!("{line:?}: {error}")).args
    }

    #[test]
    fn arguments_become_parameters_of_the_api() {
        let args = args(&[
            "search",
            "green",
            "tea",
            "--brand",
            "HP",
            "--brand",
            "A&B",
            "--price",
            "-50",
            "--tag",
            "hot",
            "--category",
            "A > B",
            "--in-stock",
            "--attribute",
            "w=1..2",
            "--sort",
            "price_asc",
            "--page",
            "2",
            "--page-size",
            "5",
            "--facet",
            "brand",
            "--facet",
            "price",
            "--currency",
            "EUR",
        ]);
        let found = args.parameters();
        let found: Vec<String> = found.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let expected = [
            "query=green tea",
            "brand=HP",
            "brand=A&B",
            "category=A > B",
            "tags=hot",
            "priceRange=-50",
            "currency=EUR",
            "inStock=true",
            "attributes.w=1..2",
            "sortBy=price_asc",
            "page=2",
            "pageSize=5",
            "facets=brand,price",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_given_means_no_parameters() {
        assert_eq!(args(&["search"]).parameters(), []);
    }
}
