//! The arguments that name a catalogue.

use std::path::PathBuf;

use clap::Args;

use super::access::Access;
use super::handle::CatalogueHandle;
use crate::failure::Failure;

/// A catalogue: a running service, a data folder, or the configured back ends.
#[derive(Debug, Clone, Default, Args)]
pub struct Target {
    /// Address of a running service [default: that of `noren login`, or http://127.0.0.1:8080]
    #[arg(long, value_name = "URL", conflicts_with_all = ["data_dir", "back_ends"])]
    pub url: Option<String>,
    /// Open this data folder in this process, without a service
    #[arg(long, value_name = "DIR", conflicts_with = "back_ends")]
    pub data_dir: Option<PathBuf>,
    /// Open the store, queue and index that NOREN_STORE, NOREN_QUEUE, NOREN_INDEX and the related variables name, as the
    /// services do
    #[arg(long)]
    pub back_ends: bool,
    /// File with the API key for the service; NOREN_API_KEY_FILE names one too, NOREN_API_KEY is the key itself, and
    /// `noren login` stores one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data_dir", "back_ends"])]
    pub api_key_file: Option<PathBuf>,
}

impl Target {
    /// Opens the catalogue, passes it to `command`, and closes it afterwards, also after an error.
    ///
    /// # Errors
    /// If the catalogue cannot be opened, or `command` returns an error.
    pub async fn with<T>(
        &self,
        access: Access,
        command: impl AsyncFnOnce(&CatalogueHandle) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let catalogue = match (&self.data_dir, self.back_ends) {
            (Some(folder), _) => CatalogueHandle::of_folder(folder, access).await?,
            (None, true) => CatalogueHandle::of_configured_back_ends(access).await?,
            (None, false) => CatalogueHandle::of_service(self.url.as_deref(), self.api_key_file.as_deref())?,
        };
        let result = command(&catalogue).await;
        catalogue.close().await;
        result
    }
}
