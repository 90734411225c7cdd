//! A synchronisation: after the import, the products that the files do not have are deleted.
//!
//! The files are read twice: first for their ids, so that the guard is checked before anything is changed.

use domain::{MaxDelete, Product, Selection};
use feeds::{KnownIds, Preparer, Rules, unwrap_reject};

use super::options::Options;
use super::source::Source;
use crate::client::{Api, ProductPages, read_json};
use crate::delete::{Deleted, Deletion};
use crate::failure::{Context as _, Failure};

/// What a synchronisation deletes: products of the source that the files do not have.
pub(super) struct SyncPlan {
    known: KnownIds,
    source: Selection,
}

/// The products that a synchronisation would delete.
pub(super) struct Planned {
    /// Their number.
    deleted: u64,
    /// The number of all products of the source.
    all: u64,
}

impl SyncPlan {
    /// Reads the ids of all products of the files.
    ///
    /// # Errors
    /// If a file cannot be read, or has a product without a readable id: it may be any product of the catalogue.
    pub(super) async fn read(options: &Options) -> Result<Self, Failure> {
        let is_standard_input =
            |files: &Vec<std::path::PathBuf>| files.iter().any(|file| file.as_os_str() == "-");
        if matches!(&options.source, Source::Files(files) if is_standard_input(files)) {
            return Err(Failure::usage(
                "--sync reads each file twice, so it takes no standard input; name a file",
            ));
        }
        let sources = options.source_name.iter().map(ToString::to_string).collect();
        let options = options.clone();
        let known = tokio::task::spawn_blocking(move || read_ids(&options));
        let known = known.await.context(|| "reading the files".to_owned())??;
        Ok(Self { known, source: Selection { sources, ..Selection::default() } })
    }

    /// Counts the products to delete.
    ///
    /// # Errors
    /// If the catalogue cannot be read.
    pub(super) async fn count(&self, api: &dyn Api) -> Result<Planned, Failure> {
        let mut planned = Planned { deleted: 0, all: 0 };
        let mut pages = ProductPages::new(api);
        while let Some(page) = pages.next().await? {
            for json in &page {
                let product: Product = read_json(json.get().as_bytes(), "a product")?;
                planned.all += u64::from(self.source.accepts(&product));
                planned.deleted += u64::from(self.deletes(&product));
            }
        }
        Ok(planned)
    }

    /// Deletes the products.
    ///
    /// # Errors
    /// If the catalogue cannot be read or written.
    pub(super) async fn delete(&self, api: &dyn Api) -> Result<Deleted, Failure> {
        let mut deletion = Deletion::new(api);
        deletion.delete_selected(|product| self.deletes(product), |_| {}).await?;
        Ok(deletion.result)
    }

    fn deletes(&self, product: &Product) -> bool {
        self.source.accepts(product) && !self.known.contains(product.id.as_str())
    }
}

impl Planned {
    /// Checks the guard.
    ///
    /// # Errors
    /// If more products would be deleted than `max` allows.
    pub(super) fn check(&self, max: MaxDelete) -> Result<(), Failure> {
        let Self { deleted, all } = self;
        if max.allows(*deleted, *all) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{deleted} of {all} products are not in the files and would be deleted, more than the {max} that --max-delete allows; \
             nothing was changed. If the files are complete, run the command with a larger --max-delete"
        )))
    }
}

impl std::fmt::Display for Planned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} products are not in the files and would be deleted", self.deleted, self.all)
    }
}

fn read_ids(options: &Options) -> Result<KnownIds, Failure> {
    let mut known = KnownIds::default();
    for reader in options.source.readers(options.format, &options.table) {
        let mut reader = reader?;
        let rules = Rules { currency: options.currency, check: None, mode: reader.mode() };
        let mut preparer = Preparer::new(rules);
        while let Some(mut record) = reader.next_record()? {
            unwrap_reject(&mut record);
            let id = preparer.prepare(&record).map_or_else(|rejected| rejected.id, |prepared| prepared.id);
            match id {
                Some(id) => known.add(&id),
                None => {
                    let (file, line) = (reader.name(), record.line);
                    return Err(Failure::new(format!(
                        "{file}:{line}: the product has no readable id, so it may be any product; nothing was changed. Correct \
                         the line, or leave it out"
                    )));
                }
            }
        }
    }
    known.finish();
    Ok(known)
}
