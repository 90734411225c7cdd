//! The alerts for Prometheus and the dashboard for Grafana: their metrics, runbooks and cases. `.ci/observe` evaluates them in
//! Prometheus.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::support::{Answer, PATIENCE, Running, http_client, repository, wait_within};

const ALERTS: &str = "docs/alerts.yml";
const CASES: &str = "docs/alerts.test.yml";
const DASHBOARD: &str = "deploy/observe/grafana/dashboards/noren.json";
const RUNBOOKS: &str = "docs/OPERATIONS.md";
/// Metrics of a queue in SQS that the service may create; `faults::sqs_lost` reads them.
const ONLY_WITH_CREATE_TABLES: [&str; 2] =
    ["noren_queue_refills_total", "noren_queue_refilled_records_total"];

fn text(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Returns the elements of a list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Returns the alerts by name.
fn alerts() -> BTreeMap<String, Value> {
    let rules = yaml(ALERTS);
    let rules = list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"]));
    let alerts: BTreeMap<String, Value> =
        rules.map(|rule| (word(&rule["alert"]).to_owned(), rule.clone())).collect();
    assert!(alerts.len() >= 15, "the alerts were read: {alerts:?}");
    alerts
}

/// Returns the panels, without the headings of rows.
fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(&text(DASHBOARD)).unwrap();
    let panels = list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row");
    let panels: Vec<Value> = panels.cloned().collect();
    assert!(panels.len() >= 30, "the panels were read");
    panels
}

/// Returns the names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| word.starts_with("noren_") || word.starts_with("process_"));
    names.map(str::to_owned).collect()
}

/// Returns true if `/metrics` has this metric, or it is a histogram there.
fn is_in(metrics: &str, name: &str) -> bool {
    metrics.lines().any(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with([' ', '{']) || rest.starts_with("_bucket{"))
    })
}

/// Sends requests after which every metric of a service with the embedded back ends exists.
async fn use_every_part_of(url: &str) {
    let client = http_client();
    let mut token = String::new();
    for (id, name) in [("red-chair", "Red chair"), ("cup", "Cup"), ("red-cup", "Red cup")] {
        let put = client.put(format!("{url}/products/{id}")).json(&json!({"name": name}));
        let written = Answer::of(put).await;
        assert!(written.status.is_success(), "{written:?}");
        token = written.header("noren-sync-token").to_owned();
    }
    let search = |words: &str| client.get(format!("{url}/products/search?query={words}"));
    Answer::of(search("cup").header("noren-sync-token", token)).await.expect(200);
    // From memory; with products that lack a word; and without a result.
    for words in ["cup", "cup", "red+cup", "zzqx"] {
        Answer::of(search(words)).await.expect(200);
    }
    let event = json!({"eventType": "click", "eventName": "seen", "index": "products"});
    let events = client.post(format!("{url}/1/events")).json(&json!({"events": [event]}));
    Answer::of(events).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_alert_panel_and_row_of_the_documentation_names_a_metric_of_a_running_service() {
    let mut names = BTreeMap::from([(RUNBOOKS, metrics_in(&text(RUNBOOKS)))]);
    names.insert(ALERTS, alerts().values().flat_map(|alert| metrics_in(word(&alert["expr"]))).collect());
    let panels = panels();
    let targets = panels.iter().flat_map(|panel| list(&panel["targets"]));
    names.insert(DASHBOARD, targets.flat_map(|target| metrics_in(word(&target["expr"]))).collect());

    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules.toml");
    fs::write(&rules, "version = 1\n[words]\nsynonyms = [[\"cup\", \"mug\"]]\n").unwrap();
    let data = folder.path().join("data");
    let service = Running::start_with("noren", &["serve"], |command| {
        // Nothing listens at this collector, so the spans are lost and counted.
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
        command.env("NOREN_DATA_DIR", &data).env("NOREN_RULES", &rules);
    })
    .await;
    let missing = async || {
        use_every_part_of(&service.url).await;
        let metrics = http_client().get(format!("{}/metrics", service.url));
        let metrics = Answer::of(metrics).await.expect(200).text;
        let absent = names.iter().map(|(place, names)| {
            let names = names.iter().filter(|name| !ONLY_WITH_CREATE_TABLES.contains(&name.as_str()));
            (*place, names.filter(|name| !is_in(&metrics, name)).cloned().collect::<Vec<_>>())
        });
        absent.filter(|(_, names)| !names.is_empty()).collect::<Vec<_>>()
    };
    for (place, names) in &names {
        assert!(names.len() >= 10, "{place} names metrics: {names:?}");
    }
    let complete = wait_within(PATIENCE, async || missing().await.is_empty()).await;
    assert!(complete, "these metrics do not exist: {:?}", missing().await);
}

#[test]
fn every_alert_has_a_runbook() {
    let text = text(RUNBOOKS);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchors: BTreeSet<String> = headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            format!("{RUNBOOKS}#{}", kept.collect::<String>().replace(' ', "-"))
        })
        .collect();
    for (name, alert) in alerts() {
        let runbook = word(&alert["annotations"]["runbook"]);
        assert!(anchors.contains(runbook), "{name}: {runbook:?} is none of {anchors:?}");
        assert!(matches!(word(&alert["labels"]["severity"]), "page" | "ticket"), "{name}");
        assert!(text.contains(&format!("`{name}`")), "{RUNBOOKS} does not name {name}");
    }
}

/// The cases run in `.ci/observe`.
#[test]
fn every_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not() {
    let cases = yaml(CASES);
    let checks = list(&cases["tests"]).iter().flat_map(|test| list(&test["alert_rule_test"]));
    let checks: BTreeSet<(&str, bool)> =
        checks.map(|check| (word(&check["alertname"]), !list(&check["exp_alerts"]).is_empty())).collect();
    let alerts = alerts();
    let expected: BTreeSet<(&str, bool)> =
        alerts.keys().flat_map(|name| [(name.as_str(), true), (name.as_str(), false)]).collect();
    assert_eq!(checks, expected);
}

#[test]
fn every_panel_says_what_it_shows_and_has_a_place_of_its_own() {
    let known = alerts();
    let mut titles = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels() {
        let title = word(&panel["title"]);
        assert!(titles.insert(title.to_owned()), "two panels are called {title}");
        let description = word(&panel["description"]);
        assert!(description.len() > 10, "{title} has no description");
        let mut words = description.split(|c: char| !c.is_alphanumeric());
        if let Some(name) = words.find(|word| word.starts_with("Noren")) {
            assert!(known.contains_key(name), "{title}: there is no alert {name}");
        }
        assert_ne!(word(&panel["fieldConfig"]["defaults"]["unit"]), "", "{title} has no unit");
        let targets = list(&panel["targets"]);
        assert!(!targets.is_empty(), "{title} asks for nothing");
        for part in targets.iter().chain([&panel]) {
            assert_eq!(part["datasource"]["uid"], "${datasource}", "{title}");
        }
        let of = |name: &str| panel["gridPos"][name].as_u64().unwrap_or_else(|| panic!("{title}: no {name}"));
        assert!(of("x") + of("w") <= 24, "{title} is too wide");
        for x in of("x")..of("x") + of("w") {
            for y in of("y")..of("y") + of("h") {
                assert!(taken.insert((x, y)), "{title} covers another panel");
            }
        }
    }
}
