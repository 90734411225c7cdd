//! The path of a category.

use std::borrow::Cow;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A category as the path from the broadest to the narrowest, `Computers > Laptops` on the wire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CategoryPath(Vec<String>);

impl CategoryPath {
    /// The most levels of a path.
    pub const MAX_LEVELS: usize = 10;
    /// The most characters of a level.
    pub const MAX_LEVEL_CHARS: usize = 100;
    /// The separator between levels in JSON.
    pub const SEPARATOR: &'static str = " > ";

    /// Parses `Computers > Laptops`. Spaces around a level are removed.
    ///
    /// # Errors
    /// Returns a message that follows the name of the field: `must be …`.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::from_levels(text.split('>'))
    }

    /// Creates a path of the given levels, broad to narrow.
    ///
    /// # Errors
    /// Returns a message that follows the name of the field: `must be …`.
    pub fn from_levels<'a>(levels: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let levels: Vec<String> = levels.into_iter().map(|level| level.trim().to_owned()).collect();
        if levels.is_empty() || levels.iter().any(String::is_empty) {
            return Err("must be a path such as `Computers > Laptops` without empty levels".to_owned());
        }
        if levels.len() > Self::MAX_LEVELS {
            return Err(format!("must have at most {} levels", Self::MAX_LEVELS));
        }
        if levels.iter().any(|level| level.chars().count() > Self::MAX_LEVEL_CHARS) {
            return Err(format!("must have at most {} characters a level", Self::MAX_LEVEL_CHARS));
        }
        if levels.iter().any(|level| level.contains('>') || level.contains(char::is_control)) {
            return Err("must have neither `>` nor control characters inside a level".to_owned());
        }
        Ok(Self(levels))
    }

    /// Returns the levels, broad to narrow; at least one.
    pub fn levels(&self) -> &[String] {
        &self.0
    }

    /// Returns the path and its ancestors, the broadest first: `A`, `A > B`.
    pub fn with_ancestors(&self) -> impl Iterator<Item = String> + '_ {
        (1..=self.0.len()).map(|depth| self.0[..depth].join(Self::SEPARATOR))
    }

    /// Returns true if this path is `other` or a descendant of it.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for CategoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(Self::SEPARATOR))
    }
}

impl Serialize for CategoryPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CategoryPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Cow::<str>::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_category_path_reads_back_what_it_shows(levels in prop::collection::vec("[a-zA-Z&ア][a-zA-Z &ア]{0,20}", 1..10)) {
            let path = CategoryPath::from_levels(levels.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(CategoryPath::parse(&path.to_string()), Ok(path.clone()));
            prop_assert_eq!(path.with_ancestors().last(), Some(path.to_string()));
            for ancestor in path.with_ancestors() {
                prop_assert!(path.is_within(&CategoryPath::parse(&ancestor).unwrap()));
            }
        }

        #[test]
        fn no_text_makes_parsing_a_path_panic(text in ".{0,60}") {
            let _ = CategoryPath::parse(&text);
        }
    }

    #[test]
    fn a_sibling_with_the_same_beginning_is_not_within() {
        let path = |text| CategoryPath::parse(text).unwrap();
        assert!(!path("Computers > Laptops").is_within(&path("Comp")));
        assert!(!path("Laptops and more").is_within(&path("Laptops")));
    }
}
