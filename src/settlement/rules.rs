//! A region's versions compiled for one run: what a name in a row stands for, by number.

use rustc_hash::FxHashMap;

use crate::base::period::{Date, Period, Rank};
use crate::intake::institutions::Institutions;
use crate::policy::package::{Package, PackageKind};
use crate::policy::version::Region;
use crate::policy::{Named, Policy};

/// One package of one version, numbered over the run.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    pub version: usize,
    pub package: usize,
}

/// No item that any package lists.
pub const NO_ITEM: u16 = u16::MAX;

/// No card that any version admits.
pub const NO_CARD: u8 = u8::MAX;

/// What the whole run computes by.
pub struct Rules<'a> {
    pub region: &'a Region,
    pub institutions: &'a Institutions,
    pub period: Period,
    first: Date,
    /// The first day of the cohorts that are settled: the period's, with a ledger the one that it opens with.
    pub from: Date,
    /// The day after the period.
    pub end: Date,
    pub offers: Vec<Offer>,
    /// By version and package.
    offer_of: Vec<Vec<u16>>,
    packages: Vec<FxHashMap<String, u16>>,
    /// By version and institution: the kind's number, and whether it is admitted.
    kinds: Vec<Vec<(u8, bool)>>,
    /// By institution, apart from all else that is known of it, so that they stay in a core's cache.
    designated: Vec<bool>,
    items: FxHashMap<String, u16>,
    item_titles: Vec<String>,
    /// By offer and item, and last for no item: the item's number in the package.
    offer_items: Vec<Option<u8>>,
    offer_kinds: Vec<PackageKind>,
    cards: FxHashMap<String, u8>,
    /// By version and number: whether it admits the card; nothing where it admits every one.
    admitted: Vec<Option<Vec<u8>>>,
    /// By offer: how many service records a charge takes, and how many items are counted for it.
    services: Vec<(u32, usize)>,
    /// Nothing that falls due later counts; all of it where no day is given.
    pub as_of: Option<Date>,
    /// Lines of older cohorts are told although nothing moved.
    pub standing: bool,
    /// What a posting writes down is kept of each row.
    pub recording: bool,
}

impl<'a> Rules<'a> {
    pub fn compile(region: &'a Region, institutions: &'a Institutions, period: Period) -> Rules<'a> {
        let mut rules = Rules {
            region,
            institutions,
            period,
            first: period.first_day(),
            from: period.first_day(),
            end: period.end(),
            offers: Vec::new(),
            offer_of: Vec::new(),
            packages: Vec::new(),
            kinds: Vec::new(),
            designated: institutions.list.iter().map(|one| one.designated).collect(),
            items: FxHashMap::default(),
            item_titles: Vec::new(),
            offer_items: Vec::new(),
            offer_kinds: Vec::new(),
            cards: FxHashMap::default(),
            admitted: Vec::new(),
            services: Vec::new(),
            as_of: None,
            standing: false,
            recording: false,
        };
        for (version, policy) in region.versions.iter().enumerate() {
            let (mut numbers, mut names) = (Vec::new(), FxHashMap::default());
            for (index, package) in policy.packages.iter().enumerate() {
                let offer = rules.offers.len() as u16;
                rules.offers.push(Offer { version, package: index });
                numbers.push(offer);
                let asked = match (package.kind, package.services_at_least, &policy.evidence) {
                    (PackageKind::Free, _, _) => 0,
                    (_, Some(asked), _) => asked,
                    (_, None, rule) => rule.as_ref().map_or(0, |rule| rule.at_least),
                };
                let items = if package.deduct_missing { package.items.len() } else { 0 };
                rules.services.push((asked, items));
                names.extend(package.named.names().map(|name| (name.to_string(), offer)));
                for item in &package.items {
                    rules.add_item(&item.named);
                }
            }
            for benefit in &policy.double_benefits {
                rules.add_item(&benefit.item);
            }
            // Each word has a number of its own: two versions may mean different cards by one.
            let mut admitted = Vec::new();
            let cards = policy.evidence.iter().flat_map(|evidence| &evidence.cards);
            for name in cards.flat_map(Named::names) {
                let next = rules.cards.len().min(usize::from(NO_CARD) - 1) as u8;
                admitted.push(*rules.cards.entry(name.to_string()).or_insert(next));
            }
            rules.admitted.push((!admitted.is_empty()).then_some(admitted));
            rules.offer_of.push(numbers);
            rules.packages.push(names);
            let kind = |text: &str| {
                (
                    policy.institutions.find(text).map_or(u8::MAX, |kind| kind as u8),
                    policy.institutions.admit(text),
                )
            };
            rules.kinds.push(institutions.list.iter().map(|institution| kind(&institution.kind)).collect());
        }
        for offer in &rules.offers {
            let package = &region.versions[offer.version].packages[offer.package];
            let place = |title: &String| {
                package.items.iter().position(|item| item.named.is(title)).map(|at| at as u8)
            };
            rules.offer_items.extend(rules.item_titles.iter().map(place).chain([None]));
            rules.offer_kinds.push(package.kind);
        }
        rules
    }

    /// Each word that some package calls an item by has a number of its own: two packages may mean
    /// different items by one word, or call one item by different ids.
    fn add_item(&mut self, named: &Named) {
        for name in named.names() {
            let next = self.item_titles.len() as u16;
            self.items.entry(name.to_string()).or_insert_with(|| {
                self.item_titles.push(name.to_string());
                next
            });
        }
    }

    /// How many service records a charge takes to count; 0 where none.
    pub fn services_asked(&self, offer: u16) -> u32 {
        self.services[offer as usize].0
    }

    /// How many items are counted for each charge; 0 where none is taken off.
    pub fn items_counted(&self, offer: u16) -> usize {
        self.services[offer as usize].1
    }

    /// Whether `day` is in the period.
    pub fn contains(&self, day: impl Into<Rank>) -> bool {
        let day = day.into();
        (Rank::from(self.first) <= day) & (day < Rank::from(self.end))
    }

    /// The cohorts of a version that are settled: the period's, and with a ledger the older ones.
    pub fn cohorts(&self, version: usize) -> Vec<Period> {
        let cycle = self.region.versions[version].cycle;
        let mut cohorts = Vec::new();
        let mut day = self.from;
        while day < self.end {
            let cohort = cycle.of(day);
            if cohort.first_day() >= self.from && cohort.end() <= self.end {
                cohorts.push(cohort);
            }
            day = cohort.end();
        }
        cohorts
    }

    /// Whether a cohort is of the period itself, not of an earlier one.
    pub fn of_period(&self, cohort: Period) -> bool {
        self.period.covers(cohort)
    }

    /// Charges of a signing that are settled: their numbers and first days.
    pub fn charges(
        &self,
        offer: u16,
        starts_on: Date,
        end: Date,
    ) -> impl Iterator<Item = (u32, Date)> + use<> {
        self.policy(offer).schedule.charges(starts_on, self.from, end.min(self.end))
    }

    pub fn policy(&self, offer: u16) -> &'a Policy {
        &self.region.versions[self.offers[offer as usize].version]
    }

    pub fn package(&self, offer: u16) -> &'a Package {
        let Offer { version, package } = self.offers[offer as usize];
        &self.region.versions[version].packages[package]
    }

    pub fn kind_of(&self, offer: u16) -> PackageKind {
        self.offer_kinds[offer as usize]
    }

    /// The offer that `name` stands for in a version.
    pub fn find_package(&self, version: usize, name: &str) -> Option<u16> {
        self.packages[version].get(name).copied()
    }

    pub fn offer(&self, version: usize, package: usize) -> u16 {
        self.offer_of[version][package]
    }

    pub fn is_designated(&self, institution: u32) -> bool {
        self.designated[institution as usize]
    }

    /// The institution's kind as a version counts them, and whether the version admits it.
    pub fn kind(&self, version: usize, institution: u32) -> (u8, bool) {
        self.kinds[version][institution as usize]
    }

    /// The item that a cell stands for, over all packages of the run.
    pub fn find_item(&self, name: &str) -> u16 {
        self.items.get(name).copied().unwrap_or(NO_ITEM)
    }

    pub fn item_title(&self, item: u16) -> &str {
        self.item_titles.get(item as usize).map_or("", String::as_str)
    }

    /// The item that a word stands for in the offer's policy; nothing where it is none of its.
    pub fn item_named(&self, offer: u16, item: u16) -> Option<&Named> {
        let title = self.item_title(item);
        let items = self.package(offer).items.iter().map(|item| &item.named);
        let benefits = self.policy(offer).double_benefits.iter().map(|benefit| &benefit.item);
        items.chain(benefits).find(|named| named.is(title))
    }

    /// The item's number in the offer's package.
    pub fn item_of(&self, offer: u16, item: u16) -> Option<u8> {
        let none = self.item_titles.len();
        self.offer_items[usize::from(offer) * (none + 1) + usize::from(item).min(none)]
    }

    pub fn asks_for_cards(&self) -> bool {
        !self.cards.is_empty()
    }

    /// The number of a card's word.
    pub fn find_card(&self, name: &str) -> u8 {
        self.cards.get(name).copied().unwrap_or(NO_CARD)
    }

    /// Whether the version of an offer admits a card as evidence.
    pub fn admits_card(&self, offer: u16, card: u8) -> bool {
        let admitted = &self.admitted[self.offers[offer as usize].version];
        admitted.as_ref().is_none_or(|admitted| admitted.contains(&card))
    }

    /// Versions that something of a cohort or period may be about: the one in force on its first day, then the
    /// others, the newest first; a cohort may have charges of several.
    pub fn versions_about(&self, day: Date) -> impl Iterator<Item = usize> {
        let first = self.version_on(day);
        [first].into_iter().chain((0..self.region.versions.len()).rev().filter(move |one| *one != first))
    }

    /// The version in force on the first day of a cohort or period.
    pub fn version_on(&self, day: Date) -> usize {
        self.region.on_or_after(day)
    }
}
