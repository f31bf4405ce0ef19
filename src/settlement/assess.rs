//! Score sheets → points → scores; and scores.csv rows → the score that holds.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::money::{Fen, Fraction, fraction, shortest};
use crate::base::period::{Date, Period};
use crate::base::place::{Kind, Place};
use crate::base::reason::Reason;
use crate::intake::cells;
use crate::intake::rows::{Fault, Reject};
use crate::intake::scores::ScoreRow;
use crate::intake::sheets::SheetRow;
use crate::policy::curve::{Assessed, Basis};
use crate::policy::package::PackageKind;
use crate::policy::sheet::{Derive, Method, Value};
use crate::policy::{Clause, Policy};

use super::desk::unknown_institution;
use super::evidence::SwipeCounts;
use super::qualify::Qualified;
use super::rules::Rules;

/// Which assessment: institution, period, level id.
pub type ScoreKey = (u32, Period, String);

/// The assessment that a curve looks at for an institution's cohort; where it is the parent's, an institution
/// without one stands for itself.
pub fn score_key(
    rules: &Rules,
    policy: &Policy,
    assessed: Assessed,
    institution: u32,
    cohort: Period,
) -> Option<ScoreKey> {
    let level = &policy.levels[assessed.level];
    let institution = match assessed.of_parent {
        true => {
            let parent = &rules.institutions.get(institution).parent_id;
            if parent.is_empty() { institution } else { rules.institutions.find(parent.as_bytes())? }
        }
        false => institution,
    };
    let period = match assessed.nth {
        Some(nth) => *cohort.split(level.cycle).get(usize::from(nth) - 1)?,
        None => level.cycle.of(cohort.first_day()),
    };
    Some((institution, period, level.named.id.clone()))
}

/// A row of scores.csv that passed its own checks.
#[derive(Clone, Debug)]
pub struct ScoreEntry {
    pub key: ScoreKey,
    pub score: Decimal,
    pub assessed_on: Option<Date>,
    pub place: Place,
}

/// The scores that hold.
#[derive(Debug, Default)]
pub struct Scores {
    pub by_key: BTreeMap<ScoreKey, ScoreEntry>,
    /// Rows that a later one replaced (W710), with the one that holds.
    pub replaced: Vec<(ScoreEntry, ScoreEntry)>,
}

/// Checks the period and level of a scores or sheets row: E301, E605, E602.
fn assessment(
    rules: &Rules,
    institution: &str,
    period: &str,
    level: &str,
) -> Result<(ScoreKey, usize), Fault> {
    let Some(institution) = rules.institutions.find(institution.as_bytes()) else {
        return Err(Fault::new(Code::E301, unknown_institution(rules, institution)));
    };
    let parsed = Period::parse(period);
    let about = || rules.versions_about(parsed.unwrap_or(rules.period).first_day());
    // A version that assesses so is meant; where none does, the one in force then says why not.
    let fits = |version: &usize| {
        let policy = &rules.region.versions[*version];
        let index = policy.level(level)?;
        parsed.is_some_and(|period| period.cycle() == policy.levels[index].cycle).then_some(index)
    };
    if let (Some(period), Some(version)) = (parsed, about().find(|version| fits(version).is_some())) {
        let policy = &rules.region.versions[version];
        let index = fits(&version).unwrap_or_default();
        return Ok(((institution, period, policy.levels[index].named.id.clone()), version));
    }
    let version = about().next().unwrap_or_default();
    let policy = &rules.region.versions[version];
    let Some(index) = policy.level(level) else {
        let known =
            policy.levels.iter().map(|level| level.named.name.clone()).collect::<Vec<_>>().join(" / ");
        return Err(Fault::new(Code::E605, Reason::NoSuchLevel { level: level.to_string(), known }));
    };
    let level = &policy.levels[index];
    let example = level.cycle.of(rules.period.first_day()).to_string();
    let reason =
        Reason::PeriodOfOtherCycle { period: period.to_string(), level: level.named.name.clone(), example };
    Err(Fault::by(Code::E602, reason, &level.clause))
}

/// Checks a row of scores.csv: E301, E601, E605, E602.
pub fn score_entry(rules: &Rules, row: &ScoreRow, place: Place) -> Result<ScoreEntry, Fault> {
    let found = assessment(rules, &row.institution, &row.period, &row.level);
    if !matches!(&found, Err(fault) if fault.code == Code::E301) && row.score > Decimal::ONE_HUNDRED {
        return Err(Fault::new(Code::E601, Reason::ScoreRange { score: shortest(row.score) }));
    }
    Ok(ScoreEntry { key: found?.0, score: row.score, assessed_on: row.assessed_on, place })
}

/// Holds the scores against each other: E603, or W710 where the latest is certain. Of two that clash, one that
/// a posting relied on (`posted`: the file that stands for the ledger) holds.
pub fn settle_scores(
    entries: Vec<ScoreEntry>,
    rules: &Rules,
    posted: Option<u16>,
    file_names: &[String],
    mut refused: impl FnMut(Reject),
) -> Scores {
    let mut groups: BTreeMap<ScoreKey, Vec<ScoreEntry>> = BTreeMap::new();
    for entry in entries {
        groups.entry(entry.key.clone()).or_default().push(entry);
    }
    let mut scores = Scores::default();
    for (key, group) in groups {
        let latest = group.iter().map(|entry| entry.assessed_on).max().flatten();
        let differ = |entries: &[&ScoreEntry]| entries.iter().any(|entry| entry.score != entries[0].score);
        let all: Vec<&ScoreEntry> = group.iter().collect();
        let last: Vec<&ScoreEntry> = group.iter().filter(|entry| entry.assessed_on == latest).collect();
        if !differ(&all) {
            // The same score twice is one: the first assessment, whatever the order of the rows.
            let first = group
                .iter()
                .min_by_key(|entry| (entry.assessed_on.is_none(), entry.assessed_on, entry.place));
            scores.by_key.insert(key, first.unwrap_or(&group[0]).clone());
        } else if group.iter().all(|entry| entry.assessed_on.is_some()) && !differ(&last) {
            let holds = last[0].clone();
            let earlier = group.iter().filter(|entry| entry.score != holds.score);
            scores.replaced.extend(earlier.map(|entry| (entry.clone(), holds.clone())));
            scores.by_key.insert(key, holds);
        } else {
            let of_ledger = |entry: &&ScoreEntry| Some(entry.place.file) == posted;
            if let Some(holds) = group.iter().find(of_ledger) {
                scores.by_key.insert(key, holds.clone());
            }
            for entry in group.iter().filter(|entry| !of_ledger(entry)) {
                let other = group.iter().find(|other| other.score != entry.score).unwrap_or(entry);
                let at = format!("{}:{}", file_names[other.place.file as usize], other.place.line);
                let reason =
                    Reason::ScoresDiffer { score: shortest(entry.score), other: shortest(other.score), at };
                refused(Reject {
                    kind: Kind::Scores,
                    place: entry.place,
                    contract: String::new(),
                    person: String::new(),
                    institution: rules.institutions.get(entry.key.0).id.clone(),
                    code: Code::E603,
                    reason,
                    clause: None,
                });
            }
        }
    }
    scores
}

/// A row of a score sheet that passed its own checks.
#[derive(Clone, Debug)]
pub struct SheetEntry {
    pub key: ScoreKey,
    version: usize,
    /// Index into the sheet's indicators.
    indicator: usize,
    value: Option<Value>,
    points: Option<Decimal>,
    place: Place,
}

impl SheetEntry {
    /// The measured value, where it is one of this indicator's.
    pub fn measure(&self, rules: &Rules, indicator: &str) -> Option<Fraction> {
        let policy = &rules.region.versions[self.version];
        let sheet = policy.sheet(policy.level(&self.key.2)?)?;
        match self.value {
            Some(Value::Measure(value)) if sheet.indicators[self.indicator].id == indicator => Some(value),
            _ => None,
        }
    }
}

/// Checks a row of a score sheet: E301, E605, E602, E604, E601.
pub fn sheet_entry(rules: &Rules, row: &SheetRow, place: Place) -> Result<SheetEntry, Fault> {
    let found = assessment(rules, &row.institution, &row.period, &row.level);
    if let Some(points) = row.points
        && !matches!(&found, Err(fault) if fault.code == Code::E301)
        && points > Decimal::ONE_HUNDRED
    {
        return Err(Fault::new(Code::E601, Reason::ScoreRange { score: shortest(points) }));
    }
    let (key, version) = found?;
    let policy = &rules.region.versions[version];
    let level = policy.level(&key.2).unwrap_or_default();
    let no_such = || Fault::new(Code::E604, Reason::NoSuchIndicator { indicator: row.indicator.to_string() });
    let sheet = policy.sheet(level).ok_or_else(no_such)?;
    let wanted = row.indicator.as_ref();
    let same =
        |id: &str| id == wanted || (wanted.parse::<u32>().is_ok() && wanted.parse::<u32>() == id.parse());
    let indicator =
        sheet.indicators.iter().position(|one| same(&one.id) || one.title == wanted).ok_or_else(no_such)?;
    let rule = &sheet.indicators[indicator];
    let out_of_range = |value: &str, most: String| {
        let reason = Reason::IndicatorRange { indicator: rule.title.clone(), value: value.to_string(), most };
        Fault::by(Code::E601, reason, &rule.clause)
    };
    let values = || match rule.method {
        Method::YesNo => "yes / no".to_string(),
        Method::PerCase { .. } => "0, 1, 2 …".to_string(),
        Method::Steps(_) | Method::PerUnit { .. } => "0–100".to_string(),
        Method::Points => format!("0–{}", shortest(rule.max)),
    };
    let value = match row.value.as_ref() {
        "" => None,
        text => Some(
            value(&rule.method, text)
                .filter(|value| value.in_range())
                .ok_or_else(|| out_of_range(text, values()))?,
        ),
    };
    if let Some(points) = row.points.filter(|points| *points > rule.max) {
        return Err(out_of_range(&shortest(points), format!("0–{}", shortest(rule.max))));
    }
    Ok(SheetEntry { key, version, indicator, value, points: row.points, place })
}

fn value(method: &Method, text: &str) -> Option<Value> {
    match method {
        Method::YesNo => cells::yes_no(text).map(Value::Yes),
        Method::PerCase { .. } => cells::whole(text).ok().map(Value::Cases),
        Method::Steps(_) | Method::PerUnit { .. } => {
            let number = cells::decimal(text.strip_suffix('%').unwrap_or(text).trim()).ok()?;
            Some(Value::Measure(fraction(number)))
        }
        Method::Points => None,
    }
}

/// An institution's signing rows, as derived values need them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    pub rows: u32,
    pub rejected: u32,
    pub void: u32,
    /// Signed in the assessed period, or with no readable date.
    pub assessed_rows: u32,
    pub assessed_refused: u32,
}

impl RowCounts {
    pub fn add(&mut self, more: RowCounts) {
        self.rows += more.rows;
        self.rejected += more.rejected;
        self.void += more.void;
        self.assessed_rows += more.assessed_rows;
        self.assessed_refused += more.assessed_refused;
    }
}

/// What the data says of the residents' own payments, of signings signed in the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Payers {
    people: u64,
    paying: u64,
    paid: Fen,
    due: Fen,
    unpaid: u64,
    /// Every signing's file says what was paid.
    asked: bool,
}

/// Adds up the residents' payments by institution.
pub fn payers(rules: &Rules, qualified: &Qualified, individual: impl Fn(u32) -> Fen) -> Vec<Payers> {
    let mut all = vec![Payers { asked: true, ..Payers::default() }; rules.institutions.count()];
    for signings in qualified.signings.people() {
        // Whether the person pays, by institution: somebody with two packages is one payer.
        let mut paying: BTreeMap<u32, bool> = BTreeMap::new();
        for signing in signings {
            let due = individual(signing.class);
            let charged = rules.kind_of(signing.offer()) != PackageKind::Free;
            if !charged || due == Fen::ZERO || !rules.contains(signing.signed_on) {
                continue;
            }
            let entry = &mut all[signing.institution as usize];
            let Some(paid) = signing.paid() else {
                entry.asked = false;
                continue;
            };
            entry.paid += paid;
            entry.due += due;
            entry.unpaid += u64::from(signing.underpaid());
            *paying.entry(signing.institution).or_default() |= paid > Fen::ZERO;
        }
        for (institution, pays) in paying {
            let entry = &mut all[institution as usize];
            entry.people += 1;
            entry.paying += u64::from(pays);
        }
    }
    all
}

/// What the data folder says of each institution, in the assessed period.
#[derive(Default)]
pub struct Derived {
    pub rows: Vec<RowCounts>,
    pub payers: Vec<Payers>,
    /// Nothing where there are no swipes.
    pub swipes: Option<Vec<SwipeCounts>>,
    pub has_item: bool,
    pub has_charged: bool,
}

impl Derived {
    /// The value of an indicator, where there is something to divide by and the columns it needs.
    pub fn value(&self, derive: Derive, institution: u32) -> Option<Value> {
        let at = institution as usize;
        let swipes = self.swipes.as_ref().map(|swipes| &swipes[at]);
        let percent = |part: u64, whole: u64| {
            (whole > 0).then(|| Value::Measure(Fraction::new(i128::from(part) * 100, i128::from(whole))))
        };
        match derive {
            Derive::DataValidity => {
                let rows = self.rows.get(at)?;
                percent((rows.assessed_rows - rows.assessed_refused).into(), rows.assessed_rows.into())
            }
            Derive::EffectiveShare => {
                let swipes = swipes.filter(|_| self.has_item)?;
                percent(swipes.effective.into(), swipes.all.into())
            }
            Derive::SeparateCharges => swipes
                .filter(|_| self.has_item && self.has_charged)
                .map(|swipes| Value::Cases(swipes.separate.into())),
            Derive::SwipeRecords => swipes.map(|swipes| Value::Yes(swipes.of_signed > 0)),
            Derive::UnpaidCases => {
                self.payers.get(at).filter(|payers| payers.asked).map(|payers| Value::Cases(payers.unpaid))
            }
            Derive::PaymentConsistency => {
                let payers = self.payers.get(at).filter(|payers| payers.asked && payers.people > 0)?;
                let people = Fraction::new(i128::from(payers.paying) * 100, i128::from(payers.people));
                let money = Fraction::new(i128::from(payers.paid.0) * 100, i128::from(payers.due.0));
                Some(Value::Measure(people.min(money).min(Fraction::from_integer(100))))
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Sheet,
    Derived,
}

impl Origin {
    pub fn name(self) -> &'static str {
        match self {
            Origin::Sheet => "sheet",
            Origin::Derived => "derived",
        }
    }
}

/// One line of a scorecard.
#[derive(Clone, Debug)]
pub struct CardLine {
    pub indicator: String,
    pub title: String,
    pub value: Option<Value>,
    pub origin: Option<Origin>,
    pub points: Option<Decimal>,
    pub max: Decimal,
    pub clause: Clause,
}

/// An institution's assessment.
#[derive(Clone, Debug)]
pub struct Card {
    pub key: ScoreKey,
    pub lines: Vec<CardLine>,
    /// Nothing where an indicator is missing.
    pub score: Option<Decimal>,
    pub grade: Option<String>,
    pub ratio: Option<Decimal>,
}

/// Works out all scorecards. What is to be said of them goes to `notice`.
pub fn scorecards(
    rules: &Rules,
    entries: Vec<SheetEntry>,
    derived: Option<&Derived>,
    file_names: &[String],
    mut refused: impl FnMut(Reject),
    mut notice: impl FnMut(Msg),
) -> Vec<Card> {
    let mut sheets: BTreeMap<ScoreKey, BTreeMap<usize, Vec<SheetEntry>>> = BTreeMap::new();
    let mut versions: BTreeMap<ScoreKey, usize> = BTreeMap::new();
    for entry in entries {
        if entry.key.1 != rules.period {
            let id = rules.institutions.get(entry.key.0).id.clone();
            notice(Msg::SheetOfOtherPeriod { institution: id, period: entry.key.1.to_string() });
            continue;
        }
        versions.insert(entry.key.clone(), entry.version);
        sheets.entry(entry.key.clone()).or_default().entry(entry.indicator).or_default().push(entry);
    }
    // One indicator with different values: nobody can say which holds, so all of them are refused (E603).
    let mut certain = |entries: Vec<SheetEntry>| -> Option<SheetEntry> {
        let first = entries.first()?.clone();
        let Some(other) =
            entries.iter().find(|entry| (entry.value, entry.points) != (first.value, first.points))
        else {
            return Some(first);
        };
        for entry in &entries {
            let clash =
                if (entry.value, entry.points) == (first.value, first.points) { other } else { &first };
            let at = format!("{}:{}", file_names[clash.place.file as usize], clash.place.line);
            refused(Reject {
                kind: Kind::Sheets,
                place: entry.place,
                contract: String::new(),
                person: String::new(),
                institution: rules.institutions.get(entry.key.0).id.clone(),
                code: Code::E603,
                reason: Reason::IndicatorTwice { at },
                clause: None,
            });
        }
        None
    };
    let sheets: BTreeMap<ScoreKey, BTreeMap<usize, SheetEntry>> = sheets
        .into_iter()
        .map(|(key, lines)| {
            let lines = lines.into_iter().filter_map(|(at, entries)| Some((at, certain(entries)?)));
            (key, lines.collect())
        })
        .collect();
    let mut cards = Vec::new();
    for (key, lines) in sheets {
        let policy = &rules.region.versions[versions[&key]];
        cards.push(card(rules, policy, key, &lines, derived, &mut notice));
    }
    cards.sort_by(|a, b| {
        let key = |card: &Card| {
            (rules.institutions.get(card.key.0).id.clone(), card.key.1.to_string(), card.key.2.clone())
        };
        key(a).cmp(&key(b))
    });
    cards
}

fn card(
    rules: &Rules,
    policy: &Policy,
    key: ScoreKey,
    entries: &BTreeMap<usize, SheetEntry>,
    derived: Option<&Derived>,
    notice: &mut impl FnMut(Msg),
) -> Card {
    let institution = rules.institutions.get(key.0).id.clone();
    let level = policy.level(&key.2).unwrap_or_default();
    let mut lines = Vec::new();
    for (at, rule) in policy.sheet(level).iter().flat_map(|sheet| &sheet.indicators).enumerate() {
        let entry = entries.get(&at);
        let from_data = rule.derive.and_then(|derive| derived?.value(derive, key.0));
        let by_hand = entry.and_then(|entry| entry.points);
        let (value, origin) = match (entry.and_then(|entry| entry.value), from_data) {
            (Some(sheet), from_data) => {
                if let Some(from_data) = from_data.filter(|value| *value != sheet) {
                    notice(Msg::ValueDiffers {
                        institution: institution.clone(),
                        indicator: rule.title.clone(),
                        sheet: sheet.shown(),
                        data: from_data.shown(),
                    });
                }
                (Some(sheet), Some(Origin::Sheet))
            }
            (None, _) if by_hand.is_some() => (None, Some(Origin::Sheet)),
            (None, Some(from_data)) => (Some(from_data), Some(Origin::Derived)),
            (None, None) => (None, None),
        };
        let worked_out = value.and_then(|value| rule.points(value));
        let by_data = worked_out.or_else(|| from_data.and_then(|value| rule.points(value)));
        if let (Some(by_hand), Some(worked_out)) = (by_hand, by_data)
            && by_hand != worked_out
        {
            notice(Msg::PointsDiffer {
                institution: institution.clone(),
                indicator: rule.title.clone(),
                sheet: shortest(by_hand),
                worked_out: shortest(worked_out),
            });
        }
        let points = worked_out.or_else(|| by_hand.map(|points| crate::base::money::half_up(points, 2)));
        lines.push(CardLine {
            indicator: rule.id.clone(),
            title: rule.title.clone(),
            value,
            origin,
            points,
            max: rule.max,
            clause: rule.clause.clone(),
        });
    }
    let missing: Vec<String> = lines
        .iter()
        .filter(|line| line.points.is_none())
        .map(|line| format!("{} {}", line.indicator, line.title))
        .collect();
    let score: Option<Decimal> = lines.iter().map(|line| line.points).sum();
    if !missing.is_empty() {
        notice(Msg::NoScore { institution, missing });
    }
    // Where several assessments are combined, one of them has no ratio of its own.
    let mine = |basis: &Basis| matches!(basis, Basis::One(one) if one.level == level && !one.of_parent);
    let earned =
        score.and_then(|score| Some(policy.curves.iter().find(|curve| mine(&curve.basis))?.earned(score)));
    let (grade, ratio) = earned.map_or((None, None), |earned| (earned.grade, Some(earned.ratio)));
    Card { key, lines, score, grade, ratio }
}
