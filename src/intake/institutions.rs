//! institutions.csv → the institutions of a run.

use std::sync::Mutex;

use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::diagnostic::nearest;
use crate::base::person::{holds_person, mask_within};
use crate::base::place::Place;
use crate::base::reason::Reason;

use super::cells::whole;
use super::columns::Column;
use super::rows::{Fault, Row};
use super::short::Short;

pub const COLUMNS: &[Column] = &[
    ("institution_id", true),
    ("name", true),
    ("kind", false),
    ("district", false),
    ("parent_id", false),
    ("designated", false),
    ("served_population", false),
];
pub const ID: usize = 0;
pub const KIND: usize = 2;
pub const DISTRICT: usize = 3;
pub const DESIGNATED: usize = 5;

/// A row of institutions.csv.
#[derive(Clone, Debug)]
pub struct Institution {
    pub id: String,
    pub name: String,
    /// As written: a policy reads it as one of its kinds.
    pub kind: String,
    pub district: String,
    pub parent_id: String,
    pub designated: bool,
    pub served_population: Option<u64>,
    pub place: Place,
}

impl Institution {
    /// One of which nothing but the id is known.
    pub fn named(id: &str, place: Place) -> Institution {
        Institution {
            id: id.to_string(),
            name: String::new(),
            kind: String::new(),
            district: String::new(),
            parent_id: String::new(),
            designated: true,
            served_population: None,
            place,
        }
    }
}

/// The numbers of short ids. Each is looked for from the slot that its hash says to the first empty one;
/// at least half of the slots are empty.
#[derive(Debug, Default)]
struct Numbers {
    slots: Vec<u32>,
    /// By number; the empty id in place of a long one.
    ids: Vec<Short>,
}

impl Numbers {
    /// In an empty slot.
    const NONE: u32 = u32::MAX;

    #[inline(always)]
    fn get(&self, id: Short) -> Option<u32> {
        let mut at = id.hash() as usize;
        loop {
            let number = *self.slots.get(at & self.slots.len().wrapping_sub(1))?;
            if *self.ids.get(number as usize)? == id {
                return Some(number);
            }
            at += 1;
        }
    }

    /// Adds the id of the next number, which is not there; nothing for a long one.
    fn add(&mut self, id: Option<Short>) {
        self.ids.push(id.unwrap_or_default());
        if self.slots.len() < 2 * self.ids.len() {
            self.slots = vec![Numbers::NONE; (4 * self.ids.len()).next_power_of_two()];
            (0..self.ids.len()).for_each(|number| self.put(number));
        } else {
            self.put(self.ids.len() - 1);
        }
    }

    fn put(&mut self, number: usize) {
        if self.ids[number] == Short::default() {
            return;
        }
        let last = self.slots.len() - 1;
        let mut at = self.ids[number].hash() as usize & last;
        while self.slots[at] != Numbers::NONE {
            at = (at + 1) & last;
        }
        self.slots[at] = number as u32;
    }
}

/// All institutions, by number in the order of their files.
#[derive(Debug, Default)]
pub struct Institutions {
    pub list: Vec<Institution>,
    short: Numbers,
    long: FxHashMap<Box<[u8]>, u32>,
    /// Those that were paid earlier and are on no list any more: no row may be about them.
    gone: FxHashMap<String, u32>,
    /// Unknown ids that were asked for, and what is nearest to them.
    near: Mutex<FxHashMap<String, Option<u32>>>,
}

impl Institutions {
    #[inline]
    pub fn find(&self, id: &[u8]) -> Option<u32> {
        match Short::new(id) {
            Some(id) => self.short.get(id),
            None => self.long.get(id).copied(),
        }
    }

    #[inline(always)]
    pub fn find_short(&self, id: Short) -> Option<u32> {
        self.short.get(id)
    }

    /// The id that an unknown one may be meant for. Looking at every id for every bad row would make a
    /// wrong file slow; a small office gets the help.
    pub fn nearest(&self, id: &str) -> Option<&str> {
        const SMALL: usize = 500;
        const REMEMBERED: usize = 4_096;
        if self.count() > SMALL {
            return None;
        }
        let near = || self.near.lock().expect("no panic holds it");
        let known = near().get(id).copied();
        let found = known.unwrap_or_else(|| {
            let found = nearest(id, self.list.iter().map(|one| one.id.as_str()));
            let found = found.and_then(|found| self.find(found.as_bytes()));
            let mut near = near();
            if near.len() < REMEMBERED {
                near.insert(id.to_string(), found);
            }
            found
        });
        found.map(|index| self.get(index).id.as_str())
    }

    /// Adds one that was paid earlier and is on no list any more.
    pub fn add_gone(&mut self, institution: Institution) -> u32 {
        let index = self.list.len() as u32;
        self.gone.insert(institution.id.clone(), index);
        self.list.push(institution);
        index
    }

    /// The number of one that is on no list any more.
    pub fn gone(&self, id: &str) -> Option<u32> {
        self.gone.get(id).copied()
    }

    pub fn get(&self, index: u32) -> &Institution {
        &self.list[index as usize]
    }

    pub fn count(&self) -> usize {
        self.list.len()
    }

    /// E306: the id stood on an earlier row.
    pub fn add(&mut self, institution: Institution, file_names: &[String]) -> Result<(), Fault> {
        if let Some(earlier) = self.find(institution.id.as_bytes()) {
            let at = &self.get(earlier).place;
            let at = format!("{}:{}", file_names[at.file as usize], at.line);
            return Err(Fault::new(Code::E306, Reason::InstitutionTwice { id: institution.id, at }));
        }
        let (id, index) = (institution.id.as_bytes(), self.list.len() as u32);
        let short = Short::new(id);
        if short.is_none() {
            self.long.insert(id.into(), index);
        }
        self.short.add(short);
        self.list.push(institution);
        Ok(())
    }
}

/// No institution is listed under an ID number, so no parent is found by one either.
fn mask_person(id: String) -> String {
    if holds_person(&id) { mask_within(&id) } else { id }
}

/// Reads a row by itself: E101–E106.
pub fn read(row: &Row) -> Result<Institution, Fault> {
    row.whole()?;
    row.required([ID, 1])?;
    row.whole_id(ID)?;
    let served_population = row.number(6, whole)?;
    let designated = row.yes_no(5)?.unwrap_or(true);
    Ok(Institution {
        id: row.text(ID).into_owned(),
        name: mask_within(&row.text(1)),
        kind: mask_within(&row.text(2)),
        district: mask_within(&row.text(3)),
        parent_id: mask_person(row.text(4).into_owned()),
        designated,
        served_population,
        place: row.place(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_any_length_are_told_apart() {
        let ids =
            ["A", "0A", "1234567", "12345678", "123456789012345", "1234567890123456", "村卫生室一", "A\u{1}"];
        let mut all = Institutions::default();
        for id in ids {
            let one = Institution::named(id, Place::default());
            assert!(all.add(one, &["institutions.csv".to_string()]).is_ok(), "{id}");
        }
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(all.find(id.as_bytes()), Some(at as u32), "{id}");
        }
        for id in ["", "B", "00A", "12345679", "123456789012346"] {
            assert_eq!(all.find(id.as_bytes()), None, "{id}");
        }
    }
}
