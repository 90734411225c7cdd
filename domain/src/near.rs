//! The name that somebody probably meant.

/// The longest name that is compared; none of ours is half as long.
const MAX_COMPARED_CHARS: usize = 40;

/// The nearest of `known`, when at most a third of its letters, and no more than 3, must change. Capitals and the
/// signs between words do not count.
pub fn nearest(name: &str, known: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    if name.chars().nth(MAX_COMPARED_CHARS).is_some() {
        return None;
    }
    let folded = fold(name);
    let distances = known.into_iter().map(|known| (distance(&folded, &fold(known)), known));
    distances
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, known)| *distance <= 3 && distance * 3 <= known.chars().count())
        .map(|(_, known)| known)
}

/// The name without capitals and the signs between words.
pub fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many letters must be put in, left out, changed or swapped with their neighbour to get from one word to the
/// other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let changed = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted() {
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("brand", "brand"), 0);
        assert_eq!(distance("brnad", "brand"), 1);
    }

    #[test]
    fn only_near_names_are_found() {
        let known = ["brand", "priceRange", "tags"];
        for (name, meant) in [
            ("price_range", Some("priceRange")),
            ("brnad", Some("brand")),
            ("tag", Some("tags")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), meant, "{name}");
        }
        assert_eq!(nearest(&"brand".repeat(1000), known), None);
    }
}
