//! The three services as processes on DynamoDB, SQS and OpenSearch: crashes, outages, and the lag of a write.

use std::process::Stdio;
use std::time::{Duration, Instant};

use aws_setup::Aws;
use domain::ProductId;
use domain::ports::ChangeQueue;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use reqwest::Client;
use serde_json::json;
use sqs_queue::SqsQueue;

use super::shares::processor_times;
use super::start::{fault, variables};
use crate::services;
use crate::support::{Answer, Icecat, Proxy, Running, command, finished, http_client, scaled, wait_within};

/// The longest time that a catalogue may take on a busy machine.
const LONG: Duration = Duration::from_secs(300);

/// The back ends of a test's services: a table, a queue and an alias of one name.
struct Stack {
    name: String,
    dynamodb: String,
    sqs: &'static str,
    opensearch: String,
    queue: SqsQueue,
}

impl Stack {
    /// Returns `None` if there are no servers.
    async fn new(visibility: Duration) -> Option<Self> {
        let (dynamodb, sqs) = (services::dynamodb().await?, services::sqs().await?);
        let opensearch = services::opensearch().await?.url.clone();
        let name = format!("stack-{}", ProductId::generate());
        let aws = Aws::local(&sqs.url).await.unwrap();
        let queue = SqsQueue::create(&aws, &name, visibility).await.unwrap();
        Some(Self { name, dynamodb: dynamodb.url.clone(), sqs: &sqs.url, opensearch, queue })
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        let ours = [
            ("NOREN_STORE", "dynamodb"),
            ("NOREN_QUEUE", "sqs"),
            ("NOREN_INDEX", "opensearch"),
            ("NOREN_OPENSEARCH_URL", &*self.opensearch),
            ("NOREN_OPENSEARCH_INDEX", &*self.name),
        ];
        [&variables(&self.dynamodb, self.sqs, &self.name)[..], &ours].concat()
    }

    async fn start(&self, service: &str) -> Running {
        Running::start_with(service, &[], |command| {
            command.envs(self.variables()).env("NOREN_CREATE_TABLES", "true");
        })
        .await
    }

    async fn nothing_is_left(&self) -> bool {
        let stats = self.queue.stats().await.unwrap();
        (stats.waiting, stats.in_flight) == (0, 0)
    }

    async fn dead_letters(&self) -> u64 {
        self.queue.stats().await.unwrap().dead
    }
}

/// Returns the number of products that match a search for everything.
async fn total(client: &Client, query: &Running) -> usize {
    let request = client.get(format!("{}/products/search?pageSize=1", query.url));
    Answer::of(request).await.expect(200).json()["total"].as_u64().unwrap() as usize
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_survives_the_death_of_each_process() {
    // Messages of a killed process become visible again soon.
    let Some(stack) = Stack::new(Duration::from_secs(5)).await else { return };
    let (icecat, client) = (Icecat::load(), http_client());
    let whole = icecat.products.len();
    let (mut command, mut sync) = (stack.start("noren-command").await, stack.start("noren-sync").await);
    let mut query = stack.start("noren-query").await;
    let mut import = importing(&icecat, &command);
    let reached = async |query: &Running, part: usize| {
        let found = wait_within(LONG, async || total(&client, query).await >= part).await;
        assert!(found, "waited in vain for {part} of {whole} products");
    };

    reached(&query, whole / 10).await;
    sync.kill();
    sync = stack.start("noren-sync").await;
    reached(&query, whole / 5).await;
    query.kill();
    query = stack.start("noren-query").await;
    reached(&query, whole / 4).await;
    command.kill();
    let broken_off = import.wait().unwrap();
    command = stack.start("noren-command").await;
    // A small catalogue is imported before the process is killed.
    if !broken_off.success() {
        import = importing(&icecat, &command);
        assert!(import.wait().unwrap().success());
    }

    reached(&query, whole).await;
    icecat.expect_at(&query.url).await;
    // Outbox entries that were enqueued but not removed before the kill are sent again.
    assert!(wait_within(LONG, async || stack.nothing_is_left().await).await);
    assert_eq!(stack.dead_letters().await, 0);
    drop((command, sync));
}

fn importing(icecat: &Icecat, to: &Running) -> std::process::Child {
    let mut import = command("noren");
    import.args(["import", icecat.file.to_str().unwrap(), "--url", &to.url]);
    import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Prints what docs/BENCHMARKS.md reports of a release build at full scale.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_takes_each_part_so_long() {
    let Some(stack) = Stack::new(Duration::from_secs(30)).await else { return };
    let icecat = Icecat::load();
    let (command, _sync) = (stack.start("noren-command").await, stack.start("noren-sync").await);
    let (query, client) = (stack.start("noren-query").await, http_client());
    let whole = icecat.products.len();

    let (begun, before) = (Instant::now(), processor_times());
    let mut import = importing(&icecat, &command);
    let written = wait_within(LONG, async || import_is_over(&import)).await;
    let (written_after, importer) = (begun.elapsed(), processor_times());
    assert!(written && import.wait().unwrap().success());
    assert!(wait_within(LONG, async || total(&client, &query).await == whole).await);
    let (found_after, after) = (begun.elapsed(), processor_times());

    let rate = |time: Duration| whole as f64 / time.as_secs_f64();
    println!(
        "{whole} products, {:.0} a second until written, {:.0} until found",
        rate(written_after),
        rate(found_after)
    );
    for (name, time) in importer.iter().filter(|(name, _)| *name == "noren").chain(&after) {
        let used = time.saturating_sub(before.get(name).copied().unwrap_or_default()).as_secs_f64();
        println!("  {name}: {used:.1} s of processor time, {:.2} ms a product", used * 1000.0 / whole as f64);
    }
}

/// Returns true if the process has ended but was not waited for, so that its processor time is still known.
fn import_is_over(import: &std::process::Child) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", import.id())).unwrap_or_default();
    stat.contains(") Z ")
}

/// The outage lasts six visibility timeouts: if waiting counted as a failure, the first messages would be dead
/// letters.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_dead_lettered_while_opensearch_is_away() {
    let visibility = Duration::from_secs(2);
    let outage = Duration::from_secs(scaled(60, 12));
    let Some(mut stack) = Stack::new(visibility).await else { return };
    let mut proxy = Proxy::before(&stack.opensearch);
    proxy.connect().await;
    stack.opensearch = proxy.url();
    let (command, _sync) = (stack.start("noren-command").await, stack.start("noren-sync").await);
    let (query, client) = (stack.start("noren-query").await, http_client());
    let write = async |n: usize| {
        let url = format!("{}/products/p{n}", command.url);
        Answer::of(client.put(url).json(&json!({ "name": "a lamp" }))).await.expect(201);
    };
    write(0).await;
    let all_found = async |written: usize| {
        wait_within(LONG, async || total(&client, &query).await == written).await && {
            wait_within(LONG, async || stack.nothing_is_left().await).await
        }
    };
    assert!(all_found(1).await);

    proxy.cut().await;
    let ready = Answer::of(client.get(format!("{}/health/ready", query.url))).await.problem(503);
    assert_ne!(ready["parts"]["index"], "ready", "{ready}");
    let refused = Answer::of(client.get(format!("{}/products/search", query.url))).await;
    assert_ne!(refused.header("retry-after"), "");
    refused.problem(503);
    let (begun, mut written) = (Instant::now(), 1);
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    while begun.elapsed() < outage {
        ticks.tick().await;
        write(written).await;
        written += 1;
    }
    proxy.connect().await;
    assert!(all_found(written).await, "all {written} products are found");
    assert_eq!(stack.dead_letters().await, 0);
}

/// The store is cut off during the job, then the process is killed: no line is rejected for it, and each is applied
/// once.
#[tokio::test(flavor = "multi_thread")]
async fn an_import_job_waits_for_dynamodb_and_does_each_line_once() {
    const LINES: usize = 4000;
    const PRODUCTS: usize = 250;
    let Some(mut stack) = Stack::new(Duration::from_secs(30)).await else { return };
    let mut proxy = Proxy::before(&stack.dynamodb);
    proxy.connect().await;
    stack.dynamodb = proxy.url();
    let (data_dir, client) = (tempfile::tempdir().unwrap(), http_client());
    let start = async || {
        Running::start_with("noren-command", &[], |command| {
            command.envs(stack.variables()).env("NOREN_CREATE_TABLES", "true");
            command.env("NOREN_DATA_DIR", data_dir.path());
        })
        .await
    };
    let line = |n| format!("{}\n", json!({ "id": format!("p{}", n % PRODUCTS), "name": "Cup", "stock": n }));
    let lines: String = (0..LINES).map(line).collect();
    let mut service = start().await;
    let post = client.post(format!("{}/imports", service.url)).header("content-type", "application/x-ndjson");
    let job = Answer::of(post.body(lines)).await.expect(202).header("location").to_owned();
    let job_state = async |service: &Running| {
        Answer::of(client.get(format!("{}{job}", service.url))).await.expect(200).json()
    };
    let reached = async |service: &Running, lines: usize| {
        assert!(
            wait_within(LONG, async || job_state(service).await["linesDone"].as_u64() >= Some(lines as u64))
                .await
        );
    };
    reached(&service, 500).await;
    proxy.cut().await;
    let put = client.put(format!("{}/products/other", service.url)).json(&json!({ "name": "a lamp" }));
    Answer::of(put).await.problem(503);
    let blocked = job_state(&service).await;
    assert_eq!((&blocked["status"], &blocked["rejected"]), (&json!("running"), &json!(0)), "{blocked}");
    proxy.connect().await;
    reached(&service, blocked["linesDone"].as_u64().unwrap() as usize + 1).await;
    service.kill();
    service = start().await;
    reached(&service, LINES).await;
    assert!(wait_within(LONG, async || job_state(&service).await["status"] == "done").await);
    let done = job_state(&service).await;
    let counted = ["linesDone", "created", "updated", "unchanged", "rejected"].map(|name| &done[name]);
    let expected = [LINES, PRODUCTS, LINES - PRODUCTS, 0, 0].map(|count| json!(count));
    assert_eq!(counted, expected.each_ref(), "{done}");
    for product in 0..PRODUCTS {
        let product_state =
            Answer::of(client.get(format!("{}/products/p{product}", service.url))).await.expect(200).json();
        let last = LINES - PRODUCTS + product;
        assert_eq!(
            (&product_state["version"], &product_state["stock"]),
            (&json!(LINES / PRODUCTS), &json!(last))
        );
    }
}

/// Fifty writers read the product and replace the version they saw, 200 times each at full scale.
#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_one_success_of_many_writers_and_every_loser_gets_the_current_version() {
    const WRITERS: usize = 50;
    let writes = scaled(200, 20) as usize;
    let Some(stack) = Stack::new(Duration::from_secs(30)).await else { return };
    let (command, client) = (stack.start("noren-command").await, http_client());
    let url = format!("{}/products/contested", command.url);
    Answer::of(client.put(&url).json(&json!({ "name": "a lamp" }))).await.expect(201);
    let writers = (0..WRITERS).map(|writer| {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move {
            let mut made = Vec::new();
            for write in 0..writes {
                let seen = Answer::of(client.get(&url)).await.expect(200).header("etag").to_owned();
                let content = json!({ "name": format!("lamp {write} of writer {writer}") });
                let answer = Answer::of(client.put(&url).header("if-match", &seen).json(&content)).await;
                if answer.status == 200 {
                    made.push(answer.json()["version"].as_u64().unwrap());
                } else {
                    let current = answer.problem(412)["currentVersion"].as_u64().unwrap();
                    assert_ne!(
                        format!("\"{current}\""),
                        seen,
                        "the loser is output_text the version there is"
                    );
                }
            }
            made
        })
    });
    let mut made = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        made.extend(writer.await.unwrap());
    }
    made.sort_unstable();
    assert!(made.len() >= writes, "of writers that never stop, one wins each time");
    assert_eq!(made, (2..2 + made.len() as u64).collect::<Vec<_>>());
    let last = Answer::of(client.get(&url)).await.expect(200).json();
    assert_eq!(last["version"], 1 + made.len());
}

#[tokio::test]
async fn an_index_that_cannot_be_used_is_one_line_that_says_what_to_set() {
    let Some(mut stack) = Stack::new(Duration::from_secs(30)).await else { return };
    let missing = fault("noren-sync", &[], &stack.variables());
    assert!(
        missing.contains(&stack.name) && missing.contains("NOREN_OPENSEARCH_INDEX"),
        "it names the index and what to set: {missing}"
    );
    stack.opensearch = "opensearch:9200".to_owned();
    for service in ["noren-sync", "noren-query"] {
        let wrong = fault(service, &[], &stack.variables());
        assert!(wrong.contains("http://127.0.0.1:9200"), "{wrong}");
    }
}

/// Returns the response, or `None` for a 503, which a service sends if its back end did not answer in time. Clients repeat
/// such a request.
async fn answer_unless_busy(request: reqwest::RequestBuilder) -> Option<Answer> {
    let answer = Answer::of(request).await;
    if answer.status != 503 {
        return Some(answer);
    }
    assert_ne!(answer.header("retry-after"), "", "{answer:?}");
    None
}

/// Makes 20 writes a second, searches for each as soon as it is acknowledged, and prints the lag. The first quarter of the
/// writes is a warm-up that does not count, because the Java servers compile their code during the first requests.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_found_soon() {
    let Some(stack) = Stack::new(Duration::from_secs(30)).await else { return };
    let (command, _sync) = (stack.start("noren-command").await, stack.start("noren-sync").await);
    let (query, client) = (stack.start("noren-query").await, http_client());
    let lag = async |n: usize| {
        let url = format!("{}/products/p{n}", command.url);
        let content = json!({ "name": format!("lamp x{n}x") });
        let is_written = async || {
            let answer = answer_unless_busy(client.put(&url).json(&content)).await;
            // A PUT that timed out in the store may have been applied; its repetition is answered with 200, not 201.
            answer.map(|answer| assert!(answer.status.is_success(), "{answer:?}")).is_some()
        };
        assert!(wait_within(LONG, is_written).await, "the product is written");
        let written = Instant::now();
        let search = format!("{}/products/search?query=x{n}x", query.url);
        let found = async || {
            let answer = answer_unless_busy(client.get(&search)).await;
            answer.is_some_and(|answer| answer.expect(200).ids() == [format!("p{n}")])
        };
        assert!(wait_within(LONG, found).await, "the product is found");
        written.elapsed()
    };
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    let (mut running, mut lags) = (FuturesUnordered::new(), Vec::new());
    let measured = 20 * scaled(30, 3) as usize;
    for n in 0..measured * 4 / 3 {
        while let Some(lag) = tokio::select! {
            _ = ticks.tick() => None,
            Some(lag) = running.next() => Some(lag),
        } {
            lags.push(lag);
        }
        running.push(lag(n));
    }
    lags.extend(running.collect::<Vec<_>>().await);
    lags.drain(..measured / 3);
    lags.sort();
    let at = |share: usize| lags[(lags.len() * share / 100).min(lags.len() - 1)];
    println!("from the answer to being found: median {:?}, 99 of 100 {:?}", at(50), at(99));
}

/// Operator commands on the back ends of running services.
#[tokio::test(flavor = "multi_thread")]
async fn an_operator_works_on_the_back_ends_of_running_services() {
    let Some(stack) = Stack::new(Duration::from_secs(30)).await else { return };
    let (command, _sync) = (stack.start("noren-command").await, stack.start("noren-sync").await);
    let (query, client) = (stack.start("noren-query").await, http_client());
    let lines: String =
        (0..300).map(|n| format!("{}\n", json!({"id": format!("p{n}"), "name": "Oak lamp"}))).collect();
    let post = client.post(format!("{}/products/bulk", command.url));
    Answer::of(post.header("content-type", "application/x-ndjson").body(lines)).await.expect(200);
    Answer::of(client.delete(format!("{}/products/p7", command.url))).await.expect(200);
    assert!(wait_within(LONG, async || total(&client, &query).await == 299).await);

    let noren = async |arguments: &[&str]| {
        let (arguments, variables) = ([arguments, &["--back-ends"]].concat(), stack.variables());
        let output = tokio::task::block_in_place(|| finished("noren", &arguments, &variables));
        let output_text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "noren {arguments:?}: {output_text}");
        output_text
    };
    let verified = noren(&["verify"]).await;
    assert!(
        verified.contains("300 products and tombstones compared: the index equals the store"),
        "{verified}"
    );
    let rebuilt = noren(&["reindex"]).await;
    assert!(rebuilt.contains("with 300 products and tombstones"), "{rebuilt}");
    assert_eq!(total(&client, &query).await, 299, "searches use the new index at once");
    let put = client.put(format!("{}/products/late", command.url)).json(&json!({"name": "Late lamp"}));
    Answer::of(put).await.expect(201);
    assert!(wait_within(LONG, async || total(&client, &query).await == 300).await, "and so does sync");
    noren(&["reindex", "--rollback"]).await;
    assert_eq!(total(&client, &query).await, 300, "the index before has caught up");
    noren(&["verify"]).await;
    assert!(noren(&["dlq", "list"]).await.contains("no dead letters"));
    let exported = noren(&["export"]).await;
    assert_eq!(exported.lines().filter(|line| line.contains("\"name\":")).count(), 300, "{exported}");
}
