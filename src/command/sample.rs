//! `jiayi sample`: made-up exports of a region, and how to settle them.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::money::grouped;
use crate::base::period::Period;
use crate::base::reason::Reason;
use crate::policy::version;
use crate::report::publish;
use crate::report::screen::{self, Look};
use crate::sample::{self, Asked, Written};
use crate::words::{Label, Lang, Phrase, label, phrase, tale};

use super::{Ended, rules_folder};

pub struct Sample<'a> {
    pub region: &'a str,
    pub regions: Option<&'a Path>,
    pub data: Asked,
    pub out: Option<&'a Path>,
    pub quiet: bool,
    pub look: Look,
}

pub fn run(asked: &Sample) -> Result<Ended> {
    let folder = rules_folder(asked.regions);
    let region = version::load(asked.region, folder.as_deref())?;
    if let Some(period) = asked.data.period {
        covered(&region, period)?;
    }
    let most = sample::most_signings(&region, asked.data.period);
    if asked.data.signings > most {
        return Err(stop(Msg::TooManySigners { most: grouped(most) }, None));
    }
    let out = asked.out.map_or_else(|| PathBuf::from("sample").join(asked.region), Path::to_path_buf);
    empty(&out)?;
    let written =
        sample::write(&region, &asked.data, &out).map_err(|error| publish::cannot_write(&out, &error))?;
    let page = page(asked, &written);
    let path = out.join("README.md");
    fs::write(&path, &page).map_err(|error| publish::cannot_write(&path, &error))?;
    if asked.quiet {
        return Ok(Ended::Done);
    }
    let lang = asked.look.lang;
    let mut screen = io::stdout().lock();
    for (file, rows) in &written.rows {
        writeln!(screen, "{}", phrase(lang, Phrase::SampleFile, &[file, &grouped(rows)]))?;
    }
    writeln!(screen)?;
    screen::sample(&mut screen, &rows(&written, lang), asked.look)?;
    writeln!(screen, "\n{}", phrase(lang, Phrase::SampleSettle, &[]))?;
    for line in commands(asked, &written, &out.display().to_string()) {
        writeln!(screen, "  {line}")?;
    }
    Ok(Ended::Done)
}

/// Whole cohorts, and rules that are in force in them.
fn covered(region: &version::Region, period: Period) -> Result<()> {
    let policy = &region.versions[region.on_or_after(period.first_day())];
    if period.split(policy.cycle).is_empty() {
        let example = policy.cycle.of(period.first_day()).to_string();
        return Err(stop(Reason::NoSuchCohort { cohort: period.to_string(), example }.into(), None));
    }
    if period.end() <= policy.from || policy.to.is_some_and(|to| to < period.first_day()) {
        let (day, from, to) = (period.first_day(), policy.from, policy.to);
        return Err(stop(Reason::NoVersion { day, from, to }.into(), None));
    }
    Ok(())
}

fn empty(out: &Path) -> Result<()> {
    fs::create_dir_all(out).map_err(|error| publish::cannot_write(out, &error))?;
    let mut entries = fs::read_dir(out).map_err(|error| publish::cannot_write(out, &error))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(stop(Msg::FolderFilled { path: out.display().to_string() }, None)),
    }
}

/// Where each story stands, what it is, and the code that it ends in.
fn rows(written: &Written, lang: Lang) -> Vec<[String; 3]> {
    let told = written.told.iter().map(|one| {
        let at = match one.at.as_slice() {
            [first, .., last] => format!("{first} – {last}"),
            all => all.join(""),
        };
        let code = one.code.map(|code| code.to_string()).unwrap_or_default();
        [at, tale(lang, one.tale, &one.about), code]
    });
    told.collect()
}

/// What to type, with the data in `folder`.
fn commands(asked: &Sample, written: &Written, folder: &str) -> Vec<String> {
    let quoted = |text: &str| {
        let plain = |c: char| c.is_alphanumeric() || "-_./=:~".contains(c);
        if text.chars().all(plain) { text.to_string() } else { format!("'{}'", text.replace('\'', "'\\''")) }
    };
    let regions = asked.regions.map(|folder| format!(" --regions {}", quoted(&folder.display().to_string())));
    let rest = format!("{} --data {}", regions.unwrap_or_default(), quoted(folder));
    let (region, period) = (quoted(asked.region), written.period);
    let mut all = vec![format!("jiayi check --region {region}{rest}")];
    // The scores are in the folder already: these are for comparing.
    for period in &written.assessed {
        let [sheets, out] = ["sheets.csv".into(), format!("assessed/scores-{period}.csv")]
            .map(|file: String| quoted(&Path::new(folder).join(file).display().to_string()));
        all.push(format!("jiayi assess --region {region} --period {period}{rest} {sheets} -o {out}"));
    }
    all.push(format!("jiayi settle --region {region} --period {period}{rest}"));
    all
}

/// README.md of the folder: the same bytes wherever it is written.
fn page(asked: &Sample, written: &Written) -> String {
    let lang = asked.look.lang;
    let say = |what, with: &[&str]| phrase(lang, what, with);
    let (seed, period) = (asked.data.seed.to_string(), written.period.to_string());
    let mut page = format!("# {}\n\n", say(Phrase::SampleTitle, &[asked.region, &period]));
    page += &format!("{}\n\n```sh\n", say(Phrase::SampleAbout, &[&seed, env!("CARGO_PKG_VERSION")]));
    for line in commands(asked, written, ".") {
        page += &format!("{line}\n");
    }
    page += &format!("```\n\n| {} | {} |\n|---|---:|\n", label(lang, Label::File), label(lang, Label::Rows));
    for (file, rows) in &written.rows {
        page += &format!("| {file} | {} |\n", grouped(rows));
    }
    let header = [Phrase::SampleWhere, Phrase::SampleStory].map(|what| say(what, &[]));
    page += &format!("\n| {} | {} | {} |\n|---|---|---|\n", header[0], header[1], label(lang, Label::Code));
    for [at, what, code] in rows(written, lang) {
        page += &format!("| {at} | {} | {code} |\n", what.replace('|', "\\|"));
    }
    page
}
