//! Tables as people have them, and the products they become.

use std::io::Write as _;

use domain::{Currency, Language};
use serde_json::{Value, json};

use crate::read_in_tests::{Imported, read};
use crate::{FeedError, Mark, TableOptions};

fn import_bytes(content: &[u8], options: &TableOptions) -> Result<Imported, FeedError> {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().unwrap();
    file.write_all(content).unwrap();
    read(file.path(), options)
}

fn import(content: &str) -> Imported {
    import_bytes(content.as_bytes(), &TableOptions::default()).unwrap()
}

fn refusal(content: &str) -> String {
    import_bytes(content.as_bytes(), &TableOptions::default()).err().unwrap().to_string()
}

#[test]
fn columns_become_fields_attributes_and_lists() {
    let found = import(
        "ID,Name, price ,TAGS,attributes.Width,colour,ean,createdAt,noren.faults,images\n\
         k1,\"Kettle, \"\"red\"\"\",19.90,hot| tea |,12.5,true,0123,2026,x,https://a.test/1.jpg\n\
         k2,Pot,,,007,,,,,\n",
    );
    let expected = json!({"id": "k1", "name": "Kettle, \"red\"", "price": 19.90, "tags": ["hot", "tea"],
        "images": ["https://a.test/1.jpg"], "attributes": {"ean": "0123", "Width": 12.5, "colour": true}});
    assert_eq!(
        found.products,
        [expected, json!({"id": "k2", "name": "Pot", "attributes": {"Width": "007"}})]
    );
}

#[test]
fn a_quotation_mark_without_its_pair_costs_its_row_only() {
    let found =
        import("id,name,price\nu1,\"Tea \"\"green,1\nu2,Tea 2,2\r\nu3,\"Tea 75\" x\",3\nu4,Tea 24\",4\n");
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["u2", "u4"], vec![2, 4]));
    assert!(found.rejects[0].1.contains("opens a quotation mark in cell 2"), "{:?}", found.rejects);
    assert_eq!(found.product("u4")["name"], "Tea 24\"");
}

#[test]
fn a_line_break_that_is_not_quoted_costs_the_rows_that_it_may_have_cut() {
    let found = import("id,name,text\na,A,one\nb,B,two\nlines\nc,C,three\nd,D,four\n");
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a", "d"], vec![3, 4, 5]));
    assert!(found.rejects[0].1.contains("may lack its end, which may be line 4"), "{:?}", found.rejects);
}

#[test]
fn a_cell_that_may_have_swallowed_rows_is_rejected_with_all_its_lines() {
    let found = import("id,name,text,size\nid0,,\"\",\",\nid1,\"\"\"\n\",a,\nid2,B,x,1\n");
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["id2"], vec![2, 4]), "{:?}", found.rejects);
    assert!(found.rejects[0].1.contains("a cell in lines 2 to 3"), "{:?}", found.rejects);
    let found = import("id,name,text\na,A,\"x\ny,\"\nb,B,z\n");
    assert_eq!((found.ids(), &found.product("a")["attributes"]["text"]), (vec!["a", "b"], &json!("x\ny,")));
}

#[test]
fn a_row_of_another_length_is_a_fault_and_the_rest_goes_on() {
    let found = import("id;name;price\na;A;1;2\nb;\"B\nC\";3\nd;D;4\n");
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["b", "d"], vec![2]));
    assert!(found.rejects[0].1.contains("has 4 cells where the first row has 3"), "{:?}", found.rejects);
}

#[test]
fn excel_writes_separators_and_character_sets_of_its_own() {
    let text = "id;name;price\r\ns1;Café “groß”;3,50\r\n";
    let one = |bytes: &[u8]| {
        let found = import_bytes(bytes, &TableOptions::default()).unwrap();
        assert_eq!(
            (&found.products[0]["name"], &found.products[0]["price"]),
            (&json!("Café “groß”"), &json!(3.5))
        );
        found.report().encoding
    };
    assert_eq!(one(text.as_bytes()), None);
    assert_eq!(one(format!("\u{feff}sep=;\r\n{text}").as_bytes()), None);
    assert_eq!(one(&encoding_rs::WINDOWS_1252.encode(text).0), Some("Windows-1252"));
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    };
    assert_eq!(one(&utf16(u16::to_le_bytes)), Some("UTF-16"));
    assert_eq!(one(&utf16(u16::to_be_bytes)), Some("UTF-16"));
}

#[test]
fn one_row_that_is_not_utf_8_does_not_change_the_letters_of_the_others() {
    let mut bytes = b"id,name\nb,Caf\xe9\n".to_vec();
    bytes.extend_from_slice("a,Café\nc,Thé\n".as_bytes());
    let found = import_bytes(&bytes, &TableOptions::default()).unwrap();
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a", "c"], vec![2]));
    assert_eq!((&found.product("a")["name"], found.report().encoding), (&json!("Café"), None));
}

#[test]
fn files_that_are_no_tables_are_refused_with_their_reason() {
    for (content, reason) in [
        ("", "is empty"),
        (" \r\n", "is empty"),
        ("id,name\r\n", "has no rows"),
        ("<!DOCTYPE html><html></html>", "is a web page"),
        ("19.90,red\n1,2\n", "no column `name`"),
        ("id,\"name\n1,x\n", "quotation mark"),
    ] {
        assert!(refusal(content).contains(reason), "{content}: {}", refusal(content));
    }
}

#[test]
fn numbers_that_can_be_read_in_two_ways_follow_the_others_or_are_refused() {
    let prices = |rows: &str| import(&format!("id,name,price\n{rows}"));
    let found = prices("a,A,\"12,50\"\nb,B,1.299\n");
    assert_eq!(found.product("b")["price"], 1299);
    let found = prices("a,A,12.50\nb,B,1.299\n");
    assert_eq!(found.product("b")["price"], json!(1.299));
    let text = "id;name;price;stock\na;A;12,50;5\nb;B;9.90;1.000\n";
    let found = import(text);
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["a"], vec![3]));
    assert!(found.rejects[0].1.starts_with("stock: `1.000` may be"), "{:?}", found.rejects);
    let options = TableOptions { mark: Some(Mark::Comma), ..TableOptions::default() };
    let found = import_bytes(text.as_bytes(), &options).unwrap();
    assert_eq!((&found.product("b")["stock"], &found.product("b")["price"]), (&json!(1000), &json!(9.9)));
}

#[test]
fn prices_name_currencies_and_sale_prices_win() {
    let found = import("id,name,price,sale_price\na,A,19.99 USD,14.99 USD\nb,B,€5,\nc,C,\"$1,299.00\",\n");
    let a = found.product("a");
    assert_eq!(
        (&a["price"], &a["currency"], &a["attributes"]),
        (&json!(14.99), &json!("USD"), &json!({"regular_price": 19.99}))
    );
    assert_eq!(found.product("b")["currency"], "EUR");
    assert_eq!(found.product("c")["price"], json!(1299.00));
}

#[test]
fn stock_is_read_from_words_and_decimals() {
    let found =
        import("id,name,stock\nw1,A,in stock\nw2,B,10.0000\nw3,C,-3\nw4,D,1e3\nw5,E,sold out\nw6,F,5.0\n");
    let stock = |id: &str| found.product(id)["stock"].clone();
    assert_eq!(
        ["w1", "w2", "w3", "w5", "w6"].map(stock),
        [Value::Null, json!(10), json!(0), json!(0), json!(5)]
    );
    assert_eq!((found.rejected_lines(), found.notes.len()), (vec![5], 1));
    assert!(found.notes[0].starts_with("line 4: a stock below 0"), "{:?}", found.notes);
}

#[test]
fn flags_codes_and_lists_follow_their_column() {
    let found = import(
        "id,name,vegan,pack,gtin,tags,images\n\
         a,A,TRUE,1,0012345678905,\"x, y\",\"https://a/1.jpg, https://a/2.jpg\"\nb,B,0,1,4.00638E+12,z,\n",
    );
    let a = found.product("a");
    assert_eq!(a["attributes"], json!({"gtin": "0012345678905", "vegan": true, "pack": 1}));
    assert_eq!((&a["tags"], &a["images"][1]), (&json!(["x", "y"]), &json!("https://a/2.jpg")));
    assert!(found.rejects[0].1.starts_with("gtin: `4.00638E+12` was rounded"), "{:?}", found.rejects);
}

#[test]
fn flags_as_spreadsheets_write_them_are_flags_in_any_column() {
    let found =
        import("id,name,vegan,model\na,A,TRUE,TRUE\nb,B,FALSE,X1\nc,C,partly,X2\nd,D,True,X3\ne,E,1,X4\n");
    let attribute = |id: &str, key: &str| found.product(id)["attributes"][key].clone();
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(|id| attribute(id, "vegan")),
        [json!(true), json!(false), json!("partly"), json!("True"), json!(1)]
    );
    assert_eq!(attribute("a", "model"), "TRUE", "a code stays a text");
}

#[test]
fn publication_columns_never_make_a_draft_public() {
    let found = import("id,name,published,visibility\na,A,1,visible\nb,B,0,visible\nc,C,1,hidden\n");
    assert_eq!(["a", "b", "c"].map(|id| &found.product(id)["status"]), ["active", "draft", "draft"]);
    for name in ["Is Visible", "Published on online store", "Veröffentlicht", "is_active", "ACTIVE"] {
        let found = import(&format!("id,name,{name}\na,A,1\nb,B,0\n"));
        assert_eq!(["a", "b"].map(|id| &found.product(id)["status"]), ["active", "draft"], "{name}");
    }
    // A row whose word is unknown is rejected, and the others are read.
    let found = import("id,name,published\na,A,yes\nb,B,no\nc,C,perhaps\n");
    assert_eq!(["a", "b"].map(|id| &found.product(id)["status"]), ["active", "draft"]);
    assert_eq!(found.rejected_lines(), [4]);
    // The year of a book says nothing about its status.
    let found = import("id,name,published\na,A,1998\n");
    assert_eq!(
        (&found.product("a")["status"], &found.product("a")["attributes"]["published"]),
        (&Value::Null, &json!(1998))
    );
}

#[test]
fn of_two_price_columns_the_first_that_has_a_price_counts() {
    let found = import("id,name,price,price\na,A,1,2\nb,B,,2\n");
    assert_eq!(["a", "b"].map(|id| &found.product(id)["price"]), [&json!(1), &json!(2)]);
}

#[test]
fn the_report_shows_each_column_and_warns() {
    let found = import("id,name,curency,list price,empty\na,A,EUR,5,\nb,B,EUR,6,\n");
    let column = &found.report().columns[2];
    assert_eq!(
        (column.column.as_str(), column.field.as_str(), column.filled, column.example.as_str()),
        ("curency", "attributes.curency", 2, "EUR")
    );
    let warnings = &found.report().warnings;
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    for part in ["no product has a price", "--map curency=currency", "--map list price=price"] {
        assert!(warnings.iter().any(|warning| warning.contains(part)), "{part}: {warnings:?}");
    }
}

#[test]
fn a_column_or_a_mapping_file_can_be_given() {
    let mut options = TableOptions::default();
    options.map_column("titel", "name");
    options.map_column("Preis", "price");
    let found = import_bytes(b"id,titel,Preis\na,A,5\n", &options).unwrap();
    assert_eq!(found.products, [json!({"id": "a", "name": "A", "price": 5})]);
    let mut options = TableOptions::default();
    options.set_mapping("list-separator = \"+\"\n[columns]\nt = \"name\"\nk = \"tags\"\n").unwrap();
    let found = import_bytes(b"id,t,k\na,A,x+y\n", &options).unwrap();
    assert_eq!(found.products, [json!({"id": "a", "name": "A", "tags": ["x", "y"]})]);
    options.map_column("nowhere", "name");
    let error = import_bytes(b"id,t,k\na,A,x+y\n", &options).err().unwrap();
    assert!(error.to_string().contains("no column `nowhere`"), "{error}");
}

#[test]
fn rows_of_shopify_become_variants_with_the_texts_of_their_product() {
    let found = import(
        "Handle,Title,Vendor,Product Category,Tags,Published,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,\
         Variant Price,Variant Compare At Price,Image Src,Status\n\
         cap,Wool Cap,Hill,Hats > Caps,\"wool, warm\",true,Size,S,CAP-S,3,20.00,25.00,https://i/1.jpg,active\n\
         cap,,,,,,,M,CAP-M,4,22.00,25.00,,\n\
         cap,,,,,,,,,,,,https://i/2.jpg,\n\
         bag,Bag,Hill,,,false,Title,Default Title,BAG,0,49.00,,,active\n\
         pin,Pin,Hill,,,true,Colour,Red,,,1.00,,,active\n",
    );
    assert_eq!(found.ids(), ["CAP-S", "CAP-M", "BAG", "pin-Red"]);
    let expected = json!({"id": "CAP-M", "name": "Wool Cap", "brand": "Hill", "sku": "CAP-M", "category": "Hats > Caps",
        "tags": ["wool", "warm"], "images": ["https://i/1.jpg", "https://i/2.jpg"], "price": 22.00, "stock": 4,
        "status": "active", "attributes": {"item_group_id": "cap", "handle": "cap", "compare_at_price": 25.00, "Size": "M"}});
    assert_eq!(*found.product("CAP-M"), expected);
    assert_eq!(
        (&found.product("BAG")["status"], &found.product("BAG")["attributes"]),
        (&json!("draft"), &json!({"handle": "bag"}))
    );
    assert_eq!(found.report().format.as_deref(), Some("Shopify products CSV"));
}

#[test]
fn variations_of_woocommerce_follow_their_parent_wherever_it_is() {
    let found = import(
        "ID,Type,SKU,Name,Published,Sale price,Regular price,Categories,Images,Parent,Attribute 1 name,Attribute 1 value(s)\n\
         2,variation,shirt-red,Shirt - Red,1,,20,,https://i/red.jpg,shirt,Color,Red\n\
         1,variable,shirt,Shirt,1,,,\"Clothing > Tops, Sale\",\"https://i/a.jpg, https://i/b.jpg\",,Color,\"Red, Blue\"\n\
         3,variation,hat-red,Hat - Red,1,,9,,,id:4,Color,Red\n\
         4,variable,hat,Hat,0,,,,,,Color,Red\n\
         5,simple,belt,Belt,1,55,65,Clothing,,,,\n\
         6,variable,lone,Lone,1,,,,,,Color,\"Red, Blue\"\n",
    );
    assert_eq!(found.ids(), ["2", "3", "5", "6"]);
    let red = found.product("2");
    assert_eq!(
        (&red["category"], &red["categories"], red["attributes"].get("categories")),
        (&json!("Clothing > Tops"), &json!(["Clothing > Tops", "Sale"]), None)
    );
    assert_eq!(red["images"], json!(["https://i/red.jpg", "https://i/a.jpg", "https://i/b.jpg"]));
    assert_eq!(
        (&red["attributes"]["Color"], &red["attributes"]["item_group_id"]),
        (&json!("Red"), &json!("shirt"))
    );
    assert_eq!(
        (&found.product("3")["status"], &found.product("3")["attributes"]["item_group_id"]),
        (&json!("draft"), &json!("hat"))
    );
    let belt = found.product("5");
    assert_eq!((&belt["price"], &belt["attributes"]["regular_price"]), (&json!(55), &json!(65)));
    assert_eq!(found.product("6")["attributes"]["Color"], json!(["Red", "Blue"]));
}

#[test]
fn products_of_magento_have_paths_packed_attributes_and_variants() {
    let found = import(
        "sku,store_view_code,product_type,categories,name,description,product_online,visibility,price,qty,\
         additional_attributes,additional_images,configurable_variations\n\
         BAG,,simple,\"Default Category/Gear,Default Category/Gear/Bags\",Bag,b,1,\"Catalog, Search\",34.000000,100.0000,\
         \"activity=Gym|Hiking,material=Nylon\",\"/b/1.jpg,/b/2.jpg\",\n\
         BAG,de,simple,,Tasche,,,,,,,,\n\
         TEE-S,,simple,Default Category/Tees,Tee-S,,1,Not Visible Individually,22.000000,-1,\"color=Blue,size=S\",,\n\
         TEE,,configurable,Default Category/Tees,Tee,A tee,1,\"Catalog, Search\",,0,climate=Indoor,,\"sku=TEE-S,size=S,color=Blue\"\n\
         PART,,simple,,Part,,1,Not Visible Individually,1,1,,,\n\
         OFF,,simple,,Off,,2,\"Catalog, Search\",5,1,,,\n\
         SET,,configurable,,Set,,1,Catalog,7,1,,,\"sku=GONE,size=S\"\n",
    );
    assert_eq!(found.ids(), ["BAG", "TEE-S", "PART", "OFF", "SET"]);
    let bag = found.product("BAG");
    assert_eq!(
        (&bag["category"], &bag["price"], &bag["stock"]),
        (&json!("Gear"), &json!(34.00), &json!(100))
    );
    assert_eq!(bag["categories"], json!(["Gear", "Gear > Bags"]));
    assert_eq!(bag["attributes"]["activity"], json!(["Gym", "Hiking"]));
    assert_eq!(bag["attributes"]["image_paths"][1], "/media/catalog/product/b/2.jpg");
    let tee = found.product("TEE-S");
    assert_eq!(
        (&tee["description"], &tee["status"], &tee["stock"]),
        (&json!("A tee"), &json!("active"), &json!(0))
    );
    assert_eq!(
        (&tee["attributes"]["item_group_id"], &tee["attributes"]["climate"]),
        (&json!("TEE"), &json!("Indoor"))
    );
    assert_eq!(
        (&found.product("PART")["status"], &found.product("OFF")["status"]),
        (&json!("draft"), &json!("draft"))
    );
    assert!(
        found.notes.iter().any(|note| note.contains("line 3") && note.contains("store view `de`")),
        "{:?}",
        found.notes
    );
}

#[test]
fn google_product_data_keeps_both_prices() {
    let found = import(
        "id\ttitle\tlink\timage_link\tadditional_image_link\tavailability\tprice\tsale_price\tproduct_type\tgoogle_product_category\tgtin\titem_group_id\n\
         a\tTee\thttps://s/a\thttps://i/1.png\thttps://i/2.png,https://i/3.png\tout_of_stock\t19.99 USD\t14.99 USD\tTops > Tees\t212\t0012345678905\tTEE\n",
    );
    let tee = found.product("a");
    assert_eq!((&tee["price"], &tee["currency"], &tee["stock"]), (&json!(14.99), &json!("USD"), &json!(0)));
    assert_eq!((&tee["category"], tee["images"].as_array().unwrap().len()), (&json!("Tops > Tees"), 3));
    let attributes = &tee["attributes"];
    assert_eq!(
        (&attributes["regular_price"], &attributes["google_product_category"]),
        (&json!(19.99), &json!(212))
    );
    assert_eq!((&attributes["gtin"], &attributes["item_group_id"]), (&json!("0012345678905"), &json!("TEE")));
}

#[test]
fn an_amazon_flat_file_begins_below_its_template() {
    let found = import(
        "TemplateType=x\tVersion=1\t\t\t\t\t\nSKU\tName\tPrice\tParentage\tParent\tText\tColor\n\
         item_sku\titem_name\tstandard_price\tparent_child\tparent_sku\tproduct_description\tcolor_name\n\
         TEE\tTee\t\tParent\t\tSoft\t\nTEE-B\tTee Black\t24.00\tChild\tTEE\t\tBlack\nMUG\tMug\t5\t\t\t\t\n",
    );
    assert_eq!(found.ids(), ["TEE-B", "MUG"]);
    let tee = found.product("TEE-B");
    assert_eq!(
        (&tee["description"], &tee["attributes"]),
        (&json!("Soft"), &json!({"item_group_id": "TEE", "color": "Black"}))
    );
}

#[test]
fn product_feeds_in_xml_are_tables() {
    let item = "<title>Shown</title><g:id>a</g:id><g:title>Tee &amp; <![CDATA[<b>]]>&#233;</g:title><g:link>https://s/a</g:link>\
        <g:image_link>https://i/1.png</g:image_link><g:additional_image_link>https://i/2.png</g:additional_image_link>\
        <g:additional_image_link>https://i/3.png</g:additional_image_link><g:availability>out of stock</g:availability>\
        <g:price>19.99 EUR</g:price><g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>";
    let rss = format!(
        "<?xml version='1.0'?>\n<rss xmlns:g='g'><channel><title>Shop</title>\n<item>{item}</item></channel></rss>"
    );
    let atom = format!(
        "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:g='g'><title>Shop</title><entry><link href='https://s/b'/>{item}</entry></feed>"
    );
    for xml in [&rss, &atom] {
        let found = import(xml);
        let tee = found.product("a");
        assert_eq!(
            (&tee["name"], &tee["price"], &tee["currency"]),
            (&json!("Tee & <b>é"), &json!(19.99), &json!("EUR"))
        );
        assert_eq!((&tee["stock"], tee["images"].as_array().unwrap().len()), (&json!(0), 3));
        assert_eq!(
            (&tee["attributes"]["shipping.price"], &tee["attributes"]["link"]),
            (&json!("4.90 EUR"), &json!("https://s/a"))
        );
        assert_eq!(found.report().format.as_deref(), Some("Google Merchant product data"));
    }
    let paths =
        "<g:product_type>Food, Drinks &gt; Tea</g:product_type><g:product_type>Gifts</g:product_type>";
    let several = import(&rss.replace("</item>", &format!("{paths}</item>")));
    assert_eq!(several.product("a")["categories"], json!(["Food, Drinks > Tea", "Gifts"]));
    let latin = rss.replace("'1.0'?", "'1.0' encoding='ISO-8859-1'?").replace("Tee", "Thé");
    let bytes = encoding_rs::WINDOWS_1252.encode(&latin).0;
    assert_eq!(import_bytes(&bytes, &TableOptions::default()).unwrap().product("a")["name"], "Thé & <b>é");
}

#[test]
fn a_broken_feed_in_xml_names_its_line() {
    assert!(refusal("<rss><channel>\n<item><id>a</id>\n</channel></rss>").contains(":3: "));
    assert!(refusal("<rss><channel><item><id>a</id>").contains("ends inside an element"));
    assert!(refusal("<rss><channel></channel></rss>").contains("has no products"));
    let deep = format!("<rss>{}", "<a>".repeat(100));
    assert!(refusal(&deep).contains("more than 64 deep"));
    let long = format!("<rss><item><id>{}</id></item></rss>", "x".repeat(17 * 1024 * 1024));
    assert!(refusal(&long).contains("more than 16777216 bytes"));
}

#[test]
fn a_bigcommerce_export_is_recognised() {
    let found = import(
        "Product ID,Product Name,Product Code/SKU,Brand Name,Price,Sale Price,Retail Price,Current Stock Level,Category,\
         Product Visible?,Product UPC/EAN,Product Image URL - 1\n\
         7,Mug,MUG,Hill,12.50,10.00,15.00,4,Kitchen/Mugs;Sale,N,0123,https://i/1.jpg\n",
    );
    let mug = found.product("7");
    assert_eq!(
        (&mug["price"], &mug["category"], &mug["status"]),
        (&json!(10.00), &json!("Kitchen > Mugs"), &json!("draft"))
    );
    assert_eq!(mug["categories"], json!(["Kitchen > Mugs", "Sale"]));
    assert_eq!((&mug["stock"], &mug["attributes"]["compare_at_price"]), (&json!(4), &json!(15.00)));
}

#[test]
fn a_table_of_no_known_format_lists_the_paths_of_categories() {
    let found = import(
        "id,name,category,categories\n\
         1,Both,Sale,Home > Lamps|Sale\n\
         2,Several,,Home>Lamps|Sale|Sale\n\
         3,One,,Home > Lamps\n\
         4,None,,\n",
    );
    let categories = |id: &str| {
        let product = found.product(id);
        (product.get("category").cloned(), product.get("categories").cloned())
    };
    assert_eq!(categories("1"), (Some(json!("Sale")), Some(json!(["Sale", "Home > Lamps"]))));
    assert_eq!(categories("2"), (Some(json!("Home > Lamps")), Some(json!(["Home > Lamps", "Sale"]))));
    assert_eq!(categories("3"), (Some(json!("Home > Lamps")), None));
    assert_eq!(categories("4"), (None, None));
}

#[test]
fn an_akeneo_export_has_the_texts_and_prices_of_the_catalogue() {
    let text = "sku;categories;enabled;family;groups;parent;name-en_US;name-fr_FR;description-fr_FR-ecommerce;price-EUR;price-USD;\
                weight;weight-unit;size;X_SELL-products\n\
                tee-s;goods,tops;1;tops;;tee;Tee;Maillot;Doux;10.00;14.00;200.0000;GRAM;s;hat\n\
                mug;goods;0;mugs;;;Mug;;;5.00;;;;;\n";
    let with = |language, currency| {
        let options = TableOptions { language, currency, ..TableOptions::default() };
        import_bytes(text.as_bytes(), &options).unwrap()
    };
    let found = with(Some(Language::French), Currency::parse("USD").ok());
    let tee = found.product("tee-s");
    assert_eq!(
        (&tee["name"], &tee["description"], &tee["category"]),
        (&json!("Maillot"), &json!("Doux"), &json!("goods"))
    );
    assert_eq!(tee["categories"], json!(["goods", "tops"]));
    assert_eq!((&tee["price"], &tee["currency"]), (&json!(14.00), &json!("USD")));
    assert_eq!(
        tee["attributes"],
        json!({"item_group_id": "tee", "family": "tops", "price_EUR": 10.00, "weight": 200.0, "weight_unit": "GRAM",
            "size": "s"})
    );
    let found = with(None, None);
    assert_eq!(
        (&found.product("tee-s")["name"], &found.product("tee-s")["price"]),
        (&json!("Tee"), &json!(10.00))
    );
    assert_eq!(
        (&found.product("mug")["status"], &found.product("mug")["currency"]),
        (&json!("draft"), &json!("EUR"))
    );
    let found = with(Some(Language::German), None);
    assert!(found.report().warnings[0].contains("those of en_US are read"), "{:?}", found.report().warnings);
}
