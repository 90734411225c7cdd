use super::*;
use crate::fault::FaultKind;
use crate::money::Currency;

fn faults(json: &str) -> Vec<(String, FaultKind)> {
    match read_product(json.as_bytes(), Currency::USD) {
        Err(InputError::Faults(faults)) => {
            assert_eq!(faults.omitted(), 0);
            faults.into_list().into_iter().map(|fault| (fault.field, fault.kind)).collect()
        }
        other => panic!("expected faults, got {other:?}"),
    }
}

#[test]
fn every_fault_is_reported_at_once() {
    let found = faults(
        r#"{"id":"a/b","price":-1,"currency":"XXXX","tags":["ok",3],"colour":"red","stock":1.5,
            "attributes":{"size":{"w":1}},"images":["ftp://x"],"status":"sold","Brand":"x"}"#,
    );
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    let expected = [
        "colour",
        "Brand",
        "id",
        "name",
        "tags.1",
        "currency",
        "price",
        "attributes.size",
        "images.0",
        "stock",
        "status",
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_price_keeps_its_digits() {
    let input = read_product(br#"{"name":"x","price":4503599627370.49}"#, Currency::USD).unwrap();
    assert_eq!(input.content.price.unwrap().minor_units(), 450_359_962_737_049);
    assert_eq!(faults(r#"{"name":"x","price":1.234}"#), [("price".to_owned(), FaultKind::OutOfRange)]);
    assert_eq!(faults(r#"{"name":"x","price":"1"}"#), [("price".to_owned(), FaultKind::WrongType)]);
}

#[test]
fn a_product_that_was_read_can_be_sent_back() {
    let json = r#"{"name":"x","version":3,"createdAt":"2026-01-01T00:00:00Z","updatedAt":null,"sku":null}"#;
    assert_eq!(read_product(json.as_bytes(), Currency::USD).unwrap().content.sku, None);
}

#[test]
fn broken_json_says_where() {
    let error = read_product(b"{\"name\": \"x\",\n}", Currency::USD).unwrap_err();
    assert!(matches!(&error, InputError::Syntax(text) if text.contains("line 2")), "{error}");
    assert_eq!(faults("[1]"), [(String::new(), FaultKind::WrongType)]);
    assert_eq!(faults(r#"{"name":"x","name":"y"}"#), [("name".to_owned(), FaultKind::Repeated)]);
}

#[test]
fn a_product_over_the_limit_is_refused() {
    let json = |length| format!(r#"{{"name":"x","description":"{}"}}"#, "a".repeat(length));
    assert!(read_product(json(199 * 1024).as_bytes(), Currency::USD).is_ok());
    assert_eq!(faults(&json(201 * 1024)), [(String::new(), FaultKind::OutOfRange)]);
}

#[test]
fn a_length_is_checked_before_the_contents() {
    let list = |item: &str, count: usize| vec![item; count].join(",");
    let keys = |count: usize| (0..count).map(|key| format!(r#""k{key}":{{}}"#)).collect::<Vec<_>>().join(",");
    let one = |field: &str| vec![(field.to_owned(), FaultKind::OutOfRange)];
    for (json, field) in [
        (format!(r#"{{"name":"x","tags":[{}]}}"#, list("1", 101)), "tags"),
        (format!(r#"{{"name":"x","images":[{}]}}"#, list("\"\"", 520_000)), "images"),
        (format!(r#"{{"name":"x","attributes":{{{}}}}}"#, keys(1001)), "attributes"),
        (format!(r#"{{"name":"x","attributes":{{"a":[{}]}}}}"#, list("1", 68_267)), "attributes.a"),
        (format!("{{{}}}", keys(1001)), ""),
    ] {
        assert_eq!(faults(&json), one(field), "{}", &json[..60]);
    }
    assert_eq!(faults(&format!(r#"{{"name":"x","tags":[{}]}}"#, list("1", 30))).len(), 30);
}

#[test]
fn faults_beyond_the_first_are_counted() {
    let keys: Vec<String> = (0..1000).map(|key| format!(r#""k{key}":{{}}"#)).collect();
    let json = format!(r#"{{"name":"x","attributes":{{{}}}}}"#, keys.join(","));
    let Err(InputError::Faults(faults)) = read_product(json.as_bytes(), Currency::USD) else { panic!() };
    assert_eq!((faults.listed().len(), faults.omitted()), (50, 950));
}
