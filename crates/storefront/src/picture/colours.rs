//! Colours by their names.

use std::sync::LazyLock;

use serde_json::Value;

use super::words::last_end;

/// Colours with their English, German and Japanese names, lower-case.
const COLOURS: [(&str, &[&str]); 20] = [
    ("#2b2d31", &["black", "schwarz", "anthracite", "anthrazit", "charcoal", "黒", "ブラック"]),
    ("#f5f5f2", &["white", "weiß", "weiss", "ivory", "白", "ホワイト"]),
    ("#8b9098", &["grey", "gray", "grau", "silver", "silber", "グレー", "灰色", "シルバー"]),
    ("#2f4468", &["navy", "dark blue", "dunkelblau", "indigo", "紺", "藍", "ネイビー"]),
    ("#3f78c5", &["blue", "blau", "青", "ブルー"]),
    ("#6fb1dd", &["light blue", "hellblau", "sky blue", "水色"]),
    ("#c8413b", &["red", "rot", "crimson", "赤", "レッド"]),
    ("#8a2f3c", &["burgundy", "bordeaux", "wine red", "weinrot"]),
    ("#4f8a5b", &["green", "grün", "緑", "グリーン"]),
    ("#75804a", &["olive", "oliv", "khaki", "カーキ"]),
    ("#d8c3a0", &["sand", "beige", "natural", "cream", "creme", "ベージュ"]),
    ("#2f8f8f", &["teal", "turquoise", "türkis", "petrol", "ターコイズ"]),
    ("#e2b33c", &["yellow", "gelb", "mustard", "senf", "黄", "イエロー"]),
    ("#d8803a", &["orange", "オレンジ"]),
    ("#d98aa6", &["pink", "rosa", "rose", "ピンク"]),
    ("#7d5ba6", &["purple", "violet", "lila", "violett", "紫", "パープル"]),
    ("#7a5638", &["brown", "braun", "walnut", "chocolate", "茶色", "ブラウン"]),
    ("#c9a24a", &["gold", "golden", "brass", "messing", "金", "ゴールド"]),
    ("#b5714a", &["copper", "kupfer", "terracotta", "銅"]),
    ("#a9c7a2", &["mint", "sage", "salbei", "ミント"]),
];

/// The colours of products that name none.
const MUTED: [&str; 8] =
    ["#5f7f9c", "#9a6b5b", "#6f8f6a", "#8a7aa8", "#b08a4f", "#4f8688", "#a3606f", "#71808f"];

/// Returns the colours by their names as JSON, for dots beside values in filters.
pub(crate) fn json() -> &'static str {
    static JSON: LazyLock<String> = LazyLock::new(|| {
        let names = COLOURS.iter().flat_map(|(colour, names)| names.iter().map(move |name| (*name, *colour)));
        let members = names.map(|(name, colour)| (name.to_owned(), Value::from(colour)));
        Value::Object(members.collect()).to_string()
    });
    &JSON
}

/// Returns the colour whose name occurs as a word in a lower-case text; of several, the one with the longest name.
pub(super) fn named_in(text: &str) -> Option<&'static str> {
    let names = COLOURS.iter().flat_map(|(colour, names)| names.iter().map(move |name| (*name, *colour)));
    let found = names.filter(|(name, _)| last_end(text, name).is_some());
    found.max_by_key(|(name, _)| name.len()).map(|(_, colour)| colour)
}

/// Returns a muted colour that is always the same for a name.
pub(super) fn of_name(name: &str) -> &'static str {
    let sum = name.bytes().fold(0usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    MUTED[sum % MUTED.len()]
}
