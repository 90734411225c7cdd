//! Import jobs: a file is accepted immediately and written in the background.

use futures::StreamExt;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp, wait_until};

const NDJSON: &str = "application/x-ndjson";

/// Submits a job and returns its address.
async fn import(app: &TestApp, lines: impl Into<String>) -> String {
    let answer = app.post_text("/imports", NDJSON, lines).await.expect(202);
    let job = answer.json();
    assert_eq!(answer.header("location"), format!("/imports/{}", job["id"].as_str().unwrap()));
    assert_eq!((&job["linesDone"], &job["rejected"]), (&json!(0), &json!(0)), "{job}");
    answer.header("location").to_owned()
}

async fn finished(app: &TestApp, address: &str) -> Value {
    let job = async || app.get(address).await.expect(200).json();
    wait_until("the job is finished", async || job().await["finishedAt"].is_string()).await;
    job().await
}

fn counts(job: &Value) -> [u64; 5] {
    ["linesDone", "created", "updated", "unchanged", "rejected"].map(|name| job[name].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_written_or_reported() {
    let app = TestApp::spawn().await;
    let body = "{\"id\":\"a\",\"name\":\"A\"}\n\n{\"id\":\"b\",\"name\":\"\",\"stock\":-1}\nnot json\n{\"name\":\"New\"}\n\
                {\"id\":\"a\",\"name\":\"A\"}\n{\"id\":\"a\",\"name\":\"A2\"}\n\n";
    let address = import(&app, body).await;
    let job = finished(&app, &address).await;
    assert_eq!(job["status"], "done", "{job}");
    assert_eq!(counts(&job), [8, 2, 1, 1, 2]);
    assert_eq!((&job["bytes"], &job["bytesDone"]), (&json!(body.len()), &json!(body.len())));
    let faults = job["faults"].as_array().unwrap();
    assert_eq!(
        (&faults[0]["line"], &faults[0]["id"], &faults[0]["status"]),
        (&json!(3), &Value::Null, &json!(422))
    );
    assert_eq!(Answer::faulty_fields(&faults[0]["problem"]), ["name", "stock"]);
    assert_eq!((&faults[1]["line"], &faults[1]["status"]), (&json!(4), &json!(400)));
    assert_eq!((faults.len(), &job["faultsOmitted"]), (2, &json!(0)));
    app.sync_all().await;
    let a = app.get("/products/a").await.json();
    assert_eq!((&a["name"], &a["version"]), (&json!("A2"), &json!(2)));
    let id = job["id"].as_str().unwrap();
    assert_eq!(
        app.search("query=new").await.ids(),
        [format!("{id}-5")],
        "a product without an id has the line's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_on_one_product_keep_their_order() {
    let app = TestApp::spawn().await;
    let lines: String = (1..=1500)
        .map(|n| format!("{}\n", json!({"id": format!("p{}", n % 7), "name": "Cup", "stock": n})))
        .collect();
    let job = finished(&app, &import(&app, lines).await).await;
    assert_eq!(counts(&job), [1500, 7, 1493, 0, 0]);
    for product in 0..7 {
        let product_state = app.get(&format!("/products/p{product}")).await.json();
        let own = (1..=1500).filter(|n| n % 7 == product);
        assert_eq!(product_state["version"], own.clone().count(), "each line made one version");
        assert_eq!(product_state["stock"], own.max().unwrap(), "the last line came last");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_come_in_pages() {
    let app = TestApp::spawn().await;
    let lines: String = (1..=10_050).map(|n| format!("{{\"id\":\"p{n}\"}}\n")).collect();
    let address = import(&app, lines).await;
    let job = finished(&app, &address).await;
    assert_eq!(counts(&job), [10_050, 0, 0, 0, 10_050]);
    assert_eq!((&job["nextFaultsAfter"], &job["faultsOmitted"]), (&json!(100), &json!(50)));
    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = app.get(&format!("{address}?faultsAfter={after}&limit=999")).await.expect(200).json();
        seen.extend(page["faults"].as_array().unwrap().iter().map(|fault| fault["line"].as_u64().unwrap()));
        match page["nextFaultsAfter"].as_u64() {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, (1..=10_000).collect::<Vec<_>>());
    for wrong in ["limit=0", "limit=1001", "faultsAfter=x", "faultsAfter=9223372036854775808"] {
        let problem = app.get(&format!("{address}?{wrong}")).await.problem(400);
        assert_eq!(Answer::faulty_fields(&problem), [wrong.split('=').next().unwrap()]);
    }
    app.get(&format!("{address}?page=2")).await.problem(400);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_the_newest_first_and_can_be_removed() {
    let app = TestApp::spawn().await;
    assert_eq!(app.get("/imports").await.expect(200).json(), json!({ "imports": [] }));
    let first = import(&app, "{\"id\":\"a\",\"name\":\"A\"}\n").await;
    let second = import(&app, "").await;
    assert_eq!(counts(&finished(&app, &second).await), [0; 5]);
    let listed = async || {
        let list = app.get("/imports").await.expect(200).json();
        let imports = list["imports"].as_array().unwrap().clone();
        imports.iter().map(|job| format!("/imports/{}", job["id"].as_str().unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [second.clone(), first.clone()]);
    app.delete(&first).await.expect(204);
    assert_eq!(listed().await, [second]);
    app.get(&first).await.problem(404);
    app.delete(&first).await.problem(404);
    app.get("/products/a").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_removed_stops() {
    let app = TestApp::spawn().await;
    let lines: String = (0..100_000).map(|n| format!("{{\"id\":\"p{n}\",\"name\":\"Cup\"}}\n")).collect();
    let running = import(&app, lines.clone()).await;
    let queued = import(&app, lines).await;
    wait_until("it runs", async || app.get(&running).await.json()["created"].as_u64() > Some(0)).await;
    assert_eq!(app.get(&queued).await.json()["status"], "queued");
    app.delete(&queued).await.expect(204);
    let written = app.get(&running).await.json()["created"].as_u64().unwrap();
    app.delete(&running).await.expect(204);
    // The next job is done immediately.
    let next = import(&app, "{\"id\":\"last\",\"name\":\"Last\"}\n").await;
    assert_eq!(counts(&finished(&app, &next).await), [1, 1, 0, 0, 0]);
    app.sync_all().await;
    let total = app.search("query=cup").await.json()["total"].as_u64().unwrap();
    assert!(
        total >= written && total < 50_000,
        "{total} of 100,000 were written, {written} before it was removed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_room_for_so_many_unfinished_jobs() {
    let app = TestApp::spawn().await;
    let lines: String = (0..200_000).map(|n| format!("{{\"id\":\"p{n}\",\"name\":\"Cup\"}}\n")).collect();
    let running = import(&app, lines).await;
    for _ in 1..100 {
        import(&app, "").await;
    }
    let refused = app.post_text("/imports", NDJSON, "").await;
    assert_ne!(refused.header("retry-after"), "");
    refused.problem(429);
    app.delete(&running).await.expect(204);
    import(&app, "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_imports_nothing() {
    let app = TestApp::spawn_in_process().await;
    let pieces = futures::stream::iter(0..2000).map(|n| match n {
        1999 => Err(std::io::Error::other("the client goes away")),
        n => Ok(format!("{{\"id\":\"p{n}\",\"name\":\"Cup\"}}\n")),
    });
    let request = app.request(Method::POST, "/imports").header(CONTENT_TYPE, NDJSON);
    let sent = request.body(reqwest::Body::wrap_stream(pieces)).send().await;
    assert!(sent.is_err(), "{sent:?}");
    let next = import(&app, "{\"id\":\"last\",\"name\":\"Last\"}\n").await;
    finished(&app, &next).await;
    let list = app.get("/imports").await.json();
    assert_eq!(list["imports"].as_array().unwrap().len(), 1, "{list}");
    app.get("/products/p1").await.problem(404);
    wait_until("nothing of it is left on the disk", async || app.folders_of_imports() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_job_is_refused() {
    let app = TestApp::spawn_in_process().await;
    app.post_text("/imports", "text/plain", "{}").await.problem(415);
    app.post_text("/imports?dry=true", NDJSON, "{}").await.problem(400);
    for address in ["/imports/none", "/imports/..%2f..", "/imports/019a2f6e-5d1c-7cc0-8f5e-3a1b9f2d4c6e"] {
        app.get(address).await.problem(404);
        app.delete(address).await.problem(404);
    }
    assert_eq!(app.folders_of_imports(), 0, "the folder is made for the first job");
    let put = app.request(Method::PUT, "/products/a").json(&json!({ "name": "A" }));
    let problem = Answer::of(put.header("idempotency-key", "import:x:1")).await.problem(400);
    assert_eq!(Answer::faulty_fields(&problem), ["Idempotency-Key"], "keys of jobs are theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_streams_to_the_disk() {
    let app = TestApp::spawn().await;
    let text = "lorem ipsum ".repeat(1000);
    let pieces = futures::stream::iter(0..1000).map(move |n| {
        let product =
            json!({ "id": format!("p{}", n % 10), "name": format!("Thing {n}"), "description": text });
        Ok::<_, std::convert::Infallible>(format!("{product}\n"))
    });
    let request = app.request(Method::POST, "/imports").header(CONTENT_TYPE, NDJSON);
    let answer = Answer::of(request.body(reqwest::Body::wrap_stream(pieces))).await.expect(202);
    let job = finished(&app, answer.header("location")).await;
    assert!(job["bytes"].as_u64() > Some(12_000_000), "{job}");
    assert_eq!(counts(&job), [1000, 10, 990, 0, 0]);
}
