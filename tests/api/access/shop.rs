//! A folder with API keys, and services on it.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Answer, Running, finished, http_client};

/// A folder with API keys.
pub(super) struct Shop {
    dir: TempDir,
}

/// An API key as `noren keys` prints it.
pub(super) struct Key {
    pub(super) id: String,
    pub(super) key: String,
}

impl Key {
    /// Reads the output of `noren keys create --json` and of `noren keys rotate --json`.
    pub(super) fn of(output: &Output) -> Self {
        assert!(output.status.success(), "{output:?}");
        let created: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |field: &str| created[field].as_str().unwrap().to_owned();
        Self { id: text("id"), key: text("key") }
    }
}

impl Shop {
    pub(super) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(super) fn folder(&self) -> &str {
        self.dir.path().to_str().unwrap()
    }

    /// Runs `noren keys` on the folder.
    pub(super) fn keys(&self, arguments: &[&str]) -> Output {
        finished("noren", &[&["keys"], arguments, &["--data-dir", self.folder()]].concat(), &[])
    }

    /// Creates a key with these scopes.
    pub(super) fn key(&self, scopes: &str) -> Key {
        self.key_with(scopes, &[])
    }

    /// Creates a key with these scopes and further arguments.
    pub(super) fn key_with(&self, scopes: &str, more: &[&str]) -> Key {
        Key::of(&self.keys(&[&["create", "--name", scopes, "--scopes", scopes, "--json"], more].concat()))
    }

    /// Starts a program as a service on the folder.
    pub(super) async fn start(&self, name: &str, variables: &[(&str, &str)]) -> Running {
        self.start_with(name, variables, |_| {}).await
    }

    /// Does the same as [`Self::start`]; `prepare` changes the command last.
    pub(super) async fn start_with(
        &self,
        name: &str,
        variables: &[(&str, &str)],
        prepare: impl FnOnce(&mut Command),
    ) -> Running {
        let serve: &[&str] = if name == "noren" { &["serve"] } else { &[] };
        Running::start_with(name, &[serve, &["--data-dir", self.folder()]].concat(), |command| {
            command.envs(variables.iter().copied());
            prepare(command);
        })
        .await
    }
}

/// Builds a request to a service.
pub(super) fn request(service: &Running, method: Method, path: &str) -> RequestBuilder {
    http_client().request(method, format!("{}{path}", service.url))
}

/// Sends a `GET` with this key.
pub(super) async fn get(service: &Running, path: &str, key: &str) -> Answer {
    Answer::of(request(service, Method::GET, path).header("x-api-key", key)).await
}

/// Returns an address of a client that no other call of this process returns, for `X-Forwarded-For`.
pub(super) fn new_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let [_, b, c, d] = NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes();
    format!("10.{b}.{c}.{d}")
}
