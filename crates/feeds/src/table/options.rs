//! Options for columns whose meaning the file does not tell.

use domain::{Currency, Language, WriteMode};
use encoding_rs::Encoding;

use super::mapping_file::{TableMapping, parse_mapping};
use super::numbers::Mark;
use crate::containers::Scratch;

/// Options for columns whose meaning the file itself does not tell.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    pub(crate) mapping: Option<TableMapping>,
    pub(crate) columns: Vec<(String, String)>,
    /// Language of the catalogue, for files with texts in several.
    pub language: Option<Language>,
    /// Currency of the catalogue, for files with prices in several.
    pub currency: Option<Currency>,
    /// The character set of the files, if the user has named it.
    pub(crate) encoding: Option<&'static Encoding>,
    /// Decimal mark of numbers that can be read in two ways.
    pub mark: Option<Mark>,
    /// The mode of the writes; `None` merges tables and replaces by JSON.
    pub mode: Option<WriteMode>,
    /// The folder and the size limit of temporary files.
    pub scratch: Scratch,
}

impl TableOptions {
    /// Uses a mapping file instead of the mapping that the header selects.
    ///
    /// # Errors
    /// Names what is wrong in the file.
    pub fn set_mapping(&mut self, toml: &str) -> Result<(), String> {
        self.mapping = Some(parse_mapping(toml)?);
        Ok(())
    }

    /// Reads files in a character set, by a name of the Encoding Standard such as `windows-1251`.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn set_encoding(&mut self, name: &str) -> Result<(), String> {
        let encoding = Encoding::for_label(name.trim().as_bytes());
        self.encoding = Some(encoding.ok_or_else(|| {
            format!("`{name}` is no character set; names are those of the Encoding Standard, such as windows-1251, iso-8859-2 or shift_jis")
        })?);
        Ok(())
    }

    /// Maps a column to a field, such as `title` to `name`.
    pub fn map_column(&mut self, column: &str, field: &str) {
        self.columns.push((column.trim().to_owned(), field.trim().to_owned()));
    }
}
