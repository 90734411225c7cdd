//! The searches of a benchmark: read from a file, such as a shop's log, and misspelt on purpose.

use std::path::Path;

use domain::search::{Field, Filters, SearchRequest};
use domain::{Currency, PriceRange};
use fastrand::Rng;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::BenchError;

/// Facets of a search with facets.
const FACETS: [Field; 2] = [Field::Brand, Field::Category];
/// Seed of every random choice: every run makes the same searches.
pub(crate) const SEED: u64 = 1;
/// Length of the shortest word that is misspelt, in characters. In shorter words, a typo often makes another word.
const SHORTEST_MISSPELT: usize = 5;

/// A search.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The words.
    pub words: String,
    /// A price range to filter by.
    pub price: Option<String>,
    /// A brand to filter by.
    pub brand: Option<String>,
}

/// The facets of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facets {
    /// Brand and category.
    Two,
    /// No facets.
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
    /// Creates a search for words, without filters.
    pub fn of_words(words: impl Into<String>) -> Self {
        Self { words: words.into(), price: None, brand: None }
    }

    /// Returns the parameters of `GET /products/search`.
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

    /// Returns the search as a request to the index.
    ///
    /// # Errors
    /// If the price range is invalid.
    pub fn request(&self, facets: Facets, currency: Currency) -> Result<SearchRequest, BenchError> {
        let price = self.price.iter().map(|price| PriceRange::parse(price, currency));
        let price = price.collect::<Result<_, _>>().map_err(|error| BenchError::PriceRange(error.into()))?;
        let filters = Filters { price, brand: self.brand.iter().cloned().collect(), ..Filters::default() };
        let facets = facets.fields().to_vec();
        Ok(SearchRequest { words: self.words.clone(), filters, facets, ..SearchRequest::all(currency) })
    }

    /// Returns the search with a typo in its longest word, if that word is long enough and has no digits.
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

/// Returns the word with two letters swapped, or one dropped, doubled or replaced. The first letter stays.
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

/// Returns the queries with a typo in every `one_in`th of them, if that has a word to misspell.
pub fn misspelt(queries: &[Query], one_in: usize) -> Vec<Query> {
    let mut rng = Rng::with_seed(SEED);
    let queries = queries.iter().enumerate();
    let query = |(at, query): (usize, &Query)| match at % one_in.max(1) {
        0 => query.misspelt(&mut rng),
        _ => query.clone(),
    };
    queries.map(query).collect()
}

/// A search of a shop's log.
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

/// Returns the lines of a file that are not blank.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn lines_of_file(path: &Path) -> Result<Vec<String>, BenchError> {
    let text = std::fs::read_to_string(path).map_err(BenchError::file("reading", path))?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Reads the searches of a file, one per line: plain words, or a JSON object with `query` and optionally `priceMin`,
/// `priceMax` and `brand`.
///
/// # Errors
/// If the file cannot be read.
pub(crate) fn queries_of_file(path: &Path) -> Result<Vec<Query>, BenchError> {
    let query = |line: &String| match serde_json::from_str::<LoggedQuery<'_>>(line) {
        Ok(logged) => logged.into(),
        Err(_) => Query::of_words(line),
    };
    Ok(lines_of_file(path)?.iter().map(query).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
