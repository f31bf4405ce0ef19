//! What earlier postings relied on, as a ledger keeps it: names and days, and no number of a run. The ledger fills it;
//! nothing here knows a database.

use rust_decimal::Decimal;
use rustc_hash::FxHashSet;

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::{Date, Period};
use crate::base::person::PersonId;
use crate::intake::short::hash_at;

/// Up to which day parts of a share were posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AsOf {
    Day(Date),
    /// Whatever their day.
    All,
}

/// As a ledger keeps it: names and days, no number of a run but those of this list.
#[derive(Debug)]
pub struct Past {
    /// Older cohorts count as settled elsewhere.
    pub opening: Period,
    /// The last batch: its number and hash.
    pub batch: u32,
    pub head: String,
    pub institutions: Vec<PastInstitution>,
    pub terms: Vec<Terms>,
    /// Ids of items.
    pub items: Vec<String>,
    pub signings: Vec<PastSigning>,
    /// Contract ids, each behind its length in two bytes.
    pub contracts: Vec<u8>,
    /// Hashes of contracts that were posted and are void now, or refused.
    pub gone: FxHashSet<u64>,
    /// The latest day up to which tranches were posted.
    pub as_of: Option<AsOf>,
    /// In order of signing, day, institution and item.
    pub services: Vec<PastService>,
    pub scores: Vec<PastScore>,
    /// In order of batches: of one key the last one holds.
    pub lines: Vec<PastLine>,
}

#[derive(Clone, Debug)]
pub struct PastInstitution {
    pub id: String,
    pub name: String,
    pub kind: String,
    pub district: String,
    pub parent_id: String,
}

/// What many signings have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Terms {
    /// The institution's id.
    pub institution: String,
    /// The package's id.
    pub package: String,
    /// What the price depends on, as it was when the signing was first posted.
    pub scheme: String,
    pub kind: String,
    pub district: String,
    pub groups: String,
    pub team: String,
    pub doctor: String,
    /// Why it ended early, by the policy's id.
    pub reason: String,
}

#[derive(Clone, Debug)]
pub struct PastSigning {
    pub person: PersonId,
    /// Where its contract id stands in the arena, behind its length.
    pub contract: u32,
    /// Indexes [`Past::terms`].
    pub terms: u32,
    pub signed_on: Date,
    pub starts_on: Date,
    pub term_end: Date,
    pub end: Date,
    pub paid: Option<Fen>,
    pub authorized: bool,
    /// Held against others it was refused: it is known, and may be admitted once they are gone.
    pub refused: Option<Code>,
    /// Its number in the ledger, and the batch that said so last.
    pub id: u32,
    pub batch: u32,
    /// The batch that first told of it.
    pub since: u32,
}

/// Services of one day that postings saw while a signing was in force.
#[derive(Clone, Copy, Debug)]
pub struct PastService {
    /// Indexes [`Past::signings`].
    pub signing: u32,
    pub day: Date,
    /// Where: indexes [`Past::institutions`].
    pub institution: u32,
    /// Indexes [`Past::items`].
    pub item: Option<u32>,
    /// How many records that count as evidence, and how often the item was done.
    pub seen: u32,
    pub times: u32,
}

#[derive(Clone, Debug)]
pub struct PastScore {
    pub institution: String,
    pub period: Period,
    pub level: String,
    pub score: Decimal,
    pub assessed_on: Option<Date>,
    pub batch: u32,
}

/// What a batch said of a line.
#[derive(Clone, Debug)]
pub struct PastLine {
    pub cohort: Period,
    pub institution: String,
    pub package: String,
    pub source: String,
    pub policy: String,
    /// What it moved: paid less recovered.
    pub amount: Fen,
    /// What it came to; nothing where the batch only brought or took back an amount.
    pub state: Option<LineState>,
    pub batch: u32,
}

/// What a line came to when it was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineState {
    pub count: u64,
    pub held: u64,
    pub gross: Fen,
    pub deduction: Fen,
    pub prepay: Fen,
    pub due: Fen,
    /// What was cleared, once it was; and by which ratio.
    pub last: Option<Fen>,
    pub ratio: Option<Decimal>,
    pub score: String,
    /// By which rules: a hash over the rule files.
    pub rules: String,
    pub batch: u32,
}

/// A line as the past names it: cohort, institution, package, source.
pub type PastKey = (Period, u32, String, String);

/// The contract id at a place of an arena, where each stands behind its length.
pub fn arena_bytes(contracts: &[u8], at: u32) -> &[u8] {
    let (start, length) = arena_place(contracts, at);
    &contracts[start..start + length]
}

/// Where the id itself starts, and its length.
fn arena_place(contracts: &[u8], at: u32) -> (usize, usize) {
    let start = at as usize + 2;
    (start, usize::from(u16::from_le_bytes([contracts[start - 2], contracts[start - 1]])))
}

/// The hash of the contract id at a place of an arena.
pub fn arena_hash(contracts: &[u8], at: u32) -> u64 {
    let (start, length) = arena_place(contracts, at);
    hash_at(contracts, start, length)
}

impl Past {
    pub fn contract(&self, signing: &PastSigning) -> &str {
        std::str::from_utf8(arena_bytes(&self.contracts, signing.contract)).unwrap_or_default()
    }
}
