//! The first step of a job whose lines cannot be applied as they are: converts its file.

use std::sync::Arc;

use super::checkpoint::{ConvertedLines, MAX_ENDED_RUNS};
use super::conversion::{NotConverted, Target, convert};
use super::runner::{Halt, Run, on_thread};

impl Run<'_> {
    /// Converts the file of the job unless it was converted before. A file that ends the process twice fails the job.
    pub(super) async fn convert(&mut self) -> Result<(), Halt> {
        let Some(options) = self.reached.conversion.clone().filter(|_| self.reached.converted.is_none())
        else {
            return Ok(());
        };
        if self.reached.runs_here >= MAX_ENDED_RUNS {
            let message =
                "the process ended twice while it read the file; send it in parts, or convert it to NDJSON";
            return Err(Halt::Failed(message.to_owned()));
        }
        self.reached.runs_here += 1;
        self.is_counted = true;
        self.save(Vec::new()).await?;
        let target = Target {
            currency: self.table.catalogue.currency(),
            language: self.table.language(),
            max_bytes: self.table.max_bytes(),
        };
        let (entry, stop) = (Arc::clone(&self.entry), self.stop.clone());
        let converted = on_thread(move || {
            let is_stopped = || stop.is_cancelled() || entry.is_removed();
            Ok(convert(&entry.folder, &options, target, is_stopped))
        });
        let converted = match converted.await {
            Ok(Ok(converted)) => converted,
            _ if self.entry.is_removed() => return Err(Halt::Removed),
            Ok(Err(NotConverted::Stopped)) => return Err(Halt::Stopped),
            Ok(Err(NotConverted::Refused(reason))) => return Err(Halt::Failed(reason)),
            Err(error) => return Err(Halt::Failed(format!("the file cannot be read: {error}"))),
        };
        self.reached.converted = Some(ConvertedLines { bytes: converted.bytes, bytes_done: 0 });
        self.reached.job.mode = Some(converted.mode);
        self.reached.runs_here = 0;
        self.save(Vec::new()).await
    }
}
