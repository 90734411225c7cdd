//! Sends random requests to the routes over a real index: combinations of valid parts, mutations of these, and random bytes.

mod pieces;

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, StatusCode};
use domain::input::read_product;
use domain::ports::{IndexWriter as _, SearchIndex};
use domain::search::{Boost, Cursor, FacetRequest, Field, MatchMode, SearchRequest, Synonym, Tuning};
use domain::{Change, Currency, Language, Product, ProductId, Version};
use fastrand::Rng;
use http_body_util::BodyExt as _;
use query::{ReadSide, Settings};
use search_parameters::{self as parameters, Endpoint, RequiredVersions};
use serde_json::{Value, json};
use tantivy_index::{SearcherOptions, TantivySearcher, TantivyWriter, WriterOptions};
use text::query::Query;
use tower::ServiceExt as _;

/// Each has its own word forms.
const LANGUAGES: [Language; 5] =
    [Language::English, Language::EnglishSnowball, Language::German, Language::Turkish, Language::Russian];
const ENDPOINTS: [Endpoint; 5] =
    [Endpoint::Search, Endpoint::FacetValues, Endpoint::Suggest, Endpoint::Similar, Endpoint::Explain];
/// The products of each catalogue.
const PRODUCTS: usize = 120;
/// The most cursors of answers to keep for later requests.
const CURSORS: usize = 50;

/// Makes requests and checks the responses.
pub(crate) struct Fuzzer {
    random: Rng,
    seed: u64,
    shops: Vec<Shop>,
    cursors: Vec<String>,
    runtime: tokio::runtime::Runtime,
    seen: Seen,
}

/// The read side over a small catalogue.
struct Shop {
    language: Language,
    router: Router,
    index: Arc<TantivySearcher>,
    _folder: tempfile::TempDir,
}

/// The results so far.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Seen {
    /// HTTP requests with an answer.
    pub(crate) answered: u64,
    /// HTTP requests that were rejected with a problem.
    pub(crate) refused: u64,
    /// Searches with a random tuning, directly on an index.
    pub(crate) tuned: u64,
    /// Random texts and bytes for the parsers only.
    pub(crate) read: u64,
    /// The longest duration of a request.
    pub(crate) slowest: Duration,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answered, refused, tuned, read, slowest } = self;
        write!(
            f,
            "{answered} answered, {refused} refused, {tuned} with tuning, {read} for the parsers only; the slowest \
             took {slowest:.1?}"
        )
    }
}

/// A request.
#[derive(Debug)]
enum Case {
    Get(String),
    Post(Vec<u8>),
    Tuned(Box<SearchRequest>, Field, String),
    Read(Vec<u8>),
}

impl Fuzzer {
    /// Creates and fills the catalogues.
    pub(crate) fn new(seed: u64) -> Result<Self, Box<dyn Error>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut random = Rng::with_seed(seed);
        let mut shops = Vec::new();
        for language in LANGUAGES {
            shops.push(runtime.block_on(Shop::open(language, &mut random))?);
        }
        Ok(Self { random, seed, shops, cursors: Vec::new(), runtime, seen: Seen::default() })
    }

    /// Returns the results so far.
    pub(crate) fn seen(&self) -> Seen {
        self.seen
    }

    /// Makes one request.
    ///
    /// # Errors
    /// The request, and what went wrong.
    pub(crate) fn step(&mut self) -> Result<(), String> {
        let shop = self.random.usize(..self.shops.len());
        let case = self.case();
        let begun = Instant::now();
        let done = catch_unwind(AssertUnwindSafe(|| self.run(shop, &case)));
        self.seen.slowest = self.seen.slowest.max(begun.elapsed());
        let wrong = match done {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(wrong)) => wrong,
            Err(_) => "it panicked".to_owned(),
        };
        Err(format!("seed {}, {:?}: {wrong}: {case:?}", self.seed, self.shops[shop].language))
    }

    fn case(&mut self) -> Case {
        let random = &mut self.random;
        match random.u8(..10) {
            0..=2 => Case::Get(format!(
                "/products/search?{}",
                pieces::query(random, &pieces::SEARCHING, &self.cursors)
            )),
            3 => Case::Get(format!(
                "/products/facets/{}?{}",
                pieces::encoded(&pieces::facet(random), random),
                pieces::query(random, &pieces::LISTING, &[])
            )),
            4 => Case::Get(format!("/products/suggest?{}", pieces::query(random, &pieces::LIMITED, &[]))),
            5 => Case::Get(format!(
                "/products/p{}/similar?{}",
                random.usize(..PRODUCTS + 9),
                pieces::query(random, &pieces::LIMITED, &[])
            )),
            6 | 7 => Case::Post(pieces::body(random, &self.cursors)),
            8 => Case::Tuned(
                Box::new(tuned(random)),
                parameters::read_facet_field(&pieces::facet(random)).unwrap_or(Field::Tags),
                pieces::text(random),
            ),
            _ => Case::Read(pieces::bytes(random)),
        }
    }

    fn run(&mut self, shop: usize, case: &Case) -> Result<(), String> {
        match case {
            Case::Get(path) => {
                let request = Request::builder().method(Method::GET).uri(path.as_str()).body(Body::empty());
                // A server rejects an invalid address before it reaches the router.
                let Ok(request) = request else { return Ok(()) };
                self.send(shop, request)
            }
            Case::Post(body) => {
                let request = Request::builder().method(Method::POST).uri("/products/search");
                let request = request.header(CONTENT_TYPE, "application/json").body(Body::from(body.clone()));
                self.send(shop, request.map_err(|error| error.to_string())?)
            }
            Case::Tuned(request, field, prefix) => {
                self.seen.tuned += 1;
                let Shop { index, language, .. } = &self.shops[shop];
                let words = Query::new(request, *language).words.len();
                if words > domain::search::MAX_QUERY_WORDS {
                    return Err(format!("{words} words"));
                }
                self.runtime.block_on(ask(&**index, request, field, prefix))
            }
            Case::Read(bytes) => {
                self.seen.read += 1;
                read(bytes)
            }
        }
    }

    fn send(&mut self, shop: usize, request: Request<Body>) -> Result<(), String> {
        let router = self.shops[shop].router.clone();
        let (status, answer) = self.runtime.block_on(async {
            let response = router.oneshot(request).await.map_err(|error| error.to_string())?;
            let status = response.status();
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?;
            Ok::<_, String>((status, body.to_bytes()))
        })?;
        let json = serde_json::from_slice::<Value>(&answer);
        match status {
            StatusCode::OK => {
                let json = json.map_err(|error| format!("no JSON: {error}"))?;
                self.seen.answered += 1;
                if let Some(cursor) = json["nextCursor"].as_str() {
                    match self.cursors.len() {
                        CURSORS => self.cursors[self.random.usize(..CURSORS)] = cursor.to_owned(),
                        _ => self.cursors.push(cursor.to_owned()),
                    }
                }
                Ok(())
            }
            // A bare router has no problem document for an unknown path.
            StatusCode::NOT_FOUND => Ok(()),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                self.seen.refused += 1;
                json.map(|_| ()).map_err(|error| format!("a problem without JSON: {error}"))
            }
            status => Err(format!("{status}: {}", String::from_utf8_lossy(&answer))),
        }
    }
}

/// Returns a search with a random tuning and match mode.
fn tuned(random: &mut Rng) -> SearchRequest {
    let mut request = read_one(random).unwrap_or_else(|| SearchRequest::all(Currency::USD));
    request.words = pieces::text(random).chars().take(domain::search::MAX_QUERY_CHARS).collect();
    request.is_prefix_query = random.bool();
    request.match_mode = [MatchMode::Most, MatchMode::All, MatchMode::Any][random.usize(..3)];
    let some = |random: &mut Rng| random.usize(..4);
    let ids = |random: &mut Rng| -> Vec<ProductId> {
        let ids = (0..random.usize(..4)).map(|_| format!("p{}", random.usize(..PRODUCTS + 9)));
        ids.filter_map(|id| ProductId::parse(&id).ok()).collect()
    };
    request.tuning = Tuning {
        synonyms: (0..some(random))
            .map(|_| Synonym {
                // A word of this search, so that the synonym applies.
                from: match random.bool() {
                    true => request.words.split_whitespace().next().unwrap_or_default().to_owned(),
                    false => pieces::text(random),
                },
                to: (0..some(random)).map(|_| pieces::text(random)).collect(),
            })
            .collect(),
        stop_words: (0..some(random)).map(|_| pieces::word(random)).collect(),
        pinned: ids(random),
        hidden: ids(random),
        boosts: (0..some(random))
            .map(|_| Boost {
                filters: read_one(random).map(|request| request.filters).unwrap_or_default(),
                by: random.f32() * 2.0 - 1.0,
            })
            .collect(),
    };
    request
}

/// Returns the search of a random query string, if it is valid.
fn read_one(random: &mut Rng) -> Option<SearchRequest> {
    let query = pieces::query(random, &pieces::SEARCHING, &[]);
    parameters::read(Endpoint::Search, &query, Currency::USD).ok().map(|parsed| parsed.request)
}

/// Runs a search and lists the values of a facet, directly on the index.
async fn ask(
    index: &dyn SearchIndex,
    request: &SearchRequest,
    field: &Field,
    prefix: &str,
) -> Result<(), String> {
    let answer = index.search(request).await.map_err(|error| error.chain())?;
    let listed = answer.total + answer.relaxed_total.unwrap_or(0);
    if answer.hits.len() > request.page.size || listed < answer.hits.len() as u64 {
        return Err(format!("{} of {listed} products on a page", answer.hits.len()));
    }
    if let Some(next) = &answer.next
        && Cursor::decode(&next.encode()).as_ref() != Some(next)
    {
        return Err(format!("{next:?} does not survive the wire"));
    }
    let facet = FacetRequest {
        search: request.clone(),
        field: if *field == Field::Price { Field::Brand } else { field.clone() },
        prefix: prefix.to_owned(),
        limit: 10,
    };
    index.facet_values(&facet).await.map_err(|error| error.chain())?;
    Ok(())
}

/// Passes bytes to every parser of client input. A valid query string must be equal to its canonical form.
fn read(bytes: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(bytes);
    let currency = Currency::USD;
    for endpoint in ENDPOINTS {
        let Ok(mut parsed) = parameters::read(endpoint, &text, currency) else { continue };
        let written = parameters::write(endpoint, &parsed);
        parsed.required = RequiredVersions::default();
        // The canonical form of a query that was cut is within the bounds.
        parsed.is_truncated = false;
        if parameters::read(endpoint, &written, currency).as_ref() != Ok(&parsed) {
            return Err(format!("the canonical form of {endpoint:?} differs: {written}"));
        }
    }
    let _ = parameters::read_facet_field(&text);
    let _ = parameters::read_searches(bytes, currency);
    let _ = Cursor::decode(&text);
    for language in LANGUAGES {
        let words = text.chars().take(domain::search::MAX_QUERY_CHARS).collect();
        Query::new(&SearchRequest { words, ..SearchRequest::all(currency) }, language);
    }
    Ok(())
}

impl Shop {
    async fn open(language: Language, random: &mut Rng) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let writer =
            TantivyWriter::open(folder.path(), WriterOptions { language, ..WriterOptions::default() })?;
        let mut changes = Vec::with_capacity(PRODUCTS);
        for number in 0..PRODUCTS {
            changes.push(Change::Create(Arc::new(product(number, random)?)));
        }
        writer.apply(&changes).await?;
        let options = SearcherOptions { language, threads: 1, ..SearcherOptions::default() };
        let index = Arc::new(TantivySearcher::open(folder.path(), options)?);
        let settings = Settings { language, answer_cache_mb: 1, ..Settings::default() };
        let routes = ReadSide::new(index.clone(), settings).routes();
        let router = runtime::Service { routes, ..Default::default() }.into_router();
        Ok(Self { language, router, index, _folder: folder })
    }
}

fn product(number: usize, random: &mut Rng) -> Result<Product, Box<dyn Error>> {
    let mut attributes = json!({});
    for key in pieces::KEYS {
        match random.u8(..4) {
            0 => attributes[key] = json!(random.i32(-9..99)),
            1 => attributes[key] = json!(pieces::word(random)),
            2 => attributes[key] = json!([pieces::word(random), "one"]),
            _ => {}
        }
    }
    let words = |random: &mut Rng| {
        (0..random.usize(1..6)).map(|_| pieces::word(random)).collect::<Vec<_>>().join(" ")
    };
    let category = |random: &mut Rng| ["Home", "Home > Lamps", "Office > Paper > A4"][random.usize(..3)];
    let categories: Vec<&str> = (0..random.usize(1..3)).map(|_| category(random)).collect();
    let brand = ["Akari", "Brass & Co", "東芝"][random.usize(..3)];
    let json = json!({
        "name": words(random),
        "description": words(random),
        "brand": brand,
        "categories": categories,
        "tags": ["new", "used"],
        "price": random.u32(1..999),
        "stock": random.u32(..3),
        "attributes": attributes,
    });
    Ok(Product {
        id: ProductId::parse(&format!("p{number}"))?,
        version: Version::FIRST,
        created_at: domain::now(),
        updated_at: domain::now(),
        content: read_product(json.to_string().as_bytes(), Currency::USD)?.content,
    })
}
