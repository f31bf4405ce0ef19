//! The rows that show what a policy is about: a few people each, at the beginning of the files.

use crate::base::code::Code;
use crate::policy::package::{Package, PackageKind};
pub use crate::words::Tale;

use super::Plan;
use super::days::{Day, of_date, years_later};
use super::people::{self, Birth, Person};
use super::places;
use super::scores;
use super::signings::{Fault, Row, Set, too_early};
use super::swipes::Service;

/// Rows and services that belong together.
#[derive(Debug)]
pub struct Story {
    tale: Tale,
    /// A name or a number that the tale is about.
    about: String,
    code: Option<Code>,
    pub rows: Vec<Row>,
    pub services: Vec<Service>,
}

/// A story, and where it stands.
pub struct Told {
    /// Contracts or an institution.
    pub at: Vec<String>,
    pub tale: Tale,
    pub about: String,
    /// The refusal or flag that it ends in.
    pub code: Option<Code>,
}

pub fn all(plan: &Plan) -> Vec<Story> {
    let mut book = Book { plan, stories: Vec::new(), people: 0 };
    if let Some(basic) = plan.basic.first().or(plan.free.first()) {
        book.signings(*basic);
        book.addons(*basic);
        book.services(*basic);
    }
    for (at, package) in plan.policy.packages.iter().enumerate() {
        book.ages(at, package);
    }
    book.stories
}

/// Where each stands: contracts are numbered as their rows are written.
pub fn told(plan: &Plan, stories: &[Story]) -> Vec<Told> {
    let (mut told, mut contract) = (Vec::new(), 0u64);
    for story in stories {
        let at: Vec<String> = story
            .rows
            .iter()
            .enumerate()
            .map(|(at, _)| format!("C{:09}", contract + at as u64 + 1))
            .collect();
        contract += story.rows.len() as u64;
        if contract <= plan.signings {
            told.push(Told { at, tale: story.tale, about: story.about.clone(), code: story.code });
        }
    }
    let one = |institution, tale, about: String, code: Option<Code>| Told {
        at: vec![places::name(institution)],
        tale,
        about,
        code: code.filter(|code| plan.policy.flag(*code).is_some()),
    };
    for (at, (level, score)) in plan.set_scores.iter().enumerate() {
        let (institution, level) = (places::FIRST_SET + at as u64, &plan.policy.levels[*level].named.name);
        told.push(match score {
            Some(score) => {
                one(institution, Tale::ScoreIs, format!("{level} {}", scores::shown(*score)), None)
            }
            None => one(institution, Tale::NoScore, level.clone(), Some(Code::W706)),
        });
    }
    if !plan.set_scores.is_empty() {
        told.push(one(scores::replaced(plan), Tale::ScoreReplaced, String::new(), Some(Code::W710)));
    }
    if plan.crowd > 0 {
        told.push(one(places::CROWDED, Tale::TeamTooLarge, String::new(), Some(Code::W705)));
    }
    told
}

struct Book<'p, 'a> {
    plan: &'p Plan<'a>,
    stories: Vec<Story>,
    people: u64,
}

impl Book<'_, '_> {
    /// A third into the period, when the package is offered.
    fn day(&self, package: usize) -> Day {
        let plan = self.plan;
        let offered = of_date(plan.policy.packages[package].offered_from);
        let begin = plan.begin.max(plan.from).max(offered);
        begin + (plan.end - begin) / 3
    }

    /// Somebody new who may have the packages, born so as to be of the age on the day.
    fn somebody(&mut self, packages: &[usize], on: Day) -> Person {
        let plan = self.plan;
        self.people += 1;
        let mut person = Person {
            number: self.people,
            home: scores::home(plan),
            signed_on: on,
            basic: packages.first().copied(),
            free: None,
            addon: packages.get(1).copied(),
            scheme: 0,
            tags: 0,
            birth: Birth::Day(people::forty(on)),
            crowded: false,
        };
        for group in packages.iter().filter_map(|at| plan.policy.packages[*at].groups.first()) {
            let years = match (group.age_from, group.age_under) {
                (Some(from), under) => from.max(40).min(under.map_or(i16::MAX, |under| under - 1)),
                (None, Some(under)) => (under - 1).min(40),
                (None, None) => continue,
            };
            // Half a year past the birthday: not a day on which something changes.
            person.birth = Birth::Day(years_later(on, -i64::from(years)) - 100);
        }
        for group in packages.iter().filter_map(|at| plan.policy.packages[*at].groups.first()) {
            person.tags |= group.tags.first().map_or(0, |tag| people::bit(plan, &tag.id));
        }
        person
    }

    fn row(&self, person: &Person, package: usize) -> Row {
        Row { set: Some(Set::default()), ..Row::of(person, package) }
    }

    /// A story of one row of somebody new, with what is served to make it count.
    fn one(&mut self, tale: Tale, code: Option<Code>, package: usize, change: impl FnOnce(&mut Row)) {
        let person = self.somebody(&[package], self.day(package));
        let mut row = self.row(&person, package);
        change(&mut row);
        self.tell(tale, String::new(), code, vec![row]);
    }

    fn tell(&mut self, tale: Tale, about: String, code: Option<Code>, rows: Vec<Row>) {
        let services = rows.iter().flat_map(|row| self.served(row)).collect();
        self.stories.push(Story { tale, about, code, rows, services });
    }

    /// What a row asks for before it is paid.
    fn served(&self, row: &Row) -> Vec<Service> {
        let policy = self.plan.policy;
        let package = &policy.packages[row.package];
        let asked = package.services_at_least.or(policy.evidence.as_ref().map(|evidence| evidence.at_least));
        let set = row.set.unwrap_or_default();
        if set.void || row.fault != Fault::None || package.kind == PackageKind::Free {
            return Vec::new();
        }
        let start = row.starts_on.unwrap_or(row.signed_on);
        let day = (start + 3).min(self.plan.end - 1).max(start);
        let service = |item: Option<(String, String)>, quantity| Service {
            person: row.person.clone(),
            institution: row.institution,
            day,
            item,
            quantity,
            charged: 0,
        };
        let name = |named: &crate::policy::Named| (named.id.clone(), named.name.clone());
        let mut services: Vec<Service> = (0..asked.unwrap_or_default())
            .map(|_| service(package.items.first().map(|item| name(&item.named)), 1))
            .collect();
        if package.deduct_missing {
            let planned = package.items.iter().filter_map(|item| Some((item, item.times?)));
            services.extend(planned.map(|(item, times)| service(Some(name(&item.named)), u64::from(times))));
        }
        services
    }

    fn signings(&mut self, basic: usize) {
        let plan = self.plan;
        let policy = plan.policy;
        let package = &policy.packages[basic];
        let flag = |code: Code| policy.flag(code).map(|_| code);
        self.one(if package.deduct_missing { Tale::Served } else { Tale::Plain }, None, basic, |_| {});
        if package.kind == PackageKind::Basic {
            for (tale, code, further) in [(Tale::TwoPlaces, Code::E503, 1), (Tale::TwiceHere, Code::E502, 0)]
            {
                let person = self.somebody(&[basic], self.day(basic));
                let first = self.row(&person, basic);
                let mut second = first.clone();
                second.institution += further;
                second.signed_on += 5;
                self.tell(tale, String::new(), Some(code), vec![first, second]);
            }
        }
        self.one(Tale::TooEarly, Some(Code::E305), basic, |row| row.signed_on = too_early(plan));
        self.one(Tale::NotDesignated, Some(Code::E302), basic, |row| {
            row.institution = places::not_designated(plan)
        });
        if let Some(institution) = places::not_admitted(plan) {
            self.one(Tale::NotAdmitted, Some(Code::E303), basic, |row| row.institution = institution);
        }
        let late = plan.assessed + 5;
        let in_force = policy.to.is_none_or(|to| late <= of_date(to));
        if let Some(code) = flag(Code::W704).filter(|_| in_force) {
            self.one(Tale::Late, Some(code), basic, |row| {
                row.starts_on = Some(row.signed_on);
                row.signed_on = late;
            });
        }
        let set = |row: &mut Row, change: &dyn Fn(&mut Set)| change(row.set.get_or_insert_default());
        self.one(Tale::Void, None, basic, |row| set(row, &|set| set.void = true));
        self.one(Tale::Ended, None, basic, |row| row.ended_on = Some(row.signed_on + 20));
        for (at, (reason, _)) in policy.prorate.reasons.iter().enumerate() {
            let person = self.somebody(&[basic], self.day(basic));
            let mut row = self.row(&person, basic);
            (row.ended_on, row.reason) = (Some(row.signed_on + 20), Some(at));
            self.tell(Tale::EndedFor, reason.name.clone(), None, vec![row]);
        }
        if policy.terms.to_year_end.is_none() {
            self.one(Tale::WrongTerm, Some(Code::E403), basic, |row| row.fault = Fault::Term);
        }
        if policy.insurance.is_some() {
            self.one(Tale::NotInsured, Some(Code::E401), basic, |row| {
                row.fault = Fault::Uninsured;
                set(row, &|set| set.form = 2);
            });
        }
        if policy.balance.is_some() && package.kind != PackageKind::Free {
            self.one(Tale::BalanceJust, None, basic, |row| set(row, &|set| set.exact_balance = true));
            self.one(Tale::BalanceBelow, Some(Code::E405), basic, |row| {
                row.fault = Fault::Balance;
                set(row, &|set| set.form = 1);
            });
        }
        if policy.authorization.is_some() {
            self.one(Tale::Unauthorized, flag(Code::W708), basic, |row| {
                set(row, &|set| set.unauthorized = true)
            });
        }
        let borne = package.shares.iter().any(|share| policy.sources[share.source].id == "individual");
        if let Some(code) = flag(Code::W702).filter(|_| borne) {
            self.one(Tale::Unpaid, Some(code), basic, |row| set(row, &|set| set.unpaid = true));
        }
    }

    fn addons(&mut self, basic: usize) {
        let plan = self.plan;
        for addon in plan.addons.iter().copied().filter(|addon| people::goes_on(plan, *addon, basic)) {
            let package = &plan.policy.packages[addon];
            let on = self.day(addon).max(self.day(basic));
            let person = self.somebody(&[basic, addon], on);
            let (below, top) = (self.row(&person, basic), self.row(&person, addon));
            self.tell(Tale::WithAddon, package.named.name.clone(), None, vec![below, top]);
        }
        let Some(addon) = plan.addons.iter().copied().find(|addon| people::goes_on(plan, *addon, basic))
        else {
            return;
        };
        let on = self.day(addon).max(self.day(basic));
        if !plan.policy.packages[addon].requires.is_empty() {
            let person = self.somebody(&[basic, addon], on);
            let row = self.row(&person, addon);
            self.tell(Tale::AddonAlone, String::new(), Some(Code::E504), vec![row]);
        }
        let most = plan.policy.overlap.addons_at_most;
        if most < 10 {
            let person = self.somebody(&[basic, addon], on);
            let mut rows = vec![self.row(&person, basic)];
            rows.extend((0..=most).map(|_| self.row(&person, addon)));
            self.tell(Tale::AddonTooMany, String::new(), Some(Code::E505), rows);
        }
    }

    fn services(&mut self, basic: usize) {
        let plan = self.plan;
        let policy = plan.policy;
        let package = &policy.packages[basic];
        if plan.swipes == 0 || package.kind == PackageKind::Free {
            return;
        }
        let asked = package.services_at_least.or(policy.evidence.as_ref().map(|evidence| evidence.at_least));
        if asked.is_some_and(|asked| asked > 0) {
            self.one(Tale::NoService, policy.flag(Code::W708).map(|_| Code::W708), basic, |_| {});
            self.stories.last_mut().expect("it was just told").services.clear();
        }
        let item = package.items.first().map(|item| (item.named.id.clone(), item.named.name.clone()));
        let double =
            policy.double_benefits.iter().find(|one| one.beside.is_none_or(|kind| kind == package.kind));
        let double = double.map(|one| (one.item.id.clone(), one.item.name.clone()));
        for (tale, code, item, charged, further) in [
            (Tale::SeparateCharge, Code::W701, item.clone(), 1_200, 0),
            (Tale::Elsewhere, Code::W703, item, 0, 1),
            (Tale::DoubleBenefit, Code::W707, double, 0, 0),
        ] {
            let Some((item, code)) = item.zip(policy.flag(code).map(|_| code)) else { continue };
            let about = if tale == Tale::DoubleBenefit { item.1.clone() } else { String::new() };
            let person = self.somebody(&[basic], self.day(basic));
            let row = self.row(&person, basic);
            let day = (row.signed_on + 4).min(plan.end - 1);
            let institution = row.institution + further;
            self.tell(tale, about, Some(code), vec![row]);
            let story = self.stories.last_mut().expect("it was just told");
            story.services.push(Service { person, institution, day, item: Some(item), quantity: 1, charged });
        }
    }

    /// Ages at which a package begins or ends to be for somebody, or to cost something else; and who is of no group.
    fn ages(&mut self, at: usize, package: &Package) {
        let plan = self.plan;
        let addon = package.kind == PackageKind::Addon;
        let below = plan.basic.iter().copied().find(|basic| !addon || people::goes_on(plan, at, *basic));
        let offered = [&plan.basic, &plan.free, &plan.addons].iter().any(|all| all.contains(&at));
        let (Some(below), true) = (below.or((!addon).then_some(at)), offered) else { return };
        let packages: Vec<usize> = if addon { vec![below, at] } else { vec![at] };
        let on = packages.iter().map(|at| self.day(*at)).max().unwrap_or(plan.begin);
        let groups = package.groups.iter().flat_map(|group| [group.age_from, group.age_under]).flatten();
        let mut ages = people::ages_of(package.asked());
        ages.extend(groups.filter(|age| *age > 0));
        ages.sort_unstable();
        ages.dedup();
        for age in ages {
            for (tale, day) in [(Tale::JustOfAge, 0), (Tale::NotYetOfAge, 1)] {
                let mut person = self.somebody(&packages, on);
                person.birth = Birth::Day(years_later(on, -i64::from(age)) + day);
                let refused = people::may_not_have(plan, package, person.ages(), person.tags);
                let basic = &plan.policy.packages[below];
                let kept = below == at || people::may_have(plan, basic, person.ages(), person.tags);
                if !kept {
                    continue;
                }
                let rows = packages.iter().map(|package| self.row(&person, *package)).collect();
                self.tell(tale, age.to_string(), refused.then_some(Code::E402), rows);
            }
        }
        if package.groups.iter().all(|group| group.tags.is_empty()) {
            return;
        }
        // Born so as to be of the age, and of no group.
        let mut person = self.somebody(&packages, on);
        person.tags = 0;
        if people::may_not_have(plan, package, person.ages(), 0) {
            let row = self.row(&person, at);
            self.tell(Tale::NotOfGroup, package.named.name.clone(), Some(Code::E402), vec![row]);
        }
    }
}
