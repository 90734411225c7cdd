//! The real binaries as processes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use reqwest::StatusCode;

use super::{PATIENCE, folder, http_client, record, repository, wait_until};

/// Returns the path of a binary: in the folder `NOREN_TEST_PROGRAMS` if it is set, as measurements need a release build,
/// otherwise built with the profile of the tests.
fn binary(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        if let Some(folder) = folder("NOREN_TEST_PROGRAMS") {
            return folder;
        }
        // `cargo test` builds the binaries of a package only for tests of that same package.
        let mut build = Command::new(env!("CARGO"));
        // Cargo's variables of this package are removed: build scripts of dependencies would take them for a change, and
        // everything that depends on them would be rebuilt, here and again by the next manual build.
        let of_the_package = ["CARGO_MANIFEST_", "CARGO_PKG_"];
        for (variable, _) in std::env::vars_os() {
            if of_the_package.iter().any(|start| variable.as_encoded_bytes().starts_with(start.as_bytes())) {
                build.env_remove(variable);
            }
        }
        // `--tests` gives dependencies the same features as in the build of the tests, so they are not compiled again.
        let built = build
            .args(["build", "--workspace", "--bins", "--tests", "--quiet"])
            .args(if cfg!(debug_assertions) { None } else { Some("--release") })
            .current_dir(repository())
            .status()
            .expect("cargo can be started");
        assert!(built.success(), "the binaries can be built");
        // The tests are in target/PROFILE/deps, the binaries in its parent.
        let tests = std::env::current_exe().expect("a test has a path");
        tests.parent().and_then(Path::parent).expect("tests lie in target").to_owned()
    });
    folder.join(name)
}

/// Builds a command for the binary, without variables of Noren.
pub(crate) fn command(name: &str) -> Command {
    command_at(&binary(name))
}

/// Builds a command for the program at this path, without variables of Noren.
pub(crate) fn command_at(program: &Path) -> Command {
    clean(Command::new(program))
}

/// Removes the variables of Noren from the environment of a command.
fn clean(mut command: Command) -> Command {
    for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("NOREN_")) {
        command.env_remove(variable);
    }
    command.stdin(Stdio::null());
    command
}

/// Builds a command that runs another one in a shell, after `script`, such as `ulimit -n 1024`.
pub(crate) fn after_script(script: &str, command: &Command) -> Command {
    let mut shell = clean(Command::new("sh"));
    shell.args(["-c", &format!("{script} && exec \"$0\" \"$@\"")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.stdout(Stdio::null()).stderr(Stdio::null());
    shell
}

/// Runs the binary to its end.
///
/// # Panics
/// Panics if it does not end in time.
pub(crate) fn finished(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    record();
    let mut command = command(name);
    command.args(arguments).envs(variables.iter().copied());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let id = child.id();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    match receiver.recv_timeout(PATIENCE * 4) {
        Ok(output) => output.expect("its output can be read"),
        Err(_) => {
            signal(id, "KILL");
            panic!("{name} {arguments:?} does not end");
        }
    }
}

/// A service that runs until it is dropped.
pub(crate) struct Running {
    child: std::process::Child,
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Running {
    /// Starts the service on a free port and waits until its back ends are open.
    pub(crate) async fn start(name: &str, arguments: &[&str]) -> Self {
        Self::start_with(name, arguments, |_| {}).await
    }

    /// Does the same as [`Self::start`]; `prepare` changes the command last.
    pub(crate) async fn start_with(
        name: &str,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        Self::start_command(command(name), name, arguments, prepare).await
    }

    /// Starts the service on a free port and waits until it is live; it may still wait for its back ends.
    pub(crate) async fn start_waiting(name: &str, prepare: impl FnOnce(&mut Command)) -> Self {
        let running = Self::spawn(command(name), name, &[], prepare);
        running.wait_for("/health/live", StatusCode::OK).await;
        running
    }

    /// Starts the service with this folder on its own disk of `size_mb` megabytes, of which `filled_mb` are filled until
    /// something is written to the returned pipe. Returns `None` if this system does not allow mounts.
    pub(crate) async fn start_on_small_disk(
        name: &str,
        arguments: &[&str],
        folder: &Path,
        size_mb: u32,
        filled_mb: u32,
    ) -> Option<(Self, PathBuf)> {
        // In its own namespace the caller may mount, and the disk disappears with the process.
        const SCRIPT: &str = "
            set -e
            mount -t tmpfs -o size=\"$2m\" tmpfs \"$1\"
            head -c \"$3m\" /dev/zero > \"$1/filled\"
            timeout 300 sh -c 'read -r line < \"$1\"; rm \"$2/filled\"' wait \"$4\" \"$1\" &
            shift 4
            exec \"$@\"";
        let can_mount = Command::new("unshare").args(["-rm", "true"]).stderr(Stdio::null()).status();
        if !can_mount.is_ok_and(|status| status.success()) {
            let why = "this system allows no mounts in a namespace (unshare -rm)";
            assert!(std::env::var_os("CI").is_none(), "{why}");
            println!("{why}; the test of a full disk passes over");
            return None;
        }
        std::fs::create_dir_all(folder).expect("the folder can be made");
        let pipe = folder.with_extension("pipe");
        let made = Command::new("mkfifo").arg(&pipe).status().expect("there is a mkfifo");
        assert!(made.success());
        let mut command = clean(Command::new("unshare"));
        command.args(["-rm", "sh", "-c", SCRIPT, "disk"]).arg(folder);
        command.args([size_mb.to_string(), filled_mb.to_string()]).arg(&pipe).arg(binary(name));
        Some((Self::start_command(command, name, arguments, |_| {}).await, pipe))
    }

    async fn start_command(
        command: Command,
        name: &str,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        let running = Self::spawn(command, name, arguments, prepare);
        // A service that waits for its back ends responds to every path with 503.
        running.wait_for("/no-such-path", StatusCode::NOT_FOUND).await;
        running
    }

    fn spawn(
        mut command: Command,
        name: &str,
        arguments: &[&str],
        prepare: impl FnOnce(&mut Command),
    ) -> Self {
        record();
        let port = free_port();
        let listen = format!("127.0.0.1:{port}");
        command.args(arguments).args(["--listen", &listen]).stdout(Stdio::null()).stderr(Stdio::null());
        prepare(&mut command);
        let child = command.spawn().expect("it starts");
        Self { child, url: format!("http://{listen}"), name: name.to_owned() }
    }

    async fn wait_for(&self, path: &str, status: StatusCode) {
        let (client, url) = (http_client(), format!("{}{path}", self.url));
        wait_until(&format!("{} answers {path} with {status}", self.name), async || {
            client.get(&url).send().await.is_ok_and(|answer| answer.status() == status)
        })
        .await;
    }

    /// Returns its anonymous memory in bytes, if the system reports it.
    pub(crate) fn own_memory(&self) -> Option<u64> {
        self.memory_line("RssAnon:")
    }

    /// Returns its resident memory in bytes, if the system reports it.
    pub(crate) fn memory(&self) -> Option<u64> {
        self.memory_line("VmRSS:")
    }

    fn memory_line(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok().map(|kilobytes: u64| kilobytes * 1024)
    }

    /// Sends SIGKILL and waits for the end.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Sends Ctrl-C and waits for the end.
    pub(crate) fn interrupt(mut self) -> std::process::ExitStatus {
        let begun = Instant::now();
        signal(self.child.id(), "INT");
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "{} does not stop", self.name);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killing fails only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(id: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &id.to_string()]).status();
    assert!(sent.expect("there is a kill").success());
}

/// Returns a port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}
