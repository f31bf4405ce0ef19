//! `jiayi settle`: settles a period and writes the reports.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Result;
use serde_json::json;

use crate::base::period::{Date, Period};
use crate::pipeline;
use crate::report::{csv, manifest, publish, screen};
use crate::words::Lang;

use super::{Common, Ended};

pub struct Settle<'a> {
    pub common: Common<'a>,
    pub period: Period,
    pub as_of: Option<Date>,
    pub data: Option<&'a Path>,
    pub out: Option<&'a Path>,
    pub file_lang: Lang,
}

pub fn run(settle: &Settle) -> Result<Ended> {
    let started = Instant::now();
    let common = &settle.common;
    let region = common.region()?;
    let data = common.data(settle.data);
    let default = || PathBuf::from("out").join(&region.id).join(settle.period.to_string());
    let out = settle.out.map_or_else(default, Path::to_path_buf);
    let bar = common.bar(&data);
    let progress = |bytes| bar.inc(bytes);
    common.threads(|| {
        let asked = pipeline::Asked { period: settle.period, as_of: settle.as_of };
        pipeline::settle(&region, asked, &data, &progress, |run| {
            bar.finish_and_clear();
            publish::replace(&out, &data, |folder| {
                let written = csv::write_all(run, folder, settle.file_lang)?;
                manifest::write_json(folder, "manifest.json", &manifest::manifest(run, &written, settle.file_lang))?;
                let how = json!({
                    "arguments": std::env::args_os().skip(1).map(|one| one.to_string_lossy().into_owned()).collect::<Vec<_>>(),
                    "folder": std::env::current_dir().ok().map(|path| path.display().to_string()),
                    "data": absolute(&data),
                    "out": absolute(&out),
                    "regions": common.regions.map(absolute),
                    "policy_files": region.versions.iter().flat_map(|version| &version.files).map(|file| &file.name).collect::<Vec<_>>(),
                    "user": std::env::var("USER").ok(),
                    "time": jiff::Timestamp::now().to_string(),
                    "seconds": format!("{}.{:03}", started.elapsed().as_secs(), started.elapsed().subsec_millis()),
                });
                manifest::write_json(folder, "run.json", &how)
            })?;
            common.unconfirmed(&region)?;
            common.notices(&run.inputs.notices)?;
            let folder = out.display().to_string();
            common.print(
                |screen| screen::settlement(screen, run, &folder, common.look),
                || screen::settlement_json(run, &folder, common.look.lang),
            )?;
            Ok(common.ended(run.inputs.rejects.len()))
        })
    })
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()).display().to_string()
}
