//! The life of a signing: its rows, charges, services and what batches noted, on the screen and as JSON.

use std::io::{self, Write};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::money::{Fen, shortest};
use crate::base::period::{Date, Period};
use crate::base::person::mask_within;
use crate::base::place::Place;
use crate::ledger::chain::Batch;
use crate::ledger::tell::Noted;
use crate::pipeline::Run;
use crate::policy::package::PackageKind;
use crate::settlement::explain::{ChargeLife, HeldFor};
use crate::settlement::past::PastLine;
use crate::settlement::qualify::Signing;
use crate::words::{Lang, Phrase, phrase, say, title};

use super::explain::{held, part_of};
use super::names;
use super::rules::percent;
use super::screen::Look;

/// What became of a signing.
pub struct Life {
    /// Rows of the files that are about it, and what became of each.
    pub rows: Vec<(Place, Fate)>,
    pub signing: Option<Signing>,
    pub contract: String,
    pub charges: Vec<ChargeLife>,
    /// Service records of the person in the files, at the institution and in time.
    pub services: Vec<Place>,
    /// What batches noted of it.
    pub noted: Vec<Noted>,
}

/// What became of a row.
#[derive(Clone, Debug)]
pub enum Fate {
    Admitted,
    /// Its code and the reason.
    Refused(Code, String),
    Void,
}

/// The lives of some signings on the screen.
pub fn lives(
    out: &mut impl Write,
    run: &Run,
    (lives, batches): (&[Life], &[Batch]),
    look: Look,
) -> io::Result<()> {
    let lang = look.lang;
    let at = |place: &Place| format!("{}:{}", run.inputs.names[place.file as usize], place.line);
    for (nth, life) in lives.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", phrase(lang, Phrase::LifeOf, &[&mask_within(&life.contract)]))?;
        for (place, fate) in &life.rows {
            let text = match fate {
                Fate::Admitted => phrase(lang, Phrase::RowAdmitted, &[&at(place)]),
                Fate::Void => phrase(lang, Phrase::RowVoid, &[&at(place)]),
                Fate::Refused(code, reason) => {
                    phrase(lang, Phrase::RowRefused, &[&at(place), code.name(), title(lang, *code), reason])
                }
            };
            writeln!(out, "  {text}")?;
        }
        if let Some(signing) = &life.signing {
            let institution = run.rules.institutions.get(signing.institution);
            let package = &run.rules.package(signing.offer()).named;
            let days = [signing.signed_on, signing.starts_on, signing.end].map(|day| day.to_string());
            let person = signing.person.masked();
            let with =
                [&person, &institution.id, &institution.name, &package.name, &days[0], &days[1], &days[2]];
            writeln!(out, "  {}", phrase(lang, Phrase::LifeFacts, &with.map(String::as_str)))?;
            // Of one that stands in no file of this run no check was made.
            if life.rows.iter().any(|(_, fate)| matches!(fate, Fate::Admitted)) {
                writeln!(out, "  {}", phrase(lang, Phrase::LifePassed, &[&passed(run, signing).join(" ")]))?;
            }
            if life.charges.is_empty() {
                writeln!(out, "  {}", phrase(lang, Phrase::LifeNoCharge, &[]))?;
            }
        }
        for charge in &life.charges {
            let (number, part) = ((charge.number + 1).to_string(), part_of(charge.part));
            let with = [number.as_str(), &charge.from.to_string(), &charge.cohort.to_string(), &part];
            writeln!(out, "  {}", phrase(lang, Phrase::LifeCharge, &with))?;
            if charge.asked > 0 {
                let with = [charge.seen.to_string(), charge.asked.to_string()];
                writeln!(
                    out,
                    "    {}",
                    phrase(lang, Phrase::LifeEvidence, &with.each_ref().map(String::as_str))
                )?;
            }
            for (item, done, planned) in &charge.items {
                let planned = planned.map_or(String::new(), |planned| planned.to_string());
                writeln!(
                    out,
                    "    {}",
                    phrase(lang, Phrase::LifeItem, &[item, &done.to_string(), &planned])
                )?;
            }
            for (source, amount, why) in &charge.shares {
                let worth = life.signing.and_then(|signing| worth(run, &signing, charge, source, *amount));
                let rest = match (why, worth) {
                    (Some(why), _) => format!("  {}", held(lang, *why)),
                    (None, Some((ratio, worth))) => format!(" × {} = {}", percent(ratio), worth.grouped()),
                    (None, None) => String::new(),
                };
                writeln!(out, "    {} {}{rest}", names::source(run, source, lang), amount.grouped())?;
                for (batch, moved, institution) in paid(run, life, charge, source) {
                    let with = [&batch.to_string(), &institution, &moved.grouped()];
                    let text = phrase(lang, Phrase::LifeInBatch, &with.map(String::as_str));
                    writeln!(out, "      {text}")?;
                }
            }
        }
        for line in moved_besides(run, life) {
            let with = [
                &line.batch.to_string(),
                &line.cohort.to_string(),
                &line.institution,
                &names::source(run, &line.source, lang),
                &line.amount.grouped(),
            ];
            let with = with.map(String::as_str);
            writeln!(out, "  {}", phrase(lang, Phrase::LifeMoved, &with))?;
        }
        for place in &life.services {
            writeln!(out, "  {}", phrase(lang, Phrase::LifeService, &[&at(place)]))?;
        }
        for noted in &life.noted {
            let batch = batches.iter().find(|batch| batch.number == noted.batch);
            let time = batch.map_or("", |batch| batch.paper.time.get(..10).unwrap_or_default());
            let state = match noted.state.as_str() {
                "admitted" => phrase(lang, Phrase::StateAdmitted, &[]),
                "void" => phrase(lang, Phrase::StateVoid, &[]),
                code => code.to_string(),
            };
            let number = noted.batch.to_string();
            let with = [
                number.as_str(),
                time,
                &state,
                &noted.starts_on,
                &noted.ends_on,
                &noted.institution,
                &noted.package,
            ];
            writeln!(out, "  {}", phrase(lang, Phrase::LifeNoted, &with))?;
        }
    }
    Ok(())
}

/// What batches moved on the line that a charge was counted in at the time, and whose line it was.
fn paid(run: &Run, life: &Life, charge: &ChargeLife, source: &str) -> Vec<(u32, Fen, String)> {
    let Some(past) = run.history.past() else { return Vec::new() };
    let of_line = |line: &&PastLine| {
        // What the batches had noted of the signing by then.
        let noted = life.noted.iter().rev().find(|noted| noted.batch <= line.batch);
        noted.is_some_and(|noted| {
            (line.cohort, line.source.as_str()) == (charge.cohort, source)
                && (&line.institution, &line.package) == (&noted.institution, &noted.package)
        })
    };
    // A line may come to the same sum where one came as another went.
    let told = |line: &&PastLine| {
        line.amount != Fen::ZERO || life.noted.iter().any(|noted| noted.batch == line.batch)
    };
    let moved = past.lines.iter().filter(of_line).filter(told);
    moved.map(|line| (line.batch, line.amount, line.institution.clone())).collect()
}

/// What batches moved on lines that charges of the signing were counted in as batches had noted it, beside those
/// of its charges now: what was paid for one that is void since, or stood elsewhere.
fn moved_besides<'a>(run: &Run<'a>, life: &Life) -> Vec<&'a PastLine> {
    let Some(past) = run.history.past() else { return Vec::new() };
    let told: Vec<(u32, Period, &str, String)> = life
        .charges
        .iter()
        .flat_map(|charge| charge.shares.iter().map(move |(source, ..)| (charge, source)))
        .flat_map(|(charge, source)| {
            let batches = paid(run, life, charge, source).into_iter();
            batches.map(move |(batch, _, at)| (batch, charge.cohort, source.as_str(), at))
        })
        .collect();
    let of_line = |line: &&PastLine| {
        let mut noted = life.noted.iter().enumerate().filter(|(_, noted)| noted.state == "admitted");
        noted.any(|(at, noted)| {
            // Up to the batch that says something else of it: that one takes it off the line.
            let until = life.noted.get(at + 1).map_or(u32::MAX, |next| next.batch);
            (noted.batch..=until).contains(&line.batch)
                && (&line.institution, &line.package) == (&noted.institution, &noted.package)
                && cohorts(run, noted).any(|cohort| cohort == line.cohort)
        })
    };
    let besides = |line: &&PastLine| {
        let key = (line.batch, line.cohort, line.source.as_str(), line.institution.clone());
        line.amount != Fen::ZERO && !told.contains(&key)
    };
    past.lines.iter().filter(of_line).filter(besides).collect()
}

/// The cohorts in which the charges of a signing start, as a batch noted it.
fn cohorts<'a>(run: &Run<'a>, noted: &Noted) -> impl Iterator<Item = Period> + use<'a> {
    let days = [&noted.starts_on, &noted.ends_on].map(|day| day.parse().unwrap_or(Date::MAX));
    let (rules, package) = (run.rules, noted.package.clone());
    let versions = rules.region.versions.iter();
    let offering = versions.filter(move |version| version.packages.iter().any(|one| one.named.id == package));
    offering.flat_map(move |version| {
        let end = days[1].min(rules.end);
        version.schedule.charges(days[0], rules.from, end).map(|(_, day)| version.cycle.of(day))
    })
}

/// What a charge is worth on its line: the share, times what the line pays of it.
fn worth(
    run: &Run,
    signing: &Signing,
    charge: &ChargeLife,
    source: &str,
    share: Fen,
) -> Option<(Decimal, Fen)> {
    let package = &run.rules.package(signing.offer()).named.id;
    let line = run.settlement.lines.iter().find(|line| {
        (line.cohort, line.institution, &line.package, line.source.as_str())
            == (charge.cohort, signing.institution, package, source)
    })?;
    let ratio = line.earned.as_ref().map_or(line.prepay_ratio, |outcome| outcome.earned.ratio);
    line.settled.then(|| (ratio, share.share(ratio)))
}

/// The checks that an admitted row has passed: those that are made of its kind of package by the policy and
/// that no missing column left out.
fn passed(run: &Run, signing: &Signing) -> Vec<&'static str> {
    let (policy, package) = (run.rules.policy(signing.offer()), run.rules.package(signing.offer()));
    let left_out = |code: Code| {
        run.inputs
            .notices
            .iter()
            .any(|notice| matches!(notice, Msg::LeftOutColumn { what, .. } if what == code.name()))
    };
    let made = |code: &Code| match code {
        Code::E306 => false,
        Code::E401 => policy.insurance.is_some(),
        Code::E402 => !package.groups.is_empty(),
        Code::E405 => policy.balance.is_some(),
        Code::E502 | Code::E503 => package.kind == PackageKind::Basic,
        Code::E504 | Code::E505 => package.kind == PackageKind::Addon,
        code => *code <= Code::E505,
    };
    Code::ALL.iter().filter(|code| made(code) && !left_out(**code)).map(|code| code.name()).collect()
}

/// The same for scripts.
pub fn lives_json(run: &Run, lives: &[Life], batches: &[Batch], lang: Lang) -> Value {
    let at = |place: &Place| json!({ "file": run.inputs.names[place.file as usize], "line": place.line });
    let life = |life: &Life| {
        let rows: Vec<Value> = life
            .rows
            .iter()
            .map(|(place, fate)| {
                let mut row = at(place);
                row["result"] = match fate {
                    Fate::Admitted => json!("admitted"),
                    Fate::Void => json!("void"),
                    Fate::Refused(code, _) => json!(code.name()),
                };
                if let Fate::Refused(_, reason) = fate {
                    row["reason"] = json!(reason);
                }
                row
            })
            .collect();
        let charges: Vec<Value> = life
            .charges
            .iter()
            .map(|charge| {
                let shares: Vec<Value> = charge
                    .shares
                    .iter()
                    .map(|(source, amount, why)| {
                        let batches: Vec<Value> = paid(run, life, charge, source)
                            .into_iter()
                            .map(|(batch, amount, institution)| {
                                json!({ "batch": batch, "institution_id": institution, "line_amount": amount.to_string() })
                            })
                            .collect();
                        let worth = life.signing.and_then(|signing| worth(run, &signing, charge, source, *amount));
                        json!({
                            "source": source, "amount": amount.to_string(), "held": why.map(HeldFor::name),
                            "ratio": worth.map(|(ratio, _)| shortest(ratio)),
                            "worth": worth.map(|(_, worth)| worth.to_string()),
                            "batches": batches,
                        })
                    })
                    .collect();
                json!({
                    "number": (charge.number + 1).to_string(),
                    "from": charge.from.to_string(),
                    "cohort": charge.cohort.to_string(),
                    "part": format!("{}/{}", charge.part.paid, charge.part.of),
                    "seen": charge.seen.to_string(),
                    "asked": charge.asked.to_string(),
                    "items": charge.items.iter().map(|(id, done, planned)| {
                        json!({ "item": id, "done": done.to_string(), "planned": planned.map(|times| times.to_string()) })
                    }).collect::<Vec<_>>(),
                    "shares": shares,
                })
            })
            .collect();
        let besides: Vec<Value> = moved_besides(run, life)
            .into_iter()
            .map(|line| {
                json!({
                    "batch": line.batch, "cohort": line.cohort.to_string(), "institution_id": line.institution,
                    "source": line.source, "line_amount": line.amount.to_string(),
                })
            })
            .collect();
        let noted: Vec<Value> = life
            .noted
            .iter()
            .map(|noted| {
                let batch = batches.iter().find(|batch| batch.number == noted.batch);
                json!({
                    "batch": noted.batch, "time": batch.map(|batch| &batch.paper.time), "state": noted.state,
                    "institution_id": noted.institution, "package": noted.package,
                    "starts_on": noted.starts_on, "ends_on": noted.ends_on,
                })
            })
            .collect();
        json!({
            "contract_id": mask_within(&life.contract),
            "person_id": life.signing.map(|signing| signing.person.masked()),
            "institution_id": life.signing.map(|signing| &run.rules.institutions.get(signing.institution).id),
            "package": life.signing.map(|signing| &run.rules.package(signing.offer()).named.id),
            "signed_on": life.signing.map(|signing| signing.signed_on.to_string()),
            "starts_on": life.signing.map(|signing| signing.starts_on.to_string()),
            "ends_on": life.signing.map(|signing| signing.end.to_string()),
            "rows": rows,
            "passed": life.signing.map(|signing| passed(run, &signing)),
            "charges": charges,
            "services": life.services.iter().map(at).collect::<Vec<_>>(),
            "moved_before": besides,
            "noted": noted,
        })
    };
    let notices: Vec<String> = run.inputs.notices.iter().map(|notice| say(lang, notice)).collect();
    json!({
        "schema": "jiayi.explain/1",
        "period": run.rules.period.to_string(),
        "signings": lives.iter().map(life).collect::<Vec<_>>(),
        "notices": notices,
    })
}
