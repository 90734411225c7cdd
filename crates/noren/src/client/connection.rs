//! The service that a command uses, and the key for it.

use std::path::Path;

use super::key::api_key;
use super::profile::Profile;
use super::service::Service;
use crate::failure::Failure;

/// Address of the service that a command uses by default.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Returns the client of a service:
///
/// 1. Its address is `url`, else that of the profile, else the one on this machine.
/// 2. The key comes from the file, else from the variables, else from the profile if its address is that of this service: the
///    key of a profile is never sent to another service.
///
/// # Errors
/// If the address is invalid, or the key or the profile cannot be read.
pub fn connect(url: Option<&str>, key_file: Option<&Path>) -> Result<Service, Failure> {
    let key = api_key(key_file)?;
    let profile = match (url, &key) {
        (Some(_), Some(_)) => None,
        _ => Profile::load()?,
    };
    let of_profile = profile.as_ref().map(|profile| profile.url.as_str());
    let service = Service::with_key(url.or(of_profile).unwrap_or(DEFAULT_URL), key.as_deref())?;
    match profile {
        Some(profile) if key.is_none() && Service::with_key(&profile.url, None)?.is_same_as(&service) => {
            Service::with_key(&profile.url, Some(&profile.key))
        }
        _ => Ok(service),
    }
}
