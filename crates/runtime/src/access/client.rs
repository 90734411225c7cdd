//! The address of the client of a request.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap, HeaderName};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: the peer of the connection or, behind trusted proxies, the peer of the outermost of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Returns the address, or `None` if the request came over no connection. `X-Forwarded-For` is read from its end, and believed
    /// only as far as trusted proxies wrote it.
    pub(super) fn of(
        extensions: &Extensions,
        headers: &HeaderMap,
        is_trusted_proxy: impl Fn(IpAddr) -> bool,
    ) -> Option<Self> {
        let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
        let mut address = peer.ip().to_canonical();
        let forwarded = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let forwarded = forwarded.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        for before in forwarded {
            if !is_trusted_proxy(address) {
                break;
            }
            let Ok(before) = before.trim().parse::<IpAddr>() else { break };
            address = before.to_canonical();
        }
        Some(Self(address))
    }
}

#[cfg(test)]
mod tests {
    use ipnet::IpNet;

    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let headers = forwarded.iter().map(|value| (X_FORWARDED_FOR, value.parse().unwrap())).collect();
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
}
