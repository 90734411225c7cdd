//! Opening the access store.

use std::sync::Arc;

use access::{AccessStore, Keyring};
use runtime::StartError;
use runtime::access::Guard;
use runtime::config::{self, AccessStoreKind, Reach};

/// The file of the access store in a data folder.
#[cfg(feature = "embedded")]
const FILE: &str = "access.db";

/// Opens the guard of a service as the configuration says. The access store is opened only if keys are accepted.
///
/// # Errors
/// If others reach the service and nobody said who may use it, or if the access store cannot be opened.
pub async fn open(
    access: &config::Access,
    reach: Reach,
    data_dir: &config::DataDir,
) -> Result<Guard, StartError> {
    let keyring = match access.check(reach)? {
        true => Some(Arc::new(Keyring::new(open_store(access, data_dir).await?))),
        false => None,
    };
    access.guard(reach, keyring)
}

/// Opens the access store, creating it if it is missing.
///
/// # Errors
/// If it cannot be opened, with what to do about it.
pub async fn open_store(
    access: &config::Access,
    data_dir: &config::DataDir,
) -> Result<Arc<dyn AccessStore>, StartError> {
    match access.access_store {
        #[cfg(feature = "embedded")]
        AccessStoreKind::Sqlite => {
            let file = data_dir.data_dir.join(FILE);
            let store = sqlite_access::SqliteAccess::open(&file)
                .map_err(|error| StartError::because("cannot open the access store", error))?;
            Ok(Arc::new(store))
        }
        #[cfg(not(feature = "embedded"))]
        AccessStoreKind::Sqlite => Err(config::compiled_out("NOREN_ACCESS_STORE", "sqlite", "embedded")),
        AccessStoreKind::Dynamodb => Err(config::compiled_out("NOREN_ACCESS_STORE", "dynamodb", "aws")),
    }
}
