//! Finds what was changed in a ledger since it was written.

use std::collections::BTreeMap;

use anyhow::Result;

use super::chain::{Batch, Content, TABLES, batches};
use super::store::Store;

/// Reads every row of a ledger and holds it against the hash of its batch; the chain of the batches is held
/// already by reading them. What differs is damage, with the batch in which it is.
pub fn verify(store: &Store) -> Result<Vec<Batch>> {
    let failed = |error: rusqlite::Error| store.broken(&error);
    let check: String =
        store.connection.pragma_query_value(None, "integrity_check", |row| row.get(0)).map_err(failed)?;
    if check != "ok" {
        return Err(store.damaged(&check));
    }
    let all = batches(store)?;
    // Of each batch the hash over its rows of one table after the other.
    let mut contents: BTreeMap<u32, Content> =
        all.iter().map(|batch| (batch.number, Content::default())).collect();
    for table in TABLES {
        let mut of_table: BTreeMap<u32, Content> =
            all.iter().map(|batch| (batch.number, Content::default())).collect();
        let query = format!("SELECT * FROM {table} ORDER BY number");
        let mut query = store.connection.prepare(&query).map_err(failed)?;
        let columns = query.column_count();
        let mut rows = query.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let number: u32 = row.get(1).map_err(failed)?;
            let Some(content) = of_table.get_mut(&number) else {
                return Err(store.damaged(&format!("{table}: batch {number}")));
            };
            for column in 0..columns {
                content.value(row.get_ref(column).map_err(failed)?);
            }
        }
        for (number, content) in of_table {
            if let Some(all) = contents.get_mut(&number) {
                all.text(&content.finish());
            }
        }
    }
    for batch in &all {
        let content = contents.remove(&batch.number).map(Content::finish);
        if content.as_deref() != Some(&batch.content) {
            return Err(store.damaged(&format!("batch {}", batch.number)));
        }
    }
    Ok(all)
}
