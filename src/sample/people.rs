//! People who do not exist: who signs what, where and when, each drawn again from a number.

use crate::policy::package::{Conditions, Package};

use super::Plan;
use super::chance::{Of, Rng};
use super::days::{Day, day, year_month_day, years_later};
use super::file::push_number;
use super::places;

/// Area codes 999900 to 999998, and 999 people of one birthday in each; 999999 is the stories'.
const AREAS: u64 = 99;
const SEQUENCES: u64 = 999;
pub const OF_A_DAY: u64 = AREAS * SEQUENCES;

/// Nobody is older.
pub const OLDEST: i16 = 95;
/// Ages hold from the first signing of a person to so many days later.
const SAME_AGE: Day = 60;

/// Somebody: what was signed and when.
#[derive(Clone, Debug)]
pub struct Person {
    pub number: u64,
    pub home: u64,
    pub signed_on: Day,
    pub basic: Option<usize>,
    pub free: Option<usize>,
    pub addon: Option<usize>,
    /// Index into the schemes of the policy.
    pub scheme: usize,
    /// A bit for each of the plan's tags.
    pub tags: u64,
    pub birth: Birth,
    /// In the team that has too many.
    pub crowded: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Birth {
    /// Of one of these ages on the day of signing.
    Ages(i16, i16),
    /// Of a story: the day itself.
    Day(Day),
}

pub fn person(plan: &Plan, number: u64) -> Person {
    let mut rng = plan.draw_for(Of::Person, number);
    let crowded = plan.crowd > 0 && rng.below(plan.signings) < plan.crowd;
    let home = if crowded { places::CROWDED } else { places::home_of(plan, &mut rng) };
    let signed_on = if rng.percent(60) || plan.from >= plan.begin {
        let start = plan.begin.max(plan.from);
        start + rng.below((plan.end - start).max(1) as u64) as Day
    } else {
        plan.from + rng.below((plan.begin - plan.from) as u64) as Day
    };
    let (takes_basic, takes_free) = match rng.below(100) {
        0..55 => (true, false),
        55..80 => (true, true),
        _ => (false, true),
    };
    let basic = (takes_basic || plan.free.is_empty()).then(|| one_of(plan, &plan.basic, &mut rng)).flatten();
    let free = (takes_free || basic.is_none()).then(|| one_of(plan, &plan.free, &mut rng)).flatten();
    let mut addon = None;
    if let Some(basic) = basic
        && !plan.addons.is_empty()
        && rng.percent(30)
    {
        addon = one_of(plan, &plan.addons, &mut rng).filter(|at| goes_on(plan, *at, basic));
    }
    let (mut ages, mut tags) = ((0, OLDEST), 0);
    for at in [basic, free, addon].into_iter().flatten() {
        let package = &plan.policy.packages[at];
        if package.groups.is_empty() {
            continue;
        }
        let group = &package.groups[rng.below(package.groups.len() as u64) as usize];
        let low = group.age_from.unwrap_or(0).max(ages.0);
        let high = group.age_under.map_or(OLDEST, |under| under - 1).min(ages.1);
        // Who is too young or too old for an add-on has none.
        if low > high {
            addon = addon.filter(|addon| *addon != at);
            continue;
        }
        ages = (low, high);
        if !group.tags.is_empty() {
            tags |= bit(plan, &rng.pick(&group.tags.iter().collect::<Vec<_>>()).id);
        }
    }
    // What prices ask for, one in five has.
    for at in [basic, addon].into_iter().flatten() {
        for id in plan.policy.packages[at].asked_tags() {
            if rng.percent(20) {
                tags |= bit(plan, id);
            }
        }
    }
    let schemes = plan.policy.insurance.as_ref().map_or(1, |insurance| insurance.schemes.len() as u64);
    let scheme = if schemes > 1 && rng.percent(40) { rng.below(schemes) as usize } else { 0 };
    let birth = Birth::Ages(ages.0, ages.1);
    // A package that came later is signed later.
    let offered = [basic, free, addon].into_iter().flatten();
    let offered = offered.map(|at| super::of_date(plan.policy.packages[at].offered_from)).max();
    let signed_on = signed_on.max(offered.unwrap_or(signed_on));
    Person { number, home, signed_on, basic, free, addon, scheme, tags, birth, crowded }
}

fn one_of(_: &Plan, from: &[usize], rng: &mut Rng) -> Option<usize> {
    match from {
        [] => None,
        [one] => Some(*one),
        // The first is the usual one.
        _ if rng.percent(40) => Some(from[0]),
        _ => Some(rng.pick(from)),
    }
}

/// Whether an add-on goes on top of a package.
pub fn goes_on(plan: &Plan, addon: usize, basic: usize) -> bool {
    let packages = &plan.policy.packages;
    let requires = &packages[addon].requires;
    requires.is_empty() || requires.contains(&packages[basic].named.id)
}

pub fn bit(plan: &Plan, id: &str) -> u64 {
    plan.tags.iter().position(|tag| tag.id == id).map_or(0, |at| 1 << at)
}

/// Whether somebody of the age and with the tags may have a package; an age that is not sure is not asked for.
pub fn may_have(plan: &Plan, package: &Package, ages: (i16, i16), tags: u64) -> bool {
    package.groups.is_empty()
        || package.groups.iter().any(|group| {
            group.age_from.is_none_or(|from| ages.0 >= from)
                && group.age_under.is_none_or(|under| ages.1 < under)
                && (group.tags.is_empty() || group.tags.iter().any(|tag| bit(plan, &tag.id) & tags != 0))
        })
}

/// Whether nobody of the ages and tags may have it.
pub fn may_not_have(plan: &Plan, package: &Package, ages: (i16, i16), tags: u64) -> bool {
    !package.groups.is_empty()
        && package.groups.iter().all(|group| {
            group.age_from.is_some_and(|from| ages.1 < from)
                || group.age_under.is_some_and(|under| ages.0 >= under)
                || (!group.tags.is_empty() && group.tags.iter().all(|tag| bit(plan, &tag.id) & tags == 0))
        })
}

/// Ages at which something of the policy changes, each with what asks for it.
pub fn ages_of<'c>(conditions: impl Iterator<Item = &'c Conditions>) -> Vec<i16> {
    let mut ages: Vec<i16> =
        conditions.flat_map(|one| [one.age_from, one.age_under]).flatten().filter(|age| *age > 0).collect();
    ages.sort_unstable();
    ages.dedup();
    ages
}

impl Person {
    pub fn ages(&self) -> (i16, i16) {
        match self.birth {
            Birth::Ages(low, high) => (low, high),
            Birth::Day(birth) => {
                let age =
                    crate::base::period::age_on(super::days::date(birth), super::days::date(self.signed_on));
                (age, age)
            }
        }
    }

    /// The number and the day of birth: different people have different ones, in no visible order, and it takes
    /// no table. Two on one birthday differ by area and sequence.
    fn numbers(&self, plan: &Plan) -> (u64, Day, u64) {
        let (low, high) = match self.birth {
            Birth::Day(birth) => return (AREAS, birth, self.number % SEQUENCES + 1),
            Birth::Ages(low, high) => (low, high),
        };
        let all = OF_A_DAY * plan.spread;
        let offset = plan.rng(Of::IdNumbers).below(all);
        let number =
            ((u128::from(self.number) * 1_000_000_007 + u128::from(offset)) % u128::from(all)) as u64;
        let (place, turn) = (number % OF_A_DAY, (number / OF_A_DAY) as Day);
        let last = years_later(self.signed_on, -i64::from(low));
        // Whoever is to be nought must be born by then.
        let last = if low == 0 { last - 60 } else { last };
        let first = years_later(self.signed_on + SAME_AGE, -i64::from(high) - 1) + 2;
        // Of the days of those ages, those of the number's turn.
        let spread = plan.spread as Day;
        let first = first + (turn - first).rem_euclid(spread);
        let turns = ((last - first).max(0) / spread) as u64 + 1;
        let birth = first + Rng::of(plan.seed, Of::IdNumbers, self.number).below(turns) as Day * spread;
        (place % AREAS, birth, place / AREAS + 1)
    }

    pub fn birthday(&self, plan: &Plan) -> Day {
        self.numbers(plan).1
    }

    pub fn push_id(&self, plan: &Plan, row: &mut Vec<u8>, spoil: bool) {
        let (area, birth, sequence) = self.numbers(plan);
        let (y, m, d) = year_month_day(birth);
        let start = row.len();
        row.extend_from_slice(b"9999");
        push_number(row, area, 2);
        push_number(row, y, 4);
        push_number(row, m, 2);
        push_number(row, d, 2);
        push_number(row, sequence, 3);
        const WEIGHTS: [u64; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let sum: u64 =
            row[start..].iter().zip(WEIGHTS).map(|(digit, weight)| u64::from(digit - b'0') * weight).sum();
        // Six further on in the list is always another digit.
        let at = if spoil { sum + 6 } else { sum };
        row.push(b"10X98765432"[(at % 11) as usize]);
    }

    /// The age on a day, for what a price asks for; ages that are not sure count as their lowest.
    pub fn age(&self, plan: &Plan, on: Day) -> i16 {
        let birth = self.birthday(plan);
        let (by, bm, bd) = year_month_day(birth);
        let (y, m, d) = year_month_day(on);
        // Who was born on 29 February is a year older on 1 March.
        (y - by) as i16 - i16::from((m, d) < (bm, bd))
    }
}

/// A grown-up of forty, where nothing asks for another age.
pub fn forty(on: Day) -> Day {
    let (y, _, _) = year_month_day(on);
    day(y as i64 - 40, 1, 15)
}
