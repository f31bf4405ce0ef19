//! Finds what was changed in a ledger since it was written.

use anyhow::Result;

use super::chain::{Batch, batches};
use super::recall;
use super::store::Store;

/// Has the database look at itself, then reads every row: reading holds each against the hash of its batch, and
/// each batch against the one before it. What differs is damage, with the batch in which it is.
pub fn verify(store: &Store) -> Result<Vec<Batch>> {
    let failed = |error: rusqlite::Error| store.broken(&error);
    let check: String =
        store.connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).map_err(failed)?;
    if check != "ok" {
        return Err(store.damaged(&check));
    }
    recall::past(store, None)?;
    batches(store)
}
