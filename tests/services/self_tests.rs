//! Each server supports the basic operations of the adapters.

use serde_json::{Value, json};

use super::{dynamodb, dynamodb_request, opensearch, sqs};
use crate::support::{Answer, http_client};

#[tokio::test]
async fn dynamodb_keeps_an_item() {
    let Some(server) = dynamodb().await else { return };
    let client = http_client();
    let call = async |action: &str, body: Value| -> Value {
        Answer::of(dynamodb_request(&client, &server.url, action, body.to_string())).await.expect(200).json()
    };
    let table = json!({
        "TableName": "self-test",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST"
    });
    assert_eq!(call("CreateTable", table).await["TableDescription"]["TableStatus"], "ACTIVE");
    let put = json!({"Put": {"TableName": "self-test", "Item": {"id": {"S": "a"}}}});
    call("TransactWriteItems", json!({"TransactItems": [put]})).await;
    let got = call("GetItem", json!({"TableName": "self-test", "Key": {"id": {"S": "a"}}})).await;
    assert_eq!(got["Item"]["id"]["S"], "a");
    call("DeleteTable", json!({"TableName": "self-test"})).await;
}

#[tokio::test]
async fn sqs_carries_a_message() {
    let Some(server) = sqs().await else { return };
    let client = http_client();
    let call = async |parameters: &str| -> String {
        Answer::of(client.get(format!("{}/{parameters}", server.url))).await.expect(200).text
    };
    let made = call("?Action=CreateQueue&QueueName=self-test").await;
    let url = format!("{}/000000000000/self-test", server.url);
    assert!(
        made.contains(&format!("<QueueUrl>{url}</QueueUrl>")) || made.contains("/self-test</QueueUrl>"),
        "{made}"
    );
    call("000000000000/self-test?Action=SendMessage&MessageBody=hello").await;
    let received = call("000000000000/self-test?Action=ReceiveMessage&WaitTimeSeconds=5").await;
    assert!(received.contains("<Body>hello</Body>"), "{received}");
    call("000000000000/self-test?Action=DeleteQueue").await;
}

#[tokio::test]
async fn opensearch_finds_a_document() {
    let Some(server) = opensearch().await else { return };
    let client = http_client();
    let url = format!("{}/self-test", server.url);
    let index = json!({"settings": {"number_of_replicas": 0}});
    Answer::of(client.put(&url).json(&index)).await.expect(200);
    let document = client.put(format!("{url}/_doc/1?refresh=true&version=7&version_type=external"));
    Answer::of(document.json(&json!({"name": "A lamp of oak"}))).await.expect(201);
    let stale = client.put(format!("{url}/_doc/1?version=6&version_type=external"));
    Answer::of(stale.json(&json!({"name": "A lamp of pine"}))).await.expect(409);
    let found = Answer::of(client.get(format!("{url}/_search?q=name:lamp"))).await.expect(200).json();
    assert_eq!(found["hits"]["hits"][0]["_source"]["name"], "A lamp of oak");
    Answer::of(client.delete(&url)).await.expect(200);
}
