//! The joining words of each language: link words such as `for`, and particles such as `the`.
//!
//! All words are folded: `für` is `fur`. Names mix languages, so the English [`COMMON_LINKS`] and [`LINKING_WORDS`] link in every
//! language.

use domain::Language;

/// The joining words of a language.
struct Grammar {
    /// Prepositions that introduce the purpose, place or parts of the thing that a text names: `for`.
    links: &'static [&'static str],
    /// Articles, conjunctions, and prepositions after which a text may still name its thing: `of`.
    particles: &'static [&'static str],
    /// Prepositions between a set and what it consists of: `of`, `with`. Some are links elsewhere, others particles.
    contents: &'static [&'static str],
    /// Words that link the word before them: Turkish `icin` is `for` in `çocuklar için kulaklık`.
    postpositions: &'static [&'static str],
}

/// Link words of every language. `f` and `w` are the words of `f/` and `w/`, which abbreviate the first two.
const COMMON_LINKS: [&str; 4] = ["for", "with", "f", "w"];
/// Words between a set and what it consists of, in every language: names mix languages.
const COMMON_CONTENTS: [&str; 3] = ["of", "with", "w"];
/// English words that link in every language, but carry a meaning, so they are not function words.
const LINKING_WORDS: [&str; 5] = ["including", "incl", "compatible", "replaces", "fits"];

/// Returns true for a word after which a text no longer names its thing: `for` in `bag for a laptop`.
pub(crate) fn is_link(word: &str, language: Language) -> bool {
    COMMON_LINKS.contains(&word) || LINKING_WORDS.contains(&word) || grammar(language).links.contains(&word)
}

/// Returns true for a word after the word that it links: `için` in `çocuklar için kulaklık`, headphones for children.
pub(crate) fn is_postposition(word: &str, language: Language) -> bool {
    grammar(language).postpositions.contains(&word)
}

/// Returns true for an article, a conjunction, or a preposition that is no link word.
pub(crate) fn is_particle(word: &str, language: Language) -> bool {
    grammar(language).particles.contains(&word)
}

/// Returns true for a word that introduces what a set consists of: `of` in `set of mugs`, `mit` in `Set mit 6 Tassen`.
pub(crate) fn introduces_contents(word: &str, language: Language) -> bool {
    COMMON_CONTENTS.contains(&word) || grammar(language).contents.contains(&word)
}

/// Returns true for a word that carries no meaning on its own, such as `for` and `the`.
pub(crate) fn is_function_word(word: &str, language: Language) -> bool {
    let Grammar { links, particles, postpositions, .. } = grammar(language);
    COMMON_LINKS.contains(&word)
        || [links, particles, postpositions].iter().any(|words| words.contains(&word))
}

/// Returns true for a function word or a linking word, neither of which names a thing.
pub(crate) fn is_joining_word(word: &str, language: Language) -> bool {
    is_function_word(word, language) || LINKING_WORDS.contains(&word)
}

/// Returns the joining words of a language.
fn grammar(language: Language) -> Grammar {
    let (links, particles): (&[&str], &[&str]) = match language {
        Language::English | Language::EnglishSnowball => (
            &["to", "in", "on", "by", "from", "without"],
            &["a", "an", "the", "and", "or", "of", "at", "per", "as"],
        ),
        Language::Arabic => (&["مع", "بدون", "من", "في"], &["و", "او"]),
        Language::Catalan => (
            &["per", "amb", "sense"],
            &[
                "el", "la", "els", "les", "l", "un", "una", "i", "o", "de", "del", "dels", "d", "en", "a",
                "al",
            ],
        ),
        Language::Czech => {
            (&["pro", "s", "se", "bez", "na", "do", "z", "ze", "k", "od", "v"], &["a", "i", "nebo"])
        }
        Language::Danish => (
            &["til", "med", "uden", "af", "fra", "i", "pa"],
            &["en", "et", "den", "det", "de", "og", "eller"],
        ),
        Language::Dutch => (
            &["voor", "met", "zonder", "bij", "uit", "op", "in", "aan", "tot"],
            &["de", "het", "een", "en", "of", "van"],
        ),
        Language::Finnish => (&["ilman"], &["ja", "tai"]),
        Language::French => (
            &["pour", "avec", "sans", "par", "sur"],
            &[
                "le", "la", "les", "l", "un", "une", "et", "ou", "de", "du", "des", "d", "a", "au", "aux",
                "en",
            ],
        ),
        Language::German => (
            &[
                "fur", "fuer", "mit", "ohne", "zu", "zum", "zur", "aus", "von", "vom", "auf", "bei", "im",
                "in", "am", "an",
            ],
            &[
                "der", "die", "das", "dem", "den", "des", "ein", "eine", "einen", "einem", "einer", "und",
                "oder",
            ],
        ),
        Language::Greek => (&["για", "με", "χωρισ", "απο", "σε"], &["ο", "η", "το", "οι", "τα", "και"]),
        Language::Hungarian => (&[], &["a", "az", "egy", "es", "vagy"]),
        Language::Italian => (
            &["per", "con", "senza", "su"],
            &[
                "il", "lo", "la", "i", "gli", "le", "l", "un", "una", "e", "o", "di", "d", "da", "del",
                "della", "dei", "delle", "al", "alla", "in", "a",
            ],
        ),
        Language::Norwegian => (
            &["til", "med", "uten", "av", "fra", "i", "pa"],
            &["en", "ei", "et", "den", "det", "de", "og", "eller"],
        ),
        Language::Polish => (&["do", "dla", "z", "ze", "bez", "na", "od", "w"], &["i", "oraz", "lub"]),
        Language::Portuguese => (
            &["para", "com", "sem", "por"],
            &["o", "a", "os", "as", "um", "uma", "e", "ou", "de", "do", "da", "dos", "das", "em", "no", "na"],
        ),
        Language::Romanian => (&["pentru", "cu", "fara", "din", "pe"], &["un", "o", "si", "sau", "de", "la"]),
        Language::Russian => (&["для", "с", "со", "без", "на", "из", "от", "к", "в", "под"], &["и", "или"]),
        Language::Spanish => (
            &["para", "con", "sin", "por"],
            &["el", "la", "los", "las", "un", "una", "y", "e", "o", "de", "del", "en", "a", "al"],
        ),
        Language::Swedish => (
            &["till", "med", "utan", "av", "fran", "i", "pa"],
            &["en", "ett", "den", "det", "de", "och", "eller"],
        ),
        Language::Turkish => (&[], &["ve", "veya", "bir"]),
        Language::Ukrainian => {
            (&["для", "з", "із", "зі", "без", "на", "від", "до", "в", "у"], &["і", "й", "та", "або"])
        }
    };
    Grammar { links, particles, contents: contents(language), postpositions: postpositions(language) }
}

/// Returns the words of a language that link the word before them.
fn postpositions(language: Language) -> &'static [&'static str] {
    match language {
        Language::Finnish => &["varten", "kanssa"],
        Language::Hungarian => &["nelkul", "szamara", "reszere"],
        Language::Turkish => &["icin", "ile"],
        _ => &[],
    }
}

/// Returns the prepositions of a language between a set and what it consists of.
fn contents(language: Language) -> &'static [&'static str] {
    match language {
        Language::Arabic => &["من", "مع"],
        Language::Catalan => &["de", "d", "amb"],
        Language::Czech => &["z", "ze", "s", "se"],
        Language::Danish | Language::Norwegian => &["af", "av", "med"],
        Language::Dutch => &["van", "met"],
        Language::English | Language::EnglishSnowball => &[],
        Language::Finnish | Language::Hungarian | Language::Turkish => &[],
        Language::French => &["de", "d", "avec"],
        Language::German => &["mit", "von", "aus"],
        Language::Greek => &["με", "απο"],
        Language::Italian => &["di", "da", "con"],
        Language::Polish => &["z", "ze"],
        Language::Portuguese => &["de", "com"],
        Language::Romanian => &["de", "cu", "din"],
        Language::Russian => &["из", "с", "со"],
        Language::Spanish => &["de", "con"],
        Language::Swedish => &["av", "med", "om"],
        Language::Ukrainian => &["з", "із", "зі"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::query_words;

    #[test]
    fn joining_words_are_folded() {
        for (language, _) in Language::ALL {
            let Grammar { links, particles, contents, postpositions } = grammar(language);
            for word in [links, particles, contents, postpositions].into_iter().flatten() {
                let folded = query_words(word);
                assert_eq!(folded.first().map(|(word, _)| word.as_str()), Some(*word), "{language}");
            }
        }
    }

    #[test]
    fn link_words_depend_on_the_language_except_common_ones() {
        for (word, language, expected) in [
            ("for", Language::English, true),
            ("for", Language::German, true),
            ("fur", Language::German, true),
            ("fur", Language::English, false),
            ("pour", Language::French, true),
            ("on", Language::Finnish, false),
            ("of", Language::English, false),
            ("fits", Language::English, true),
            ("without", Language::English, true),
            ("ohne", Language::German, true),
            ("sans", Language::French, true),
            ("sense", Language::Catalan, true),
            ("fara", Language::Romanian, true),
            ("bez", Language::Czech, true),
            ("без", Language::Ukrainian, true),
            ("icin", Language::Turkish, false),
        ] {
            assert_eq!(is_link(word, language), expected, "{word} {language}");
        }
        assert!(is_function_word("the", Language::English) && !is_function_word("fits", Language::English));
        assert!(is_joining_word("fits", Language::English) && is_joining_word("of", Language::Dutch));
    }
}
