//! Rows that belong together: none is lost, and a rejected variant can be imported alone.

use std::path::Path;

use serde_json::json;

use crate::read_in_tests::{Imported, read_bytes};
use crate::{FeedReader, Original, TableOptions};

const SHOPIFY: &str = "Handle,Title,Variant SKU,Variant Price,Option1 Name,Option1 Value,Image Src,Variant Inventory Qty,Status\n";

fn import(content: &str) -> Imported {
    read_bytes(content.as_bytes(), "export.csv", &TableOptions::default()).unwrap()
}

/// Returns the rows that are rejected, with the names of the columns, as a table of their own.
fn rejected_rows(content: &str) -> String {
    let input = Box::new(std::io::Cursor::new(content.as_bytes().to_vec()));
    let mut reader = FeedReader::of(input, Path::new("export.csv"), None, &TableOptions::default()).unwrap();
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(reader.header().unwrap()).unwrap();
    while let Some(record) = reader.next_record().unwrap() {
        if let (Err(_), Original::Row(row)) = (record.json(), &record.original) {
            table.write_record(row).unwrap();
        }
    }
    String::from_utf8(table.into_inner().unwrap()).unwrap()
}

#[test]
fn a_row_of_shopify_without_a_product_is_a_fault() {
    let rows = "h1,One,S1,5,,,https://i/1.jpg,3,active\n\
                h1,,,,,,https://i/2.jpg,,\n\
                h1,,,,,,,9,\n\
                h4,,,,,,https://i/4.jpg,,\n\
                h5,,,,,,,7,\n";
    let found = import(&format!("{SHOPIFY}{rows}"));
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["S1"], vec![4, 5, 6]));
    assert_eq!(found.product("S1")["images"], json!(["https://i/1.jpg", "https://i/2.jpg"]));
    for (at, part) in [(0, "no SKU, price or option"), (1, "belongs to `h4`"), (2, "belongs to `h5`")] {
        assert!(found.rejects[at].1.contains(part), "{:?}", found.rejects);
    }
}

#[test]
fn the_mapping_of_another_format_is_refused() {
    let with = |name: &str, table: &str| {
        let mut options = TableOptions::default();
        options.set_mapping(crate::embedded_mapping(name).unwrap()).unwrap();
        read_bytes(table.as_bytes(), "base.csv", &options).err().map(|error| error.to_string())
    };
    for (name, column) in
        [("shopify", "handle"), ("woocommerce", "type"), ("magento", "product_type"), ("amazon", "item_sku")]
    {
        let error =
            with(name, "id,sku,name,price\na,A,A,5\n").unwrap_or_else(|| panic!("{name} was accepted"));
        assert!(
            error.contains(&format!("the column `{column}`")) && error.contains("--map"),
            "{name}: {error}"
        );
    }
    let error = with("google", "a,name\nx,y\n").unwrap();
    assert!(error.contains("no column of the mapping `Google"), "{error}");
    assert_eq!(with("shopify", &format!("{SHOPIFY}h,T,S,5,,,,,\n")), None);
}

#[test]
fn a_rejected_variant_is_the_same_product_once_it_is_corrected() {
    let woocommerce = "ID,Type,SKU,Name,Published,Regular price,Images,Parent,Categories\n\
                       3,variable,S3,Tee,0,,https://i/3.jpg,,A > B\n\
                       4,variation,S4,Tee - S,1,PRICE,https://i/4.jpg,id:3,\n";
    let magento = "sku,store_view_code,product_type,name,product_online,visibility,price,base_image,additional_attributes,\
                   configurable_variations\n\
                   P-1,,simple,One,1,Not Visible Individually,PRICE,https://i/1.jpg,\"size=S\",\n\
                   P,,configurable,Parent,1,\"Catalog, Search\",,https://i/0.jpg,\"size=All,style=Plain\",\"sku=P-1,size=S\"\n";
    let shopify = format!(
        "{SHOPIFY}cap,Cap,C1,5,Size,S,https://i/1.jpg,1,draft\ncap,,C2,PRICE,,M,,2,active\ncap,,,,,,https://i/2.jpg,,\n"
    );
    for (table, id, status) in
        [(woocommerce, "4", "draft"), (magento, "P-1", "active"), (&shopify, "C2", "draft")]
    {
        let right = import(&table.replace("PRICE", "5.50"));
        let expected = right.product(id);
        assert_eq!(expected["status"], status, "{id}");
        let rejects = rejected_rows(&table.replace("PRICE", "5x"));
        assert_eq!(rejects.lines().count(), 2, "{rejects}");
        let again = import(&rejects.replace("5x", "5.50"));
        assert_eq!(again.product(id), expected, "{rejects}");
    }
}
