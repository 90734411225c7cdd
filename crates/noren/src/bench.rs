//! `noren bench`: how fast this machine imports and searches.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::app::{App, Options};
use crate::cli::BenchArgs;
use crate::client::{Api, InProcess};
use crate::failure::{Context as _, Failure};
use crate::import;

/// Searches that are made before those that are measured, so that files are mapped and caches are warm.
const WARM_UP: usize = 200;
/// The facets of each search.
const FACETS: &str = "brand,category";
/// Pages of 100 products each whose names give the words, when no file of queries does.
const NAME_PAGES: u32 = 20;
/// The seed of the choice of words, so that every run makes the same searches.
const SEED: u64 = 1;

/// Imports the files into a fresh folder, searches it, and writes what it took to standard output.
///
/// # Errors
/// When the files cannot be imported, or a search fails.
pub async fn bench(args: &BenchArgs) -> Result<(), Failure> {
    let scratch = Scratch::new(args.scratch.as_deref())?;
    // A search that comes again is to be searched again.
    let options = Options { answer_cache_mb: 0, ..Options::default() };
    let app = App::open(scratch.path(), options).await?;
    let measured = measure(&app, args, scratch.path()).await;
    app.stop().await;
    measured
}

async fn measure(app: &App, args: &BenchArgs, scratch: &Path) -> Result<(), Failure> {
    let options = import::Options {
        files: args.files.clone(),
        format: None,
        currency: None,
        check: Some(Options::default().currency),
        rejects: None,
        rejects_folder: scratch.to_owned(),
        is_quiet: true,
    };
    let summary = crate::import_into(app, options, true).await?;
    println!("import until everything is searchable: {summary}");
    print_peak_memory("import");
    if args.searches > 0 {
        let api = InProcess(app.router());
        let queries = match &args.queries {
            Some(path) => queries_of_file(path)?,
            None => queries_of_names(&api).await?,
        };
        let latencies = measure_searches(&api, &queries, &args.price, args.searches).await?;
        println!("two facets and a price range: {latencies}");
        print_peak_memory("searches");
    }
    Ok(())
}

fn print_peak_memory(after: &str) {
    if let Some(bytes) = peak_memory() {
        println!("peak resident memory after the {after}: {} MB", bytes / 1_000_000);
    }
}

/// How long searches took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Latencies {
    /// How many there were.
    pub searches: usize,
    /// Half of them took at most this.
    pub median: Duration,
    /// 90 of 100 took at most this.
    pub p90: Duration,
    /// 99 of 100 took at most this.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
    /// Products that a search found, on average.
    pub mean_found: f64,
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "{} searches: median {:.2} ms, 90% {:.2} ms, 99% {:.2} ms, longest {:.2} ms; {:.0} products found on average",
            self.searches,
            ms(self.median),
            ms(self.p90),
            ms(self.p99),
            ms(self.max),
            self.mean_found
        )
    }
}

/// One search.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The words.
    pub words: String,
    /// A price range of its own; without it, that of the bench.
    pub price: Option<String>,
    /// A brand to filter by.
    pub brand: Option<String>,
}

impl Query {
    fn of_words(words: impl Into<String>) -> Self {
        Self { words: words.into(), price: None, brand: None }
    }

    fn parameters(&self, price: &str) -> Vec<(String, String)> {
        let mut parameters = vec![("query", self.words.clone()), ("facets", FACETS.to_owned())];
        parameters.push(("priceRange", self.price.as_deref().unwrap_or(price).to_owned()));
        parameters.extend(self.brand.iter().map(|brand| ("brand", brand.clone())));
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A search of a shop's log, as JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoggedQuery<'a> {
    query: String,
    #[serde(borrow)]
    price_min: Option<&'a RawValue>,
    #[serde(borrow)]
    price_max: Option<&'a RawValue>,
    brand: Option<String>,
}

impl From<LoggedQuery<'_>> for Query {
    fn from(logged: LoggedQuery<'_>) -> Self {
        let end = |price: Option<&RawValue>| price.map(RawValue::get).unwrap_or_default().to_owned();
        let is_priced = logged.price_min.is_some() || logged.price_max.is_some();
        let price = is_priced.then(|| format!("{}-{}", end(logged.price_min), end(logged.price_max)));
        Self { words: logged.query, price, brand: logged.brand }
    }
}

/// What is read of an answer.
#[derive(Deserialize)]
struct Answer {
    total: u64,
    products: Vec<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

/// Makes `count` searches for `queries`, in turn, one after the other, each with two facets and a price range.
///
/// # Errors
/// When a search fails, or there is nothing to search for.
pub async fn measure_searches(
    api: &dyn Api,
    queries: &[Query],
    price: &str,
    count: usize,
) -> Result<Latencies, Failure> {
    if queries.is_empty() || count == 0 {
        return Err(Failure::new("there is nothing to search for"));
    }
    let mut times = Vec::with_capacity(count);
    let mut found = 0;
    let turns = queries.iter().cycle().take(WARM_UP + count);
    for (turn, query) in turns.enumerate() {
        let parameters = query.parameters(price);
        let begun = Instant::now();
        let body = api.get("/products/search", &parameters).await?;
        let time = begun.elapsed();
        if turn >= WARM_UP {
            times.push(time);
            found += answer(&body)?.total;
        }
    }
    times.sort_unstable();
    let share = |percent: usize| times[(times.len() * percent).div_ceil(100).max(1) - 1];
    Ok(Latencies {
        searches: count,
        median: share(50),
        p90: share(90),
        p99: share(99),
        max: share(100),
        mean_found: found as f64 / count as f64,
    })
}

fn answer(body: &[u8]) -> Result<Answer, Failure> {
    serde_json::from_slice(body).context(|| "reading the answer of a search".to_owned())
}

/// The searches of a file, one a line: its words, or a JSON object with `query` and, if it has them, `priceMin`,
/// `priceMax` and `brand`.
///
/// # Errors
/// When the file cannot be read.
pub fn queries_of_file(path: &Path) -> Result<Vec<Query>, Failure> {
    let text = std::fs::read_to_string(path).context(|| format!("reading {}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let query = |line: &str| match serde_json::from_str::<LoggedQuery<'_>>(line) {
        Ok(logged) => logged.into(),
        Err(_) => Query::of_words(line),
    };
    Ok(lines.map(query).collect())
}

/// Searches as shoppers make them: one to three neighbouring words of a product's name.
///
/// # Errors
/// When the catalogue cannot be searched.
pub async fn queries_of_names(api: &dyn Api) -> Result<Vec<Query>, Failure> {
    let mut rng = Rng::with_seed(SEED);
    let mut queries = Vec::new();
    for page in 1..=NAME_PAGES {
        let parameters = [("pageSize", "100".to_owned()), ("page", page.to_string())]
            .map(|(name, value)| (name.to_owned(), value));
        let answer = answer(&api.get("/products/search", &parameters).await?)?;
        if answer.products.is_empty() {
            break;
        }
        for product in answer.products {
            let words: Vec<&str> = product.name.split_whitespace().collect();
            let count = rng.usize(1..=3).min(words.len());
            let start = rng.usize(..=words.len() - count);
            queries.push(Query::of_words(words[start..start + count].join(" ")));
        }
    }
    rng.shuffle(&mut queries);
    Ok(queries)
}

/// The most memory that this process has had, where the system tells.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// A fresh folder that is removed when it is no longer needed.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes one in `parent`, or in the system's temporary folder.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(parent: Option<&Path>) -> Result<Self, Failure> {
        let parent = parent.map_or_else(std::env::temp_dir, Path::to_owned);
        let path = parent.join(format!("noren-bench-{}", std::process::id()));
        // A folder that is there already is somebody else's.
        std::fs::create_dir(&path).context(|| format!("making the folder {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove {}: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use axum::body::Bytes;
    use reqwest::StatusCode;
    use std::sync::Mutex;

    /// Answers every search with what it was asked for as the only name.
    struct Echo(Mutex<Vec<String>>);

    #[async_trait]
    impl Api for Echo {
        async fn ask(
            &self,
            path: &str,
            parameters: &[(String, String)],
        ) -> Result<(StatusCode, Bytes), Failure> {
            assert_eq!(path, "/products/search");
            let parameters: Vec<String> =
                parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let is_behind = parameters.iter().any(|it| it.starts_with("page=") && it != "page=1");
            self.0.lock().unwrap().push(parameters.join("&"));
            let products = if is_behind { "" } else { r#"{"name":"red iron kettle"},{"name":"tea"}"# };
            Ok((StatusCode::OK, format!(r#"{{"total":7,"products":[{products}]}}"#).into()))
        }
    }

    #[tokio::test]
    async fn searches_take_turns_and_the_first_do_not_count() {
        let echo = Echo(Mutex::new(Vec::new()));
        let queries = ["a", "b"].map(Query::of_words);
        let latencies = measure_searches(&echo, &queries, "20-500", 99).await.unwrap();
        let asked = echo.0.lock().unwrap();
        assert_eq!(asked.len(), WARM_UP + 99);
        let expected = ["a", "b"].map(|word| format!("query={word}&facets={FACETS}&priceRange=20-500"));
        assert_eq!(asked[..2], expected);
        assert_eq!((latencies.searches, latencies.mean_found), (99, 7.0));
        assert!(latencies.median <= latencies.p90 && latencies.p99 <= latencies.max);
    }

    #[tokio::test]
    async fn words_of_names_are_searched_for() {
        let echo = Echo(Mutex::new(Vec::new()));
        let queries = queries_of_names(&echo).await.unwrap();
        assert_eq!(queries.len(), 2);
        assert!(queries.iter().all(|query| "red iron kettle tea".contains(&query.words)), "{queries:?}");
        assert_eq!(*echo.0.lock().unwrap(), ["pageSize=100&page=1", "pageSize=100&page=2"]);
    }

    #[test]
    fn a_file_of_queries_may_be_words_or_a_log() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "hp laptop\n\n{\"query\":\"ink\",\"priceMin\":1.50,\"brand\":\"HP\"}\n{\"query\":\"x\"}\n";
        std::fs::write(file.path(), text).unwrap();
        let queries = queries_of_file(file.path()).unwrap();
        assert_eq!(queries[0], Query::of_words("hp laptop"));
        let ink = Query { words: "ink".into(), price: Some("1.50-".into()), brand: Some("HP".into()) };
        assert_eq!(queries[1..], [ink, Query::of_words("x")]);
    }

    #[test]
    fn a_scratch_folder_is_new_and_goes_away() {
        let parent = tempfile::tempdir().unwrap();
        let scratch = Scratch::new(Some(parent.path())).unwrap();
        assert!(scratch.path().is_dir());
        assert!(Scratch::new(Some(parent.path())).is_err());
        let path = scratch.path().to_owned();
        drop(scratch);
        assert!(!path.exists());
    }
}
