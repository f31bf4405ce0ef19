//! A settlement → why a line comes to what it does, down to counts and shares; and the life of one signing.
//! Nothing is worked out another way than it was settled: what is added up here must come to the line.

use std::sync::Arc;

use crate::base::money::Fen;
use crate::base::period::{Date, Period};
use crate::policy::Clause;
use crate::policy::package::PackageKind;
use crate::policy::schedule::Part;

use super::evidence::Evidence;
use super::lines::{Line, Settlement};
use super::price::Class;
use super::qualify::Qualified;
use super::rules::Rules;
use super::tally::{Held, unauthorized};

/// Charges of one price and one part, of which one source bears as much of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    pub count: u64,
    /// What the source bears of one charge, or for each head served.
    pub share: Fen,
    pub part: Part,
    pub amount: Fen,
    /// Counted, and not paid, for this reason.
    pub held: Option<HeldFor>,
    pub clause: Clause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldFor {
    NoEvidence,
    Unauthorized,
    OverCap,
}

impl HeldFor {
    pub fn name(self) -> &'static str {
        match self {
            HeldFor::NoEvidence => "no_evidence",
            HeldFor::Unauthorized => "unauthorized",
            HeldFor::OverCap => "over_cap",
        }
    }
}

fn held_for(held: Held, asks: bool) -> Option<HeldFor> {
    if held.no_evidence {
        Some(HeldFor::NoEvidence)
    } else if held.over_cap {
        Some(HeldFor::OverCap)
    } else {
        (held.unauthorized && asks).then_some(HeldFor::Unauthorized)
    }
}

/// What the gross amount of a line is made of.
pub fn leaves(rules: &Rules, settlement: &Settlement, classes: &[Arc<Class>], line: &Line) -> Vec<Leaf> {
    let mut leaves: Vec<Leaf> = Vec::new();
    let policy = &rules.region.versions[line.version];
    // They are sorted by cohort and institution.
    let key = (line.cohort, line.institution);
    let from =
        settlement.charges.partition_point(|((institution, cohort, ..), _)| (*cohort, *institution) < key);
    let of_institution = settlement.charges[from..].iter();
    let of_institution =
        of_institution.take_while(|((institution, cohort, ..), _)| (*cohort, *institution) == key);
    for ((_, _, class, held, part, _), count) in of_institution {
        let class = &classes[*class as usize];
        let package = rules.package(class.offer);
        let of_line =
            rules.offers[class.offer as usize].version == line.version && package.named.id == line.package;
        let share = class.shares.iter().position(|share| policy.sources[share.source].id == line.source);
        let Some(at) = share.filter(|_| of_line) else { continue };
        let source = class.shares[at].source;
        let asks = policy.authorization.as_ref().is_some_and(|rule| rule.source == source);
        let held = held_for(*held, asks);
        let (share, part) = (class.shares_of(*part)[at], *part);
        let same = |leaf: &&mut Leaf| (leaf.share, leaf.part, leaf.held) == (share, part, held);
        match leaves.iter_mut().find(same) {
            Some(leaf) => leaf.count += count,
            None => leaves.push(Leaf {
                count: *count,
                share,
                part,
                amount: Fen::ZERO,
                held,
                clause: package.clause.clone(),
            }),
        }
    }
    for leaf in &mut leaves {
        leaf.amount = if leaf.held.is_some() { Fen::ZERO } else { leaf.share.times(leaf.count) };
    }
    // A line by population has no signings: so many heads, each a part of the yearly amount.
    if let Some(rule) = policy.population.iter().find(|rule| rule.id == line.package) {
        let part = Part { paid: 1, of: u16::from(policy.cycle.in_a_year()) };
        leaves.push(Leaf {
            count: line.count,
            share: rule.a_year,
            part,
            amount: line.gross,
            held: None,
            clause: rule.clause.clone(),
        });
    }
    let sum: Fen = leaves.iter().map(|leaf| leaf.amount).sum();
    assert_eq!(sum, line.gross, "what a line is made of adds up to it");
    leaves
}

/// One charge of a signing.
#[derive(Clone, Debug)]
pub struct ChargeLife {
    pub number: u32,
    pub from: Date,
    pub cohort: Period,
    pub part: Part,
    /// Service records that it has, and that it takes.
    pub seen: u32,
    pub asked: u32,
    /// Items of the package: id, how often done, how often planned.
    pub items: Vec<(String, u32, Option<u32>)>,
    /// By source: its id, what it bears, and why it is held.
    pub shares: Vec<(String, Fen, Option<HeldFor>)>,
}

/// The charges of an admitted signing, as this run counts them.
pub fn charges(
    rules: &Rules,
    qualified: &Qualified,
    evidence: &Evidence,
    classes: &[Arc<Class>],
    index: usize,
    over_cap: bool,
) -> Vec<ChargeLife> {
    let signing = &qualified.signings.get(index);
    let offer = signing.offer();
    let (policy, package, class) =
        (rules.policy(offer), rules.package(offer), &classes[signing.class as usize]);
    if package.kind == PackageKind::Free {
        return Vec::new();
    }
    let (asked, items) = (rules.services_asked(offer), rules.items_counted(offer));
    let unauthorized = unauthorized(policy, class, signing);
    let charge =
        |(nth, (number, from))| {
            let seen = if asked > 0 { evidence.seen(index, nth) } else { 0 };
            let part = signing.part(policy, number);
            let held = Held { no_evidence: asked > 0 && seen < asked, unauthorized, over_cap };
            let shares = class.shares.iter().zip(class.shares_of(part)).map(|(share, amount)| {
                let asks = policy.authorization.as_ref().is_some_and(|rule| rule.source == share.source);
                (policy.sources[share.source].id.clone(), amount, held_for(held, asks))
            });
            let done =
                package.items.iter().enumerate().take(items).map(|(at, item)| {
                    (item.named.id.clone(), evidence.done(index, nth, items, at), item.times)
                });
            ChargeLife {
                number,
                from,
                cohort: policy.cycle.of(from),
                part,
                seen,
                asked,
                items: done.collect(),
                shares: shares.collect(),
            }
        };
    signing.charges(rules).enumerate().map(charge).collect()
}
