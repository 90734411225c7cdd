//! Records of foreign catalogues and the products they become.

use super::*;

fn mapped(line: &str) -> Mapped {
    map_record(line.as_bytes(), None).unwrap_or_else(|faults| panic!("{line}: {faults:?}"))
}

fn rewritten(line: &str) -> String {
    String::from_utf8(mapped(line).rewritten.expect("the record must be rewritten")).unwrap()
}

fn fault(line: &str) -> (String, String) {
    let faults = map_record(line.as_bytes(), None).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    (faults[0].field.clone(), faults[0].message.clone())
}

#[test]
fn a_complete_product_is_left_as_it_is() {
    let line = r#"{"id":"a","version":3,"createdAt":"2026-01-01T00:00:00Z","name":"x","price":1.50,
        "currency":"USD","tags":["t"],"attributes":{"w":1.0},"stock":3,"category":"A > B"}"#;
    let mapped = mapped(line);
    assert_eq!((mapped.rewritten, mapped.id.as_str(), mapped.origin), (None, "\"a\"", IdOrigin::Given));
}

#[test]
fn extra_fields_become_attributes_and_those_of_the_product_win() {
    let line = r#"{"id":"1","name":"x","model":"80","ean":["1","2"],"popularity":21,"sold":null,"note":" ",
        "size":{"w":1.10,"d":{"e":true}},"attributes":{"model":"own","sizes":[1,2.50,"L",null]}}"#;
    let expected = r#"{"id":"1","name":"x","attributes":{"model":"own","sizes":["1","2.50","L"],"#.to_owned()
        + r#""ean":["1","2"],"popularity":21,"size.w":1.10,"size.d.e":true}}"#;
    assert_eq!(rewritten(line), expected);
}

#[test]
fn the_levels_of_a_foreign_record_become_a_path() {
    let category = |json: &str| rewritten(&format!(r#"{{"id":"1","name":"x","hue":1,{json}}}"#));
    let product = |json: &str| format!(r#"{{"id":"1","name":"x",{json},"attributes":{{"hue":1}}}}"#);
    assert_eq!(category(r#""categories":["A"," B ",""]"#), product(r#""category":"A > B""#));
    assert_eq!(category(r#""category":["A","B > C"]"#), product(r#""category":"A > B / C""#));
    assert_eq!(category(r#""categories":"A > B""#), product(r#""category":"A > B""#));
    let unclear = r#"{"id":"1","name":"x","category":"Own","attributes":{"hue":1,"categories":["A"]}}"#;
    assert_eq!(category(r#""categories":["A"],"category":"Own""#), unclear);
}

#[test]
fn paths_of_a_foreign_record_are_categories() {
    let categories = |json: &str| rewritten(&format!(r#"{{"id":"1","name":"x","hue":1,{json}}}"#));
    let product = |json: &str| format!(r#"{{"id":"1","name":"x",{json},"attributes":{{"hue":1}}}}"#);
    assert_eq!(categories(r#""categories":["A>B"," C ",""]"#), product(r#""categories":["A > B","C"]"#));
    // The main one comes first.
    let list = r#""category":"C","categories":["C","A"]"#;
    assert_eq!(categories(r#""category":"C","categories":["A","C"]"#), product(list));
    let list = r#""category":"D","categories":["D","A > B"]"#;
    assert_eq!(categories(r#""category":"D","categories":["A > B"]"#), product(list));
    // Those that a product cannot have are kept.
    let paths: Vec<String> = (0..12).map(|number| format!("A > {number}")).collect();
    let json = serde_json::to_string(&paths).unwrap();
    let expected = format!(
        r#"{{"id":"1","name":"x","categories":{},"attributes":{{"hue":1,"categories":["A > 10","A > 11"]}}}}"#,
        serde_json::to_string(&paths[..10]).unwrap()
    );
    assert_eq!(categories(&format!(r#""categories":{json}"#)), expected);
}

#[test]
fn the_categories_of_an_own_record_are_paths() {
    let complete = r#"{"id":"1","name":"x","category":"Lamps","categories":["Lamps","Sale"],"version":3}"#;
    assert!(map_record(complete.as_bytes(), None).unwrap().rewritten.is_none());
    // A price as text has to be rewritten.
    let record = r#"{"id":"1","name":"x","price":"5.00","categories":["Lamps","Sale"]}"#;
    assert_eq!(rewritten(record), r#"{"id":"1","name":"x","price":5.00,"categories":["Lamps","Sale"]}"#);
}

#[test]
fn labels_have_one_line_and_their_own_characters() {
    let line = "{\"id\":\"1\",\"name\":\"Insignia\u{99} \\u0093Case\\u0094\\r\\nred\",\"brand\":\"5\\\" disc\",\
                \"description\":\"a\\nb\"}";
    let expected = r#"{"id":"1","name":"Insignia™ “Case” red","brand":"5\" disc","description":"a\nb"}"#;
    assert_eq!(rewritten(line), expected);
}

#[test]
fn texts_become_numbers_exactly_or_stay_to_be_faulted() {
    let line = r#"{"ID":7,"name":"x","price":" 19.90 ","currency":"EUR","stock":"3","sku":12}"#;
    let expected = r#"{"id":"7","name":"x","price":19.90,"currency":"EUR","stock":3,"sku":"12"}"#;
    assert_eq!(rewritten(line), expected);
    assert!(rewritten(r#"{"id":"1","price":"12,50"}"#).contains(r#""price":12.50"#));
    assert!(rewritten(r#"{"id":"1","price":"1,250"}"#).contains(r#""price":"1,250""#));
    assert_eq!(rewritten(r#"{"id":"1","name":"x","price":"","currency":"EUR"}"#), r#"{"id":"1","name":"x"}"#);
}

#[test]
fn a_currency_that_was_asked_for_goes_to_prices_without_one() {
    let euro = Currency::parse("EUR").ok();
    let map = |line: &str| map_record(line.as_bytes(), euro).unwrap().rewritten.map(String::from_utf8);
    assert_eq!(
        map(r#"{"id":"1","price":1}"#),
        Some(Ok(r#"{"id":"1","price":1,"currency":"EUR"}"#.to_owned()))
    );
    assert_eq!(map(r#"{"id":"1","price":1,"currency":"USD"}"#), None);
    assert_eq!(map(r#"{"id":"1"}"#), None);
}

#[test]
fn what_no_attribute_can_hold_is_a_fault_that_names_it() {
    assert_eq!(fault(r#"{"id":"1","variants":[{"sku":"a"}]}"#).0, "variants");
    assert!(fault("[1]").1.contains("must be a JSON object"));
    let (_, message) = fault(r#"{"id":"1","#);
    assert!(message.starts_with("is not valid JSON") && message.contains("at character 10"), "{message}");
    let deep = format!("{}1{}", r#"{"a":"#.repeat(20), "}".repeat(20));
    assert!(fault(&format!(r#"{{"id":"1","deep":{deep}}}"#)).1.contains("nested"));
    // The name would be a part of each attribute.
    let (field, message) = fault(&format!(r#"{{"id":"1","{}":{{"a":1,"b":2}}}}"#, "k".repeat(1000)));
    assert_eq!((field.len(), message.contains("a name that is too long")), (128, true), "{message}");
}

#[test]
fn a_line_in_another_encoding_says_so() {
    for line in [&b"\xff\xfe{\0}\0"[..], b"{\"id\":\"1\",\"name\":\"caf\xe9\"}"] {
        let faults = map_record(line, None).err().unwrap();
        assert_eq!(faults[0].message, "is not UTF-8; save the file as UTF-8");
    }
}

#[test]
fn two_ids_are_not_silently_one() {
    assert_eq!(rewritten(r#"{"id":"1","ID":"2"}"#), r#"{"id":"1","id":"2"}"#);
}

#[test]
fn a_derived_id_stays_when_the_price_changes() {
    let id = |line: &str| {
        let mapped = mapped(line);
        assert_ne!(mapped.origin, IdOrigin::Given);
        domain::ProductId::parse(mapped.id.trim_matches('"')).unwrap()
    };
    let base = id(r#"{"name":"Cup","brand":"B","images":["https://x/1"],"price":1}"#);
    assert_eq!(base.as_str().len(), 32);
    assert_eq!(base, id(r#"{"price":"2","brand":"B","name":" Cup ","images":["https://x/1"],"stock":4}"#));
    assert_ne!(base, id(r#"{"name":"Cup","brand":"B","images":["https://x/2"],"price":1}"#));
    assert_ne!(base, id(r#"{"name":"Cup","brand":"C","images":["https://x/1"],"price":1}"#));
    assert_eq!(id(r#"{"name":"Cup","sku":"7"}"#), id(r#"{"name":"Mug","sku":7,"ean":"1"}"#));
    assert_eq!(id(r#"{"name":"Cup","ean":["4","5"]}"#), id(r#"{"name":"Mug","EAN":4}"#));
    assert_ne!(id(r#"{"name":"Cup","ean":"7"}"#), id(r#"{"name":"Cup","sku":"7"}"#));
}
