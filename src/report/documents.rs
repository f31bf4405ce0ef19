//! Every file of a settlement but run.json, written side by side.

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;
use serde_json::Value;

use crate::pipeline::Run;

use super::csv::{self, Work};
use super::findings::Findings;
use super::manifest;
use super::output::{Output, Posted};
use super::written::Written;
use super::{page, statements, workbook};

/// Writes them into `folder`; gives the manifest.
pub fn write(run: &Run, folder: &Path, output: &Output, posted: &Posted) -> Result<Value> {
    let findings = Findings::of(run, output, posted)?;
    let mut work: Vec<Work> = Vec::new();
    // What takes longest begins first.
    if output.only.xlsx {
        work.push(Box::new(|| workbook::write(&findings, folder)));
    }
    if output.only.csv {
        work.extend(csv::files(&findings, folder));
    }
    if output.only.html {
        work.push(Box::new(|| page::write(&findings, folder)));
    }
    let each = || work.par_iter().with_max_len(1).map(|write| write()).collect::<Result<Vec<Written>>>();
    let statements = || if output.only.html { statements::write(&findings, folder) } else { Ok(Vec::new()) };
    let files = || rayon::join(each, statements);
    let ((each, statements), mut manifest) = rayon::join(files, || manifest::manifest(run, output));
    let mut written = each?;
    written.extend(statements?);
    written.sort_by(|a, b| a.name.cmp(&b.name));
    manifest["outputs"] = manifest::outputs(&written);
    manifest::write_json(folder, "manifest.json", &manifest)?;
    Ok(manifest)
}
