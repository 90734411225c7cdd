//! Images in a folder.
//!
//! Each product has a folder, named after a SHA-256 of its id: ids may differ in letter case only, exceed the length of a file name, or
//! contain characters that some file systems reject. In it, a file is named after the version and the name of the image.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::ProductId;
use domain::image::{ImageKey, ImageName, ImageType, ImageVersion};
use domain::ports::{
    AllowedUpload, ImageReader, ImageSize, ImageStore, ImageUpload, ListedImage, PortError, PortErrorKind,
    StoredImage,
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::imports::check_room;

/// The folder of images that are being stored.
const UPLOADS: &str = "uploads";
/// The age at which a file in [`UPLOADS`] is a leftover of a killed process. No upload takes so long.
const MAX_UPLOAD_AGE: Duration = Duration::from_secs(3600);
/// The most bytes of one read.
const READ_BYTES: usize = 64 * 1024;
/// The length of the hash in the name of a folder, in bytes.
const HASH_BYTES: usize = 16;

/// Images in a folder, which processes on one machine may share.
pub struct FolderImages {
    path: PathBuf,
}

impl FolderImages {
    /// Opens the store in a folder and removes leftovers. The first upload creates the folder.
    ///
    /// # Errors
    /// Fails if leftovers cannot be listed or removed.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let images = Self { path };
        images.remove_leftovers()?;
        Ok(images)
    }

    /// Removes temporary files that killed processes left.
    fn remove_leftovers(&self) -> io::Result<()> {
        let Some(entries) = if_exists(fs::read_dir(self.path.join(UPLOADS)))? else { return Ok(()) };
        for entry in entries {
            let entry = entry?;
            // Another process may remove it at the same time.
            let Some(stored) = if_exists(entry.metadata().and_then(|file| file.modified()))? else {
                continue;
            };
            let age = SystemTime::now().duration_since(stored).unwrap_or_default();
            if age > MAX_UPLOAD_AGE {
                if_exists(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    fn folder(&self, product: &ProductId) -> PathBuf {
        let mut name = String::new();
        for byte in Sha256::digest(product.as_str()).iter().take(HASH_BYTES) {
            let _ = write!(name, "{byte:02x}");
        }
        self.path.join(name)
    }

    fn file(&self, key: &ImageKey) -> PathBuf {
        self.folder(&key.product).join(format!("{}-{}", key.version, key.name))
    }
}

#[async_trait]
impl ImageStore for FolderImages {
    async fn begin(&self, bytes: u64) -> Result<Box<dyn ImageUpload>, PortError> {
        let path = self.path.clone();
        let created = blocking(move || {
            let uploads = path.join(UPLOADS);
            fs::create_dir_all(&uploads)?;
            check_room(&path, bytes)?;
            NamedTempFile::new_in(uploads)
        });
        let (file, temporary) =
            created.await.map_err(|error| port_error("creating an image", error))?.into_parts();
        let file = tokio::fs::File::from_std(file);
        Ok(Box::new(FolderUpload { path: self.path.clone(), file, temporary }))
    }

    async fn open(&self, key: &ImageKey) -> Result<Option<StoredImage>, PortError> {
        let opened = async {
            let Some(file) = if_exists(tokio::fs::File::open(self.file(key)).await)? else { return Ok(None) };
            let bytes = file.metadata().await?.len();
            Ok(Some(StoredImage { bytes, reader: Box::new(FolderReader(file)) }))
        };
        opened.await.map_err(|error| port_error("opening an image", error))
    }

    async fn list(&self, product: &ProductId) -> Result<Vec<ListedImage>, PortError> {
        let (folder, product) = (self.folder(product), product.clone());
        let listed = blocking(move || {
            let Some(entries) = if_exists(fs::read_dir(folder))? else { return Ok(Vec::new()) };
            let mut images = Vec::new();
            for entry in entries {
                let entry = entry?;
                let name = entry.file_name();
                let named = name.to_str().and_then(|name| name.split_once('-'));
                let Some((version, name)) = named else { continue };
                let (version, name) = (ImageVersion::parse(version), ImageName::parse(name));
                // It may have been removed meanwhile.
                let stored = if_exists(entry.metadata().and_then(|file| file.modified()))?;
                if let (Some(version), Ok(name), Some(stored)) = (version, name, stored) {
                    let stored_at = Timestamp::try_from(stored).map_err(io::Error::other)?;
                    images.push(ListedImage {
                        key: ImageKey { product: product.clone(), version, name },
                        stored_at,
                    });
                }
            }
            Ok(images)
        });
        listed.await.map_err(|error| port_error("listing images", error))
    }

    async fn remove(&self, key: &ImageKey) -> Result<(), PortError> {
        let (file, folder) = (self.file(key), self.folder(&key.product));
        let removed = blocking(move || {
            if_exists(fs::remove_file(file))?;
            // Removes the folder if it is empty; an error means that it has other images or is gone already.
            let _ = fs::remove_dir(folder);
            Ok(())
        });
        removed.await.map_err(|error| port_error("removing an image", error))
    }

    async fn allow_upload(
        &self,
        _: &ImageKey,
        _: ImageSize,
        _: Duration,
    ) -> Result<Option<AllowedUpload>, PortError> {
        Ok(None)
    }
}

/// An image that is being written to a temporary file.
struct FolderUpload {
    path: PathBuf,
    file: tokio::fs::File,
    /// Removes the file when it is dropped.
    temporary: TempPath,
}

#[async_trait]
impl ImageUpload for FolderUpload {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.file.write_all(bytes).await.map_err(|error| port_error("writing an image", error))
    }

    async fn finish(self: Box<Self>, key: &ImageKey, _: ImageType) -> Result<bool, PortError> {
        let Self { path, mut file, temporary } = *self;
        let images = FolderImages { path };
        let (folder, target) = (images.folder(&key.product), images.file(key));
        let stored = async {
            file.flush().await?;
            file.sync_all().await?;
            blocking(move || store(&images.path, &folder, &target, temporary)).await
        };
        stored.await.map_err(|error| port_error("storing an image", error))
    }
}

/// Moves a complete file to `target`, durably. Returns false if the target exists already; its time becomes the current one. A target of
/// another length is damaged: it is replaced, and the result is true.
fn store(path: &Path, folder: &Path, target: &Path, temporary: TempPath) -> io::Result<bool> {
    let mut temporary = temporary;
    let bytes = fs::metadata(&temporary)?.len();
    let existing = if_exists(fs::metadata(target))?;
    if existing.is_some_and(|existing| existing.len() != bytes) {
        if_exists(fs::remove_file(target))?;
    }
    loop {
        match fs::create_dir(folder) {
            // The folder of all images may be new as well.
            Ok(()) => {
                for changed in [Some(path), path.parent()].into_iter().flatten() {
                    sync_folder(changed)?;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let persisted = temporary.persist_noclobber(target);
        let is_new = persisted.is_ok();
        if let Err(error) = persisted {
            match error.error.kind() {
                io::ErrorKind::AlreadyExists => {}
                // Another request has removed the last image of the folder, and with it the folder.
                io::ErrorKind::NotFound if error.path.exists() => {
                    temporary = error.path;
                    continue;
                }
                _ => return Err(error.error),
            }
        }
        // An existing image counts as stored now. The file system may give a new file a time some milliseconds old.
        match if_exists(File::options().write(true).open(target))? {
            Some(file) => file.set_modified(SystemTime::now())?,
            None => return Err(io::Error::other("the image was removed while it was stored")),
        }
        sync_folder(folder)?;
        return Ok(is_new);
    }
}

struct FolderReader(tokio::fs::File);

#[async_trait]
impl ImageReader for FolderReader {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, PortError> {
        let mut bytes = Vec::with_capacity(READ_BYTES);
        let read = (&mut self.0).take(READ_BYTES as u64).read_to_end(&mut bytes).await;
        read.map_err(|error| port_error("reading an image", error))?;
        Ok((!bytes.is_empty()).then_some(bytes))
    }
}

/// Runs a blocking operation on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}

/// Returns `None` for a file or folder that does not exist.
fn if_exists<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    // A relative path with one part has an empty parent.
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    File::open(path)?.sync_all()
}

fn port_error(context: &str, error: io::Error) -> PortError {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PortErrorKind::Full,
        _ => PortErrorKind::Unavailable,
    };
    PortError::new(kind, context, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_old_leftovers_are_removed() {
        let data = tempfile::tempdir().unwrap();
        let uploads = data.path().join(UPLOADS);
        fs::create_dir_all(&uploads).unwrap();
        let (old, new) = (uploads.join("old"), uploads.join("new"));
        File::create(&new).unwrap();
        let long_ago = SystemTime::now() - MAX_UPLOAD_AGE - Duration::from_secs(60);
        File::create(&old).unwrap().set_modified(long_ago).unwrap();
        FolderImages::open(data.path().to_owned()).unwrap();
        assert_eq!((old.exists(), new.exists()), (false, true));
    }

    #[test]
    fn ids_that_differ_in_letter_case_have_folders_of_their_own() {
        let images = FolderImages { path: PathBuf::from("images") };
        let folder =
            |id: &str| images.folder(&ProductId::parse(id).unwrap()).to_string_lossy().to_lowercase();
        assert_ne!(folder("lamp"), folder("Lamp"));
        assert!(folder(&"a".repeat(128)).len() < 64);
    }
}
