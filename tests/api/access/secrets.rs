//! Secrets appear nowhere but in the response that creates them.

use reqwest::Method;
use serde_json::{Value, json};

use super::credentials::{Credentials, every_kind, variables};
use super::shop::{Key, Shop, get, new_address, request};
use crate::support::Answer;

/// Returns the secret parts of a key or a token.
fn secrets(value: &str) -> Vec<String> {
    match value.split('_').nth(2) {
        Some(secret) if value.starts_with("nrn_") && !secret.is_empty() => vec![secret.to_owned()],
        // The signature of a token, or the whole text.
        _ => vec![value.rsplit(['.', '_']).next().unwrap_or(value).to_owned()],
    }
    .into_iter()
    .filter(|secret| secret.len() >= 20)
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_metrics_and_errors_hold_no_secret() {
    let shop = Shop::new();
    let kinds = every_kind(&shop);
    let admin = shop.key("admin").key;
    let (log, output) = (format!("{}/log", shop.folder()), format!("{}/out", shop.folder()));
    let settings = variables(&shop);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let service = shop
        .start_with("noren", &settings, |command| {
            command.env("RUST_LOG", "trace");
            command.stderr(std::fs::File::create(&log).unwrap());
            command.stdout(std::fs::File::create(&output).unwrap());
        })
        .await;
    let mut told = Vec::new();
    for with in &kinds {
        told.push(send(&service, with, "/products/search?query=lamp").await);
        told.push(send(&service, with, "/admin/keys").await);
        told.push(send(&service, with, "/products/x%20y?bad=1").await);
    }
    let create = request(&service, Method::POST, "/admin/keys").header("x-api-key", &admin);
    let created = Answer::of(create.json(&json!({"name": "shop", "scopes": ["read"]}))).await.expect(201);
    assert_eq!(created.header("cache-control"), "no-store");
    let created: Value = created.json();
    let created =
        Key { id: created["id"].as_str().unwrap().into(), key: created["key"].as_str().unwrap().into() };
    told.push(get(&service, "/products", &created.key).await.expect(200).text);
    told.push(get(&service, &format!("/admin/keys/{}", created.id), &admin).await.expect(200).text);
    told.push(get(&service, "/metrics", &admin).await.expect(200).text);
    assert!(service.interrupt().success());

    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("DEBUG") && log.contains(&created.id), "the log is detailed and names the key");
    told.extend([log, std::fs::read_to_string(output).unwrap()]);
    let values = kinds.iter().filter_map(|with| with.value.as_deref()).chain([&*created.key, &admin]);
    let secrets: Vec<String> = values.flat_map(secrets).collect();
    assert!(secrets.len() > 15, "{}", secrets.len());
    for secret in &secrets {
        let found = told.iter().find(|text| text.contains(secret.as_str()));
        let line = found.and_then(|text| text.lines().find(|line| line.contains(secret.as_str())));
        assert!(found.is_none(), "{secret} is in the log: {line:?}");
    }
}

/// Sends a request and returns the response with its headers.
async fn send(service: &crate::support::Running, with: &Credentials, path: &str) -> String {
    let mut request = request(service, Method::GET, path).header("x-forwarded-for", new_address());
    if let Some((name, value)) = with.header() {
        request = request.header(name, value);
    }
    format!("{:?}", Answer::of(request).await)
}
