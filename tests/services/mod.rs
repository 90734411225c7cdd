//! The real servers for tests of the AWS and OpenSearch adapters: DynamoDB Local, ElasticMQ (which speaks SQS) and
//! OpenSearch.
//!
//! Each server is started once per process, on first use, on a free port of this machine. It ends when the process ends,
//! even if the process is killed. It runs in Docker Compose if an engine responds, otherwise from Maven Central with Java.
//! If neither is available, one line says so and the tests that need a server are skipped; in CI they fail.

mod maven;
mod process_guard;
mod provider;
mod self_tests;

use std::time::Duration;

use process_guard::ProcessGuard;
use provider::Provider;
use tokio::sync::OnceCell;

use crate::support::{Answer, http_client, record, wait_within};

/// The longest time that a server may take to start on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(240);

/// The variable that names another version of OpenSearch than the default, which Maven then provides.
const OTHER_OPENSEARCH: &str = "NOREN_TEST_OPENSEARCH";

/// The number of attempts to start: a free port may be taken by the time the server binds it.
const TRIES: usize = 3;

/// Returns DynamoDB Local. All regions and access keys share its tables, so each test uses its own table names.
pub(crate) async fn dynamodb() -> Option<&'static Server> {
    static SERVER: Shared = Shared::const_new();
    shared(&SERVER, Kind::DynamoDb).await
}

/// Returns an SQS server. The URLs of its queues begin with its address.
pub(crate) async fn sqs() -> Option<&'static Server> {
    static SERVER: Shared = Shared::const_new();
    shared(&SERVER, Kind::Sqs).await
}

/// Returns OpenSearch, one node without security.
pub(crate) async fn opensearch() -> Option<&'static Server> {
    static SERVER: Shared = Shared::const_new();
    shared(&SERVER, Kind::OpenSearch).await
}

/// Starts an SQS server for the caller alone. It ends when it is dropped, with everything in its queues.
pub(crate) async fn own_sqs() -> Option<Server> {
    record();
    let provider = provider::provider().await?;
    match Server::start(Kind::Sqs, provider).await {
        Ok(server) => Some(server),
        Err(error) => panic!("an SQS server does not start: {error}"),
    }
}

/// A server, or the reason why it does not run, kept so that later tests do not wait for the same failure.
type Shared = OnceCell<Result<Server, String>>;

async fn shared(server: &'static Shared, kind: Kind) -> Option<&'static Server> {
    record();
    let provider = provider::provider().await?;
    match server.get_or_init(|| Server::start(kind, provider)).await {
        Ok(server) => Some(server),
        Err(error) => panic!("{kind:?} does not start: {error}"),
    }
}

/// The kinds of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    DynamoDb,
    Sqs,
    OpenSearch,
}

const KINDS: [Kind; 3] = [Kind::DynamoDb, Kind::Sqs, Kind::OpenSearch];

impl Kind {
    /// Returns true if the server at this address is ready.
    async fn is_ready(self, client: &reqwest::Client, url: &str) -> bool {
        let request = match self {
            Self::DynamoDb => dynamodb_request(client, url, "ListTables", "{}"),
            Self::Sqs => client.get(format!("{url}/health")),
            Self::OpenSearch => {
                client.get(format!("{url}/_cluster/health?wait_for_status=yellow&timeout=1s"))
            }
        };
        request.timeout(Duration::from_secs(5)).send().await.is_ok_and(|answer| answer.status().is_success())
    }
}

/// Creates a table in DynamoDB that has a partition key `id` and no sort key, unlike the tables of Noren.
pub(crate) async fn create_foreign_table(server: &Server, name: &str) {
    let table = serde_json::json!({
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST"
    });
    let create = dynamodb_request(&http_client(), &server.url, "CreateTable", table.to_string());
    Answer::of(create).await.expect(200);
}

/// Builds a call to DynamoDB over plain HTTP. DynamoDB Local requires a signature but does not check it.
fn dynamodb_request(
    client: &reqwest::Client,
    url: &str,
    action: &str,
    body: impl Into<String>,
) -> reqwest::RequestBuilder {
    client
        .post(url)
        .header("x-amz-target", format!("DynamoDB_20120810.{action}"))
        .header("content-type", "application/x-amz-json-1.0")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=00",
        )
        .body(body.into())
}

/// A running server. It ends when this is dropped, or with the process.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its address, such as `http://127.0.0.1:9324`.
    pub(crate) url: String,
    _process: ProcessGuard,
}

impl Server {
    async fn start(kind: Kind, provider: &Provider) -> Result<Self, String> {
        let client = http_client();
        let mut failures = Vec::new();
        for _ in 0..TRIES {
            let process = match provider {
                Provider::Compose => process_guard::by_compose(kind),
                Provider::Maven(maven) => maven.start(kind),
            };
            let process = process.map_err(|error| error.to_string())?;
            match Self::when_ready(kind, process, &client).await {
                Ok(server) => return Ok(server),
                Err(failure) => failures.push(failure),
            }
        }
        Err(failures.join("\n"))
    }

    /// Waits until the server is ready.
    async fn when_ready(kind: Kind, process: ProcessGuard, client: &reqwest::Client) -> Result<Self, String> {
        let answers = async || match process.url() {
            Some(url) => kind.is_ready(client, &url).await,
            None => false,
        };
        let ready = wait_within(START_PATIENCE, async || process.has_ended() || answers().await).await;
        match process.url() {
            Some(url) if ready && !process.has_ended() => Ok(Self { url, _process: process }),
            _ if ready => Err(format!("it ended and left this:\n{}", process.last_words())),
            _ => Err(format!("no answer within {START_PATIENCE:?}:\n{}", process.last_words())),
        }
    }
}
