//! Suggests the parameter that a caller probably meant.

use text::did_you_mean::{fold, nearest};

use crate::parameter::Parameter;

/// Returns the name of the parameter closest to an unknown `name`, if one is close. `name_of` selects the name of a
/// parameter in a query string or in a JSON body.
pub(crate) fn closest(
    name: &str,
    parameters: &(impl Iterator<Item = &'static Parameter> + Clone),
    name_of: impl Fn(&Parameter) -> &'static str,
) -> Option<&'static str> {
    let mut names = parameters.clone().map(&name_of);
    // Of `atributes[colour]`, the part before the key is compared.
    let before_key = name.split(['.', '[']).next().unwrap_or(name);
    let has_key = before_key.len() < name.len();
    if name.to_ascii_lowercase().starts_with("attr")
        || has_key && nearest(before_key, std::iter::once("attributes")).is_some()
    {
        return names.find(|known| known.starts_with("attributes"));
    }
    let folded = fold(name);
    let has_alias = |parameter: &&Parameter| parameter.aliases.contains(&folded.as_str());
    let mut candidates = parameters.clone();
    let by_alias = candidates.find(has_alias).map(&name_of);
    by_alias.or_else(|| nearest(name, names))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Endpoint, table};

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let of = |endpoint, name: &str| closest(name, &table::of(endpoint), |parameter| parameter.name);
        let suggested = |name: &str| of(Endpoint::Search, name);
        assert_eq!(suggested("pricerange"), Some("priceRange"));
        assert_eq!(suggested("price_range"), Some("priceRange"));
        assert_eq!(suggested("q"), Some("query"));
        assert_eq!(suggested("sort"), Some("sortBy"));
        assert_eq!(suggested("tag"), Some("tags"));
        assert_eq!(suggested("page-size"), Some("pageSize"));
        assert_eq!(suggested("attribute.colour"), Some("attributes.KEY"));
        assert_eq!(suggested("atributes.colour"), Some("attributes.KEY"));
        assert_eq!(suggested("atributes[colour]"), Some("attributes.KEY"));
        assert_eq!(suggested("Attribute[colour]"), Some("attributes.KEY"));
        assert_eq!(suggested("sizes[colour]"), None);
        assert_eq!(suggested("colour"), None);
        assert_eq!(suggested("x"), None);
        assert_eq!(suggested(""), None);
        assert_eq!(suggested(&"query".repeat(1000)), None);
        assert_eq!(suggested("after"), Some("cursor"));
        assert_eq!(of(Endpoint::Explain, "after"), None, "an alias of a parameter that is not there");
    }
}
