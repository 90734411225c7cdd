//! The real servers that the adapters for AWS and OpenSearch are tested on: DynamoDB Local, ElasticMQ (which speaks
//! SQS) and OpenSearch.
//!
//! Each is started once for all tests of the process, when the first test asks for it, on a free port of this
//! machine, and ended with the process, however that ends. By Docker Compose where an engine answers, else from Maven
//! Central with Java. Where neither can be had there is one line about it and the tests that need a server pass over;
//! in CI they fail.

mod guarded;
mod jars;
mod means;
mod self_tests;

use std::time::Duration;

use guarded::Guarded;
use means::Means;
use tokio::sync::OnceCell;

use crate::support::{http_client, record, wait_within};

/// How long a server may take to answer, on a machine that does other things as well.
const START_PATIENCE: Duration = Duration::from_secs(240);

/// How often a start is tried: a port that was free may be taken by the time a server wants it.
const TRIES: usize = 3;

/// DynamoDB Local. All regions and keys see the same tables, so tests take names of their own.
pub(crate) async fn dynamodb() -> Option<&'static Server> {
    static SERVER: Shared = Shared::const_new();
    shared(&SERVER, Kind::DynamoDb).await
}

/// An SQS server. Its queue URLs name its own address.
pub(crate) async fn sqs() -> Option<&'static Server> {
    static SERVER: Shared = Shared::const_new();
    shared(&SERVER, Kind::Sqs).await
}

/// OpenSearch, one node without security.
pub(crate) async fn opensearch() -> Option<&'static Server> {
    static SERVER: Shared = Shared::const_new();
    shared(&SERVER, Kind::OpenSearch).await
}

/// A server or why it does not run: the second test that asks need not wait for the same failure again.
type Shared = OnceCell<Result<Server, String>>;

async fn shared(server: &'static Shared, kind: Kind) -> Option<&'static Server> {
    record();
    let means = means::means().await?;
    match server.get_or_init(|| Server::start(kind, means)).await {
        Ok(server) => Some(server),
        Err(error) => panic!("{kind:?} does not start: {error}"),
    }
}

/// The servers there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    DynamoDb,
    Sqs,
    OpenSearch,
}

const KINDS: [Kind; 3] = [Kind::DynamoDb, Kind::Sqs, Kind::OpenSearch];

impl Kind {
    /// Whether the server at this address can be worked with.
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

/// A call of DynamoDB over plain HTTP. DynamoDB Local wants a signature and does not check it.
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

/// A running server. It is ended when this is dropped, or with the process.
#[derive(Debug)]
pub(crate) struct Server {
    /// Its address, such as `http://127.0.0.1:9324`.
    pub(crate) url: String,
    _process: Guarded,
}

impl Server {
    async fn start(kind: Kind, means: &Means) -> Result<Self, String> {
        let client = http_client();
        let mut failures = Vec::new();
        for _ in 0..TRIES {
            let process = match means {
                Means::Compose => guarded::by_compose(kind),
                Means::Jars(jars) => jars.start(kind),
            };
            let process = process.map_err(|error| error.to_string())?;
            match Self::when_ready(kind, process, &client).await {
                Ok(server) => return Ok(server),
                Err(failure) => failures.push(failure),
            }
        }
        Err(failures.join("\n"))
    }

    /// The server when it answers.
    async fn when_ready(kind: Kind, process: Guarded, client: &reqwest::Client) -> Result<Self, String> {
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
