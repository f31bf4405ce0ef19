//! One region's rules: TOML as written → checked → [`Policy`], each figure with its clause.

mod build;
mod build_assessment;
pub mod curve;
mod file;
pub mod package;
pub mod sheet;
pub mod version;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::code::Code;
use crate::base::period::{Cycle, Date};

use curve::Curve;
use package::Package;
use rust_decimal::Decimal;
use sheet::Sheet;

/// The article of a policy document, as it counts them: `四(四)`.
pub type Clause = Arc<str>;

/// One version of one region's rules, checked.
#[derive(Debug)]
pub struct Policy {
    /// `urumqi/2019-11-01`.
    pub id: String,
    pub name: String,
    pub document: String,
    pub from: Date,
    /// The last day, where the text names one.
    pub to: Option<Date>,
    pub clause: Clause,
    /// What the fee is for: a contract year or a contract month.
    pub charge_months: u32,
    pub charge_clause: Clause,
    /// The settlement cycle: charges that start in one are a cohort.
    pub cycle: Cycle,
    pub terms: Terms,
    pub insurance: Option<Insurance>,
    pub institutions: Kinds,
    pub sources: Vec<Source>,
    pub packages: Vec<Package>,
    pub overlap: Overlap,
    pub balance: Option<Balance>,
    pub evidence: Option<Evidence>,
    pub authorization: Option<Authorization>,
    pub population: Vec<Population>,
    pub levels: Vec<Level>,
    pub curves: Vec<Curve>,
    pub sheets: Vec<Sheet>,
    /// What flags cite, and which of them the policy knows.
    pub flags: BTreeMap<Code, Clause>,
    /// Items that may not be claimed beside a package (W707).
    pub double_benefits: Vec<DoubleBenefit>,
    /// Most people of a team (W705).
    pub team_cap: Option<u64>,
    pub figures: Vec<Figure>,
    /// Figures that the text leaves to the region.
    pub local: Vec<LocalFigure>,
    /// The file as it is, for the manifest.
    pub file: PolicyFile,
}

/// Where a policy came from.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// `regions/urumqi/2019-11-01.toml`, wherever it was found.
    pub name: String,
    pub text: Arc<str>,
}

/// The terms that may be signed for, in months.
#[derive(Clone, Debug)]
pub struct Terms {
    pub months: Vec<u32>,
    /// Any longer term than the last of `months` is allowed too.
    pub or_more: bool,
    pub clause: Clause,
}

impl Terms {
    pub fn first(&self) -> u32 {
        self.months[0]
    }

    pub fn allow(&self, months: u32) -> bool {
        self.months.contains(&months)
            || (self.or_more && self.months.last().is_some_and(|most| months > *most))
    }
}

/// Something with an id that rows may call by several names.
#[derive(Clone, Debug)]
pub struct Named {
    pub id: String,
    pub name: String,
    pub aliases: Vec<String>,
}

impl Named {
    pub fn is(&self, text: &str) -> bool {
        self.id == text || self.name == text || self.aliases.iter().any(|alias| alias == text)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        [self.id.as_str(), self.name.as_str()].into_iter().chain(self.aliases.iter().map(String::as_str))
    }
}

/// The policy is for the insured under these schemes.
#[derive(Debug)]
pub struct Insurance {
    pub schemes: Vec<Named>,
    pub clause: Clause,
}

/// Kinds of institutions that the policy tells apart.
#[derive(Debug)]
pub struct Kinds {
    /// Empty: any kind is admitted.
    pub kinds: Vec<Named>,
    pub clause: Clause,
}

impl Kinds {
    pub fn find(&self, text: &str) -> Option<usize> {
        self.kinds.iter().position(|kind| kind.is(text))
    }

    pub fn admit(&self, text: &str) -> bool {
        self.kinds.is_empty() || self.find(text).is_some()
    }
}

/// Who bears a part of the fee (资金来源).
#[derive(Debug)]
pub struct Source {
    pub id: String,
    pub name: String,
    /// Whether this policy settles it; otherwise it is only shown.
    pub settled: bool,
    pub prepay: Decimal,
    /// Borne once for a person however many packages: an add-on has none.
    pub once_for_person: bool,
    /// Index into [`Policy::curves`].
    pub curve: Option<usize>,
    pub clause: Clause,
    pub prepay_clause: Clause,
}

/// How basic and add-on packages of one person go together.
#[derive(Clone, Debug)]
pub struct Overlap {
    /// A signing blocks others for its whole signed term, even if it was ended early.
    pub whole_term: bool,
    pub addons_at_most: usize,
    pub clause: Clause,
    pub addon_clause: Clause,
}

/// A signing is refused where the balance is below this source's share (E405).
#[derive(Debug)]
pub struct Balance {
    pub source: usize,
    pub clause: Clause,
}

/// A charge is held until a service record falls in its own year or month.
#[derive(Debug)]
pub struct Evidence {
    /// Admitted cards; empty: any.
    pub cards: Vec<Named>,
    pub clause: Clause,
}

/// A source whose share is held without the person's authorization.
#[derive(Debug)]
pub struct Authorization {
    pub source: usize,
    pub clause: Clause,
}

/// A line for each institution by its served population.
#[derive(Debug)]
pub struct Population {
    pub id: String,
    pub name: String,
    pub source: usize,
    /// For each head and year, in fen.
    pub a_year: crate::base::money::Fen,
    pub clause: Clause,
}

/// Who assesses (考核层级), and how often.
#[derive(Debug)]
pub struct Level {
    pub named: Named,
    pub cycle: Cycle,
    pub clause: Clause,
}

/// Services that may not be claimed beside a package.
#[derive(Debug)]
pub struct DoubleBenefit {
    pub item: Named,
    /// Only beside a package of this kind; any where it is none.
    pub beside: Option<package::PackageKind>,
    pub clause: Clause,
}

/// A figure that is reported beside the money.
#[derive(Debug)]
pub struct Figure {
    pub kind: FigureKind,
    pub clause: Clause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// Signings of free packages in force on the last day of the period.
    FreeSignings,
    /// People with a charge in the period ÷ served population.
    Coverage,
    /// What residents bear of the period's charges.
    IndividualShare,
}

impl FigureKind {
    pub const ALL: [(&str, FigureKind); 3] = [
        ("free_signings", FigureKind::FreeSignings),
        ("coverage", FigureKind::Coverage),
        ("individual_share", FigureKind::IndividualShare),
    ];

    pub fn id(self) -> &'static str {
        FigureKind::ALL.iter().find(|(_, kind)| *kind == self).map_or("", |(id, _)| *id)
    }
}

/// A figure that the text leaves to the region (`[local]`).
#[derive(Clone, Debug)]
pub struct LocalFigure {
    pub id: String,
    pub value: String,
    pub means: String,
    pub clause: Clause,
    pub confirmed: bool,
}

impl Policy {
    pub fn source(&self, id: &str) -> Option<usize> {
        self.sources.iter().position(|source| source.id == id)
    }

    pub fn package(&self, name: &str) -> Option<usize> {
        self.packages.iter().position(|package| package.named.is(name))
    }

    /// The level that `text` names; an empty text means the only one.
    pub fn level(&self, text: &str) -> Option<usize> {
        if text.is_empty() {
            return (self.levels.len() == 1).then_some(0);
        }
        self.levels.iter().position(|level| level.named.is(text))
    }

    pub fn sheet(&self, level: usize) -> Option<&Sheet> {
        self.sheets.iter().find(|sheet| sheet.level == level)
    }

    /// The clause of a flag where the policy knows it.
    pub fn flag(&self, code: Code) -> Option<&Clause> {
        self.flags.get(&code)
    }

    /// The first day on which a signing may follow this version.
    pub fn admits_from(&self) -> Date {
        self.packages.iter().map(|package| package.offered_from).min().unwrap_or(self.from).min(self.from)
    }

    pub fn needs_swipes(&self) -> bool {
        self.evidence.is_some() || self.packages.iter().any(|package| package.deduct_missing)
    }
}
