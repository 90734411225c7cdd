//! JSON bodies of searches.

use super::*;
use crate::read;
use proptest::prelude::*;

fn read_search(query: &str, default_currency: Currency) -> Result<ParsedSearch, Faults> {
    read(Endpoint::Search, query, default_currency)
}

fn one(body: &str) -> ParsedSearch {
    match read_searches(body.as_bytes(), Currency::USD) {
        Ok(Searches::One(request)) => *request,
        other => panic!("{body}: {other:?}"),
    }
}

fn several(body: &str) -> Vec<ParsedSearch> {
    match read_searches(body.as_bytes(), Currency::USD) {
        Ok(Searches::Several(requests)) => requests,
        other => panic!("{body}: {other:?}"),
    }
}

fn faults(body: &str) -> Vec<(String, FaultKind)> {
    match read_searches(body.as_bytes(), Currency::USD) {
        Err(InputError::Faults(faults)) => {
            faults.into_list().into_iter().map(|fault| (fault.field, fault.kind)).collect()
        }
        other => panic!("{body}: {other:?}"),
    }
}

fn message(body: &str) -> String {
    read_searches(body.as_bytes(), Currency::USD).unwrap_err().to_string()
}

#[test]
fn a_body_says_what_a_query_string_says() {
    let body = r#"{"query":" gaming laptop","category":["Computers > Laptops"],"brand":["HP","Dell"],"tags":"new",
        "priceRange":["100-200.50","-5"],"inStock":true,"currency":"EUR","sortBy":"price_desc",
        "attributes":{"colour":["red","blue"],"width":"10..20.5","cores":8,"size":13.0,"wireless":[true]},
        "facets":["brand","attributes.a,b\\c"],"facetSize":7,"page":3,"pageSize":50}"#;
    let query = "query=gaming+laptop&category=Computers+%3E+Laptops&brand=HP&brand=Dell&tags=new\
         &priceRange=100-200.50&priceRange=-5&inStock=true&currency=EUR&sortBy=price_desc\
         &attributes.colour=red&attributes.colour=blue&attributes.width=10..20.5&attributes.cores=8\
         &attributes.size=13&attributes.wireless=true\
         &facets=brand,attributes.a\\,b\\\\c&facetSize=7&page=3&pageSize=50";
    assert_eq!(one(body), read_search(query, Currency::USD).unwrap());
    assert_eq!(one(r#"{"facets":["*","tags"]}"#), read_search("facets=*,tags", Currency::USD).unwrap());
    assert_eq!(one("{}"), read_search("", Currency::USD).unwrap());
    assert_eq!(one(r#"{"query":null,"brand":null,"attributes":{"a":null}}"#), one("{}"));
}

#[test]
fn there_is_a_field_for_every_parameter() {
    let names = table::of(Endpoint::Search).map(|parameter| parameter.name.trim_end_matches(".KEY"));
    let fields = table::of(Endpoint::Search).map(Parameter::field_name);
    assert_eq!(fields.collect::<Vec<_>>(), names.collect::<Vec<_>>());
    for parameter in table::of(Endpoint::Search) {
        assert_eq!(one(&format!("{{\"{}\":null}}", parameter.field_name())), one("{}"));
    }
}

#[test]
fn what_is_wrong_with_one_field_is_named() {
    use FaultKind::*;
    let cases = [
        ("[]", "", WrongType),
        ("\"lamp\"", "", WrongType),
        (r#"{"query":1}"#, "query", WrongType),
        (r#"{"query":["lamp"]}"#, "query", WrongType),
        (r#"{"brand":{"name":"HP"}}"#, "brand", WrongType),
        (r#"{"brand":["HP",null]}"#, "brand", WrongType),
        (r#"{"brand":""}"#, "brand", Malformed),
        (r#"{"inStock":"true"}"#, "inStock", WrongType),
        (r#"{"page":"1"}"#, "page", WrongType),
        (r#"{"page":1.0}"#, "page", Malformed),
        (r#"{"pageSize":101}"#, "pageSize", OutOfRange),
        (r#"{"priceRange":[10]}"#, "priceRange", WrongType),
        (r#"{"priceRange":"9-1"}"#, "priceRange", OutOfRange),
        (r#"{"attributes":["red"]}"#, "attributes", WrongType),
        (r#"{"attributes":{"a":{"min":1}}}"#, "attributes.a", WrongType),
        (r#"{"attributes":{"a":[["x"]]}}"#, "attributes.a", WrongType),
        (r#"{"attributes":{"":"x"}}"#, "attributes.", Malformed),
        (r#"{"attributes.colour":"red"}"#, "attributes.colour", Unknown),
        (r#"{"facets":"colour"}"#, "facets", Unknown),
        (r#"{"facets":"brand,category"}"#, "facets", Unknown),
        (r#"{"pricerange":"1-2"}"#, "pricerange", Unknown),
        (r#"{"prefix":"a"}"#, "prefix", Unknown),
        (r#"{"query":"a","query":"b"}"#, "query", Repeated),
        (r#"{"cursor":"abc"}"#, "cursor", Malformed),
        (r#"{"query":"a\u0000b"}"#, "query", Malformed),
        (r#"{"searches":null}"#, "searches", WrongType),
        (r#"{"searches":{}}"#, "searches", WrongType),
        (r#"{"searches":[]}"#, "searches", OutOfRange),
        (r#"{"searches":[1]}"#, "searches[0]", WrongType),
        (r#"{"searches":[{}],"query":"lamp"}"#, "query", Unknown),
        (r#"{"searches":[{},{"priceRange":"abc"}]}"#, "searches[1].priceRange", Malformed),
        (r#"{"searches":[{"searches":[]}]}"#, "searches[0].searches", Unknown),
    ];
    for (body, field, kind) in cases {
        assert_eq!(faults(body), [(field.to_owned(), kind)], "{body}");
    }
    assert!(matches!(read_searches(b"{\"query\":", Currency::USD), Err(InputError::Syntax(_))));
}

#[test]
fn faults_say_what_was_meant() {
    assert!(message(r#"{"pricerange":"1-2"}"#).contains("did you mean `priceRange`?"));
    assert!(message(r#"{"attributes.colour":"red"}"#).contains(r#"write {"attributes": {"colour": …}}"#));
    assert!(message(r#"{"attributes[colour]":"red"}"#).contains(r#"write {"attributes": {"colour": …}}"#));
    assert!(message(r#"{"attribute":{}}"#).contains("did you mean `attributes`?"));
    assert!(message(r#"{"colour":"red"}"#).contains("there are query, operators, category,"));
}

#[test]
fn all_faults_of_all_searches_come_at_once_and_bounds_hold() {
    let body = r#"{"searches":[{"page":0,"sortBy":"x"},{},{"brand":7,"colour":1}]}"#;
    let fields: Vec<String> = faults(body).into_iter().map(|(field, _)| field).collect();
    assert_eq!(fields, ["searches[0].sortBy", "searches[0].page", "searches[2].brand", "searches[2].colour"]);
    let brands = |count: usize| format!("{{\"brand\":{:?}}}", vec!["x"; count]);
    assert_eq!(one(&brands(100)).request.filters.brand, ["x"]);
    assert_eq!(faults(&brands(101)), [("brand".to_owned(), FaultKind::OutOfRange)]);
    let nested = format!("{{\"searches\":[{}]}}", brands(101));
    assert_eq!(faults(&nested), [("searches[0].brand".to_owned(), FaultKind::OutOfRange)]);
    let searches =
        |count: usize| format!("{{\"searches\":[{}]}}", vec!["{\"query\":\"a\"}"; count].join(","));
    assert_eq!(several(&searches(MAX_SEARCHES)).len(), MAX_SEARCHES);
    assert_eq!(faults(&searches(MAX_SEARCHES + 1)), [("searches".to_owned(), FaultKind::OutOfRange)]);
}

proptest! {
    #[test]
    fn no_body_makes_reading_panic(body in r#"[\[\]{}:,"a-z0-9.\\]{0,60}"#) {
        let _ = read_searches(body.as_bytes(), Currency::USD);
    }
}

#[test]
fn lengths_come_before_contents() {
    let list = |count: usize| vec!["1"; count].join(",");
    let fields =
        |count: usize| (0..count).map(|field| format!(r#""k{field}":1"#)).collect::<Vec<_>>().join(",");
    for (body, field) in [
        (format!(r#"{{"tags":[{}]}}"#, list(101)), "tags"),
        (format!(r#"{{"facets":[{}]}}"#, list(20_000)), "facets"),
        (format!(r#"{{"attributes":{{"k":[{}]}}}}"#, list(101)), "attributes.k"),
        (format!(r#"{{"attributes":{{{}}}}}"#, fields(101)), "attributes"),
        (format!(r#"{{"searches":[{}]}}"#, list(11)), "searches"),
        (format!("{{{}}}", fields(101)), ""),
    ] {
        assert_eq!(faults(&body), [(field.to_owned(), FaultKind::OutOfRange)], "{}", &body[..40]);
    }
    let place = "searches[0]".to_owned();
    assert_eq!(faults(&format!(r#"{{"searches":[{{{}}}]}}"#, fields(101))), [(place, FaultKind::OutOfRange)]);
}

#[test]
fn only_the_first_unknown_fields_get_a_suggestion() {
    let read = |body: &str| read_searches(body.as_bytes(), Currency::USD).unwrap_err().to_string();
    let text = read(r#"{"Tags":1,"Brand":1,"Facets":1,"Query":1,"pageSise":1}"#);
    assert_eq!(text.matches("did you mean").count(), 3, "{text}");
}
