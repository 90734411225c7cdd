//! The facet of categories as a tree: the top categories, and the subcategories of each category that is filtered by.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use api::wire::facets::Category;
use domain::CategoryPath;
use domain::search::FacetValue;

/// Returns the tree of the counted categories, in their order, for a search with these filters. Each list has the first
/// `limit` categories, and any others that are filtered by or contain a filtered one.
pub(crate) fn tree<'a>(
    counted: &'a [FacetValue],
    filters: &[CategoryPath],
    limit: usize,
) -> Vec<Category<'a>> {
    let open: HashSet<String> = filters.iter().flat_map(CategoryPath::with_ancestors).collect();
    let mut below = HashMap::<Option<&str>, Vec<&FacetValue>>::new();
    for category in counted {
        let parent = category.value.rsplit_once(CategoryPath::SEPARATOR).map(|(parent, _)| parent);
        if parent.is_none_or(|parent| open.contains(parent)) {
            below.entry(parent).or_default().push(category);
        }
    }
    Tree { open, below, limit }.children(None)
}

struct Tree<'a> {
    /// The categories whose subcategories are shown.
    open: HashSet<String>,
    /// The shown categories by their parent.
    below: HashMap<Option<&'a str>, Vec<&'a FacetValue>>,
    limit: usize,
}

impl<'a> Tree<'a> {
    /// The recursion is bounded by the levels of a path, which are few.
    fn children(&self, parent: Option<&'a str>) -> Vec<Category<'a>> {
        let all = self.below.get(&parent).into_iter().flatten().enumerate();
        let shown = all.filter(|(at, category)| *at < self.limit || self.open.contains(&category.value));
        let category = |(_, category): (usize, &&'a FacetValue)| Category {
            value: Cow::Borrowed(&category.value),
            name: category
                .value
                .rsplit_once(CategoryPath::SEPARATOR)
                .map_or(&*category.value, |(_, name)| name)
                .into(),
            count: category.count,
            children: match self.open.contains(&category.value) {
                true => self.children(Some(&category.value)),
                false => Vec::new(),
            },
        };
        shown.map(category).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn json_of(filters: &[&str], limit: usize) -> serde_json::Value {
        let counted = [
            ("Home", 9),
            ("Home > Lamps", 6),
            ("Toys", 5),
            ("Home > Lamps > Desk", 4),
            ("Home > Tables", 3),
            ("Home > Lamps > Floor", 2),
            ("Garden", 1),
        ];
        let counted = counted.map(|(value, count)| FacetValue { value: value.to_owned(), count });
        let filters: Vec<_> = filters.iter().map(|path| CategoryPath::parse(path).unwrap()).collect();
        serde_json::to_value(tree(&counted, &filters, limit)).unwrap()
    }

    #[test]
    fn without_a_filter_only_the_top_is_shown() {
        let top = json!([
            {"value": "Home", "name": "Home", "count": 9},
            {"value": "Toys", "name": "Toys", "count": 5},
            {"value": "Garden", "name": "Garden", "count": 1},
        ]);
        assert_eq!(json_of(&[], 9), top);
        assert_eq!(json_of(&["Cars > Old"], 9), top, "a category without products");
    }

    #[test]
    fn a_filter_opens_its_category_and_those_above() {
        let below_lamps = json!([
            {"value": "Home > Lamps > Desk", "name": "Desk", "count": 4},
            {"value": "Home > Lamps > Floor", "name": "Floor", "count": 2},
        ]);
        let tree = json_of(&["Home > Lamps"], 9);
        let home = &tree[0]["children"];
        assert_eq!(
            home[0],
            json!({"value": "Home > Lamps", "name": "Lamps", "count": 6, "children": below_lamps})
        );
        assert_eq!(home[1], json!({"value": "Home > Tables", "name": "Tables", "count": 3}));
        assert_eq!(json_of(&["Home > Lamps > Desk"], 9), tree, "nothing is below the narrowest");
    }

    #[test]
    fn each_list_has_an_end_behind_which_filters_stay() {
        let tree = json_of(&["Home > Tables", "Garden"], 1);
        let values = |list: &serde_json::Value| -> Vec<String> {
            list.as_array()
                .unwrap()
                .iter()
                .map(|category| category["value"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(values(&tree), ["Home", "Garden"]);
        assert_eq!(values(&tree[0]["children"]), ["Home > Lamps", "Home > Tables"]);
    }
}
