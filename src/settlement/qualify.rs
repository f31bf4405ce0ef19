//! Rows that passed the checks of their own (desk) → admitted signings: the rows against each other
//! (E501–E505). A refused row blocks nobody.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Rank};
use crate::base::person::{PersonId, mask_within};
use crate::base::place::{Kind, Place};
use crate::base::reason::Reason;
use crate::intake::rows::Reject;
use crate::policy::package::PackageKind;
use crate::policy::schedule::{Part, Schedule};
use crate::policy::version::MOST_PACKAGES;
use crate::policy::{Named, Policy};

use super::admitted::{Admitted, Face, keep};
use super::buckets::Buckets;
use super::contracts::{ContractId, Contracts, Shapes, moved};
use super::desk::{Batch, Details};
use super::history::History;
use super::order::{ByPart, mixed, repeated_contracts};
use super::past::Terms;
use super::price::Classes;
use super::rules::Rules;

/// A signing that passed the checks of its own row.
#[derive(Clone, Copy, Debug)]
pub struct Signing {
    pub person: PersonId,
    pub institution: u32,
    pub starts_on: Date,
    /// The day after the last on which it is in force.
    pub end: Date,
    /// The offer, then why it ended early (from 1), then three answers in the upper bits.
    pub(super) offer: u16,
    pub(super) file: u16,
    pub(super) paid: Fen,
    pub contract: ContractId,
    pub class: u32,
    /// What else is kept of it, by number.
    pub details: u32,
    pub signed_on: Date,
    /// The day after the signed term.
    pub term_end: Date,
    pub(super) line: u32,
}

pub(super) const AUTHORIZED: u16 = 1 << 15;
const UNDERPAID: u16 = 1 << 14;
pub(super) const ASKED_WHAT_WAS_PAID: u16 = 1 << 13;
/// Room for the reasons between the offer and the answers.
const REASON_BITS: u32 = 13 - OFFER_BITS;
pub(super) const OFFER_BITS: u32 = MOST_PACKAGES.ilog2();

/// The offer among what is packed with it.
#[inline(always)]
pub(super) fn offer_of(packed: u16) -> u16 {
    packed & (MOST_PACKAGES as u16 - 1)
}

impl Signing {
    pub fn offer(&self) -> u16 {
        offer_of(self.offer)
    }

    /// Which of the policy's reasons for an early end is given.
    pub fn reason(&self) -> Option<usize> {
        usize::from(self.offer >> OFFER_BITS & ((1 << REASON_BITS) - 1)).checked_sub(1)
    }

    pub fn authorized(&self) -> bool {
        self.offer & AUTHORIZED != 0
    }

    /// The resident paid nothing, or less than the person's share (W702).
    pub fn underpaid(&self) -> bool {
        self.offer & UNDERPAID != 0
    }

    /// What the resident paid; nothing where the file does not say.
    pub fn paid(&self) -> Option<Fen> {
        (self.offer & ASKED_WHAT_WAS_PAID != 0).then_some(self.paid)
    }

    pub fn place(&self) -> Place {
        Place { file: self.file, line: self.line }
    }

    pub fn in_force(&self, day: impl Into<Rank>) -> bool {
        let day = day.into();
        (Rank::from(self.starts_on) <= day) & (day < Rank::from(self.end))
    }

    /// [`Face::charge_of`].
    pub fn charge_of(&self, schedule: Schedule, day: Date) -> Option<u32> {
        self.in_force(day).then(|| schedule.charge_of(self.starts_on, day))
    }

    /// [`Face::charges`].
    pub fn charges(&self, rules: &Rules) -> impl Iterator<Item = (u32, Date)> + use<> {
        rules.charges(self.offer(), self.starts_on, self.end)
    }

    /// What part of charge `number` is paid, where it does not run its full time.
    pub fn part(&self, policy: &Policy, number: u32) -> Part {
        let ends = (self.end, self.term_end);
        policy.prorate.part(policy.schedule, self.starts_on, number, ends, self.reason())
    }
}

/// Nothing else is kept of this signing.
pub const NO_DETAILS: u32 = u32::MAX;

/// The bit that says that the resident paid less than the person's share.
pub(super) fn underpaid(paid: Option<Fen>, share: Fen) -> u16 {
    if paid.is_some_and(|paid| paid < share) { UNDERPAID } else { 0 }
}

/// All signings that passed their own checks, before they are held against each other.
pub struct Candidates {
    signings: ByPart,
    /// Contract ids that have no shape.
    unshaped: Vec<u8>,
}

impl Candidates {
    /// Begins with the signings that earlier postings relied on; `more` are expected about.
    pub fn recalled(batches: Vec<Batch>, more: usize) -> Candidates {
        let count = batches.iter().map(|batch| batch.signings.len()).sum::<usize>() + more;
        let mut candidates = Candidates { signings: ByPart::with_room(count), unshaped: Vec::new() };
        batches.into_iter().for_each(|batch| candidates.join(batch));
        candidates
    }

    /// Takes a block's rows; blocks come in the order of the files.
    pub fn join(&mut self, batch: Batch) {
        let before = self.unshaped.len();
        self.unshaped.extend_from_slice(&batch.unshaped);
        for signing in batch.signings {
            self.signings.add(&Signing { contract: moved(signing.contract, before), ..signing });
        }
    }
}

/// Admitted signings, findable by person.
pub struct Qualified {
    /// In order of the person's mixed number, then as they are held against each other.
    pub signings: Admitted,
    pub contracts: Contracts,
    /// Beside each signing its number in the past; empty where there is none.
    known: Vec<u32>,
    /// Refused against others (E502–E505), with their number in the past.
    pub refused: Vec<(Signing, Code, Option<u32>)>,
    /// Signings of the past that are void now.
    pub voided: Vec<u32>,
}

/// Where the signings of people stand among the qualified ones.
pub struct Finder(Buckets);

impl Finder {
    /// Where those of a person stand, and those of some others as well.
    #[inline(always)]
    pub fn find(&self, person: PersonId) -> Range<usize> {
        self.0.find(mixed(person))
    }
}

/// Of a signing that the past does not know.
const NEW: u32 = u32::MAX;

impl Qualified {
    pub fn contract(&self, signing: &Signing) -> String {
        self.contracts.text(signing.contract)
    }

    /// The number in the past of the signing at `index`.
    #[inline]
    pub fn known(&self, index: usize) -> Option<u32> {
        self.known.get(index).copied().filter(|known| *known != NEW)
    }

    /// Where the signings of each person stand, for whoever looks many people up.
    pub fn finder(&self) -> Finder {
        Finder(Buckets::new(self.signings.faces(), |face| mixed(face.person())))
    }

    /// Looks at where the signings of some buckets start and end, so that they come from memory together.
    pub fn approach(&self, buckets: &[Range<usize>]) -> u64 {
        // The first and the last of what is asked for: it may lie across two lines of the cache.
        let faces = self.signings.faces();
        let first = |at: usize| faces.get(at).map_or(0, |face| face.person().0);
        let last = |at: usize| faces.get(at).map_or(0, |face| u64::from(face.offer()));
        buckets.iter().fold(0, |all, bucket| all ^ first(bucket.start) ^ last(bucket.end.wrapping_sub(1)))
    }
}

/// What rows of the files say of signings of the past, beside those that are candidates.
#[derive(Default)]
pub struct OfPast {
    /// Those that a void row is about.
    pub void: FxHashSet<u32>,
    /// Those that the rules refuse as they are now, with the code.
    pub refused: FxHashMap<u32, Code>,
    /// Rows that stand only because their contract was posted: another row of the contract goes before them.
    pub standing: FxHashSet<Place>,
}

/// What a known signing's price depends on beside the rules: those of the row, by number.
pub struct Pricing<'a> {
    pub classes: &'a Classes,
    pub details: &'a [Details],
}

/// Holds the signings against each other, those of the past among them. What is refused goes to `refused`,
/// in no certain order.
pub fn qualify(
    (candidates, shapes): (Candidates, Shapes),
    rules: &Rules,
    (history, of_past, pricing): (&History, OfPast, &Pricing),
    file_names: &[String],
    mut refused: impl FnMut(&Signing, Reject),
) -> Qualified {
    let Candidates { signings, unshaped } = candidates;
    let contracts = shapes.contracts(unshaped);
    let is_addon: Vec<bool> =
        (0..rules.offers.len()).map(|offer| rules.kind_of(offer as u16) == PackageKind::Addon).collect();
    // "Basic and free packages first, then add-ons", each in order of (starts_on, signed_on, contract_id, file order).
    let in_turn = |a: &Signing, b: &Signing| -> Ordering {
        let key = |s: &Signing| (is_addon[s.offer() as usize], s.starts_on, s.signed_on);
        key(a)
            .cmp(&key(b))
            .then_with(|| contracts.compare(a.contract, b.contract))
            .then_with(|| a.place().cmp(&b.place()))
    };
    let mut signings = signings.in_order(in_turn);
    let place =
        |signing: &Signing| history.owns(signing).map_or(signing.place(), |known| history.place(known));
    let at = |signing: &Signing| {
        let place = place(signing);
        format!("{}:{}", file_names[place.file as usize], place.line)
    };
    let reject = |signing: &Signing, code, reason, clause: Option<&Arc<str>>| Reject {
        kind: Kind::Signings,
        place: place(signing),
        contract: mask_within(&contracts.text(signing.contract)),
        person: signing.person.masked(),
        institution: rules.institutions.get(signing.institution).id.clone(),
        code,
        reason,
        clause: clause.cloned(),
    };
    let mut out = vec![false; signings.count()];
    let mut known = Vec::new();
    if history.is_there() {
        known = signings.par_iter().map(|signing| history.owns(&signing).unwrap_or(NEW)).collect();
    }

    // Why a signing of the past is gone, unless a row of its contract stands for it.
    let gone = |signing: &Signing| {
        let posted = history.owns(signing)?;
        let refused = || of_past.refused.get(&posted).map(|code| Some(*code));
        if of_past.void.contains(&posted) { Some(None) } else { refused() }
    };
    for mut group in repeated_contracts(&signings, &contracts, in_turn) {
        // A row of a contract that was posted is that signing as it is now; it stays one of the same person.
        let at_index = |index: &u32| signings.get(*index as usize);
        let posted = group.iter().position(|index| history.owns(&at_index(index)).is_some());
        let posted = posted.map(|at| group.remove(at) as usize);
        let person = posted.map(|posted| signings.get(posted).person);
        let of_person = |index: &u32| person.is_none_or(|person| at_index(index).person == person);
        let by_itself =
            |index: &u32| of_person(index) && !of_past.standing.contains(&at_index(index).place());
        let stands = group.iter().position(by_itself).or_else(|| group.iter().position(of_person));
        let mut stands = stands.map(|at| group.remove(at) as usize);
        if let (Some(posted), Some(row)) = (posted, stands) {
            out[posted] = true;
            let (number, now) = (signings.get(posted).line, signings.get(row));
            known[row] = number;
            let terms = row_terms(rules, pricing.details, &now);
            let terms = history.terms_now(number, now.institution, terms);
            signings.set_class(row, History::class(rules, pricing.classes, &now, &terms));
        }
        // One that is gone frees its id for whoever else has it.
        let posted = posted.filter(|posted| gone(&signings.get(*posted)).is_none());
        if stands.is_none() && posted.is_none() && !group.is_empty() {
            stands = Some(group.remove(0) as usize);
        }
        let Some(first) = stands.or(posted) else { continue };
        for index in group {
            out[index as usize] = true;
            let (signing, first) = (signings.get(index as usize), signings.get(first));
            let (contract, at) = (mask_within(&contracts.text(first.contract)), at(&first));
            let reason = match person.is_none_or(|person| person == signing.person) {
                true => Reason::ContractUsed { contract, at },
                false => Reason::ContractOfAnother { contract, at },
            };
            refused(&signing, reject(&signing, Code::E501, reason, None));
        }
    }
    let (mut voided, mut against) = (Vec::new(), Vec::new());
    let some_gone = !of_past.void.is_empty() || !of_past.refused.is_empty();
    for (signing, out) in signings.iter().zip(&mut out).filter(|(_, out)| some_gone && !**out) {
        let Some(why) = gone(&signing) else { continue };
        *out = true;
        match why {
            None => voided.extend(history.owns(&signing)),
            Some(code) => against.push((signing, code, history.owns(&signing))),
        }
    }
    voided.sort_unstable();

    let between_people = people_between(signings.faces());
    let parts = between_people.par_windows(2).map(|part| {
        let single =
            |length: usize, first: usize| length == 1 && !is_addon[signings.faces()[first].offer() as usize];
        clashes(&signings, part[0]..part[1], &out, rules, single)
    });
    let parts: Vec<Vec<(usize, Clash)>> = parts.collect();
    for (index, Clash { code, with }) in parts.into_iter().flatten() {
        out[index] = true;
        let signing = &signings.get(index);
        let overlap = &rules.policy(signing.offer()).overlap;
        let (reason, clause) = match with.map(|other| signings.get(other)).as_ref() {
            Some(other) => {
                let reason = Reason::Overlaps {
                    contract: mask_within(&contracts.text(other.contract)),
                    at: at(other),
                    institution: rules.institutions.get(other.institution).name.clone(),
                    from: other.starts_on,
                    to: blocks_until(other, overlap.whole_term),
                };
                (reason, &overlap.clause)
            }
            None if code == Code::E504 => (alone(rules, signing), &overlap.addon_clause),
            None => (Reason::TooManyAddons { most: overlap.addons_at_most }, &overlap.addon_clause),
        };
        let of_past = known.get(index).copied().filter(|known| *known != NEW);
        // What was refused before, and stands in no file now, was told then.
        let told = history.owns(signing).is_some_and(|past| history.signing(past).refused.is_some());
        if !told {
            refused(signing, reject(signing, code, reason, Some(clause)));
        }
        against.push((*signing, code, of_past));
    }

    signings.keep(&out);
    keep(&mut known, &out);
    Qualified { signings, contracts, known, refused: against, voided }
}

/// What a row says of a signing that its price or a later run depends on.
pub fn row_terms(rules: &Rules, details: &[Details], signing: &Signing) -> Terms {
    let institution = rules.institutions.get(signing.institution);
    let details = details.get(signing.details as usize).cloned().unwrap_or_default();
    let reasons = &rules.policy(signing.offer()).prorate.reasons;
    let reason = signing.reason().and_then(|at| reasons.get(at));
    Terms {
        institution: institution.id.clone(),
        package: rules.package(signing.offer()).named.id.clone(),
        scheme: details.scheme,
        kind: institution.kind.clone(),
        district: institution.district.clone(),
        groups: details.groups,
        team: details.team,
        doctor: details.doctor,
        reason: reason.map_or(String::new(), |(named, _)| named.id.clone()),
    }
}

/// Cuts the signings into parts, each with all signings of its people: where each part starts, and the end.
fn people_between(signings: &[Face]) -> Vec<usize> {
    const PART: usize = 16 << 10;
    let starts = (0..signings.len()).step_by(PART).map(|start| {
        let inside = |at: &usize| *at > 0 && signings[*at].person() == signings[*at - 1].person();
        (start..signings.len()).find(|at| !inside(at)).unwrap_or(signings.len())
    });
    starts.chain([signings.len()]).collect()
}

/// The signings of some people that can't stand beside others of theirs. `single`: whether so many, of which
/// this is the first, need not be looked at.
fn clashes(
    signings: &Admitted,
    part: Range<usize>,
    out: &[bool],
    rules: &Rules,
    single: impl Fn(usize, usize) -> bool,
) -> Vec<(usize, Clash)> {
    let (mut found, mut taken) = (Vec::new(), Vec::new());
    let mut first = part.start;
    for of_one in signings.faces()[part].chunk_by(|a, b| a.person() == b.person()) {
        let all = first..first + of_one.len();
        first = all.end;
        if single(of_one.len(), all.start) {
            continue;
        }
        taken.clear();
        for index in all.filter(|index| !out[*index]) {
            match against_others(signings, &taken, index, rules) {
                Ok(()) => taken.push(index),
                Err(clash) => found.push((index, clash)),
            }
        }
    }
    found
}

struct Clash {
    code: Code,
    with: Option<usize>,
}

/// What an add-on would have to stand on.
fn alone(rules: &Rules, signing: &Signing) -> Reason {
    let packages = &rules.policy(signing.offer()).packages;
    let required = |id: &String| packages.iter().find(|one| one.named.id == *id).map(|one| &one.named);
    let required: Vec<&Named> = rules.package(signing.offer()).requires.iter().filter_map(required).collect();
    let all = |word: fn(&Named) -> &str| required.iter().map(|one| word(one)).collect::<Vec<_>>().join(" / ");
    Reason::AddonAlone { needs: all(|one| &one.id), named: all(|one| &one.name) }
}

fn blocks_until(signing: &Signing, whole_term: bool) -> Date {
    // A signing that was never in force blocks nobody, whatever its term.
    if signing.end <= signing.starts_on {
        signing.starts_on
    } else if whole_term {
        signing.term_end
    } else {
        signing.end
    }
}

fn overlap(a: &Signing, b: &Signing, whole_term: bool) -> bool {
    let (a_end, b_end) = (blocks_until(a, whole_term), blocks_until(b, whole_term));
    a.starts_on < a_end && b.starts_on < b_end && a.starts_on < b_end && b.starts_on < a_end
}

fn against_others(signings: &Admitted, taken: &[usize], index: usize, rules: &Rules) -> Result<(), Clash> {
    let signing = &signings.get(index);
    let (package, rule) = (rules.package(signing.offer()), &rules.policy(signing.offer()).overlap);
    let of_kind = |kind| {
        taken.iter().copied().filter(move |other| {
            rules.kind_of(signings.faces()[*other].offer()) == kind
                && overlap(signing, &signings.get(*other), rule.whole_term)
        })
    };
    match package.kind {
        PackageKind::Free => Ok(()),
        PackageKind::Basic => {
            let same_place = |other: &usize| signings.faces()[*other].institution() == signing.institution;
            let clash = of_kind(PackageKind::Basic).find(same_place).map(|with| (Code::E502, with));
            match clash.or_else(|| of_kind(PackageKind::Basic).next().map(|with| (Code::E503, with))) {
                Some((code, with)) => Err(Clash { code, with: Some(with) }),
                None => Ok(()),
            }
        }
        PackageKind::Addon => {
            let base = taken.iter().map(|other| signings.get(*other)).any(|other| {
                other.institution == signing.institution
                    && other.in_force(signing.starts_on)
                    && package.requires.contains(&rules.package(other.offer()).named.id)
            });
            if !base && !package.requires.is_empty() {
                return Err(Clash { code: Code::E504, with: None });
            }
            if of_kind(PackageKind::Addon).count() >= rule.addons_at_most {
                return Err(Clash { code: Code::E505, with: None });
            }
            Ok(())
        }
    }
}
