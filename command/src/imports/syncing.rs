//! The planning step of a synchronisation: adds a delete line for each stored product of the source that is not in the file.
//!
//! 1. The ids of the file are read. A record without a readable id fails the job, because it may stand for any product. So does a stored
//!    product whose sku the file has under another id: that record could not be written while the product is there.
//! 2. The store is scanned. Each product of the source that the file lacks becomes a line that deletes it in the version that was found.
//! 3. More deletes than the guard allows fail the job. Nothing was changed until then.
//! 4. The delete lines are appended to the lines of the file, durably. The job then applies all of them like any other job.

use std::io::Write as _;
use std::sync::Arc;

use domain::ports::{ListError, ProductPage};
use domain::{MaxDelete, Product, Selection};
use feeds::{IdOrigin, Known, KnownProducts, Unidentified};
use runtime::off_thread;

use super::deletes::{PAGE, delete_line};
use super::runner::{Halt, Run, UNREADABLE, is_cut_off, on_thread};
use crate::converted_record::ConvertedRecord;
use crate::lines::{BATCH_LINES, Line};

/// The size of a plan.
struct Planned {
    /// The number of products to delete.
    deletes: u64,
    /// The number of stored products of the source.
    total: u64,
    /// The length of the appended lines in bytes.
    bytes: u64,
}

impl Run<'_> {
    /// Plans the deletes of a synchronisation. Does nothing for other jobs, or if the plan is already durable.
    pub(super) async fn plan_sync(&mut self) -> Result<(), Halt> {
        let Some(max_delete) = self.reached.max_delete_to_plan() else { return Ok(()) };
        let end = self.reached.bytes_of_lines();
        self.write_lines(String::new(), end, false).await?;
        let known = self.read_products().await?;
        let Planned { deletes, total, bytes } = self.add_deletes(&known, end).await?;
        if !max_delete.allows(deletes, total) {
            return Err(Halt::Failed(refusal(deletes, total, max_delete)));
        }
        self.reached.plan_sync(bytes);
        self.save(Vec::new()).await
    }

    async fn read_products(&mut self) -> Result<KnownProducts, Halt> {
        let is_converted = self.reached.converted.is_some();
        let (mut known, mut lines) = (KnownProducts::default(), self.open().await?);
        while let Some(batch) = lines.next_lines(BATCH_LINES).await {
            if self.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            if is_cut_off(&batch) {
                self.wait(UNREADABLE).await?;
                (known, lines) = (KnownProducts::default(), self.open().await?);
                continue;
            }
            let bytes = batch.iter().map(|line| line.text.as_ref().map_or(0, |text| text.len())).sum();
            let add = move || {
                let unknown = batch.iter().find_map(|line| add_line(&mut known, line, is_converted).err());
                (known, unknown)
            };
            let (read, unknown) = off_thread(bytes, add).await;
            known = read;
            if let Some(unknown) = unknown {
                return Err(Halt::Failed(format!("line {} {unknown}", unknown.line)));
            }
        }
        if known.is_empty() {
            let message = "the file has no product without faults, so nothing was changed; DELETE /products deletes all";
            return Err(Halt::Failed(message.to_owned()));
        }
        known.finish();
        Ok(known)
    }

    async fn add_deletes(&mut self, known: &KnownProducts, end: u64) -> Result<Planned, Halt> {
        let selection =
            Selection { sources: self.reached.source.iter().cloned().collect(), ..Selection::default() };
        let is_converted = self.reached.converted.is_some();
        let mut planned = Planned { deletes: 0, total: 0, bytes: 0 };
        let mut cursor = None;
        loop {
            let page = self.read_page(cursor.as_deref()).await?;
            // The last line of an upload may lack its line break. Empty lines are skipped.
            let mut lines = if planned.bytes == 0 { "\n".to_owned() } else { String::new() };
            for product in page.products.iter().filter(|product| selection.accepts(product)) {
                planned.total += 1;
                match known.find(product) {
                    Known::Yes => {}
                    Known::No => {
                        planned.deletes += 1;
                        lines.push_str(&line_of(product, is_converted));
                    }
                    Known::UnderAnotherId => return Err(Halt::Failed(under_another_id(product))),
                }
            }
            let (is_last, at) = (page.next.is_none(), end + planned.bytes);
            planned.bytes += lines.len() as u64;
            self.write_lines(lines, at, is_last).await?;
            cursor = page.next;
            if is_last {
                return Ok(planned);
            }
        }
    }

    /// Reads a page of the store, and retries while the store fails.
    async fn read_page(&mut self, cursor: Option<&str>) -> Result<ProductPage, Halt> {
        loop {
            if self.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            match self.table.catalogue.list(cursor, PAGE).await {
                Ok(page) => return Ok(page),
                Err(ListError::Failed(error)) => self.wait(&error.chain()).await?,
                Err(error @ ListError::UnknownCursor) => return Err(Halt::Failed(error.to_string())),
            }
        }
    }

    /// Cuts the file of lines to `at` bytes and appends `lines`. They are durable once the last page is written.
    async fn write_lines(&mut self, lines: String, at: u64, is_last: bool) -> Result<(), Halt> {
        let lines = Arc::new(lines);
        loop {
            let (entry, lines) = (Arc::clone(&self.entry), Arc::clone(&lines));
            let written = on_thread(move || {
                entry.folder.truncate_lines(at)?;
                entry.folder.check_room(lines.len() as u64)?;
                let mut file = entry.folder.append_to_lines()?;
                file.write_all(lines.as_bytes())?;
                if is_last { file.sync_all() } else { Ok(()) }
            });
            match written.await {
                Ok(()) => return Ok(()),
                Err(_) if self.entry.is_removed() => return Err(Halt::Removed),
                Err(error) => self.wait(&format!("its lines cannot be written: {error}")).await?,
            }
        }
    }
}

/// Adds the product of a line.
///
/// # Errors
/// The reason, with the line of the uploaded file, if the line may be any product.
fn add_line(known: &mut KnownProducts, line: &Line, is_converted: bool) -> Result<(), Unidentified> {
    let text = line.text.as_deref().unwrap_or_default();
    if !is_converted {
        return known.add(text, IdOrigin::Given, line.number);
    }
    // A line that is no record has no id.
    let Ok(record) = ConvertedRecord::parse(text) else {
        return known.add(b"", IdOrigin::Given, line.number);
    };
    match record.product {
        Some(product) => known.add(product.get().as_bytes(), record.origin, record.line),
        None => known.add_named(record.id.as_deref(), record.sku.as_deref(), record.origin, record.line),
    }
}

/// Returns the line that deletes a product, in the form of the other lines of the job.
fn line_of(product: &Product, is_converted: bool) -> String {
    let line = delete_line(product);
    if is_converted { format!("{{\"line\":0,\"product\":{}}}\n", line.trim_end()) } else { line }
}

fn refusal(deletes: u64, total: u64, max_delete: MaxDelete) -> String {
    format!(
        "{deletes} of {total} products are not in the file and would be deleted, more than the {max_delete} that maxDelete allows; \
         nothing was changed. If the file is complete, import it with a larger maxDelete"
    )
}

fn under_another_id(product: &Product) -> String {
    format!(
        "product {} is not in the file, but its sku is, under another id; nothing was changed. If the ids have changed, delete the old \
         products before",
        product.id
    )
}
