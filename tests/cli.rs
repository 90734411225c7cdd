//! The command line as people use it: the real binary, its output and its exit code.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use std::sync::Arc;

use domain::ports::{ChangeQueue as _, ProductStore as _, Write};
use domain::{Change, Product, ProductId, Record, Version};
use embedded_store::EmbeddedStore;
use serde_json::{Value, json};

use crate::support::{
    Running, TestApp, command, dead_letter_all, finished, repository, shared_data, wait_until,
};

/// The exit code and the output of a run of `noren`.
struct Run {
    code: i32,
    out: String,
    err: String,
}

impl Run {
    fn of(output: std::process::Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the output is UTF-8");
        Self {
            code: output.status.code().expect("it ends by itself"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "output: {}\nerrors: {}", self.out, self.err);
        self
    }
}

fn noren(arguments: &[&str]) -> Run {
    Run::of(finished("noren", arguments, &[]))
}

/// Runs `noren` in a folder, with this text as its standard input.
fn noren_in(folder: &Path, arguments: &[&str], input: &str) -> Run {
    let mut command = command("noren");
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it has a standard input");
    stdin.write_all(input.as_bytes()).expect("it reads its input");
    drop(stdin);
    Run::of(child.wait_with_output().expect("its output can be read"))
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().expect("temporary folders have plain names").to_owned()
}

/// Returns the products of an export by id, without the fields that Noren sets.
fn contents(ndjson: &str) -> BTreeMap<String, Value> {
    let product = |line: &str| {
        let mut product: Value = serde_json::from_str(line).expect("each line is a product");
        let fields = product.as_object_mut().expect("a product is an object");
        for own in ["version", "createdAt", "updatedAt"] {
            assert!(fields.remove(own).is_some(), "{own} is exported");
        }
        (product["id"].as_str().expect("a product has an id").to_owned(), product)
    };
    ndjson.lines().map(product).collect()
}

const TEAS: &str = "id;Name;price;tags;attributes.grams;origin
sencha;\"Sencha; first flush\";12.50;tea|green;100;Uji
gyokuro;Gyokuro;free;tea;50;Uji
matcha;Matcha;30;tea|green|powder;30;
hojicha;Hojicha;-1;tea;;
";

#[tokio::test(flavor = "multi_thread")]
async fn faults_are_told_and_the_rest_is_imported() {
    let app = TestApp::spawn().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("teas.csv"), TEAS).unwrap();
    let import = ["import", "teas.csv", "--url", &app.url];
    let run = noren_in(folder.path(), &import, "").expect(1);
    assert!(
        run.err.contains("teas.csv:3: price: must be a number such as 19.99, not `free`\n"),
        "{}",
        run.err
    );
    assert!(run.err.contains("teas.csv:5: price: must not be negative\n"), "{}", run.err);
    assert!(run.err.contains("2 created, 0 updated, 0 unchanged, 2 rejected"), "{}", run.err);
    assert!(run.err.contains("teas.rejects.csv"), "{}", run.err);
    app.sync_all().await;
    assert_eq!(app.search("query=sencha&attributes.origin=Uji&priceRange=12-13").await.ids(), ["sencha"]);

    let again = noren_in(folder.path(), &import, "").expect(1);
    assert!(again.err.contains("0 created, 0 updated, 2 unchanged, 2 rejected"), "{}", again.err);

    let rejects = folder.path().join("teas.rejects.csv");
    let corrected = std::fs::read_to_string(&rejects).unwrap().replace("free", "45").replace("-1", "9.90");
    std::fs::write(&rejects, corrected).unwrap();
    let run = noren_in(folder.path(), &["import", "teas.rejects.csv", "--url", &app.url], "").expect(0);
    assert!(run.err.contains("2 created, 0 updated, 0 unchanged, 0 rejected"), "{}", run.err);
    app.sync_all().await;
    assert_eq!(app.search("sortBy=price_asc").await.ids(), ["hojicha", "sencha", "matcha", "gyokuro"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_shows_a_table_or_the_answer() {
    let app = TestApp::spawn().await;
    app.fill(&[
        json!({"id": "k1", "name": "Iron kettle", "brand": "Tetsu", "category": "Kitchen > Kettles", "price": 49.90,
            "stock": 3, "attributes": {"colour": "black"}}),
        json!({"id": "k2", "name": "Glass kettle", "brand": "Klar", "category": "Kitchen > Kettles", "price": 19.5}),
        json!({"id": "c1", "name": "Tea cup", "brand": "Klar", "price": 7}),
    ])
    .await;
    let search =
        |arguments: &[&str]| noren(&[&["search", "--url", &app.url], arguments].concat()).expect(0).out;

    let table = search(&["ketle", "--sort", "price_asc", "--facet", "brand", "--facet", "price"]);
    assert!(table.starts_with("did you mean: kettle\n"), "{table}");
    let rows: Vec<&str> =
        table.lines().filter(|line| line.contains("kettle") && line.contains("USD")).collect();
    assert!(rows[0].contains("Glass kettle") && rows[0].contains("19.50 USD"), "{table}");
    assert!(rows[1].contains("Kitchen > Kettles") && rows[1].contains("k1"), "{table}");
    assert!(table.contains("\n2 products, "), "{table}");
    assert!(table.contains("\nbrand\n       1  Klar\n       1  Tetsu\n"), "{table}");
    assert!(table.contains("\nprice from 19.50 to 49.90, 2 products\n"), "{table}");

    let found = |arguments: &[&str]| {
        let answer: Value = serde_json::from_str(&search(&[arguments, &["--json"]].concat())).unwrap();
        let ids = answer["products"].as_array().unwrap().iter().map(|product| product["id"].clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(found(&["--price", "-20", "--sort", "name"]), ["k2", "c1"]);
    assert_eq!(found(&["--category", "Kitchen", "--brand", "Klar", "--brand", "Nobody"]), ["k2"]);
    assert_eq!(found(&["--in-stock", "--attribute", "colour=black"]), ["k1"]);
    assert_eq!(found(&["--sort", "price_desc", "--page-size", "1", "--page", "2"]), ["k2"]);
    assert!(search(&["zzzzzz"]).starts_with("no products found, "));
    let chosen: Value =
        serde_json::from_str(&search(&["cup", "--json", "--field", "name", "--field", "price"])).unwrap();
    assert_eq!(chosen["products"], json!([{"id": "c1", "name": "Tea cup", "price": 7.0}]));
    let run = noren(&["search", "--url", &app.url, "--field", "name", "cup"]).expect(2);
    assert!(run.err.contains("--json"), "the table has columns of its own: {}", run.err);

    let lines = |words: &str| search(&words.split(' ').collect::<Vec<_>>());
    assert!(!lines("iron tetsu").contains("every word"), "{}", lines("iron tetsu"));
    assert!(lines("golden cup").starts_with("no product found has every word; optional: golden\n"));

    let run = noren(&["search", "--url", &app.url, "--facet", "smell", "--page", "0"]).expect(1);
    assert!(run.err.contains("facets: ") && run.err.contains("page: "), "{}", run.err);
    assert_eq!(run.err.lines().count(), 1, "{}", run.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_product_is_found_or_not_is_explained() {
    let app = TestApp::spawn().await;
    app.fill(&[
        json!({"id": "k1", "name": "Iron kettle", "brand": "Tetsu", "price": 49.90}),
        json!({"id": "k2", "name": "Glass kettle", "brand": "Klar", "price": 19.5}),
        json!({"id": "d1", "name": "Kettle", "status": "draft"}),
    ])
    .await;
    let explain = |arguments: &[&str]| noren(&[&["explain", "--url", &app.url], arguments].concat());

    let text = explain(&["k2", "--query", "glas ketle"]).expect(0).out;
    let head = "k2  Glass kettle\n  catalogue  version 1, active\n  index      version 1, active\n  search     place 1 of ";
    assert!(text.starts_with(head), "{text}");
    assert!(
        !text.contains("why:") && text.contains("one typo") && text.contains("did you mean: glass kettle"),
        "{text}"
    );

    let text = explain(&["k1", "--query", "glass kettle", "--brand", "Klar", "--price", "-20"]).expect(0).out;
    assert!(text.contains("  search     not found among 1 product\n"), "{text}");
    for reason in [
        "its brand is Tetsu; the search asks for Klar",
        "its price is 49.90 USD; the search asks for -20.00",
        "it lacks the word `glass`",
    ] {
        assert!(text.contains(&format!("  - {reason}\n")), "{text}");
    }
    let text = explain(&["d1"]).expect(0).out;
    assert!(
        text.contains("version 1, draft") && text.contains("it is draft; only active products are found"),
        "{text}"
    );
    let text = explain(&["none"]).expect(0).out;
    assert!(text.contains("  - the catalogue has no such product"), "{text}");

    let report: Value =
        serde_json::from_str(&explain(&["k1", "--query", "kettle", "--json"]).expect(0).out).unwrap();
    assert_eq!((&report["found"], &report["reasons"]), (&json!(true), &json!([])));
    assert_eq!(report["catalogue"], json!({"name": "Iron kettle", "version": 1, "status": "active"}));
    assert_eq!(report["backlog"]["waiting"], 0);
    assert_eq!(report["index"]["explanation"]["words"][0]["found"], "exact");

    // If the write side does not respond, the report has the part of the read side.
    let text = explain(&["k1", "--command-url", "127.0.0.1:1"]).expect(0).out;
    assert!(text.contains("  catalogue  not known: no service answers at http://127.0.0.1:1;"), "{text}");
    let run = explain(&["k1", "--price", "9-1"]).expect(1);
    assert!(run.err.starts_with("error: priceRange: ") && run.err.lines().count() == 1, "{}", run.err);
    explain(&["a b"]).expect(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_could_not_be_indexed_are_explained_in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = path(&folder, "data");
    let product = "{\"id\":\"k1\",\"name\":\"Iron kettle\"}\n";
    noren_in(folder.path(), &["import", "--format", "ndjson", "--data-dir", &data, "-"], product).expect(0);
    let report = || -> Value {
        let run = noren(&["explain", "k1", "--data-dir", &data, "--json"]).expect(0);
        serde_json::from_str(&run.out).unwrap()
    };
    assert_eq!((&report()["found"], &report()["deadLetters"]), (&json!(true), &json!([])));
    give_up_a_change_of("k1", &folder.path().join("data")).await;
    let report = report();
    assert_eq!(
        (&report["catalogue"]["version"], &report["index"]["version"]),
        (&json!(2), &json!(1)),
        "{report}"
    );
    assert_eq!(report["deadLetters"][0]["reason"], "the index cannot hold it");
    let reasons = report["reasons"].as_array().unwrap();
    assert!(reasons[0].as_str().unwrap().contains("no change waits to be indexed"), "{report}");
    assert!(reasons[1].as_str().unwrap().ends_with(": the index cannot hold it"), "{report}");
}

/// Writes the next version of a product, and fails its message until it is a dead letter.
async fn give_up_a_change_of(id: &str, data_dir: &Path) {
    let store = EmbeddedStore::open(data_dir, embedded_store::Options::default()).unwrap();
    let held = store.get(&[ProductId::parse(id).unwrap()]).await.unwrap().remove(0);
    let Some(Record::Live(product)) = held else { panic!("{held:?}") };
    let replaces = Some(product.version);
    let next = Product { version: Version::after(replaces), ..(*product).clone() };
    let change = Change::Update(Arc::new(next));
    let write = Write { change, replaces, idempotency: None, traceparent: None };
    store.write(vec![write]).await.remove(0).unwrap();
    dead_letter_all(&store, "the index cannot hold it").await;
    assert_eq!(store.stats().await.unwrap().dead, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_is_measured_by_what_people_rated() {
    let app = TestApp::spawn().await;
    app.fill(&[
        json!({"id": "k1", "name": "Iron kettle"}),
        json!({"id": "k2", "name": "Kettle holder of iron", "description": "An iron hook for a kettle"}),
        json!({"id": "c1", "name": "Tea cup"}),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, rows: &str| {
        std::fs::write(folder.path().join(name), format!("query,product_id,rating\n{rows}")).unwrap();
        path(&folder, name)
    };
    let good = write("good.csv", "iron kettle,k1,3\niron kettle,k2,1\ntea cup,c1,2\nsaucer,k1,0\n");
    let eval = |arguments: &[&str]| noren(&[&["eval", "--url", &app.url], arguments].concat());
    let text = eval(&[&good, "--min", "1"]).expect(0).out;
    assert!(text.starts_with("3 queries, 2 with a product rated above 0\n"), "{text}");
    assert!(
        text.contains("\nNDCG@10          1.0000\n") && text.contains("found nothing:\n  saucer\n"),
        "{text}"
    );

    let bad = write("bad.csv", "iron kettle,k2,3\niron kettle,k1,0\ntea cup,c1,1\n");
    let run = eval(&[&bad, "--min", "0.9", "--worst", "1"]).expect(1);
    assert!(run.out.ends_with("lowest NDCG@10:\n  0.631  iron kettle\n"), "{}", run.out);
    assert_eq!(run.err, "error: NDCG@10 is 0.8155, and --min asks for 0.9\n");
    let report: Value = serde_json::from_str(&eval(&[&bad, "--json"]).expect(0).out).unwrap();
    assert_eq!((&report["queries"], &report["mrr"]), (&json!(2), &json!(0.75)));

    for (file, fault) in [
        (write("empty.csv", ""), "has no judgments"),
        (write("useless.csv", "tea,c1,0\n"), "nothing to measure"),
        (write("below.csv", "tea,c1,1\ntea,k1,-1\n"), "below.csv:3: "),
        (write("text.csv", "tea,c1,good\n"), "columns query, product_id and rating"),
        (path(&folder, "none.csv"), "cannot read "),
    ] {
        let run = eval(&[&file]).expect(1);
        assert!(run.err.starts_with("error: ") && run.err.contains(fault), "{}", run.err);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
    }
    eval(&[&good, "--min", "75"]).expect(2);
}

#[test]
fn rules_are_checked_with_line_and_fault() {
    let folder = tempfile::tempdir().unwrap();
    let example = repository().join("docs/rules.example.toml");
    let run = noren(&["rules", "check", example.to_str().unwrap()]).expect(0);
    assert!(
        run.out.contains("rules.example.toml is right: 5 synonyms, 3 stop words, 2 pins, "),
        "{}",
        run.out
    );
    assert_eq!(run.err, "");

    let broken = "version = 1\n[words]\nstopWords = [\"\"]\n[[pin]]\nqurey = \"tea\"\nproducts = \"a b\"\n";
    std::fs::write(folder.path().join("rules.toml"), broken).unwrap();
    let run = noren_in(folder.path(), &["rules", "check", "rules.toml"], "").expect(1);
    let lines: Vec<&str> = run.out.lines().collect();
    assert_eq!(lines[0], "rules.toml:3:14: is empty; add a value or remove it");
    assert_eq!(lines[2], "rules.toml:5:1: unknown key `qurey`; did you mean `query`?");
    assert_eq!((lines.len(), run.err.as_str()), (4, "error: rules.toml has 4 faults\n"));

    let run = noren(&["rules", "check", &path(&folder, "none.toml")]).expect(1);
    assert!(run.err.starts_with("error: cannot read ") && run.out.is_empty(), "{}", run.err);
    noren(&["rules", "check"]).expect(2);
    noren(&["rules"]).expect(2);
}

#[test]
fn a_price_in_the_rules_is_in_the_currency_of_the_catalogue() {
    let folder = tempfile::tempdir().unwrap();
    let rules = "version = 1\n[[boost]]\nby = 0.5\nfilter = { priceRange = \"9.99-\" }\n";
    std::fs::write(folder.path().join("rules.toml"), rules).unwrap();
    noren_in(folder.path(), &["rules", "check", "rules.toml"], "").expect(0);
    let run = noren_in(folder.path(), &["rules", "check", "rules.toml", "--currency", "JPY"], "").expect(1);
    assert!(run.out.starts_with("rules.toml:4:25: has more than the 0 decimals that JPY has"), "{}", run.out);
}

#[test]
fn what_rules_bring_is_measured_without_a_service() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        path(&folder, name)
    };
    let products = file("products.ndjson", "{\"id\":\"n1\",\"name\":\"Notebook 13\"}\n");
    let judgments = file("judgments.csv", "query,product_id,rating\nlaptop,n1,3\n");
    let rules = file("rules.toml", "version = 1\n[words]\nsynonyms = [[\"laptop\", \"notebook\"]]\n");
    let data = path(&folder, "data");
    noren(&["import", &products, "--data-dir", &data]).expect(0);
    let eval = ["eval", &judgments, "--min", "0.9", "--data-dir", &data];
    let without = Run::of(finished("noren", &eval, &[])).expect(1);
    assert!(without.out.contains("found nothing:\n  laptop\n"), "{}", without.out);
    let with = Run::of(finished("noren", &eval, &[("NOREN_RULES", &rules)])).expect(0);
    assert!(with.out.contains("\nNDCG@10          1.0000\n"), "{}", with.out);
    let broken = file("broken.toml", "version = 2\nx = 1\n");
    let run = Run::of(finished("noren", &eval, &[("NOREN_RULES", &broken)])).expect(1);
    let lines: Vec<&str> = run.err.lines().collect();
    assert!(lines.len() == 3 && lines[2].ends_with("broken.toml:2:1: unknown key `x`; expected one of version, words, pin, hide, boost, bury, weights"), "{}", run.err);
}

/// Follows `docs/TUNING.md`, with its rules and its example judgments.
#[tokio::test(flavor = "multi_thread")]
async fn rules_make_a_bad_search_of_the_demo_good() {
    let docs = repository().join("docs");
    let tuning = std::fs::read_to_string(docs.join("TUNING.md")).unwrap();
    let shown = tuning.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (path(&folder, "data"), path(&folder, "rules.toml"));
    std::fs::write(&rules, "version = 1").unwrap();
    let serve = ["serve", "--demo", "--data-dir", &data, "--rules", &rules];
    let service = Running::start("noren", &serve).await;
    let judgments = docs.join("judgments.example.csv");
    let eval = |minimum: &str| {
        noren(&["eval", judgments.to_str().unwrap(), "--url", &service.url, "--min", minimum])
    };
    let before = eval("0.3").expect(1).out;
    assert!(before.contains("found nothing:\n  headset\n  pruner\n"), "{before}");
    std::fs::write(&rules, shown).unwrap();
    noren(&["rules", "check", &rules]).expect(0);
    wait_until("the rules are read", async || eval("0").out.contains("without a hit    0\n")).await;
    eval("0.95").expect(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_makes_the_same_catalogue_elsewhere() {
    let app = TestApp::spawn().await;
    app.fill(&[
        json!({"id": "a", "name": "Löffel \"groß\"", "price": 0.10, "tags": ["x"], "attributes": {"l": ["1", "2"]}}),
        json!({"id": "b", "name": "茶碗", "status": "draft", "price": 1200, "currency": "JPY", "stock": 0}),
    ])
    .await;
    let folder = tempfile::tempdir().unwrap();
    let (zipped, elsewhere) = (path(&folder, "all.ndjson.gz"), path(&folder, "elsewhere"));
    noren(&["export", "--url", &app.url, "-o", &zipped]).expect(0);
    let run = noren(&["import", &zipped, "--data-dir", &elsewhere]).expect(0);
    assert!(run.err.contains("2 created"), "{}", run.err);
    let there = noren(&["export", "--data-dir", &elsewhere]).expect(0).out;
    let here = noren(&["export", "--url", &app.url]).expect(0).out;
    assert_eq!(contents(&there), contents(&here));
    assert!(here.contains("\"price\":0.10"), "{here}");

    let back = noren(&["import", &zipped, "--url", &app.url]).expect(0);
    assert!(back.err.contains("0 created, 0 updated, 2 unchanged"), "{}", back.err);
    // An import into a folder ends when everything is searchable.
    let found = noren(&["search", "löffel", "--data-dir", &elsewhere]).expect(0).out;
    assert!(found.contains("0.10 USD"), "{found}");
}

#[test]
fn a_real_catalogue_is_imported_twice_and_changes_once() {
    let folder = tempfile::tempdir().unwrap();
    let (file, count) = match shared_data("bestbuy.ndjson.gz") {
        Some(file) => (file.to_str().unwrap().to_owned(), 3291),
        None => {
            let line = r#"{"name":"Insignia Case","brand":"Insignia","categories":["Phones","Cases"],"popularity":7,"images":["https://x.test/1"]}"#;
            std::fs::write(folder.path().join("shop.ndjson"), line).unwrap();
            (path(&folder, "shop.ndjson"), 1)
        }
    };
    let data = path(&folder, "data");
    let run = noren(&["import", &file, "--data-dir", &data]).expect(0);
    assert!(run.err.contains(&format!("{count} created, 0 updated, 0 unchanged, 0 rejected")), "{}", run.err);
    let run = noren(&["import", &file, "--data-dir", &data]).expect(0);
    assert!(run.err.contains(&format!("0 created, 0 updated, {count} unchanged, 0 rejected")), "{}", run.err);
    let answer = noren(&["search", "insignia case", "--json", "--data-dir", &data]).expect(0).out;
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert!(answer["products"][0]["attributes"]["popularity"].is_number(), "{answer}");
    assert!(answer["products"][0]["category"].as_str().unwrap().contains(" > "), "{answer}");
}

#[test]
fn a_dry_run_of_standard_input_makes_no_catalogue() {
    let folder = tempfile::tempdir().unwrap();
    let input = "{\"name\":\"Cup\"}\n{\"name\":\"Cup\",\"price\":1.234}\n";
    let arguments = ["import", "-", "--dry-run", "--data-dir", "data", "--rejects", "bad.ndjson"];
    let run = noren_in(folder.path(), &arguments, input).expect(1);
    assert!(run.err.starts_with("stdin:2: price: has more than the 2 decimals that USD has"), "{}", run.err);
    assert!(run.err.contains("nothing was written: 1 would be accepted, 1 rejected"), "{}", run.err);
    let names: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["bad.ndjson"]);
}

#[test]
fn what_cannot_be_done_is_one_line_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder, "cups.ndjson");
    std::fs::write(&file, "{\"name\":\"Cup\"}\n").unwrap();
    // No service listens on port 1.
    let nowhere = "http://127.0.0.1:1";
    for arguments in [
        &["import", &file, "--url", nowhere][..],
        &["search", "cup", "--url", nowhere],
        &["export", "--url", nowhere],
    ] {
        let run = noren(arguments).expect(1);
        assert!(run.err.starts_with("error: no service answers at http://127.0.0.1:1"), "{}", run.err);
        assert!(run.err.contains("`noren serve`") && run.err.contains("--data-dir"), "{}", run.err);
    }
    let missing = path(&folder, "missing");
    let run = noren(&["export", "--data-dir", &missing]).expect(1);
    assert!(run.err.contains(&format!("there is no folder {missing}")), "{}", run.err);
    let run = noren(&["import", &path(&folder, "missing.csv"), "--dry-run"]).expect(1);
    assert!(run.err.contains("missing.csv: No such file"), "{}", run.err);
    for wrong in [
        &["import"][..],
        &["import", &file, "--url", nowhere, "--data-dir", "x"],
        &["import", &file, &file, "--rejects", "x"],
        &["import", &file, "--url", "ftp://x"],
        &["import", &file, "--currency", "XXXX"],
        &["search", "--attribute", "colour"],
        &["frobnicate"],
    ] {
        noren(wrong).expect(2);
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = noren(&["completions", shell]).expect(0).out;
        assert!(script.contains("--data-dir") || script.contains("data-dir"), "{shell}");
        assert!(script.contains("import") && script.contains("completions"), "{shell}");
    }
}

/// Creates a product whose last change is a dead letter. Returns the data folder and the key of the dead letter.
async fn with_a_dead_letter(folder: &tempfile::TempDir) -> (String, String) {
    let data = path(folder, "data");
    let product = "{\"id\":\"k1\",\"name\":\"Iron kettle\"}\n";
    noren_in(folder.path(), &["import", "--format", "ndjson", "--data-dir", &data, "-"], product).expect(0);
    give_up_a_change_of("k1", &folder.path().join("data")).await;
    let list = noren(&["dlq", "list", "--data-dir", &data, "--json"]).expect(0).out;
    let list: Value = serde_json::from_str(&list).unwrap();
    (data, list["deadLetters"][0]["key"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_of_stopped_data_are_shown_and_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, key) = with_a_dead_letter(&folder).await;
    let list = noren(&["dlq", "list", "--data-dir", &data]).expect(0).out;
    assert!(list.contains("k1") && list.contains("the index cannot hold it"), "{list}");
    assert!(list.ends_with("1 dead letter\n"), "{list}");
    let shown = noren(&["dlq", "show", &key, "--data-dir", &data]).expect(0).out;
    assert!(shown.contains("product   k1\nversion   2\nreceives  5\n"), "{shown}");
    let missing = noren(&["dlq", "retry", &key, "99", "--data-dir", &data]).expect(1).out;
    assert!(missing.starts_with("1 enqueued again\n99 stays: there is no such dead letter"), "{missing}");
    assert_eq!(noren(&["dlq", "list", "--data-dir", &data]).expect(0).out, "no dead letters\n");
    // The next process that opens the folder indexes the change.
    let explained = noren(&["search", "kettle", "--json", "--data-dir", &data]).expect(0).out;
    assert!(explained.contains("k1"), "{explained}");
    let app = noren::app::App::open(Path::new(&data), noren::app::Options::default()).await.unwrap();
    app.sync_all(crate::support::PATIENCE).await.unwrap();
    let indexed = app.search().get(&[ProductId::parse("k1").unwrap()]).await.unwrap().remove(0);
    assert_eq!(indexed.unwrap().version, Version(2));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_dropped_only_when_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let (data, _) = with_a_dead_letter(&folder).await;
    let unasked = noren(&["dlq", "drop", "--all", "--data-dir", &data]).expect(2);
    assert!(unasked.err.contains("--yes"), "{}", unasked.err);
    let service = Running::start("noren", &["serve", "--data-dir", &data]).await;
    let dropped = noren(&["dlq", "drop", "--all", "--yes", "--url", &service.url]).expect(0).out;
    assert_eq!(dropped, "1 dropped\n");
    assert_eq!(noren(&["dlq", "list", "--url", &service.url]).expect(0).out, "no dead letters\n");
    let none = noren(&["dlq", "show", "1", "--url", &service.url]).expect(1);
    assert!(none.err.starts_with("error: there is no such dead letter"), "{}", none.err);
    for wrong in [&["dlq"][..], &["dlq", "retry"], &["dlq", "retry", "1", "--all"], &["dlq", "drop"]] {
        noren(wrong).expect(2);
    }
}

/// The back ends are embedded ones in a folder, configured by the environment variables of the services.
#[test]
fn every_command_works_on_the_configured_back_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (path(&folder, "data"), path(&folder, "kettles.ndjson"));
    let products = "{\"id\":\"k1\",\"name\":\"Iron kettle\",\"price\":49.90}\n{\"id\":\"k2\",\"name\":\"Glass kettle\"}\n";
    std::fs::write(&file, products).unwrap();
    let variables = [
        ("NOREN_STORE", "sqlite"),
        ("NOREN_QUEUE", "sqlite"),
        ("NOREN_INDEX", "tantivy"),
        ("NOREN_DATA_DIR", data.as_str()),
        ("NOREN_CURRENCY", "EUR"),
    ];
    let noren =
        |arguments: &[&str]| Run::of(finished("noren", &[arguments, &["--back-ends"]].concat(), &variables));
    let imported = noren(&["import", &file]).expect(0).err;
    assert!(imported.contains("2 created, 0 updated") && imported.contains("noren-sync"), "{imported}");
    assert!(noren(&["export"]).expect(0).out.contains("\"currency\":\"EUR\""));
    // Nothing indexes the changes yet.
    let report = |run: Run| -> Value { serde_json::from_str(&run.out).unwrap() };
    let differ = noren(&["verify"]).expect(1);
    assert!(differ.err.contains("2 differ: 2 missing"), "{}", differ.err);
    noren(&["reindex"]).expect(0);
    noren(&["verify"]).expect(0);

    let found = report(noren(&["search", "kettle", "--json"]).expect(0));
    assert_eq!(found["total"], 2, "{found}");
    let explained = report(noren(&["explain", "k1", "--query", "iron", "--json"]).expect(0));
    assert_eq!((&explained["found"], &explained["catalogue"]["version"]), (&json!(true), &json!(1)));
    assert_eq!(explained["deadLetters"], json!([]), "{explained}");
    assert_eq!(explained["backlog"]["waiting"], 2, "{explained}");
    let judgments = path(&folder, "judgments.csv");
    std::fs::write(&judgments, "query,product_id,rating\niron kettle,k1,3\n").unwrap();
    noren(&["eval", &judgments, "--min", "0.9"]).expect(0);
    assert_eq!(noren(&["dlq", "list"]).expect(0).out, "no dead letters\n");

    let backup = path(&folder, "backup.db");
    noren(&["backup", &backup]).expect(0);
    assert!(Path::new(&backup).exists());
    let dynamodb = [("NOREN_STORE", "dynamodb")];
    let refused = Run::of(finished("noren", &["backup", &backup, "--back-ends"], &dynamodb)).expect(2);
    assert!(refused.err.contains("point-in-time recovery"), "{}", refused.err);
}

#[test]
fn html_is_stored_as_the_variable_says() {
    let description = "<p onclick=\"x()\">From a caf&eacute;</p><script>y</script>";
    for (policy, stored) in [("raw", description), ("text", "From a café"), ("safe", "<p>From a café</p>")]
    {
        let folder = tempfile::tempdir().unwrap();
        let (data, file) = (path(&folder, "data"), path(&folder, "kettles.ndjson"));
        let product = json!({"id": "k1", "name": "Iron kettle", "description": description});
        std::fs::write(&file, product.to_string()).unwrap();
        for arguments in [&["--data-dir", data.as_str()][..], &["--back-ends"]] {
            let variables = [("NOREN_HTML", policy), ("NOREN_DATA_DIR", data.as_str())];
            let noren =
                |command: &[&str]| Run::of(finished("noren", &[command, arguments].concat(), &variables));
            noren(&["import", &file]).expect(0);
            let exported: Value = serde_json::from_str(&noren(&["export"]).expect(0).out).unwrap();
            assert_eq!(exported["description"], stored, "{policy} {arguments:?}");
        }
    }
    let wrong = Run::of(finished("noren", &["import", "x", "--data-dir", "y"], &[("NOREN_HTML", "html")]));
    assert!(wrong.expect(2).err.contains("must be `raw`, `text` or `safe`"));
}
