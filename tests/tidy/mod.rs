//! The rules of the design that the compiler does not enforce.
//!
//! Most rules about code ignore comments and the contents of literals, and tell the tests in a file from its other code.

mod code;
mod dependencies;
mod documents;
mod modules;
mod source;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use source::Source;

/// A package of the workspace.
struct Member {
    name: String,
    folder: PathBuf,
    /// Dependencies of all kinds, optional ones included.
    dependencies: BTreeSet<String>,
}

fn members() -> Vec<Member> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs the tests, so it can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let packages = metadata["packages"].as_array().expect("there are packages");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let members: Vec<Member> = packages
        .iter()
        .map(|package| Member {
            name: text(&package["name"]),
            folder: Path::new(&text(&package["manifest_path"])).parent().expect("a folder").to_owned(),
            dependencies: package["dependencies"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|dependency| text(&dependency["name"]))
                .collect(),
        })
        .collect();
    assert!(members.len() >= 9, "the whole workspace is seen");
    members
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}

/// Returns every Rust file of the workspace.
fn sources() -> Vec<Source> {
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    let sources: Vec<Source> = rust
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a source is text");
            let path = path.strip_prefix(root()).expect("it was found there").to_string_lossy().into_owned();
            Source::new(path, text)
        })
        .collect();
    assert!(sources.len() > 20, "the sources were found");
    sources
}

/// Returns every file of the checkout, without build output, downloads and data.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![root().to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the checkout can be read") {
            let path = entry.expect("it can be read to its end").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !matches!(name, "target" | "data" | ".git" | "node_modules") {
                open.push(path);
            } else if path.is_file() && name != ".git" {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
