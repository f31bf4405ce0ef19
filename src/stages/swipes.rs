//! Swipes → evidence: each held against the qualified signings, by all threads.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;

use anyhow::Result;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::base::code::Code;
use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::place::{Kind, Place};
use crate::base::reason::Reason;
use crate::intake::header::cannot_read;
use crate::intake::read::{Again, read_rows_with};
use crate::intake::refusals::Refusals;
use crate::intake::rows::{BlockRows, Cells, Fault, Known, Reject, Row, TOGETHER, WholeRows};
use crate::intake::swipes;
use crate::intake::swipes::SwipeRow;
use crate::settlement::desk::unknown_institution;
use crate::settlement::evidence::{Against, Desk as SwipeDesk, Evidence, Swipe};
use crate::settlement::history::History;
use crate::settlement::qualify::Qualified;
use crate::settlement::rules::{NO_CARD, Rules};

use super::{Inputs, Watch, cited};

/// Reads swipes against the qualified signings: E101–E301, E506.
pub fn swipes(
    inputs: &mut Inputs,
    rules: &Rules,
    qualified: &Qualified,
    history: &History,
    watch: Watch,
) -> Result<Evidence> {
    // A swipe takes some 80 bytes.
    let mut evidence = Evidence::new(rules, qualified, inputs.bytes_of(Kind::Swipes) / 80, scratch());
    let finder = qualified.finder();
    let opened = inputs.take(Kind::Swipes);
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
        // A province of them would not be there twice.
        let (first, rejects) = (inputs.rejects.len(), &mut inputs.rejects);
        let against = Against { charged, rules, qualified, finder: &finder };
        let parse = |words: &mut SwipeWords, block: &BlockRows| {
            let mut out = SwipeBlock::default();
            evidence.at_desk(against, |desk| {
                let take = |(desk, out): &mut (&mut SwipeDesk, &mut SwipeBlock), (swipe, id): (Swipe, _)| {
                    out.last = out.last.max(swipe.place.line);
                    desk.take(swipe, id, &evidence, against);
                };
                let mut taken = (desk, &mut out);
                block.each_vouched(
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
        let (facts, file, _) = read_rows_with(opened, watch.bytes, SwipeWords::default, parse, |wave| {
            for block in wave {
                lines = block.last.max(lines);
                rejects.append(block.rejects);
            }
        })?;
        inputs.read(facts, first);
        again.insert(index, (file, charged));
    }
    let against = Against { charged: false, rules, qualified, finder: &finder };
    repeated_swipes(inputs, &again, against, &mut evidence)?;
    evidence.recall(rules, qualified, history);
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

/// What a block of swipes came to, beside what was counted.
#[derive(Default)]
struct SwipeBlock {
    /// The last line that was taken.
    last: u32,
    rejects: Refusals,
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
        // Also where no rule asks for a card: a word that was met is known to be text.
        (item, row.known(swipes::CARD, &mut self.cards, |name| rules.find_card(name)))
    }
}

/// [`swipe_row`] of rows that have nothing unusual, and no word that was not met before; says which these are. Of their
/// columns each cell is ASCII, or a word that was text before.
#[inline(always)]
fn usual_swipes(
    rows: &WholeRows,
    rules: &Rules,
    words: &SwipeWords,
    mut take: impl FnMut((Swipe, Option<u64>)),
) -> u64 {
    let mut sound = u64::MAX;
    let read = swipes::read_usual(rows, rules.institutions, &mut sound);
    let cells = rows.column(swipes::ITEM);
    let items = rows.read(&mut sound, 0, |at| words.items.of(cells, at));
    let cells = rows.column(swipes::CARD);
    let cards = match rules.asks_for_cards() {
        true => rows.read(&mut sound, 0, |at| words.cards.of(cells, at)),
        false => {
            rows.must_be_text(&mut sound, swipes::CARD, &words.cards);
            [NO_CARD; TOGETHER]
        }
    };
    for at in (0..rows.count()).filter(|at| sound >> at & 1 == 1) {
        let row = read.row(at);
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

/// Where large files that nobody keeps belong: `TMPDIR`, or `/var/tmp`, which is seldom a disk made of memory.
fn scratch() -> PathBuf {
    let told = env::var_os("TMPDIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let large = || Some(PathBuf::from("/var/tmp")).filter(|folder| folder.is_dir());
    told.or_else(large).unwrap_or_else(env::temp_dir)
}

/// Reads the rows again whose swipe_ids have the same hash: the first row that was taken keeps its id,
/// the others are E506 and taken back; two ids that only share a hash both stay.
fn repeated_swipes(
    inputs: &mut Inputs,
    files: &BTreeMap<u16, (Again, bool)>,
    against: Against,
    evidence: &mut Evidence,
) -> Result<()> {
    let rules = against.rules;
    let repeated = evidence.close().map_err(|error| cannot_read(&scratch().display().to_string(), &error))?;
    let mut places: Vec<Place> = repeated.iter().flat_map(|(place, first)| [*place, *first]).collect();
    places.par_sort_unstable();
    places.dedup();
    // In order of their places.
    let mut rows: Vec<(Box<[u8]>, Swipe)> = Vec::with_capacity(places.len());
    for of_file in places.chunk_by(|a, b| a.file == b.file) {
        let lines: Vec<u32> = of_file.iter().map(|place| place.line).collect();
        let read = files[&of_file[0].file].0.rows(&lines, |row| {
            let words = |row: &Row| {
                (rules.find_item(&row.text(swipes::ITEM)), rules.find_card(&row.text(swipes::CARD)))
            };
            let (swipe, _) = swipe_row(row, rules, words).ok()?;
            Some((row.id(swipes::SWIPE_ID).into_owned().into_boxed_slice(), swipe))
        })?;
        rows.extend(read.into_iter().flatten());
    }
    // Ids that are none's twin though another has the same hash.
    let mut other: FxHashMap<&[u8], Place> = FxHashMap::default();
    let mut refused = Vec::new();
    for (place, first) in &repeated {
        let read = |at: &Place| {
            let file = || inputs.names[at.file as usize].clone();
            let found = rows.binary_search_by_key(at, |(_, swipe)| swipe.place).ok();
            found.map(|at| &rows[at]).ok_or_else(|| stop(Msg::ChangedMeanwhile { file: file() }, None))
        };
        let (id, swipe) = read(place)?;
        let first = if read(first)?.0 == *id { Some(*first) } else { other.get(&**id).copied() };
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
            reason: Reason::SwipeTwice { at },
            clause: None,
        });
        refused.push((swipe, Against { charged: files[&place.file].1, ..against }));
    }
    evidence.take_back(refused.into_iter());
    Ok(())
}
