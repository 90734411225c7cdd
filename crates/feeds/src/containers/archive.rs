//! Zip archives: a spreadsheet, or one feed.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use zip::ZipArchive;
use zip::result::ZipError;

use super::inflated::Inflated;
use super::scratch::Scratch;
use crate::error::FeedError;

/// The most files in an archive.
const MAX_ENTRIES: usize = 10_000;
/// The most names that an error lists.
const MAX_LISTED: usize = 10;

/// The contents of an archive.
pub(crate) enum Contents {
    /// A spreadsheet.
    Workbook,
    /// One file.
    Feed { index: usize, path: PathBuf },
}

/// Opens an archive.
///
/// # Errors
/// If it is damaged or has too many files.
pub(crate) fn open_archive(file: &File, name: &str) -> Result<ZipArchive<BufReader<File>>, FeedError> {
    let failed = |source| FeedError::Read { name: name.to_owned(), source };
    let file = BufReader::new(file.try_clone().map_err(failed)?);
    let archive = ZipArchive::new(file).map_err(|error| damaged(name, &error))?;
    if archive.len() > MAX_ENTRIES {
        return Err(refused(name, format!("has more than {MAX_ENTRIES} files; unpack it")));
    }
    Ok(archive)
}

/// Decides what an archive holds.
///
/// # Errors
/// If it holds several files, none, or a spreadsheet of another kind.
pub(crate) fn contents(file: &File, name: &str) -> Result<Contents, FeedError> {
    let archive = open_archive(file, name)?;
    let mut paths = Vec::new();
    for index in 0..archive.len() {
        let path = archive.name_for_index(index).transpose().map_err(|error| damaged(name, &error))?;
        let path = path.unwrap_or_default().replace('\\', "/");
        match path.to_ascii_lowercase().as_str() {
            "xl/workbook.xml" => return Ok(Contents::Workbook),
            "xl/workbook.bin" => {
                return Err(refused(name, "is a binary spreadsheet (.xlsb); save it as .xlsx, or as CSV"));
            }
            "content.xml" => {
                return Err(refused(name, "is an OpenDocument spreadsheet; save it as .xlsx, or as CSV"));
            }
            _ if !is_by_product(&path) => paths.push((index, path)),
            _ => {}
        }
    }
    match paths.as_slice() {
        [] => Err(refused(name, "has no file in it")),
        [(index, path)] => Ok(Contents::Feed { index: *index, path: PathBuf::from(path) }),
        several => Err(refused(name, list(several))),
    }
}

/// Returns true for folders, and for files that systems add to archives.
fn is_by_product(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or_default();
    file.is_empty()
        || file.starts_with('.')
        || path.starts_with("__MACOSX/")
        || file.eq_ignore_ascii_case("thumbs.db")
        || file.eq_ignore_ascii_case("desktop.ini")
}

fn list(files: &[(usize, String)]) -> String {
    // A name may have line breaks, and the message is one line.
    let plain = |name: &str| name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    let names: Vec<String> = files.iter().take(MAX_LISTED).map(|(_, path)| plain(path)).collect();
    let more = match files.len() - names.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!(
        "has {} files: {}{more}; unpack it, and import those with products",
        files.len(),
        names.join(", ")
    )
}

/// Unpacks one file of an archive.
///
/// # Errors
/// If it is damaged, encrypted, or exceeds a limit.
pub(crate) fn extract(file: &File, index: usize, name: &str, scratch: &Scratch) -> Result<File, FeedError> {
    let failed = |source| FeedError::Read { name: name.to_owned(), source };
    let packed = file.metadata().map_err(failed)?.len();
    let mut archive = open_archive(file, name)?;
    let entry = archive.by_index(index).map_err(|error| damaged(name, &error))?;
    let mut input = Inflated::new(entry, || packed);
    scratch.copy(&mut input).map_err(failed)
}

fn refused(name: &str, message: impl Into<String>) -> FeedError {
    FeedError::Container { name: name.to_owned(), message: message.into() }
}

fn damaged(name: &str, error: &ZipError) -> FeedError {
    let message = match error {
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => {
            "needs a password; unpack it, or pack it without one".to_owned()
        }
        ZipError::CompressionMethodNotSupported(_) => {
            "is packed by a method other than deflate; unpack it, or pack it again".to_owned()
        }
        _ => format!("is a damaged zip archive: {error}; get it again, or unpack it"),
    };
    refused(name, message)
}
