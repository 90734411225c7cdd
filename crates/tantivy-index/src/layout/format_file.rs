//! The format file of a generation: its format, language and field weights.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Language;
use serde::{Deserialize, Serialize};
use text::field_weights::FieldWeights;

use crate::layout::files::{FORMAT_FILE, META_FILE, replace_file, sync_folder};
use crate::layout::open_error::OpenError;
use crate::layout::schema::FORMAT;

/// The content of the format file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FormatFile {
    pub(crate) format: u32,
    /// Distinguishes this index from a later one at the same path.
    #[serde(rename = "made", default)]
    instance_id: String,
    /// The code of the language that texts were analysed for.
    #[serde(default)]
    language: String,
    /// The field weights of all documents; `None` if they are unknown or mixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<String>,
}

impl FormatFile {
    /// Creates the content for an index that is created now.
    fn new(language: Language) -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let instance_id = format!("{:x}", since_1970.as_nanos());
        Self { format: FORMAT, instance_id, language: language.to_string(), weights: None }
    }

    /// Reads the format file in `folder`; returns `None` if there is none.
    fn read(folder: &Path) -> Result<Option<Self>, OpenError> {
        match fs::read(folder.join(FORMAT_FILE)) {
            Ok(json) => serde_json::from_slice(&json)
                .map(Some)
                .map_err(|error| OpenError::damaged(folder, format!("{FORMAT_FILE}: {error}"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(OpenError::io(folder, source)),
        }
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        replace_file(folder, FORMAT_FILE, &serde_json::to_vec(self)?)
    }

    /// Reads the format file in `folder`, or creates it in an empty folder, and checks that this program can use the index.
    /// Returns the identifier that distinguishes the index from a later one at the same path.
    ///
    /// The caller must hold the creation lock, and sync the folder.
    pub(crate) fn open(folder: &Path, language: Language) -> Result<String, OpenError> {
        let format = match Self::read(folder)? {
            Some(format) => format,
            None if folder.join(META_FILE).exists() => {
                return Err(OpenError::damaged(folder, format!("{FORMAT_FILE} is missing")));
            }
            None => {
                let format = Self::new(language);
                format.write(folder).map_err(|source| OpenError::io(folder, source))?;
                format
            }
        };
        format.check(folder, language)?;
        Ok(format.instance_id)
    }

    fn check(&self, folder: &Path, wanted: Language) -> Result<(), OpenError> {
        if self.format > FORMAT {
            return Err(OpenError::Newer { folder: folder.to_owned(), found: self.format });
        }
        if self.format < FORMAT {
            return Err(OpenError::Older { folder: folder.to_owned(), found: self.format });
        }
        let found = Language::parse(&self.language)
            .map_err(|error| OpenError::damaged(folder, format!("{FORMAT_FILE}: {error}")))?;
        if found != wanted {
            return Err(OpenError::OtherLanguage { folder: folder.to_owned(), found, wanted });
        }
        Ok(())
    }
}

/// Returns the field weights with which all documents of the index in `folder` were built; `None` if they are not
/// recorded.
pub(crate) fn recorded_weights(folder: &Path) -> Result<Option<String>, OpenError> {
    Ok(FormatFile::read(folder)?.and_then(|format| format.weights))
}

/// Records that all documents of the index in `folder` are built with these weights.
pub(crate) fn record_weights(folder: &Path, weights: FieldWeights) -> Result<(), OpenError> {
    let weights = Some(weights.to_string());
    match FormatFile::read(folder)? {
        Some(format) if format.weights != weights => {
            let recorded = FormatFile { weights, ..format }.write(folder).and_then(|()| sync_folder(folder));
            recorded.map_err(|source| OpenError::io(folder, source))
        }
        _ => Ok(()),
    }
}
