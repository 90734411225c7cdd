//! The AWS policies compared with the calls that the programs make: the template for the functions, and the operator's
//! policy in deploy/README.md.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::AccessStore as _;
use aws_setup::Aws;
use domain::ports::ChangeQueue;
use domain::ports::IndexMaintenance;
use dynamodb_access::DynamoDbAccess;
use opensearch_index::OpenSearchWriter;
use serde_json::{Value, json};
use sqs_queue::SqsQueue;

use super::start::variables;
use crate::services;
use crate::support::{
    Answer, FaultProxy, Passing, Rule, Running, dead_letter_all, finished, http_client, opensearch_options,
    repository, wait_until, wait_within,
};

/// The alias of the index in the policies.
const ALIAS: &str = "noren-products";

/// The end of the name of the table of keys.
const ACCESS_TABLE: &str = "-access";

/// An action on a resource: a path in OpenSearch, or `Table`, `AccessTable`, `Queue` or `DeadLetters`.
type MatchMode = (String, String);

// ------------------------------------------------------------------------------------------------ policies

/// The permissions that a policy grants.
#[derive(Debug, Default)]
struct Policy(Vec<(Vec<String>, Vec<String>)>);

impl Policy {
    /// Reads the policy of a function's role in the template.
    fn of_function(name: &str) -> Self {
        let template = fs::read_to_string(repository().join("deploy/template.yaml")).unwrap();
        let is_resource = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
        let mut lines = template.lines().skip_while(|line| *line != format!("  {name}Role:")).skip(1);
        let lines: Vec<&str> =
            std::iter::from_fn(|| lines.next().filter(|line| !is_resource(line))).map(str::trim).collect();
        let mut policy = Self::default();
        let mut is_action = false;
        // Those who may take the role are above.
        for line in lines.into_iter().skip_while(|line| *line != "Policies:") {
            if line == "- Effect: Allow" {
                policy.0.push(Default::default());
            }
            is_action = (is_action || line.starts_with("Action:")) && !line.starts_with("Resource:");
            let Some((actions, resources)) = policy.0.last_mut() else { continue };
            let words = line.split([' ', ',', '[', ']', '"']).filter(|word| word.contains([':', '.']));
            for word in words {
                match word.split_once("domain/${Name}/") {
                    Some((_, path)) => resources.push(path.to_owned()),
                    None if word.ends_with(".Arn") => {
                        resources.push(word.trim_end_matches(".Arn").to_owned())
                    }
                    None if is_action && !word.ends_with(':') => actions.push(word.to_owned()),
                    None => {}
                }
            }
        }
        policy
    }

    /// Reads the operator's policy, the only JSON block of deploy/README.md.
    fn of_operator() -> Self {
        let text = fs::read_to_string(repository().join("deploy/README.md")).unwrap();
        let json = text.split("```json").nth(1).unwrap().split("```").next().unwrap();
        let policy: Value = serde_json::from_str(json).unwrap();
        let texts = |value: &Value| -> Vec<String> {
            let all = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            all.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
        };
        let resource = |arn: String| match arn.rsplit_once([':', '/']) {
            _ if arn.contains("domain/") => arn.split_once("domain/DOMAIN/").unwrap().1.to_owned(),
            Some((_, "TABLE")) => "Table".to_owned(),
            Some((_, "ACCESS_TABLE")) => "AccessTable".to_owned(),
            Some((_, "QUEUE")) => "Queue".to_owned(),
            Some((_, "DEAD_LETTERS")) => "DeadLetters".to_owned(),
            _ => panic!("{arn}"),
        };
        let statements = policy["Statement"].as_array().unwrap().iter().map(|statement| {
            assert_eq!(statement["Effect"], "Allow");
            let resources = texts(&statement["Resource"]).into_iter().map(resource).collect();
            (texts(&statement["Action"]), resources)
        });
        Self(statements.collect())
    }

    fn allows(&self, (action, resource): &MatchMode) -> bool {
        self.0.iter().any(|(actions, resources)| {
            actions.contains(action) && resources.iter().any(|pattern| matches(pattern, resource))
        })
    }
}

/// Returns true if a text matches a pattern in which `*` stands for any characters, as in IAM.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| matches(after, &rest[at..]))
        }),
    }
}

#[test]
fn a_pattern_stands_for_what_it_stands_for_in_a_policy() {
    assert!(matches("noren-products*", "noren-products,noren-products-v*"));
    assert!(matches("a*/_bulk", "a/_bulk") && matches("a*/_bulk", "a-next/_bulk"));
    assert!(
        !matches("a*/_bulk", "b/_bulk")
            && !matches("a*/_bulk", "a/_bulk/x")
            && !matches("*/_search", "_search")
    );
}

#[test]
fn no_function_may_remove_an_index_or_touch_dead_letters() {
    for function in ["Command", "Query", "Sync"] {
        let policy = Policy::of_function(function);
        assert!(!policy.0.is_empty(), "{function} has a policy");
        for (action, resource) in [
            ("es:ESHttpDelete", "noren-products-v6-000001"),
            ("es:ESHttpPost", "_aliases"),
            ("es:ESHttpPost", "others/_bulk"),
            ("es:ESHttpGet", "others/_search"),
            ("sqs:DeleteMessage", "DeadLetters"),
            ("sqs:SendMessage", "DeadLetters"),
        ] {
            assert!(
                !policy.allows(&(action.to_owned(), resource.to_owned())),
                "{function}: {action} {resource}"
            );
        }
    }
}

// --------------------------------------------------------------------------------------------------- calls

/// The permissions that were needed so far.
#[derive(Clone)]
struct Asked {
    /// The alias of this test's index; other tests use the same server.
    alias: String,
    needs: Arc<Mutex<BTreeSet<MatchMode>>>,
}

impl Asked {
    fn of_nothing(alias: &str) -> Self {
        Self { alias: alias.to_owned(), needs: Arc::default() }
    }

    /// Starts a proxy in front of a server that records the permissions each call needs.
    async fn before(&self, url: &str) -> FaultProxy {
        let asked = self.clone();
        FaultProxy::before(url, move |passing| {
            let needs = needs(passing).into_iter();
            let as_on_aws = |(action, resource): MatchMode| (action, resource.replace(&asked.alias, ALIAS));
            asked.needs.lock().unwrap().extend(needs.map(as_on_aws));
            Rule::Pass
        })
        .await
    }

    /// Asserts that the policy allows every recorded call, and that all of these actions were recorded.
    fn expect_allowed(&self, who: &str, policy: &Policy, actions: &[&str]) {
        let asked = self.needs.lock().unwrap();
        let denied: Vec<&MatchMode> = asked.iter().filter(|need| !policy.allows(need)).collect();
        assert!(denied.is_empty(), "{who} may not: {denied:#?}");
        for action in actions {
            assert!(asked.iter().any(|(asked, _)| asked == action), "{who} did no {action}: {asked:#?}");
        }
    }
}

/// Returns the permissions that a call needs.
fn needs(passing: &Passing) -> Vec<MatchMode> {
    let target = passing.headers.get("x-amz-target").map(|target| target.to_str().unwrap());
    let Some((service, operation)) = target.and_then(|target| target.split_once('.')) else {
        let method = passing.method.as_str();
        let action = format!("es:ESHttp{}{}", &method[..1], method[1..].to_lowercase());
        let path = passing.path.split('?').next().unwrap().trim_start_matches('/');
        let path = path.replace("%2C", ",").replace("%2A", "*");
        return vec![(action, path)];
    };
    let body: Value = serde_json::from_slice(&passing.body).unwrap();
    if service == "AmazonSQS" {
        let queue = body["QueueUrl"].as_str().or(body["QueueName"].as_str()).unwrap();
        let resource = if queue.ends_with("-dead") { "DeadLetters" } else { "Queue" };
        return vec![(format!("sqs:{}", operation.trim_end_matches("Batch")), resource.to_owned())];
    }
    let operations: Vec<String> = match body["TransactItems"].as_array() {
        // A transaction needs the permissions of its items.
        Some(items) => items.iter().flat_map(|item| item.as_object().unwrap().keys().cloned()).collect(),
        None => vec![operation.to_owned()],
    };
    let action = |operation: String| match operation.as_str() {
        "Put" | "Delete" | "Update" => format!("dynamodb:{operation}Item"),
        "ConditionCheck" => "dynamodb:ConditionCheckItem".to_owned(),
        _ => format!("dynamodb:{operation}"),
    };
    let is_of_keys = body["TableName"].as_str().is_some_and(|table| table.ends_with(ACCESS_TABLE));
    let table = if is_of_keys { "AccessTable" } else { "Table" };
    operations.into_iter().map(|operation| (action(operation), table.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_to_aws_is_one_that_the_policies_allow() {
    let (Some(dynamodb), Some(sqs), Some(opensearch)) =
        (services::dynamodb().await, services::sqs().await, services::opensearch().await)
    else {
        return;
    };
    let name = format!("permissions-{}", domain::ProductId::generate());
    let [command_asks, sync_asks, query_asks, operator_asks] =
        std::array::from_fn(|_| Asked::of_nothing(&name));
    let (tables, queues) = (command_asks.before(&dynamodb.url).await, command_asks.before(&sqs.url).await);
    let kinds = [
        ("NOREN_INDEX", "opensearch"),
        ("NOREN_OPENSEARCH_INDEX", &*name),
        ("NOREN_STORE", "dynamodb"),
        ("NOREN_QUEUE", "sqs"),
    ];
    // It creates the table and the queue as the template does.
    let direct = [&variables(&dynamodb.url, &sqs.url, &name)[..], &kinds].concat();
    drop(start("noren-command", &["--create-tables"], &direct).await);

    let command =
        start("noren-command", &[], &[&variables(&tables.url, &queues.url, &name)[..], &kinds].concat())
            .await;
    // Lambda receives on behalf of Sync, which itself calls only the index.
    let written = sync_asks.before(&opensearch.url).await;
    let sync = start(
        "noren-sync",
        &["--create-tables"],
        &[&direct[..], &[("NOREN_OPENSEARCH_URL", &written.url)]].concat(),
    )
    .await;
    let options = opensearch_options(opensearch, &name);
    let begun = OpenSearchWriter::open(&options).await.unwrap();
    begun.create_next().await.unwrap();
    write(&command).await;
    let read = query_asks.before(&opensearch.url).await;
    let query =
        start("noren-query", &[], &[&kinds[..2], &[("NOREN_OPENSEARCH_URL", &*read.url)]].concat()).await;
    wait_until("what was written is found", async || {
        let found = get(&query, "/products/search?query=lamp&facets=brand,price,attributes.colour").await;
        found.ids() == ["lamp", "light"]
    })
    .await;
    search(&query).await;
    drop((sync, query));

    // A dead letter for the operator.
    let aws = Aws::local(&sqs.url).await.unwrap();
    let queue = SqsQueue::create(&aws, &name, Duration::from_secs(30)).await.unwrap();
    put(&command, "dead", &json!({"name": "Dead lamp"})).await;
    // A receive that was open when the consumer was killed may keep the message invisible for a while.
    let is_dead = wait_within(LONG, async || {
        dead_letter_all(&queue, "no room for it").await;
        queue.stats().await.unwrap().dead > 0
    });
    assert!(is_dead.await, "the message becomes a dead letter");
    let (tables, queues) = (operator_asks.before(&dynamodb.url).await, operator_asks.before(&sqs.url).await);
    let index = operator_asks.before(&opensearch.url).await;
    let all =
        [&variables(&tables.url, &queues.url, &name)[..], &kinds, &[("NOREN_OPENSEARCH_URL", &*index.url)]]
            .concat();
    let noren = |arguments: &str, code: i32| {
        let arguments: Vec<&str> = arguments.split(' ').chain(["--back-ends"]).collect();
        let run = finished("noren", &arguments, &all);
        assert_eq!(run.status.code(), Some(code), "{arguments:?}: {run:?}");
    };
    noren("export", 0);
    noren("dlq list", 0);
    noren("dlq retry --all", 0);
    noren("verify --patience 0", 1);
    noren("verify --patience 0 --repair", 0);
    noren("reindex", 0);
    noren("reindex --rollback", 0);
    begun.create_next().await.unwrap();
    noren("reindex --discard", 0);

    let writing = ["dynamodb:PutItem", "dynamodb:GetItem", "dynamodb:Query", "sqs:SendMessage"];
    command_asks.expect_allowed("Command", &Policy::of_function("Command"), &writing);
    let syncing = ["es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"];
    sync_asks.expect_allowed("Sync", &Policy::of_function("Sync"), &syncing);
    let searching = ["es:ESHttpGet", "es:ESHttpPost", "es:ESHttpDelete"];
    query_asks.expect_allowed("Query", &Policy::of_function("Query"), &searching);
    let looking_after = ["dynamodb:Query", "sqs:ReceiveMessage", "sqs:DeleteMessage", "es:ESHttpDelete"];
    operator_asks.expect_allowed("an operator", &Policy::of_operator(), &looking_after);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_to_the_table_of_keys_is_one_that_the_policies_allow() {
    let Some(dynamodb) = services::dynamodb().await else { return };
    let table = format!("permissions-{}{ACCESS_TABLE}", domain::ProductId::generate());
    let aws = Aws::local(&dynamodb.url).await.unwrap();
    let store = DynamoDbAccess::open(&aws, &table, true).await.unwrap();
    add_key_that_ended_long_ago(&store).await;
    let (data_dir, root) = (tempfile::tempdir().unwrap(), "the key of this test");
    // Printed by: printf 'the key of this test' | sha256sum
    let hash = "dda2139281f9314b2881d925045534f30a44ef00aaad539f5150d09442ac6726";
    let [command_asks, query_asks] = std::array::from_fn(|_| Asked::of_nothing("unused"));
    let common = [
        ("NOREN_ACCESS", "keys"),
        ("NOREN_ACCESS_STORE", "dynamodb"),
        ("NOREN_ACCESS_TABLE", &*table),
        ("NOREN_ROOT_KEY_HASH", hash),
        ("NOREN_DATA_DIR", data_dir.path().to_str().unwrap()),
    ];
    let service = async |name: &str, asked: &Asked| {
        let proxy = asked.before(&dynamodb.url).await;
        let variables = [&variables(&proxy.url, &proxy.url, "unused")[..], &common].concat();
        (start(name, &[], &variables).await, proxy)
    };
    // It creates the index that Query reads.
    let _sync = service("noren-sync", &Asked::of_nothing("unused")).await;
    let (command, _tables) = service("noren-command", &command_asks).await;
    let (query, _same_tables) = service("noren-query", &query_asks).await;

    let client = http_client();
    let keys = format!("{}/admin/keys", command.url);
    let new = json!({"name": "shop", "scopes": ["search", "read"]});
    let created =
        Answer::of(client.post(&keys).header("x-api-key", root).json(&new)).await.expect(201).json();
    let (id, key) = (created["id"].as_str().unwrap(), created["key"].as_str().unwrap());
    let by_key = async |key: &str, url: String| Answer::of(client.get(url).header("x-api-key", key)).await;
    // The first to see a key in an hour records its use.
    by_key(key, format!("{}/products/search", query.url)).await.expect(200);
    by_key(key, format!("{}/products", command.url)).await.expect(200);
    for url in [keys.clone(), format!("{keys}/{id}"), format!("{}/health/ready", query.url)] {
        by_key(root, url).await.expect(200);
    }
    let rotate = client.post(format!("{keys}/{id}/rotate")).header("x-api-key", root);
    Answer::of(rotate).await.expect(201);
    Answer::of(client.delete(format!("{keys}/{id}")).header("x-api-key", root)).await.expect(200);

    assert_eq!(store.keys().await.unwrap().len(), 2, "the one that ended long ago is removed");
    let managing = [
        "dynamodb:DeleteItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:Query",
        "dynamodb:UpdateItem",
    ];
    command_asks.expect_allowed("Command", &Policy::of_function("Command"), &managing);
    // An operator does the same with `noren keys`.
    command_asks.expect_allowed("an operator", &Policy::of_operator(), &managing);
    let checking = ["dynamodb:GetItem", "dynamodb:UpdateItem"];
    query_asks.expect_allowed("Query", &Policy::of_function("Query"), &checking);
}

async fn add_key_that_ended_long_ago(store: &DynamoDbAccess) {
    let record = json!({
        "id": "0123456789abcdef", "secretHash": "0".repeat(64), "name": "old", "scopes": ["read"],
        "createdAt": "2001-01-01T00:00:00Z", "revokedAt": "2001-01-02T00:00:00Z"
    });
    assert!(store.add(&serde_json::from_value(record).unwrap()).await.unwrap());
}

/// Longer than the visibility timeout of the queue on a busy machine.
const LONG: Duration = Duration::from_secs(120);

async fn start(service: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Running {
    Running::start_with(service, arguments, |command| {
        command.envs(variables.iter().copied());
    })
    .await
}

async fn get(service: &Running, path: &str) -> Answer {
    Answer::of(http_client().get(format!("{}{path}", service.url))).await.expect(200)
}

async fn put(command: &Running, id: &str, product: &Value) {
    let put = http_client().put(format!("{}/products/{id}", command.url)).header("idempotency-key", id);
    Answer::of(put.json(product)).await.expect(201);
}

/// Sends every kind of write and read to the write side.
async fn write(command: &Running) {
    let lamp = json!({"name": "Oak lamp", "brand": "Akari", "price": 20, "sku": "L-1", "attributes": {"colour": "oak"}});
    put(command, "lamp", &lamp).await;
    put(command, "light", &json!({"name": "Lamp light", "brand": "Hikari", "sku": "L-2"})).await;
    put(command, "gone", &json!({"name": "Gone lamp", "sku": "L-3"})).await;
    let client = http_client();
    let patch =
        client.patch(format!("{}/products/lamp", command.url)).json(&json!({"price": 21, "sku": "L-4"}));
    let patch = patch.header("content-type", "application/merge-patch+json");
    Answer::of(patch).await.expect(200);
    Answer::of(client.delete(format!("{}/products/gone", command.url))).await.expect(200);
    let lines = "{\"id\":\"bulk\",\"name\":\"Table\"}\n";
    let bulk =
        client.post(format!("{}/products/bulk", command.url)).header("content-type", "application/x-ndjson");
    Answer::of(bulk.body(lines)).await.expect(200);
    for path in ["/products", "/products/lamp", "/health/ready", "/metrics"] {
        get(command, path).await;
    }
}

/// Sends every kind of search.
async fn search(query: &Running) {
    for path in [
        "/products/search?query=lmap&facets=*&pageSize=1",
        "/products/suggest?query=la",
        "/products/facets/brand",
        "/products/lamp/similar",
        "/products/lamp/explain?query=lamp",
        "/health/ready",
        "/metrics",
    ] {
        get(query, path).await;
    }
    let both = json!({"searches": [{"query": "lamp"}, {"query": "light"}]});
    let post = http_client().post(format!("{}/products/search", query.url)).json(&both);
    Answer::of(post).await.expect(200);
}
