//! Price classes: a package and the conditions that hold for a signing → what each source bears.

use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;

use crate::base::money::Fen;
use crate::base::period::age_on;
use crate::intake::institutions::Institution;
use crate::intake::rows::Row;
use crate::intake::signings;
use crate::policy::Named;
use crate::policy::package::{Case, PackageKind, ShareAmount};

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
    let package = rules.package(offer);
    let tagged = |tag: &Named| tags(&facts.cells.text(signings::GROUPS)).any(|text| tag.is(text));
    let holding = package.holding(&Case {
        scheme: facts.scheme,
        kind: usize::from(facts.kind),
        district: &facts.institution.district,
        tagged: &tagged,
        age: &|| age_on(facts.birth, facts.signed_on),
    });
    let by_kind = package.shares.iter().any(|share| matches!(share.amount, ShareAmount::RatioByKind(_)));
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

/// The tags of a groups cell, `;` between.
pub fn tags(groups: &str) -> impl Iterator<Item = &str> {
    groups.split([';', ',', '、', '|']).map(str::trim).filter(|tag| !tag.is_empty())
}

fn price(rules: &Rules, (offer, holding, kind): PriceKey) -> Class {
    let (policy, package) = (rules.policy(offer), rules.package(offer));
    let amounts = package.amounts(holding, usize::from(kind));
    let amounts = amounts.expect("the loader tried every case that the conditions tell apart");
    let (mut shares, mut omitted): (Vec<Share>, Fen) = (Vec::new(), Fen::ZERO);
    for (source, amount) in amounts {
        if package.kind == PackageKind::Addon && policy.sources[source].once_for_person {
            omitted += amount;
            continue;
        }
        match shares.iter_mut().find(|share| share.source == source) {
            Some(share) => share.amount += amount,
            None => shares.push(Share { source, amount }),
        }
    }
    let sum: Fen = shares.iter().map(|share| share.amount).sum();
    assert_eq!(sum + omitted, package.fee, "nothing of the fee of `{}` is lost", package.named.id);
    let individual = shares
        .iter()
        .filter(|share| policy.sources[share.source].id == "individual")
        .map(|share| share.amount)
        .sum();
    Class { offer, shares, individual }
}
