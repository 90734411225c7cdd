//! Operator commands on the back ends of services that run elsewhere.

use domain::ProductId;
use serde_json::{Value, json};

use super::start::variables;
use crate::services;
use crate::support::{Answer, Running, finished, http_client};

#[tokio::test]
async fn an_export_reads_the_store_that_the_services_use() {
    let (Some(dynamodb), Some(sqs)) = (services::dynamodb().await, services::sqs().await) else { return };
    let name = format!("operator-{}", ProductId::generate());
    let variables = [
        &variables(&dynamodb.url, &sqs.url, &name)[..],
        &[("NOREN_STORE", "dynamodb"), ("NOREN_QUEUE", "sqs")],
    ]
    .concat();
    let missing = finished("noren", &["export", "--back-ends"], &variables);
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
    let fault = String::from_utf8(missing.stderr).unwrap();
    // Neither the table nor the queue exists; both are opened at once.
    let names_one = ["NOREN_DYNAMODB_TABLE", "NOREN_SQS_QUEUE"].iter().any(|one| fault.contains(one));
    assert!(fault.contains(&name) && names_one, "{fault}");

    let command = Running::start_with("noren-command", &["--create-tables"], |command| {
        command.envs(variables.iter().copied());
    })
    .await;
    let lamp = http_client().put(format!("{}/products/lamp", command.url));
    Answer::of(lamp.json(&json!({ "name": "a lamp" }))).await.expect(201);
    drop(command);

    let export = finished("noren", &["export", "--back-ends"], &variables);
    assert_eq!(export.status.code(), Some(0), "{export:?}");
    let product: Value = serde_json::from_slice(&export.stdout).unwrap();
    assert_eq!(product["name"], "a lamp");
}

#[test]
fn a_back_end_that_does_not_exist_is_one_line() {
    let wrong = finished("noren", &["export", "--back-ends"], &[("NOREN_STORE", "postgres")]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let fault = String::from_utf8(wrong.stderr).unwrap();
    assert!(
        fault.starts_with("error: NOREN_STORE=postgres cannot be used; write one of sqlite, "),
        "{fault}"
    );
    assert_eq!(fault.lines().count(), 1, "{fault}");
}
