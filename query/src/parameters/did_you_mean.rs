//! The name that a caller probably meant.

use domain::near::{fold, nearest};

/// Names that other services have for what a parameter does here.
const ALIASES: [(&str, &str); 14] = [
    ("q", "query"),
    ("search", "query"),
    ("text", "query"),
    ("sort", "sortBy"),
    ("order", "sortBy"),
    ("orderby", "sortBy"),
    ("price", "priceRange"),
    ("size", "pageSize"),
    ("limit", "pageSize"),
    ("perpage", "pageSize"),
    ("after", "cursor"),
    ("facetlimit", "facetSize"),
    ("instock", "inStock"),
    ("stock", "inStock"),
];

/// The parameter among `known` that is closest to an unknown name, if one is close.
pub(crate) fn parameter(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if name.to_ascii_lowercase().starts_with("attr") {
        return known.iter().copied().find(|known| known.starts_with("attributes"));
    }
    let folded = fold(name);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == folded).map(|(_, name)| *name);
    alias.filter(|name| known.contains(name)).or_else(|| nearest(name, known.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let known = ["query", "priceRange", "pageSize", "page", "brand", "sortBy", "tags", "attributes.KEY"];
        let suggested = |name| parameter(name, &known);
        assert_eq!(suggested("pricerange"), Some("priceRange"));
        assert_eq!(suggested("price_range"), Some("priceRange"));
        assert_eq!(suggested("q"), Some("query"));
        assert_eq!(suggested("sort"), Some("sortBy"));
        assert_eq!(suggested("tag"), Some("tags"));
        assert_eq!(suggested("page-size"), Some("pageSize"));
        assert_eq!(suggested("attribute.colour"), Some("attributes.KEY"));
        assert_eq!(suggested("colour"), None);
        assert_eq!(suggested("x"), None);
        assert_eq!(suggested(""), None);
        assert_eq!(suggested(&"query".repeat(1000)), None);
        assert_eq!(parameter("after", &known), None, "an alias of a parameter that is not there");
    }
}
