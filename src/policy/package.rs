//! Service packages (服务包): fee, shares, items, and whom they are for.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::base::money::Fen;
use crate::base::period::Date;

use super::{Clause, Named};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageKind {
    /// One at a time for a person.
    Basic,
    /// Counted; no charge; blocks nobody.
    Free,
    /// On top of a basic one.
    Addon,
}

impl PackageKind {
    pub const ALL: [(&str, PackageKind); 3] =
        [("basic", PackageKind::Basic), ("free", PackageKind::Free), ("addon", PackageKind::Addon)];

    pub fn id(self) -> &'static str {
        PackageKind::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(id, _)| *id)
    }
}

#[derive(Debug)]
pub struct Package {
    pub named: Named,
    pub kind: PackageKind,
    /// For one charge; the first that holds. None where the package is free.
    pub fees: Vec<FeeRule>,
    /// What the fee is multiplied by.
    pub weights: Vec<Weight>,
    pub weigh: Weigh,
    /// In order; the last is the rest.
    pub shares: Vec<ShareRule>,
    /// Ids of packages of which the person must have one (add-ons only).
    pub requires: Vec<String>,
    /// The person must be of one of these; empty: for everybody.
    pub groups: Vec<Group>,
    pub items: Vec<Item>,
    /// Items missing at clearing take their amount off the share.
    pub deduct_missing: bool,
    pub items_due: ItemsDue,
    /// A charge counts only with so many service records.
    pub services_at_least: Option<u32>,
    pub offered_from: Date,
    pub clause: Clause,
}

/// A fee, and when it holds.
#[derive(Debug)]
pub struct FeeRule {
    pub amount: Fen,
    /// What the services cost one by one, and the part taken off, where the fee is a discount of it.
    pub list: Option<(Fen, Decimal)>,
    pub when: When,
    pub clause: Clause,
}

/// A factor of the fee, by age or disease.
#[derive(Debug)]
pub struct Weight {
    pub factor: Decimal,
    pub when: When,
    pub clause: Clause,
}

/// How several weights that hold go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weigh {
    Multiply,
    Highest,
}

/// Which times of an item are due when a charge is cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemsDue {
    WholeYear,
    /// Of twelve months, those that have passed in full by the end of the period settled.
    MonthsPassed,
}

impl ItemsDue {
    pub const ALL: [(&str, ItemsDue); 2] =
        [("whole_year", ItemsDue::WholeYear), ("months_passed", ItemsDue::MonthsPassed)];
}

/// Whom a package is for. All that is given must hold.
#[derive(Debug)]
pub struct Group {
    pub age_from: Option<i16>,
    /// Below this age, in whole years.
    pub age_under: Option<i16>,
    /// One of these tags in the row's groups.
    pub tags: Vec<Named>,
    pub clause: Clause,
}

/// A service of the package.
#[derive(Debug)]
pub struct Item {
    pub named: Named,
    /// How often in a contract year, where the policy says.
    pub times: Option<u32>,
    /// For each time, of the fee.
    pub price: Option<Fen>,
    /// For each time, of the settled share.
    pub amount: Option<Fen>,
    pub clause: Clause,
}

/// What one source bears, where its conditions hold.
#[derive(Debug)]
pub struct ShareRule {
    /// Index into the policy's sources.
    pub source: usize,
    pub amount: ShareAmount,
    pub when: When,
    pub clause: Clause,
}

#[derive(Debug)]
pub enum ShareAmount {
    Fixed(Fen),
    /// Of the fee, rounded half up to fen.
    Ratio(Decimal),
    /// Of the fee, by the institution's kind (index into the policy's kinds).
    RatioByKind(Vec<Decimal>),
    /// What the other shares leave.
    Rest,
}

/// What must hold, and what must not.
#[derive(Clone, Debug, Default)]
pub struct When {
    pub all: Conditions,
    pub unless: Option<Conditions>,
}

/// All that is given must hold; of a list, one.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    pub schemes: Vec<usize>,
    pub kinds: Vec<usize>,
    pub districts: Vec<String>,
    pub tags: Vec<Named>,
    pub age_from: Option<i16>,
    pub age_under: Option<i16>,
}

/// What the conditions are asked of.
pub struct Case<'a> {
    pub scheme: Option<usize>,
    pub kind: usize,
    /// Not looked at unless some condition asks.
    pub district: &'a dyn AsRef<str>,
    pub tagged: &'a dyn Fn(&Named) -> bool,
    pub age: &'a dyn Fn() -> i16,
}

/// What a charge costs where certain conditions hold, and who bears it: (source, amount), adding up to the fee.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub fee: Fen,
    pub shares: Vec<(usize, Fen)>,
}

/// Why a case has no price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPrice {
    /// No fee's conditions hold.
    NoFee,
    /// The shares do not add up to the fee.
    Sum { sum: Fen, fee: Fen },
}

/// A case that the conditions tell apart: which of them hold, a bit for each, and the institution's kind.
pub type CaseKey = (u64, usize);

/// Somebody for whom a case holds, so that a fault can say for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    pub scheme: Option<usize>,
    pub kind: Option<usize>,
    pub district: String,
    pub age: Option<i16>,
    pub tags: Vec<String>,
}

/// Most tags that one package's conditions may tell apart: every combination of them is tried.
pub const MOST_TAGS: usize = 14;
/// A district that no condition names.
const ELSEWHERE: &str = "\u{0}";
/// Most conditions of one package, a bit for each.
pub const MOST_CONDITIONS: usize = 64;

impl Package {
    /// The conditions of fees, weights and shares, in this order.
    pub fn conditions(&self) -> impl Iterator<Item = &When> {
        let fees = self.fees.iter().map(|fee| &fee.when);
        let weights = self.weights.iter().map(|weight| &weight.when);
        fees.chain(weights).chain(self.shares.iter().map(|share| &share.when))
    }

    /// Which conditions hold, a bit for each.
    pub fn holding(&self, case: &Case) -> u64 {
        self.conditions().enumerate().map(|(at, when)| u64::from(when.holds(case)) << at).sum()
    }

    /// Whether the price depends on the institution's kind beyond what the conditions say.
    pub fn priced_by_kind(&self) -> bool {
        self.shares.iter().any(|share| matches!(share.amount, ShareAmount::RatioByKind(_)))
    }

    /// What a charge costs, and who bears it.
    pub fn price(&self, holding: u64, kind: usize) -> Result<Price, NoPrice> {
        if self.kind == PackageKind::Free {
            return Ok(Price { fee: Fen::ZERO, shares: Vec::new() });
        }
        let holds = |at: usize| holding >> at & 1 == 1;
        let fee = self.fees.iter().enumerate().find(|(at, _)| holds(*at)).ok_or(NoPrice::NoFee)?.1.amount;
        let factors = self.weights.iter().enumerate().filter(|(at, _)| holds(self.fees.len() + at));
        let factors = factors.map(|(_, weight)| weight.factor);
        let factor: Option<Decimal> = match self.weigh {
            Weigh::Multiply => factors.reduce(|all, factor| all * factor),
            Weigh::Highest => factors.max(),
        };
        let fee = factor.map_or(fee, |factor| fee.share(factor));
        let (mut shares, mut borne, mut rested) = (Vec::new(), Fen::ZERO, false);
        for (at, rule) in self.shares.iter().enumerate() {
            if !holds(self.fees.len() + self.weights.len() + at) {
                continue;
            }
            let amount = match &rule.amount {
                ShareAmount::Fixed(amount) => *amount,
                ShareAmount::Ratio(ratio) => fee.share(*ratio),
                ShareAmount::RatioByKind(ratios) => {
                    fee.share(*ratios.get(kind).ok_or(NoPrice::Sum { sum: borne, fee })?)
                }
                // Somebody bore the rest already: this source has no part in it.
                ShareAmount::Rest if rested => continue,
                ShareAmount::Rest => fee - borne,
            };
            rested |= matches!(rule.amount, ShareAmount::Rest);
            if amount < Fen::ZERO {
                return Err(NoPrice::Sum { sum: borne, fee });
            }
            borne += amount;
            shares.push((rule.source, amount));
        }
        if borne == fee { Ok(Price { fee, shares }) } else { Err(NoPrice::Sum { sum: borne, fee }) }
    }

    /// Every tag that a condition asks for.
    pub fn asked_tags(&self) -> BTreeSet<&str> {
        self.asked().flat_map(|conditions| &conditions.tags).map(|tag| tag.id.as_str()).collect()
    }

    /// Everything that fees, weights and shares ask for.
    pub fn asked(&self) -> impl Iterator<Item = &Conditions> {
        self.conditions().flat_map(|when| [Some(&when.all), when.unless.as_ref()]).flatten()
    }

    /// Every case that the conditions tell apart, each once, with somebody of it.
    pub fn cases(&self, schemes: usize, kinds: usize) -> BTreeMap<CaseKey, Example> {
        // Districts that the same conditions name are one to them all.
        let mut districts: BTreeMap<Vec<bool>, &str> = BTreeMap::new();
        let named = self.asked().flat_map(|asked| &asked.districts).map(String::as_str);
        for district in named.chain([ELSEWHERE]) {
            let asks = self.asked().map(|asked| asked.districts.iter().any(|one| one == district)).collect();
            districts.entry(asks).or_insert(district);
        }
        let mut ages: BTreeSet<i16> = self
            .asked()
            .flat_map(|asked| [asked.age_from, asked.age_under])
            .flatten()
            .flat_map(|age| [age - 1, age])
            .collect();
        // Who may sign at all bounds the ages as well.
        let bounds = |group: &Group| [group.age_from, group.age_under.map(|age| age - 1)];
        ages.extend(self.groups.iter().flat_map(bounds).flatten());
        ages.insert(0);
        let by_age = ages.len() > 1;
        let tags: Vec<&str> = self.asked_tags().into_iter().collect();
        let by_kind = self.priced_by_kind() || self.asked().any(|asked| !asked.kinds.is_empty());
        let by_scheme = self.asked().any(|asked| !asked.schemes.is_empty());
        let kinds = if by_kind { kinds.max(1) } else { 1 };
        let schemes: Vec<Option<usize>> = match (by_scheme, schemes) {
            (_, 0) => vec![None],
            (true, _) => (0..schemes).map(Some).collect(),
            (false, _) => vec![Some(0)],
        };
        let mut cases = BTreeMap::new();
        for scheme in schemes {
            for kind in 0..kinds {
                for district in districts.values() {
                    for age in &ages {
                        for tagged in 0..1u32 << tags.len().min(MOST_TAGS) {
                            let has = |tag: &Named| {
                                let at = tags.iter().position(|id| *id == tag.id);
                                at.is_some_and(|at| tagged >> at & 1 == 1)
                            };
                            if !self.may_be(*age, &has) {
                                continue;
                            }
                            let case = Case { scheme, kind, district, tagged: &has, age: &|| *age };
                            let key = (self.holding(&case), if self.priced_by_kind() { kind } else { 0 });
                            cases.entry(key).or_insert_with(|| Example {
                                scheme: scheme.filter(|_| by_scheme),
                                kind: by_kind.then_some(kind),
                                district: if *district == ELSEWHERE {
                                    String::new()
                                } else {
                                    district.to_string()
                                },
                                age: by_age.then_some(*age),
                                tags: (0..tags.len())
                                    .filter(|at| tagged >> at & 1 == 1)
                                    .map(|at| tags[at].to_string())
                                    .collect(),
                            });
                        }
                    }
                }
            }
        }
        cases
    }

    /// Whether somebody of this age may sign, as far as the tags that conditions ask for tell.
    fn may_be(&self, age: i16, has: &dyn Fn(&Named) -> bool) -> bool {
        let asked = self.asked_tags();
        self.groups.is_empty()
            || self.groups.iter().any(|group| {
                group.age_from.is_none_or(|from| age >= from)
                    && group.age_under.is_none_or(|under| age < under)
                    && (group.tags.is_empty()
                        || group.tags.iter().any(|tag| !asked.contains(tag.id.as_str()) || has(tag)))
            })
    }
}

impl Weigh {
    pub const ALL: [(&str, Weigh); 2] = [("multiply", Weigh::Multiply), ("highest", Weigh::Highest)];
}

impl When {
    fn holds(&self, case: &Case) -> bool {
        self.all.hold(case) && self.unless.as_ref().is_none_or(|unless| !unless.hold(case))
    }
}

impl Conditions {
    fn hold(&self, case: &Case) -> bool {
        let one_of = |list: &[usize], value: Option<usize>| {
            list.is_empty() || value.is_some_and(|value| list.contains(&value))
        };
        one_of(&self.schemes, case.scheme)
            && one_of(&self.kinds, Some(case.kind))
            && (self.districts.is_empty()
                || self.districts.iter().any(|district| *district == case.district.as_ref()))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| (case.tagged)(tag)))
            && self.age_from.is_none_or(|from| (case.age)() >= from)
            && self.age_under.is_none_or(|under| (case.age)() < under)
    }

    /// Nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.schemes.is_empty()
            && self.kinds.is_empty()
            && self.districts.is_empty()
            && self.tags.is_empty()
            && self.age_from.is_none()
            && self.age_under.is_none()
    }
}

/// What an amount may not be under or over, in this file and in whichever extends it.
#[derive(Debug)]
pub struct Limit {
    pub of: LimitOf,
    /// What these bear together; empty: the fee.
    pub sources: Vec<usize>,
    pub at_least: Option<Bound>,
    pub at_most: Option<Bound>,
    pub clause: Clause,
}

#[derive(Clone, Debug)]
pub enum LimitOf {
    Package(String),
    /// Packages of this kind, and those that were of it where the limit was set.
    Kind(PackageKind, Vec<String>),
    /// A population line's yearly amount.
    Population(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Amount(Fen),
    /// Of the fee.
    Ratio(Decimal),
}

impl Limit {
    pub fn holds_for(&self, package: &Package) -> bool {
        match &self.of {
            LimitOf::Package(id) => package.named.id == *id,
            LimitOf::Kind(kind, also) => package.kind == *kind || also.contains(&package.named.id),
            LimitOf::Population(_) => false,
        }
    }

    /// The amount of a price that the limit is about, where it breaks the limit.
    pub fn broken_by(&self, price: &Price) -> Option<Fen> {
        let borne = |(source, amount): &(usize, Fen)| self.sources.contains(source).then_some(*amount);
        let amount = match self.sources.is_empty() {
            true => price.fee,
            false => price.shares.iter().filter_map(borne).sum(),
        };
        self.broken(amount, price.fee).then_some(amount)
    }

    /// The same for its ceiling alone.
    pub fn at_most_broken_by(&self, price: &Price) -> Option<Fen> {
        let ceiling = Limit {
            of: self.of.clone(),
            sources: self.sources.clone(),
            at_least: None,
            at_most: self.at_most,
            clause: self.clause.clone(),
        };
        ceiling.broken_by(price)
    }

    pub fn broken(&self, amount: Fen, fee: Fen) -> bool {
        let bound = |bound: Bound| match bound {
            Bound::Amount(fen) => Decimal::from(fen.0),
            // Exact: a ratio that is rounded to fen by a hair is within it.
            Bound::Ratio(ratio) => Decimal::from(fee.0) * ratio,
        };
        let (amount, hair) = (Decimal::from(amount.0), Decimal::new(5, 1));
        let slack = |of: Bound| if matches!(of, Bound::Ratio(_)) { hair } else { Decimal::ZERO };
        self.at_least.is_some_and(|least| amount < bound(least) - slack(least))
            || self.at_most.is_some_and(|most| amount > bound(most) + slack(most))
    }
}
