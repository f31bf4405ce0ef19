//! Where rule files are found, and which version holds on a day.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};

use crate::base::diagnostic::{Diagnostic, Excerpt, Stopped, nearest, stop};
use crate::base::message::Msg;
use crate::base::period::Date;

use super::{Policy, PolicyFile, build};

/// The rule files inside the binary: (region, date, text).
const EMBEDDED: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_files.rs"));

/// All versions of one region's rules, oldest first.
#[derive(Debug)]
pub struct Region {
    pub id: String,
    pub versions: Vec<Policy>,
}

impl Region {
    /// The version that a signing of `day` follows.
    pub fn in_force(&self, day: Date) -> Option<usize> {
        let version = self.versions.iter().rposition(|version| version.from <= day);
        // A package may admit signings from before its version (an older contract, supplemented).
        let version = version.or_else(|| (self.versions.first()?.admits_from() <= day).then_some(0))?;
        self.versions[version].to.is_none_or(|to| day <= to).then_some(version)
    }

    /// A hash over all its rule files and what they extend.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for file in self.versions.iter().flat_map(|version| &version.files) {
            hash.update((file.text.len() as u64).to_le_bytes());
            hash.update(file.text.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The version in force on `day`, else the first after it.
    pub fn on_or_after(&self, day: Date) -> usize {
        self.in_force(day).unwrap_or_else(|| {
            self.versions.iter().position(|version| version.from > day).unwrap_or(self.versions.len() - 1)
        })
    }
}

/// Rule files by region and date: those of a folder go before those inside the program.
pub struct Library {
    regions: BTreeMap<String, BTreeMap<String, PolicyFile>>,
    /// Files that look like rules and are not where rules are read: `2026-01-01.toml.txt`, or beside the
    /// regions' folders.
    pub strays: Vec<String>,
}

impl Library {
    pub fn read(folder: Option<&Path>) -> Result<Library> {
        let mut regions: BTreeMap<String, BTreeMap<String, PolicyFile>> = BTreeMap::new();
        for (region, date, text) in EMBEDDED {
            let file = PolicyFile { name: format!("regions/{region}/{date}.toml"), text: (*text).into() };
            regions.entry(region.to_string()).or_default().insert(date.to_string(), file);
        }
        let mut strays = Vec::new();
        let Some(folder) = folder else { return Ok(Library { regions, strays }) };
        let mut stray = |path: &Path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            if name.contains(".toml") {
                strays.push(path.display().to_string());
            }
        };
        for region in fs::read_dir(folder).map_err(|error| failed(folder, &error))? {
            let region = region.map_err(|error| failed(folder, &error))?.path();
            if !region.is_dir() {
                stray(&region);
                continue;
            }
            for file in fs::read_dir(&region).map_err(|error| failed(&region, &error))? {
                let file = file.map_err(|error| failed(&region, &error))?.path();
                if file.extension().is_none_or(|end| end != "toml") {
                    stray(&file);
                    continue;
                }
                let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                regions.entry(stem(&region)).or_default().insert(stem(&file), read_file(&file)?);
            }
        }
        strays.sort();
        Ok(Library { regions, strays })
    }

    pub fn regions(&self) -> impl Iterator<Item = &str> {
        self.regions.keys().map(String::as_str)
    }

    /// Puts a file among those of a region: to be checked as if it stood there.
    pub fn put(&mut self, region: &str, date: &str, file: PolicyFile) {
        self.regions.entry(region.to_string()).or_default().insert(date.to_string(), file);
    }

    /// The files of a region by date.
    pub fn files(&self, region: &str) -> Result<&BTreeMap<String, PolicyFile>> {
        self.regions.get(region).ok_or_else(|| {
            let cure = match nearest(region, self.regions()) {
                Some(near) => Msg::DidYouMean { near: near.to_string() },
                None => Msg::OneOf { known: self.regions().collect::<Vec<_>>().join(", ") },
            };
            stop(Msg::UnknownRegion { region: region.to_string() }, Some(cure))
        })
    }

    /// One file of a region, checked, with what it extends.
    pub fn version(&self, region: &str, date: &str) -> Result<Policy, Vec<Diagnostic>> {
        let Some(file) = self.regions.get(region).and_then(|files| files.get(date)) else {
            let fact = Msg::NoSuchVersion { id: format!("{region}/{date}") };
            return Err(vec![Diagnostic { fact, cure: None, clause: None, excerpt: None }]);
        };
        build::read(region, date, &self.chain(&format!("{region}/{date}"), file)?)
    }

    /// A file, then the one that it extends, and so on.
    fn chain(&self, id: &str, file: &PolicyFile) -> Result<Vec<PolicyFile>, Vec<Diagnostic>> {
        let mut ids = vec![id.to_string()];
        let mut files = vec![file.clone()];
        while let Some((next, span)) = build::extends(files.last().unwrap_or(file)) {
            let from = files.last().unwrap_or(file);
            let excerpt =
                Some(Excerpt { path: from.name.clone(), text: std::sync::Arc::clone(&from.text), span });
            if ids.contains(&next) {
                ids.push(next);
                let fact = Msg::ExtendsItself { circle: ids.join(" → ") };
                return Err(vec![Diagnostic { fact, cure: None, clause: None, excerpt }]);
            }
            let found = next.split_once('/').and_then(|(region, date)| self.regions.get(region)?.get(date));
            let Some(found) = found else {
                let all = self.regions.iter();
                let known: Vec<String> = all
                    .flat_map(|(region, files)| files.keys().map(move |date| format!("{region}/{date}")))
                    .collect();
                let cure = match nearest(&next, known.iter().map(String::as_str)) {
                    Some(near) => Msg::DidYouMean { near: near.to_string() },
                    None => Msg::OneOf { known: known.join(", ") },
                };
                let fact = Msg::NoSuchVersion { id: next };
                return Err(vec![Diagnostic { fact, cure: Some(cure), clause: None, excerpt }]);
            };
            files.push(found.clone());
            ids.push(next);
        }
        Ok(files)
    }

    /// All versions of a region, checked; every fault of all of them otherwise.
    pub fn load(&self, region: &str) -> Result<Region> {
        let mut versions: Vec<Policy> = Vec::new();
        let mut faults: Vec<Diagnostic> = Vec::new();
        for date in self.files(region)?.keys() {
            match self.version(region, date) {
                Ok(policy) => match versions.iter().find(|other| other.from == policy.from) {
                    None => versions.push(policy),
                    Some(other) => {
                        let file = &policy.files[0];
                        let fact = Msg::SameDate { other: other.files[0].name.clone() };
                        let (path, text) = (file.name.clone(), std::sync::Arc::clone(&file.text));
                        let excerpt = Some(Excerpt { path, text, span: 0..0 });
                        faults.push(Diagnostic { fact, cure: None, clause: None, excerpt });
                    }
                },
                Err(more) => faults.extend(more),
            }
        }
        if !faults.is_empty() {
            return Err(anyhow::Error::new(Stopped::new(faults)));
        }
        versions.sort_by_key(|version| version.from);
        let offers: usize = versions.iter().map(|version| version.packages.len()).sum();
        if offers > MOST_PACKAGES {
            return Err(stop(Msg::TooManyPackages { count: offers, most: MOST_PACKAGES }, None));
        }
        Ok(Region { id: region.to_string(), versions })
    }
}

/// Most packages of all versions of a region together: the number of one has nine bits in a signing.
pub const MOST_PACKAGES: usize = 512;

fn failed(path: &Path, error: &std::io::Error) -> anyhow::Error {
    stop(Msg::CannotRead { path: path.display().to_string(), why: error.into() }, None)
}

/// Reads one rule file.
pub fn read_file(path: &Path) -> Result<PolicyFile> {
    let bytes = fs::read(path).map_err(|error| failed(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        stop(Msg::NotUtf8 { path: path.display().to_string(), line }, Some(Msg::SaveAsUtf8))
    })?;
    // A byte-order mark of an editor is no part of the rules.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(PolicyFile { name: path.display().to_string(), text: text.into() })
}

/// Loads and checks all versions of a region.
pub fn load(region: &str, folder: Option<&Path>) -> Result<Region> {
    Library::read(folder)?.load(region)
}
