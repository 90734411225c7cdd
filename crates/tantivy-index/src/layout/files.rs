//! The names of the files of an index, and durable replacement of a file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

/// The file that names the generations of an index.
pub(crate) const POINTER_FILE: &str = "generations.json";
/// The file that names the format of a generation. It is the first file written into a generation's folder.
pub(crate) const FORMAT_FILE: &str = "noren-index.json";
/// tantivy's list of segments, which each commit replaces.
pub(crate) const META_FILE: &str = "meta.json";
/// Locked while a folder is created, so that only one process creates it.
pub(crate) const CREATION_LOCK: &str = ".noren-making.lock";
/// Locked by the one process that writes the index.
pub(crate) const WRITER_LOCK: &str = ".noren-writing.lock";
/// The suffix of a file that is written before it is renamed.
const UNFINISHED_SUFFIX: &str = ".new";

/// Opens a lock file, creating it if it is missing.
pub(crate) fn open_lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

/// Replaces a file in `folder` atomically. The replacement is durable once the folder has been synced.
pub(crate) fn replace_file(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let unfinished = folder.join(format!("{name}{UNFINISHED_SUFFIX}"));
    fs::write(&unfinished, content)?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, folder.join(name))
}

/// Makes renames and new files in a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Returns true if tantivy or this crate writes files of this name into a generation: the files of segments, the lists of
/// segments, locks, the format file, and the unfinished files that a crash leaves.
pub(crate) fn is_index_file(name: &str) -> bool {
    const SEGMENT_ID_DIGITS: usize = 32;
    let is_segment_file = name.split_once('.').is_some_and(|(segment, _)| {
        segment.len() == SEGMENT_ID_DIGITS && segment.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let is_unfinished_list = name
        .strip_prefix(".tmp")
        .is_some_and(|rest| rest.len() == 6 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let is_list_or_lock =
        [META_FILE, ".managed.json", ".tantivy-writer.lock", ".tantivy-meta.lock"].contains(&name);
    let is_own_file =
        name == CREATION_LOCK || name.strip_suffix(UNFINISHED_SUFFIX).unwrap_or(name) == FORMAT_FILE;
    is_segment_file || is_unfinished_list || is_list_or_lock || is_own_file
}
