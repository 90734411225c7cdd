//! The store on DynamoDB: concurrent writers, expiry of idempotency records, an unavailable server.

use std::sync::Arc;
use std::time::Duration;

use aws_setup::Aws;
use domain::input::read_product;
use domain::ports::{
    IdempotencyRecord, PortErrorKind, ProductStore, Write, WriteError, WriteOutcome, WriteResponse,
};
use domain::{Change, Currency, Product, ProductId, Version};
use dynamodb_store::DynamoStore;
use jiff::{SignedDuration, Timestamp};

use super::closed_address;
use crate::services;

/// Creates a table, or returns `None` if there is no server.
async fn table() -> Option<DynamoStore> {
    let aws = Aws::local(&services::dynamodb().await?.url).await.unwrap();
    Some(DynamoStore::create(&aws, &format!("store-{}", ProductId::generate())).await.unwrap())
}

fn write(id: &str, version: u64, json: &str) -> Write {
    let content = read_product(json.as_bytes(), Currency::USD).unwrap().content;
    let (id, now) = (ProductId::parse(id).unwrap(), domain::now());
    let version = Version(version);
    let product = Arc::new(Product { id, version, created_at: now, updated_at: now, content });
    let (change, replaces) = match version.0 {
        1 => (Change::Create(product), None),
        n => (Change::Update(product), Some(Version(n - 1))),
    };
    Write { change, replaces, idempotency: None, traceparent: None }
}

async fn make(store: &DynamoStore, write: Write) -> Result<(), WriteError> {
    store.write(vec![write]).await.remove(0).map(drop)
}

/// Each writer reads the version and writes the next one. One of them writes each version, and a conflict is the only
/// error.
#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_one_success_of_many_writers() {
    let Some(store) = table().await else { return };
    make(&store, write("a", 1, r#"{"name":"a"}"#)).await.unwrap();
    let (writers, attempts) = (20, 50);
    let race = (0..writers).map(|writer| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut won = 0;
            let id = ProductId::parse("a").unwrap();
            for _ in 0..attempts {
                let record = store.get(std::slice::from_ref(&id)).await.unwrap().remove(0).unwrap();
                let next = write("a", record.version().0 + 1, &format!(r#"{{"name":"writer {writer}"}}"#));
                match make(&store, next).await {
                    Ok(()) => won += 1,
                    Err(WriteError::Conflict { current: Some(current) }) => {
                        assert!(current > record.version())
                    }
                    Err(error) => panic!("{error:?}"),
                }
            }
            won
        })
    });
    let mut won = 0;
    for writer in race.collect::<Vec<_>>() {
        won += writer.await.unwrap();
    }
    let id = ProductId::parse("a").unwrap();
    let last = store.get(&[id]).await.unwrap().remove(0).unwrap().version();
    assert_eq!(last.0, 1 + won);
    assert!(won >= attempts, "of writers that never stop, one wins each time");
    let entries = store.pending(Duration::ZERO, 20_000).await.unwrap();
    assert_eq!(entries.len() as u64, last.0, "an entry for each version");
}

#[tokio::test]
async fn an_answer_is_forgotten_in_its_time_whether_or_not_the_table_removed_it() {
    let Some(store) = table().await else { return };
    let answered = |id: &str| IdempotencyRecord {
        key: "key".to_owned(),
        fingerprint: [1; 32],
        response: WriteResponse {
            outcome: WriteOutcome::Created,
            id: ProductId::parse(id).unwrap(),
            version: Version(1),
        },
    };
    let with_key = |id: &str| Write { idempotency: Some(answered(id)), ..write(id, 1, r#"{"name":"a"}"#) };
    make(&store, with_key("a")).await.unwrap();
    let after = |hours: i64| {
        let later = SignedDuration::from_hours(hours);
        store.clone().with_clock(Arc::new(move || Timestamp::now() + later))
    };
    assert_eq!(after(24).find_idempotent("key").await.unwrap(), Some(answered("a")));
    assert!(matches!(make(&after(24), with_key("b")).await, Err(WriteError::DuplicateKey)));
    assert_eq!(after(26).find_idempotent("key").await.unwrap(), None);
    make(&after(26), with_key("b")).await.unwrap();
    assert_eq!(after(26).find_idempotent("key").await.unwrap(), Some(answered("b")));
    after(60).record_idempotent(answered("c")).await.unwrap();
    assert_eq!(after(60).find_idempotent("key").await.unwrap(), Some(answered("c")));
}

#[tokio::test]
async fn a_delete_of_a_product_with_the_largest_content_frees_its_sku() {
    let Some(store) = table().await else { return };
    let text = "x".repeat(19_000);
    let attributes: Vec<String> = (0..9).map(|i| format!(r#""k{i}":"{text}""#)).collect();
    let json = format!(r#"{{"name":"large","sku":"S","attributes":{{{}}}}}"#, attributes.join(","));
    make(&store, write("a", 1, &json)).await.unwrap();
    let id = ProductId::parse("a").unwrap();
    let tombstone = domain::Tombstone { id, version: Version(2), deleted_at: domain::now() };
    let delete = Write {
        change: Change::Delete(tombstone),
        replaces: Some(Version(1)),
        idempotency: None,
        traceparent: None,
    };
    make(&store, delete).await.unwrap();
    make(&store, write("b", 1, &json)).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let address = closed_address();
    let aws = Aws::local(&format!("http://{address}")).await.unwrap();
    for error in [DynamoStore::open(&aws, "any").await, DynamoStore::create(&aws, "any").await] {
        let error = error.err().unwrap();
        assert!(error.is_transient() && error.to_string().contains("AWS_ENDPOINT_URL_DYNAMODB"), "{error}");
    }
    let store = DynamoStore::unchecked(&aws, "any");
    let id = ProductId::parse("a").unwrap();
    let kinds = [
        store.get(&[id]).await.err().map(|error| error.kind),
        store.find_idempotent("key").await.err().map(|error| error.kind),
        store.pending(Duration::ZERO, 1).await.err().map(|error| error.kind),
        store.ready().await.err().map(|error| error.kind),
        match make(&store, write("a", 1, r#"{"name":"a"}"#)).await {
            Err(WriteError::Failed(error)) => Some(error.kind),
            _ => None,
        },
    ];
    assert_eq!(kinds, [Some(PortErrorKind::Unavailable); 5]);
}

/// Lists over many shards with more than one call each.
#[tokio::test]
async fn a_list_of_large_products_goes_on_where_a_call_ends() {
    let Some(store) = table().await else { return };
    let json = format!(r#"{{"name":"large","description":"{}"}}"#, "x".repeat(9_000));
    let writes: Vec<Write> = (0..400).map(|i| write(&format!("p{i}"), 1, &json)).collect();
    for answer in store.write(writes).await {
        answer.unwrap();
    }
    let (mut ids, mut cursor) = (Vec::new(), None);
    loop {
        let page = store.list(cursor.as_deref(), 150).await.unwrap();
        ids.extend(page.products.into_iter().map(|product| product.id.to_string()));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    ids.sort();
    let mut expected: Vec<String> = (0..400).map(|i| format!("p{i}")).collect();
    expected.sort();
    assert_eq!(ids, expected);
}
