//! The time limits of calls to a server that never responds.
//!
//! The clock is paused: tokio advances it to the next timer whenever nothing else can run, so the tests do not wait.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use aws_setup::Aws;
use domain::ports::{ChangeQueue, Envelope, PortErrorKind};
use domain::{Change, ProductId, Tombstone, Version};
use sqs_queue::SqsQueue;
use tokio::net::TcpListener;
use tokio::time::Instant;

/// The documented limit is 5 s.
const LIMIT: Duration = Duration::from_secs(6);

/// Starts a server that accepts connections, keeps them open and never sends a byte. Returns its URL.
async fn silent_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut connections = Vec::new();
        loop {
            connections.push(listener.accept().await.unwrap());
        }
    });
    url
}

/// Starts a server whose connections nobody accepts: only the operating system completes them. Returns it with its URL.
async fn deaf_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

async fn assert_send_gives_up(url: &str) {
    let queue = SqsQueue::unchecked(&Aws::local(url).await.unwrap(), "any", None);
    let id = ProductId::parse("a").unwrap();
    let change = Change::Delete(Tombstone { id, version: Version(1), deleted_at: domain::now() });
    let started = Instant::now();
    let error = queue.send(vec![Envelope { change, traceparent: None }]).await.remove(0).unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unavailable, "{}", error.chain());
    assert!(started.elapsed() < LIMIT, "send took {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn send_gives_up_within_5_seconds_if_the_server_never_responds() {
    assert_send_gives_up(&silent_server().await).await;
}

#[tokio::test(start_paused = true)]
async fn send_gives_up_within_5_seconds_if_nobody_accepts_the_connection() {
    let (_server, url) = deaf_server().await;
    assert_send_gives_up(&url).await;
}
