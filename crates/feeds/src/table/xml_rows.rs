//! Product feeds in XML, such as RSS and Atom of Google Merchant Center: each `item`, `entry` or `product` is a row, its elements are
//! columns by their local names.

use std::io::{self, BufRead as _};

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::spool::{MAX_COLUMNS, Spool, SpoolWriter};
use super::watched::Watched;
use crate::containers::Scratch;
use crate::error::FeedError;
use crate::text_encoding::{Input, decode_utf16};

/// Elements that are products.
const PRODUCT_ELEMENTS: [&str; 4] = ["item", "entry", "product", "offer"];
/// The element with a path of categories, which may have commas itself.
const PATHS: &str = "product_type";
/// Size limit in bytes of a text or a tag.
const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;
/// Depth limit of elements.
const MAX_DEPTH: usize = 64;
/// Limit of the values of one product.
const MAX_VALUES: usize = 2_000;

/// Reads a feed into rows.
///
/// # Errors
/// If the feed cannot be read, is no well-formed XML, or has no products.
pub(crate) fn spool_xml(input: Input, name: &str, scratch: &Scratch) -> Result<Spool, FeedError> {
    let failed = |source| FeedError::Read { name: name.to_owned(), source };
    let (input, _) = decode_utf16(input).map_err(failed)?;
    let input = decoded(input).map_err(failed)?;
    let mut feed = Feed {
        reader: Reader::from_reader(Watched::new(input, MAX_EVENT_BYTES)),
        writer: SpoolWriter::new(scratch).map_err(failed)?,
        columns: Vec::new(),
    };
    match feed.read() {
        Ok(()) if feed.columns.is_empty() => Err(FeedError::NoXmlProducts { name: name.to_owned() }),
        Ok(()) => feed.writer.finish(&feed.columns).map_err(failed),
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
    columns: Vec<String>,
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
        // Local names of the elements around the next event, with the text of the innermost.
        let mut path: Vec<(String, bool)> = Vec::new();
        let mut text = String::new();
        loop {
            buffer.clear();
            self.reader.get_mut().event_bytes = 0;
            match self.reader.read_event_into(&mut buffer)? {
                Event::Start(tag) => {
                    path.push(name_of(&tag));
                    if path.len() > MAX_DEPTH {
                        return Err(limit(format!("elements are more than {MAX_DEPTH} deep")));
                    }
                    text.clear();
                    let is_product =
                        PRODUCT_ELEMENTS.iter().any(|it| it.eq_ignore_ascii_case(&path[path.len() - 1].0));
                    if product.is_none() && is_product && path.len() > 1 {
                        let line = self.reader.get_ref().line;
                        product = Some(Product { line, depth: path.len(), values: Vec::new() });
                    }
                    add_attributes(&tag, product.as_mut(), &path);
                }
                Event::Empty(tag) => {
                    path.push(name_of(&tag));
                    add_attributes(&tag, product.as_mut(), &path);
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

    /// Writes a product as a row. Several values of one element are joined by commas, those of [`PATHS`] by line breaks.
    fn write(&mut self, product: &Product) -> Result<(), quick_xml::Error> {
        let mut cells: Vec<(usize, String)> = Vec::new();
        for value in &product.values {
            let is_hidden = !value.is_prefixed
                && product.values.iter().any(|other| other.is_prefixed && other.path == value.path);
            if is_hidden {
                continue;
            }
            let column = match self.columns.iter().position(|column| *column == value.path) {
                Some(column) => column,
                None if self.columns.len() == MAX_COLUMNS => {
                    return Err(limit(format!("products have more than {MAX_COLUMNS} different elements")));
                }
                None => {
                    self.columns.push(value.path.clone());
                    self.columns.len() - 1
                }
            };
            match cells.iter_mut().find(|(known, _)| *known == column) {
                Some((_, text)) if value.path == PATHS => *text = format!("{text}\n{}", value.text),
                Some((_, text)) => *text = format!("{text},{}", value.text),
                None => cells.push((column, value.text.clone())),
            }
        }
        Ok(self.writer.add(product.line, &cells)?)
    }
}

impl Product {
    /// Adds the text of the element at `path`.
    fn add(&mut self, path: &[(String, bool)], text: &str) -> Result<(), quick_xml::Error> {
        let own = &path[self.depth.min(path.len())..];
        if own.is_empty() || text.trim().is_empty() {
            return Ok(());
        }
        if self.values.len() == MAX_VALUES {
            return Err(limit(format!("a product has more than {MAX_VALUES} values")));
        }
        let names: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
        let is_prefixed = own[0].1;
        self.values.push(Value { path: names.join("."), is_prefixed, text: text.trim().to_owned() });
        Ok(())
    }
}

fn name_of(tag: &BytesStart<'_>) -> (String, bool) {
    (tag.local_name().as_ref().to_owned(), tag.name().prefix().is_some())
}

/// Adds the address of a `link` of Atom, which is an attribute, and the id of a product element.
fn add_attributes(tag: &BytesStart<'_>, product: Option<&mut Product>, path: &[(String, bool)]) {
    let Some(product) = product else { return };
    let wanted = match path.len() == product.depth {
        true => "id",
        false => "href",
    };
    let found = tag.attributes().flatten().find(|attribute| attribute.key.as_ref() == wanted);
    let Some(value) =
        found.and_then(|found| found.normalized_value(XmlVersion::Implicit1_0).ok().map(Into::into))
    else {
        return;
    };
    let path = match path.len() == product.depth {
        true => "id".to_owned(),
        false => path[path.len() - 1].0.clone(),
    };
    if product.values.len() < MAX_VALUES {
        product.values.push(Value { path, is_prefixed: false, text: value });
    }
}

/// Returns the text of a reference such as `&amp;` or `&#233;`. An unknown one stays as it is written.
fn resolved(reference: &BytesRef<'_>) -> Result<String, quick_xml::Error> {
    if let Some(letter) = reference.resolve_char_ref()? {
        return Ok(letter.to_string());
    }
    Ok(resolve_predefined_entity(reference).map_or_else(|| format!("&{};", &**reference), str::to_owned))
}

fn limit(message: String) -> quick_xml::Error {
    io::Error::new(io::ErrorKind::InvalidData, message).into()
}
