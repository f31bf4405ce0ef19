//! The stages that read: each takes the files of one kind, hands their rows to the computation,
//! and keeps what was refused. In the order of the files, whatever the number of threads.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::period::Date;
use crate::base::person::PersonId;
use crate::base::place::{Kind, Place};
use crate::intake::columns::Column;
use crate::intake::folder::InputFile;
use crate::intake::institutions::{self, Institutions};
use crate::intake::rows::{
    Again, BlockRows, Fault, FileFacts, Known, Opened, Reject, Row, TOGETHER, WholeRows, open, read_rows,
    read_rows_with,
};
use crate::intake::scores::{self, payments};
use crate::intake::short::id_hash;
use crate::intake::signings::{self, Signing};
use crate::intake::swipes::SwipeRow;
use crate::intake::{adjustments, cells, sheets, swipes};
use crate::ledger::post::Adjustment;
use crate::policy::package::{Conditions, Package};
use crate::policy::version::Region;
use crate::policy::{CapOf, Policy};
use crate::settlement::assess::{self, RowCounts, ScoreEntry, SheetEntry};
use crate::settlement::desk::{Batch, Desk, DetailsList, unknown_institution};
use crate::settlement::evidence::{Against, Desk as SwipeDesk, Evidence, Swipe};
use crate::settlement::history::History;
use crate::settlement::lines::Posted;
use crate::settlement::payments::{line_of, payment};
use crate::settlement::price::Classes;
use crate::settlement::qualify::{Candidates, OfPast, Qualified};
use crate::settlement::rules::{NO_CARD, Rules};

/// Tells how many more bytes were read.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// The inputs of a run, and what there is to say of them.
#[derive(Default)]
pub struct Inputs {
    files: Vec<InputFile>,
    pub names: Vec<String>,
    /// Headers read, not yet rows.
    opened: BTreeMap<Kind, Vec<Opened>>,
    pub facts: Vec<FileFacts>,
    pub rejects: Vec<Reject>,
    pub notices: Vec<Msg>,
    pub missing: MissingColumns,
    /// Void signings, of unknown institutions too.
    pub void_rows: u64,
}

/// Columns that some flag or derived value needs and no file has.
#[derive(Clone, Copy, Debug, Default)]
pub struct MissingColumns {
    pub item: bool,
    pub charged: bool,
}

fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Institutions => institutions::COLUMNS,
        Kind::Signings => signings::COLUMNS,
        Kind::Swipes => swipes::COLUMNS,
        Kind::Scores => scores::COLUMNS,
        Kind::Payments => payments::COLUMNS,
        Kind::Sheets => sheets::COLUMNS,
        Kind::Adjustments => adjustments::COLUMNS,
    }
}

impl Inputs {
    /// Opens every file and reads its header, so that a missing column stops the run at once.
    pub fn open(files: Vec<InputFile>) -> Result<Inputs> {
        let mut inputs =
            Inputs { names: files.iter().map(|file| file.name.clone()).collect(), ..Inputs::default() };
        for (index, file) in files.iter().enumerate() {
            let opened = open(file.clone(), index as u16, columns(file.kind))?;
            let (unknown, doubled) = (opened.columns.unknown.clone(), opened.columns.doubled.clone());
            if !unknown.is_empty() {
                inputs.notices.push(Msg::UnknownColumns { file: file.name.clone(), columns: unknown });
            }
            if !doubled.is_empty() {
                inputs.notices.push(Msg::DoubledColumns { file: file.name.clone(), columns: doubled });
            }
            inputs.opened.entry(file.kind).or_default().push(opened);
        }
        inputs.files = files;
        Ok(inputs)
    }

    /// The number that stands for the ledger among the names of files.
    pub fn name_ledger(&mut self) -> u16 {
        self.names.push("ledger".to_string());
        self.names.len() as u16 - 1
    }

    /// Every file with its number.
    pub fn files(&self) -> impl Iterator<Item = (u16, &InputFile)> {
        self.files.iter().enumerate().map(|(index, file)| (index as u16, file))
    }

    pub fn has(&self, kind: Kind) -> bool {
        self.files.iter().any(|file| file.kind == kind)
    }

    fn take(&mut self, kind: Kind) -> Vec<Opened> {
        self.opened.remove(&kind).unwrap_or_default()
    }

    fn read(&mut self, facts: FileFacts, rejects: Vec<Reject>) {
        let not_text = rejects.iter().filter(|reject| reject.code == Code::E105).count() as u64;
        // A damaged row is no other encoding; a tenth of the file is.
        if not_text * 10 >= facts.rows.max(1) && facts.encoding == "utf-8" && not_text > 0 {
            self.notices.push(Msg::MaybeGb18030 { file: facts.name.clone(), rows: not_text });
        }
        if facts.rows == 0 {
            self.notices.push(Msg::NoRows { file: facts.name.clone() });
        }
        let same = |one: &&FileFacts| one.kind == facts.kind && one.sha256 == facts.sha256 && facts.rows > 0;
        if let Some(first) = self.facts.iter().find(same) {
            let (first, second) = (first.name.clone(), facts.name.clone());
            self.notices.push(Msg::SameFile { first, second });
        }
        self.facts.push(facts);
        self.rejects.extend(rejects);
    }

    /// Reads small files of one kind, row by row: what `row` refuses is rejected.
    fn read_small<T: Send>(
        &mut self,
        kind: Kind,
        ids: [Option<usize>; 3],
        progress: Progress,
        row: impl Fn(&Row) -> Result<T, Fault> + Sync,
        mut take: impl FnMut(T) -> Option<Reject> + Send,
    ) -> Result<()> {
        for opened in self.take(kind) {
            let mut rejects = Vec::new();
            let parse = |block: &BlockRows| {
                let mut parsed = Vec::new();
                block.each(|cells| parsed.push(row(cells).map_err(|fault| cells.reject(kind, fault, ids))));
                parsed
            };
            let (facts, _) = read_rows(opened, progress, parse, |wave| {
                for result in wave.into_iter().flatten() {
                    match result {
                        Ok(value) => rejects.extend(take(value)),
                        Err(reject) => rejects.push(reject),
                    }
                }
            })?;
            self.read(facts, rejects);
        }
        Ok(())
    }
}

/// Reads institutions: E101–E106, E306.
pub fn institutions(inputs: &mut Inputs, progress: Progress) -> Result<Institutions> {
    let mut all = Institutions::default();
    let names = inputs.names.clone();
    inputs.read_small(
        Kind::Institutions,
        [None, None, Some(institutions::ID)],
        progress,
        institutions::read,
        |one| {
            let (place, id) = (one.place, one.id.clone());
            all.add(one, &names).err().map(|fault| Reject {
                kind: Kind::Institutions,
                place,
                contract: String::new(),
                person: String::new(),
                institution: id,
                code: fault.code,
                reason: *fault.reason,
                clause: fault.clause,
            })
        },
    )?;
    Ok(all)
}

/// Says which checks an institutions or signings file without a column leaves out.
pub fn unchecked(inputs: &mut Inputs, region: &Region) {
    let any = |asks: fn(&Policy) -> bool| region.versions.iter().any(asks);
    let wanted = [
        (Kind::Institutions, institutions::DESIGNATED, Code::E302, true),
        (Kind::Signings, signings::INSURED, Code::E401, any(|policy| policy.insurance.is_some())),
        (Kind::Signings, signings::BALANCE, Code::E405, any(|policy| policy.balance.is_some())),
        (Kind::Signings, signings::PERSONAL_PAID, Code::W702, cited(region, Code::W702)),
        (Kind::Scores, scores::ASSESSED_ON, Code::W704, cited(region, Code::W704)),
        (Kind::Scores, scores::ASSESSED_ON, Code::W710, cited(region, Code::W710)),
    ];
    let coded = wanted.map(|(kind, column, code, asked)| (kind, column, code.name(), asked));
    let package =
        |asks: fn(&Package) -> bool| region.versions.iter().flat_map(|version| &version.packages).any(asks);
    let asked = |asks: fn(&Conditions) -> bool| {
        let packages = region.versions.iter().flat_map(|version| &version.packages);
        packages.flat_map(Package::asked).any(asks)
    };
    let caps = |of: CapOf| region.versions.iter().flat_map(|version| &version.caps).any(|cap| cap.of == of);
    // Columns that decide what is paid.
    let paid = [
        (Kind::Institutions, institutions::DISTRICT, "district", asked(|asked| !asked.districts.is_empty())),
        (
            Kind::Signings,
            signings::GROUPS,
            "groups",
            asked(|asked| !asked.tags.is_empty())
                || package(|package| package.groups.iter().any(|group| !group.tags.is_empty())),
        ),
        (Kind::Signings, signings::SCHEME, "scheme", asked(|asked| !asked.schemes.is_empty())),
        (Kind::Signings, signings::AUTHORIZED, "authorized", any(|policy| policy.authorization.is_some())),
        (
            Kind::Signings,
            signings::ENDED_REASON,
            "ended_reason",
            any(|policy| !policy.prorate.reasons.is_empty()),
        ),
        (Kind::Signings, signings::TEAM, "W705", caps(CapOf::Team)),
        (Kind::Signings, signings::DOCTOR, "W705", caps(CapOf::Doctor)),
        (Kind::Swipes, swipes::ITEM, "W707", cited(region, Code::W707)),
    ];
    let mut notices = Vec::new();
    for (kind, column, what, asked) in coded.into_iter().chain(paid) {
        for opened in inputs.opened.get(&kind).into_iter().flatten() {
            if asked && opened.columns.position(column).is_none() {
                let column = opened.columns.title(column);
                let (what, file) = (what.to_string(), opened.file.name.clone());
                notices.push(Msg::LeftOutColumn { what, file, column });
            }
        }
    }
    inputs.notices.extend(notices);
}

/// Says which districts of the rules' conditions no institution is in: a misspelt one moves money.
pub fn districts(inputs: &mut Inputs, region: &Region, institutions: &Institutions) {
    let packages = region.versions.iter().flat_map(|version| &version.packages);
    let named: BTreeSet<&String> =
        packages.flat_map(Package::asked).flat_map(|asked| &asked.districts).collect();
    let there = |district: &String| institutions.list.iter().any(|one| one.district == *district);
    let missing = named.into_iter().filter(|district| !there(district));
    inputs.notices.extend(missing.map(|district| Msg::NoSuchDistrict { district: district.clone() }));
}

/// What a block of signings came to.
#[derive(Default)]
struct SigningBlock {
    batch: Batch,
    rejects: Vec<Reject>,
    void: u64,
    /// Contract ids of void rows, where earlier postings may know them.
    void_contracts: Vec<Vec<u8>>,
    /// Rows that the rules refuse, whose contract earlier postings may know: (index into the refused, contract).
    standing: Vec<(usize, Vec<u8>)>,
}

/// What reading the signings gave: rows that passed their own checks, and counts by institution.
pub struct ReadSignings {
    pub candidates: Candidates,
    pub counts: Vec<RowCounts>,
    pub classes: Classes,
    pub details: DetailsList,
    /// What the rows say of signings of the past.
    pub of_past: OfPast,
}

/// Reads signings and checks each row by itself: E101–E405. Those of the past join them.
pub fn signings(
    inputs: &mut Inputs,
    rules: &Rules,
    history: &History,
    progress: Progress,
) -> Result<ReadSignings> {
    let (classes, details) = (Classes::default(), DetailsList::default());
    let (recalled, contracts) = history.recall(rules, &classes, &details)?;
    let mut candidates = Candidates::recalled(recalled, contracts);
    let mut counts = vec![RowCounts::default(); rules.institutions.count()];
    let (mut void_contracts, mut of_past) = (BTreeSet::new(), OfPast::default());
    for opened in inputs.take(Kind::Signings) {
        let (mut rejects, mut void) = (Vec::new(), 0);
        let mut standing = Vec::new();
        let desk =
            || (Desk::new(rules, &classes, &details), vec![RowCounts::default(); rules.institutions.count()]);
        let parse = |desk: &mut (Desk, Vec<RowCounts>), block: &BlockRows| {
            let mut out = SigningBlock::default();
            block.each(|row| signing_row(row, desk, (rules, history.is_there()), &mut out));
            out
        };
        let (facts, again, desks) = read_rows_with(opened, progress, desk, parse, |wave| {
            for block in wave {
                candidates.join(block.batch);
                let before = rejects.len();
                standing.extend(block.standing.into_iter().map(|(at, contract)| (before + at, contract)));
                rejects.extend(block.rejects);
                void += block.void;
                void_contracts.extend(block.void_contracts);
            }
        })?;
        for (_, more) in desks {
            counts.iter_mut().zip(more).for_each(|(sum, more)| sum.add(more));
        }
        if !standing.is_empty() {
            let of = Standing { rules, history, classes: &classes, details: &details };
            let admitted = of.admit(&again, &rejects, standing, &mut candidates, &mut of_past)?;
            for institution in admitted.values() {
                // Of an institution that is on no list any more nothing was counted.
                let counts = &mut counts[*institution as usize];
                counts.rejected = counts.rejected.saturating_sub(1);
            }
            let mut at = 0;
            rejects.retain(|_| {
                at += 1;
                !admitted.contains_key(&(at - 1))
            });
        }
        inputs.read(facts, rejects);
        inputs.void_rows += void;
    }
    of_past.void = history.voided(&void_contracts).into_iter().collect();
    Ok(ReadSignings { candidates, counts, classes, details, of_past })
}

/// Rows that the rules refuse and whose contract was posted. What the institution or the person became since
/// takes nothing back; what the signing is now may.
struct Standing<'a> {
    rules: &'a Rules<'a>,
    history: &'a History<'a>,
    classes: &'a Classes,
    details: &'a DetailsList,
}

impl Standing<'_> {
    /// Reads such rows again as what they are now; gives which of the refusals fall, and their institutions.
    /// Where one stays, the posted signing is refused with it.
    fn admit(
        &self,
        again: &Again,
        rejects: &[Reject],
        standing: Vec<(usize, Vec<u8>)>,
        candidates: &mut Candidates,
        of_past: &mut OfPast,
    ) -> Result<BTreeMap<usize, u32>> {
        let hashes: FxHashSet<u64> = standing.iter().map(|(_, contract)| id_hash(contract)).collect();
        let found = self.history.with_hashes(&hashes);
        let mut known: BTreeMap<u32, (usize, u32)> = BTreeMap::new();
        for (at, contract) in standing {
            let among = found.get(&id_hash(&contract));
            if let Some(posted) = among.and_then(|among| self.history.of_contract(among, &contract)) {
                known.insert(rejects[at].place.line, (at, posted));
            }
        }
        let lines: Vec<u32> = known.keys().copied().collect();
        let rows = again.rows(&lines, |row| {
            let (at, posted) = known[&row.place().line];
            let mut desk = Desk::new(self.rules, self.classes, self.details);
            let mut batch = Batch::default();
            let Ok(Signing::Row(signing)) = signings::read(row, &mut desk.words, self.rules.institutions)
            else {
                return None;
            };
            let same = self.history.signing(posted).person == signing.person;
            same.then(|| {
                (at, posted, desk.admit(&signing, row, self.history.posted_as(posted), &mut batch), batch)
            })
        })?;
        let mut admitted = BTreeMap::new();
        for (at, posted, result, batch) in rows.into_iter().flatten() {
            match result {
                Ok(()) => {
                    admitted.extend(batch.signings.first().map(|signing| (at, signing.institution)));
                    of_past.standing.extend(batch.signings.first().map(|signing| signing.place()));
                    candidates.join(batch);
                }
                Err(fault) => {
                    of_past.refused.insert(posted, fault.code);
                }
            }
        }
        Ok(admitted)
    }
}

fn signing_row(
    row: &Row,
    (desk, counts): &mut (Desk, Vec<RowCounts>),
    (rules, past): (&Rules, bool),
    out: &mut SigningBlock,
) {
    let read = signings::read(row, &mut desk.words, rules.institutions);
    let (void, institution, day, fault) = match &read {
        Ok(Signing::Row(signing)) => {
            let fault = desk.admit(signing, row, None, &mut out.batch).err();
            if past && fault.is_some() {
                out.standing.push((out.rejects.len(), signing.contract.to_vec()));
            }
            (false, signing.institution, Some(signing.signed_on), fault)
        }
        other => {
            let certain = !matches!(other, Err(fault) if fault.code == Code::E101);
            let find = || row.institution(signings::INSTITUTION, rules.institutions);
            let institution = certain.then(find).flatten();
            let day = cells::date(&row.text(signings::SIGNED_ON));
            (matches!(other, Ok(Signing::Void)), institution, day, other.as_ref().err().cloned())
        }
    };
    out.void += u64::from(void);
    if void && past {
        out.void_contracts.push(row.id(signings::CONTRACT).into_owned());
    }
    if let Some(institution) = institution {
        let assessed = u64::from(day.is_none_or(|day| rules.contains(day)));
        let refused = u64::from(fault.is_some());
        let counts = &mut counts[institution as usize];
        counts.rows += 1;
        counts.void += u64::from(void);
        counts.rejected += refused;
        counts.assessed_rows += assessed;
        counts.assessed_refused += assessed * refused;
    }
    if let Some(fault) = fault {
        out.rejects.push(row.reject(Kind::Signings, fault, signings::IDS));
    }
}

/// Reads swipes against the qualified signings: E101–E301, E506.
pub fn swipes(
    inputs: &mut Inputs,
    rules: &Rules,
    qualified: &Qualified,
    history: &History,
    progress: Progress,
) -> Result<Evidence> {
    let opened = inputs.take(Kind::Swipes);
    let bytes: u64 = opened.iter().filter_map(|one| Some(one.file.path.metadata().ok()?.len())).sum();
    // A swipe takes some 80 bytes of a file.
    let mut evidence = Evidence::new(rules, qualified, history, bytes / 80);
    let (mut again, mut lines) = (BTreeMap::new(), 0);
    for opened in opened {
        let index = opened.index;
        evidence.next_file(index, lines);
        let position = |column| opened.columns.position(column).is_some();
        let (item, charged) = (position(swipes::ITEM), position(swipes::CHARGED));
        inputs.missing.item |= !item;
        inputs.missing.charged |= !charged;
        for (there, column) in [(item, swipes::ITEM), (charged, swipes::CHARGED)] {
            if !there && cited(rules.region, Code::W701) {
                let column = opened.columns.title(column);
                inputs.notices.push(Msg::LeftOutColumn {
                    what: "W701".into(),
                    file: opened.file.name.clone(),
                    column,
                });
            }
        }
        let mut rejects = Vec::new();
        let against = Against { charged, rules, qualified };
        let parse = |words: &mut SwipeWords, block: &BlockRows| {
            let mut out = SwipeBlock::default();
            evidence.at_desk(against, |desk| {
                let take = |(desk, out): &mut (&mut SwipeDesk, &mut SwipeBlock), (swipe, id): (Swipe, _)| {
                    out.last = out.last.max(swipe.place.line);
                    desk.take(swipe, id, &evidence, against);
                };
                let mut taken = (desk, &mut out);
                block.each_usual(
                    &mut (words, &mut taken),
                    |(words, to), rows| usual_swipes(rows, rules, words, |swipe| take(to, swipe)),
                    |(words, to), row| match swipe_row(row, rules, |row| words.read(row, rules)) {
                        Ok(swipe) => take(to, swipe),
                        Err(fault) => to.1.rejects.push(row.reject(Kind::Swipes, fault, swipes::IDS)),
                    },
                );
            });
            out
        };
        lines = 0;
        let (facts, file, _) = read_rows_with(opened, progress, SwipeWords::default, parse, |wave| {
            for block in wave {
                lines = block.last.max(lines);
                rejects.extend(block.rejects);
            }
        })?;
        inputs.read(facts, rejects);
        again.insert(index, (file, charged));
    }
    repeated_swipes(inputs, &again, rules, qualified, &mut evidence)?;
    if !inputs.has(Kind::Swipes) {
        let flags: Vec<&str> = [Code::W701, Code::W703, Code::W707]
            .into_iter()
            .filter(|code| cited(rules.region, *code))
            .map(Code::name)
            .collect();
        if !flags.is_empty() {
            inputs.notices.push(Msg::LeftOutFile { what: flags.join(" / "), kind: Kind::Swipes.name() });
        }
    }
    Ok(evidence)
}

fn cited(region: &Region, code: Code) -> bool {
    region.versions.iter().any(|version| version.flag(code).is_some())
}

/// What a block of swipes came to, beside what was counted.
#[derive(Default)]
struct SwipeBlock {
    /// The last line that was taken.
    last: u32,
    rejects: Vec<Reject>,
}

/// What the words of some columns stand for.
#[derive(Default)]
struct SwipeWords {
    items: Known<u16>,
    cards: Known<u8>,
}

impl SwipeWords {
    fn read(&mut self, row: &Row, rules: &Rules) -> (u16, u8) {
        let item = row.known(swipes::ITEM, &mut self.items, |name| rules.find_item(name));
        let card = match rules.asks_for_cards() {
            true => row.known(swipes::CARD, &mut self.cards, |name| rules.find_card(name)),
            false => NO_CARD,
        };
        (item, card)
    }
}

/// [`swipe_row`] of rows that have nothing unusual, and no word that was not met before; says which these are.
#[inline(always)]
fn usual_swipes(
    rows: &WholeRows,
    rules: &Rules,
    words: &SwipeWords,
    mut take: impl FnMut((Swipe, Option<u64>)),
) -> u64 {
    let mut sound = u64::MAX;
    let read = swipes::read_usual(rows, rules.institutions, &mut sound);
    let items = rows.read(&mut sound, 0, |at| rows.known(at, swipes::ITEM, &words.items));
    let cards = match rules.asks_for_cards() {
        true => rows.read(&mut sound, 0, |at| rows.known(at, swipes::CARD, &words.cards)),
        false => [NO_CARD; TOGETHER],
    };
    for at in (0..rows.count()).filter(|at| sound >> at & 1 == 1) {
        let row = SwipeRow {
            person: read.people[at].0,
            institution: Some(read.institutions[at]),
            day: read.days[at],
            id: read.ids[at],
            quantity: read.quantities[at],
            charged: read.charged[at],
        };
        take((swipe(&row, read.institutions[at], rows.place(at), (items[at], cards[at])), row.id));
    }
    sound
}

/// A swipe with its names looked up, and the hash of its id.
fn swipe_row(
    row: &Row,
    rules: &Rules,
    words: impl FnOnce(&Row) -> (u16, u8),
) -> Result<(Swipe, Option<u64>), Fault> {
    let read = swipes::read(row, rules.institutions)?;
    let Some(institution) = read.institution else {
        let id = row.text(swipes::INSTITUTION);
        return Err(Fault::new(Code::E301, unknown_institution(rules, &id)));
    };
    Ok((swipe(&read, institution, row.place(), words(row)), read.id))
}

#[inline(always)]
fn swipe(read: &SwipeRow, institution: u32, place: Place, (item, card): (u16, u8)) -> Swipe {
    Swipe {
        person: read.person,
        day: read.day,
        institution,
        quantity: read.quantity.min(u64::from(u16::MAX)) as u32,
        charged: read.charged,
        place,
        item,
        card,
    }
}

/// Reads the rows again whose swipe_ids have the same hash: the first row that was taken keeps its id,
/// the others are E506 and taken back; two ids that only share a hash both stay.
fn repeated_swipes(
    inputs: &mut Inputs,
    files: &BTreeMap<u16, (Again, bool)>,
    rules: &Rules,
    qualified: &Qualified,
    evidence: &mut Evidence,
) -> Result<()> {
    let repeated = evidence.close();
    let mut lines: BTreeMap<u16, BTreeSet<u32>> = BTreeMap::new();
    for (place, first) in &repeated {
        lines.entry(place.file).or_default().insert(place.line);
        lines.entry(first.file).or_default().insert(first.line);
    }
    let mut rows: FxHashMap<Place, (Vec<u8>, Swipe)> = FxHashMap::default();
    for (file, lines) in lines {
        let lines: Vec<u32> = lines.into_iter().collect();
        let read = files[&file].0.rows(&lines, |row| {
            let words = |row: &Row| {
                (rules.find_item(&row.text(swipes::ITEM)), rules.find_card(&row.text(swipes::CARD)))
            };
            let (swipe, _) = swipe_row(row, rules, words).ok()?;
            Some((row.place(), (row.id(swipes::SWIPE_ID).into_owned(), swipe)))
        })?;
        rows.extend(read.into_iter().flatten());
    }
    // Ids that are none's twin though another has the same hash.
    let mut other: FxHashMap<&[u8], Place> = FxHashMap::default();
    let mut refused = Vec::new();
    for (place, first) in &repeated {
        let (id, swipe) = &rows[place];
        let first = if rows[first].0 == *id { Some(*first) } else { other.get(id.as_slice()).copied() };
        let Some(first) = first else {
            other.insert(id, *place);
            continue;
        };
        let at = format!("{}:{}", inputs.names[first.file as usize], first.line);
        inputs.rejects.push(Reject {
            kind: Kind::Swipes,
            place: *place,
            contract: String::new(),
            person: swipe.person.masked(),
            institution: rules.institutions.get(swipe.institution).id.clone(),
            code: Code::E506,
            reason: Msg::SwipeTwice { at },
            clause: None,
        });
        refused.push((swipe, Against { charged: files[&place.file].1, rules, qualified }));
    }
    evidence.take_back(refused.into_iter());
    Ok(())
}

/// Reads scores: E101–E105, E301, E601, E605, E602. They are held against each other later.
pub fn scores(inputs: &mut Inputs, rules: &Rules, progress: Progress) -> Result<Vec<ScoreEntry>> {
    let mut entries = Vec::new();
    let row = |row: &Row| assess::score_entry(rules, &scores::read(row)?, row.place());
    inputs.read_small(Kind::Scores, scores::IDS, progress, row, |entry| {
        entries.push(entry);
        None
    })?;
    Ok(entries)
}

/// Reads score sheets: E101–E105, E301, E605, E602, E604, E601.
pub fn sheets(inputs: &mut Inputs, rules: &Rules, progress: Progress) -> Result<Vec<SheetEntry>> {
    let mut entries = Vec::new();
    let row = |row: &Row| assess::sheet_entry(rules, &sheets::read(row)?, row.place());
    inputs.read_small(Kind::Sheets, sheets::IDS, progress, row, |entry| {
        entries.push(entry);
        None
    })?;
    Ok(entries)
}

/// Reads what was agreed on paper: E101–E104, E301, E602 (cohort), E604 (source).
pub fn adjustments(inputs: &mut Inputs, rules: &Rules) -> Result<Vec<Adjustment>> {
    let mut all = Vec::new();
    let row = |row: &Row| {
        let read = adjustments::read(row)?;
        let (cohort, source) = line_of(rules, [&read.institution, &read.cohort, &read.source])?;
        let text = |text: &str| text.to_string();
        Ok(Adjustment {
            institution: text(&read.institution),
            source,
            cohort,
            amount: read.amount,
            document: text(&read.document),
            reason: text(&read.reason),
        })
    };
    inputs.read_small(Kind::Adjustments, adjustments::IDS, &|_| {}, row, |one| {
        all.push(one);
        None
    })?;
    Ok(all)
}

/// The institutions that files of a kind name in their first column, where there is no list of them.
pub fn institutions_named(inputs: &mut Inputs, kind: Kind) -> Result<Institutions> {
    let mut all = Institutions::default();
    for opened in inputs.opened.get(&kind).into_iter().flatten() {
        let again = open(opened.file.clone(), opened.index, columns(kind))?;
        let parse = |block: &BlockRows| {
            let mut ids = Vec::new();
            block.each(|row| {
                if row.whole().is_ok() {
                    ids.push((row.text(0).into_owned(), row.place()));
                }
            });
            ids
        };
        read_rows(again, &|_| {}, parse, |wave| {
            for (id, place) in wave.into_iter().flatten() {
                if !id.is_empty() && all.find(id.as_bytes()).is_none() {
                    // It was not there a line ago.
                    let _ = all.add(institutions::Institution::named(&id, place), &[]);
                }
            }
        })?;
    }
    Ok(all)
}

/// Reads payments: E101–E105, E301, E602 (cohort), E604 (source), E304 (package). A ledger knows better.
pub fn payments(inputs: &mut Inputs, rules: &Rules, ledger: bool, progress: Progress) -> Result<Posted> {
    let mut posted = Posted::new();
    if ledger {
        if inputs.has(Kind::Payments) {
            inputs.take(Kind::Payments);
            inputs.notices.push(Msg::PaymentsNotRead);
        }
        return Ok(posted);
    }
    let (mut unnamed, mut elsewhere) = (false, 0);
    let row = |row: &Row| payment(rules, &payments::read(row)?);
    inputs.read_small(Kind::Payments, payments::IDS, progress, row, |(key, amount, named)| {
        unnamed |= !named;
        elsewhere += u64::from(!rules.period.covers(key.0));
        *posted.entry(key).or_default() += amount;
        None
    })?;
    let refused = inputs.rejects.iter().filter(|reject| reject.kind == Kind::Payments).count() as u64;
    if refused > 0 {
        inputs.notices.push(Msg::PaymentsRefused { rows: refused });
    }
    if elsewhere > 0 {
        inputs.notices.push(Msg::PaymentsElsewhere { rows: elsewhere, period: rules.period });
    }
    if !inputs.has(Kind::Payments) && inputs.has(Kind::Scores) {
        inputs.notices.push(Msg::NoPaymentsFile);
    }
    if unnamed {
        let file = inputs.files.iter().find(|file| file.kind == Kind::Payments).map(|file| file.name.clone());
        inputs.notices.push(Msg::NoPackageNamed { file: file.unwrap_or_default() });
    }
    Ok(posted)
}

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

fn person_of(row: &Row, column: usize) -> Option<PersonId> {
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
