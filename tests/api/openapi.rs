//! The OpenAPI documents: what generated clients and Swagger UI rely on.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::support::{Answer, TestApp, check_openapi, repository};

/// The documents that are checked in.
const DOCUMENTS: [&str; 3] = ["noren.json", "noren-command.json", "noren-query.json"];

/// The verbs that operation ids begin with.
const VERBS: [&str; 17] = [
    "create", "delete", "discard", "drop", "explain", "list", "patch", "put", "read", "rebuild", "remove",
    "retry", "rollBack", "search", "suggest", "verify", "write",
];

/// An operation of a document.
struct Operation {
    path: String,
    method: Method,
    described: Value,
}

impl Operation {
    fn id(&self) -> &str {
        self.described["operationId"].as_str().expect("every operation has an id")
    }

    fn parameters(&self) -> &[Value] {
        self.described["parameters"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Returns the address with every example and every default, as Swagger UI sends them, and with `ids` for the path
    /// parameters that have no example.
    fn address(&self, ids: &BTreeMap<&str, String>) -> String {
        let mut path = self.path.clone();
        let mut query = Vec::new();
        for parameter in self.parameters() {
            let name = parameter["name"].as_str().expect("a parameter has a name");
            let value = parameter.get("example").or_else(|| parameter["schema"].get("default"));
            match (parameter["in"].as_str(), value) {
                (Some("path"), value) => {
                    let id = value.and_then(Value::as_str).map(str::to_owned);
                    let id = id.or_else(|| ids.get(self.path.as_str()).cloned());
                    let id = id.unwrap_or_else(|| panic!("{} has no example of {name}", self.path));
                    path = path.replace(&format!("{{{name}}}"), &id);
                }
                (Some("query"), Some(value)) => query.extend(pairs(parameter, name, value)),
                _ => {}
            }
        }
        let query: Vec<String> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// Sends the operation with its own examples.
    async fn send(&self, app: &TestApp, ids: &BTreeMap<&str, String>) -> Answer {
        let mut request = app.request(self.method.clone(), &self.address(ids));
        if let Some(content) = self.described.pointer("/requestBody/content").and_then(Value::as_object) {
            let (content_type, body) = content.iter().next().expect("a body has a content type");
            let example =
                body.get("example").unwrap_or_else(|| panic!("{} has no example of its body", self.id()));
            let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            request = request.header("content-type", content_type).body(text);
        }
        Answer::of(request).await
    }

    /// Checks that the response has a documented status below 300, and a documented content type.
    fn check(&self, answer: &Answer) {
        let status = answer.status.as_u16();
        let documented = &self.described["responses"][status.to_string()];
        assert!(answer.status.is_success() && documented.is_object(), "{}: {answer:?}", self.id());
        if let Some(content) = documented["content"].as_object() {
            let given = answer.header("content-type").split(';').next().unwrap_or_default();
            assert!(content.contains_key(given), "{}: {answer:?}", self.id());
        }
    }
}

/// Serializes the value of a query parameter in its documented style.
fn pairs(parameter: &Value, name: &str, value: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (value, parameter["style"].as_str(), parameter["explode"].as_bool()) {
        (Value::Object(members), Some("deepObject"), Some(true)) => {
            members.iter().map(|(key, value)| (format!("{name}%5B{key}%5D"), text(value))).collect()
        }
        (Value::Array(values), Some("form"), Some(false)) => {
            vec![(name.to_owned(), values.iter().map(text).collect::<Vec<_>>().join(","))]
        }
        (Value::Object(_) | Value::Array(_), ..) => panic!("{name}: no style is known for {parameter}"),
        (value, ..) => vec![(name.to_owned(), text(value))],
    }
}

fn checked_in(name: &str) -> Value {
    let text = std::fs::read_to_string(repository().join("docs/openapi").join(name)).expect("it is there");
    serde_json::from_str(&text).expect("it is JSON")
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("there are paths") {
        for (method, described) in methods.as_object().expect("a path has methods") {
            let method = method.to_uppercase().parse().expect("a method");
            operations.push(Operation { path: path.clone(), method, described: described.clone() });
        }
    }
    operations
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_that_is_checked_in_is_the_one_served() {
    let app = TestApp::spawn().await;
    check_openapi("noren.json", &app.get("/openapi.json").await.expect(200).json());
}

#[test]
fn every_openapi_operation_has_a_unique_id_of_a_verb_and_a_noun() {
    for name in DOCUMENTS {
        let document = checked_in(name);
        let operations = operations(&document);
        let mut ids: Vec<&str> = operations.iter().map(Operation::id).collect();
        for id in &ids {
            let noun = VERBS.iter().find_map(|verb| id.strip_prefix(verb));
            assert!(noun.is_some_and(|noun| noun.starts_with(char::is_uppercase)), "{name}: {id}");
            assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{name}: {id}");
        }
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), operations.len(), "{name}");
    }
}

#[test]
fn every_openapi_operation_parameter_and_response_is_described() {
    for name in DOCUMENTS {
        let document = checked_in(name);
        assert_eq!(document["servers"][0]["url"], "/", "{name}");
        let tags: Vec<&Value> =
            document["tags"].as_array().expect("tags").iter().map(|tag| &tag["name"]).collect();
        for operation in operations(&document) {
            let (id, described) = (operation.id(), &operation.described);
            let is_text = |text: &Value| text.as_str().is_some_and(|text| !text.is_empty());
            assert!(is_text(&described["summary"]), "{id}");
            assert!(
                described["tags"].as_array().expect("tags").iter().all(|tag| tags.contains(&tag)),
                "{id}"
            );
            for parameter in operation.parameters() {
                assert!(is_text(&parameter["description"]), "{id}: {parameter}");
            }
            for response in described["responses"].as_object().expect("responses").values() {
                assert!(is_text(&response["description"]), "{id}: {response}");
            }
        }
    }
}

/// Collects the paths of unions without a name. `T` or null does not count as a union.
fn anonymous_unions(place: &str, schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{place}/{name}");
                let union = ["oneOf", "anyOf"].contains(&name.as_str());
                let choices =
                    member.as_array().map_or(0, |all| all.iter().filter(|one| one["type"] != "null").count());
                if union && choices > 1 && place.matches('/').count() > 1 {
                    found.push(place.clone());
                }
                if name != "example" && name != "examples" {
                    anonymous_unions(&place, member, found);
                }
            }
        }
        Value::Array(items) => {
            items
                .iter()
                .enumerate()
                .for_each(|(at, item)| anonymous_unions(&format!("{place}/{at}"), item, found));
        }
        _ => {}
    }
}

#[test]
fn every_openapi_union_has_a_name_and_no_field_with_a_default_is_required() {
    for name in DOCUMENTS {
        let document = checked_in(name);
        let mut found = Vec::new();
        for (schema, described) in document["components"]["schemas"].as_object().expect("schemas") {
            anonymous_unions(schema, described, &mut found);
            // Generators of types take a field with a default for one that is always there.
            let mut fields = described["properties"].as_object().into_iter().flatten();
            let with_default = fields.find(|(_, property)| property.get("default").is_some());
            assert_eq!(with_default, None, "{name}: {schema} has a field with a default");
        }
        anonymous_unions("paths/", &document["paths"], &mut found);
        assert_eq!(found, Vec::<String>::new(), "{name}");
    }
}

/// Returns the sort key of an operation: products are written before they are read, and deleted at the end.
fn order(operation: &Operation) -> (u8, String) {
    let step = match (operation.method.as_str(), operation.path.as_str()) {
        // First, because others write the same product, some of them in the background.
        ("POST", "/products") => 0,
        ("POST", _) => 1,
        ("PUT" | "PATCH", _) => 2,
        ("GET", _) => 3,
        _ => 4,
    };
    (step, operation.path.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_openapi_operation_succeeds_with_its_own_examples_on_the_demo() {
    let app = TestApp::spawn_in_process().await;
    let written = app.app().catalogue().put_many(demo::demo_catalogue().collect()).await;
    assert!(written.iter().all(Result::is_ok));
    app.sync_all().await;
    let document = app.get("/openapi.json").await.expect(200).json();
    let mut operations = operations(&document);
    operations.sort_by_key(order);
    let mut ids = BTreeMap::from([("/admin/dead-letters/{key}", "1".to_owned())]);
    for operation in &operations {
        let answer = operation.send(&app, &ids).await;
        match operation.id() {
            // The images of this service are in a folder.
            "createImageUpload" => _ = answer.problem(501),
            // The demo has no dead letters.
            "readDeadLetter" => _ = answer.problem(404),
            "createImport" => {
                operation.check(&answer);
                let id = answer.json()["id"].as_str().expect("a job has an id").to_owned();
                ids.insert("/imports/{id}", id);
            }
            "searchProducts" | "listSimilarProducts" | "suggestProducts" => {
                operation.check(&answer);
                assert!(!answer.ids().is_empty(), "{answer:?}");
            }
            "listFacetValues" => {
                operation.check(&answer);
                assert!(
                    answer.json()["values"].as_array().is_some_and(|values| !values.is_empty()),
                    "{answer:?}"
                );
            }
            _ => operation.check(&answer),
        }
    }
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attribute_filter_may_be_a_deep_object() {
    let app = TestApp::spawn().await;
    let products = "{\"id\":\"a\",\"name\":\"Cup\",\"attributes\":{\"colour\":\"red\",\"width\":8}}\n\
                    {\"id\":\"b\",\"name\":\"Cup\",\"attributes\":{\"colour\":\"blue\",\"width\":9}}\n\
                    {\"id\":\"c\",\"name\":\"Cup\",\"attributes\":{\"colour\":\"green\",\"width\":9}}\n";
    app.post_text("/products/bulk", "application/x-ndjson", products).await.expect(200);
    app.sync_all().await;
    for (filter, expected) in [
        ("attributes[colour]=red", vec!["a"]),
        ("attributes%5Bcolour%5D=red&attributes%5Bcolour%5D=blue", vec!["a", "b"]),
        ("attributes[colour]=red&attributes.colour=blue", vec!["a", "b"]),
        ("attributes[width]=8.5..&attributes[colour]=blue", vec!["b"]),
    ] {
        let mut found = app.get(&format!("/products/search?{filter}")).await.expect(200).ids();
        found.sort();
        assert_eq!(found, expected, "{filter}");
    }
    for (filter, field) in [
        ("attributes[colour=red", "attributes[colour"),
        ("attributes[]=red", "attributes[]"),
        ("attributes[colour][]=red", "attributes[colour][]"),
        ("attribute[colour]=red", "attribute[colour]"),
    ] {
        let problem = app.get(&format!("/products/search?{filter}")).await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), [field], "{filter}");
        assert!(
            problem["detail"].as_str().is_some_and(|detail| detail.contains("attributes.KEY")),
            "{problem}"
        );
    }
}
