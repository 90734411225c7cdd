//! Counting words, which say how many of a thing a product has, or which variant it is: `set`, `pair`, `model`.
//!
//! All words are folded. Names mix languages, so the English words count in every language.

use domain::Language;

use crate::grammar::introduces_contents;

/// The counting words of English: `headphones model 3`, `knife set`, `pack of 6 mugs`.
const COMMON: [&str; 20] = [
    "set",
    "sets",
    "kit",
    "kits",
    "pack",
    "packs",
    "bundle",
    "pair",
    "model",
    "series",
    "version",
    "edition",
    "style",
    "type",
    "size",
    "colour",
    "color",
    "generation",
    "gen",
    "mark",
];

/// Returns true for a word that says which one of a kind a product is, or how many, and names no kind itself.
pub(crate) fn is_counting_word(word: &str, language: Language) -> bool {
    COMMON.contains(&word) || counting_words(language).contains(&word)
}

/// Returns true if a word is a counting word in this text: `set` in `knife set`, `juego` in `juego de 6 vasos`. Words such as
/// `juego` mean a game as well, so they count only before a preposition such as `de` and a number. `rest` is the text after the word.
pub(crate) fn counts(word: &str, rest: &str, language: Language) -> bool {
    is_counting_word(word, language)
        || games_and_sets(language).contains(&word) && {
            let mut words = rest.split_whitespace();
            words.next().is_some_and(|next| introduces_contents(&next.to_lowercase(), language))
                && words.next().is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()))
        }
}

/// Returns the words that mean a set as well as a game or an outfit.
fn games_and_sets(language: Language) -> &'static [&'static str] {
    match language {
        Language::Catalan => &["joc", "jocs", "conjunt", "conjunts"],
        Language::French => &["jeu", "jeux", "ensemble", "ensembles"],
        Language::Italian => &["gioco", "completo"],
        Language::Portuguese => &["jogo", "jogos", "conjunto", "conjuntos"],
        Language::Spanish => &["juego", "juegos", "conjunto", "conjuntos"],
        _ => &[],
    }
}

/// Returns the counting words of a language. Words that also name a thing of their own, such as German `farbe`, a paint, are not
/// among them.
fn counting_words(language: Language) -> &'static [&'static str] {
    match language {
        Language::English | Language::EnglishSnowball => &[],
        Language::Arabic => &["طقم", "مجموعة", "زوج", "قطعة", "قطع", "عبوة", "موديل", "مقاس", "لون"],
        Language::Catalan => &[
            "lot", "lots", "parell", "parells", "paquet", "paquets", "unitat", "unitats", "serie", "edicio",
            "talla", "mida",
        ],
        Language::Czech => &[
            "sada", "sady", "souprava", "komplet", "par", "kus", "kusy", "kusu", "ks", "baleni", "serie",
            "verze", "velikost", "edice",
        ],
        Language::Danish => {
            &["saet", "par", "styk", "stk", "pakke", "pakker", "storrelse", "serie", "udgave", "farve"]
        }
        Language::Dutch => {
            &["paar", "stuk", "stuks", "verpakking", "maat", "kleur", "serie", "reeks", "uitgave", "editie"]
        }
        Language::Finnish => {
            &["setti", "sarja", "pari", "kpl", "kappale", "pakkaus", "malli", "koko", "vari"]
        }
        Language::French => &["lot", "lots", "paire", "paires", "modele", "serie", "taille", "couleur"],
        Language::German => &[
            "satz",
            "satze",
            "paar",
            "paare",
            "stuck",
            "stucke",
            "packung",
            "packungen",
            "modell",
            "serie",
            "ausgabe",
            "auflage",
            "grosse",
            "typ",
        ],
        Language::Greek => &[
            "σετ",
            "ζευγαρι",
            "ζευγη",
            "τεμαχιο",
            "τεμαχια",
            "τμχ",
            "πακετο",
            "μεγεθοσ",
            "μοντελο",
            "σειρα",
            "εκδοση",
            "χρωμα",
        ],
        Language::Hungarian => &[
            "keszlet", "szett", "par", "darab", "db", "csomag", "meret", "modell", "sorozat", "kiadas",
            "szin",
        ],
        Language::Italian => &[
            "confezione",
            "confezioni",
            "paio",
            "paia",
            "coppia",
            "coppie",
            "pezzo",
            "pezzi",
            "modello",
            "serie",
            "edizione",
            "taglia",
            "misura",
            "colore",
        ],
        Language::Norwegian => {
            &["sett", "par", "stk", "pakke", "pakker", "storrelse", "modell", "serie", "utgave", "farge"]
        }
        Language::Polish => &[
            "zestaw",
            "zestawy",
            "komplet",
            "komplety",
            "para",
            "pary",
            "sztuka",
            "sztuki",
            "sztuk",
            "szt",
            "opakowanie",
            "seria",
            "wersja",
            "rozmiar",
            "kolor",
            "edycja",
        ],
        Language::Portuguese => &[
            "par", "pares", "pacote", "pacotes", "lote", "lotes", "unidade", "unidades", "modelo", "serie",
            "edicao", "tamanho", "cor",
        ],
        Language::Romanian => &[
            "pereche", "perechi", "pachet", "pachete", "bucata", "bucati", "buc", "serie", "editie",
            "marime", "culoare",
        ],
        Language::Russian => &[
            "набор",
            "наборы",
            "комплект",
            "комплекты",
            "пара",
            "пары",
            "штука",
            "штуки",
            "штук",
            "шт",
            "упаковка",
            "модель",
            "серия",
            "версия",
            "издание",
            "размер",
            "цвет",
        ],
        Language::Spanish => &[
            "par", "pares", "paquete", "paquetes", "lote", "lotes", "pieza", "piezas", "unidad", "unidades",
            "modelo", "serie", "edicion", "talla", "tamano",
        ],
        Language::Swedish => &[
            "par",
            "sats",
            "styck",
            "stycken",
            "st",
            "paket",
            "forpackning",
            "storlek",
            "modell",
            "serie",
            "utgava",
        ],
        Language::Turkish => &[
            "seti", "takim", "takimi", "cift", "cifti", "adet", "paket", "paketi", "modeli", "seri", "beden",
            "boy", "renk",
        ],
        Language::Ukrainian => &[
            "набір",
            "набори",
            "комплект",
            "комплекти",
            "пара",
            "пари",
            "штука",
            "штуки",
            "штук",
            "шт",
            "упаковка",
            "модель",
            "серія",
            "версія",
            "видання",
            "розмір",
            "колір",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::query_words;

    #[test]
    fn counting_words_are_folded() {
        for (language, _) in Language::ALL {
            for word in counting_words(language).iter().chain(games_and_sets(language)) {
                let folded = query_words(word);
                assert_eq!(folded.first().map(|(word, _)| word.as_str()), Some(*word), "{language}");
            }
        }
    }

    #[test]
    fn a_game_counts_only_before_a_number() {
        for (word, rest, language, expected) in [
            ("juego", " de 6 vasos", Language::Spanish, true),
            ("juego", " de mesa", Language::Spanish, false),
            ("juego", "", Language::Spanish, false),
            ("jeu", " De 4 clés", Language::French, true),
            ("jeu", " de société", Language::French, false),
            ("lot", " de verres", Language::French, true),
            ("lot", "", Language::English, false),
            ("satz", "", Language::German, true),
            ("set", "", Language::German, true),
        ] {
            assert_eq!(counts(word, rest, language), expected, "{word}{rest}");
        }
    }
}
