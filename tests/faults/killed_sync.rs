//! `kill -9` while a file is synchronised.
//!
//! Guarantee: the job ends as it would without the kills, and no product of the file is deleted.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Running, http_client, wait_until};

/// The number of products before the import. The file lacks one in 20 and changes the others.
const PRODUCTS: usize = 4000;
const KILLS: u64 = 4;

async fn start(data: &Path) -> Running {
    Running::start("noren", &["serve", "--data-dir", data.to_str().unwrap()]).await
}

fn lines(name: &str, has: impl Fn(usize) -> bool) -> String {
    let line = |id| format!("{}\n", json!({"id": format!("p{id}"), "name": format!("{name} {id}")}));
    (0..PRODUCTS).filter(|id| has(*id)).map(line).collect()
}

async fn post(url: &str, body: String) -> Answer {
    Answer::of(http_client().post(url).header("content-type", "application/x-ndjson").body(body)).await
}

async fn job(service: &Running, path: &str) -> Value {
    Answer::of(http_client().get(format!("{}{path}", service.url))).await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_synchronisation_that_is_killed_ends_the_same() {
    let data = tempfile::tempdir().unwrap();
    let mut service = start(data.path()).await;
    post(&format!("{}/products/bulk", service.url), lines("Cup", |_| true)).await.expect(200);
    let is_kept = |id: usize| id % 20 != 7;
    let accepted =
        post(&format!("{}/imports?mode=sync", service.url), lines("Mug", is_kept)).await.expect(202);
    let path = accepted.header("location").to_owned();
    let mut kills = 0;
    for kill in 1..=KILLS {
        let until = PRODUCTS as u64 * kill / (KILLS + 1);
        let is_far = async || {
            let job = job(&service, &path).await;
            job["linesDone"].as_u64().unwrap() >= until || job["finishedAt"].is_string()
        };
        wait_until("the job gets further", is_far).await;
        kills += u64::from(!job(&service, &path).await["finishedAt"].is_string());
        service.kill();
        service = start(data.path()).await;
    }
    assert!(kills > 0, "the job was still running when its process was killed");
    wait_until("the job is finished", async || job(&service, &path).await["finishedAt"].is_string()).await;
    let job = job(&service, &path).await;
    let deleted = PRODUCTS / 20;
    assert_eq!(
        (&job["status"], &job["rejected"], &job["deleted"]),
        (&json!("done"), &json!(0), &json!(deleted)),
        "{job}"
    );
    assert_eq!(job["updated"], PRODUCTS - deleted, "{job}");
    let exported = crate::support::finished("noren", &["export", "--url", &service.url], &[]);
    let mut found = vec![false; PRODUCTS];
    for line in String::from_utf8(exported.stdout).unwrap().lines() {
        let product: Value = serde_json::from_str(line).unwrap();
        let id: usize = product["id"].as_str().unwrap()[1..].parse().unwrap();
        assert_eq!((&product["name"], &product["version"]), (&json!(format!("Mug {id}")), &json!(2)));
        found[id] = true;
    }
    assert!((0..PRODUCTS).all(|id| found[id] == is_kept(id)));
    let total = async |query: &str| {
        let url = format!("{}/products/search?pageSize=1&query={query}", service.url);
        Answer::of(http_client().get(url)).await.expect(200).json()["total"].as_u64().unwrap()
    };
    let all = (PRODUCTS - deleted) as u64;
    wait_until("the index has the same", async || (total("mug").await, total("cup").await) == (all, 0)).await;
}
