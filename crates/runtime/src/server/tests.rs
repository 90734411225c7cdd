//! The server over real connections.

use axum::body::Body;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;

#[tokio::test]
async fn the_error_for_an_address_that_cannot_be_bound_says_what_to_do() {
    let taken = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
    let address = taken.local_addr().unwrap();
    let error = listen(address).await.unwrap_err().line();
    assert!(error.contains(&address.to_string()) && error.contains("another port with --listen"), "{error}");
    // An address for documentation, which no machine has: RFC 5737.
    let error = listen(([192, 0, 2, 1], 0).into()).await.unwrap_err().line();
    assert!(error.contains("192.0.2.1:0") && error.contains("0.0.0.0 for all"), "{error}");
    // Root may bind every port, so that cannot be tried everywhere.
    assert!(advice(ErrorKind::PermissionDenied).contains("from 1024"));
}

#[test]
fn the_response_to_a_peer_with_too_many_connections_is_complete() {
    let (head, body) = TOO_MANY_CONNECTIONS.split_once("\r\n\r\n").unwrap();
    assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
    let problem: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(problem["status"], 503);
}

/// The longest time that a test waits.
const LONG: Duration = Duration::from_secs(20);

struct Served {
    address: SocketAddr,
    server: JoinHandle<()>,
}

impl Served {
    async fn spawn(limits: ConnectionLimits) -> Self {
        let router = Router::new()
            .route("/", get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string()))
            .route("/large", get(async || Body::from(vec![b'x'; 64 << 20])))
            .route("/slow", get(std::future::pending::<()>))
            .route("/body", post(async |body: String| body));
        let listener = listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::spawn(Server::new(listener).serve(router, limits, std::future::pending()));
        Self { address, server }
    }

    /// Connects and sends bytes.
    async fn send(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    async fn get(&self, path: &str) -> String {
        let stream = self.send(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        read_to_end(stream).await
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Reads until the server closes the connection.
async fn read_to_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await;
    // A connection that is closed with unread bytes is reset.
    let _ = read.expect("the server closes the connection in time");
    String::from_utf8_lossy(&bytes).into_owned()
}

fn limits() -> ConnectionLimits {
    ConnectionLimits { max: 8, max_per_peer: 8, ..ConnectionLimits::default() }
}

#[tokio::test]
async fn a_request_has_the_address_of_its_peer() {
    let served = Served::spawn(limits()).await;
    let mut stream = served.send("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let own = stream.local_addr().unwrap().to_string();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    assert!(response.ends_with(&own), "{response}");
}

#[tokio::test]
async fn a_peer_with_too_many_connections_is_told() {
    let limits = ConnectionLimits { max_per_peer: 2, ..limits() }.with_exempt(|_| false);
    let served = Served::spawn(limits).await;
    // They are not evicted, because the server has free slots.
    let held = [served.send("").await, served.send("").await];
    let refused = served.get("/").await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("too many connections"), "{refused}");
    drop(held);
    let begun = tokio::time::Instant::now();
    while !served.get("/").await.starts_with("HTTP/1.1 200") {
        assert!(begun.elapsed() < LONG, "closed connections still count");
    }
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() {
    let served =
        Served::spawn(ConnectionLimits { write_timeout: Duration::from_millis(300), ..limits() }).await;
    let stream = served.send("GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // The connection is reset, because the server discards what the client has not read.
    let reset = tokio::time::timeout(LONG, stream.ready(tokio::io::Interest::ERROR)).await;
    assert!(reset.expect("the client is cut off").unwrap().is_error());
}

#[tokio::test]
async fn clients_that_keep_the_server_waiting_keep_nobody_out() {
    for waiting in [
        "",
        "GET / HTTP/1.1\r\nhost: ",
        "POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf",
        "GET /large HTTP/1.1\r\nhost: x\r\n\r\n",
    ] {
        let served = Served::spawn(limits()).await;
        let mut held = Vec::new();
        for _ in 0..20 {
            held.push(served.send(waiting).await);
        }
        assert!(served.get("/").await.starts_with("HTTP/1.1 200"), "{waiting}");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_the_server_keeps_its_connection() {
    let served = Served::spawn(limits()).await;
    let slow = served.send("GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let mut held = Vec::new();
    for _ in 0..20 {
        held.push(served.send("").await);
    }
    assert!(served.get("/").await.starts_with("HTTP/1.1 200"));
    let mut byte = [0];
    let read = stream_is_open(&slow, &mut byte);
    assert!(read, "the slow request was cut off");
}

/// Returns true if the other side has not closed the connection.
fn stream_is_open(stream: &TcpStream, buffer: &mut [u8]) -> bool {
    stream.try_read(buffer).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_client_that_is_refused_while_it_sends_gets_the_response() {
    let served = Served::spawn(limits()).await;
    let mut stream =
        served.send("POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n").await;
    // More than the buffers of the connection hold, so that the response is there before the client has sent all of it.
    let chunk = vec![b'x'; 1 << 20];
    for _ in 0..40 {
        let sent = tokio::time::timeout(LONG, stream.write_all(&chunk)).await;
        sent.expect("what the client sends is discarded").expect("the connection is not reset");
    }
    stream.shutdown().await.unwrap();
    let response = read_to_end(stream).await;
    assert!(response.starts_with("HTTP/1.1 404"), "{response}");
    assert!(response.contains("connection: close"), "the client may not send another request: {response}");
}

#[tokio::test]
async fn a_connection_outlasts_a_refused_request_with_a_short_body() {
    let served = Served::spawn(limits()).await;
    let refused = "POST /nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    let next = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let responses = read_to_end(served.send(&format!("{refused}{next}")).await).await;
    let statuses: Vec<_> = responses.lines().filter(|line| line.contains("HTTP/1.1 ")).collect();
    assert_eq!(statuses, ["HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK"], "{responses}");
}
