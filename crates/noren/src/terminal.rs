//! Output to the terminal.

use std::io::Write as _;

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::{Context as _, Failure};

/// Writes a text and a line break, if it has none at its end, to standard output.
///
/// # Errors
/// If nobody reads the output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let line_break = if text.ends_with('\n') { "" } else { "\n" };
    write!(std::io::stdout(), "{text}{line_break}").context(|| "writing to standard output".to_owned())
}

/// Prints the response of a service: as it is, or rendered for people.
///
/// # Errors
/// If the response cannot be rendered, or nobody reads the output.
pub(crate) fn print_response(
    body: &[u8],
    is_json: bool,
    render: impl FnOnce(&[u8]) -> Result<String, Failure>,
) -> Result<(), Failure> {
    match is_json {
        true => print(&String::from_utf8_lossy(body)),
        false => print(&render(body)?),
    }
}

/// Creates a table that fits the terminal.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header);
    table
}

/// Sets the template of a progress bar. A bar shows nothing unless standard error is a terminal.
pub(crate) fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
