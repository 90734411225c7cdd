//! Configuration: flags and `NOREN_*` variables, one struct for each concern.
//!
//! All programs share the variables: a variable that a program does not use is ignored, an unknown one is an error.

mod access;
mod access_values;
mod environment;
mod images;
mod listen;
mod logging;
mod shop_url;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};

use crate::StartError;

pub use access::{Access, AccessKind, AccessStoreKind, Anonymous, AuditLog, Jwt, Reach};
pub use environment::{check_environment, ignore_empty_variables, variables_of};
pub use images::{Images, ImagesKind};
use listen::parse_listen_address;
pub use logging::{AccessLog, Logging};
use shop_url::{parse_image_origin, parse_shop_url};

/// The address of a service.
#[derive(Debug, Clone, Args)]
pub struct Listen {
    /// Address and port to listen on, such as 0.0.0.0:80, localhost:8080 or 8080; a port alone is reachable from this
    /// machine only, and port 0 takes a free one
    #[arg(
        long,
        env = "NOREN_LISTEN",
        default_value = "127.0.0.1:8080",
        value_name = "ADDRESS",
        value_parser = parse_listen_address
    )]
    pub listen: SocketAddr,
}

/// The folder of the embedded back ends.
#[derive(Debug, Clone, Args)]
pub struct DataDir {
    /// Folder of the embedded store, queue and index; created if missing
    #[arg(long, env = "NOREN_DATA_DIR", default_value = "./data", value_name = "DIR")]
    pub data_dir: PathBuf,
}

impl DataDir {
    /// Returns the folder of the embedded index.
    pub fn index(&self) -> PathBuf {
        self.data_dir.join("index")
    }

    /// Returns the folder of uploaded images.
    pub fn images(&self) -> PathBuf {
        self.data_dir.join("images")
    }

    /// Returns the folder of the import jobs.
    pub fn imports(&self) -> PathBuf {
        self.data_dir.join("imports")
    }
}

/// The store.
#[derive(Debug, Clone, Args)]
pub struct Store {
    /// Store of the products
    #[arg(long, env = "NOREN_STORE", default_value = "sqlite")]
    pub store: StoreKind,
}

/// A kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StoreKind {
    /// A file in the data folder
    Sqlite,
    /// A table in DynamoDB
    Dynamodb,
}

/// The table of a DynamoDB store.
#[derive(Debug, Clone, Args)]
pub struct DynamoDb {
    /// Table of the products in DynamoDB
    #[arg(long, env = "NOREN_DYNAMODB_TABLE", default_value = "noren-products", value_name = "NAME")]
    pub dynamodb_table: String,
}

/// The queue of changes.
#[derive(Debug, Clone, Args)]
pub struct Queue {
    /// Queue of the changes to be indexed
    #[arg(long, env = "NOREN_QUEUE", default_value = "sqlite")]
    pub queue: QueueKind,
    /// Queue of the changes in SQS: a name or a URL
    #[arg(
        long,
        env = "NOREN_SQS_QUEUE",
        default_value = "noren-sync",
        value_name = "NAME",
        hide_env_values = true
    )]
    pub sqs_queue: String,
}

/// A kind of queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum QueueKind {
    /// The file of the embedded store
    Sqlite,
    /// A queue in SQS
    Sqs,
}

/// Creation of missing back ends.
#[derive(Debug, Clone, Args)]
pub struct CreateTables {
    /// Create missing tables, queues and indexes, and a queue that goes missing later: for local use
    // The flag takes no value; its variable takes one.
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

/// The search index.
#[derive(Debug, Clone, Args)]
pub struct Index {
    /// Search index
    #[arg(long, env = "NOREN_INDEX", default_value = "tantivy")]
    pub index: IndexKind,
    /// URL of OpenSearch; requests to Amazon OpenSearch Service are signed with the credentials of AWS
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

/// A kind of index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IndexKind {
    /// A folder in the data folder
    Tantivy,
    /// An index in OpenSearch
    Opensearch,
}

/// The default of [`Caching::answer_cache_mb`].
pub const DEFAULT_ANSWER_CACHE_MB: u32 = 64;

/// Caching of search responses.
#[derive(Debug, Clone, Args)]
pub struct Caching {
    /// Seconds that HTTP caches may keep the response of a search [default: 300, and 0 under `noren serve`]
    #[arg(long, env = "NOREN_CACHE_SECONDS", value_name = "SECONDS")]
    pub cache_seconds: Option<u32>,
    /// Size of the in-memory cache of search responses in MB; 0 disables it
    #[arg(long, env = "NOREN_ANSWER_CACHE_MB", value_name = "MB", default_value_t = DEFAULT_ANSWER_CACHE_MB)]
    pub answer_cache_mb: u32,
    /// Maximum age of a response from memory with OpenSearch, which does not report changes, in seconds; 0 disables it
    #[arg(long, env = "NOREN_ANSWER_CACHE_SECONDS", value_name = "SECONDS", default_value_t = 1)]
    pub answer_cache_seconds: u32,
    /// Seconds for which the last response to a search is used while the index does not respond; 0 disables it
    #[arg(long, env = "NOREN_STALE_SECONDS", value_name = "SECONDS", default_value_t = 3600)]
    pub stale_seconds: u32,
}

/// The storefront.
#[derive(Debug, Clone, Args)]
pub struct Storefront {
    /// Show a shop at `/`, with pages of its products [default: false, and true under `noren serve --demo` if everyone may search]
    #[arg(
        long,
        env = "NOREN_STOREFRONT",
        value_name = "true|false",
        default_missing_value = "true",
        num_args = 0..=1,
        require_equals = true
    )]
    pub storefront: Option<bool>,
    /// Address of the shop as shoppers see it, such as https://shop.example, for its sitemap and for search engines
    #[arg(long, env = "NOREN_STOREFRONT_URL", value_name = "ADDRESS", value_parser = parse_shop_url)]
    pub storefront_url: Option<String>,
    /// Sites whose pictures of products the shop shows, such as https://images.example, separated by commas; it draws the others
    #[arg(
        long,
        env = "NOREN_STOREFRONT_IMAGES",
        value_name = "ORIGINS",
        value_delimiter = ',',
        value_parser = parse_image_origin
    )]
    pub storefront_images: Vec<String>,
}

impl Storefront {
    /// Checks that everyone may search if the storefront is on: browsers send no key.
    ///
    /// # Errors
    /// If searches need a key.
    pub fn check(&self, access: &Access) -> Result<(), StartError> {
        match self.storefront == Some(true) && !access.lets_everyone_search() {
            true => Err(StartError::usage(
                "a storefront needs searches without a key; set NOREN_ANONYMOUS=search (--anonymous search), or turn NOREN_STOREFRONT (--storefront) off",
            )),
            false => Ok(()),
        }
    }
}

/// Limits of import jobs.
#[derive(Debug, Clone, Copy, Args)]
pub struct ImportLimits {
    /// Largest file of an import job, in MB
    #[arg(
        long,
        env = "NOREN_IMPORT_MAX_MB",
        value_name = "MB",
        default_value_t = 16_384,
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub import_max_mb: u32,
    /// Most import jobs that are uploaded or not finished at a time
    #[arg(
        long,
        env = "NOREN_IMPORT_MAX_JOBS",
        value_name = "N",
        default_value_t = 100,
        value_parser = clap::value_parser!(u16).range(1..)
    )]
    pub import_max_jobs: u16,
}

impl Default for ImportLimits {
    fn default() -> Self {
        Self { import_max_mb: 16_384, import_max_jobs: 100 }
    }
}

/// Returns the error for a back end that is configured but not compiled into this build.
pub fn compiled_out(variable: &str, value: &str, feature: &str) -> StartError {
    StartError::usage(format!(
        "{variable}={value} needs a back end that this build does not have; \
         build with `--features {feature}` or choose another value"
    ))
}
