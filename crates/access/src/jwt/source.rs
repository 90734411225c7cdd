//! Reading a key set from its URL or file.

use std::fmt;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};

use super::options::{JwksSource, JwtOptionsError};

/// The time limit of a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit of a whole request.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of a key set.
const MAX_BYTES: usize = 512 * 1024;

/// The source of a key set.
pub(super) enum Source {
    /// An address, with the client for it.
    Url(Url, Client),
    /// A file.
    File(PathBuf),
}

/// The reason for which a key set could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error("no whole response within {} s", FETCH_TIMEOUT.as_secs())]
    TimedOut,
    #[error("the request failed")]
    Failed(#[source] reqwest::Error),
    #[error("the response has the status {0}, which is not 200; redirects are not followed")]
    Status(StatusCode),
    #[error("it has more than {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the file cannot be read")]
    File(#[source] std::io::Error),
}

impl Source {
    pub(super) fn open(source: JwksSource) -> Result<Self, JwtOptionsError> {
        let text = match source {
            JwksSource::Url(text) => text,
            JwksSource::File(path) => return Ok(Self::File(path)),
        };
        let refused = |fault| JwtOptionsError::Url { url: text.clone(), fault };
        let url = Url::parse(&text).map_err(|_| refused("it is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            // The text is not repeated, because it may contain a password.
            let (url, fault) = ("https://…@…".to_owned(), "it must not have a user or a password");
            return Err(JwtOptionsError::Url { url, fault });
        }
        let is_local = is_loopback(&url);
        match url.scheme() {
            "https" => {}
            "http" if is_local => {}
            "http" => return Err(refused("http:// is possible only on this machine; use https://")),
            _ => return Err(refused("it must begin with https://")),
        }
        // Fails only if another part of the process has installed a provider, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(FETCH_TIMEOUT)
            // A redirect could lead away from TLS.
            .redirect(Policy::none())
            .user_agent(concat!("noren/", env!("CARGO_PKG_VERSION")));
        if is_local {
            // A proxy would look for the address on its own machine.
            client = client.no_proxy();
        }
        let client = client.build().map_err(|error| JwtOptionsError::Client(error.into()))?;
        Ok(Self::Url(url, client))
    }

    /// Reads the key set, within 5 s.
    pub(super) async fn read(&self) -> Result<Vec<u8>, ReadError> {
        match self {
            Self::Url(url, client) => fetch(client, url).await,
            Self::File(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_file(&path));
                match tokio::time::timeout(FETCH_TIMEOUT, read).await {
                    Ok(read) => read.unwrap_or_else(|error| Err(ReadError::File(error.into()))),
                    Err(_) => Err(ReadError::TimedOut),
                }
            }
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url, _) => url.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Reads a key set from a file.
pub(super) fn read_file(path: &std::path::Path) -> Result<Vec<u8>, ReadError> {
    let mut json = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    std::fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut json))
        .map_err(ReadError::File)?;
    if json.len() > MAX_BYTES { Err(ReadError::TooLarge) } else { Ok(json) }
}

async fn fetch(client: &Client, url: &Url) -> Result<Vec<u8>, ReadError> {
    let mut response = client.get(url.clone()).send().await.map_err(failed)?;
    if response.status() != StatusCode::OK {
        return Err(ReadError::Status(response.status()));
    }
    let mut json = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if json.len() + chunk.len() > MAX_BYTES {
            return Err(ReadError::TooLarge);
        }
        json.extend_from_slice(&chunk);
    }
    Ok(json)
}

/// Returns the error without the URL, which is named once where the error is logged.
fn failed(error: reqwest::Error) -> ReadError {
    if error.is_timeout() { ReadError::TimedOut } else { ReadError::Failed(error.without_url()) }
}

fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}
