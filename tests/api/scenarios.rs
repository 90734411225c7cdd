//! Services with each index and a small catalogue, for the tests of search.

use noren::app::Options;
use query::Settings;
use serde_json::{Value, json};

use crate::support::TestApp;

/// Returns a service with an embedded index, or the one at `API_ENDPOINT`.
pub(crate) async fn on_tantivy() -> Option<TestApp> {
    Some(TestApp::at_endpoint_or_with(options()).await)
}

/// Starts a service with an index in OpenSearch, or returns `None` if there is no server.
pub(crate) async fn on_opensearch() -> Option<TestApp> {
    TestApp::spawn_on_opensearch(options()).await
}

/// Options of the services.
pub(crate) fn options() -> Options {
    Options::of_search(Settings { cache_seconds: 60, ..Settings::default() })
}

/// Five products.
pub(crate) fn shop() -> Vec<Value> {
    let product = |id: &str,
                   name: &str,
                   brand: &str,
                   category: &str,
                   price: f64,
                   stock: u64,
                   colour: &str| {
        json!({"id": id, "name": name, "brand": brand, "category": category, "price": price, "stock": stock,
               "tags": [colour], "attributes": {"colour": colour, "weight": price * 10.0}})
    };
    vec![
        product("p1", "Intel Core i7 processor", "Intel", "Computers > Processors", 299.0, 3, "silver"),
        product("p2", "Intel Core i5 processor", "Intel", "Computers > Processors", 199.0, 0, "silver"),
        product("p3", "AMD Ryzen processor", "AMD", "Computers > Processors", 249.5, 5, "black"),
        product("p4", "Processor cooler", "Noctua", "Computers > Cooling", 59.9, 9, "brown"),
        product("p5", "Desk lamp", "Hikari", "Home > Lamps", 39.9, 1, "black"),
    ]
}
