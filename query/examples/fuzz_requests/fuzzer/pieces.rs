//! The parts of random requests.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fastrand::Rng;
use serde_json::{Value, json};

/// The keys of attributes.
pub(crate) const KEYS: [&str; 6] = ["colour", "size", "a,b\\c", "w/h", "型番", "x y"];

/// Words of products, misspelt ones, and special cases of scripts and of tokenization.
const WORDS: [&str; 60] = [
    "lamp",
    "lamps",
    "lmap",
    "table",
    "tabel",
    "processor",
    "procesors",
    "headphones",
    "head",
    "phones",
    "micro",
    "sd",
    "256",
    "gb",
    "256gb",
    "13\"",
    "1.5",
    "x-25-m",
    "AB-12/3",
    "ab123",
    "hl-2035",
    "wi-fi",
    "usb-c",
    "a",
    "s",
    "the",
    "for",
    "Café",
    "cafe\u{301}",
    "naïve",
    "straße",
    "STRASSE",
    "İstanbul",
    "ısı",
    "ﬁne",
    "½",
    "②",
    "Ⅷ",
    "東京",
    "京都東",
    "東",
    "ノート",
    "ﾄﾅｰ",
    "ＴＯＳＨＩＢＡ",
    "となー",
    "プリンター・ケース",
    "々",
    "ーー",
    "무선마우스",
    "각",
    "한",
    "Лампа",
    "лампы",
    "مصباح",
    "ไฟ",
    "👩‍👩‍👧",
    "\u{200d}",
    "\u{feff}",
    "-",
    "&amp;",
];
/// Characters to insert between or into words.
const CHARS: [char; 24] = [
    ' ',
    '-',
    '.',
    ',',
    '"',
    '\'',
    '/',
    '\\',
    '%',
    '&',
    '=',
    '+',
    '・',
    'ー',
    '\u{3099}',
    '\u{301}',
    '\u{200b}',
    '\u{ad}',
    '\t',
    '\u{7f}',
    '\u{fffd}',
    '\u{10ffff}',
    '゛',
    'İ',
];
/// The parameters that select products.
const MATCHING: [&str; 11] = [
    "query",
    "query",
    "query",
    "category",
    "brand",
    "tags",
    "priceRange",
    "inStock",
    "currency",
    "attributes.colour",
    "attributes.size",
];
/// The further parameters of a search.
pub(crate) const SEARCHING: [&str; 8] =
    ["facets", "facets", "sortBy", "facetSize", "page", "pageSize", "cursor", "fields"];
/// The further parameters of a list of values.
pub(crate) const LISTING: [&str; 3] = ["prefix", "prefix", "limit"];
/// The further parameter of suggestions and similar products.
pub(crate) const LIMITED: [&str; 1] = ["limit"];
/// Parameters that some or all endpoints do not have.
const UNKNOWN: [&str; 4] = ["explain", "typing", "Query", "attributes."];
/// Orders, and names of none.
const SORTS: [&str; 10] = [
    "relevance",
    "price_asc",
    "price_desc",
    "newest",
    "name",
    "Name",
    "attributes.size",
    "attributes.size_desc",
    "attributes.colour_desc",
    "attributes.",
];
/// Fields of products found, and names of none.
const FIELDS: [&str; 7] = ["id", "name", "price", "highlights", "attributes", "attributes.colour", "nmae"];
/// Parameters that may be repeated.
const SEVERAL: [&str; 6] = ["category", "brand", "tags", "priceRange", "facets", "attributes.colour"];

pub(crate) fn word(random: &mut Rng) -> String {
    let word = WORDS[random.usize(..WORDS.len())];
    match random.u8(..8) {
        0 => word.chars().rev().collect(),
        1 => word.to_uppercase(),
        2 => word.repeat(random.usize(1..4)),
        _ => word.to_owned(),
    }
}

/// Returns words, some of them broken, with separators.
pub(crate) fn text(random: &mut Rng) -> String {
    let words = match random.u8(..6) {
        0 => 0,
        1 => random.usize(..40),
        _ => random.usize(1..5),
    };
    let mut text = String::new();
    for _ in 0..words {
        text.push_str(&word(random));
        text.push(if random.u8(..4) == 0 { character(random) } else { ' ' });
    }
    if random.u8(..4) == 0 {
        let mut chars: Vec<char> = text.chars().collect();
        for _ in 0..random.usize(1..6) {
            let at = random.usize(..=chars.len());
            match random.u8(..3) {
                0 => chars.insert(at, character(random)),
                1 if at < chars.len() => drop(chars.remove(at)),
                _ => chars.truncate(at.max(1)),
            }
        }
        text = chars.into_iter().collect();
    }
    text
}

fn character(random: &mut Rng) -> char {
    match random.u8(..3) {
        0 => random.char(..),
        _ => CHARS[random.usize(..CHARS.len())],
    }
}

/// Returns the name of a facet, mostly of an existing one.
pub(crate) fn facet(random: &mut Rng) -> String {
    match random.u8(..9) {
        0 => "brand".to_owned(),
        1 => "category".to_owned(),
        2 => "tags".to_owned(),
        3 => "price".to_owned(),
        4 => "*".to_owned(),
        5 => text(random),
        _ => {
            let key = KEYS[random.usize(..KEYS.len())];
            format!("attributes.{}", key.replace('\\', r"\\").replace(',', r"\,"))
        }
    }
}

fn number(random: &mut Rng) -> String {
    const NUMBERS: [&str; 14] = [
        "0",
        "1",
        "2",
        "20",
        "100",
        "101",
        "10000",
        "-1",
        "1.5",
        "1e9",
        "99999999999999999999999",
        "007",
        "-0",
        "",
    ];
    match random.u8(..4) {
        0..=2 => random.u32(1..30).to_string(),
        _ => NUMBERS[random.usize(..NUMBERS.len())].to_owned(),
    }
}

fn range(random: &mut Rng, between: &str) -> String {
    let end = |random: &mut Rng| if random.u8(..4) == 0 { String::new() } else { number(random) };
    format!("{}{between}{}", end(random), end(random))
}

/// Returns a value, mostly one that fits the parameter.
fn value(name: &str, random: &mut Rng, cursors: &[String]) -> String {
    if random.u8(..12) == 0 {
        return text(random);
    }
    match name {
        "query" | "prefix" => text(random),
        "category" => ["Home", "Home > Lamps", "Office>Paper", "> >", ""][random.usize(..5)].to_owned(),
        "brand" => ["Akari", "Brass & Co", "東芝", ""][random.usize(..4)].to_owned(),
        "tags" => ["new", "used", "none"][random.usize(..3)].to_owned(),
        "priceRange" => range(random, "-"),
        "inStock" | "explain" | "typing" => ["true", "false", "yes"][random.usize(..3)].to_owned(),
        "currency" => ["USD", "EUR", "JPY", "usd", "KWD", "XXX"][random.usize(..6)].to_owned(),
        "sortBy" => SORTS[random.usize(..SORTS.len())].to_owned(),
        "fields" => (0..random.usize(1..4))
            .map(|_| FIELDS[random.usize(..FIELDS.len())])
            .collect::<Vec<_>>()
            .join(","),
        "facets" => (0..random.usize(1..6)).map(|_| facet(random)).collect::<Vec<_>>().join(","),
        "cursor" => cursor(random, cursors),
        "facetSize" | "page" | "pageSize" | "limit" => number(random),
        _ if random.bool() => range(random, ".."),
        _ => word(random),
    }
}

/// Returns a cursor of an answer, a made-up one, or a broken one.
fn cursor(random: &mut Rng, cursors: &[String]) -> String {
    let known =
        (!cursors.is_empty() && random.bool()).then(|| cursors[random.usize(..cursors.len())].clone());
    let mut text = known.unwrap_or_else(|| {
        let keys = [
            json!({"s": random.u32(..)}),
            json!({"n": random.i64(..)}),
            json!({"t": word(random)}),
            Value::Null,
        ];
        let places =
            |random: &mut Rng| -> Vec<u8> { (0..random.usize(..5)).map(|_| random.u8(..)).collect() };
        let reading = json!({"t": places(random), "o": places(random)});
        let sort = ["relevance", "price_asc", "newest", "name"][random.usize(..4)];
        let json = json!({
            "s": sort, "k": keys[random.usize(..4)], "i": format!("p{}", random.u8(..)), "r": reading,
        });
        BASE64_URL_SAFE_NO_PAD.encode(json.to_string())
    });
    if random.u8(..4) == 0 && !text.is_empty() {
        text.truncate(random.usize(..text.len()));
    }
    text
}

/// Returns the name of a parameter. `own` are the names that only this endpoint has.
fn name(random: &mut Rng, own: &[&str]) -> String {
    match random.u8(..40) {
        0 => UNKNOWN[random.usize(..UNKNOWN.len())].to_owned(),
        1 => format!("attributes.{}", KEYS[random.usize(..KEYS.len())]),
        2..=20 if !own.is_empty() => own[random.usize(..own.len())].to_owned(),
        _ => MATCHING[random.usize(..MATCHING.len())].to_owned(),
    }
}

/// Returns a query string. `own` are the names that only this endpoint has.
pub(crate) fn query(random: &mut Rng, own: &[&str], cursors: &[String]) -> String {
    let many = if random.u8(..20) == 0 { random.usize(..120) } else { random.usize(..6) };
    let (mut query, mut names) = (Vec::new(), Vec::new());
    for _ in 0..many {
        let name = name(random, own);
        if names.contains(&name) && !SEVERAL.contains(&name.as_str()) && random.u8(..20) > 0 {
            continue;
        }
        let value = value(&name, random, cursors);
        query.push(format!("{}={}", encoded(&name, random), encoded(&value, random)));
        names.push(name);
    }
    let mut query = query.join("&");
    if random.u8(..10) == 0 && !query.is_empty() {
        // Breaks the encoding at a random position. All of it is ASCII.
        let at = random.usize(..query.len());
        query.insert_str(at, ["%", "%f", "%ff", "%00", "&&", "=", "+", "%F0%9F"][random.usize(..8)]);
    }
    query
}

/// Encodes a text for an address. Some characters are encoded unnecessarily.
pub(crate) fn encoded(text: &str, random: &mut Rng) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' if random.u8(..40) > 0 => {
                out.push(char::from(byte));
            }
            b' ' if random.bool() => out.push('+'),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    out
}

/// Returns the body of one search or of several, sometimes with some bytes changed.
pub(crate) fn body(random: &mut Rng, cursors: &[String]) -> Vec<u8> {
    let json = match random.u8(..3) {
        0 => {
            let many = if random.u8(..5) == 0 { random.usize(..13) } else { random.usize(1..4) };
            json!({"searches": (0..many).map(|_| search(random, cursors)).collect::<Vec<_>>()}).to_string()
        }
        _ => search(random, cursors).to_string(),
    };
    let mut bytes = json.into_bytes();
    if random.u8(..4) == 0 {
        mutate(&mut bytes, random);
    }
    bytes
}

fn search(random: &mut Rng, cursors: &[String]) -> Value {
    let mut search = json!({});
    for _ in 0..random.usize(..6) {
        let name = name(random, &SEARCHING);
        let text = value(&name, random, cursors);
        let json = match random.u8(..8) {
            0 => json!([text, value(&name, random, cursors)]),
            1 => any_json(random, 3),
            2..=4 => serde_json::from_str(&text).unwrap_or(json!(text)),
            _ => json!(text),
        };
        match name.strip_prefix("attributes.") {
            Some(key) if random.u8(..6) > 0 => search["attributes"][key] = json,
            _ => search[&name] = json,
        }
    }
    search
}

fn any_json(random: &mut Rng, depth: usize) -> Value {
    match random.u8(..if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.bool()),
        2 => json!(random.i64(..)),
        3 => json!(f64::from_bits(random.u64(..))),
        4 => json!(text(random)),
        5 => (0..random.usize(..4)).map(|_| any_json(random, depth - 1)).collect(),
        _ => (0..random.usize(..4)).map(|_| (word(random), any_json(random, depth - 1))).collect(),
    }
}

/// Returns bytes for the parsers: a mutated request, or random bytes.
pub(crate) fn bytes(random: &mut Rng) -> Vec<u8> {
    let mut bytes = match random.u8(..5) {
        0 => (0..random.usize(..200)).map(|_| random.u8(..)).collect(),
        1 => body(random, &[]),
        2 => text(random).into_bytes(),
        3 => facet(random).into_bytes(),
        _ => query(random, &SEARCHING, &[]).into_bytes(),
    };
    if random.bool() {
        mutate(&mut bytes, random);
    }
    bytes
}

fn mutate(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.usize(1..5) {
        let at = random.usize(..=bytes.len());
        match random.u8(..5) {
            0 => bytes.insert(at, random.u8(..)),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            3 => bytes.truncate(at),
            _ => {
                let end = (at + random.usize(..20)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
}
