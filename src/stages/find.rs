//! Rows of one person or contract, for whoever asks about them.

use std::collections::BTreeSet;

use anyhow::Result;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::period::Date;
use crate::base::person::PersonId;
use crate::base::place::{Kind, Place};
use crate::intake::header::open;
use crate::intake::read::read_rows;
use crate::intake::rows::{BlockRows, Row};
use crate::intake::signings;
use crate::intake::swipes;

use super::{Inputs, columns};

/// Where a signing row stands, and whose it is.
pub struct SigningPlace {
    pub place: Place,
    pub contract: String,
    pub person: Option<PersonId>,
}

/// Finds the signing rows of a contract id, or of a person: for a person who asks, not for a run.
pub fn signing_rows(
    inputs: &Inputs,
    contract: Option<&str>,
    person: Option<PersonId>,
) -> Result<Vec<SigningPlace>> {
    found_rows(inputs, Kind::Signings, |row| {
        let id = row.text(signings::CONTRACT);
        let whose = person_of(row, signings::PERSON);
        let asked = contract.is_some_and(|contract| contract == id) || (whose.is_some() && whose == person);
        asked.then(|| SigningPlace { place: row.place(), contract: id.into_owned(), person: whose })
    })
}

/// Where a swipe stands, and what it is.
pub struct SwipePlace {
    pub place: Place,
    pub person: PersonId,
    pub institution: String,
    pub day: Date,
}

/// Finds the swipes of some people.
pub fn swipe_rows(inputs: &Inputs, people: &BTreeSet<PersonId>) -> Result<Vec<SwipePlace>> {
    found_rows(inputs, Kind::Swipes, |row| {
        let person = person_of(row, swipes::PERSON).filter(|person| people.contains(person))?;
        let day = row.date(swipes::SWIPED_AT).ok()??;
        let institution = row.text(swipes::INSTITUTION).into_owned();
        Some(SwipePlace { place: row.place(), person, institution, day })
    })
}

/// The person of a cell, where it holds a valid ID number.
pub fn person_of(row: &Row, column: usize) -> Option<PersonId> {
    let person = PersonId::parse(row.bytes(column));
    person.or_else(|_| PersonId::parse(row.text(column).as_bytes())).ok()
}

/// The ids of a refused row, as its file has them.
pub struct WholeIds {
    pub contract: String,
    pub person: String,
}

/// Reads refused rows of people again, for an output that shows ID numbers in full.
pub fn whole_ids(inputs: &Inputs) -> Result<FxHashMap<Place, WholeIds>> {
    let places: FxHashSet<Place> = inputs.rejects.iter().map(|reject| reject.place).collect();
    let mut all = FxHashMap::default();
    for (kind, [contract, person, _]) in [(Kind::Signings, signings::IDS), (Kind::Swipes, swipes::IDS)] {
        all.extend(found_rows(inputs, kind, |row| {
            let text = |column: Option<usize>| column.map_or(String::new(), |at| row.text(at).into_owned());
            let whole = || WholeIds { contract: text(contract), person: text(person) };
            places.contains(&row.place()).then(|| (row.place(), whole()))
        })?);
    }
    Ok(all)
}

fn found_rows<T: Send>(
    inputs: &Inputs,
    kind: Kind,
    find: impl Fn(&Row) -> Option<T> + Sync,
) -> Result<Vec<T>> {
    let mut all = Vec::new();
    for (index, file) in inputs.files().filter(|(_, file)| file.kind == kind) {
        let opened = open(file.clone(), index, columns(kind))?;
        let parse = |block: &BlockRows| {
            let mut found = Vec::new();
            block.each(|row| found.extend(find(row)));
            found
        };
        read_rows(opened, &|_| {}, parse, |wave| all.extend(wave.into_iter().flatten()))?;
    }
    Ok(all)
}
