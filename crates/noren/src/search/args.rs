//! The arguments of `noren search`, and the search parameters that they stand for.

use clap::Args;

use crate::parameter_args::{OfSearch, ParameterArgs};
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
  NOREN_INDEX=opensearch noren search --back-ends tea  in the index itself, without a service")]
pub struct SearchArgs {
    /// Words to search for; without words, every product is found
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    #[command(flatten)]
    pub target: Target,
    #[command(flatten)]
    pub flags: ParameterArgs<OfSearch>,
    /// Write the JSON of the service
    #[arg(long)]
    pub json: bool,
}

impl SearchArgs {
    /// Returns the parameters of `GET /products/search`.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let query = (!self.words.is_empty()).then(|| ("query".to_owned(), self.words.join(" ")));
        query.into_iter().chain(self.flags.parameters().iter().cloned()).collect()
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
            "category=A > B",
            "brand=HP",
            "brand=A&B",
            "tags=hot",
            "priceRange=-50",
            "inStock=true",
            "attributes.w=1..2",
            "currency=EUR",
            "facets=brand,price",
            "sortBy=price_asc",
            "page=2",
            "pageSize=5",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_given_means_no_parameters() {
        assert_eq!(args(&["search"]).parameters(), []);
    }
}
