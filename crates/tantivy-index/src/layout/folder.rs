//! The folder of one generation: opening it, or making it when there is none.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Language;
use serde::{Deserialize, Serialize};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, IndexSettings, TantivyError};
use text::field_weights::FieldWeights;

use crate::layout::document::{RUNS, Runs, WEIGHED_WORDS, WeighedWords};
use crate::layout::schema::{Fields, schema};

/// The format that this version reads and writes. It changes with the schema and with the analysis of text.
const FORMAT: u32 = 5;
/// Says which format the folder has. It is written before anything else is.
pub(crate) const FORMAT_FILE: &str = "noren-index.json";
/// A page shows products from all over the index, and each costs unpacking one block.
const STORE_BLOCK_BYTES: usize = 4096;
/// Held while a folder is made, so that two processes do not make it at once.
pub(crate) const MAKING_LOCK: &str = ".noren-making.lock";
/// tantivy's list of segments; it is replaced at each commit.
pub(crate) const META_FILE: &str = "meta.json";

/// Why an index cannot be opened. Each text is one line that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another writer has it.
    #[error(
        "another noren process is writing the index in {}; stop it or use another data folder",
        .folder.display()
    )]
    Busy {
        /// The folder of the index.
        folder: PathBuf,
    },
    /// A later version of this program made it.
    #[error(
        "the index in {} has format {found}, which is newer than the {FORMAT} of this noren; update noren, or rebuild the index from the store with `noren reindex --data-dir DIR`",
        .folder.display()
    )]
    Newer {
        /// The folder of the index.
        folder: PathBuf,
        /// Its format.
        found: u32,
    },
    /// An earlier version of this program made it.
    #[error(
        "the index in {} has format {found} and this noren needs {FORMAT}; rebuild it from the store with `noren reindex --data-dir DIR`",
        .folder.display()
    )]
    Older {
        /// The folder of the index.
        folder: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Its texts were analysed as another language's.
    #[error(
        "the index in {} was made for NOREN_LANGUAGE={found}, not {wanted}; set NOREN_LANGUAGE={found}, or rebuild it from the store with `noren reindex --data-dir DIR`",
        .folder.display()
    )]
    OtherLanguage {
        /// The folder of the index.
        folder: PathBuf,
        /// Its language.
        found: Language,
        /// The language that was asked for.
        wanted: Language,
    },
    /// It is damaged, or something else lies there.
    #[error("the index in {} cannot be read ({reason}); rebuild it from the store with `noren reindex --data-dir DIR`", .folder.display())]
    Damaged {
        /// The folder of the index.
        folder: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file system does not let us.
    #[error("cannot use {} as the folder of the index: {source}; check its permissions and the space left", .folder.display())]
    Io {
        /// The folder of the index.
        folder: PathBuf,
        /// What the file system says.
        source: io::Error,
    },
}

impl OpenError {
    /// Whether a new index in place of this one would mend it.
    pub(crate) fn is_mended_by_rebuilding(&self) -> bool {
        match self {
            Self::Newer { .. } | Self::Older { .. } | Self::OtherLanguage { .. } | Self::Damaged { .. } => {
                true
            }
            Self::Busy { .. } | Self::Io { .. } => false,
        }
    }
}

/// What the format file says.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Format {
    pub(crate) format: u32,
    /// Tells this index from one that is made anew in the same place.
    #[serde(default)]
    made: String,
    /// The code of the language that texts were analysed as.
    #[serde(default)]
    language: String,
    /// What the parts of products counted when all documents were made; none where nobody noted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<String>,
}

/// An index that was opened.
#[derive(Clone)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) index: Index,
    pub(crate) fields: Fields,
    /// Tells this index from one that is made anew in the same place.
    pub(crate) made: String,
    /// What texts are analysed as.
    pub(crate) language: Language,
}

impl Folder {
    /// Opens the index in `path`, and makes an empty one first when there is none.
    pub(crate) fn open(path: &Path, language: Language) -> Result<Self, OpenError> {
        let io_error = |source| OpenError::Io { folder: path.to_owned(), source };
        let damaged = |reason: String| OpenError::Damaged { folder: path.to_owned(), reason };
        fs::create_dir_all(path).map_err(io_error)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(MAKING_LOCK))
            .map_err(io_error)?;
        lock.lock().map_err(io_error)?;
        let format = match read_format(path)? {
            Some(format) => format,
            None if path.join(META_FILE).exists() => {
                return Err(damaged(format!("{FORMAT_FILE} is missing")));
            }
            None => {
                let format = Format::new(language);
                write_format(path, &format).map_err(io_error)?;
                format
            }
        };
        if format.format > FORMAT {
            return Err(OpenError::Newer { folder: path.to_owned(), found: format.format });
        }
        if format.format < FORMAT {
            return Err(OpenError::Older { folder: path.to_owned(), found: format.format });
        }
        let found =
            Language::parse(&format.language).map_err(|error| damaged(format!("{FORMAT_FILE}: {error}")))?;
        if found != language {
            return Err(OpenError::OtherLanguage { folder: path.to_owned(), found, wanted: language });
        }
        let (schema, fields) = schema();
        let is_new = !path.join(META_FILE).exists();
        let mut index = if !is_new {
            Index::open_in_dir(path).map_err(|error| open_error(path, error))?
        } else {
            Index::builder()
                .schema(schema.clone())
                .settings(IndexSettings {
                    docstore_compress_dedicated_thread: false,
                    docstore_blocksize: STORE_BLOCK_BYTES,
                    ..IndexSettings::default()
                })
                .create_in_dir(path)
                .map_err(|error| open_error(path, error))?
        };
        if index.schema() != schema {
            return Err(damaged("it has other fields".to_owned()));
        }
        sync_folder(path).map_err(io_error)?;
        if let Some(parent) = path.parent().filter(|_| is_new) {
            sync_folder(parent).map_err(io_error)?;
        }
        index.tokenizers().register(WEIGHED_WORDS, TextAnalyzer::from(WeighedWords::default()));
        index.tokenizers().register(RUNS, TextAnalyzer::from(Runs::default()));
        index.settings_mut().docstore_compress_dedicated_thread = false;
        Ok(Self { path: path.to_owned(), index, fields, made: format.made, language })
    }

    /// What the error of an index that was just opened means.
    pub(crate) fn open_error(&self, error: TantivyError) -> OpenError {
        open_error(&self.path, error)
    }
}

impl Format {
    /// Of an index that is made now.
    fn new(language: Language) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let made = format!("{:x}", since_1970.as_nanos());
        Self { format: FORMAT, made, language: language.to_string(), weights: None }
    }
}

/// What the format file says; none where there is none.
fn read_format(path: &Path) -> Result<Option<Format>, OpenError> {
    match fs::read(path.join(FORMAT_FILE)) {
        Ok(json) => serde_json::from_slice(&json).map(Some).map_err(|error| OpenError::Damaged {
            folder: path.to_owned(),
            reason: format!("{FORMAT_FILE}: {error}"),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Io { folder: path.to_owned(), source }),
    }
}

fn write_format(path: &Path, format: &Format) -> io::Result<()> {
    let unfinished = path.join(format!("{FORMAT_FILE}.new"));
    fs::write(&unfinished, serde_json::to_vec(format)?)?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, path.join(FORMAT_FILE))
}

/// What the parts of products counted when all documents of the index in `path` were made; none where nobody noted it.
pub(crate) fn noted_weights(path: &Path) -> Result<Option<String>, OpenError> {
    Ok(read_format(path)?.and_then(|format| format.weights))
}

/// Notes that all documents of the index in `path` are made with these weights.
pub(crate) fn note_weights(path: &Path, weights: FieldWeights) -> Result<(), OpenError> {
    let weights = Some(weights.to_string());
    match read_format(path)? {
        Some(format) if format.weights != weights => {
            let noted = write_format(path, &Format { weights, ..format }).and_then(|()| sync_folder(path));
            noted.map_err(|source| OpenError::Io { folder: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}

/// Makes renames and new files in the folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn open_error(path: &Path, error: TantivyError) -> OpenError {
    let folder = path.to_owned();
    match error {
        TantivyError::LockFailure(tantivy::directory::error::LockError::LockBusy, _) => {
            OpenError::Busy { folder }
        }
        TantivyError::IoError(source) => {
            OpenError::Io { folder, source: io::Error::new(source.kind(), source.to_string()) }
        }
        other => OpenError::Damaged { folder, reason: one_line(&other) },
    }
}

fn one_line(error: &TantivyError) -> String {
    let text = error.to_string();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
