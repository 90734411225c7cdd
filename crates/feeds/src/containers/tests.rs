//! Archives and spreadsheets, made by the tests.

use std::io::{Cursor, Write};

use serde_json::json;
use zip::write::SimpleFileOptions;

use crate::read_in_tests::{Imported, read, read_bytes};
use crate::{FeedError, FeedReader, Scratch, TableOptions};

/// Returns a zip archive of files.
fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn gzipped(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Number formats of the cells with the styles 1 to 3.
const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="0000000000000"/>
    <numFmt numFmtId="165" formatCode="[$€-407] #,##0.00"/></numFmts>
    <cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;

/// Returns a spreadsheet of sheets with their names and rows, which are XML.
fn workbook(sheets: &[(&str, &str)]) -> Vec<u8> {
    workbook_with(
        sheets,
        STYLES,
        r#"<sst uniqueCount="1"><si><r><t xml:space="preserve">Shared </t></r><r><t>text</t></r></si></sst>"#,
    )
}

fn workbook_with(sheets: &[(&str, &str)], styles: &str, shared: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let mut files = vec![
        ("[Content_Types].xml".to_owned(), "<Types/>".to_owned()),
        (
            "_rels/.rels".to_owned(),
            format!(
                r#"<Relationships><Relationship Id="a" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
            ),
        ),
        ("xl/styles.xml".to_owned(), styles.to_owned()),
        ("xl/sharedStrings.xml".to_owned(), shared.to_owned()),
    ];
    let (mut list, mut relations) = (String::new(), String::new());
    for (at, (name, rows)) in sheets.iter().enumerate() {
        list += &format!(r#"<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>"#);
        relations +=
            &format!(r#"<Relationship Id="r{at}" Type="{office}/worksheet" Target="worksheets/s{at}.xml"/>"#);
        let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
        files.push((format!("xl/worksheets/s{at}.xml"), sheet));
    }
    let book = format!(r#"<workbook xmlns:r="{office}"><sheets>{list}</sheets></workbook>"#);
    files.push(("xl/workbook.xml".to_owned(), book));
    files.push((
        "xl/_rels/workbook.xml.rels".to_owned(),
        format!("<Relationships>{relations}</Relationships>"),
    ));
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_bytes())).collect();
    zipped(&files)
}

/// Returns a row of texts.
fn row(texts: &[&str]) -> String {
    let cell = |text: &&str| format!(r#"<c t="inlineStr"><is><t>{text}</t></is></c>"#);
    format!("<row>{}</row>", texts.iter().map(cell).collect::<String>())
}

fn import(bytes: &[u8]) -> Imported {
    read_bytes(bytes, "shop", &TableOptions::default()).unwrap()
}

fn refusal(bytes: &[u8]) -> String {
    let error = read_bytes(bytes, "shop", &TableOptions::default()).err().expect("the file is refused");
    let text = describe(&error);
    assert!(text.starts_with("shop ") || text.contains("shop"), "{text}");
    assert!(!text.contains('\n'), "{text}");
    text
}

/// The error with its cause.
fn describe(error: &FeedError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}

const TABLE: &[u8] = b"id,name,price\na,Sencha,9.50\nb,Bancha,7.25\n";

#[test]
fn a_table_is_found_in_all_containers() {
    let bytes = [
        TABLE.to_vec(),
        gzipped(TABLE),
        gzipped(&gzipped(TABLE)),
        zipped(&[("shop.csv", TABLE)]),
        zipped(&[("shop.csv.gz", &gzipped(TABLE))]),
        gzipped(&zipped(&[
            ("export/", b""),
            ("__MACOSX/._shop.csv", b"x"),
            ("export/.DS_Store", b"x"),
            ("export/shop.csv", TABLE),
        ])),
        gzipped(&workbook(&[(
            "S",
            &(row(&["id", "name", "price"])
                + &row(&["a", "Sencha", "9.50"])
                + &row(&["b", "Bancha", "7.25"])),
        )])),
        zipped(&[(
            "shop.xlsx",
            &workbook(&[(
                "S",
                &(row(&["id", "name", "price"])
                    + &row(&["a", "Sencha", "9.50"])
                    + &row(&["b", "Bancha", "7.25"])),
            )]),
        )]),
    ];
    let folder = tempfile::tempdir().unwrap();
    for (at, bytes) in bytes.iter().enumerate() {
        let path = folder.path().join(format!("file{at}"));
        std::fs::write(&path, bytes).unwrap();
        // From standard input, a file can only be read once.
        for found in [import(bytes), read(&path, &TableOptions::default()).unwrap()] {
            assert_eq!(found.ids(), ["a", "b"], "{at}");
            assert_eq!(found.product("a")["price"], json!(9.5), "{at}");
        }
    }
}

#[test]
fn the_name_in_an_archive_announces_the_format() {
    let found = import(&zipped(&[(
        "shop.ndjson",
        b"{\"id\":\"a\",\"name\":\"A\"}\n{\"id\":\"b\",\"name\":\"B\"}\n",
    )]));
    assert_eq!(found.ids(), ["a", "b"]);
    let feed = b"<rss><channel><item><id>a</id><name>A</name><link>x</link></item></channel></rss>";
    assert!(read_bytes(&zipped(&[("feed.xml", feed)]), "shop", &TableOptions::default()).is_ok());
}

#[test]
fn cells_are_read_as_people_see_them() {
    let header = row(&["id", "name", "price", "gtin", "released", "organic", "stock", "glaze"]);
    let cells = r#"<row r="5"><c r="A5" t="inlineStr"><is><t>p1</t></is></c><c r="B5" t="s"><v>0</v></c><c r="C5" s="2"><v>19.989999999999998</v></c>
        <c r="D5" s="1"><v>12345678905</v></c><c r="E5" s="3"><v>46354</v></c><c r="F5" t="b"><v>1</v></c><c r="G5"><v>7</v></c>
        <c r="H5" t="str"><f>A1</f><v>blue &amp; grey</v></c></row>"#;
    let found = import(&workbook(&[("Tea", &format!("{}{header}{cells}", row(&["Price list 2026"])))]));
    assert!(found.rejects.is_empty(), "{:?}", found.rejects);
    let product = found.product("p1");
    assert_eq!((&product["name"], &product["stock"]), (&json!("Shared text"), &json!(7)));
    assert_eq!((&product["price"], &product["currency"]), (&json!(19.99), &json!("EUR")));
    let attributes = &product["attributes"];
    assert_eq!(
        (&attributes["gtin"], &attributes["released"]),
        (&json!("0012345678905"), &json!("2026-11-28"))
    );
    assert_eq!((&attributes["organic"], &attributes["glaze"]), (&json!(true), &json!("blue & grey")));
    assert_eq!(found.report().sheet.as_deref(), Some("Tea"));
}

#[test]
fn rows_that_cannot_be_read_are_named() {
    let header = row(&["id", "name", "price", "stock"]);
    let faulty = r#"<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><v>A</v></c><c r="C2" t="e"><v>#N/A</v></c></row>
        <row r="3"><c r="A3"><v>2</v></c><c r="B3" t="str"><v>B</v></c><c r="D3"><f>SUM(A1:A2)</f></c></row>
        <row r="4"/><row r="9"><c r="A9"><v>3</v></c><c r="B9" t="str"><v>C</v></c><c r="E9"><v>9</v></c></row>"#;
    let found = import(&workbook(&[("S", &(header + faulty))]));
    assert_eq!((found.ids(), found.rejected_lines()), (vec!["3"], vec![2, 3]));
    assert!(found.rejects[0].1.contains("cell C2 is #N/A"), "{:?}", found.rejects);
    assert!(found.rejects[1].1.contains("cell D3 is a formula without a result"), "{:?}", found.rejects);
    let warnings = found.report().warnings.join("\n");
    assert!(
        warnings.contains("1 rows, the first in row 9, have cells right of the last column"),
        "{warnings}"
    );
}

#[test]
fn the_sheet_with_products_is_read_and_others_are_named() {
    let products = row(&["id", "name"]) + &row(&["a", "A"]);
    let notes = row(&["How to use this file", "2026"]) + &row(&["x", "y"]);
    let found = import(&workbook(&[("Notes", &notes), ("Empty", ""), ("Products", &products)]));
    assert_eq!((found.ids(), found.report().sheet.as_deref()), (vec!["a"], Some("Products")));
    let warnings = found.report().warnings.join("\n");
    assert!(warnings.contains("only the sheet `Products` is read, not `Notes`;"), "{warnings}");
}

#[test]
fn archives_of_no_single_feed_are_refused() {
    let several = zipped(&[("a.csv", TABLE), ("b/c\n.csv", TABLE)]);
    assert!(refusal(&several).contains("has 2 files: a.csv, b/c .csv; unpack it"), "{}", refusal(&several));
    let many: Vec<(String, &[u8])> = (0..30).map(|at| (format!("{at}.csv"), TABLE)).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|(name, content)| (name.as_str(), *content)).collect();
    assert!(refusal(&zipped(&many)).contains("and 20 more; unpack it"));
    assert!(refusal(&zipped(&[])).contains("has no file in it"));
    assert!(refusal(&zipped(&[("content.xml", b"x"), ("mimetype", b"y")])).contains("OpenDocument"));
    assert!(refusal(&zipped(&[("xl/workbook.bin", b"x")])).contains(".xlsb"));
    let cut = &zipped(&[("a.csv", &TABLE.repeat(100))])[..150];
    assert!(refusal(cut).contains("is a damaged zip archive"));
    let nested = |bytes: &[u8]| zipped(&[("inner.zip", bytes)]);
    assert!(
        refusal(&nested(&nested(&nested(&nested(&several))))).contains("too many archives inside each other")
    );
}

#[test]
fn other_files_are_refused_by_their_kind() {
    for (bytes, reason) in [
        (&b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old"[..], "old Excel file"),
        (b"%PDF-1.7\n", "is a PDF document"),
        (b"PAR1\x15\x04", "is a Parquet file"),
        (b"\x7fELF\x02\x01\x01\x00\x00\x00", "is no text"),
        (b"\x28\xb5\x2f\xfd\x04", "zstd"),
    ] {
        assert!(refusal(bytes).contains(reason), "{}", refusal(bytes));
    }
}

#[test]
fn damaged_and_hostile_workbooks_are_refused() {
    let sheet = row(&["id", "name"]) + &row(&["a", "A"]);
    let shared = r#"<sst uniqueCount="18446744073709551615"><si><t>a</t></si></sst>"#;
    assert!(refusal(&workbook_with(&[("S", &sheet)], STYLES, shared)).contains("different texts"));
    let styles = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(600_000));
    assert!(refusal(&workbook_with(&[("S", &sheet)], &styles, "<sst/>")).contains("too large"));
    let torn = workbook(&[("S", "<row><c t=\"inlineStr\"><is><t>id")]);
    assert!(refusal(&torn).contains("is a damaged spreadsheet"), "{}", refusal(&torn));
    assert!(refusal(&zipped(&[("xl/workbook.xml", b"<workbook/>")])).contains("is a damaged spreadsheet"));
    assert!(refusal(&workbook(&[("S", "")])).contains("is empty"));
    assert!(refusal(&workbook(&[("S", &row(&["id", "name"]))])).contains("has no rows"));
}

/// Returns a table of one repeated letter: deflate packs a thousand of them into one byte.
fn bomb() -> Vec<u8> {
    let mut table = b"id,name\n".to_vec();
    table.resize(24 * 1024 * 1024, b'x');
    table
}

#[test]
fn a_file_that_unpacks_to_far_more_is_refused() {
    let bomb = bomb();
    for bytes in [gzipped(&bomb), zipped(&[("a.csv", &bomb)]), zipped(&[("a.csv.gz", &gzipped(&bomb))])] {
        assert!(bytes.len() < 300_000, "{}", bytes.len());
        assert!(refusal(&bytes).contains("more than 250 times its size"), "{}", refusal(&bytes));
    }
    let row = row(&["id", &"x".repeat(100_000)]);
    let sheet = workbook(&[("S", &row.repeat(24 * 1024 * 1024 / row.len()))]);
    assert!(refusal(&sheet).contains("more than 250 times its size"), "{}", refusal(&sheet));
}

#[test]
fn temporary_files_have_a_limit() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..100_000).map(|at| format!("{at},Tea {at}\n")).collect();
    let table = format!("id,name\n{rows}").into_bytes();
    for bytes in [table.clone(), gzipped(&table), zipped(&[("a.csv", &table)])] {
        let scratch = Scratch::in_folder(folder.path().to_owned(), 1024 * 1024, |_| Ok(()));
        let options = TableOptions { scratch, ..TableOptions::default() };
        let error = read_bytes(&bytes, "shop", &options).err().unwrap();
        assert!(describe(&error).contains("more than 1 MB of temporary files"), "{}", describe(&error));
        let full = |_| Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        let scratch = Scratch::in_folder(folder.path().to_owned(), u64::MAX, full);
        let options = TableOptions { scratch, ..TableOptions::default() };
        assert!(read_bytes(&bytes, "shop", &options).is_err());
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_workbook_of_many_rows_is_read_whole() {
    let rows: String = (0..20_000).map(|at| row(&[&format!("p{at}"), "A cup of tea", "9.50"])).collect();
    let found = import(&workbook(&[("S", &(row(&["id", "name", "price"]) + &rows))]));
    assert_eq!((found.products.len(), found.rejects.len()), (20_000, 0));
}

#[test]
fn the_progress_through_a_container_ends_at_the_size_of_its_file() {
    let number = 0..5_000;
    let json: String = number.clone().map(|n| format!("{{\"id\":\"p{n}\",\"name\":\"Cup\"}}\n")).collect();
    let table: String = number.clone().map(|n| format!("p{n},Cup\n")).collect();
    let table = format!("id,name\n{table}");
    let items: String =
        number.clone().map(|n| format!("<item><id>p{n}</id><title>Cup</title></item>")).collect();
    let rss = format!("<rss><channel>{items}</channel></rss>");
    let rows: String = number.map(|n| row(&[&format!("p{n}"), "Cup"])).collect();
    let sheet = workbook(&[("S", &(row(&["id", "name"]) + &rows))]);
    let folder = tempfile::tempdir().unwrap();
    for (at, bytes) in [
        table.clone().into_bytes(),
        gzipped(json.as_bytes()),
        gzipped(&gzipped(table.as_bytes())),
        zipped(&[("shop.csv", table.as_bytes())]),
        zipped(&[("shop.ndjson", json.as_bytes())]),
        gzipped(rss.as_bytes()),
        sheet.clone(),
        zipped(&[("shop.xlsx", &sheet)]),
    ]
    .iter()
    .enumerate()
    {
        let path = folder.path().join(format!("file{at}"));
        std::fs::write(&path, bytes).unwrap();
        let mut reader = FeedReader::open(&path, None, &TableOptions::default()).unwrap();
        let (mut records, mut before) = (0, 0);
        while reader.next_record().unwrap().is_some() {
            records += 1;
            assert!((before..=bytes.len() as u64).contains(&reader.bytes_read()), "{at}");
            before = reader.bytes_read();
        }
        assert_eq!((records, reader.bytes_read()), (5_000, bytes.len() as u64), "{at}");
    }
}

#[test]
fn merged_cells_have_the_value_of_their_range() {
    let rows = row(&["id", "name", "category"])
        + r#"<row r="2"><c r="A2" t="inlineStr"><is><t>a</t></is></c><c r="B2" t="inlineStr"><is><t>A</t></is></c><c r="C2" t="inlineStr"><is><t>Lamps</t></is></c></row>"#
        + r#"<row r="3"><c r="A3" t="inlineStr"><is><t>b</t></is></c><c r="B3" t="inlineStr"><is><t>B</t></is></c></row>"#
        + r#"<row r="4"><c r="A4" t="inlineStr"><is><t>c</t></is></c><c r="B4" t="inlineStr"><is><t>C</t></is></c></row>"#
        + r#"</sheetData><mergeCells count="1"><mergeCell ref="C2:C3"/></mergeCells><sheetData>"#;
    let found = import(&workbook(&[("S", &rows)]));
    let category = |id: &str| found.product(id).get("category").cloned();
    assert_eq!(["a", "b", "c"].map(category), [Some(json!("Lamps")), Some(json!("Lamps")), None]);
    let warnings = &found.report().warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("1 in all, of which the first is row 3")),
        "{warnings:?}"
    );
}

#[test]
fn hidden_sheets_are_named() {
    let hidden = |header: &str| {
        let products = row(&["id", "name"]) + &row(&["a", "A"]);
        let bytes = workbook(&[("Shown", header), ("Secret", &products)]);
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut files = Vec::new();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).unwrap();
            let mut text = String::new();
            std::io::Read::read_to_string(&mut file, &mut text).unwrap();
            files.push((
                file.name().unwrap().into_owned(),
                text.replace(r#"name="Secret""#, r#"name="Secret" state="hidden""#),
            ));
        }
        let files: Vec<(&str, &[u8])> =
            files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
        zipped(&files)
    };
    let refused = refusal(&hidden(&row(&["id", "name"])));
    assert!(refused.contains("hidden sheets only") && refused.contains("`Secret`"), "{refused}");
    let found = import(&hidden(&(row(&["id", "name"]) + &row(&["b", "B"]))));
    assert_eq!(found.ids(), ["b"]);
    let warnings = &found.report().warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("hidden sheets are not read: `Secret`")),
        "{warnings:?}"
    );
}
