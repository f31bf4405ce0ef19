//! The whole run, one step a line: read → qualify → price → assess → settle.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use crate::base::code::Code;
use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::{Cycle, Date, Period, add_months};
use crate::base::place::Kind;
use crate::intake::folder::{self, InputFile};
use crate::policy::sheet::{Derive, Value};
use crate::policy::version::Region;
use crate::policy::{FigureKind, Policy};
use crate::settlement::assess::{Card, Derived, RowCounts, Scores, payers, scorecards, settle_scores};
use crate::settlement::delta::Cause;
use crate::settlement::desk::Details;
use crate::settlement::evidence::Evidence;
use crate::settlement::history::History;
use crate::settlement::lines::{Given, Line, Posted, Settlement, settle as settle_lines};
use crate::settlement::past::{AsOf, Past};
use crate::settlement::price::{Class, Classes};
use crate::settlement::qualify::{Pricing, Qualified, Signing, qualify};
use crate::settlement::rules::Rules;
use crate::stages::signings::ReadSignings;
use crate::stages::{self, Inputs, Stage, Watch, signings, small, swipes};

/// A settled period, for the reports.
pub struct Run<'a> {
    pub rules: &'a Rules<'a>,
    pub inputs: &'a Inputs,
    pub history: &'a History<'a>,
    pub qualified: &'a Qualified,
    pub evidence: &'a Evidence,
    pub scores: &'a Scores,
    pub classes: &'a [Arc<Class>],
    pub details: &'a [Details],
    pub rows: &'a [RowCounts],
    pub settlement: &'a Settlement,
    /// What payments say, where there is no ledger.
    pub payments: &'a Posted,
    /// A hash over the rule files.
    pub rules_hash: &'a str,
}

/// What is to be settled.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub period: Period,
    /// The day up to which tranches are due; all of them where there is none.
    pub as_of: Option<Date>,
    /// What earlier postings relied on.
    pub past: Option<&'a Past>,
    /// Lines of older cohorts are told although nothing moved.
    pub standing: bool,
    /// The result may be posted: all that a posting writes down is kept.
    pub recording: bool,
    /// The process ends with it: what it took is left to the system, which takes it back at once, and not piece by piece.
    pub last: bool,
}

impl Asked<'_> {
    /// A period with all its tranches, and nothing before it.
    pub fn of(period: Period) -> Asked<'static> {
        Asked { period, as_of: None, past: None, standing: false, recording: false, last: false }
    }
}

/// Settles a period and hands the result to `then`.
pub fn settle<R>(
    region: &Region,
    Asked { period, as_of, past, standing, recording, last }: Asked,
    data: &Path,
    watch: Watch,
    then: impl FnOnce(&Run) -> Result<R>,
) -> Result<R> {
    must_fit(region, period)?;
    let measured = |version: &Policy| {
        version.figures.iter().any(|figure| matches!(figure.kind, FigureKind::Satisfaction { .. }))
    };
    // Sheets are for `assess`, but for a figure that is read off them.
    let unread: &[Kind] = if region.versions.iter().any(measured) { &[] } else { &[Kind::Sheets] };
    let files = data_files(region, data, unread)?;
    (watch.begins)(Stage::Headers);
    // Every header is read first: what is missing stops the run before the long reading starts.
    let mut inputs = Inputs::open(files)?;
    inputs.notices.extend(unused_files(data)?);
    stages::unchecked(&mut inputs, region);
    let mut institutions = small::institutions(&mut inputs, watch)?;
    stages::districts(&mut inputs, region, &institutions);
    // The past comes first: what it knows of a contract decides what a row of it means.
    let history = match past {
        Some(past) => History::new(past, &mut institutions, inputs.name_ledger()),
        None => History::default(),
    };
    let mut rules = Rules::compile(region, &institutions, period);
    // A known contract is priced by what its row says as well, so that is kept with a ledger.
    let recording = recording || history.is_there();
    (rules.as_of, rules.standing, rules.recording) = (as_of, standing, recording);
    if let Some(opening) = history.opening() {
        must_be_open(&mut inputs, opening, period)?;
        not_earlier(region, &history, as_of)?;
        rules_are_there(region, &history)?;
        later_posted(&mut inputs, &history, period);
        rules.from = opening;
    }
    let qualification = qualified(&mut inputs, &rules, &history, watch)?;
    restored(&mut inputs, &history, &qualification.qualified);
    (watch.begins)(Stage::Swipes);
    // Swipes come after the signings are held against each other: a refused signing has no evidence.
    let evidence = swipes::swipes(&mut inputs, &rules, &qualification.qualified, &history, watch)?;
    (watch.begins)(Stage::Small);
    let mut entries = small::scores(&mut inputs, &rules, watch)?;
    entries.extend(history.scores(&rules));
    if entries.is_empty() && !inputs.has(Kind::Scores) {
        inputs.notices.push(Msg::NoScoresFile);
    }
    let names = inputs.names.clone();
    let ledger = history.is_there().then_some(history.file);
    let scores = settle_scores(entries, &rules, ledger, &names, |reject| inputs.rejects.push(reject));
    let payments = small::payments(&mut inputs, &rules, history.is_there(), watch)?;
    let sheets = small::sheets(&mut inputs, &rules, watch)?;
    (watch.begins)(Stage::Settle);
    let Qualification { qualified, classes, details, rows } = &qualification;
    let (prices, rules_hash) = (classes.all(), region.hash());
    let settlement = settle_lines(
        &rules,
        &Given {
            history: &history,
            qualified,
            classes,
            prices: &prices,
            details,
            evidence: &evidence,
            scores: &scores,
            posted: &payments,
            sheets: &sheets,
            rules_hash: &rules_hash,
        },
    );
    // A part of a cycle is no cohort, whichever version the charges follow.
    let partly = |line: &&Line| rules.region.versions[line.version].cycle > period.cycle();
    if let Some(line) = settlement.lines.iter().find(partly) {
        return Err(too_fine(period, &region.versions[line.version]));
    }
    inputs.notices.extend(settlement.notices.iter().cloned());
    by_other_rules(&mut inputs, &settlement);
    if settlement.lines.iter().all(|line| line.count + line.held == 0) {
        let of_signings = inputs.facts.iter().filter(|facts| facts.kind == Kind::Signings);
        let refused = inputs.refused().filter(|reject| reject.kind == Kind::Signings).count() as u64;
        let (rows, void) = (of_signings.map(|facts| facts.rows).sum(), inputs.void_rows);
        let posted = history.is_there();
        inputs.notices.push(Msg::NoCharges { period, rows, refused, void, posted });
    }
    let run = Run {
        rules: &rules,
        inputs: &inputs,
        history: &history,
        qualified,
        evidence: &evidence,
        scores: &scores,
        classes: &prices,
        details,
        rows,
        settlement: &settlement,
        payments: &payments,
        rules_hash: &rules_hash,
    };
    balance(&run);
    let result = then(&run);
    if last {
        mem::forget((inputs, qualification, evidence, scores, payments, settlement));
    }
    result
}

impl Run<'_> {
    /// How many rows a stage was about.
    pub fn rows_of(&self, stage: Stage) -> Option<u64> {
        let admitted = self.qualified.signings.count() as u64;
        match stage {
            Stage::Ledger => self.history.past().map(|past| past.signings.len() as u64),
            Stage::Qualify => Some(admitted + self.qualified.refused.len() as u64),
            Stage::Settle => Some(admitted),
            Stage::Write | Stage::Post => None,
            stage => Some(self.inputs.rows_of(stage)),
        }
    }

    /// Whether a file is one of this run, not the ledger.
    fn of_file(&self, file: u16) -> bool {
        !(self.history.is_there() && file == self.history.file)
    }

    /// How many signing rows of the files were refused.
    pub fn refused_signings(&self) -> u64 {
        let rejects = self.inputs.rejects.iter().filter(|reject| reject.kind == Kind::Signings);
        rejects.filter(|reject| self.of_file(reject.place.file)).count() as u64
    }
}

/// No row is lost: what was read was refused, void, or qualified.
fn balance(run: &Run) {
    let signings: u64 =
        run.inputs.facts.iter().filter(|facts| facts.kind == Kind::Signings).map(|facts| facts.rows).sum();
    let of_file = |signing: &Signing| run.of_file(signing.place().file);
    let admitted = run.qualified.signings.par_iter().filter(of_file).count();
    assert_eq!(
        signings,
        run.refused_signings() + run.inputs.void_rows + admitted as u64,
        "every signing row is accounted for"
    );
}

struct Qualification {
    qualified: Qualified,
    classes: Classes,
    details: Vec<Details>,
    rows: Vec<RowCounts>,
}

/// Reads signings and holds them against the rules and each other.
fn qualified(inputs: &mut Inputs, rules: &Rules, history: &History, watch: Watch) -> Result<Qualification> {
    (watch.begins)(Stage::Signings);
    let ReadSignings { candidates, shapes, mut counts, classes, details, of_past } =
        signings::signings(inputs, rules, history, watch)?;
    (watch.begins)(Stage::Qualify);
    let (names, details) = (inputs.names.clone(), details.list());
    let pricing = Pricing { classes: &classes, details: &details };
    let past = (history, of_past, &pricing);
    let qualified = qualify((candidates, shapes), rules, past, &names, |signing: &Signing, reject| {
        // What stands in no file of this run is no row of its institution.
        if history.owns(signing).is_none() {
            let counts = &mut counts[signing.institution as usize];
            counts.rejected += 1;
            counts.assessed_refused += u32::from(rules.contains(signing.signed_on));
        }
        inputs.rejects.push(reject);
    });
    Ok(Qualification { qualified, classes, details, rows: counts })
}

/// Parts of a share that were posted stay: nothing is settled as of an earlier day.
fn not_earlier(region: &Region, history: &History, as_of: Option<Date>) -> Result<()> {
    let in_parts =
        region.versions.iter().flat_map(|version| &version.sources).any(|source| !source.tranches.is_empty());
    let posted = history.past().and_then(|past| past.as_of);
    // Parts that were posted whatever their day: of the cohorts posted, the last day on which one is due.
    let last_due = || {
        let cohorts = history.states().map(|((cohort, ..), _)| cohort.first_day());
        let latest = cohorts.max()?;
        let sources = region.versions.iter().flat_map(|version| &version.sources);
        let months = sources.flat_map(|source| &source.tranches).map(|tranche| tranche.after_months).max()?;
        Some(add_months(latest, months))
    };
    let posted = match posted {
        Some(AsOf::All) => last_due().map(AsOf::Day),
        posted => posted,
    };
    match (as_of, posted) {
        (Some(day), Some(posted)) if in_parts && AsOf::Day(day) < posted => {
            let posted = match posted {
                AsOf::Day(day) => Some(day),
                AsOf::All => None,
            };
            Err(stop(Msg::EarlierAsOf { day, posted }, None))
        }
        _ => Ok(()),
    }
}

/// Says how many contracts that were void or ended stand again: the export may be older than the last one posted.
fn restored(inputs: &mut Inputs, history: &History, qualified: &Qualified) {
    let Some(past) = history.past() else { return };
    let back = |(index, signing): (usize, Signing)| match qualified.known(index) {
        Some(known) => {
            let past = history.signing(known);
            // It had ended early, and runs longer now; one that only moved did not.
            let ended = past.end < past.term_end && past.starts_on == signing.starts_on;
            history.owns(&signing).is_none() && ended && past.end < signing.end
        }
        None => !past.gone.is_empty() && past.gone.contains(&qualified.contracts.hash(signing.contract)),
    };
    let rows = qualified.signings.par_iter().enumerate().filter(|one| back(*one)).count() as u64;
    if rows > 0 {
        inputs.notices.push(Msg::StandAgain { rows });
    }
}

/// Stops the run where lines were posted by a rule file that is no longer there: their charges would be counted
/// by another.
fn rules_are_there(region: &Region, history: &History) -> Result<()> {
    let known = |policy: &str| region.versions.iter().any(|version| version.id == policy);
    let of_lines = history.states().flat_map(|(_, by_policy)| by_policy);
    match of_lines.filter(|(_, state)| state.count + state.held > 0).find(|(policy, _)| !known(policy)) {
        Some((policy, state)) => {
            let fact = Msg::RulesGone { policy: policy.clone(), batch: state.batch };
            Err(stop(fact, Some(Msg::KeepOldRules)))
        }
        None => Ok(()),
    }
}

/// Says that later cohorts were posted: what rows of now change of them is not looked at here.
fn later_posted(inputs: &mut Inputs, history: &History, period: Period) {
    let last = history.states().map(|((cohort, ..), _)| *cohort).max();
    if let Some(cohort) = last.filter(|cohort| cohort.first_day() >= period.end()) {
        inputs.notices.push(Msg::LaterPosted { cohort });
    }
}

/// Says where money moves because the rules changed since it was posted.
fn by_other_rules(inputs: &mut Inputs, settlement: &Settlement) {
    let moved = settlement.lines.iter().flat_map(|line| &line.moves).filter(|one| one.cause == Cause::Rule);
    let (lines, amount) = moved.fold((0, Fen::ZERO), |(lines, amount), one| (lines + 1, amount + one.amount));
    if lines > 0 {
        inputs.notices.push(Msg::MovedByRules { lines, amount });
    }
}

/// Stops the run where the whole period was settled elsewhere; says so of a part.
fn must_be_open(inputs: &mut Inputs, opening: Date, period: Period) -> Result<()> {
    if period.end() <= opening {
        return Err(stop(Msg::BeforeOpening { period, opening }, None));
    }
    if period.first_day() < opening {
        inputs.notices.push(Msg::PartlyBeforeOpening { period, opening });
    }
    Ok(())
}

/// Reads and refuses as `settle` does, against what earlier postings relied on as well, and settles nothing.
pub fn check<R>(
    region: &Region,
    (period, past): (Period, Option<&Past>),
    data: &Path,
    watch: Watch,
    then: impl FnOnce(&Inputs) -> Result<R>,
) -> Result<R> {
    let mut inputs = Inputs::open(data_files(region, data, &[])?)?;
    inputs.notices.extend(unused_files(data)?);
    stages::unchecked(&mut inputs, region);
    let mut institutions = small::institutions(&mut inputs, watch)?;
    let history = match past {
        Some(past) => History::new(past, &mut institutions, inputs.name_ledger()),
        None => History::default(),
    };
    let mut rules = Rules::compile(region, &institutions, period);
    rules.recording = history.is_there();
    let qualification = qualified(&mut inputs, &rules, &history, watch)?;
    (watch.begins)(Stage::Swipes);
    swipes::swipes(&mut inputs, &rules, &qualification.qualified, &history, watch)?;
    (watch.begins)(Stage::Small);
    let mut entries = small::scores(&mut inputs, &rules, watch)?;
    entries.extend(history.scores(&rules));
    if entries.is_empty() && !inputs.has(Kind::Scores) {
        inputs.notices.push(Msg::NoScoresFile);
    }
    let names = inputs.names.clone();
    let ledger = history.is_there().then_some(history.file);
    settle_scores(entries, &rules, ledger, &names, |reject| inputs.rejects.push(reject));
    small::payments(&mut inputs, &rules, history.is_there(), watch)?;
    small::sheets(&mut inputs, &rules, watch)?;
    // Of no period: nothing lies outside it.
    inputs.notices.retain(|notice| !matches!(notice, Msg::PaymentsElsewhere { .. }));
    inputs.rejects.sort_by_place();
    then(&inputs)
}

/// An assessed period, for the reports.
pub struct Assessment<'a> {
    pub rules: &'a Rules<'a>,
    pub inputs: &'a Inputs,
    pub cards: &'a [Card],
}

/// Works out scorecards from sheets, with a data folder for what they leave out.
pub fn assess<R>(
    region: &Region,
    period: Period,
    sheets: &[PathBuf],
    data: Option<&Path>,
    watch: Watch,
    then: impl FnOnce(&Assessment) -> Result<R>,
) -> Result<R> {
    let mut files: Vec<InputFile> = match data {
        Some(data) => data_files(region, data, &[Kind::Sheets, Kind::Scores, Kind::Payments])?,
        None => Vec::new(),
    };
    let short = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    files.extend(sheets.iter().map(|path| {
        // Two sheets of one name are told apart by their folders.
        let alone = sheets.iter().filter(|other| short(other) == short(path)).count() == 1;
        let name = if alone { short(path) } else { path.display().to_string() };
        InputFile { kind: Kind::Sheets, path: path.clone(), name }
    }));
    let mut inputs = Inputs::open(files)?;
    let institutions = match data {
        Some(_) => small::institutions(&mut inputs, watch)?,
        None => small::institutions_named(&mut inputs, Kind::Sheets)?,
    };
    let rules = Rules::compile(region, &institutions, period);
    let policy = &region.versions[rules.version_on(period.first_day())];
    if policy.sheets.is_empty() {
        return Err(stop(Msg::NoSheetForLevel, None));
    }
    let derived = match data {
        Some(_) => Some(derived(&mut inputs, &rules, watch)?),
        None => None,
    };
    let entries = small::sheets(&mut inputs, &rules, watch)?;
    let (mut rejects, mut notices) = (Vec::new(), Vec::new());
    let names = inputs.names.clone();
    let cards = scorecards(
        &rules,
        entries,
        derived.as_ref(),
        &names,
        |reject| rejects.push(reject),
        |msg| notices.push(msg),
    );
    if cards.is_empty() {
        return Err(stop(Msg::NothingOfPeriod { period }, None));
    }
    inputs.rejects.extend(rejects);
    notices.dedup();
    inputs.notices.extend(notices);
    inputs.rejects.sort_by_place();
    then(&Assessment { rules: &rules, inputs: &inputs, cards: &cards })
}

/// Values that the data folder gives for the assessed period.
fn derived(inputs: &mut Inputs, rules: &Rules, watch: Watch) -> Result<Derived> {
    let none = History::default();
    let Qualification { qualified, classes, rows, .. } = qualified(inputs, rules, &none, watch)?;
    let evidence = swipes::swipes(inputs, rules, &qualified, &none, watch)?;
    if !inputs.has(Kind::Swipes) {
        let policy = &rules.region.versions[rules.version_on(rules.period.first_day())];
        let of_swipes = |derive| {
            matches!(derive, Some(Derive::EffectiveShare | Derive::SeparateCharges | Derive::SwipeRecords))
        };
        let indicators = policy.sheets.iter().flat_map(|sheet| &sheet.indicators);
        let titles: Vec<&str> =
            indicators.filter(|one| of_swipes(one.derive)).map(|one| one.title.as_str()).collect();
        if !titles.is_empty() {
            inputs.notices.push(Msg::LeftOutFile { what: titles.join(" / "), kind: Kind::Swipes.name() });
        }
    }
    let payers = payers(rules, &qualified, |class| classes.get(class).individual);
    Ok(Derived {
        rows,
        payers,
        swipes: inputs.has(Kind::Swipes).then_some(evidence.counts),
        has_item: !inputs.missing.item,
        has_charged: !inputs.missing.charged,
    })
}

/// Stops the run where the period is finer than a settlement cycle, or over before the policy began.
fn must_fit(region: &Region, period: Period) -> Result<()> {
    let version = &region.versions[region.on_or_after(period.first_day())];
    if period.cycle() < version.cycle {
        return Err(too_fine(period, version));
    }
    let from = region.versions[0].admits_from();
    if period.end() <= from {
        return Err(stop(Msg::NoPolicyYet { period: period.to_string(), from }, None));
    }
    Ok(())
}

pub fn too_fine(period: Period, version: &Policy) -> anyhow::Error {
    let cycle = Cycle::ALL.iter().find(|(_, cycle)| *cycle == version.cycle).map_or("", |(name, _)| *name);
    stop(Msg::PeriodTooFine { period: period.to_string(), cycle }, None)
}

/// Names the tables of a data folder that are of no kind.
fn unused_files(data: &Path) -> Result<Option<Msg>> {
    let known: Vec<InputFile> = folder::list(data)?;
    let files = folder::unused(data, &known)?;
    Ok((!files.is_empty()).then_some(Msg::UnusedFiles { files }))
}

/// The files of a data folder, less the kinds that this run does not read.
fn data_files(region: &Region, data: &Path, without: &[Kind]) -> Result<Vec<InputFile>> {
    let files = folder::list(data)?;
    let kinds: Vec<Kind> = Kind::of_folder().filter(|kind| !without.contains(kind)).collect();
    folder::no_other_form(data, &files, &kinds)?;
    folder::must_have(data, &files, Kind::Institutions)?;
    folder::must_have(data, &files, Kind::Signings)?;
    if region.versions.iter().any(|version| version.needs_swipes()) {
        folder::must_have(data, &files, Kind::Swipes)?;
    }
    Ok(files.into_iter().filter(|file| !without.contains(&file.kind)).collect())
}

/// What a run refused of its files, by kind of file and code.
pub fn refused_by_code(inputs: &Inputs) -> std::collections::BTreeMap<(Code, &'static str), u64> {
    let mut counts = std::collections::BTreeMap::new();
    for reject in inputs.refused() {
        *counts.entry((reject.code, reject.kind.name())).or_default() += 1;
    }
    counts
}

/// A value as a scorecard shows it.
pub fn shown(value: Option<Value>) -> String {
    value.map_or(String::new(), Value::shown)
}
