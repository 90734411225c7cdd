//! The access store on DynamoDB beyond its contract: services that share it, its creation, and its absence.

use std::sync::Arc;
use std::time::Duration;

use access::{AccessStore, Keyring, NewKey, Scopes};
use aws_setup::Aws;
use domain::ProductId;
use dynamodb_access::{DynamoDbAccess, OpenError};
use jiff::Timestamp;
use serde_json::json;

use super::closed_address;
use super::start::{fault, variables};
use crate::services;
use crate::support::{Answer, Proxy, Running, http_client, wait_until, wait_within};

/// The time within which a revoked key is refused everywhere, with some for a busy machine.
const REVOKED_WITHIN: Duration = Duration::from_secs(8);

/// Returns the variables of a service that asks for keys in the table of this name.
fn with_keys<'a>(dynamodb: &'a str, table: &'a str) -> Vec<(&'a str, &'a str)> {
    let ours = [("NOREN_ACCESS", "keys"), ("NOREN_ACCESS_STORE", "dynamodb"), ("NOREN_ACCESS_TABLE", table)];
    [&variables(dynamodb, dynamodb, table)[..], &ours].concat()
}

fn table_name() -> String {
    format!("access-{}", ProductId::generate())
}

/// Creates the table with a key that may do everything.
async fn first_key(dynamodb: &str, table: &str) -> String {
    let aws = Aws::local(dynamodb).await.unwrap();
    let store: Arc<dyn AccessStore> = Arc::new(DynamoDbAccess::open(&aws, table, true).await.unwrap());
    let new = NewKey {
        name: "ops".to_owned(),
        scopes: Scopes::all(),
        expires_at: None,
        rate_limit: None,
        filter: None,
    };
    Keyring::new(store).create(new, Timestamp::now()).await.unwrap().0.expose()
}

async fn start(variables: &[(&str, &str)], data_dir: &tempfile::TempDir) -> Running {
    Running::start_with("noren-command", &[], |command| {
        command.envs(variables.iter().copied()).env("NOREN_DATA_DIR", data_dir.path());
    })
    .await
}

/// Returns the response to a read of the list of products.
async fn list(service: &Running, key: &str) -> Answer {
    Answer::of(http_client().get(format!("{}/products", service.url)).header("x-api-key", key)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_one_process_creates_and_revokes_is_known_to_the_others() {
    let Some(dynamodb) = services::dynamodb().await else { return };
    let table = table_name();
    let root = first_key(&dynamodb.url, &table).await;
    let variables = with_keys(&dynamodb.url, &table);
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let (one, other) = (start(&variables, &folders[0]).await, start(&variables, &folders[1]).await);
    Answer::of(http_client().get(format!("{}/products", one.url))).await.problem(401);

    let new = json!({"name": "reader", "scopes": ["read"]});
    let create = http_client().post(format!("{}/admin/keys", one.url)).header("x-api-key", &root).json(&new);
    let created = Answer::of(create).await.expect(201).json();
    let (id, key) = (created["id"].as_str().unwrap(), created["key"].as_str().unwrap());
    for service in [&one, &other] {
        list(service, key).await.expect(200);
    }
    let revoke = http_client().delete(format!("{}/admin/keys/{id}", one.url)).header("x-api-key", &root);
    Answer::of(revoke).await.expect(200);
    list(&one, key).await.problem(401);
    let is_refused = async || list(&other, key).await.status == 401;
    assert!(wait_within(REVOKED_WITHIN, is_refused).await, "the other process refuses the revoked key");
}

/// Nobody is let in without a look at the store, and a key that was looked up before is let in for seconds only.
#[tokio::test(flavor = "multi_thread")]
async fn while_the_table_is_away_nobody_is_let_in_and_the_service_is_not_ready() {
    let Some(dynamodb) = services::dynamodb().await else { return };
    let table = table_name();
    let key = first_key(&dynamodb.url, &table).await;
    let mut proxy = Proxy::before(&dynamodb.url);
    let (url, folder) = (proxy.url(), tempfile::tempdir().unwrap());
    // Printed by: printf 'the root key of this test' | sha256sum
    let root = ("NOREN_ROOT_KEY_HASH", "93427101340a90df6bb042be6b0d4ab1bbf5abf834c9cb83d281ec52403db04b");
    let variables = [&with_keys(&url, &table)[..], &[root]].concat();
    // It starts before the table can be reached.
    let service = Running::start_waiting("noren-command", |command| {
        command.envs(variables.iter().copied()).env("NOREN_DATA_DIR", folder.path());
    })
    .await;
    let ready = format!("{}/health/ready", service.url);
    let waits = async || {
        let ready = http_client().get(&ready).header("x-api-key", "the root key of this test");
        Answer::of(ready).await.problem(503)["parts"]["access"]
            .as_str()
            .unwrap()
            .starts_with("waiting for it: cannot open the access store")
    };
    wait_until("it waits for its access store", waits).await;
    // Only an operator reads why; other keys than the root key cannot be checked yet.
    for given in [None, Some(&*key), Some("wrong")] {
        let asked =
            given.into_iter().fold(http_client().get(&ready), |get, key| get.header("x-api-key", key));
        assert_eq!(Answer::of(asked).await.problem(503).get("parts"), None, "{given:?}");
    }

    proxy.connect().await;
    wait_until("the key is let in", async || list(&service, &key).await.status == 200).await;
    // Readiness is checked once a second.
    let is = async |status: u16| Answer::of(http_client().get(&ready)).await.status == status;
    wait_until("it is ready", async || is(200).await).await;
    proxy.cut().await;
    wait_until("nobody is let in", async || list(&service, &key).await.status == 503).await;
    wait_until("it is not ready", async || is(503).await).await;
    proxy.connect().await;
    wait_until("the key is let in again", async || list(&service, &key).await.status == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_table_is_one_line_that_says_what_to_set_and_is_created_on_demand() {
    let Some(dynamodb) = services::dynamodb().await else { return };
    let (table, folder) = (table_name(), tempfile::tempdir().unwrap());
    let data_dir = [("NOREN_DATA_DIR", folder.path().to_str().unwrap())];
    let variables = [&with_keys(&dynamodb.url, &table)[..], &data_dir].concat();
    let missing = fault("noren-command", &[], &variables);
    for words in [&*table, "NOREN_ACCESS_TABLE", "NOREN_CREATE_TABLES", "eu-central-1"] {
        assert!(missing.contains(words), "{words}: {missing}");
    }
    let service = start(&[&variables[..], &[("NOREN_CREATE_TABLES", "true")]].concat(), &folder).await;
    list(&service, "nrn_unknown").await.problem(401);
    let aws = Aws::local(&dynamodb.url).await.unwrap();
    DynamoDbAccess::open(&aws, &table, true).await.expect("creating it again changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_other_keys_is_refused() {
    let Some(dynamodb) = services::dynamodb().await else { return };
    let table = table_name();
    services::create_foreign_table(dynamodb, &table).await;
    let aws = Aws::local(&dynamodb.url).await.unwrap();
    for creates in [false, true] {
        let refused = DynamoDbAccess::open(&aws, &table, creates).await.unwrap_err();
        assert!(matches!(refused, OpenError::OtherKeys { .. }), "{refused:?}");
        assert!(!refused.is_transient() && refused.to_string().contains("NOREN_ACCESS_TABLE"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_respond_may_do_so_later() {
    let aws = Aws::local(&format!("http://{}", closed_address())).await.unwrap();
    let error = DynamoDbAccess::open(&aws, "any", true).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("`any`"), "{error}");
    let unchecked = DynamoDbAccess::unchecked(&aws, "any");
    unchecked.ready().await.unwrap_err();
    unchecked.count("any", Timestamp::now()).await.unwrap_err();
}
