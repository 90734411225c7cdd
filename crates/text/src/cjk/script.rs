//! Characters, runs and bigrams of scripts without spaces.

/// Returns true for a character of a script that is written without spaces between words. False for half-width forms, which
/// normalisation replaces.
pub(crate) fn is_spaceless(c: char) -> bool {
    // The first comparison decides for most characters.
    c >= '\u{E01}'
        && matches!(c,
            // Thai, Lao, Burmese and Khmer, without digits and punctuation.
            '\u{E01}'..='\u{E3A}' | '\u{E40}'..='\u{E4E}' | '\u{E81}'..='\u{EBD}' | '\u{EC0}'..='\u{ECE}'
            | '\u{EDC}'..='\u{EDF}' | '\u{1000}'..='\u{103F}' | '\u{1050}'..='\u{108F}' | '\u{109A}'..='\u{109D}'
            | '\u{1780}'..='\u{17D3}' | '\u{17D7}' | '\u{17DC}'..='\u{17DD}' | '\u{AA60}'..='\u{AA7F}'
            | '\u{1100}'..='\u{11FF}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}'
            | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{3131}'..='\u{318E}'
            | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{A960}'..='\u{A97F}'
            | '\u{AC00}'..='\u{D7FF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{323AF}')
}

/// Returns true for characters without width: the space that allows a line break, and those that join or separate letters.
pub(super) fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200D}')
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
