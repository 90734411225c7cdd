//! The command line: what can be written after `noren`, with the help for it.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use domain::{Currency, Language, ProductId};

use crate::failure::{Context as _, Failure};
use crate::operator::OperatorPlace;
use crate::serve::Serve;

/// Where the commands look for a running service unless they are told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "noren", version, after_help = EXAMPLES, arg_required_else_help = true, max_term_width = 110)]
#[command(about = "A product catalogue that never loses a write and answers a search in a millisecond")]
#[command(long_about = None)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  noren serve --demo                      start with 2,000 products to play with
  noren import products.ndjson.gz         fill the catalogue
  noren search red kettle --price -50     look for something
  noren export -o backup.ndjson.gz        take everything out";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the catalogue: writes, index and search in one process
    Serve(Serve),
    /// Write products from files into the catalogue
    Import(ImportArgs),
    /// Search the catalogue from the terminal
    Search(SearchArgs),
    /// Say why a search finds a product, or does not
    Explain(ExplainArgs),
    /// Write the whole catalogue as NDJSON
    Export(ExportArgs),
    /// Copy the embedded store to a file, while services use it
    Backup(BackupArgs),
    /// Compare the index with the store, and mend what differs
    Verify(VerifyArgs),
    /// Rebuild the index from the store, or go back to the one before
    Reindex(ReindexArgs),
    /// Look at the changes that could not be indexed, send them again, or drop them
    Dlq(DlqArgs),
    /// Measure how good the search is, by products that people rated
    Eval(EvalArgs),
    /// Measure import and search on this machine
    Bench(BenchArgs),
    /// Work on the rules of the shop: synonyms, pinned products, boosts
    Rules(RulesArgs),
    /// Write the completions for a shell
    Completions(CompletionsArgs),
}

/// Which catalogue a command works on: a running service, or a folder opened in this process.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The running service [default: http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    pub url: Option<String>,
    /// Work on this folder in this process, without a service
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `noren import`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren import products.ndjson.gz             into the service at http://127.0.0.1:8080
  noren import --data-dir ./data a.csv b.csv  into a folder, without a service
  noren import --dry-run products.csv         only check
  zcat products.gz | noren import -           from standard input

One product a line (NDJSON), or a CSV file whose first row names the fields. The same import a second time changes
nothing. A product with a fault goes to NAME.rejects.ndjson or NAME.rejects.csv in the working directory, together
with what is wrong, and the rest goes on. Exit code: 0 all taken, 1 something was rejected or failed, 2 called
wrongly. How fields of other catalogues are understood: docs/IMPORT.md.")]
pub struct ImportArgs {
    /// Files with products, also gzipped; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub place: Place,
    /// Check everything and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How the files are written, where their names and contents do not say it
    #[arg(long)]
    pub format: Option<Format>,
    /// The currency of prices that come without one [default: the catalogue's]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Where rejected products go; for a single FILE
    #[arg(long, value_name = "PATH")]
    pub rejects: Option<PathBuf>,
}

/// How a file of products is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON object a line
    Ndjson,
    /// Comma, semicolon or tab separated, field names in the first row
    Csv,
}

/// `noren search`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren search green tea                              words, with room for typos
  noren search --brand HP --price 100-200 laptop      filters
  noren search --facet brand --facet price --sort price_asc kettle
  noren search --attribute colour=red --attribute width=10..20
  noren search --json tea | jq .total                 for programs")]
pub struct SearchArgs {
    /// What to look for; nothing finds everything
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub filters: FilterArgs,
    /// The order [default: relevance]
    #[arg(long, value_enum)]
    pub sort: Option<SortArg>,
    /// Which page, from 1
    #[arg(long, value_name = "N")]
    pub page: Option<u32>,
    /// Products a page, at most 100 [default: 20]
    #[arg(long, value_name = "N")]
    pub page_size: Option<u32>,
    /// Count the values of brand, category, tags, price or attributes.KEY
    #[arg(long, value_name = "FIELD")]
    pub facet: Vec<String>,
    /// Write the answer of the service as JSON
    #[arg(long)]
    pub json: bool,
}

/// What a product must satisfy.
#[derive(Debug, Args)]
pub struct FilterArgs {
    /// Only this brand; several are alternatives
    #[arg(long, value_name = "BRAND")]
    pub brand: Vec<String>,
    /// Only this category and those under it, such as `Kitchen > Kettles`; several are alternatives
    #[arg(long, value_name = "PATH")]
    pub category: Vec<String>,
    /// Only products with this tag; several are alternatives
    #[arg(long, value_name = "TAG")]
    pub tag: Vec<String>,
    /// Only prices in this range; either end may be left out: `100-`, `-50`
    #[arg(long, value_name = "MIN-MAX", allow_hyphen_values = true)]
    pub price: Option<String>,
    /// The currency of price filter, price order and price facet [default: the catalogue's]
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Only what is in stock
    #[arg(long)]
    pub in_stock: bool,
    /// Only this value of an attribute, or a range `KEY=MIN..MAX`; several values of a key are alternatives
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub attribute: Vec<(String, String)>,
}

impl FilterArgs {
    /// The parameters of the API that say the same.
    pub fn parameters(&self) -> Vec<(String, String)> {
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

/// The orders of a search, named as the API does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum SortArg {
    /// The best match first
    Relevance,
    /// The cheapest first
    PriceAsc,
    /// The dearest first
    PriceDesc,
    /// The last created first
    Newest,
    /// By name
    Name,
}

/// `noren explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren explain lamp-1 --query 'desk lamp'                 its place, and what each word counts
  noren explain lamp-1 --query lamp --brand HP             which filter keeps it out
  noren explain lamp-1                                     whether it is indexed at all
  noren explain lamp-1 --url http://127.0.0.1:8083 --command-url http://127.0.0.1:8081
  noren explain lamp-1 --query lamp --json | jq .index.rank

Asks the writing side what the catalogue holds, and the reading side what the index holds and what the
search makes of it. Changes that could not be indexed are named where the catalogue is opened in this
process, with --data-dir.")]
pub struct ExplainArgs {
    /// The product
    #[arg(value_name = "ID")]
    pub id: ProductId,
    #[command(flatten)]
    pub place: Place,
    /// The service that takes writes, where it is another one
    #[arg(long, value_name = "URL", conflicts_with = "data_dir")]
    pub command_url: Option<String>,
    /// The words of the search; without them, everything is found
    #[arg(long, value_name = "WORDS")]
    pub query: Option<String>,
    #[command(flatten)]
    pub filters: FilterArgs,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// `noren export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren export > products.ndjson              from the service at http://127.0.0.1:8080
  noren export -o products.ndjson.gz          gzipped, because the name says so
  noren export --data-dir ./data | jq -r .name
  NOREN_STORE=dynamodb noren export --back-ends -o products.ndjson.gz
                                              from the store itself, without a service

The output is what `noren import` takes back.")]
pub struct ExportArgs {
    #[command(flatten)]
    pub place: OperatorPlace,
    /// Write here instead of standard output; a name that ends in .gz is gzipped
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `noren backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren backup noren-2026-01-31.db                 the store in ./data
  noren backup --data-dir /srv/noren /mnt/store.db

The file is noren.db as it was at one moment, with versions, tombstones and what waits to be
indexed; the index is not in it, and is made from it. It has its name when it is complete. How to
restore it: docs/OPERATIONS.md. A store on DynamoDB has recovery of its own.")]
pub struct BackupArgs {
    /// The file to write; one that is there is replaced
    #[arg(value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub data_dir: runtime::config::DataDir,
}

/// `noren verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren verify                                the service at http://127.0.0.1:8080, while it works
  noren verify --repair                       the same, and mend what differs
  noren verify --data-dir ./data              a folder, while no service runs
  noren verify --back-ends --sample 100       DynamoDB and OpenSearch, one product of a hundred

Compares both ways: products that the index lacks (missing), has in an earlier version (stale),
shows though they are deleted or never were (orphaned), has in a later version, as after a restore of
the store (newer), or has otherwise than it would be indexed now (differing; all of them after a
change of weights: run `noren reindex`). What sync may be about to write is looked at again before
it counts. Exit code: 0 the index equals the store, 1 it does not or that could not be told, 2
called wrongly.")]
pub struct VerifyArgs {
    #[command(flatten)]
    pub place: OperatorPlace,
    /// Mend what differs
    #[arg(long)]
    pub repair: bool,
    /// Look at one product of N only, always the same ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub sample: Option<u64>,
    /// How long sync is given to write what differs before that counts
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub patience: f64,
    /// Write the events as JSON, one a line
    #[arg(long)]
    pub json: bool,
}

/// `noren reindex`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren reindex                               in the service at http://127.0.0.1:8080
  noren reindex --data-dir ./data             a folder, while no service runs
  noren reindex --back-ends                   DynamoDB and OpenSearch, while the services work
  noren reindex --rollback                    go back to the index before
  noren reindex --discard                     give up one that was begun

Fills a new index beside the live one, which is searched and written all the while, compares it with
the store, and switches over in one step. The one before is kept. Interrupted, it goes on where it
was when it is called again. Exit code: 0 done, 1 failed, 2 called wrongly.")]
pub struct ReindexArgs {
    #[command(flatten)]
    pub place: OperatorPlace,
    /// Go back to the index before, once it has caught up
    #[arg(long, conflicts_with = "discard")]
    pub rollback: bool,
    /// Remove an index that was begun and is not live
    #[arg(long)]
    pub discard: bool,
}

/// `noren dlq`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  noren dlq list                              what could not be indexed, and why
  noren dlq show 17                           one of them, with its message
  noren dlq retry --all                       when the cause is fixed
  noren dlq drop 17
  NOREN_STORE=dynamodb NOREN_QUEUE=sqs noren dlq list --back-ends

A change that could not be indexed in five attempts is a dead letter. `retry` sends what the catalogue holds now of
its product, never the old message, and then removes the letter."
)]
pub struct DlqArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: DlqCommand,
}

/// The commands of `noren dlq`.
#[derive(Debug, Subcommand)]
pub enum DlqCommand {
    /// List dead letters, the newest first
    List(DlqListArgs),
    /// Show a dead letter with its message
    Show(DlqShowArgs),
    /// Send what the catalogue holds now of their products, and remove them
    Retry(DlqSettleArgs),
    /// Remove them for good
    Drop(DlqDropArgs),
}

/// `noren dlq list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq list                              of the service at http://127.0.0.1:8080
  noren dlq list --data-dir ./data --limit 500
  noren dlq list --json | jq -r '.deadLetters[].id'")]
pub struct DlqListArgs {
    #[command(flatten)]
    pub place: OperatorPlace,
    /// How many at most, up to 500
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub limit: usize,
    /// Write the answer of the service as JSON
    #[arg(long)]
    pub json: bool,
}

/// `noren dlq show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq show 17
  noren dlq show 17 --json | jq -r .body")]
pub struct DlqShowArgs {
    /// Its key, as the list has it
    #[arg(value_name = "KEY")]
    pub key: String,
    #[command(flatten)]
    pub place: OperatorPlace,
    /// Write the answer of the service as JSON
    #[arg(long)]
    pub json: bool,
}

/// `noren dlq retry`, and what it shares with `noren dlq drop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq retry 17 18
  noren dlq retry --all
  noren dlq retry --all --data-dir ./data     they are indexed when a service runs there

Exit code: 0 all sent again, 1 some stay dead letters, 2 called wrongly.")]
pub struct DlqSettleArgs {
    /// Their keys, as the list has them
    #[arg(value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    pub keys: Vec<String>,
    /// All there are
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub place: OperatorPlace,
    /// Write JSON
    #[arg(long)]
    pub json: bool,
}

/// `noren dlq drop`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren dlq drop 17
  noren dlq drop --all --yes                  without a question, for scripts

Exit code: 0 all dropped, 1 some were not there, 2 called wrongly.")]
pub struct DlqDropArgs {
    #[command(flatten)]
    pub which: DlqSettleArgs,
    /// Do not ask whether that is meant
    #[arg(long)]
    pub yes: bool,
}

/// `noren eval`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren eval judgments.csv                       by the service at http://127.0.0.1:8080
  noren eval judgments.csv --worst 20            with the queries that fare worst
  noren eval judgments.csv --min 0.75            for a CI: fails when NDCG@10 is less
  NOREN_RULES=rules.toml noren eval judgments.csv --data-dir ./data
                                                 what a rules file brings, without a service

A file of judgments is a CSV with the columns query, product_id and rating, and a row for each
product that somebody rated: 0 is useless, 3 is just what was meant. NDCG@10 is 1 when the best
products come first, and counts products that nobody rated as useless; judged NDCG@10 leaves those
out of the list. MRR is 1 divided by the place of the first useful product. Exit code: 0 measured,
1 less than --min or failed, 2 called wrongly.")]
pub struct EvalArgs {
    /// The file of judgments
    #[arg(value_name = "JUDGMENTS.csv")]
    pub judgments: PathBuf,
    #[command(flatten)]
    pub place: Place,
    /// Fail when NDCG@10 is less than this, from 0 to 1
    #[arg(long, value_name = "NDCG", value_parser = share)]
    pub min: Option<f64>,
    /// How many of the queries with the lowest NDCG@10 to list
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub worst: usize,
    /// Write JSON, with every query
    #[arg(long)]
    pub json: bool,
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("must be a number from 0 to 1, such as 0.75".to_owned()),
    }
}

/// `noren bench`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren bench products.ndjson                            import, then searches for words of the products
  noren bench products.ndjson --queries queries.ndjson   the searches of a file, one a line
  noren bench products.ndjson --ratios --writes 500      also what facets, HTTP, typos and writes cost
  noren bench --check                                    only the ratios that reveal a slow change
  noren bench --data-dir new --creates 100000 --searches 0   only creates, in an empty folder
  noren bench products.ndjson --data-dir big             the same, and the folder stays
  noren bench --data-dir big                             only searches
  noren bench --url http://127.0.0.1:8080                a service that runs already
  noren bench --url http://127.0.0.1:9200 --post /products/_search --queries bodies.ndjson   one of another make

Imports the files into a folder in this process until everything is searchable, serves it on a free port of this
machine, and searches over HTTP with facets by brand and category. No answer is kept. Build with `--release` first.
docs/BENCHMARKS.md shows figures and what they mean.")]
pub struct BenchArgs {
    /// Files of products, as `noren import` takes them
    #[arg(required_unless_present_any = ["data_dir", "url", "check"], conflicts_with = "url", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Work on this folder, and leave it [default: a fresh one that is removed in the end]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["url", "scratch"])]
    pub data_dir: Option<PathBuf>,
    /// Measure the service that runs there
    #[arg(long, value_name = "URL", conflicts_with_all = ["ratios", "writes", "scratch"])]
    pub url: Option<String>,
    /// Post each line of the file of queries to this path, as it stands
    #[arg(long, value_name = "PATH", requires_all = ["url", "queries"])]
    pub post: Option<String>,
    /// Searches to make, one a line; without it, words of the products' names
    #[arg(long, value_name = "FILE")]
    pub queries: Option<PathBuf>,
    /// How many searches make a figure; with 0 only the import is measured
    #[arg(long, value_name = "N", default_value_t = 4000)]
    pub searches: usize,
    /// Connections that search at the same time
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = connections)]
    pub connections: usize,
    /// Also measure ways to search against each other
    #[arg(long)]
    pub ratios: bool,
    /// Only print the ratios that reveal a slow change; without files, of the demo catalogue
    #[arg(long, conflicts_with_all = ["url", "ratios", "creates", "writes", "csv"])]
    pub check: bool,
    /// Also create this many products, one by one over 64 connections, before the searches
    #[arg(long, value_name = "N", conflicts_with = "url")]
    pub creates: Option<usize>,
    /// Also search beside this many writes a second, and tell how soon writes are found
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub writes: Option<u32>,
    /// Write the figures to this file, for docs/plots/plot.py
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Where to make the fresh folder [default: the system's temporary folder]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// As many as a small machine bears.
fn connections(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(connections @ 1..=1000) => Ok(connections),
        _ => Err("must be a number from 1 to 1000".to_owned()),
    }
}

/// `noren rules`.
#[derive(Debug, Args)]
#[command(
    arg_required_else_help = true,
    after_help = "\
Examples:
  noren rules check rules.toml                whether the file is right

docs/TUNING.md tells what rules are for, docs/rules.example.toml shows all of them."
)]
pub struct RulesArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub command: RulesCommand,
}

/// The commands of `noren rules`.
#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// Say whether a rules file is right, and what is wrong with it where
    Check(CheckRulesArgs),
}

/// `noren rules check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren rules check rules.toml                what a service would say of it
  noren rules check rules.toml --currency EUR for a catalogue whose prices are in euros

Every fault is a line FILE:LINE:COLUMN: what is wrong; what to do. Exit code: 0 right, 1 not right or not there, 2 called
wrongly.")]
pub struct CheckRulesArgs {
    /// The rules file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The currency of prices that name none: three letters of ISO 4217
    #[arg(long, env = "NOREN_CURRENCY", default_value = "USD", value_name = "CODE")]
    pub currency: Currency,
    /// The language of the products, whose forms of a word are one
    #[arg(long, env = "NOREN_LANGUAGE", default_value = "en", value_name = "CODE")]
    pub language: Language,
}

/// `noren completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren completions bash > ~/.local/share/bash-completion/completions/noren
  noren completions zsh > ~/.zfunc/_noren
  noren completions fish > ~/.config/fish/completions/noren.fish")]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Writes the completions for a shell to standard output.
///
/// # Errors
/// When standard output cannot be written.
pub fn write_completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "noren", &mut script);
    std::io::stdout().write_all(&script).context(|| "writing the completions".to_owned())
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

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:\n  noren"), "{} has no examples", command.get_name());
        }
    }

    #[test]
    fn a_price_may_begin_with_a_hyphen() {
        let cli = Cli::try_parse_from(["noren", "search", "--price", "-50", "tea", "--attribute", "a=b=c"]);
        let Ok(Cli { command: Command::Search(args) }) = cli else { panic!("{cli:?}") };
        assert_eq!(args.filters.price.as_deref(), Some("-50"));
        assert_eq!(args.words, ["tea"]);
        assert_eq!(args.filters.attribute, [("a".to_owned(), "b=c".to_owned())]);
    }

    #[test]
    fn a_service_and_a_folder_exclude_each_other() {
        for both in
            [["search", "--url=http://x", "--data-dir=d"], ["export", "--url=http://x", "--data-dir=d"]]
        {
            assert_eq!(Cli::try_parse_from([&["noren"], &both[..]].concat()).unwrap_err().exit_code(), 2);
        }
    }

    #[test]
    fn the_back_ends_of_the_services_exclude_a_service_and_a_folder() {
        for other in ["--url=http://x", "--data-dir=d"] {
            let both = Cli::try_parse_from(["noren", "export", "--back-ends", other]);
            assert_eq!(both.unwrap_err().exit_code(), 2);
        }
    }
}
