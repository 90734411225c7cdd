//! A store restored from a backup, which was made during writes, next to a newer index.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Running, finished, http_client, seed, wait_until};

/// The number of products before the backup.
const BEFORE: u64 = 300;
/// The other files of a store. If they were left, SQLite would apply them to the restored file.
const BESIDE: [&str; 2] = ["noren.db-wal", "noren.db-shm"];

async fn send(method: Method, url: &str, id: &str, product: Option<Value>) -> Answer {
    let request = http_client().request(method, format!("{url}/products/{id}"));
    Answer::of(match product {
        Some(product) => request.json(&product),
        None => request,
    })
    .await
}

fn lamp(price: u64) -> Option<Value> {
    Some(json!({"name": "Lamp", "price": price}))
}

fn verified(url: &str) -> String {
    let run = finished("noren", &["verify", "--patience", "30", "--url", url], &[]);
    let report = String::from_utf8(run.stderr).unwrap();
    assert!(run.status.success(), "SEED={}: {}{report}", seed(), String::from_utf8_lossy(&run.stdout));
    report
}

async fn total(url: &str) -> u64 {
    let search = http_client().get(format!("{url}/products/search?pageSize=1"));
    Answer::of(search).await.expect(200).json()["total"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_made_while_writes_go_on_is_restored_and_the_index_follows() {
    let (folder, backups) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (data, backup) = (folder.path().to_str().unwrap(), backups.path().join("noren.db"));
    let mut chance = fastrand::Rng::with_seed(seed());
    let service = Running::start("noren", &["serve", "--data-dir", data]).await;
    for n in 0..BEFORE {
        send(Method::PUT, &service.url, &format!("p{n}"), lamp(1)).await.expect(201);
    }
    // Writes continue until the service is killed.
    let (answered, url) = (Arc::new(AtomicU64::new(0)), service.url.clone());
    let counting = answered.clone();
    let writing = tokio::spawn(async move {
        for n in 0_u64.. {
            let put = http_client().put(format!("{url}/products/later-{n}")).json(&lamp(2));
            match put.send().await {
                Ok(answer) if answer.status() == 201 => _ = counting.fetch_add(1, Ordering::SeqCst),
                _ => return,
            }
        }
    });
    let writes = |more: u64| {
        let (answered, least) = (answered.clone(), answered.load(Ordering::SeqCst) + more);
        async move {
            wait_until("writes go on", async || answered.load(Ordering::SeqCst) >= least).await;
        }
    };
    writes(20).await;
    let sure = answered.load(Ordering::SeqCst);
    let made = finished("noren", &["backup", "--data-dir", data, backup.to_str().unwrap()], &[]);
    assert!(made.status.success(), "{made:?}");
    writes(20).await;
    let possible = answered.load(Ordering::SeqCst);
    assert_eq!(fs::read_dir(backups.path()).unwrap().count(), 1, "the copy is one file");
    // After the backup: updates, deletes, and versions that will be assigned again.
    for n in 0..BEFORE {
        match chance.u8(..3) {
            0 => send(Method::DELETE, &service.url, &format!("p{n}"), None).await.expect(200),
            1 => send(Method::PUT, &service.url, &format!("p{n}"), lamp(3)).await.expect(200),
            _ => continue,
        };
    }
    verified(&service.url);
    service.kill();
    writing.await.unwrap();

    for file in BESIDE {
        let _ = fs::remove_file(folder.path().join(file));
    }
    fs::copy(&backup, folder.path().join("noren.db")).unwrap();
    let service = Running::start("noren", &["serve", "--data-dir", data]).await;
    verified(&service.url);
    let found = total(&service.url).await;
    assert!((BEFORE + sure..=BEFORE + possible + 1).contains(&found), "SEED={}: {found}", seed());
    let all = http_client().get(format!("{}/products/search?pageSize=1&priceRange=1-1", service.url));
    assert_eq!(
        Answer::of(all).await.expect(200).json()["total"],
        BEFORE,
        "every price is that of the backup"
    );
    // Version 2 is assigned again, with other content.
    send(Method::PUT, &service.url, "p0", lamp(4)).await.expect(200);
    let report = verified(&service.url);
    assert!(report.contains("the index equals the store"), "{report}");
    let search = http_client().get(format!("{}/products/search?priceRange=4-4", service.url));
    assert_eq!(Answer::of(search).await.expect(200).ids(), ["p0"]);
}
