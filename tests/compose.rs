//! The files for Docker Compose, as YAML. The tests need no container engine; `.ci/compose` starts the files for real.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use serde_json::{Map, Value, json};

use crate::services;
use crate::support::{Answer, Running, finished, http_client, repository, wait_until};

/// The files that bring the services up.
const STACKS: [&str; 2] = ["docker-compose.yml", "docker-compose.embedded.yml"];
/// The files that change `docker-compose.yml`.
const OVERLAYS: [&str; 3] =
    ["docker-compose.access.yml", "docker-compose.elasticmq.yml", "docker-compose.localstack.yml"];
/// The variables that decide who may use a service.
const ACCESS: [&str; 3] = ["NOREN_ACCESS", "NOREN_HOSTS", "NOREN_TRUSTED_PROXIES"];
/// The services that listen.
const SERVERS: [&str; 3] = ["command", "sync", "query"];
/// The file with the servers of the tests.
const TEST_SERVERS: &str = "tests/services/compose.yml";
/// The file with the servers of the profile `observe`, which both stacks include.
const OBSERVE: &str = "deploy/observe/compose.yml";
/// The name of the image that the project builds.
const OWN_IMAGE: &str = "noren:local";

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns a Compose file with its anchors and merge keys resolved.
fn compose_file(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the services of a Compose file. In an overlay, a removed service is null.
fn services_of(path: &str) -> Map<String, Value> {
    compose_file(path)["services"].as_object().unwrap_or_else(|| panic!("{path} has no services")).clone()
}

fn service(path: &str, name: &str) -> Value {
    services_of(path).remove(name).unwrap_or_else(|| panic!("{path} has no service {name}"))
}

/// Returns the services that run the image of the project.
fn own_services(path: &str) -> BTreeMap<String, Value> {
    services_of(path).into_iter().filter(|(_, service)| service["image"] == OWN_IMAGE).collect()
}

#[test]
fn one_service_builds_the_image_and_none_pulls_it() {
    for path in STACKS {
        let services = services_of(path);
        let builders: Vec<_> =
            services.iter().filter(|(_, service)| service.get("build").is_some()).collect();
        assert_eq!(builders.len(), 1, "{path}: {builders:?}");
        assert_eq!(builders[0].0, "command", "{path}: the service that starts first");
        let own = own_services(path);
        assert_eq!(
            own.keys().map(String::as_str).collect::<Vec<_>>(),
            ["command", "demo", "noren", "query", "sync"]
        );
        for (name, service) in own {
            assert_eq!(service["pull_policy"], "never", "{path}: {name}");
        }
    }
}

#[test]
fn ports_are_open_to_this_machine_only() {
    for path in STACKS.iter().chain(&OVERLAYS).chain(&[TEST_SERVERS, OBSERVE]) {
        let mut count = 0;
        for (name, service) in services_of(path) {
            for port in service["ports"].as_array().into_iter().flatten() {
                let port = port.as_str().unwrap_or_default();
                assert!(port.starts_with("127.0.0.1:"), "{path}: {name}: {port}");
                count += 1;
            }
        }
        assert!(count > 0 || OVERLAYS.contains(path), "{path} publishes ports");
    }
}

/// A stack without access control says so, and lets no page of another site in by a host name.
#[test]
fn a_stack_says_that_it_controls_no_access_and_knows_its_host_names() {
    for path in STACKS {
        let head = text(path);
        let head = head.split("\nname:").next().unwrap();
        assert!(head.contains("without access control"), "{path}: {head}");
        for server in SERVERS {
            let variables = variables(&service(path, server));
            let value = |name: &str| variables.get(name).map(String::as_str).unwrap_or_default();
            assert_eq!(value("NOREN_ACCESS"), "none", "{path}: {server}");
            let hosts: Vec<&str> = value("NOREN_HOSTS").split(',').collect();
            assert_eq!(hosts, ["command", "sync", "query", "proxy"], "{path}: {server}");
            assert!(value("NOREN_TRUSTED_PROXIES").contains("172.16.0.0/12"), "{path}: {server}");
        }
    }
}

#[test]
fn the_overlay_for_access_asks_for_keys_at_every_server() {
    let overlay = "docker-compose.access.yml";
    for server in SERVERS {
        let variables = variables(&service(overlay, server));
        assert_eq!(variables["NOREN_ACCESS"], "keys", "{server}");
        assert_eq!(variables["NOREN_ANONYMOUS"], "search", "{server}");
    }
    // The stack with DynamoDB keeps its keys there, so that all services and the command line see the same ones.
    for name in SERVERS.into_iter().chain(["noren"]) {
        assert_eq!(variables(&service(STACKS[0], name))["NOREN_ACCESS_STORE"], "dynamodb", "{name}");
    }
}

#[test]
fn the_proxy_names_the_client_and_believes_nobody_else() {
    let configuration = text("docker/haproxy.cfg");
    assert!(
        configuration.contains("http-request set-header X-Forwarded-For %[src]"),
        "it replaces the header"
    );
}

#[test]
fn every_server_has_a_memory_limit_and_starts_again() {
    for path in STACKS.into_iter().chain([OBSERVE]) {
        for (name, service) in services_of(path) {
            assert!(service["mem_limit"].is_string(), "{path}: {name} has no memory limit");
            let expected = match &*name {
                "demo" => "on-failure:5",
                "noren" => "no",
                _ => "unless-stopped",
            };
            assert_eq!(service["restart"], expected, "{path}: {name}");
        }
    }
}

/// Returns a size such as `512m` in MiB.
fn mebibytes(size: &str) -> u64 {
    let (number, unit) = size.split_at(size.len() - 1);
    let number: u64 = number.parse().unwrap_or_else(|_| panic!("{size} is no size"));
    match unit {
        "g" => number * 1024,
        "m" => number,
        _ => panic!("{size} is no size"),
    }
}

#[test]
fn the_documented_memory_is_the_sum_of_the_limits() {
    let documentation = text("docs/CONTAINERS.md");
    for (path, stack) in STACKS.iter().zip(["whole stack", "embedded stack"]) {
        let services = services_of(path);
        let always = services.values().filter(|service| service.get("profiles").is_none());
        let sum: u64 = always.map(|service| mebibytes(service["mem_limit"].as_str().unwrap())).sum();
        let sentence = format!("The limits of the {stack} add up to {:.1} GB", sum as f64 / 1024.0);
        assert!(documentation.contains(&sentence), "docs/CONTAINERS.md lacks: {sentence}");
    }
}

#[test]
fn a_java_heap_fits_the_memory_limit_of_its_server() {
    let heap = |words: &str| {
        let heap = words.split([' ', '"', ',']).find_map(|word| word.strip_prefix("-Xmx"));
        mebibytes(heap.unwrap_or_else(|| panic!("{words} has no -Xmx")))
    };
    for (name, most) in [("dynamodb", 0.7), ("opensearch", 0.5)] {
        let service = service(STACKS[0], name);
        let limit = mebibytes(service["mem_limit"].as_str().unwrap());
        let options = &service["environment"]["OPENSEARCH_JAVA_OPTS"];
        let words = options.as_str().map_or_else(|| service["command"].to_string(), str::to_owned);
        assert!(heap(&words) as f64 <= limit as f64 * most, "{name}: {words} in {limit} MiB");
    }
}

#[test]
fn the_stack_starts_on_a_full_disk_and_with_a_low_limit_of_open_files() {
    for path in [STACKS[0], TEST_SERVERS] {
        let opensearch = service(path, "opensearch");
        let threshold = &opensearch["environment"]["cluster.routing.allocation.disk.threshold_enabled"];
        assert_eq!(threshold, "false", "{path}");
        assert!(opensearch.get("ulimits").is_none(), "{path}");
    }
}

#[test]
fn the_release_and_the_token_of_localstack_are_variables() {
    let localstack = service(STACKS[0], "localstack");
    assert_eq!(localstack["image"], "localstack/localstack:${LOCALSTACK_TAG:-4.14.0}");
    assert_eq!(localstack["environment"]["LOCALSTACK_AUTH_TOKEN"], "${LOCALSTACK_AUTH_TOKEN:-}");
}

#[test]
fn localstack_is_healthy_once_its_services_run() {
    let localstack = service(STACKS[0], "localstack");
    assert_eq!(localstack["environment"]["EAGER_SERVICE_LOADING"], "1");
    let with_dynamodb = service("docker-compose.localstack.yml", "localstack");
    for service in [&localstack, &with_dynamodb] {
        let test = service["healthcheck"]["test"][1].as_str().unwrap();
        for name in service["environment"]["SERVICES"].as_str().unwrap().split(',') {
            assert!(test.contains(&format!(r#""{name}": *"running""#)), "{name}: {test}");
        }
    }
}

/// Returns the variables of a service where the caller's environment sets none of them.
fn variables(service: &Value) -> BTreeMap<String, String> {
    let variables = service["environment"].as_object().into_iter().flatten();
    variables.map(|(name, value)| (name.clone(), default_of(value.as_str().unwrap()).to_owned())).collect()
}

/// Returns the default of a value such as `${NAME:-default}`, and any other value as it is.
fn default_of(value: &str) -> &str {
    let inside = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    inside.and_then(|inside| inside.split_once(":-")).map_or(value, |(_, default)| default)
}

/// Returns the variables of a service in docker-compose.yml, with the addresses of the servers of this test.
fn variables_on(name: &str, servers: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut variables = variables(&service(STACKS[0], name));
    for value in variables.values_mut() {
        for (in_compose, here) in servers {
            *value = value.replace(in_compose, here);
        }
    }
    let left = variables.values().find(|value| value.contains("://") && !value.contains("127.0.0.1"));
    assert!(!variables.is_empty() && left.is_none(), "{name}: {variables:?}");
    variables
}

/// Starts a service with its variables of docker-compose.yml, apart from server addresses, and runs its health check.
async fn started_as_in_compose(service: &str, servers: &[(&str, &str)]) -> Running {
    let variables = variables_on(service, servers);
    let program = format!("noren-{service}");
    let start = |command: &mut Command| {
        command.envs(&variables);
    };
    let running = Running::start_with(&program, &[], start).await;
    let listen = running.url.trim_start_matches("http://");
    wait_until(&format!("the health check of {service} succeeds"), async || {
        finished(&program, &["--check-health", "--listen", listen], &[]).status.success()
    })
    .await;
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
    let of = |name: &str| variables(&service(STACKS[0], name));
    let mut all: BTreeMap<_, _> = ["command", "sync", "query"].into_iter().flat_map(of).collect();
    // An operator command creates nothing.
    assert_eq!(all.remove("NOREN_CREATE_TABLES").as_deref(), Some("true"));
    // Nobody sends it requests, and it sends no traces.
    all.retain(|name, _| !ACCESS.contains(&name.as_str()) && !name.starts_with("OTEL_"));
    assert_eq!(of("noren"), all);
}

#[test]
fn the_command_line_runs_in_a_container_when_it_is_called_only() {
    for path in STACKS {
        let noren = service(path, "noren");
        assert_eq!(noren["profiles"], json!(["noren"]), "{path}");
        assert_eq!(noren["entrypoint"], json!(["noren"]), "{path}");
    }
}

/// The profile adds servers and changes nothing without it: the services send traces only if the caller names a collector.
#[test]
fn metrics_and_traces_are_kept_on_request_only() {
    for path in STACKS {
        assert_eq!(compose_file(path)["include"], json!([OBSERVE]), "{path}");
        for server in SERVERS {
            let service = service(path, server);
            let collector = &service["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"];
            assert_eq!(collector, "${OTEL_EXPORTER_OTLP_ENDPOINT:-}", "{path}: {server}");
        }
    }
    let targets: Value = serde_saphyr::from_str(&text("deploy/observe/prometheus.yml")).unwrap();
    let targets = &targets["scrape_configs"][0]["static_configs"][0]["targets"];
    assert_eq!(*targets, json!(SERVERS.map(|server| format!("{server}:8080"))));
    let folder = repository().join("deploy/observe");
    for (name, service) in services_of(OBSERVE) {
        assert_eq!(service["profiles"], json!(["observe"]), "{name}");
        let image = service["image"].as_str().unwrap();
        let version = image.split_once(':').map(|(_, version)| version).unwrap_or_default();
        assert!(version.contains(|c: char| c.is_ascii_digit()), "{name} has no version: {image}");
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            assert!(!source.starts_with('.') || folder.join(source).exists(), "{name}: {source} is missing");
        }
    }
}

#[test]
fn the_demo_catalogue_is_written_through_command_on_request_only() {
    for path in STACKS {
        let demo = service(path, "demo");
        assert_eq!(demo["profiles"], json!(["demo"]), "{path}");
        assert_eq!(
            demo["command"],
            json!(["noren", "import", "--demo", "--url", "http://command:8080"]),
            "{path}"
        );
        assert_eq!(demo["depends_on"]["command"]["condition"], "service_healthy", "{path}");
    }
}

/// An overlay that leaves a server of the stack out must send every service that used it elsewhere.
#[test]
fn an_overlay_replaces_the_server_that_it_removes() {
    let mut checked = 0;
    for path in OVERLAYS {
        let overlay = services_of(path);
        for (removed, _) in overlay.iter().filter(|(_, service)| service.is_null()) {
            let address = format!("//{removed}:");
            for (name, service) in services_of(STACKS[0]) {
                let changed = overlay.get(&name).cloned().unwrap_or_default();
                for (variable, value) in variables(&service) {
                    if value.contains(&address) {
                        let value = variables(&changed).remove(&variable).unwrap_or_default();
                        assert!(!value.is_empty() && !value.contains(&address), "{path}: {name}: {variable}");
                        checked += 1;
                    }
                }
                if service["depends_on"].get(removed).is_some() {
                    let dependencies = changed["depends_on"].as_object().cloned().unwrap_or_default();
                    assert!(
                        !dependencies.is_empty() && !dependencies.contains_key(removed),
                        "{path}: {name}"
                    );
                    assert!(text(path).contains("depends_on: !override"), "{path}");
                }
            }
        }
    }
    assert_eq!(checked, 7, "four services use DynamoDB, three use SQS");
}

/// A rule of the proxy: the paths that a service serves.
struct Rule {
    service: String,
    paths: regex::Regex,
}

fn rules_of_the_proxy() -> Vec<Rule> {
    let configuration = text("docker/haproxy.cfg");
    let rule = |line: &str| {
        let (service, paths) =
            line.trim().strip_prefix("use_backend ")?.split_once(" if { path,url_dec -m reg ")?;
        let paths = regex::Regex::new(paths.strip_suffix(" }")?).unwrap();
        Some(Rule { service: service.to_owned(), paths })
    };
    configuration.lines().filter_map(rule).collect()
}

/// The documents of `noren-command` and `noren-query` are held against what they serve by other tests.
#[test]
fn the_proxy_sends_each_route_to_the_service_that_has_it() {
    let rules = rules_of_the_proxy();
    let mut operators: BTreeSet<String> = BTreeSet::new();
    for (service, document) in [("command", "noren-command"), ("query", "noren-query"), ("sync", "noren")] {
        let document: Value = serde_json::from_str(&text(&format!("docs/openapi/{document}.json"))).unwrap();
        for path in document["paths"].as_object().unwrap().keys() {
            let is_operators = path.starts_with("/admin/") && !path.starts_with("/admin/keys");
            if service == "sync" && !is_operators || is_operators && service != "sync" {
                continue;
            }
            operators.extend(is_operators.then(|| path.clone()));
            let path = path.replace(['{', '}'], "");
            let first = rules.iter().find(|rule| rule.paths.is_match(&path));
            assert_eq!(first.map(|rule| &*rule.service), Some(service), "{path}");
        }
    }
    assert!(operators.len() > 4, "{operators:?}");
    let first = |path: &str| rules.iter().find(|rule| rule.paths.is_match(path)).map(|rule| &*rule.service);
    assert_eq!(first("/health/ready"), Some("command"), "it reports the backlog");
    for keys in ["/admin/keys", "/admin/keys/0123456789abcdef/rotate"] {
        assert_eq!(first(keys), Some("command"), "{keys}");
    }
    for other in ["/", "/docs/", "/productsearch", "/health/live"] {
        assert_eq!(first(other), None, "{other} has the default");
    }
}

#[test]
fn the_proxy_waits_longer_than_any_service() {
    let configuration = text("docker/haproxy.cfg");
    for side in ["client", "server"] {
        let line =
            configuration.lines().find_map(|line| line.trim().strip_prefix(&format!("timeout {side} ")));
        let minutes: u64 = line.unwrap().strip_suffix('m').unwrap().parse().unwrap();
        assert!(minutes * 60 > 2 * runtime::http::REQUEST_TIMEOUT.as_secs(), "{side}: {minutes} minutes");
    }
    let buffer = configuration.lines().find_map(|line| line.trim().strip_prefix("tune.bufsize "));
    let buffer: usize = buffer.unwrap().parse().unwrap();
    let document = text("docs/openapi/noren.json").len();
    assert!(buffer > document * 3 / 2, "openapi.json has {document} bytes and is returned from one buffer");
}
