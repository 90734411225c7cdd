//! The API key of the command line.

use std::path::{Path, PathBuf};

use crate::failure::{Context as _, Failure};

/// Returns the API key: from a file, else from `NOREN_API_KEY_FILE`, else from `NOREN_API_KEY`. A key is no argument, since
/// other users of the machine can read those.
///
/// # Errors
/// If a file is named and cannot be read.
pub(super) fn api_key(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let file = file.map(Path::to_owned).or_else(|| variable("NOREN_API_KEY_FILE").map(PathBuf::from));
    if let Some(file) = file {
        let key = std::fs::read_to_string(&file);
        let key = key.context(|| format!("reading the API key from {}", file.display()))?;
        return Ok(Some(key.trim().to_owned()));
    }
    Ok(variable("NOREN_API_KEY").map(|key| key.to_string_lossy().trim().to_owned()))
}
