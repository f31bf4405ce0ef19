//! Service packages (服务包): fee, shares, items, and whom they are for.

use rust_decimal::Decimal;

use crate::base::money::Fen;
use crate::base::period::Date;

use super::{Clause, Named};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PackageKind {
    /// One at a time for a person.
    Basic,
    /// Counted; no charge; blocks nobody.
    Free,
    /// On top of a basic one.
    Addon,
}

impl PackageKind {
    pub const ALL: [(&str, PackageKind); 3] =
        [("basic", PackageKind::Basic), ("free", PackageKind::Free), ("addon", PackageKind::Addon)];
}

#[derive(Debug)]
pub struct Package {
    pub named: Named,
    pub kind: PackageKind,
    /// For one contract year or month; zero where the package is free.
    pub fee: Fen,
    /// In order; the last is the rest.
    pub shares: Vec<ShareRule>,
    /// Ids of packages of which the person must have one (add-ons only).
    pub requires: Vec<String>,
    pub group: Option<Group>,
    pub items: Vec<Item>,
    /// Items missing at clearing take their amount off the share.
    pub deduct_missing: bool,
    pub offered_from: Date,
    pub clause: Clause,
}

/// Whom a package is for.
#[derive(Debug)]
pub struct Group {
    pub age_from: Option<i16>,
    /// Below this age, in whole years.
    pub age_under: Option<i16>,
    /// One of these tags in the row's groups.
    pub tags: Vec<Named>,
    pub clause: Clause,
}

/// A service of the package.
#[derive(Debug)]
pub struct Item {
    pub named: Named,
    /// How often in a contract year, where the policy says.
    pub times: Option<u32>,
    /// For each time, of the settled share.
    pub amount: Option<Fen>,
    pub clause: Clause,
}

/// What one source bears, where its conditions hold.
#[derive(Debug)]
pub struct ShareRule {
    /// Index into the policy's sources.
    pub source: usize,
    pub amount: ShareAmount,
    pub when: When,
    pub clause: Clause,
}

#[derive(Debug)]
pub enum ShareAmount {
    Fixed(Fen),
    /// Of the fee, rounded half up to fen.
    Ratio(Decimal),
    /// Of the fee, by the institution's kind (index into the policy's kinds).
    RatioByKind(Vec<Decimal>),
    /// What the other shares leave.
    Rest,
}

/// All that is given must hold.
#[derive(Clone, Debug, Default)]
pub struct When {
    pub scheme: Option<usize>,
    pub kind: Option<usize>,
    pub district: Option<String>,
    pub tag: Option<Named>,
    pub age_from: Option<i16>,
    pub age_under: Option<i16>,
}

impl When {
    pub fn is_empty(&self) -> bool {
        let When { scheme, kind, district, tag, age_from, age_under } = self;
        scheme.is_none()
            && kind.is_none()
            && district.is_none()
            && tag.is_none()
            && age_from.is_none()
            && age_under.is_none()
    }
}
