//! A signing as it was posted and as it is now → which of its charges came or went, and why.

use rustc_hash::FxHashMap;

use crate::base::money::Fen;
use crate::base::period::Period;
use crate::policy::package::PackageKind;
use crate::policy::schedule::Part;

use super::delta::{Cause, Change};
use super::evidence::Evidence;
use super::history::History;
use super::price::Class;
use super::qualify::{NO_DETAILS, Signing};
use super::rules::Rules;
use super::tally::{ChangeKey, Held, With, unauthorized};

/// One charge of a signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Charge {
    number: u32,
    cohort: Period,
    institution: u32,
    offer: u16,
    class: u32,
    held: Held,
    part: Part,
}

/// Notes what changed of a posted signing. `now`: as it is admitted in this run, and where; nothing where it is
/// void or refused, which `gone` says.
pub fn of_signing(
    changes: &mut FxHashMap<ChangeKey, Change>,
    known: u32,
    now: Option<(usize, &Signing)>,
    gone: Cause,
    with: With,
) {
    let With { rules, classes, history, evidence, over_cap, .. } = with;
    let past = history.signing(known);
    if let Some((index, signing)) = now
        && stands(history, rules, known, signing)
        && !arrived(evidence, history, (index, known), signing, rules)
    {
        return;
    }
    // Whether a cap held it then is not known: as now.
    let capped = now.is_some_and(|(index, _)| over_cap.contains_key(&(index as u32)));
    let charges_now = now.map_or_else(Vec::new, |(index, signing)| {
        let seen = |nth: usize, _| evidence.seen(index, nth);
        charges(rules, signing, with.prices, seen, capped)
    });
    let then = history.priced(known, rules, classes, NO_DETAILS).expect("it was priced when it was recalled");
    let charges_then = match past.refused {
        Some(_) => Vec::new(),
        None => {
            let seen = |_, number| history.seen(known, &then, number, rules);
            charges(rules, &then, with.prices, seen, capped)
        }
    };
    let why = |old: Option<&Charge>, new: Option<&Charge>| match (old, new) {
        _ if now.is_none() => gone,
        _ if past.refused.is_some() => Cause::Admitted,
        (Some(old), Some(new)) if Charge { held: new.held, ..*old } == *new => {
            match old.held.no_evidence == new.held.no_evidence {
                true => Cause::Authorized,
                false => Cause::Evidence,
            }
        }
        _ if now.is_some_and(|(_, now)| only_ended(&then, now)) => Cause::Ended,
        _ => Cause::Corrected,
    };
    let mut note = |charge: &Charge, cause: Cause, sign: i64| {
        let class = &with.prices[charge.class as usize];
        for (source, amount) in paid(rules, class, charge) {
            let key = (charge.institution, charge.cohort, charge.offer, source, cause);
            let gross = if sign < 0 { -amount } else { amount };
            changes.entry(key).or_default().add(Change { count: sign, gross });
        }
    };
    for old in &charges_then {
        let new = charges_now.iter().find(|new| new.number == old.number);
        if new != Some(old) {
            note(old, why(Some(old), new), -1);
        }
    }
    for new in &charges_now {
        let old = charges_then.iter().find(|old| old.number == new.number);
        if old != Some(new) {
            note(new, why(old, Some(new)), 1);
        }
    }
}

/// Nothing of the signing that money depends on is other than it was posted.
fn stands(history: &History, rules: &Rules, known: u32, now: &Signing) -> bool {
    if history.owns(now).is_some() {
        return history.signing(known).refused.is_none();
    }
    let (past, Some((institution, terms))) = (history.signing(known), history.terms(known)) else {
        return false;
    };
    let reasons = &rules.policy(now.offer()).prorate.reasons;
    let reason = now.reason().and_then(|at| reasons.get(at)).map_or("", |(named, _)| named.id.as_str());
    past.refused.is_none()
        && (past.starts_on, past.end, past.term_end) == (now.starts_on, now.end, now.term_end)
        && past.signed_on == now.signed_on
        && past.authorized == now.authorized()
        && institution == now.institution
        && terms.package == rules.package(now.offer()).named.id
        && terms.reason == reason
}

/// Only the end of the signing is another.
fn only_ended(then: &Signing, now: &Signing) -> bool {
    (then.starts_on, then.institution, then.class) == (now.starts_on, now.institution, now.class)
        && then.end != now.end
}

fn charges(
    rules: &Rules,
    signing: &Signing,
    prices: &[std::sync::Arc<Class>],
    seen: impl Fn(usize, u32) -> u32,
    over_cap: bool,
) -> Vec<Charge> {
    let offer = signing.offer();
    if rules.kind_of(offer) == PackageKind::Free {
        return Vec::new();
    }
    let (policy, asked) = (rules.policy(offer), rules.services_asked(offer));
    let unauthorized = unauthorized(policy, &prices[signing.class as usize], signing);
    let charge = |(nth, (number, day))| Charge {
        number,
        cohort: policy.cycle.of(day),
        institution: signing.institution,
        offer,
        class: signing.class,
        held: Held { no_evidence: asked > 0 && seen(nth, number) < asked, unauthorized, over_cap },
        part: signing.part(policy, number),
    };
    signing.charges(rules).enumerate().map(charge).collect()
}

/// What each source pays of a charge that is not held.
fn paid(rules: &Rules, class: &Class, charge: &Charge) -> Vec<(usize, Fen)> {
    let policy = rules.policy(charge.offer);
    let asks = |source: usize| policy.authorization.as_ref().is_some_and(|rule| rule.source == source);
    let shares = class.shares.iter().zip(class.shares_of(charge.part));
    let free = shares
        .filter(|(share, _)| !(charge.held.whole() || (charge.held.unauthorized && asks(share.source))));
    free.map(|(share, amount)| (share.source, amount)).collect()
}

/// Whether some charge has the service records now that it had not when it was posted.
fn arrived(
    evidence: &Evidence,
    history: &History,
    (index, known): (usize, u32),
    signing: &Signing,
    rules: &Rules,
) -> bool {
    let asked = rules.services_asked(signing.offer());
    asked > 0
        && signing.charges(rules).enumerate().any(|(nth, (number, _))| {
            evidence.seen(index, nth) >= asked && history.seen(known, signing, number, rules) < asked
        })
}
