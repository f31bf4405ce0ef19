//! Sums of lines as documents show them: by source, by district, by institution, and of all.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::money::Fen;
use crate::pipeline::Run;
use crate::settlement::lines::Line;

/// What some lines come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub settled: bool,
    pub count: u64,
    pub held: u64,
    pub gross: Fen,
    pub prepay: Fen,
    /// Of the lines that were cleared; nothing where none was.
    pub last: Option<Fen>,
    pub posted: Fen,
    pub payable: Fen,
    pub recover: Fen,
}

impl Total {
    pub fn add(&mut self, line: &Line) {
        self.settled |= line.settled;
        self.count += line.count;
        self.held += line.held;
        self.gross += line.gross;
        self.prepay += line.prepay;
        if let Some(last) = line.last {
            self.last = Some(self.last.unwrap_or_default() + last);
        }
        self.posted += line.posted;
        self.payable += line.payable;
        self.recover += line.recover;
    }

    pub fn merge(&mut self, other: &Total) {
        self.settled |= other.settled;
        self.count += other.count;
        self.held += other.held;
        self.gross += other.gross;
        self.prepay += other.prepay;
        if let Some(last) = other.last {
            self.last = Some(self.last.unwrap_or_default() + last);
        }
        self.posted += other.posted;
        self.payable += other.payable;
        self.recover += other.recover;
    }

    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Total {
        let mut total = Total::default();
        lines.into_iter().for_each(|line| total.add(line));
        total
    }
}

/// Totals by source, in the order of the sources' ids.
pub fn totals(run: &Run) -> BTreeMap<String, Total> {
    let mut totals: BTreeMap<String, Total> = BTreeMap::new();
    for line in &run.settlement.lines {
        totals.entry(line.source.clone()).or_default().add(line);
    }
    totals
}

/// Of all settled lines.
pub fn settled(run: &Run) -> Total {
    Total::of(run.settlement.lines.iter().filter(|line| line.settled))
}

/// The settled lines of a district.
#[derive(Clone, Debug, Default)]
pub struct District {
    /// Those that have a line.
    pub institutions: u64,
    /// Signings that are charged in the period.
    pub admitted: u64,
    pub total: Total,
}

/// By district, in the order of their names.
pub fn districts<'a>(run: &'a Run) -> BTreeMap<&'a str, District> {
    let mut all: BTreeMap<&str, District> = BTreeMap::new();
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    for line in run.settlement.lines.iter().filter(|line| line.settled) {
        let one = run.rules.institutions.get(line.institution);
        let district = all.entry(&one.district).or_default();
        district.total.add(line);
        if seen.insert(line.institution) {
            district.institutions += 1;
            district.admitted += run.settlement.heads[line.institution as usize].admitted;
        }
    }
    all
}
