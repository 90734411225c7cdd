//! The dependencies between packages, as docs/ARCHITECTURE.md has them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use super::{Member, members, root};

/// Returns the packages of the workspace that a package may depend on. A new package must be added here.
fn allowed_dependencies(package: &str) -> Option<Vec<&'static str>> {
    const STORES: [&str; 2] = ["embedded-store", "dynamodb-store"];
    const QUEUES: [&str; 2] = ["embedded-store", "sqs-queue"];
    const INDEXES: [&str; 2] = ["tantivy-index", "opensearch-index"];
    const ACCESS_STORES: [&str; 2] = ["sqlite-access", "dynamodb-access"];
    const SERVICES: [&str; 3] = ["command", "query", "sync"];
    let adapters = [STORES, QUEUES, INDEXES].concat();
    let base = ["domain", "access", "runtime"];
    Some(match package {
        "domain" | "access" | "build-info" | "cost" => Vec::new(),
        "runtime" => vec!["access"],
        // Separate from the product stores, so that every service may use them.
        access_store if ACCESS_STORES.contains(&access_store) => vec!["access", "aws-setup"],
        // Text analysis, which both indexes and the explanations of query must share.
        "text" => vec!["domain"],
        // The rules of a shop; words are folded as in the indexes.
        "rules" => vec!["domain", "text"],
        // Images in S3; those in a folder need no package.
        "s3-images" => vec!["domain", "aws-setup"],
        // Shared by the AWS adapters.
        "aws-setup" => vec!["domain"],
        index if INDEXES.contains(&index) => vec!["domain", "aws-setup", "text"],
        adapter if adapters.contains(&adapter) => vec!["domain", "aws-setup"],
        // Ports with spans and durations.
        "observed-ports" => vec!["domain", "runtime"],
        // The HTTP surface that the services share.
        "api" => [&base[..], &ACCESS_STORES].concat(),
        // Translates a protocol to requests of the domain.
        "algolia-protocol" => vec!["domain", "text"],
        // Renders pages.
        "storefront" => vec!["domain", "text"],
        // The parameters of searches, from which the write service reads the filters of keys.
        "search-parameters" => [&base[..], &["api", "text"]].concat(),
        "demo" | "feeds" => vec!["domain"],
        "bench" => base.to_vec(),
        "command" => [
            &base[..],
            &["build-info", "api", "feeds", "observed-ports", "search-parameters", "text"],
            &STORES,
            &QUEUES,
            &["aws-setup", "s3-images"],
        ]
        .concat(),
        "query" => [
            &base[..],
            &["build-info", "algolia-protocol", "api", "observed-ports", "search-parameters", "storefront"],
            &INDEXES,
            &["rules", "text"],
        ]
        .concat(),
        "sync" => [
            &base[..],
            &["build-info", "api", "observed-ports"],
            &STORES,
            &QUEUES,
            &INDEXES,
            &["aws-setup", "rules"],
        ]
        .concat(),
        "noren" => [
            &base[..],
            &adapters,
            &SERVICES,
            &["build-info", "rules", "api", "search-parameters", "demo", "bench", "cost", "feeds"],
        ]
        .concat(),
        "tests" => [
            &base[..],
            &adapters,
            &SERVICES,
            &ACCESS_STORES,
            &[
                "aws-setup",
                "s3-images",
                "noren",
                "api",
                "search-parameters",
                "storefront",
                "demo",
                "bench",
                "feeds",
                "rules",
                "text",
            ],
        ]
        .concat(),
        _ => return None,
    })
}

/// External crates that only some packages may use.
const RESERVED_CRATES: [(&[&str], &[&str]); 12] = [
    (&["rusqlite"], &["embedded-store", "sqlite-access"]),
    (&["tantivy"], &["tantivy-index"]),
    (&["opensearch"], &["opensearch-index"]),
    (&["toml"], &["rules", "feeds", "cost", "tests"]),
    (
        &["axum", "utoipa-axum"],
        &["runtime", "api", "search-parameters", "command", "query", "sync", "noren", "bench", "tests"],
    ),
    (
        &["tokio", "tower", "tower-http", "hyper", "reqwest", "tracing", "metrics"],
        &[
            "access",
            "sqlite-access",
            "dynamodb-access",
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
            "s3-images",
            "observed-ports",
        ],
    ),
    (
        &[
            "opentelemetry",
            "opentelemetry_sdk",
            "opentelemetry-otlp",
            "tracing-appender",
            "tracing-opentelemetry",
        ],
        &["runtime"],
    ),
    (&["imagesize"], &["command"]),
    (&["aws-sigv4"], &["s3-images"]),
    (&["aws-config"], &["aws-setup"]),
    (&["aws-sdk-dynamodb"], &["aws-setup", "dynamodb-store", "dynamodb-access"]),
    (&["aws-sdk-sqs"], &["sqs-queue"]),
];

#[test]
fn dependencies_point_one_way() {
    let members = members();
    let mut wrong = Vec::new();
    for (name, dependencies) in members.iter().map(|member| (&member.name, &member.dependencies)) {
        let allowed =
            allowed_dependencies(name).unwrap_or_else(|| panic!("{name} has no place in the layout"));
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

/// A Lambda function contains no code that its service cannot use.
#[test]
fn a_service_contains_only_the_clients_that_it_uses() {
    let dynamodb = ["dynamodb-store"];
    let keys = ["dynamodb-access", "aws-sdk-dynamodb"];
    let sqs = ["sqs-queue", "aws-sdk-sqs"];
    let embedded =
        ["embedded-store", "sqlite-access", "rusqlite", "tantivy-index", "tantivy", "utoipa-swagger-ui"];
    let opensearch = ["opensearch-index", "opensearch"];
    for (service, has, lacks) in [
        (
            "command",
            [&dynamodb[..], &keys, &sqs, &["s3-images"]].concat(),
            [&opensearch[..], &embedded].concat(),
        ),
        // As a process, sync rebuilds the index from the store.
        ("sync", [&dynamodb[..], &keys, &sqs, &opensearch].concat(), embedded.to_vec()),
        ("query", [&keys[..], &opensearch].concat(), [&dynamodb[..], &sqs, &embedded].concat()),
    ] {
        let tree = tree_for_aws(service);
        assert!(tree.contains("domain") && tree.contains("axum"), "{tree:?}");
        let wrong = has.iter().filter(|name| !tree.contains(**name));
        assert_eq!(wrong.collect::<Vec<_>>(), [&""; 0], "{service} lacks these");
        let wrong = lacks.iter().filter(|name| tree.contains(**name));
        assert_eq!(wrong.collect::<Vec<_>>(), [&""; 0], "{service} must not have these");
    }
}

/// Returns the names of all packages that a service is built from for AWS.
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

#[test]
fn every_package_is_named_like_its_folder_and_takes_the_lints_of_the_workspace() {
    for Member { name, folder, .. } in members() {
        assert_eq!(folder.file_name().and_then(|folder| folder.to_str()), Some(name.as_str()));
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).expect("cargo has read it, too");
        let lints = manifest.lines().skip_while(|line| line.trim() != "[lints]").nth(1);
        assert_eq!(lints.map(str::trim), Some("workspace = true"), "lints of {name}");
    }
}
