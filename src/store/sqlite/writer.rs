//! The one thread that writes: jobs in, one transaction for all that wait, answers out when it is on disk.
//!
//! Group commit: the thread takes the first job, then every job that has queued up meanwhile (at most [`MOST_TOGETHER`]), each in a
//! savepoint of its own, and commits once. One fsync serves them all; a job that fails takes only its own changes back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{oneshot, watch};

use crate::store::StoreError;
use crate::telemetry::Timing;

/// Most jobs of one transaction.
const MOST_TOGETHER: usize = 256;
/// Jobs that may wait; a sender waits when there are more.
const MOST_WAITING: usize = 4096;

/// Told whether the transaction was committed; answers the caller.
type Answer = Box<dyn FnOnce(Result<(), String>) + Send>;
/// Gets the open transaction, or why there is none.
type Job = Box<dyn FnOnce(Result<&Connection, String>) -> Answer + Send>;

/// The way to the writing thread. Cheap to clone; the thread ends when the last one is gone.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::SyncSender<Job>,
    /// Grows with every commit.
    pub(super) commits: watch::Receiver<u64>,
    /// How long commits took, from the first job to the disk.
    pub(super) timing: Arc<Timing>,
}

impl Writer {
    /// Starts the thread, which owns the connection.
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (jobs, waiting) = mpsc::sync_channel::<Job>(MOST_WAITING);
        let (committed, commits) = watch::channel(0);
        let timing = Arc::new(Timing::default());
        let clock = Arc::clone(&timing);
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(connection, &waiting, &committed, &clock))?;
        Ok(Self { jobs, commits, timing })
    }

    /// Runs `work` inside the next transaction; answers when it is committed.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.map_err(StoreError::Database).and_then(|c| in_savepoint(c, work));
            Box::new(move |committed| {
                let result = match committed {
                    Ok(()) => result,
                    Err(error) => Err(StoreError::Database(error)),
                };
                // Nobody waits any more when the request was cancelled; the work is done all the same.
                let _ = sender.send(result);
            })
        });
        if let Err(mpsc::TrySendError::Full(job)) = self.jobs.try_send(job) {
            // Rare: wait for room without holding up the asynchronous threads.
            let jobs = self.jobs.clone();
            let sent = tokio::task::spawn_blocking(move || jobs.send(job)).await;
            if !matches!(sent, Ok(Ok(()))) {
                return Err(StoreError::Closed);
            }
        }
        receiver.await.map_err(|_| StoreError::Closed)?
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.prepare_cached("SAVEPOINT job")?.execute([])?;
    match work(connection) {
        Ok(value) => {
            connection.prepare_cached("RELEASE job")?.execute([])?;
            Ok(value)
        }
        Err(error) => {
            connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
            connection.prepare_cached("RELEASE job")?.execute([])?;
            Err(error)
        }
    }
}

fn serve(
    mut connection: Connection,
    waiting: &mpsc::Receiver<Job>,
    commits: &watch::Sender<u64>,
    timing: &Timing,
) {
    while let Ok(first) = waiting.recv() {
        let started = Instant::now();
        let mut answers: Vec<Answer> = Vec::new();
        let committed = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
            Ok(transaction) => {
                let mut failed = false;
                let rest = std::iter::from_fn(|| waiting.try_recv().ok()).take(MOST_TOGETHER - 1);
                for job in std::iter::once(first).chain(rest) {
                    // A job that panics must not take the thread, and with it the service, along.
                    match catch_unwind(AssertUnwindSafe(|| job(Ok(&transaction)))) {
                        Ok(answer) => answers.push(answer),
                        Err(_) => failed = true,
                    }
                }
                if failed {
                    Err("a job of this transaction panicked: nothing of it was kept".to_owned())
                } else {
                    transaction.commit().map_err(|error| error.to_string())
                }
            }
            Err(error) => {
                tracing::error!(%error, "the database cannot be written");
                answers.push(first(Err(error.to_string())));
                Ok(())
            }
        };
        timing.add(started);
        for answer in answers {
            answer(committed.clone());
        }
        commits.send_modify(|count| *count += 1);
    }
}
