//! Records the durations of tests, for the table that `tests/times.rs` prints after a run.
//!
//! libtest reports no times on stable Rust. Each test runs in a thread of its own that has its name, so a thread-local
//! value that is dropped when the thread ends knows the name and the time. A test is recorded if it uses anything that
//! calls [`record`]: a server, a process, an index or the service. That covers every test that takes long.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

/// The file of this run. Each line has the name of a test and its seconds.
const FILE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/test-times.tsv");

struct Recording {
    begun: Instant,
}

thread_local! {
    static RECORDING: Recording = Recording { begun: Instant::now() };
}

/// Starts recording the test of this thread unless that has been done.
pub(crate) fn record() {
    RECORDING.with(|_| {});
}

impl Drop for Recording {
    fn drop(&mut self) {
        // Threads without a test, such as those of tokio, have names without a path.
        let thread = std::thread::current();
        let Some(name) = thread.name().filter(|name| name.contains("::")) else { return };
        static TIMES: OnceLock<Option<Mutex<File>>> = OnceLock::new();
        if let Some(file) = TIMES.get_or_init(|| File::create(FILE).ok().map(Mutex::new))
            && let Ok(mut file) = file.lock()
        {
            let _ = writeln!(file, "{name}\t{:.3}", self.begun.elapsed().as_secs_f64());
        }
    }
}
