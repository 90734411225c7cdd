//! Configuration: flags and `NOREN_*` variables, one struct a concern.
//!
//! All binaries share one list of variables; one that a binary does not use is no error, one that is on no list is.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::StartError;

/// Every variable that a binary of Noren may be given, with what it sets.
pub const VARIABLES: [(&str, &str); 15] = [
    ("NOREN_LISTEN", "address and port to listen on"),
    ("NOREN_DATA_DIR", "folder of the embedded store, queue and index"),
    ("NOREN_STORE", "where products are kept: sqlite or dynamodb"),
    ("NOREN_QUEUE", "where changes wait to be indexed: sqlite or sqs"),
    ("NOREN_INDEX", "what is searched: tantivy or opensearch"),
    ("NOREN_DYNAMODB_TABLE", "table of the products in DynamoDB"),
    ("NOREN_SQS_QUEUE", "name or URL of the queue in SQS"),
    ("NOREN_OPENSEARCH_URL", "address of OpenSearch"),
    ("NOREN_OPENSEARCH_INDEX", "alias of the index in OpenSearch"),
    ("NOREN_CREATE_TABLES", "whether to make missing tables and queues: true or false"),
    ("NOREN_CURRENCY", "currency of prices that name none, ISO 4217"),
    ("NOREN_LANGUAGE", "language of the products, as a code such as en, de or fr"),
    ("NOREN_CACHE_SECONDS", "how long clients may keep the answer of a search"),
    ("NOREN_RULES", "file of the shop's rules for its searches"),
    ("NOREN_ANSWER_CACHE_MB", "megabytes of answers that the service keeps to give them again"),
];

/// Refuses variables that begin with `NOREN_` and mean nothing: most likely one is misspelt, and what it should
/// have set would silently keep its default.
///
/// # Errors
/// Names the first such variable and the known ones.
pub fn check_environment() -> Result<(), StartError> {
    let unknown = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .find(|name| name.starts_with("NOREN_") && !VARIABLES.iter().any(|(known, _)| known == name));
    match unknown {
        None => Ok(()),
        Some(name) => {
            let known = VARIABLES.map(|(known, _)| known).join(", ");
            Err(StartError::new(format!("unknown variable {name}; unset it or write one of {known}")))
        }
    }
}

/// Where the service listens.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "NOREN_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: SocketAddr,
}

/// Where the embedded back ends keep their files.
#[derive(Debug, Clone, Args)]
pub struct DataDir {
    /// Folder of the embedded store, queue and index; made when missing
    #[arg(long, env = "NOREN_DATA_DIR", default_value = "./data", value_name = "DIR")]
    pub data_dir: PathBuf,
}

impl DataDir {
    /// The folder of the embedded index inside the data folder.
    pub fn index(&self) -> PathBuf {
        self.data_dir.join("index")
    }

    /// The folder of the import jobs inside the data folder.
    pub fn imports(&self) -> PathBuf {
        self.data_dir.join("imports")
    }
}

/// Which store keeps the products.
#[derive(Debug, Clone, Args)]
pub struct Store {
    /// Where products are kept
    #[arg(long, env = "NOREN_STORE", default_value = "sqlite")]
    pub store: StoreKind,
}

/// The stores there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// A file in the data folder
    Sqlite,
    /// A table in DynamoDB
    Dynamodb,
}

/// Which queue carries the changes.
#[derive(Debug, Clone, Args)]
pub struct Queue {
    /// Where changes wait to be indexed
    #[arg(long, env = "NOREN_QUEUE", default_value = "sqlite")]
    pub queue: QueueKind,
}

/// The queues there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueueKind {
    /// The same file as the store's
    Sqlite,
    /// A queue in SQS
    Sqs,
}

/// Where the AWS back ends keep products.
#[derive(Debug, Clone, Args)]
pub struct DynamoDb {
    /// Table of the products in DynamoDB
    #[arg(long, env = "NOREN_DYNAMODB_TABLE", default_value = "noren-products", value_name = "NAME")]
    pub dynamodb_table: String,
}

/// Where the AWS back ends send changes.
#[derive(Debug, Clone, Args)]
pub struct Sqs {
    /// Queue of the changes in SQS: a name or a URL
    #[arg(long, env = "NOREN_SQS_QUEUE", default_value = "noren-sync", value_name = "NAME")]
    pub sqs_queue: String,
}

/// Whether what is missing is made at the start.
#[derive(Debug, Clone, Args)]
pub struct CreateTables {
    /// Make the table and the queues at the start where they are missing, then go on as always: for local use
    // A flag takes no value; its variable takes one.
    #[arg(
        long,
        env = "NOREN_CREATE_TABLES",
        value_name = "true|false",
        default_value_t = false,
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true,
        action = ArgAction::Set
    )]
    pub create_tables: bool,
}

/// Which index is searched.
#[derive(Debug, Clone, Args)]
pub struct Index {
    /// What is searched
    #[arg(long, env = "NOREN_INDEX", default_value = "tantivy")]
    pub index: IndexKind,
}

/// The indexes there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IndexKind {
    /// A folder in the data folder
    Tantivy,
    /// An index in OpenSearch
    Opensearch,
}

/// Where OpenSearch keeps the index.
#[derive(Debug, Clone, Args)]
pub struct OpenSearch {
    /// Address of OpenSearch; requests to Amazon OpenSearch Service are signed with the credentials of AWS
    #[arg(
        long,
        env = "NOREN_OPENSEARCH_URL",
        default_value = "http://127.0.0.1:9200",
        value_name = "URL",
        hide_env_values = true
    )]
    pub opensearch_url: String,
    /// Alias of the index in OpenSearch
    #[arg(long, env = "NOREN_OPENSEARCH_INDEX", default_value = "noren-products", value_name = "ALIAS")]
    pub opensearch_index: String,
}

/// What holds for the whole catalogue.
#[derive(Debug, Clone, Args)]
pub struct Currency {
    /// Currency of prices that name none: three letters of ISO 4217
    #[arg(long, env = "NOREN_CURRENCY", default_value = "USD", value_name = "CODE")]
    pub currency: String,
}

/// What texts are analysed as.
#[derive(Debug, Clone, Args)]
pub struct Language {
    /// Language of the products, whose forms of a word are one: en, en-snowball (all endings, not only plurals), or one
    /// of ar, ca, cs, da, de, el, es, fi, fr, hu, it, nl, no, pl, pt, ro, ru, sv, tr and uk; Japanese, Chinese and Korean
    /// need none
    #[arg(long, env = "NOREN_LANGUAGE", default_value = "en", value_name = "CODE")]
    pub language: String,
}

/// How long clients may keep answers.
#[derive(Debug, Clone, Args)]
pub struct Cache {
    /// Seconds that clients may keep the answer of a search [default: 300, and 0 under `noren serve`]
    #[arg(long, env = "NOREN_CACHE_SECONDS", value_name = "SECONDS")]
    pub cache_seconds: Option<u32>,
}

/// Megabytes of [`AnswerCache`], unless configured.
pub const DEFAULT_ANSWER_CACHE_MB: u32 = 64;

/// How many answers the service keeps.
#[derive(Debug, Clone, Args)]
pub struct AnswerCache {
    /// Megabytes of answers that are kept to be given again until something is written; 0 keeps none
    #[arg(long, env = "NOREN_ANSWER_CACHE_MB", value_name = "MB", default_value_t = DEFAULT_ANSWER_CACHE_MB)]
    pub answer_cache_mb: u32,
}

/// What the shop decided about its searches.
#[derive(Debug, Clone, Args)]
pub struct Rules {
    /// File of the shop's rules: synonyms, pinned products, boosts, …; read again when it changes
    #[arg(long, env = "NOREN_RULES", value_name = "FILE")]
    pub rules: Option<PathBuf>,
}

/// The error for a back end that was asked for and is not in this build.
pub fn compiled_out(variable: &str, value: &str, feature: &str) -> StartError {
    StartError::new(format!(
        "{variable}={value} needs a back end that this build does not have; \
         build with `--features {feature}` or choose another value"
    ))
}
