//! `noren backup`: a copy of the embedded store while services use it.

use std::fs::{self, File};

use crate::cli::BackupArgs;
use crate::export::PartFile;
use crate::failure::{Context as _, Failure};

/// Copies the store into a file, which is complete or not there at all.
///
/// # Errors
/// When there is no store, or the copy cannot be written.
pub fn backup(args: &BackupArgs) -> Result<(), Failure> {
    let path = &args.output;
    let part = PartFile::beside(path);
    part.remove();
    embedded_store::copy(&args.data_dir.data_dir, &part.0)
        .map_err(|error| Failure::new("cannot make a backup").because(error))?;
    let durable = File::open(&part.0).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
    let bytes = durable.context(|| format!("writing to {}", part.0.display()))?.len();
    fs::rename(&part.0, path).context(|| format!("naming {}", path.display()))?;
    eprintln!("{} holds the store as it was a moment ago, {} KB", path.display(), bytes.div_ceil(1000));
    Ok(())
}
