//! `jiayi rules …`: rule files listed, told in plain words, checked, compared, drawn and begun.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Value, json};

use crate::base::diagnostic::{Diagnostic, Stopped, stop};
use crate::base::message::Msg;
use crate::base::period::Date;
use crate::base::reason::Reason;
use crate::policy::curve::{Basis, Curve};
use crate::policy::version::{self, Library};
use crate::policy::{LocalFigure, Policy};
use crate::report::screen::Look;
use crate::report::{curves, publish, rules, told};
use crate::words::{Phrase, phrase};

use super::{Ended, print};

/// What all of them have in common.
pub struct Rules<'a> {
    pub regions: Option<&'a Path>,
    pub json: bool,
    pub look: Look,
}

/// A version of a region, as far as its file can be read.
struct Found {
    region: String,
    date: String,
    policy: Result<Policy, Vec<Diagnostic>>,
}

/// Whether nothing is wrong but figures that are still open.
fn only_open(faults: &[Diagnostic]) -> bool {
    faults.iter().all(|fault| matches!(fault.fact, Msg::OpenFigure { .. }))
}

impl Rules<'_> {
    fn library(&self) -> Result<Library> {
        let here = Path::new("regions");
        Library::read(self.regions.or_else(|| here.is_dir().then_some(here)))
    }

    fn versions(&self, library: &Library, region: &str) -> Result<Vec<Found>> {
        let dates = library.files(region)?.keys();
        Ok(dates
            .map(|date| Found {
                region: region.to_string(),
                date: date.clone(),
                policy: library.version(region, date),
            })
            .collect())
    }

    /// `jiayi rules list`.
    pub fn list(&self) -> Result<Ended> {
        let library = self.library()?;
        let mut all = Vec::new();
        for region in library.regions() {
            all.extend(self.versions(&library, region)?);
        }
        let state = |found: &Found| match &found.policy {
            Ok(_) => Phrase::Ready,
            Err(faults) if only_open(faults) => Phrase::Open,
            Err(_) => Phrase::Faulty,
        };
        let cells = |found: &Found| -> [String; 6] {
            let policy = found.policy.as_ref().ok();
            let unconfirmed = policy.map(|policy| {
                policy.open_figures().map(|figure| figure.id.as_str()).collect::<Vec<_>>().join(", ")
            });
            [
                format!("{}/{}", found.region, found.date),
                policy.map_or(String::new(), |policy| policy.document.clone()),
                policy.map_or(found.date.clone(), |policy| policy.from.to_string()),
                policy.and_then(|policy| policy.to).map_or(String::new(), |to| to.to_string()),
                unconfirmed.unwrap_or_default(),
                phrase(self.look.lang, state(found), &[]),
            ]
        };
        let rows: Vec<[String; 6]> = all.iter().map(cells).collect();
        print(
            self.json,
            |out| {
                use Phrase::{Document, From, State, To, Unconfirmed, Version};
                told::phrases(out, &[Version, Document, From, To, Unconfirmed, State], &rows, self.look)
            },
            || {
                let each = all.iter().zip(&rows).map(|(found, row)| {
                    let policy = found.policy.as_ref().ok();
                    let local = policy.map(|policy| policy.open_figures());
                    json!({
                        "version": row[0], "document": row[1], "in_force_from": row[2],
                        "in_force_to": policy.and_then(|policy| policy.to).map(|to| to.to_string()),
                        "unconfirmed": local.into_iter().flatten().map(|one| &one.id).collect::<Vec<_>>(),
                        "state": match state(found) { Phrase::Ready => "ready", Phrase::Open => "open", _ => "faulty" },
                    })
                });
                json!({ "schema": "jiayi.rules/1", "versions": each.collect::<Vec<_>>() })
            },
        )?;
        Ok(Ended::Done)
    }

    /// The version in force on `on`, else the last one.
    fn policy(&self, region: &str, on: Option<Date>) -> Result<Policy> {
        self.of(&self.library()?, region, on)
    }

    fn of(&self, library: &Library, region: &str, on: Option<Date>) -> Result<Policy> {
        // `urumqi/2019-11-01` names a version by itself.
        if let Some((region, date)) = region.split_once('/') {
            return library.version(region, date).map_err(stopped);
        }
        let mut region = library.load(region)?;
        let at = match on {
            Some(day) => region.in_force(day).ok_or_else(|| {
                let from = region.versions[region.on_or_after(day)].from;
                stop(Reason::NoVersion { day, from, to: None }.into(), None)
            })?,
            None => region.versions.len() - 1,
        };
        Ok(region.versions.swap_remove(at))
    }

    /// `jiayi rules show REGION`.
    pub fn show(&self, region: &str, on: Option<Date>) -> Result<Ended> {
        let policy = self.policy(region, on)?;
        let said = rules::tell(&policy, self.look.lang);
        print(
            self.json,
            |out| told::said(out, &said, self.look),
            || {
                let each = said
                    .iter()
                    .map(|one| json!({ "about": one.about, "says": one.text, "clause": one.clause }));
                json!({ "schema": "jiayi.policy/1", "version": policy.id, "says": each.collect::<Vec<_>>() })
            },
        )?;
        Ok(Ended::Done)
    }

    /// `jiayi rules show REGION --toml`: the file as it is, to be copied and changed.
    pub fn file(&self, region: &str, on: Option<Date>) -> Result<Ended> {
        // A shell makes an empty `regions/…` file for the output before this runs: only a folder that was asked
        // for goes before what is inside the program.
        let policy = self.of(&Library::read(self.regions)?, region, on)?;
        let text = &policy.files[0].text;
        print(self.json, |out| write!(out, "{text}"), || json!({ "version": policy.id, "toml": &**text }))?;
        Ok(Ended::Done)
    }

    /// `jiayi rules check [FILE…]`: every fault of every file at once.
    pub fn check(&self, files: &[PathBuf]) -> Result<Ended> {
        let mut library = self.library()?;
        let mut wanted = Vec::new();
        for path in files {
            let (region, date) = named_by(path);
            library.put(&region, &date, version::read_file(path)?);
            wanted.push((region, date));
        }
        if files.is_empty() {
            for region in library.regions() {
                wanted.extend(library.files(region)?.keys().map(|date| (region.to_string(), date.clone())));
            }
        }
        let mut faults = Vec::new();
        let mut notes = Vec::new();
        let mut say = |what, with: &[&str]| notes.push(phrase(self.look.lang, what, with));
        for (region, date) in &wanted {
            match library.version(region, date) {
                Ok(policy) => say(Phrase::NoFaults, &[&policy.id]),
                Err(more) if only_open(&more) => say(Phrase::OpenOnly, &[&format!("{region}/{date}")]),
                Err(more) => faults.extend(more),
            }
        }
        for stray in &library.strays {
            say(Phrase::Stray, &[stray]);
        }
        if faults.is_empty() {
            let mut regions: Vec<&String> = wanted.iter().map(|(region, _)| region).collect();
            regions.dedup();
            for region in regions {
                faults.extend(self.between(&library, region, &mut notes)?);
            }
        }
        print(
            self.json,
            |out| notes.iter().try_for_each(|note| writeln!(out, "{note}")),
            || {
                let each: Vec<Value> =
                    faults.iter().map(|fault| told::fault_json(fault, self.look.lang)).collect();
                json!({ "schema": "jiayi.rules-check/1", "faults": each, "notes": notes })
            },
        )?;
        if faults.is_empty() {
            return Ok(Ended::Done);
        }
        if self.json { Ok(Ended::Faulty) } else { Err(stopped(faults)) }
    }

    /// What versions of one region say against each other: two of one date is a fault; days that none
    /// covers are told.
    fn between(&self, library: &Library, region: &str, notes: &mut Vec<String>) -> Result<Vec<Diagnostic>> {
        let found = self.versions(library, region)?;
        let mut versions: Vec<&Policy> = found.iter().filter_map(|one| one.policy.as_ref().ok()).collect();
        versions.sort_by_key(|version| version.from);
        if let Err(error) = library.load(region) {
            let stopped = error.downcast::<Stopped>()?;
            let same =
                |one: &Diagnostic| matches!(one.fact, Msg::SameDate { .. } | Msg::TooManyPackages { .. });
            return Ok(stopped.diagnostics.into_iter().filter(same).collect());
        }
        for pair in versions.windows(2) {
            let Some(last) = pair[0].to else { continue };
            let next = pair[1].from;
            let after = last.tomorrow().unwrap_or(last);
            if after < next {
                let until = next.yesterday().unwrap_or(next).to_string();
                notes.push(phrase(self.look.lang, Phrase::Uncovered, &[region, &after.to_string(), &until]));
            } else if last >= next {
                let with = [region, &pair[0].id, &last.to_string(), &next.to_string()];
                notes.push(phrase(self.look.lang, Phrase::Overlapping, &with));
            }
        }
        Ok(Vec::new())
    }

    /// A version by `region`, `region/date` or a file.
    fn version_of(&self, what: &str) -> Result<Policy> {
        let path = Path::new(what);
        if !path.is_file() {
            return self.policy(what, None);
        }
        let mut library = self.library()?;
        let (region, date) = named_by(path);
        library.put(&region, &date, version::read_file(path)?);
        library.version(&region, &date).map_err(stopped)
    }

    /// `jiayi rules diff A B`.
    pub fn diff(&self, old: &str, new: &str) -> Result<Ended> {
        let (old, new) = (self.version_of(old)?, self.version_of(new)?);
        let lang = self.look.lang;
        let changes = rules::differences(&rules::tell(&old, lang), &rules::tell(&new, lang));
        print(
            self.json,
            |out| told::changes(out, &changes, (&old.id, &new.id), self.look),
            || {
                let side = |one: &Option<rules::Said>| {
                    one.as_ref().map(|one| json!({ "says": one.text, "clause": one.clause }))
                };
                let each = changes.iter().map(|change| {
                    let about = change.now.as_ref().or(change.was.as_ref()).map(|one| &one.about);
                    json!({ "about": about, "was": side(&change.was), "now": side(&change.now) })
                });
                json!({ "schema": "jiayi.rules-diff/1", "old": old.id, "new": new.id, "changes": each.collect::<Vec<_>>() })
            },
        )?;
        Ok(Ended::Done)
    }

    /// `jiayi rules curve REGION`.
    pub fn curve(&self, region: &str, on: Option<Date>, id: Option<&str>) -> Result<Ended> {
        let policy = self.policy(region, on)?;
        let curves: Vec<&Curve> =
            policy.curves.iter().filter(|curve| id.is_none_or(|id| curve.id == id)).collect();
        if let (true, Some(id)) = (curves.is_empty(), id) {
            let known = policy.curves.iter().map(|curve| curve.id.clone()).collect::<Vec<_>>().join(", ");
            let fact = Msg::UnknownWord { key: "curve".into(), value: id.to_string() };
            return Err(stop(fact, Some(Msg::OneOf { known })));
        }
        print(
            self.json,
            |out| curves.iter().try_for_each(|curve| told::curve(out, &policy, curve, self.look)),
            || {
                // A chain has no score of its own to draw.
                let drawn = |curve: &&&Curve| !matches!(curve.basis, Basis::Chain(_));
                let each = curves.iter().filter(drawn).map(|curve| {
                    let points = curves::curve_points(curve).into_iter().map(|point| {
                        json!({
                            "score": point.score.to_string(), "ratio": point.ratio.to_string(),
                            "grade": point.grade, "jumps_from": point.from.map(|from| from.to_string()),
                        })
                    });
                    json!({ "curve": curve.id, "clause": &*curve.clause, "points": points.collect::<Vec<_>>() })
                });
                json!({ "schema": "jiayi.curve/1", "version": policy.id, "curves": each.collect::<Vec<_>>() })
            },
        )?;
        Ok(Ended::Done)
    }

    /// `jiayi rules new REGION --from DATE`: a commented file to start from.
    pub fn begin(&self, region: &str, from: Date, extends: Option<&str>) -> Result<Ended> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if region.is_empty() || !region.chars().all(plain) {
            return Err(stop(Msg::RegionName { region: region.to_string() }, None));
        }
        let text = match extends {
            None => include_str!("template.toml").replace("{from}", &from.to_string()),
            Some(parent) => extending(&self.library()?, parent, from)?,
        };
        let folder = self.regions.unwrap_or(Path::new("regions")).join(region);
        let path = folder.join(format!("{from}.toml"));
        publish::create(&path, text.as_bytes())?;
        let shown = path.display().to_string();
        let done = phrase(self.look.lang, Phrase::CreatedFile, &[&shown]);
        print(
            self.json,
            |out| writeln!(out, "{done}"),
            || json!({ "schema": "jiayi.rules-new/1", "file": shown }),
        )?;
        Ok(Ended::Done)
    }
}

fn stopped(diagnostics: Vec<Diagnostic>) -> anyhow::Error {
    anyhow::Error::new(Stopped::new(diagnostics))
}

/// The region and date that a path stands for: its folder and its name.
fn named_by(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let full = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    (text(full.parent().and_then(Path::file_name)), text(path.file_stem()))
}

/// A file that extends another: its head, and the figures of the other that wait for a value.
fn extending(library: &Library, parent: &str, from: Date) -> Result<String> {
    let unknown = || stop(Msg::NoSuchVersion { id: parent.to_string() }, None);
    let (region, date) = parent.split_once('/').ok_or_else(unknown)?;
    let local = match library.version(region, date) {
        Ok(policy) => policy.local,
        Err(faults) if only_open(&faults) => {
            let open = faults.into_iter().filter_map(|fault| match fault.fact {
                Msg::OpenFigure { id, means } => Some(LocalFigure {
                    id,
                    value: None,
                    written: None,
                    means,
                    at_least: None,
                    at_most: None,
                    clause: "".into(),
                    confirmed: false,
                }),
                _ => None,
            });
            open.collect()
        }
        Err(faults) => return Err(stopped(faults)),
    };
    let mut text = include_str!("template_extends.toml")
        .replace("{from}", &from.to_string())
        .replace("{parent}", parent);
    for figure in local {
        let value = figure.written.as_deref().unwrap_or("\"\"");
        let known =
            format!("\n# {}\n[local.{}]\nvalue = {value}\nconfirmed = false\n", figure.means, figure.id);
        match figure.value {
            // What the other file has a value for stands here as a comment, to be changed.
            Some(_) => known.lines().for_each(|line| {
                let mark = if line.is_empty() || line.starts_with('#') { "" } else { "# " };
                text += &format!("{mark}{line}\n");
            }),
            None => text += &known,
        }
    }
    Ok(text)
}
