//! Values mean what the file says, or their row is named.

use domain::Currency;
use serde_json::{Value, json};

use crate::read_in_tests::{Imported, read_bytes};
use crate::{FeedError, TableOptions};

fn import_as(name: &str, content: &[u8], options: &TableOptions) -> Result<Imported, FeedError> {
    read_bytes(content, name, options)
}

fn import(name: &str, content: &str) -> Imported {
    import_as(name, content.as_bytes(), &TableOptions::default()).unwrap()
}

#[test]
fn an_element_that_occurs_twice_counts_once() {
    let found = import(
        "feed.xml",
        "<p><product><id>a</id><name lang='de'>Lampe</name><name lang='en'>Lamp</name><price>10</price><price>80</price>\
         <stock>1</stock><stock>500</stock><image>https://i/1.jpg</image><image>https://i/2.jpg</image><tags>x</tags><tags>y</tags>\
         <note>one</note><note>two</note></product></p>",
    );
    let expected = json!({"id": "a", "name": "Lampe", "price": 10, "stock": 1, "tags": ["x", "y"],
        "attributes": {"note": "one,two", "image": "https://i/1.jpg,https://i/2.jpg"}});
    assert_eq!(*found.product("a"), expected);
    for field in ["name", "price", "stock"] {
        let note = format!("`{field}` occurs several times");
        assert!(found.notes.iter().any(|text| text.contains(&note)), "{field}: {:?}", found.notes);
    }
    let warnings = &found.report().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("`name@lang`")), "{warnings:?}");
}

#[test]
fn attributes_of_elements_are_read_or_named() {
    let found = import(
        "feed.xml",
        "<yml><offers><offer id='a' available='false' group_id='g'><name>A</name><price currency='EUR'>5</price>\
         <param name='Colour'>red</param><param name='Size' unit='EU'>L</param></offer>\
         <offer id='b' available='true'><name>B</name><price>500</price><currencyId>RUB</currencyId>\
         <picture url='https://i/1.jpg'/></offer></offers></yml>",
    );
    let expected = json!({"id": "a", "name": "A", "price": 5, "currency": "EUR", "stock": 0,
        "attributes": {"group_id": "g", "Colour": "red", "Size": "L"}});
    assert_eq!(*found.product("a"), expected);
    let b = found.product("b");
    assert_eq!((&b["currency"], b.get("stock")), (&json!("RUB"), None));
    assert_eq!(b["attributes"]["picture"], "https://i/1.jpg");
    let warnings = &found.report().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("`param@unit`")), "{warnings:?}");
}

#[test]
fn a_sign_of_a_currency_is_obeyed_or_refused() {
    let with = |currency: &str, row: &str| {
        let options = TableOptions { currency: Currency::parse(currency).ok(), ..TableOptions::default() };
        import_as("file.csv", format!("id,name,price,currency\na,A,{row}\n").as_bytes(), &options).unwrap()
    };
    for (catalogue, row, currency) in [
        ("USD", "₹5,", Some("INR")),
        ("USD", "€5,", Some("EUR")),
        ("EUR", "5 GBP,", Some("GBP")),
        ("USD", "$5,", None),
        ("CAD", "$5,", None),
        ("EUR", "$5,USD", Some("USD")),
        ("EUR", "¥5,CNY", Some("CNY")),
        ("JPY", "¥5,", None),
    ] {
        let found = with(catalogue, row);
        let product = found.product("a");
        assert_eq!(
            (&product["price"], product["currency"].as_str()),
            (&json!(5), currency),
            "{row} in {catalogue}"
        );
    }
    for (catalogue, row) in [
        ("USD", "¥1299,"),
        ("EUR", "$5,"),
        ("USD", "5 EUR,USD"),
        ("USD", "€5,USD"),
        ("USD", "$5,EUR"),
        ("USD", "¥5,USD"),
    ] {
        let found = with(catalogue, row);
        assert_eq!(found.rejected_lines(), [2], "{row} in {catalogue}");
        assert!(found.rejects[0].1.starts_with("price: "), "{:?}", found.rejects);
    }
    let found = import("file.csv", "id,name,price,sale_price\na,A,5 EUR,4 USD\n");
    assert!(found.rejects[0].1.starts_with("sale_price: is in USD"), "{:?}", found.rejects);
}

#[test]
fn a_price_of_json_names_its_currency() {
    let record = |price: &str| import("file.ndjson", &format!(r#"{{"id":"a","name":"A",{price}}}"#));
    let euro = json!({"id": "a", "name": "A", "price": 5.50, "currency": "EUR"});
    for price in [r#""price":"€5.50""#, r#""price":"5,50 EUR","currency":"EUR""#] {
        assert_eq!(*record(price).product("a"), euro, "{price}");
    }
    for price in [r#""price":"€5","currency":"USD""#, r#""price":"¥5""#, r#""price":"$5","currency":"EUR""#]
    {
        assert!(record(price).rejects[0].1.starts_with("price: "), "{price}");
    }
}

#[test]
fn woocommerce_escapes_commas_and_line_breaks() {
    let found = import(
        "woo.csv",
        "ID,Type,SKU,Name,Published,Description,Regular price,Categories,Tags,Attribute 1 name,Attribute 1 value(s)\n\
         1,simple,S,'=Sum,1,\"one\\ntwo \\\\n\",5,\"Clothing > Men\\, Boys, Sale\",\"big\\, bold, soft\",Note,\"a\\, b\"\n",
    );
    let product = found.product("1");
    assert_eq!(product["categories"], json!(["Clothing > Men, Boys", "Sale"]));
    assert_eq!((&product["tags"], &product["name"]), (&json!(["big, bold", "soft"]), &json!("=Sum")));
    assert_eq!(product["attributes"]["Note"], "a, b");
    assert_eq!(product["description"], "one\ntwo \\n");
}

#[test]
fn a_character_set_can_be_named() {
    let table = "id,name,price\na,Чайник,5\nb,Кружка,6\n";
    let bytes = encoding_rs::WINDOWS_1251.encode(table).0;
    let guessed = import_as("file.csv", &bytes, &TableOptions::default()).unwrap();
    assert_eq!(guessed.report().encoding, Some("Windows-1252"));
    assert!(guessed.report().warnings.iter().any(|warning| warning.contains("--encoding")));
    let mut options = TableOptions::default();
    options.set_encoding("windows-1251").unwrap();
    let found = import_as("file.csv", &bytes, &options).unwrap();
    assert_eq!(
        (&found.product("a")["name"], found.report().encoding),
        (&json!("Чайник"), Some("windows-1251"))
    );
    let json = encoding_rs::WINDOWS_1251.encode(r#"[{"id":"a","name":"Чайник"}]"#).0;
    assert_eq!(import_as("file.json", &json, &options).unwrap().product("a")["name"], "Чайник");
    let xml = "<?xml version='1.0' encoding='windows-1251'?><p><product><id>a</id><name>Чайник</name></product></p>";
    let xml = encoding_rs::WINDOWS_1251.encode(xml).0;
    for options in [&options, &TableOptions::default()] {
        assert_eq!(import_as("file.xml", &xml, options).unwrap().product("a")["name"], "Чайник");
    }
    options.set_encoding("Shift_JIS").unwrap();
    let broken = import_as("file.csv", b"id,name\na,\x8e\x87\nb,\x80\xff\n", &options).unwrap();
    assert_eq!((broken.ids(), broken.rejected_lines()), (vec!["a"], vec![3]));
    assert!(options.set_encoding("utf-9").unwrap_err().contains("`utf-9` is no character set"));
}

#[test]
fn a_row_in_utf_8_among_others_is_rejected() {
    let mut bytes = "id,name\n".as_bytes().to_vec();
    for row in ["a,Caf\u{e9}\n", "b,Th\u{e9}\n"] {
        bytes.extend_from_slice(&encoding_rs::WINDOWS_1252.encode(row).0);
    }
    bytes.extend_from_slice("c,Straße\n".as_bytes());
    let found = import_as("file.csv", &bytes, &TableOptions::default()).unwrap();
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a", "b"], vec![4]));
    assert!(found.rejects[0].1.contains("is UTF-8, unlike other rows"), "{:?}", found.rejects);
}

#[test]
fn costs_are_left_out_and_named() {
    let found =
        import("file.csv", "id,name,Cost Price,Cost per item,cost_of_goods_sold,price\na,A,5,6,7,9\n");
    assert_eq!(*found.product("a"), json!({"id": "a", "name": "A", "price": 9}));
    let costs = found.report().warnings.iter().filter(|warning| warning.contains("has costs"));
    assert_eq!(costs.count(), 3);
    let mut options = TableOptions::default();
    options.map_column("Cost Price", "attributes.cost");
    let found = import_as("file.csv", b"id,name,Cost Price\na,A,5\n", &options).unwrap();
    assert_eq!(found.product("a")["attributes"]["cost"], 5);
    for record in [r#"{"id":"a","name":"A","cost":5}"#, r#"{"objectID":"a","name":"A","unit_cost":5}"#] {
        assert_eq!(import("file.ndjson", record).product("a").get("attributes"), None, "{record}");
    }
}

#[test]
fn codes_are_codes_under_any_name() {
    for column in ["ProductCode", "EAN-Code", "Barcode Number", "Artikelnr", "supplier sku"] {
        let found = import("file.csv", &format!("id,name,{column}\na,A,4.00638E+12\nb,B,'0123\n"));
        assert_eq!(found.rejected_lines(), [2], "{column}");
        assert_eq!(found.product("b")["attributes"][column], "0123", "{column}");
    }
    let found = import("file.csv", "id,name,resistance\na,A,4.7E+12\n");
    assert_eq!(found.product("a")["attributes"]["resistance"], Value::from("4.7E+12"));
}
