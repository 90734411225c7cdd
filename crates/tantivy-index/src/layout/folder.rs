//! The folder of one generation.

use std::fs;
use std::path::{Path, PathBuf};

use domain::Language;
use tantivy::schema::Schema;
use tantivy::{Index, IndexSettings};

use crate::layout::files::{CREATION_LOCK, META_FILE, open_lock_file, sync_folder};
use crate::layout::format_file::{FormatFile, UsableFormat};
use crate::layout::open_error::OpenError;
use crate::layout::schema::{Fields, schema};
use crate::layout::tokenizers;

/// The block size of tantivy's document store. A page shows products from all over the index, and loading each one
/// decompresses a block, so blocks are small.
const STORE_BLOCK_BYTES: usize = 4096;

/// The open folder of a generation.
#[derive(Clone)]
pub(crate) struct GenerationFolder {
    pub(crate) path: PathBuf,
    pub(crate) index: Index,
    pub(crate) fields: Fields,
    /// Distinguishes this index from a later one at the same path.
    pub(crate) instance_id: String,
    /// The language that texts are analysed for.
    pub(crate) language: Language,
    /// False for an older format, which a rebuild replaces.
    pub(crate) is_current: bool,
}

impl GenerationFolder {
    /// Opens the generation in `path`; creates an empty one if there is none.
    pub(crate) fn open(path: &Path, language: Language) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::io(path, source);
        fs::create_dir_all(path).map_err(io_error)?;
        let lock = open_lock_file(&path.join(CREATION_LOCK)).map_err(io_error)?;
        lock.lock().map_err(io_error)?;
        let UsableFormat { instance_id, is_current } = FormatFile::open(path, language)?;
        let (schema, fields) = schema();
        let is_new = !path.join(META_FILE).exists();
        let opened = if is_new { create_index(path, &schema) } else { Index::open_in_dir(path) };
        let mut index = opened.map_err(|error| OpenError::from_tantivy(path, error))?;
        if index.schema() != schema {
            return Err(OpenError::damaged(path, "it has other fields"));
        }
        sync_folder(path).map_err(io_error)?;
        if let Some(parent) = path.parent().filter(|_| is_new) {
            sync_folder(parent).map_err(io_error)?;
        }
        tokenizers::register(&index);
        index.settings_mut().docstore_compress_dedicated_thread = false;
        Ok(Self { path: path.to_owned(), index, fields, instance_id, language, is_current })
    }
}

fn create_index(path: &Path, schema: &Schema) -> tantivy::Result<Index> {
    let settings = IndexSettings {
        docstore_compress_dedicated_thread: false,
        docstore_blocksize: STORE_BLOCK_BYTES,
        ..IndexSettings::default()
    };
    Index::builder().schema(schema.clone()).settings(settings).create_in_dir(path)
}
