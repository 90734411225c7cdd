//! The profile that `noren login` stores: the service that commands use, and the key for it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;
use serde::{Deserialize, Serialize};

use crate::failure::{Context as _, Failure};
use crate::part_file::PartFile;

/// A service and the key for it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// The address of the service.
    pub url: String,
    /// The API key or token.
    pub key: String,
}

impl Profile {
    /// Returns the file of the profile: `noren/profile.json` in the folder for configuration of this user.
    ///
    /// # Errors
    /// If the user has no home.
    pub fn file() -> Result<PathBuf, Failure> {
        let folders = etcetera::choose_base_strategy();
        let folders = folders.context(|| "finding the folder for configuration; set HOME".to_owned())?;
        Ok(folders.config_dir().join("noren").join("profile.json"))
    }

    /// Returns the profile, if there is one.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn load() -> Result<Option<Self>, Failure> {
        // A user without a home has not logged in.
        let Ok(file) = Self::file() else { return Ok(None) };
        Self::load_from(&file)
    }

    fn load_from(file: &Path) -> Result<Option<Self>, Failure> {
        let how = || {
            format!("reading {}; `noren login URL` writes it anew, `noren logout` removes it", file.display())
        };
        let text = match std::fs::read(file) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(error).context(how),
        };
        serde_json::from_slice(&text).context(how).map(Some)
    }

    /// Stores the profile in place of an earlier one, readable by this user alone.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn store(&self, file: &Path) -> Result<(), Failure> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).context(|| format!("creating {}", folder.display()))?;
        }
        let json = serde_json::to_vec_pretty(self).context(|| "writing the profile".to_owned())?;
        let part = PartFile::of(file);
        let written = private(OpenOptions::new().write(true).create_new(true)).open(part.path());
        let written = written.and_then(|mut file| file.write_all(&json).and_then(|()| file.sync_all()));
        written.context(|| format!("writing {}", file.display()))?;
        part.publish(file)
    }

    /// Removes the profile. Returns false if there is none.
    ///
    /// # Errors
    /// If the file cannot be removed.
    pub fn remove(file: &Path) -> Result<bool, Failure> {
        match std::fs::remove_file(file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error).context(|| format!("removing {}", file.display())),
        }
    }
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

/// On other systems, the configuration folder of a user is private.
#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile").field("url", &self.url).finish_non_exhaustive()
    }
}
