//! Filters that exclude a product, in words.

use api::wire::explain::ExcludingFilter;

/// Returns the reason why a filter excludes the product.
pub(super) fn reason(filter: &ExcludingFilter) -> String {
    if filter.filter == "query" {
        return match filter.has.as_slice() {
            [] => format!("it lacks the phrase {}", filter.wanted.join(", ")),
            has => format!("excluded by the query: {}", has.join(", ")),
        };
    }
    let (field, wanted) = (field(&filter.filter), filter.wanted.join(" or "));
    match filter.has.as_slice() {
        [] => format!("it has no {field}; the search asks for {wanted}"),
        has => format!("its {field} is {}; the search asks for {wanted}", has.join(", ")),
    }
}

/// Returns the name of the field that a parameter filters by.
fn field(parameter: &str) -> &str {
    match parameter {
        "priceRange" => "price",
        "inStock" => "stock",
        "tags" => "tag",
        parameter => parameter.strip_prefix("attributes.").unwrap_or(parameter),
    }
}
