//! The readiness check of a running service, for container health checks: the image contains no HTTP client.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::StartError;

/// The time limit of each step. It is longer than the time limit of the service for its parts.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The maximum length of a response.
const MAX_RESPONSE_BYTES: u64 = 64 * 1024;

/// Checks that the service that listens on this address is ready.
///
/// # Errors
/// When it is not ready, with its response, or when nothing responds.
pub fn check(listen: SocketAddr) -> Result<(), StartError> {
    let address = SocketAddr::new(reachable(listen.ip()), listen.port());
    let answer = ask(address)
        .map_err(|error| StartError::because(format!("no service answers at {address}"), error))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => Ok(()),
        Some(status) => Err(StartError::new(format!("not ready, status {status}: {}", body.trim()))),
        None => Err(StartError::new(format!("what answers at {address} does not speak HTTP"))),
    }
}

/// Returns the address to connect to for an address to listen on.
fn reachable(listen: IpAddr) -> IpAddr {
    match listen {
        IpAddr::V4(any) if any.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(any) if any.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        other => other,
    }
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    // An HTTP/1.0 response is never chunked and ends with the connection.
    write!(stream, "GET /health/ready HTTP/1.0\r\nhost: {address}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_RESPONSE_BYTES).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn check_against(answer: &'static str) -> Result<(), String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // Closing a connection with unread bytes resets it.
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            assert!(request.starts_with(b"GET /health/ready HTTP/1.0\r\n"));
            stream.write_all(answer.as_bytes()).unwrap();
        });
        // A service that listens on all addresses is checked at the loopback address.
        let result = check(SocketAddr::from(([0, 0, 0, 0], port))).map_err(|error| error.line());
        server.join().unwrap();
        result
    }

    #[test]
    fn a_service_is_ready_when_it_says_so() {
        assert_eq!(check_against("HTTP/1.0 200 OK\r\n\r\n{}"), Ok(()));
        let error = check_against("HTTP/1.0 503 Service Unavailable\r\na: b\r\n\r\n{\"index\": \"gone\"}\n");
        assert_eq!(error, Err("not ready, status 503: {\"index\": \"gone\"}".to_owned()));
        assert!(check_against("hello\r\n").unwrap_err().contains("does not speak HTTP"));
    }

    #[test]
    fn nobody_there_is_one_line() {
        // Nothing common listens on port 1.
        let error = check(SocketAddr::from(([127, 0, 0, 1], 1))).unwrap_err().line();
        assert!(error.starts_with("no service answers at 127.0.0.1:1: "), "{error}");
    }
}
