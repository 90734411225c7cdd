//! Configuration that concerns products, and the list of all variables.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser};
use runtime::{StartError, config};

/// The currency of a catalogue.
#[derive(Debug, Clone, Args)]
pub struct Currency {
    /// Currency of prices without one: three letters of ISO 4217
    #[arg(long, env = "NOREN_CURRENCY", default_value = "USD", value_name = "CODE")]
    pub currency: domain::Currency,
}

/// The language of a catalogue.
#[derive(Debug, Clone, Args)]
pub struct Language {
    /// Language of the products, for matching forms of a word and for the order of names: en, en-snowball (all endings, not
    /// only plurals), ar, ca, cs, da, de, el, es, fi, fr, hu, it, nl, no, pl, pt, ro, ru, sv, tr or uk; Japanese, Chinese,
    /// Korean, Thai, Lao, Khmer and Burmese need no setting
    #[arg(long, env = "NOREN_LANGUAGE", default_value = "en", value_name = "CODE")]
    pub language: domain::Language,
}

/// The handling of HTML in the texts of products.
#[derive(Debug, Clone, Args)]
pub struct Html {
    /// HTML in names and descriptions is stored raw (as it was written), as text (without markup), or safe (names as text,
    /// descriptions with the harmless elements only); searches and highlights use its text in any case
    #[arg(long, env = "NOREN_HTML", default_value = "raw", value_name = "POLICY")]
    pub html: domain::HtmlPolicy,
}

/// The properties of a catalogue.
#[derive(Debug, Clone, Args)]
pub struct Catalogue {
    /// Currency of prices without one.
    #[command(flatten)]
    pub currency: Currency,
    /// Language of the products.
    #[command(flatten)]
    pub language: Language,
    /// File of the shop's search rules (synonyms, pinned products, boosts, …). Searches reload it when it changes; indexing reads
    /// only its field weights, at the start
    #[arg(long, env = "NOREN_RULES", value_name = "FILE")]
    pub rules: Option<PathBuf>,
}

impl Catalogue {
    /// Returns the currency of prices without one.
    pub fn currency(&self) -> domain::Currency {
        self.currency.currency
    }

    /// Returns the language of the products.
    pub fn language(&self) -> domain::Language {
        self.language.language
    }
}

/// The variables of the client that no flag declares. A key is never an argument, because other users of the machine can read arguments.
const CLIENT_VARIABLES: [&str; 2] = ["NOREN_API_KEY", "NOREN_API_KEY_FILE"];

/// All flags with a variable, of all programs.
#[derive(Args)]
struct All {
    #[command(flatten)]
    listen: config::Listen,
    #[command(flatten)]
    data_dir: config::DataDir,
    #[command(flatten)]
    store: config::Store,
    #[command(flatten)]
    dynamodb: config::DynamoDb,
    #[command(flatten)]
    queue: config::Queue,
    #[command(flatten)]
    create_tables: config::CreateTables,
    #[command(flatten)]
    index: config::Index,
    #[command(flatten)]
    caching: config::Caching,
    #[command(flatten)]
    storefront: config::Storefront,
    #[command(flatten)]
    imports: config::ImportLimits,
    #[command(flatten)]
    images: config::Images,
    #[command(flatten)]
    catalogue: Catalogue,
    #[command(flatten)]
    html: Html,
    #[command(flatten)]
    access: config::Access,
    #[command(flatten)]
    logging: config::Logging,
}

/// Adds all flags with a variable to a command.
pub fn augment(command: clap::Command) -> clap::Command {
    All::augment_args(command)
}

/// Returns the names of all variables that a program may be given, sorted.
pub fn variables() -> Vec<String> {
    let mut variables = config::variables_of(&augment(clap::Command::new("noren")));
    variables.extend(CLIENT_VARIABLES.map(str::to_owned));
    variables.sort();
    variables
}

/// Runs the `main` of a service, see [`runtime::run`].
pub fn run<C, F>(service: &'static str, run: impl FnOnce(C) -> F) -> ExitCode
where
    C: Parser,
    F: Future<Output = Result<(), StartError>>,
{
    runtime::run(service, &variables(), run)
}
