//! The services on AWS as processes: errors at start, and an unavailable queue.

use aws_setup::Aws;
use domain::ProductId;
use domain::ports::ChangeQueue;
use reqwest::Method;
use serde_json::json;
use sqs_queue::SqsQueue;

use super::closed_address;
use crate::services;
use crate::support::{Answer, PATIENCE, Proxy, Running, finished, http_client, wait_until};

const COMMAND: [&str; 4] = ["--store", "dynamodb", "--queue", "sqs"];
/// Variables that hide the SDK configuration of this machine.
const NOTHING: [(&str, &str); 9] = [
    ("AWS_REGION", ""),
    ("AWS_DEFAULT_REGION", ""),
    ("AWS_PROFILE", "noren-tests-have-none"),
    ("AWS_CONFIG_FILE", "nowhere"),
    ("AWS_SHARED_CREDENTIALS_FILE", "nowhere"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("AWS_ACCESS_KEY_ID", ""),
    ("AWS_SECRET_ACCESS_KEY", ""),
    ("AWS_SESSION_TOKEN", ""),
];

/// Returns the variables of a process that uses the servers at these addresses.
pub(crate) fn variables<'a>(dynamodb: &'a str, sqs: &'a str, name: &'a str) -> Vec<(&'a str, &'a str)> {
    let ours = [
        ("AWS_PROFILE", "default"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb),
        ("AWS_ENDPOINT_URL_SQS", sqs),
        ("NOREN_DYNAMODB_TABLE", name),
        ("NOREN_SQS_QUEUE", name),
    ];
    [&NOTHING[..], &ours].concat()
}

/// Returns the one line that a service prints if it cannot start.
pub(super) fn fault(service: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = finished(service, &[arguments, &["--listen", "127.0.0.1:0"]].concat(), variables);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    lines[0].to_owned()
}

#[tokio::test]
async fn what_is_missing_is_one_line_that_says_what_to_set() {
    let without_region = fault("noren-command", &COMMAND, &NOTHING);
    assert!(without_region.contains("AWS_REGION"), "{without_region}");
    let with_region = [&NOTHING[..], &[("AWS_REGION", "eu-central-1")]].concat();
    for (service, arguments) in [("noren-command", &COMMAND[..]), ("noren-sync", &["--queue", "sqs"])] {
        let without_credentials = fault(service, arguments, &with_region);
        assert!(without_credentials.contains("AWS_ACCESS_KEY_ID"), "{without_credentials}");
    }
    let (Some(dynamodb), Some(sqs)) = (services::dynamodb().await, services::sqs().await) else { return };
    let variables = variables(&dynamodb.url, &sqs.url, "missing");
    let without_table = fault("noren-command", &COMMAND, &variables);
    assert!(
        without_table.contains("`missing`") && without_table.contains("NOREN_DYNAMODB_TABLE"),
        "{without_table}"
    );
    let without_queue = fault("noren-sync", &["--queue", "sqs"], &variables);
    assert!(
        without_queue.contains("`missing`") && without_queue.contains("NOREN_SQS_QUEUE"),
        "{without_queue}"
    );
}

#[tokio::test]
async fn without_its_store_the_command_service_says_so_and_asks_to_come_again() {
    let (dynamodb, sqs) = (closed_address(), closed_address());
    let (dynamodb, sqs) = (format!("http://{dynamodb}"), format!("http://{sqs}"));
    let command = start_with(&COMMAND, &variables(&dynamodb, &sqs, "any")).await;
    let client = http_client();
    let ready = Answer::of(client.get(format!("{}/health/ready", command.url))).await.problem(503);
    assert!(ready["parts"]["store"] != "ready" && ready["parts"]["queue"] != "ready", "{ready}");
    let body = json!({ "name": "a lamp" });
    let answer = Answer::of(client.post(format!("{}/products", command.url)).json(&body)).await;
    assert_ne!(answer.header("retry-after"), "");
    answer.problem(503);
}

/// Writes succeed while the queue is unavailable, and the relay enqueues them once it is back.
#[tokio::test]
async fn what_is_written_while_the_queue_is_away_is_sent_when_it_is_back() {
    let (Some(dynamodb), Some(sqs)) = (services::dynamodb().await, services::sqs().await) else { return };
    let name = format!("relay-{}", ProductId::generate());
    let aws = Aws::local(&sqs.url).await.unwrap();
    let queue = SqsQueue::create(&aws, &name, std::time::Duration::from_secs(30)).await.unwrap();
    let mut away = Proxy::before(&sqs.url);
    let endpoint = away.url();
    // It cannot create the queue while SQS is unavailable.
    let arguments = [&COMMAND[..2], &["--create-tables"]].concat();
    let data = tempfile::tempdir().unwrap();
    let with_table = [&arguments[..], &["--data-dir", data.path().to_str().unwrap()]].concat();
    let variables = variables(&dynamodb.url, &endpoint, &name);
    drop(start_with(&with_table, &variables).await);

    let command = start_with(&COMMAND, &variables).await;
    let client = http_client();
    for i in 0..5 {
        let url = format!("{}/products/p{i}", command.url);
        let request = client.request(Method::PUT, url).json(&json!({ "name": "a lamp" }));
        let answer = Answer::of(request).await;
        answer.expect(201);
    }
    assert_eq!(queue.stats().await.unwrap().waiting, 0);

    away.connect().await;
    wait_until("the relay has sent what was written", async || queue.stats().await.unwrap().waiting == 5)
        .await;
    let ready = Answer::of(client.get(format!("{}/health/ready", command.url))).await.expect(200).json();
    assert_eq!(ready["parts"], json!({ "store": "ready", "queue": "ready" }));
    let received = queue.receive(10, PATIENCE).await.unwrap();
    let mut ids: Vec<_> =
        received.iter().map(|delivery| delivery.envelope.as_ref().unwrap().change.id().to_string()).collect();
    ids.sort();
    assert_eq!(ids, ["p0", "p1", "p2", "p3", "p4"]);
}

async fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Running {
    Running::start_with("noren-command", arguments, |command| {
        command.envs(variables.iter().copied());
    })
    .await
}
