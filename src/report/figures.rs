//! figures.csv: what the policy wants reported beside the money.

use std::path::Path;

use anyhow::Result;

use crate::pipeline::Run;

use super::output::CsvForm;
use super::written::{Table, Written, own, text};

/// Writes figures.csv, sorted by institution (the whole first) and figure.
pub fn figures(run: &Run, folder: &Path, form: CsvForm) -> Result<Written> {
    let header = ["institution_id", "figure", "value", "clause"];
    let mut table = Table::create(folder, "figures.csv", &header, form)?;
    let id = |at: Option<u32>| at.map_or("", |at| run.rules.institutions.get(at).id.as_str());
    let mut rows: Vec<_> = run.settlement.figures.iter().collect();
    rows.sort_by_key(|row| (id(row.institution), &row.figure, &row.value));
    for row in rows {
        table.row([text(id(row.institution)), text(&row.figure), text(&row.value), own(&row.clause)])?;
    }
    table.finish()
}
