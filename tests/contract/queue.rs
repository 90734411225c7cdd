//! The contract of [`ChangeQueue`]: a test of each sentence of its documentation, for each queue.
//!
//! To test another adapter, add it to the `on_each!` block at the end.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, also in the functions that it calls")]

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_setup::Aws;
use domain::input::read_product;
use domain::ports::{ChangeQueue, Delivery, Envelope, MAX_RECEIVES, QueueStats, RetryRequest};
use domain::{Change, Currency, ProductId, Tombstone, Version};
use embedded_store::{EmbeddedStore, Options, Outbox};
use sqs_queue::SqsQueue;
use tempfile::TempDir;

use super::store::{id, product};
use crate::services;
use crate::support::on_each;

/// The bound of every wait, much longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

// ----------------------------------------------------------------------------------------------- changes

fn created(product_id: &str) -> Envelope {
    let content = read_product(br#"{"name":"a lamp","price":19.90}"#, Currency::USD).unwrap().content;
    Envelope { change: Change::Create(product(product_id, 1, content)), traceparent: None }
}

async fn send(queue: &dyn ChangeQueue, envelopes: Vec<Envelope>) {
    let count = envelopes.len();
    let results = queue.send(envelopes).await;
    assert_eq!(results.len(), count);
    results.into_iter().for_each(Result::unwrap);
}

async fn receive_one(queue: &dyn ChangeQueue) -> Delivery {
    let mut deliveries = queue.receive(1, LONG).await.unwrap();
    assert_eq!(deliveries.len(), 1, "nothing came within {LONG:?}");
    deliveries.remove(0)
}

/// Receives until `count` messages have arrived.
async fn receive_all(queue: &dyn ChangeQueue, count: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    while all.len() < count {
        let deliveries = queue.receive(10, LONG).await.unwrap();
        assert!(!deliveries.is_empty(), "only {} of {count} messages came within {LONG:?}", all.len());
        all.extend(deliveries);
    }
    all
}

async fn assert_nothing_comes(queue: &dyn ChangeQueue, wait: Duration) {
    let deliveries = queue.receive(10, wait).await.unwrap();
    assert!(deliveries.is_empty(), "{deliveries:?} came");
}

fn retry_request(delivery: &Delivery, delay: Duration) -> RetryRequest {
    delivery.retry_request("the index refused it", delay)
}

fn ids(deliveries: &[Delivery]) -> Vec<String> {
    let id = |delivery: &Delivery| delivery.envelope.as_ref().unwrap().change.id().to_string();
    let mut ids: Vec<_> = deliveries.iter().map(id).collect();
    ids.sort();
    ids
}

/// Returns the ids of first receives. On a machine that stalls, messages may be received again.
fn first_received(deliveries: &[Delivery]) -> Vec<String> {
    let id = |delivery: &Delivery| delivery.envelope.as_ref().unwrap().change.id().to_string();
    deliveries.iter().filter(|delivery| delivery.receives == 1).map(id).collect()
}

fn counts(stats: QueueStats) -> (u64, u64, u64) {
    (stats.waiting, stats.in_flight, stats.dead)
}

// --------------------------------------------------------------------------------------- send and receive

async fn a_sent_change_is_received(queue: &dyn ChangeQueue) {
    let create = created("a");
    let update = Change::Update(Arc::clone(create.change.product().unwrap()));
    let tombstone = Tombstone { id: id("c"), version: Version(9), deleted_at: domain::now() };
    let traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let sent = vec![
        create.clone(),
        Envelope { change: update, traceparent },
        Envelope { change: Change::Delete(tombstone), traceparent: None },
    ];
    send(queue, sent.clone()).await;
    let received: Vec<_> = receive_all(queue, 3).await.into_iter().map(|d| d.envelope.unwrap()).collect();
    for envelope in &sent {
        assert!(received.contains(envelope), "{envelope:?} is missing");
    }
}

async fn empty_requests_do_nothing(queue: &dyn ChangeQueue) {
    assert!(queue.send(Vec::new()).await.is_empty());
    queue.acknowledge(&[]).await.unwrap();
    queue.retry_later(&[]).await.unwrap();
    queue.extend(&[]).await.unwrap();
    assert_nothing_comes(queue, Duration::ZERO).await;
}

async fn receive_returns_at_most_max_messages(queue: &dyn ChangeQueue) {
    send(queue, (0..10).map(|i| created(&format!("p{i}"))).collect()).await;
    let mut all = Vec::new();
    while all.len() < 10 {
        let deliveries = queue.receive(3, LONG).await.unwrap();
        assert!((1..=3).contains(&deliveries.len()), "{} messages", deliveries.len());
        assert!(deliveries.iter().all(|delivery| delivery.receives == 1));
        all.extend(deliveries);
    }
    assert_eq!(ids(&all), (0..10).map(|i| format!("p{i}")).collect::<Vec<_>>());
}

async fn receive_returns_an_empty_list_after_the_wait(queue: &dyn ChangeQueue) {
    let wait = Duration::from_millis(300);
    let since = Instant::now();
    assert_nothing_comes(queue, wait).await;
    assert!(since.elapsed() >= wait, "answered after {:?}", since.elapsed());
    assert!(since.elapsed() < LONG, "answered after {:?}", since.elapsed());
}

async fn receive_returns_as_soon_as_there_is_a_message(queue: &dyn ChangeQueue) {
    let since = Instant::now();
    let receiving = queue.receive(10, LONG);
    // `join!` polls the receive first, so it is already waiting when the message is sent.
    let (deliveries, ()) = futures::join!(receiving, send(queue, vec![created("a")]));
    assert_eq!(ids(&deliveries.unwrap()), ["a"]);
    assert!(since.elapsed() < LONG / 2, "answered after {:?}", since.elapsed());
}

async fn no_message_has_two_receivers_at_once(queue: &dyn ChangeQueue) {
    let messages = 400;
    send(queue, (0..messages).map(|i| created(&format!("p{i}"))).collect()).await;
    let receiver = || async {
        let mut all = Vec::new();
        loop {
            let deliveries = queue.receive(7, Duration::ZERO).await.unwrap();
            if deliveries.is_empty() {
                return all;
            }
            let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
            queue.acknowledge(&receipts).await.unwrap();
            all.extend(first_received(&deliveries));
        }
    };
    let (one, two, three) = futures::join!(receiver(), receiver(), receiver());
    let all: Vec<_> = [one, two, three].concat();
    assert_eq!(all.len(), messages);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), messages);
}

// ------------------------------------------------------------------------ in progress and received again

async fn a_message_becomes_visible_again_after_the_visibility_timeout(queue: &dyn ChangeQueue) {
    send(queue, vec![created("a")]).await;
    for receives in 1..4 {
        let since = Instant::now();
        let delivery = receive_one(queue).await;
        assert_eq!(delivery.receives, receives);
        assert_eq!(ids(std::slice::from_ref(&delivery)), ["a"]);
        if receives > 1 {
            // The timeout began with the previous receive, before this wait: at least half of it is left.
            let least = queue.visibility_timeout() / 2;
            assert!(since.elapsed() > least, "came again after {:?}", since.elapsed());
        }
    }
}

async fn an_acknowledged_message_is_removed_permanently(queue: &dyn ChangeQueue) {
    send(queue, vec![created("a"), created("b")]).await;
    let deliveries = receive_all(queue, 2).await;
    let receipts: Vec<_> = deliveries.into_iter().map(|delivery| delivery.receipt).collect();
    queue.acknowledge(&receipts).await.unwrap();
    queue.acknowledge(&receipts).await.unwrap();
    assert_eq!(counts(queue.stats().await.unwrap()), (0, 0, 0));
    assert_nothing_comes(queue, queue.visibility_timeout() * 3 / 2).await;
}

async fn an_expired_receipt_is_ignored(queue: &dyn ChangeQueue) {
    send(queue, vec![created("a")]).await;
    let first = receive_one(queue).await;
    let old = first.receipt.clone();
    let new = receive_one(queue).await;
    assert_eq!(new.receives, 2);
    assert_ne!(old, new.receipt);
    queue.acknowledge(std::slice::from_ref(&old)).await.unwrap();
    queue.extend(std::slice::from_ref(&old)).await.unwrap();
    queue.retry_later(&[retry_request(&first, Duration::ZERO)]).await.unwrap();
    assert_eq!(queue.stats().await.unwrap().in_flight, 1);
    queue.acknowledge(&[new.receipt]).await.unwrap();
    assert_eq!(counts(queue.stats().await.unwrap()), (0, 0, 0));
    // Now the receipt identifies no message, or a later one.
    send(queue, vec![created("b")]).await;
    queue.acknowledge(&[old]).await.unwrap();
    assert_eq!(ids(&[receive_one(queue).await]), ["b"]);
}

async fn a_retried_message_becomes_visible_after_its_delay(queue: &dyn ChangeQueue) {
    send(queue, vec![created("a")]).await;
    let first = receive_one(queue).await;
    queue.retry_later(&[retry_request(&first, Duration::ZERO)]).await.unwrap();
    let since = Instant::now();
    let second = receive_one(queue).await;
    assert_eq!(second.receives, 2);
    assert!(since.elapsed() < LONG / 2, "came again after {:?}", since.elapsed());

    let delay = Duration::from_secs(1);
    let since = Instant::now();
    queue.retry_later(&[retry_request(&second, delay)]).await.unwrap();
    // Some queues count a message in flight until its delay has passed.
    let (waiting, in_flight, dead) = counts(queue.stats().await.unwrap());
    assert_eq!((waiting + in_flight, dead), (1, 0));
    let third = receive_one(queue).await;
    assert_eq!(third.receives, 3);
    assert!(since.elapsed() >= delay, "came again after {:?}", since.elapsed());
}

async fn a_message_that_keeps_failing_becomes_a_dead_letter(queue: &dyn ChangeQueue) {
    send(queue, vec![created("a"), created("b")]).await;
    for receives in 1..=MAX_RECEIVES {
        let deliveries = receive_all(queue, 2).await;
        assert_eq!(ids(&deliveries), ["a", "b"]);
        assert!(deliveries.iter().all(|delivery| delivery.receives == receives));
        let failed: Vec<_> = deliveries.iter().map(|d| retry_request(d, Duration::ZERO)).collect();
        queue.retry_later(&failed).await.unwrap();
    }
    // Some queues dead-letter it only on the next receive.
    assert_nothing_comes(queue, Duration::from_millis(200)).await;
    let stats = queue.stats().await.unwrap();
    assert_eq!(counts(stats), (0, 0, 2));
    assert_eq!(stats.oldest_age, None);
}

/// A consumer that restarts all the time releases its messages each time.
async fn a_released_message_is_visible_immediately_and_never_becomes_a_dead_letter(queue: &dyn ChangeQueue) {
    send(queue, vec![created("a")]).await;
    let since = Instant::now();
    for _ in 0..MAX_RECEIVES * 2 {
        let delivery = receive_one(queue).await;
        queue.release(&[delivery.release_request()]).await.unwrap();
    }
    assert!(since.elapsed() < LONG, "it took {:?}", since.elapsed());
    let delivery = receive_one(queue).await;
    assert_eq!(ids(std::slice::from_ref(&delivery)), ["a"]);
    // An expired receipt releases nothing.
    queue.acknowledge(std::slice::from_ref(&delivery.receipt)).await.unwrap();
    queue.release(&[delivery.release_request()]).await.unwrap();
    assert_eq!(counts(queue.stats().await.unwrap()), (0, 0, 0));
}

async fn an_extended_message_stays_invisible(queue: &dyn ChangeQueue) {
    let timeout = queue.visibility_timeout();
    // On a machine that stalls, the extension may come too late; then the attempt proves nothing.
    for _ in 0..5 {
        send(queue, vec![created("a")]).await;
        let since = Instant::now();
        let delivery = receive_one(queue).await;
        assert_nothing_comes(queue, timeout / 2).await;
        queue.extend(std::slice::from_ref(&delivery.receipt)).await.unwrap();
        let extended = Instant::now();
        let in_time = since.elapsed() < timeout;
        let early = queue.receive(1, timeout * 3 / 4).await.unwrap();
        let waited = extended.elapsed();
        queue.acknowledge(&[delivery.receipt]).await.unwrap();
        if in_time && waited < timeout {
            assert!(early.is_empty(), "it came again {waited:?} after it was extended");
            assert_eq!(counts(queue.stats().await.unwrap()), (0, 0, 0));
            return;
        }
        queue
            .acknowledge(&early.into_iter().map(|delivery| delivery.receipt).collect::<Vec<_>>())
            .await
            .unwrap();
    }
    panic!("this machine is too slow for a visibility time-out of {timeout:?}");
}

async fn an_extended_message_becomes_visible_afterwards(queue: &dyn ChangeQueue) {
    send(queue, vec![created("a")]).await;
    let delivery = receive_one(queue).await;
    queue.extend(&[delivery.receipt]).await.unwrap();
    assert_eq!(receive_one(queue).await.receives, 2);
}

// ------------------------------------------------------------------------------ stats, and two processes

async fn stats_return_size_and_age(queue: &dyn ChangeQueue, reports_age: bool) {
    let stats = queue.stats().await.unwrap();
    assert_eq!((counts(stats), stats.oldest_age), ((0, 0, 0), None));
    assert!(queue.is_empty().await.unwrap());
    let since = Instant::now();
    send(queue, (0..5).map(|i| created(&format!("p{i}"))).collect()).await;
    assert_eq!(counts(queue.stats().await.unwrap()), (5, 0, 0));
    let in_progress = queue.receive(2, LONG).await.unwrap();
    assert_eq!(
        counts(queue.stats().await.unwrap()),
        (5 - in_progress.len() as u64, in_progress.len() as u64, 0)
    );
    assert!(!queue.is_empty().await.unwrap());
    // Longer than the visibility timeout: a message that becomes visible again keeps its age.
    assert_nothing_comes_but(queue, &in_progress).await;
    let age = queue.stats().await.unwrap().oldest_age;
    assert_eq!(age.is_some(), reports_age);
    let Some(age) = age else { return };
    assert!(age >= queue.visibility_timeout() / 2, "the oldest is {age:?} old");
    assert!(age <= since.elapsed() + Duration::from_millis(5), "the oldest is {age:?} old");
}

/// Acknowledges everything but `in_progress`, then waits until those are received again.
async fn assert_nothing_comes_but(queue: &dyn ChangeQueue, in_progress: &[Delivery]) {
    let others = receive_all(queue, 5 - in_progress.len()).await;
    queue.acknowledge(&others.into_iter().map(|d| d.receipt).collect::<Vec<_>>()).await.unwrap();
    let again = receive_all(queue, in_progress.len()).await;
    assert_eq!(ids(&again), ids(in_progress));
}

async fn ready_succeeds_while_the_queue_works(queue: &dyn ChangeQueue) {
    queue.ready().await.unwrap();
    assert!(queue.visibility_timeout() > Duration::ZERO);
    assert_eq!(counts(queue.stats().await.unwrap()), (0, 0, 0));
}

async fn a_message_is_received_by_another_process(queue: &dyn ChangeQueue, another: &dyn ChangeQueue) {
    let since = Instant::now();
    let (deliveries, ()) = futures::join!(another.receive(10, LONG), send(queue, vec![created("a")]));
    let deliveries = deliveries.unwrap();
    assert_eq!(ids(&deliveries), ["a"]);
    assert!(since.elapsed() < LONG / 2, "answered after {:?}", since.elapsed());
    assert_nothing_comes(queue, Duration::ZERO).await;
    assert_eq!(queue.stats().await.unwrap().in_flight, 1);
    assert!(!queue.is_empty().await.unwrap());
    // A receipt is valid in every process.
    queue.acknowledge(&[deliveries[0].receipt.clone()]).await.unwrap();
    assert_eq!(counts(another.stats().await.unwrap()), (0, 0, 0));
    assert!(another.is_empty().await.unwrap());
}

async fn receives_are_counted_across_processes(queue: &dyn ChangeQueue, another: &dyn ChangeQueue) {
    send(queue, vec![created("a")]).await;
    for receives in 1..=MAX_RECEIVES {
        let (one, two) = if receives % 2 == 0 { (queue, another) } else { (another, queue) };
        let delivery = receive_one(one).await;
        assert_eq!(delivery.receives, receives);
        assert_nothing_comes(two, Duration::ZERO).await;
        two.retry_later(&[retry_request(&delivery, Duration::ZERO)]).await.unwrap();
    }
    assert_nothing_comes(queue, Duration::ZERO).await;
    assert_eq!(counts(queue.stats().await.unwrap()), (0, 0, 1));
}

async fn no_message_has_receivers_in_two_processes(queue: &dyn ChangeQueue, another: &dyn ChangeQueue) {
    let messages = 300;
    let sending = async {
        for chunk in 0..messages / 10 {
            send(queue, (0..10).map(|i| created(&format!("p{}", chunk * 10 + i))).collect()).await;
        }
    };
    let acknowledged = AtomicUsize::new(0);
    let receiver = |queue: &'static str, port| {
        let acknowledged = &acknowledged;
        async move {
            let port: &dyn ChangeQueue = port;
            let (mut all, since) = (Vec::new(), Instant::now());
            while acknowledged.load(Ordering::SeqCst) < messages {
                assert!(since.elapsed() < LONG, "the {queue} receiver waits in vain");
                let deliveries = port.receive(9, Duration::from_millis(20)).await.unwrap();
                let receipts: Vec<_> = deliveries.iter().map(|delivery| delivery.receipt.clone()).collect();
                port.acknowledge(&receipts).await.unwrap();
                let first = first_received(&deliveries);
                acknowledged.fetch_add(first.len(), Ordering::SeqCst);
                all.extend(first);
            }
            all
        }
    };
    let ((), one, two) = futures::join!(sending, receiver("first", queue), receiver("second", another));
    let all = [one, two].concat();
    assert_eq!(all.len(), messages);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), messages);
}

// ---------------------------------------------------------------------------------------------- adapters

/// A queue under test, with its own data.
struct Queues {
    queue: Arc<dyn ChangeQueue>,
    /// The same queue, opened again as by another process.
    another: Arc<dyn ChangeQueue>,
    /// True if the stats have the age of the oldest message.
    reports_age: bool,
    _data: Option<TempDir>,
}

/// The visibility timeout of the queues under test: the shortest of SQS.
const VISIBILITY: Duration = Duration::from_secs(1);

fn embedded(outbox: Outbox) -> Option<Queues> {
    let data = tempfile::tempdir().unwrap();
    let visibility_timeout = VISIBILITY;
    let open = || {
        let options = Options { outbox, visibility_timeout, ..Options::default() };
        Arc::new(EmbeddedStore::open(data.path(), options).unwrap())
    };
    Some(Queues { queue: open(), another: open(), reports_age: true, _data: Some(data) })
}

/// Creates a queue on an SQS server, or returns `None` if there is no server.
async fn sqs() -> Option<Queues> {
    let server = services::sqs().await?;
    let aws = Aws::local(&server.url).await.unwrap();
    let name = format!("contract-{}", ProductId::generate());
    let queue = SqsQueue::create(&aws, &name, VISIBILITY).await.unwrap();
    let another = SqsQueue::open(&Aws::local(&server.url).await.unwrap(), &name).await.unwrap();
    let (queue, another) = (Arc::new(queue), Arc::new(another));
    Some(Queues { queue, another, reports_age: false, _data: None })
}

on_each! {
    {
        sqlite_beside_its_store: embedded(Outbox::Enqueue);
        sqlite_beside_another_store: embedded(Outbox::AddEntry);
        sqs: sqs().await;
    }
    {
        |queues| (&*queues.queue) [
            a_sent_change_is_received,
            empty_requests_do_nothing,
            receive_returns_at_most_max_messages,
            receive_returns_an_empty_list_after_the_wait,
            receive_returns_as_soon_as_there_is_a_message,
            no_message_has_two_receivers_at_once,
            a_message_becomes_visible_again_after_the_visibility_timeout,
            an_acknowledged_message_is_removed_permanently,
            an_expired_receipt_is_ignored,
            a_retried_message_becomes_visible_after_its_delay,
            a_message_that_keeps_failing_becomes_a_dead_letter,
            a_released_message_is_visible_immediately_and_never_becomes_a_dead_letter,
            an_extended_message_stays_invisible,
            an_extended_message_becomes_visible_afterwards,
            ready_succeeds_while_the_queue_works,
        ]
        |queues| (&*queues.queue, queues.reports_age) [
            stats_return_size_and_age,
        ]
        |queues| (&*queues.queue, &*queues.another) [
            a_message_is_received_by_another_process,
            receives_are_counted_across_processes,
            no_message_has_receivers_in_two_processes,
        ]
    }
}
