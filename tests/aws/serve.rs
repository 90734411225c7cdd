//! `noren serve` on every combination of a store, a queue and an index.

use domain::ProductId;
use serde_json::{Value, json};

use super::start::variables;
use crate::services;
use crate::support::{Answer, Running, finished, http_client, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn serve_works_on_every_combination_of_back_ends() {
    let (Some(dynamodb), Some(sqs)) = (services::dynamodb().await, services::sqs().await) else { return };
    let Some(opensearch) = services::opensearch().await else { return };
    for store in ["sqlite", "dynamodb"] {
        for queue in ["sqlite", "sqs"] {
            for index in ["tantivy", "opensearch"] {
                let name = format!("serve-{}", ProductId::generate());
                let kinds = [
                    ("NOREN_STORE", store),
                    ("NOREN_QUEUE", queue),
                    ("NOREN_INDEX", index),
                    ("NOREN_OPENSEARCH_URL", &opensearch.url),
                    ("NOREN_OPENSEARCH_INDEX", &name),
                    ("NOREN_CREATE_TABLES", "true"),
                ];
                let variables = [&variables(&dynamodb.url, &sqs.url, &name)[..], &kinds].concat();
                written_found_and_verified(&variables, store, queue).await;
            }
        }
    }
}

async fn written_found_and_verified(variables: &[(&str, &str)], store: &str, queue: &str) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let service = Running::start_with("noren", &["serve", "--data-dir", data], |command| {
        command.envs(variables.iter().copied());
    })
    .await;
    let client = http_client();
    let lamp = client.put(format!("{}/products/lamp", service.url)).json(&json!({"name": "Oak lamp"}));
    Answer::of(lamp).await.expect(201);
    let get = async |path: &str| Answer::of(client.get(format!("{}{path}", service.url))).await;
    let is_found = async || get("/products/search?query=lamp").await.expect(200).json()["total"] == 1;
    wait_until(&format!("it is found with {variables:?}"), is_found).await;
    let backlog: Value = get("/health/ready").await.expect(200).json()["backlog"].clone();
    assert_eq!((&backlog["queue"], &backlog["outbox"]["store"]), (&json!(queue), &json!(store)));
    let verified = finished("noren", &["verify", "--url", &service.url], &[]);
    assert!(verified.status.success(), "{verified:?}");
    // A back end that is configured is used, and no other one is made.
    let has_file = folder.path().join("noren.db").exists();
    assert_eq!(has_file, store == "sqlite" || queue == "sqlite", "{variables:?}");
}
