//! The real binaries: three services on one folder, one process, crashes, and errors at start.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::{Answer, Running, check_openapi, chosen_seed, finished, http_client, wait_until};

async fn get(url: &str, path: &str) -> Answer {
    Answer::of(http_client().get(format!("{url}{path}"))).await
}

async fn total(url: &str, parameters: &str) -> Value {
    get(url, &format!("/products/search?{parameters}")).await.expect(200).json()["total"].clone()
}

/// Three processes on one folder.
struct Three {
    command: Running,
    sync: Running,
    query: Running,
}

impl Three {
    async fn start(dir: &str) -> Self {
        // The reader starts first: it must not depend on the others.
        let query = Running::start("noren-query", &["--data-dir", dir]).await;
        let sync = Running::start("noren-sync", &["--data-dir", dir]).await;
        let command = Running::start("noren-command", &["--data-dir", dir]).await;
        Self { command, sync, query }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_processes_work_as_one_and_serve_the_openapi_documents_checked_in() {
    let dir = tempfile::tempdir().unwrap();
    let three = Three::start(dir.path().to_str().unwrap()).await;
    for service in [&three.command, &three.sync, &three.query] {
        get(&service.url, "/health/ready").await.expect(200);
        get(&service.url, "/metrics").await.expect(200);
        let listen = service.url.trim_start_matches("http://");
        let check = finished(&service.name, &["--check-health"], &[("NOREN_LISTEN", listen)]);
        assert!(check.status.success() && check.stderr.is_empty(), "{check:?}");
    }
    for service in [&three.command, &three.query] {
        let served = get(&service.url, "/openapi.json").await.expect(200).json();
        check_openapi(&format!("{}.json", service.name), &served);
    }
    let client = http_client();
    let put = client.put(format!("{}/products/p1", three.command.url)).json(&json!({"name": "Oak lamp"}));
    Answer::of(put).await.expect(201);
    wait_until("the product is found", async || total(&three.query.url, "query=lamp").await == 1).await;
    Answer::of(client.delete(format!("{}/products/p1", three.command.url))).await.expect(200);
    wait_until("the product is gone", async || total(&three.query.url, "query=lamp").await == 0).await;
    assert_eq!(get(&three.query.url, "/products/p1").await.status, 404, "query does not read the store");
    assert_eq!(get(&three.command.url, "/products/search").await.status, 422, "command does not search");
    for service in [three.command, three.sync, three.query] {
        let name = service.name.clone();
        let listen = service.url.trim_start_matches("http://").to_owned();
        let status = service.interrupt();
        assert!(status.success(), "{name}: {status}");
        let error = start_fault(&name, &["--check-health", "--listen", &listen], &[]);
        assert!(error.contains(&format!("no service answers at {listen}")), "{error}");
    }
}

/// Processes share only the folder, and any query process can serve the search.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_with_the_token_of_a_write_sees_it_in_any_process() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let Three { command, sync: _sync, query } = Three::start(dir).await;
    let other_query = Running::start("noren-query", &["--data-dir", dir]).await;
    let client = http_client();
    for round in 0..20 {
        let put =
            client.put(format!("{}/products/p", command.url)).json(&json!({"name": format!("Cup n{round}")}));
        let token = Answer::of(put).await.header("noren-sync-token").to_owned();
        for query in [&query, &other_query] {
            let search = client.get(format!("{}/products/search?query=n{round}", query.url));
            let found = Answer::of(search.header("noren-sync-token", &token)).await.expect(200);
            assert_eq!(found.ids(), ["p"], "{token}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_sync_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let Three { command, sync, query } = Three::start(dir).await;
    let lines: String =
        (0..3000).map(|n| format!("{}\n", json!({"id": format!("p{n}"), "name": "Cup"}))).collect();
    let post = http_client()
        .post(format!("{}/products/bulk", command.url))
        .header("content-type", "application/x-ndjson")
        .body(lines);
    Answer::of(post).await.expect(200);
    sync.kill();
    let _sync = Running::start("noren-sync", &["--data-dir", dir]).await;
    wait_until("all are found", async || total(&query.url, "").await == 3000).await;
}

/// A line of a bulk request.
fn line(n: usize) -> String {
    let text = "A cup for tea or coffee. ".repeat(8);
    format!("{}\n", json!({"id": format!("p{n}"), "name": format!("Cup {n}"), "description": text}))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_kill_is_there_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let mut promised = std::collections::BTreeSet::new();
    for round in 0..3 {
        let service = Running::start("noren", &["serve", "--data-dir", dir]).await;
        // The body is endless: the service is killed in the middle of it.
        let body =
            futures::stream::iter((round * 1_000_000..).map(|n| Ok::<_, std::convert::Infallible>(line(n))));
        let answer = http_client()
            .post(format!("{}/products/bulk", service.url))
            .header("content-type", "application/x-ndjson")
            .body(reqwest::Body::wrap_stream(body))
            .send()
            .await
            .unwrap();
        let (mut chunks, mut text) = (answer.bytes_stream(), Vec::new());
        let enough = 2000 + round * 1500;
        while text.iter().filter(|byte| **byte == b'\n').count() < enough {
            text.extend_from_slice(&chunks.next().await.expect("answers go on").expect("answers go on"));
        }
        service.kill();
        let complete = text.iter().rposition(|byte| *byte == b'\n').unwrap();
        for line in String::from_utf8(text[..complete].to_vec()).unwrap().lines() {
            let result: Value = serde_json::from_str(line).unwrap();
            assert_eq!(result["status"], 201, "{result}");
            promised.insert(result["id"].as_str().unwrap().to_owned());
        }
    }
    let service = Running::start("noren", &["serve", "--data-dir", dir]).await;
    let (mut stored, mut path) = (std::collections::BTreeSet::new(), "/products?limit=500".to_owned());
    loop {
        let page = get(&service.url, &path).await.expect(200);
        stored.extend(page.ids());
        match page.json()["nextCursor"].as_str() {
            Some(cursor) => path = format!("/products?limit=500&cursor={cursor}"),
            None => break,
        }
    }
    assert!(promised.is_subset(&stored), "{} promised, {} stored", promised.len(), stored.len());
    wait_until("everything stored is found", async || total(&service.url, "query=cup").await == stored.len())
        .await;
}

/// An import of 20,000 lines is killed or stopped at random moments. Every tenth line names no id; the others set the
/// stock of 200 products, each to a different number, so that the version counts the lines.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_job_does_each_line_once_whenever_it_is_killed() {
    const LINES: usize = 20_000;
    const PRODUCTS: usize = 200;
    let seed = chosen_seed().unwrap_or_else(|| fastrand::u64(..));
    println!("SEED={seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let line_of = |n: usize| match n % 10 {
        0 => json!({"name": format!("Nameless {n}"), "tags": ["nameless"]}),
        _ => json!({"id": format!("p{}", n % PRODUCTS), "name": "Cup", "stock": n}),
    };
    let lines: String = (0..LINES).map(|n| format!("{}\n", line_of(n))).collect();

    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let mut service = Running::start("noren", &["serve", "--data-dir", dir]).await;
    let post =
        http_client().post(format!("{}/imports", service.url)).header("content-type", "application/x-ndjson");
    let job = Answer::of(post.body(lines)).await.expect(202).header("location").to_owned();
    let done = async |service: &Running| get(&service.url, &job).await.expect(200).json();
    let mut kills = 0;
    loop {
        let begun = done(&service).await["linesDone"].as_u64().unwrap();
        let enough = begun + chance.u64(1..LINES as u64 / 8);
        let reached = async || {
            let job = done(&service).await;
            job["finishedAt"].is_string() || job["linesDone"].as_u64() >= Some(enough)
        };
        wait_until("it goes on", reached).await;
        if done(&service).await["finishedAt"].is_string() {
            break;
        }
        // A moment within the next batch.
        let moment = Duration::from_micros(chance.u64(0..50_000));
        let _ = tokio::time::timeout(moment, std::future::pending::<()>()).await;
        match chance.u8(..4) {
            0 => assert!(service.interrupt().success(), "SEED={seed}"),
            _ => service.kill(),
        }
        kills += 1;
        service = Running::start("noren", &["serve", "--data-dir", dir]).await;
    }
    assert!(kills >= 4, "{kills} kills");

    let finished = done(&service).await;
    let nameless = LINES / 10;
    let named = (0..PRODUCTS).filter(|product| product % 10 != 0).count();
    assert_eq!((&finished["status"], &finished["linesDone"]), (&json!("done"), &json!(LINES)), "SEED={seed}");
    assert_eq!(
        [&finished["created"], &finished["updated"], &finished["unchanged"], &finished["rejected"]],
        [&json!(named + nameless), &json!(LINES - nameless - named), &json!(0), &json!(0)],
        "SEED={seed}"
    );
    for product in (0..PRODUCTS).filter(|product| product % 10 != 0) {
        let product_state = get(&service.url, &format!("/products/p{product}")).await.expect(200).json();
        let last = LINES - PRODUCTS + product;
        assert_eq!(
            (&product_state["version"], &product_state["stock"]),
            (&json!(LINES / PRODUCTS), &json!(last)),
            "SEED={seed}"
        );
    }
    wait_until("all are found", async || total(&service.url, "tags=nameless").await == nameless).await;
    assert_eq!(total(&service.url, "").await, named + nameless, "SEED={seed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_on_one_folder_one_takes_import_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["--data-dir", dir.path().to_str().unwrap()];
    let (first, second) = (
        Running::start("noren-command", &arguments).await,
        Running::start("noren-command", &arguments).await,
    );
    let import = async |service: &Running| {
        let post = http_client().post(format!("{}/imports", service.url));
        let lines = "{\"id\":\"a\",\"name\":\"Cup\"}\n";
        Answer::of(post.header("content-type", "application/x-ndjson").body(lines)).await
    };
    let job = import(&first).await.expect(202).header("location").to_owned();
    import(&second).await.problem(503);
    get(&second.url, &job).await.problem(503);
    first.kill();
    get(&second.url, &job).await.expect(200);
    import(&second).await.expect(202);
    let finished = async || get(&second.url, &job).await.json()["finishedAt"].is_string();
    wait_until("the second resumes the jobs of the first", finished).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_fills_an_empty_catalogue_with_the_demo_once() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--demo", "--data-dir", dir.path().to_str().unwrap()];
    let service = Running::start("noren", &arguments).await;
    let facets = get(&service.url, "/products/search?facets=category").await.expect(200).json();
    let found = facets["total"].as_u64().unwrap();
    assert!((1800..=2000).contains(&found), "{found} active products");
    let client = http_client();
    let id = facets["products"][0]["id"].as_str().unwrap().to_owned();
    Answer::of(client.delete(format!("{}/products/{id}", service.url))).await.expect(200);
    let status = service.interrupt();
    assert!(status.success(), "{status}");
    let service = Running::start("noren", &arguments).await;
    wait_until("the deleted product stays deleted", async || total(&service.url, "").await == found - 1)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_deleted_is_rebuilt_from_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--data-dir", dir.path().to_str().unwrap()];
    let service = Running::start("noren", &arguments).await;
    let lines: String =
        (0..1200).map(|n| format!("{}\n", json!({"id": format!("p{n}"), "name": "Cup"}))).collect();
    let client = http_client();
    let post =
        client.post(format!("{}/products/bulk", service.url)).header("content-type", "application/x-ndjson");
    Answer::of(post.body(lines)).await.expect(200);
    Answer::of(client.delete(format!("{}/products/p7", service.url))).await.expect(200);
    wait_until("all are found", async || total(&service.url, "query=cup").await == 1199).await;
    service.interrupt();
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let service = Running::start("noren", &arguments).await;
    wait_until("all are found again", async || total(&service.url, "query=cup").await == 1199).await;
}

/// Returns the only line on standard error of a process that does not start.
fn start_fault(name: &str, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let output = finished(name, arguments, variables);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{name} {arguments:?} starts");
    assert_eq!(error.trim_end().lines().count(), 1, "one line: {error}");
    assert!(error.starts_with("error: ") && !error.contains("panicked"), "{error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_start_ends_with_one_line_that_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let error = start_fault("noren-command", &[], &[("NOREN_LISTN", "127.0.0.1:1")]);
    assert!(error.contains("NOREN_LISTN") && error.contains("NOREN_LISTEN"), "{error}");
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for (name, arguments) in
        [("noren", vec!["serve"]), ("noren-command", vec![]), ("noren-sync", vec![]), ("noren-query", vec![])]
    {
        let listen = ["--listen", "127.0.0.1:0", "--data-dir"];
        let arguments = [arguments.as_slice(), &listen, &[file.to_str().unwrap()]].concat();
        let error = start_fault(name, &arguments, &[]);
        assert!(error.contains(file.to_str().unwrap()), "{name}: {error}");
    }
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let error = start_fault("noren", &["serve", "--data-dir", data, "--listen", &address], &[]);
    assert!(error.contains(&address) && error.contains("--listen"), "{error}");
    let error = start_fault("noren-query", &["--data-dir", data], &[("NOREN_CURRENCY", "dollars")]);
    assert!(error.contains("NOREN_CURRENCY"), "{error}");
    let first = Running::start("noren", &["serve", "--data-dir", data]).await;
    let error = start_fault("noren", &["serve", "--data-dir", data, "--listen", "127.0.0.1:0"], &[]);
    assert!(error.contains("another"), "{error}");
    drop(first);
    let output = finished("noren", &["serve", "--listen", "nowhere"], &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_start_with_broken_rules_ends_with_a_line_for_each_fault() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules.toml");
    std::fs::write(&rules, "version = 1\n[words]\nstopWords = [1, \"\"]\n").unwrap();
    let (rules, data) = (rules.to_str().unwrap(), dir.path().join("data"));
    let listen = ["--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap(), "--rules", rules];
    for (name, arguments) in [("noren", &["serve"][..]), ("noren-query", &[]), ("noren-sync", &[])] {
        let output = finished(name, &[arguments, &listen].concat(), &[]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success(), "{name} starts");
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 3, "{name}: {error}");
        assert!(lines[0].starts_with("error: ") && lines[0].contains("NOREN_RULES"), "{name}: {error}");
        assert_eq!(lines[2], format!("{rules}:3:17: is empty; add a value or remove it"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_weighs_the_parts_of_products_as_the_rules_say() {
    let dir = tempfile::tempdir().unwrap();
    let rules = dir.path().join("rules.toml");
    // A price with three decimals, which only some currencies have.
    let boost = "[[boost]]\nby = 0.1\nfilter = { priceRange = \"1.125-\" }\n";
    std::fs::write(&rules, format!("version = 1\n{boost}[weights]\nname = 0.2\ndescription = 3\n")).unwrap();
    let (rules, data) = (rules.to_str().unwrap(), dir.path().join("data"));
    let folder = ["--data-dir", data.to_str().unwrap()];
    let _sync =
        Running::start("noren-sync", &[&folder[..], &["--rules", rules, "--currency", "KWD"]].concat()).await;
    let command = Running::start("noren-command", &folder).await;
    let query = Running::start("noren-query", &folder).await;
    let products = [
        ("a-named", json!({"name": "Lamp", "description": "for the table"})),
        ("b-described", json!({"name": "Table", "description": "lamp"})),
    ];
    for (id, product) in &products {
        let put = http_client().put(format!("{}/products/{id}", command.url)).json(product);
        Answer::of(put).await.expect(201);
    }
    wait_until("both are found", async || total(&query.url, "query=lamp").await == 2).await;
    let found = get(&query.url, "/products/search?query=lamp").await.expect(200);
    assert_eq!(found.ids(), ["b-described", "a-named"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_change_are_logged_with_line_and_fault() {
    let dir = tempfile::tempdir().unwrap();
    let (rules, log, data) = (dir.path().join("rules.toml"), dir.path().join("log"), dir.path().join("data"));
    std::fs::write(&rules, "version = 1\n").unwrap();
    let arguments = ["serve", "--data-dir", data.to_str().unwrap(), "--rules", rules.to_str().unwrap()];
    let service = Running::start_with("noren", &arguments, |command| {
        command.stderr(std::fs::File::create(&log).unwrap());
    })
    .await;
    let logged = async |fault: &str| {
        total(&service.url, "query=tea").await;
        let text = std::fs::read_to_string(&log).unwrap();
        let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|line| line.to_string().contains(fault))
    };
    std::fs::write(&rules, "version = 1\n[words]\nstopWords = [5]\n").unwrap();
    wait_until("the fault is logged", async || logged("must be a text").await.is_some()).await;
    let line = logged("must be a text").await.unwrap();
    assert_eq!(
        (&line["rules.line"], &line["rules.column"], &line["level"]),
        (&json!(3), &json!(14), &json!("ERROR"))
    );
    get(&service.url, "/health/ready").await.expect(200);
    std::fs::write(&rules, "version = 1\n[words]\nstopWords = [\"the\"]\n").unwrap();
    wait_until("the rules are reloaded", async || logged("reloaded the rules").await.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_json_lines_where_no_person_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let data = dir.path().join("data");
    let service = Running::start_with("noren-command", &["--data-dir", data.to_str().unwrap()], |command| {
        command.env("RUST_LOG", "debug").stderr(std::fs::File::create(&log).unwrap());
    })
    .await;
    let request =
        http_client().get(format!("{}/products/none", service.url)).header("x-request-id", "mine-7");
    Answer::of(request).await.expect(404);
    let find = || {
        let text = std::fs::read_to_string(&log).unwrap();
        let line = |line: &str| serde_json::from_str::<Value>(line).ok();
        text.lines().filter_map(line).find(|line| line["request.id"] == "mine-7")
    };
    wait_until("the request is logged", async || find().is_some()).await;
    let line = find().unwrap();
    assert_eq!(
        (&line["service"], &line["level"], &line["message"]),
        (&json!("noren-command"), &json!("INFO"), &json!("request"))
    );
    assert!(line["timestamp"].as_str().unwrap().starts_with("20"), "{line}");
}
