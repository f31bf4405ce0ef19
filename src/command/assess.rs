//! `jiayi assess`: works out scores from score sheets.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::period::Period;
use crate::pipeline;
use crate::report::publish::cannot_write;
use crate::report::{csv, screen};
use crate::words::Lang;

use super::{Common, Ended};

pub struct Assess<'a> {
    pub common: Common<'a>,
    pub period: Period,
    pub sheets: &'a [PathBuf],
    pub output: &'a Path,
    pub data: Option<&'a Path>,
    pub file_lang: Lang,
}

pub fn run(assess: &Assess) -> Result<Ended> {
    let common = &assess.common;
    let region = common.region()?;
    let folder = assess.data.unwrap_or(Path::new("."));
    let bar = match assess.data {
        Some(_) => common.bar(folder),
        None => indicatif::ProgressBar::hidden(),
    };
    let progress = |bytes| bar.inc(bytes);
    common.threads(|| {
        pipeline::assess(&region, assess.period, assess.sheets, assess.data, &progress, |result| {
            bar.finish_and_clear();
            write(assess.output, |folder| {
                let (rejects, names) = (&result.inputs.rejects, &result.inputs.names);
                csv::rejected(rejects.iter(), names, folder, assess.file_lang)?;
                csv::assessment(result.cards, result.rules, folder, "scores.csv").map(drop)
            })?;
            common.notices(&result.inputs.notices)?;
            common.print(
                |screen| screen::assessment(screen, result, common.look),
                || screen::assessment_json(result),
            )?;
            Ok(common.ended(result.inputs.rejects.len()))
        })
    })
}

/// Writes the files aside, then moves them into place: scores as `output`, the card and what was
/// refused beside it.
fn write(output: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // An output of `settle` stays whole: its manifest answers for every file in it.
    if parent.join("manifest.json").exists() {
        return Err(stop(Msg::OutputStaysWhole { path: parent.display().to_string() }, None));
    }
    let failed = |path: &Path, error: &std::io::Error| cannot_write(path, error);
    fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    let aside = tempfile::Builder::new()
        .prefix(".jiayi-")
        .tempdir_in(parent)
        .map_err(|error| failed(parent, &error))?;
    fill(aside.path()).map_err(|error| {
        let why = std::io::Error::other(error.chain().last().map(ToString::to_string).unwrap_or_default());
        failed(output, &why)
    })?;
    for name in ["scorecard.csv", "rejected.csv"] {
        let path = parent.join(name);
        fs::rename(aside.path().join(name), &path).map_err(|error| failed(&path, &error))?;
    }
    fs::rename(aside.path().join("scores.csv"), output).map_err(|error| failed(output, &error))
}
