//! The categories of a row, as paths in the form `A > B`.

use domain::CategoryPath;
use domain::input::MAX_CATEGORIES;

/// The categories of a row, the main one first.
#[derive(Debug, Default)]
pub(crate) struct CategoryList(Vec<String>);

/// The categories of a product, and those above its limit.
#[derive(Debug, PartialEq)]
pub(crate) struct Chosen {
    pub(crate) categories: Vec<String>,
    pub(crate) others: Vec<String>,
}

impl CategoryList {
    /// Adds paths.
    pub(crate) fn extend(&mut self, paths: impl IntoIterator<Item = String>) {
        self.0.extend(paths);
    }

    /// Adds a path, unless the list has it or a narrower one. It replaces a broader one.
    pub(crate) fn add_level(&mut self, path: String) {
        if self.0.iter().any(|known| is_within(known, &path)) {
            return;
        }
        match self.0.iter_mut().find(|known| is_within(&path, known)) {
            Some(known) => *known = path,
            None => self.0.push(path),
        }
    }

    /// Returns the distinct categories, beginning with `main` if it is given, and apart from them those above the limit.
    pub(crate) fn choose(self, main: Option<&str>) -> Chosen {
        let mut categories = Vec::new();
        for path in main.map(str::to_owned).into_iter().chain(self.0) {
            if !categories.contains(&path) {
                categories.push(path);
            }
        }
        let others = categories.split_off(categories.len().min(MAX_CATEGORIES));
        Chosen { categories, others }
    }
}

/// Returns true if a path is `other` or below it.
fn is_within(path: &str, other: &str) -> bool {
    let below = path.strip_prefix(other);
    below.is_some_and(|below| below.is_empty() || below.starts_with(CategoryPath::SEPARATOR))
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
