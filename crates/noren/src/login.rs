//! `noren login` and `noren logout`: store and remove the service that commands use, with the key for it.

use std::io::{IsTerminal as _, Read as _};

use clap::Args;

use crate::client::{KeyCheck, MAX_KEY_BYTES, Profile, Service};
use crate::failure::{Context as _, Failure};
use crate::terminal::print;

/// `noren login`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren login https://shop.example
  noren login http://127.0.0.1:8080 < key-file

Commands without --url then use this service, and this key unless --api-key-file, NOREN_API_KEY_FILE or NOREN_API_KEY gives another one. \
The key is asked for, or read from standard input; it is stored in noren/profile.json in your folder for configuration, readable by you \
alone.")]
pub struct LoginArgs {
    /// Address of the service
    #[arg(value_name = "URL")]
    pub url: String,
}

/// `noren logout`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren logout

The key stays valid; `noren keys revoke` ends it.")]
pub struct LogoutArgs {}

/// Reads a key, lets the service check it, and stores both.
///
/// # Errors
/// If the service does not answer, does not know the key or is no service of Noren, or the profile cannot be written.
pub(crate) async fn login(args: &LoginArgs) -> Result<(), Failure> {
    let file = Profile::file()?;
    // Faults of the address are reported before anyone types a key.
    let without_key = Service::with_key(&args.url, None)?;
    without_key.check_storable()?;
    let url = without_key.url_text();
    if without_key.is_readable_on_the_way() {
        runtime::err_line!("warning: {url} has no TLS, so others can read the key on the way; use https://");
    }
    let key = read_key()?;
    let service = Service::with_key(&args.url, Some(&key))?;
    match service.check_key().await? {
        KeyCheck::Known => {}
        KeyCheck::Refused(why) => {
            return Err(Failure::new(format!("{url} refuses this key; nothing is stored")).because(why));
        }
        KeyCheck::Unchecked(why) => {
            return Err(Failure::new(format!("{url} did not check the key; nothing is stored")).because(why));
        }
    }
    Profile { url: url.clone(), key }.store(&file)?;
    print(&format!("commands use {url} now; the key is in {}", file.display()))
}

/// Reads the key from the terminal without showing it, or from standard input. An argument could be read by other users of the
/// machine.
fn read_key() -> Result<String, Failure> {
    let stdin = std::io::stdin();
    let text = if stdin.is_terminal() {
        rpassword::prompt_password("API key: ").context(|| "reading the key".to_owned())?
    } else {
        let mut text = String::new();
        let read = stdin.take(MAX_KEY_BYTES + 1).read_to_string(&mut text);
        read.context(|| "reading the key from standard input".to_owned())?;
        text
    };
    let key = text.trim();
    if key.is_empty() || key.len() as u64 > MAX_KEY_BYTES {
        return Err(Failure::usage(
            "no key was given; type it, or write it to standard input, such as `noren login URL < key-file`",
        ));
    }
    Ok(key.to_owned())
}

/// Removes the profile.
///
/// # Errors
/// If the file cannot be removed.
pub(crate) fn logout(_: &LogoutArgs) -> Result<(), Failure> {
    let file = Profile::file()?;
    match Profile::remove(&file)? {
        true => print(&format!("{} is removed; the key stays valid until it is revoked", file.display())),
        false => print("nobody is logged in"),
    }
}
