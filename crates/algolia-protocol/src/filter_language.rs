//! The language of `filters`: `brand:"Acme" AND (colour:red OR colour:blue) AND NOT price > 100`.
//!
//! ```text
//! any       = all {"OR" all}
//! all       = one {"AND" one}
//! one       = "NOT" one | "(" any ")" | condition
//! condition = name ":" value | name ":" number "TO" number | name operator number
//! ```
//!
//! As at Algolia, the filter must be a conjunction of disjunctions: an `AND` within an `OR` is refused. Strings may be in single or
//! double quotation marks, in which a backslash escapes the mark or another backslash.

use crate::condition::{Condition, OPERATORS};
use crate::filters::{Group, MAX_CONDITIONS};

/// The longest text, in bytes.
const MAX_BYTES: usize = 8 * 1024;
/// The deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 20;

/// Reads `filters`.
///
/// # Errors
/// A message that follows the name of the parameter.
pub(crate) fn parse(text: &str) -> Result<Vec<Group>, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("must have at most {MAX_BYTES} bytes"));
    }
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let mut parser = Parser { text, at: 0, depth: 0, conditions: 0 };
    let groups = parser.any(false)?;
    match parser.rest() {
        None => Ok(groups),
        Some(_) => Err(parser.unexpected("`AND`, `OR` or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    conditions: usize,
}

impl Parser<'_> {
    /// Reads terms with `OR` between them. Under a `NOT` they are a conjunction (De Morgan's laws).
    fn any(&mut self, is_negated: bool) -> Result<Vec<Group>, String> {
        let mut parts = vec![self.all(is_negated)?];
        while self.keyword("OR") {
            parts.push(self.all(is_negated)?);
        }
        if is_negated { Ok(parts.concat()) } else { one_of(parts) }
    }

    /// Reads terms with `AND` between them. Under a `NOT` they are a disjunction.
    fn all(&mut self, is_negated: bool) -> Result<Vec<Group>, String> {
        let mut parts = vec![self.one(is_negated)?];
        while self.keyword("AND") {
            parts.push(self.one(is_negated)?);
        }
        if is_negated { one_of(parts) } else { Ok(parts.concat()) }
    }

    fn one(&mut self, is_negated: bool) -> Result<Vec<Group>, String> {
        // The condition inside the parentheses takes a level too.
        if self.depth > MAX_DEPTH {
            return Err(format!("nests parentheses and `NOT` more than {MAX_DEPTH} deep"));
        }
        self.depth += 1;
        let read = if self.keyword("NOT") {
            self.one(!is_negated)?
        } else if self.symbol("(") {
            let inner = self.any(is_negated)?;
            if !self.symbol(")") {
                return Err(self.unexpected("`)`"));
            }
            inner
        } else {
            let mut condition = self.condition()?;
            condition.is_negated ^= is_negated;
            vec![Group { conditions: vec![condition], is_list: false }]
        };
        self.depth -= 1;
        Ok(read)
    }

    fn condition(&mut self) -> Result<Condition, String> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(format!("has more than {MAX_CONDITIONS} conditions"));
        }
        let name = self.word(&[':', '<', '>', '=', '!', ')', '('])?;
        if let Some(operator) = OPERATORS.into_iter().find(|sign| self.symbol(sign)) {
            return Condition::compare(&name, operator, &self.word(&[')', '('])?);
        }
        if !self.symbol(":") {
            return Err(self.unexpected("`:` or a comparison"));
        }
        let value = self.word(&[')', '('])?;
        match self.keyword("TO") {
            true => Condition::between(&name, &value, &self.word(&[')', '('])?),
            // Unlike in `facetFilters`, a minus is part of the value.
            false => Condition::is(&name, value),
        }
    }

    /// Reads a quoted string, or a word up to whitespace or a character in `ends`.
    fn word(&mut self, ends: &[char]) -> Result<String, String> {
        if self.rest().is_none() {
            return Err(self.unexpected("a name or a value"));
        }
        let rest = &self.text[self.at..];
        if let Some(mark) = rest.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            return self.quoted(mark);
        }
        let is_end = |c: char| c.is_whitespace() || ends.contains(&c);
        let word = &rest[..rest.find(is_end).unwrap_or(rest.len())];
        if word.is_empty() || ["AND", "OR", "NOT"].contains(&word) {
            return Err(self.unexpected("a name or a value"));
        }
        let word = word.to_owned();
        self.at += word.len();
        Ok(word)
    }

    fn quoted(&mut self, mark: char) -> Result<String, String> {
        let mut text = String::new();
        let mut is_escaped = false;
        for (at, c) in self.text[self.at..].char_indices().skip(1) {
            match c {
                '\\' if !is_escaped => is_escaped = true,
                c if c == mark && !is_escaped => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => {
                    if is_escaped && c != mark && c != '\\' {
                        text.push('\\');
                    }
                    text.push(c);
                    is_escaped = false;
                }
            }
        }
        Err(format!("has a string at character {} that lacks its closing {mark}", self.position()))
    }

    /// Skips whitespace. Returns the rest, or `None` at the end.
    fn rest(&mut self) -> Option<&str> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        Some(&self.text[self.at..]).filter(|rest| !rest.is_empty())
    }

    /// Consumes a symbol and returns true if it is next.
    fn symbol(&mut self, symbol: &str) -> bool {
        let is_next = self.rest().is_some_and(|rest| rest.starts_with(symbol));
        if is_next {
            self.at += symbol.len();
        }
        is_next
    }

    /// Consumes a keyword and returns true if it is next, followed by whitespace, `(` or the end.
    fn keyword(&mut self, keyword: &str) -> bool {
        let after = self.rest().and_then(|rest| rest.strip_prefix(keyword));
        let is_next = after.is_some_and(|after| {
            after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || c == '(')
        });
        if is_next {
            self.at += keyword.len();
        }
        is_next
    }

    fn position(&self) -> usize {
        self.text[..self.at].chars().count() + 1
    }

    fn unexpected(&mut self, expected: &str) -> String {
        let is_end = self.rest().is_none();
        let position = self.position();
        match is_end {
            true => format!("ends where {expected} is expected"),
            false => format!("has at character {position} something other than {expected}"),
        }
    }
}

/// Joins disjunctions into one.
///
/// # Errors
/// If one of several parts is a conjunction.
fn one_of(mut parts: Vec<Vec<Group>>) -> Result<Vec<Group>, String> {
    if let [_] = parts.as_slice() {
        return Ok(parts.remove(0));
    }
    let mut conditions = Vec::new();
    for mut part in parts {
        match (part.pop(), part.is_empty()) {
            (Some(group), true) => conditions.extend(group.conditions),
            _ => {
                return Err(
                    "has an `AND` within an `OR`; only an `OR` within an `AND` is possible".to_owned()
                );
            }
        }
    }
    Ok(vec![Group { conditions, is_list: false }])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::condition::Test;

    /// Writes groups as `a:1|!b:2 & c:3`.
    fn shown(text: &str) -> Result<String, String> {
        let condition = |condition: &Condition| {
            let value = match &condition.test {
                Test::Is(value) => value.clone(),
                Test::Range(_) => "range".to_owned(),
            };
            let name = condition.attribute.counted_field().map(|field| field.to_string()).unwrap_or_default();
            let not = if condition.is_negated { "!" } else { "" };
            format!("{not}{}:{value}", name.trim_start_matches("attributes."))
        };
        let group = |group: &Group| group.conditions.iter().map(condition).collect::<Vec<_>>().join("|");
        Ok(parse(text)?.iter().map(group).collect::<Vec<_>>().join(" & "))
    }

    #[test]
    fn conjunctions_of_disjunctions_are_read() {
        for (text, expected) in [
            ("", ""),
            ("brand:Acme", "brand:Acme"),
            (r#"brand:"Acme and sons" AND colour:'a "b"'"#, r#"brand:Acme and sons & colour:a "b""#),
            (r#"brand:"a \"b\" \c""#, r#"brand:a "b" \c"#),
            ("brand:A AND (colour:red OR colour:blue)", "brand:A & colour:red|colour:blue"),
            ("colour:red OR colour:blue AND (brand:A)", ""),
            ("NOT brand:A", "!brand:A"),
            ("NOT (brand:A OR colour:red)", "!brand:A & !colour:red"),
            ("NOT (brand:A AND colour:red)", "!brand:A|!colour:red"),
            ("NOT NOT brand:A", "brand:A"),
            ("((brand:A))", "brand:A"),
            ("price>=10 AND price < 20 AND width:1 TO 5", "price:range & price:range & width:range"),
            ("NOT price = 10", "!price:range"),
            ("\"my key\":1 OR x != 2", "my key:1|!x:range"),
            ("colour:-red", "colour:-red"),
            ("url:https://x.example/y", "url:https://x.example/y"),
            ("ANDROID:yes AND ORDER:1", "ANDROID:yes & ORDER:1"),
            ("categories.lvl0:\"Home > Lamps\"", "category:Home > Lamps"),
        ] {
            match expected {
                "" if !text.is_empty() => {
                    assert!(shown(text).unwrap_err().contains("within an `OR`"), "{text}")
                }
                expected => assert_eq!(shown(text).as_deref(), Ok(expected), "{text}"),
            }
        }
    }

    #[test]
    fn a_fault_names_its_place() {
        for (text, fault) in [
            ("brand", "`:` or a comparison"),
            ("brand:", "ends where a name or a value"),
            ("brand:A brand:B", "at character 9"),
            ("(brand:A", "ends where `)`"),
            ("brand:A)", "at character 8"),
            ("brand:A AND", "ends where a name or a value"),
            ("stock > 1", "`stock` cannot be filtered by"),
            ("brand:\"A", "string at character 7 that lacks its closing \""),
            ("price > ten", "`ten` is not a number"),
            ("brand > 1", "no numbers"),
        ] {
            let found = shown(text).unwrap_err();
            assert!(found.contains(fault), "{text}: {found}");
        }
        for (depth, is_read) in [(MAX_DEPTH, true), (MAX_DEPTH + 1, false)] {
            assert_eq!(parse(&format!("{}brand:A{}", "(".repeat(depth), ")".repeat(depth))).is_ok(), is_read);
        }
        assert!(parse(&"NOT ".repeat(4000)).is_err());
        assert!(parse(&vec!["a:b"; MAX_CONDITIONS + 1].join(" AND ")).is_err());
        assert!(parse(&"x".repeat(MAX_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a-c:<>=!()\"' \\\\]{0,24}|(AND |OR |NOT |a:b |\\(|\\)|c:1 TO 2 |é){0,12}") {
            let _ = parse(&text);
        }
    }
}
