//! Normal forms: plurals and inflected forms of a word count as the same word.

use std::borrow::Cow;

use domain::Language;
use frostem::{Algorithm, Stemmer};

use crate::analysis::has_digit;
use crate::cjk::is_cjk;
use crate::codes::{canonical, is_short_number};
use crate::dictionary::Dictionary;
use crate::plurals::singular;
use crate::signs::is_digits;
use crate::units::with_sign;

/// The longest word that is stemmed, in bytes. Longer ones are not words of a language.
const MAX_STEMMED_BYTES: usize = 80;
/// The digits of a group of thousands.
const THOUSANDS_DIGITS: usize = 3;

/// Returns the normal form of a folded word, and its dictionary. All forms of a word have the same normal form, and a product
/// that contains any of them is indexed with it.
///
/// In English it is the singular, which is a word itself. In other languages it is the stem by the language's Snowball
/// algorithm. A stem need not be a word, so stems have a dictionary of their own, in which typos are not tried. Because the
/// word is folded, its stem is the same with and without accents. An article number has the same form in every length.
pub fn normal_form(word: &str, language: Language) -> (Dictionary, Cow<'_, str>) {
    // Nearly all words begin with a letter.
    if word.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && let Some(number) = canonical(word).or_else(|| common_number(word, language))
    {
        return (Dictionary::Codes, number);
    }
    let Some(algorithm) = algorithm(language) else {
        let form = singular(word);
        return (Dictionary::of_word(&form), form);
    };
    if has_digit(word) || is_cjk(word) || word.len() > MAX_STEMMED_BYTES {
        return (Dictionary::of_word(word), Cow::Borrowed(word));
    }
    let stem = Stemmer::new(algorithm).stem(word);
    (Dictionary::Stems, if stem.is_empty() { Cow::Borrowed(word) } else { stem })
}

/// Returns the normal form of a folded word, and its dictionary; `None` if the word itself is its normal form, as most are in English.
pub(crate) fn other_form(word: &str, language: Language) -> Option<(Dictionary, Cow<'_, str>)> {
    let is_plain = algorithm(language).is_none() && word.starts_with(|c: char| c.is_ascii_lowercase());
    let has_one_form = (is_plain && singular(word) == word) || is_short_number(word);
    if has_one_form { None } else { Some(normal_form(word, language)) }
}

/// Returns the singular of a folded word that is an English plural by its ending, also if it is misspelt: `lapm` for `lapms`. `None` if
/// the word has no such ending, or the language is another one.
pub(crate) fn possible_singular(word: &str, language: Language) -> Option<Cow<'_, str>> {
    let is_english = matches!(language, Language::English | Language::EnglishSnowball);
    if !is_english || !word.ends_with('s') {
        return None;
    }
    Some(singular(word)).filter(|singular| singular != word)
}

/// Returns the common form of a number, with its unit: `20000mah` for `20.000 mAh` in German, `60w` for `60watts`.
fn common_number(word: &str, language: Language) -> Option<Cow<'_, str>> {
    let whole = in_thousands(word, language);
    let with_sign = with_sign(whole.as_deref().unwrap_or(word));
    with_sign.map(Cow::Owned).or(whole)
}

/// Returns a number without the point before three digits in a language that separates thousands by points: `20000mah` for
/// `20.000mah`. The others write decimals with it.
fn in_thousands(word: &str, language: Language) -> Option<Cow<'_, str>> {
    if matches!(language, Language::English | Language::EnglishSnowball | Language::Arabic) {
        return None;
    }
    let (thousands, rest) = word.split_once('.')?;
    let is_number = is_digits(thousands) && !thousands.starts_with('0');
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_grouped = (1..=THOUSANDS_DIGITS).contains(&thousands.len()) && digits == THOUSANDS_DIGITS;
    let has_unit_only = rest[digits..].chars().all(char::is_alphabetic);
    (is_number && is_grouped && has_unit_only).then(|| Cow::Owned(format!("{thousands}{rest}")))
}

/// Returns the stemming algorithm of a language; `None` if only plurals are normalised.
fn algorithm(language: Language) -> Option<Algorithm> {
    Some(match language {
        Language::English => return None,
        Language::EnglishSnowball => Algorithm::English,
        Language::Arabic => Algorithm::Arabic,
        Language::Catalan => Algorithm::Catalan,
        Language::Czech => Algorithm::Czech,
        Language::Danish => Algorithm::Danish,
        Language::Dutch => Algorithm::Dutch,
        Language::Finnish => Algorithm::Finnish,
        Language::French => Algorithm::French,
        Language::German => Algorithm::German,
        Language::Greek => Algorithm::Greek,
        Language::Hungarian => Algorithm::Hungarian,
        Language::Italian => Algorithm::Italian,
        Language::Norwegian => Algorithm::Norwegian,
        Language::Polish => Algorithm::Polish,
        Language::Portuguese => Algorithm::Portuguese,
        Language::Romanian => Algorithm::Romanian,
        Language::Russian => Algorithm::Russian,
        Language::Spanish => Algorithm::Spanish,
        Language::Swedish => Algorithm::Swedish,
        Language::Turkish => Algorithm::Turkish,
        Language::Ukrainian => Algorithm::Ukrainian,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::query_words;
    use proptest::prelude::*;

    fn normal_form_of(word: &str, language: Language) -> (Dictionary, String) {
        let (folded, _) = query_words(word).remove(0);
        let (dictionary, form) = normal_form(&folded, language);
        (dictionary, form.into_owned())
    }

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for (language, forms) in [
            ("ar", &["طابعة", "الطابعة"][..]),
            ("ca", &["impressora", "impressores"]),
            ("cs", &["sluchátka", "sluchátko"]),
            ("da", &["lampe", "lamper"]),
            ("de", &["Haus", "Häuser", "Hauser"]),
            ("de", &["Straße", "Straßen", "STRASSE"]),
            ("el", &["εκτυπωτής", "εκτυπωτές", "ΕΚΤΥΠΩΤΗΣ"]),
            ("en-snowball", &["printing", "printed", "prints"]),
            ("es", &["inalámbrico", "inalambricos", "inalámbrica"]),
            ("fi", &["pöytä", "pöytää"]),
            ("fr", &["téléphone", "telephones"]),
            ("hu", &["könyv", "könyvek"]),
            ("it", &["nero", "nera", "neri"]),
            ("nl", &["lamp", "lampen"]),
            ("no", &["lampe", "lamper"]),
            ("pl", &["książka", "ksiazki"]),
            ("pt", &["impressora", "impressoras"]),
            ("ro", &["căști", "caștile"]),
            ("ru", &["чёрный", "черная", "черные"]),
            ("sv", &["lampa", "lampor"]),
            ("tr", &["kulaklık", "kulaklıklar"]),
            ("uk", &["синій", "синя"]),
        ] {
            let language = Language::parse(language).unwrap();
            let expected = normal_form_of(forms[0], language);
            assert_eq!(expected.0, Dictionary::Stems, "{forms:?}");
            for form in forms {
                assert_eq!(normal_form_of(form, language), expected, "{form}");
            }
        }
    }

    #[test]
    fn codes_and_scripts_without_spaces_have_no_stems() {
        for word in ["wh1000xm4", "プリンター", "東京", &"x".repeat(MAX_STEMMED_BYTES + 1)] {
            let (dictionary, form) = normal_form(word, Language::German);
            assert_eq!((dictionary, &*form), (Dictionary::of_word(word), word));
        }
        assert_eq!(normal_form_of("printers", Language::English), (Dictionary::Words, "printer".to_owned()));
        assert_eq!(normal_form_of("ps5", Language::English), (Dictionary::Codes, "ps5".to_owned()));
        assert_eq!(normal_form_of("27in", Language::German), (Dictionary::Codes, "27inch".to_owned()));
    }

    #[test]
    fn a_point_before_three_digits_separates_thousands_except_in_english() {
        for (language, word, form) in [
            (Language::German, "20.000", "20000"),
            (Language::German, "20.000mah", "20000mah"),
            (Language::Spanish, "1.500w", "1500w"),
            (Language::French, "1.500", "1500"),
            (Language::English, "20.000", "20.000"),
            (Language::EnglishSnowball, "1.500w", "1.500w"),
            (Language::German, "5.5", "5.5"),
            (Language::German, "0.125", "0.125"),
            (Language::German, "1.2345", "1.2345"),
            (Language::German, "1.500x2", "1.500x2"),
        ] {
            assert_eq!(normal_form(word, language), (Dictionary::Codes, form.into()), "{word} {language}");
        }
    }

    proptest! {
        #[test]
        fn every_word_has_a_normal_form_in_every_language(text in "\\PC{0,20}|[а-яґєіїa-zäöüßàâçéèêëîïôûçğışăâîșțąćęłńóśźżěščřžýáíéúůťďňαβγδεζηθικλμνξοπρστυφχψωάέήίόύώء-ي]{1,20}") {
            for (word, _) in query_words(&text) {
                for (language, _) in Language::ALL {
                    let (dictionary, form) = normal_form(&word, language);
                    prop_assert!(!form.is_empty());
                    prop_assert!(dictionary == Dictionary::Stems || dictionary == Dictionary::of_word(&form));
                }
            }
        }
    }
}
