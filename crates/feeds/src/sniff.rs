//! Recognises a file by its beginning, so that one that cannot be imported is refused before it is read as a whole.

use std::fs::File;
use std::io::{BufReader, Read as _};

use domain::input::{FIELDS, READ_ONLY_FIELDS, RawObject};

use crate::containers::{BUFFER_BYTES, MAX_LAYERS, again, check_text, contents, gunzip, is_xml, is_zip};
use crate::documents::is_document;
use crate::error::FeedError;
use crate::text_encoding::Input;

/// The kind of a file, by its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sniffed {
    /// NDJSON whose first line has fields of Noren only.
    NorenLines,
    /// Any other JSON.
    Json,
    /// XML.
    Xml,
    /// Text that is neither JSON nor XML, such as CSV.
    Text,
    /// A gzip or zip file, or a spreadsheet.
    Packed,
}

/// Recognises a file by its beginning. `name` is its name in errors.
///
/// # Errors
/// If the file cannot be read, is empty, a web page, a binary file of another kind, or an archive of several files.
pub fn sniff(file: &File, name: &str) -> Result<Sniffed, FeedError> {
    let failed = |source| FeedError::Read { name: name.to_owned(), source };
    let mut input: Input = Box::new(BufReader::with_capacity(BUFFER_BYTES, again(file).map_err(failed)?));
    let mut is_packed = false;
    for _ in 0..=MAX_LAYERS {
        let mut beginning = Vec::new();
        input.by_ref().take(BUFFER_BYTES as u64).read_to_end(&mut beginning).map_err(failed)?;
        if is_zip(&beginning) {
            if !is_packed {
                contents(file, name)?;
            }
            return Ok(Sniffed::Packed);
        }
        if !beginning.starts_with(&[0x1f, 0x8b]) {
            let found = recognise(&beginning, name)?;
            return Ok(if is_packed { Sniffed::Packed } else { found });
        }
        is_packed = true;
        input = gunzip(Box::new(std::io::Cursor::new(beginning).chain(input)));
    }
    Ok(Sniffed::Packed)
}

fn recognise(beginning: &[u8], name: &str) -> Result<Sniffed, FeedError> {
    check_text(beginning, name)?;
    let text = beginning.strip_prefix("\u{feff}".as_bytes()).unwrap_or(beginning).trim_ascii_start();
    match text.first() {
        None => Err(FeedError::Empty { name: name.to_owned() }),
        Some(b'<') if is_xml(text) => Ok(Sniffed::Xml),
        Some(b'<') => Err(FeedError::Markup { name: name.to_owned() }),
        Some(b'{') if !is_document(text) && is_of_noren(text) => Ok(Sniffed::NorenLines),
        Some(b'{' | b'[') => Ok(Sniffed::Json),
        Some(_) => Ok(Sniffed::Text),
    }
}

/// Returns true if the first line has no field that a product of Noren does not have. A line that is no JSON is left to its reader.
fn is_of_noren(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_known = |key: &str| FIELDS.contains(&key) || READ_ONLY_FIELDS.contains(&key);
    serde_json::from_slice::<RawObject<'_>>(line)
        .map_or(true, |object| object.0.iter().all(|(key, _)| is_known(key)))
}
