//! `jiayi assess`: works out scores from score sheets.

use std::fs;
use std::io::{self, Read, Seek};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::period::Period;
use crate::pipeline::{self, Assessment};
use crate::report::findings::{shown, sorted};
use crate::report::output::CsvForm;
use crate::report::publish::{cannot_write, disk_fault};
use crate::report::{csv, scorecard};
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
            write(assess.output, (assess.sheets, assess.period), |folder| {
                let (rejects, names) = (&result.inputs.rejects, &result.inputs.names);
                let sorted = sorted(rejects, names);
                let row = |at: usize| shown(rejects, sorted[at], names, assess.file_lang);
                csv::rejected(sorted.len(), row, folder, CsvForm::PLAIN)?;
                csv::assessment(result.cards, result.rules, folder).map(drop)
            })?;
            common.notices(&result.inputs.notices)?;
            common.print(
                |screen| scorecard::cards(screen, result, common.look),
                || scorecard::cards_json(result, common.look.lang),
            )?;
            let inputs = result.inputs;
            clock.tell(inputs, |stage| Some(inputs.rows_of(stage)).filter(|rows| *rows > 0))?;
            Ok(common.ended(inputs))
        };
        clock.watch(|watch| pipeline::assess(&region, assess.period, assess.sheets, assess.data, watch, work))
    })
}

/// What is written, by the name that it has aside and the columns that it has. The last is the scores themselves.
const FILES: [(&str, &[&str]); 3] =
    [("scorecard.csv", &csv::SCORECARD), ("rejected.csv", &csv::REJECTED), ("scores.csv", &csv::SCORES)];

/// Where each of [`FILES`] goes: scores as `output`; the others beside it, with what its name has beyond `scores`.
fn places(output: &Path) -> [PathBuf; 3] {
    let stem = output.file_stem().unwrap_or_default().to_string_lossy();
    let rest = stem.strip_prefix("scores").filter(|rest| !rest.starts_with(char::is_alphanumeric));
    let rest = rest.map_or_else(|| format!("-{stem}"), str::to_string);
    let beside = |name: &str| output.with_file_name(format!("{name}{rest}.csv"));
    [beside("scorecard"), beside("rejected"), output.to_path_buf()]
}

/// Writes the files aside, then moves them into place.
fn write(
    output: &Path,
    (sheets, period): (&[PathBuf], Period),
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let parent = match output.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // An output of `settle` stays whole: its manifest answers for every file in it.
    if parent.join("manifest.json").exists() {
        return Err(stop(Msg::OutputStaysWhole { path: parent.display().to_string() }, None));
    }
    // By these names no score is looked for.
    let name = output.file_name().unwrap_or_default().to_string_lossy();
    if FILES[..2].iter().any(|(other, _)| name.starts_with(other.trim_end_matches(".csv"))) {
        return Err(stop(Msg::NameOfCards { path: output.display().to_string() }, Some(Msg::AnotherOut)));
    }
    if !output.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv")) {
        return Err(stop(Msg::ScoresAreCsv { path: output.display().to_string() }, None));
    }
    let places = places(output);
    for (place, (_, columns)) in places.iter().zip(FILES) {
        may_write(place, columns, sheets, period)?;
    }
    let failed = |path: &Path, error: &io::Error| cannot_write(path, error);
    fs::create_dir_all(parent).map_err(|error| failed(parent, &error))?;
    let aside = tempfile::Builder::new()
        .prefix(".jiayi-")
        .tempdir_in(parent)
        .map_err(|error| failed(parent, &error))?;
    fill(aside.path()).map_err(|error| {
        let path = output.display().to_string();
        stop(Msg::CannotWrite { path, why: disk_fault(&error) }, Some(Msg::CheckSpace))
    })?;
    for (place, (name, _)) in places.iter().zip(FILES) {
        let written = aside.path().join(name);
        // Only their owner may read them.
        fs::set_permissions(&written, fs::Permissions::from_mode(0o600))
            .and_then(|()| fs::rename(&written, place))
            .map_err(|error| failed(place, &error))?;
    }
    Ok(())
}

/// Nothing is overwritten but what an earlier assessment of the same period wrote, and never a sheet.
fn may_write(path: &Path, columns: &[&str], sheets: &[PathBuf], period: Period) -> Result<()> {
    let shown = || path.display().to_string();
    let foreign = || stop(Msg::ForeignFile { path: shown() }, Some(Msg::AnotherOut));
    if path.is_dir() {
        return Err(stop(Msg::IsAFolder { path: shown() }, None));
    }
    let same = |sheet: &PathBuf| {
        sheet.canonicalize().is_ok_and(|sheet| path.canonicalize().is_ok_and(|path| path == sheet))
    };
    if sheets.iter().any(same) {
        return Err(foreign());
    }
    match fs::metadata(path) {
        Ok(data) if data.is_file() => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        _ => return Err(foreign()),
    }
    let mut file = fs::File::open(path).map_err(|_| foreign())?;
    // No more of it than a header of ours is looked at before it is known to be one. Who added a column, such as
    // assessed_on, wants to keep it.
    let (header, mut start) = (columns.join(","), Vec::new());
    let read = Read::by_ref(&mut file).take(header.len() as u64 + 4).read_to_end(&mut start);
    let there = start
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(&start)
        .split(|byte| matches!(byte, b'\r' | b'\n'))
        .next();
    if read.is_err() || there != Some(header.as_bytes()) || file.rewind().is_err() {
        return Err(foreign());
    }
    let mut reader = ::csv::Reader::from_reader(io::BufReader::new(file));
    let Some(column) = columns.iter().position(|column| *column == "period") else { return Ok(()) };
    for row in reader.records() {
        let row = row.map_err(|_| foreign())?;
        let text = row.get(column).unwrap_or_default();
        if Period::parse(text) != Some(period) {
            let there = text.to_string();
            return Err(stop(Msg::ScoresOfOther { path: shown(), there }, Some(Msg::ScoresApart { period })));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_beside_scores_is_named_like_them() {
        let names =
            |output: &str| places(Path::new(output)).map(|place| place.display().to_string()).join(" ");
        assert_eq!(names("scores.csv"), "scorecard.csv rejected.csv scores.csv");
        assert_eq!(names("a/scores-2.csv"), "a/scorecard-2.csv a/rejected-2.csv a/scores-2.csv");
        assert_eq!(
            names("scoresheet.csv"),
            "scorecard-scoresheet.csv rejected-scoresheet.csv scoresheet.csv"
        );
        assert_eq!(names("a/x.csv"), "a/scorecard-x.csv a/rejected-x.csv a/x.csv");
    }
}
