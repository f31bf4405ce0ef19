//! institutions.csv → the institutions of a run.

use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::place::Place;

use super::cells::whole;
use super::columns::Column;
use super::rows::{Fault, Row};

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

/// All institutions, by number in the order of their files.
#[derive(Debug, Default)]
pub struct Institutions {
    pub list: Vec<Institution>,
    /// Ids of up to 15 bytes, as most are, packed into two numbers: found without following a pointer.
    short: FxHashMap<(u64, u64), u32>,
    long: FxHashMap<Box<[u8]>, u32>,
}

fn packed(id: &[u8]) -> Option<(u64, u64)> {
    let part = |bytes: &[u8]| bytes.iter().fold(0, |packed, byte| packed << 8 | u64::from(*byte));
    let (first, rest) = id.split_at(id.len().min(8));
    (rest.len() < 8).then(|| (part(first), part(rest) << 8 | id.len() as u64))
}

impl Institutions {
    pub fn find(&self, id: &[u8]) -> Option<u32> {
        match packed(id) {
            Some(id) => self.short.get(&id).copied(),
            None => self.long.get(id).copied(),
        }
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
            return Err(Fault::new(Code::E306, Msg::InstitutionTwice { id: institution.id, at }));
        }
        let (id, index) = (institution.id.as_bytes(), self.list.len() as u32);
        match packed(id) {
            Some(id) => self.short.insert(id, index),
            None => self.long.insert(id.into(), index),
        };
        self.list.push(institution);
        Ok(())
    }
}

/// Reads a row by itself: E101–E106.
pub fn read(row: &Row) -> Result<Institution, Fault> {
    row.whole()?;
    row.required([ID, 1])?;
    let served_population = row.number(6, whole)?;
    let designated = row.yes_no(5)?.unwrap_or(true);
    Ok(Institution {
        id: row.text(ID).into_owned(),
        name: row.text(1).into_owned(),
        kind: row.text(2).into_owned(),
        district: row.text(3).into_owned(),
        parent_id: row.text(4).into_owned(),
        designated,
        served_population,
        place: row.place(),
    })
}
