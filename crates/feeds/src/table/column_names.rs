//! Names of columns, which files write in several ways.

/// Returns true if two names differ in letter case, or in spaces, hyphens and underscores, only.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    let folded = |c: char| match c {
        ' ' | '-' => '_',
        c => c.to_ascii_lowercase(),
    };
    one.len() == other.len() && one.chars().map(folded).eq(other.chars().map(folded))
}

/// Returns the position of the first of several names, separated by `|`, that a file has.
pub(crate) fn position(header: &[String], names: &str) -> Option<usize> {
    names.split('|').find_map(|wanted| header.iter().position(|name| is_same(name, wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_written_in_several_ways() {
        assert!(is_same("Image Link", "image_link") && !is_same("imagelink", "image_link"));
        let header = ["sku", "URL handle"].map(str::to_owned);
        assert_eq!(position(&header, "Handle|url_handle"), Some(1));
        assert_eq!(position(&header, "Handle"), None);
    }
}
