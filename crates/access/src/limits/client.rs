//! Whom a process counts by itself.

use std::net::{IpAddr, Ipv6Addr};

use crate::{Identity, Principal};

/// The most clients that a process remembers for one limit.
pub(super) const MAX_CLIENTS: usize = 10_000;

/// Whom a process counts by itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Client {
    /// A principal with credentials.
    Identity(Identity),
    /// An IPv4 address, or the first address of the /64 of an IPv6 address.
    Network(IpAddr),
    /// All clients whose address is not known, together.
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
        match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V6(address)) => {
                let network = u128::from(address) >> 64 << 64;
                Self::Network(Ipv6Addr::from(network).into())
            }
            Some(address) => Self::Network(address),
            None => Self::Unknown,
        }
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
