//! The categories of a row, as paths in the form `A > B`.

use std::collections::HashSet;

use domain::CategoryPath;
use domain::input::MAX_CATEGORIES;
use indexmap::IndexSet;

/// The distinct categories of a row, the main one first.
#[derive(Debug, Default)]
pub(crate) struct CategoryList {
    paths: IndexSet<String>,
    /// The paths above those of the list.
    ancestors: HashSet<String>,
}

/// The categories of a product, and those above its limit.
#[derive(Debug, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) categories: Vec<String>,
    pub(crate) others: Vec<String>,
}

impl CategoryList {
    /// Adds paths.
    pub(crate) fn extend(&mut self, paths: impl IntoIterator<Item = String>) {
        for path in paths {
            self.ancestors.extend(ancestors(&path).map(str::to_owned));
            self.paths.insert(path);
        }
    }

    /// Adds a path, unless the list has it or a narrower one. It replaces a broader one.
    pub(crate) fn add_level(&mut self, path: String) {
        if self.paths.contains(&path) || self.ancestors.contains(&path) {
            return;
        }
        let replaced = ancestors(&path).filter_map(|path| self.paths.get_index_of(path)).min();
        self.ancestors.extend(ancestors(&path).map(str::to_owned));
        match replaced {
            // Cannot fail: the list does not have the path.
            Some(at) => drop(self.paths.replace_index(at, path)),
            None => drop(self.paths.insert(path)),
        }
    }

    /// Returns the distinct categories, beginning with `main` if it is given, and apart from them those above the limit.
    pub(crate) fn choose(self, main: Option<&str>) -> Chosen {
        let distinct: IndexSet<String> = main.map(str::to_owned).into_iter().chain(self.paths).collect();
        let mut categories: Vec<String> = distinct.into_iter().collect();
        let others = categories.split_off(categories.len().min(MAX_CATEGORIES));
        Chosen { categories, others }
    }
}

/// Returns the paths above a path, as deep as a product can have them.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices(CategoryPath::SEPARATOR).take(CategoryPath::MAX_LEVELS).map(|(at, _)| &path[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_narrowest_of_each_path_stays() {
        let mut list = CategoryList::default();
        for path in ["A", "B", "A > X", "A", "AB", "A > Y", "B > Z", "B"] {
            list.add_level(path.to_owned());
        }
        assert_eq!(list.choose(None).categories, ["A > X", "B > Z", "AB", "A > Y"]);
    }

    #[test]
    fn the_main_category_comes_first_and_those_above_the_limit_apart() {
        let mut list = CategoryList::default();
        list.extend((0..12).map(|number| number.to_string()));
        let Chosen { categories, others } = list.choose(Some("3"));
        assert_eq!(categories, ["3", "0", "1", "2", "4", "5", "6", "7", "8", "9"]);
        assert_eq!(others, ["10", "11"]);
    }
}
