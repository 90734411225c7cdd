//! A server process that ends with the tests, however they end.

use std::fmt;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use super::Kind;
use crate::support::repository;

/// The script that ends the server when its standard input is closed, which the operating system does when this
/// process ends.
const GUARD: &str = include_str!("guard.sh");

/// The number of log lines that are shown when a server fails.
const LAST_LINES: usize = 30;

/// A process that cannot outlive this one.
pub(super) struct ProcessGuard {
    guard: Mutex<Child>,
    folder: TempDir,
    address: Address,
}

/// The source of the port of a server.
pub(super) enum Address {
    /// The port that it was given.
    Port(u16),
    /// The port is in its log, after this text.
    Printed(&'static str),
    /// Docker reports the port that it published.
    Published { project: String, service: &'static str, port: u16 },
}

impl ProcessGuard {
    /// Starts a server in its own folder, which is removed with it.
    pub(super) fn start(
        folder: TempDir,
        server: &Command,
        cleanup: Option<&str>,
        address: Address,
    ) -> io::Result<Self> {
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "guard"]).arg(folder.path()).arg(cleanup.unwrap_or_default());
        guard.arg(server.get_program()).args(server.get_args());
        if let Some(current) = server.get_current_dir() {
            guard.current_dir(current);
        }
        // Ctrl-C in a terminal reaches a whole process group; the guard must survive it to clean up.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn()?;
        Ok(Self { guard: Mutex::new(guard), folder, address })
    }

    /// Returns true if the server has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        let mut guard = self.guard.lock().expect("nobody panics while holding it");
        !matches!(guard.try_wait(), Ok(None))
    }

    /// Returns the address of the server once it is known.
    pub(super) fn url(&self) -> Option<String> {
        let port = match &self.address {
            Address::Port(port) => *port,
            Address::Printed(before) => {
                let log = self.log();
                let (_, after) = log.split_once(before)?;
                // An incomplete line may have only half of the port.
                after.split_once('\n')?.0.trim().parse().ok()?
            }
            Address::Published { project, service, port } => {
                let output = compose(project).args(["port", service, &port.to_string()]).output().ok()?;
                String::from_utf8(output.stdout).ok()?.trim().rsplit(':').next()?.parse().ok()?
            }
        };
        Some(format!("http://127.0.0.1:{port}"))
    }

    fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the last lines of the log.
    pub(super) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl fmt::Debug for ProcessGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessGuard").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Drop for ProcessGuard {
    fn drop(&mut self) {
        let guard = self.guard.get_mut().expect("nobody panics while holding it");
        drop(guard.stdin.take());
        // If waiting fails, it has ended already.
        let _ = guard.wait();
    }
}

fn compose(project: &str) -> Command {
    let file = repository().join("tests/services/compose.yml");
    let mut command = Command::new("docker");
    command.args(["compose", "--project-name", project, "--file"]).arg(file);
    command
}

/// Starts a server in a container.
pub(super) fn by_compose(kind: Kind) -> io::Result<ProcessGuard> {
    let (service, port) = match kind {
        Kind::DynamoDb => ("dynamodb", 8000),
        Kind::Sqs => ("sqs", 9324),
        Kind::OpenSearch => ("opensearch", 9200),
    };
    let folder = tempfile::tempdir()?;
    // Valid for Compose and unique to this run.
    let project = format!("noren-tests-{service}-{}-{:x}", std::process::id(), fastrand::u32(..));
    let mut up = compose(&project);
    up.args(["up", "--no-color", service]);
    let mut down = compose(&project);
    down.args(["down", "--volumes", "--timeout", "1"]);
    let cleanup = shell_words(&down);
    ProcessGuard::start(folder, &up, Some(&cleanup), Address::Published { project, service, port })
}

/// Quotes a command for a shell.
fn shell_words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quote = |word: &str| format!("'{}'", word.replace('\'', r"'\''"));
    words.map(|word| quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Returns true if a Docker engine with Compose responds.
pub(super) fn has_compose() -> bool {
    let succeeds = |arguments: &[&str]| {
        let run = Command::new("docker").args(arguments).stdin(Stdio::null()).output();
        run.is_ok_and(|output| output.status.success())
    };
    succeeds(&["compose", "version"]) && succeeds(&["info"])
}

/// Returns the path as an argument.
pub(super) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn a_command_is_quoted_for_the_shell() {
    let mut command = Command::new("docker");
    command.args(["it's", "a b", "$HOME"]);
    let printed =
        Command::new("sh").args(["-c", &format!("printf '%s|' {}", shell_words(&command))]).output();
    assert_eq!(printed.unwrap().stdout, b"docker|it's|a b|$HOME|");
}

#[test]
fn a_server_ends_with_the_one_who_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let mut server = Command::new("sh");
    server.args(["-c", "echo at: 4711; echo $$ > \"$0/id\"; exec sleep 600"]).arg(&place);
    let cleanup = tempfile::NamedTempFile::new().unwrap();
    let clean = format!("echo cleaned > '{}'", text(cleanup.path()));
    let guard = ProcessGuard::start(folder, &server, Some(&clean), Address::Printed("at:")).unwrap();
    while guard.url().is_none() {
        assert!(!guard.has_ended(), "{}", guard.last_words());
        std::thread::yield_now();
    }
    assert_eq!(guard.url().unwrap(), "http://127.0.0.1:4711");
    let id = loop {
        let id = std::fs::read_to_string(place.join("id")).unwrap_or_default();
        if id.ends_with('\n') {
            break id.trim().to_owned();
        }
    };
    let lives = || Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status().unwrap().success();
    assert!(lives());
    drop(guard);
    assert!(!lives(), "the server is still there");
    assert!(!place.exists(), "its folder is still there");
    assert_eq!(std::fs::read_to_string(cleanup.path()).unwrap(), "cleaned\n");
}

#[test]
fn a_server_that_ends_by_itself_leaves_its_log() {
    let mut server = Command::new("sh");
    server.args(["-c", "echo no port is free >&2; exit 3"]);
    let guard = ProcessGuard::start(tempfile::tempdir().unwrap(), &server, None, Address::Port(1)).unwrap();
    while !guard.has_ended() {
        std::thread::yield_now();
    }
    assert_eq!(guard.last_words(), "no port is free");
    let place = guard.folder.path().to_owned();
    drop(guard);
    assert!(!place.exists());
}
