//! What the tests of search share: scenarios that run on each index, and a small shop.

use noren::app::Options;
use serde_json::{Value, json};

/// Makes a test of each scenario for each index.
macro_rules! on_each_index {
    ($($scenario:ident),* $(,)?) => {
        mod tantivy {
            use crate::api::scenarios::options;
            use crate::support::TestApp;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                super::$scenario(TestApp::spawn_with(options()).await).await;
            })*
        }
        mod opensearch {
            use crate::api::scenarios::options;
            use crate::support::TestApp;
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $scenario() {
                let Some(app) = TestApp::spawn_on_opensearch(options()).await else { return };
                super::$scenario(app).await;
            })*
        }
    };
}

/// What the services of the scenarios have in common.
pub(crate) fn options() -> Options {
    Options { cache_seconds: 60, ..Options::default() }
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
