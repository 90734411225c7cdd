//! Queries in languages without spaces on one index with products in these languages and in English.
//!
//! `products.ndjson` has the products. Each line of `queries.tsv` has a query, the products that must match, those
//! that must not (`*` for all others) and, where useful, the reason.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ranking;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::input::read_product;
use domain::ports::{Applied, IndexWriter, SearchIndex};
use domain::search::{MatchMode, Page, PageStart, SearchRequest, Sort};
use domain::{Change, Currency, Language, Product, ProductId, Version, hash};

use crate::support::indexes;

/// A line of the list.
struct Expectation {
    line: usize,
    query: &'static str,
    found: BTreeSet<&'static str>,
    not_found: NotFound,
}

enum NotFound {
    These(BTreeSet<&'static str>),
    AllOthers,
}

#[tokio::test]
async fn queries_find_in_tantivy_what_they_must() {
    let (_folder, writer, searcher) = indexes::tantivy(Language::English);
    check_list(&writer, &searcher).await;
}

#[tokio::test]
async fn queries_find_in_opensearch_what_they_must() {
    let Some((writer, searcher)) = indexes::opensearch("languages", Language::English).await else { return };
    check_list(&writer, &searcher).await;
}

#[tokio::test]
async fn forms_of_a_word_are_one_in_tantivy() {
    for catalogue in &CATALOGUES {
        let (_folder, writer, searcher) = indexes::tantivy(catalogue.language);
        check_forms(&writer, &searcher, catalogue).await;
    }
}

#[tokio::test]
async fn forms_of_a_word_are_one_in_opensearch() {
    for catalogue in &CATALOGUES {
        let Some((writer, searcher)) = indexes::opensearch("forms", catalogue.language).await else { return };
        check_forms(&writer, &searcher, catalogue).await;
    }
}

#[tokio::test]
async fn names_are_in_the_order_of_the_language_in_tantivy() {
    for (language, order) in ORDERS {
        let (_folder, writer, searcher) = indexes::tantivy(language);
        check_order(&writer, &searcher, language, order).await;
    }
}

#[tokio::test]
async fn names_are_in_the_order_of_the_language_in_opensearch() {
    for (language, order) in ORDERS {
        let Some((writer, searcher)) = indexes::opensearch("names", language).await else { return };
        check_order(&writer, &searcher, language, order).await;
    }
}

/// Names in the order of languages.
const ORDERS: [(Language, [&str; 6]); 3] = [
    (Language::German, ["Apfel 2", "Apfel 10", "äpfel 10", "Ofen", "Öl", "Zange"]),
    (Language::Swedish, ["Apfel 2", "Apfel 10", "Ofen", "Zange", "äpfel 10", "Öl"]),
    (Language::Spanish, ["Apfel 2", "Apfel 10", "äpfel 10", "Ofen", "Öl", "Zange"]),
];

/// Fills an empty index and reads the names by pages of two.
async fn check_order(
    writer: &dyn IndexWriter,
    index: &dyn SearchIndex,
    language: Language,
    order: [&str; 6],
) {
    let product = |name: &&str| {
        let json = serde_json::json!({ "id": hash::fnv1a_32(name.as_bytes()).to_string(), "name": name });
        Change::Create(Arc::new(product(json.to_string().as_bytes())))
    };
    writer.apply(&order.iter().map(product).collect::<Vec<_>>()).await.unwrap();
    let (mut names, mut start) = (Vec::new(), PageStart::Number(1));
    for _ in 0..3 {
        let page = Page { start, size: 2 };
        let request = SearchRequest { sort: Sort::Name, page, ..SearchRequest::all(Currency::USD) };
        let answer = index.search(&request).await.unwrap();
        names.extend(answer.hits.iter().map(|hit| hit.product.content.name.clone()));
        start = answer.next.map_or(PageStart::Number(1), PageStart::After);
    }
    assert_eq!(names, order, "{language}");
}

/// Product names in a language, and queries with the numbers of the products that match.
struct Catalogue {
    language: Language,
    names: &'static [&'static str],
    queries: &'static [(&'static str, &'static [usize])],
}

const CATALOGUES: [Catalogue; 12] = [
    Catalogue {
        language: Language::German,
        names: &[
            "Schwarze Lampe",
            "Lampen für Häuser, schwarz",
            "Lampion",
            "Stehlampe",
            "Über-Ohr-Kopfhörer",
        ],
        queries: &[
            ("lampe", &[0, 1, 3]),
            ("schwarzer Lampen", &[0, 1]),
            ("haus", &[1]),
            ("Stehlampen", &[3]),
            ("Steh Lampen", &[3]),
            ("kopfhorern", &[4]),
            ("hörer", &[4]),
            ("lamp", &[0, 1, 2, 3]),
        ],
    },
    Catalogue {
        language: Language::French,
        names: &["Téléphone portable", "Étuis pour telephones portables", "Écran plat"],
        queries: &[
            ("téléphones", &[0, 1]),
            ("telephone portables", &[0, 1]),
            ("écrans", &[2]),
            ("etui", &[1]),
        ],
    },
    Catalogue {
        language: Language::Russian,
        names: &["Беспроводная мышь чёрная", "Черный ноутбук", "Чехлы для ноутбуков"],
        queries: &[("беспроводной", &[0]), ("чёрные", &[0, 1]), ("ноутбук", &[1, 2]), ("МЫШИ", &[0])],
    },
    Catalogue {
        language: Language::German,
        names: &[
            "Herrenschuhe aus Leder",
            "Fahrradhelm für Kinder",
            "Kochbücher der Welt",
            "Wasserkocher 1,7 l",
            "Schreibtischlampe",
            "Momente Parfum",
            "Straßenschuh",
        ],
        queries: &[
            ("schuhe", &[0, 6]),
            ("Schuh", &[0, 6]),
            ("helm", &[1]),
            ("Helme", &[1]),
            ("kocher", &[3]),
            ("Bücher", &[2]),
            ("lampe", &[4]),
            ("Tischlampen", &[4]),
            ("ente", &[]),
            ("leder schuhe", &[0]),
            ("-schuhe leder", &[]),
        ],
    },
    Catalogue {
        language: Language::German,
        names: &[
            "Powerbank 20.000 mAh",
            "Powerbank 20000mAh",
            "Powerbank 20 000 mAh",
            "Powerbank 10.000 mAh",
        ],
        queries: &[
            ("20000mah", &[0, 1, 2]),
            ("20.000 mAh", &[0, 1, 2]),
            ("20.000mah", &[0, 1, 2]),
            ("20 000 mAh", &[0, 1, 2]),
            ("10000 mah", &[3]),
        ],
    },
    Catalogue {
        language: Language::French,
        names: &["Batterie externe 20\u{A0}000 mAh", "Batterie externe 20\u{202F}000 mAh", "Redmi 12 128 Go"],
        queries: &[("20000 mah", &[0, 1]), ("20 000 mAh", &[0, 1]), ("128 go", &[2])],
    },
    Catalogue {
        language: Language::Dutch,
        names: &["Fietshelm zwart", "Keukentafel eiken", "Kookboeken"],
        queries: &[("helm", &[0]), ("helmen", &[0]), ("tafel", &[1]), ("tafels", &[1]), ("boek", &[2])],
    },
    Catalogue {
        language: Language::Swedish,
        names: &["Cykelhjälm svart", "Herrskjorta", "Golvlampa", "Ryggsäck 20 l", "Brödrost"],
        queries: &[
            ("hjälm", &[0]),
            ("hjälmar", &[0]),
            ("skjorta", &[1]),
            ("skjortor", &[1]),
            ("lampor", &[2]),
            ("säck", &[3]),
            ("rost", &[4]),
        ],
    },
    Catalogue {
        language: Language::Danish,
        names: &[
            "Cykelhjelm sort",
            "Børnesko",
            "Bordlampe",
            "Regnjakke",
            "Vinglas 2 stk",
            "Sovepose",
            "Køkkenkniv",
            "Løbesko",
        ],
        queries: &[
            ("hjelm", &[0]),
            ("hjelme", &[0]),
            ("lamper", &[2]),
            ("jakke", &[3]),
            ("jakker", &[3]),
            ("glas", &[4]),
            ("pose", &[5]),
            ("kniv", &[6]),
            ("sko", &[1, 7]),
        ],
    },
    Catalogue {
        language: Language::Norwegian,
        names: &["Sykkelhjelm svart", "Bordlampe"],
        queries: &[("hjelm", &[0]), ("hjelmer", &[0]), ("lamper", &[1])],
    },
    Catalogue {
        language: Language::Finnish,
        names: &["Pyöräilykypärä musta", "Pöytälamppu"],
        queries: &[("kypärä", &[0]), ("kypärät", &[0]), ("lamput", &[1])],
    },
    Catalogue {
        language: Language::EnglishSnowball,
        names: &["Printed shirt", "Printing paper", "Paper clip"],
        queries: &[("prints", &[0, 1]), ("shirts", &[0]), ("printing", &[0, 1])],
    },
];

/// Fills an empty index of the catalogue's language and checks the matches of its queries.
async fn check_forms(writer: &dyn IndexWriter, index: &dyn SearchIndex, catalogue: &Catalogue) {
    let product = |(number, name): (usize, &&str)| {
        let json = serde_json::json!({ "id": number.to_string(), "name": name });
        Change::Create(Arc::new(product(json.to_string().as_bytes())))
    };
    let changes: Vec<Change> = catalogue.names.iter().enumerate().map(product).collect();
    writer.apply(&changes).await.unwrap();
    for (query, expected) in catalogue.queries {
        let expected = expected.iter().map(ToString::to_string).collect();
        assert_eq!(found(index, query).await, expected, "{query}");
        let marked = highlighted_names(index, query).await;
        assert_eq!(marked.len(), expected.len(), "{query} is marked in {marked:?}");
    }
}

/// A query for a thing, of which a shop has many, and something else that has the query's rarest word.
const ASIDE: [(Language, &str, &str, &str); 6] = [
    (Language::German, "Lampe", "Puzzle für Kinder", "Lampe für Kinder"),
    (Language::French, "Lampe", "Puzzle pour enfants", "lampe pour enfants"),
    (Language::Spanish, "Lámpara", "Puzle para niños", "lámpara para niños"),
    (Language::Dutch, "Lamp", "Puzzel voor kinderen", "lamp voor kinderen"),
    (Language::Polish, "Lampa", "Puzzle dla dzieci", "lampa dla dzieci"),
    (Language::Russian, "Лампа", "Пазл для детей", "лампа для детей"),
];

#[tokio::test]
async fn what_a_query_says_aside_is_left_out_in_tantivy() {
    for aside in ASIDE {
        let (_folder, writer, searcher) = indexes::tantivy(aside.0);
        check_aside(&writer, &searcher, aside).await;
    }
}

#[tokio::test]
async fn what_a_query_says_aside_is_left_out_in_opensearch() {
    for aside in ASIDE {
        let Some((writer, searcher)) = indexes::opensearch("aside", aside.0).await else { return };
        check_aside(&writer, &searcher, aside).await;
    }
}

/// Fills an empty index with many of a thing and one other product, and checks that the query finds the thing first.
async fn check_aside(
    writer: &dyn IndexWriter,
    index: &dyn SearchIndex,
    (language, thing, other, query): (Language, &str, &str, &str),
) {
    let product = |(number, name): (usize, &String)| {
        let json = serde_json::json!({ "id": number.to_string(), "name": name });
        Change::Create(Arc::new(product(json.to_string().as_bytes())))
    };
    let names: Vec<String> =
        (0..12).map(|number| format!("{thing} {number}")).chain([other.to_owned()]).collect();
    writer.apply(&names.iter().enumerate().map(product).collect::<Vec<_>>()).await.unwrap();
    let request = SearchRequest { words: query.to_owned(), ..SearchRequest::all(Currency::USD) };
    let answer = index.search(&request).await.unwrap();
    let first = &answer.hits[0].product.content.name;
    assert!(first.starts_with(thing), "{language}: {query} finds {first}, left out: {:?}", answer.relaxed);
}

/// Fills an empty index with the products and checks the matches of each query.
async fn check_list(writer: &dyn IndexWriter, index: &dyn SearchIndex) {
    let products = products();
    let ids: BTreeSet<String> = products.iter().map(|product| product.id.to_string()).collect();
    let changes: Vec<Change> =
        products.into_iter().map(|product| Change::Create(Arc::new(product))).collect();
    assert!(writer.apply(&changes).await.unwrap().iter().all(|applied| *applied == Applied::Done));
    let mut faults = Vec::new();
    for expectation in expectations() {
        let known = |id: &&str| ids.contains(*id);
        assert!(expectation.found.iter().all(known), "line {} names no product", expectation.line);
        let found = found(index, expectation.query).await;
        faults.extend(expectation.fault(&found));
    }
    assert!(faults.is_empty(), "{} queries:\n{}", faults.len(), faults.join("\n"));
    for (query, name) in [
        ("ﾃﾞｼﾞﾀﾙｶﾒﾗ", "防水<em>デジタル・カメラ</em> レッド"),
        ("プリンタ", "A4モノクロレーザー<em>プリンター</em>"),
        ("ワイヤレスマウス", "<em>ワイヤレス マウス</em> M220"),
        ("バイオリン", "<em>ヴァイオリン</em> 初心者セット 4/4"),
        ("リットル", "丸大豆醤油 １<em>㍑</em>"),
        ("ไร้สาย", "หูฟัง<em>ไร้สาย</em> Bluetooth 5.3 สีดำ"),
        ("น้ำ", "แก้ว<em>น้ำ</em>สแตนเลส ๓๐ ออนซ์"),
        ("យួរដៃ", "កាបូប\u{200b}<em>យួរ\u{200b}ដៃ</em>"),
        ("အိတ်", "ကျောပိုး<em>အိတ်</em>"),
        ("東京都", "<em>東京都</em> 指定ごみ袋 45L 10枚"),
    ] {
        assert!(highlighted_names(index, query).await.contains(&name.to_owned()), "{query}");
    }
}

/// Returns the highlighted names of the matches.
async fn highlighted_names(index: &dyn SearchIndex, query: &str) -> Vec<String> {
    let words = query.to_owned();
    let request = SearchRequest { words, match_mode: MatchMode::All, ..SearchRequest::all(Currency::USD) };
    let answer = index.search(&request).await.unwrap();
    answer.hits.into_iter().filter_map(|mut hit| hit.highlights.remove("name")).collect()
}

/// Returns the ids of the products that match all words.
async fn found(index: &dyn SearchIndex, query: &str) -> BTreeSet<String> {
    let page = Page { start: PageStart::Number(1), size: 100 };
    let request = SearchRequest {
        words: query.to_owned(),
        match_mode: MatchMode::All,
        page,
        ..SearchRequest::all(Currency::USD)
    };
    let answer = index.search(&request).await.unwrap();
    answer.hits.iter().map(|hit| hit.product.id.to_string()).collect()
}

impl Expectation {
    fn fault(&self, found: &BTreeSet<String>) -> Option<String> {
        let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
        let missing: Vec<_> = self.found.difference(&found).collect();
        let wrong: Vec<_> = match &self.not_found {
            NotFound::These(these) => these.intersection(&found).collect(),
            NotFound::AllOthers => found.difference(&self.found).collect(),
        };
        let is_right = missing.is_empty() && wrong.is_empty();
        (!is_right).then(|| {
            format!("line {}: {} misses {missing:?}, wrongly finds {wrong:?}", self.line, self.query)
        })
    }
}

fn products() -> Vec<Product> {
    let lines = include_str!("products.ndjson").lines();
    let products: Vec<Product> = lines.map(|line| product(line.as_bytes())).collect();
    assert!(products.len() >= 40, "the products were read");
    products
}

/// Builds a product at its first version from JSON with an id.
fn product(json: &[u8]) -> Product {
    let input = read_product(json, Currency::USD).unwrap();
    let at = domain::now();
    let id: ProductId = input.id.unwrap();
    Product { id, version: Version::FIRST, created_at: at, updated_at: at, content: input.content }
}

fn expectations() -> Vec<Expectation> {
    let mut expectations = Vec::new();
    for (number, line) in include_str!("queries.tsv").lines().enumerate().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[query, found, not_found, _because] = columns.as_slice() else {
            panic!("line {} has not four columns", number + 1)
        };
        let not_found = match not_found {
            "*" => NotFound::AllOthers,
            these => NotFound::These(these.split_whitespace().collect()),
        };
        let found = found.split_whitespace().collect();
        expectations.push(Expectation { line: number + 1, query, found, not_found });
    }
    assert!(expectations.len() >= 60, "the queries were read");
    expectations
}
