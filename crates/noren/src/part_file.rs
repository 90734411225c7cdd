//! Output files that are complete or absent.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::failure::{Context as _, Failure};

/// A file that is written under a temporary name, `NAME.part`, until it is complete. It is removed on drop, unless it was
/// published.
pub(crate) struct PartFile(PathBuf);

impl PartFile {
    /// Names the temporary file of `path`, and removes what a killed process left under that name.
    pub(crate) fn of(path: &Path) -> Self {
        let mut name = OsString::from(path);
        name.push(".part");
        let part = Self(name.into());
        part.remove();
        part
    }

    /// Returns the temporary path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the complete file its name, replacing an older file.
    ///
    /// # Errors
    /// If the file cannot be renamed.
    pub(crate) fn publish(&self, path: &Path) -> Result<(), Failure> {
        std::fs::rename(&self.0, path)
            .context(|| format!("cannot write {}; choose another file", path.display()))
    }

    fn remove(&self) {
        // In most cases, there is no such file.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        self.remove();
    }
}
