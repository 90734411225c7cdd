//! The address that a service listens on, as people write it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::sync::mpsc::channel;
use std::time::Duration;

/// The time limit for resolving a name.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(5);

/// Parses `HOST:PORT`. A port alone, with or without the colon, is one of the loopback interface, which only this machine
/// reaches. A host may be a name, which is resolved.
///
/// # Errors
/// If the text is no address or the name does not resolve, with what to write instead.
pub(super) fn parse_listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    if text.contains('/') {
        return Err("an address has no scheme and no path; write one such as 127.0.0.1:8080".to_owned());
    }
    if let Some(instead) = in_brackets(text) {
        return Err(format!(
            "an address of IPv6 is in brackets, before the port; write one such as {instead}"
        ));
    }
    let is_port = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (host, port) = match text.rsplit_once(':') {
        Some(parts) if !text.ends_with([':', ']']) => parts,
        None if is_port => ("", text),
        _ => {
            let host = text.trim_end_matches(':');
            // What begins with a digit is more often a misspelt port than a name.
            let is_name = host.starts_with(|first: char| first.is_ascii_alphabetic() || first == '[');
            let host = if is_name || host.parse::<Ipv4Addr>().is_ok() { host } else { "127.0.0.1" };
            return Err(format!("the port is missing; write an address such as {host}:8080"));
        }
    };
    let Ok(port) = port.parse() else {
        return Err(format!("`{port}` is not a port; write a number from 0 to 65535"));
    };
    match host {
        "" => Ok(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
        "*" => Err(format!("write 0.0.0.0:{port} for all addresses of this machine")),
        name => resolve(name, port),
    }
}

/// Returns the bracketed form of an IPv6 address that was written without brackets, with its port if it seems to have one. Without
/// brackets, `::1:8080` is an address without a port.
fn in_brackets(text: &str) -> Option<String> {
    let is_ipv6 = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    match text.rsplit_once(':') {
        Some((host, port)) if is_ipv6(host) && port.len() > 1 && port.parse::<u16>().is_ok() => {
            Some(format!("[{host}]:{port}"))
        }
        _ => is_ipv6(text).then(|| format!("[{text}]:8080")),
    }
}

/// Resolves a name, to an IPv4 address if it has one: clients on this machine try 127.0.0.1 by default.
fn resolve(name: &str, port: u16) -> Result<SocketAddr, String> {
    let (sender, receiver) = channel();
    let asked = name.to_owned();
    // The resolver of the system has no time limit that a program can set.
    std::thread::spawn(move || sender.send((asked.as_str(), port).to_socket_addrs().map(Vec::from_iter)));
    let instead = format!("write an IP address of this machine, such as 127.0.0.1:{port}");
    match receiver.recv_timeout(RESOLVE_TIMEOUT) {
        Ok(Ok(addresses)) => {
            let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
            address.copied().ok_or_else(|| format!("the name `{name}` has no address; {instead}"))
        }
        Ok(Err(error)) => Err(format!("the name `{name}` does not resolve ({error}); {instead}")),
        Err(_) => {
            let seconds = RESOLVE_TIMEOUT.as_secs();
            Err(format!("the name `{name}` does not resolve within {seconds} s; {instead}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_written_in_short() {
        for (text, address) in [
            ("8080", "127.0.0.1:8080"),
            (":8080", "127.0.0.1:8080"),
            ("0", "127.0.0.1:0"),
            ("localhost:8080", "127.0.0.1:8080"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:8080", "[::1]:8080"),
            ("[::]:80", "[::]:80"),
        ] {
            assert_eq!(parse_listen_address(text), Ok(address.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_with_what_to_write() {
        for (text, advice) in [
            ("", "the port is missing; write an address such as 127.0.0.1:8080"),
            ("8080x", "write an address such as 127.0.0.1:8080"),
            ("127.0.0.1:", "write an address such as 127.0.0.1:8080"),
            ("[::1]", "the port is missing; write an address such as [::1]:8080"),
            ("::1:9090", "write one such as [::1]:9090"),
            ("2001:db8::5", "write one such as [2001:db8::5]:8080"),
            ("localhost", "write an address such as localhost:8080"),
            ("127.0.0.1", "write an address such as 127.0.0.1:8080"),
            ("::1", "write one such as [::1]:8080"),
            ("http://127.0.0.1:8080", "no scheme"),
            ("127.0.0.1:8080/", "no path"),
            ("localhost:http", "`http` is not a port"),
            ("99999", "`99999` is not a port; write a number from 0 to 65535"),
            ("*:8080", "write 0.0.0.0:8080"),
            // Names under `.invalid` never exist: RFC 6761.
            ("noren.invalid:8080", "such as 127.0.0.1:8080"),
        ] {
            let error = parse_listen_address(text).unwrap_err();
            assert!(error.contains(advice) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
