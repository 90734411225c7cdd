//! JSON in the layouts and forms that people have.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::TableOptions;
use crate::read_in_tests::{Imported, read};

fn import(content: &str) -> Imported {
    let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    read(file.path(), &TableOptions::default()).unwrap()
}

#[test]
fn products_are_found_in_any_layout() {
    let [a, b] = [r#"{"id": "a", "name": "A, \"}{\" "}"#, r#"{"id":"b","name":"B","attributes":{"x":[1]}}"#];
    let pretty =
        |text: &str| serde_json::to_string_pretty(&serde_json::from_str::<Value>(text).unwrap()).unwrap();
    for content in [
        format!("{a}\n{b}\n"),
        format!("[{a},{b}]"),
        format!("[\n{a}\n,\n{b}\n]\n"),
        pretty(&format!("[{a},{b}]")),
        format!("{}\n{}", pretty(a), pretty(b)),
        format!("[{a}] [{b}]"),
        format!(r#"{{"count": 2, "next": null, "products": [{a}, {b}]}}"#),
        format!(r#"{{"hits": [{a}]}}{{"hits": [{b}]}}"#),
        pretty(&format!(r#"{{"data": {{"page": {{"n": 1}}, "items": [{a}, {b}]}}, "more": [1]}}"#)),
    ] {
        let found = import(&content);
        assert_eq!(found.ids(), ["a", "b"], "{content}: {:?}", found.rejects);
        assert_eq!(found.product("a")["name"], "A, \"}{\" ", "{content}");
    }
}

#[test]
fn a_broken_record_has_its_line_and_the_others_are_read() {
    let found =
        import("[\n{\"id\": \"a\", \"name\": \"A\"},\n{\"id\": b},\n7,\n{\"id\": \"c\", \"name\": \"C\"}\n]");
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a", "c"], vec![3, 4]), "{:?}", found.rejects);
    let found = import("{\"id\": \"a\",\n{\"id\": \"b\", \"name\": \"B\"}\n");
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["b"], vec![1]), "{:?}", found.rejects);
}

#[test]
fn a_file_that_ends_too_early_says_so() {
    let found = import("[{\"id\": \"a\", \"name\": \"A\"},\n");
    assert_eq!(found.ids(), ["a"]);
    assert!(found.rejects[0].1.contains("ends inside the list that begins in line 1"), "{:?}", found.rejects);
    let found = import("[{\"id\": \"a\", \"name\": \"A\"},\n{\"id\": \"b");
    assert!(found.rejects[0].1.contains("the file ends inside it"), "{:?}", found.rejects);
}

#[test]
fn a_record_whose_variants_repeat_too_much_is_one_reject() {
    let shirt = |body: usize, variants: usize| {
        let variants = (0..variants).map(|id| json!({ "id": id, "price": "1.00" })).collect::<Vec<_>>();
        json!({ "id": 1, "handle": "shirt", "title": "Shirt", "body_html": "x".repeat(body), "variants": variants })
    };
    let found = import(&json!({ "products": [shirt(100_000, 2000), shirt(100, 3)] }).to_string());
    assert_eq!(found.ids().len(), 3, "{:?}", found.rejects);
    let [(1, message)] = found.rejects.as_slice() else { panic!("{:?}", found.rejects) };
    assert!(message.starts_with("variants: has 2000 entries that each repeat 100"), "{message}");
}

#[test]
fn attributes_of_a_foreign_record_stay_beside_those_of_its_mapping() {
    let found = import(
        r#"[{"objectID": "1", "name": "Lamp", "attributes": {"color": "red", "size": {"w": 5}, "empty": null},
             "price": {"value": 9, "discounted_value": 8}, "weight": 2},
            {"objectID": "2", "name": "Cap", "attributes": {"color": "blue"}, "variants": [{"sku": "a"}, {"sku": "b"}]},
            {"objectID": "3", "name": "Mug", "attributes": {"color": "red"}, "color": "blue", "weight": 2},
            {"objectID": "4", "name": "Tee", "attributes": {"color": "any"}, "variants": [{"sku": "c", "color": "red"}]}]"#,
    );
    assert_eq!(found.products.len(), 5, "{:?}", found.rejects);
    let lamp = &found.product("1")["attributes"];
    assert_eq!(lamp, &json!({ "color": "red", "size.w": 5, "regular_price": 9, "weight": 2 }));
    assert!(
        found.products[1..3].iter().all(|cap| cap["attributes"]["color"] == "blue"),
        "{:?}",
        found.products
    );
    // The attribute counts, unless the field is that of a variant.
    assert_eq!(found.product("3")["attributes"], json!({ "color": "red", "weight": 2 }));
    let tee = &found.products[4]["attributes"];
    assert_eq!(tee["color"], "red", "{tee}");
}

#[test]
fn the_report_shortens_endless_names() {
    let found = import(&format!(r#"[{{"objectID": "1", "name": "x", "{}": 1}}]"#, "k".repeat(5000)));
    let [_, _, endless] = found.report().columns.as_slice() else { panic!("{:?}", found.report().columns) };
    assert_eq!((endless.column.len(), endless.field.len()), (128, 128));
}

#[test]
fn records_over_the_limit_cost_themselves_only() {
    let long = "x".repeat(3 * 1024 * 1024);
    let found =
        import(&format!("[{{\"id\": \"l\", \"name\": \"{long}\"}}, {{\"id\": \"a\", \"name\": \"A\"}}]"));
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a"], vec![1]));
}

#[test]
fn products_of_the_shopify_api_become_variants() {
    let found = import(
        r#"{"products": [
            {"id": 1, "title": "Cap", "body_html": "<p>x</p>", "vendor": "Hill", "handle": "cap", "status": "draft", "tags": "wool, warm",
             "options": [{"name": "Size", "values": ["S", "M"]}], "images": [{"id": 7, "src": "https://i/1.jpg"}],
             "variants": [{"id": 11, "sku": "CAP-S", "option1": "S", "price": "20.00", "compare_at_price": null, "inventory_quantity": 3},
                          {"id": 12, "sku": "", "option1": "M", "price": "22.00"}]},
            {"id": 2, "title": "Bag", "handle": "bag", "variants": [{"option1": "Default Title", "price": "1.00", "sku": "BAG"}]}]}"#,
    );
    assert_eq!(found.ids(), ["CAP-S", "cap-M", "BAG"]);
    let cap = found.product("CAP-S");
    assert_eq!((&cap["name"], &cap["brand"], &cap["price"]), (&json!("Cap"), &json!("Hill"), &json!(20.0)));
    assert_eq!((&cap["tags"], &cap["images"]), (&json!(["wool", "warm"]), &json!(["https://i/1.jpg"])));
    assert_eq!((&cap["status"], &cap["stock"]), (&json!("draft"), &json!(3)));
    assert_eq!(
        (&cap["attributes"]["Size"], &cap["attributes"]["item_group_id"]),
        (&json!("S"), &json!("cap"))
    );
    assert_eq!(found.product("BAG")["attributes"].get("item_group_id"), None);
}

#[test]
fn schema_org_offers_are_prices() {
    let found = import(
        r#"{"@graph": [{"@type": "BreadcrumbList", "name": "x"},
            {"@type": "Product", "name": "Anvil", "sku": "A1", "brand": {"@type": "Brand", "name": "ACME"}, "image": "https://i/1.jpg",
             "gtin13": "0614141999996", "offers": [{"@type": "Offer", "priceCurrency": "USD", "price": "1299.50", "availability":
             "https://schema.org/OutOfStock"}, {"@type": "Offer", "price": 3}]},
            {"@type": "ProductGroup", "productGroupID": "G", "name": "Coat", "hasVariant": [
             {"@type": "Product", "sku": "C1", "size": "S", "offers": {"price": 5, "priceCurrency": "EUR"}},
             {"@type": "Product", "sku": "C2", "size": "M", "name": "Coat M", "offers": {"price": 6, "priceCurrency": "EUR"}}]}]}"#,
    );
    assert_eq!(found.ids(), ["A1", "C1", "C2"], "{:?}", found.rejects);
    let anvil = found.product("A1");
    assert_eq!(
        (&anvil["price"], &anvil["currency"], &anvil["stock"]),
        (&json!(1299.5), &json!("USD"), &json!(0))
    );
    assert_eq!((&anvil["brand"], &anvil["attributes"]["gtin"]), (&json!("ACME"), &json!("0614141999996")));
    let coat = found.product("C1");
    assert_eq!(
        (&coat["name"], &coat["attributes"]),
        (&json!("Coat"), &json!({"item_group_id": "G", "size": "S"}))
    );
    assert_eq!(found.product("C2")["name"], "Coat M");
    let notes = found.notes.join("\n");
    assert!(notes.contains("`offers` has several entries") && notes.contains("a BreadcrumbList"), "{notes}");
}

#[test]
fn search_records_have_images_and_categories() {
    let found = import(
        r#"{"objectID": 7, "title": "TV", "image": "https://i/1.jpg", "price": 1.299, "categories": ["TV", "A > B"], "_highlightResult": {"x": 1},
            "rating": 4.5, "size": {"w": 1}}
           {"objectID": "8", "name": "Bag", "hierarchicalCategories": {"lvl0": "Bags", "lvl1": "Bags > Small"}, "categories": ["Bags", "Small"],
            "price": {"value": 157.5, "currency": "EUR", "discounted_value": 0}, "units_in_stock": 3,
            "variants": [{"size": "XS", "in_stock": true}, {"size": "S", "in_stock": false}]}"#,
    );
    assert_eq!(found.ids(), ["7", "8-XS", "8-S"], "{:?}", found.rejects);
    let tv = found.product("7");
    assert_eq!((&tv["name"], &tv["category"], &tv["price"]), (&json!("TV"), &json!("TV"), &json!(1.299)));
    assert_eq!(tv["categories"], json!(["TV", "A > B"]));
    assert_eq!(
        (&tv["images"], &tv["attributes"]),
        (&json!(["https://i/1.jpg"]), &json!({"rating": 4.5, "size.w": 1}))
    );
    let bag = found.product("8-S");
    assert_eq!(
        (&bag["category"], &bag["price"], &bag["stock"]),
        (&json!("Bags > Small"), &json!(157.5), &json!(0))
    );
    assert_eq!(bag["attributes"], json!({"item_group_id": "8", "size": "S"}));
    // Lists without an order are no path where there are levels.
    let found = import(
        r#"{"objectID": "9", "title": "Bag", "hierarchicalCategories": {"lvl0": ["Bags", "Sale"], "lvl1": ["Bags > Small"]},
            "categories": ["Small", "Bags", "New"], "price": 1}"#,
    );
    let bag = found.product("9");
    assert_eq!(
        (&bag["category"], &bag["categories"], &bag["attributes"]),
        (
            &json!("Bags > Small"),
            &json!(["Bags > Small", "Sale"]),
            &json!({"categories": ["Small", "Bags", "New"]})
        )
    );
    let found = import(r#"{"id": "m1", "title": "Film", "image": "https://i/1.jpg", "price": 5}"#);
    assert_eq!(
        found.products,
        [json!({"id": "m1", "name": "Film", "images": ["https://i/1.jpg"], "price": 5})]
    );
}

#[test]
fn records_of_noren_stay_as_they_are() {
    let text =
        r#"{"id":"a","name":"A","price":1.299,"images":["https://i/1.jpg"],"attributes":{"image":"x"}}"#;
    assert_eq!(import(text).products, [serde_json::from_str::<Value>(text).unwrap()]);
}
