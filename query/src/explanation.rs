//! Converts an explanation of the `text` crate into the one on the wire.

use std::borrow::Cow;

use api::wire::explain::{ExplainedKind, ExplainedPhrase, ExplainedWord, Explanation};
use text::explain::{KindMatch, PhraseMatch, WordMatch};

/// Returns an explanation in the form of the response.
pub(crate) fn to_wire(explanation: &text::explain::Explanation) -> Explanation<'_> {
    let text::explain::Explanation { base, words, phrases, kinds, required, excluded, boost, is_pinned } =
        explanation;
    Explanation {
        base: *base,
        words: words.iter().map(word_to_wire).collect(),
        phrases: phrases.iter().map(phrase_to_wire).collect(),
        kinds: kinds.iter().map(kind_to_wire).collect(),
        required: Cow::Borrowed(required),
        left_out: Cow::Borrowed(excluded),
        boost: *boost,
        pinned: *is_pinned,
    }
}

fn word_to_wire(found: &WordMatch) -> ExplainedWord<'_> {
    let WordMatch { word, kind, matched_text, fields, weight, score } = found;
    ExplainedWord {
        word: Cow::Borrowed(word),
        found: kind.to_string(),
        found_as: matched_text.as_deref().map(Cow::Borrowed),
        fields: Cow::Borrowed(fields),
        level: *weight,
        score: *score,
    }
}

fn kind_to_wire(found: &KindMatch) -> ExplainedKind<'_> {
    ExplainedKind { word: Cow::Borrowed(&found.word), score: found.score }
}

fn phrase_to_wire(found: &PhraseMatch) -> ExplainedPhrase<'_> {
    ExplainedPhrase { words: Cow::Borrowed(&found.words), score: found.score }
}
