//! Configuration from variables alone, for commands that open back ends without the flags of the services.

use clap::Args;

use crate::failure::Failure;

/// Reads flags from their variables, with the defaults and the validation of a service that is started without flags.
///
/// # Errors
/// If a variable has an invalid value.
pub(super) fn from_environment<T: Args>() -> Result<T, Failure> {
    let command = T::augment_args(clap::Command::new("noren"));
    let read = command.try_get_matches_from(["noren"]).and_then(|matches| T::from_arg_matches(&matches));
    read.map_err(|error| {
        // The lines after the first describe flags that this command does not have.
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        Failure::usage(line.strip_prefix("error: ").unwrap_or(line))
    })
}
