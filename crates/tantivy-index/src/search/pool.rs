//! Threads of the searcher's own: searching is work for a processor, which must not stand in the way of tokio's
//! other tasks.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use domain::ports::{PortError, PortErrorKind};
use tokio::sync::oneshot;

/// A fixed number of threads before one bounded queue. They end when the pool is dropped.
pub(crate) struct Pool {
    jobs: SyncSender<Job>,
    patience: Duration,
}

type Job = Box<dyn FnOnce() + Send>;

impl Pool {
    /// `waiting` jobs may wait for one of the `threads`; a job that takes longer than `patience`, with the waiting,
    /// is given up.
    pub(crate) fn start(threads: usize, waiting: usize, patience: Duration) -> std::io::Result<Self> {
        let (jobs, queue) = sync_channel(waiting.max(1));
        let queue = Arc::new(Mutex::new(queue));
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("search-{number}")).spawn(move || work(&queue))?;
        }
        Ok(Self { jobs, patience })
    }

    /// Runs `job` on a thread of the pool. It gets the moment at which nobody waits for it any more.
    ///
    /// # Errors
    /// [`PortErrorKind::Throttled`] when too many wait already, [`PortErrorKind::Unavailable`] when time runs
    /// out, and what the job answers itself.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(Instant) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let deadline = Instant::now() + self.patience;
        let (answer, answered) = oneshot::channel();
        let job = move || {
            if answer.is_closed() {
                return;
            }
            // A panic must not cost the pool its thread.
            let result = catch_unwind(AssertUnwindSafe(|| job(deadline)));
            let panicked = |_| Err(PortError::bare(PortErrorKind::Internal, "a search panicked"));
            // The caller may have gone away, which is its right.
            let _ = answer.send(result.unwrap_or_else(panicked));
        };
        self.jobs.try_send(Box::new(job)).map_err(|error| match error {
            TrySendError::Full(_) => {
                PortError::bare(PortErrorKind::Throttled, "too many searches wait already")
            }
            TrySendError::Disconnected(_) => {
                PortError::bare(PortErrorKind::Internal, "no search thread is left")
            }
        })?;
        match tokio::time::timeout_at(deadline.into(), answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(PortError::bare(PortErrorKind::Internal, "a search was dropped unanswered")),
            Err(_) => Err(out_of_time()),
        }
    }
}

/// The error of a search that took too long.
pub(crate) fn out_of_time() -> PortError {
    PortError::bare(PortErrorKind::Unavailable, "the search took too long and was given up")
}

fn work(queue: &Mutex<Receiver<Job>>) {
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
        assert!(futures_poll(&mut busy).await.is_none());
        has_started.recv().unwrap();
        let mut waiting = Box::pin(pool.run(|_| -> Result<i32, PortError> { panic!("on purpose") }));
        assert!(futures_poll(&mut waiting).await.is_none());
        assert_eq!(pool.run(|_| Ok(3)).await.unwrap_err().kind, PortErrorKind::Throttled);
        release.send(()).unwrap();
        assert_eq!(busy.await.unwrap(), 1);
        assert_eq!(waiting.await.unwrap_err().kind, PortErrorKind::Internal);
        assert_eq!(pool.run(|_| Ok(4)).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn a_job_has_its_time() {
        let pool = Pool::start(1, 1, Duration::from_millis(20)).unwrap();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let error = pool.run(move |_| Ok(released.recv().is_ok())).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unavailable);
        drop(release);
    }

    /// Polls once.
    async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| {
            std::task::Poll::Ready(match std::pin::Pin::new(&mut *future).poll(context) {
                std::task::Poll::Ready(output) => Some(output),
                std::task::Poll::Pending => None,
            })
        })
        .await
    }
}
