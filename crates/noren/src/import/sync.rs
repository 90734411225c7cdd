//! `--sync`: deletes the products that are not in the files, after the import.
//!
//! The files are read twice: first for their ids, so that the guard is checked before anything is changed. A product is deleted only
//! in the version that was found then, so a product that another program writes meanwhile stays.

use std::fmt;

use domain::input::DeleteInput;
use domain::{MaxDelete, Product, Selection};
use feeds::{Known, KnownProducts, Preparer, Rules, unwrap_reject};

use super::options::Options;
use super::source::Source;
use crate::client::{Api, ProductPages};
use crate::delete::{Deleted, Deletion};
use crate::failure::{Context as _, Failure};

/// The deletes of a synchronisation.
pub(super) struct SyncPlan {
    deletes: Vec<DeleteInput>,
    /// The number of stored products of the source.
    total: u64,
}

impl SyncPlan {
    /// Finds the products of the source that are not in the files.
    ///
    /// # Errors
    /// If a file is standard input or cannot be read, a row may be any product, a product has another id in the files, or the
    /// catalogue cannot be read.
    pub(super) async fn new(options: &Options, api: &dyn Api) -> Result<Self, Failure> {
        let is_standard_input =
            |files: &Vec<std::path::PathBuf>| files.iter().any(|file| file.as_os_str() == "-");
        if matches!(&options.source, Source::Files(files) if is_standard_input(files)) {
            return Err(Failure::usage(
                "--sync reads each file twice, so it takes no standard input; name a file",
            ));
        }
        let sources = options.source_name.iter().map(ToString::to_string).collect();
        let source = Selection { sources, ..Selection::default() };
        let options = options.clone();
        let known = tokio::task::spawn_blocking(move || read_ids(&options));
        let known = known.await.context(|| "reading the files".to_owned())??;
        let mut plan = Self { deletes: Vec::new(), total: 0 };
        let mut pages = ProductPages::new(api);
        while let Some(products) = pages.next_products().await? {
            for product in products.into_iter().filter(|product| source.accepts(product)) {
                plan.total += 1;
                match known.find(&product) {
                    Known::Yes => {}
                    Known::No => {
                        plan.deletes.push(DeleteInput { id: product.id, if_version: Some(product.version) });
                    }
                    Known::UnderAnotherId => return Err(Failure::new(under_another_id(&product))),
                }
            }
        }
        Ok(plan)
    }

    /// Checks the guard.
    ///
    /// # Errors
    /// If more products would be deleted than `max` allows.
    pub(super) fn check(&self, max: MaxDelete) -> Result<(), Failure> {
        if max.allows(self.deletes.len() as u64, self.total) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "{self}, more than the {max} that --max-delete allows; nothing was changed. If the files are complete, run the command with \
             a larger --max-delete"
        )))
    }

    /// Deletes the products.
    ///
    /// # Errors
    /// If the catalogue cannot be written.
    pub(super) async fn delete(&self, api: &dyn Api) -> Result<Deleted, Failure> {
        let mut deletion = Deletion::new(api);
        deletion.delete(&self.deletes).await?;
        Ok(deletion.result)
    }
}

impl fmt::Display for SyncPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (deletes, total) = (self.deletes.len(), self.total);
        write!(f, "{deletes} of {total} products are not in the files and would be deleted")
    }
}

fn read_ids(options: &Options) -> Result<KnownProducts, Failure> {
    let mut known = KnownProducts::default();
    for reader in options.source.readers(options.format, &options.table) {
        let mut reader = reader?;
        known.begin_file();
        // Checks rows as an import job does: a row with faults counts for a product only if it identifies it.
        let check = options.check.or(options.table.currency);
        let rules = Rules { currency: options.currency, check, mode: reader.mode() };
        let mut preparer = Preparer::new(rules);
        while let Some(mut record) = reader.next_record()? {
            unwrap_reject(&mut record);
            let added = known.add_record(&record, &mut preparer);
            added.map_err(|error| {
                Failure::new(format!("{}:{}: the product {error}", reader.name(), error.line))
            })?;
        }
    }
    if known.is_empty() {
        return Err(Failure::new(
            "the files have no product without faults, so nothing was changed; `noren delete --all` deletes all",
        ));
    }
    known.finish();
    Ok(known)
}

fn under_another_id(product: &Product) -> String {
    format!(
        "product {} is not in the files, but its sku is, under another id; nothing was changed. If the ids have changed, delete the old \
         products before, with `noren delete`",
        product.id
    )
}
