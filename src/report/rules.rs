//! A policy in plain words, each figure with its article; and what two of them say differently.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::base::code::Code;
use crate::base::money::shortest;
use crate::base::period::{Cycle, Date};
use crate::policy::curve::{Assessed, Basis, BelowPays, Curve, Partial, Shape};
use crate::policy::package::{
    Bound, Conditions, ItemsDue, LimitOf, Package, PackageKind, ShareAmount, Weigh, When,
};
use crate::policy::schedule::Pays;
use crate::policy::sheet::{Method, Side};
use crate::policy::{CapOf, FigureKind, Named, Policy};
use crate::words::{Lang, Phrase, phrase, title};

/// One thing that a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub section: Phrase,
    /// What it is about, the same in every version: `package paid share resident_fund 1`.
    pub about: String,
    pub text: String,
    pub clause: String,
}

struct Teller<'a> {
    policy: &'a Policy,
    lang: Lang,
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
    fn words(&self, what: Phrase, with: &[&str]) -> String {
        phrase(self.lang, what, with)
    }

    fn say(&mut self, section: Phrase, about: impl Into<String>, text: String, clause: &str) {
        self.said.push(Said { section, about: about.into(), text, clause: clause.to_string() });
    }

    fn list(&self, between: Phrase, parts: impl IntoIterator<Item = String>) -> String {
        let between = self.words(between, &[]);
        parts.into_iter().collect::<Vec<_>>().join(&between)
    }

    fn names<'n>(&self, all: impl IntoIterator<Item = &'n Named>) -> String {
        self.list(Phrase::And, all.into_iter().map(|named| self.name(named)))
    }

    /// The Chinese name, or the id for those who read English.
    fn name(&self, named: &Named) -> String {
        if self.lang == Lang::Zh { named.name.clone() } else { named.id.clone() }
    }

    fn source(&self, at: usize) -> String {
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
            let text = match source.curve.map(|curve| policy.curves[curve].id.as_str()) {
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
                let mut text = match tranche.curve.map(|curve| policy.curves[curve].id.as_str()) {
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

    fn conditions(&self, asked: &Conditions) -> String {
        let policy = self.policy;
        let mut parts = Vec::new();
        let or = |names: Vec<String>| self.list(Phrase::Or, names);
        if let Some(insurance) = policy.insurance.as_ref().filter(|_| !asked.schemes.is_empty()) {
            parts.push(or(asked.schemes.iter().map(|at| self.name(&insurance.schemes[*at])).collect()));
        }
        if !asked.kinds.is_empty() {
            let kinds = &policy.institutions.kinds;
            parts.push(or(asked.kinds.iter().map(|at| self.name(&kinds[*at])).collect()));
        }
        if !asked.districts.is_empty() {
            parts.push(or(asked.districts.clone()));
        }
        if !asked.tags.is_empty() {
            parts.push(or(asked.tags.iter().map(|tag| self.name(tag)).collect()));
        }
        parts.extend(asked.age_from.map(|age| self.words(Phrase::AgeFrom, &[&age.to_string()])));
        parts.extend(asked.age_under.map(|age| self.words(Phrase::AgeUnder, &[&age.to_string()])));
        self.list(Phrase::And, parts)
    }

    /// What is asked, in brackets; nothing where nothing is.
    fn when(&self, when: &When) -> String {
        let mut parts = Vec::new();
        if !when.all.is_empty() {
            parts.push(self.conditions(&when.all));
        }
        if let Some(unless) = &when.unless {
            parts.push(self.words(Phrase::Unless, &[&self.conditions(unless)]));
        }
        match parts.is_empty() {
            true => String::new(),
            false => self.words(Phrase::Whenever, &[&self.list(Phrase::And, parts)]),
        }
    }

    fn packages(&mut self) {
        let policy = self.policy;
        for package in &policy.packages {
            self.package(package);
        }
        for limit in &policy.limits {
            let of = match &limit.of {
                LimitOf::Package(id) | LimitOf::Population(id) => id.clone(),
                LimitOf::Kind(kind, _) => kind.id().to_string(),
            };
            let what = match (&limit.of, limit.sources.is_empty()) {
                (LimitOf::Population(_), _) => self.words(Phrase::TheAmount, &[]),
                (_, true) => self.words(Phrase::TheFee, &[]),
                (_, false) => self.list(Phrase::And, limit.sources.iter().map(|at| self.source(*at))),
            };
            let shown = |sign: &str, bound: Option<Bound>| {
                bound.map(|bound| match bound {
                    Bound::Amount(fen) => format!("{sign} {fen}"),
                    Bound::Ratio(ratio) => format!("{sign} {}", percent(ratio)),
                })
            };
            let both = [shown("≥", limit.at_least), shown("≤", limit.at_most)];
            let bounds = self.list(Phrase::And, both.into_iter().flatten());
            let text = self.words(Phrase::Limit, &[&of, &what, &bounds]);
            self.say(Phrase::SectionPackages, format!("limit {of} {what} {bounds}"), text, &limit.clause);
        }
    }

    fn package(&mut self, package: &Package) {
        use Phrase::SectionPackages;
        let policy = self.policy;
        let name = self.name(&package.named);
        let about = format!("package {}", package.named.id);
        let text = match package.kind {
            PackageKind::Basic => self.words(Phrase::PackageBasic, &[&name]),
            PackageKind::Free => self.words(Phrase::PackageFree, &[&name]),
            PackageKind::Addon => {
                let on = self.list(Phrase::Or, package.requires.iter().cloned());
                self.words(Phrase::PackageAddon, &[&name, &on])
            }
        };
        self.say(SectionPackages, about.clone(), text, &package.clause);
        if package.offered_from != policy.from {
            let text = self.words(Phrase::OfferedFrom, &[&name, &package.offered_from.to_string()]);
            self.say(SectionPackages, format!("{about} offered"), text, &package.clause);
        }
        if !package.groups.is_empty() {
            let groups = package.groups.iter().map(|group| {
                self.conditions(&Conditions {
                    tags: group.tags.clone(),
                    age_from: group.age_from,
                    age_under: group.age_under,
                    ..Conditions::default()
                })
            });
            let text = self.words(Phrase::OneOfGroups, &[&name, &self.list(Phrase::Or, groups)]);
            let clause = package.groups[0].clause.clone();
            self.say(SectionPackages, format!("{about} group"), text, &clause);
        }
        for (at, fee) in package.fees.iter().enumerate() {
            let text = match fee.list {
                Some((list, discount)) => {
                    let with =
                        [name.as_str(), &fee.amount.to_string(), &list.to_string(), &percent(discount)];
                    self.words(Phrase::FeeListed, &with)
                }
                None => self.words(Phrase::Fee, &[&name, &fee.amount.to_string()]),
            };
            let text = text + &self.when(&fee.when);
            self.say(SectionPackages, format!("{about} fee {at}"), text, &fee.clause);
        }
        for (at, weight) in package.weights.iter().enumerate() {
            let text =
                self.words(Phrase::Weight, &[&name, &shortest(weight.factor)]) + &self.when(&weight.when);
            self.say(SectionPackages, format!("{about} weight {at}"), text, &weight.clause);
        }
        if package.weigh == Weigh::Highest && package.weights.len() > 1 {
            let text = self.words(Phrase::WeighHighest, &[&name]);
            self.say(SectionPackages, format!("{about} weigh"), text, &package.weights[0].clause);
        }
        let mut nth: BTreeMap<usize, usize> = BTreeMap::new();
        for share in &package.shares {
            let source = self.source(share.source);
            let text = match &share.amount {
                ShareAmount::Fixed(fen) => {
                    self.words(Phrase::ShareFixed, &[&name, &source, &fen.to_string()])
                }
                ShareAmount::Ratio(ratio) => {
                    self.words(Phrase::ShareRatio, &[&name, &source, &percent(*ratio)])
                }
                ShareAmount::RatioByKind(ratios) => {
                    let kinds = policy.institutions.kinds.iter().zip(ratios);
                    let each = kinds.map(|(kind, ratio)| format!("{} {}", self.name(kind), percent(*ratio)));
                    self.words(Phrase::ShareRatio, &[&name, &source, &self.list(Phrase::And, each)])
                }
                ShareAmount::Rest => self.words(Phrase::ShareRest, &[&name, &source]),
            };
            let count = nth.entry(share.source).or_default();
            *count += 1;
            let about = format!("{about} share {} {count}", policy.sources[share.source].id);
            let text = text + &self.when(&share.when);
            self.say(SectionPackages, about, text, &share.clause);
        }
        for item in &package.items {
            let title = self.name(&item.named);
            let mut text = match item.times {
                Some(times) => self.words(Phrase::ItemTimes, &[&name, &title, &times.to_string()]),
                None => self.words(Phrase::Item, &[&name, &title]),
            };
            if let Some(price) = item.price {
                text += &self.words(Phrase::ItemPrice, &[&price.to_string()]);
            }
            if let Some(amount) = item.amount {
                text += &self.words(Phrase::ItemAmount, &[&amount.to_string()]);
            }
            self.say(SectionPackages, format!("{about} item {}", item.named.id), text, &item.clause);
        }
        if package.deduct_missing {
            let what = match package.items_due {
                ItemsDue::WholeYear => Phrase::DeductWhole,
                ItemsDue::MonthsPassed => Phrase::DeductPassed,
            };
            let text = self.words(what, &[&name]);
            self.say(SectionPackages, format!("{about} deduct"), text, &package.clause);
        }
        if let Some(count) = package.services_at_least {
            let text = self.words(Phrase::Services, &[&name, &count.to_string()]);
            self.say(SectionPackages, format!("{about} services"), text, &package.clause);
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
                let derived = one.derive.map(|derive| self.words(Phrase::Derived, &[derive.id()]));
                let text = self.words(Phrase::Indicator, &with) + &derived.unwrap_or_default();
                let about = format!("sheet {level_id} indicator {}", one.id);
                self.say(SectionAssessment, about, text, &one.clause);
            }
        }
    }

    fn curve(&mut self, curve: &Curve) {
        use Phrase::SectionAssessment;
        let policy = self.policy;
        let id = curve.id.as_str();
        let about = format!("curve {id}");
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
                let each = of.iter().map(|at| policy.curves[*at].id.clone()).collect();
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

impl Teller<'_> {
    /// By which words exports may call things.
    fn names_of_all(&mut self) {
        let policy = self.policy;
        let add = |what: &str, named: &Named, clause: &str| -> (String, String, String) {
            (
                format!("names {what} {}", named.id),
                named.names().collect::<Vec<_>>().join(" = "),
                clause.to_string(),
            )
        };
        let mut said = Vec::new();
        if let Some(insurance) = &policy.insurance {
            said.extend(insurance.schemes.iter().map(|one| add("scheme", one, &insurance.clause)));
        }
        said.extend(
            policy.institutions.kinds.iter().map(|one| add("kind", one, &policy.institutions.clause)),
        );
        said.extend(policy.levels.iter().map(|one| add("level", &one.named, &one.clause)));
        if let Some(rule) = &policy.evidence {
            said.extend(rule.cards.iter().map(|one| add("card", one, &rule.clause)));
        }
        for (reason, _) in &policy.prorate.reasons {
            said.push(add("reason", reason, policy.prorate.clause.as_deref().unwrap_or_default()));
        }
        for package in &policy.packages {
            said.push(add("package", &package.named, &package.clause));
            for item in &package.items {
                said.push(add(&format!("item {}", package.named.id), &item.named, &item.clause));
            }
            for group in &package.groups {
                let of = format!("group {}", package.named.id);
                said.extend(group.tags.iter().map(|one| add(&of, one, &group.clause)));
            }
            for tag in package.asked().flat_map(|asked| &asked.tags) {
                said.push(add(&format!("tag {}", package.named.id), tag, &package.clause));
            }
        }
        said.extend(policy.double_benefits.iter().map(|one| add("double benefit", &one.item, &one.clause)));
        for source in &policy.sources {
            said.push((
                format!("names source {}", source.id),
                format!("{} = {}", source.id, source.name),
                source.clause.to_string(),
            ));
        }
        for (about, text, clause) in said {
            self.say(Phrase::SectionNames, about, text, &clause);
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
