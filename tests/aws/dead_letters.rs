//! A message that cannot be indexed, from the queue to the operator who retries it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_setup::Aws;
use command::Catalogue;
use domain::input::read_product;
use domain::ports::{Applied, ChangeQueue, IndexWriter, PortError};
use domain::{Change, Currency, ProductId};
use embedded_store::{EmbeddedStore, Options, Outbox};
use serde_json::Value;
use sqs_queue::SqsQueue;
use sync::{Consumer, ConsumerOptions};
use tokio_util::sync::CancellationToken;

use super::queue::send_text;
use super::start::variables;
use crate::services;
use crate::support::{finished, wait_within};

/// Longer than five receives with their delays.
const LONG: Duration = Duration::from_secs(120);

/// An index that refuses every change until it is repaired.
#[derive(Default)]
struct Full {
    is_repaired: AtomicBool,
}

#[async_trait]
impl IndexWriter for Full {
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Applied>, PortError> {
        let applied = match self.is_repaired.load(Ordering::SeqCst) {
            true => Applied::Done,
            false => Applied::Refused("no room for it".to_owned()),
        };
        Ok(vec![applied; changes.len()])
    }

    fn back_end(&self) -> &'static str {
        "test"
    }

    async fn ready(&self) -> Result<(), PortError> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_message_is_shown_with_its_reason_and_healed_by_a_retry() {
    let Some(sqs) = services::sqs().await else { return };
    let name = format!("poison-{}", ProductId::generate());
    let aws = Aws::local(&sqs.url).await.unwrap();
    let queue = Arc::new(SqsQueue::create(&aws, &name, Duration::from_secs(30)).await.unwrap());
    let data = tempfile::tempdir().unwrap();
    let options = Options { outbox: Outbox::AddEntry, ..Options::default() };
    let store = Arc::new(EmbeddedStore::open(data.path(), options).unwrap());
    let catalogue = Catalogue::new(store, queue.clone(), Currency::USD);
    let lamp = read_product(br#"{"id":"lamp","name":"a lamp"}"#, Currency::USD).unwrap();
    catalogue.put_many(vec![lamp]).await.remove(0).unwrap();
    send_text(&sqs.url, &name, "poison").await;

    let index = Arc::new(Full::default());
    let worker = Consumer::new(queue.clone(), index.clone(), ConsumerOptions::default());
    let stop = CancellationToken::new();
    let (working, stopped) = (worker.clone(), stop.clone());
    let work = tokio::spawn(async move { working.run(stopped).await });
    assert!(wait_within(LONG, async || queue.stats().await.unwrap().dead == 2).await);

    let dir = data.path().to_str().unwrap();
    let mut variables = variables("http://127.0.0.1:1", &sqs.url, &name);
    variables.extend([("NOREN_QUEUE", "sqs"), ("NOREN_DATA_DIR", dir)]);
    let dlq = |arguments: &[&str], code: i32| -> String {
        let output = finished("noren", &[&["dlq"], arguments, &["--back-ends"]].concat(), &variables);
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let list: Value = serde_json::from_str(&dlq(&["list", "--json"], 0)).unwrap();
    let letters = list["deadLetters"].as_array().unwrap();
    let lamp = letters.iter().find(|letter| letter["id"] == "lamp").unwrap();
    assert_eq!((&lamp["reason"], &lamp["receives"]), (&"no room for it".into(), &5.into()), "{list}");
    let poison = letters.iter().find(|letter| letter.get("id").is_none()).unwrap();
    assert!(poison["reason"].as_str().unwrap().starts_with("it is not a change"), "{list}");

    index.is_repaired.store(true, Ordering::SeqCst);
    let retried = dlq(&["retry", "--all"], 1);
    assert!(retried.starts_with("1 enqueued again\n") && retried.contains("cannot be read"), "{retried}");
    assert!(wait_within(LONG, async || worker.is_idle().await.unwrap()).await);
    let key = poison["key"].as_str().unwrap();
    assert_eq!(dlq(&["drop", key, "--yes"], 0), "1 dropped\n");
    assert_eq!(dlq(&["list"], 0), "no dead letters\n");
    assert_eq!(queue.stats().await.unwrap(), domain::ports::QueueStats::default());
    stop.cancel();
    work.await.unwrap();
}
