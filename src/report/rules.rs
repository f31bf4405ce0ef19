//! A policy in plain words, each figure with its article; and what two of them say differently.

use rust_decimal::Decimal;

use crate::base::code::Code;
use crate::base::money::shortest;
use crate::base::period::{Cycle, Date};
use crate::policy::curve::{Assessed, Basis, BelowPays, Curve, Partial, Shape};
use crate::policy::package::PackageKind;
use crate::policy::schedule::Pays;
use crate::policy::sheet::{Method, Side};
use crate::policy::{CapOf, FigureKind, Named, Policy};
use crate::words::{Lang, Phrase, phrase, title};

use super::names;

/// One thing that a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub section: Phrase,
    /// What it is about, the same in every version: `package paid share resident_fund 1`.
    pub about: String,
    pub text: String,
    pub clause: String,
}

pub(super) struct Teller<'a> {
    pub(super) policy: &'a Policy,
    pub(super) lang: Lang,
    said: Vec<Said>,
}

/// A decimal as a percentage: 0.5 is 50%.
pub fn percent(ratio: Decimal) -> String {
    format!("{}%", shortest(ratio * Decimal::ONE_HUNDRED))
}

/// Everything that a policy says, in the order in which a person reads it.
pub fn tell(policy: &Policy, lang: Lang) -> Vec<Said> {
    let mut teller = Teller { policy, lang, said: Vec::new() };
    teller.head();
    teller.who();
    teller.sources();
    teller.packages();
    teller.assessment();
    teller.reports();
    teller.said
}

impl Teller<'_> {
    pub(super) fn words(&self, what: Phrase, with: &[&str]) -> String {
        phrase(self.lang, what, with)
    }

    pub(super) fn say(&mut self, section: Phrase, about: impl Into<String>, text: String, clause: &str) {
        self.said.push(Said { section, about: about.into(), text, clause: clause.to_string() });
    }

    pub(super) fn list(&self, between: Phrase, parts: impl IntoIterator<Item = String>) -> String {
        let between = self.words(between, &[]);
        parts.into_iter().collect::<Vec<_>>().join(&between)
    }

    pub(super) fn names<'n>(&self, all: impl IntoIterator<Item = &'n Named>) -> String {
        self.list(Phrase::And, all.into_iter().map(|named| self.name(named)))
    }

    /// The Chinese name, or the id for those who read English.
    pub(super) fn name(&self, named: &Named) -> String {
        if self.lang == Lang::Zh { named.name.clone() } else { named.id.clone() }
    }

    pub(super) fn source(&self, at: usize) -> String {
        let source = &self.policy.sources[at];
        if self.lang == Lang::Zh { source.name.clone() } else { source.id.clone() }
    }

    /// How a part of a point or unit counts, where it is not in proportion.
    fn partial(&self, partial: Partial) -> String {
        match partial {
            Partial::Proportional => String::new(),
            Partial::Whole => self.words(Phrase::OnlyWhole, &[]),
            Partial::Started => self.words(Phrase::EachStarted, &[]),
        }
    }

    fn cycle(&self, cycle: Cycle) -> String {
        let word = match cycle {
            Cycle::Year => Phrase::Year,
            Cycle::Half => Phrase::Half,
            Cycle::Quarter => Phrase::Quarter,
            Cycle::Month => Phrase::Month,
        };
        self.words(word, &[])
    }

    fn pays(&self, pays: Pays) -> String {
        let full = self.policy.prorate.partial == Partial::Whole;
        let word = match pays {
            Pays::Whole => Phrase::PaysWhole,
            Pays::Months if full => Phrase::PaysFullMonths,
            Pays::Months => Phrase::PaysMonths,
            Pays::Days => Phrase::PaysDays,
            Pays::Nothing => Phrase::PaysNothing,
        };
        self.words(word, &[])
    }

    fn head(&mut self) {
        use Phrase::{SectionCharge, SectionPolicy};
        let policy = self.policy;
        let text = format!("{} ({})", policy.name, policy.document);
        self.say(SectionPolicy, "document", text, &policy.clause);
        let from = policy.from.to_string();
        let text = match policy.to {
            Some(to) => self.words(Phrase::InForceTo, &[&from, &to.to_string()]),
            None => self.words(Phrase::InForce, &[&from]),
        };
        self.say(SectionPolicy, "in force", text, &policy.clause);
        for file in policy.files.iter().skip(1) {
            let text = self.words(Phrase::Extends, &[&file.name]);
            self.say(SectionPolicy, "extends", text, &policy.clause);
        }
        let unit = match policy.schedule.months {
            12 => Cycle::Year,
            6 => Cycle::Half,
            3 => Cycle::Quarter,
            _ => Cycle::Month,
        };
        let of = if policy.schedule.calendar { Phrase::ChargeCalendar } else { Phrase::Charge };
        let text = self.words(of, &[&self.cycle(unit)]);
        self.say(SectionCharge, "charge", text, &policy.charge_clause);
        let text = self.words(Phrase::Cycle, &[&self.cycle(policy.cycle)]);
        self.say(SectionCharge, "cycle", text, &policy.charge_clause);
        let months = policy.terms.months.iter().map(ToString::to_string);
        let months = self.list(Phrase::And, months);
        let text = match (policy.terms.to_year_end, policy.terms.or_more) {
            (Some(0), _) => self.words(Phrase::TermsThisYear, &[]),
            (Some(_), _) => self.words(Phrase::TermsNextYear, &[]),
            (None, true) => self.words(Phrase::TermsOrMore, &[&months]),
            (None, false) => self.words(Phrase::Terms, &[&months]),
        };
        self.say(SectionCharge, "terms", text, &policy.terms.clause);
        if let Some(clause) = &policy.prorate.clause {
            let text = self.words(Phrase::ShortCharge, &[&self.pays(policy.prorate.short)]);
            self.say(SectionCharge, "prorate short", text, clause);
            let text = self.words(Phrase::EndedCharge, &[&self.pays(policy.prorate.ended)]);
            self.say(SectionCharge, "prorate ended", text, clause);
            for (reason, pays) in &policy.prorate.reasons {
                let text = self.words(Phrase::EndedFor, &[&self.name(reason), &self.pays(*pays)]);
                self.say(SectionCharge, format!("prorate {}", reason.id), text, clause);
            }
        }
    }

    fn who(&mut self) {
        use Phrase::SectionWho;
        let policy = self.policy;
        match &policy.insurance {
            Some(insurance) => {
                let text = self.words(Phrase::Insured, &[&self.names(&insurance.schemes)]);
                self.say(SectionWho, "insurance", text, &insurance.clause);
            }
            None => {
                let text = self.words(Phrase::AnyInsurance, &[]);
                self.say(SectionWho, "insurance", text, "");
            }
        }
        let text = match policy.institutions.kinds.is_empty() {
            true => self.words(Phrase::AnyKind, &[]),
            false => self.words(Phrase::Kinds, &[&self.names(&policy.institutions.kinds)]),
        };
        self.say(SectionWho, "kinds", text, &policy.institutions.clause);
        let what = if policy.overlap.whole_term { Phrase::WholeTerm } else { Phrase::EndedFrees };
        self.say(SectionWho, "overlap", self.words(what, &[]), &policy.overlap.clause);
        if policy.packages.iter().any(|package| package.kind == PackageKind::Addon) {
            let text = self.words(Phrase::Addons, &[&policy.overlap.addons_at_most.to_string()]);
            self.say(SectionWho, "addons", text, &policy.overlap.addon_clause);
        }
        if let Some(balance) = &policy.balance {
            let text = self.words(Phrase::BalanceBelow, &[&self.source(balance.source)]);
            self.say(SectionWho, "balance", text, &balance.clause);
        }
        if let Some(rule) = &policy.authorization {
            let text = self.words(Phrase::Authorized, &[&self.source(rule.source)]);
            self.say(SectionWho, "authorization", text, &rule.clause);
        }
        if let Some(rule) = &policy.evidence {
            let count = rule.at_least.to_string();
            let text = match rule.cards.is_empty() {
                true => self.words(Phrase::Evidence, &[&count]),
                false => self.words(Phrase::EvidenceCards, &[&count, &self.names(&rule.cards)]),
            };
            self.say(SectionWho, "evidence", text, &rule.clause);
        }
        if let Some(clause) = &policy.two_people {
            self.say(Phrase::SectionReports, "posting", self.words(Phrase::TwoPeople, &[]), clause);
        }
        for cap in &policy.caps {
            let (of, who) = match cap.of {
                CapOf::Team => ("team", Phrase::Team),
                CapOf::Doctor => ("doctor", Phrase::Doctor),
            };
            let what = if cap.cut_off { Phrase::CapCut } else { Phrase::CapFlag };
            let text = self.words(what, &[&self.words(who, &[]), &cap.people.to_string()]);
            self.say(SectionWho, format!("cap {of}"), text, &cap.clause);
        }
    }

    fn sources(&mut self) {
        use Phrase::SectionSources;
        let policy = self.policy;
        for (at, source) in policy.sources.iter().enumerate() {
            let (name, prepay) = (self.source(at), percent(source.prepay));
            let about = format!("source {}", source.id);
            let text = match source.curve.map(|curve| names::curve(&policy.curves[curve], self.lang)) {
                Some(curve) => self.words(Phrase::SourceSettled, &[&name, &prepay, curve]),
                None if source.settled => self.words(Phrase::SourceTranches, &[&name, &prepay]),
                None => self.words(Phrase::SourceShown, &[&name]),
            };
            let mut clause = source.clause.to_string();
            if source.settled && source.prepay_clause != source.clause {
                clause = format!("{clause}、{}", source.prepay_clause);
            }
            self.say(SectionSources, about.clone(), text, &clause);
            if source.once_for_person {
                let text = self.words(Phrase::SourceOnce, &[&name]);
                self.say(SectionSources, format!("{about} once"), text, &source.clause);
            }
            for tranche in &source.tranches {
                let part = percent(tranche.part);
                let mut text = match tranche.curve.map(|curve| names::curve(&policy.curves[curve], self.lang))
                {
                    Some(curve) => self.words(Phrase::TrancheCurve, &[&name, &tranche.name, &part, curve]),
                    None => self.words(Phrase::TranchePlain, &[&name, &tranche.name, &part]),
                };
                if tranche.after_months > 0 {
                    text += &self.words(Phrase::TrancheFrom, &[&tranche.after_months.to_string()]);
                }
                self.say(SectionSources, format!("{about} tranche {}", tranche.id), text, &tranche.clause);
            }
        }
        for line in &policy.population {
            let with = [line.name.as_str(), &self.source(line.source), &line.a_year.to_string()];
            let text = self.words(Phrase::Population, &with);
            self.say(SectionSources, format!("population {}", line.id), text, &line.clause);
        }
    }

    fn assessed(&self, one: &Assessed) -> String {
        let mut text = self.name(&self.policy.levels[one.level].named);
        if let Some(nth) = one.nth {
            text = self.words(Phrase::Nth, &[&text, &nth.to_string()]);
        }
        if one.of_parent { self.words(Phrase::OfParent, &[&text]) } else { text }
    }

    fn assessment(&mut self) {
        use Phrase::SectionAssessment;
        let policy = self.policy;
        for level in &policy.levels {
            let text = self.words(Phrase::Level, &[&self.name(&level.named), &self.cycle(level.cycle)]);
            self.say(SectionAssessment, format!("level {}", level.named.id), text, &level.clause);
        }
        for curve in &policy.curves {
            self.curve(curve);
        }
        for sheet in &policy.sheets {
            let level = self.name(&policy.levels[sheet.level].named);
            let level_id = &policy.levels[sheet.level].named.id;
            let text = self.words(Phrase::SheetOf, &[&level]);
            self.say(SectionAssessment, format!("sheet {level_id}"), text, &sheet.clause);
            for one in &sheet.indicators {
                let method = match &one.method {
                    Method::Steps(steps) => {
                        let each = steps.iter().map(|(under, deduct)| {
                            self.words(Phrase::MethodStep, &[&shortest(*under), &shortest(*deduct)])
                        });
                        self.words(Phrase::MethodSteps, &[&self.list(Phrase::And, each)])
                    }
                    Method::PerUnit { side, target, unit, deduct, partial } => {
                        let under = *side == Side::Under;
                        let what = if under { Phrase::MethodUnder } else { Phrase::MethodOver };
                        self.words(what, &[&shortest(*target), &shortest(*unit), &shortest(*deduct)])
                            + &self.partial(*partial)
                    }
                    Method::PerCase { deduct } => self.words(Phrase::MethodCase, &[&shortest(*deduct)]),
                    Method::YesNo => self.words(Phrase::MethodYesNo, &[]),
                    Method::Points => self.words(Phrase::MethodPoints, &[]),
                };
                let with = [level.as_str(), &one.id, &one.title, &shortest(one.max), &method];
                let derived = one
                    .derive
                    .map(|derive| self.words(Phrase::Derived, &[&names::derive(derive, self.lang)]));
                let text = self.words(Phrase::Indicator, &with) + &derived.unwrap_or_default();
                let about = format!("sheet {level_id} indicator {}", one.id);
                self.say(SectionAssessment, about, text, &one.clause);
            }
        }
    }

    fn curve(&mut self, curve: &Curve) {
        use Phrase::SectionAssessment;
        let policy = self.policy;
        let about = format!("curve {}", curve.id);
        let id = names::curve(curve, self.lang);
        let all = |each: Vec<String>| self.list(Phrase::And, each);
        let basis = match &curve.basis {
            Basis::One(one) => self.words(Phrase::BasisOne, &[id, &self.assessed(one)]),
            Basis::Weighted(of) => {
                let each =
                    of.iter().map(|(one, weight)| format!("{} {}", self.assessed(one), percent(*weight)));
                self.words(Phrase::BasisWeighted, &[id, &all(each.collect())])
            }
            Basis::Lowest(of) => {
                let each = of.iter().map(|one| self.assessed(one)).collect();
                self.words(Phrase::BasisLowest, &[id, &all(each)])
            }
            Basis::Chain(of) => {
                let each =
                    of.iter().map(|at| names::curve(&policy.curves[*at], self.lang).to_string()).collect();
                self.words(Phrase::BasisChain, &[id, &all(each)])
            }
        };
        self.say(SectionAssessment, format!("{about} basis"), basis, &curve.clause);
        if matches!(curve.basis, Basis::Chain(_)) {
            return;
        }
        let graded = |text: String, grade: &Option<String>, renew: Option<bool>| {
            let grade = grade.as_ref().map(|grade| self.words(Phrase::Graded, &[grade]));
            let renewal = (renew == Some(false)).then(|| self.words(Phrase::NotRenewed, &[]));
            text + &grade.unwrap_or_default() + &renewal.unwrap_or_default()
        };
        let below = |below: &crate::policy::curve::Below| {
            let text = match &below.pays {
                BelowPays::Nothing => self.words(Phrase::CurveBelowNothing, &[id]),
                BelowPays::Fixed(ratio) => self.words(Phrase::CurveBelowFixed, &[id, &percent(*ratio)]),
                BelowPays::Score => self.words(Phrase::CurveBelowScore, &[id]),
            };
            graded(text, &below.grade, below.renew)
        };
        let mut lines = Vec::new();
        match &curve.shape {
            Shape::Linear { full_at, per_point, floor, partial } => {
                let with = [id, &shortest(*full_at), &percent(*per_point), &shortest(*floor)];
                let text = self.words(Phrase::CurveLinear, &with) + &self.partial(*partial);
                lines.push(("shape".to_string(), text));
            }
            Shape::Bands { bands, below: lowest } => {
                for band in bands {
                    let with = [id, &shortest(band.from), &percent(band.ratio)];
                    let text = graded(self.words(Phrase::CurveBand, &with), &band.grade, band.renew);
                    lines.push((format!("from {}", shortest(band.from)), text));
                }
                lines.push(("below".to_string(), below(lowest)));
            }
            Shape::Points { points, below: lowest } => {
                for (score, ratio) in points {
                    let text = self.words(Phrase::CurvePoint, &[id, &shortest(*score), &percent(*ratio)]);
                    lines.push((format!("at {}", shortest(*score)), text));
                }
                lines.push(("below".to_string(), below(lowest)));
            }
            Shape::Gate { pass } => {
                lines.push(("shape".to_string(), self.words(Phrase::CurveGate, &[id, &shortest(*pass)])));
            }
            Shape::Share => lines.push(("shape".to_string(), self.words(Phrase::CurveShare, &[id]))),
        }
        for (what, text) in lines {
            self.say(SectionAssessment, format!("{about} {what}"), text, &curve.clause);
        }
    }

    fn reports(&mut self) {
        use Phrase::{SectionLocal, SectionReports};
        let policy = self.policy;
        let flags: Vec<(Code, String)> =
            policy.flags.iter().map(|(code, clause)| (*code, clause.to_string())).collect();
        for (code, clause) in flags {
            let text = self.words(Phrase::Flag, &[code.name(), title(self.lang, code)]);
            self.say(SectionReports, format!("flag {code}"), text, &clause);
        }
        for benefit in &policy.double_benefits {
            let name = self.name(&benefit.item);
            let text = match benefit.beside {
                None => self.words(Phrase::DoubleBenefit, &[&name]),
                Some(kind) => self.words(Phrase::DoubleBeside, &[&name, kind.id()]),
            };
            self.say(SectionReports, format!("double benefit {}", benefit.item.id), text, &benefit.clause);
        }
        for figure in &policy.figures {
            let target = |target: &Option<Decimal>, shown: fn(Decimal) -> String| {
                let text = target.map(|target| self.words(Phrase::Target, &[&shown(target)]));
                text.unwrap_or_default()
            };
            let text = match &figure.kind {
                FigureKind::FreeSignings => self.words(Phrase::FigureFree, &[]),
                FigureKind::Coverage { target: aim } => {
                    self.words(Phrase::FigureCoverage, &[]) + &target(aim, percent)
                }
                FigureKind::IndividualShare => self.words(Phrase::FigureIndividual, &[]),
                FigureKind::StaffShare { ratio } => self.words(Phrase::FigureStaff, &[&percent(*ratio)]),
                FigureKind::TeamReward { ratio, standard } => {
                    self.words(Phrase::FigureReward, &[&percent(*ratio), &standard.to_string()])
                }
                FigureKind::Renewal => self.words(Phrase::FigureRenewal, &[]),
                FigureKind::FeedbackDay { working_days } => {
                    self.words(Phrase::FigureFeedback, &[&working_days.to_string()])
                }
                FigureKind::Satisfaction { indicator, target: aim } => {
                    self.words(Phrase::FigureSatisfaction, &[indicator]) + &target(aim, shortest)
                }
            };
            self.say(SectionReports, format!("figure {}", figure.kind.id()), text, &figure.clause);
        }
        if let Some(calendar) = &policy.calendar {
            for (year, days) in &calendar.years {
                let range = |(first, last): &(Date, Date)| {
                    if first == last { first.to_string() } else { format!("{first}..{last}") }
                };
                let holidays = self.list(Phrase::And, days.holidays.iter().map(range));
                let workdays = self.list(Phrase::And, days.workdays.iter().map(ToString::to_string));
                let text = self.words(Phrase::CalendarYear, &[&year.to_string(), &holidays, &workdays]);
                self.say(SectionReports, format!("calendar {year}"), text, &calendar.clause);
            }
        }
        self.names_of_all();
        for figure in &policy.local {
            let value = figure.value.as_deref().unwrap_or("?");
            let mut text = self.words(Phrase::Local, &[&figure.id, value, &figure.means]);
            let bounds = [("≥", &figure.at_least), ("≤", &figure.at_most)];
            for (sign, bound) in bounds {
                text += &bound.map(|bound| format!(" {sign} {}", shortest(bound))).unwrap_or_default();
            }
            if !figure.confirmed {
                text += &self.words(Phrase::Whenever, &[&self.words(Phrase::Unconfirmed, &[])]);
            }
            self.say(SectionLocal, format!("local {}", figure.id), text, &figure.clause);
        }
    }
}

/// What one thing was said as, and is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub section: Phrase,
    pub was: Option<Said>,
    pub now: Option<Said>,
}

/// What two policies say differently, in the order of the newer one, then what it no longer says.
pub fn differences(old: &[Said], new: &[Said]) -> Vec<Change> {
    let find = |all: &[Said], about: &str| all.iter().find(|one| one.about == about).cloned();
    let mut changes = Vec::new();
    for now in new {
        let was = find(old, &now.about);
        if was.as_ref().is_none_or(|was| was.text != now.text || was.clause != now.clause) {
            changes.push(Change { section: now.section, was, now: Some(now.clone()) });
        }
    }
    for was in old.iter().filter(|was| find(new, &was.about).is_none()) {
        changes.push(Change { section: was.section, was: Some(was.clone()), now: None });
    }
    changes.sort_by_key(|change| change.section);
    changes
}
