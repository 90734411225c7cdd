//! Recognises files that are no text by their first bytes.

use crate::error::FeedError;

/// The first bytes of other files that people try, with their kind and what to do.
const OTHERS: [(&[u8], &str); 10] = [
    (
        b"\xd0\xcf\x11\xe0",
        "is an old Excel file (.xls) or a spreadsheet with a password; save it as .xlsx without one, or as CSV",
    ),
    (b"%PDF", "is a PDF document; export the table as CSV"),
    (b"PAR1", "is a Parquet file; export the table as CSV or NDJSON"),
    (b"SQLite format 3", "is an SQLite database; export the table as CSV"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive; unpack it, or use zip or gzip"),
    (b"Rar!", "is a RAR archive; unpack it, or use zip or gzip"),
    (b"BZh", "is compressed by bzip2; unpack it, or use gzip"),
    (b"\xfd7zXZ", "is compressed by xz; unpack it, or use gzip"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd; unpack it, or use gzip"),
    (b"{\\rtf", "is a text document; export the table as CSV"),
];

/// Returns true for a zip archive, also one that is empty.
pub(crate) fn is_zip(beginning: &[u8]) -> bool {
    beginning.starts_with(b"PK\x03\x04") || beginning.starts_with(b"PK\x05\x06")
}

/// Checks that a file is text.
///
/// # Errors
/// Names the kind of the file, and what to do.
pub(crate) fn check_text(beginning: &[u8], name: &str) -> Result<(), FeedError> {
    let refused =
        |message: &str| Err(FeedError::Container { name: name.to_owned(), message: message.to_owned() });
    if let Some((_, message)) = OTHERS.iter().find(|(start, _)| beginning.starts_with(start)) {
        return refused(message);
    }
    let start = &beginning[..beginning.len().min(512)];
    // In UTF-16, every second byte of an ASCII letter is zero.
    let zeros = start.iter().filter(|byte| **byte == 0).count();
    let is_utf16 = start.starts_with(&[0xff, 0xfe])
        || start.starts_with(&[0xfe, 0xff])
        || matches!(start, [first, 0, second, 0, ..] | [0, first, 0, second, ..] if *first != 0 && *second != 0);
    if zeros > 0 && !is_utf16 {
        return refused("is no text; files of products are JSON, CSV, XML or .xlsx, also in gzip or zip");
    }
    Ok(())
}

/// Returns true for XML that is no web page.
pub(crate) fn is_xml(beginning: &[u8]) -> bool {
    let text = beginning.trim_ascii_start();
    let start = String::from_utf8_lossy(&text[..text.len().min(1024)]).to_ascii_lowercase();
    start.starts_with('<') && !start.contains("<!doctype html") && !start.contains("<html")
}
