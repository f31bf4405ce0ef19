//! `jiayi check`: reads and refuses as `settle` does, and settles nothing.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::base::period::Cycle;
use crate::base::place::Place;
use crate::intake::read::excerpts;
use crate::ledger::recall;
use crate::ledger::store::Store;
use crate::pipeline;
use crate::report::screen::{self, Shown};
use crate::stages::{Inputs, Stage};

use super::settle::Held;
use super::{Common, Ended};

/// How many places of each code are shown.
const FIRST: usize = 3;

pub struct Check<'a> {
    pub common: Common<'a>,
    pub data: Option<&'a Path>,
    pub ledger: Option<&'a Path>,
}

pub fn run(check: &Check) -> Result<Ended> {
    let common = &check.common;
    let region = common.region()?;
    let data = common.data(check.data);
    let clock = common.clock(&data);
    let latest = region.versions.last().map(|version| Cycle::Year.of(version.from));
    let Some(period) = latest else { return Ok(Ended::Done) };
    let ledger = common.ledger(check.ledger);
    common.not_another(&ledger, &region.id)?;
    let _lock = Held::of(&ledger, false)?;
    common.threads(|| {
        let store = Store::find(&ledger, &region.id, false)?;
        clock.begins(Stage::Ledger);
        let past = store.as_ref().map(|store| recall::past(store, None)).transpose()?;
        let work = |inputs: &Inputs| {
            clock.bar.finish_and_clear();
            clock.begins(Stage::Write);
            let shown = first_places(inputs)?;
            common.notices(&inputs.notices)?;
            common.print(
                |screen| screen::check(screen, inputs, &shown, common.look),
                || screen::check_json(inputs, &shown, common.look.lang),
            )?;
            clock.tell(inputs, |stage| Some(inputs.rows_of(stage)).filter(|rows| *rows > 0))?;
            Ok(common.ended(inputs))
        };
        clock.watch(|watch| pipeline::check(&region, (period, past.as_ref()), &data, watch, work))
    })
}

/// The first refused rows of each code, with the lines they stand on.
fn first_places(inputs: &Inputs) -> Result<Vec<Shown<'_>>> {
    let mut by_code: BTreeMap<_, Vec<(usize, Place)>> = BTreeMap::new();
    for (at, row) in inputs.rejects.iter().enumerate() {
        let first = by_code.entry(row.code).or_default();
        if first.len() < FIRST {
            first.push((at, row.place));
        }
    }
    let wanted: Vec<Place> = by_code.values().flatten().map(|(_, place)| *place).collect();
    let mut lines = BTreeMap::new();
    for file in inputs.files() {
        lines.extend(excerpts(file.1, file.0, &wanted)?);
    }
    let shown = |(at, place)| {
        let excerpt = lines.get(&place).cloned().unwrap_or_default();
        Shown { reject: inputs.rejects.get(at), excerpt }
    };
    Ok(by_code.into_values().flatten().map(shown).collect())
}
