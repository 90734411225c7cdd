//! A server as a process under guard: it ends when the tests end, whatever ended them.

use std::fmt;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use tempfile::TempDir;

use super::Kind;
use crate::support::repository;

/// What ends the server when its standard input is closed, and the operating system closes that with this process.
const GUARD: &str = include_str!("guard.sh");

/// How much of a server's log is shown when it fails.
const LAST_LINES: usize = 30;

/// A process that may not outlive this one.
pub(super) struct Guarded {
    guard: Mutex<Child>,
    folder: TempDir,
    address: Address,
}

/// How to learn the address of a server.
pub(super) enum Address {
    /// The port it was told to take.
    Port(u16),
    /// It prints a line with this before the port.
    Printed(&'static str),
    /// Docker knows which port of this machine stands for this one of the service.
    Published { project: String, service: &'static str, port: u16 },
}

impl Guarded {
    /// Starts a server in a folder of its own, which goes with it.
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
        // Ctrl-C in a terminal goes to a whole group; the guard is to outlive it and clean up.
        guard.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let guard = guard.spawn()?;
        Ok(Self { guard: Mutex::new(guard), folder, address })
    }

    /// Whether the server has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        let mut guard = self.guard.lock().expect("nobody panics while holding it");
        !matches!(guard.try_wait(), Ok(None))
    }

    /// Where the server is, as soon as that is known.
    pub(super) fn url(&self) -> Option<String> {
        let port = match &self.address {
            Address::Port(port) => *port,
            Address::Printed(before) => {
                let log = self.log();
                let (_, after) = log.split_once(before)?;
                // A line that is not complete may have half a port.
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

    /// The end of what the server wrote.
    pub(super) fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let guard = self.guard.get_mut().expect("nobody panics while holding it");
        drop(guard.stdin.take());
        // One that cannot be waited for is gone already.
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
pub(super) fn by_compose(kind: Kind) -> io::Result<Guarded> {
    let (service, port) = match kind {
        Kind::DynamoDb => ("dynamodb", 8000),
        Kind::Sqs => ("sqs", 9324),
        Kind::OpenSearch => ("opensearch", 9200),
    };
    let folder = tempfile::tempdir()?;
    // Made of letters that Compose takes, and of nothing that another run could have, too.
    let project = format!("noren-tests-{service}-{}-{:x}", std::process::id(), fastrand::u32(..));
    let mut up = compose(&project);
    up.args(["up", "--no-color", service]);
    let mut down = compose(&project);
    down.args(["down", "--volumes", "--timeout", "1"]);
    let cleanup = shell_words(&down);
    Guarded::start(folder, &up, Some(&cleanup), Address::Published { project, service, port })
}

/// The command as a shell reads it.
fn shell_words(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quote = |word: &str| format!("'{}'", word.replace('\'', r"'\''"));
    words.map(|word| quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// Whether a Docker engine answers, and has Compose.
pub(super) fn has_compose() -> bool {
    let succeeds = |arguments: &[&str]| {
        let run = Command::new("docker").args(arguments).stdin(Stdio::null()).output();
        run.is_ok_and(|output| output.status.success())
    };
    succeeds(&["compose", "version"]) && succeeds(&["info"])
}

/// The path as an argument.
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
    let guarded = Guarded::start(folder, &server, Some(&clean), Address::Printed("at:")).unwrap();
    while guarded.url().is_none() {
        assert!(!guarded.has_ended(), "{}", guarded.last_words());
        std::thread::yield_now();
    }
    assert_eq!(guarded.url().unwrap(), "http://127.0.0.1:4711");
    let id = loop {
        let id = std::fs::read_to_string(place.join("id")).unwrap_or_default();
        if id.ends_with('\n') {
            break id.trim().to_owned();
        }
    };
    let lives = || Command::new("kill").args(["-0", &id]).stderr(Stdio::null()).status().unwrap().success();
    assert!(lives());
    drop(guarded);
    assert!(!lives(), "the server is still there");
    assert!(!place.exists(), "its folder is still there");
    assert_eq!(std::fs::read_to_string(cleanup.path()).unwrap(), "cleaned\n");
}

#[test]
fn a_server_that_ends_by_itself_leaves_its_log() {
    let mut server = Command::new("sh");
    server.args(["-c", "echo no port is free >&2; exit 3"]);
    let guarded = Guarded::start(tempfile::tempdir().unwrap(), &server, None, Address::Port(1)).unwrap();
    while !guarded.has_ended() {
        std::thread::yield_now();
    }
    assert_eq!(guarded.last_words(), "no port is free");
    let place = guarded.folder.path().to_owned();
    drop(guarded);
    assert!(!place.exists());
}
