//! The storefront: its search page, the pages of products, pictures and the sitemap.

use noren::app::Options;
use query::Settings;
use reqwest::Method;
use serde_json::{Value, json};
use storefront::Storefront;

use crate::support::{Answer, TestApp, on_each};

on_each! {
    {
        tantivy: Some(shop().await);
        opensearch: TestApp::spawn_on_opensearch(options(plain())).await;
    }
    {
        |app| (app) [
            the_page_of_a_product_shows_it_and_related_ones,
            only_active_products_have_a_page,
            the_search_page_has_the_first_results,
        ]
    }
}

fn plain() -> Storefront {
    Storefront { url: None, image_origins: Vec::new() }
}

fn options(storefront: Storefront) -> Options {
    Options::of_search(Settings { storefront: Some(storefront), ..Settings::default() })
}

async fn shop_with(storefront: Storefront) -> TestApp {
    TestApp::spawn_with(options(storefront)).await
}

async fn shop() -> TestApp {
    shop_with(plain()).await
}

async fn page(app: &TestApp, path: &str, languages: &str) -> Answer {
    let request = app.request(Method::GET, path);
    Answer::of(request.header("accept", "text/html").header("accept-language", languages)).await
}

/// Returns the structured data of a page.
fn structured_data(page: &str) -> Value {
    let (_, data) = page.split_once("<script type=\"application/ld+json\">").expect("the page has it");
    let (data, _) = data.split_once("</script>").expect("it ends");
    serde_json::from_str(data).expect("it is JSON")
}

/// Returns the texts of all elements of this name in XML.
fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&start).skip(1).filter_map(|rest| rest.split(&end).next()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_has_no_storefront_unless_it_is_on() {
    let app = TestApp::spawn().await;
    let links = page(&app, "/", "en").await.expect(200);
    assert!(links.text.contains("href=\"docs\"") && !links.text.contains("storefront.js"));
    for path in
        ["/shop/storefront.js", "/shop/picture.svg", "/shop/products/a", "/sitemap.xml", "/robots.txt"]
    {
        app.get(path).await.problem(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_get_the_shop_in_their_language_and_programs_get_the_index() {
    let app = shop().await;
    for (path, languages, language, button) in [
        ("/", "en-GB", "en", "Search"),
        ("/", "de-CH,en;q=0.5", "de", "Suchen"),
        ("/", "ja", "ja", "検索"),
        ("/?language=de", "ja", "de", "Suchen"),
        ("/?query=x&language=ja", "de", "ja", "検索"),
        ("/?language=xx", "de", "de", "Suchen"),
        ("/", "fr", "en", "Search"),
    ] {
        let page = page(&app, path, languages).await.expect(200);
        assert!(page.text.starts_with(&format!("<!DOCTYPE html><html lang=\"{language}\"")), "{}", page.text);
        assert!(
            page.text.contains(&format!("<button>{button}</button>")),
            "{path} {languages}: {}",
            page.text
        );
        let varies: Vec<&str> =
            page.headers.get_all("vary").iter().filter_map(|it| it.to_str().ok()).collect();
        let varies = varies.join(",");
        assert!(varies.contains("accept-language") && varies.contains("accept,"), "{varies}");
    }
    assert!(app.get("/").await.expect(200).json()["paths"].as_array().is_some_and(|paths| paths.len() > 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_a_strict_policy_and_set_no_cookie() {
    let app = shop().await;
    app.fill(&[json!({"id": "a", "name": "Lamp"})]).await;
    for path in ["/", "/shop/products/a", "/shop/products/none"] {
        let page = page(&app, path, "en").await;
        let policy = page.header("content-security-policy");
        for part in
            ["default-src 'none'", "script-src 'self';", "style-src 'self';", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains("://"), "{path}: {policy}");
        assert!(page.headers.get("set-cookie").is_none());
        for forbidden in [" style=", " onclick=", "<style", "src=\"http", "href=\"//"] {
            assert!(!page.text.contains(forbidden), "{forbidden} in {path}");
        }
    }
}

async fn the_page_of_a_product_shows_it_and_related_ones(app: TestApp) {
    app.fill(&[
        json!({
            "id": "lamp-1", "name": "Desk lamp", "brand": "Akari & Co", "sku": "L-1", "price": 19.90, "stock": 3,
            "description": "Warm light.\n\nMade of paper.", "category": "Home > Lamps", "tags": ["paper"],
            "attributes": {"colour": "red", "dimmable": true, "height_cm": 30, "rooms": ["office", "bedroom"]},
        }),
        json!({"id": "lamp-2", "name": "Desk lamp, large", "category": "Home > Lamps", "price": 40}),
        json!({"id": "pan-1", "name": "Frying pan"}),
    ])
    .await;
    let page = page(&app, "/shop/products/lamp-1?language=de", "en").await.expect(200);
    let html = &page.text;
    for part in [
        "<h1 dir=\"auto\">Desk lamp</h1>",
        "<p dir=\"auto\">Warm light.</p><p dir=\"auto\">Made of paper.</p>",
        "href=\"../../?brand=Akari+%26+Co&amp;language=de\"",
        "href=\"../../?category=Home+%3E+Lamps&amp;language=de\"",
        "<data value=\"19.90\" data-currency=\"USD\">",
        "<dt>height cm</dt><dd dir=\"auto\">30</dd>",
        "<dt>dimmable</dt><dd dir=\"auto\">Ja</dd>",
        "<dd dir=\"auto\">office, bedroom</dd>",
        "href=\"../../shop/products/lamp-2?language=de\"",
        "colour=red",
    ] {
        assert!(html.contains(part), "{part} is missing: {html}");
    }
    assert!(!html.contains("Frying pan"), "it is not related");

    let data = structured_data(html);
    assert_eq!(data["@type"], "Product");
    assert_eq!(data["name"], "Desk lamp");
    assert_eq!(data["brand"]["name"], "Akari & Co");
    assert_eq!(data["offers"]["price"], "19.90");
    assert_eq!(data["offers"]["priceCurrency"], "USD");
    assert_eq!(data["offers"]["availability"], "https://schema.org/InStock");
    assert_eq!(data["url"], format!("{}/shop/products/lamp-1", app.url));
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_a_product_is_shown_as_text() {
    let app = shop().await;
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
    app.fill(&[json!({
        "id": "x", "name": format!("A \"quoted\" {hostile} & more"), "brand": hostile, "sku": "<b>", "tags": [hostile],
        "description": format!("<p>Bold</p><b onclick=x>{hostile}</b> a < b"), "category": "<i>Home > \"Lamps\"",
        "attributes": {"<u>": hostile}, "price": 1, "images": ["https://evil.example/a.png?\"><script>"],
    })])
    .await;
    let page = page(&app, "/shop/products/x", "en").await.expect(200);
    // The script itself, the structured data, the texts and the colours.
    assert_eq!(page.text.matches("<script").count(), 4, "{}", page.text);
    assert_eq!(page.text.matches("</script").count(), 4, "{}", page.text);
    for forbidden in ["<img src=x", "<b ", "<i>", "<u>", "evil.example"] {
        assert!(!page.text.contains(forbidden), "{forbidden}: {}", page.text);
    }
    assert_eq!(structured_data(&page.text)["brand"]["name"], hostile);
}

async fn the_search_page_has_the_first_results(app: TestApp) {
    app.fill(&[
        json!({"id": "pan", "name": "Frying pan", "category": "Kitchen > Pans", "price": 30, "attributes": {"width": 24}}),
        json!({"id": "wok", "name": "Wok", "category": "Kitchen > Pans", "price": 50, "brand": "-Dash", "stock": 0}),
        json!({"id": "lamp", "name": "Lamp", "category": "Home", "price": 40}),
    ])
    .await;
    for (query, ids) in [
        ("?query=frying", &["pan"][..]),
        ("?category=Kitchen&sort=price_desc", &["wok", "pan"]),
        ("?price=35-&sort=price_asc", &["lamp", "wok"]),
        ("?brand=-Dash&language=ja", &["wok"]),
        ("?attributes.width=20..25", &["pan"]),
        ("?query=nothing+of+this+kind", &[]),
        ("?price=abc", &[]),
    ] {
        let page = page(&app, &format!("/{query}"), "en").await.expect(200);
        let found = page.text.split("href=\"./shop/products/").skip(1);
        let found: Vec<&str> = found.filter_map(|rest| rest.split(['"', '?']).next()).collect();
        assert_eq!(found, ids, "{query}");
    }
}

async fn only_active_products_have_a_page(app: TestApp) {
    app.fill(&[
        json!({"id": "active", "name": "Lamp"}),
        json!({"id": "draft", "name": "Lamp", "status": "draft"}),
        json!({"id": "archived", "name": "Lamp", "status": "archived"}),
        json!({"id": "deleted", "name": "Lamp"}),
    ])
    .await;
    app.delete("/products/deleted").await.expect(200);
    app.sync_all().await;
    page(&app, "/shop/products/active", "en").await.expect(200);
    for id in ["draft", "archived", "deleted", "never", "no%20id", "search"] {
        let page = page(&app, &format!("/shop/products/{id}"), "de").await.expect(404);
        assert!(page.header("content-type").starts_with("text/html"), "{id}: {page:?}");
        assert!(page.text.contains("<html lang=\"de\"") && !page.text.contains("Lamp"), "{}", page.text);
    }
    let sitemap = app.get("/sitemap.xml").await.expect(200);
    assert_eq!(elements(&sitemap.text, "loc"), [format!("{}/shop/products/active", app.url)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_for_search_engines_are_those_of_the_shop() {
    let url = Some("https://shop.example/catalogue".to_owned());
    let app = shop_with(Storefront { url, image_origins: Vec::new() }).await;
    app.fill(&[json!({"id": "a", "name": "Lamp"}), json!({"id": "b", "name": "Pan"})]).await;
    let html = page(&app, "/shop/products/a", "en").await.expect(200).text;
    assert!(
        html.contains("<link rel=\"canonical\" href=\"https://shop.example/catalogue/shop/products/a\">")
    );
    let sitemap = app.get("/sitemap.xml").await.expect(200);
    assert_eq!(sitemap.header("content-type"), "application/xml");
    let addresses = ["a", "b"].map(|id| format!("https://shop.example/catalogue/shop/products/{id}"));
    assert_eq!(elements(&sitemap.text, "loc"), addresses);
    let days = elements(&sitemap.text, "lastmod");
    assert_eq!(days.len(), 2);
    assert!(days.iter().all(|day| day.parse::<jiff::civil::Date>().is_ok()), "{days:?}");
    let robots = app.get("/robots.txt").await.expect(200).text;
    assert!(robots.contains("\nSitemap: https://shop.example/catalogue/sitemap.xml\n"), "{robots}");
    assert_eq!(elements(&app.get("/sitemap/1").await.expect(200).text, "loc").len(), 2);
    for unknown in ["2", "0", "+1", "01", "x"] {
        app.get(&format!("/sitemap/{unknown}")).await.problem(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_are_drawn_unless_they_come_from_a_site_that_is_allowed() {
    let image_origins = vec!["https://images.example".to_owned()];
    let app = shop_with(Storefront { url: None, image_origins }).await;
    app.fill(&[
        json!({"id": "a", "name": "Lamp", "images": ["https://images.example/a.png"]}),
        json!({"id": "b", "name": "Lamp", "images": ["https://images.example.evil.example/a.png"]}),
    ])
    .await;
    let page_of = async |id: &str| page(&app, &format!("/shop/products/{id}"), "en").await.expect(200);
    let own = page_of("a").await;
    assert!(own.text.contains("src=\"https://images.example/a.png\""), "{}", own.text);
    assert!(own.header("content-security-policy").contains("img-src 'self' https://images.example;"));
    let drawn = page_of("b").await.text;
    let article = drawn.split("</article>").next().unwrap_or_default();
    assert!(article.contains("shop/picture.svg?name=Lamp") && !article.contains("evil"), "{drawn}");

    let get = async |query: &str| app.get(&format!("/shop/picture.svg{query}")).await.expect(200);
    let red = get("?name=Teapot&colour=red").await;
    assert_eq!(red.header("content-type"), "image/svg+xml");
    assert_ne!(red.text, get("?name=Teapot&colour=black").await.text);
    assert_eq!(red.text, get("?name=Akari+teapot&colour=Red&other=1").await.text);
    for query in ["", "?", "?name=%FF%00&colour=%22%3E%3Cscript%3E", "?name=%3Cscript%3E"] {
        let picture = get(query).await;
        assert!(picture.text.starts_with("<svg") && !picture.text.contains("<script"), "{}", picture.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_a_version_is_cached_for_ever() {
    let app = shop().await;
    let html = page(&app, "/", "en").await.expect(200).text;
    let addresses: Vec<&str> = html.split('"').filter(|part| part.starts_with("./shop/")).collect();
    assert_eq!(addresses.len(), 3, "script, styles and icon: {addresses:?}");
    for address in addresses {
        let path = address.trim_start_matches('.');
        let file = app.get(path).await.expect(200);
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{path}");
        let request = app.request(Method::GET, path).header("accept-encoding", "gzip");
        let compressed = request.send().await.expect("the service answers");
        assert_eq!(compressed.headers()["content-encoding"], "gzip");
        let bytes = compressed.bytes().await.expect("it has a body");
        let mut text = String::new();
        let mut decoder = flate2::read::GzDecoder::new(&*bytes);
        std::io::Read::read_to_string(&mut decoder, &mut text).expect("it is gzip");
        assert_eq!(text, file.text, "{path}");
        let (bare, _) = path.split_once('?').expect("it has a version");
        assert_eq!(app.get(bare).await.expect(200).header("cache-control"), "no-cache");
    }
}
