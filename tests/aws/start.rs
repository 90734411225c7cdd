//! The services on AWS as processes: errors at start, and an unavailable queue.

use std::time::Instant;

use aws_setup::Aws;
use domain::ProductId;
use domain::ports::ChangeQueue;
use dynamodb_store::DynamoStore;
use reqwest::Method;
use serde_json::json;
use sqs_queue::{SqsQueue, VISIBILITY};

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
    let name = format!("missing-{}", ProductId::generate());
    let variables = variables(&dynamodb.url, &sqs.url, &name);
    let without_queue = fault("noren-sync", &["--queue", "sqs"], &variables);
    assert!(without_queue.contains(&name) && without_queue.contains("NOREN_SQS_QUEUE"), "{without_queue}");
    SqsQueue::create(&Aws::local(&sqs.url).await.unwrap(), &name, VISIBILITY).await.unwrap();
    let without_table = fault("noren-command", &COMMAND, &variables);
    assert!(
        without_table.contains(&name) && without_table.contains("NOREN_DYNAMODB_TABLE"),
        "{without_table}"
    );
}

/// A waiting program answers probes and asks everybody else to come again.
#[tokio::test(flavor = "multi_thread")]
async fn programs_that_start_before_their_back_ends_wait_for_them() {
    let (Some(dynamodb), Some(sqs), Some(opensearch)) =
        (services::dynamodb().await, services::sqs().await, services::opensearch().await)
    else {
        return;
    };
    let name = format!("waiting-{}", ProductId::generate());
    let mut proxies = [&dynamodb.url, &sqs.url, &opensearch.url].map(|url| Proxy::before(url));
    let [dynamodb, sqs, opensearch] = proxies.each_ref().map(Proxy::url);
    let ours = [
        ("NOREN_STORE", "dynamodb"),
        ("NOREN_QUEUE", "sqs"),
        ("NOREN_INDEX", "opensearch"),
        ("NOREN_OPENSEARCH_URL", &opensearch),
        ("NOREN_OPENSEARCH_INDEX", &name),
        ("NOREN_CREATE_TABLES", "true"),
    ];
    let variables = [&variables(&dynamodb, &sqs, &name)[..], &ours].concat();
    let (logs, client) = (tempfile::tempdir().unwrap(), http_client());
    let parts = [
        ("noren-command", &["store", "queue"][..]),
        ("noren-sync", &["queue", "index"]),
        ("noren-query", &["index"]),
    ];
    let log = |service: &str| logs.path().join(service);
    let mut running = Vec::new();
    for (service, parts) in parts {
        let started = Running::start_waiting(service, |command| {
            command.envs(variables.iter().copied());
            command.env("NOREN_DATA_DIR", logs.path().join(format!("{service}-data")));
            command.stderr(std::fs::File::create(log(service)).unwrap());
        })
        .await;
        running.push((started, parts));
    }
    for (service, parts) in &running {
        let waits = async |part: &&str| {
            let ready = Answer::of(client.get(format!("{}/health/ready", service.url))).await.problem(503);
            ready["parts"][*part].as_str().unwrap().starts_with("waiting for it: cannot open the ")
        };
        for part in *parts {
            wait_until(&format!("{} waits for its {part}", service.name), async || waits(part).await).await;
        }
        for path in ["/", "/products", "/products/search", "/openapi.json"] {
            let answer = Answer::of(client.get(format!("{}{path}", service.url))).await;
            assert_ne!(answer.header("retry-after"), "", "{path}");
            answer.problem(503);
        }
    }
    for proxy in &mut proxies {
        proxy.connect().await;
    }
    for (service, parts) in &running {
        let ready = format!("{}/health/ready", service.url);
        // The server of the start ends, and with it the connections that it had.
        let is_ready = async || client.get(&ready).send().await.is_ok_and(|answer| answer.status() == 200);
        wait_until(&format!("{} is ready", service.name), is_ready).await;
        let text = std::fs::read_to_string(log(&service.name)).unwrap();
        for part in *parts {
            let part = format!("\"part\":\"{part}\"");
            let count = |message: &str| {
                text.lines().filter(|line| line.contains(message) && line.contains(&part)).count()
            };
            // The reason may change while a server starts to respond.
            assert!((1..=3).contains(&count("waiting for a back end")), "{text}");
            assert_eq!(count("the back end responds"), 1, "{text}");
        }
    }
    let put = client.put(format!("{}/products/lamp", running[0].0.url)).json(&json!({ "name": "a lamp" }));
    Answer::of(put).await.expect(201);
    let search = format!("{}/products/search?query=lamp", running[2].0.url);
    let is_found = async || Answer::of(client.get(&search)).await.expect(200).ids() == ["lamp"];
    wait_until("what was written is found", is_found).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_give_up_after_a_minute_with_one_line() {
    let url = format!("http://{}", closed_address());
    let ours = [("NOREN_INDEX", "opensearch"), ("NOREN_OPENSEARCH_URL", &*url)];
    let variables: Vec<(String, String)> = [&variables(&url, &url, "any")[..], &ours]
        .concat()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let begun = Instant::now();
    let programs = [
        ("noren-command", &COMMAND[..], &["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"][..]),
        ("noren-sync", &["--queue", "sqs"], &["AWS_ENDPOINT_URL_SQS", &url]),
        ("noren-query", &[], &[&*url]),
    ];
    std::thread::scope(|scope| {
        let faults = programs.map(|(service, arguments, named)| {
            let variables: Vec<(&str, &str)> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            (scope.spawn(move || fault(service, arguments, &variables)), named)
        });
        for (fault, named) in faults {
            let line = fault.join().unwrap();
            assert!(line.ends_with("(gave up after 60 s)"), "{line}");
            assert!(named.iter().any(|name| line.contains(name)), "{line} names one of {named:?}");
        }
    });
    assert!((60..90).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn without_its_store_the_command_service_says_so_and_asks_to_come_again() {
    let (Some(dynamodb), Some(sqs)) = (services::dynamodb().await, services::sqs().await) else { return };
    let mut proxy = Proxy::before(&dynamodb.url);
    proxy.connect().await;
    let (endpoint, name) = (proxy.url(), format!("gone-{}", ProductId::generate()));
    let arguments = [&COMMAND[..], &["--create-tables"]].concat();
    let command = start_with(&arguments, &variables(&endpoint, &sqs.url, &name)).await;
    let client = http_client();
    wait_until_ready(&client, &command).await;
    proxy.cut().await;
    // Readiness is checked once a second.
    let ready = async || Answer::of(client.get(format!("{}/health/ready", command.url))).await;
    wait_until("it is not ready", async || ready().await.status == 503).await;
    let ready = ready().await.problem(503);
    assert!(ready["parts"]["store"] != "ready" && ready["parts"]["queue"] == "ready", "{ready}");
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
    let queue = SqsQueue::create(&aws, &name, VISIBILITY).await.unwrap();
    DynamoStore::create(&Aws::local(&dynamodb.url).await.unwrap(), &name).await.unwrap();
    let mut away = Proxy::before(&sqs.url);
    away.connect().await;
    let endpoint = away.url();
    let command = start_with(&COMMAND, &variables(&dynamodb.url, &endpoint, &name)).await;
    let client = http_client();
    wait_until_ready(&client, &command).await;
    away.cut().await;
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

async fn wait_until_ready(client: &reqwest::Client, service: &Running) {
    let ready = format!("{}/health/ready", service.url);
    wait_until("it is ready", async || Answer::of(client.get(&ready)).await.status == 200).await;
}

async fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Running {
    Running::start_with("noren-command", arguments, |command| {
        command.envs(variables.iter().copied());
    })
    .await
}
