//! Measures the store and the queue on this disk: `cargo run --release -p embedded-store --example write_speed`.
//!
//! Prints the rate and the CPU time of each workload:
//!
//! 1. rows of products and messages in a bare SQLite file, in transactions of 64 products;
//! 2. single writes by 64 concurrent callers;
//! 3. writes in batches of 500, by one caller and by four;
//! 4. receiving and acknowledging in batches of 1,000;
//! 5. reading in batches of 500.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use domain::input::read_product;
use domain::ports::{ChangeQueue, ProductStore, Receipt, Write, WriteError};
use domain::{Change, Content, Currency, Product, ProductId, Version};
use embedded_store::{EmbeddedStore, Options};

const SINGLES: usize = 100_000;
const CALLERS: usize = 64;
const BATCHED: usize = 300_000;
const BATCH: usize = 500;
const RECEIVED: usize = 1_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(".")?;
    let store = EmbeddedStore::open(folder.path(), Options::default())?;
    let content = content()?;
    let example = product("an-example-of-an-id", &content);
    println!("a product has {} bytes", serde_json::to_vec(&example)?.len());

    let measure = Measure::start();
    write_bare_rows(&serde_json::to_string(&example)?)?;
    measure.print("bare file, groups of 64", SINGLES);

    let next = Arc::new(AtomicUsize::new(0));
    let measure = Measure::start();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| tokio::spawn(write_singles(store.clone(), Arc::clone(&next), content.clone())))
        .collect();
    for caller in callers {
        caller.await??;
    }
    measure.print("single writes, 64 callers", SINGLES);

    let measure = Measure::start();
    write_batches(store.clone(), content.clone(), 0..BATCHED / BATCH / 2).await?;
    measure.print("writes in batches of 500", BATCHED / 2);

    let measure = Measure::start();
    let quarter = BATCHED / BATCH / 8;
    let callers: Vec<_> = (4..8)
        .map(|at| {
            tokio::spawn(write_batches(store.clone(), content.clone(), at * quarter..(at + 1) * quarter))
        })
        .collect();
    for caller in callers {
        caller.await??;
    }
    measure.print("the same, 4 callers", BATCHED / 2);

    let measure = Measure::start();
    let mut received = 0;
    loop {
        let deliveries = store.receive(RECEIVED, Duration::ZERO).await?;
        if deliveries.is_empty() {
            break;
        }
        received += deliveries.len();
        let receipts: Vec<Receipt> = deliveries.into_iter().map(|delivery| delivery.receipt).collect();
        store.acknowledge(&receipts).await?;
    }
    measure.print("received and acknowledged", received);

    let measure = Measure::start();
    for batch in 0..BATCHED / BATCH {
        let ids: Result<Vec<_>, _> =
            (0..BATCH).map(|i| ProductId::parse(&scattered_id("batch", batch * BATCH + i))).collect();
        assert!(store.get(&ids?).await?.iter().all(Option::is_some), "everything written is there");
    }
    measure.print("read in batches of 500", BATCHED);
    Ok(())
}

/// Writes the rows of [`SINGLES`] products directly into an SQLite file, with an fsync for each transaction: the baseline.
fn write_bare_rows(json: &str) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir_in(".")?;
    let mut conn = rusqlite::Connection::open(folder.path().join("bare.db"))?;
    conn.execute_batch(concat!(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 24576;",
        include_str!("../src/migrations/1.sql"),
    ))?;
    for group in 0..SINGLES.div_ceil(CALLERS) {
        let transaction = conn.transaction()?;
        for number in group * CALLERS..SINGLES.min((group + 1) * CALLERS) {
            let id = scattered_id("bare", number);
            transaction
                .prepare_cached(
                    "INSERT INTO products (id, version, action, sku, json) VALUES (?1, 1, 'CREATE', ?2, ?3)",
                )?
                .execute((&id, format!("SKU-{id}"), json))?;
            transaction
                .prepare_cached(
                    "INSERT INTO messages (visible_at, sent_at, id, version) VALUES (0, 0, ?1, 1)",
                )?
                .execute([&id])?;
        }
        transaction.commit()?;
    }
    Ok(())
}

async fn write_singles(
    store: EmbeddedStore,
    next: Arc<AtomicUsize>,
    content: Content,
) -> Result<(), WriteError> {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= SINGLES {
            return Ok(());
        }
        for written in store.write(vec![create(&scattered_id("single", number), &content)]).await {
            written?;
        }
    }
}

async fn write_batches(
    store: EmbeddedStore,
    content: Content,
    batches: Range<usize>,
) -> Result<(), WriteError> {
    for batch in batches {
        let id = |i| scattered_id("batch", batch * BATCH + i);
        let writes = (0..BATCH).map(|i| create(&id(i), &content)).collect();
        for written in store.write(writes).await {
            written?;
        }
    }
    Ok(())
}

/// Returns an id. Consecutive numbers have ids in random order, as hashes are; these cost more to write than ascending ids.
fn scattered_id(kind: &str, number: usize) -> String {
    format!("{kind}-{:016x}", (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn create(id: &str, content: &Content) -> Write {
    let change = Change::Create(Arc::new(product(id, content)));
    Write { change, replaces: None, idempotency: None, traceparent: None }
}

fn product(id: &str, content: &Content) -> Product {
    let id = ProductId::parse(id).unwrap_or_else(|_| ProductId::generate());
    let mut content = content.clone();
    content.sku = Some(format!("SKU-{id}"));
    Product { id, version: Version::FIRST, created_at: domain::now(), updated_at: domain::now(), content }
}

fn content() -> Result<Content, Box<dyn Error>> {
    let mut fields = String::from(
        r#"{"name":"Laptop 15","brand":"Acme","category":"Computers > Laptops","price":799.99,"#,
    );
    fields.push_str(&format!(
        r#""description":"{}","attributes":{{"#,
        "a light laptop with a long battery ".repeat(20)
    ));
    let attributes: Vec<_> =
        (0..15).map(|i| format!(r#""attribute number {i}":"a value of it, {i}""#)).collect();
    fields.push_str(&attributes.join(","));
    fields.push_str("}}");
    Ok(read_product(fields.as_bytes(), Currency::USD)?.content)
}

/// A measurement of wall and CPU time.
struct Measure {
    wall: Instant,
    cpu: Option<Duration>,
}

impl Measure {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_time() }
    }

    fn print(self, label: &str, count: usize) {
        let wall = self.wall.elapsed();
        let rate = count as f64 / wall.as_secs_f64();
        print!("{label:28} {rate:>9.0} a second");
        if let (Some(before), Some(after)) = (self.cpu, cpu_time()) {
            print!(", {:.1} µs of CPU time each", (after - before).as_secs_f64() * 1e6 / count as f64);
        }
        println!();
    }
}

/// Returns the CPU time of this process, with a resolution of 10 ms; `None` if the system is not Linux.
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
