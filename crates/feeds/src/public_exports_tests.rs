//! Exports in the public formats of other systems become what `../shared/feeds/README.md` says. The folder is beside the checkout in
//! CI. Where it is missing, these tests say so and pass; the formats have tests with data of their own beside them.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::read_in_tests::{Imported, read};
use crate::{Mark, TableOptions};

/// Returns the path of an export, or `None` if there are no exports.
fn export(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/feeds");
    if folder.exists() {
        return Some(folder.join(name));
    }
    assert!(std::env::var_os("CI").is_none(), "CI needs {}", folder.display());
    eprintln!("skipped: {} does not exist", folder.display());
    None
}

fn import_with(name: &str, options: &TableOptions) -> Option<Imported> {
    Some(read(&export(name)?, options).unwrap_or_else(|error| panic!("{name}: {error}")))
}

fn import(name: &str) -> Option<Imported> {
    import_with(name, &TableOptions::default())
}

/// Returns the ids of a file without rejects.
fn all_ids(found: &Imported) -> Vec<&str> {
    assert!(found.rejects.is_empty(), "{:?}", found.rejects);
    found.ids()
}

fn refusal(name: &str, reason: &str) {
    let Some(path) = export(name) else { return };
    let error = read(&path, &TableOptions::default()).err().expect("the file is refused").to_string();
    assert!(error.contains(reason) && !error.contains('\n'), "{error}");
}

fn texts(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn shopify_products_export() {
    let Some(found) = import("shopify_products_export.csv") else { return };
    let tees = ["BL-S", "BL-M", "BL-L", "WH-S", "WH-M", "WH-L"].map(|variant| format!("NW-TEE-{variant}"));
    let ids: Vec<&str> = tees.iter().map(String::as_str).chain(["NW-MUG-350", "NW-LAN-1"]).collect();
    assert_eq!(all_ids(&found), ids);
    for (at, id) in tees.iter().enumerate() {
        let tee = found.product(id);
        assert_eq!((&tee["sku"], &tee["stock"]), (&json!(id), &json!(10 + at)));
        assert_eq!(tee["price"], json!(if id.ends_with('L') { 26.0 } else { 24.0 }));
        let attributes = &tee["attributes"];
        assert_eq!(
            (&attributes["compare_at_price"], &attributes["item_group_id"]),
            (&json!(30.0), &json!("organic-cotton-tee"))
        );
        assert_eq!(attributes["Size"], id[id.len() - 1..]);
        assert_eq!(attributes["Color"], if at < 3 { "Black" } else { "White" });
        assert_eq!(
            (&tee["brand"], &tee["tags"]),
            (&json!("Northwind"), &json!(["organic", "summer", "unisex"]))
        );
        assert_eq!(tee["category"], "Apparel & Accessories > Clothing > Clothing Tops > T-Shirts");
        assert!(tee["description"].as_str().unwrap().starts_with("<p>Soft &amp; breathable"));
        assert_eq!(texts(&tee["images"]).len(), 4);
        assert_eq!(tee["status"], "active");
    }
    assert!(found.product("NW-MUG-350")["attributes"].get("Title").is_none());
    assert_eq!(found.product("NW-LAN-1")["status"], "draft");
}

#[test]
fn woocommerce_export() {
    let Some(found) = import("woocommerce_export.csv") else { return };
    assert_eq!(all_ids(&found), ["76", "77", "78", "58", "87", "90"]);
    for (id, price, color) in [("76", 20, "Red"), ("77", 20, "Green"), ("78", 15, "Blue")] {
        let shirt = found.product(id);
        assert_eq!((&shirt["price"], &shirt["attributes"]["Color"]), (&json!(price), &json!(color)));
        assert_eq!((&shirt["brand"], &shirt["category"]), (&json!("Nordlys"), &json!("Clothing > Tshirts")));
        assert_eq!(shirt["categories"], json!(["Clothing > Tshirts", "Clothing > Sale"]));
        assert_eq!(texts(&shirt["images"]).len(), 3);
    }
    let belt = found.product("58");
    assert_eq!((&belt["price"], &belt["stock"]), (&json!(55), &json!(7)));
    assert_eq!(
        (&belt["attributes"]["regular_price"], &belt["attributes"]["gtin"]),
        (&json!(65), &json!("0012345678905"))
    );
    assert_eq!(found.product("87").get("price"), None);
    assert_eq!(found.product("90")["status"], "draft");
}

#[test]
fn magento2_export() {
    let Some(found) = import("magento2_export.csv") else { return };
    assert_eq!(all_ids(&found), ["HB-100", "MT12-XS-Blue", "MT12-M-Blue", "24-OFF"]);
    let bag = found.product("HB-100");
    assert_eq!((&bag["price"], &bag["stock"], &bag["category"]), (&json!(34.0), &json!(100), &json!("Gear")));
    assert_eq!(bag["categories"], json!(["Gear", "Gear > Bags"]));
    assert_eq!(texts(&bag["attributes"]["activity"]).len(), 6);
    let images = texts(&bag["attributes"]["image_paths"]);
    assert!(
        images.len() == 2 && images.iter().all(|path| path.starts_with("/media/catalog/product/m/b/")),
        "{images:?}"
    );
    for (id, size) in [("MT12-XS-Blue", "XS"), ("MT12-M-Blue", "M")] {
        let tee = found.product(id);
        assert_eq!(
            (&tee["status"], &tee["description"]),
            (&json!("active"), &json!("<p>A light tee for every day.</p>"))
        );
        let attributes = &tee["attributes"];
        assert_eq!(
            (&attributes["item_group_id"], &attributes["size"], &attributes["color"]),
            (&json!("MT12"), &json!(size), &json!("Blue"))
        );
    }
    let strap = found.product("24-OFF");
    assert_eq!((&strap["status"], &strap["stock"]), (&json!("draft"), &json!(0)));
    let notes = found.notes.join("\n");
    assert!(notes.contains("store view `de`") && notes.contains("a stock below 0"), "{notes}");
}

#[test]
fn google_merchant_table() {
    let Some(found) = import("google_merchant.tsv") else { return };
    google_merchant_products(&found);
    assert_eq!(
        found.product("TV_123456")["attributes"]["google_product_category"],
        "Electronics > Video > Streaming & Home Media Players"
    );
}

#[test]
fn google_merchant_rss() {
    let Some(found) = import("google_merchant_rss.xml") else { return };
    google_merchant_products(&found);
    assert_eq!(found.product("TEE-R-M")["attributes"]["google_product_category"], 212);
}

fn google_merchant_products(found: &Imported) {
    assert_eq!(all_ids(found), ["TV_123456", "TEE-R-M", "TEE-B-M"]);
    let tv = found.product("TV_123456");
    assert_eq!(
        (&tv["price"], &tv["currency"], &tv["category"]),
        (&json!(49.99), &json!("USD"), &json!("Home > TV > Streaming"))
    );
    assert_eq!(texts(&tv["images"]).len(), 3);
    assert_eq!(tv["attributes"]["gtin"], "0012345678905");
    let red = found.product("TEE-R-M");
    assert_eq!((&red["price"], &red["attributes"]["regular_price"]), (&json!(14.99), &json!(19.99)));
    assert_eq!((&red["stock"], &found.product("TEE-B-M")["stock"]), (&Value::Null, &json!(0)));
    assert_eq!(red["attributes"]["item_group_id"], "TEE");
}

#[test]
fn amazon_flatfile() {
    let Some(found) = import("amazon_flatfile.txt") else { return };
    assert_eq!(all_ids(&found), ["NW-TEE-BK-S"]);
    let tee = found.product("NW-TEE-BK-S");
    assert_eq!(
        (&tee["name"], &tee["description"]),
        (&json!("Northwind Organic Tee Black S"), &json!("Soft tee"))
    );
    assert_eq!(
        (&tee["price"], &tee["stock"], &tee["attributes"]["item_group_id"]),
        (&json!(24.0), &json!(10), &json!("NW-TEE"))
    );
    assert_eq!(texts(&tee["images"]).len(), 3);
}

#[test]
fn akeneo_products() {
    let Some(found) = import("akeneo_products.csv") else { return };
    assert_eq!(all_ids(&found), ["CNV_BPXS", "HBRMUG_BO"]);
    let shirt = found.product("CNV_BPXS");
    assert_eq!(
        (&shirt["name"], &shirt["price"], &shirt["currency"]),
        (&json!("Canvas Shirt black"), &json!(10.0), &json!("EUR"))
    );
    assert_eq!(
        (&shirt["attributes"]["weight"], &shirt["attributes"]["weight_unit"]),
        (&json!(200.0), &json!("GRAM"))
    );
    assert_eq!(
        (&shirt["status"], &found.product("HBRMUG_BO")["status"]),
        (&json!("active"), &json!("draft"))
    );
}

#[test]
fn excel_tables() {
    for name in ["excel_de_semicolon_bom_crlf.csv", "excel_utf16_tab.txt", "excel_windows1252.csv"] {
        excel_products(name, 4);
    }
    // In a spreadsheet, lines are rows.
    excel_products("products.xlsx", 3);
}

fn excel_products(name: &str, rejected_line: u64) {
    let Some(found) = import(name) else { return };
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["q1", "q3"], vec![rejected_line]), "{name}");
    assert!(
        found.rejects[0].1.contains("stock") && found.rejects[0].1.contains("--decimal-comma"),
        "{:?}",
        found.rejects
    );
    assert_eq!((&found.product("q1")["price"], &found.product("q3")["price"]), (&json!(12.5), &json!(9.9)));
    assert_eq!(found.product("q1")["name"], "Café crème, groß", "{name}");
    let options = TableOptions { mark: Some(Mark::Comma), ..TableOptions::default() };
    let Some(found) = import_with(name, &options) else { return };
    let street = found.product("q2");
    assert_eq!(
        (&street["name"], &street["price"], &street["stock"]),
        (&json!("Straße™ – Größe “L”"), &json!(1299.0), &json!(1000))
    );
}

#[test]
fn small_tables() {
    let Some(found) = import("sep_line.csv") else { return };
    assert_eq!((all_ids(&found), &found.product("s1")["price"]), (vec!["s1"], &json!(3.5)));
    let Some(found) = import("tags_comma.csv") else { return };
    let tea = found.product("t1");
    assert_eq!((texts(&tea["tags"]), texts(&tea["images"]).len()), (vec!["organic", "green", "hot"], 2));
    let Some(found) = import("inch_quotes.csv") else { return };
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["i1", "i2"], vec![4]));
    assert_eq!(
        (&found.product("i1")["name"], &found.product("i2")["name"]),
        (&json!("TV 55\" OLED"), &json!("TV 65\" OLED"))
    );
    let Some(found) = import("unclosed_quote.csv") else { return };
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["u2", "u3"], vec![2]));
    assert!(found.rejects[0].1.contains("opens a quotation mark"), "{:?}", found.rejects);
}

#[test]
fn stock_words() {
    let Some(found) = import("stock_words.csv") else { return };
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["w1", "w2", "w3"], vec![5]));
    assert_eq!(
        ["w1", "w2", "w3"].map(|id| &found.product(id)["stock"]),
        [&Value::Null, &json!(10), &json!(0)]
    );
    assert_eq!(found.product("w1")["attributes"]["availability"], "in stock");
    assert!(found.notes[0].starts_with("line 4: a stock below 0"), "{:?}", found.notes);
}

#[test]
fn files_without_products_are_refused_with_one_line() {
    refusal("header_only.csv", "has no rows");
    refusal("empty.csv", "is empty");
    refusal("html.csv", "is a web page");
}

#[test]
fn algolia_records() {
    for name in
        ["algolia_ecommerce.ndjson", "algolia_ecommerce_array.json", "algolia_ecommerce_array_pretty.json"]
    {
        let Some(found) = import(name) else { return };
        assert_eq!(all_ids(&found), ["5477500", "4397400"], "{name}");
        let stick = found.product("5477500");
        assert_eq!(stick["category"], "TV & Home Theater > Streaming Media Players", "{name}");
        assert_eq!(
            (&stick["images"], &stick["price"]),
            (&json!(["https://img.example/5477500_sb.jpg"]), &json!(39.99))
        );
        assert_eq!(
            (&stick["attributes"]["rating"], &stick["attributes"]["free_shipping"]),
            (&json!(4), &json!(false))
        );
    }
    let Some(found) = import("algolia_federated.ndjson") else { return };
    let bag = found.product("M0E20000000E1KZ");
    assert_eq!((&bag["price"], &bag["currency"], &bag["stock"]), (&json!(157.5), &json!("EUR"), &json!(137)));
    assert_eq!((&bag["category"], texts(&bag["images"]).len()), (&json!("women > bags"), 2));
    let attributes = &bag["attributes"];
    assert_eq!(
        (&attributes["item_group_id"], &attributes["abbreviated_size"]),
        (&json!("M0E20000000E1KZ"), &json!("XS"))
    );
    assert_eq!(attributes["color.original_name"], "black");
}

#[test]
fn shopify_api_answer() {
    let Some(found) = import("shopify_api_products.json") else { return };
    assert_eq!(all_ids(&found), ["PP8-PINK"]);
    let player = found.product("PP8-PINK");
    assert_eq!(
        (&player["name"], &player["brand"], &player["category"]),
        (&json!("Pocket Player 8GB"), &json!("Kanto"), &json!("Audio"))
    );
    assert_eq!(
        (&player["price"], &player["stock"], &player["tags"]),
        (&json!(199.0), &json!(10), &json!(["music", "small"]))
    );
    assert_eq!(
        (&player["attributes"]["option1"], &player["images"]),
        (&json!("Pink"), &json!(["https://cdn/x.png"]))
    );
}

#[test]
fn noren_json_in_other_layouts() {
    let Some(found) = import("noren_array.json") else { return };
    assert_eq!(all_ids(&found), ["a1", "a2", "a3"]);
    assert_eq!(found.product("a2")["price"], json!(3.9));
    let Some(found) = import("noren_pretty_objects.json") else { return };
    assert_eq!((all_ids(&found), &found.product("a1")["category"]), (vec!["a1"], &json!("Food > Tea")));
}

#[test]
fn schema_org_products() {
    for (name, ids) in
        [("schema_org.json", vec!["0446310786"]), ("schema_org.ndjson", vec!["0446310786", "0446310787"])]
    {
        let Some(found) = import(name) else { return };
        assert_eq!(all_ids(&found), ids, "{name}");
        for id in ids {
            let anvil = found.product(id);
            assert_eq!(
                (&anvil["price"], &anvil["currency"], &anvil["brand"]),
                (&json!(119.99), &json!("USD"), &json!("ACME"))
            );
            assert_eq!((&anvil["category"], texts(&anvil["images"]).len()), (&json!("Tools > Anvils"), 2));
            assert_eq!(anvil["attributes"]["gtin"], "0614141999996");
        }
    }
}
