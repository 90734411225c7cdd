//! Finds the commit that is built: `NOREN_COMMIT`, otherwise the commit that git has checked out here.

use std::path::Path;
use std::process::Command;

/// The number of hexadecimal digits of a commit that are shown.
const DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-env-changed=NOREN_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = given().or_else(checked_out);
    let commit = commit.as_deref().unwrap_or("commit unknown: built without git and NOREN_COMMIT");
    println!("cargo::rustc-env=NOREN_VERSION={} ({commit})", env!("CARGO_PKG_VERSION"));
}

/// Returns the commit that `NOREN_COMMIT` names.
///
/// # Panics
/// If the variable is not the hash of a commit: a release must not name a wrong one.
fn given() -> Option<String> {
    let commit = std::env::var("NOREN_COMMIT").ok().filter(|commit| !commit.is_empty())?;
    let is_hash = commit.len() >= 7 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(
        is_hash,
        "NOREN_COMMIT={commit} is not the hash of a commit; write what `git rev-parse HEAD` writes"
    );
    Some(commit[..commit.len().min(DIGITS)].to_owned())
}

/// Returns the commit of the repository whose root is this workspace. In a source archive that was unpacked inside another
/// repository, git would name a commit of that one.
fn checked_out() -> Option<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let root = git(&["rev-parse", "--show-toplevel"])?;
    if Path::new(&root).canonicalize().ok()? != workspace.canonicalize().ok()? {
        return None;
    }
    // The log of HEAD grows with each commit and each checkout. A file that does not exist would count as changed always.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--path-format=absolute", "--git-path", file])?;
        if Path::new(&path).exists() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", &format!("--short={DIGITS}"), "HEAD"])
}

/// Returns the output of git in this folder, or `None` without git or a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
