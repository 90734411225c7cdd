//! Forms of one word that mean the same to a shopper: singular and plural.

use std::borrow::Cow;

/// Words shorter than this are left as they are: `gas` without its end would be another.
const MIN_PLURAL_BYTES: usize = 4;

/// The singular of an English plural, by its ending only; none when the word has no such ending. After the weak
/// stemmer of Harman, *How effective is suffixing?* (1991), with the endings of `boxes` and `watches` added.
///
/// Words without such an ending in other languages lose nothing: the same is done to products and to queries.
pub fn singular(word: &str) -> Option<String> {
    if word.len() < MIN_PLURAL_BYTES || !word.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    let stem = word.strip_suffix('s')?;
    if ["s", "u", "i"].iter().any(|end| stem.ends_with(end)) {
        return None;
    }
    if let Some(stem) = stem.strip_suffix("ie") {
        return Some(format!("{stem}y"));
    }
    match stem.strip_suffix('e') {
        Some(shorter) if ["ss", "ch", "sh", "x"].iter().any(|end| shorter.ends_with(end)) => {
            Some(shorter.to_owned())
        }
        _ => Some(stem.to_owned()),
    }
}

/// The form of a word that every product with it has, in whichever number it stands there.
pub fn base(word: &str) -> Cow<'_, str> {
    singular(word).map_or(Cow::Borrowed(word), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_lose_their_endings() {
        for (plural, expected) in [
            ("printers", Some("printer")),
            ("batteries", Some("battery")),
            ("boxes", Some("box")),
            ("watches", Some("watch")),
            ("brushes", Some("brush")),
            ("glasses", Some("glass")),
            ("cases", Some("case")),
            ("cables", Some("cable")),
            ("glass", None),
            ("status", None),
            ("chassis", None),
            ("gas", None),
            ("mouse", None),
            ("ps5s", None),
            ("プリンタ", None),
            ("s", None),
        ] {
            assert_eq!(singular(plural).as_deref(), expected, "{plural}");
        }
    }
}
