//! The format file of a generation: its format, language and field weights.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Language;
use serde::{Deserialize, Serialize};
use text::field_weights::FieldWeights;

use crate::layout::files::{FORMAT_FILE, META_FILE, replace_file, sync_folder};
use crate::layout::format::Format;
use crate::layout::open_error::OpenError;
use crate::layout::schema::READABLE_FROM;

/// An index that this version can use.
pub(crate) struct UsableFormat {
    /// Distinguishes the index from a later one at the same path.
    pub(crate) instance_id: String,
    /// False for an older format, which a rebuild replaces.
    pub(crate) is_current: bool,
}

/// The content of the format file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FormatFile {
    format: u32,
    /// The version of the analysis of texts, see [`text::ANALYSIS`].
    #[serde(default)]
    analysis: u32,
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
        let Format { schema: format, analysis } = Format::CURRENT;
        Self { format, analysis, instance_id, language: language.to_string(), weights: None }
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
    ///
    /// The caller must hold the creation lock, and sync the folder.
    pub(crate) fn open(folder: &Path, language: Language) -> Result<UsableFormat, OpenError> {
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
        let is_current = format.format() == Format::CURRENT;
        Ok(UsableFormat { instance_id: format.instance_id, is_current })
    }

    fn format(&self) -> Format {
        Format { schema: self.format, analysis: self.analysis }
    }

    /// Returns the error for an index in `folder` that has this format file but a layout that this version cannot read.
    pub(crate) fn too_old(&self, folder: &Path) -> OpenError {
        OpenError::older(folder, &self.format())
    }

    fn check(&self, folder: &Path, wanted: Language) -> Result<(), OpenError> {
        if self.format() > Format::CURRENT {
            return Err(OpenError::newer(folder, &self.format()));
        }
        if self.format < READABLE_FROM {
            return Err(self.too_old(folder));
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
