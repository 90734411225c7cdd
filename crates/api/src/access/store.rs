//! Opens the access store that the configuration names.

use std::sync::Arc;

use access::{AccessStore, Keyring};
use runtime::access::Guard;
use runtime::config::{self, AccessStoreKind, Reach};
use runtime::{Part, StartError, Waiting};

/// The file of the access store in a data folder.
#[cfg(feature = "embedded")]
const FILE: &str = "access.db";
/// The name of the access store in `/health/ready`.
const PART: &str = "access";

/// Options of opening the access store of a service.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions<'a> {
    /// The folder of a store in a file.
    pub data_dir: &'a config::DataDir,
    /// The switch for the creation of a missing table.
    pub create_tables: &'a config::CreateTables,
    /// The retries while a server does not respond.
    pub waiting: &'a Waiting,
}

/// Opens the guard of a service. Opens the access store only if the service accepts keys, and retries while its server does not
/// respond.
///
/// # Errors
/// If others can reach the service but its configuration does not say who may use it, or if the access store cannot be opened.
pub async fn open(
    access: &config::Access,
    reach: Reach,
    options: StoreOptions<'_>,
) -> Result<Guard, StartError> {
    access.check(reach)?;
    let keyring = match access.accepts_keys() {
        true => Some(Arc::new(Keyring::new(open_configured(access, options).await?))),
        false => None,
    };
    access.guard(reach, keyring)
}

/// Opens the access store for a command, without waiting. Creates a missing file, but not a missing table.
///
/// # Errors
/// If it cannot be opened. The message says what to do.
pub async fn open_store(
    access: &config::Access,
    data_dir: &config::DataDir,
) -> Result<Arc<dyn AccessStore>, StartError> {
    let create_tables = &config::CreateTables { create_tables: false };
    open_configured(access, StoreOptions { data_dir, create_tables, waiting: &Waiting::none() }).await
}

/// Returns true if the data folder `folder` has an access store.
#[cfg(feature = "embedded")]
pub fn exists_in(folder: &std::path::Path) -> bool {
    folder.join(FILE).is_file()
}

/// Returns the names of the parts that a service waits for at its start: its own parts, and the access store if it is on a server.
pub fn parts_to_open(access: &config::Access, own: &[&'static str]) -> Vec<&'static str> {
    let waits = access.accepts_keys() && access.access_store == AccessStoreKind::Dynamodb;
    own.iter().copied().chain(waits.then_some(PART)).collect()
}

/// Returns the readiness part of the access store, if the guard has one.
pub fn part(guard: &Guard) -> Option<Part> {
    let store = Arc::clone(guard.keyring()?.store());
    Some(Part::new(PART, move || {
        let store = Arc::clone(&store);
        async move { store.ready().await.map_err(|error| error.chain()) }
    }))
}

#[cfg_attr(not(feature = "aws"), expect(clippy::unused_async, reason = "DynamoDB is opened by calls"))]
async fn open_configured(
    access: &config::Access,
    options: StoreOptions<'_>,
) -> Result<Arc<dyn AccessStore>, StartError> {
    match access.access_store {
        #[cfg(feature = "embedded")]
        AccessStoreKind::Sqlite => {
            let file = options.data_dir.data_dir.join(FILE);
            let store = sqlite_access::SqliteAccess::open(&file).map_err(cannot_open)?;
            Ok(Arc::new(store))
        }
        #[cfg(not(feature = "embedded"))]
        AccessStoreKind::Sqlite => Err(config::compiled_out("NOREN_ACCESS_STORE", "sqlite", "embedded")),
        #[cfg(feature = "aws")]
        AccessStoreKind::Dynamodb => {
            let store = dynamodb_access::DynamoDbAccess::load(&access.access_table).await;
            let store = store.map_err(|error| StartError::because("cannot use AWS", error))?;
            let attempt = async || {
                store.check(options.create_tables.create_tables).await.map_err(|error| {
                    let is_transient = error.is_transient();
                    cannot_open(error).transient(is_transient)
                })
            };
            options.waiting.open(PART, attempt, || Ok(())).await?;
            Ok(Arc::new(store))
        }
        #[cfg(not(feature = "aws"))]
        AccessStoreKind::Dynamodb => Err(config::compiled_out("NOREN_ACCESS_STORE", "dynamodb", "aws")),
    }
}

#[cfg(any(feature = "aws", feature = "embedded"))]
fn cannot_open(error: impl std::error::Error + Send + Sync + 'static) -> StartError {
    StartError::because("cannot open the access store", error)
}
