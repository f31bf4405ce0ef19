//! Where rule files are found, and which version holds on a day.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Result;

use crate::base::diagnostic::{Diagnostic, Stopped, nearest, stop};
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

    /// The version in force on `day`, else the first after it.
    pub fn on_or_after(&self, day: Date) -> usize {
        self.in_force(day).unwrap_or_else(|| {
            self.versions.iter().position(|version| version.from > day).unwrap_or(self.versions.len() - 1)
        })
    }
}

/// Rule files by region and date: those of `folder` go before those inside the program.
fn files(folder: Option<&Path>) -> Result<BTreeMap<String, BTreeMap<String, PolicyFile>>> {
    let mut regions: BTreeMap<String, BTreeMap<String, PolicyFile>> = BTreeMap::new();
    for (region, date, text) in EMBEDDED {
        let file = PolicyFile { name: format!("regions/{region}/{date}.toml"), text: (*text).into() };
        regions.entry(region.to_string()).or_default().insert(date.to_string(), file);
    }
    let Some(folder) = folder else { return Ok(regions) };
    let failed = |path: &Path, error: std::io::Error| {
        stop(Msg::CannotRead { path: path.display().to_string(), why: error.to_string() }, None)
    };
    for region in fs::read_dir(folder).map_err(|error| failed(folder, error))? {
        let region = region.map_err(|error| failed(folder, error))?.path();
        if !region.is_dir() {
            continue;
        }
        for file in fs::read_dir(&region).map_err(|error| failed(&region, error))? {
            let file = file.map_err(|error| failed(&region, error))?.path();
            if file.extension().is_none_or(|end| end != "toml") {
                continue;
            }
            let text = fs::read_to_string(&file).map_err(|error| failed(&file, error))?;
            let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let entry = PolicyFile { name: file.display().to_string(), text: text.into() };
            regions.entry(stem(&region)).or_default().insert(stem(&file), entry);
        }
    }
    Ok(regions)
}

/// Loads and checks all versions of a region.
pub fn load(region: &str, folder: Option<&Path>) -> Result<Region> {
    let mut all = files(folder)?;
    let Some(found) = all.remove(region) else {
        let cure = match nearest(region, all.keys().map(String::as_str)) {
            Some(near) => Msg::DidYouMean { near: near.to_string() },
            None => Msg::OneOf { known: all.keys().cloned().collect::<Vec<_>>().join(", ") },
        };
        return Err(stop(Msg::UnknownRegion { region: region.to_string() }, Some(cure)));
    };
    let mut versions = Vec::new();
    let mut faults: Vec<Diagnostic> = Vec::new();
    for (date, file) in found {
        match build::read(region, &date, file) {
            Ok(policy) => versions.push(policy),
            Err(more) => faults.extend(more),
        }
    }
    if !faults.is_empty() {
        return Err(anyhow::Error::new(Stopped { diagnostics: faults }));
    }
    versions.sort_by_key(|version| version.from);
    Ok(Region { id: region.to_string(), versions })
}
