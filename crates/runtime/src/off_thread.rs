//! Runs the parsing of large inputs off the threads that serve connections.

use std::panic::resume_unwind;
use std::sync::{Arc, LazyLock};
use std::thread::available_parallelism;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The largest input that is parsed in place. The slowest input of this size, thousands of tiny fields, takes about half a
/// millisecond in a release build; handing it to another thread would take a tenth of that.
const MAX_BYTES_IN_PLACE: usize = 32 * 1024;

/// Permits for threads that parse, one for each processor and at least two: further large bodies wait instead of taking more memory.
static PERMITS: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(available_parallelism().map_or(2, |count| count.get().max(2)))));

/// Runs `work`, whose input has `bytes` bytes: in place if it is small, otherwise on a blocking thread, as many at a time as there
/// are processors. If the request is cancelled meanwhile, the work still runs to its end.
///
/// # Panics
/// Panics if `work` panics.
pub async fn off_thread<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    if bytes <= MAX_BYTES_IN_PLACE {
        return work();
    }
    // The semaphore is never closed.
    let permit = Arc::clone(&PERMITS).acquire_owned().await.ok();
    let span = tracing::Span::current();
    let task = spawn_blocking(move || {
        let _permit = permit;
        span.in_scope(work)
    });
    match task.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(result) => result,
        Err(Ok(panic)) => resume_unwind(panic),
        // The runtime shuts down, and this future with it.
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn large_inputs_are_parsed_on_another_thread() {
        let here = thread::current().id();
        assert_eq!(off_thread(MAX_BYTES_IN_PLACE, || thread::current().id()).await, here);
        assert_ne!(off_thread(MAX_BYTES_IN_PLACE + 1, || thread::current().id()).await, here);
    }

    #[tokio::test]
    async fn a_panic_reaches_the_caller() {
        let task = tokio::spawn(off_thread(usize::MAX, || panic!("a defect")));
        assert!(task.await.unwrap_err().is_panic());
    }
}
