//! Configuration from variables alone, for commands that open back ends without the flags of the services.

use clap::Args;
use runtime::config::{self, AccessStoreKind};

use crate::configuration::Kinds;
use crate::failure::Failure;

/// Reads flags from their variables, with the defaults and the validation of a service that is started without flags.
///
/// # Errors
/// If a variable has an invalid value.
pub(super) fn from_environment<T: Args>() -> Result<T, Failure> {
    Ok(runtime::start::parse_variables()?)
}

/// Checks that the variables choose the access store of a data folder.
///
/// # Errors
/// If they choose another one, which would be used instead of the folder.
pub(super) fn check_embedded_keys() -> Result<(), Failure> {
    match from_environment::<config::Access>()?.access_store {
        AccessStoreKind::Sqlite => Ok(()),
        AccessStoreKind::Dynamodb => Err(Failure::usage(
            "NOREN_ACCESS_STORE=dynamodb is not in a data folder, which this command works on; unset the variable, or use \
             --back-ends or --url",
        )),
    }
}

/// Checks that the variables choose the embedded back ends, which are those of a data folder.
///
/// # Errors
/// If they choose another one, which would be ignored.
pub(crate) fn check_embedded() -> Result<(), Failure> {
    Ok(from_environment::<Kinds>()?.check_embedded()?)
}
