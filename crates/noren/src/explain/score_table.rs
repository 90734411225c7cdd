//! The parts of a score as a table.

use api::wire::explain::Explanation;
use comfy_table::{Cell, CellAlignment, Table};
use domain::fault::printable;

use crate::terminal::table;

/// Formats the score of each word, phrase and kind, and their sum.
pub(super) fn score_table(explanation: &Explanation<'_>) -> Table {
    let mut table = table(["Word", "Found", "As", "In", "Level", "Score"]);
    let number = |number: String| Cell::new(number).set_alignment(CellAlignment::Right);
    for word in &explanation.words {
        let level = if word.level > 0 { word.level.to_string() } else { String::new() };
        table.add_row([
            Cell::new(printable(&word.word)),
            Cell::new(printable(&in_words(&word.found))),
            Cell::new(printable(word.found_as.as_deref().unwrap_or_default())),
            Cell::new(printable(&word.fields.join(", "))),
            number(level),
            number(format!("{:.2}", word.score)),
        ]);
    }
    let phrases = explanation
        .phrases
        .iter()
        .map(|phrase| (format!("\"{}\"", phrase.words), "neighbours", phrase.score));
    let kinds = explanation.kinds.iter().map(|kind| (format!("kind: {}", kind.word), "", kind.score));
    let boost = (explanation.boost != 0.0).then(|| ("rules of the shop".to_owned(), "", explanation.boost));
    let sum = explanation.base
        + explanation.boost
        + explanation.words.iter().map(|word| word.score).sum::<f32>()
        + explanation.phrases.iter().map(|phrase| phrase.score).sum::<f32>()
        + explanation.kinds.iter().map(|kind| kind.score).sum::<f32>();
    let last = match explanation.pinned {
        true => ("pinned by a rule".to_owned(), "", f32::NAN),
        false => ("total".to_owned(), "", sum),
    };
    let begin = ("base".to_owned(), "", explanation.base);
    for (what, found, score) in phrases.chain(kinds).chain(boost).chain([begin, last]) {
        let score = if score.is_nan() { String::new() } else { format!("{score:.2}") };
        let cells =
            [Cell::new(printable(&what)), Cell::new(found), Cell::new(""), Cell::new(""), Cell::new("")];
        table.add_row(cells.into_iter().chain([number(score)]));
    }
    table
}

/// Turns `oneTypo` into `one typo`.
fn in_words(found: &str) -> String {
    let mut words = String::new();
    for c in found.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words
}
