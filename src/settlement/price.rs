//! Price classes: a package and the conditions that hold for a signing → what each source bears.

use std::borrow::Cow;
use std::sync::{Arc, RwLock};

use rustc_hash::FxHashMap;

use crate::base::money::Fen;
use crate::policy::package::{Case, PackageKind, Price};
use crate::policy::schedule::Part;
use crate::policy::{Named, Policy};

use super::rules::Rules;

/// What one source bears of one charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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

impl Class {
    /// What each source bears of a part of one charge, in the order of the shares. Rounded half up over
    /// the shares together, so that the parts add up to the part of the fee.
    pub fn shares_of(&self, part: Part) -> Vec<Fen> {
        if part == Part::WHOLE {
            return self.shares.iter().map(|share| share.amount).collect();
        }
        let (mut whole, mut given) = (Fen::ZERO, Fen::ZERO);
        let each = self.shares.iter().map(|share| {
            whole += share.amount;
            let so_far = whole.times(u64::from(part.paid)).divided(u32::from(part.of));
            let mine = so_far - given;
            given = so_far;
            mine
        });
        each.collect()
    }

    /// What the resident bears of a part of one charge.
    pub fn individual_of(&self, policy: &Policy, part: Part) -> Fen {
        let amounts = self.shares_of(part);
        let shares = self.shares.iter().zip(amounts);
        shares.filter(|(share, _)| policy.sources[share.source].id == "individual").map(|(_, fen)| fen).sum()
    }
}

/// What a share may depend on.
pub struct Facts<'a> {
    pub scheme: Option<usize>,
    pub kind: u8,
    pub district: &'a dyn AsRef<str>,
    /// The groups, which few policies ask for.
    pub groups: &'a dyn Fn() -> Cow<'a, str>,
    /// In whole years on the day of signing.
    pub age: &'a dyn Fn() -> i16,
}

/// What a class depends on: the offer, which of its conditions hold, and the institution's kind where
/// a ratio depends on it.
pub type PriceKey = (u16, u64, u8);

/// The price of a signing with these facts.
#[inline(always)]
pub fn key(rules: &Rules, offer: u16, facts: &Facts) -> PriceKey {
    let package = rules.package(offer);
    let tagged = |tag: &Named| tags(&(facts.groups)()).any(|text| tag.is(text));
    let holding = package.holding(&Case {
        scheme: facts.scheme,
        kind: usize::from(facts.kind),
        district: facts.district,
        tagged: &tagged,
        age: facts.age,
    });
    (offer, holding, if package.priced_by_kind() { facts.kind } else { 0 })
}

/// All classes of a run, numbered as they are met: one for all keys that come to the same. The numbers never reach an
/// output.
#[derive(Default)]
pub struct Classes {
    by_key: RwLock<FxHashMap<PriceKey, u32>>,
    list: RwLock<Numbered>,
}

#[derive(Default)]
struct Numbered {
    classes: Vec<Arc<Class>>,
    by_shares: FxHashMap<(u16, Vec<Share>), u32>,
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
        let class = price(rules, key);
        let Numbered { classes, by_shares } = &mut *self.list.write().expect("no panic holds it");
        let number = *by_shares.entry((class.offer, class.shares.clone())).or_insert_with(|| {
            classes.push(Arc::new(class));
            classes.len() as u32 - 1
        });
        by_key.insert(key, number);
        number
    }

    pub fn get(&self, number: u32) -> Arc<Class> {
        Arc::clone(&self.list.read().expect("no panic holds it").classes[number as usize])
    }

    /// All classes by number.
    pub fn all(&self) -> Vec<Arc<Class>> {
        self.list.read().expect("no panic holds it").classes.clone()
    }
}

/// The tags of a groups cell, `;` between.
pub fn tags(groups: &str) -> impl Iterator<Item = &str> {
    groups.split([';', ',', '、', '|']).map(str::trim).filter(|tag| !tag.is_empty())
}

fn price(rules: &Rules, (offer, holding, kind): PriceKey) -> Class {
    let (policy, package) = (rules.policy(offer), rules.package(offer));
    let price = package.price(holding, usize::from(kind));
    let Price { fee, shares: amounts } =
        price.expect("the loader tried every case that the conditions tell apart");
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
    assert_eq!(sum + omitted, fee, "nothing of the fee of `{}` is lost", package.named.id);
    let individual = shares
        .iter()
        .filter(|share| policy.sources[share.source].id == "individual")
        .map(|share| share.amount)
        .sum();
    Class { offer, shares, individual }
}
