//! The hand-written files around the programs: the image, the files for Docker Compose, the template for AWS, and
//! recorded events. The tests need no container engine and no cloud.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use domain::Change;
use serde_json::Value;

use crate::support::repository;

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the words of a text with this prefix.
fn words<'a>(text: &'a str, beginning: &str) -> BTreeSet<&'a str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(beginning))
        .collect()
}

#[test]
fn every_variable_that_is_set_is_one_that_the_programs_know() {
    let known = api::config::variables();
    let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    for path in [
        "Dockerfile",
        "docker-compose.yml",
        "docker-compose.access.yml",
        "docker-compose.elasticmq.yml",
        "docker-compose.embedded.yml",
        "docker-compose.localstack.yml",
        "deploy/template.yaml",
        "deploy/terraform/functions.tf",
    ] {
        let text = text(path);
        let mut set = words(&text, "NOREN_");
        // The programs read it while they are compiled.
        set.remove("NOREN_COMMIT");
        assert!(set.is_subset(&known), "{path}: {:?}", set.difference(&known));
    }
    assert!(words(&text("docker-compose.yml"), "NOREN_").len() > 4, "the files were read");
}

#[test]
fn the_image_is_built_with_the_compiler_of_the_repository() {
    let toolchain = text("rust-toolchain.toml");
    let channel =
        toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"')).unwrap();
    assert!(
        text("Dockerfile")
            .contains(&format!("ARG RUST_IMAGE=rust:{channel}-slim-trixie\nFROM ${{RUST_IMAGE}} AS build")),
        "{channel}"
    );
}

#[test]
fn the_image_has_every_program() {
    let dockerfile = text("Dockerfile");
    for program in ["noren", "noren-command", "noren-query", "noren-sync"] {
        let named = dockerfile.lines().any(|line| line.contains("for program in ") && line.contains(program));
        assert!(named, "{program}");
    }
}

/// Returns the tracked and untracked files, which a checkout has.
fn files_of_the_repository() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(repository())
        .output()
        .expect("the sources lie in a git repository");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let paths = String::from_utf8(listed.stdout).unwrap();
    paths.split_terminator('\0').filter(|path| repository().join(path).is_file()).map(str::to_owned).collect()
}

/// Returns true if the build of the image receives a file, according to `.dockerignore`: everything is excluded, except
/// the files and folders of the lines with `!`.
fn is_in_the_context(path: &str) -> bool {
    let ignored = text(".dockerignore");
    let included = ignored.lines().filter_map(|line| line.strip_prefix('!'));
    let is_included = included.into_iter().any(|name| path == name || path.starts_with(&format!("{name}/")));
    assert!(ignored.lines().any(|line| line == "*") && ignored.contains("**/*.md\n"), "{ignored}");
    is_included && !path.ends_with(".md")
}

/// Copies the files that the build of the image receives.
fn context_of_the_image() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in files_of_the_repository().iter().filter(|path| is_in_the_context(path)) {
        let to = folder.path().join(path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(repository().join(path), to).unwrap();
    }
    folder
}

#[test]
fn the_image_is_built_from_a_whole_workspace() {
    let context = context_of_the_image();
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(context.path())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let built: Vec<&Value> = packages.iter().filter(|package| package["name"] != "tests").collect();
    assert!(built.len() >= 18 && built.len() + 1 == packages.len(), "the whole workspace");
    for target in built.iter().flat_map(|package| package["targets"].as_array().unwrap()) {
        let source = Path::new(target["src_path"].as_str().unwrap());
        assert!(source.exists(), "{} is not in the context", source.display());
    }
}

#[test]
fn what_the_programs_include_is_in_the_context_of_the_image() {
    let inclusion = regex::Regex::new(r#"include_(?:str|bytes)!\(\s*"([^"]+)""#).unwrap();
    let root = repository().canonicalize().unwrap();
    let mut count = 0;
    for path in files_of_the_repository() {
        if !path.ends_with(".rs") || !is_in_the_context(&path) {
            continue;
        }
        // Files that only tests include are not needed.
        if path.ends_with("tests.rs") || path.contains("/tests/") {
            continue;
        }
        let source = text(&path);
        let code = source.split("#[cfg(test)]").next().unwrap_or_default();
        for (_, [included]) in inclusion.captures_iter(code).map(|captures| captures.extract()) {
            let file = root.join(&path).parent().unwrap().join(included).canonicalize().unwrap();
            let file = file.strip_prefix(&root).unwrap().to_str().unwrap();
            assert!(is_in_the_context(file), "{path} includes {file}, which .dockerignore excludes");
            count += 1;
        }
    }
    assert!(count > 0, "the migrations of the embedded store are included");
}

#[test]
fn a_changed_test_builds_no_image() {
    let context: Vec<String> =
        files_of_the_repository().into_iter().filter(|path| is_in_the_context(path)).collect();
    let of_tests: Vec<&String> = context.iter().filter(|path| path.starts_with("tests/")).collect();
    assert_eq!(of_tests, ["tests/Cargo.toml"]);
}

#[test]
fn both_stages_of_the_image_have_the_same_release_of_debian() {
    // Programs that are linked with a newer glibc than that of the image do not start.
    let dockerfile = text("Dockerfile");
    assert!(dockerfile.contains("-slim-trixie\n"), "Debian 13");
    assert!(dockerfile.contains("FROM gcr.io/distroless/cc-debian13:nonroot\n"), "Debian 13");
    assert!(
        dockerfile.matches("--mount=type=cache,").count() >= 2,
        "crates and compiled dependencies are kept"
    );
}

// -------------------------------------------------------------------------------------------------- events

fn event(name: &str) -> Value {
    serde_json::from_str(&text(&format!("tests/events/{name}.json"))).unwrap()
}

#[test]
fn the_recorded_batch_has_nine_changes_and_one_poison_record() {
    let batch = event("sqs-batch");
    let records = batch["Records"].as_array().unwrap();
    assert_eq!(records.len(), 10);
    let ids: BTreeSet<&str> = records.iter().map(|record| record["messageId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 10);
    let poison: Vec<usize> = (0..10)
        .filter(|at| serde_json::from_str::<Change>(records[*at]["body"].as_str().unwrap()).is_err())
        .collect();
    assert_eq!(poison, [6]);
}

#[test]
fn recorded_requests_are_of_the_version_that_their_names_say() {
    for kind in ["create", "search", "bad-request"] {
        for (source, host) in [("http-api", ".execute-api."), ("function-url", ".lambda-url.")] {
            let event = event(&format!("{source}-{kind}"));
            assert_eq!(event["version"], "2.0");
            assert!(event["requestContext"]["domainName"].as_str().unwrap().contains(host));
            assert_eq!(event["rawPath"], event["requestContext"]["http"]["path"]);
        }
        let event = event(&format!("rest-api-{kind}"));
        assert_eq!(event["httpMethod"], event["requestContext"]["httpMethod"]);
        assert!(event.get("version").is_none() && event["path"].as_str().unwrap().starts_with("/products"));
    }
    assert_eq!(event("scheduled-relay")["detail-type"], "Scheduled Event");
}
