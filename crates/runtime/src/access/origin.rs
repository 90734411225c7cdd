//! The origin of a request: the host that it names, and the page that sent it.
//!
//! A page in somebody's browser can send requests to every address that this person's machine reaches. These checks keep such pages away
//! from a service that needs no credentials. Clients other than browsers send no origin.

use std::net::IpAddr;

use http::header::{FORWARDED as FORWARDED_STANDARD, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

/// The relation between the page that sent a request and this site. Browsers set it; scripts cannot.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The host names by which a service may be called, besides addresses and `localhost`.
#[derive(Debug, Clone)]
pub struct Hosts(
    /// `None` allows every name.
    Option<Vec<String>>,
);

impl Default for Hosts {
    /// Allows no name.
    fn default() -> Self {
        Self(Some(Vec::new()))
    }
}

impl Hosts {
    /// Creates a list of names without ports.
    pub fn new(names: &[String]) -> Self {
        Self(Some(names.iter().map(|name| name.to_ascii_lowercase()).collect()))
    }

    /// Allows every name, for a service whose certificate proves its name.
    pub fn any() -> Self {
        Self(None)
    }

    /// Returns true if the request names one of these hosts, an address, `localhost`, or no host. Any other name may belong to somebody
    /// who made it resolve to this service (DNS rebinding). A browser always names a host.
    pub(super) fn allow(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        match requested_host(uri, headers) {
            Requested::Nothing => true,
            Requested::Unreadable => false,
            Requested::Host(host) => self.has(&host),
        }
    }

    fn has(&self, host: &Authority) -> bool {
        let Some(names) = &self.0 else { return true };
        let name = host.host().trim_start_matches('[').trim_end_matches(']');
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        name == "localhost" || name.parse::<IpAddr>().is_ok() || names.contains(&name)
    }
}

/// The host that a request names.
enum Requested {
    Nothing,
    Unreadable,
    Host(Authority),
}

/// Returns the host of the address, if it has one, else that of `Host`: RFC 9112, section 3.2.2.
fn requested_host(uri: &Uri, headers: &HeaderMap) -> Requested {
    let named = match only(headers, &HOST) {
        Ok(named) => named.map(|host| host.to_str().ok().and_then(|host| host.parse().ok())),
        Err(Several) => return Requested::Unreadable,
    };
    match (uri.authority(), named) {
        (_, Some(None)) => Requested::Unreadable,
        (Some(host), _) => Requested::Host(host.clone()),
        (None, Some(Some(host))) => Requested::Host(host),
        (None, None) => Requested::Nothing,
    }
}

/// The error for a header that appears several times but may appear once. No browser sends such a request.
struct Several;

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Several> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() { Err(Several) } else { Ok(first) }
}

/// The headers by which proxies say for whom they send a request.
const FORWARDED: [HeaderName; 4] = [
    FORWARDED_STANDARD,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
    HeaderName::from_static("cf-connecting-ip"),
];

/// Returns true if a proxy says that it sends a request for another client.
pub(super) fn is_forwarded(headers: &HeaderMap) -> bool {
    FORWARDED.iter().any(|name| headers.contains_key(name))
}

/// Returns true if no page sent the request, or a page of this service.
pub(super) fn is_same_origin(uri: &Uri, headers: &HeaderMap) -> bool {
    if headers.get_all(SEC_FETCH_SITE).iter().any(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Ok(origin) = only(headers, &ORIGIN) else { return false };
    let Some(origin) = origin else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let Some(origin) = origin.as_ref().and_then(Uri::authority) else { return false };
    match requested_host(uri, headers) {
        Requested::Host(host) => host.as_str().eq_ignore_ascii_case(origin.as_str()),
        Requested::Nothing | Requested::Unreadable => false,
    }
}

/// The origins whose pages may read responses of every route.
#[derive(Debug, Clone, Default)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Creates a list of origins such as `https://shop.example`; `*` stands for all.
    pub fn new(origins: &[String]) -> Self {
        Self(origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect())
    }

    /// Returns true if the page of the request is of a listed origin.
    pub(super) fn allow(&self, headers: &HeaderMap) -> bool {
        let Ok(Some(origin)) = only(headers, &ORIGIN) else { return false };
        let Ok(origin) = origin.to_str() else { return false };
        self.0.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(headers: &[(HeaderName, &str)]) -> HeaderMap {
        headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    fn is_let_in(given: &[(HeaderName, &str)]) -> bool {
        is_same_origin(&Uri::from_static("/admin/verify"), &headers(given))
    }

    #[test]
    fn only_pages_of_the_service_itself_are_let_in() {
        assert!(is_let_in(&[]) && is_let_in(&[(HOST, "noren-sync:8082")]), "no browser");
        for own in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "10.0.0.7", "shop.example"] {
            assert!(is_let_in(&[(HOST, own), (ORIGIN, &format!("http://{own}"))]), "{own}");
        }
        for origin in ["http://evil.example", "http://127.0.0.1:9000", "https://localhost", "null", ""] {
            assert!(!is_let_in(&[(HOST, "127.0.0.1:8080"), (ORIGIN, origin)]), "{origin}");
        }
        assert!(!is_let_in(&[(ORIGIN, "http://127.0.0.1:8080")]), "the requested host is unknown");
    }

    #[test]
    fn a_request_that_a_browser_marks_as_cross_site_is_refused() {
        let host = (HOST, "127.0.0.1:8080");
        for (site, let_in) in
            [("none", true), ("same-origin", true), ("same-site", false), ("cross-site", false)]
        {
            assert_eq!(is_let_in(&[host.clone(), (SEC_FETCH_SITE, site)]), let_in, "{site}");
        }
    }

    #[test]
    fn a_header_that_appears_twice_lets_no_page_in() {
        let own =
            [(HOST, "127.0.0.1:8080"), (ORIGIN, "http://127.0.0.1:8080"), (SEC_FETCH_SITE, "same-origin")];
        let let_in_with = |name: HeaderName, value: &str| {
            let mut given = headers(&own);
            given.append(name, value.parse().unwrap());
            is_same_origin(&Uri::from_static("/admin/verify"), &given)
        };
        assert!(is_let_in(&own));
        assert!(!let_in_with(ORIGIN, "http://evil.example"));
        assert!(!let_in_with(SEC_FETCH_SITE, "cross-site"));
        let mut two = headers(&[(ORIGIN, "https://shop.example")]);
        let origins = Origins::new(&["https://shop.example".to_owned()]);
        assert!(origins.allow(&two));
        two.append(ORIGIN, "https://evil.example".parse().unwrap());
        assert!(!origins.allow(&two));
    }

    #[test]
    fn a_host_is_an_address_or_localhost_or_one_of_the_list() {
        let hosts = Hosts::new(&["Command".to_owned()]);
        let allows = |host: &str| hosts.allow(&Uri::from_static("/"), &headers(&[(HOST, host)]));
        for host in ["127.0.0.1", "10.0.0.7:80", "[::1]:8080", "LocalHost:1", "command:8080", "localhost."] {
            assert!(allows(host), "{host}");
        }
        for host in
            ["evil.example", "evil.example:8080", "command.evil.example", "localhost.evil.example", "", "a b"]
        {
            assert!(!allows(host), "{host}");
        }
        assert!(hosts.allow(&Uri::from_static("/"), &HeaderMap::new()), "no browser");
        let two = headers(&[(HOST, "127.0.0.1"), (HOST, "evil.example")]);
        let mut both = two;
        both.append(HOST, "evil.example".parse().unwrap());
        assert!(!hosts.allow(&Uri::from_static("/"), &both), "two hosts");
        let absolute = Uri::from_static("http://evil.example/products");
        for given in [HeaderMap::new(), headers(&[(HOST, "127.0.0.1")])] {
            assert!(!hosts.allow(&absolute, &given), "a host in the address");
        }
    }
}
