//! The table of search parameters is complete and consistent.

use super::*;
use api::wire::fields::ChosenField;
use domain::search::Sort;

#[test]
fn every_row_is_complete_and_names_are_unique_in_an_endpoint() {
    for endpoint in EVERY {
        let mut names: Vec<&str> = of(*endpoint).map(|parameter| parameter.name).collect();
        for parameter in of(*endpoint) {
            assert!(!parameter.name.is_empty() && !parameter.about.is_empty(), "{parameter:?}");
            assert!(parameter.needs.iter().all(|needed| names.contains(needed)), "{parameter:?}");
            if let Kind::Text(bounds) = parameter.kind {
                assert_eq!(bounds.choices.len(), bounds.choices_help.len(), "{parameter:?}");
            }
        }
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{endpoint:?}");
    }
}

#[test]
fn the_names_of_orders_are_those_of_the_table() {
    assert_eq!(SORT_NAMES, Sort::FIXED.map(|(name, _)| name));
    assert!(SORT.starts_with(&format!("^({}|", SORT_NAMES.join("|"))), "{SORT}");
}

#[test]
fn the_pattern_of_fields_has_every_field() {
    let names: Vec<&str> = ChosenField::names().collect();
    assert_eq!(FOUND_FIELDS, format!(r"^({}|attributes\.[^,]{{1,128}})$", names.join("|")));
}

#[test]
fn every_endpoint_has_its_parameters() {
    let names = |endpoint| of(endpoint).map(|parameter| parameter.name).collect::<Vec<_>>();
    let filters = ["category", "brand", "tags", "priceRange", "inStock", "attributes.KEY", "currency"];
    let further = [
        "facets",
        "facetSize",
        "sortBy",
        "page",
        "pageSize",
        "cursor",
        "fields",
        "explain",
        "syncToken",
        "syncTimeout",
    ];
    let words: &[&str] = &["query", "operators"];
    assert_eq!(names(Endpoint::Search), [words, &filters, &further].concat());
    assert_eq!(names(Endpoint::FacetValues), [words, &filters, &["prefix", "limit"]].concat());
    assert_eq!(names(Endpoint::Suggest), [words, &filters, &["limit"]].concat());
    assert_eq!(names(Endpoint::Similar), [&filters[..], &["fields", "limit"]].concat());
    assert_eq!(names(Endpoint::Explain), [words, &filters].concat());
    assert_eq!(names(Endpoint::Filter), filters);
}
