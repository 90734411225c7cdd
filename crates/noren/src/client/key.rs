//! The API key of the command line.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::failure::{Context as _, Failure};

/// The longest key or token, in bytes.
pub(crate) const MAX_KEY_BYTES: u64 = 8 * 1024;

/// Returns the API key: from a file, else from `NOREN_API_KEY_FILE`, else from `NOREN_API_KEY`. There is no argument for the key
/// itself, because other users of the machine can read arguments.
///
/// # Errors
/// If a file is named and cannot be read, or if the file or the variable has no key.
pub(super) fn api_key(file: Option<&Path>) -> Result<Option<String>, Failure> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let file = file.map(Path::to_owned).or_else(|| variable("NOREN_API_KEY_FILE").map(PathBuf::from));
    if let Some(file) = file {
        return read_key_file(&file).map(Some);
    }
    let Some(key) = variable("NOREN_API_KEY") else { return Ok(None) };
    let key = key.to_string_lossy().trim().to_owned();
    if key.is_empty() {
        return Err(Failure::usage("NOREN_API_KEY has spaces only; set it to a key, or unset it"));
    }
    Ok(Some(key))
}

/// Reads a file that holds a key and nothing else.
fn read_key_file(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    let mut key = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_KEY_BYTES + 1).read_to_string(&mut key));
    read.context(|| format!("reading the API key from {shown}"))?;
    if key.len() as u64 > MAX_KEY_BYTES {
        return Err(Failure::usage(format!(
            "{shown} has more than {MAX_KEY_BYTES} bytes, so it is no file of an API key"
        )));
    }
    match key.trim() {
        "" => Err(Failure::usage(format!(
            "the file {shown} is empty; write an API key into it, as `noren keys create` prints it"
        ))),
        key => Ok(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        for (content, word) in
            [("", "is empty"), (" \n", "is empty"), (&"\0".repeat(9000), "more than 8192 bytes")]
        {
            std::fs::write(&file, content).unwrap();
            let error = read_key_file(&file).unwrap_err().to_string();
            assert!(error.contains(word) && error.contains(file.to_str().unwrap()), "{error}");
        }
        std::fs::write(&file, " abc\n").unwrap();
        assert_eq!(read_key_file(&file).unwrap(), "abc");
        let error = read_key_file(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(error.contains("more than 8192 bytes"), "{error}");
    }
}
