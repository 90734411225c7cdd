//! As Lambda functions, routes let in the same requests as over HTTP.

use serde_json::{Value, json};

use super::credentials::{Credentials, Seen, every_kind, key_of, variables};
use super::routes::{ROUTES, Route};
use super::shop::{Shop, new_address};
use crate::lambda::{Function, event};
use crate::support::{command, finished};

const FUNCTIONS: [&str; 2] = ["noren-command", "noren-query"];

async fn start(name: &str, shop: &Shop) -> Function {
    let mut program = command(name);
    program.env("NOREN_DATA_DIR", shop.folder()).envs(variables(shop));
    Function::start_program(program, name).await
}

/// Returns the event of a request from this address.
fn request(method: &str, path: &str, header: Option<(&str, String)>, address: &str) -> Value {
    let mut event = event("http-api-search");
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!("");
    event["queryStringParameters"] = json!({});
    event["headers"] = json!({"accept": "*/*", "host": "catalogue.shop.example"});
    if let Some((name, value)) = header {
        event["headers"][name] = json!(value);
    }
    let http = &mut event["requestContext"]["http"];
    (http["method"], http["path"], http["sourceIp"]) = (json!(method), json!(path), json!(address));
    event
}

async fn send(function: &mut Function, event: &Value) -> Seen {
    let response = function.invoke(event).await.unwrap();
    let header = |name: &str| response["headers"][name].as_str().unwrap_or_default().to_owned();
    Seen {
        status: u16::try_from(response["statusCode"].as_u64().unwrap()).unwrap(),
        challenge: header("www-authenticate"),
        body: response["body"].as_str().unwrap_or_default().to_owned(),
    }
}

async fn check(function: &mut Function, route: &Route, with: &Credentials) {
    let event = request(route.method, &route.example(), with.header(), &new_address());
    with.check(route, None, &send(function, &event).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_a_function_with_every_kind_of_credentials() {
    let shop = Shop::new();
    let kinds = every_kind(&shop);
    // The function that answers searches needs an index.
    start("noren-sync", &shop).await.cold_start().await;
    for name in FUNCTIONS {
        let mut function = start(name, &shop).await;
        for route in ROUTES.iter().filter(|route| route.function == Some(name)) {
            for with in &kinds {
                check(&mut function, route, with).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_of_one_client_keep_no_other_client_out() {
    let shop = Shop::new();
    let right = shop.key("read").key;
    let wrong = key_of("0123456789abcdef", &"5a".repeat(32));
    let mut function = start("noren-command", &shop).await;
    let mut statuses = Vec::new();
    for _ in 0..62 {
        let wrong = Some(("x-api-key", wrong.clone()));
        statuses.push(send(&mut function, &request("GET", "/products", wrong, "203.0.113.7")).await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    let other = request("GET", "/products", Some(("x-api-key", right)), "203.0.113.8");
    let seen = send(&mut function, &other).await;
    assert_eq!(seen.status, 200, "{seen:?}");
}

#[test]
fn a_function_without_a_choice_does_not_start() {
    let shop = Shop::new();
    for name in FUNCTIONS {
        let variables = [("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"), ("NOREN_DATA_DIR", shop.folder())];
        let output = finished(name, &[], &variables);
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{name}: {error}");
        assert!(error.contains("NOREN_ACCESS=keys"), "{name}: {error}");
    }
}
