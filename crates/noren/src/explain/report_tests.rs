//! Reports of products that are found, excluded, outdated or missing.

use super::*;
use domain::Version;

/// Reads a response of the query service from JSON without the id.
fn index(json: &str) -> ProductExplanation<'static> {
    let mut response: serde_json::Value = serde_json::from_str(json).unwrap();
    response["id"] = "lamp".into();
    serde_json::from_value(response).unwrap()
}

fn stored(version: u64, status: Status) -> StoredProduct {
    StoredProduct::Product(ProductSummary { name: "Lamp".to_owned(), version: Version(version), status })
}

fn backlog(waiting: u64) -> Backlog {
    Backlog {
        queue: "sqlite".to_owned(),
        waiting,
        in_flight: 0,
        dead_letters: 0,
        oldest_unsynced_seconds: Some(waiting as f64),
        outbox: None,
    }
}

fn reasons(stored: StoredProduct, waiting: Option<u64>, dead: Vec<FailedChange>, json: &str) -> Vec<String> {
    let backlog = waiting.map(backlog);
    Report { id: "lamp", stored, backlog, dead_letters: Some(dead), index: index(json) }.reasons()
}

#[test]
fn the_state_of_the_queue_is_reported() {
    let active = r#"{"state":"active","version":2,"rank":1,"total":1}"#;
    let letter = || FailedChange {
        version: Version(3),
        reason: "it cannot be held".to_owned(),
        receives: 5,
        at: "2026-11-25T10:00:00Z".to_owned(),
    };
    let cases = [
        (stored(2, Status::Active), None, vec![letter()], active, vec![]),
        (
            stored(3, Status::Active),
            Some(7),
            vec![],
            active,
            vec![
                "the catalogue has version 3, the index version 2; 7 changes wait to be indexed, the oldest for 7 s",
            ],
        ),
        (
            stored(3, Status::Active),
            Some(0),
            vec![letter()],
            active,
            vec![
                "the catalogue has version 3, the index version 2; no change waits to be indexed, so this one was given up or lost",
                "version 3 could not be indexed, was tried 5 times and given up at 2026-11-25T10:00:00Z: it cannot be held",
            ],
        ),
        (
            stored(1, Status::Draft),
            None,
            vec![],
            r#"{"state":"unknown","total":0}"#,
            vec![
                "it is draft; only active products are found",
                "the catalogue has version 1, the index nothing of it; how many changes wait to be indexed is not known",
            ],
        ),
        (
            StoredProduct::None { found: false },
            None,
            vec![],
            r#"{"state":"unknown","total":0}"#,
            vec!["the catalogue has no such product"],
        ),
        (
            StoredProduct::None { found: false },
            Some(0),
            vec![],
            active,
            vec![
                "the catalogue has no such product, and the index still has it; no change waits to be indexed, so this one was given up or lost",
            ],
        ),
        (
            StoredProduct::Unknown { error: "no".to_owned() },
            None,
            vec![],
            r#"{"state":"unknown","total":0}"#,
            vec!["the index has nothing of it"],
        ),
    ];
    for (stored, waiting, dead, index, expected) in cases {
        let shown = format!("{stored:?}");
        assert_eq!(reasons(stored, waiting, dead, index), expected, "{shown} {index}");
    }
}

#[test]
fn reasons_of_the_search_are_reported() {
    let index = |rest: &str, total: u64| format!(r#"{{"state":"active","version":1,"total":{total}{rest}}}"#);
    let told =
        |rest: &str, total: u64| reasons(stored(1, Status::Active), None, Vec::new(), &index(rest, total));
    let filters = r#","hiddenByRule":true,"excludedBy":[
        {"filter":"brand","wanted":["HP","Dell"],"has":["Acer"]},
        {"filter":"priceRange","wanted":["-20.00"],"has":[]},
        {"filter":"attributes.colour","wanted":["red"],"has":["blue","green"]},
        {"filter":"query","wanted":["-red"],"has":["red"]},
        {"filter":"query","wanted":["\"new balance\""],"has":[]}]"#;
    assert_eq!(
        told(filters, 3),
        [
            "its brand is Acer; the search asks for HP or Dell",
            "it has no price; the search asks for -20.00",
            "its colour is blue, green; the search asks for red",
            "excluded by the query: red",
            "it lacks the phrase \"new balance\"",
            "a rule of the shop hides it in this search",
        ]
    );
    let words = |words: &str| format!(r#","explanation":{{"base":1,"words":[{words}]}}"#);
    let word = |found: &str| format!(r#"{{"word":"w","found":"{found}","in":[],"level":0,"score":0}}"#);
    assert_eq!(told(&words(&word("missing")), 3), ["it lacks the word `w`"]);
    let two = format!("{},{},{}", word("missing"), word("exact"), word("missing"));
    assert_eq!(told(&words(&two), 3), ["it lacks the words `w`, `w`"]);
    assert!(told(&words(&word("oneTypo")), 3)[0].starts_with("it has the words with typos"));
    assert_eq!(told(&words(&word("exact")), 1234), ["it is not among the first 1,000 of 1234"]);
}

#[test]
fn the_parts_of_a_score_are_a_table() {
    let index = index(
        r#"{"state":"active","version":2,"rank":3,"total":9,"explanation":{"base":1,"boost":0.5,
            "words":[{"word":"lmap","found":"oneTypo","as":"lamp","in":["name","tags"],"level":24,"score":6.25},
            {"word":"x\u001b","found":"missing","in":[],"level":0,"score":0}],
            "phrases":[{"words":"lmap x","score":0.25}]}}"#,
    );
    let stored = stored(2, Status::Active);
    let report = Report { id: "lamp-1", stored, backlog: None, dead_letters: None, index };
    let text = report.to_text();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let head = [
        "lamp-1  Lamp",
        "  catalogue  version 2, active",
        "  index      version 2, active",
        "  search     place 3 of 9 products",
    ];
    assert_eq!(lines[..4], head);
    let cells = |line: &str| -> Vec<String> {
        line.split(['│', '┆']).map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect()
    };
    let row = |begin: &str| cells(lines.iter().find(|line| line.contains(begin)).unwrap());
    assert_eq!(row("one typo"), ["lmap", "one typo", "lamp", "name, tags", "24", "6.25"]);
    assert_eq!(row("neighbours"), ["\"lmap x\"", "neighbours", "0.25"]);
    assert_eq!(row("rules of the shop"), ["rules of the shop", "0.50"]);
    assert_eq!(row("total"), ["total", "8.00"]);
    assert!(!text.contains('\u{1b}'), "data controls the terminal");
}

#[test]
fn operators_of_the_query_are_reported() {
    let json = r#"{"state":"active","version":1,"total":1,"rank":1,
        "explanation":{"base":1,"words":[],"required":["new balance"],"leftOut":["red","blue"]}}"#;
    let report = Report {
        id: "lamp",
        stored: stored(1, Status::Active),
        backlog: None,
        dead_letters: None,
        index: index(json),
    };
    let text = report.to_text();
    assert!(text.contains("\nphrase: new balance\nexcluded by the query: red, blue"), "{text}");
}

#[test]
fn words_that_were_left_out_are_named() {
    let json = r#"{"state":"active","version":1,"rank":1,"total":3,"relaxed":["with","mic"]}"#;
    let stored = stored(1, Status::Active);
    let report =
        Report { id: "lamp", stored, backlog: None, dead_letters: Some(Vec::new()), index: index(json) };
    let text = report.to_text();
    assert!(text.contains("\nleft out: with, mic (few products have every word)"), "{text}");
}
