//! Query strings as pairs of names and values. Parsing is strict: input that a lenient parser would repair is a fault.

use domain::fault::excerpt;
use domain::{Fault, FaultKind, Faults};

/// The maximum number of parameters of a request. It bounds the work: a request with more gets one fault for it, and none of its
/// parameters is read.
pub const MAX_PARAMETERS: usize = 100;

/// A parameter as a pair of name and value, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub name: String,
    /// The value, empty for a parameter without `=`.
    pub value: String,
}

/// Splits `a=1&b=2` and decodes it like a form: `+` is a space, `%C3%A9` is `é`. A part that cannot be decoded is
/// omitted and becomes a fault.
///
/// Parses at most [`MAX_PARAMETERS`] + 1 parts, so that the caller can detect a request with too many.
pub fn parse_query(query: &str, faults: &mut Faults) -> Vec<Pair> {
    let parts = query.split('&').filter(|part| !part.is_empty()).take(MAX_PARAMETERS + 1);
    let mut pairs = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match (decode(name), decode(value)) {
            (Ok(name), Ok(value)) => pairs.push(Pair { name, value }),
            (Ok(name), Err(message)) => faults.add(Fault::new(excerpt(&name), FaultKind::Malformed, message)),
            (Err(message), _) => faults.add(Fault::new(excerpt(name), FaultKind::Malformed, message)),
        }
    }
    pairs
}

fn decode(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => {
                let byte = hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low);
                bytes.push(byte.ok_or(BROKEN_ESCAPE)?);
                rest = after;
            }
            (b'%', _) => return Err(BROKEN_ESCAPE),
            (byte, _) => bytes.push(*byte),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| "must be valid UTF-8 after percent-decoding")?;
    match text.contains('\0') {
        true => Err("must not contain the NUL character"),
        false => Ok(text),
    }
}

const BROKEN_ESCAPE: &str = "has a `%` without two hexadecimal digits after it; write a percent sign as %25";

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Appends `name=value`, encoded so that [`parse_query`] returns the same pair.
pub fn push_pair(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    encode(query, name);
    query.push('=');
    encode(query, value);
}

fn encode(out: &mut String, text: &str) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.extend(['%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(query: &str) -> Vec<(String, String)> {
        let mut faults = Faults::default();
        let pairs = parse_query(query, &mut faults);
        assert_eq!(faults, Faults::default());
        pairs.into_iter().map(|pair| (pair.name, pair.value)).collect()
    }

    fn fault(query: &str) -> Fault {
        let mut faults = Faults::default();
        parse_query(query, &mut faults);
        assert_eq!(faults.count(), 1, "{faults:?}");
        faults.into_list().remove(0)
    }

    #[test]
    fn forms_and_percent_encoding_are_read() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs("a=1&b=caf%C3%a9+noir"), [pair("a", "1"), pair("b", "café noir")]);
        assert_eq!(pairs("&&a=b=c&d&=e"), [pair("a", "b=c"), pair("d", ""), pair("", "e")]);
        assert_eq!(pairs("%E5%90%8D=%2B"), [pair("名", "+")]);
        assert_eq!(pairs(""), []);
    }

    #[test]
    fn undecodable_parts_are_faults_of_their_field() {
        for query in ["query=100%", "query=%zz", "query=%f", "query=%ff", "query=a%00b", "query=%+1"] {
            let fault = fault(query);
            assert_eq!((fault.field.as_str(), fault.kind), ("query", FaultKind::Malformed), "{query}");
        }
        assert_eq!(fault("%ff=1").field, "%ff");
        assert_eq!(pairs(&"a=1&".repeat(100)).len(), 100);
        assert_eq!(pairs(&"a=1&".repeat(9000)).len(), 101);
    }

    proptest! {
        #[test]
        fn written_pairs_are_read_back(list in prop::collection::vec(("[^\\x00]{1,9}", "[^\\x00]{0,9}"), 0..9)) {
            let mut query = String::new();
            for (name, value) in &list {
                push_pair(&mut query, name, value);
            }
            prop_assert!(query.is_ascii() && !query.contains(['+', ' ', '"']));
            prop_assert_eq!(pairs(&query), list);
        }
    }
}
