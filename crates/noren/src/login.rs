//! `noren login` and `noren logout`: store and remove the service that commands use, with the key for it.

use std::io::{IsTerminal as _, Read as _};

use clap::Args;
use reqwest::StatusCode;

use crate::client::{Api as _, Profile, Service};
use crate::failure::{Context as _, Failure};
use crate::terminal::print;

/// The longest key or token, in bytes.
const MAX_KEY_BYTES: u64 = 8 * 1024;

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
/// If the service does not answer or refuses the key, or the profile cannot be written.
pub(crate) async fn login(args: &LoginArgs) -> Result<(), Failure> {
    let file = Profile::file()?;
    // An address with a fault is reported before anyone types a key.
    Service::with_key(&args.url, None)?;
    let key = read_key()?;
    let service = Service::with_key(&args.url, Some(&key))?;
    // What the key may do does not matter: only a 401 means that the service does not know it.
    let response = service.get("/products/search", &[]).await?;
    if response.status == StatusCode::UNAUTHORIZED {
        let refused = format!("{} refuses this key; nothing is stored", service.url_text());
        return Err(Failure::new(refused)
            .because(response.success().err().map(|why| why.to_string()).unwrap_or_default()));
    }
    let url = service.url_text().to_owned();
    Profile { url: url.clone(), key }.store(&file)?;
    if service.is_readable_on_the_way() {
        eprintln!("warning: {url} has no TLS, so others can read the key on the way; use https://");
    }
    print(&format!("commands use {url} now; the key is in {}", file.display()))
}

/// Reads the key without showing it, or from standard input. An argument could be read by other users of the machine.
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
