//! Made-up exports of any region, from its rule file alone: for training, demonstration and the benches.
//!
//! The files hold what real exports hold, in a province's proportions: most rows are plain, some are wrong in
//! each of the ways that SPEC §2.1 names, and a few at their beginning show what the policy is about. Nobody in
//! them exists: every ID number has an area code 9999xx, which is assigned to nobody, with a real birth date and
//! a true check digit.
//!
//! The same arguments give the same bytes. Both forms take the same draws, so that they settle to the same
//! figures. Nothing is decided about money here: this only makes input.

mod chance;
mod days;
mod file;
mod payments;
mod people;
mod places;
mod scores;
mod sheets;
mod signings;
mod stories;
mod swipes;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use crate::base::period::Period;
use crate::policy::package::{Package, PackageKind};
use crate::policy::version::Region;
use crate::policy::{CapOf, Named, Policy};

use chance::{MILLION, Of, Rng};
use days::{Day, of_date, years_later};

pub use file::Form;
pub use stories::Tale;

/// What was asked for.
#[derive(Clone, Copy)]
pub struct Asked {
    pub period: Option<Period>,
    pub signings: u64,
    pub swipes_per_signing: u64,
    pub institutions: Option<u64>,
    /// Wrong rows in a million.
    pub errors: u64,
    pub seed: u64,
    pub form: Form,
}

/// Fewer signings than this would leave no room beside the stories.
pub const LEAST_SIGNINGS: u64 = 100;
/// More than a province has.
pub const MOST_SIGNINGS: u64 = 100_000_000;
pub const LEAST_INSTITUTIONS: u64 = 20;
pub const MOST_INSTITUTIONS: u64 = 100_000;

/// What was written: rows of each file, and what is where.
pub struct Written {
    pub period: Period,
    /// What the score sheets assess.
    pub assessed: BTreeSet<Period>,
    pub rows: Vec<(&'static str, u64)>,
    pub told: Vec<stories::Told>,
}

/// Everything that the files are made from.
pub struct Plan<'a> {
    region: &'a Region,
    policy: &'a Policy,
    period: Period,
    cohorts: Vec<Period>,
    signings: u64,
    swipes: u64,
    institutions: u64,
    errors: u64,
    seed: u64,
    form: Form,
    /// The first day on which anybody signs.
    from: Day,
    begin: Day,
    /// The day after the period.
    end: Day,
    /// When the period was assessed.
    assessed: Day,
    /// Packages that somebody may sign, by kind: indices into the policy's.
    basic: Vec<usize>,
    free: Vec<usize>,
    /// With the first basic package that they go on top of, where they ask for one.
    addons: Vec<usize>,
    /// Every tag that the policy tells people apart by, at most 64.
    tags: Vec<&'a Named>,
    kinds: Vec<&'a Named>,
    districts: Vec<String>,
    /// So many people are in one team, where the policy caps teams: more than the cap.
    crowd: u64,
    /// Scores that are set: of which level, and how many hundredths; none is no score.
    set_scores: Vec<(usize, Option<u64>)>,
    /// Numbers of people are scattered over so many birthdays.
    spread: u64,
}

/// The period that is made where none is named: the first full cycle of the newest version.
pub fn usual_period(region: &Region) -> Period {
    let policy = region.versions.last().expect("a region has a version");
    let about = policy.cycle.of(policy.from);
    if about.first_day() == policy.from {
        return about;
    }
    let next = policy.cycle.of(about.end());
    // A policy may end before a full cycle is over.
    if policy.to.is_some_and(|to| next.end() > to.saturating_add(jiff::Span::new().days(1))) {
        about
    } else {
        next
    }
}

/// How many people have ID numbers of their own: as many as a number is given in the days of the narrowest ages
/// that a package is for.
pub fn most_signings(region: &Region, period: Option<Period>) -> u64 {
    let period = period.unwrap_or_else(|| usual_period(region));
    let policy = &region.versions[region.on_or_after(period.first_day())];
    let groups = policy.packages.iter().flat_map(|package| &package.groups);
    let mut ages: Vec<i16> = groups.flat_map(|group| [group.age_from, group.age_under]).flatten().collect();
    ages.extend([0, people::OLDEST + 1]);
    ages.sort_unstable();
    ages.dedup();
    let years = ages.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(1);
    // Some days are left out at both ends, so that ages are sure for a while.
    let days = u64::from(years.unsigned_abs()) * 365 - 130;
    (days * people::OF_A_DAY).saturating_sub(signings::POOL).min(MOST_SIGNINGS)
}

impl<'a> Plan<'a> {
    pub fn new(region: &'a Region, asked: &Asked) -> Plan<'a> {
        let period = asked.period.unwrap_or_else(|| usual_period(region));
        let policy = &region.versions[region.on_or_after(period.first_day())];
        let (begin, end) = (of_date(period.first_day()), of_date(period.end()));
        let end = policy.to.map_or(end, |to| end.min(of_date(to) + 1));
        let from = of_date(policy.from).max(years_later(begin, -1));
        let may_sign = |package: &Package| of_date(package.offered_from) + 30 < end;
        let of_kind = |kind: PackageKind| {
            let all = policy.packages.iter().enumerate();
            all.filter(|(_, package)| package.kind == kind && may_sign(package)).map(|(at, _)| at).collect()
        };
        // The usual one is what the policy pays for, and what add-ons stand on.
        let mut basic: Vec<usize> = of_kind(PackageKind::Basic);
        basic.sort_by_key(|at| {
            let package: &Package = &policy.packages[*at];
            let settled = package.shares.iter().any(|share| policy.sources[share.source].settled);
            let asked = policy.packages.iter().any(|addon| addon.requires.contains(&package.named.id));
            (!settled, !asked)
        });
        let mut tags: Vec<&Named> = Vec::new();
        for package in &policy.packages {
            let asked = package.asked().flat_map(|conditions| &conditions.tags);
            for tag in package.groups.iter().flat_map(|group| &group.tags).chain(asked) {
                if tags.len() < 64 && !tags.iter().any(|known| known.id == tag.id) {
                    tags.push(tag);
                }
            }
        }
        let mut districts: Vec<String> = Vec::new();
        for district in
            policy.packages.iter().flat_map(|package| package.asked()).flat_map(|one| &one.districts)
        {
            if !districts.contains(district) {
                districts.push(district.clone());
            }
        }
        districts.extend(
            places::DISTRICTS.iter().take(8usize.saturating_sub(districts.len())).map(ToString::to_string),
        );
        let set_scores = scores::set(policy);
        let levels = policy.levels.iter().flat_map(|level| scores::periods(period, level.cycle));
        let assessed = levels.map(scores::assessed_on).max().unwrap_or(end + 14);
        let least = (set_scores.len() as u64 + 10).max(LEAST_INSTITUTIONS);
        let institutions = asked.institutions.unwrap_or((asked.signings / 250).clamp(24, 20_000)).max(least);
        let cap = |of| policy.caps.iter().filter(move |cap| cap.of == of).map(|cap| cap.people).max();
        let cap = cap(CapOf::Team).max(cap(CapOf::Doctor));
        let crowd = cap.map_or(0, |cap| cap + cap / 5 + 30);
        Plan {
            region,
            policy,
            period,
            cohorts: period.split(policy.cycle),
            signings: asked.signings,
            swipes: asked.signings * asked.swipes_per_signing,
            institutions,
            errors: asked.errors,
            seed: asked.seed,
            form: asked.form,
            from,
            begin,
            end,
            assessed,
            basic,
            free: of_kind(PackageKind::Free),
            addons: of_kind(PackageKind::Addon),
            tags,
            kinds: policy.institutions.kinds.iter().collect(),
            districts,
            // A crowd takes up a third of all at most.
            crowd: if crowd * 3 <= asked.signings { crowd } else { 0 },
            set_scores,
            spread: (asked.signings + signings::POOL) / people::OF_A_DAY + 1,
        }
    }

    fn draw_for(&self, what: Of, number: u64) -> Rng {
        Rng::of(self.seed, what, number)
    }

    fn rng(&self, what: Of) -> Rng {
        self.draw_for(what, u64::MAX)
    }

    /// Whether a row is wrong; `parts`: one in so many of the rate.
    fn faulty(&self, rng: &mut Rng, parts: u64) -> bool {
        rng.below(parts * MILLION) < self.errors
    }
}

/// Writes the files into an empty folder.
pub fn write(region: &Region, asked: &Asked, folder: &Path) -> io::Result<Written> {
    let plan = Plan::new(region, asked);
    let tales = stories::all(&plan);
    let mut rows = vec![("institutions.csv", places::write(&plan, folder)?)];
    let signed = signings::write(&plan, &tales, folder)?;
    rows.push(("signings.csv", signed.rows));
    rows.push(("swipes.csv", swipes::write(&plan, &tales, signed.people, folder)?));
    let written = scores::write(&plan, folder)?;
    rows.push(("scores.csv", written.rows));
    let with_sheet = |score: &&scores::Score| plan.policy.sheet(score.level).is_some();
    let assessed = written.scores.iter().filter(with_sheet).map(|score| score.period).collect();
    if !plan.policy.sheets.is_empty() {
        rows.push(("sheets.csv", sheets::write(&plan, &written.scores, folder)?));
    }
    if payments::any(&plan) {
        rows.push(("payments.csv", payments::write(&plan, &signed.gross, folder)?));
    }
    Ok(Written { period: plan.period, assessed, rows, told: stories::told(&plan, &tales) })
}
