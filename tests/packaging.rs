//! The hand-written files around the programs: the image, the files for Docker Compose, the template for AWS, and
//! recorded events. The tests need no container engine and no cloud.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use domain::Change;
use serde_json::{Value, json};

use crate::services;
use crate::support::{Answer, Running, finished, http_client, repository, wait_until};

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
    for path in ["Dockerfile", "docker-compose.yml", "docker-compose.embedded.yml", "deploy/template.yaml"] {
        let text = text(path);
        let set = words(&text, "NOREN_");
        assert!(set.is_subset(&known), "{path}: {:?}", set.difference(&known));
    }
    assert!(words(&text("docker-compose.yml"), "NOREN_").len() > 4, "the files were read");
}

#[test]
fn the_image_is_built_with_the_compiler_of_the_repository() {
    let toolchain = text("rust-toolchain.toml");
    let channel =
        toolchain.lines().find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"')).unwrap();
    assert!(text("Dockerfile").contains(&format!("FROM rust:{channel}-slim-bookworm AS base")), "{channel}");
}

#[test]
fn the_image_has_every_program() {
    let dockerfile = text("Dockerfile");
    for program in ["noren", "noren-command", "noren-query", "noren-sync"] {
        let named = dockerfile.lines().any(|line| line.contains("for program in ") && line.contains(program));
        assert!(named, "{program}");
    }
}

#[test]
fn ports_are_open_to_this_machine_only() {
    for path in ["docker-compose.yml", "docker-compose.embedded.yml", "tests/services/compose.yml"] {
        let text = text(path);
        let ports: Vec<&str> = text.lines().filter(|line| line.contains("ports:")).collect();
        assert!(
            !ports.is_empty() && ports.iter().all(|line| line.contains("[\"127.0.0.1:")),
            "{path}: {ports:?}"
        );
    }
}

/// Returns the variables that docker-compose.yml sets for a service.
fn variables_in_compose(service: &str) -> Vec<(String, String)> {
    let text = text("docker-compose.yml");
    // The lines of a key are those that are indented deeper.
    let under = |key: &str| -> Vec<String> {
        let depth = |line: &str| line.len() - line.trim_start().len();
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let mut rest = lines.skip_while(|line| line.trim_end() != key).skip(1);
        std::iter::from_fn(|| rest.next().filter(|line| depth(line) > depth(key)).map(str::to_owned))
            .collect()
    };
    let service = under(&format!("  {service}:"));
    let environment = service.iter().skip_while(|line| line.trim() != "environment:").skip(1);
    let mut lines: Vec<String> = environment.take_while(|line| line.starts_with("      ")).cloned().collect();
    if lines.iter().any(|line| line.trim() == "<<: *aws") {
        lines.extend(under("x-aws: &aws"));
    }
    let pairs = lines.iter().filter_map(|line| line.trim().split_once(": "));
    let pairs = pairs.filter(|(name, _)| name.starts_with(|c: char| c.is_ascii_uppercase()));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// Returns the variables of a service, with the addresses of the servers of this test.
fn variables_on(service: &str, servers: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut variables = variables_in_compose(service);
    for (_, value) in &mut variables {
        for (in_compose, here) in servers {
            *value = value.replace(in_compose, here);
        }
    }
    let left = variables.iter().find(|(_, value)| value.contains("://") && !value.contains("127.0.0.1"));
    assert!(!variables.is_empty() && left.is_none(), "{service}: {variables:?}");
    variables
}

/// Starts a service with its variables of docker-compose.yml, apart from server addresses, and runs its health check.
async fn started_as_in_compose(service: &str, servers: &[(&str, &str)]) -> Running {
    let variables = variables_on(service, servers);
    let program = format!("noren-{service}");
    let start = |command: &mut Command| {
        command.envs(variables.iter().cloned());
    };
    let running = Running::start_with(&program, &[], start).await;
    let listen = running.url.trim_start_matches("http://");
    let check = finished(&program, &["--check-health", "--listen", listen], &[]);
    assert!(check.status.success(), "{service}: {check:?}");
    running
}

#[tokio::test]
async fn the_services_start_as_docker_compose_starts_them() {
    let (Some(dynamodb), Some(sqs), Some(opensearch)) =
        (services::dynamodb().await, services::sqs().await, services::opensearch().await)
    else {
        return;
    };
    let servers = [
        ("http://dynamodb:8000", &*dynamodb.url),
        ("http://localstack:4566", &*sqs.url),
        ("http://opensearch:9200", &*opensearch.url),
    ];
    let command = started_as_in_compose("command", &servers).await;
    let _sync = started_as_in_compose("sync", &servers).await;
    let query = started_as_in_compose("query", &servers).await;
    let put = http_client().put(format!("{}/products/lamp", command.url)).json(&json!({"name": "Lamp"}));
    Answer::of(put).await.expect(201);
    let search = format!("{}/products/search?query=lamp", query.url);
    wait_until("what was written is found", async || {
        Answer::of(http_client().get(&search)).await.expect(200).ids() == ["lamp"]
    })
    .await;
    let variables = variables_on("noren", &servers);
    let variables: Vec<(&str, &str)> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let verified = finished("noren", &["verify", "--back-ends"], &variables);
    assert!(verified.status.success(), "{verified:?}");
    let report = String::from_utf8(verified.stderr).unwrap();
    assert!(report.contains("the index equals the store"), "{report}");
}

/// The variables of `noren` in docker-compose.yml, without those that only services need.
#[test]
fn the_command_line_in_compose_has_the_variables_of_all_services() {
    let of =
        |service: &str| -> BTreeSet<(String, String)> { variables_in_compose(service).into_iter().collect() };
    let mut all: BTreeSet<_> = ["command", "sync", "query"].into_iter().flat_map(of).collect();
    // An operator command creates nothing.
    assert!(all.remove(&("NOREN_CREATE_TABLES".to_owned(), "true".to_owned())));
    assert_eq!(of("noren"), all);
}

#[test]
fn the_command_line_runs_in_a_container_when_it_is_called_only() {
    for path in ["docker-compose.yml", "docker-compose.embedded.yml"] {
        let text = text(path);
        let service = text.split("\n  noren:\n").nth(1).unwrap_or_default();
        let service: Vec<&str> =
            service.lines().take_while(|line| line.starts_with("    ")).map(str::trim).collect();
        for line in ["<<: *service", "profiles: [noren]", "restart: \"no\"", "entrypoint: [\"noren\"]"] {
            assert!(service.contains(&line), "{path}: {line} in {service:?}");
        }
    }
}

/// Copies the tracked and untracked files, as the image build receives them.
fn copy_of_the_sources(to: &Path) {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
        .current_dir(repository())
        .output()
        .expect("the sources lie in a git repository");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    for path in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
        let (from, to) = (repository().join(path), to.join(path));
        if from.is_file() {
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
}

#[test]
fn the_first_layer_of_the_image_is_a_whole_workspace_without_sources() {
    let folder = tempfile::tempdir().unwrap();
    copy_of_the_sources(folder.path());
    let script = folder.path().join("docker/keep-manifests.sh");
    let kept = Command::new("sh").arg(script).arg(folder.path()).output().unwrap();
    assert!(kept.status.success(), "{kept:?}");
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() >= 9, "the whole workspace");
    for target in packages.iter().flat_map(|package| package["targets"].as_array().unwrap()) {
        let source = Path::new(target["src_path"].as_str().unwrap());
        let lines = fs::read_to_string(source).unwrap();
        let kind = target["kind"][0].as_str().unwrap();
        assert_eq!(lines.trim(), if kind == "lib" { "" } else { "fn main() {}" }, "{}", source.display());
    }
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
