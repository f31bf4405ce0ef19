//! The CSV files of SPEC §6: UTF-8, comma, LF, English header, rows sorted by their first columns.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

use crate::base::money::{Fen, shortest};
use crate::pipeline::{Run, shown};
use crate::settlement::assess::Card;
use crate::settlement::clear::Outcome;
use crate::settlement::lines::{Line, clawback};
use crate::settlement::rules::Rules;

use super::figures;
use super::findings::{Findings, Refused};
use super::flags::flags;
use super::output::CsvForm;
use super::written::{Table, Written, maybe, own, text};

/// A file still to be written.
pub type Work<'w> = Box<dyn Fn() -> Result<Written> + Sync + 'w>;

/// Every CSV file of a settlement, to be written into `folder`.
pub fn files<'w>(findings: &'w Findings<'w>, folder: &'w Path) -> Vec<Work<'w>> {
    let (run, form) = (findings.run, findings.output.csv);
    let mut work: Vec<Work> = vec![
        Box::new(move || flags(findings, folder)),
        Box::new(move || rejected(findings.refused_count(), |at| findings.refused_at(at), folder, form)),
        Box::new(move || settlement(run, folder, form)),
        Box::new(move || summary(run, folder, form)),
        Box::new(move || clawbacks(run, folder, form)),
        Box::new(move || figures::figures(run, folder, form)),
    ];
    // Only where a share is released in parts.
    if run.settlement.lines.iter().any(|line| !line.tranches.is_empty()) {
        work.push(Box::new(move || tranches(run, folder, form)));
    }
    // Only where something was posted before.
    let paid = run.settlement.lines.iter().any(|line| line.posted != Fen::ZERO);
    if paid || !run.history.posted.is_empty() {
        work.push(Box::new(move || delta(run, folder, form)));
    }
    work
}

fn settlement(run: &Run, folder: &Path, form: CsvForm) -> Result<Written> {
    let header = [
        "cohort",
        "institution_id",
        "institution_name",
        "district",
        "parent_id",
        "package",
        "source",
        "policy",
        "count",
        "held",
        "gross",
        "deduction",
        "prepay_ratio",
        "prepay",
        "score",
        "ratio",
        "final",
        "posted",
        "payable",
        "recover",
    ];
    let table = Table::create(folder, "settlement.csv", &header, form)?;
    let lines = &run.settlement.lines;
    let row = |at: usize| {
        let line = &lines[at];
        let institution = run.rules.institutions.get(line.institution);
        let earned = line.earned.as_ref();
        [
            own(line.cohort),
            text(&institution.id),
            text(&institution.name),
            text(&institution.district),
            text(&institution.parent_id),
            text(&line.package),
            text(&line.source),
            text(&run.rules.region.versions[line.version].id),
            own(line.count),
            own(line.held),
            own(line.gross),
            maybe(earned.map(|_| line.deduction)),
            maybe(line.settled.then(|| shortest(line.prepay_ratio))),
            own(line.prepay),
            maybe(earned.map(Outcome::shown)),
            maybe(earned.map(|outcome| shortest(outcome.earned.ratio))),
            maybe(line.last),
            own(line.posted),
            own(line.payable),
            own(line.recover),
        ]
    };
    table.finish_with(lines.len(), |part| part.map(row))
}

/// The settled lines of each institution, in their order.
pub fn lines_by_institution<'a>(run: &'a Run) -> Vec<Vec<&'a Line>> {
    let mut by: Vec<Vec<&Line>> = vec![Vec::new(); run.rules.institutions.count()];
    for line in run.settlement.lines.iter().filter(|line| line.settled) {
        by[line.institution as usize].push(line);
    }
    by
}

/// Score and grade as summary.csv shows them: the score alone where one was used.
pub fn scores_of(rules: &Rules, lines: &[&Line]) -> (String, String, &'static str) {
    let mut scores: BTreeMap<(String, String, u32), (String, String)> = BTreeMap::new();
    let mut combined: BTreeSet<String> = BTreeSet::new();
    let (mut renewed, mut refused) = (false, false);
    let own = lines.first().map(|line| line.institution);
    for outcome in lines.iter().filter_map(|line| line.earned.as_ref()) {
        // A grade belongs to the score that met the curve, not to each of several that were combined.
        let alone = outcome.used.len() == 1;
        for score in &outcome.used {
            let (institution, period, level) = &score.key;
            let entry = scores.entry((level.clone(), period.to_string(), *institution)).or_default();
            entry.0 = shortest(score.score);
            if alone && let Some(grade) = &outcome.earned.grade {
                entry.1 = grade.clone();
            }
        }
        combined.extend(outcome.earned.grade.clone().filter(|_| !alone));
        renewed |= outcome.earned.renew == Some(true);
        refused |= outcome.earned.renew == Some(false);
    }
    let renew = if refused {
        "no"
    } else if renewed {
        "yes"
    } else {
        ""
    };
    if scores.len() == 1 {
        let (score, grade) = scores.into_values().next().unwrap_or_default();
        return (score, grade, renew);
    }
    let joined = |pick: fn(&(String, String)) -> &String| {
        let all = scores.iter().filter(|(_, value)| !pick(value).is_empty());
        let each = all.map(|((level, period, institution), value)| {
            let whose = if own == Some(*institution) {
                String::new()
            } else {
                format!("{} ", rules.institutions.get(*institution).id)
            };
            format!("{whose}{level} {period} {}", pick(value))
        });
        each.collect::<Vec<String>>()
    };
    let grades = joined(|value| &value.1).into_iter().chain(combined).collect::<Vec<_>>().join(";");
    (joined(|value| &value.0).join(";"), grades, renew)
}

/// The columns of summary.csv.
pub const SUMMARY: [&str; 19] = [
    "institution_id",
    "institution_name",
    "kind",
    "district",
    "parent_id",
    "signings",
    "rejected",
    "void",
    "admitted",
    "held",
    "score",
    "grade",
    "gross",
    "prepay",
    "final",
    "posted",
    "payable",
    "recover",
    "renew",
];

fn summary(run: &Run, folder: &Path, form: CsvForm) -> Result<Written> {
    let mut table = Table::create(folder, "summary.csv", &SUMMARY, form)?;
    let lines = lines_by_institution(run);
    for index in by_id(run.rules) {
        let at = index as usize;
        let institution = run.rules.institutions.get(index);
        let version = &run.rules.region.versions[run.rules.version_on(run.rules.period.first_day())];
        let kind = version
            .institutions
            .find(&institution.kind)
            .map(|kind| version.institutions.kinds[kind].id.as_str());
        let (rows, heads) = (run.rows[at], run.settlement.heads[at]);
        let (score, grade, renew) = scores_of(run.rules, &lines[at]);
        let sum = |pick: fn(&Line) -> Fen| own(lines[at].iter().map(|line| pick(line)).sum::<Fen>());
        let cleared: Vec<Fen> = lines[at].iter().filter_map(|line| line.last).collect();
        table.row([
            text(&institution.id),
            text(&institution.name),
            text(kind.unwrap_or(&institution.kind)),
            text(&institution.district),
            text(&institution.parent_id),
            own(rows.rows),
            own(rows.rejected),
            own(rows.void),
            own(heads.admitted),
            own(heads.held),
            own(score),
            own(grade),
            sum(|line| line.gross),
            sum(|line| line.prepay),
            maybe((!cleared.is_empty()).then(|| cleared.into_iter().sum::<Fen>())),
            sum(|line| line.posted),
            sum(|line| line.payable),
            sum(|line| line.recover),
            text(renew),
        ])?;
    }
    table.finish()
}

/// Institutions in order of their ids.
pub fn by_id(rules: &Rules) -> Vec<u32> {
    let mut order: Vec<u32> = (0..rules.institutions.count() as u32).collect();
    order.sort_by(|a, b| rules.institutions.get(*a).id.cmp(&rules.institutions.get(*b).id));
    order
}

fn clawbacks(run: &Run, folder: &Path, form: CsvForm) -> Result<Written> {
    let header = [
        "cohort",
        "institution_id",
        "institution_name",
        "package",
        "source",
        "count",
        "prepay",
        "score",
        "ratio",
        "final",
        "shortfall",
        "posted",
        "recover",
        "withheld",
        "reason",
        "clause",
    ];
    let mut table = Table::create(folder, "clawback.csv", &header, form)?;
    for line in &run.settlement.lines {
        let policy = &run.rules.region.versions[line.version];
        let Some(back) = clawback(line, policy) else { continue };
        let institution = run.rules.institutions.get(line.institution);
        let earned = line.earned.as_ref();
        table.row([
            own(line.cohort),
            text(&institution.id),
            text(&institution.name),
            text(&line.package),
            text(&line.source),
            own(line.count),
            own(line.prepay),
            maybe(earned.map(Outcome::shown)),
            maybe(earned.map(|outcome| shortest(outcome.earned.ratio))),
            maybe(line.last),
            own(back.shortfall),
            own(line.posted),
            own(line.recover),
            own(back.withheld),
            text(back.reason.name()),
            own(&back.clause),
        ])?;
    }
    table.finish()
}

/// Writes refused rows as they are `shown`, by their turn.
pub fn rejected<'a>(
    count: usize,
    shown: impl Fn(usize) -> Refused<'a> + Sync,
    folder: &Path,
    form: CsvForm,
) -> Result<Written> {
    Table::create(folder, "rejected.csv", &REJECTED, form)?.finish_with(count, |part| {
        part.map(|at| {
            let Refused { row, file, reason } = shown(at);
            [
                text(file),
                own(row.place.line),
                text(row.kind.name()),
                text(row.contract),
                text(row.person),
                text(row.institution),
                text(row.code.name()),
                reason.into(),
                text(row.clause.unwrap_or_default()),
            ]
        })
    })
}

/// The parts of shares that are released one by one.
fn tranches(run: &Run, folder: &Path, form: CsvForm) -> Result<Written> {
    let header = [
        "cohort",
        "institution_id",
        "package",
        "source",
        "policy",
        "tranche",
        "part",
        "due_on",
        "score",
        "ratio",
        "amount",
        "clause",
    ];
    let mut table = Table::create(folder, "tranches.csv", &header, form)?;
    for line in &run.settlement.lines {
        for one in &line.tranches {
            table.row([
                own(line.cohort),
                text(&run.rules.institutions.get(line.institution).id),
                text(&line.package),
                text(&line.source),
                text(&run.rules.region.versions[line.version].id),
                text(&one.id),
                own(shortest(one.part)),
                own(one.due_on),
                maybe(one.outcome.as_ref().map(Outcome::shown)),
                maybe(one.outcome.as_ref().map(|outcome| shortest(outcome.earned.ratio))),
                maybe(one.amount),
                own(&one.clause),
            ])?;
        }
    }
    table.finish()
}

/// What moved each line since it was posted, cause by cause.
fn delta(run: &Run, folder: &Path, form: CsvForm) -> Result<Written> {
    let header = [
        "cohort",
        "institution_id",
        "institution_name",
        "package",
        "source",
        "policy",
        "cause",
        "count",
        "gross",
        "amount",
    ];
    let mut table = Table::create(folder, "delta.csv", &header, form)?;
    for line in &run.settlement.lines {
        let institution = run.rules.institutions.get(line.institution);
        for one in &line.moves {
            table.row([
                own(line.cohort),
                text(&institution.id),
                text(&institution.name),
                text(&line.package),
                text(&line.source),
                text(&run.rules.region.versions[line.version].id),
                text(one.cause.name()),
                own(one.count),
                own(one.gross),
                own(one.amount),
            ])?;
        }
    }
    table.finish()
}

/// scores.csv as `assess` writes it.
pub const SCORES: [&str; 6] = ["institution_id", "period", "level", "score", "grade", "ratio"];
/// scorecard.csv.
pub const SCORECARD: [&str; 10] =
    ["institution_id", "period", "level", "indicator", "title", "value", "origin", "points", "max", "clause"];
/// rejected.csv.
pub const REJECTED: [&str; 9] =
    ["file", "line", "kind", "contract_id", "person_id", "institution_id", "code", "reason", "clause"];

/// Writes scores.csv and scorecard.csv.
pub fn assessment(cards: &[Card], rules: &Rules, folder: &Path) -> Result<Vec<Written>> {
    let form = CsvForm::PLAIN;
    let mut scores = Table::create(folder, "scores.csv", &SCORES, form)?;
    let mut card_table = Table::create(folder, "scorecard.csv", &SCORECARD, form)?;
    for card in cards {
        let (institution, period, level) = &card.key;
        let id = &rules.institutions.get(*institution).id;
        if let Some(score) = card.score {
            scores.row([
                text(id),
                own(period),
                text(level),
                own(shortest(score)),
                maybe(card.grade.as_ref()),
                maybe(card.ratio.map(shortest)),
            ])?;
        }
        for line in &card.lines {
            card_table.row([
                text(id),
                own(period),
                text(level),
                text(&line.indicator),
                text(&line.title),
                own(shown(line.value)),
                maybe(line.origin.map(|origin| origin.name())),
                maybe(line.points.map(shortest)),
                own(shortest(line.max)),
                own(&line.clause),
            ])?;
        }
    }
    Ok(vec![card_table.finish()?, scores.finish()?])
}
