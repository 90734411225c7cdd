//! Lines on standard output and standard error, for programs whose output may be piped into another program.
//!
//! `println!` and `eprintln!` panic if the reader has gone, as `head` does after its first lines.

/// Writes a formatted line to standard output. Does nothing if nobody reads it any more.
#[macro_export]
macro_rules! out_line {
    ($($argument:tt)*) => {
        $crate::console::write_line(std::io::stdout().lock(), format_args!($($argument)*))
    };
}

/// Writes a formatted line to standard error. Does nothing if nobody reads it any more.
#[macro_export]
macro_rules! err_line {
    ($($argument:tt)*) => {
        $crate::console::write_line(std::io::stderr().lock(), format_args!($($argument)*))
    };
}

/// Writes a line. A failure is ignored: there is nowhere left to report it.
pub fn write_line(mut to: impl std::io::Write, line: std::fmt::Arguments<'_>) {
    let _ = writeln!(to, "{line}");
}
