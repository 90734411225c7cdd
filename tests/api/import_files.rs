//! Files of every format over HTTP: the same result as from the command line.

use std::io::Write as _;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, finished, repository, wait_until};

const ANY: &str = "application/octet-stream";

async fn post(app: &TestApp, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let request = app.request(Method::POST, path).header(CONTENT_TYPE, content_type);
    Answer::of(request.body(body.into())).await
}

/// Imports a file, and returns the job once it is finished.
async fn import(app: &TestApp, path: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Value {
    let address = post(app, path, content_type, body).await.expect(202).header("location").to_owned();
    let job = async || app.get(&address).await.expect(200).json();
    wait_until("the job is finished", async || job().await["finishedAt"].is_string()).await;
    job().await
}

fn counts(job: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "rejected"].map(|name| job[name].as_u64().unwrap())
}

/// Returns all products, without the fields that depend on the time of their writes.
async fn products(app: &TestApp) -> Vec<Value> {
    let list = app.get("/products?limit=500").await.expect(200).json();
    let mut products = list["products"].as_array().unwrap().clone();
    for product in &mut products {
        let fields = product.as_object_mut().unwrap();
        fields.retain(|name, _| !["version", "createdAt", "updatedAt"].contains(&name.as_str()));
    }
    products
}

/// Imports a file from the command line. Returns the counts, or the error.
fn import_from_the_command_line(app: &TestApp, file: &str) -> Result<[u64; 4], String> {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects").display().to_string();
    let run = finished("noren", &["import", "--url", &app.url, "--rejects", &rejects, file], &[]);
    let errors = String::from_utf8(run.stderr).unwrap();
    let summary = errors.lines().find(|line| line.contains(" unchanged, "));
    let Some(summary) = summary else { return Err(errors) };
    let numbers: Vec<u64> = summary.split([' ', ',']).filter_map(|word| word.parse().ok()).collect();
    Ok([numbers[0], numbers[1], numbers[2], numbers[3]])
}

#[tokio::test(flavor = "multi_thread")]
async fn every_feed_becomes_the_same_as_from_the_command_line() {
    let folder = repository().join("../shared/feeds");
    if !folder.exists() {
        assert!(std::env::var_os("CI").is_none(), "CI needs {}", folder.display());
        eprintln!("skipped: {} does not exist", folder.display());
        return;
    }
    let (over_http, from_command_line) = (TestApp::spawn().await, TestApp::spawn_in_process().await);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension != "md"));
    files.sort();
    assert!(files.len() > 20, "{files:?}");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let expected = import_from_the_command_line(&from_command_line, file.to_str().unwrap());
        let answer = post(&over_http, "/imports", ANY, std::fs::read(&file).unwrap()).await;
        let Ok(expected) = expected else {
            if answer.status == 422 {
                continue;
            }
            let address = answer.expect(202).header("location").to_owned();
            let job = async || over_http.get(&address).await.json();
            wait_until("it fails", async || job().await["status"] == "failed").await;
            let reason = job().await["error"].as_str().unwrap().to_owned();
            assert!(reason.starts_with("the file ") && !reason.contains('\n'), "{name}: {reason}");
            continue;
        };
        let address = answer.expect(202).header("location").to_owned();
        let job = async || over_http.get(&address).await.json();
        wait_until("the job is finished", async || job().await["finishedAt"].is_string()).await;
        let job = job().await;
        assert_eq!((&job["status"], counts(&job)), (&json!("done"), expected), "{name}: {job}");
        assert_eq!(job["bytes"], job["bytesDone"], "{name}: {job}");
        let mapping = &job["mapping"];
        assert!(!mapping["columns"].as_array().unwrap().is_empty(), "{name}: {mapping}");
        assert!(
            job["faults"].as_array().unwrap().iter().all(|fault| fault["record"].is_u64()),
            "{name}: {job}"
        );
        assert_eq!(products(&over_http).await, products(&from_command_line).await, "{name}");
    }
    over_http.sync_all().await;
    from_command_line.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mapping_and_the_lines_of_a_table_are_reported() {
    let app = TestApp::spawn().await;
    let table = "id;name;price;stock;curency\n1;Cup;5;1.000;EUR\n\n2;Pot;19,90;;\n3;Jug;x;;\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(table.as_bytes()).unwrap();
    let job = import(&app, "/imports", "application/gzip", gzip.finish().unwrap()).await;
    assert_eq!((counts(&job), &job["mode"]), ([2, 0, 0, 1], &json!("merge")), "{job}");
    let mapping = &job["mapping"];
    let price = json!({ "column": "price", "field": "price", "filled": 3, "example": "5" });
    assert_eq!(mapping["columns"][2], price, "{mapping}");
    assert!(mapping["warnings"][0].as_str().unwrap().contains("`curency`"), "{mapping}");
    let fault = &job["faults"][0];
    let place = ["line", "record", "status"].map(|name| fault[name].as_u64().unwrap());
    assert_eq!(place, [5, 3, 422], "{fault}");
    assert_eq!(Answer::faulty_fields(&fault["problem"]), ["price"]);
    assert_eq!(app.get("/products/1").await.json()["stock"], 1000, "19,90 has a decimal comma");
    let point = import(&app, "/imports?decimal=point", "text/csv", table).await;
    assert_eq!(counts(&point), [0, 1, 1, 1], "{point}");
    assert_eq!(app.get("/products/1").await.json()["stock"], 1);
    let named = import(&app, "/imports?map=curency=currency&mode=replace", "text/csv", table).await;
    assert_eq!((counts(&named), &named["mode"]), ([0, 1, 1, 1], &json!("replace")), "{named}");
    let cup = app.get("/products/1").await.json();
    assert_eq!((&cup["currency"], cup["attributes"].get("curency")), (&json!("EUR"), None));
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_one_line_come_in_pages() {
    let app = TestApp::spawn().await;
    let records: Vec<Value> = (1..=7).map(|n| json!({ "id": format!("p{n}"), "name": "" })).collect();
    let address = post(&app, "/imports", "application/json", json!(records).to_string()).await.expect(202);
    let address = address.header("location").to_owned();
    let page = async |after: u64| {
        app.get(&format!("{address}?limit=3&faultsAfter={after}")).await.expect(200).json()
    };
    wait_until("the job is finished", async || page(0).await["finishedAt"].is_string()).await;
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = page(after).await;
        seen.extend(page["faults"].as_array().unwrap().iter().map(|fault| fault["record"].as_u64().unwrap()));
        match page["nextFaultsAfter"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, (1..=7).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_keeps_what_it_leaves_out_and_clears_what_is_empty() {
    let app = TestApp::spawn().await;
    let cup = json!({
        "id": "cup", "name": "Cup", "brand": "Hill", "price": 5, "stock": 3, "status": "draft", "tags": ["blue"],
        "attributes": { "glaze": "blue", "size": "L" }
    });
    let line = format!("{cup}\n");
    import(&app, "/imports", "application/x-ndjson", line.clone()).await;
    let table = "id,price,stock,attributes.size,status\ncup,7.50,,,\nnew,1,1,S,\n";
    let job = import(&app, "/imports", "text/csv", table).await;
    assert_eq!(counts(&job), [0, 1, 0, 1], "a product that does not exist needs a name: {job}");
    assert_eq!(Answer::faulty_fields(&job["faults"][0]["problem"]), ["name"]);
    let merged = app.get("/products/cup").await.json();
    assert_eq!(
        (&merged["name"], &merged["brand"], &merged["tags"]),
        (&json!("Cup"), &json!("Hill"), &json!(["blue"]))
    );
    assert_eq!(
        (&merged["price"], merged.get("stock"), &merged["status"]),
        (&json!(7.5), None, &json!("draft"))
    );
    assert_eq!(merged["attributes"], json!({ "glaze": "blue" }));
    let again = import(&app, "/imports", "text/csv", table).await;
    assert_eq!(counts(&again), [0, 0, 1, 1], "nothing is left to change");

    let patch = "{\"id\":\"cup\",\"brand\":null,\"attributes\":{\"size\":\"M\"}}\n";
    let job = import(&app, "/imports?mode=merge", "application/x-ndjson", patch).await;
    assert_eq!((counts(&job), &job["mode"]), ([0, 1, 0, 0], &json!("merge")), "{job}");
    let merged = app.get("/products/cup").await.json();
    assert_eq!(
        (merged.get("brand"), &merged["attributes"]),
        (None, &json!({ "glaze": "blue", "size": "M" }))
    );

    let table = "id,name,price\ncup,Cup,7.50\n";
    import(&app, "/imports?mode=replace", "text/csv", table).await;
    let replaced = app.get("/products/cup").await.json();
    assert_eq!(
        (&replaced["tags"], &replaced["attributes"], &replaced["status"]),
        (&json!([]), &json!({}), &json!("active"))
    );
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bulk_writes_can_be_patches() {
    let app = TestApp::spawn().await;
    let lines =
        "{\"id\":\"a\",\"name\":\"A\",\"brand\":\"Hill\"}\n{\"id\":\"b\",\"stock\":1}\n{\"name\":\"C\"}\n";
    let ndjson = "application/x-ndjson";
    let answer = app.post_text("/products/bulk?mode=merge", ndjson, lines).await.expect(200);
    let statuses = |text: &str| -> Vec<u64> {
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["status"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(statuses(&answer.text), [201, 422, 422], "{}", answer.text);
    let lines = "{\"id\":\"a\",\"brand\":null}\n{\"id\":\"a\",\"stock\":2}\n{\"id\":\"a\",\"stock\":2}\n";
    let answer = app.post_text("/products/bulk?mode=merge", ndjson, lines).await.expect(200);
    assert_eq!(statuses(&answer.text), [200, 200, 200]);
    let product = app.get("/products/a").await.json();
    assert_eq!((product.get("brand"), &product["stock"], &product["version"]), (None, &json!(2), &json!(3)));
    app.post_text("/products/bulk?mode=sync", ndjson, lines).await.problem(400);
    app.sync_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_imported_are_refused_at_once() {
    let app = TestApp::spawn_in_process().await;
    let problem = post(&app, "/imports", "text/plain", "id,name\n1,A\n").await.problem(415);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("text/csv") && detail.contains("application/octet-stream"), "{detail}");
    for (content_type, body, reason) in [
        (ANY, &b"%PDF-1.7"[..], "the file is a PDF document"),
        (ANY, b"<!doctype html><html></html>", "the file is a web page"),
        ("text/csv", b"", "the file is empty"),
        (ANY, b" \n", "the file is empty"),
        ("application/zip", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "the file has no file in it"),
        ("text/xml", b"id,name\n1,A\n", "the file is no XML; files are ndjson, json, csv"),
    ] {
        let problem = post(&app, "/imports", content_type, body).await.problem(422);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with(reason) && detail.ends_with("; nothing was imported"), "{detail}");
    }
    for wrong in ["format=pdf", "mode=delete", "decimal=x", "map=name", "mode=merge&mode=merge"] {
        let problem = post(&app, &format!("/imports?{wrong}"), ANY, "id,name\n1,A\n").await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), [wrong.split('=').next().unwrap()]);
    }
    assert_eq!(app.folders_of_imports(), 0);
    let job = import(&app, "/imports?format=csv", ANY, "label,price\nA,1\n").await;
    assert_eq!(
        (&job["status"], job["error"].as_str().unwrap().contains("no column `name`")),
        (&json!("failed"), true),
        "{job}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_in_the_form_of_another_system_are_mapped() {
    let app = TestApp::spawn().await;
    let lines = "{\"objectID\":\"o1\",\"name\":\"TV\",\"image\":\"https://i.example/1.jpg\"}\n{\"id\":\"n1\",\"name\":\"Cup\"}\n";
    let job = import(&app, "/imports", "application/x-ndjson", lines).await;
    assert_eq!((counts(&job), &job["mode"]), ([1, 0, 0, 1], &json!("replace")), "{job}");
    let fault = job["faults"][0]["problem"]["detail"].as_str().unwrap().to_owned()
        + &job["faults"][0]["problem"].to_string();
    assert!(fault.contains("unlike the first of the file"), "{fault}");
    assert_eq!(app.get("/products/o1").await.json()["images"], json!(["https://i.example/1.jpg"]));
    let other = "{\"id\":\"n1\",\"name\":\"Cup\",\"glaze\":7}\n{\"objectID\":\"o2\",\"name\":\"TV\"}\n";
    let job = import(&app, "/imports", "application/json", other).await;
    assert_eq!(counts(&job), [1, 0, 0, 1], "{job}");
    assert_eq!(job["mapping"]["format"], "Noren's own JSON");
    assert_eq!(app.get("/products/n1").await.json()["attributes"], json!({ "glaze": 7 }));
    app.sync_all().await;
}

#[test]
fn a_data_folder_is_merged_and_replaced_by_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let data = folder.path().join("data").display().to_string();
    let import = |arguments: &[&str]| {
        let mut all = vec!["import", "--data-dir", data.as_str()];
        all.extend(arguments);
        let run = finished("noren", &all, &[]);
        let errors = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.success(), "{errors}");
        errors
    };
    let product = || -> Value {
        let run = finished("noren", &["export", "--data-dir", &data], &[]);
        serde_json::from_slice(&run.stdout).unwrap()
    };
    import(&[&file("a.ndjson", "{\"id\":\"a\",\"name\":\"Cup\",\"brand\":\"Hill\",\"stock\":3}\n")]);
    let table = file("a.csv", "id,price,stock\na,2.50,\n");
    let errors = import(&[&table]);
    assert!(errors.contains("price   → price") || errors.contains("price  → price"), "{errors}");
    let merged = product();
    assert_eq!(
        (&merged["name"], &merged["brand"], &merged["price"]),
        (&json!("Cup"), &json!("Hill"), &json!(2.5))
    );
    assert_eq!(merged.get("stock"), None);
    assert!(import(&[&table]).contains("0 created, 0 updated, 1 unchanged, 0 rejected"));
    import(&["--replace", &file("b.csv", "id,name,price\na,Cup,2.50\n")]);
    assert_eq!(product().get("brand"), None);
    import(&["--merge", &file("b.ndjson", "{\"id\":\"a\",\"price\":null,\"tags\":[\"blue\"]}\n")]);
    let merged = product();
    assert_eq!(
        (merged.get("price"), &merged["tags"], &merged["name"]),
        (None, &json!(["blue"]), &json!("Cup"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_character_set_of_a_file_can_be_named() {
    let app = TestApp::spawn().await;
    // "Чайник" in Windows-1251.
    let tea = [0xd7, 0xe0, 0xe9, 0xed, 0xe8, 0xea];
    let table = [&b"id,name\na,"[..], &tea, b"\n"].concat();
    let job = import(&app, "/imports", "text/csv", table.clone()).await;
    assert_eq!(job["mapping"]["encoding"], "Windows-1252");
    assert!(job["mapping"]["warnings"].to_string().contains("encoding="), "{job}");
    let job = import(&app, "/imports?encoding=windows-1251", "text/csv", table.clone()).await;
    assert_eq!((counts(&job), &job["mapping"]["encoding"]), ([0, 1, 0, 0], &json!("windows-1251")), "{job}");
    assert_eq!(app.get("/products/a").await.json()["name"], "Чайник");
    let lines = [&br#"{"id":"a","name":""#[..], &tea, b"\"}\n"].concat();
    let job = import(&app, "/imports?encoding=cp1251", "application/x-ndjson", lines).await;
    assert_eq!(counts(&job), [0, 0, 1, 0], "the same product: {job}");
    let job = import(&app, "/imports", "text/csv; charset=\"windows-1251\"", table.clone()).await;
    assert_eq!(counts(&job), [0, 0, 1, 0], "the same product: {job}");
    let problem = post(&app, "/imports", "text/csv; charset=utf-9", table.clone()).await.problem(415);
    assert!(problem["detail"].as_str().unwrap().contains("`utf-9` is no character set"), "{problem}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shop.dat");
    std::fs::write(&file, table).unwrap();
    let run = |arguments: &[&str], file: &std::path::Path| {
        let arguments = [&["import", "--url", &app.url], arguments, &[file.to_str().unwrap()]].concat();
        let run = finished("noren", &arguments, &[]);
        (run.status.code(), String::from_utf8(run.stderr).unwrap())
    };
    let (code, errors) = run(&["--encoding", "windows-1251", "--format", "tsv"], &file);
    assert!(code == Some(0) && errors.contains("0 created, 0 updated, 1 unchanged"), "{errors}");
    let (code, errors) = run(&["--encoding", "utf-9"], &file);
    assert!(code == Some(2) && errors.contains("`utf-9` is no character set"), "{errors}");
    let feed = folder.path().join("feed.json");
    std::fs::write(&feed, "<products><product><id>x</id><name>X</name></product></products>").unwrap();
    let (code, errors) = run(&["--format", "xml"], &feed);
    assert!(code == Some(0) && errors.contains("1 created"), "{errors}");
    app.sync_all().await;
}
