//! Helpers of the fault tests: a catalogue over HTTP, and `noren verify` by its route and as a program.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, finished, http_client};

/// Lines per bulk request.
const LINES_AT_A_TIME: usize = 1_000;

/// The result of a comparison.
#[derive(Debug)]
pub(super) struct Verified {
    /// The kind of difference of each product, and its repair.
    pub(super) drifts: BTreeMap<String, (String, Value)>,
    pub(super) summary: Value,
}

impl Verified {
    pub(super) fn is_converged(&self) -> bool {
        self.drifts.is_empty() && self.summary["isConverged"] == true
    }

    /// Returns the kind of difference of each product.
    pub(super) fn kinds(&self) -> BTreeMap<String, String> {
        self.drifts.iter().map(|(id, (kind, _))| (id.clone(), kind.clone())).collect()
    }
}

/// Runs a comparison in the service at this address.
pub(super) async fn verify(url: &str, parameters: &str) -> Verified {
    let request = http_client().request(Method::POST, format!("{url}/admin/verify?{parameters}"));
    let answer = Answer::of(request).await.expect(200);
    let (mut drifts, mut summary) = (BTreeMap::new(), Value::Null);
    for line in answer.text.lines().filter(|line| !line.is_empty()) {
        let event: Value = serde_json::from_str(line).unwrap();
        match event["event"].as_str().unwrap() {
            "progress" => {}
            "drift" => {
                let reported = (event["kind"].as_str().unwrap().to_owned(), event["repair"].clone());
                let again = drifts.insert(event["id"].as_str().unwrap().to_owned(), reported);
                assert_eq!(again, None, "reported twice: {event}");
            }
            "summary" => summary = event,
            other => panic!("{other}: {event}"),
        }
    }
    assert!(summary.is_object(), "the comparison broke off: {}", answer.text);
    Verified { drifts, summary }
}

/// Asserts that the index equals the store once no change is in flight.
pub(super) async fn expect_converged(url: &str, seed: u64) {
    let verified = verify(url, "patience=30").await;
    assert!(verified.is_converged(), "SEED={seed}: {verified:?}");
    assert!(verified.summary["compared"].as_u64() > Some(0), "SEED={seed}: {verified:?}");
}

/// Runs the program `noren verify`. Returns its exit code, the kind of difference of each product, and its last line
/// on standard error.
pub(super) fn noren_verify(arguments: &[&str]) -> (Option<i32>, BTreeMap<String, String>, String) {
    let output = finished("noren", &[&["verify"], arguments].concat(), &[]);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let drifts = out.lines().map(|line| {
        let mut words = line.split_whitespace();
        let (kind, id) = (words.next().unwrap(), words.next().unwrap());
        (id.to_owned(), kind.to_owned())
    });
    (output.status.code(), drifts.collect(), err.lines().last().unwrap_or_default().to_owned())
}

/// Returns a product as it is first written. Products with the tag `kept` are never deleted.
pub(super) fn product(n: usize, chance: &mut fastrand::Rng) -> Value {
    let description = "A lamp for reading and for tea. ".repeat(chance.usize(1..10));
    let status = if chance.u8(..10) == 0 { "draft" } else { "active" };
    json!({
        "id": format!("p{n}"), "name": format!("Lamp {n}"), "description": description, "status": status,
        "brand": format!("Brand {}", n % 17), "tags": ["made"], "stock": chance.u8(..5), "price": chance.u16(1..),
        "attributes": { "colour": (["red", "green", "blue"][n % 3]), "weight": chance.u16(..) },
    })
}

/// Writes these products.
pub(super) async fn fill(url: &str, products: &[Value]) {
    for some in products.chunks(LINES_AT_A_TIME) {
        let lines: String = some.iter().map(|product| format!("{product}\n")).collect();
        let post = http_client().post(format!("{url}/products/bulk"));
        let answer =
            Answer::of(post.header("content-type", "application/x-ndjson").body(lines)).await.expect(200);
        assert_eq!(answer.text.matches("\"outcome\"").count(), some.len(), "{}", answer.text);
    }
}

/// Deletes a product, which must exist.
pub(super) async fn delete(url: &str, id: &str) {
    Answer::of(http_client().delete(format!("{url}/products/{id}"))).await.expect(200);
}
