//! Product feeds in XML, such as RSS and Atom of Google Merchant Center: each `item`, `entry` or `product` is a row, its elements are
//! columns by their local names.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, BufRead as _};

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use indexmap::IndexSet;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::spool::{MAX_COLUMNS, Spool, SpoolWriter};
use super::watched::Watched;
use super::xml_elements::{Element, Unread};
use crate::columns::REPEATED;
use crate::containers::Scratch;
use crate::error::FeedError;
use crate::text_encoding::{Input, decode_utf16};

/// Elements that are products.
const PRODUCT_ELEMENTS: [&str; 4] = ["item", "entry", "product", "offer"];
/// The most columns of attributes whose names are in attributes of XML; further ones share a column.
const MAX_NAMED_COLUMNS: usize = 1_000;
/// Start of the name of a column whose name is in an attribute of XML.
const NAMED_COLUMN: &str = "attributes.";
/// Size limit in bytes of a text or a tag.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// Depth limit of elements.
const MAX_DEPTH: usize = 64;
/// Size limit in bytes of the dotted path of an element, which is the name of its column. Every value holds a copy.
const MAX_PATH_BYTES: usize = 1_000;
/// Limit of the values of one product.
const MAX_VALUES: usize = 2_000;

/// Reads a feed into rows. `is_decoded` is true if it is UTF-8 whatever its declaration says.
///
/// # Errors
/// If the feed cannot be read, is no well-formed XML, or has no products.
pub(crate) fn spool_xml(
    input: Input,
    is_decoded: bool,
    name: &str,
    scratch: &Scratch,
) -> Result<Spool, FeedError> {
    let failed = |source| FeedError::Read { name: name.to_owned(), source };
    let (input, _) = decode_utf16(input).map_err(failed)?;
    let input = if is_decoded { input } else { decoded(input).map_err(failed)? };
    let mut feed = Feed {
        reader: Reader::from_reader(Watched::new(input, MAX_EVENT_BYTES)),
        writer: SpoolWriter::new(scratch).map_err(failed)?,
        columns: IndexSet::new(),
        unread: Unread::default(),
    };
    match feed.read() {
        Ok(()) if feed.columns.is_empty() => Err(FeedError::NoXmlProducts { name: name.to_owned() }),
        Ok(()) => {
            let header: Vec<String> = feed.columns.into_iter().collect();
            let mut spool = feed.writer.finish(&header).map_err(failed)?;
            if !feed.unread.is_empty() {
                let names = feed.unread.iter().map(String::as_str).collect::<Vec<_>>().join("`, `");
                spool.warnings.push(format!("attributes of elements that are not read: `{names}`"));
            }
            Ok(spool)
        }
        Err(quick_xml::Error::Io(error)) if error.kind() != io::ErrorKind::InvalidData => {
            Err(failed(io::Error::new(error.kind(), error.to_string())))
        }
        Err(error) => {
            let message = match &error {
                quick_xml::Error::Io(limit) => limit.to_string(),
                _ => format!("the file is no well-formed XML: {error}"),
            };
            Err(FeedError::Xml { name: name.to_owned(), line: feed.reader.get_ref().line, message })
        }
    }
}

/// Decodes the character set that the XML declaration names.
fn decoded(mut input: Input) -> io::Result<Input> {
    let beginning = input.fill_buf()?;
    let declaration = &beginning[..beginning.len().min(200)];
    let declaration = String::from_utf8_lossy(declaration);
    let label = declaration.split("?>").next().and_then(|declaration| declaration.split("encoding=").nth(1));
    let label = label.and_then(|label| label.split(['"', '\'']).nth(1));
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    Ok(match encoding.filter(|encoding| *encoding != encoding_rs::UTF_8 && encoding.is_ascii_compatible()) {
        Some(encoding) => Box::new(io::BufReader::new(
            DecodeReaderBytesBuilder::new().encoding(Some(encoding)).build(input),
        )),
        None => input,
    })
}

struct Feed {
    reader: Reader<Watched<Input>>,
    writer: SpoolWriter,
    columns: IndexSet<String>,
    unread: Unread,
}

/// A product that is being read.
struct Product {
    line: u64,
    depth: usize,
    values: Vec<Value>,
}

/// The text of an element.
struct Value {
    path: String,
    /// True if it is in a namespace of its own, such as `g:title` beside `title`.
    is_prefixed: bool,
    text: String,
}

impl Feed {
    fn read(&mut self) -> Result<(), quick_xml::Error> {
        let mut buffer = Vec::new();
        let mut product: Option<Product> = None;
        // The elements around the next event, with the text of the innermost.
        let mut path: Vec<Element> = Vec::new();
        let mut text = String::new();
        loop {
            buffer.clear();
            self.reader.get_mut().event_bytes = 0;
            match self.reader.read_event_into(&mut buffer)? {
                Event::Start(tag) => {
                    if path.len() == MAX_DEPTH {
                        return Err(limit(format!("elements are more than {MAX_DEPTH} deep")));
                    }
                    text.clear();
                    self.open(&tag, &mut path, &mut product)?;
                }
                Event::Empty(tag) => {
                    self.open(&tag, &mut path, &mut product)?;
                    if let Some(done) = product.take_if(|product| product.depth == path.len()) {
                        self.write(&done)?;
                    }
                    path.pop();
                }
                Event::Text(part) => text.push_str(&part.xml_content(XmlVersion::Implicit1_0)),
                Event::CData(part) => text.push_str(&part.xml_content(XmlVersion::Implicit1_0)),
                Event::GeneralRef(reference) => text.push_str(&resolved(&reference)?),
                Event::End(_) => {
                    if let Some(product) = &mut product {
                        product.add(&path, &text)?;
                    }
                    if let Some(done) = product.take_if(|product| product.depth == path.len()) {
                        self.write(&done)?;
                    }
                    path.pop();
                    text.clear();
                }
                Event::Eof if !path.is_empty() => {
                    return Err(limit("the file ends inside an element".to_owned()));
                }
                Event::Eof => return Ok(()),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
            if text.len() > MAX_EVENT_BYTES {
                return Err(limit(format!("an element has more than {MAX_EVENT_BYTES} bytes")));
            }
        }
    }

    /// Opens an element, which begins a product if none is open.
    fn open(
        &mut self,
        tag: &BytesStart<'_>,
        path: &mut Vec<Element>,
        product: &mut Option<Product>,
    ) -> Result<(), quick_xml::Error> {
        let name = tag.local_name();
        if name.as_ref().len() > MAX_PATH_BYTES {
            return Err(path_limit(name.as_ref()));
        }
        let is_product = product.is_none()
            && !path.is_empty()
            && PRODUCT_ELEMENTS.iter().any(|it| it.eq_ignore_ascii_case(name.as_ref()));
        if is_product {
            let line = self.reader.get_ref().line;
            *product = Some(Product { line, depth: path.len() + 1, values: Vec::new() });
        }
        let mut unread = Unread::default();
        let (element, values) = Element::of(tag, is_product, &mut unread);
        path.push(element);
        let Some(product) = product else { return Ok(()) };
        self.unread.append(&mut unread);
        values.into_iter().try_for_each(|(path, text)| product.push(Value { path, is_prefixed: false, text }))
    }

    /// Writes a product as a row. Several values of one element are one cell.
    fn write(&mut self, product: &Product) -> Result<(), quick_xml::Error> {
        let mut cells: Vec<(usize, String)> = Vec::new();
        let prefixed = product.values.iter().filter(|value| value.is_prefixed);
        let prefixed: HashSet<&str> = prefixed.map(|value| value.path.as_str()).collect();
        for value in &product.values {
            let is_hidden = !value.is_prefixed && prefixed.contains(value.path.as_str());
            if is_hidden {
                continue;
            }
            let is_known = self.columns.contains(&value.path);
            let (path, text_of_value) = match value.path.strip_prefix(NAMED_COLUMN) {
                Some(key) if !is_known && self.columns.len() >= MAX_NAMED_COLUMNS => {
                    ("param", Cow::Owned(format!("{key}: {}", value.text)))
                }
                _ => (value.path.as_str(), Cow::Borrowed(value.text.as_str())),
            };
            let column = match self.columns.get_index_of(path) {
                Some(column) => column,
                None if self.columns.len() == MAX_COLUMNS => {
                    return Err(limit(format!("products have more than {MAX_COLUMNS} different elements")));
                }
                None => self.columns.insert_full(path.to_owned()).0,
            };
            match cells.iter_mut().find(|(known, _)| *known == column) {
                Some((_, text)) => {
                    text.push(REPEATED);
                    text.push_str(&text_of_value);
                }
                None => cells.push((column, text_of_value.into_owned())),
            }
        }
        Ok(self.writer.add(product.line, &cells)?)
    }
}

impl Product {
    /// Adds the text of the element at `path`.
    fn add(&mut self, path: &[Element], text: &str) -> Result<(), quick_xml::Error> {
        let own = &path[self.depth.min(path.len())..];
        let Some(last) = own.last().filter(|_| !text.trim().is_empty()) else { return Ok(()) };
        let path = match &last.names {
            Some(key) => format!("{NAMED_COLUMN}{key}"),
            None => own.iter().map(|element| element.name.as_str()).collect::<Vec<_>>().join("."),
        };
        let is_prefixed = own[0].is_prefixed;
        self.push(Value { path, is_prefixed, text: last.with_currency(text.trim()) })
    }

    fn push(&mut self, value: Value) -> Result<(), quick_xml::Error> {
        if self.values.len() == MAX_VALUES {
            return Err(limit(format!("a product has more than {MAX_VALUES} values")));
        }
        if value.path.len() > MAX_PATH_BYTES {
            return Err(path_limit(&value.path));
        }
        self.values.push(value);
        Ok(())
    }
}

/// Returns the text of a reference such as `&amp;` or `&#233;`. An unknown one stays as it is written.
fn resolved(reference: &BytesRef<'_>) -> Result<String, quick_xml::Error> {
    if let Some(letter) = reference.resolve_char_ref()? {
        return Ok(letter.to_string());
    }
    Ok(resolve_predefined_entity(reference).map_or_else(|| format!("&{};", &**reference), str::to_owned))
}

fn path_limit(path: &str) -> quick_xml::Error {
    let start: String = path.chars().take(40).collect();
    limit(format!("the path `{start}…` of an element or attribute is longer than {MAX_PATH_BYTES} bytes"))
}

fn limit(message: String) -> quick_xml::Error {
    io::Error::new(io::ErrorKind::InvalidData, message).into()
}
