//! Exports of the same systems in their other forms, and files that are not quite what they should be.

use serde_json::{Value, json};

use crate::TableOptions;
use crate::read_in_tests::{Imported, read_bytes};

fn import(name: &str, content: &str) -> Imported {
    read_bytes(content.as_bytes(), name, &TableOptions::default())
        .unwrap_or_else(|error| panic!("{content}: {error}"))
}

#[test]
fn shopify_names_its_columns_in_two_ways() {
    let found = import(
        "shop.csv",
        "Title,URL handle,Description,Vendor,Product category,Tags,Published on online store,Status,SKU,Barcode,Option1 name,\
         Option1 value,Price,Compare-at price,Cost per item,Inventory quantity,Product image URL,Image position,Variant image URL\n\
         Tee,tee,<p>Nice</p>,Acme,Apparel > Tops,\"a, b\",FALSE,Active,T1,'0123456789012,Size,S,20.00,25.00,5,10,https://i/1.jpg,1,\n\
         ,tee,,,,,,,T2,,,M,21.00,,5,3,,,\n\
         ,tee,,,,,,,,,,,,,,,https://i/2.jpg,2,\n\
         Mug,mug,,Acme,,,TRUE,Active,M1,,Title,Default Title,9.00,,,0,,,\n",
    );
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["T1", "T2", "M1"], vec![]));
    let expected = json!({"id": "T1", "name": "Tee", "description": "<p>Nice</p>", "brand": "Acme", "sku": "T1",
        "category": "Apparel > Tops", "tags": ["a", "b"], "images": ["https://i/1.jpg", "https://i/2.jpg"], "price": 20.0,
        "stock": 10, "status": "draft", "gtin": "0123456789012",
        "attributes": {"item_group_id": "tee", "handle": "tee", "Size": "S", "compare_at_price": 25.0}});
    let mut first = found.product("T1").clone();
    let gtin = first["attributes"].as_object_mut().unwrap().remove("gtin");
    first["gtin"] = gtin.unwrap();
    assert_eq!(first, expected);
    assert_eq!(
        (&found.product("T2")["status"], &found.product("M1")["status"]),
        (&json!("draft"), &json!("active"))
    );
}

#[test]
fn bigcommerce_exports_products_in_three_forms() {
    let found = import(
        "v3.csv",
        "Item,ID,Name,Type,SKU,Options,Inventory Tracking,Current Stock,Price,Cost Price,Retail Price,Sale Price,Categories,Description,\
         Is Visible,Image URL (Import),Internal Image URL (Export),Variant Image URL\n\
         Product,77,Bag,physical,B,,variant,5,15,5,20,12,24|25,Fine,FALSE,,https://i/1.jpg,\n\
         Variant,78,,,B-S,Type=Rectangle|Name=Size|Value=SType=Swatch|Name=Colour|Value=Red,,4,,,,,,,,,,\n\
         Image,80,,,,,,,,,,,,,,,https://i/2.jpg,\n\
         Product,90,Cap,physical,C,,none,1,5,,,,,,TRUE,,,\n\
         Rule,91,,,,,,,,,,,,,,,,\n",
    );
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["78", "90"], vec![]));
    let bag = found.product("78");
    assert_eq!((&bag["name"], &bag["price"], &bag["stock"]), (&json!("Bag"), &json!(12), &json!(4)));
    assert_eq!((&bag["status"], &bag["images"][1]), (&json!("draft"), &json!("https://i/2.jpg")));
    let attributes = &bag["attributes"];
    assert_eq!(
        (
            &attributes["Size"],
            &attributes["Colour"],
            &attributes["item_group_id"],
            &attributes["regular_price"]
        ),
        (&json!("S"), &json!("Red"), &json!("B"), &json!(15))
    );
    assert!(found.notes[0].contains("it is a `Rule`"), "{:?}", found.notes);
    let found = import(
        "bulk.csv",
        "Product ID,Product Type,Code,Name,Brand,Retail Price,Price,Cost Price,Sale Price,Calculated Price,Product Visible,\
         Current Stock,Category String\n1,P,C1,Bag,B,20,15,5,12,12,N,3,A/B;C\n",
    );
    let bag = found.product("1");
    assert_eq!((&bag["sku"], &bag["price"], &bag["status"]), (&json!("C1"), &json!(12), &json!("draft")));
    assert_eq!(bag["categories"], json!(["A > B", "C"]));
}

#[test]
fn a_shop_in_german_exports_woocommerce_in_german() {
    let found = import(
        "woo.csv",
        "ID,Typ,Artikelnummer,Name,Veröffentlicht,Sichtbarkeit im Katalog,Beschreibung,Vorrätig?,Lager,Angebotspreis,Regulärer Preis,\
         Kategorien,Schlagwörter,Bilder,Übergeordnetes Produkt,Attribut 1 Name,Attribut 1 Wert(e)\n\
         10,simple,D1,Tasse,0,visible,lang,1,5,8,10,\"Küche > Tassen\",blau,https://i/1.jpg,,,\n\
         11,variable,D2,Hemd,1,visible,lang,1,,,,\"Mode > Hemden\",blau,https://i/2.jpg,,Größe,\"S, M\"\n\
         12,variation,D2-S,Hemd - S,1,visible,,1,5,,30,,,,D2,Größe,S\n",
    );
    assert_eq!(found.ids(), ["10", "12"]);
    let cup = found.product("10");
    assert_eq!((&cup["price"], &cup["stock"], &cup["status"]), (&json!(8), &json!(5), &json!("draft")));
    let shirt = found.product("12");
    assert_eq!((&shirt["category"], &shirt["price"]), (&json!("Mode > Hemden"), &json!(30)));
    assert_eq!(
        (&shirt["attributes"]["Größe"], &shirt["attributes"]["item_group_id"]),
        (&json!("S"), &json!("D2"))
    );
}

#[test]
fn other_names_of_columns_are_known() {
    let google = import(
        "feed.tsv",
        "id\ttitle\tlink\timage link\tavailability\tprice\tsale price\tproduct type\titem group id\n\
         G1\tTee\thttps://s/1\thttps://i/1.jpg\tout of stock\t19.99 EUR\t14.99 EUR\tHome > A\tgrp\n",
    );
    let tee = google.product("G1");
    assert_eq!((&tee["name"], &tee["price"], &tee["stock"]), (&json!("Tee"), &json!(14.99), &json!(0)));
    assert_eq!((&tee["category"], &tee["attributes"]["item_group_id"]), (&json!("Home > A"), &json!("grp")));
    let akeneo = import(
        "akeneo.csv",
        "identifier;categories;enabled;family;name-en_US;price-USD\nA9;lamps;0;f;Lamp;5\n",
    );
    assert_eq!((akeneo.ids(), &akeneo.product("A9")["status"]), (vec!["A9"], &json!("draft")));
    let listings = import(
        "report.txt",
        "item-name\titem-description\tlisting-id\tseller-sku\tprice\tquantity\topen-date\tstatus\nLamp\td\tX1\tL1\t10\t5\t2020-01-01\tInactive\n",
    );
    assert_eq!((listings.ids(), &listings.product("L1")["status"]), (vec!["L1"], &json!("draft")));
    // A feed of few columns, such as one that was rejected.
    let rejects = import("rejects.csv", "id,title,price\nR1,T,5 EUR\n");
    assert_eq!(rejects.product("R1")["name"], "T");
    let both = import("both.csv", "id,name,title\nR1,N,T\n");
    assert_eq!(
        (&both.product("R1")["name"], &both.product("R1")["attributes"]["title"]),
        (&json!("N"), &json!("T"))
    );
}

#[test]
fn a_regular_price_is_the_price_if_no_other_column_is() {
    let found = import("shop.csv", "id,name,regular_price,sale_price\na,A,10,\nb,B,10,8\n");
    assert_eq!(["a", "b"].map(|id| &found.product(id)["price"]), [&json!(10), &json!(8)]);
    assert_eq!(found.product("b")["attributes"]["regular_price"], 10);
    let found = import("shop.csv", "id,name,price,sale_price,regular_price\na,A,10,8,\n");
    assert!(
        !found.report().warnings.iter().any(|it| it.contains("regular_price")),
        "{:?}",
        found.report().warnings
    );
}

#[test]
fn lists_of_products_are_found_in_answers() {
    for (content, ids) in [
        (r#"{"items":[],"products":[{"id":"a","name":"A"}]}"#, vec!["a"]),
        (r#"{"result":{"products":[{"id":"a","name":"A"}]}}"#, vec!["a"]),
        (r#"{"response":{"numFound":1,"docs":[{"id":"a","name":"A"}]}}"#, vec!["a"]),
        (
            "[{\"id\":\"a\",\"name\":\"A\"}][{\"id\":\"b\",\"name\":\"B\"}]\n{\"products\":[{\"id\":\"c\",\"name\":\"C\"}]}",
            vec!["a", "b", "c"],
        ),
        (r#"{"products":[]}"#, vec![]),
        (r#"{"hits":[],"nbHits":0}"#, vec![]),
        (r#"{"id":"a","name":"A","items":[]}"#, vec!["a"]),
    ] {
        let found = import("answer.json", content);
        assert_eq!((found.ids(), found.rejected_lines()), (ids, vec![]), "{content}");
    }
}

#[test]
fn a_broken_record_costs_itself() {
    let record = |id: usize| {
        format!(
            r#"{{"id":"a{id}","name":"N {id}, true","tags":["x","y"],"attributes":{{"w":{id}}},"price":{id}}}"#
        )
    };
    let records: Vec<String> = (0..8).map(record).collect();
    let pretty = |json: &str| json.replace(",\"", ",\n  \"").replace("{\"", "{\n  \"");
    for damage in [
        "}}",
        "\"w\":",
        "\"N",
        "true\"",
        "\"x",
        "\"],",
        "[\"x",
        "{\"w",
        "},",
        "{\"id",
        "id\":",
        ":2}",
        "\"name\":",
    ] {
        for character in damage.char_indices().filter(|(_, c)| "\"{}[]:,".contains(*c)).map(|(at, _)| at) {
            let at = records[2].find(damage);
            let Some(at) = at.map(|at| at + character) else { continue };
            let mut broken = records.clone();
            broken[2].remove(at);
            for json in [format!("[{}]", broken.join(",")), pretty(&format!("[{}]", broken.join(",\n")))] {
                let found = import("file.json", &json);
                let whole: Vec<&str> = found.ids().into_iter().filter(|id| *id != "a2").collect();
                assert_eq!(whole, ["a0", "a1", "a3", "a4", "a5", "a6", "a7"], "{json}\n{:?}", found.rejects);
                assert!(found.rejects.len() <= 4, "{json}\n{:?}", found.rejects);
                let named =
                    !found.rejects.is_empty() || found.products.iter().any(|product| product["id"] == "a2");
                assert!(named, "{json}");
            }
        }
    }
}

#[test]
fn titles_above_a_table_and_pipes_in_it_are_understood() {
    let found = import("shop.csv", "Products of my shop,,\n\nid,name,price\na,A,5\nb,B,x\n");
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a"], vec![5]));
    let found = import("shop.csv", "id|name|price\na|A|5\n");
    assert_eq!(found.product("a")["price"], Value::from(5));
    let found = import("shop.csv", "name\nid,name\n");
    assert_eq!(found.products.len() + found.rejects.len(), 1);
}

#[test]
fn images_and_tags_above_the_limit_do_not_cost_the_product() {
    let rows = |number| format!("h,,,,,,,,https://i/{number}.jpg\n");
    let tags = (0..120).map(|number| format!("t{number}")).collect::<Vec<_>>().join(", ");
    let shopify = format!(
        "Handle,Title,Body (HTML),Vendor,Tags,Published,Variant SKU,Variant Price,Image Src\n\
         h,Lamp,,V,\"{tags}\",true,L1,9.50,https://i/first.jpg\n{}",
        (0..130).map(rows).collect::<String>()
    );
    let found = import("shopify.csv", &shopify);
    let [lamp] = found.products.as_slice() else { panic!("{:?} {:?}", found.ids(), found.notes) };
    let length = |value: &serde_json::Value| value.as_array().map(Vec::len);
    assert_eq!((length(&lamp["images"]), &lamp["images"][0]), (Some(100), &json!("https://i/first.jpg")));
    assert_eq!((length(&lamp["tags"]), length(&lamp["attributes"]["tags"])), (Some(100), Some(20)));
    for note in [
        "more than 100 images; only the first 100 are imported",
        "more than 100 tags; the others are in attributes.tags",
    ] {
        assert!(found.notes.iter().any(|found| found.contains(note)), "{note}: {:?}", found.notes);
    }
}

#[test]
fn an_element_with_endless_names_is_a_fault_of_the_feed() {
    let name = "n".repeat(2000);
    let feed =
        format!("<rss><channel><item><id>1</id><title>T</title><{name}>v</{name}></item></channel></rss>");
    let fault = read_bytes(feed.as_bytes(), "feed.xml", &TableOptions::default()).err().unwrap();
    assert!(format!("{fault:?}").contains("is longer than 1000 bytes"), "{fault:?}");
}
