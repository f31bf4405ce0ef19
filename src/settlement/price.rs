//! Price classes: a package and the conditions that hold for a signing → what each source bears.

use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;

use crate::base::money::Fen;
use crate::base::period::age_on;
use crate::intake::institutions::Institution;
use crate::intake::rows::Row;
use crate::intake::signings;
use crate::policy::package::{PackageKind, ShareAmount, When};

use super::rules::Rules;

/// What one source bears of one charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Index into the version's sources.
    pub source: usize,
    pub amount: Fen,
}

/// Charges of one price: the same package and the same shares.
#[derive(Debug)]
pub struct Class {
    pub offer: u16,
    pub shares: Vec<Share>,
    /// What the resident bears (source `individual`).
    pub individual: Fen,
}

/// What a share may depend on.
pub struct Facts<'a> {
    pub scheme: Option<usize>,
    pub kind: u8,
    pub institution: &'a Institution,
    /// For the groups, which few policies ask for.
    pub cells: &'a Row<'a>,
    pub birth: crate::base::period::Date,
    pub signed_on: crate::base::period::Date,
}

/// What a class depends on: the offer, which of its shares hold, and the institution's kind where
/// a ratio depends on it.
pub type PriceKey = (u16, u32, u8);

/// The price of a signing with these facts.
pub fn key(rules: &Rules, offer: u16, facts: &Facts) -> PriceKey {
    let mut holding = 0u32;
    let mut by_kind = false;
    for (at, share) in rules.package(offer).shares.iter().enumerate() {
        holding |= u32::from(share.when.holds(facts)) << at;
        by_kind |= matches!(share.amount, ShareAmount::RatioByKind(_));
    }
    (offer, holding, if by_kind { facts.kind } else { 0 })
}

/// All classes of a run, numbered as they are met. The numbers never reach an output.
#[derive(Default)]
pub struct Classes {
    by_key: RwLock<FxHashMap<PriceKey, u32>>,
    list: RwLock<Vec<Arc<Class>>>,
}

impl Classes {
    /// The class of this price.
    pub fn find(&self, rules: &Rules, key: PriceKey) -> (u32, Arc<Class>) {
        let known = self.by_key.read().expect("no panic holds it").get(&key).copied();
        let number = known.unwrap_or_else(|| self.add(rules, key));
        (number, self.get(number))
    }

    fn add(&self, rules: &Rules, key: PriceKey) -> u32 {
        let mut by_key = self.by_key.write().expect("no panic holds it");
        if let Some(number) = by_key.get(&key) {
            return *number;
        }
        let mut list = self.list.write().expect("no panic holds it");
        let number = list.len() as u32;
        list.push(Arc::new(price(rules, key)));
        by_key.insert(key, number);
        number
    }

    pub fn get(&self, number: u32) -> Arc<Class> {
        Arc::clone(&self.list.read().expect("no panic holds it")[number as usize])
    }

    /// All classes by number.
    pub fn all(&self) -> Vec<Arc<Class>> {
        self.list.read().expect("no panic holds it").clone()
    }
}

impl When {
    fn holds(&self, facts: &Facts) -> bool {
        let age = || age_on(facts.birth, facts.signed_on);
        self.scheme.is_none_or(|scheme| facts.scheme == Some(scheme))
            && self.kind.is_none_or(|kind| usize::from(facts.kind) == kind)
            && self.district.as_ref().is_none_or(|district| *district == facts.institution.district)
            && self
                .tag
                .as_ref()
                .is_none_or(|tag| tags(&facts.cells.text(signings::GROUPS)).any(|text| tag.is(text)))
            && self.age_from.is_none_or(|from| age() >= from)
            && self.age_under.is_none_or(|under| age() < under)
    }
}

/// The tags of a groups cell, `;` between.
pub fn tags(groups: &str) -> impl Iterator<Item = &str> {
    groups.split([';', ',', '、', '|']).map(str::trim).filter(|tag| !tag.is_empty())
}

fn price(rules: &Rules, (offer, holding, kind): PriceKey) -> Class {
    let (policy, package) = (rules.policy(offer), rules.package(offer));
    let mut shares: Vec<Share> = Vec::new();
    let (mut borne, mut omitted) = (Fen::ZERO, Fen::ZERO);
    for (at, rule) in package.shares.iter().enumerate() {
        if holding >> at & 1 == 0 {
            continue;
        }
        let amount = match &rule.amount {
            ShareAmount::Fixed(amount) => *amount,
            ShareAmount::Ratio(ratio) => package.fee.share(*ratio),
            ShareAmount::RatioByKind(ratios) => package.fee.share(ratios[usize::from(kind)]),
            ShareAmount::Rest => package.fee - borne,
        };
        borne += amount;
        if package.kind == PackageKind::Addon && policy.sources[rule.source].once_for_person {
            omitted += amount;
            continue;
        }
        match shares.iter_mut().find(|share| share.source == rule.source) {
            Some(share) => share.amount += amount,
            None => shares.push(Share { source: rule.source, amount }),
        }
    }
    assert!(
        shares.iter().all(|share| share.amount >= Fen::ZERO),
        "a share of `{}` is negative",
        package.named.id
    );
    assert_eq!(borne, package.fee, "the shares of `{}` add up to its fee", package.named.id);
    let sum: Fen = shares.iter().map(|share| share.amount).sum();
    assert_eq!(sum + omitted, package.fee, "nothing of the fee of `{}` is lost", package.named.id);
    let individual = shares
        .iter()
        .filter(|share| policy.sources[share.source].id == "individual")
        .map(|share| share.amount)
        .sum();
    Class { offer, shares, individual }
}
