//! No draft of another system becomes public, in whatever form its export says so.

use serde_json::Value;

use crate::TableOptions;
use crate::read_in_tests::{Imported, read_bytes};

fn import(name: &str, content: &str) -> Imported {
    read_bytes(content.as_bytes(), name, &TableOptions::default()).unwrap()
}

#[test]
fn a_field_of_json_takes_a_product_out_of_the_shop() {
    for (field, status) in [
        (r#""published":false"#, "draft"),
        (r#""visibility":"hidden""#, "draft"),
        (r#""visibility":"Not Visible Individually""#, "draft"),
        (r#""is_active":0"#, "draft"),
        (r#""isActive":"no""#, "draft"),
        (r#""hidden":true"#, "draft"),
        (r#""State":"disabled""#, "draft"),
        (r#""published_at":null"#, "draft"),
        (r#""deleted":true"#, "archived"),
        (r#""deletedAt":"2026-01-01T00:00:00Z""#, "archived"),
        (r#""status":"active","visible":false"#, "draft"),
        (r#""status":"archived","visible":false"#, "archived"),
    ] {
        for record in [
            format!(r#"{{"id":"a","name":"A",{field}}}"#),
            format!(r#"{{"objectID":"a","name":"A",{field}}}"#),
            format!(r#"{{"id":"a","name":"A","image":"https://i/1.jpg",{field}}}"#),
        ] {
            let found = import("file.ndjson", &record);
            let product = found.product("a");
            assert_eq!(
                (&product["status"], product.get("attributes")),
                (&Value::from(status), None),
                "{record}"
            );
        }
    }
    for field in [r#""hidden":false"#, r#""published":1998"#, r#""state":"NO""#, r#""deleted_at":null"#] {
        let found = import("file.ndjson", &format!(r#"{{"id":"a","name":"A",{field}}}"#));
        assert_eq!(found.product("a").get("status"), None, "{field}");
    }
    let found = import("file.ndjson", r#"{"objectID":"a","name":"A","visible":false,"status":"active"}"#);
    let fields: Vec<&str> = found.report().columns.iter().map(|column| column.field.as_str()).collect();
    assert_eq!(fields, ["id", "name", "status", "status"]);
}

#[test]
fn a_column_takes_a_product_out_of_the_shop() {
    for (column, cell, status) in [
        ("hidden", "TRUE", "draft"),
        ("Is Hidden", "1", "draft"),
        ("State", "disabled", "draft"),
        ("deleted", "yes", "archived"),
        ("deleted_at", "2026-01-01", "archived"),
        ("Product Visible", "N", "draft"),
        ("Product Status", "Inactive", "draft"),
    ] {
        let found = import("file.csv", &format!("id,name,{column}\na,A,{cell}\n"));
        assert_eq!(found.product("a")["status"], status, "{column}={cell}");
    }
    // States of a country, and a flag that does not make a draft public.
    for (column, cells) in [("state", ["NO", "ON"]), ("deleted", ["0", "0"])] {
        let [one, two] = cells;
        let found = import("file.csv", &format!("id,name,{column}\na,A,{one}\nb,B,{two}\n"));
        assert_eq!(found.product("a").get("status"), None, "{column}");
    }
}

#[test]
fn a_product_that_shopify_does_not_publish_is_a_draft() {
    let product = |time: &str| {
        let variants = r#""variants":[{"sku":"S","price":"5.00"}]"#;
        import(
            "file.json",
            &format!(r#"{{"products":[{{"title":"T","handle":"h","status":"active",{time}{variants}}}]}}"#),
        )
    };
    for (time, status) in [
        (r#""published_at":null,"#, "draft"),
        (r#""published_at":"2999-01-01T00:00:00Z","#, "draft"),
        (r#""published_at":"2020-01-01T00:00:00Z","#, "active"),
        ("", "active"),
    ] {
        assert_eq!(product(time).product("S")["status"], status, "{time}");
    }
}

#[test]
fn a_line_that_deletes_is_no_product_of_another_system() {
    let lines = "{\"objectID\":\"a\",\"name\":\"A\"}\n{\"id\":\"b\",\"name\":\"B\",\"delete\":true}\n";
    let found = import("file.ndjson", lines);
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a"], vec![2]));
    assert!(found.rejects[0].1.contains("is a line that deletes"), "{:?}", found.rejects);
}

#[test]
fn a_row_of_amazon_that_deletes_is_rejected() {
    let found = import(
        "file.txt",
        "item_sku\titem_name\tstandard_price\tparent_child\tupdate_delete\nA1\tA\t5\t\tDelete\nA2\tB\t5\t\tUpdate\nA3\tC\t5\t\t\n",
    );
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["A2", "A3"], vec![2]));
    assert!(found.rejects[0].1.contains("is a row that deletes"), "{:?}", found.rejects);
}
