//! A client whose credentials have a filter learns nothing about other products.

use std::sync::Arc;

use domain::input::read_product;
use domain::ports::IndexWriter as _;
use domain::{Change, Currency, Language, Product, ProductId, Version};
use search_parameters::table;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Searches, indexes};

/// A text that is only in products outside, and in no request.
const SECRET: &str = "zzsecret";
const FILTER: &[&str] = &["brand=Acme"];

/// A shop of two brands, of which the client may find one.
async fn shop() -> (Searches, TempDir) {
    let (folder, writer, searcher) = indexes::tantivy(Language::English);
    let mut changes = Vec::new();
    for number in 0..30 {
        for (id, brand, name) in [("a", "Acme", "Desk lamp"), ("o", "Other", "Zzsecret desk lamp")] {
            let json = json!({
                "name": format!("{name} {number}"), "brand": brand, "category": format!("Home > {name}"), "tags": [name],
                "price": 10 + number, "stock": 1, "attributes": {"kind": name, "size": number},
                "status": if id == "a" && number == 29 { "draft" } else { "active" },
            });
            changes.push(Change::Create(Arc::new(Product {
                id: ProductId::parse(&format!("{id}{number}")).unwrap(),
                version: Version::FIRST,
                created_at: domain::now(),
                updated_at: domain::now(),
                content: read_product(json.to_string().as_bytes(), Currency::USD).unwrap().content,
            })));
        }
    }
    writer.apply(&changes).await.unwrap();
    (Searches::of(Arc::new(searcher), None), folder)
}

/// Returns values of a parameter that try to find more, and fails for a parameter that has none.
fn attempts(name: &str, foreign_cursor: &str) -> Vec<String> {
    let other = match name {
        "query" => {
            &["lamp", "zzsecrte", "zzsecr", "desk zzsecrte lamp", "other", "-lamp", "-x %22desk lamp%22"][..]
        }
        "operators" => &["true", "false"],
        "category" => &["Home", "Home > Desk lamp"],
        "brand" => &["Other", "Acme", "Acme&brand=Other", "Other&brand=Acme", "Acme&brand=Acme"],
        "tags" => &["Desk lamp", "Other"],
        "priceRange" => &["0-", "-15&priceRange=16-"],
        "inStock" => &["true", "false"],
        "currency" => &["EUR", "USD"],
        "facets" => &["brand,category,tags,price,attributes.kind,attributes.size", "*", "brand&facets=tags"],
        "facetSize" => &["1000"],
        "sortBy" => &[
            "relevance",
            "price_asc",
            "price_desc",
            "newest",
            "name",
            "attributes.kind",
            "attributes.size_desc",
        ],
        "fields" => &["name,brand,tags,attributes", "status", "version,createdAt"],
        "page" => &["1", "2", "3"],
        "pageSize" => &["100"],
        "explain" => &["true"],
        "syncToken" => &["1.o1&syncTimeout=0", "9.o1&syncTimeout=0", "1.nothing&syncTimeout=0"],
        "syncTimeout" => &["0"],
        "prefix" => &["O", "Z", "zzsecr", "oter"],
        "limit" => &["20"],
        "attributes.KEY" => {
            return ["attributes.kind=Desk+lamp", "attributes[size]=0..", "attributes.kind.is=Other"]
                .map(str::to_owned)
                .into();
        }
        "cursor" => return vec![format!("cursor={foreign_cursor}"), "cursor=x".to_owned()],
        name => panic!("what would somebody try with `{name}`?"),
    };
    other.iter().map(|value| format!("{name}={value}").replace(' ', "+").replace('>', "%3E")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_parameter_of_any_route_widens_a_filter() {
    let (shop, _folder) = shop().await;
    let everything = shop.get(&[], "/products/search?pageSize=40").await.expect(200);
    assert!(everything.text.contains("Zzsecret"), "there is something to be found");
    let foreign_cursor = everything.json()["nextCursor"].as_str().unwrap().to_owned();
    let routes = [
        "search",
        "suggest",
        "facets/brand",
        "facets/category",
        "facets/tags",
        "facets/attributes.kind",
        "a1/similar",
        "a1/explain",
        "o1/similar",
        "o1/explain",
        "a29/similar",
        "a29/explain",
    ];
    let mut answered = 0;
    for parameter in table::all() {
        for attempt in attempts(parameter.name, &foreign_cursor) {
            for route in routes {
                for words in ["", "&query=lamp", "&query=zzsecrte+lamp", "&query=zzsecrte&brand=Other"] {
                    let path = format!("/products/{route}?{attempt}{words}");
                    let answer = shop.get(FILTER, &path).await;
                    let text = answer.text.to_lowercase();
                    assert!(!text.contains(SECRET), "{path}: {text}");
                    answered += usize::from(answer.status == 200);
                    if answer.status == 200 && route.ends_with("search") {
                        let total = answer.json()["total"].as_u64().unwrap();
                        assert!(total <= 29, "{path}: {total}");
                    }
                    if answer.status == 200 {
                        assert!(!route.starts_with('o') && !route.starts_with("a29"), "{path}: {text}");
                    }
                }
            }
        }
    }
    assert!(answered > 200, "{answered}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_body_widens_a_filter() {
    let (shop, _folder) = shop().await;
    for body in [
        json!({"brand": "Other"}),
        json!({"brand": ["Acme", "Other"], "facets": ["brand", "attributes.kind"]}),
        json!({"query": "zzsecrte lamp", "facets": "*", "explain": true}),
        json!({"restriction": [], "query": "lamp"}),
        json!({"filter": "brand=Other"}),
        json!({"searches": [{"brand": "Other"}, {"query": "zzsecrte"}, {"facets": ["brand"]}]}),
        json!({"searches": [{}], "filters": []}),
    ] {
        let answer = shop.post(FILTER, &body).await;
        assert!(!answer.text.to_lowercase().contains(SECRET), "{body}: {}", answer.text);
        assert_eq!(
            answer.status == 422,
            body.to_string().contains("filter") || body.get("restriction").is_some()
        );
    }
    let own = shop
        .post(FILTER, &json!({"searches": [{"pageSize": 1}, {"brand": "Other"}]}))
        .await
        .expect(200)
        .json();
    assert_eq!(own["results"][0]["total"], 29);
    assert_eq!(own["results"][1]["total"], 0);
    let foreign = shop.post(&[], &json!({"pageSize": 1})).await.expect(200).json()["nextCursor"].clone();
    let refused = shop.post(FILTER, &json!({"cursor": foreign})).await.expect(422).json();
    assert_eq!(refused["errors"][0]["field"], "cursor");
    let refused = shop.post(FILTER, &json!({"searches": [{}, {"cursor": foreign}]})).await.expect(422).json();
    assert_eq!(refused["errors"][0]["field"], "searches[1].cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_token_does_not_tell_whether_a_product_outside_exists() {
    let (shop, _folder) = shop().await;
    let with = async |token: &str| {
        shop.get(FILTER, &format!("/products/search?syncToken={token}&syncTimeout=0.05")).await
    };
    with("1.a1").await.expect(200);
    let message = |json: Value, id: &str| {
        let detail = json["detail"].as_str().unwrap().replace(id, "ID");
        // Without the time that was waited.
        detail.split(" s, ").last().unwrap().to_owned()
    };
    let unknown = message(with("1.nothing").await.expect(504).json(), "nothing");
    // A product outside the filter, a draft, and a version that does not exist yet.
    for (token, id) in [("1.o1", "o1"), ("1.a29", "a29"), ("2.a1", "a1")] {
        assert_eq!(message(with(token).await.expect(504).json(), id), unknown, "{token}");
    }
    shop.get(&[], "/products/search?syncToken=1.o1&syncTimeout=0").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_cannot_be_read_refuses_every_request() {
    let (shop, _folder) = shop().await;
    for filters in
        [&["brand"][..], &["brand=Acme", "colour=red"], &["query=lamp"], &[""], &["brand=Acme&page=2"]]
    {
        for path in ["search", "suggest?query=lamp", "facets/brand", "a1/similar", "a1/explain"] {
            let refused = shop.get(filters, &format!("/products/{path}")).await;
            assert_eq!(refused.status, 403, "{filters:?} {path}: {refused:?}");
        }
        shop.post(filters, &json!({})).await.expect(403);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_filters_must_both_pass() {
    let (shop, _folder) = shop().await;
    let total = async |filters: &[&str]| {
        shop.get(filters, "/products/search").await.expect(200).json()["total"].clone()
    };
    assert_eq!(total(&["brand=Acme", "attributes.size=0..9"]).await, 10);
    assert_eq!(total(&["brand=Acme", "brand=Other"]).await, 0);
    assert_eq!(total(&["brand=Acme&brand=Other"]).await, 59);
    assert_eq!(total(&["priceRange=-19", "brand=Other"]).await, 10);
    let euro = shop
        .get(&["priceRange=-19", "brand=Other"], "/products/search?currency=EUR")
        .await
        .expect(200)
        .json();
    assert_eq!(euro["total"], 10, "the filter keeps its own currency");
}
