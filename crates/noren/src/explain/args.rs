//! The arguments of `noren explain`.

use clap::Args;
use domain::ProductId;

use crate::parameter_args::{OfExplain, ParameterArgs};
use crate::target::Target;

/// `noren explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren explain lamp-1 --query 'desk lamp'                 its rank, and the score of each word
  noren explain lamp-1 --query lamp --brand HP             which filter excludes it
  noren explain lamp-1                                     whether it is indexed
  noren explain lamp-1 --url http://127.0.0.1:8083 --command-url http://127.0.0.1:8081
  noren explain lamp-1 --query lamp --json | jq .index.rank

Asks the write service for the stored product and its queue, and the query service for the indexed product and its place in \
the search. Changes that could not be indexed are shown for a catalogue that is opened in this process, with --data-dir or \
--back-ends.")]
pub struct ExplainArgs {
    /// Id of the product
    #[arg(value_name = "ID")]
    pub id: ProductId,
    #[command(flatten)]
    pub target: Target,
    /// Address of the write service, if it is another one
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "back_ends"])]
    pub command_url: Option<String>,
    /// Words of the search; without words, every product is found
    #[arg(long, value_name = "WORDS")]
    pub query: Option<String>,
    #[command(flatten)]
    pub flags: ParameterArgs<OfExplain>,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

impl ExplainArgs {
    /// Returns the parameters of `GET /products/{id}/explain`.
    pub(super) fn parameters(&self) -> Vec<(String, String)> {
        let query = self.query.iter().map(|query| ("query".to_owned(), query.clone()));
        query.chain(self.flags.parameters().iter().cloned()).collect()
    }
}
