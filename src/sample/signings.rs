//! signings.csv: stories first, then everybody, in mixed order.

use std::io;
use std::path::Path;

use rustc_hash::FxHashMap;

use crate::policy::package::{Case, PackageKind, Price};
use crate::policy::{CapOf, Named};

use super::Plan;
use super::chance::{MILLION, Of, Rng};
use super::days::{Day, date, of_date, years_later};
use super::file::{Sheet, push_number};
use super::people::{self, Birth, Person, person};
use super::places;
use super::stories::Story;

/// Rows wait in a pool of this size and leave it in random order, so that the rows of one person are not neighbours.
pub const POOL: u64 = 2048;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    None,
    /// Counted as no fault of its own: a further row of somebody who signed already (E502, E503, E504, E505).
    Again,
    FieldCount,    // E101
    NotText,       // E105
    Empty,         // E102
    Date,          // E103
    Number,        // E104
    Word,          // E106
    CheckDigit,    // E201
    Institution,   // E301
    Early,         // E305
    Package,       // E304
    Uninsured,     // E401
    Group,         // E402
    Term,          // E403
    Balance,       // E405
    ContractTaken, // E501
}

/// A row that is to be written.
#[derive(Clone, Debug)]
pub struct Row {
    pub person: Person,
    pub institution: u64,
    pub package: usize,
    pub signed_on: Day,
    pub starts_on: Option<Day>,
    pub ended_on: Option<Day>,
    /// Index into the policy's reasons.
    pub reason: Option<usize>,
    pub fault: Fault,
    pub set: Option<Set>,
}

impl Row {
    /// As the person signs at home.
    pub fn of(person: &Person, package: usize) -> Row {
        Row {
            person: person.clone(),
            institution: person.home,
            package,
            signed_on: person.signed_on,
            starts_on: None,
            ended_on: None,
            reason: None,
            fault: Fault::None,
            set: None,
        }
    }
}

/// What a story does not leave to chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct Set {
    pub form: u64,
    pub void: bool,
    pub unauthorized: bool,
    pub unpaid: bool,
    /// The balance is as much as the fund's share, to the fen.
    pub exact_balance: bool,
}

/// Money before any assessment: by institution, cohort, package and source, in fen; and how many charges.
pub type Gross = FxHashMap<(u32, u16, u16, u16), (i64, u64)>;

pub struct Signed {
    pub rows: u64,
    pub people: u64,
    pub gross: Gross,
}

/// What is written of a row depends on these.
struct Desk<'p, 'a> {
    plan: &'p Plan<'a>,
    faults: Vec<Fault>,
    /// A term that no signing may have.
    wrong_term: Option<u32>,
    kinds: Vec<usize>,
    prices: Prices,
    gross: Gross,
    has: Has,
}

/// Columns that not every policy asks for.
struct Has {
    reason: bool,
    insurance: bool,
    balance: bool,
    authorized: bool,
    groups: bool,
    team: bool,
    doctor: bool,
}

/// Prices met before.
#[derive(Default)]
struct Prices(FxHashMap<(usize, u64, usize), Option<Price>>);

impl Prices {
    fn of(&mut self, plan: &Plan, kind: usize, row: &Row) -> Option<&Price> {
        let package = &plan.policy.packages[row.package];
        let tagged = |tag: &Named| people::bit(plan, &tag.id) & row.person.tags != 0;
        let age = || row.person.age(plan, row.signed_on);
        let district = places::district(plan, row.institution);
        let scheme = plan.policy.insurance.is_some().then_some(row.person.scheme);
        let holding =
            package.holding(&Case { scheme, kind, district: &district, tagged: &tagged, age: &age });
        let key = (row.package, holding, if package.priced_by_kind() { kind } else { 0 });
        self.0.entry(key).or_insert_with(|| package.price(holding, kind).ok()).as_ref()
    }
}

pub fn write(plan: &Plan, tales: &[Story], folder: &Path) -> io::Result<Signed> {
    let has = Has {
        reason: !plan.policy.prorate.reasons.is_empty(),
        insurance: plan.policy.insurance.is_some(),
        balance: plan.policy.balance.is_some(),
        authorized: plan.policy.authorization.is_some(),
        groups: !plan.tags.is_empty(),
        team: plan.policy.caps.iter().any(|cap| cap.of == CapOf::Team),
        doctor: plan.policy.caps.iter().any(|cap| cap.of == CapOf::Doctor),
    };
    let mut sheet = Sheet::create(folder, "signings.csv", plan.form, &columns(&has))?;
    let wrong_term = wrong_term(plan);
    let mut desk = Desk {
        plan,
        faults: faults(plan, wrong_term.is_some()),
        wrong_term,
        kinds: (0..plan.institutions).map(|institution| places::kind(plan, institution)).collect(),
        prices: Prices::default(),
        gross: Gross::default(),
        has,
    };
    let mut rng = plan.rng(Of::Signings);
    let mut contract = 0;
    for row in tales.iter().flat_map(|tale| &tale.rows) {
        if contract < plan.signings {
            contract += 1;
            desk.write(&mut sheet, contract, row, &mut rng)?;
        }
    }
    let first = contract;
    let pool_size = POOL.min(plan.signings / 20 + 1) as usize;
    let (mut pool, mut people) = (Vec::new(), 0);
    while contract < plan.signings {
        let mut room = (plan.signings - contract) as usize - pool.len();
        while pool.len() < pool_size && room > 0 {
            let mut rows = Vec::new();
            desk.sign(people, &mut rng, &mut rows);
            people += 1;
            // Nobody's first row, which comes last, is left out for want of room.
            rows.drain(..rows.len().saturating_sub(room));
            room -= rows.len();
            pool.append(&mut rows);
        }
        contract += 1;
        let mut row = pool.swap_remove(rng.below(pool.len() as u64) as usize);
        // One of the last thousand contracts stands a second time, and never a story's.
        let taken = contract.saturating_sub(1 + rng.below(1000));
        if row.fault == Fault::ContractTaken && taken <= first {
            row.fault = Fault::CheckDigit;
        }
        let number = if row.fault == Fault::ContractTaken { taken } else { contract };
        desk.write(&mut sheet, number, &row, &mut rng)?;
    }
    Ok(Signed { rows: sheet.finish()?, people: people.max(1), gross: desk.gross })
}

fn columns(has: &Has) -> Vec<(&'static str, &'static str)> {
    let all = [
        (true, "contract_id", "协议编号"),
        (true, "person_id", "身份证号"),
        (true, "institution_id", "机构编码"),
        (true, "package", "服务包"),
        (true, "signed_on", "签约日期"),
        (true, "starts_on", "生效日期"),
        (true, "term_months", "签约期限"),
        (true, "ended_on", "解约日期"),
        (has.reason, "ended_reason", "解约原因"),
        (has.insurance, "scheme", "险种"),
        (has.insurance, "insured", "参保状态"),
        (has.balance, "balance", "门诊统筹余额"),
        (true, "personal_paid", "个人缴费金额"),
        (has.authorized, "authorized", "个人授权"),
        (has.groups, "groups", "人群"),
        (has.team, "team_id", "团队编码"),
        (has.doctor, "doctor_id", "医生编码"),
        (true, "status", "状态"),
        (true, "name", "姓名"),
    ];
    all.into_iter().filter(|(asked, ..)| *asked).map(|(_, english, chinese)| (english, chinese)).collect()
}

/// The shortest term that is not allowed; none where the calendar sets the end.
fn wrong_term(plan: &Plan) -> Option<u32> {
    let not_allowed = |months: &u32| !plan.policy.terms.allow(*months);
    (1..240).filter(|months| *months % 6 == 0).find(not_allowed).or_else(|| (1..240).find(not_allowed))
}

/// The faults that a row of this policy can have.
fn faults(plan: &Plan, terms: bool) -> Vec<Fault> {
    let policy = plan.policy;
    let grouped = policy.packages.iter().any(|package| !package.groups.is_empty());
    let all = [
        (true, Fault::FieldCount),
        (true, Fault::NotText),
        (true, Fault::Empty),
        (true, Fault::Date),
        (true, Fault::Number),
        (true, Fault::Word),
        (true, Fault::CheckDigit),
        (true, Fault::Institution),
        (true, Fault::Early),
        (true, Fault::Package),
        (policy.insurance.is_some(), Fault::Uninsured),
        (grouped, Fault::Group),
        (terms, Fault::Term),
        (policy.balance.is_some(), Fault::Balance),
        (true, Fault::ContractTaken),
    ];
    all.into_iter().filter(|(can, _)| *can).map(|(_, fault)| fault).collect()
}

/// The first day of which any version knows, less one.
pub fn too_early(plan: &Plan) -> Day {
    of_date(
        plan.region.versions.iter().map(|version| version.admits_from()).min().unwrap_or(plan.policy.from),
    ) - 1
}

/// Makes it a row of somebody who is of none of the package's groups, where there is such a package.
fn of_no_group(plan: &Plan, row: &mut Row) -> bool {
    for (at, package) in plan.policy.packages.iter().enumerate() {
        let groups = &package.groups;
        let from = groups.iter().map(|group| group.age_from.unwrap_or(0)).min().unwrap_or(0);
        let under = groups.iter().map(|group| group.age_under.unwrap_or(i16::MAX)).max().unwrap_or(i16::MAX);
        let mut births = vec![row.person.birth];
        births.extend((from > 0).then(|| Birth::Ages((from - 10).max(0), from - 1)));
        births.extend((under < 90).then(|| Birth::Ages(under, under + 10)));
        for birth in births {
            let person = Person { birth, ..row.person.clone() };
            if people::may_not_have(plan, package, person.ages(), person.tags) {
                (row.package, row.person) = (at, person);
                return true;
            }
        }
    }
    false
}

impl Desk<'_, '_> {
    /// The rows of one person.
    fn sign(&self, number: u64, rng: &mut Rng, rows: &mut Vec<Row>) {
        let plan = self.plan;
        let person = person(plan, number);
        if let Some(free) = person.free {
            rows.push(self.first(&person, free, rng));
        }
        let Some(basic) = person.basic else { return };
        let mut first = self.first(&person, basic, rng);
        if let Some(addon) = person.addon {
            self.add_on(&mut first, addon, rng, rows);
            rows.push(first);
            return;
        }
        // As likely as three of the faults of a single row, and they end in E502 and E503.
        let often = MILLION * 13 / 3;
        if first.fault == Fault::None && rng.below(often) < plan.errors {
            self.again(&mut first, rng, rows);
        }
        rows.push(first);
    }

    /// An add-on beside the basic package; now and then without it (E504) or one too many (E505).
    fn add_on(&self, first: &mut Row, addon: usize, rng: &mut Rng, rows: &mut Vec<Row>) {
        let plan = self.plan;
        let mut row = self.first(&first.person, addon, rng);
        (row.starts_on, row.ended_on, row.reason) = (first.starts_on, None, None);
        if first.fault == Fault::None && row.fault == Fault::None && rng.below(MILLION) < plan.errors * 2 {
            row.fault = Fault::Again;
            if rng.percent(50) && !plan.policy.packages[addon].requires.is_empty() {
                row.institution = places::another(plan, first.institution, rng);
            } else {
                let more = plan.policy.overlap.addons_at_most.min(3);
                rows.extend((0..more).map(|_| row.clone()));
            }
        }
        rows.push(row);
    }

    fn again(&self, first: &mut Row, rng: &mut Rng, rows: &mut Vec<Row>) {
        let plan = self.plan;
        let start = first.starts_on.unwrap_or(first.signed_on);
        let home = first.institution;
        let later = first.signed_on + 1 + rng.below(20) as Day;
        let mut again = |institution, starts_on| {
            let (fault, signed_on) = (Fault::Again, later.min(plan.end + 10));
            rows.push(Row { institution, signed_on, starts_on, fault, ended_on: None, ..first.clone() });
        };
        match rng.below(8) {
            0..3 => again(places::another(plan, home, rng), None),
            3..5 => again(home, None),
            5 => {
                // Ended early and signed elsewhere.
                again(places::another(plan, home, rng), Some(start + 30));
                first.ended_on = Some(start + 10);
            }
            6 if plan.policy.balance.is_some() => {
                // The first row is refused, so it does not stand in the way of the second.
                again(places::another(plan, home, rng), None);
                first.fault = Fault::Balance;
            }
            _ => {
                // The second is refused and would overlap the third, which starts when the first has run out,
                // or a day too early.
                again(places::another(plan, home, rng), Some(start + 30));
                let third = years_later(start, 1) - rng.below(2) as Day;
                again(places::another(plan, home, rng), Some(third));
            }
        }
    }

    fn first(&self, person: &Person, package: usize, rng: &mut Rng) -> Row {
        let plan = self.plan;
        let mut row = Row::of(person, package);
        if rng.below(MILLION) < plan.errors {
            row.fault = rng.pick(&self.faults);
            let free = plan.policy.packages[package].kind == PackageKind::Free;
            // Nobody asks about the balance for a package that costs nothing.
            if free && matches!(row.fault, Fault::Balance | Fault::Uninsured) {
                row.fault = Fault::CheckDigit;
            }
            if row.fault == Fault::Early {
                row.signed_on = too_early(plan) - rng.below(31) as Day;
            }
            if row.fault == Fault::Group && !of_no_group(plan, &mut row) {
                row.fault = Fault::CheckDigit;
            }
        }
        row.starts_on = match rng.below(100) {
            0..70 => None,
            70..95 => Some(row.signed_on),
            95..99 => Some(row.signed_on + 1 + rng.below(20) as Day),
            // Signed in the period, in force after it.
            _ => Some(plan.end + rng.below(30) as Day),
        };
        let start = row.starts_on.unwrap_or(row.signed_on);
        row.ended_on = rng.percent(1).then(|| start + 10 + rng.below(290) as Day);
        let reasons = plan.policy.prorate.reasons.len() as u64;
        if row.ended_on.is_some() && reasons > 0 && rng.percent(80) {
            row.reason = Some(rng.below(reasons) as usize);
        }
        row
    }

    /// Notes what a row is worth that is admitted.
    fn note(&mut self, row: &Row, months: u32) {
        let plan = self.plan;
        let policy = plan.policy;
        let start = date(row.starts_on.unwrap_or(row.signed_on));
        let term_end = policy.terms.end(start, months);
        let end = row.ended_on.map_or(term_end, |ended| date(ended).min(term_end));
        let (first, last) = (plan.period.first_day(), plan.period.end());
        let kind = self.kinds[row.institution as usize];
        let Some(price) = self.prices.of(plan, kind, row) else { return };
        let addon = policy.packages[row.package].kind == PackageKind::Addon;
        for (_, day) in policy.schedule.charges(start, first, end.min(last)) {
            let Some(cohort) = plan.cohorts.iter().position(|cohort| cohort.contains(day)) else { continue };
            for (source, amount) in &price.shares {
                let of = &policy.sources[*source];
                if of.settled && !(addon && of.once_for_person) {
                    let key = (row.institution as u32, cohort as u16, row.package as u16, *source as u16);
                    let sum = self.gross.entry(key).or_default();
                    *sum = (sum.0 + amount.0, sum.1 + 1);
                }
            }
        }
    }

    fn write(&mut self, sheet: &mut Sheet, contract: u64, row: &Row, rng: &mut Rng) -> io::Result<()> {
        let plan = self.plan;
        let policy = plan.policy;
        let (fault, set) = (row.fault, row.set);
        let package = &policy.packages[row.package];
        let free = package.kind == PackageKind::Free;
        // Whoever has an add-on keeps what it stands on.
        let void = rng.per_mille(3) && row.person.addon.is_none();
        let void = set.map_or(void, |set| set.void);
        // Where one kind of fault has several forms.
        let form = rng.below(4);
        let form = set.map_or(form, |set| set.form);
        // term_months, drawn first: what a row is worth depends on it
        let terms = &policy.terms;
        let term = match (rng.below(10), terms.months.as_slice()) {
            (_, []) => None,
            (0..2, _) => None,
            (2..9, all) => all.first().copied(),
            (_, all) if terms.or_more && all.len() == 1 => all.first().map(|months| months + 12),
            (_, all) => Some(rng.pick(all)),
        };
        if fault == Fault::None && !void && !free {
            self.note(row, term.unwrap_or(terms.first()));
        }
        let kind = self.kinds[row.institution as usize];
        let price = self.prices.of(plan, kind, row);
        let share = |of: &dyn Fn(usize) -> bool| -> u64 {
            let shares = price.iter().flat_map(|price| &price.shares).filter(|(source, _)| of(*source));
            shares.map(|(_, amount)| amount.0.max(0).cast_unsigned()).sum()
        };
        let individual = share(&|source| policy.sources[source].id == "individual");
        let of_balance =
            policy.balance.as_ref().map_or(0, |balance| share(&|source| source == balance.source));

        sheet.label(b'C', contract, 9);
        if fault == Fault::NotText {
            sheet.spoil();
        }
        // person_id
        let cell = sheet.field();
        if !(fault == Fault::Empty && form == 0) {
            row.person.push_id(plan, cell, fault == Fault::CheckDigit);
        }
        // institution_id
        let unknown = places::unknown(rng);
        match fault {
            Fault::Institution => places::push(sheet, unknown),
            Fault::Empty if form == 1 => sheet.text(""),
            _ => places::push(sheet, row.institution),
        }
        // package
        match fault {
            Fault::Package => sheet.word(rng, "premium", "高级服务包"),
            Fault::Empty if form > 1 => sheet.text(""),
            _ => sheet.word(rng, &package.named.id, &package.named.name),
        }
        // signed_on, starts_on
        match (fault, form) {
            (Fault::Date, 0) => sheet.text("2020-02-30"),
            (Fault::Date, 1) => sheet.text("2020-13-01"),
            (Fault::Date, 2) => sheet.text("待定"),
            _ => sheet.date(Some(row.signed_on)),
        }
        match (fault, form) {
            (Fault::Date, 3..) => sheet.text("2019/2/29"),
            _ => sheet.date(row.starts_on),
        }
        // term_months
        match (fault, self.wrong_term, term) {
            (Fault::Term, Some(wrong), _) => sheet.number(u64::from(wrong)),
            (Fault::Number, ..) if form == 3 || (form < 2 && !self.has.balance) => sheet.text("x"),
            (_, _, Some(months)) => sheet.number(u64::from(months)),
            _ => sheet.text(""),
        }
        // ended_on, ended_reason
        sheet.date(row.ended_on);
        if self.has.reason {
            match row.reason.and_then(|at| policy.prorate.reasons.get(at)) {
                Some((reason, _)) => sheet.word(rng, &reason.id, &reason.name),
                None => sheet.text(""),
            }
        }
        // scheme, insured
        if let Some(insurance) = &policy.insurance {
            let scheme = &insurance.schemes[row.person.scheme];
            // The first may be left out.
            let given = rng.percent(80) || row.person.scheme > 0;
            match (fault, form) {
                (Fault::Uninsured, 0..2) => sheet.text("商业保险"),
                _ if given => sheet.word(rng, &scheme.id, &scheme.name),
                _ => sheet.text(""),
            }
            let yes = rng.pick(&[("y", "是"), ("true", "是"), ("1", "1"), ("", "")]);
            match (fault, form) {
                (Fault::Uninsured, 2..) => sheet.word(rng, "no", "否"),
                (Fault::Word, 0..2) => sheet.text("不详"),
                _ => sheet.word(rng, yes.0, yes.1),
            }
        }
        // balance: often just enough; a free package asks for none
        if self.has.balance {
            let given = rng.percent(if free { 10 } else { 70 });
            let balance = match rng.below(20) {
                0 if !free => of_balance,
                _ if !free => of_balance + 1 + rng.below(40_000),
                _ => rng.below(2_000),
            };
            let exact = set.is_some_and(|set| set.exact_balance);
            match (fault, form) {
                (Fault::Balance, 0) => sheet.text("0"),
                (Fault::Balance, _) => sheet.fen(of_balance.saturating_sub(1)),
                (Fault::Number, 0) => sheet.text("-35.00"),
                (Fault::Number, 1) => sheet.text("35.005"),
                _ if exact => sheet.fen(of_balance),
                _ if given => sheet.fen(balance),
                _ => sheet.text(""),
            }
        }
        // personal_paid
        let payment = set.map_or(rng.below(1000), |set| if set.unpaid { 0 } else { 999 });
        match (fault, form) {
            (Fault::Number, 2) => sheet.text("abc"),
            _ if individual == 0 || payment < 5 => sheet.text(""),
            _ if payment < 10 => sheet.fen(individual - individual.min(50)),
            _ => sheet.fen(individual),
        }
        if self.has.authorized {
            let yes = set.map_or(rng.percent(90), |set| !set.unauthorized);
            match (yes, fault, form) {
                (_, Fault::Word, 0..2) if !self.has.insurance => sheet.text("不详"),
                (true, ..) => sheet.word(rng, "yes", "是"),
                (false, ..) => sheet.word(rng, "no", "否"),
            }
        }
        if self.has.groups {
            let of = plan.tags.iter().enumerate().filter(|(at, _)| row.person.tags >> at & 1 == 1);
            let names: Vec<&str> = of.map(|(_, tag)| tag.name.as_str()).collect();
            sheet.text(&names.join(";"));
        }
        let team = if row.person.crowded { 9 } else { 1 + row.person.number % 3 };
        for (asked, letter) in [(self.has.team, b'T'), (self.has.doctor, b'D')] {
            if asked {
                sheet.label(letter, row.institution * 10 + team, 7);
            }
        }
        // status
        let given = rng.percent(60);
        let word = fault == Fault::Word && (form > 1 || !self.has.insurance && !self.has.authorized);
        match () {
            () if void => sheet.word(rng, "void", "作废"),
            () if word => sheet.text("pending"),
            () => sheet.text(if given { "valid" } else { "" }),
        }
        // name: the last field, so that a row with too few fields is a row without it
        let style = rng.below(200);
        let letter = rng.pick(&["甲", "乙", "丙", "丁"]);
        if fault != Fault::FieldCount || form > 1 {
            let (open, middle, close) = match style {
                0 => ("\"", ",", "\""),
                1 => ("\"", "\"\"", "\"\"\""),
                _ => ("", "", ""),
            };
            let cell = sheet.field();
            for part in [open, "居民", middle, letter] {
                cell.extend_from_slice(part.as_bytes());
            }
            push_number(cell, row.person.number, 1);
            cell.extend_from_slice(close.as_bytes());
            if fault == Fault::FieldCount {
                sheet.text("x");
            }
        }
        sheet.end_row()
    }
}
