//! The three binaries as Lambda functions. A small runtime API sends them the events, as AWS does.
//!
//! Most tests run on the embedded back ends: they check that events become requests and batches, and that responses
//! are what AWS expects.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use aws_setup::Aws;
use axum::Router;
use axum::extract::{Path as InPath, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use domain::ports::ChangeQueue;
use dynamodb_store::DynamoStore;
use opensearch_index::OpenSearchWriter;
use serde_json::{Value, json};
use sqs_queue::SqsQueue;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::services;
use crate::support::{PATIENCE, command, command_at, folder, opensearch_options, repository, wait_until};
use crate::template::Template;

pub(crate) type Answer = Result<Value, Value>;

/// An event with the id and the deadline of its invocation.
struct Invocation {
    id: String,
    deadline: SystemTime,
    event: Value,
}

/// The runtime API of AWS: hands out events one by one and takes the responses.
struct RuntimeApi {
    /// The time of the first request for an event.
    asked: OnceLock<Instant>,
    events: Mutex<mpsc::Receiver<Invocation>>,
    answers: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
}

async fn next(State(api): State<Arc<RuntimeApi>>) -> impl IntoResponse {
    api.asked.get_or_init(Instant::now);
    let Some(Invocation { id, deadline, event }) = api.events.lock().await.recv().await else {
        std::future::pending().await
    };
    let mut headers = HeaderMap::new();
    let mut set = |name: &'static str, value: String| headers.insert(name, value.parse().unwrap());
    set("lambda-runtime-aws-request-id", id);
    let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    set("lambda-runtime-deadline-ms", deadline.as_millis().to_string());
    set(
        "lambda-runtime-invoked-function-arn",
        "arn:aws:lambda:eu-west-1:123456789012:function:noren".to_owned(),
    );
    (headers, axum::Json(event))
}

async fn answered(
    State(api): State<Arc<RuntimeApi>>,
    InPath((id, how)): InPath<(String, String)>,
    answer: axum::body::Bytes,
) {
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    let waiting = api.answers.lock().await.remove(&id).unwrap_or_else(|| panic!("nobody asked {id}"));
    let answer = if how == "response" { Ok(answer) } else { Err(answer) };
    waiting.send(answer).unwrap_or_else(|answer| panic!("nobody waits for {answer:?}"));
}

/// A function that runs until it is dropped.
pub(crate) struct Function {
    child: Child,
    started: Instant,
    api: Arc<RuntimeApi>,
    send: mpsc::Sender<Invocation>,
    calls: usize,
    /// The time that an invocation may take.
    timeout: Duration,
}

impl Function {
    async fn start(name: &str, data_dir: &Path) -> Self {
        let mut program = command(name);
        program.env("NOREN_DATA_DIR", data_dir);
        Self::start_program(program, name).await
    }

    pub(crate) async fn start_program(program: Command, name: &str) -> Self {
        Self::start_with_outputs(program, name, Stdio::null(), Stdio::null()).await
    }

    pub(crate) async fn start_with_outputs(
        mut program: Command,
        name: &str,
        stdout: Stdio,
        stderr: Stdio,
    ) -> Self {
        let (send, events) = mpsc::channel(1);
        let api =
            RuntimeApi { asked: OnceLock::new(), events: Mutex::new(events), answers: Mutex::default() };
        let api = Arc::new(api);
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/{how}", post(answered))
            .with_state(Arc::clone(&api));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        // A function does not start without a choice.
        if !program.get_envs().any(|(variable, _)| variable == "NOREN_ACCESS") {
            program.env("NOREN_ACCESS", "none");
        }
        let started = Instant::now();
        let child = program
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap();
        Self { child, started, api, send, calls: 0, timeout: PATIENCE }
    }

    /// Returns the time from the start until the first request for an event.
    pub(crate) async fn cold_start(&self) -> Duration {
        wait_until("the function asks for work", async || self.api.asked.get().is_some()).await;
        *self.api.asked.get().expect("it has asked") - self.started
    }

    /// Returns the function's response to an event.
    pub(crate) async fn invoke(&mut self, event: &Value) -> Answer {
        self.calls += 1;
        let id = format!("request-{}", self.calls);
        let (sender, receiver) = oneshot::channel();
        self.api.answers.lock().await.insert(id.clone(), sender);
        let deadline = SystemTime::now() + self.timeout;
        self.send.send(Invocation { id, deadline, event: event.clone() }).await.unwrap();
        tokio::time::timeout(PATIENCE, receiver).await.expect("the function answers").unwrap()
    }

    /// Returns the response to an event, and how much later the invocation would have been ended.
    async fn invoke_in_time(&mut self, event: &Value) -> (Answer, Duration) {
        let begun = Instant::now();
        let answer = self.invoke(event).await;
        let left = self.timeout.checked_sub(begun.elapsed());
        (answer, left.expect("the function answers before its invocation is ended"))
    }

    /// Returns status, body and headers of the response to an HTTP event.
    async fn request(&mut self, event: &Value) -> (u64, Value, Value) {
        let answer = self.invoke(event).await.expect("the function does not fail");
        let body = answer["body"].as_str().expect("there is a body");
        // A REST API expects each header as a list.
        let header = |name: &str| {
            let many = &answer["multiValueHeaders"][name][0];
            if many.is_null() { answer["headers"][name].clone() } else { many.clone() }
        };
        let body = match header("content-encoding").as_str() {
            // Compressed bodies are sent as base64.
            Some("gzip") => {
                assert_eq!(answer["isBase64Encoded"], true);
                let packed = BASE64_STANDARD.decode(body).unwrap();
                serde_json::from_reader(flate2::read::GzDecoder::new(&packed[..])).unwrap()
            }
            _ => serde_json::from_str(body).unwrap(),
        };
        let headers = ["etag", "content-type"].map(|name| (name.to_owned(), header(name)));
        (answer["statusCode"].as_u64().unwrap(), body, Value::Object(headers.into_iter().collect()))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // Lambda freezes and kills functions at any time, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A recorded event.
pub(crate) fn event(name: &str) -> Value {
    let file = repository().join("tests/events").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn products_are_created_through_every_kind_of_gateway() {
    for kind in ["http-api", "rest-api", "function-url"] {
        let dir = tempfile::tempdir().unwrap();
        let mut function = Function::start("noren-command", dir.path()).await;
        let (status, body, headers) = function.request(&event(&format!("{kind}-create"))).await;
        assert_eq!((status, &body["version"]), (201, &json!(1)), "{kind}: {body}");
        assert_eq!(headers["etag"], "\"1\"", "{kind}");
        let (status, body, headers) = function.request(&event(&format!("{kind}-bad-request"))).await;
        assert!((400..500).contains(&status), "{kind}: {status} {body}");
        assert_eq!(headers["content-type"], "application/problem+json", "{kind}");
        assert_eq!(function.invoke(&event("scheduled-relay")).await, Ok(json!({})), "{kind}");
    }
}

/// A function's disk does not outlive it.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_takes_no_import_jobs_and_says_what_to_do_instead() {
    let dir = tempfile::tempdir().unwrap();
    let mut function = Function::start("noren-command", dir.path()).await;
    let mut upload = event("http-api-create");
    upload["rawPath"] = json!("/imports");
    upload["requestContext"]["http"]["path"] = json!("/imports");
    upload["headers"]["content-type"] = json!("application/x-ndjson");
    let (status, problem, headers) = function.request(&upload).await;
    assert_eq!((status, &headers["content-type"]), (501, &json!("application/problem+json")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("noren import"), "{problem}");
    assert!(!dir.path().join("imports").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_applied_once_and_only_its_poison_comes_again() {
    let dir = tempfile::tempdir().unwrap();
    let batch = event("sqs-batch");
    let records = batch["Records"].as_array().unwrap();
    let is_poison =
        |record: &&Value| serde_json::from_str::<domain::Change>(record["body"].as_str().unwrap()).is_err();
    let poison: Vec<&Value> = records.iter().filter(is_poison).map(|record| &record["messageId"]).collect();
    assert_eq!(
        (records.len(), poison.len()),
        (10, 1),
        "the recorded batch has ten messages and one poison among them"
    );
    let mut sync = Function::start("noren-sync", dir.path()).await;
    let expected = json!({"batchItemFailures": [{"itemIdentifier": poison[0]}]});
    assert_eq!(sync.invoke(&batch).await, Ok(expected.clone()));
    assert_eq!(sync.invoke(&batch).await, Ok(expected), "a batch that comes again changes nothing");
    let mut query = Function::start("noren-query", dir.path()).await;
    for kind in ["http-api", "rest-api", "function-url"] {
        let (status, body, _) = query.request(&event(&format!("{kind}-search"))).await;
        assert_eq!(status, 200, "{kind}: {body}");
        assert!(body["total"].is_u64(), "{kind}: {body}");
    }
    let mut cups = event("http-api-search");
    cups["rawQueryString"] = json!("query=stoneware+cup&sortBy=price_asc");
    let (_, body, _) = query.request(&cups).await;
    let found: Vec<&str> =
        body["products"].as_array().unwrap().iter().map(|cup| cup["id"].as_str().unwrap()).collect();
    // The batch deletes cup-0, and cup-6 is the message that fails.
    assert_eq!(found, ["cup-1", "cup-2", "cup-3", "cup-4", "cup-5", "cup-7"]);
    drop(sync);
}

/// Lambda ends an invocation without an answer, so the function itself answers before that.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_waits_for_a_write_no_longer_than_its_invocation_may_take() {
    let dir = tempfile::tempdir().unwrap();
    let sync = Function::start("noren-sync", dir.path()).await;
    sync.cold_start().await;
    drop(sync);
    let mut query = Function::start("noren-query", dir.path()).await;
    let mut search = event("http-api-search");
    search["rawQueryString"] = json!("query=&syncTimeout=10");
    search["headers"]["noren-sync-token"] = json!("1.missing");
    query.timeout = Duration::from_secs(4);
    let begun = Instant::now();
    let (status, problem, _) = query.request(&search).await;
    let took = begun.elapsed();
    assert_eq!((status, &problem["notIndexed"]), (504, &json!(["1.missing"])), "{problem}");
    assert!(took > Duration::from_secs(1) && took < query.timeout, "{took:?}");
}

/// Returns the variables of functions whose index accepts connections and never responds.
async fn variables_of_a_silent_index() -> Vec<(&'static str, String)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut connections = Vec::new();
        while let Ok(connection) = listener.accept().await {
            connections.push(connection);
        }
    });
    let variables = [("NOREN_INDEX", "opensearch"), ("NOREN_OPENSEARCH_URL", &url), ("NOREN_QUEUE", "sqs")];
    variables.map(|(name, value)| (name, value.to_owned())).into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_answers_itself_when_its_index_does_not() {
    let variables = variables_of_a_silent_index().await;
    let start = async |name: &str| {
        let mut program = command(name);
        program.envs(variables.iter().cloned());
        let mut function = Function::start_program(program, name).await;
        function.timeout = Duration::from_secs(3);
        function
    };
    let mut query = start("noren-query").await;
    let (status, problem, headers) = query.request(&event("http-api-search")).await;
    assert_eq!((status, &headers["content-type"]), (504, &json!("application/problem+json")), "{problem}");
    let mut sync = start("noren-sync").await;
    let batch = event("sqs-batch");
    let (answer, _) = sync.invoke_in_time(&batch).await;
    let failed = answer.unwrap()["batchItemFailures"].as_array().unwrap().len();
    assert_eq!(failed, batch["Records"].as_array().unwrap().len(), "every message is delivered again");
}

/// Returns the variables of functions on the AWS servers, with an existing table, queue and index, or `None` if there
/// is no server.
pub(crate) async fn variables_on_aws() -> Option<Vec<(&'static str, String)>> {
    let (dynamodb, sqs) = (services::dynamodb().await?, services::sqs().await?);
    let opensearch = services::opensearch().await?;
    let name = format!("lambda-{}", domain::ProductId::generate());
    let aws = Aws::local(&dynamodb.url).await.unwrap();
    DynamoStore::create(&aws, &name).await.unwrap();
    let aws = Aws::local(&sqs.url).await.unwrap();
    SqsQueue::create(&aws, &name, Duration::from_secs(30)).await.unwrap();
    OpenSearchWriter::create(&opensearch_options(opensearch, &name)).await.unwrap();
    let mut variables: Vec<(&str, String)> = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url),
        ("AWS_ENDPOINT_URL_SQS", &sqs.url),
        ("NOREN_STORE", "dynamodb"),
        ("NOREN_QUEUE", "sqs"),
        ("NOREN_INDEX", "opensearch"),
        ("NOREN_OPENSEARCH_URL", &opensearch.url),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    let named = ["NOREN_DYNAMODB_TABLE", "NOREN_SQS_QUEUE", "NOREN_OPENSEARCH_INDEX"];
    variables.extend(named.map(|variable| (variable, name.clone())));
    Some(variables)
}

#[tokio::test(flavor = "multi_thread")]
async fn on_the_servers_of_aws_a_product_goes_all_the_way() {
    let Some(variables) = variables_on_aws().await else { return };
    let start = async |name: &str| {
        let mut program = command(name);
        program.envs(variables.iter().cloned());
        Function::start_program(program, name).await
    };
    let mut command = start("noren-command").await;
    let (status, created, _) = command.request(&event("http-api-create")).await;
    assert_eq!(status, 201, "{created}");

    // Receives from the queue and calls the function, as Lambda does.
    let value = |name: &str| variables.iter().find(|(variable, _)| *variable == name).unwrap().1.clone();
    let aws = Aws::local(&value("AWS_ENDPOINT_URL_SQS")).await.unwrap();
    let queue = SqsQueue::open(&aws, &value("NOREN_SQS_QUEUE")).await.unwrap();
    let delivery = queue.receive(1, PATIENCE).await.unwrap().remove(0);
    let change = delivery.envelope.unwrap().change;
    let mut batch = event("sqs-batch");
    let records = batch["Records"].as_array_mut().unwrap();
    records.truncate(1);
    records[0]["body"] = serde_json::to_string(&change).unwrap().into();
    let mut sync = start("noren-sync").await;
    assert_eq!(sync.invoke(&batch).await, Ok(json!({"batchItemFailures": []})));

    let mut query = start("noren-query").await;
    let mut search = event("http-api-search");
    search["rawQueryString"] = json!("query=");
    let (status, found, _) = query.request(&search).await;
    assert_eq!(
        (status, &found["total"], &found["products"][0]["id"]),
        (200, &json!(1), &created["id"]),
        "{found}"
    );
}

/// The largest batch that the template lets Lambda deliver.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_batch_is_applied_within_the_time_that_sync_may_take() {
    let Some(variables) = variables_on_aws().await else { return };
    let template = Template::load();
    let properties = template.properties("Sync");
    let size = properties["Events"]["Changes"]["Properties"]["BatchSize"].as_u64().unwrap();
    let mut batch = event("sqs-batch");
    let record = batch["Records"][0].clone();
    let records = (0..size).map(|n| {
        let mut record = record.clone();
        record["messageId"] = json!(format!("message-{n}"));
        record["body"] = json!(record["body"].as_str().unwrap().replace("cup-0", &format!("cup-{n}")));
        record
    });
    batch["Records"] = records.collect();
    let mut program = command("noren-sync");
    program.envs(variables);
    let mut sync = Function::start_program(program, "noren-sync").await;
    sync.timeout = Duration::from_secs(properties["Timeout"].as_u64().unwrap());
    let (answer, left) = sync.invoke_in_time(&batch).await;
    assert_eq!(answer, Ok(json!({"batchItemFailures": []})));
    println!("a batch of {size} left {left:.1?} of {:?}", sync.timeout);
}

/// Prints the cold starts, see docs/BENCHMARKS.md. To measure what would be deployed instead of the debug build of the
/// tests, set `NOREN_TEST_FUNCTIONS` to the folder of the functions that `deploy/build.sh` made.
#[tokio::test(flavor = "multi_thread")]
async fn a_function_asks_for_work_soon_after_its_start() {
    const STARTS: usize = 21;
    let Some(variables) = variables_on_aws().await else { return };
    let functions = folder("NOREN_TEST_FUNCTIONS");
    for name in ["noren-command", "noren-sync", "noren-query"] {
        let mut times = Vec::new();
        for _ in 0..if functions.is_some() { STARTS } else { 1 } {
            let mut program = match &functions {
                Some(folder) => command_at(&folder.join(name).join("bootstrap")),
                None => command(name),
            };
            program.envs(variables.iter().cloned());
            times.push(Function::start_program(program, name).await.cold_start().await);
        }
        times.sort();
        let (median, slowest) = (times[times.len() / 2], times[times.len() - 1]);
        println!("{name}: {median:.1?} from its start until it asks for work, {slowest:.1?} at most");
    }
}
