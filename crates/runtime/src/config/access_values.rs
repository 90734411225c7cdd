//! Parsers of the values that say who may use a service. Spaces around the parts of a list are ignored. A value that could never match
//! a request is an error at the start, not a refusal of each request.

use std::ffi::OsStr;
use std::net::IpAddr;

use clap::builder::{PossibleValue, TypedValueParser};
use http::Uri;
use ipnet::IpNet;

/// A parser that ignores spaces around the value.
#[derive(Debug, Clone)]
pub(super) struct Trimmed<P>(pub(super) P);

impl<P: TypedValueParser> TypedValueParser for Trimmed<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, clap::Error> {
        let trimmed = value.to_str().map_or(value, |text| OsStr::new(text.trim()));
        self.0.parse_ref(command, argument, trimmed)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// Parses the name of a host, without a scheme, a port and a path. Returns it in lower case and without the dot of the root.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    let name = text.trim();
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let without_brackets = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    if without_brackets.unwrap_or(&name).parse::<IpAddr>().is_ok() {
        return Ok(name);
    }
    if name.contains('*') {
        return Err("each name is written out, such as shop.example; there are no patterns".to_owned());
    }
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match !name.is_empty() && name.bytes().all(is_of_name) {
        true => Ok(name),
        false => Err("a host is a name without scheme, port and path, such as shop.example".to_owned()),
    }
}

/// Parses an origin as browsers send it: a scheme and a host, with a port if it is not the usual one. `*` stands for all.
pub(super) fn parse_origin(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text == "*" {
        return Ok(text.to_owned());
    }
    let form =
        || "an origin is a scheme and a host, such as https://admin.example, or * for every site".to_owned();
    let origin: Uri = text.parse().map_err(|_| form())?;
    let is_whole = matches!(origin.path(), "" | "/") && origin.query().is_none() && !text.contains('#');
    let (Some(scheme), Some(authority), true) = (origin.scheme_str(), origin.authority(), is_whole) else {
        return Err(form());
    };
    let usual_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(form()),
    };
    let is_of_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]@*".contains(&byte);
    if !authority.as_str().bytes().all(is_of_host) {
        return Err(form());
    }
    if authority.as_str().contains('@') {
        return Err("an origin has no user and no password".to_owned());
    }
    if authority.host().contains('*') {
        return Err(
            "each origin is written out, such as https://admin.example; only a lone * stands for every site"
                .to_owned(),
        );
    }
    if authority.port_u16() == Some(usual_port) {
        let host = authority.host();
        return Err(format!("browsers leave out the usual port; write {scheme}://{host}"));
    }
    if authority.port_u16().is_none() && authority.as_str() != authority.host() {
        return Err(form());
    }
    Ok(format!("{scheme}://{}", authority.as_str().to_ascii_lowercase()))
}

/// Parses a network, or one address.
pub(super) fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "write an address such as 10.0.0.1, or a network such as 10.0.0.0/8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_and_nothing_else() {
        for (text, host) in [
            ("shop.example", "shop.example"),
            (" Shop.Example. ", "shop.example"),
            ("noren_query", "noren_query"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("10.0.0.7", "10.0.0.7"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(parse_host(text), Ok(host.to_owned()));
        }
        for text in [
            "https://shop.example",
            "shop.example:8080",
            "shop.example/",
            "a b",
            "u@a",
            "",
            " ",
            ".",
            "bücher.example",
        ] {
            assert!(parse_host(text).unwrap_err().contains("without scheme, port and path"), "{text}");
        }
        for text in ["*", "*.shop.example"] {
            assert!(parse_host(text).unwrap_err().contains("no patterns"), "{text}");
        }
    }

    #[test]
    fn an_origin_is_as_browsers_send_it() {
        for (text, origin) in [
            ("https://admin.example", "https://admin.example"),
            (" HTTPS://Admin.Example/ ", "https://admin.example"),
            ("http://localhost:443", "http://localhost:443"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("*", "*"),
        ] {
            assert_eq!(parse_origin(text), Ok(origin.to_owned()));
        }
        for (text, word) in [
            ("https://a.example:443", "write https://a.example"),
            ("http://a.example:80", "write http://a.example"),
            ("https://*.example", "written out"),
            ("https://u@a.example", "no user"),
            ("https://a.example/path", "a scheme and a host"),
            ("https://a.example?x", "a scheme and a host"),
            ("https://a.example#x", "a scheme and a host"),
            ("https://a.example:", "a scheme and a host"),
            ("https://a.example;script-src", "a scheme and a host"),
            ("ftp://a.example", "a scheme and a host"),
            ("a.example", "a scheme and a host"),
            ("", "a scheme and a host"),
        ] {
            assert!(parse_origin(text).unwrap_err().contains(word), "{text}: {:?}", parse_origin(text));
        }
    }

    #[test]
    fn a_network_may_have_spaces_around_it() {
        assert_eq!(parse_network(" 10.0.0.1 "), Ok("10.0.0.1/32".parse().unwrap()));
        assert_eq!(parse_network(" fd00::/8"), Ok("fd00::/8".parse().unwrap()));
        assert!(parse_network("proxy").is_err());
    }
}
