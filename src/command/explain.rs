//! `jiayi explain`: what a code means; why an institution gets what it gets; what became of a signing.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;

use crate::base::code::Code;
use crate::base::diagnostic::{nearest, stop};
use crate::base::message::Msg;
use crate::base::period::{Date, Period};
use crate::base::person::PersonId;
use crate::intake::cells::clean;
use crate::intake::encoding::Encoding;
use crate::ledger::chain::{BatchKind, batches};
use crate::ledger::recall;
use crate::ledger::store::Store;
use crate::ledger::tell;
use crate::pipeline::{self, Asked, Run};
use crate::report::explain as shown;
use crate::report::life::{self, Fate, Life};
use crate::report::screen::{self, Look};
use crate::settlement::explain::charges;
use crate::settlement::flags::Detail;
use crate::stages::{self, Watch};
use crate::words::refusal;

use super::settle::Held;
use super::{Common, Ended, print};

/// What is to be explained of a settlement.
pub enum What<'a> {
    Institution(&'a str),
    Contract(&'a str),
    Person(&'a str),
}

pub struct Explain<'a> {
    pub common: Common<'a>,
    pub period: Option<Period>,
    pub as_of: Option<Date>,
    pub data: Option<&'a Path>,
    pub ledger: Option<&'a Path>,
    pub what: What<'a>,
}

/// A code's page, or the list of all.
pub fn codes(code: Option<&str>, json: bool, look: Look) -> Result<Ended> {
    let codes = match code {
        None => Code::ALL.to_vec(),
        Some(text) => match Code::parse(text) {
            Some(code) => vec![code],
            None => {
                let near = nearest(text, Code::ALL.iter().map(|code| code.name()));
                let cure = near.map(|near| Msg::DidYouMean { near: near.to_string() });
                return Err(stop(Msg::NoSuchCode { text: text.to_string() }, cure));
            }
        },
    };
    print(json, |out| screen::explain(out, &codes, look), || screen::codes_json(&codes, look.lang))?;
    Ok(Ended::Done)
}

pub fn run(explain: &Explain) -> Result<Ended> {
    let common = &explain.common;
    let region = common.region()?;
    let data = common.data(explain.data);
    let ledger = common.ledger(explain.ledger);
    let _lock = Held::of(&ledger, false)?;
    common.threads(|| {
        let store = Store::find(&ledger, &region.id, false)?;
        let past = store.as_ref().map(|store| recall::past(store, None)).transpose()?;
        let all = store.as_ref().map(batches).transpose()?.unwrap_or_default();
        // Without a period: everything up to the one that was posted last.
        let settled =
            all.iter().filter(|batch| matches!(batch.kind, BatchKind::Settlement | BatchKind::Opening));
        let last = settled.filter_map(|batch| Period::parse(&batch.period)).max_by_key(|period| period.end());
        let Some(period) = explain.period.or(last) else { return Err(stop(Msg::WhichPeriod, None)) };
        // The money of a signing stands in lines of any cohort.
        let standing = explain.period.is_none() || !matches!(explain.what, What::Institution(_));
        let asked = Asked { as_of: explain.as_of, past: past.as_ref(), standing, ..Asked::of(period) };
        pipeline::settle(&region, asked, &data, Watch::NONE, |run| {
            common.notices(&run.inputs.notices)?;
            let look = common.look;
            match explain.what {
                What::Institution(id) => {
                    let institution = institution(run, id)?;
                    let agreed = store.as_ref().map(|store| tell::agreed(store, None)).transpose()?;
                    let agreed: Vec<_> =
                        agreed.unwrap_or_default().into_iter().filter(|one| one.institution == id).collect();
                    let lines = shown::explain(run, institution, look.lang);
                    common.print(
                        |out| shown::statement(out, run, institution, (&lines, &agreed, &all), look),
                        || shown::statement_json(run, institution, (&lines, &agreed, &all), look.lang),
                    )?;
                }
                What::Contract(_) | What::Person(_) => {
                    let lives = lives(run, &explain.what, store.as_ref(), look)?;
                    common.print(
                        |out| life::lives(out, run, (&lives, &all), look),
                        || life::lives_json(run, &lives, &all, look.lang),
                    )?;
                }
            }
            Ok(Ended::Done)
        })
    })
}

fn institution(run: &Run, id: &str) -> Result<u32> {
    let all = run.rules.institutions;
    if let Some(found) = all.find(id.as_bytes()).or_else(|| all.gone(id)) {
        return Ok(found);
    }
    let near = nearest(id, all.list.iter().map(|one| one.id.as_str()));
    let cure = near.map(|near| Msg::DidYouMean { near: near.to_string() });
    Err(stop(Msg::NoSuchInstitution { id: id.to_string() }, cure))
}

/// Every signing that a contract id or an ID number stands for, in the files and in the ledger.
fn lives(run: &Run, what: &What, store: Option<&Store>, look: Look) -> Result<Vec<Life>> {
    // As a cell of a file is read: full-width digits and what a spreadsheet puts before a number say the same.
    let cleaned = |text: &'_ str| clean(text.as_bytes(), Encoding::Utf8).into_owned();
    let (contract, person) = match what {
        What::Person(text) => {
            let person = PersonId::parse(cleaned(text).as_bytes());
            (None, Some(person.map_err(|_| stop(Msg::NotAnIdNumber, None))?))
        }
        What::Contract(text) | What::Institution(text) => (Some(cleaned(text)), None),
    };
    let contract = contract.as_deref();
    let rows = stages::find::signing_rows(run.inputs, contract, person)?;
    let noted = match store {
        Some(store) => tell::noted(store, contract, person.map(|person| person.0))?,
        None => Vec::new(),
    };
    let contracts: BTreeSet<&str> = rows
        .iter()
        .map(|row| row.contract.as_str())
        .chain(noted.iter().map(|noted| noted.contract.as_str()))
        .collect();
    if contracts.is_empty() {
        return Err(stop(Msg::NoSuchSigning, None));
    }
    let people: BTreeSet<PersonId> = rows
        .iter()
        .filter_map(|row| row.person)
        .chain(noted.iter().filter_map(|noted| PersonId::of_number(noted.person)))
        .collect();
    let services = stages::find::swipe_rows(run.inputs, &people)?;
    let life = |contract: &str| {
        let found = run.qualified.signings.iter().enumerate().find(|&(_, signing)| {
            run.qualified.contracts.with(signing.contract, |id| id == contract.as_bytes())
                && person.is_none_or(|person| signing.person == person)
        });
        let fate = |row: &&stages::find::SigningPlace| {
            let rejects = &run.inputs.rejects;
            let refused = rejects.iter().position(|one| one.place == row.place).map(|at| rejects.get(at));
            let fate = match refused {
                Some(reject) => Fate::Refused(reject.code, refusal(look.lang, &reject.reason)),
                None if found.is_some_and(|(_, signing)| signing.place() == row.place) => Fate::Admitted,
                None => Fate::Void,
            };
            (row.place, fate)
        };
        let of_signing = |row: &&stages::find::SwipePlace| {
            found.is_some_and(|(_, signing)| {
                row.person == signing.person
                    && row.institution == run.rules.institutions.get(signing.institution).id
                    && signing.in_force(row.day)
            })
        };
        let capped = |index: usize| {
            let flags = run.settlement.flags.iter();
            flags.clone().any(|flag| {
                flag.signing == Some(index as u32) && matches!(flag.detail, Detail::OverCap { .. })
            })
        };
        Life {
            rows: rows.iter().filter(|row| row.contract == contract).map(|row| fate(&row)).collect(),
            signing: found.map(|(_, signing)| signing),
            contract: contract.to_string(),
            charges: found.map_or_else(Vec::new, |(index, _)| {
                charges(run.rules, run.qualified, run.evidence, run.classes, index, capped(index))
            }),
            services: services.iter().filter(of_signing).map(|row| row.place).collect(),
            noted: noted.iter().filter(|noted| noted.contract == contract).cloned().collect(),
        }
    };
    Ok(contracts.into_iter().map(life).collect())
}
