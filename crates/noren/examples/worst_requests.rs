//! Measures the slowest requests that the API accepts: each uses one or more of its bounds to the full.
//!
//! Start `noren serve` with `NOREN_ANSWER_CACHE_MB=0` on a large catalogue, then run
//! `cargo run --release -p noren --example worst_requests -- http://127.0.0.1:8080`. The requests are built from the words,
//! attribute keys and ids of the catalogue.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::time::{Duration, Instant};

use clap::Parser;
use domain::ProductId;
use domain::search::{
    Cursor, MAX_FACETS, MAX_FILTERS, MAX_PAGE_SIZE, MAX_PAGED_PRODUCTS, MAX_QUERY_CHARS, MAX_QUERY_WORDS,
    QueryInterpretation, Sort, SortKey,
};
use fastrand::Rng;
use reqwest::{Client, Url};
use serde_json::{Value, json};

/// Number of pages, in each sort order, from which words and attributes are taken.
const SAMPLED_PAGES: usize = 15;
/// Timeout of one request; exceeding it ends the measurement.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Parser)]
struct Flags {
    /// Address of the service
    url: Url,
    /// Number of times each request is sent; the fastest counts, because the machine may be busy with other work
    #[arg(long, default_value_t = 5)]
    tries: u32,
    /// Seed of the random words
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Fail if a request takes longer
    #[arg(long, value_name = "MILLISECONDS")]
    max: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    // The client requires a provider, even for plain HTTP. An error means that one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let service = Service { client: Client::builder().timeout(REQUEST_TIMEOUT).build()?, url: flags.url };
    let sample = Sample::take(&service).await?;
    let mut measured = Vec::new();
    for request in requests(&sample, &mut Rng::with_seed(flags.seed)) {
        let mut best = Duration::MAX;
        let mut total = Value::Null;
        for _ in 0..flags.tries.max(1) {
            let begun = Instant::now();
            let response = service.send(&request).await?;
            best = best.min(begun.elapsed());
            total = response["total"].clone();
        }
        measured.push((best, request.name, total));
    }
    measured.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
    println!("| request | milliseconds | products found |\n| --- | --- | --- |");
    for (time, name, total) in &measured {
        println!("| {name} | {:.1} | {total} |", time.as_secs_f64() * 1000.0);
    }
    match (flags.max, measured.first()) {
        (Some(max), Some((time, name, _))) if time.as_millis() > u128::from(max) => {
            Err(format!("{name} takes {time:.1?}, and --max asks for {max} ms").into())
        }
        _ => Ok(()),
    }
}

/// A request: a POST if it has a body, otherwise a GET.
struct Request {
    name: &'static str,
    path: String,
    parameters: Vec<(String, String)>,
    body: Option<Value>,
}

struct Service {
    client: Client,
    url: Url,
}

impl Service {
    async fn send(&self, request: &Request) -> Result<Value, Box<dyn Error>> {
        let mut url = self.url.join(&request.path)?;
        if !request.parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.parameters);
        }
        let sent = match &request.body {
            Some(body) => {
                self.client.post(url).header("content-type", "application/json").body(body.to_string())
            }
            None => self.client.get(url),
        };
        let response = sent.send().await?;
        let (status, text) = (response.status(), response.text().await?);
        if !status.is_success() {
            return Err(format!("{}: {status}: {text}", request.name).into());
        }
        Ok(serde_json::from_str(&text)?)
    }
}

/// A sample of the words, attributes and tags of the catalogue.
struct Sample {
    /// Words of names and descriptions, by number of products, descending.
    words: Vec<String>,
    /// Words that occur in few products.
    rare: Vec<String>,
    /// Attribute keys, by number of products, descending.
    keys: Vec<String>,
    /// Attribute keys, by number of distinct values, descending.
    varied: Vec<String>,
    /// The attribute key with a number in the most products.
    number: String,
    /// Tags, by number of products, descending.
    tags: Vec<String>,
    /// Id of the product with the most words in its name.
    longest: String,
}

impl Sample {
    async fn take(service: &Service) -> Result<Self, Box<dyn Error>> {
        let (mut words, mut tags) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
        let (mut keys, mut values) =
            (BTreeMap::<String, usize>::new(), BTreeMap::<String, BTreeSet<String>>::new());
        let (mut longest, mut numbers) = ((0, String::new()), BTreeMap::<String, usize>::new());
        let orders = ["name", "newest", "price_asc", "price_desc"];
        for (order, page) in
            orders.iter().flat_map(|order| (1..=SAMPLED_PAGES).map(move |page| (order, page)))
        {
            let parameters = [("sortBy", *order), ("page", &page.to_string()), ("pageSize", "100")];
            let response = service.send(&get("sample", "products/search", &parameters)).await?;
            for product in response["products"].as_array().into_iter().flatten() {
                let text = |field: &str| product[field].as_str().unwrap_or_default().to_lowercase();
                let all = format!("{} {}", text("name"), text("description"));
                let letters = all.split(|c: char| !c.is_ascii_lowercase()).filter(|word| word.len() > 2);
                for word in letters.collect::<BTreeSet<_>>() {
                    *words.entry(word.to_owned()).or_default() += 1;
                }
                for tag in product["tags"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                    *tags.entry(tag.to_owned()).or_default() += 1;
                }
                for (key, value) in product["attributes"].as_object().into_iter().flatten() {
                    *keys.entry(key.clone()).or_default() += 1;
                    *numbers.entry(key.clone()).or_default() += usize::from(value.is_number());
                    values.entry(key.clone()).or_default().insert(value.to_string());
                }
                let id = product["id"].as_str().unwrap_or_default().to_owned();
                longest = longest.max((text("name").split(' ').count(), id));
            }
        }
        let rare = words.iter().filter(|(word, count)| word.len() < 8 && (2..9).contains(*count));
        let rare = rare.map(|(word, _)| word.clone()).collect();
        let varied = values.into_iter().map(|(key, values)| (key, values.len())).collect();
        Ok(Self {
            words: by_count_descending(words),
            rare,
            keys: by_count_descending(keys),
            varied: by_count_descending(varied),
            number: by_count_descending(numbers).into_iter().next().unwrap_or_default(),
            tags: by_count_descending(tags),
            longest: longest.1,
        })
    }
}

/// Returns the keys by count, descending.
fn by_count_descending(counts: BTreeMap<String, usize>) -> Vec<String> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts.into_iter().map(|(text, _)| text).collect()
}

fn get(name: &'static str, path: &str, parameters: &[(&str, &str)]) -> Request {
    let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Request { name, path: path.to_owned(), parameters: parameters.collect(), body: None }
}

/// Joins words to a query, up to the bounds on its words and characters. Words that do not fit are skipped.
fn query(words: impl IntoIterator<Item = String>) -> String {
    let mut query = String::new();
    for word in words.into_iter().filter(|word| !word.is_empty()) {
        let is_full = query.split(' ').count() >= MAX_QUERY_WORDS && !query.is_empty();
        let between = if query.is_empty() { "" } else { " " };
        if !is_full && query.chars().count() + between.len() + word.chars().count() <= MAX_QUERY_CHARS {
            query.push_str(between);
            query.push_str(&word);
        }
    }
    query
}

/// Swaps two adjacent letters inside the word, if it has more than three.
fn misspelt(word: &str, random: &mut Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() > 3 {
        let at = random.usize(1..letters.len() - 2);
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

fn requests(sample: &Sample, random: &mut Rng) -> Vec<Request> {
    let mut requests = word_requests(sample, random);
    requests.extend(facet_requests(sample));
    requests.extend(page_requests(sample));
    requests.extend(other_requests(sample, random));
    requests
}

fn facets(keys: &[String]) -> String {
    let names = keys.iter().take(MAX_FACETS);
    let names = names.map(|key| format!("attributes.{}", key.replace('\\', r"\\").replace(',', r"\,")));
    names.collect::<Vec<_>>().join(",")
}

fn letters() -> String {
    query(('a'..='z').chain('0'..='5').map(String::from))
}

/// Returns searches with many words of each kind.
fn word_requests(sample: &Sample, random: &mut Rng) -> Vec<Request> {
    let Sample { words, rare, keys, .. } = sample;
    let of_length = |length: std::ops::RangeInclusive<usize>| {
        words.iter().filter(move |word| length.contains(&word.len())).cloned().collect::<Vec<String>>()
    };
    let mut broken = |words: Vec<String>| query(words.iter().map(|word| misspelt(word, random)));
    let long = broken(of_length(7..=7));
    let longer = broken(of_length(8..=20));
    let short = query(of_length(3..=3).iter().map(|word| format!("{}q{}", &word[..1], &word[2..])));
    let mut drawn = |letters: &[char], length: usize, count: usize| -> Vec<String> {
        let mut word = || (0..length).map(|_| letters[random.usize(..letters.len())]).collect::<String>();
        (0..count).map(|_| word()).collect()
    };
    let unknown = query(drawn(&['e', 't', 'a', 'o', 'i', 'n', 's', 'r'], 7, MAX_QUERY_WORDS));
    let han: Vec<char> = "東京都大学電器製品新型高性能".chars().collect();
    let kana: Vec<char> = "アイウエオカキクケコノマプリンタ".chars().collect();
    let one_run = query(drawn(&han, MAX_QUERY_CHARS, 1));
    let one_kana = query(drawn(&kana, MAX_QUERY_CHARS, 1));
    let many_runs = query(drawn(&han, 7, MAX_QUERY_WORDS));
    let codes = drawn(&['a', 'b', '1', '2'], 1, MAX_QUERY_CHARS / 2).join("-");
    let common = query(words.iter().cloned());
    let sizes = query((1..17).flat_map(|number| [number.to_string(), "gb".to_owned()]));
    let search = |name, words: &str| get(name, "products/search", &[("query", words)]);
    let all = |name, words: &str| {
        let parameters =
            [("query", words), ("facets", &facets(keys)), ("facetSize", "1000"), ("pageSize", "100")];
        get(name, "products/search", &parameters)
    };
    vec![
        search("32 letters", &letters()),
        all("32 letters, 20 attributes, 100 products", &letters()),
        search("the commonest words", &common),
        all("the commonest words, 20 attributes, 100 products", &common),
        search("common words, misspelt, of 7 letters", &long),
        search("common words, misspelt, of more letters", &longer),
        search("common words, misspelt, of 3 letters", &short),
        search("rare words that no product has together", &query(rare.iter().cloned())),
        search("unknown words", &unknown),
        search("256 Chinese characters", &one_run),
        search("256 katakana", &one_kana),
        search("32 words of Chinese characters", &many_runs),
        search("a model number of 128 parts", &codes),
        search("16 numbers with units", &sizes),
        search("one word, repeated", &query((0..MAX_QUERY_WORDS).map(|_| words[0].clone()))),
        all("the commonest word, 20 attributes, 100 products", &words[0]),
        made_up_cursor("a made-up cursor that allows typos in each of the commonest words", &common),
        made_up_cursor("a made-up cursor that allows typos in each misspelt word", &long),
    ]
}

/// Returns a search whose cursor makes every word optional and allows typos in it, whatever the index would choose.
fn made_up_cursor(name: &'static str, words: &str) -> Request {
    let positions: Vec<u8> = (0..MAX_QUERY_WORDS as u8).collect();
    let cursor = ProductId::parse("0").map(|id| Cursor {
        sort: Sort::Relevance,
        key: Some(SortKey::Score(f32::MAX.to_bits())),
        id,
        interpretation: QueryInterpretation {
            typos: positions.clone(),
            optional: positions.clone(),
            kinds: positions,
        },
        restriction: None,
    });
    let cursor = cursor.map(|cursor| cursor.encode()).unwrap_or_default();
    get(name, "products/search", &[("query", words), ("cursor", &cursor)])
}

/// Returns searches with many facets and without words. Facets ignore the filters of their own field, so that nearly every
/// product counts.
fn facet_requests(sample: &Sample) -> Vec<Request> {
    let Sample { keys, varied, tags, number, .. } = sample;
    let all = |name, names: &str, filters: &[(&str, &str)]| {
        let own = [("facets", names), ("facetSize", "1000")];
        get(name, "products/search", &[&own, filters].concat())
    };
    let (common, varied) = (facets(keys), facets(varied));
    let ranges: Vec<String> = (0..MAX_FILTERS).map(|at| format!("{}-{}", at * 10, at * 10 + 9)).collect();
    let ranges: Vec<(&str, &str)> = ranges.iter().map(|range| ("priceRange", range.as_str())).collect();
    let key = format!("attributes.{number}");
    let numbers: Vec<String> = (0..MAX_FILTERS).map(|at| format!("{}..{}", at * 10, at * 10 + 9)).collect();
    let numbers: Vec<(&str, &str)> = numbers.iter().map(|range| (key.as_str(), range.as_str())).collect();
    let names: Vec<String> = keys.iter().take(MAX_FILTERS).map(|key| format!("attributes.{key}")).collect();
    let each: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "0..5")).collect();
    let tags: Vec<(&str, &str)> = tags.iter().take(MAX_FILTERS).map(|tag| ("tags", tag.as_str())).collect();
    vec![
        all("everything, the 20 commonest attributes", &common, &[]),
        all("everything, the 20 attributes with the most values", &varied, &[]),
        all(
            "everything by name, page 100, 20 attributes",
            &common,
            &[("sortBy", "name"), ("page", "100"), ("pageSize", "100")],
        ),
        all("everything, brand, category, tags and price", "brand,category,tags,price", &[]),
        all("everything, facets=*", "*", &[]),
        all("20 price ranges, 20 attributes", &common, &ranges),
        all("20 price ranges, brand, category, tags and price", "brand,category,tags,price", &ranges),
        all("20 ranges of one attribute, 20 attributes", &common, &numbers),
        all("20 attributes filtered, the same counted", &common, &each),
        all("20 tags, 20 attributes", &common, &tags),
    ]
}

/// Returns searches for the last reachable page.
fn page_requests(sample: &Sample) -> Vec<Request> {
    let deepest = (MAX_PAGED_PRODUCTS / MAX_PAGE_SIZE).to_string();
    let deep = |name, sort: &str, words: &str| {
        let parameters = [("sortBy", sort), ("page", &deepest), ("pageSize", "100"), ("query", words)];
        get(name, "products/search", &parameters)
    };
    vec![
        deep("everything by name, the last page of 100", "name", ""),
        deep("everything by price, the last page of 100", "price_asc", ""),
        deep("the newest, the last page of 100", "newest", ""),
        deep("the commonest word, the last page of 100", "relevance", &sample.words[0]),
        get(
            "everything by name, page 10,000",
            "products/search",
            &[("sortBy", "name"), ("page", "10000"), ("pageSize", "1")],
        ),
    ]
}

/// Returns suggestions, facet values, similar products, and several searches in one call.
fn other_requests(sample: &Sample, random: &mut Rng) -> Vec<Request> {
    let common = query(sample.words.iter().cloned());
    let broken = query(sample.words.iter().filter(|word| word.len() > 6).map(|word| misspelt(word, random)));
    let suggest = |name, words: &str| get(name, "products/suggest", &[("query", words), ("limit", "20")]);
    let values = |name, field: &str, prefix: &str| {
        get(name, &format!("products/facets/{field}"), &[("prefix", prefix), ("limit", "1000")])
    };
    let key = format!("attributes.{}", sample.varied[0]);
    let search = json!({
        "query": common, "facets": facets(&sample.keys).split(',').collect::<Vec<_>>(), "facetSize": 1000,
        "pageSize": 100,
    });
    let several = Request {
        body: Some(json!({"searches": vec![search; 10]})),
        ..get(
            "10 searches in one call: common words, 20 attributes, 100 products each",
            "products/search",
            &[],
        )
    };
    vec![
        suggest("suggestions for one letter", "s"),
        suggest("suggestions for 32 letters", &letters()),
        suggest("suggestions for the commonest words", &common),
        suggest("suggestions for misspelt words", &broken),
        values("values of tags", "tags", ""),
        values("values of tags, a misspelt prefix of many words", "tags", &broken),
        values("values of the most varied attribute, the same prefix", &key, &broken),
        get(
            "similar to the product with the longest name",
            &format!("products/{}/similar", sample.longest),
            &[("limit", "100")],
        ),
        several,
    ]
}
