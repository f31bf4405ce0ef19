//! The stages that read: each takes the files of one kind, hands their rows to the computation,
//! and keeps what was refused. In the order of the files, whatever the number of threads.

pub mod find;
pub mod signings;
pub mod small;
pub mod swipes;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::base::code::Code;
use crate::base::message::Msg;
use crate::base::place::Kind;
use crate::intake::columns::Column;
use crate::intake::folder::{Form, InputFile};
use crate::intake::header::{Opened, open};
use crate::intake::institutions::{self, Institutions};
use crate::intake::read::{FileFacts, read_rows};
use crate::intake::refusals::{Refusals, Refused};
use crate::intake::rows::{BlockRows, Fault, Reject, Row};
use crate::intake::scores::{self, payments};
use crate::intake::{adjustments, sheets};
use crate::intake::{signings as signing_rows, swipes as swipe_rows};
use crate::policy::package::{Conditions, Package};
use crate::policy::version::Region;
use crate::policy::{CapOf, Policy};

/// What a run does, in this order; some of it only where there is something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Ledger,
    Headers,
    Signings,
    Qualify,
    Swipes,
    Small,
    Settle,
    Write,
    Post,
}

/// Who looks on while a run goes.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Told how many more bytes were read.
    pub bytes: &'a (dyn Fn(u64) + Sync),
    /// Told what begins.
    pub begins: &'a (dyn Fn(Stage) + Sync),
}

impl Watch<'_> {
    /// Nobody does.
    pub const NONE: Watch<'static> = Watch { bytes: &|_| {}, begins: &|_| {} };
}

/// The inputs of a run, and what there is to say of them.
#[derive(Default)]
pub struct Inputs {
    files: Vec<InputFile>,
    pub names: Vec<String>,
    /// Headers read, not yet rows.
    opened: BTreeMap<Kind, Vec<Opened>>,
    pub facts: Vec<FileFacts>,
    pub rejects: Refusals,
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
        Kind::Signings => signing_rows::COLUMNS,
        Kind::Swipes => swipe_rows::COLUMNS,
        Kind::Scores => scores::COLUMNS,
        Kind::Payments => payments::COLUMNS,
        Kind::Sheets => sheets::COLUMNS,
        Kind::Adjustments => adjustments::COLUMNS,
    }
}

impl Inputs {
    /// Opens every file and reads its header, so that a missing column stops the run at once.
    pub fn open(files: Vec<InputFile>) -> Result<Inputs> {
        let mut inputs = Inputs::default();
        for (index, file) in files.iter().enumerate() {
            let opened = open(file.clone(), index as u16, columns(file.kind))?;
            let (unknown, doubled) = (opened.columns.unknown.clone(), opened.columns.doubled.clone());
            inputs.names.push(opened.name());
            inputs.notices.extend(opened.notices.iter().cloned());
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

    /// Stops the run where a file is no longer what was read.
    pub fn must_hold(&self) -> Result<()> {
        self.facts.iter().try_for_each(|facts| facts.stamp.must_hold())
    }

    /// Refused rows of files; what the ledger knows and is refused now is in no file.
    pub fn refused(&self) -> impl Iterator<Item = Refused> {
        self.rejects.iter().filter(|reject| usize::from(reject.place.file) < self.files.len())
    }

    /// Every file with its number.
    pub fn files(&self) -> impl Iterator<Item = (u16, &InputFile)> {
        self.files.iter().enumerate().map(|(index, file)| (index as u16, file))
    }

    /// How many rows of files a stage of reading was about.
    pub fn rows_of(&self, stage: Stage) -> u64 {
        let of = |kind: Kind| match kind {
            Kind::Institutions => Stage::Headers,
            Kind::Signings => Stage::Signings,
            Kind::Swipes => Stage::Swipes,
            Kind::Scores | Kind::Payments | Kind::Sheets | Kind::Adjustments => Stage::Small,
        };
        self.facts.iter().filter(|facts| of(facts.kind) == stage).map(|facts| facts.rows).sum()
    }

    pub fn has(&self, kind: Kind) -> bool {
        self.files.iter().any(|file| file.kind == kind)
    }

    /// About how many bytes the rows of a kind take.
    fn bytes_of(&self, kind: Kind) -> u64 {
        let of_file = |opened: &Opened| {
            // Packed they take a sixth.
            let packed = Form::of(&opened.file.path) != Form::Plain;
            Some(opened.file.path.metadata().ok()?.len() * if packed { 6 } else { 1 })
        };
        self.opened.get(&kind).into_iter().flatten().filter_map(of_file).sum()
    }

    fn take(&mut self, kind: Kind) -> Vec<Opened> {
        self.opened.remove(&kind).unwrap_or_default()
    }

    /// Notes a file that was read. Its refused rows stand from `first` on.
    fn read(&mut self, facts: FileFacts, first: usize) {
        let not_text =
            self.rejects.iter().skip(first).filter(|reject| reject.code == Code::E105).count() as u64;
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
    }

    /// Reads small files of one kind, row by row: what `row` refuses is rejected.
    fn read_small<T: Send>(
        &mut self,
        kind: Kind,
        ids: [Option<usize>; 3],
        watch: Watch,
        row: impl Fn(&Row) -> Result<T, Fault> + Sync,
        mut take: impl FnMut(T) -> Option<Reject> + Send,
    ) -> Result<()> {
        for opened in self.take(kind) {
            let mut rejects = Refusals::default();
            let parse = |block: &BlockRows| {
                let mut parsed = Vec::new();
                block.each(|cells| parsed.push(row(cells).map_err(|fault| cells.reject(kind, fault, ids))));
                parsed
            };
            let (facts, _) = read_rows(opened, watch.bytes, parse, |wave| {
                for result in wave.into_iter().flatten() {
                    match result {
                        Ok(value) => rejects.extend(take(value)),
                        Err(reject) => rejects.push(reject),
                    }
                }
            })?;
            let first = self.rejects.len();
            self.rejects.append(rejects);
            self.read(facts, first);
        }
        Ok(())
    }
}

/// Says which checks an institutions or signings file without a column leaves out.
pub fn unchecked(inputs: &mut Inputs, region: &Region) {
    let any = |asks: fn(&Policy) -> bool| region.versions.iter().any(asks);
    let wanted = [
        (Kind::Institutions, institutions::DESIGNATED, Code::E302, true),
        (Kind::Signings, signing_rows::INSURED, Code::E401, any(|policy| policy.insurance.is_some())),
        (Kind::Signings, signing_rows::BALANCE, Code::E405, any(|policy| policy.balance.is_some())),
        (Kind::Signings, signing_rows::PERSONAL_PAID, Code::W702, cited(region, Code::W702)),
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
            signing_rows::GROUPS,
            "groups",
            asked(|asked| !asked.tags.is_empty())
                || package(|package| package.groups.iter().any(|group| !group.tags.is_empty())),
        ),
        (Kind::Signings, signing_rows::SCHEME, "scheme", asked(|asked| !asked.schemes.is_empty())),
        (
            Kind::Signings,
            signing_rows::AUTHORIZED,
            "authorized",
            any(|policy| policy.authorization.is_some()),
        ),
        (
            Kind::Signings,
            signing_rows::ENDED_REASON,
            "ended_reason",
            any(|policy| !policy.prorate.reasons.is_empty()),
        ),
        (Kind::Signings, signing_rows::TEAM, "W705", caps(CapOf::Team)),
        (Kind::Signings, signing_rows::DOCTOR, "W705", caps(CapOf::Doctor)),
        (Kind::Swipes, swipe_rows::ITEM, "W707", cited(region, Code::W707)),
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
    for opened in inputs.opened.get(&Kind::Institutions).into_iter().flatten() {
        if any(|policy| !policy.institutions.kinds.is_empty())
            && opened.columns.position(institutions::KIND).is_none()
        {
            let (file, column) = (opened.file.name.clone(), opened.columns.title(institutions::KIND));
            notices.push(Msg::KindsMissing { file, column });
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

fn cited(region: &Region, code: Code) -> bool {
    region.versions.iter().any(|version| version.flag(code).is_some())
}
