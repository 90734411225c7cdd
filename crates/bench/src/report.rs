//! The figures of a run: printed as they are measured, and written to a file at the end.

use std::path::Path;

use crate::error::BenchError;
use crate::figures::{Figures, Measurement};
use crate::machine::Memory;

/// Rows of the file of figures. The names of figures are part of its format: docs/plots/plot.py reads them.
#[derive(Default)]
pub(crate) struct Report(String);

impl Report {
    /// Prints and records the figures of a measurement.
    pub(crate) fn figures(&mut self, name: &str, figures: &Figures) {
        runtime::out_line!("{name}: {figures}");
        self.0.push_str(&figures.rows(name));
    }

    /// Prints and records the figures of several measurements under their own names.
    pub(crate) fn measurements(&mut self, measurements: &[Measurement]) {
        for measurement in measurements {
            self.figures(measurement.name, &measurement.figures());
        }
    }

    /// Prints and records a single value. `unit` is printed only.
    pub(crate) fn value(&mut self, name: &str, value: f64, unit: &str) {
        runtime::out_line!("{name}: {value:.2}{unit}");
        self.0.push_str(&format!("{name},value,{value:.3}\n"));
    }

    /// Prints and records the memory of this process, where the system reports it.
    pub(crate) fn memory(&mut self, after: &str) {
        if let Some(memory) = Memory::now() {
            runtime::out_line!("memory after the {after}: {memory}");
            self.0.push_str(&format!("peak memory after the {after},bytes,{}\n", memory.peak));
        }
    }

    /// Writes the figures to a file, if one is wanted.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn save(&self, path: Option<&Path>) -> Result<(), BenchError> {
        let Some(path) = path else { return Ok(()) };
        let text = format!("name,measure,value\n{}", self.0);
        std::fs::write(path, text).map_err(BenchError::file("writing", path))
    }
}
