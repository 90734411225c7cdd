//! Commands that are repeated after a crash, in a batch as import jobs send them.

use std::sync::Arc;

use api::extract::{IdempotencyKey, Precondition};
use domain::input::read_product;
use domain::{Currency, ProductId, Version};
use embedded_store::EmbeddedStore;

use super::Catalogue;
use crate::command::{Command, Operation};
use crate::error::CommandError;

fn repeatable(key: &str, id: &str, operation: Operation, precondition: Precondition) -> Command {
    let idempotency = Some(IdempotencyKey { key: key.to_owned(), fingerprint: [1; 32] });
    Command { precondition, idempotency, ..Command::new(ProductId::parse(id).unwrap(), operation) }
}

#[tokio::test]
async fn a_batch_that_is_repeated_has_the_responses_of_the_first_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(EmbeddedStore::open(dir.path(), embedded_store::Options::default()).unwrap());
    let catalogue = Catalogue::new(store.clone(), store, Currency::USD);
    let cup = || read_product(br#"{"name":"Cup"}"#, Currency::USD).unwrap();
    let cups =
        ["a", "b"].map(|id| Command::new(ProductId::parse(id).unwrap(), Operation::Put(cup().content)));
    assert!(catalogue.execute_many(cups.into()).await.iter().all(Result::is_ok));
    let batch = || {
        let first = Precondition::IsAt(vec![Version::FIRST]);
        vec![
            repeatable("1", "a", Operation::Delete, first.clone()),
            repeatable("2", "b", Operation::Put(cup().content), first),
            repeatable("3", "c", Operation::Create(cup().content), Precondition::IsAbsent),
        ]
    };
    let responses = |results: Vec<Result<_, CommandError>>| {
        results.into_iter().map(|result| format!("{:?}", result.unwrap())).collect::<Vec<String>>()
    };
    let first = responses(catalogue.execute_many(batch()).await);
    assert_eq!(responses(catalogue.execute_many(batch()).await), first);
    let others = batch().into_iter().map(|command| Command { idempotency: None, ..command }).collect();
    assert!(catalogue.execute_many(others).await.iter().filter(|result| result.is_err()).count() >= 2);
}
