//! The design's rules that the compiler does not hold.
//!
//! Sources are read without their comments and the contents of their texts, and apart from the tests inside them,
//! so that a rule about code is not broken by a sentence about it.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use source::Source;

/// The most lines of code a file may have; tests, comments and lists of texts are not counted.
const MAX_CODE_LINES: usize = 600;
/// The most lines a `main.rs` may have.
const MAX_MAIN_LINES: usize = 30;

// ------------------------------------------------------------------------------------------------ arrows

/// Which packages of the workspace each package may name, also those that later work brings. A new package takes
/// its place here, or nobody knows what it may reach.
fn allowed_arrows(package: &str) -> Option<Vec<&'static str>> {
    const STORES: [&str; 2] = ["embedded-store", "dynamodb-store"];
    const QUEUES: [&str; 2] = ["embedded-store", "sqs-queue"];
    const INDEXES: [&str; 2] = ["tantivy-index", "opensearch-index"];
    const SERVICES: [&str; 3] = ["command", "query", "sync"];
    let adapters = [STORES, QUEUES, INDEXES].concat();
    let base = ["domain", "runtime"];
    Some(match package {
        "domain" | "runtime" => Vec::new(),
        // What all indexes make of text, so that they find the same, and what query says about it.
        "text" => vec!["domain"],
        // What a shop decided about searches; it folds words as they do.
        "rules" => vec!["domain", "text"],
        // What the adapters of AWS share; those that may not use it have no crate of AWS to use it with.
        "aws-setup" => vec!["domain"],
        index if INDEXES.contains(&index) => vec!["domain", "aws-setup", "text"],
        adapter if adapters.contains(&adapter) => vec!["domain", "aws-setup"],
        // What HTTP and products have in common.
        "api" => base.to_vec(),
        "demo" | "feeds" => vec!["domain"],
        "bench" => base.to_vec(),
        "command" => [&base[..], &["api", "feeds"], &STORES, &QUEUES, &["aws-setup"]].concat(),
        "query" => [&base[..], &["api"], &INDEXES, &["rules", "text"]].concat(),
        "sync" => [&base[..], &["api"], &QUEUES, &INDEXES, &["aws-setup", "rules"]].concat(),
        "noren" => [&base[..], &adapters, &SERVICES, &["rules", "api", "demo", "bench", "feeds"]].concat(),
        "tests" => {
            [&base[..], &adapters, &SERVICES, &["aws-setup", "noren", "api", "demo", "bench", "feeds"]]
                .concat()
        }
        _ => return None,
    })
}

/// Crates from elsewhere that belong to some packages only.
const RESERVED_CRATES: [(&[&str], &[&str]); 9] = [
    (&["rusqlite"], &["embedded-store"]),
    (&["tantivy", "levenshtein_automata"], &["tantivy-index"]),
    (&["opensearch"], &["opensearch-index"]),
    (&["toml"], &["rules"]),
    (&["axum", "utoipa-axum"], &["runtime", "api", "command", "query", "sync", "noren", "bench", "tests"]),
    (
        &["tokio", "tower", "tower-http", "hyper", "reqwest", "tracing", "metrics"],
        &[
            "runtime",
            "api",
            "bench",
            "command",
            "query",
            "sync",
            "noren",
            "tests",
            "embedded-store",
            "tantivy-index",
            "aws-setup",
            "dynamodb-store",
            "sqs-queue",
            "opensearch-index",
        ],
    ),
    (&["aws-config"], &["aws-setup"]),
    (&["aws-sdk-dynamodb"], &["dynamodb-store"]),
    (&["aws-sdk-sqs"], &["sqs-queue"]),
];

#[test]
fn arrows_point_one_way() {
    let members = members();
    let mut wrong = Vec::new();
    for (name, dependencies) in members.iter().map(|member| (&member.name, &member.dependencies)) {
        let allowed = allowed_arrows(name).unwrap_or_else(|| panic!("{name} has no place in the layout"));
        for dependency in dependencies {
            let ours = members.iter().any(|member| member.name == *dependency);
            if ours && !allowed.contains(&dependency.as_str()) {
                wrong.push(format!("{name} must not depend on {dependency}"));
            }
            let reserved = RESERVED_CRATES.iter().find(|(crates, _)| crates.contains(&dependency.as_str()));
            if reserved.is_some_and(|(_, owners)| !owners.contains(&name.as_str())) {
                wrong.push(format!("{name} must not depend on {dependency}: it belongs to other packages"));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn query_cannot_reach_the_store() {
    let members: BTreeMap<_, _> = members().into_iter().map(|member| (member.name.clone(), member)).collect();
    let mut reached = BTreeSet::new();
    let mut open = vec!["query".to_owned()];
    while let Some(name) = open.pop() {
        if let Some(member) = members.get(&name)
            && reached.insert(name)
        {
            open.extend(member.dependencies.iter().cloned());
        }
    }
    assert!(reached.contains("domain") && reached.contains("runtime"), "{reached:?}");
    let stores: Vec<&String> = reached.iter().filter(|name| name.ends_with("-store")).collect();
    assert_eq!(stores, [""; 0]);
}

/// What the Lambdas are built from has no code of what its service cannot use.
#[test]
fn a_service_contains_only_the_clients_that_it_uses() {
    let dynamodb = ["dynamodb-store", "aws-sdk-dynamodb"];
    let sqs = ["sqs-queue", "aws-sdk-sqs"];
    let embedded = ["embedded-store", "rusqlite", "tantivy-index", "tantivy", "utoipa-swagger-ui"];
    let opensearch = ["opensearch-index", "opensearch"];
    for (service, has, lacks) in [
        ("command", [&dynamodb[..], &sqs].concat(), [&opensearch[..], &embedded].concat()),
        ("sync", [&sqs[..], &opensearch].concat(), [&dynamodb[..], &embedded].concat()),
        ("query", opensearch.to_vec(), [&dynamodb[..], &sqs, &embedded].concat()),
    ] {
        let tree = tree_for_aws(service);
        assert!(tree.contains("domain") && tree.contains("axum"), "{tree:?}");
        let wrong = has.iter().filter(|name| !tree.contains(**name));
        assert_eq!(wrong.collect::<Vec<_>>(), [&""; 0], "{service} lacks these");
        let wrong = lacks.iter().filter(|name| tree.contains(**name));
        assert_eq!(wrong.collect::<Vec<_>>(), [&""; 0], "{service} must not have these");
    }
}

/// The names of all packages that a service is built from for AWS.
fn tree_for_aws(service: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .args(["--package", service, "--no-default-features", "--features", "aws"])
        .current_dir(root())
        .output()
        .expect("cargo runs the tests, so it can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("cargo writes text");
    lines.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

/// A package of the workspace.
struct Member {
    name: String,
    folder: PathBuf,
    /// Of all kinds, optional ones too.
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

// ------------------------------------------------------------------------------------------------ packages

#[test]
fn every_package_is_named_like_its_folder_and_takes_the_lints_of_the_workspace() {
    for Member { name, folder, .. } in members() {
        assert_eq!(folder.file_name().and_then(|folder| folder.to_str()), Some(name.as_str()));
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("cargo has read it, too");
        let lints = manifest.lines().skip_while(|line| line.trim() != "[lints]").nth(1);
        assert_eq!(lints.map(str::trim), Some("workspace = true"), "lints of {name}");
    }
}

#[test]
fn a_main_file_only_starts_things() {
    let mains: Vec<Source> =
        sources().into_iter().filter(|source| source.path.ends_with("src/main.rs")).collect();
    assert!(mains.len() >= 4, "there are four binaries");
    for main in mains {
        let lines = main.text.lines().count();
        assert!(lines <= MAX_MAIN_LINES, "{} has {lines} lines", main.path);
    }
}

// ------------------------------------------------------------------------------------------------ code

#[test]
fn no_source_has_what_is_forbidden() {
    let everywhere = ["todo!", "unimplemented!", "dbg!", "#[allow(", "#![allow("];
    let mut wrong = Vec::new();
    for source in sources() {
        wrong.extend(find_all(&source.path, &source.code, &[&everywhere[..], &[".unwrap()"]].concat()));
        wrong.extend(find_all(&source.path, &source.tests, &everywhere));
        // Waiting for a condition, with a bound, is what the support module is for. The simulation's time is made up.
        let may_wait = ["tests/support", "tests/faults/simulation/world.rs"];
        if !may_wait.iter().any(|path| source.path.starts_with(path)) {
            wrong.extend(find_all(&source.path, &source.tests, &["sleep("]));
        }
    }
    assert_eq!(wrong, [""; 0]);
}

fn find_all(path: &str, code: &str, needles: &[&str]) -> Vec<String> {
    let lines = code.lines().enumerate();
    lines
        .flat_map(|(at, line)| {
            let found = needles.iter().filter(move |needle| line.contains(**needle));
            found.map(move |needle| format!("{path}:{}: {needle}", at + 1))
        })
        .collect()
}

#[test]
fn no_file_is_too_long_to_read() {
    for source in sources() {
        let lines = source
            .code
            .lines()
            .filter(|line| line.contains(|c: char| !c.is_whitespace() && c != ','))
            .count();
        assert!(lines <= MAX_CODE_LINES, "{} has {lines} lines of code; split it", source.path);
    }
}

#[test]
fn errors_are_written_to_be_joined() {
    for source in sources() {
        for (at, _) in source.text.match_indices("#[error(\"") {
            let text = source.text[at + 9..].split("\")]").next().unwrap_or_default();
            let mut letters = text.chars();
            let sentence = letters.next().is_some_and(char::is_uppercase)
                && letters.next().is_some_and(char::is_lowercase);
            assert!(
                !sentence && !text.ends_with('.'),
                "{}: `{text}` must start in lower case and end without a full stop",
                source.path
            );
        }
    }
}

// ------------------------------------------------------------------------------------------------ papers

#[test]
fn readme_lists_every_variable() {
    let readme = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let rows: String = readme.lines().filter(|line| line.starts_with('|')).collect();
    let documented = variables(&rows);
    let used: BTreeSet<String> = sources()
        .iter()
        .filter(|source| !source.path.starts_with("tests/"))
        .flat_map(|source| variables(&source.text_outside_tests()))
        .collect();
    assert!(used.contains("NOREN_LISTEN"), "the sources were read");
    assert_eq!(documented, used, "left: the table of the README; right: the code");
}

fn variables(text: &str) -> BTreeSet<String> {
    text.match_indices("NOREN_")
        .map(|(at, _)| {
            let end = text[at..].find(|c: char| !c.is_ascii_uppercase() && c != '_');
            text[at..end.map_or(text.len(), |end| at + end)].to_owned()
        })
        .filter(|name| name != "NOREN_")
        .collect()
}

#[test]
fn links_between_papers_lead_somewhere() {
    let mut links = 0;
    for path in files().into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "md")) {
        let text = fs::read_to_string(&path).expect("a paper is text");
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap_or_default();
            let file = target.split('#').next().unwrap_or_default();
            if file.is_empty() || file.contains("://") {
                continue;
            }
            links += 1;
            let found = path.parent().is_some_and(|folder| folder.join(file).exists());
            assert!(found, "{}: {target} does not exist", path.display());
        }
    }
    assert!(links > 0, "the README links to other papers");
}

#[test]
fn nothing_names_a_place_on_somebodys_machine() {
    // Put together here, so that this file does not break its own rule.
    let places = ["home", "root", "tmp", "work", "Users"].map(|folder| format!("/{folder}/"));
    for path in files() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for (at, line) in text.lines().enumerate() {
            let place = places.iter().find(|place| {
                line.match_indices(place.as_str()).any(|(at, _)| {
                    // A longer path or address that has such a folder inside is none of them.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '}' | '-' | '_'))
                })
            });
            assert_eq!(place, None, "{}:{}", path.display(), at + 1);
        }
    }
}

// ------------------------------------------------------------------------------------------------ files

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this package is a folder of the workspace")
}

/// Every Rust file of the workspace.
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

/// Every file of the checkout that is not built, downloaded or a catalogue's data.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![root().to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the checkout can be read") {
            let path = entry.expect("it can be read to its end").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !matches!(name, "target" | "data" | ".git") {
                open.push(path);
            } else if path.is_file() && name != ".git" {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
