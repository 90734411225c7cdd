//! The HTTP API: its routes and CORS lists are those of the services.

use std::collections::{BTreeMap, BTreeSet};

use api::extract::{IDEMPOTENCY_KEY, TRACEPARENT};
use runtime::http::{EXPOSED_HEADERS, REQUEST_ID, SYNC_TOKEN};
use serde_json::{Value, json};

use super::{Route, Template, file, texts};

/// Response headers that scripts may read anyway, by the Fetch standard.
const SAFE_RESPONSE_HEADERS: [&str; 3] = ["cache-control", "content-type", "content-length"];
/// The routes of API keys, which a service has only if it accepts keys.
const KEY_ROUTES: [&str; 3] = ["/admin/keys", "/admin/keys/{id}", "/admin/keys/{id}/rotate"];
/// The header of an API key.
const API_KEY: &str = "x-api-key";
/// Headers of a signed request.
const SIGNING_HEADERS: [&str; 4] =
    ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"];

/// The OpenAPI document of the service that a function runs.
fn openapi(function: &str) -> Value {
    serde_json::from_str(&file(&format!("docs/openapi/noren-{}.json", function.to_lowercase()))).unwrap()
}

/// The function and the methods of each path of the OpenAPI documents.
fn documented() -> BTreeMap<String, (&'static str, BTreeSet<String>)> {
    let mut paths = BTreeMap::new();
    for function in ["Command", "Query"] {
        for (path, operations) in openapi(function)["paths"].as_object().unwrap() {
            let methods =
                operations.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
            paths.insert(path.clone(), (function, methods));
        }
    }
    paths
}

/// Calls `found` with each header parameter (`true`) and response header (`false`) of an OpenAPI document.
fn headers_in(document: &Value, found: &mut impl FnMut(&str, bool)) {
    match document {
        Value::Object(members) => {
            if members.get("in").is_some_and(|place| place == "header") {
                found(members["name"].as_str().unwrap(), true);
            }
            let headers = members.get("headers").and_then(Value::as_object);
            headers.into_iter().flatten().for_each(|(name, _)| found(name, false));
            // A property of a body may be called `headers`.
            let others = members.iter().filter(|(name, _)| *name != "properties");
            others.for_each(|(_, value)| headers_in(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| headers_in(value, found)),
        _ => {}
    }
}

#[test]
fn every_documented_path_reaches_its_function_with_every_method() {
    let template = Template::load();
    let routes = template.routes();
    let documented = documented();
    assert!(documented.len() > 8, "{documented:?}");
    let documented = documented.iter().map(|(path, (function, _))| (path.as_str(), *function));
    for (path, function) in documented.chain(KEY_ROUTES.map(|path| (path, "Command"))) {
        let of_path = routes.iter().filter(|route| route.path == Some(path) && route.method == Some("ANY"));
        let functions: Vec<&str> = of_path.map(|route| route.function).collect();
        assert_eq!(functions, [function], "{path}");
    }
}

#[test]
fn every_route_is_a_path_of_its_service_or_takes_all_other_requests() {
    let template = Template::load();
    let documented = documented();
    let mut others = Vec::new();
    for Route { function, method, path, is_signed } in template.routes() {
        match path {
            None => others.push((function, method, is_signed)),
            Some("/metrics") => assert_eq!(function, "Query"),
            Some(path) if KEY_ROUTES.contains(&path) => assert_eq!(function, "Command"),
            Some(path) => {
                assert_eq!(documented.get(path).map(|(function, _)| *function), Some(function), "{path}");
            }
        }
    }
    // Health, the OpenAPI document, and paths that do not exist.
    assert_eq!(others, [("Query", None, false)]);
}

#[test]
fn every_function_may_be_called_by_the_api() {
    let template = Template::load();
    let integrations =
        &template.properties("Api")["DefinitionBody"]["components"]["x-amazon-apigateway-integrations"];
    let functions: BTreeSet<&str> = template.routes().iter().map(|route| route.function).collect();
    for function in functions {
        // Provisioned instances are of the alias. A permission for the function is none for its alias.
        let (condition, alias) = (format!("Provisions{function}"), format!("{function}.Alias"));
        let uri = &integrations[function]["uri"]["Fn::Sub"];
        assert!(uri[0].as_str().unwrap().ends_with("/functions/${Target}/invocations"), "{uri}");
        let target = json!([condition, {"Ref": alias}, {"Fn::GetAtt": format!("{function}.Arn")}]);
        assert_eq!(uri[1]["Target"]["Fn::If"], target);
        let permission = template.properties(&format!("{function}Permission"));
        assert_eq!(
            permission["FunctionName"]["Fn::If"],
            json!([condition, {"Ref": alias}, {"Ref": function}])
        );
        let source = permission["SourceArn"]["Fn::Sub"].as_str().unwrap();
        assert!(source.ends_with(":${Api}/*"), "only this API: {source}");
    }
}

#[test]
fn writes_are_signed_and_searches_are_public() {
    let template = Template::load();
    let routes = template.routes();
    for route in routes.iter().filter(|route| route.method == Some("ANY")) {
        let path = route.path.unwrap();
        let is_public = route.function == "Query" && !["/metrics", "/products/{id}/explain"].contains(&path);
        assert_eq!(route.is_signed, !is_public, "{route:?}");
        // A browser does not sign preflight requests.
        let preflight =
            routes.iter().find(|other| other.path == Some(path) && other.method == Some("OPTIONS"));
        let preflight = preflight.map(|preflight| (preflight.function, preflight.is_signed));
        assert_eq!(preflight, route.is_signed.then_some((route.function, false)), "{path}");
    }
    let is_known = |route: &Route<'_>| matches!(route.method, Some("ANY" | "OPTIONS") | None);
    assert!(routes.iter().all(is_known), "{routes:?}");
}

#[test]
fn pages_of_other_sites_may_send_what_the_services_read_and_read_what_they_send() {
    let template = Template::load();
    let cors = &template.properties("Api")["CorsConfiguration"];
    let mut sent: BTreeSet<String> = ["accept", "content-type", API_KEY].map(str::to_owned).into();
    sent.extend(SIGNING_HEADERS.map(str::to_owned));
    sent.extend([REQUEST_ID, SYNC_TOKEN, IDEMPOTENCY_KEY, TRACEPARENT].map(|name| name.to_string()));
    let mut exposed: BTreeSet<String> = EXPOSED_HEADERS.iter().map(ToString::to_string).collect();
    for function in ["Command", "Query"] {
        headers_in(&openapi(function), &mut |name, is_request| {
            let name = name.to_ascii_lowercase();
            if is_request {
                sent.insert(name);
            } else if !SAFE_RESPONSE_HEADERS.contains(&name.as_str()) {
                assert!(
                    EXPOSED_HEADERS.iter().any(|exposed| exposed.as_str() == name),
                    "the services expose {name}"
                );
                exposed.insert(name);
            }
        });
    }
    assert!(sent.contains("if-match") && sent.contains("if-none-match"), "{sent:?}");
    let set = |list| texts(&cors[list]).into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!(set("AllowHeaders"), sent);
    assert_eq!(set("ExposeHeaders"), exposed);
}

#[test]
fn pages_of_other_sites_may_use_every_method() {
    let template = Template::load();
    let allowed = texts(&template.properties("Api")["CorsConfiguration"]["AllowMethods"]);
    let used = documented().into_values().flat_map(|(_, methods)| methods);
    for method in used.chain(["HEAD", "OPTIONS"].map(str::to_owned)) {
        assert!(allowed.contains(&method.as_str()), "{method}");
    }
}

#[test]
fn the_access_log_has_what_explains_a_failed_request_and_no_paths() {
    let template = Template::load();
    let log = &template.properties("Api")["AccessLogSettings"];
    assert_eq!(log["DestinationArn"]["Fn::GetAtt"], "ApiLogs.Arn");
    assert_eq!(template.properties("ApiLogs")["RetentionInDays"], 14);
    let format: BTreeMap<String, String> = serde_json::from_str(log["Format"].as_str().unwrap()).unwrap();
    let logged: BTreeSet<&str> = format.values().map(String::as_str).collect();
    for variable in [
        "requestId",
        "httpMethod",
        "routeKey",
        "status",
        "responseLatency",
        "responseLength",
        "integrationErrorMessage",
    ] {
        assert!(logged.contains(&*format!("$context.{variable}")), "{variable}");
    }
    // They reveal who asked for what.
    for variable in ["path", "identity.sourceIp", "identity.userAgent"] {
        assert!(!logged.contains(&*format!("$context.{variable}")), "{variable}");
    }
}
