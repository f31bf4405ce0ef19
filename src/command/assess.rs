//! `jiayi assess`: works out scores from score sheets.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::period::Period;
use crate::pipeline::{self, Assessment};
use crate::report::findings::refused;
use crate::report::output::CsvForm;
use crate::report::publish::cannot_write;
use crate::report::{csv, screen};
use crate::stages::Stage;
use crate::words::Lang;

use super::clock::Clock;
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
    let clock = match assess.data {
        Some(folder) => common.clock(folder),
        None => Clock::new(common, indicatif::ProgressBar::hidden()),
    };
    common.threads(|| {
        let work = |result: &Assessment| {
            clock.bar.finish_and_clear();
            clock.begins(Stage::Write);
            write(assess.output, assess.sheets, |folder| {
                let (rejects, names) = (&result.inputs.rejects, &result.inputs.names);
                csv::rejected(refused(rejects, names, assess.file_lang), folder, CsvForm::PLAIN)?;
                csv::assessment(result.cards, result.rules, folder, "scores.csv").map(drop)
            })?;
            common.notices(&result.inputs.notices)?;
            common.print(
                |screen| screen::assessment(screen, result, common.look),
                || screen::assessment_json(result, common.look.lang),
            )?;
            let inputs = result.inputs;
            clock.tell(inputs, |stage| Some(inputs.rows_of(stage)).filter(|rows| *rows > 0))?;
            Ok(common.ended(inputs.rejects.len()))
        };
        clock.watch(|watch| pipeline::assess(&region, assess.period, assess.sheets, assess.data, watch, work))
    })
}

/// What is written beside the scores, and how it starts.
const BESIDE: [(&str, &str); 2] = [
    ("scorecard.csv", "institution_id,period,level,indicator,"),
    ("rejected.csv", "file,line,kind,contract_id,"),
];

/// Writes the files aside, then moves them into place: scores as `output`, the card and what was
/// refused beside it.
fn write(output: &Path, sheets: &[PathBuf], fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // An output of `settle` stays whole: its manifest answers for every file in it.
    if parent.join("manifest.json").exists() {
        return Err(stop(Msg::OutputStaysWhole { path: parent.display().to_string() }, None));
    }
    may_write(output, parent, sheets)?;
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
    // Only their owner may read them.
    for name in BESIDE.map(|(name, _)| name).into_iter().chain(["scores.csv"]) {
        let path = aside.path().join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
            .map_err(|error| failed(&path, &error))?;
    }
    for (name, _) in BESIDE {
        let path = parent.join(name);
        fs::rename(aside.path().join(name), &path).map_err(|error| failed(&path, &error))?;
    }
    fs::rename(aside.path().join("scores.csv"), output).map_err(|error| failed(output, &error))
}

/// Nothing is overwritten but what an earlier assessment wrote, and never a sheet.
fn may_write(output: &Path, parent: &Path, sheets: &[PathBuf]) -> Result<()> {
    let shown = || output.display().to_string();
    if output.is_dir() {
        return Err(stop(Msg::IsAFolder { path: shown() }, None));
    }
    let same = |sheet: &PathBuf| {
        sheet.canonicalize().is_ok_and(|sheet| output.canonicalize().is_ok_and(|out| out == sheet))
    };
    if sheets.iter().any(same)
        || BESIDE.iter().any(|(name, _)| output.file_name().is_some_and(|out| out == *name))
    {
        return Err(stop(Msg::ForeignFile { path: shown() }, Some(Msg::AnotherOut)));
    }
    for (name, header) in BESIDE {
        let path = parent.join(name);
        let ours = match fs::read(&path) {
            Ok(text) => text.starts_with(header.as_bytes()),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        };
        if !ours {
            return Err(stop(Msg::ForeignFile { path: path.display().to_string() }, Some(Msg::AnotherOut)));
        }
    }
    Ok(())
}
