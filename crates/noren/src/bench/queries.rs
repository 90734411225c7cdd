//! The searches of a bench: those of a shop's log, or some that are made from the products' names.

use std::path::Path;

use domain::search::{Field, Filters, SearchRequest};
use domain::{Currency, PriceRange};
use fastrand::Rng;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::client::Api;
use crate::failure::{Context as _, Failure};

/// The facets of a search that has any.
const FACETS: [Field; 2] = [Field::Brand, Field::Category];
/// Pages of 100 products each whose names give the words, when no file of queries does.
const NAME_PAGES: u32 = 20;
/// The seed of every choice, so that every run makes the same searches.
const SEED: u64 = 1;
/// The shortest word that is misspelt. In a shorter one a typo may make another word.
const SHORTEST_MISSPELT: usize = 5;

/// One search.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The words.
    pub words: String,
    /// A price range to filter by.
    pub price: Option<String>,
    /// A brand to filter by.
    pub brand: Option<String>,
}

/// Whether brands and categories are counted with a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facets {
    /// Both.
    Two,
    /// Neither.
    None,
}

impl Facets {
    fn fields(self) -> &'static [Field] {
        match self {
            Self::Two => &FACETS,
            Self::None => &[],
        }
    }
}

impl Query {
    fn of_words(words: impl Into<String>) -> Self {
        Self { words: words.into(), price: None, brand: None }
    }

    /// The parameters of `GET /products/search`.
    pub fn parameters(&self, facets: Facets) -> Vec<(String, String)> {
        let mut parameters = vec![("query", self.words.clone())];
        if facets == Facets::Two {
            let names: Vec<String> = FACETS.iter().map(ToString::to_string).collect();
            parameters.push(("facets", names.join(",")));
        }
        parameters.extend(self.price.iter().map(|price| ("priceRange", price.clone())));
        parameters.extend(self.brand.iter().map(|brand| ("brand", brand.clone())));
        parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The same search as the index is asked for it.
    ///
    /// # Errors
    /// When the price range is none.
    pub fn request(&self, facets: Facets, currency: Currency) -> Result<SearchRequest, Failure> {
        let price = self.price.iter().map(|price| PriceRange::parse(price, currency));
        let price = price.collect::<Result<_, _>>().context(|| "reading the price range".to_owned())?;
        let filters = Filters { price, brand: self.brand.iter().cloned().collect(), ..Filters::default() };
        let facets = facets.fields().to_vec();
        Ok(SearchRequest { words: self.words.clone(), filters, facets, ..SearchRequest::all(currency) })
    }

    /// The same with a typo in its longest word, when that has no digits and is long enough.
    fn misspelt(&self, rng: &mut Rng) -> Self {
        let mut words: Vec<String> = self.words.split(' ').map(str::to_owned).collect();
        let longest = words.iter_mut().max_by_key(|word| word.chars().count());
        if let Some(word) = longest
            && word.chars().count() >= SHORTEST_MISSPELT
            && word.chars().all(char::is_alphabetic)
        {
            *word = with_typo(word, rng);
        }
        Self { words: words.join(" "), ..self.clone() }
    }
}

/// The word with two letters exchanged, or one dropped, doubled or replaced; its first letter stays.
fn with_typo(word: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = rng.usize(1..letters.len() - 1);
    match rng.u8(..4) {
        0 if letters[at] != letters[at + 1] => letters.swap(at, at + 1),
        1 => _ = letters.remove(at),
        2 => letters.insert(at, letters[at]),
        _ => letters[at] = if letters[at] == 'e' { 'a' } else { 'e' },
    }
    letters.into_iter().collect()
}

/// The queries with a typo in every `one_in`th of them, where it has a word to misspell.
pub fn misspelt(queries: &[Query], one_in: usize) -> Vec<Query> {
    let mut rng = Rng::with_seed(SEED);
    let queries = queries.iter().enumerate();
    let query = |(at, query): (usize, &Query)| match at % one_in.max(1) {
        0 => query.misspelt(&mut rng),
        _ => query.clone(),
    };
    queries.map(query).collect()
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

/// The lines of a file that have anything in them.
///
/// # Errors
/// When the file cannot be read.
pub fn lines_of_file(path: &Path) -> Result<Vec<String>, Failure> {
    let text = std::fs::read_to_string(path).context(|| format!("reading {}", path.display()))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// The searches of a file, one a line: its words, or a JSON object with `query` and, if it has them, `priceMin`,
/// `priceMax` and `brand`.
///
/// # Errors
/// When the file cannot be read.
pub fn queries_of_file(path: &Path) -> Result<Vec<Query>, Failure> {
    let query = |line: &String| match serde_json::from_str::<LoggedQuery<'_>>(line) {
        Ok(logged) => logged.into(),
        Err(_) => Query::of_words(line),
    };
    Ok(lines_of_file(path)?.iter().map(query).collect())
}

/// What is read of an answer.
#[derive(Deserialize)]
struct Answer {
    total: u64,
    products: Vec<Product>,
}

#[derive(Deserialize)]
struct Product {
    id: String,
    name: String,
    brand: Option<String>,
    price: Option<f64>,
}

async fn answer(api: &dyn Api, parameters: &[(String, String)]) -> Result<Answer, Failure> {
    let body = api.get("/products/search", parameters).await?;
    serde_json::from_slice(&body).context(|| "reading the answer of a search".to_owned())
}

/// How many products a search finds, on average.
///
/// # Errors
/// When a search fails, or there is none.
pub async fn mean_found(api: &dyn Api, queries: &[Query]) -> Result<f64, Failure> {
    if queries.is_empty() {
        return Err(Failure::new("there is nothing to search for"));
    }
    let mut found = 0;
    for query in queries {
        found += answer(api, &query.parameters(Facets::None)).await?.total;
    }
    Ok(found as f64 / queries.len() as f64)
}

/// Some products of a catalogue, from which searches are made.
pub struct Sample(Vec<Product>);

impl Sample {
    /// The first products that a search for everything finds.
    ///
    /// # Errors
    /// When the catalogue cannot be searched, or has no products.
    pub async fn of(api: &dyn Api) -> Result<Self, Failure> {
        let mut products = Vec::new();
        for page in 1..=NAME_PAGES {
            let parameters = [("pageSize", "100".to_owned()), ("page", page.to_string())]
                .map(|(name, value)| (name.to_owned(), value));
            let answer = answer(api, &parameters).await?;
            if answer.products.is_empty() {
                break;
            }
            products.extend(answer.products);
        }
        if products.is_empty() {
            return Err(Failure::new("there is nothing to search for: the catalogue has no products"));
        }
        Ok(Self(products))
    }

    /// The products' ids.
    pub fn ids(&self) -> Vec<String> {
        self.0.iter().map(|product| product.id.clone()).collect()
    }

    /// Searches as shoppers make them, spelt right: one to four neighbouring words of a product's name, half of them
    /// within a price range, a quarter within a brand.
    pub fn queries(&self) -> Vec<Query> {
        let mut rng = Rng::with_seed(SEED);
        let mut queries: Vec<Query> =
            self.0.iter().filter_map(|product| query_for(product, &mut rng)).collect();
        rng.shuffle(&mut queries);
        queries
    }
}

/// None when the name has no word.
fn query_for(product: &Product, rng: &mut Rng) -> Option<Query> {
    let words = product.name.split_whitespace().filter(|word| word.chars().all(char::is_alphanumeric));
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    let count = rng.usize(1..=4).min(words.len());
    let start = rng.usize(..=words.len() - count);
    let chosen = words[start..start + count].join(" ");
    let price = product.price.filter(|_| rng.bool());
    let brand = product.brand.clone().filter(|_| rng.u8(..4) == 0);
    let price = price.map(|price| format!("{:.2}-{:.2}", price / 2.0, price * 2.0));
    (count > 0).then_some(Query { words: chosen, price, brand })
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_trait::async_trait;
    use axum::body::Bytes;
    use reqwest::StatusCode;
    use std::sync::Mutex;

    /// A catalogue of two products; it notes what it was asked for.
    struct Shop(Mutex<Vec<String>>);

    #[async_trait]
    impl Api for Shop {
        async fn tell(&self, path: &str, _: Bytes) -> Result<(StatusCode, Bytes), Failure> {
            panic!("{path} is told something");
        }

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
            let products = if is_behind {
                ""
            } else {
                r#"{"id":"k","name":"Red IRON kettle (new)","brand":"HP","price":10},{"id":"t","name":"tea"}"#
            };
            Ok((StatusCode::OK, format!(r#"{{"total":7,"products":[{products}]}}"#).into()))
        }
    }

    #[tokio::test]
    async fn words_of_names_are_searched_for() {
        let shop = Shop(Mutex::new(Vec::new()));
        let sample = Sample::of(&shop).await.unwrap();
        assert_eq!(*shop.0.lock().unwrap(), ["pageSize=100&page=1", "pageSize=100&page=2"]);
        assert_eq!(sample.ids(), ["k", "t"]);
        let queries = sample.queries();
        assert_eq!(queries.len(), 2);
        let names = ["red iron kettle", "tea"];
        assert!(queries.iter().all(|query| names.iter().any(|name| name.contains(&query.words))));
        assert_eq!(mean_found(&shop, &queries).await.unwrap(), 7.0);
    }

    #[test]
    fn a_search_is_the_same_over_http_and_in_the_index() {
        let query = Query { words: "ink".into(), price: Some("1.50-".into()), brand: Some("HP".into()) };
        let parameters = query.parameters(Facets::Two);
        let parameters: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(parameters, ["query=ink", "facets=brand,category", "priceRange=1.50-", "brand=HP"]);
        assert_eq!(query.parameters(Facets::None).len(), 3);
        let request = query.request(Facets::Two, Currency::USD).unwrap();
        assert_eq!(request.words, "ink");
        assert_eq!(request.facets, FACETS);
        assert_eq!(request.filters.price, [PriceRange { min: Some(150), max: None }]);
        assert_eq!(request.filters.brand, ["HP"]);
        let wrong = Query { price: Some("cheap".into()), ..query };
        assert!(wrong.request(Facets::None, Currency::USD).is_err());
    }

    #[test]
    fn typos_are_made_in_long_words_without_digits() {
        let queries =
            ["green kettle", "ink", "a1b2c3d4", "green kettle", "green kettle"].map(Query::of_words);
        let all = misspelt(&queries, 1);
        assert_ne!(all[0], queries[0]);
        assert!(all[0].words.starts_with("green k"), "{:?}", all[0]);
        assert_eq!(all[1..3], queries[1..3]);
        assert_eq!(misspelt(&queries, 1), all, "the same in every run");
        let some = misspelt(&queries, 4);
        assert_ne!(some[0], queries[0]);
        assert_eq!(some[1..4], queries[1..4]);
        assert_ne!(some[4], queries[4]);
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
}
