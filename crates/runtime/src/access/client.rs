//! The address of the client of a request.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer of the connection or, behind trusted proxies, the peer of the outermost of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Returns the address, or `None` if the request came over no connection. `X-Forwarded-For` is read from its end, and believed
    /// only as far as trusted proxies wrote it. Reading stops at an element that is not an address, because a client may send
    /// anything before it.
    pub(super) fn of(
        extensions: &Extensions,
        headers: &HeaderMap,
        is_trusted_proxy: impl Fn(IpAddr) -> bool,
    ) -> Option<Self> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        let mut address = peer.ip().to_canonical();
        let forwarded = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let forwarded = forwarded.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        for before in forwarded {
            if !is_trusted_proxy(address) {
                break;
            }
            let Some(before) = read(before) else { break };
            address = before.to_canonical();
        }
        Some(Self(address))
    }
}

/// Reads an element of `X-Forwarded-For`: an address, to which some proxies add the port.
fn read(element: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(element).ok()?.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let in_brackets = || {
        let address = text.strip_prefix('[')?.strip_suffix(']')?;
        address.parse::<Ipv6Addr>().ok().map(IpAddr::from)
    };
    text.parse().ok().or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use ipnet::IpNet;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        client_of_bytes(peer, &forwarded.iter().map(|value| value.as_bytes()).collect::<Vec<_>>())
    }

    fn client_of_bytes(peer: &str, forwarded: &[&[u8]]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let headers = forwarded
            .iter()
            .map(|value| (X_FORWARDED_FOR, HeaderValue::from_bytes(value).unwrap()))
            .collect();
        let proxies: IpNet = "10.0.0.0/8".parse().unwrap();
        ClientAddress::of(&extensions, &headers, |address| proxies.contains(&address)).unwrap().0.to_string()
    }

    #[test]
    fn only_what_trusted_proxies_wrote_counts() {
        assert_eq!(client("192.0.2.1", &[]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["198.51.100.7"]), "192.0.2.1", "anyone can send the header");
        assert_eq!(client("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9, 198.51.100.7"]),
            "198.51.100.7",
            "the first one is made up"
        );
        assert_eq!(client("10.0.0.1", &["198.51.100.7, 10.0.0.2"]), "198.51.100.7", "two proxies");
        assert_eq!(client("10.0.0.1", &["198.51.100.7", "10.0.0.2"]), "198.51.100.7", "two headers");
        assert_eq!(client("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(client("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
    }
    #[test]
    fn what_a_client_writes_before_the_proxy_cannot_hide_its_address() {
        for before in [&b"\xff, "[..], b"\xff,", b", ", b",,", b"nonsense, ", b"\xc3\xa4, 10.0.0.9x, "] {
            let forwarded = [before, b"9.9.9.9"].concat();
            assert_eq!(client_of_bytes("10.0.0.1", &[&forwarded]), "9.9.9.9", "{before:?}");
            assert_eq!(client_of_bytes("10.0.0.1", &[before, b"9.9.9.9, 10.0.0.2"]), "9.9.9.9", "{before:?}");
        }
        assert_eq!(
            client_of_bytes("10.0.0.1", &[b"9.9.9.9, \xff"]),
            "10.0.0.1",
            "the proxy itself wrote no address"
        );
    }

    #[test]
    fn the_port_of_an_address_is_left_out() {
        for (element, address) in [
            ("9.9.9.9:1234", "9.9.9.9"),
            ("[2001:db8::1]:1234", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[::ffff:9.9.9.9]:1", "9.9.9.9"),
        ] {
            assert_eq!(client("10.0.0.1", &[element]), address);
        }
        for element in ["9.9.9.9:", "9.9.9.9:99999", "[9.9.9.9]", "9.9.9.9 9.9.9.8", "[2001:db8::1"] {
            assert_eq!(client("10.0.0.1", &[element]), "10.0.0.1", "{element}");
        }
    }
}
