//! swipes.csv: what people were served, those of the stories first.

use std::io;
use std::path::Path;

use crate::policy::Named;
use crate::policy::package::PackageKind;

use super::Plan;
use super::chance::{MILLION, Of, Rng};
use super::days::Day;
use super::file::Sheet;
use super::people::{Person, person};
use super::places;
use super::stories::Story;

/// A service of a story.
#[derive(Clone, Debug)]
pub struct Service {
    pub person: Person,
    pub institution: u64,
    pub day: Day,
    /// Id and name.
    pub item: Option<(String, String)>,
    pub quantity: u64,
    pub charged: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    FieldCount,  // E101
    Empty,       // E102
    Date,        // E103
    Number,      // E104
    CheckDigit,  // E201
    Institution, // E301
    Repeated,    // E506
}

const FAULTS: [Fault; 7] = [
    Fault::FieldCount,
    Fault::Empty,
    Fault::Date,
    Fault::Number,
    Fault::CheckDigit,
    Fault::Institution,
    Fault::Repeated,
];

/// Cards where a policy names none.
const CARDS: [&str; 4] = ["social_security", "social_security", "id_card", "health_card"];

struct Counter<'p, 'a> {
    plan: &'p Plan<'a>,
    /// By package: its items, and how often each is planned.
    items: Vec<Vec<(&'p Named, u64)>>,
    /// Where no package has any.
    any: Vec<(&'p Named, u64)>,
    cards: Vec<&'p str>,
    /// Services count for something: they fall in the person's own time.
    count: bool,
}

pub fn write(plan: &Plan, tales: &[Story], people: u64, folder: &Path) -> io::Result<u64> {
    let columns = [
        ("person_id", "身份证号"),
        ("institution_id", "机构编码"),
        ("swiped_at", "刷卡时间"),
        ("swipe_id", "流水号"),
        ("item", "服务项目"),
        ("quantity", "数量"),
        ("charged", "收费金额"),
        ("card_type", "卡类型"),
    ];
    let mut sheet = Sheet::create(folder, "swipes.csv", plan.form, &columns)?;
    let packages = &plan.policy.packages;
    let items = packages.iter().map(|package| {
        let items = package.items.iter();
        items.map(|item| (&item.named, item.times.map_or(1, u64::from))).collect::<Vec<_>>()
    });
    let items: Vec<_> = items.collect();
    let cards = plan.policy.evidence.as_ref().map_or(&[][..], |evidence| &evidence.cards);
    let counter = Counter {
        plan,
        any: items.concat(),
        items,
        cards: match cards {
            [] => CARDS.to_vec(),
            cards => cards.iter().map(|card| card.id.as_str()).collect(),
        },
        count: plan.policy.needs_swipes(),
    };
    let mut rng = plan.rng(Of::Swipes);
    let mut number = 0;
    for service in tales.iter().flat_map(|tale| &tale.services) {
        if number < plan.swipes {
            number += 1;
            counter.story(&mut sheet, number, service)?;
        }
    }
    while number < plan.swipes {
        number += 1;
        let of = rng.below(people);
        counter.write(&mut sheet, number, of, &mut rng)?;
    }
    sheet.finish()
}

impl Counter<'_, '_> {
    fn story(&self, sheet: &mut Sheet, number: u64, service: &Service) -> io::Result<()> {
        service.person.push_id(self.plan, sheet.field(), false);
        places::push(sheet, service.institution);
        sheet.date_and_time(service.day, 10 * 3600);
        sheet.label(b'S', number, 10);
        // Draws of its own: a story is the same in either language.
        let mut rng = self.plan.draw_for(Of::Swipes, number);
        match &service.item {
            Some((id, name)) => sheet.word(&mut rng, id, name),
            None => sheet.text(""),
        }
        sheet.number(service.quantity);
        sheet.fen(service.charged);
        sheet.text(self.cards[0]);
        sheet.end_row()
    }

    /// When somebody was served.
    fn day(&self, person: &Person, rng: &mut Rng) -> Day {
        let plan = self.plan;
        // Where services count, most fall in the person's own year.
        let begin = if self.count { person.signed_on.max(plan.begin).min(plan.end - 1) } else { plan.begin };
        let day = match rng.below(100) {
            92..97 if plan.from < plan.begin => plan.from + rng.below((plan.begin - plan.from) as u64) as Day,
            97.. => plan.end + rng.below(30) as Day,
            _ => begin + rng.below((plan.end - begin) as u64) as Day,
        };
        // Nobody is served unborn.
        day.max(person.birthday(plan))
    }

    fn write(&self, sheet: &mut Sheet, number: u64, of: u64, rng: &mut Rng) -> io::Result<()> {
        let plan = self.plan;
        let fault = if rng.below(MILLION) < plan.errors { rng.pick(&FAULTS) } else { Fault::None };
        let form = rng.below(4);
        let person = person(plan, of);
        // person_id
        let cell = sheet.field();
        if !(fault == Fault::Empty && form == 0) {
            person.push_id(plan, cell, fault == Fault::CheckDigit);
        }
        // institution_id: the person's own, and now and then another
        let elsewhere = rng.per_mille(15);
        let institution = if elsewhere { places::another(plan, person.home, rng) } else { person.home };
        let unknown = places::unknown(rng);
        match fault {
            Fault::Institution => places::push(sheet, unknown),
            Fault::Empty if form == 1 => sheet.text(""),
            _ => places::push(sheet, institution),
        }
        // swiped_at
        let day = self.day(&person, rng);
        let second = 8 * 3600 + rng.below(10 * 3600);
        match (fault, form) {
            (Fault::Date, 0) => sheet.text("2020-02-30 10:00:00"),
            (Fault::Date, 1) => sheet.text("2020-13-01 10:00:00"),
            (Fault::Date, _) => sheet.text("待定"),
            (Fault::Empty, 2..) => sheet.text(""),
            _ => sheet.date_and_time(day, second),
        }
        // swipe_id: one of the last thousand stands a second time; few have none
        let taken = 1 + rng.below(1000);
        if fault == Fault::Repeated {
            sheet.label(b'S', number.saturating_sub(taken).max(1), 10);
        } else if rng.per_mille(2) {
            sheet.text("");
        } else {
            sheet.label(b'S', number, 10);
        }
        let quantity = self.item(sheet, &person, rng);
        // quantity
        let few = rng.pick(&["1", "1", "1", "1", "2", ""]);
        let planned = self.count && rng.percent(70);
        match (fault, form) {
            (Fault::Number, 0) => sheet.text("1.5"),
            (Fault::Number, 1) => sheet.text("-1"),
            _ if planned && quantity > 1 => sheet.number(quantity),
            _ => sheet.text(few),
        }
        // charged
        let charged = if rng.per_mille(4) { 100 + rng.below(3000) } else { 0 };
        let zero = rng.pick(&["0", "0.00", ""]);
        match (fault, form) {
            (Fault::Number, 2) => sheet.text("0.005"),
            (Fault::Number, 3) => sheet.text("abc"),
            _ if charged > 0 => sheet.fen(charged),
            _ => sheet.text(zero),
        }
        // card_type: the last field
        let card = if rng.per_mille(20) { "bank_card" } else { rng.pick(&self.cards) };
        let card = if self.count { card } else { rng.pick(&self.cards) };
        if fault != Fault::FieldCount || form > 1 {
            sheet.text(card);
            if fault == Fault::FieldCount {
                sheet.text("x");
            }
        }
        sheet.end_row()
    }

    /// Writes an item, of the person's own packages most often; how many times it is planned.
    fn item(&self, sheet: &mut Sheet, person: &Person, rng: &mut Rng) -> u64 {
        let plan = self.plan;
        let own = [person.addon, person.basic].into_iter().flatten().map(|at| &self.items[at]);
        let own = own.filter(|items| !items.is_empty()).nth(rng.below(2) as usize % 2);
        let first = person.basic.map(|at| &self.items[at]).filter(|items| !items.is_empty());
        let items = own.or(first).unwrap_or(&self.any);
        let double = &plan.policy.double_benefits;
        let free_only = person.basic.is_none_or(|at| plan.policy.packages[at].kind == PackageKind::Free);
        match rng.below(1000) {
            0..10 => sheet.text(""),
            10..38 => sheet.word(rng, "blood_test", "血常规"),
            38..40 if !double.is_empty() && !free_only => {
                let item = &double[rng.below(double.len() as u64) as usize].item;
                sheet.word(rng, &item.id, &item.name);
            }
            38..40 => sheet.word(rng, "blood_test", "血常规"),
            _ if items.is_empty() => sheet.text(""),
            // Quotes that need not be there are read like any others.
            40..42 => {
                let (item, _) = rng.pick(items);
                let cell = sheet.field();
                cell.push(b'"');
                cell.extend_from_slice(item.id.replace('"', "\"\"").as_bytes());
                cell.push(b'"');
            }
            _ => {
                let (item, times) = rng.pick(items);
                sheet.word(rng, &item.id, &item.name);
                return times;
            }
        }
        1
    }
}
