//! The report of an import on standard error and in rejects files.

use feeds::{Format, Rejects, RejectsNames, TableReport, describe_fault};
use indicatif::ProgressBar;

use super::candidate::Candidate;
use super::mapping_text::mapping_text;
use super::options::Options;
use super::summary::Summary;
use crate::failure::Failure;
use crate::terminal::styled;

/// Number of rejected products whose faults are printed. The others are counted.
const MAX_PRINTED_FAULTS: u64 = 20;

/// A step of the pipeline.
pub(super) enum Step {
    /// A file begins.
    File { name: String, stem: String, format: Format, header: Option<csv::ByteRecord> },
    /// Products of that file, and the number of bytes read from all files so far.
    Batch { candidates: Vec<Candidate>, bytes_read: u64 },
    /// The file ends, with the report on its columns and warnings about its rows.
    End { report: Option<TableReport>, is_of_noren: bool, notes: Vec<String> },
}

/// Counts outcomes, reports faults, and writes the rejects files.
pub(super) struct Reporter {
    names: RejectsNames,
    rejects: Option<Rejects>,
    /// False for a dry run without a path for rejects: a dry run must not replace the rejects of an import.
    writes_rejects: bool,
    file: String,
    /// The mappings of the files, printed at the end.
    mappings: Vec<String>,
    summary: Summary,
    progress: ProgressBar,
    is_quiet: bool,
}

impl Reporter {
    pub(super) fn new(options: &Options, is_dry_run: bool) -> Self {
        Self {
            names: RejectsNames::new(options.rejects_folder.clone(), options.rejects.clone()),
            rejects: None,
            writes_rejects: !is_dry_run || options.rejects.is_some(),
            file: String::new(),
            mappings: Vec::new(),
            summary: Summary { is_dry_run, ..Summary::default() },
            progress: progress_bar(options),
            is_quiet: options.is_quiet,
        }
    }

    /// Reports the next step.
    ///
    /// # Errors
    /// If a rejects file cannot be written.
    pub(super) fn report(&mut self, step: Step) -> Result<(), Failure> {
        match step {
            Step::File { name, stem, format, header } => {
                self.finish_rejects()?;
                let path = self.names.next(&stem, format);
                self.rejects = self.writes_rejects.then(|| Rejects::new(&name, path, header.as_ref()));
                self.file = name;
            }
            Step::End { report, is_of_noren, notes } => {
                let file = &self.file;
                // A file in Noren's own form needs no report, except in a dry run or if costs are left out.
                let is_shown = |report: &TableReport| {
                    !is_of_noren || self.summary.is_dry_run || report.leaves_out_costs()
                };
                let report = report.filter(is_shown);
                self.mappings.extend(report.map(|report| mapping_text(file, &report)));
                self.mappings.extend(notes.iter().map(|note| format!("{file}: {note}")));
            }
            Step::Batch { candidates, bytes_read } => {
                for candidate in &candidates {
                    self.report_candidate(candidate)?;
                }
                self.progress.set_position(bytes_read);
                let products = self.summary.accepted() + self.summary.rejected;
                let rate = products as f64 / self.progress.elapsed().as_secs_f64().max(1e-3);
                self.progress.set_message(format!("{products} products, {rate:.0}/s"));
            }
        }
        Ok(())
    }

    fn report_candidate(&mut self, candidate: &Candidate) -> Result<(), Failure> {
        match candidate.outcome {
            Some(outcome) => self.summary.count(outcome),
            None if candidate.faults.is_empty() => self.summary.checked += 1,
            None => {
                self.summary.rejected += 1;
                self.print_faults(candidate);
                if let Some(rejects) = &mut self.rejects {
                    rejects.write(&candidate.record, &candidate.faults)?;
                }
            }
        }
        Ok(())
    }

    fn print_faults(&mut self, candidate: &Candidate) {
        if self.is_quiet || self.summary.rejected > MAX_PRINTED_FAULTS {
            return;
        }
        let faults: Vec<String> = candidate.faults.iter().map(describe_fault).collect();
        let (file, line) = (&self.file, candidate.record.line);
        self.progress.suspend(|| {
            for fault in faults {
                runtime::err_line!("{file}:{line}: {fault}");
            }
        });
    }

    fn finish_rejects(&mut self) -> Result<(), Failure> {
        if let Some(rejects) = self.rejects.take() {
            self.summary.rejects.extend(rejects.finish()?);
        }
        Ok(())
    }

    /// Ends the report and returns the counts.
    ///
    /// # Errors
    /// If a rejects file cannot be written.
    pub(super) fn finish(mut self) -> Result<Summary, Failure> {
        self.finish_rejects()?;
        self.progress.finish_and_clear();
        if !self.is_quiet {
            self.mappings.iter().for_each(|text| runtime::err_line!("{text}"));
        }
        let unprinted = self.summary.rejected.saturating_sub(MAX_PRINTED_FAULTS);
        if unprinted > 0 && !self.is_quiet {
            runtime::err_line!("and {unprinted} more products with faults");
        }
        Ok(self.summary)
    }
}

/// Creates a bar over the bytes of all files, which are known in advance, unlike the number of products.
fn progress_bar(options: &Options) -> ProgressBar {
    if options.is_quiet {
        return ProgressBar::hidden();
    }
    let (bar, template) = match options.source.bytes() {
        Some(bytes) => {
            (ProgressBar::new(bytes), "{wide_bar} {percent}%  {msg}, {elapsed} elapsed, {eta} left")
        }
        None => (ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed} elapsed"),
    };
    styled(bar, template)
}
