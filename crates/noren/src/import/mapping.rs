//! Turns a line of somebody's catalogue into a product of ours, as JSON to JSON: values are copied with the digits
//! they came with, and no tree is built. `docs/IMPORT.md` describes the rules.

use std::borrow::Cow;
use std::collections::HashSet;

use domain::input::{FIELDS, MAX_KEY_CHARS, READ_ONLY_FIELDS, RawObject};
use domain::{CategoryPath, Currency, Fault, FaultKind};
use serde_json::value::RawValue;

use super::identity;
use crate::raw_object::is_empty;

/// The most levels of nested objects that are flattened.
const MAX_NESTING: usize = 8;

/// A line as a product of ours.
#[derive(Debug)]
pub(super) struct Mapped {
    /// The product as JSON, with an id; none when the line is that already and can be taken as it is.
    pub(super) rewritten: Option<Vec<u8>>,
    /// The JSON of its id.
    pub(super) id: String,
    /// Whether the id was made here.
    pub(super) is_id_made: bool,
}

/// The names that a line of a rejects file has around the line that was rejected.
const REJECT_FIELDS: [&str; 4] = ["file", "line", "faults", "input"];

/// The line that a line of a rejects file tells of, so that a corrected rejects file can be imported again.
pub(super) fn unwrapped_reject(line: &[u8]) -> Option<Cow<'_, [u8]>> {
    if !line.starts_with(br#"{"file":"#) {
        return None;
    }
    let object: RawObject<'_> = serde_json::from_slice(line).ok()?;
    if !object.0.iter().map(|(key, _)| key.as_ref()).eq(REJECT_FIELDS) {
        return None;
    }
    let input = object.0.last()?.1.get();
    match input.starts_with('"') {
        true => serde_json::from_str::<String>(input).ok().map(|text| Cow::Owned(text.into_bytes())),
        false => Some(Cow::Borrowed(input.as_bytes())),
    }
}

/// Maps one line.
///
/// # Errors
/// The faults of a line that is no JSON object or has something in it that has no place in a product. Whether the
/// fields of the product themselves are right is left to whoever takes it.
pub(super) fn map_line(line: &[u8], currency: Option<Currency>) -> Result<Mapped, Vec<Fault>> {
    let object: RawObject<'_> = serde_json::from_slice(line).map_err(|error| vec![not_an_object(&error)])?;
    if let Some(id) = id_of_ours(&object, currency) {
        return Ok(Mapped { rewritten: None, id: id.to_owned(), is_id_made: false });
    }
    let mut product = Product::default();
    for (key, raw) in &object.0 {
        product.take(key, raw);
    }
    product.finish(&object, line.len(), currency)
}

fn not_an_object(error: &serde_json::Error) -> Fault {
    match error.classify() {
        serde_json::error::Category::Data => {
            Fault::new("", FaultKind::WrongType, "must be a JSON object, one product a line")
        }
        _ => {
            let what = error.to_string();
            // It is always line 1 of the line at hand, which says nothing to a person with a file.
            let what = what.replace(" at line 1 column ", " at character ");
            Fault::new("", FaultKind::Malformed, format!("is not valid JSON: {what}; correct the line"))
        }
    }
}

/// The JSON of the id, when no field of the line needs any work. Most lines are so, and they should cost next to
/// nothing.
fn id_of_ours<'a>(object: &RawObject<'a>, currency: Option<Currency>) -> Option<&'a str> {
    let mut id = None;
    let (mut has_price, mut has_currency) = (false, currency.is_none());
    for (key, raw) in &object.0 {
        let json = raw.get();
        let is_text = || json.starts_with('"') && !is_empty(raw);
        let fits = match key.as_ref() {
            "id" => {
                id = Some(json);
                is_text()
            }
            "price" => {
                has_price = true;
                !json.starts_with(['"', 'n'])
            }
            "currency" => {
                has_currency = true;
                is_text()
            }
            "stock" => !json.starts_with('"'),
            "name" | "brand" | "category" | "sku" => is_text() && !may_have_controls(json),
            "description" | "status" => is_text(),
            // Only lists and objects among the attributes can need work.
            "attributes" => {
                json.starts_with('{') && !json.as_bytes()[1..].iter().any(|byte| matches!(byte, b'[' | b'{'))
            }
            "tags" | "images" => true,
            key => READ_ONLY_FIELDS.contains(&key),
        };
        if !fits {
            return None;
        }
    }
    id.filter(|_| has_currency || !has_price)
}

/// A product being put together: fields and attributes with their JSON.
#[derive(Default)]
struct Product<'a> {
    fields: Vec<(&'static str, Cow<'a, str>)>,
    categories: Option<&'a RawValue>,
    attributes: Option<&'a RawValue>,
    extras: Vec<(String, Cow<'a, str>)>,
    faults: Vec<Fault>,
}

impl<'a> Product<'a> {
    fn take(&mut self, key: &'a str, raw: &'a RawValue) {
        if READ_ONLY_FIELDS.contains(&key) || is_empty(raw) {
            return;
        }
        let field = FIELDS.iter().find(|field| field.eq_ignore_ascii_case(key));
        match field {
            Some(&"attributes") if raw.get().starts_with('{') && self.attributes.is_none() => {
                self.attributes = Some(raw);
            }
            Some(&field) => self.fields.push((field, field_value(field, raw))),
            None if key.eq_ignore_ascii_case("categories") => self.categories = Some(raw),
            None => self.take_extra(key, raw, MAX_NESTING),
        }
    }

    /// A value under a key that is no field of a product: an attribute.
    fn take_extra(&mut self, key: &str, raw: &'a RawValue, nesting: usize) {
        let json = raw.get();
        match json.as_bytes().first() {
            _ if is_empty(raw) => {}
            Some(b'{') if nesting > 0 => {
                let Ok(object) = serde_json::from_str::<RawObject<'_>>(json) else { return };
                for (inner, raw) in object.0 {
                    self.take_extra(&format!("{key}.{inner}"), raw, nesting - 1);
                }
            }
            Some(b'{') => self.fault(key, "is nested too deeply; flatten it or leave it out"),
            Some(b'[') => match list_of_texts(json) {
                Some(list) => self.extras.push((key.to_owned(), Cow::Owned(list))),
                None => self.fault(
                    key,
                    "is a list of lists or objects, which no attribute can be; flatten it or leave it out",
                ),
            },
            _ => self.extras.push((key.to_owned(), Cow::Borrowed(json))),
        }
    }

    fn fault(&mut self, key: &str, message: &str) {
        let shown: String = key.chars().take(MAX_KEY_CHARS).collect();
        self.faults.push(Fault::new(shown, FaultKind::WrongType, message));
    }

    fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(field, _)| *field == name)
    }

    /// Writes the product, or tells what has no place in it.
    fn finish(
        mut self,
        object: &RawObject<'_>,
        length: usize,
        currency: Option<Currency>,
    ) -> Result<Mapped, Vec<Fault>> {
        if let Some(categories) = self.categories.take() {
            match category_text(categories).filter(|_| !self.has("category")) {
                Some(text) => self.fields.push(("category", Cow::Owned(text))),
                None => self.take_extra("categories", categories, MAX_NESTING),
            }
        }
        match currency {
            // A currency alone says nothing; foreign exports write it into every line.
            _ if !self.has("price") => self.fields.retain(|(field, _)| *field != "currency"),
            Some(currency) if !self.has("currency") => {
                self.fields.push(("currency", Cow::Owned(format!("\"{currency}\""))));
            }
            _ => {}
        }
        let given = self.fields.iter().find(|(field, _)| *field == "id").map(|(_, id)| id.to_string());
        let is_id_made = given.is_none();
        let id = given.unwrap_or_else(|| format!("\"{}\"", identity::made_id(object)));
        let mut out = Vec::with_capacity(length + 64);
        out.push(b'{');
        if is_id_made {
            write_field("id", &id, &mut out);
        }
        for (field, json) in &self.fields {
            write_field(field, json, &mut out);
        }
        self.write_attributes(&mut out);
        out.push(b'}');
        match self.faults.is_empty() {
            true => Ok(Mapped { rewritten: Some(out), id, is_id_made }),
            false => Err(self.faults),
        }
    }

    /// Attributes first, then the extra fields whose keys are still free.
    fn write_attributes(&mut self, out: &mut Vec<u8>) {
        let mut extras = std::mem::take(&mut self.extras);
        if let Some(attributes) = self.attributes {
            let own: RawObject<'a> = match serde_json::from_str(attributes.get()) {
                Ok(own) => own,
                Err(_) => RawObject(Vec::new()),
            };
            for (key, raw) in own.0 {
                self.take_extra(&key, raw, MAX_NESTING);
            }
        }
        let own = std::mem::take(&mut self.extras);
        let taken: HashSet<&str> = own.iter().map(|(key, _)| key.as_str()).collect();
        extras.retain(|(key, _)| !taken.contains(key.as_str()));
        if own.is_empty() && extras.is_empty() {
            return;
        }
        write_key("attributes", out);
        out.push(b'{');
        for (key, json) in own.iter().chain(&extras) {
            write_field(key, json, out);
        }
        out.push(b'}');
    }
}

/// The JSON of a field, in the type that our field has where it is clear what is meant.
fn field_value<'a>(field: &str, raw: &'a RawValue) -> Cow<'a, str> {
    let json = raw.get();
    let is_number = |json: &str| json.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    match field {
        "price" | "stock" if json.starts_with('"') => {
            let digits = json[1..json.len() - 1].trim();
            let is_json_number = is_number(digits) && serde_json::from_str::<&RawValue>(digits).is_ok();
            Cow::Borrowed(if is_json_number { digits } else { json })
        }
        "id" | "sku" if is_number(json) => Cow::Owned(format!("\"{json}\"")),
        "category" if json.starts_with('[') => category_text(raw).map_or(Cow::Borrowed(json), Cow::Owned),
        "name" | "brand" | "category" | "sku" if may_have_controls(json) => {
            let text = serde_json::from_str::<String>(json);
            text.map_or(Cow::Borrowed(json), |text| Cow::Owned(text_json(&without_controls(&text))))
        }
        _ => Cow::Borrowed(json),
    }
}

/// The category path of a list of levels, broad to narrow, as the JSON of a text. A `>` inside a level would read
/// as two levels, so it becomes a `/`.
fn category_text(raw: &RawValue) -> Option<String> {
    if raw.get().starts_with('"') {
        return Some(raw.get().to_owned());
    }
    let levels: Vec<Cow<'_, str>> = serde_json::from_str(raw.get()).ok()?;
    let levels = levels.iter().map(|level| without_controls(level).trim().replace('>', "/"));
    let path = levels.filter(|level| !level.is_empty()).collect::<Vec<_>>().join(CategoryPath::SEPARATOR);
    Some(text_json(&path))
}

/// Whether the JSON of a text may have control characters in it, as they are or escaped. It may say yes to others.
fn may_have_controls(json: &str) -> bool {
    let bytes = json.as_bytes();
    bytes.contains(&b'\\')
        || bytes.windows(2).any(|pair| pair[0] == 0xc2 && (0x80..=0x9f).contains(&pair[1]))
        || bytes.contains(&0x7f)
}

/// What the characters U+0080 to U+009F were, before a text in Windows-1252 was taken for Latin-1. Spaces stand for
/// the five that it does not have.
const WINDOWS_1252: &str = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/// A text of one line: line breaks and other control characters become single spaces, and what is left of a wrong
/// character set what it was.
fn without_controls(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        let shown = match u32::from(c) {
            code @ 0x80..=0x9f => WINDOWS_1252.chars().nth(code as usize - 0x80).unwrap_or(' '),
            _ if c.is_control() => ' ',
            _ => c,
        };
        if shown == c || shown != ' ' || !clean.ends_with(' ') {
            clean.push(shown);
        }
    }
    clean
}

/// The JSON of a text.
fn text_json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A list as the JSON of a list of texts, numbers and flags written as they came; none for a list with lists or
/// objects in it.
fn list_of_texts(json: &str) -> Option<String> {
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let mut list = String::with_capacity(json.len() + 2 * elements.len());
    list.push('[');
    for element in elements.into_iter().filter(|element| element.get() != "null") {
        let element = element.get();
        if list.len() > 1 {
            list.push(',');
        }
        match element.as_bytes().first() {
            Some(b'"') => list.push_str(element),
            Some(b'[' | b'{') | None => return None,
            Some(_) => list.push_str(&format!("\"{element}\"")),
        }
    }
    list.push(']');
    Some(list)
}

pub(super) fn write_field(key: &str, json: &str, out: &mut Vec<u8>) {
    write_key(key, out);
    out.extend_from_slice(json.as_bytes());
}

pub(super) fn write_key(key: &str, out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    write_text(key, out);
    out.push(b':');
}

/// Writes a text as JSON.
pub(super) fn write_text(text: &str, out: &mut Vec<u8>) {
    // Writing to memory cannot fail, and every text has a JSON form.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(line: &str) -> Mapped {
        map_line(line.as_bytes(), None).unwrap_or_else(|faults| panic!("{line}: {faults:?}"))
    }

    fn rewritten(line: &str) -> String {
        String::from_utf8(mapped(line).rewritten.expect("the line needs work")).unwrap()
    }

    fn fault(line: &str) -> (String, String) {
        let faults = map_line(line.as_bytes(), None).unwrap_err();
        assert_eq!(faults.len(), 1, "{faults:?}");
        (faults[0].field.clone(), faults[0].message.clone())
    }

    #[test]
    fn our_own_products_are_left_alone() {
        let line = r#"{"id":"a","version":3,"createdAt":"2026-01-01T00:00:00Z","name":"x","price":1.50,
            "currency":"USD","tags":["t"],"attributes":{"w":1.0},"stock":3,"category":"A > B"}"#;
        let mapped = mapped(line);
        assert_eq!((mapped.rewritten, mapped.id.as_str(), mapped.is_id_made), (None, "\"a\"", false));
    }

    #[test]
    fn extra_fields_become_attributes_and_those_of_the_product_win() {
        let line = r#"{"id":"1","name":"x","model":"80","ean":["1","2"],"popularity":21,"sold":null,"note":" ",
            "size":{"w":1.10,"d":{"e":true}},"attributes":{"model":"own","sizes":[1,2.50,"L",null]}}"#;
        let expected = r#"{"id":"1","name":"x","attributes":{"model":"own","sizes":["1","2.50","L"],"#
            .to_owned()
            + r#""ean":["1","2"],"popularity":21,"size.w":1.10,"size.d.e":true}}"#;
        assert_eq!(rewritten(line), expected);
    }

    #[test]
    fn categories_become_a_path() {
        let category = |json: &str| rewritten(&format!(r#"{{"id":"1","name":"x",{json}}}"#));
        let start = r#"{"id":"1","name":"x","#;
        assert_eq!(
            category(r#""categories":["A"," B > C ",""]"#),
            format!(r#"{start}"category":"A > B / C"}}"#)
        );
        assert_eq!(category(r#""category":["A","B"]"#), format!(r#"{start}"category":"A > B"}}"#));
        assert_eq!(
            category(r#""categories":["A"],"category":"Own""#),
            format!(r#"{start}"category":"Own","attributes":{{"categories":["A"]}}}}"#)
        );
    }

    #[test]
    fn labels_have_one_line_and_their_own_characters() {
        let line = "{\"id\":\"1\",\"name\":\"Insignia\u{99} \\u0093Case\\u0094\\r\\nred\",\"brand\":\"5\\\" disc\",\
                    \"description\":\"a\\nb\"}";
        let expected = r#"{"id":"1","name":"Insignia™ “Case” red","brand":"5\" disc","description":"a\nb"}"#;
        assert_eq!(rewritten(line), expected);
        assert_eq!(WINDOWS_1252.chars().count(), 32);
    }

    #[test]
    fn texts_become_numbers_exactly_or_stay_to_be_faulted() {
        let line = r#"{"ID":7,"name":"x","price":" 19.90 ","currency":"EUR","stock":"3","sku":12}"#;
        let expected = r#"{"id":"7","name":"x","price":19.90,"currency":"EUR","stock":3,"sku":"12"}"#;
        assert_eq!(rewritten(line), expected);
        assert!(rewritten(r#"{"id":"1","price":"12,50"}"#).contains(r#""price":"12,50""#));
        assert_eq!(
            rewritten(r#"{"id":"1","name":"x","price":"","currency":"EUR"}"#),
            r#"{"id":"1","name":"x"}"#
        );
    }

    #[test]
    fn a_currency_that_was_asked_for_goes_to_prices_without_one() {
        let euro = Currency::parse("EUR").ok();
        let map = |line: &str| map_line(line.as_bytes(), euro).unwrap().rewritten.map(String::from_utf8);
        assert_eq!(
            map(r#"{"id":"1","price":1}"#),
            Some(Ok(r#"{"id":"1","price":1,"currency":"EUR"}"#.to_owned()))
        );
        assert_eq!(map(r#"{"id":"1","price":1,"currency":"USD"}"#), None);
        assert_eq!(map(r#"{"id":"1"}"#), None);
    }

    #[test]
    fn what_has_no_place_is_a_fault_that_names_it() {
        assert_eq!(fault(r#"{"id":"1","variants":[{"sku":"a"}]}"#).0, "variants");
        assert!(fault("[1]").1.contains("must be a JSON object"));
        let (_, message) = fault(r#"{"id":"1","#);
        assert!(message.starts_with("is not valid JSON") && message.contains("at character 10"), "{message}");
        let deep = format!("{}1{}", r#"{"a":"#.repeat(20), "}".repeat(20));
        assert!(fault(&format!(r#"{{"id":"1","deep":{deep}}}"#)).1.contains("nested"));
    }

    #[test]
    fn two_ids_are_not_silently_one() {
        assert_eq!(rewritten(r#"{"id":"1","ID":"2"}"#), r#"{"id":"1","id":"2"}"#);
    }

    #[test]
    fn a_made_id_stays_when_the_price_changes() {
        let id = |line: &str| {
            let mapped = mapped(line);
            assert!(mapped.is_id_made);
            domain::ProductId::parse(mapped.id.trim_matches('"')).unwrap()
        };
        let base = id(r#"{"name":"Cup","brand":"B","images":["https://x/1"],"price":1}"#);
        assert_eq!(base.as_str().len(), 32);
        assert_eq!(
            base,
            id(r#"{"price":"2","brand":"B","name":" Cup ","images":["https://x/1"],"stock":4}"#)
        );
        assert_ne!(base, id(r#"{"name":"Cup","brand":"B","images":["https://x/2"],"price":1}"#));
        assert_ne!(base, id(r#"{"name":"Cup","brand":"C","images":["https://x/1"],"price":1}"#));
        assert_eq!(id(r#"{"name":"Cup","sku":"7"}"#), id(r#"{"name":"Mug","sku":7,"ean":"1"}"#));
        assert_eq!(id(r#"{"name":"Cup","ean":["4","5"]}"#), id(r#"{"name":"Mug","EAN":4}"#));
        assert_ne!(id(r#"{"name":"Cup","ean":"7"}"#), id(r#"{"name":"Cup","sku":"7"}"#));
    }

    #[test]
    fn a_rejects_line_gives_its_product_back() {
        let unwrapped = |line: &str| unwrapped_reject(line.as_bytes()).map(|line| line.into_owned());
        assert_eq!(
            unwrapped(r#"{"file":"f","line":1,"faults":[],"input":{"id":"1"}}"#),
            Some(br#"{"id":"1"}"#.to_vec())
        );
        assert_eq!(
            unwrapped(r#"{"file":"f","line":1,"faults":[],"input":"{\"id\""}"#),
            Some(br#"{"id""#.to_vec())
        );
        assert_eq!(unwrapped(r#"{"file":"f","name":"a real product"}"#), None);
    }
}
