//! Measures how fast the index applies changes and answers searches: `cargo run --release --example throughput --
//! FILE.ndjson [BATCH] [HEAP_MB] [THREADS]`.

use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ports::{IndexWriter, SearchIndex};
use domain::search::{Field, SearchRequest, Sort};
use domain::{Change, Currency, PriceRange, Product, Version};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};

/// The number of products that the second round updates.
const UPDATES: usize = 50_000;

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("name an NDJSON file of products")?;
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (batch, heap_bytes, threads) = (number(5000)?, number(64)? * 1_000_000, number(1)?);
    let folder = tempfile::tempdir()?;
    let writer =
        TantivyWriter::open(folder.path(), WriterOptions { heap_bytes, threads, ..Default::default() })?;
    let searcher = TantivySearcher::open(folder.path(), SearcherOptions::default())?;
    load(&writer, &file, batch, Version(1), usize::MAX).await?;
    search_all(&searcher).await?;
    load(&writer, &file, batch, Version(2), UPDATES).await?;
    let closing = Instant::now();
    drop(writer);
    println!("merges ended after {:?}", closing.elapsed());
    search_all(&searcher).await?;
    println!("{} {:?}", memory(), searcher.stats().await?);
    Ok(())
}

/// Writes the first `limit` products of the file at this version.
async fn load(
    writer: &TantivyWriter,
    file: &str,
    batch: usize,
    version: Version,
    limit: usize,
) -> Result<(), Failure> {
    let (mut count, mut waited, mut slowest) = (0, Duration::ZERO, Duration::ZERO);
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let mut changes = Vec::with_capacity(batch);
    let mut lines = std::io::BufReader::new(std::fs::File::open(file)?).lines().take(limit).peekable();
    while let Some(line) = lines.next() {
        changes.push(change(line?.as_bytes(), version)?);
        if changes.len() == batch || lines.peek().is_none() {
            let applying = Instant::now();
            count += writer.apply(&changes).await?.len();
            changes.clear();
            waited += applying.elapsed();
            slowest = slowest.max(applying.elapsed());
        }
    }
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{count} products at version {version}, batches of {batch}: {:.0}/s including parsing, {:.0}/s in apply, slowest {slowest:?}",
        rate(started.elapsed()),
        rate(waited)
    );
    println!("CPU {:.1} µs per product, {}", (cpu_seconds() - cpu) * 1e6 / f64::from(count as u32), memory());
    Ok(())
}

fn change(json: &[u8], version: Version) -> Result<Change, Failure> {
    let input = domain::input::read_product(json, Currency::USD)?;
    let id = input.id.ok_or("a product has no id")?;
    let now = domain::now();
    let product = Product { id, version, created_at: now, updated_at: now, content: input.content };
    Ok(Change::Create(Arc::new(product)))
}

async fn search_all(searcher: &TantivySearcher) -> Result<(), Failure> {
    for words in
        ["", "laptop", "hp laptop 15", "procesor intle", "samsung galaxy", "ink cartrige", "n", "usb cab"]
    {
        for sort in [Sort::Relevance, Sort::PriceAsc] {
            let mut request = SearchRequest {
                words: words.to_owned(),
                sort: sort.clone(),
                ..SearchRequest::all(Currency::USD)
            };
            request.facets = vec![Field::Brand, Field::Category];
            request.filters.price = vec![PriceRange { min: Some(5_000), max: Some(50_000) }];
            let mut times = Vec::new();
            let mut total = 0;
            for _ in 0..15 {
                let started = Instant::now();
                total = searcher.search(&request).await?.total;
                times.push(started.elapsed());
            }
            let first = times[0];
            times.sort();
            println!("  {words:>16} {sort:?}: {total} matches, first {first:?}, median of 15 {:?}", times[7]);
        }
    }
    Ok(())
}

/// Returns the CPU time of all threads of this process, in seconds.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Returns the memory figures of this process.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = |line: &&str| ["VmHWM", "RssAnon", "RssFile"].iter().any(|name| line.starts_with(name));
    status.lines().filter(wanted).map(|line| line.replace('\t', " ")).collect::<Vec<_>>().join(", ")
}
