//! SQLite behind the seam: WAL, `synchronous = FULL`, STRICT tables, one writing thread (`writer`), a few reading connections.
//!
//! One file a family of methods: `accounts` (sites, hooks, callbacks), `people` (keys, users, sessions), `articles`, `comments` (with their
//! assessments), `inbox` (promises, other names), `cards` (one by one), `queue` (asked for), `decisions`, `undo`, `desk` (notes, views, allow-lists, authors), `events`, `outbox` (callbacks to
//! send), `audit` (the hash chain), `plans` (what a rescoring proposes), `privacy` (export, erasure, retention), `operation` (counts); for the pages `listing` (comments of a thread, a campaign, a search),
//! `report` (what the morning page tells), `own` (settings of people, rule drafts, tried texts), `seed` (the demo's past).

mod accounts;
mod articles;
mod audit;
mod cards;
mod comments;
mod decisions;
mod desk;
mod events;
mod inbox;
mod listing;
mod operation;
mod outbox;
mod own;
mod people;
mod plans;
mod privacy;
mod queue;
mod report;
mod seed;
mod undo;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use self::writer::Writer;
use super::StoreError;
use super::records::Sites;

pub use self::privacy::Forgotten;

/// Numbered migrations; the position after each is the schema's version (`PRAGMA user_version`).
const MIGRATIONS: &[&str] =
    &[include_str!("schema_1.sql"), include_str!("schema_2.sql"), include_str!("schema_3.sql")];
/// Memory for pages of the writing connection, in KiB (negative, as SQLite has it): the inner pages of all indexes of a million comments.
const WRITER_CACHE: i64 = -65_536;
/// Pages in the write-ahead log from which the writer itself brings them home (32 MiB): most are home by then, for a thread beside it does so all
/// the time, and no commit waits for that.
const CHECKPOINT_PAGES: i64 = 8192;
/// How often that thread looks, and from which size of the log on, in bytes.
const CHECKPOINT_PAUSE: Duration = Duration::from_millis(250);
const CHECKPOINT_BYTES: u64 = 2 << 20;
/// Connections for reading.
const READERS: usize = 4;
/// How long a connection waits for another process's write.
const PATIENCE: Duration = Duration::from_secs(10);

/// A store in one SQLite file. Cheap to clone.
#[derive(Clone)]
pub struct SqliteStore {
    writer: Writer,
    readers: Arc<Readers>,
    path: Arc<PathBuf>,
    secret: Arc<[u8; 32]>,
    actor: Arc<str>,
}

struct Readers {
    free: Mutex<Vec<Connection>>,
    freed: Condvar,
}

impl SqliteStore {
    /// As [`Self::open`], for a file that is there already: a slip in its name must not make a new one.
    ///
    /// # Errors
    /// As [`Self::open`]; when there is no such file.
    pub fn open_existing(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Refused(format!(
                "there is no database {}: `claque sites add` and `claque serve` make one",
                path.display()
            )));
        }
        Self::open(path)
    }

    /// Opens a file, makes it where it is missing, and brings its schema up to date. Nobody else may read a new file: it holds secrets.
    ///
    /// # Errors
    /// When the file cannot be opened or written, is no database, or was written by a newer Claque.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        let mut connection = connect(path, OpenFlags::default())?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // What is deleted is overwritten: erased text must not be readable in the file.
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        migrate(&mut connection)?;
        let secret = secret(&connection)?;
        let mut free = Vec::new();
        for _ in 0..READERS {
            free.push(connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?);
        }
        let writer = Writer::start(connection).map_err(|error| StoreError::Database(error.to_string()))?;
        let readers = Arc::new(Readers { free: Mutex::new(free), freed: Condvar::new() });
        bring_home(path, Arc::downgrade(&readers))?;
        Ok(Self {
            writer,
            readers,
            path: Arc::new(path.to_owned()),
            secret: Arc::new(secret),
            actor: Arc::from("operator"),
        })
    }

    /// The same store, whose set-up methods (sites, keys, users, hooks, callbacks) write this name into the audit log: `operator` without.
    #[must_use]
    pub fn acting_as(&self, actor: &str) -> Self {
        Self { actor: Arc::from(actor), ..self.clone() }
    }

    /// The installation's own secret: the key of pseudonyms. Made once, at random.
    pub fn secret(&self) -> &[u8; 32] {
        &self.secret
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number that grows with every commit of this process.
    pub fn commits(&self) -> tokio::sync::watch::Receiver<u64> {
        self.writer.commits.clone()
    }

    /// How long commits took.
    pub fn commit_timing(&self) -> &crate::telemetry::Timing {
        &self.writer.timing
    }

    /// Reads on one of the reading connections, off the asynchronous threads.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let readers = Arc::clone(&self.readers);
        let task = tokio::task::spawn_blocking(move || {
            let connection = readers.take();
            let result = work(&connection);
            readers.give_back(connection);
            result
        });
        task.await.map_err(|_| StoreError::Closed)?
    }

    /// Brings everything into the one file, so that it can be moved.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn settle(&self) -> Result<(), StoreError> {
        self.empty_log().await
    }

    /// Brings the write-ahead log home and empties it, as far as readers allow: what was overwritten is gone then.
    async fn empty_log(&self) -> Result<(), StoreError> {
        let path = Arc::clone(&self.path);
        let task = tokio::task::spawn_blocking(move || {
            let connection = connect(&path, OpenFlags::default())?;
            Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
        });
        task.await.map_err(|_| StoreError::Closed)?
    }

    /// Whether a row can be written.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn probe(&self) -> Result<(), StoreError> {
        self.writer
            .run(|connection| {
                connection.execute(
                    "INSERT INTO meta (key, value) VALUES ('probe', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    [now().to_le_bytes()],
                )?;
                Ok(())
            })
            .await
    }

    /// Copies the whole database to a new file while the store is in use.
    ///
    /// # Errors
    /// When the target exists or cannot be written.
    pub async fn backup(&self, target: &Path) -> Result<(), StoreError> {
        if target.exists() {
            return Err(StoreError::Refused(format!("{} exists already: name a new file", target.display())));
        }
        make_private(target)?;
        let target = target.display().to_string();
        self.read(move |connection| {
            connection.execute("VACUUM INTO ?1", [target])?;
            Ok(())
        })
        .await
    }

    /// What SQLite's own check says of the file; `ok` when it is sound.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub async fn check(&self) -> Result<String, StoreError> {
        self.read(|connection| Ok(connection.query_row("PRAGMA quick_check", [], |row| row.get(0))?)).await
    }
}

/// What SQLite's own check says of a database file that nobody need have opened; it is not changed.
///
/// # Errors
/// When it cannot be read or is no database of ours.
pub fn check_file(path: &Path) -> Result<String, StoreError> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    if found == 0 {
        return Err(StoreError::Refused(format!("{} is no database of Claque", path.display())));
    }
    Ok(connection.query_row("PRAGMA quick_check", [], |row| row.get(0))?)
}

/// Whether another process has a database open.
///
/// # Errors
/// When it cannot be read.
pub fn is_in_use(path: &Path) -> Result<bool, StoreError> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_millis(200))?;
    // Only a connection that is alone may leave the write-ahead mode.
    let mode: Result<String, _> = connection.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0));
    Ok(mode.map_or(true, |mode| mode != "delete"))
}

impl Readers {
    fn take(&self) -> Connection {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(connection) = free.pop() {
                return connection;
            }
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, connection: Connection) {
        self.free.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        self.freed.notify_one();
    }
}

/// Brings the pages of the write-ahead log home while others read and write, until the store is gone.
fn bring_home(path: &Path, store: Weak<Readers>) -> Result<(), StoreError> {
    let connection = connect(path, OpenFlags::default())?;
    let mut log = path.to_owned().into_os_string();
    log.push("-wal");
    let work = move || {
        while store.strong_count() > 0 {
            std::thread::sleep(CHECKPOINT_PAUSE);
            if std::fs::metadata(&log).is_ok_and(|log| log.len() > CHECKPOINT_BYTES) {
                // Whatever goes wrong here goes wrong for the writer too, who says so.
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        }
    };
    let started = std::thread::Builder::new().name("store-home".to_owned()).spawn(work);
    started.map(drop).map_err(|error| StoreError::Database(error.to_string()))
}

/// Makes a missing file that only its owner can read; SQLite gives its side files the same rights.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Database(format!("cannot make {}: {error}", path.display()))),
    }
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| StoreError::Database(format!("cannot open {}: {error}", path.display())))?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    // SQLite's own `lower` knows ASCII alone.
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("lower_case", 1, flags, |context| {
        Ok(context.get::<Option<String>>(0)?.map(|text| text.to_lowercase()))
    })?;
    Ok(connection)
}

/// Brings the schema up to date, each step in a transaction of its own.
fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for (at, migration) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", at as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

fn secret(connection: &Connection) -> Result<[u8; 32], StoreError> {
    let stored: Option<[u8; 32]> = connection
        .query_row("SELECT value FROM meta WHERE key = 'secret'", [], |row| row.get(0))
        .optional()?;
    if let Some(secret) = stored {
        return Ok(secret);
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| StoreError::Database(format!("no randomness: {error}")))?;
    connection.execute("INSERT INTO meta (key, value) VALUES ('secret', ?1)", [secret])?;
    Ok(secret)
}

/// Sites as the JSON list that statements compare with; none for all.
fn json_list(sites: &Sites) -> Result<Option<String>, StoreError> {
    Ok(match sites {
        Sites::All => None,
        Sites::Only(sites) => Some(serde_json::to_string(sites)?),
    })
}

/// Now, in milliseconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// A new id that grows with time.
fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}
