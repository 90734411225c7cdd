//! Typos.

/// Returns the number of typos between two words; `None` if the first word may not have that many.
pub(super) fn typos(wanted: &str, word: &str) -> Option<usize> {
    let has_digit = |word: &str| word.chars().any(char::is_numeric);
    if has_digit(wanted) || has_digit(word) {
        return None;
    }
    let allowed = match wanted.chars().count() {
        0..=3 => 0,
        4..=5 => 1,
        _ => 2,
    };
    // A typo in the first letter counts as two.
    let first = usize::from(wanted.chars().next() != word.chars().next());
    Some(distance(wanted, word) + first).filter(|typos| *typos <= allowed)
}

/// Returns the number of letters to insert, remove, replace, or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            table[i][j] = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                    let mut best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                    if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                        best = best.min(table[i - 2][j - 2] + 1);
                    }
                    best
                }
            };
        }
    }
    table[a.len()][b.len()]
}

pub(super) fn near(wanted: &str, word: &str) -> Option<usize> {
    if wanted == word { Some(0) } else { typos(wanted, word) }
}
