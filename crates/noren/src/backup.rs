//! `noren backup`: a copy of the embedded store while services use it.

use std::fs::File;
use std::path::PathBuf;

use clap::Args;

use crate::failure::{Context as _, Failure};
use crate::part_file::PartFile;
use crate::target::embedded_store_folder;

/// `noren backup`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren backup noren-2026-01-31.db                 the store in ./data
  noren backup --data-dir /srv/noren /mnt/store.db

The file is a consistent snapshot of noren.db: products, tombstones with their versions, and changes that wait to be \
indexed. It has no index; the index is rebuilt from it. The file appears under its name once it is complete. \
docs/OPERATIONS.md describes how to restore it. A store in DynamoDB has its own point-in-time recovery.")]
pub struct BackupArgs {
    /// The file to write; an existing one is replaced
    #[arg(value_name = "FILE")]
    pub output: PathBuf,
    #[command(flatten)]
    pub data_dir: DataDir,
    /// Copy the store that NOREN_STORE and NOREN_DATA_DIR name
    #[arg(long)]
    pub back_ends: bool,
}

/// The folder of the store. Unlike a service, a backup does not create it.
#[derive(Debug, Args)]
pub struct DataDir {
    /// Folder of the embedded store
    #[arg(long, env = "NOREN_DATA_DIR", default_value = "./data", value_name = "DIR")]
    pub data_dir: PathBuf,
}

/// Copies the store to a file, which is complete or absent.
///
/// # Errors
/// If there is no embedded store, or the copy cannot be written.
pub(crate) fn backup(args: &BackupArgs) -> Result<(), Failure> {
    // A copy of a file that is not the configured store would be mistaken for a backup.
    let configured = embedded_store_folder()?;
    let folder = if args.back_ends { configured } else { args.data_dir.data_dir.clone() };
    let path = &args.output;
    let part = PartFile::of(path);
    embedded_store::copy(&folder, part.path())
        .map_err(|error| Failure::new("cannot make a backup").because(error))?;
    let synced = File::open(part.path()).and_then(|file| file.sync_all().and_then(|()| file.metadata()));
    let bytes = synced.context(|| format!("writing to {}", part.path().display()))?.len();
    part.publish(path)?;
    eprintln!("wrote a snapshot of the store to {}, {} KB", path.display(), bytes.div_ceil(1000));
    Ok(())
}
