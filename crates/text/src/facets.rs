//! Which of the counted values of a facet are listed, and in which order.

use domain::search::FacetValue;

use crate::attributes::beginning;

/// A counted term of a facet's dictionary, with whatever tells its whole value when it is a cut one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    /// The term, without the key of an attribute.
    pub term: String,
    /// Products with it.
    pub count: u64,
    /// What the index knows besides.
    pub known: T,
}

/// The most frequent terms that begin with `prefix` in any case, by count descending, then by term. There are
/// more than `limit` only where long values differ behind the place where they are cut: the order of those shows
/// when they are whole.
pub fn most_frequent<T>(
    counted: impl IntoIterator<Item = Counted<T>>,
    prefix: &str,
    limit: usize,
) -> Vec<Counted<T>> {
    let prefix = prefix.to_lowercase();
    let begins = |term: &str| prefix.is_empty() || term.to_lowercase().starts_with(&prefix);
    let mut counted: Vec<_> = counted.into_iter().filter(|counted| begins(&counted.term)).collect();
    counted.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.term.cmp(&b.term)));
    counted.truncate(end_with_ties(&counted, limit));
    counted
}

fn end_with_ties<T>(counted: &[Counted<T>], limit: usize) -> usize {
    let Some(last) = limit.checked_sub(1).and_then(|at| counted.get(at)) else { return limit };
    match beginning(&last.term) {
        None => limit,
        Some(shared) => {
            let is_tie =
                |other: &&Counted<T>| other.count == last.count && beginning(&other.term) == Some(shared);
            limit + counted[limit..].iter().take_while(is_tie).count()
        }
    }
}

/// The list of the values, now whole, with at most `limit` of them.
pub fn listed(mut values: Vec<FacetValue>, limit: usize) -> Vec<FacetValue> {
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(limit);
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_of_cut_values_stay_together() {
        let counted = |term: &str, count| Counted { term: term.to_owned(), count, known: () };
        let terms = |limit, prefix: &str| -> Vec<String> {
            let all = [
                counted("b", 2),
                counted("long\0y", 1),
                counted("long\0x", 1),
                counted("A", 2),
                counted("z", 1),
            ];
            most_frequent(all, prefix, limit).into_iter().map(|counted| counted.term).collect()
        };
        assert_eq!(terms(1, ""), ["A"]);
        assert_eq!(terms(3, ""), ["A", "b", "long\0x", "long\0y"]);
        assert_eq!(terms(5, "LONG"), ["long\0x", "long\0y"]);
        assert_eq!(terms(9, "a"), ["A"]);
    }
}
