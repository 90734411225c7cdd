//! The singular of English plurals: regular ones by their endings, others by lists.
//!
//! A plural and its singular must find the same products, so both have the same normal form: `hoodies` and `hoodie` become
//! `hoodie`, which is in a list; `gummies` and `gummie` become `gummy`.

use std::borrow::Cow;
use std::sync::LazyLock;

use foldhash::HashMap;

/// The shortest word that may be a regular plural, in bytes: `gas` is none.
const MIN_PLURAL_BYTES: usize = 4;

/// Plurals without a regular ending, or whose ending misleads, with their singulars.
#[rustfmt::skip]
const IRREGULAR: [(&str, &str); 73] = [
    ("ads", "ad"), ("alumni", "alumnus"), ("analyses", "analysis"), ("appendices", "appendix"), ("ax", "axe"),
    ("axes", "axe"), ("businessmen", "businessman"), ("busses", "bus"), ("cacti", "cactus"), ("calves", "calf"),
    ("cds", "cd"), ("codices", "codex"), ("craftsmen", "craftsman"), ("crises", "crisis"), ("diagnoses", "diagnosis"),
    ("djs", "dj"), ("dormice", "dormouse"), ("dwarves", "dwarf"), ("elves", "elf"), ("feet", "foot"), ("fezzes", "fez"),
    ("firemen", "fireman"), ("fishermen", "fisherman"), ("foci", "focus"), ("freshmen", "freshman"), ("fungi", "fungus"),
    ("gasses", "gas"), ("geese", "goose"), ("gentlemen", "gentleman"), ("halves", "half"), ("helices", "helix"),
    ("hippopotami", "hippopotamus"), ("hooves", "hoof"), ("hypotheses", "hypothesis"), ("ids", "id"),
    ("indices", "index"), ("leaves", "leaf"), ("lice", "louse"), ("lives", "life"), ("lps", "lp"), ("matrices", "matrix"),
    ("men", "man"), ("mice", "mouse"), ("midwives", "midwife"), ("nuclei", "nucleus"), ("oases", "oasis"),
    ("octopi", "octopus"), ("oxen", "ox"), ("parentheses", "parenthesis"), ("pcs", "pc"), ("people", "person"),
    ("policemen", "policeman"), ("postmen", "postman"), ("quizzes", "quiz"), ("radii", "radius"),
    ("salesmen", "salesman"), ("scarves", "scarf"), ("selves", "self"), ("sheaves", "sheaf"), ("snowmen", "snowman"),
    ("sportsmen", "sportsman"), ("stimuli", "stimulus"), ("syllabi", "syllabus"), ("teeth", "tooth"),
    ("termini", "terminus"), ("theses", "thesis"), ("thieves", "thief"), ("tvs", "tv"), ("vertices", "vertex"),
    ("vortices", "vortex"), ("wharves", "wharf"), ("wives", "wife"), ("workmen", "workman"),
];

/// Singulars in -ie. Other plurals in -ies belong to words in -y.
#[rustfmt::skip]
const IN_IE: [&str; 62] = [
    "auntie", "aussie", "barbie", "beanie", "birdie", "bogie", "boogie", "bootie", "bougie", "bowtie", "brie", "brownie",
    "budgie", "calorie", "collie", "cookie", "cowrie", "cutie", "doggie", "eyrie", "foodie", "freebie", "genie", "goalie",
    "goodie", "groupie", "hankie", "hippie", "hoodie", "indie", "junkie", "kiddie", "laddie", "lassie", "lingerie",
    "magpie", "menagerie", "movie", "necktie", "newbie", "nightie", "oldie", "onesie", "pinkie", "pixie", "prairie",
    "rookie", "rotisserie", "selfie", "sharpie", "smoothie", "softie", "sortie", "sweetie", "talkie", "techie", "townie",
    "trekkie", "veggie", "walkie", "yuppie", "zombie",
];

/// Singulars in -oe. Other plurals in -oes belong to words in -o.
#[rustfmt::skip]
const IN_OE: [&str; 18] = [
    "aloe", "backhoe", "canoe", "chloe", "doe", "floe", "foe", "hoe", "joe", "mistletoe", "oboe", "roe", "sloe", "throe",
    "tiptoe", "toe", "woe", "zoe",
];

/// Singulars in -s, whose plurals end in -ses.
#[rustfmt::skip]
const IN_S: [&str; 47] = [
    "abacus", "alias", "apparatus", "asparagus", "atlas", "bias", "bonus", "bus", "cactus", "campus", "canvas", "census",
    "chorus", "christmas", "circus", "citrus", "clematis", "colossus", "corpus", "crocus", "discus", "eucalyptus",
    "fungus", "gas", "genius", "hibiscus", "iris", "lens", "lotus", "minibus", "minus", "octopus", "pancreas", "papyrus",
    "pelvis", "platypus", "plexus", "plus", "portcullis", "prospectus", "rhinoceros", "sinus", "status", "syllabus",
    "trellis", "virus", "walrus",
];

/// Words in -s that are no plurals.
#[rustfmt::skip]
const UNCHANGED: [&str; 14] = [
    "asbestos", "athens", "bordeaux", "cosmos", "ethos", "haas", "hans", "kudos", "mars", "news", "paris", "series", "species",
    "thermos",
];

/// Singulars in -e whose plurals end like those of words in -ch, -x and -ss.
#[rustfmt::skip]
const IN_E: [&str; 32] = [
    "ache", "annexe", "apache", "attache", "avalanche", "axe", "backache", "brioche", "cache", "cartouche", "cliche",
    "creche", "crevasse", "douche", "finesse", "fosse", "ganache", "gouache", "headache", "impasse", "lacrosse", "mousse",
    "moustache", "mustache", "niche", "pastiche", "pickaxe", "porsche", "posse", "quiche", "toothache", "tranche",
];

/// Singulars in -i and -u. Other words in -is and -us are singulars.
#[rustfmt::skip]
const IN_I_OR_U: [&str; 41] = [
    "alibi", "bayou", "bikini", "caribou", "chili", "corgi", "cpu", "deli", "ecu", "emoji", "emu", "gnu", "gpu", "guru",
    "haiku", "jacuzzi", "khaki", "kiwi", "martini", "maxi", "menu", "midi", "mini", "origami", "panini", "psu", "rabbi",
    "safari", "salami", "sari", "ski", "sku", "sushi", "tahini", "taxi", "tofu", "tsunami", "tutu", "wii", "yeti",
    "zucchini",
];

/// Ends of compounds: `bookshelves`, `penknives`, `horseshoes`, `syntheses`, `electrolyses`.
const COMPOUND_ENDS: [(&str, &str); 9] = [
    ("shelves", "shelf"),
    ("knives", "knife"),
    ("wolves", "wolf"),
    ("loaves", "loaf"),
    ("children", "child"),
    ("women", "woman"),
    ("shoes", "shoe"),
    ("theses", "thesis"),
    ("lyses", "lysis"),
];

/// The singular of each word that the rules of endings would miss or spoil.
static LISTED: LazyLock<HashMap<String, &'static str>> = LazyLock::new(|| {
    let mut listed = HashMap::default();
    let mut add = |word: &str, singular: &'static str| listed.insert(word.to_owned(), singular);
    for word in IN_IE.into_iter().chain(IN_OE).chain(IN_E).chain(IN_I_OR_U) {
        add(word, word);
        add(&format!("{word}s"), word);
    }
    for word in IN_S {
        add(word, word);
        add(&format!("{word}es"), word);
    }
    for word in UNCHANGED {
        add(word, word);
    }
    for (plural, singular) in IRREGULAR.into_iter().chain(COMPOUND_ENDS) {
        add(plural, singular);
    }
    listed
});

/// Returns the singular of a folded English word, which may be the word itself.
///
/// Regular plurals are judged by their endings only, after the weak stemmer of Harman, *How effective is suffixing?* (1991). A word
/// of another language that happens to have such an ending is still found, because products and queries are treated alike.
pub(crate) fn singular(word: &str) -> Cow<'_, str> {
    let same = Cow::Borrowed(word);
    // Most words do not end like a plural, a singular in -ie, or `ax`. The list changes no words with other ends but `people`.
    let may_change = match word.as_bytes() {
        [.., b's' | b'i'] => true,
        [.., before, b'e'] => matches!(before, b'i' | b'c' | b's') || word == "people",
        [.., b'e', b'n' | b't'] | [.., b'a' | b'u', b'x'] | [.., b'e', b't', b'h'] => true,
        _ => false,
    };
    if !may_change || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return same;
    }
    if let Some(singular) = LISTED.get(word) {
        return Cow::Borrowed(singular);
    }
    for (plural, singular) in COMPOUND_ENDS {
        if let Some(start) = word.strip_suffix(plural) {
            return Cow::Owned(format!("{start}{singular}"));
        }
    }
    match by_ending(word) {
        // A possessive without its apostrophe: `mens shoes`.
        Some(Cow::Borrowed(shorter)) => Cow::Borrowed(LISTED.get(shorter).copied().unwrap_or(shorter)),
        Some(singular) => singular,
        None => same,
    }
}

/// Returns the singular by the ending of a word; `None` if it has no ending of a plural.
fn by_ending(word: &str) -> Option<Cow<'_, str>> {
    if word.len() < MIN_PLURAL_BYTES {
        return None;
    }
    if word.len() > "eaux".len() && (word.ends_with("eaux") || word.ends_with("eaus")) {
        // French, and English after it: `bureaux`, `bureaus`.
        return Some(Cow::Borrowed(&word[..word.len() - 1]));
    }
    let Some(stem) = word.strip_suffix('s') else {
        // Its plural ends like that of a word in -y.
        return Some(Cow::Owned(format!("{}y", word.strip_suffix("ie")?)));
    };
    if ["s", "u", "i"].iter().any(|end| stem.ends_with(end)) {
        return None;
    }
    if let Some(start) = stem.strip_suffix("ie") {
        // `pies` and `ties`, but `flies`.
        return Some(if start.len() == 1 { Cow::Borrowed(stem) } else { Cow::Owned(format!("{start}y")) });
    }
    let shorter = stem
        .strip_suffix('e')
        .filter(|shorter| ["ss", "ch", "sh", "x", "o", "zz", "tz"].iter().any(|end| shorter.ends_with(end)));
    Some(Cow::Borrowed(shorter.unwrap_or(stem)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regular_plurals_lose_their_endings() {
        for (plural, expected) in [
            ("printers", "printer"),
            ("batteries", "battery"),
            ("boxes", "box"),
            ("watches", "watch"),
            ("brushes", "brush"),
            ("glasses", "glass"),
            ("cases", "case"),
            ("cables", "cable"),
            ("gloves", "glove"),
            ("houses", "house"),
            ("potatoes", "potato"),
            ("photos", "photo"),
            ("flies", "fly"),
            ("quartzes", "quartz"),
        ] {
            assert_eq!(singular(plural), expected);
            assert_eq!(singular(expected), expected);
        }
    }

    #[test]
    fn irregular_plurals_and_their_singulars_are_one() {
        for (plural, expected) in [
            ("shelves", "shelf"),
            ("bookshelves", "bookshelf"),
            ("scarves", "scarf"),
            ("leaves", "leaf"),
            ("knives", "knife"),
            ("wolves", "wolf"),
            ("mice", "mouse"),
            ("geese", "goose"),
            ("feet", "foot"),
            ("teeth", "tooth"),
            ("children", "child"),
            ("grandchildren", "grandchild"),
            ("men", "man"),
            ("women", "woman"),
            ("cookies", "cookie"),
            ("hoodies", "hoodie"),
            ("pies", "pie"),
            ("ties", "tie"),
            ("shoes", "shoe"),
            ("horseshoes", "horseshoe"),
            ("toes", "toe"),
            ("buses", "bus"),
            ("lenses", "lens"),
            ("canvases", "canvas"),
            ("irises", "iris"),
            ("analyses", "analysis"),
            ("prostheses", "prosthesis"),
            ("heroes", "hero"),
            ("tomatoes", "tomato"),
            ("movies", "movie"),
            ("caches", "cache"),
            ("axes", "axe"),
            ("mousses", "mousse"),
            ("quizzes", "quiz"),
            ("menus", "menu"),
            ("bikinis", "bikini"),
            ("cacti", "cactus"),
            ("tvs", "tv"),
            ("people", "person"),
            ("persons", "person"),
            ("bureaux", "bureau"),
            ("bureaus", "bureau"),
            ("tableaux", "tableau"),
            ("octopi", "octopus"),
            ("codices", "codex"),
        ] {
            assert_eq!(singular(plural), expected);
            assert_eq!(singular(expected), expected);
        }
        assert_eq!((singular("gummies"), singular("gummie")), ("gummy".into(), "gummy".into()));
        assert_eq!((singular("mens"), singular("womens")), ("man".into(), "woman".into()));
    }

    #[test]
    fn other_words_stay() {
        for word in [
            "glass",
            "status",
            "chassis",
            "tennis",
            "gas",
            "gps",
            "ps5s",
            "series",
            "species",
            "news",
            "s",
            "pumice",
            "specimen",
            "sleeve",
            "プリンタ",
            "",
            "aßs",
            "eaux",
            "bordeaux",
            "steeple",
        ] {
            assert_eq!(singular(word), word);
        }
    }

    #[test]
    fn every_list_is_one_word_in_both_numbers() {
        for word in IN_IE.into_iter().chain(IN_OE).chain(IN_E).chain(IN_I_OR_U) {
            assert_eq!(singular(&format!("{word}s")), singular(word), "{word}");
        }
        for word in IN_S {
            assert_eq!((singular(&format!("{word}es")).as_ref(), singular(word).as_ref()), (word, word));
        }
        for (plural, expected) in IRREGULAR {
            assert_eq!(
                (singular(plural).as_ref(), singular(expected).as_ref()),
                (expected, expected),
                "{plural}"
            );
        }
    }
}
