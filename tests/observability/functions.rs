//! The logs of functions: metrics in the embedded metric format, and the lines of requests.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::embedded_metric_format::check;
use crate::lambda::{Function, event};
use crate::support::command;

/// Starts a function with its outputs in files.
async fn start(name: &str, folder: &Path) -> Function {
    let file = |kind: &str| Stdio::from(File::create(folder.join(format!("{name}.{kind}"))).unwrap());
    let mut program: Command = command(name);
    program.env("NOREN_DATA_DIR", folder).env("NOREN_STAGE", "test").env_remove("RUST_LOG");
    let (stdout, stderr) = (file("out"), file("err"));
    Function::start_with_outputs(program, name, stdout, stderr).await
}

/// Returns the lines of JSON that a function wrote.
fn lines(folder: &Path, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_invocation_writes_one_line_of_metrics() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = start("noren-command", folder.path()).await;
    command.invoke(&event("http-api-create")).await.unwrap();
    command.invoke(&event("http-api-bad-request")).await.unwrap();
    command.invoke(&event("scheduled-relay")).await.unwrap();
    let mut sync = start("noren-sync", folder.path()).await;
    sync.invoke(&event("sqs-batch")).await.unwrap();
    drop(sync);
    let mut query = start("noren-query", folder.path()).await;
    query.invoke(&event("http-api-search")).await.unwrap();
    for (name, invocations) in [("noren-command", 3), ("noren-sync", 1), ("noren-query", 1)] {
        let lines = lines(folder.path(), &format!("{name}.out"));
        assert_eq!(lines.len(), invocations, "{name}: {lines:#?}");
        for (at, line) in lines.iter().enumerate() {
            let names = check(line).unwrap_or_else(|broken| panic!("{name}: {broken}: {line:#}"));
            for expected in ["ColdStart", "MemoryUsed", "MemoryUtilization"] {
                assert!(names.contains(expected), "{expected} of {name}");
            }
            assert_eq!((&line["service"], &line["stage"]), (&json!(name), &json!("test")));
            assert_eq!(line["ColdStart"], json!(u8::from(at == 0)), "{name}");
        }
    }
    let written = lines(folder.path(), "noren-command.out");
    assert_eq!((&written[0]["Requests"], &written[0]["noren_product_writes_total"]), (&json!(1), &json!(1)));
    assert_eq!(written[1].get("noren_product_writes_total"), None, "a refused write is none");
    let synced = &lines(folder.path(), "noren-sync.out")[0];
    assert_eq!(synced["noren_sync_messages_total"], json!(10));
    let searched = &lines(folder.path(), "noren-query.out")[0];
    assert_eq!(searched["noren_searches_total"], json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_a_request_names_the_function() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = start("noren-command", folder.path()).await;
    for _ in 0..2 {
        command.invoke(&event("http-api-create")).await.unwrap();
    }
    let lines = lines(folder.path(), "noren-command.err");
    let requests: Vec<&Value> = lines.iter().filter(|line| line["message"] == "request").collect();
    assert_eq!(requests.len(), 2, "{lines:#?}");
    for (line, is_cold) in requests.into_iter().zip([true, false]) {
        for (field, expected) in [
            ("function.name", json!("noren-command")),
            ("function.version", json!("1")),
            ("function.stage", json!("test")),
            ("function.cold_start", json!(is_cold)),
            ("http.method", json!("POST")),
        ] {
            assert_eq!(line[field], expected, "{field} in {line}");
        }
        assert!(line["function.memory_mb"].as_u64().unwrap() > 0, "{line}");
    }
}
