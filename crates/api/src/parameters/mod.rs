//! A strict reader of parameters: reports all faults of a request together and rejects unknown names.
//!
//! A service takes its parameters from a [`ParameterReader`] one by one. Faults are collected meanwhile, and
//! [`finish`](ParameterReader::finish) reports them together with the parameters that were not taken:
//!
//! ```
//! use api::parameters::ParameterReader;
//!
//! let mut reader = ParameterReader::of_query("limit=500&repair=true&limt=1");
//! let limit = reader.whole_number("limit", 1..=100).unwrap_or(20);
//! let repair = reader.flag("repair").unwrap_or(false);
//! let faults = reader.finish(|_| "is not a parameter here".to_owned()).unwrap_err();
//! assert_eq!(faults.count(), 2);
//! assert!(limit == 20 && repair);
//! ```

mod query_string;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use domain::fault::excerpt;
use domain::{Fault, FaultKind, Faults};

pub use query_string::{MAX_PARAMETERS, Pair, parse_query, push_pair};

/// The most unknown names of a request for which a suggestion is looked up. A look-up costs more than reading the rest, and a
/// request with more unknown names has more than typing errors.
pub const MAX_HINTS: usize = 3;

/// The message for an unknown parameter without a suggestion.
const UNKNOWN_PARAMETER: &str = "is not a parameter here";

/// A fault without its field: the kind, and a message that follows the name of the field.
pub type ValueFault = (FaultKind, String);

/// A reader from which parameters are taken by name. It collects their faults.
#[derive(Debug)]
pub struct ParameterReader {
    pairs: Vec<Pair>,
    faults: Faults,
}

impl ParameterReader {
    /// Creates a reader of a query string, without its `?`.
    pub fn of_query(query: &str) -> Self {
        let mut faults = Faults::default();
        let pairs = parse_query(query, &mut faults);
        Self::of_pairs(pairs, faults)
    }

    /// Creates a reader of pairs from another source, such as a JSON body, with the faults that were found so far.
    ///
    /// If there are more than [`MAX_PARAMETERS`] pairs, adds one fault and reads none of them.
    pub fn of_pairs(pairs: Vec<Pair>, faults: Faults) -> Self {
        let mut reader = Self { pairs, faults };
        if reader.pairs.len() > MAX_PARAMETERS {
            reader.pairs.clear();
            let message = format!("a request has at most {MAX_PARAMETERS} parameters");
            reader.fault("", FaultKind::OutOfRange, message);
        }
        reader
    }

    /// Adds a fault. Long field names are shortened.
    pub fn fault(&mut self, field: &str, kind: FaultKind, message: impl Into<String>) {
        self.faults.add_with(|| Fault::new(excerpt(field), kind, message));
    }

    /// Adds a fault if `count` is above `max`. `unit` is a plural noun, such as `characters`.
    pub fn at_most(&mut self, field: &str, unit: &str, count: usize, max: usize) {
        if count > max {
            let message = format!("must have at most {max} {unit}; it has {count}");
            self.fault(field, FaultKind::OutOfRange, message);
        }
    }

    /// Returns true if a parameter is given and not taken yet.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|pair| pair.name == name)
    }

    /// Takes all values of a parameter, in order.
    pub fn all(&mut self, name: &str) -> Vec<String> {
        self.pairs.extract_if(.., |pair| pair.name == name).map(|pair| pair.value).collect()
    }

    /// Takes all parameters whose names begin with `prefix`, in order.
    pub fn all_with_prefix(&mut self, prefix: &str) -> Vec<Pair> {
        self.pairs.extract_if(.., |pair| pair.name.starts_with(prefix)).collect()
    }

    /// Takes all values of a parameter, parsed and without duplicates. A value that `parse` rejects becomes a fault.
    pub fn list<T: PartialEq>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, ValueFault>,
    ) -> Vec<T> {
        let mut list = Vec::new();
        for text in self.all(name) {
            match parse(&text) {
                Ok(value) if list.contains(&value) => {}
                Ok(value) => list.push(value),
                Err((kind, message)) => self.fault(name, kind, message),
            }
        }
        list
    }

    /// Takes the value of a parameter that may be given once. More than one value is a fault; the first is returned.
    pub fn one(&mut self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        if values.len() > 1 {
            self.fault(name, FaultKind::Repeated, "is given more than once; give it once");
        }
        values.drain(..).next()
    }

    /// Takes the value of a parameter that may be given once, parsed. Returns `None` if it is absent or faulty.
    pub fn parsed<T>(&mut self, name: &str, parse: impl FnOnce(&str) -> Result<T, ValueFault>) -> Option<T> {
        let text = self.one(name)?;
        match parse(&text) {
            Ok(value) => Some(value),
            Err((kind, message)) => {
                self.fault(name, kind, message);
                None
            }
        }
    }

    /// Takes a whole number in a range, written in decimal digits without a sign.
    pub fn whole_number<N: FromStr + PartialOrd + Display>(
        &mut self,
        name: &str,
        range: RangeInclusive<N>,
    ) -> Option<N> {
        self.parsed(name, |text| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|number| is_number && range.contains(number));
            let kind = if is_number { FaultKind::OutOfRange } else { FaultKind::Malformed };
            let message = || format!("must be a whole number from {} to {}", range.start(), range.end());
            number.ok_or_else(|| (kind, message()))
        })
    }

    /// Takes `true` or `false`.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.parsed(name, |text| match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err((FaultKind::Malformed, "must be `true` or `false`".to_owned())),
        })
    }

    /// Ends the reading. Each parameter that was not taken is a fault of kind [`FaultKind::Unknown`]. `unknown_message` makes the
    /// message of the first [`MAX_HINTS`] from the name, for example with a suggestion or a list of known names.
    ///
    /// # Errors
    /// The faults, if there are any.
    pub fn finish(mut self, unknown_message: impl Fn(&str) -> String) -> Result<(), Faults> {
        let mut unknown: Vec<String> = self.pairs.drain(..).map(|pair| pair.name).collect();
        unknown.sort();
        unknown.dedup();
        for (at, name) in unknown.iter().enumerate() {
            let message = if at < MAX_HINTS { unknown_message(name) } else { UNKNOWN_PARAMETER.to_owned() };
            self.fault(name, FaultKind::Unknown, message);
        }
        self.faults.or(())
    }
}

/// Returns the message for an unknown parameter of an address with few parameters: it lists them.
pub fn unknown_among(known: &[&str]) -> String {
    match known {
        [] => "is not a parameter of this address, which has none".to_owned(),
        [only] => format!("is not a parameter of this address; it has `{only}`"),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("is not a parameter of this address; it has {} and `{last}`", first.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(reader: ParameterReader) -> Vec<(String, FaultKind)> {
        let finished = reader.finish(|_| unknown_among(&["a", "b", "c"]));
        let faults = finished.err().map(Faults::into_list).unwrap_or_default();
        faults.into_iter().map(|fault| (fault.field, fault.kind)).collect()
    }

    #[test]
    fn parameters_are_taken_once_and_the_rest_is_unknown() {
        let mut reader = ParameterReader::of_query("n=5&on=true&x=1&x=2&k.a=3&y&y");
        assert_eq!(reader.whole_number("n", 1..=9), Some(5));
        assert_eq!(reader.flag("on"), Some(true));
        assert_eq!(reader.all("x"), ["1", "2"]);
        assert_eq!(reader.all_with_prefix("k."), [Pair { name: "k.a".to_owned(), value: "3".to_owned() }]);
        assert_eq!(finish(reader), [("y".to_owned(), FaultKind::Unknown)]);
        assert_eq!(
            unknown_among(&["a", "b", "c"]),
            "is not a parameter of this address; it has `a`, `b` and `c`"
        );
    }

    #[test]
    fn every_fault_is_reported() {
        let mut reader = ParameterReader::of_query("n=10&m=x&on=yes&one=1&one=2&l=&z=%zz");
        assert_eq!(reader.whole_number("n", 1..=9), None);
        assert_eq!(reader.whole_number("m", 1..=9), None);
        assert_eq!(reader.flag("on"), None);
        assert_eq!(reader.one("one").as_deref(), Some("1"));
        let empty = |text: &str| match text {
            "" => Err((FaultKind::Missing, "must not be empty".to_owned())),
            text => Ok(text.to_owned()),
        };
        assert_eq!(reader.list("l", empty), [""; 0]);
        let expected = [
            ("z", FaultKind::Malformed),
            ("n", FaultKind::OutOfRange),
            ("m", FaultKind::Malformed),
            ("on", FaultKind::Malformed),
            ("one", FaultKind::Repeated),
            ("l", FaultKind::Missing),
        ];
        assert_eq!(finish(reader), expected.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn only_the_first_unknown_parameters_get_a_suggestion() {
        let reader = ParameterReader::of_query("a&b&c&d&e");
        let suggested = std::cell::Cell::new(0);
        let faults = reader.finish(|_| {
            suggested.set(suggested.get() + 1);
            "did you mean `x`?".to_owned()
        });
        assert_eq!((faults.unwrap_err().count(), suggested.get()), (5, MAX_HINTS));
    }

    #[test]
    fn too_many_parameters_are_one_fault() {
        let reader = ParameterReader::of_query(&"a=1&".repeat(101));
        assert_eq!(finish(reader), [(String::new(), FaultKind::OutOfRange)]);
    }
}
