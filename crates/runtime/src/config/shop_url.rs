//! The address of a storefront, and the sites of its pictures, as people write them.

use http::Uri;

use super::access_values::parse_origin;

/// Parses the address of a shop: a scheme, a host, and a path if it has one. Returns it without a slash at the end.
///
/// # Errors
/// If the text is no such address, with an example.
pub(super) fn parse_shop_url(text: &str) -> Result<String, String> {
    let form = || "write an address such as https://shop.example, without `?` and `#`".to_owned();
    let text = text.trim().trim_end_matches('/');
    let uri: Uri = text.parse().map_err(|_| form())?;
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    match is_web && !has_user && uri.query().is_none() && !text.contains('#') {
        true => Ok(text.to_owned()),
        false => Err(form()),
    }
}

/// Parses a site that pictures come from. A policy with `*` would allow every site.
///
/// # Errors
/// If the text is no origin, with an example.
pub(super) fn parse_image_origin(text: &str) -> Result<String, String> {
    match text.trim() {
        "*" => Err("name each site, such as https://images.example".to_owned()),
        text => {
            parse_origin(text).map_err(|_| "write scheme and host, such as https://images.example".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_shop_may_have_a_path() {
        for (text, url) in [
            ("https://shop.example", "https://shop.example"),
            (" http://shop.example:8080/catalogue/ ", "http://shop.example:8080/catalogue"),
        ] {
            assert_eq!(parse_shop_url(text), Ok(url.to_owned()));
        }
        for text in [
            "shop.example",
            "ftp://a.example",
            "https://a.example?x",
            "https://a.example/#x",
            "",
            "https://u@a.example",
        ] {
            assert!(parse_shop_url(text).unwrap_err().contains("https://shop.example"), "{text}");
        }
    }

    #[test]
    fn pictures_come_from_sites_that_are_named() {
        assert_eq!(parse_image_origin("https://a.example"), Ok("https://a.example".to_owned()));
        assert!(parse_image_origin(" * ").is_err());
        assert!(parse_image_origin("https://a.example/x").is_err());
    }
}
