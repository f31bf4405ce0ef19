//! The ledger's file: opening it, its lock, and in words what is wrong with it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::base::diagnostic::{Stopped, busy, refuse, stop};
use crate::base::message::{DiskFault, Msg};
use crate::base::period::Period;

const SCHEMA: &str = include_str!("schema.sql");

/// "JIAY": what tells our files from other databases.
const APPLICATION: i32 = 0x4A49_4159;

/// The shape of the tables that this program writes and reads.
const SHAPE: i32 = 2;

/// How long somebody else's commit is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// An open ledger.
pub struct Store {
    pub connection: Connection,
    pub path: PathBuf,
    pub region: String,
    pub opening: Period,
    /// Where a new ledger stands until its first batch is whole.
    aside: Option<PathBuf>,
}

/// Held while a ledger is read or written; the system lets go of it when the program ends, however it ends.
pub struct Lock {
    _file: File,
}

/// A path with something behind its name.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// The lock stands beside the file itself, by whatever name it was called.
fn lock_file(ledger: &Path) -> PathBuf {
    beside(&ledger.canonicalize().unwrap_or_else(|_| ledger.to_path_buf()), ".lock")
}

/// Locks a ledger to write it; the folder is made where it is not there yet.
pub fn lock_to_write(ledger: &Path) -> Result<Lock> {
    let path = lock_file(ledger);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()) {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|error| cannot_write(folder, &error))?;
    }
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|error| cannot_write(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(locked(ledger)),
        Err(TryLockError::Error(error)) => Err(cannot_write(&path, &error)),
    }
}

/// Locks a ledger to read it, so that nobody posts meanwhile. Where there is no lock nobody ever posted, and
/// where it can't be opened nobody here can.
pub fn lock_to_read(ledger: &Path) -> Result<Option<Lock>> {
    let Ok(file) = File::open(lock_file(ledger)) else { return Ok(None) };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(TryLockError::WouldBlock) => Err(locked(ledger)),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

fn locked(ledger: &Path) -> anyhow::Error {
    busy(Msg::LedgerBusy { path: ledger.display().to_string() })
}

fn cannot_write(path: &Path, error: &io::Error) -> anyhow::Error {
    stop(Msg::CannotWrite { path: path.display().to_string(), why: error.into() }, Some(Msg::CheckSpace))
}

/// Where a region's ledger is, unless another place is named.
pub fn usual(region: &str) -> PathBuf {
    Path::new("ledger").join(format!("{region}.db"))
}

/// Another ledger of the region, at its usual place or beside a path where there is none: perhaps the one that is
/// meant.
pub fn sibling(path: &Path, region: &str) -> Option<PathBuf> {
    let usual = usual(region);
    if usual != path && Store::open(&usual, Some(region), false).is_ok() {
        return Some(usual);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    let of_region = |file: &PathBuf| Store::open(file, Some(region), false).is_ok();
    files.into_iter().filter(|file| file.extension().is_some_and(|end| end == "db")).find(of_region)
}

impl Store {
    /// Opens a region's ledger where there is one.
    pub fn find(path: &Path, region: &str, writing: bool) -> Result<Option<Store>> {
        match Store::open(path, Some(region), writing) {
            Ok(store) => Ok(Some(store)),
            Err(error) if is_none(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens a region's ledger. `None` for the region: whichever it is of.
    pub fn open(path: &Path, region: Option<&str>, writing: bool) -> Result<Store> {
        let failed = |error: rusqlite::Error| broken(path, &error);
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(none(path)),
            Ok(file) if file.is_file() && file.len() == 0 => {
                let fact = Msg::EmptyLedger { path: path.display().to_string() };
                return Err(refuse(fact, Some(Msg::RestoreLedger)));
            }
            _ => {}
        }
        // A commit that was cut off is undone by whoever opens next, which takes writing.
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE) {
            Err(_) if !writing => {
                Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?
            }
            connection => connection.map_err(failed)?,
        };
        prepare(&connection).map_err(failed)?;
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let shape = pragma("user_version").map_err(failed)?;
        if pragma("application_id").map_err(failed)? != APPLICATION {
            return Err(refuse(Msg::NotALedger { path: path.display().to_string() }, Some(Msg::OtherLedger)));
        }
        if shape > SHAPE {
            let path = path.display().to_string();
            return Err(refuse(Msg::NewerLedger { path, shape, known: SHAPE }, Some(Msg::NewerProgram)));
        }
        if shape < SHAPE {
            let path = path.display().to_string();
            return Err(refuse(Msg::OlderLedger { path }, Some(Msg::OlderProgram)));
        }
        // Tables, views and triggers are those that we made, to the letter.
        let mut query = connection.prepare("SELECT sql FROM sqlite_master ORDER BY rowid").map_err(failed)?;
        let made: rusqlite::Result<Vec<Option<String>>> =
            query.query_map([], |row| row.get(0)).map_err(failed)?.collect();
        let made: Vec<String> = made.map_err(failed)?.into_iter().flatten().collect();
        if made != tables() {
            return Err(damaged(path, "sqlite_master"));
        }
        drop(query);
        let (found, opening): (String, String) = connection
            .query_row("SELECT region, opening FROM ledger", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(failed)?;
        if let Some(region) = region.filter(|region| *region != found) {
            let (path, region) = (path.display().to_string(), region.to_string());
            return Err(refuse(Msg::LedgerOfOther { path, found, region }, Some(Msg::OtherLedger)));
        }
        let Some(opening) = Period::parse(&opening) else {
            return Err(damaged(path, &format!("opening `{opening}`")));
        };
        Ok(Store { connection, path: path.to_path_buf(), region: found, opening, aside: None })
    }

    /// Starts a new ledger within the transaction of its first batch; nothing is there before that is committed.
    pub fn create(path: &Path, region: &str, opening: Period) -> Result<Store> {
        let failed = |error: rusqlite::Error| broken(path, &error);
        // Its name is given to it with its first batch: a run that is killed before leaves no ledger. What an
        // earlier one left is in nobody's way, since the lock is held.
        let aside = beside(path, ".new");
        for left in [beside(&aside, "-journal"), aside.clone()] {
            let _ = fs::remove_file(left);
        }
        let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&aside);
        made.map_err(|error| cannot_write(path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&aside, flags).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        connection.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        connection.pragma_update(None, "user_version", SHAPE).map_err(failed)?;
        connection
            .execute("INSERT INTO ledger VALUES (?, ?)", (region, opening.to_string()))
            .map_err(failed)?;
        Ok(Store {
            connection,
            path: path.to_path_buf(),
            region: region.to_string(),
            opening,
            aside: Some(aside),
        })
    }

    /// Commits what was written; a new ledger gets its name.
    pub fn commit(&self) -> Result<()> {
        self.connection.execute_batch("COMMIT").map_err(|error| self.broken(&error))?;
        let Some(aside) = &self.aside else { return Ok(()) };
        let folder =
            self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let named = fs::rename(aside, &self.path).and_then(|()| File::open(folder)?.sync_all());
        named.map_err(|error| cannot_write(&self.path, &error))
    }

    /// What went wrong, in words.
    pub fn broken(&self, error: &rusqlite::Error) -> anyhow::Error {
        broken(&self.path, error)
    }

    /// The file says something that no program of ours writes.
    pub fn damaged(&self, what: &str) -> anyhow::Error {
        damaged(&self.path, what)
    }
}

/// A journal that is undone after a crash, and written through before a commit counts: what is safe on a
/// network drive too.
fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(WAIT)?;
    connection.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; \
         PRAGMA cache_size = -32768;",
    )
}

/// The statements of the schema, as the database keeps them.
fn tables() -> Vec<String> {
    let lines = SCHEMA.lines().filter(|line| !line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split(';').map(|one| one.trim().to_string()).filter(|one| !one.is_empty()).collect()
}

fn none(path: &Path) -> anyhow::Error {
    stop(Msg::NoLedger { path: path.display().to_string() }, Some(Msg::InitLedger))
}

fn is_none(error: &anyhow::Error) -> bool {
    let stopped = error.downcast_ref::<Stopped>();
    stopped
        .is_some_and(|stopped| stopped.diagnostics.iter().any(|one| matches!(one.fact, Msg::NoLedger { .. })))
}

/// The file says something that no program of ours writes.
pub fn damaged(path: &Path, why: &str) -> anyhow::Error {
    let fact = Msg::LedgerDamaged { path: path.display().to_string(), why: why.to_string() };
    refuse(fact, Some(Msg::RestoreLedger))
}

/// A database error in words: who can't read, who can't write, what is damaged.
pub fn broken(path: &Path, error: &rusqlite::Error) -> anyhow::Error {
    let text = path.display().to_string();
    let why = |code| {
        let kind = match code {
            ErrorCode::DiskFull => io::ErrorKind::StorageFull,
            ErrorCode::ReadOnly => io::ErrorKind::ReadOnlyFilesystem,
            ErrorCode::PermissionDenied => io::ErrorKind::PermissionDenied,
            _ => io::ErrorKind::Other,
        };
        DiskFault { kind, said: error.to_string() }
    };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => locked(path),
        Some(ErrorCode::NotADatabase) => refuse(Msg::NotALedger { path: text }, Some(Msg::OtherLedger)),
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &error.to_string()),
        Some(
            code @ (ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure),
        ) => stop(Msg::CannotWrite { path: text, why: why(code) }, Some(Msg::CheckSpace)),
        Some(code @ ErrorCode::CannotOpen) => stop(Msg::CannotRead { path: text, why: why(code) }, None),
        _ => damaged(path, &error.to_string()),
    }
}
