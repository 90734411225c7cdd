//! Products of the catalogue under measurement, and searches for them.

use fastrand::Rng;
use serde::Deserialize;

use crate::client::{Connection, Endpoint};
use crate::error::BenchError;
use crate::queries::{Facets, Query, SEED};
use crate::request::BenchRequest;

/// Pages of 100 products each that a sample has.
const PAGES: u32 = 20;

/// The part of a search response that is read.
#[derive(Deserialize)]
struct SearchResponse {
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

async fn search(
    connection: &mut Connection,
    parameters: &[(String, String)],
) -> Result<SearchResponse, BenchError> {
    let body = connection.send(&BenchRequest::get("/products/search", parameters)?).await?;
    serde_json::from_slice(&body).map_err(BenchError::Response)
}

/// Returns the mean number of products that a search finds.
///
/// # Errors
/// If a search fails or there are no queries.
pub(crate) async fn mean_hits(endpoint: &Endpoint, queries: &[Query]) -> Result<f64, BenchError> {
    if queries.is_empty() {
        return Err(BenchError::NoQueries("the list of searches is empty"));
    }
    let mut connection = endpoint.connect().await?;
    let mut hits = 0;
    for query in queries {
        hits += search(&mut connection, &query.parameters(Facets::None)).await?.total;
    }
    Ok(hits as f64 / queries.len() as f64)
}

/// Some products of a catalogue, from which searches are made.
pub struct Sample(Vec<Product>);

impl Sample {
    /// Reads the first 2,000 products that a search without words finds.
    ///
    /// # Errors
    /// If the catalogue cannot be searched or has no products.
    pub async fn of(endpoint: &Endpoint) -> Result<Self, BenchError> {
        let mut connection = endpoint.connect().await?;
        let mut products = Vec::new();
        for page in 1..=PAGES {
            let parameters = [("pageSize", "100".to_owned()), ("page", page.to_string())]
                .map(|(name, value)| (name.to_owned(), value));
            let response = search(&mut connection, &parameters).await?;
            if response.products.is_empty() {
                break;
            }
            products.extend(response.products);
        }
        match products.is_empty() {
            true => Err(BenchError::NoQueries("the catalogue has no products")),
            false => Ok(Self(products)),
        }
    }

    /// Returns the ids of the products.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.0.iter().map(|product| product.id.clone()).collect()
    }

    /// Returns searches as shoppers make them, spelt correctly: one to four neighbouring words of a product's name, half
    /// of them with a price range, a quarter with a brand.
    pub fn queries(&self) -> Vec<Query> {
        let mut rng = Rng::with_seed(SEED);
        let mut queries: Vec<Query> =
            self.0.iter().filter_map(|product| query_for(product, &mut rng)).collect();
        rng.shuffle(&mut queries);
        queries
    }
}

/// Returns a search for the product, or `None` if its name has no words.
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
    use axum::Router;
    use axum::extract::RawQuery;
    use axum::routing::get;
    use std::sync::{Arc, Mutex};

    /// A catalogue of two products that records the parameters of searches.
    fn shop(searches: &Arc<Mutex<Vec<String>>>) -> Endpoint {
        let searches = Arc::clone(searches);
        let search = async move |RawQuery(query): RawQuery| {
            let query = query.unwrap_or_default();
            let is_past_the_end = query.contains("&page=") && !query.contains("&page=1");
            searches.lock().unwrap().push(query);
            let products = if is_past_the_end {
                ""
            } else {
                r#"{"id":"k","name":"Red IRON kettle (new)","brand":"HP","price":10},{"id":"t","name":"tea"}"#
            };
            format!(r#"{{"total":7,"products":[{products}]}}"#)
        };
        Endpoint::Router(Router::new().route("/products/search", get(search)))
    }

    #[tokio::test]
    async fn words_of_names_are_searched_for() {
        let searches = Arc::default();
        let shop = shop(&searches);
        let sample = Sample::of(&shop).await.unwrap();
        assert_eq!(*searches.lock().unwrap(), ["pageSize=100&page=1", "pageSize=100&page=2"]);
        assert_eq!(sample.ids(), ["k", "t"]);
        let queries = sample.queries();
        assert_eq!(queries.len(), 2);
        let names = ["red iron kettle", "tea"];
        assert!(queries.iter().all(|query| names.iter().any(|name| name.contains(&query.words))));
        assert_eq!(mean_hits(&shop, &queries).await.unwrap(), 7.0);
    }
}
