//! Compounds that are written as one word: `Fahrradhelm` is a helmet.
//!
//! In Danish, Dutch, Finnish, German, Norwegian and Swedish, a compound ends with the word that names the thing. A product has a
//! term for each ending of a compound that may be a word: it begins at a syllable, has at least three letters, and leaves at least
//! three before it, of at least seven together. So `helm` finds `Fahrradhelm`, which has the syllables *Fahr-rad-helm*, while `ente`
//! does not find *Mo-men-te*. Syllables come from the hyphenation patterns of TeX. There is no list of words: many endings are not
//! words, but no query asks for them.
//!
//! The patterns of Danish and Swedish leave many compounds whole or cut them elsewhere (*ving-las*), and those of every language are
//! lost where accents were folded (*Kopfhörer*). There, an ending may also begin at any consonants after the first vowel with which
//! words begin.

use domain::Language;
use hypher::{Lang, hyphenate};

use crate::analysis::has_digit;
use crate::cjk::is_cjk;
use crate::dictionary::{Dictionary, Term};
use crate::forms::normal_form;

/// Precedes an ending of a compound in [`Dictionary::Pairs`], where no pair begins with it.
const ENDING_MARK: char = '+';
/// The fewest letters of an ending.
const MIN_ENDING: usize = 3;
/// The fewest letters before an ending.
const MIN_BEFORE: usize = 3;
/// The fewest letters of a compound.
const MIN_CHARS: usize = 7;
/// The most bytes of a compound. Longer texts are not words.
const MAX_BYTES: usize = 60;

/// Calls `each` with each ending of a folded word that may be a word of its own, the longest first.
pub(crate) fn for_each_ending<'a>(word: &'a str, language: Language, mut each: impl FnMut(&'a str)) {
    let Some(patterns) = compounding(language) else { return };
    if word.len() < MIN_CHARS || word.len() > MAX_BYTES || has_digit(word) || is_cjk(word) {
        return;
    }
    let syllables = syllables(word, patterns);
    let mut starts = syllables & long_endings(word);
    if starts == 0 || matches!(patterns, Lang::Danish | Lang::Swedish) {
        starts |= at_consonants(word, syllables);
    }
    (0..word.len()).filter(|at| has_bit(starts, *at)).for_each(|at| each(&word[at..]));
}

/// Returns the positions at which a syllable begins by the hyphenation patterns, as a set of bits: a word has fewer than 64 bytes.
fn syllables(word: &str, patterns: Lang) -> u64 {
    let (mut starts, mut start) = (0, 0);
    for syllable in hyphenate(word, patterns) {
        starts |= 1 << start;
        start += syllable.len();
    }
    starts
}

/// Returns the positions with enough letters before and after them, as a set of bits.
fn long_endings(word: &str) -> u64 {
    let letters = word.chars().count();
    let places = word.char_indices().enumerate().filter(|(before, _)| {
        *before >= MIN_BEFORE && before + MIN_ENDING <= letters && letters >= MIN_CHARS
    });
    places.fold(0, |starts, (_, (at, _))| starts | 1 << at)
}

fn has_bit(bits: u64, at: usize) -> bool {
    bits >> at & 1 == 1
}

/// Returns the positions after the first vowel at which an ending may begin with consonants, as a set of bits. One of three letters
/// begins with two consonants, as `sko` does: others of that length are too often the rest of a longer ending. The letter before rarely
/// belongs to the ending, so `tang` does not end *Gardin-stang*, and no syllable begins after an `s` there: `skor` does not end *Väs-kor*.
fn at_consonants(word: &str, syllables: u64) -> u64 {
    let (letters, mut starts) = (word.as_bytes(), 0);
    if !word.is_ascii() || letters.len() < MIN_CHARS {
        return starts;
    }
    let Some(first_vowel) = letters.iter().position(is_vowel) else { return starts };
    for at in MIN_BEFORE.max(first_vowel + 1)..=letters.len() - MIN_ENDING {
        let ending = &letters[at..];
        let Some(consonants) = ending.iter().position(is_vowel) else { break };
        let is_long = ending.len() > MIN_ENDING || consonants > 1;
        let begins_earlier = BLENDS.contains(&[letters[at - 1], ending[0]]);
        let is_cut = ending[0] == b's' && (at + 1..at + consonants).any(|inside| has_bit(syllables, inside));
        let is_start = ending[0] != letters[at - 1] && is_onset(&ending[..consonants]);
        if is_long && is_start && !begins_earlier && !is_cut {
            starts |= 1 << at;
        }
    }
    starts
}

/// Consonants with which words of these languages so often begin that they are rarely the end of one word and the start of another.
const BLENDS: [[u8; 2]; 7] = [*b"sk", *b"sp", *b"st", *b"sl", *b"kl", *b"fl", *b"pl"];

/// Returns true for the consonants with which words of these languages begin: a single one, `s` and a stop, or a consonant and one
/// such as `l` and `r`, before which an `s` may stand.
fn is_onset(consonants: &[u8]) -> bool {
    match consonants {
        [_] | [b's', b'c' | b'k' | b'p' | b't'] => true,
        [b'j' | b'l' | b'm' | b'n' | b'r', _] => false,
        [first, second] => {
            first != second && matches!(second, b'h' | b'j' | b'l' | b'm' | b'n' | b'r' | b'v')
        }
        [b's', rest @ ..] => rest.len() == 2 && is_onset(rest),
        _ => false,
    }
}

/// Returns true for a vowel of a folded word.
fn is_vowel(letter: &u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// Returns true if a folded word is a compound with an ending whose term is wanted. `is_wanted` gets the text of the term.
pub(crate) fn has_ending(word: &str, language: Language, is_wanted: impl Fn(&str) -> bool) -> bool {
    let mut has_ending = false;
    for_each_ending(word, language, |ending| has_ending |= is_wanted(&ending_text(ending, language)));
    has_ending
}

/// Returns the term of the products with a compound that ends with any form of a folded word; `None` in other languages, and for
/// words that are too short, have digits, or are of a script without spaces.
pub(crate) fn ending_term(word: &str, language: Language) -> Option<Term> {
    compounding(language)?;
    let is_ending = word.chars().nth(MIN_ENDING - 1).is_some() && !has_digit(word) && !is_cjk(word);
    is_ending.then(|| Term { dictionary: Dictionary::Pairs, text: ending_text(word, language) })
}

/// Returns the text of the term of an ending.
pub(crate) fn ending_text(ending: &str, language: Language) -> String {
    let form = normal_form(ending, language).1;
    format!("{ENDING_MARK}{form}")
}

/// Returns the hyphenation patterns of a language that writes compounds as one word; `None` for other languages.
fn compounding(language: Language) -> Option<Lang> {
    Some(match language {
        Language::Danish => Lang::Danish,
        Language::Dutch => Lang::Dutch,
        Language::Finnish => Lang::Finnish,
        Language::German => Lang::German,
        Language::Norwegian => Lang::Norwegian,
        Language::Swedish => Lang::Swedish,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn endings(word: &str, language: Language) -> Vec<&str> {
        let mut found = Vec::new();
        for_each_ending(word, language, |ending| found.push(ending));
        found
    }

    #[test]
    fn a_compound_ends_with_the_thing() {
        for (language, word, ending) in [
            (Language::German, "fahrradhelm", "helm"),
            (Language::German, "herrenschuhe", "schuhe"),
            (Language::German, "wasserkocher", "kocher"),
            (Language::German, "kochbucher", "bucher"),
            (Language::German, "schreibtischlampe", "tischlampe"),
            (Language::German, "schreibtischlampe", "lampe"),
            (Language::German, "arbeitshose", "hose"),
            (Language::German, "strassenschuhe", "schuhe"),
            (Language::Dutch, "fietshelm", "helm"),
            (Language::Dutch, "keukentafel", "tafel"),
            (Language::Dutch, "regenjas", "jas"),
            (Language::German, "wanduhr", "uhr"),
            (Language::Swedish, "cykelhjalm", "hjalm"),
            (Language::Swedish, "herrskjorta", "skjorta"),
            (Language::Danish, "cykelhjelm", "hjelm"),
            (Language::Danish, "bordlampe", "lampe"),
            (Language::Norwegian, "sykkelhjelm", "hjelm"),
            (Language::Norwegian, "bordlampe", "lampe"),
            (Language::Finnish, "pyorailykypara", "kypara"),
            (Language::Finnish, "poytalamppu", "lamppu"),
            (Language::German, "kopfhorer", "horer"),
            (Language::Swedish, "ryggsack", "sack"),
            (Language::Swedish, "brodrost", "rost"),
            (Language::Swedish, "hundsang", "sang"),
            (Language::Danish, "vinglas", "glas"),
            (Language::Danish, "regnjakke", "jakke"),
            (Language::Danish, "sovepose", "pose"),
            (Language::Danish, "kokkenkniv", "kniv"),
            (Language::Danish, "rygsaek", "saek"),
            (Language::Danish, "loberesko", "sko"),
            (Language::Danish, "skrivebordslampe", "lampe"),
            (Language::Danish, "havestol", "stol"),
            (Language::Danish, "kaffekop", "kop"),
            (Language::Danish, "cykellygte", "lygte"),
            (Language::Danish, "bornetoj", "toj"),
            (Language::Norwegian, "tannborste", "borste"),
            (Language::Finnish, "kahvikuppi", "kuppi"),
        ] {
            assert!(endings(word, language).contains(&ending), "{word} {ending}");
        }
    }

    #[test]
    fn an_ending_begins_at_a_syllable() {
        for (word, ending) in
            [("momente", "ente"), ("schwein", "wein"), ("barock", "rock"), ("kochbucher", "kocher")]
        {
            assert!(!endings(word, Language::German).contains(&ending), "{word} {ending}");
        }
        for (language, word, ending) in [
            (Language::Swedish, "handvaskor", "skor"),
            (Language::Swedish, "vattenflaskor", "skor"),
            (Language::Swedish, "barnklader", "lader"),
            (Language::Swedish, "julklapp", "lapp"),
            (Language::Danish, "gardinstang", "tang"),
            (Language::Danish, "haveslange", "lange"),
        ] {
            assert!(!endings(word, language).contains(&ending), "{word} {ending}");
        }
        for (language, word, ending) in [
            (Language::Danish, "billeder", "eder"),
            (Language::Danish, "sovepose", "ose"),
            (Language::Swedish, "gummistovlar", "ovlar"),
        ] {
            assert!(!endings(word, language).contains(&ending), "{word} {ending}");
        }
        assert_eq!(endings("workshop", Language::English), [""; 0]);
        assert_eq!(endings("wh1000xm4kabel", Language::German), [""; 0]);
    }

    #[test]
    fn a_compound_has_few_endings() {
        for (language, word, most) in [
            (Language::German, "kopfhorer", 4),
            (Language::German, "schreibtischlampe", 2),
            (Language::Dutch, "koffiezetapparaat", 5),
            (Language::Swedish, "tradgardsslang", 5),
            (Language::Swedish, "cykelhjalm", 3),
            (Language::Danish, "skrivebordslampe", 8),
        ] {
            assert!(endings(word, language).len() <= most, "{:?}", endings(word, language));
        }
    }

    proptest! {
        #[test]
        fn endings_are_endings(word in "[a-zäößøåé東]{0,70}") {
            for (language, _) in Language::ALL {
                for_each_ending(&word, language, |ending| assert!(word.ends_with(ending)));
            }
        }
    }
}
