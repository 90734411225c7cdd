//! Unpacks gzip and zip archives of one file, and recognises spreadsheets. Limits keep a small file from filling the memory or the
//! disk.

mod archive;
mod inflated;
mod kind;
mod scratch;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

pub(crate) use self::archive::{Contents, contents, extract, open_archive};
pub(crate) use self::inflated::Inflated;
pub(crate) use self::kind::{check_text, is_xml, is_zip};
pub use self::scratch::Scratch;
pub(crate) use self::scratch::ScratchFile;
use crate::counted::Counted;
use crate::error::FeedError;
use crate::text_encoding::Input;

pub(crate) const BUFFER_BYTES: usize = 128 * 1024;
/// The most containers around a feed, such as a gzipped zip archive of a spreadsheet.
pub(crate) const MAX_LAYERS: usize = 3;

/// A file without the containers around it.
pub(crate) enum Unpacked {
    Text(TextInput),
    /// A spreadsheet in the format of Office Open XML.
    Workbook(File),
}

/// A text file.
pub(crate) struct TextInput {
    pub(crate) input: Input,
    /// A file from which the text can be read again; compressed if `is_gzip`.
    pub(crate) file: Option<File>,
    pub(crate) is_gzip: bool,
    /// The name that announces the format: that of the file in an archive.
    pub(crate) path: PathBuf,
    /// The size of the file in an archive, whose bytes are counted instead of those of the archive.
    pub(crate) unpacked_bytes: Option<u64>,
}

/// Unpacks a file. `file` is the same input if it can be read again from its start; `bytes_read` counts the bytes of the input before
/// any is unpacked, or those of a file in an archive.
///
/// # Errors
/// If the input cannot be read, is no feed, or exceeds a limit.
pub(crate) fn unpack(
    input: Box<dyn io::Read + Send>,
    mut file: Option<File>,
    path: &Path,
    scratch: &Scratch,
    bytes_read: &Arc<AtomicU64>,
) -> Result<Unpacked, FeedError> {
    let name = path.display().to_string();
    let failed = |source| FeedError::Read { name: name.clone(), source };
    let mut path = path.to_owned();
    let counted = Counted { input, bytes_read: Arc::clone(bytes_read) };
    let mut input: Input = Box::new(BufReader::with_capacity(BUFFER_BYTES, counted));
    let (mut is_gzip, mut unpacked_bytes) = (false, None);
    for _ in 0..=MAX_LAYERS {
        let beginning = input.fill_buf().map_err(failed)?;
        if beginning.starts_with(&[0x1f, 0x8b]) {
            // A file that is gzipped twice cannot be opened again as one that is gzipped once.
            file = file.filter(|_| !is_gzip);
            is_gzip = true;
            input = gunzip(input);
        } else if is_zip(beginning) {
            let archive = match file.take().filter(|_| !is_gzip) {
                Some(file) => file,
                None => scratch.copy(&mut input).map_err(failed)?,
            };
            let Contents::Feed { index, path: inner } = contents(&archive, &name)? else {
                return Ok(Unpacked::Workbook(archive));
            };
            let feed = extract(&archive, index, &name, scratch)?;
            unpacked_bytes = Some(feed.metadata().map_err(failed)?.len());
            bytes_read.store(0, Ordering::Relaxed);
            let counted = Counted {
                input: Box::new(again(&feed).map_err(failed)?),
                bytes_read: Arc::clone(bytes_read),
            };
            input = Box::new(BufReader::with_capacity(BUFFER_BYTES, counted));
            (file, is_gzip, path) = (Some(feed), false, inner);
        } else {
            check_text(beginning, &name)?;
            return Ok(Unpacked::Text(TextInput { input, file, is_gzip, path, unpacked_bytes }));
        }
    }
    Err(FeedError::Container {
        name,
        message: "has too many archives inside each other; unpack it".to_owned(),
    })
}

/// Decompresses gzip of one or more members.
pub(crate) fn gunzip(input: Input) -> Input {
    let packed = Arc::new(AtomicU64::new(0));
    let counted = Counted { input: Box::new(input), bytes_read: Arc::clone(&packed) };
    let decoder = MultiGzDecoder::new(BufReader::with_capacity(BUFFER_BYTES, counted));
    let inflated = Inflated::new(decoder, move || packed.load(Ordering::Relaxed));
    Box::new(BufReader::with_capacity(BUFFER_BYTES, inflated))
}

/// Returns a handle at the start of a file. The handles share their position, so an earlier reading must have ended.
pub(crate) fn again(file: &File) -> io::Result<File> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Ok(file)
}
