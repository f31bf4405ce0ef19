//! Each signing row by itself: whether the rules admit it (E301–E405), and its price.

use std::sync::{Arc, Mutex};

use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::diagnostic::nearest;
use crate::base::money::Fen;
use crate::base::period::{Date, age_on};
use crate::base::place::Place;
use crate::base::reason::Reason;
use crate::intake::rows::{Cells, Fault, Known};
use crate::intake::signings::{self, Paid, SigningRow, Words};
use crate::policy::package::Group;
use crate::policy::{CapOf, Policy};

use super::contracts::{ContractId, Packer, Shapes};
use super::history::Posted;
use super::price::{self, Class, Classes, Facts, PriceKey, tags};
use super::qualify::{ASKED_WHAT_WAS_PAID, AUTHORIZED, NO_DETAILS, OFFER_BITS, Signing, underpaid};
use super::rules::Rules;

/// Rows of one block that passed the checks of their own.
#[derive(Default)]
pub struct Batch {
    pub signings: Vec<Signing>,
    /// Contract ids that have no shape.
    pub(super) unshaped: Vec<u8>,
}

/// Checks rows by the rules and gives them their price.
pub struct Desk<'a> {
    rules: &'a Rules<'a>,
    classes: &'a Classes,
    details: &'a DetailsList,
    contracts: Packer<'a>,
    pub words: Words,
    /// By version and cell: what packages and schemes stand for.
    packages: Vec<Known<Option<u16>>>,
    schemes: Vec<Known<Option<usize>>>,
    /// Prices met before; few, so that looking through them is quick.
    prices: Vec<KnownPrice>,
    /// The columns of team, doctor, scheme and groups, where they are kept.
    kept: [Option<usize>; 4],
    /// Room for the bytes of the cells of one row.
    details_key: Vec<u8>,
    /// Details met before, by the bytes of their cells.
    known_details: FxHashMap<Vec<u8>, u32>,
    /// Of these some that are of no institution: the cells of scheme and groups, and the number.
    few_details: Vec<(Vec<u8>, u32)>,
}

/// So many are looked through for each row.
const FEW: usize = 8;

/// A price that was met before.
struct KnownPrice {
    key: PriceKey,
    number: u32,
    class: Arc<Class>,
    /// What the resident's balance must hold; nothing where no rule asks.
    share: Fen,
}

/// What is kept of a row beside its price; empty where nothing asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Details {
    pub institution: u32,
    /// For caps.
    pub team: String,
    pub doctor: String,
    /// For a posting: what the price depended on.
    pub scheme: String,
    pub groups: String,
}

/// Details by number, over all threads.
#[derive(Default)]
pub struct DetailsList(Mutex<Numbered>);

/// Details in the order they are met, and their numbers.
#[derive(Default)]
struct Numbered {
    numbers: FxHashMap<Details, u32>,
    list: Vec<Details>,
}

impl DetailsList {
    /// The number of some details; none where there is nothing to keep.
    pub fn number(&self, details: Details) -> u32 {
        let of_nobody = details.team.is_empty() && details.doctor.is_empty();
        if of_nobody && details.scheme.is_empty() && details.groups.is_empty() {
            return NO_DETAILS;
        }
        // Only a team or a doctor is one of an institution.
        let details = Details { institution: if of_nobody { 0 } else { details.institution }, ..details };
        let mut all = self.0.lock().expect("no panic holds it");
        if let Some(number) = all.numbers.get(&details) {
            return *number;
        }
        let number = all.list.len() as u32;
        all.list.push(details.clone());
        all.numbers.insert(details, number);
        number
    }

    pub fn list(self) -> Vec<Details> {
        self.0.into_inner().expect("no panic holds it").list
    }
}

impl<'a> Desk<'a> {
    pub fn new(
        rules: &'a Rules<'a>,
        (classes, details, shapes): (&'a Classes, &'a DetailsList, &'a Shapes),
    ) -> Desk<'a> {
        let versions = rules.region.versions.len();
        // A member who signed under a version without a cap counts as well.
        let caps = || rules.region.versions.iter().flat_map(|version| &version.caps);
        let capped = |of: CapOf, column| caps().any(|cap| cap.of == of).then_some(column);
        let recorded = |column| rules.recording.then_some(column);
        Desk {
            rules,
            classes,
            details,
            contracts: Packer::new(shapes),
            words: Words::default(),
            packages: (0..versions).map(|_| Known::default()).collect(),
            schemes: (0..versions).map(|_| Known::default()).collect(),
            prices: Vec::new(),
            kept: [
                capped(CapOf::Team, signings::TEAM),
                capped(CapOf::Doctor, signings::DOCTOR),
                recorded(signings::SCHEME),
                recorded(signings::GROUPS),
            ],
            details_key: Vec::new(),
            known_details: FxHashMap::default(),
            few_details: Vec::new(),
        }
    }

    /// Checks a row by the rules: E301, E302, E305, E303, E304, E401, E402, E403, E405, in this order.
    /// `known`: the signing of this contract that was posted. What the
    /// institution or the person has become since takes nothing back.
    pub fn admit(
        &mut self,
        row: &SigningRow,
        cells: &impl Cells,
        known: Option<Posted>,
        batch: &mut Batch,
    ) -> Result<(), Fault> {
        let rules = self.rules;
        let refuse = Fault::by;
        // One that is on no list any more is still the posted signing's.
        let gone = || {
            let posted = known.map(|known| known.institution);
            posted.filter(|at| rules.institutions.get(*at).id == cells.text(signings::INSTITUTION))
        };
        let Some(index) = row.institution.or_else(gone) else {
            let id = cells.text(signings::INSTITUTION);
            return Err(Fault::new(Code::E301, unknown_institution(rules, &id)));
        };
        let institution = rules.institutions.get(index);
        let version = rules.region.in_force(row.signed_on);
        let cited = &rules.region.versions[version.unwrap_or_else(|| rules.version_on(row.signed_on))];
        let same_place = known.is_some_and(|known| known.institution == index);
        if !rules.is_designated(index) && !same_place {
            let reason = Reason::NotDesignated { id: institution.id.clone() };
            return Err(refuse(Code::E302, reason, &cited.institutions.clause));
        }
        let Some(version) = version else {
            let reason = Reason::NoVersion { day: row.signed_on, from: cited.from, to: cited.to };
            return Err(refuse(Code::E305, reason, &cited.clause));
        };
        let policy = &rules.region.versions[version];
        let (mut kind, admitted) = rules.kind(version, index);
        if let Some(known) = known.filter(|_| !admitted && same_place) {
            kind = policy.institutions.find(&known.terms.kind).map_or(u8::MAX, |kind| kind as u8);
        } else if !admitted {
            let reason = Reason::KindNotAdmitted { kind: institution.kind.clone() };
            return Err(refuse(Code::E303, reason, &policy.institutions.clause));
        }
        let find = |name: &str| rules.find_package(version, name);
        let Some(offer) = cells.known(signings::PACKAGE, &mut self.packages[version], find) else {
            let name = cells.text(signings::PACKAGE);
            let names = policy.packages.iter().flat_map(|package| package.named.names());
            let near = nearest(&name, names).map(str::to_string);
            return Err(refuse(
                Code::E304,
                Reason::NoSuchPackage { name: short(&name), near },
                &policy.clause,
            ));
        };
        let package = rules.package(offer);
        if row.signed_on < package.offered_from
            || (row.signed_on < policy.from && package.offered_from >= policy.from)
        {
            let reason =
                Reason::NotYetOffered { package: package.named.name.clone(), from: package.offered_from };
            return Err(refuse(Code::E305, reason, &package.clause));
        }
        let mut scheme = None;
        if let Some(insurance) = &policy.insurance {
            if !row.insured && known.is_none() {
                return Err(refuse(Code::E401, Reason::NotInsured, &insurance.clause));
            }
            scheme = cells.known(signings::SCHEME, &mut self.schemes[version], |text| match text {
                "" => Some(0),
                text => insurance.schemes.iter().position(|scheme| scheme.is(text)),
            });
            if let (None, Some(known)) = (scheme, known) {
                let posted = insurance.schemes.iter().position(|scheme| scheme.is(&known.terms.scheme));
                scheme = Some(posted.unwrap_or_default());
            }
            if scheme.is_none() {
                let reason = Reason::SchemeNotCovered { scheme: short(&cells.text(signings::SCHEME)) };
                return Err(refuse(Code::E401, reason, &insurance.clause));
            }
        }
        // Of the same age on the day of signing, only what the person is called has changed.
        let same =
            |known: Posted| known.terms.package == package.named.id && known.signed_on == row.signed_on;
        let same_package = known.is_some_and(same);
        if !package.groups.is_empty() && !same_package {
            let outside = outside(row, &cells.text(signings::GROUPS), &package.groups);
            if let Some((reason, clause)) = outside {
                return Err(refuse(Code::E402, reason, clause));
            }
        }
        let term = row.term_months.unwrap_or(policy.terms.first());
        if !policy.terms.allow(term) {
            let allowed = policy.terms.months.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            return Err(refuse(Code::E403, Reason::TermNotAllowed { term, allowed }, &policy.terms.clause));
        }
        let facts = Facts {
            scheme,
            kind,
            district: &institution.district,
            groups: &|| cells.text(signings::GROUPS),
            age: &|| age_on(row.person.birth(), row.signed_on),
        };
        let key = price::key(rules, offer, &facts);
        let at = self.price(key, policy);
        let share = self.prices[at].share;
        if let (true, Some(rule)) = (row.balance.unwrap_or(share) < share && known.is_none(), &policy.balance)
        {
            let balance = row.balance.unwrap_or_default();
            return Err(refuse(Code::E405, Reason::BalanceBelow { balance, share }, &rule.clause));
        }
        let details = self.details(cells, index);
        let KnownPrice { number: class, class: price, .. } = &self.prices[at];
        let mut ended_for = 0;
        if row.ended_on.is_some() && !policy.prorate.reasons.is_empty() {
            let reason = cells.text(signings::ENDED_REASON);
            let at = policy.prorate.reasons.iter().position(|(named, _)| named.is(&reason));
            ended_for = at.map_or(0, |at| at as u16 + 1) << OFFER_BITS;
        }
        let term_end = policy.terms.end(row.starts_on, term);
        let signing =
            signing(row, cells.place(), (index, *class, offer | ended_for, details), term_end, price);
        batch.add(signing, &row.contract, &mut self.contracts);
        Ok(())
    }

    /// Where the price of a key stands among those that were met.
    #[inline]
    fn price(&mut self, key: PriceKey, policy: &Policy) -> usize {
        self.prices.iter().position(|known| known.key == key).unwrap_or_else(|| {
            let (number, class) = self.classes.find(self.rules, key);
            let of_source = |source| class.shares.iter().find(|share| share.source == source);
            let share = policy.balance.as_ref().and_then(|rule| of_source(rule.source));
            let share = share.map_or(Fen::ZERO, |share| share.amount);
            self.prices.push(KnownPrice { key, number, class, share });
            self.prices.len() - 1
        })
    }

    /// What is kept of the row beside its price.
    fn details(&mut self, cells: &impl Cells, institution: u32) -> u32 {
        let kept = self.kept;
        let bytes = kept.map(|column| column.map_or(&[][..], |column| cells.bytes(column)));
        let [team, doctor, scheme, groups] = bytes;
        if team.is_empty() && doctor.is_empty() {
            if scheme.is_empty() && groups.is_empty() {
                return NO_DETAILS;
            }
            // Of no institution: few, and mostly the same as in the row before.
            let same = |(known, _): &&(Vec<u8>, u32)| {
                known.len() == scheme.len() + groups.len() + 1
                    && known.starts_with(scheme)
                    && known[scheme.len()] == 0
                    && known.ends_with(groups)
            };
            if let Some((_, number)) = self.few_details.iter().find(same) {
                return *number;
            }
        }
        let mut key = std::mem::take(&mut self.details_key);
        key.clear();
        for cell in bytes {
            key.extend_from_slice(cell);
            key.push(0);
        }
        key.extend_from_slice(&institution.to_le_bytes());
        if let Some(number) = self.known_details.get(&key).copied() {
            self.details_key = key;
            return number;
        }
        let text = |column: Option<usize>| column.map(|column| cells.text(column).into_owned());
        let few = team.is_empty() && doctor.is_empty() && self.few_details.len() < FEW;
        let words = few.then(|| [scheme, groups].join(&0));
        let [team, doctor, scheme, groups] = kept.map(|column| text(column).unwrap_or_default());
        let number = self.details.number(Details { institution, team, doctor, scheme, groups });
        self.few_details.extend(words.map(|words| (words, number)));
        self.known_details.insert(key, number);
        number
    }
}

/// E301, with the nearest id there is.
pub fn unknown_institution(rules: &Rules, id: &str) -> Reason {
    let near = rules.institutions.nearest(id).map(str::to_string);
    Reason::UnknownInstitution { id: short(id), near }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Why a person is of none of the groups that a package is for, by the last of them.
fn outside<'g>(row: &SigningRow, groups: &str, of: &'g [Group]) -> Option<(Reason, &'g Arc<str>)> {
    let mut why = None;
    for group in of {
        match belongs(row, groups, group) {
            Ok(()) => return None,
            Err(reason) => why = Some((reason, &group.clause)),
        }
    }
    let (reason, clause) = why?;
    // Of several groups each would have done: all of them are named.
    if of.len() < 2 {
        return Some((reason, clause));
    }
    let each = of.iter().map(|group| {
        let ages =
            [group.age_from.map(|age| format!("≥{age}")), group.age_under.map(|age| format!("<{age}"))];
        let tags = group.tags.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>().join("/");
        let parts = ages.into_iter().flatten().chain((!tags.is_empty()).then_some(tags));
        parts.collect::<Vec<_>>().join(" ")
    });
    Some((Reason::NotInGroup { wanted: each.collect::<Vec<_>>().join(" / ") }, clause))
}

fn belongs(row: &SigningRow, groups: &str, group: &Group) -> Result<(), Reason> {
    let age = age_on(row.person.birth(), row.signed_on);
    if let Some(from) = group.age_from.filter(|from| age < *from) {
        return Err(Reason::TooYoung { age, from });
    }
    if let Some(under) = group.age_under.filter(|under| age >= *under) {
        return Err(Reason::TooOld { age, under });
    }
    if !group.tags.is_empty() && !tags(groups).any(|text| group.tags.iter().any(|tag| tag.is(text))) {
        let wanted = group.tags.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>().join(" / ");
        return Err(Reason::NotInGroup { wanted });
    }
    Ok(())
}

impl Batch {
    /// Takes a signing, and its contract id.
    #[inline(always)]
    pub fn add(&mut self, signing: Signing, contract: &[u8], packer: &mut Packer) {
        let contract = packer.pack(contract, &mut self.unshaped);
        self.signings.push(Signing { contract, ..signing });
    }
}

/// The signing of a row but for its contract id.
#[inline(always)]
fn signing(
    row: &SigningRow,
    place: Place,
    (institution, class, offer, details): (u32, u32, u16, u32),
    term_end: Date,
    price: &Class,
) -> Signing {
    let paid = match row.paid {
        Paid::Unasked => None,
        Paid::Missing => Some(Fen::ZERO),
        Paid::Amount(paid) => Some(paid),
    };
    let asked = if paid.is_some() { ASKED_WHAT_WAS_PAID } else { 0 };
    let answers = asked | underpaid(paid, price.individual);
    let authorized = if row.authorized { AUTHORIZED } else { 0 };
    Signing {
        person: row.person,
        contract: ContractId::default(),
        institution,
        class,
        details,
        signed_on: row.signed_on,
        starts_on: row.starts_on,
        term_end,
        end: row.ended_on.map_or(term_end, |ended| ended.min(term_end)),
        line: place.line,
        file: place.file,
        offer: offer | authorized | answers,
        paid: paid.unwrap_or_default(),
    }
}
