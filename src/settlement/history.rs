//! What earlier postings relied on ([`Past`]), in the numbers of a run that starts from it: signings that were admitted
//! or held, services seen, scores, and what was paid by line.
//!
//! What an export no longer mentions still stands. A row whose contract the past knows is that signing as
//! it is now.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::{Date, Period, age_on};
use crate::base::person::PersonId;
use crate::base::place::Place;
use crate::intake::institutions::{Institution, Institutions};
use crate::intake::short::id_hash;

use super::assess::ScoreEntry;
use super::contracts::{ContractId, Packer, Shapes};
use super::desk::{Batch, Details, DetailsList};
use super::lines::Posted as Payments;
use super::past::{
    LineState, Past, PastKey, PastScore, PastService, PastSigning, Terms, arena_bytes, arena_hash,
};
use super::price::{self, Classes, Facts, PriceKey};
use super::qualify::{ASKED_WHAT_WAS_PAID, AUTHORIZED, OFFER_BITS, Signing};
use super::rules::Rules;

/// A signing of the past, for a row of its contract to be held against.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'a> {
    pub institution: u32,
    pub terms: &'a Terms,
    pub signed_on: Date,
}

/// What some terms stand for by one version of the rules.
#[derive(Clone, Copy)]
struct Resolved {
    offer: u16,
    /// Why it ended early, where a signing has it.
    reason: u16,
    kind: u8,
    scheme: Option<usize>,
}

impl Resolved {
    /// Nothing where the version has no such package.
    fn of(rules: &Rules, version: usize, terms: &Terms) -> Option<Resolved> {
        Some(Resolved::by(rules, rules.find_package(version, &terms.package)?, terms))
    }

    fn by(rules: &Rules, offer: u16, terms: &Terms) -> Resolved {
        let policy = rules.policy(offer);
        let named = policy.prorate.reasons.iter().position(|(named, _)| named.is(&terms.reason));
        let scheme = policy.insurance.as_ref().map(|insurance| {
            let named = insurance.schemes.iter().position(|scheme| scheme.is(&terms.scheme));
            named.unwrap_or_default()
        });
        Resolved {
            offer,
            reason: named.map_or(0, |at| (at as u16 + 1) << OFFER_BITS),
            kind: policy.institutions.find(&terms.kind).map_or(u8::MAX, |kind| kind as u8),
            scheme,
        }
    }

    fn key(self, rules: &Rules, terms: &Terms, person: PersonId, signed_on: Date) -> PriceKey {
        let facts = Facts {
            scheme: self.scheme,
            kind: self.kind,
            district: &terms.district,
            groups: &|| terms.groups.as_str().into(),
            age: &|| age_on(person.birth(), signed_on),
        };
        price::key(rules, self.offer, &facts)
    }
}

/// The past in the numbers of a run.
#[derive(Default)]
pub struct History<'a> {
    past: Option<&'a Past>,
    /// By terms of the past: the institution of this run.
    institutions: Vec<u32>,
    /// By institution of the past: that of this run.
    places: Vec<u32>,
    /// Where the services of each signing start; empty where there are none.
    service_start: Vec<u32>,
    /// The number that stands for the ledger among the names of files.
    pub file: u16,
    pub posted: Payments,
    /// Of it what each policy's line had, and what was taken back of it.
    by_policy: BTreeMap<PastKey, BTreeMap<String, (Fen, Fen)>>,
    /// What each line came to last, by the policy that it followed.
    states: BTreeMap<PastKey, BTreeMap<String, LineState>>,
    /// Cohorts of an institution and package that were cleared, and in which batch.
    cleared: FxHashMap<(Period, u32), Vec<(String, u32)>>,
}

impl<'a> History<'a> {
    /// Finds the institutions of the past among those of this run; those that are gone are added, so that what
    /// was paid to them stands.
    pub fn new(past: &'a Past, institutions: &mut Institutions, file: u16) -> History<'a> {
        let mut numbers: FxHashMap<&str, u32> = FxHashMap::default();
        for one in &past.institutions {
            let number = institutions.find(one.id.as_bytes()).unwrap_or_else(|| {
                institutions.add_gone(Institution {
                    name: one.name.clone(),
                    kind: one.kind.clone(),
                    district: one.district.clone(),
                    parent_id: one.parent_id.clone(),
                    designated: false,
                    ..Institution::named(&one.id, Place::default())
                })
            });
            numbers.insert(&one.id, number);
        }
        let number = |id: &str| numbers.get(id).copied().unwrap_or_default();
        let (mut posted, mut states) = (Payments::new(), BTreeMap::new());
        let mut cleared: FxHashMap<(Period, u32), Vec<(String, u32)>> = FxHashMap::default();
        let mut by_policy: BTreeMap<PastKey, BTreeMap<String, (Fen, Fen)>> = BTreeMap::new();
        for line in &past.lines {
            let key = (line.cohort, number(&line.institution), line.package.clone(), line.source.clone());
            *posted.entry(key.clone()).or_default() += line.amount;
            let of_policy = by_policy.entry(key.clone()).or_default().entry(line.policy.clone()).or_default();
            of_policy.0 += line.amount;
            if line.state.is_some() {
                of_policy.1 += (-line.amount).positive();
            }
            if let Some(state) = &line.state {
                let of_line: &mut BTreeMap<String, LineState> = states.entry(key.clone()).or_default();
                of_line.insert(line.policy.clone(), state.clone());
            }
        }
        for line in &past.lines {
            if line.state.as_ref().is_some_and(|state| state.last.is_some()) {
                let of_cohort = cleared.entry((line.cohort, number(&line.institution))).or_default();
                of_cohort.push((line.package.clone(), line.batch));
            }
        }
        let of_terms = past.terms.iter().map(|terms| number(&terms.institution)).collect();
        let places = past.institutions.iter().map(|one| number(&one.id)).collect();
        let mut service_start = Vec::new();
        if !past.services.is_empty() {
            service_start = vec![0; past.signings.len() + 1];
            past.services.iter().for_each(|service| service_start[service.signing as usize + 1] += 1);
            for at in 1..service_start.len() {
                service_start[at] += service_start[at - 1];
            }
        }
        History {
            past: Some(past),
            institutions: of_terms,
            places,
            service_start,
            file,
            posted,
            by_policy,
            states,
            cleared,
        }
    }

    pub fn is_there(&self) -> bool {
        self.past.is_some()
    }

    pub fn past(&self) -> Option<&'a Past> {
        self.past
    }

    /// The first day that lines are about; nothing without a ledger.
    pub fn opening(&self) -> Option<Date> {
        self.past.map(|past| past.opening.first_day())
    }

    fn signings(&self) -> &'a [PastSigning] {
        self.past.map_or(&[], |past| &past.signings)
    }

    /// What a line came to when it was last posted, under one policy.
    pub fn state(&self, key: &PastKey, policy: &str) -> Option<&LineState> {
        self.states.get(key)?.get(policy)
    }

    /// The policies that a line was posted by.
    pub fn states_of(&self, key: &PastKey) -> impl Iterator<Item = &String> {
        self.states.get(key).into_iter().flat_map(BTreeMap::keys)
    }

    /// What was posted on one policy's line, and what settlements took back of it.
    pub fn posted_by(&self, key: &PastKey, policy: &str) -> (Fen, Fen) {
        self.by_policy.get(key).and_then(|by| by.get(policy)).copied().unwrap_or_default()
    }

    /// Lines that were posted, whatever became of their charges.
    pub fn states(&self) -> impl Iterator<Item = (&PastKey, &BTreeMap<String, LineState>)> {
        self.states.iter()
    }

    /// The first batch that cleared a package's cohort of an institution.
    pub fn cleared(&self, cohort: Period, institution: u32, package: &str) -> Option<u32> {
        if self.cleared.is_empty() {
            return None;
        }
        let packages = self.cleared.get(&(cohort, institution))?.iter();
        packages.filter(|(id, _)| id == package).map(|(_, batch)| *batch).min()
    }

    /// The number of a signing's institution, and what its price depended on.
    pub fn terms(&self, known: u32) -> Option<(u32, &'a Terms)> {
        let (past, one) = (self.past?, self.signings().get(known as usize)?);
        Some((self.institutions[one.terms as usize], &past.terms[one.terms as usize]))
    }

    /// What a row of a known contract is held against.
    pub fn posted_as(&self, known: u32) -> Option<Posted<'a>> {
        let (institution, terms) = self.terms(known)?;
        Some(Posted { institution, terms, signed_on: self.signing(known).signed_on })
    }

    pub fn signing(&self, known: u32) -> &'a PastSigning {
        &self.signings()[known as usize]
    }

    /// The number in the past of a signing that stands for no row of a file.
    #[inline]
    pub fn owns(&self, signing: &Signing) -> Option<u32> {
        (self.past.is_some() && signing.file == self.file).then_some(signing.line)
    }

    /// Where the ledger knows a signing from.
    pub fn place(&self, known: u32) -> Place {
        Place { file: self.file, line: self.signing(known).batch }
    }

    /// Signings of the past whose contract id has one of these hashes, by hash.
    pub fn with_hashes(&self, wanted: &FxHashSet<u64>) -> FxHashMap<u64, Vec<u32>> {
        let mut found: FxHashMap<u64, Vec<u32>> = FxHashMap::default();
        let Some(past) = self.past.filter(|_| !wanted.is_empty()) else { return found };
        let hash = |(number, signing): (usize, &PastSigning)| {
            let hash = arena_hash(&past.contracts, signing.contract);
            wanted.contains(&hash).then_some((hash, number as u32))
        };
        let all: Vec<(u64, u32)> = past.signings.par_iter().enumerate().filter_map(hash).collect();
        for (hash, number) in all {
            found.entry(hash).or_default().push(number);
        }
        found
    }

    /// The signing of a contract id among some of one hash.
    pub fn of_contract(&self, among: &[u32], contract: &[u8]) -> Option<u32> {
        let past = self.past?;
        let same =
            |known: &&u32| arena_bytes(&past.contracts, past.signings[**known as usize].contract) == contract;
        among.iter().find(same).copied()
    }

    /// All signings of the past as this run's rules price them, in order. Their place is this history's file and
    /// their number.
    pub fn recall(
        &self,
        rules: &Rules,
        (classes, details, shapes): (&Classes, &DetailsList, &Shapes),
    ) -> Result<Vec<Batch>> {
        const TOGETHER: usize = 128;
        let Some(past) = self.past else { return Ok(Vec::new()) };
        let kept: Vec<u32> = past
            .terms
            .iter()
            .zip(&self.institutions)
            .map(|(terms, institution)| {
                let Terms { team, doctor, scheme, groups, .. } = terms.clone();
                details.number(Details { institution: *institution, team, doctor, scheme, groups })
            })
            .collect();
        // What terms stand for by each version is looked up once, and each thread remembers the prices it met.
        let versions = rules.region.versions.len();
        let resolved: Vec<Option<Resolved>> = (0..versions * past.terms.len())
            .into_par_iter()
            .map(|at| Resolved::of(rules, at / past.terms.len(), &past.terms[at % past.terms.len()]))
            .collect();
        let one = |prices: &mut Vec<(PriceKey, u32)>, known: usize| -> Result<Signing> {
            let (signing, number) = (&past.signings[known], known as u32);
            let version = rules.region.in_force(signing.signed_on);
            let terms = signing.terms as usize;
            let found = version.and_then(|version| resolved[version * past.terms.len() + terms]);
            let found = found.ok_or_else(|| self.forgotten(number))?;
            let mut find = |key| match prices.iter().find(|(known, _)| *known == key) {
                Some((_, class)) => *class,
                None => {
                    let class = classes.find(rules, key).0;
                    prices.push((key, class));
                    class
                }
            };
            Ok(self.signing_of(number, rules, found, kept[terms], &mut find))
        };
        let some = |(packer, prices): &mut (Packer, Vec<(PriceKey, u32)>), first: usize| {
            let mut batch = Batch::default();
            for known in first..past.signings.len().min(first + TOGETHER) {
                let contract = arena_bytes(&past.contracts, past.signings[known].contract);
                batch.add(one(prices, known)?, contract, packer);
            }
            Ok(batch)
        };
        let starts: Vec<usize> = (0..past.signings.len()).step_by(TOGETHER).collect();
        starts.into_par_iter().map_init(|| (Packer::new(shapes), Vec::new()), some).collect()
    }

    /// What the price of a known signing depends on, given what a row of now says of it. What the institution
    /// was stays while the signing is one of the same institution, and the person's scheme stays; the groups do
    /// while the package does.
    pub fn terms_now(&self, known: u32, institution: u32, now: Terms) -> Terms {
        let Some((posted_at, posted)) = self.terms(known) else { return now };
        let (mut kept, posted) = (now, posted.clone());
        if posted_at == institution {
            (kept.kind, kept.district) = (posted.kind, posted.district);
        }
        if posted.package == kept.package {
            kept.groups = posted.groups;
        }
        kept.scheme = posted.scheme;
        kept
    }

    /// The price class of a signing whose price depends on these terms.
    pub fn class(rules: &Rules, classes: &Classes, signing: &Signing, terms: &Terms) -> u32 {
        let offer = signing.offer();
        let found = Resolved::by(rules, offer, terms);
        classes.find(rules, found.key(rules, terms, signing.person, signing.signed_on)).0
    }

    /// One signing of the past as it was posted, by this run's rules, but for its contract id.
    pub fn priced(&self, known: u32, rules: &Rules, classes: &Classes, details: u32) -> Result<Signing> {
        let (_, terms) = self.terms(known).expect("a signing of the past has its terms");
        let version = rules.region.in_force(self.signing(known).signed_on);
        let found = version.and_then(|version| Resolved::of(rules, version, terms));
        let found = found.ok_or_else(|| self.forgotten(known))?;
        Ok(self.signing_of(known, rules, found, details, &mut |key| classes.find(rules, key).0))
    }

    /// No rule file knows the package that a posting was about.
    fn forgotten(&self, known: u32) -> anyhow::Error {
        let signing = self.signing(known);
        let package = self.terms(known).map_or(String::new(), |(_, terms)| terms.package.clone());
        let fact = Msg::RulesForgot { package, signed_on: signing.signed_on, batch: signing.batch };
        stop(fact, Some(Msg::KeepOldRules))
    }

    /// A signing of the past but for its contract id.
    fn signing_of(
        &self,
        known: u32,
        rules: &Rules,
        found: Resolved,
        details: u32,
        class: &mut impl FnMut(PriceKey) -> u32,
    ) -> Signing {
        let signing = self.signing(known);
        let (institution, terms) = self.terms(known).expect("a signing of the past has its terms");
        let authorized = if signing.authorized { AUTHORIZED } else { 0 };
        let asked = if signing.paid.is_some() { ASKED_WHAT_WAS_PAID } else { 0 };
        Signing {
            person: signing.person,
            contract: ContractId::default(),
            institution,
            class: class(found.key(rules, terms, signing.person, signing.signed_on)),
            details,
            signed_on: signing.signed_on,
            starts_on: signing.starts_on,
            term_end: signing.term_end,
            end: signing.end,
            line: known,
            file: self.file,
            offer: found.offer | found.reason | authorized | asked,
            paid: signing.paid.unwrap_or_default(),
        }
    }

    /// The services that postings saw of a signing.
    pub fn services(&self, known: u32) -> &'a [PastService] {
        let (Some(past), Some(start)) = (self.past, self.service_start.get(known as usize)) else {
            return &[];
        };
        &past.services[*start as usize..self.service_start[known as usize + 1] as usize]
    }

    /// Where a service was, as this run numbers institutions.
    pub fn place_of_service(&self, service: &PastService) -> u32 {
        self.places[service.institution as usize]
    }

    /// The id of the item that was done.
    pub fn item_of_service(&self, service: &PastService) -> Option<&'a str> {
        Some(self.past?.items[service.item? as usize].as_str())
    }

    /// How many service records postings saw for a charge of a signing of theirs.
    pub fn seen(&self, known: u32, signing: &Signing, number: u32, rules: &Rules) -> u32 {
        let schedule = rules.policy(signing.offer()).schedule;
        let of_charge = |service: &&PastService| {
            self.place_of_service(service) == signing.institution
                && signing.charge_of(schedule, service.day) == Some(number)
        };
        self.services(known).iter().filter(of_charge).map(|service| service.seen).sum()
    }

    /// The scores that postings relied on.
    pub fn scores(&self, rules: &Rules) -> Vec<ScoreEntry> {
        let Some(past) = self.past else { return Vec::new() };
        let entry = |score: &PastScore| {
            let institution = rules.institutions.find(score.institution.as_bytes());
            let institution = institution.or_else(|| rules.institutions.gone(&score.institution))?;
            Some(ScoreEntry {
                key: (institution, score.period, score.level.clone()),
                score: score.score,
                assessed_on: score.assessed_on,
                place: Place { file: self.file, line: score.batch },
            })
        };
        // Of one assessment the last posted holds.
        let mut last: BTreeMap<_, ScoreEntry> = BTreeMap::new();
        for entry in past.scores.iter().filter_map(entry) {
            last.insert(entry.key.clone(), entry);
        }
        last.into_values().collect()
    }

    /// Signings of the past that are void now: those of `void` contracts that no other row stands for. A row with
    /// another person's ID number is about no contract of the past; also gives how many of these there are.
    pub fn voided(&self, void: &BTreeSet<(Vec<u8>, Option<PersonId>)>) -> (Vec<u32>, u64) {
        let hashes: FxHashSet<u64> = void.iter().map(|(contract, _)| id_hash(contract)).collect();
        let found = self.with_hashes(&hashes);
        let (mut gone, mut others) = (Vec::new(), 0);
        for (contract, person) in void {
            let known = found.get(&id_hash(contract)).and_then(|among| self.of_contract(among, contract));
            let Some(known) = known else { continue };
            match person.is_none_or(|person| person == self.signing(known).person) {
                true => gone.push(known),
                false => others += 1,
            }
        }
        (gone, others)
    }
}
