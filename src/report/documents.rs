//! Every file of a settlement but run.json, written side by side.

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::Value;

use crate::pipeline::Run;

use super::csv::{self, Work, Written};
use super::findings::Findings;
use super::manifest;
use super::output::{Output, Posted};
use super::workbook;

/// Writes them into `folder`; gives the manifest.
pub fn write(run: &Run, folder: &Path, output: &Output, posted: &Posted) -> Result<Value> {
    let findings = Findings::of(run, output, posted)?;
    let mut work: Vec<Work> = Vec::new();
    if output.only.csv {
        work.extend(csv::files(&findings, folder));
    }
    if output.only.xlsx {
        work.push(Box::new(|| workbook::write(&findings, folder)));
    }
    let written = work.par_iter().with_max_len(1).map(|write| write()).collect::<Result<Vec<_>>>()?;
    let mut written: Vec<Written> = written;
    written.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = manifest::manifest(run, &written, output);
    manifest::write_json(folder, "manifest.json", &manifest)?;
    Ok(manifest)
}
