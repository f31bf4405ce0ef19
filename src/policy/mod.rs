//! One region's rules: TOML as written → checked → [`Policy`], each figure with its clause.

mod build;
mod build_assessment;
mod build_package;
mod build_parts;
pub mod calendar;
pub mod curve;
mod file;
mod merge;
pub mod package;
mod reader;
pub mod schedule;
pub mod sheet;
pub mod version;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::code::Code;
use crate::base::period::{Cycle, Date};
use crate::base::text::narrow;

use calendar::Calendar;
use curve::Curve;
use package::{Limit, Package};
use rust_decimal::Decimal;
use schedule::{Prorate, Schedule, Terms};
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
    /// What the fee is for: a contract year, half-year, quarter or month.
    pub schedule: Schedule,
    pub charge_clause: Clause,
    /// The settlement cycle: charges that start in one are a cohort.
    pub cycle: Cycle,
    pub terms: Terms,
    /// How a charge that is cut short is paid.
    pub prorate: Prorate,
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
    /// Most people of a team or a doctor (W705).
    pub caps: Vec<Cap>,
    /// What the file, and whoever extends it, may not go under or over.
    pub limits: Vec<Limit>,
    pub figures: Vec<Figure>,
    pub calendar: Option<Calendar>,
    /// The article by which who posts and who approved must be two people, where one says so.
    pub two_people: Option<Clause>,
    /// Figures that the text leaves to the region.
    pub local: Vec<LocalFigure>,
    /// The file as it is, then what it extends, for the manifest.
    pub files: Vec<PolicyFile>,
}

/// Where a policy came from.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    /// `regions/urumqi/2019-11-01.toml`, wherever it was found.
    pub name: String,
    pub text: Arc<str>,
}

impl PolicyFile {
    /// `urumqi/2019-11-01`, by its folder and its name.
    pub fn id(&self) -> String {
        let name = self.name.strip_suffix(".toml").unwrap_or(&self.name);
        let mut parts: Vec<&str> = name.rsplit(['/', '\\']).take(2).collect();
        parts.reverse();
        parts.join("/")
    }
}

/// Something with an id that rows may call by several names.
#[derive(Clone, Debug)]
pub struct Named {
    pub id: String,
    pub name: String,
    pub aliases: Vec<String>,
    /// These with full-width letters, digits and marks as half-width ones, where they have any: so cells are read.
    narrow: Vec<String>,
}

impl Named {
    pub fn new(id: String, name: String, aliases: Vec<String>) -> Named {
        let mut named = Named { id, name, aliases, narrow: Vec::new() };
        let narrow: BTreeSet<String> = named.names().map(narrow).collect();
        named.narrow = narrow.into_iter().filter(|name| !named.is(name)).collect();
        named
    }

    pub fn is(&self, text: &str) -> bool {
        self.names().any(|name| name == text)
    }

    /// All that a cell may call it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let more = self.aliases.iter().chain(&self.narrow).map(String::as_str);
        [self.id.as_str(), self.name.as_str()].into_iter().chain(more)
    }
}

/// Whether a cell that was narrowed is this id or name.
pub fn is_called(text: &str, [id, name]: [&String; 2]) -> bool {
    text == id || text == name || text == narrow(name)
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
    /// Index into [`Policy::curves`]: what the whole share is cleared by.
    pub curve: Option<usize>,
    /// What is not prepaid, in parts, each with its own date and assessment; instead of `curve`.
    pub tranches: Vec<Tranche>,
    pub clause: Clause,
    pub prepay_clause: Clause,
}

/// A part of a share that is released by itself (分期拨付).
#[derive(Debug)]
pub struct Tranche {
    pub id: String,
    pub name: String,
    /// Of the share, 0 to 1.
    pub part: Decimal,
    /// Index into [`Policy::curves`]; without one all of it is paid.
    pub curve: Option<usize>,
    /// Not due before so many months after the cohort's first day.
    pub after_months: u32,
    pub clause: Clause,
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

/// A charge is held until service records fall in its own year or month.
#[derive(Debug)]
pub struct Evidence {
    /// Admitted cards; empty: any.
    pub cards: Vec<Named>,
    /// How many it takes; a package may ask for another number.
    pub at_least: u32,
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

/// The most people that a team or a doctor may have.
#[derive(Debug)]
pub struct Cap {
    pub of: CapOf,
    pub people: u64,
    /// Whether charges of whoever comes later are held, or only flagged.
    pub cut_off: bool,
    pub clause: Clause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CapOf {
    Team,
    Doctor,
}

/// A figure that is reported beside the money.
#[derive(Debug)]
pub struct Figure {
    pub kind: FigureKind,
    pub clause: Clause,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FigureKind {
    /// Signings of free packages in force on the last day of the period.
    FreeSignings,
    /// People with a charge in the period ÷ served population.
    Coverage { target: Option<Decimal> },
    /// What residents bear of the period's charges.
    IndividualShare,
    /// The least part of what is due that goes to those who serve.
    StaffShare { ratio: Decimal },
    /// For the teams, by served population: ratio × a yearly standard for each head.
    TeamReward { ratio: Decimal, standard: crate::base::money::Fen },
    /// Whether the institution's contract is renewed.
    Renewal,
    /// The day by which an institution must be told its result.
    FeedbackDay { working_days: u32 },
    /// The measured value of an indicator of the score sheets.
    Satisfaction { indicator: String, target: Option<Decimal> },
}

impl FigureKind {
    pub fn id(&self) -> &'static str {
        match self {
            FigureKind::FreeSignings => "free_signings",
            FigureKind::Coverage { .. } => "coverage",
            FigureKind::IndividualShare => "individual_share",
            FigureKind::StaffShare { .. } => "staff_share",
            FigureKind::TeamReward { .. } => "team_reward",
            FigureKind::Renewal => "renewal",
            FigureKind::FeedbackDay { .. } => "feedback_day",
            FigureKind::Satisfaction { .. } => "satisfaction",
        }
    }
}

/// A figure that the text leaves to the region (`[local]`).
#[derive(Clone, Debug)]
pub struct LocalFigure {
    pub id: String,
    /// As written; nothing where it is open.
    pub value: Option<String>,
    /// With its quotation marks.
    pub written: Option<String>,
    pub means: String,
    pub at_least: Option<Decimal>,
    pub at_most: Option<Decimal>,
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

    /// Local figures that nobody confirmed.
    pub fn open_figures(&self) -> impl Iterator<Item = &LocalFigure> {
        self.local.iter().filter(|figure| !figure.confirmed)
    }

    /// These as messages name them: `urumqi/2019-11-01 fee`.
    pub fn open_ids(&self) -> impl Iterator<Item = String> {
        self.open_figures().map(|figure| format!("{} {}", self.id, figure.id))
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

    /// Every assessment that a curve looks at, through the curves that it chains.
    pub fn assessed_by(&self, curve: usize) -> Vec<curve::Assessed> {
        match &self.curves[curve].basis {
            curve::Basis::Chain(of) => of.iter().flat_map(|one| self.assessed_by(*one)).collect(),
            basis => basis.assessed(),
        }
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
        self.evidence.is_some()
            || self
                .packages
                .iter()
                .any(|package| package.deduct_missing || package.services_at_least.is_some())
    }
}
