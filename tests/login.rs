//! `noren login` and `noren logout`.

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::support::{Running, command, finished};

/// A user with a folder for configuration, beside a service that asks for keys.
struct User {
    folder: tempfile::TempDir,
    service: Running,
    key: String,
}

/// The result of a command.
#[derive(Debug)]
struct Finished {
    code: i32,
    out: String,
    error: String,
}

impl User {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let arguments = ["--data-dir", data.to_str().unwrap()];
        let create = [&["keys", "create", "--name", "me", "--scopes", "search"], &arguments[..]].concat();
        let key = String::from_utf8(finished("noren", &create, &[]).stdout).unwrap().trim().to_owned();
        let serve = [&["serve"], &arguments[..]].concat();
        let service = Running::start_with("noren", &serve, |noren| {
            noren.env("NOREN_ACCESS", "keys");
        })
        .await;
        Self { folder, service, key }
    }

    fn profile(&self) -> PathBuf {
        self.folder.path().join("config/noren/profile.json")
    }

    /// Runs a command with this text on standard input.
    fn run(&self, arguments: &[&str], input: &str, variables: &[(&str, &str)]) -> Finished {
        let file = self.folder.path().join("input");
        std::fs::write(&file, input).unwrap();
        let mut noren = command("noren");
        noren.args(arguments).env("XDG_CONFIG_HOME", self.folder.path().join("config"));
        noren.envs(variables.iter().copied()).stdin(std::fs::File::open(&file).unwrap());
        let output = noren.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Finished { code: output.status.code().unwrap(), out: text(output.stdout), error: text(output.stderr) }
    }

    fn login(&self, key: &str) -> Finished {
        self.run(&["login", &self.service.url], &format!("{key}\n"), &[])
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_use_the_service_and_the_key_of_a_login() {
    let user = User::new().await;
    let login = user.login(&user.key);
    assert!(login.code == 0 && login.out.contains(&user.service.url), "{login:?}");
    assert!(!format!("{login:?}").contains(&user.key), "the key is not shown");
    assert_eq!((mode(&user.profile()), mode(user.profile().parent().unwrap())), (0o600, 0o700));
    let search = user.run(&["search", "lamp"], "", &[]);
    assert_eq!(search.code, 0, "{search:?}");
    let named = user.run(&["search", "lamp", "--url", &format!("{}/", user.service.url)], "", &[]);
    assert_eq!(named.code, 0, "the same service: {named:?}");
    let logout = user.run(&["logout"], "", &[]);
    assert!(logout.code == 0 && !user.profile().exists(), "{logout:?}");
    let without = user.run(&["search", "lamp", "--url", &user.service.url], "", &[]);
    assert!(without.code == 1 && without.error.contains("noren login"), "a 401 says how: {without:?}");
    assert_eq!(user.run(&["logout"], "", &[]).out.trim(), "nobody is logged in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_goes_before_a_variable_before_the_profile() {
    let user = User::new().await;
    assert_eq!(user.login(&user.key).code, 0);
    let wrong = format!("{}x", user.key);
    let variable = user.run(&["search", "lamp"], "", &[("NOREN_API_KEY", &wrong)]);
    assert_eq!(variable.code, 1, "the variable goes before the profile: {variable:?}");
    let file = user.folder.path().join("key");
    std::fs::write(&file, &user.key).unwrap();
    let flag = ["search", "lamp", "--api-key-file", file.to_str().unwrap()];
    let flag = user.run(&flag, "", &[("NOREN_API_KEY", &wrong)]);
    assert_eq!(flag.code, 0, "the flag goes before the variable: {flag:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_service_refuses_is_not_stored() {
    let user = User::new().await;
    assert_eq!(user.login(&user.key).code, 0);
    let stored = std::fs::read(user.profile()).unwrap();
    let refused = user.login("nrn_0123456789abcdef_wrong");
    assert!(refused.code == 1 && refused.error.contains("refuses this key"), "{refused:?}");
    let none = user.login("");
    assert!(none.code == 2 && none.error.contains("no key was given"), "{none:?}");
    assert_eq!(std::fs::read(user.profile()).unwrap(), stored);
    std::fs::write(user.profile(), "{").unwrap();
    let broken = user.run(&["search", "lamp"], "", &[]);
    assert!(broken.code == 1 && broken.error.contains("profile.json"), "{broken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_login_goes_to_no_other_service() {
    let user = User::new().await;
    assert_eq!(user.login(&user.key).code, 0);
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let other = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        let mut bytes = [0; 1024];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = stream.read(&mut bytes).unwrap();
            assert!(read > 0, "the head is complete");
            head.extend_from_slice(&bytes[..read]);
        }
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8(head).unwrap().to_lowercase()
    });
    assert_eq!(user.run(&["search", "lamp", "--url", &url], "", &[]).code, 1);
    let head = other.join().unwrap();
    assert!(head.starts_with("get /products/search") && !head.contains("x-api-key"), "{head}");
}

/// Returns the address of a server that redirects one request to `target`.
fn redirecting_to(target: &str) -> String {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", server.local_addr().unwrap());
    let response =
        format!("HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    std::thread::spawn(move || {
        let (mut connection, _) = server.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]);
        connection.write_all(response.as_bytes()).unwrap();
    });
    url
}

#[test]
fn a_key_is_not_sent_to_where_a_service_redirects() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let target = format!("http://{}/", other.local_addr().unwrap());
    for arguments in [&["keys", "list"][..], &["search", "tea"], &["export"]] {
        let url = redirecting_to(&target);
        let arguments = [arguments, &["--url", &url]].concat();
        let output = finished("noren", &arguments, &[("NOREN_API_KEY", "nrn_0123456789abcdef_secret")]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains("redirects"), "{arguments:?}: {error}");
    }
    assert_eq!(other.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody called");
}
