//! Chooses numbers that add up to a sum.

/// The most partial sums that are tried.
const MAX_TRIES: usize = 10_000;

/// Chooses one number from each list so that they add up to `sum`, and returns their indices: the first combination, in
/// lexicographic order of the indices. `None` if there is none, or none is found within 10,000 tries.
pub(super) fn choose_summands(lists: &[Vec<u32>], sum: u32) -> Option<Vec<usize>> {
    let mut chosen = Vec::with_capacity(lists.len());
    let mut tries = 0;
    adds_up(lists, sum, &mut chosen, &mut tries).then_some(chosen)
}

/// Recurses once for each list. The depth is bounded: a search has one list for each word and phrase.
fn adds_up(lists: &[Vec<u32>], rest: u32, chosen: &mut Vec<usize>, tries: &mut usize) -> bool {
    let Some((first, others)) = lists.split_first() else { return rest == 0 };
    for (at, steps) in first.iter().enumerate() {
        *tries += 1;
        if *tries > MAX_TRIES {
            return false;
        }
        let Some(rest) = rest.checked_sub(*steps) else { continue };
        chosen.push(at);
        if adds_up(others, rest, chosen, tries) {
            return true;
        }
        chosen.pop();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_found_or_given_up() {
        assert_eq!(choose_summands(&[vec![5, 0], vec![3, 1, 0]], 1), Some(vec![1, 1]));
        assert_eq!(choose_summands(&[vec![5, 0], vec![3]], 5), None);
        assert_eq!(choose_summands(&[], 0), Some(Vec::new()));
        assert_eq!(choose_summands(&vec![vec![2; 32]; 32], 65), None);
    }
}
