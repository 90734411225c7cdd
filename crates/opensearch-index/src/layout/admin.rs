//! Calls that create and remove indexes, and that change their aliases.

use std::time::Duration;

use opensearch::http::Method;
use serde_json::{Value, json};

use crate::client::{Call, Client};
use crate::error::CallError;
use crate::layout::schema::{
    META_ANALYSIS, META_CLAIM, META_CREATED_AT, META_LANGUAGE, META_SCHEMA, META_WEIGHTS, SCHEMA, template,
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// Creates an empty index with these aliases. `claim` names the process that will fill it, if any.
pub(crate) async fn create_index(
    client: &Client,
    index: &str,
    aliases: Value,
    claim: Option<String>,
) -> Result<(), CallError> {
    let alias = &client.alias;
    send(client, Method::Put, format!("_index_template/{alias}"), Some(&template(alias))).await?;
    let body = json!({
        "aliases": aliases,
        "mappings": { "_meta": {
            META_SCHEMA: SCHEMA,
            META_ANALYSIS: text::ANALYSIS,
            META_CLAIM: claim,
            META_CREATED_AT: domain::now().as_millisecond(),
            META_LANGUAGE: client.language.code(),
            META_WEIGHTS: client.weights.to_string(),
        } },
    });
    send(client, Method::Put, index.to_owned(), Some(&body)).await
}

/// Replaces the `_meta` of an index's mapping.
pub(crate) async fn put_meta(client: &Client, index: &str, meta: &Value) -> Result<(), CallError> {
    send(client, Method::Put, format!("{index}/_mapping"), Some(&json!({ "_meta": meta }))).await
}

pub(crate) async fn delete_index(client: &Client, index: &str) -> Result<(), CallError> {
    send(client, Method::Delete, index.to_owned(), None).await
}

/// Applies actions on aliases and indexes in one atomic step.
pub(crate) async fn update_aliases(client: &Client, actions: Vec<Value>) -> Result<(), CallError> {
    send(client, Method::Post, "_aliases".to_owned(), Some(&json!({ "actions": actions }))).await
}

/// Returns the action that adds an alias to an index.
pub(crate) fn add_alias(index: &str, alias: &str) -> Value {
    json!({ "add": { "index": index, "alias": alias } })
}

/// Returns the action that adds an alias, with this index as its write index.
pub(crate) fn add_write_alias(index: &str, alias: &str) -> Value {
    json!({ "add": { "index": index, "alias": alias, "is_write_index": true } })
}

/// Returns the action that removes an alias from an index. If the index does not have it, the whole update fails.
pub(crate) fn remove_alias(index: &str, alias: &str) -> Value {
    json!({ "remove": { "index": index, "alias": alias, "must_exist": true } })
}

/// Returns the action that removes an index.
pub(crate) fn remove_index(index: &str) -> Value {
    json!({ "remove_index": { "index": index } })
}

async fn send(client: &Client, method: Method, path: String, body: Option<&Value>) -> Result<(), CallError> {
    let call = Call::new(method, path, TIMEOUT);
    let call = match body {
        Some(body) => call.json(body),
        None => call,
    };
    client.call::<Value>(call).await.map(drop)
}
