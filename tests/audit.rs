//! The audit log: who changed what, when and from where.

use std::io::Write as _;
use std::path::PathBuf;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Answer, Running, finished, http_client, wait_until};

/// A service that asks for keys, and its log.
struct Shop {
    folder: tempfile::TempDir,
    service: Running,
    admin: String,
    writer: String,
}

impl Shop {
    async fn start(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let key = |scopes: &str| {
            let arguments =
                ["keys", "create", "--data-dir", data.to_str().unwrap(), "--name", "k", "--scopes"];
            let created = finished("noren", &[&arguments[..], &[scopes]].concat(), &[]);
            let error = String::from_utf8(created.stderr).unwrap();
            assert!(!error.contains("audit"), "a command is no service: {error}");
            String::from_utf8(created.stdout).unwrap().trim().to_owned()
        };
        let (admin, writer) = (key("admin"), key("write"));
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let service =
            Running::start_with("noren", &["serve", "--data-dir", data.to_str().unwrap()], |noren| {
                // Whatever the level of the other lines.
                noren.env("NOREN_ACCESS", "keys").env("RUST_LOG", "error");
                noren.envs(variables.iter().copied()).stderr(log);
            })
            .await;
        Self { folder, service, admin, writer }
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn entries(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.log()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "noren::audit").collect()
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        http_client().request(method, format!("{}{path}", self.service.url)).header("x-request-id", "r-1")
    }

    fn write(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("x-api-key", &self.writer)
    }

    fn operate(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("x-api-key", &self.admin)
    }

    /// Sends a request. Returns the entries that were written before its answer.
    async fn entries_of(&self, request: RequestBuilder, status: u16) -> (Vec<Value>, Answer) {
        let before = self.entries().len();
        let answer = Answer::of(request).await.expect(status);
        (self.entries().split_off(before), answer)
    }

    /// Sends a request, before whose answer one entry must be written. Returns the entry.
    async fn entry_of(&self, request: RequestBuilder, status: u16) -> Value {
        let (mut entries, _) = self.entries_of(request, status).await;
        assert_eq!(entries.len(), 1, "{entries:?}");
        let entry = entries.remove(0);
        assert_eq!((&entry["status"], &entry["request.id"]), (&json!(status), &json!("r-1")), "{entry}");
        assert_eq!(entry["client"], "127.0.0.1", "{entry}");
        assert!(entry["timestamp"].as_str().unwrap().starts_with("20"), "{entry}");
        entry
    }
}

/// Returns the identity of a key, as logs name it.
fn identity(key: &str) -> String {
    format!("key:{}", key.split('_').nth(1).unwrap())
}

/// Checks fields of an entry; `null` is an absent one.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "made by json! for the call")]
fn expect(entry: &Value, fields: Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&entry[name], value, "{name} of {entry}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_write_has_an_entry_before_its_answer() {
    let shop = Shop::start(&[]).await;
    let product = json!({"id": "lamp", "name": "Private lamp", "price": 1});
    let path = "/products/lamp";
    let by = identity(&shop.writer);
    let created = shop.entry_of(shop.write(Method::POST, "/products").json(&product), 201).await;
    expect(&created, json!({"action": "createProduct", "id": "lamp", "principal": by, "outcome": "created"}));
    expect(&created, json!({"version.before": null, "version.after": 1}));
    let put = shop.write(Method::PUT, path).json(&json!({"name": "Private lamp", "price": 2}));
    let put = shop.entry_of(put, 200).await;
    expect(
        &put,
        json!({"action": "putProduct", "version.before": 1, "version.after": 2, "outcome": "updated"}),
    );
    let patch = |price: u32| shop.write(Method::PATCH, path).json(&json!({"price": price}));
    let same = shop.entry_of(patch(2), 200).await;
    expect(&same, json!({"version.before": 2, "version.after": 2, "outcome": "unchanged"}));
    let stale = shop.entry_of(patch(3).header("if-match", "\"1\""), 412).await;
    expect(
        &stale,
        json!({"action": "patchProduct", "id": "lamp", "outcome": "refused", "version.before": 2}),
    );
    let taken = shop.entry_of(shop.write(Method::POST, "/products").json(&product), 409).await;
    expect(&taken, json!({"id": "lamp", "outcome": "refused", "version.before": 2, "version.after": null}));
    let faulty = shop.write(Method::PUT, path).json(&json!({"name": "", "price": -1}));
    expect(&shop.entry_of(faulty, 422).await, json!({"id": "lamp", "outcome": "refused"}));
    let deleted = shop.entry_of(shop.write(Method::DELETE, path), 200).await;
    expect(&deleted, json!({"action": "deleteProduct", "version.before": 2, "version.after": 3}));
    let log = std::fs::read_to_string(shop.log()).unwrap();
    let secret = shop.writer.split('_').nth(2).unwrap();
    assert!(!log.contains("Private") && !log.contains(secret), "contents and secrets are not logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_attempts_have_an_entry() {
    let shop = Shop::start(&[]).await;
    let unknown = shop.entry_of(shop.request(Method::DELETE, "/products/caf%C3%A9"), 401).await;
    expect(
        &unknown,
        json!({"action": "deleteProduct", "id": "café", "outcome": "refused", "principal": null}),
    );
    let wrong = shop.request(Method::PUT, "/products/a").header("x-api-key", "wrong").json(&json!({}));
    expect(&shop.entry_of(wrong, 401).await, json!({"id": "a", "principal": null}));
    let without_scope = shop.entry_of(shop.write(Method::POST, "/admin/reindex"), 403).await;
    expect(&without_scope, json!({"action": "rebuildIndex", "principal": identity(&shop.writer)}));
    let read = shop.entry_of(shop.write(Method::GET, "/admin/keys"), 403).await;
    expect(&read, json!({"action": "listKeys", "outcome": "refused"}));
    for (path, key) in [("/admin/keys", &shop.admin), ("/imports", &shop.writer), ("/metrics", &shop.admin)] {
        let request = shop.request(Method::GET, path).header("x-api-key", key);
        assert_eq!(shop.entries_of(request, 200).await.0, Vec::<Value>::new(), "{path} only reads");
    }
    assert_eq!(
        shop.entries_of(shop.request(Method::GET, "/products/search"), 401).await.0,
        Vec::<Value>::new()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_rights_fills_the_log() {
    let shop = Shop::start(&[]).await;
    for n in 0..150 {
        let path = format!("/products/flood-{n}");
        let (request, status) = match n % 2 {
            0 => (shop.request(Method::DELETE, &path), 401),
            _ => (shop.write(Method::GET, "/admin/keys"), 403),
        };
        Answer::of(request).await.expect(status);
    }
    // A hundred, and as many as the time of the test allows.
    let entries = shop.entries().len();
    assert!((100..150).contains(&entries), "{entries}");
    let write = shop.write(Method::PUT, "/products/a").json(&json!({"name": "A"}));
    expect(&shop.entry_of(write, 201).await, json!({"action": "putProduct", "outcome": "created"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_place_of_an_id_is_written_without_its_secret() {
    let shop = Shop::start(&[]).await;
    let secret = shop.writer.split('_').nth(2).unwrap();
    for path in [format!("/admin/keys/{}", shop.writer), format!("/admin/keys/{}/rotate", shop.writer)] {
        let method = if path.ends_with("rotate") { Method::POST } else { Method::DELETE };
        let answer = Answer::of(shop.operate(method, &path)).await;
        let problem = answer.problem(404).to_string();
        assert!(problem.contains("the part after `nrn_`") && !problem.contains(&secret[..8]), "{problem}");
    }
    let log = std::fs::read_to_string(shop.log()).unwrap();
    assert!(log.contains("revokeKey") && !log.contains(&secret[..8]), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_of_a_bulk_request_has_an_entry() {
    let shop = Shop::start(&[]).await;
    let lines = "{\"id\":\"a\",\"name\":\"A\"}\n{\"id\":\"b\"}\n{\"id\":\"a\",\"name\":\"A2\"}\n";
    let bulk = shop.write(Method::POST, "/products/bulk").header("content-type", "application/x-ndjson");
    let (entries, _) = shop.entries_of(bulk.body(lines), 200).await;
    let by = identity(&shop.writer);
    for entry in &entries {
        expect(
            entry,
            json!({"action": "writeProducts", "principal": by, "request.id": "r-1", "client": "127.0.0.1"}),
        );
    }
    // The request starts while its first lines are written.
    let (started, mut lines): (Vec<Value>, Vec<Value>) =
        entries.into_iter().partition(|entry| entry["outcome"] == "started");
    assert_eq!(started.len(), 1);
    lines.sort_by_key(|entry| entry["line"].as_u64());
    let [first, second, third] = &lines[..] else { panic!("{lines:?}") };
    expect(first, json!({"line": 1, "id": "a", "version.after": 1, "outcome": "created"}));
    expect(second, json!({"line": 2, "version.after": null, "outcome": "refused"}));
    expect(
        third,
        json!({"line": 3, "id": "a", "version.before": 1, "version.after": 2, "outcome": "updated"}),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_job_has_an_entry_for_its_upload_and_one_for_its_lines() {
    let shop = Shop::start(&[]).await;
    let lines = "{\"id\":\"a\",\"name\":\"A\"}\n{\"id\":\"b\"}\n{\"id\":\"a\",\"name\":\"A2\"}\n";
    let import = shop.write(Method::POST, "/imports").header("content-type", "application/x-ndjson");
    let (entries, answer) = shop.entries_of(import.body(lines), 202).await;
    let (job, by) = (answer.json()["id"].clone(), identity(&shop.writer));
    let upload = entries.iter().find(|entry| entry["action"] == "createImport").unwrap();
    expect(upload, json!({"id": job, "principal": by, "status": 202, "outcome": "queued"}));
    let end = || shop.entries().into_iter().find(|entry| entry["action"] == "runImport");
    wait_until("the job ends", async || end().is_some()).await;
    let end = end().unwrap();
    expect(
        &end,
        json!({"id": job, "principal": by, "request.id": "r-1", "client": "127.0.0.1", "outcome": "done"}),
    );
    expect(&end, json!({"lines.created": 1, "lines.updated": 1, "lines.unchanged": 0, "lines.rejected": 1}));
    let path = format!("/imports/{}", job.as_str().unwrap());
    expect(
        &shop.entry_of(shop.write(Method::DELETE, &path), 204).await,
        json!({"action": "removeImport", "id": job}),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_of_operators_have_an_entry() {
    let shop = Shop::start(&[]).await;
    let by = identity(&shop.admin);
    let new = shop.operate(Method::POST, "/admin/keys").json(&json!({"name": "x", "scopes": ["search"]}));
    let (entries, answer) = shop.entries_of(new, 201).await;
    let key = answer.json();
    expect(&entries[0], json!({"action": "createKey", "id": key["id"], "principal": by, "outcome": "done"}));
    let path = format!("/admin/keys/{}", key["id"].as_str().unwrap());
    let (entries, answer) = shop.entries_of(shop.operate(Method::POST, &format!("{path}/rotate")), 201).await;
    let detail = format!("replaced by {}", answer.json()["id"].as_str().unwrap());
    expect(&entries[0], json!({"action": "rotateKey", "id": key["id"], "detail": detail}));
    let revoked = shop.entry_of(shop.operate(Method::DELETE, &path), 200).await;
    expect(&revoked, json!({"action": "revokeKey", "id": key["id"], "principal": by}));
    let retry = shop.operate(Method::POST, "/admin/dead-letters/retry").json(&json!({"all": true}));
    expect(
        &shop.entry_of(retry, 200).await,
        json!({"action": "retryDeadLetters", "detail": "0 done, 0 stay: "}),
    );
    let (entries, _) = shop.entries_of(shop.operate(Method::POST, "/admin/verify?repair=true"), 200).await;
    let outcomes: Vec<_> = entries.iter().map(|entry| entry["outcome"].as_str().unwrap()).collect();
    assert!(
        outcomes.contains(&"started") && outcomes.contains(&"done") && outcomes.len() == 2,
        "{entries:?}"
    );
    for entry in &entries {
        expect(entry, json!({"action": "verifyIndex", "detail": "with repair", "principal": by}));
    }
    let log = std::fs::read_to_string(shop.log()).unwrap();
    let secret = key["key"].as_str().unwrap().split('_').nth(2).unwrap();
    assert!(!log.contains(secret), "the secret of a new key is not logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_can_be_turned_off() {
    let shop = Shop::start(&[("NOREN_AUDIT", "off")]).await;
    Answer::of(shop.write(Method::PUT, "/products/a").json(&json!({"name": "A"}))).await.expect(201);
    Answer::of(shop.request(Method::PUT, "/products/a").json(&json!({"name": "A"}))).await.expect(401);
    assert_eq!(shop.entries(), Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idempotency_key_is_a_name_within_its_principal() {
    let shop = Shop::start(&[]).await;
    let other = {
        let new = shop.operate(Method::POST, "/admin/keys").json(&json!({"name": "x", "scopes": ["write"]}));
        Answer::of(new).await.expect(201).json()["key"].as_str().unwrap().to_owned()
    };
    let create = async |key: &str, name: &str| {
        let create = shop.request(Method::POST, "/products").header("x-api-key", key);
        let answer = Answer::of(create.header("idempotency-key", "k-1").json(&json!({"name": name}))).await;
        (answer.status.as_u16(), answer.json()["id"].clone())
    };
    let first = create(&shop.writer, "Lamp").await;
    assert_eq!(first.0, 201);
    assert_eq!(create(&shop.writer, "Lamp").await, first, "a repetition");
    let theirs = create(&other, "Lamp").await;
    assert!(theirs.0 == 201 && theirs.1 != first.1, "another client sees no answer of this one: {theirs:?}");
    assert_eq!(create(&other, "Vase").await.0, 422, "its own key, for another request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_access_control_has_the_log_too() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let arguments = ["--data-dir", folder.path().to_str().unwrap()];
    let service = Running::start_with("noren-command", &arguments, |noren| {
        noren.stderr(std::fs::File::create(&log).unwrap());
    })
    .await;
    let put = http_client().put(format!("{}/products/a", service.url)).json(&json!({"name": "A"}));
    Answer::of(put).await.expect(201);
    let text = std::fs::read_to_string(&log).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let entry = lines.rev().find(|line| line["target"] == "noren::audit").unwrap();
    expect(&entry, json!({"action": "putProduct", "service": "noren-command", "principal": "anyone"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_disconnects_leaves_an_entry() {
    let shop = Shop::start(&[]).await;
    let address = shop.service.url.trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let head = format!(
        "PUT /products/a HTTP/1.1\r\nhost: {address}\r\nx-api-key: {}\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{{",
        shop.writer
    );
    stream.write_all(head.as_bytes()).unwrap();
    drop(stream);
    wait_until("it has an entry", async || !shop.entries().is_empty()).await;
    let entries = shop.entries();
    expect(&entries[0], json!({"action": "putProduct", "id": "a", "principal": identity(&shop.writer)}));
    let outcome = entries[0]["outcome"].as_str().unwrap();
    assert!(entries.len() == 1 && ["abandoned", "refused"].contains(&outcome), "{entries:?}");
}
