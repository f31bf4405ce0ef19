//! Rows of which there are as many as signings, in pages of some thousands: a run reads all of them at its start,
//! and one by one the database would take longer over that than over all the rest.
//!
//! A page is a row of its table: `first` is the number of its first row, `count` how many it holds. Numbers are
//! little-endian. A signing takes [`SIGNING`] bytes, the contract ids stand behind all of them; a service takes
//! [`SERVICE`] bytes. What they say in words: `ledger export`.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension};

use crate::base::code::Code;

use super::chain::Content;
use super::store::{Store, broken, damaged};

/// How many rows a page holds at most.
pub const ROWS: usize = 16 << 10;

/// What a batch said of a signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Admitted,
    Void,
    /// Held against the rules or others.
    Refused(Code),
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Admitted => "admitted",
            State::Void => "void",
            State::Refused(code) => code.name(),
        }
    }

    /// 0, 1, or the code's number.
    fn number(self) -> u16 {
        match self {
            State::Admitted => 0,
            State::Void => 1,
            State::Refused(code) => code.name()[1..].parse().expect("a code is a letter and a number"),
        }
    }

    fn of(number: u16) -> Option<State> {
        match number {
            0 => Some(State::Admitted),
            1 => Some(State::Void),
            number => Code::parse(&format!("E{number}")).map(State::Refused),
        }
    }
}

/// A row of the signings. Days are numbers like 20200103.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningRow<'a> {
    /// The row that first told of the contract; 0 in that row itself.
    pub first: u32,
    pub contract: &'a [u8],
    /// The first 17 digits of the ID number.
    pub person: u64,
    pub terms: u32,
    /// Signed, starts, end of the term, end.
    pub days: [u32; 4],
    /// In fen; nothing where no file says.
    pub paid: Option<i64>,
    pub authorized: bool,
    pub state: State,
}

/// A row of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    /// The number of the signing's first row.
    pub signing: u32,
    /// Like 20200103.
    pub day: u32,
    /// The numbers of the institution where it was, and of the item; 0 for none.
    pub institution: u32,
    pub item: u32,
    /// How many records that are evidence, and how often the item was done.
    pub seen: u32,
    pub times: u32,
}

/// How many bytes a signing takes, its contract id aside.
pub const SIGNING: usize = 45;
/// How many bytes a service takes.
pub const SERVICE: usize = 24;

const AUTHORIZED: u8 = 1;
const ASKED_WHAT_WAS_PAID: u8 = 2;

/// Reads numbers off the start of some bytes.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    #[inline(always)]
    fn next<const N: usize>(&mut self) -> [u8; N] {
        let (number, rest) = self.0.split_first_chunk().expect("a record is as long as its numbers");
        self.0 = rest;
        *number
    }

    #[inline(always)]
    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.next())
    }
}

/// A page being filled.
pub struct Filling {
    /// The number of its first row.
    first: u32,
    pub count: usize,
    records: Vec<u8>,
    contracts: Vec<u8>,
}

impl Filling {
    /// An empty one, behind the row of this number.
    pub fn behind(last: u32) -> Filling {
        Filling { first: last + 1, count: 0, records: Vec::new(), contracts: Vec::new() }
    }

    /// The number of the next row.
    pub fn number(&self, store: &Store) -> Result<u32> {
        let number = u32::try_from(self.count).ok().and_then(|count| self.first.checked_add(count));
        number.filter(|number| *number < u32::MAX).ok_or_else(|| store.damaged("2^32"))
    }

    pub fn signing(&mut self, row: &SigningRow) {
        let out = &mut self.records;
        out.extend_from_slice(&row.first.to_le_bytes());
        out.extend_from_slice(&row.person.to_le_bytes());
        out.extend_from_slice(&row.terms.to_le_bytes());
        row.days.iter().for_each(|day| out.extend_from_slice(&day.to_le_bytes()));
        out.extend_from_slice(&row.paid.unwrap_or_default().to_le_bytes());
        let paid = if row.paid.is_some() { ASKED_WHAT_WAS_PAID } else { 0 };
        out.push(paid | if row.authorized { AUTHORIZED } else { 0 });
        out.extend_from_slice(&row.state.number().to_le_bytes());
        // A record of a file is at most 64 KiB long, and so is an id.
        out.extend_from_slice(&(row.contract.len() as u16).to_le_bytes());
        self.contracts.extend_from_slice(row.contract);
        self.count += 1;
    }

    pub fn service(&mut self, row: &ServiceRow) {
        for number in [row.signing, row.day, row.institution, row.item, row.seen, row.times] {
            self.records.extend_from_slice(&number.to_le_bytes());
        }
        self.count += 1;
    }

    /// The bytes of the page; an empty one is left, for the rows behind these.
    pub fn take(&mut self) -> (u32, usize, Vec<u8>) {
        let mut bytes = std::mem::take(&mut self.records);
        bytes.append(&mut self.contracts);
        let (first, count) = (self.first, self.count);
        self.first += count as u32;
        self.count = 0;
        (first, count, bytes)
    }
}

/// Tells `each` the signings of a page, with their numbers; nothing where they are not as we write them.
pub fn signings<'a>(page: &Page<'a>, mut each: impl FnMut(u32, SigningRow<'a>) -> Option<()>) -> Option<()> {
    let (records, mut contracts) = page.bytes.split_at_checked(page.count.checked_mul(SIGNING)?)?;
    let (records, _) = records.as_chunks::<SIGNING>();
    for (number, record) in (page.first..).zip(records) {
        let mut bytes = Bytes(record);
        let (first, person, terms) = (bytes.u32(), u64::from_le_bytes(bytes.next()), bytes.u32());
        let days = [bytes.u32(), bytes.u32(), bytes.u32(), bytes.u32()];
        let (paid, [flags]) = (i64::from_le_bytes(bytes.next()), bytes.next());
        let (state, length) = (u16::from_le_bytes(bytes.next()), u16::from_le_bytes(bytes.next()));
        let (contract, rest) = contracts.split_at_checked(usize::from(length))?;
        contracts = rest;
        let paid = (flags & ASKED_WHAT_WAS_PAID != 0).then_some(paid);
        let (authorized, state) = (flags & AUTHORIZED != 0, State::of(state)?);
        each(number, SigningRow { first, contract, person, terms, days, paid, authorized, state })?;
    }
    contracts.is_empty().then_some(())
}

/// Tells `each` the services of a page, with their numbers; nothing where they are not as we write them.
pub fn services(page: &Page, mut each: impl FnMut(u32, ServiceRow) -> Option<()>) -> Option<()> {
    let (records, rest) = page.bytes.as_chunks::<SERVICE>();
    if records.len() != page.count || !rest.is_empty() {
        return None;
    }
    for (number, record) in (page.first..).zip(records) {
        let mut bytes = Bytes(record);
        let [signing, day, institution, item, seen, times] = [0; 6].map(|_: u32| bytes.u32());
        each(number, ServiceRow { signing, day, institution, item, seen, times })?;
    }
    Some(())
}

/// A page as it stands in its table.
pub struct Page<'a> {
    pub number: u32,
    pub batch: u32,
    pub first: u32,
    pub count: usize,
    pub bytes: &'a [u8],
}

impl Page<'_> {
    /// A hash over all of it.
    pub fn hash(&self) -> String {
        let mut content = Content::default();
        content.number(self.number.into());
        content.number(self.batch.into());
        content.number(self.first.into());
        content.number(self.count as i64);
        content.bytes(self.bytes);
        content.finish()
    }
}

/// Reads page `number` of a table, for `read` to make something of; damage where it is not there, or `read`
/// makes nothing of it.
pub fn read<T>(
    (connection, path): (&Connection, &std::path::Path),
    table: &str,
    number: u32,
    read: impl FnOnce(&Page) -> Option<T>,
) -> Result<T> {
    let failed = |error: rusqlite::Error| broken(path, &error);
    let query = format!("SELECT batch, first, count, rows FROM {table} WHERE number = ?");
    let mut query = connection.prepare_cached(&query).map_err(failed)?;
    let found = query
        .query_row([number], |row| {
            let (batch, first, count) = (row.get(0)?, row.get(1)?, row.get::<_, u32>(2)? as usize);
            let bytes = row.get_ref(3)?.as_blob()?;
            // Whatever a damaged file says, no more memory is asked for than a page takes.
            let sound = (1..=ROWS).contains(&count) && count * SERVICE <= bytes.len();
            Ok(if sound { read(&Page { number, batch, first, count, bytes }) } else { None })
        })
        .optional()
        .map_err(failed)?;
    found.flatten().ok_or_else(|| damaged(path, &format!("{table} {number}")))
}

/// How many pages a table has; the number of the last row.
pub fn last(store: &Store, table: &str) -> Result<(u32, u32)> {
    let failed = |error: rusqlite::Error| store.broken(&error);
    let query = format!("SELECT number, first + count - 1 FROM {table} ORDER BY number DESC LIMIT 1");
    let last = store.connection.query_row(&query, [], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(last.optional().map_err(failed)?.unwrap_or_default())
}

/// Reads all pages of a table one after the other.
pub fn each(store: &Store, table: &str, mut page: impl FnMut(&Page) -> Option<()>) -> Result<()> {
    for number in 1..=last(store, table)?.0 {
        read((&store.connection, &store.path), table, number, &mut page)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signings_come_out_as_they_went_in() {
        let plain = SigningRow {
            first: 0,
            contract: b"C-1",
            person: 99_990_119_550_301_001,
            terms: 3,
            days: [20_200_103, 20_200_104, 20_210_104, 20_200_105],
            paid: None,
            authorized: false,
            state: State::Admitted,
        };
        let rows = [
            plain,
            SigningRow { paid: Some(0), authorized: true, contract: b"", ..plain },
            SigningRow { paid: Some(1_050), state: State::Void, first: 5, ..plain },
            SigningRow { state: State::Refused(Code::E503), contract: "协议2".as_bytes(), ..plain },
        ];
        let mut filling = Filling::behind(6);
        rows.iter().for_each(|row| filling.signing(row));
        let (first, count, bytes) = filling.take();
        let page = |count, bytes| Page { number: 1, batch: 1, first, count, bytes };
        let mut read = Vec::new();
        signings(&page(count, &bytes), |number, row| {
            read.push((number, row));
            Some(())
        })
        .expect("as written");
        assert_eq!(read, (7..).zip(rows).collect::<Vec<_>>());
        // What is cut off, too long, or of another state is no page.
        for (count, bytes) in [(count, &bytes[..bytes.len() - 1]), (count - 1, &bytes), (count + 1, &bytes)] {
            assert_eq!(signings(&page(count, bytes), |_, _| Some(())), None);
        }
        let mut other = bytes.clone();
        other[41] = 2;
        assert_eq!(signings(&page(count, &other), |_, _| Some(())), None);
        assert_ne!(page(count, &bytes).hash(), page(count, &other).hash());
    }

    #[test]
    fn services_come_out_as_they_went_in() {
        let rows = [
            ServiceRow { signing: 1, day: 20_200_103, institution: 3, item: 0, seen: 2, times: 0 },
            ServiceRow { signing: u32::MAX, day: 20_200_104, institution: 1, item: 4, seen: 0, times: 7 },
        ];
        let mut filling = Filling::behind(6);
        rows.iter().for_each(|row| filling.service(row));
        let (first, count, bytes) = filling.take();
        let page = |count, bytes| Page { number: 1, batch: 1, first, count, bytes };
        let mut read = Vec::new();
        services(&page(count, &bytes), |number, row| {
            read.push((number, row));
            Some(())
        })
        .expect("as written");
        assert_eq!(read, (7..).zip(rows).collect::<Vec<_>>());
        assert_eq!(services(&page(count, &bytes[1..]), |_, _| Some(())), None);
        assert_eq!(services(&page(count + 1, &bytes), |_, _| Some(())), None);
    }
}
