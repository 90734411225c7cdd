//! Characters, runs and bigrams of scripts without spaces.

/// Returns true for a character of a script that is written without spaces between words. False for half-width forms, which
/// normalisation replaces.
pub(crate) fn is_spaceless(c: char) -> bool {
    // The first comparison decides for most characters.
    c >= '\u{1100}'
        && matches!(c,
            '\u{1100}'..='\u{11FF}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}'
            | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{3131}'..='\u{318E}'
            | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{A960}'..='\u{A97F}'
            | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Returns true if a word of [`crate::analysis`] is a run of characters of such scripts.
pub fn is_cjk(word: &str) -> bool {
    word.chars().next().is_some_and(is_spaceless)
}

/// Returns the terms of a run: its overlapping pairs of characters, or its only character. A text that contains the run has
/// these terms next to each other in this order.
pub fn bigrams(run: &str) -> impl Iterator<Item = &str> {
    let ends = run.char_indices().map(|(start, c)| start + c.len_utf8());
    let second = run.chars().next().map_or(0, char::len_utf8);
    let is_single = second == run.len() && !run.is_empty();
    let starts = run.char_indices().map(|(start, _)| start);
    let bigrams = starts.zip(ends.skip(1)).map(|(start, end)| &run[start..end]);
    is_single.then_some(run).into_iter().chain(bigrams)
}
