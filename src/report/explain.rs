//! Why a line comes to what it does, one step a line: on the screen and as JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::base::money::{Fen, shortest};
use crate::base::period::Period;
use crate::ledger::chain::Batch;
use crate::ledger::tell::Agreed;
use crate::pipeline::Run;
use crate::policy::Policy;
use crate::policy::schedule::Part;
use crate::settlement::clear::Outcome;
use crate::settlement::explain::{HeldFor, Leaf, leaves};
use crate::settlement::lines::Line;
use crate::words::{Lang, Phrase, phrase};

use super::names;
use super::rules::{Said, percent, tell};
use super::screen::Look;

/// One line of a settlement with all that it comes from.
pub struct Explained<'a> {
    pub line: &'a Line,
    pub leaves: Vec<Leaf>,
    /// What the policy says of the curve that cleared it.
    pub curve: Vec<Said>,
    pub prepay_clause: String,
    /// What batches moved on it.
    pub posted: Vec<(u32, Fen)>,
}

/// When a batch was posted, by whom, and by which document.
pub(super) fn paper(batches: &[Batch], number: u32) -> String {
    let Some(batch) = batches.iter().find(|batch| batch.number == number) else { return String::new() };
    let paper = &batch.paper;
    let day = paper.time.get(..10).map(str::to_string);
    let reverses = batch.reverses.map(|number| format!("↩ {number}"));
    let words = [day, reverses, paper.operator.clone(), paper.approved_by.clone(), paper.document.clone()];
    words.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// A line of the ledger: cohort, institution, package and source.
type PostedKey<'a> = (Period, &'a str, &'a str, &'a str);

/// What the lines of a run are explained with.
pub struct Explainer<'a> {
    run: &'a Run<'a>,
    lang: Lang,
    /// What each version says.
    told: Vec<Vec<Said>>,
    /// What batches moved on a line, in their order.
    posted: BTreeMap<PostedKey<'a>, Vec<(u32, Fen)>>,
}

impl<'a> Explainer<'a> {
    pub fn new(run: &'a Run<'a>, lang: Lang) -> Explainer<'a> {
        let mut posted: BTreeMap<PostedKey, Vec<(u32, Fen)>> = BTreeMap::new();
        for past in run.history.past().into_iter().flat_map(|past| &past.lines) {
            let key = (past.cohort, past.institution.as_str(), past.package.as_str(), past.source.as_str());
            if past.amount == Fen::ZERO {
                continue;
            }
            let moved = posted.entry(key).or_default();
            match moved.last_mut().filter(|(batch, _)| *batch == past.batch) {
                Some((_, amount)) => *amount += past.amount,
                None => moved.push((past.batch, past.amount)),
            }
        }
        let told = run.rules.region.versions.iter().map(|policy| tell(policy, lang)).collect();
        Explainer { run, lang, told, posted }
    }

    pub fn line(&self, line: &'a Line) -> Explained<'a> {
        let run = self.run;
        let policy = &run.rules.region.versions[line.version];
        let source = policy.source(&line.source).map(|at| &policy.sources[at]);
        let about: Vec<String> =
            curves_of(policy, line).iter().map(|at| format!("curve {} ", policy.curves[*at].id)).collect();
        let said = self.told[line.version].iter();
        let curve = said.filter(|said| about.iter().any(|about| said.about.starts_with(about))).cloned();
        let id = &run.rules.institutions.get(line.institution).id;
        let key = (line.cohort, id.as_str(), line.package.as_str(), line.source.as_str());
        Explained {
            line,
            leaves: leaves(run.rules, run.settlement, run.classes, line),
            curve: curve.collect(),
            prepay_clause: source.map_or(String::new(), |source| source.prepay_clause.to_string()),
            posted: self.posted.get(&key).cloned().unwrap_or_default(),
        }
    }

    /// Each step of a line, with its article.
    pub fn steps(&self, explained: &Explained, batches: &[Batch]) -> Vec<(String, String)> {
        steps(self.run, explained, batches, self.lang)
    }
}

/// The curves that clear a line, by their numbers in its policy.
pub fn curves_of(policy: &Policy, line: &Line) -> Vec<usize> {
    let source = policy.source(&line.source).map(|at| &policy.sources[at]);
    let parts = source.iter().flat_map(|source| source.tranches.iter().filter_map(|one| one.curve));
    source.and_then(|source| source.curve).into_iter().chain(parts).collect()
}

/// Explains the lines of an institution.
pub fn explain<'a>(run: &'a Run<'a>, institution: u32, lang: Lang) -> Vec<Explained<'a>> {
    let explainer = Explainer::new(run, lang);
    let lines = run.settlement.lines.iter().filter(|line| line.institution == institution);
    lines.map(|line| explainer.line(line)).collect()
}

pub(super) fn part_of(part: Part) -> String {
    if part == Part::WHOLE { String::new() } else { format!(" ({}/{})", part.paid, part.of) }
}

pub(super) fn held(lang: Lang, why: HeldFor) -> String {
    let what = match why {
        HeldFor::NoEvidence => Phrase::HeldNoEvidence,
        HeldFor::Unauthorized => Phrase::HeldUnauthorized,
        HeldFor::OverCap => Phrase::HeldOverCap,
    };
    phrase(lang, what, &[])
}

/// The statement of an institution: its lines as arithmetic, then what was agreed on paper.
pub fn statement(
    out: &mut impl Write,
    run: &Run,
    institution: u32,
    (lines, agreed, batches): (&[Explained], &[Agreed], &[Batch]),
    look: Look,
) -> io::Result<()> {
    let lang = look.lang;
    let one = run.rules.institutions.get(institution);
    writeln!(out, "{} {}  {}", one.id, one.name, run.rules.period)?;
    if lines.is_empty() {
        writeln!(out, "{}", phrase(lang, Phrase::NoLines, &[]))?;
    }
    for explained in lines {
        let line = explained.line;
        let policy = &run.rules.region.versions[line.version];
        let package = names::package(policy, &line.package, lang);
        let source = names::source(run, &line.source, lang);
        writeln!(out, "\n{} {package} {source} ({})", line.cohort, policy.id)?;
        for (text, clause) in steps(run, explained, batches, lang) {
            let clause = if clause.is_empty() { String::new() } else { format!("  [{clause}]") };
            writeln!(out, "  {text}{clause}")?;
        }
    }
    if !agreed.is_empty() {
        writeln!(out, "\n{}", phrase(lang, Phrase::AgreedOnPaper, &[]))?;
        for one in agreed {
            let batch = one.batch.to_string();
            let amount = one.amount.grouped();
            let by = paper(batches, one.batch);
            let source = names::source(run, &one.source, lang);
            let with = [one.cohort.as_str(), &source, &amount, &one.document, &one.reason, &batch, &by];
            writeln!(out, "  {}", phrase(lang, Phrase::AgreedLine, &with))?;
        }
    }
    Ok(())
}

/// Each step of a line, with its article.
fn steps(run: &Run, explained: &Explained, batches: &[Batch], lang: Lang) -> Vec<(String, String)> {
    let Explained { line, leaves, curve, prepay_clause, posted } = explained;
    let say = |what, with: &[&str]| phrase(lang, what, with);
    let mut steps = Vec::new();
    for leaf in leaves {
        let (count, share, part) = (leaf.count.to_string(), leaf.share.grouped(), part_of(leaf.part));
        let amount = leaf.amount.grouped();
        let text = match leaf.held {
            Some(why) => say(Phrase::StepHeld, &[&count, &share, &part, &held(lang, why)]),
            None => say(Phrase::StepCharges, &[&count, &share, &part, &amount]),
        };
        steps.push((text, leaf.clause.to_string()));
    }
    let gross = line.gross.grouped();
    if leaves.len() != 1 {
        steps.push((say(Phrase::StepGross, &[&gross]), String::new()));
    }
    if !line.settled {
        steps.push((say(Phrase::StepNotSettled, &[]), String::new()));
        return steps;
    }
    let (ratio, prepay) = (percent(line.prepay_ratio), line.prepay.grouped());
    steps.push((say(Phrase::StepPrepay, &[&gross, &ratio, &prepay]), prepay_clause.clone()));
    if line.last.is_some() && line.deduction != Fen::ZERO {
        let rest = (line.gross - line.deduction).grouped();
        steps.push((say(Phrase::StepItems, &[&gross, &line.deduction.grouped(), &rest]), String::new()));
    }
    for one in &line.tranches {
        let amount = one.amount.map_or_else(|| say(Phrase::StepWaits, &[]), Fen::grouped);
        let score = one.outcome.as_ref().map_or(String::new(), Outcome::shown);
        let with = [one.name.as_str(), &percent(one.part), &one.due_on.to_string(), &score, &amount];
        steps.push((say(Phrase::StepTranche, &with), one.clause.to_string()));
    }
    match (&line.earned, line.last) {
        (Some(outcome), Some(last)) => {
            for score in &outcome.used {
                let (institution, period, level) = &score.key;
                let id = &run.rules.institutions.get(*institution).id;
                let day = score.assessed_on.map_or(String::new(), |day| day.to_string());
                let level = names::level(run.rules, level, lang);
                let with = [&shortest(score.score), &level, &period.to_string(), id, &day];
                steps.push((say(Phrase::StepScore, &with.map(String::as_str)), String::new()));
            }
            steps.extend(curve.iter().map(|said| (said.text.clone(), said.clause.clone())));
            let ratio = percent(outcome.earned.ratio);
            if line.tranches.is_empty() {
                let base = (line.gross - line.deduction).grouped();
                steps.push((say(Phrase::StepFinal, &[&base, &ratio, &last.grouped()]), String::new()));
            } else {
                steps.push((say(Phrase::StepAllParts, &[&last.grouped(), &ratio]), String::new()));
            }
        }
        _ => steps.push((say(Phrase::StepNoScore, &[&line.due().grouped()]), String::new())),
    }
    for (batch, amount) in posted {
        let with = [&batch.to_string(), &amount.grouped(), &paper(batches, *batch)];
        steps.push((say(Phrase::StepBatch, &with.map(String::as_str)), String::new()));
    }
    let (due, before) = (line.due().grouped(), line.posted.grouped());
    let text = match (line.payable, line.recover) {
        (Fen::ZERO, Fen::ZERO) => say(Phrase::StepNothing, &[&due, &before]),
        (payable, Fen::ZERO) => say(Phrase::StepPayable, &[&due, &before, &payable.grouped()]),
        (_, recover) => say(Phrase::StepRecover, &[&due, &before, &recover.grouped()]),
    };
    steps.push((text, String::new()));
    steps
}

/// The same for scripts. Amounts, ratios and scores are strings.
pub fn statement_json(
    run: &Run,
    institution: u32,
    (lines, agreed, batches): (&[Explained], &[Agreed], &[Batch]),
    lang: Lang,
) -> Value {
    let one = run.rules.institutions.get(institution);
    let line = |explained: &Explained| {
        let Explained { line, leaves, curve, prepay_clause, posted } = explained;
        let charges: Vec<Value> = leaves
            .iter()
            .map(|leaf| {
                json!({
                    "count": leaf.count.to_string(),
                    "share": leaf.share.to_string(),
                    "part": format!("{}/{}", leaf.part.paid, leaf.part.of),
                    "amount": leaf.amount.to_string(),
                    "held": leaf.held.map(HeldFor::name),
                    "clause": &*leaf.clause,
                })
            })
            .collect();
        let scores: Vec<Value> = line
            .earned
            .iter()
            .flat_map(|outcome| &outcome.used)
            .map(|score| {
                json!({
                    "institution_id": run.rules.institutions.get(score.key.0).id,
                    "period": score.key.1.to_string(),
                    "level": score.key.2,
                    "score": shortest(score.score),
                    "assessed_on": score.assessed_on.map(|day| day.to_string()),
                })
            })
            .collect();
        let parts: Vec<Value> = line
            .tranches
            .iter()
            .map(|one| {
                json!({
                    "tranche": one.id,
                    "part": shortest(one.part),
                    "due_on": one.due_on.to_string(),
                    "amount": one.amount.map(|amount| amount.to_string()),
                    "clause": &*one.clause,
                })
            })
            .collect();
        let paid: Vec<Value> = posted
            .iter()
            .map(|(batch, amount)| json!({ "batch": batch, "amount": amount.to_string(), "by": paper(batches, *batch) }))
            .collect();
        json!({
            "cohort": line.cohort.to_string(),
            "package": line.package,
            "source": line.source,
            "policy": run.rules.region.versions[line.version].id,
            "settled": line.settled,
            "charges": charges,
            "gross": line.gross.to_string(),
            "prepay_ratio": line.settled.then(|| shortest(line.prepay_ratio)),
            "prepay": line.prepay.to_string(),
            "prepay_clause": prepay_clause,
            "deduction": line.last.map(|_| line.deduction.to_string()),
            "tranches": parts,
            "scores": scores,
            "curve": curve.iter().map(|said| json!({ "text": said.text, "clause": said.clause })).collect::<Vec<_>>(),
            "ratio": line.earned.as_ref().map(|outcome| shortest(outcome.earned.ratio)),
            "final": line.last.map(|last| last.to_string()),
            "due": line.due().to_string(),
            "batches": paid,
            "posted": line.posted.to_string(),
            "payable": line.payable.to_string(),
            "recover": line.recover.to_string(),
            "steps": steps(run, explained, batches, lang).into_iter().map(|(text, _)| text).collect::<Vec<_>>(),
        })
    };
    json!({
        "schema": "jiayi.explain/1",
        "institution_id": one.id,
        "institution_name": one.name,
        "period": run.rules.period.to_string(),
        "lines": lines.iter().map(line).collect::<Vec<_>>(),
        "adjustments": agreed.iter().map(super::ledger::agreed_json).collect::<Vec<_>>(),
    })
}
