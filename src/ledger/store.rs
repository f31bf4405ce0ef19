//! The ledger's file: opening it, its lock, and in words what is wrong with it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::base::diagnostic::{Stopped, busy, refuse, stop};
use crate::base::message::Msg;
use crate::base::period::Period;

const SCHEMA: &str = include_str!("schema.sql");

/// "JIAY": what tells our files from other databases.
const APPLICATION: i32 = 0x4A49_4159;

/// The newest shape of the tables that this program knows.
const SHAPE: i32 = 1;

/// How long somebody else's commit is waited for.
const WAIT: Duration = Duration::from_secs(10);

/// An open ledger.
pub struct Store {
    pub connection: Connection,
    pub path: PathBuf,
    pub region: String,
    pub opening: Period,
}

/// Held while a ledger is read or written; the system lets go of it when the program ends, however it ends.
pub struct Lock {
    _file: File,
}

fn lock_file(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
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
    stop(Msg::CannotWrite { path: path.display().to_string(), why: error.to_string() }, Some(Msg::CheckSpace))
}

/// Whether there is a file with something in it. One that a killed run left empty is no ledger.
fn exists(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() > 0)
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
        if !exists(path) {
            return Err(none(path));
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
        // A run that was killed before its first batch was whole leaves nothing.
        let tables = "SELECT count(*) FROM sqlite_master";
        if connection.query_row(tables, [], |row| row.get::<_, i64>(0)).map_err(failed)? == 0 {
            return Err(none(path));
        }
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let shape = pragma("user_version").map_err(failed)?;
        if pragma("application_id").map_err(failed)? != APPLICATION {
            return Err(refuse(Msg::NotALedger { path: path.display().to_string() }, Some(Msg::OtherLedger)));
        }
        if shape > SHAPE {
            let path = path.display().to_string();
            return Err(refuse(Msg::NewerLedger { path, shape, known: SHAPE }, Some(Msg::NewerProgram)));
        }
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
        Ok(Store { connection, path: path.to_path_buf(), region: found, opening })
    }

    /// Starts a new ledger within the transaction of its first batch; nothing is there before that is committed.
    pub fn create(path: &Path, region: &str, opening: Period) -> Result<Store> {
        let failed = |error: rusqlite::Error| broken(path, &error);
        let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
        made.map_err(|error| cannot_write(path, &error))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        prepare(&connection).map_err(failed)?;
        connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        connection.pragma_update(None, "application_id", APPLICATION).map_err(failed)?;
        connection.pragma_update(None, "user_version", SHAPE).map_err(failed)?;
        connection
            .execute("INSERT INTO ledger VALUES (?, ?)", (region, opening.to_string()))
            .map_err(failed)?;
        Ok(Store { connection, path: path.to_path_buf(), region: region.to_string(), opening })
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
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => locked(path),
        Some(ErrorCode::NotADatabase) => refuse(Msg::NotALedger { path: text }, Some(Msg::OtherLedger)),
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &error.to_string()),
        Some(
            ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::SystemIoFailure,
        ) => stop(Msg::CannotWrite { path: text, why: error.to_string() }, Some(Msg::CheckSpace)),
        Some(ErrorCode::CannotOpen) => stop(Msg::CannotRead { path: text, why: error.to_string() }, None),
        _ => damaged(path, &error.to_string()),
    }
}
