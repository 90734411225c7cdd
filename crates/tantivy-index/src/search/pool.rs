//! The threads that search. A search is CPU-bound and must not block tokio's other tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use domain::ports::{PortError, PortErrorKind};
use tokio::sync::oneshot;

use crate::search::deadline::Deadline;

/// A fixed number of threads with one bounded queue. The threads end when the pool is dropped.
pub(crate) struct Pool {
    jobs: SyncSender<Job>,
    timeout: Duration,
}

type Job = Box<dyn FnOnce() + Send>;

impl Pool {
    /// Starts the threads. At most `max_waiting` jobs wait for a thread; further ones are rejected. `timeout` limits the time
    /// of a job, including its wait.
    pub(crate) fn start(threads: usize, max_waiting: usize, timeout: Duration) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(max_waiting.max(1));
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("search-{number}")).spawn(move || run_jobs(&queue))?;
        }
        Ok(Self { jobs, timeout })
    }

    /// Runs `job` on a thread of the pool and returns its result.
    ///
    /// # Errors
    /// [`PortErrorKind::Throttled`] if too many jobs are waiting, [`PortErrorKind::Unavailable`] if the job misses its
    /// deadline, and the errors of the job itself.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(Deadline) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let deadline = Deadline::after(self.timeout);
        let (reply, replied) = oneshot::channel();
        let job = move || {
            if reply.is_closed() {
                return;
            }
            // A panic must not end the thread.
            let result = catch_unwind(AssertUnwindSafe(|| job(deadline)));
            let panicked = |_| Err(PortError::bare(PortErrorKind::Internal, "a search panicked"));
            // The caller may have stopped waiting.
            let _ = reply.send(result.unwrap_or_else(panicked));
        };
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => {
                PortError::bare(PortErrorKind::Throttled, "too many searches are waiting")
            }
            TrySendError::Disconnected(_) => {
                PortError::bare(PortErrorKind::Internal, "all search threads have ended")
            }
        })?;
        match tokio::time::timeout_at(deadline.instant().into(), replied).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(PortError::bare(PortErrorKind::Internal, "a search ended without a result")),
            Err(_) => Err(Deadline::error()),
        }
    }
}

fn run_jobs(queue: &Mutex<Receiver<Job>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match next {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_fit_is_throttled_and_what_panics_costs_no_thread() {
        let pool = Pool::start(1, 1, Duration::from_secs(20)).unwrap();
        let (started, has_started) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let busy = pool.run(move |_| {
            started.send(()).unwrap();
            released.recv().unwrap();
            Ok(1)
        });
        let mut busy = Box::pin(busy);
        assert!(poll_once(&mut busy).await.is_none());
        has_started.recv().unwrap();
        let mut waiting = Box::pin(pool.run(|_| -> Result<i32, PortError> { panic!("on purpose") }));
        assert!(poll_once(&mut waiting).await.is_none());
        assert_eq!(pool.run(|_| Ok(3)).await.unwrap_err().kind, PortErrorKind::Throttled);
        release.send(()).unwrap();
        assert_eq!(busy.await.unwrap(), 1);
        assert_eq!(waiting.await.unwrap_err().kind, PortErrorKind::Internal);
        assert_eq!(pool.run(|_| Ok(4)).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_job_has_a_deadline() {
        let pool = Pool::start(1, 1, Duration::from_millis(20)).unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let error = pool.run(move |_| Ok(released.recv().is_ok())).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unavailable);
        drop(release);
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
