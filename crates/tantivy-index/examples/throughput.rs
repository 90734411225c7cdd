//! How fast the index takes products and answers searches: `cargo run --release --example throughput -- FILE.ndjson
//! [BATCH] [HEAP_MB] [THREADS]`.

use std::io::BufRead;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::ports::{IndexWriter, SearchIndex};
use domain::search::{FacetField, SearchRequest, Sort};
use domain::{Change, Currency, PriceRange, Product, Version};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("name an NDJSON file of products")?;
    let mut number = |default: usize| arguments.next().map_or(Ok(default), |text| text.parse());
    let (batch, heap_bytes, threads) = (number(5000)?, number(64)? * 1_000_000, number(1)?);
    let folder = tempfile::tempdir()?;
    let writer = TantivyWriter::open(folder.path(), WriterOptions { heap_bytes, threads })?;
    let searcher = TantivySearcher::open(folder.path(), SearcherOptions::default())?;
    let (mut count, mut waited, started) = (0, Duration::ZERO, Instant::now());
    let mut slowest = Duration::ZERO;
    let mut changes = Vec::with_capacity(batch);
    for line in std::io::BufReader::new(std::fs::File::open(file)?).lines() {
        changes.push(change(line?.as_bytes())?);
        if changes.len() == batch {
            let took = apply(&writer, &mut changes, &mut count).await?;
            waited += took;
            slowest = slowest.max(took);
        }
    }
    waited += apply(&writer, &mut changes, &mut count).await?;
    let rate = |time: Duration| count as f64 / time.as_secs_f64();
    println!(
        "{count} products, batches of {batch}: {:.0}/s with reading, {:.0}/s in apply, slowest {slowest:?}",
        rate(started.elapsed()),
        rate(waited)
    );
    println!("processor {:.1} µs a product, {}", processor_seconds() * 1e6 / count as f64, memory());
    search_all(&searcher).await?;
    let closing = Instant::now();
    drop(writer);
    println!(
        "merges ended after {:?}; processor {:.1} µs a product in all",
        closing.elapsed(),
        processor_seconds() * 1e6 / count as f64
    );
    search_all(&searcher).await?;
    println!("{} {:?}", memory(), searcher.stats().await?);
    Ok(())
}

fn change(json: &[u8]) -> Result<Change, Failure> {
    let input = domain::input::read_product(json, Currency::USD)?;
    let id = input.id.ok_or("a product has no id")?;
    let now = domain::now();
    let product =
        Product { id, version: Version::FIRST, created_at: now, updated_at: now, content: input.content };
    Ok(Change::Create(Arc::new(product)))
}

async fn apply(
    writer: &TantivyWriter,
    changes: &mut Vec<Change>,
    count: &mut usize,
) -> Result<Duration, Failure> {
    let started = Instant::now();
    *count += writer.apply(changes).await?.len();
    changes.clear();
    Ok(started.elapsed())
}

async fn search_all(searcher: &TantivySearcher) -> Result<(), Failure> {
    for words in
        ["", "laptop", "hp laptop 15", "procesor intle", "samsung galaxy", "ink cartrige", "n", "usb cab"]
    {
        for sort in [Sort::Relevance, Sort::PriceAsc] {
            let mut request =
                SearchRequest { words: words.to_owned(), sort, ..SearchRequest::all(Currency::USD) };
            request.facets = vec![FacetField::Brand, FacetField::Category];
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
            println!("  {words:>16} {sort:?}: {total} found, first {first:?}, median of 15 {:?}", times[7]);
        }
    }
    Ok(())
}

/// Seconds that all threads of this process have computed.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: f64 =
        after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let wanted = |line: &&str| ["VmHWM", "RssAnon", "RssFile"].iter().any(|name| line.starts_with(name));
    status.lines().filter(wanted).map(|line| line.replace('\t', " ")).collect::<Vec<_>>().join(", ")
}
