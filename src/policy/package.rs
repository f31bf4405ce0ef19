//! Service packages (服务包): fee, shares, items, and whom they are for.

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
}

#[derive(Debug)]
pub struct Package {
    pub named: Named,
    pub kind: PackageKind,
    /// For one contract year or month; zero where the package is free.
    pub fee: Fen,
    /// In order; the last is the rest.
    pub shares: Vec<ShareRule>,
    /// Ids of packages of which the person must have one (add-ons only).
    pub requires: Vec<String>,
    pub group: Option<Group>,
    pub items: Vec<Item>,
    /// Items missing at clearing take their amount off the share.
    pub deduct_missing: bool,
    pub offered_from: Date,
    pub clause: Clause,
}

/// Whom a package is for.
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

/// All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct When {
    pub scheme: Option<usize>,
    pub kind: Option<usize>,
    pub district: Option<String>,
    pub tag: Option<Named>,
    pub age_from: Option<i16>,
    pub age_under: Option<i16>,
}

/// What the conditions of shares are asked of.
pub struct Case<'a> {
    pub scheme: Option<usize>,
    pub kind: usize,
    pub district: &'a str,
    pub tagged: &'a dyn Fn(&Named) -> bool,
    pub age: &'a dyn Fn() -> i16,
}

impl Package {
    /// Which shares hold, a bit for each.
    pub fn holding(&self, case: &Case) -> u32 {
        let holds = |(at, share): (usize, &ShareRule)| u32::from(share.when.holds(case)) << at;
        self.shares.iter().enumerate().map(holds).sum()
    }

    /// What each share that holds amounts to, with its source; their sum where that is not the fee.
    pub fn amounts(&self, holding: u32, kind: usize) -> Result<Vec<(usize, Fen)>, Fen> {
        let (mut amounts, mut borne) = (Vec::new(), Fen::ZERO);
        for (at, rule) in self.shares.iter().enumerate() {
            if holding >> at & 1 == 0 {
                continue;
            }
            let amount = match &rule.amount {
                ShareAmount::Fixed(amount) => *amount,
                ShareAmount::Ratio(ratio) => self.fee.share(*ratio),
                ShareAmount::RatioByKind(ratios) => self.fee.share(*ratios.get(kind).ok_or(borne)?),
                ShareAmount::Rest => self.fee - borne,
            };
            if amount < Fen::ZERO {
                return Err(borne);
            }
            borne += amount;
            amounts.push((rule.source, amount));
        }
        if borne == self.fee { Ok(amounts) } else { Err(borne) }
    }

    /// Tries every case that its conditions tell apart; the sum of the first that is not the fee.
    pub fn wrong_sum(&self, schemes: usize, kinds: usize) -> Option<Fen> {
        let whens = || self.shares.iter().map(|share| &share.when);
        let mut districts: Vec<&str> = whens().filter_map(|when| when.district.as_deref()).collect();
        districts.push("");
        let mut ages: Vec<i16> = whens()
            .flat_map(|when| [when.age_from, when.age_under])
            .flatten()
            .flat_map(|age| [age - 1, age])
            .collect();
        ages.push(0);
        let mut tags: Vec<&str> = whens().filter_map(|when| Some(when.tag.as_ref()?.id.as_str())).collect();
        for list in [&mut districts, &mut tags] {
            list.sort_unstable();
            list.dedup();
        }
        ages.sort_unstable();
        ages.dedup();
        let schemes = (0..schemes).map(Some).chain((schemes == 0).then_some(None));
        for scheme in schemes {
            for kind in 0..kinds.max(1) {
                for (district, age) in
                    districts.iter().flat_map(|district| ages.iter().map(move |age| (district, age)))
                {
                    for tagged in 0..1u32 << tags.len().min(8) {
                        let has = |tag: &Named| {
                            tags.iter().position(|id| *id == tag.id).is_some_and(|at| tagged >> at & 1 == 1)
                        };
                        let case = Case { scheme, kind, district, tagged: &has, age: &|| *age };
                        if let Err(sum) = self.amounts(self.holding(&case), kind) {
                            return Some(sum);
                        }
                    }
                }
            }
        }
        None
    }
}

impl When {
    fn holds(&self, case: &Case) -> bool {
        self.scheme.is_none_or(|scheme| case.scheme == Some(scheme))
            && self.kind.is_none_or(|kind| case.kind == kind)
            && self.district.as_ref().is_none_or(|district| district == case.district)
            && self.tag.as_ref().is_none_or(|tag| (case.tagged)(tag))
            && self.age_from.is_none_or(|from| (case.age)() >= from)
            && self.age_under.is_none_or(|under| (case.age)() < under)
    }
}
