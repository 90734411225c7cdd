//! The step of a job that makes the catalogue equal to its file: a line is added for each product that the file lacks.
//!
//! 1. The ids of the file are read. A record without a readable id fails the job, because it may stand for any product.
//! 2. The store is scanned. Each product of the source that the file lacks becomes a line that deletes it in the version that was found.
//! 3. More deletes than the guard allows fail the job. Nothing was changed until then.
//! 4. The lines are kept behind those of the file, durably. From then on the job is like every other one.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use domain::ports::{ListError, ProductPage};
use domain::{MaxDelete, Product, Selection};
use feeds::KnownIds;
use runtime::off_thread;
use serde::Deserialize;

use super::deletes::{PAGE, delete_line};
use super::runner::{Halt, Run, UNREADABLE, is_cut_off, on_thread};
use crate::converted_record::ConvertedRecord;
use crate::lines::{BATCH_LINES, Line};

/// The deletes of a synchronisation.
struct Deletes {
    /// The number of products to delete.
    deleted: u64,
    /// The number of products of the source before.
    all: u64,
    /// The bytes of their lines.
    bytes: u64,
}

impl Run<'_> {
    /// Plans the deletes, unless the job is no synchronisation or they are planned already.
    pub(super) async fn plan_sync(&mut self) -> Result<(), Halt> {
        let Some(max_delete) = self.reached.max_delete_to_plan() else { return Ok(()) };
        let end = self.reached.bytes_of_lines();
        self.truncate_lines(end).await?;
        let known = self.read_ids().await?;
        let Deletes { deleted, all, bytes } = self.add_deletes(&known, end).await?;
        if !max_delete.allows(deleted, all) {
            return Err(Halt::Failed(refusal(deleted, all, max_delete)));
        }
        self.reached.plan_sync(bytes);
        self.save(Vec::new()).await
    }

    /// Removes the lines of a plan that was not finished.
    async fn truncate_lines(&mut self, end: u64) -> Result<(), Halt> {
        loop {
            let entry = Arc::clone(&self.entry);
            match on_thread(move || entry.folder.truncate_lines(end)).await {
                Ok(()) => return Ok(()),
                Err(_) if self.entry.is_removed() => return Err(Halt::Removed),
                Err(error) => self.wait(&format!("its lines cannot be written: {error}")).await?,
            }
        }
    }

    async fn read_ids(&mut self) -> Result<KnownIds, Halt> {
        let is_converted = self.reached.converted.is_some();
        let (mut known, mut lines) = (KnownIds::default(), self.open().await?);
        while let Some(batch) = lines.next_lines(BATCH_LINES).await {
            if self.stop.is_cancelled() {
                return Err(Halt::Stopped);
            }
            if is_cut_off(&batch) {
                self.wait(UNREADABLE).await?;
                (known, lines) = (KnownIds::default(), self.open().await?);
                continue;
            }
            let bytes = batch.iter().map(|line| line.text.as_ref().map_or(0, |text| text.len())).sum();
            let ids = off_thread(bytes, move || batch.iter().map(|line| id_of(line, is_converted)).collect());
            let ids: Vec<Result<String, u64>> = ids.await;
            for id in ids {
                known.add(&id.map_err(|line| Halt::Failed(unknown_id(line)))?);
            }
        }
        known.finish();
        Ok(known)
    }

    async fn add_deletes(&mut self, known: &KnownIds, end: u64) -> Result<Deletes, Halt> {
        let selection =
            Selection { sources: self.reached.source.iter().cloned().collect(), ..Selection::default() };
        let is_converted = self.reached.converted.is_some();
        let mut deletes = Deletes { deleted: 0, all: 0, bytes: 0 };
        let mut cursor = None;
        loop {
            let page = self.read_page(cursor.as_deref()).await?;
            let mut lines = if deletes.bytes == 0 { "\n".to_owned() } else { String::new() };
            for product in page.products.iter().filter(|product| selection.accepts(product)) {
                deletes.all += 1;
                if !known.contains(product.id.as_str()) {
                    deletes.deleted += 1;
                    lines.push_str(&line_of(product, is_converted));
                }
            }
            deletes.bytes += lines.len() as u64;
            let (is_last, at) = (page.next.is_none(), end + deletes.bytes - lines.len() as u64);
            self.write_lines(lines, at, is_last).await?;
            cursor = page.next;
            if is_last {
                return Ok(deletes);
            }
        }
    }

    /// Reads a page of the store, as often as it takes.
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

    /// Writes lines at a byte of the file, after which there are none.
    async fn write_lines(&mut self, lines: String, at: u64, is_last: bool) -> Result<(), Halt> {
        let lines = Arc::new(lines);
        loop {
            let (entry, lines) = (Arc::clone(&self.entry), Arc::clone(&lines));
            let written = on_thread(move || {
                entry.folder.truncate_lines(at)?;
                let mut file: File = entry.folder.append_to_lines()?;
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

/// Returns the id of a line, or the number of a line without a readable one.
fn id_of(line: &Line, is_converted: bool) -> Result<String, u64> {
    #[derive(Deserialize)]
    struct WithId {
        id: String,
    }
    let text = line.text.as_ref().map_err(|_| line.number)?;
    let of_json = |json: &[u8]| serde_json::from_slice(json).map(|WithId { id }| id).map_err(|_| line.number);
    if !is_converted {
        return of_json(text);
    }
    let record = ConvertedRecord::parse(text).map_err(|_| line.number)?;
    match (record.id, record.product) {
        (Some(id), _) => Ok(id.into_owned()),
        (None, Some(product)) => of_json(product.get().as_bytes()).map_err(|_| record.line),
        (None, None) => Err(record.line),
    }
}

/// Returns the line that deletes a product, in the form of the other lines of the job.
fn line_of(product: &Product, is_converted: bool) -> String {
    let line = delete_line(product);
    if is_converted { format!("{{\"line\":0,\"product\":{}}}\n", line.trim_end()) } else { line }
}

fn unknown_id(line: u64) -> String {
    format!(
        "line {line} has no readable id, so it may be any product; nothing was changed. Correct the line, or leave it out"
    )
}

fn refusal(deleted: u64, all: u64, max_delete: MaxDelete) -> String {
    format!(
        "{deleted} of {all} products are not in the file and would be deleted, more than the {max_delete} that maxDelete allows; \
         nothing was changed. If the file is complete, import it with a larger maxDelete"
    )
}
