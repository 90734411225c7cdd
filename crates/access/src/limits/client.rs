//! The clients that a process counts for itself.

use std::net::{IpAddr, Ipv6Addr};

use crate::{Identity, Principal};

/// The most clients that a process counts for one limit.
pub(super) const MAX_CLIENTS: usize = 10_000;

/// A client that a process counts for itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// A principal with credentials.
    Identity(Identity),
    /// A network, see [`network_of`].
    Network(IpAddr),
    /// All clients whose address is unknown, together.
    Unknown,
}

impl Client {
    pub(super) fn of(principal: &Principal, address: Option<IpAddr>) -> Self {
        if principal.has_credentials() {
            Self::Identity(principal.identity.clone())
        } else {
            Self::at(address)
        }
    }

    pub(super) fn at(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Unknown, |address| Self::Network(network_of(address)))
    }
}

/// Returns the network of an address, which stands for one client: an IPv4 address, or the first address of the /64 of an IPv6
/// address, because a client usually has all addresses of a /64.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_an_ipv4_address_or_64_bits_of_an_ipv6_address() {
        let at = |text: &str| Client::at(Some(text.parse().unwrap()));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
        assert_eq!(at("192.0.2.1"), at("::ffff:192.0.2.1"));
        assert_eq!(at("2001:db8:0:1::1"), at("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(at("2001:db8:0:1::1"), at("2001:db8:0:2::1"));
    }
}
