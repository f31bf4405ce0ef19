//! A second calculation of SPEC §2.1, §3 and §5 for Urumqi: slow, plain, and with none of the program's
//! own code. Dates are (year, month, day), money is whole fen, scores are whole thousandths.

use std::collections::{BTreeMap, BTreeSet};

/// (id, name, kind, designated): C3 is not designated, C4 is of a kind that does not sign.
pub const INSTITUTIONS: [(&str, &str, &str, &str); 5] = [
    ("C1", "First Center", "community_center", "y"),
    ("C2", "Second Clinic", "village_clinic", ""),
    ("C3", "Third Station", "health_station", "n"),
    ("C4", "Fourth Hospital", "general_hospital", "y"),
    ("C5", "Fifth Center", "township_center", "是"),
];
const ITEMS: [&str; 4] = ["consult", "肌肉注射", "follow_up", "建立医保服务档案"];
const FEE: i64 = 1_500;

pub type Day = (i32, i32, i32);
/// (year, quarter from 1 to 4).
pub type Quarter = (i32, i32);

/// Rows as their files write them.
#[derive(Clone, Debug, Default)]
pub struct Data {
    pub signings: Vec<Signing>,
    pub swipes: Vec<Swipe>,
    pub scores: Vec<Score>,
    pub payments: Vec<Payment>,
}

#[derive(Clone, Debug, Default)]
pub struct Signing {
    pub contract: String,
    pub person: String,
    pub institution: String,
    pub package: String,
    pub signed_on: String,
    pub starts_on: String,
    pub term: String,
    pub ended_on: String,
    pub scheme: String,
    pub insured: String,
    pub balance: String,
    pub paid: String,
    pub status: String,
    /// In the column that nobody reads; may hold line breaks.
    pub note: String,
}

#[derive(Clone, Debug, Default)]
pub struct Swipe {
    pub id: String,
    pub person: String,
    pub institution: String,
    pub at: String,
    pub item: String,
    pub charged: String,
}

#[derive(Clone, Debug, Default)]
pub struct Score {
    pub institution: String,
    pub period: String,
    pub score: String,
    pub level: String,
    pub assessed_on: String,
}

#[derive(Clone, Debug, Default)]
pub struct Payment {
    pub institution: String,
    pub cohort: String,
    pub source: String,
    pub amount: String,
}

/// What must come out. Rows are numbered from 0, as in [`Data`].
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Code of each refused row, by kind and number.
    pub refused: BTreeMap<(&'static str, usize), &'static str>,
    pub void: BTreeSet<usize>,
    /// Signings with a charge in the period.
    pub charged: BTreeSet<usize>,
    /// Taken, with no charge in the period.
    pub idle: BTreeSet<usize>,
    /// settlement.csv, some of its columns.
    pub lines: Vec<[String; 14]>,
    pub flags: Vec<Flag>,
    pub free: i64,
    pub individual: i64,
}

/// (code, institution, contract, kind and number of the row it stands on).
pub type Flag = (&'static str, String, String, Option<(&'static str, usize)>);

pub const LINE: [&str; 14] = [
    "cohort",
    "institution_id",
    "source",
    "count",
    "held",
    "gross",
    "deduction",
    "prepay",
    "score",
    "ratio",
    "final",
    "posted",
    "payable",
    "recover",
];

fn leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn last_of(year: i32, month: i32) -> i32 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn real(year: i32, month: i32, day: i32) -> Option<Day> {
    let good = (1800..=2999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=last_of(year, month)).contains(&day);
    good.then_some((year, month, day))
}

/// `2020-01-06`, and nothing else: the cells' other shapes are the unit tests' matter.
fn day(text: &str) -> Option<Day> {
    let parts: Vec<i32> = text.split('-').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    match parts[..] {
        [year, month, day] if text.len() == 10 => real(year, month, day),
        _ => None,
    }
}

fn plus_months((year, month, day): Day, months: i32) -> Day {
    let all = year * 12 + month - 1 + months;
    let (year, month) = (all.div_euclid(12), all.rem_euclid(12) + 1);
    (year, month, day.min(last_of(year, month)))
}

fn quarter_of((year, month, _): Day) -> Quarter {
    (year, (month - 1) / 3 + 1)
}

fn first_day((year, quarter): Quarter) -> Day {
    (year, quarter * 3 - 2, 1)
}

/// The first day behind it.
fn day_after(quarter: Quarter) -> Day {
    plus_months(first_day(quarter), 3)
}

fn named((year, quarter): Quarter) -> String {
    format!("{year}Q{quarter}")
}

fn quarter(text: &str) -> Option<Quarter> {
    let (year, quarter) = text.split_once('Q')?;
    let (year, quarter) = (year.parse().ok()?, quarter.parse().ok()?);
    (text.len() == 6 && (1..=4).contains(&quarter)).then_some((year, quarter))
}

/// Fen of `10`, `10.5` or `10.50`.
fn fen(text: &str) -> Option<i64> {
    let (yuan, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(yuan) && digits(rest) && rest.len() <= 2;
    fits.then(|| yuan.parse::<i64>().unwrap() * 100 + format!("{rest:0<2}").parse::<i64>().unwrap())
}

fn yuan(fen: i64) -> String {
    format!("{}.{:02}", fen / 100, fen % 100)
}

/// Thousandths of a score with up to three decimals.
fn thousandths(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(whole) && digits(rest) && rest.len() <= 3;
    fits.then(|| whole.parse::<i64>().unwrap() * 1_000 + format!("{rest:0<3}").parse::<i64>().unwrap())
}

/// `value` parts of `whole` without the zeros at the end: 89500 of 1000 is `89.5`.
fn shortest(value: i64, whole: i64) -> String {
    let digits = (whole - 1).to_string().len();
    let text = format!("{}.{:0digits$}", value / whole, value % whole);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Half up, of what is not negative.
fn divided(exact: i64, by: i64) -> i64 {
    (exact * 2 + by) / (by * 2)
}

/// 18 digits, or nothing where it is no ID number of somebody born by `day`.
fn person(text: &str, day: Day) -> Option<String> {
    let long = match text.len() {
        15 => format!("{}19{}", &text[..6], &text[6..]),
        18 => text[..17].to_string(),
        _ => return None,
    };
    if !long.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let part = |from: usize, to: usize| long[from..to].parse::<i32>().unwrap();
    let birth = real(part(6, 10), part(10, 12), part(12, 14))?;
    // GB 11643: the weights are the powers of 2 modulo 11.
    let sum: u64 =
        long.bytes().enumerate().map(|(at, digit)| u64::from(digit - b'0') * ((1 << (17 - at)) % 11)).sum();
    let check = match (12 - sum % 11) % 11 {
        10 => "X".to_string(),
        digit => digit.to_string(),
    };
    if text.len() == 18 && text[17..].to_uppercase() != check || birth > day {
        return None;
    }
    Some(long)
}

fn known(institution: &str) -> bool {
    INSTITUTIONS.iter().any(|(id, ..)| *id == institution)
}

fn yes_no(text: &str) -> Option<bool> {
    match text {
        "y" | "是" => Some(true),
        "n" | "否" => Some(false),
        _ => None,
    }
}

/// A signing that its own row does not refuse.
struct Taken {
    row: usize,
    contract: String,
    person: String,
    institution: String,
    paid: bool,
    signed_on: Day,
    starts_on: Day,
    term_end: Day,
    end: Day,
    collected: i64,
}

impl Taken {
    fn in_force(&self, day: Day) -> bool {
        self.starts_on <= day && day < self.end
    }

    /// The days that it keeps other paid signings of the person out of: the whole signed term, unless it
    /// was never in force.
    fn keeps(&self) -> (Day, Day) {
        (self.starts_on, if self.end > self.starts_on { self.term_end } else { self.starts_on })
    }
}

enum Verdict {
    Refused(&'static str),
    Void,
    Taken(Box<Taken>),
}

/// The first table of SPEC §2.1, in its order.
fn by_itself(row: usize, signing: &Signing) -> Verdict {
    use Verdict::{Refused, Void};
    let Signing { contract, person: id, institution, package, signed_on, .. } = signing;
    if [contract, id, institution, package, signed_on].iter().any(|cell| cell.trim().is_empty()) {
        return Refused("E102");
    }
    if ["void", "作废"].contains(&signing.status.as_str()) {
        return Void;
    }
    let optional = |text: &str| if text.is_empty() { Some(None) } else { day(text).map(Some) };
    let (Some(signed_on), Some(starts_on), Some(ended_on)) =
        (day(signed_on), optional(&signing.starts_on), optional(&signing.ended_on))
    else {
        return Refused("E103");
    };
    let amount = |text: &str| if text.is_empty() { Some(None) } else { fen(text).map(Some) };
    let term = if signing.term.is_empty() { Ok(12) } else { signing.term.parse::<i32>() };
    let (Ok(term @ 0..), Some(balance), Some(collected)) =
        (term, amount(&signing.balance), amount(&signing.paid))
    else {
        return Refused("E104");
    };
    let insured = if signing.insured.is_empty() { Some(true) } else { yes_no(&signing.insured) };
    let (Some(insured), "" | "valid" | "有效") = (insured, signing.status.as_str()) else {
        return Refused("E106");
    };
    let Some(id) = person(id, signed_on) else { return Refused("E201") };
    let Some((_, _, kind, designated)) = INSTITUTIONS.iter().find(|(id, ..)| id == institution) else {
        return Refused("E301");
    };
    if *designated == "n" {
        return Refused("E302");
    }
    if signed_on < (2019, 11, 1) {
        return Refused("E305");
    }
    if *kind == "general_hospital" {
        return Refused("E303");
    }
    let paid = match package.as_str() {
        "paid" | "有偿服务包" => true,
        "free" | "免费服务包" => false,
        _ => return Refused("E304"),
    };
    if !insured || !["", "resident", "城乡居民"].contains(&signing.scheme.as_str()) {
        return Refused("E401");
    }
    if term != 12 {
        return Refused("E403");
    }
    if paid && balance.is_some_and(|balance| balance < fund_share()) {
        return Refused("E405");
    }
    let starts_on = starts_on.unwrap_or(signed_on);
    let term_end = plus_months(starts_on, term);
    Verdict::Taken(Box::new(Taken {
        row,
        contract: contract.clone(),
        person: id,
        institution: institution.clone(),
        paid,
        signed_on,
        starts_on,
        term_end,
        end: ended_on.map_or(term_end, |ended_on| ended_on.min(term_end)),
        collected: collected.unwrap_or(0),
    }))
}

/// 70 percent of the fee; every kind has the same.
fn fund_share() -> i64 {
    divided(FEE * 70, 100)
}

/// The second table: what is left, in order.
fn against_each_other(mut all: Vec<Taken>, answer: &mut Answer) -> Vec<Taken> {
    all.sort_by(|a, b| {
        (a.starts_on, a.signed_on, &a.contract, a.row).cmp(&(b.starts_on, b.signed_on, &b.contract, b.row))
    });
    let mut contracts = BTreeSet::new();
    let mut left: BTreeMap<String, Vec<Taken>> = BTreeMap::new();
    for signing in all {
        let others = left.entry(signing.person.clone()).or_default();
        let overlaps = |other: &&Taken| {
            let ((a, b), (c, d)) = (signing.keeps(), other.keeps());
            signing.paid && other.paid && a < b && c < d && a < d && c < b
        };
        let clashes: Vec<&Taken> = others.iter().filter(overlaps).collect();
        let code = if !contracts.insert(signing.contract.clone()) {
            Some("E501")
        } else if clashes.iter().any(|other| other.institution == signing.institution) {
            Some("E502")
        } else if !clashes.is_empty() {
            Some("E503")
        } else {
            None
        };
        match code {
            Some(code) => drop(answer.refused.insert(("signings", signing.row), code)),
            None => others.push(signing),
        }
    }
    left.into_values().flatten().collect()
}

/// A score that holds: thousandths, and the day of the assessment.
type Held = BTreeMap<(String, Quarter), (i64, Option<Day>)>;

fn scores(data: &Data, answer: &mut Answer) -> Held {
    type Entry = (usize, i64, Option<Day>);
    let mut groups: BTreeMap<(String, Quarter), Vec<Entry>> = BTreeMap::new();
    for (row, score) in data.scores.iter().enumerate() {
        let assessed_on =
            if score.assessed_on.is_empty() { Ok(None) } else { day(&score.assessed_on).map(Some).ok_or(()) };
        let code = if [&score.institution, &score.period, &score.score].iter().any(|cell| cell.is_empty()) {
            "E102"
        } else if assessed_on.is_err() {
            "E103"
        } else if thousandths(&score.score).is_none() {
            "E104"
        } else if !known(&score.institution) {
            "E301"
        } else if thousandths(&score.score) > Some(100_000) {
            "E601"
        } else if !["", "district", "区县"].contains(&score.level.as_str()) {
            "E605"
        } else if quarter(&score.period).is_none() {
            "E602"
        } else {
            let key = (score.institution.clone(), quarter(&score.period).unwrap());
            let entry = (row, thousandths(&score.score).unwrap(), assessed_on.unwrap());
            groups.entry(key).or_default().push(entry);
            continue;
        };
        answer.refused.insert(("scores", row), code);
    }
    let mut held = Held::new();
    for (key, entries) in groups {
        let different = |entries: &[Entry]| entries.iter().any(|entry| entry.1 != entries[0].1);
        if !different(&entries) {
            held.insert(key, (entries[0].1, entries[0].2));
            continue;
        }
        let latest = entries.iter().map(|entry| entry.2).max().unwrap();
        let last: Vec<Entry> = entries.iter().filter(|entry| entry.2 == latest).copied().collect();
        if entries.iter().any(|entry| entry.2.is_none()) || different(&last) {
            answer.refused.extend(entries.iter().map(|entry| (("scores", entry.0), "E603")));
            continue;
        }
        for entry in entries.iter().filter(|entry| entry.1 != last[0].1) {
            answer.flags.push(("W710", key.0.clone(), String::new(), Some(("scores", entry.0))));
        }
        held.insert(key, (last[0].1, latest));
    }
    held
}

fn payments(data: &Data, answer: &mut Answer) -> BTreeMap<(Quarter, String), i64> {
    let mut posted = BTreeMap::new();
    for (row, payment) in data.payments.iter().enumerate() {
        let Payment { institution, cohort, source, amount } = payment;
        let code = if [institution, cohort, source, amount].iter().any(|cell| cell.is_empty()) {
            "E102"
        } else if fen(amount).is_none() {
            "E104"
        } else if !known(institution) {
            "E301"
        } else if quarter(cohort).is_none() {
            "E602"
        } else if !["resident_fund", "城乡居民医保基金"].contains(&source.as_str()) {
            "E604"
        } else {
            let key = (quarter(cohort).unwrap(), institution.clone());
            *posted.entry(key).or_insert(0) += fen(amount).unwrap();
            continue;
        };
        answer.refused.insert(("payments", row), code);
    }
    posted
}

fn swipes(data: &Data, taken: &[Taken], period: &[Quarter], answer: &mut Answer) {
    let mut ids = BTreeSet::new();
    let mut of: BTreeMap<&str, Vec<&Taken>> = BTreeMap::new();
    for signing in taken {
        of.entry(&signing.person).or_default().push(signing);
    }
    for (row, swipe) in data.swipes.iter().enumerate() {
        let required = [&swipe.person, &swipe.institution, &swipe.at];
        let charged = if swipe.charged.is_empty() { Some(0) } else { fen(&swipe.charged) };
        let at = day(swipe.at.get(..10).unwrap_or(&swipe.at));
        let code = if required.iter().any(|cell| cell.is_empty()) {
            "E102"
        } else if at.is_none() {
            "E103"
        } else if charged.is_none() {
            "E104"
        } else if person(&swipe.person, at.unwrap()).is_none() {
            "E201"
        } else if !known(&swipe.institution) {
            "E301"
        } else if !swipe.id.is_empty() && !ids.insert(swipe.id.clone()) {
            "E506"
        } else {
            ""
        };
        if !code.is_empty() {
            answer.refused.insert(("swipes", row), code);
            continue;
        }
        let (at, charged) = (at.unwrap(), charged.unwrap());
        if !period.contains(&quarter_of(at)) {
            continue;
        }
        let who = person(&swipe.person, at).unwrap();
        let all = of.get(who.as_str()).into_iter().flatten().copied();
        let in_force: Vec<&Taken> = all.filter(|signing| signing.in_force(at)).collect();
        let here = |signing: &&&Taken| signing.institution == swipe.institution;
        let mut flag = |code, signing: &Taken| {
            let place = Some(("swipes", row));
            answer.flags.push((code, signing.institution.clone(), signing.contract.clone(), place));
        };
        let paid_here = in_force.iter().find(|signing| signing.paid && here(signing));
        if let Some(signing) = paid_here.filter(|_| charged > 0 && ITEMS.contains(&swipe.item.as_str())) {
            flag("W701", signing);
        }
        // Signed with here at all: then it is no swipe elsewhere. Free signings bind nobody to a place.
        let elsewhere = in_force.iter().find(|signing| signing.paid && !here(signing));
        if let (Some(signing), false) = (elsewhere, in_force.iter().any(|signing| here(&signing))) {
            flag("W703", signing);
        }
    }
}

/// Settles whole quarters.
pub fn settle(data: &Data, period: &[Quarter]) -> Answer {
    let mut answer = Answer::default();
    let mut passed = Vec::new();
    for (row, signing) in data.signings.iter().enumerate() {
        match by_itself(row, signing) {
            Verdict::Refused(code) => drop(answer.refused.insert(("signings", row), code)),
            Verdict::Void => drop(answer.void.insert(row)),
            Verdict::Taken(signing) => passed.push(*signing),
        }
    }
    let taken = against_each_other(passed, &mut answer);
    let held = scores(data, &mut answer);
    let posted = payments(data, &mut answer);
    swipes(data, &taken, period, &mut answer);

    let end = day_after(*period.last().expect("a period"));
    let last_day_free = |signing: &&Taken| {
        // In force on the last day: started before the period's end, and not ended by that day.
        !signing.paid && signing.starts_on < end && signing.end >= end
    };
    answer.free = taken.iter().filter(last_day_free).count() as i64;
    let mut counts: BTreeMap<(Quarter, String), i64> = BTreeMap::new();
    for signing in &taken {
        let cohort = quarter_of(signing.starts_on);
        // One term is one contract year, so there is one charge, on the first day.
        if !(signing.paid && period.contains(&cohort) && signing.starts_on < signing.end) {
            answer.idle.insert(signing.row);
            continue;
        }
        answer.charged.insert(signing.row);
        *counts.entry((cohort, signing.institution.clone())).or_insert(0) += 1;
        answer.individual += FEE - fund_share();
        let mut flag = |code| {
            let place = Some(("signings", signing.row));
            answer.flags.push((code, signing.institution.clone(), signing.contract.clone(), place));
        };
        if signing.collected < FEE - fund_share() {
            flag("W702");
        }
        let assessed = held.get(&(signing.institution.clone(), cohort)).and_then(|held| held.1);
        if signing.signed_on >= day_after(cohort) && assessed.is_some_and(|day| day < signing.signed_on) {
            flag("W704");
        }
    }
    lines(period, &counts, &held, &posted, &mut answer);
    answer.flags.sort();
    answer
}

fn lines(
    period: &[Quarter],
    counts: &BTreeMap<(Quarter, String), i64>,
    held: &Held,
    posted: &BTreeMap<(Quarter, String), i64>,
    answer: &mut Answer,
) {
    let paid = posted.iter().filter(|(key, amount)| period.contains(&key.0) && **amount > 0);
    let keys: BTreeSet<&(Quarter, String)> = counts.keys().chain(paid.map(|(key, _)| key)).collect();
    for key in &keys {
        let (cohort, institution) = key;
        let count = counts.get(*key).copied().unwrap_or(0);
        let posted = posted.get(*key).copied().unwrap_or(0);
        let score = held.get(&(institution.clone(), *cohort)).map(|held| held.0);
        // In millionths: 2 percent less for each point under 90, nothing under 60.
        let ratio = score.map(|score| match score {
            90_000.. => 1_000_000,
            60_000.. => 1_000_000 - (90_000 - score) * 20,
            _ => 0,
        });
        let gross = count * fund_share();
        let prepay = divided(gross, 2);
        let last = ratio.map(|ratio| divided(gross * ratio, 1_000_000));
        let due = last.unwrap_or(prepay);
        let empty = String::new;
        let own = |source: &str, gross| -> [String; 14] {
            let mut line: [String; 14] = std::array::from_fn(|_| String::new());
            line[..6].clone_from_slice(&[
                named(*cohort),
                institution.clone(),
                source.to_string(),
                count.to_string(),
                "0".into(),
                yuan(gross),
            ]);
            for amount in [7, 11, 12, 13] {
                line[amount] = yuan(0);
            }
            line
        };
        if count > 0 {
            answer.lines.push(own("individual", count * (FEE - fund_share())));
        }
        let mut line = own("resident_fund", gross);
        line[6] = score.map_or_else(empty, |_| yuan(0));
        line[7] = yuan(prepay);
        line[8] = score.map_or_else(empty, |score| shortest(score, 1_000));
        line[9] = ratio.map_or_else(empty, |ratio| shortest(ratio, 1_000_000));
        line[10] = last.map_or_else(empty, yuan);
        line[11] = yuan(posted);
        line[12] = yuan((due - posted).max(0));
        line[13] = yuan((posted - due).max(0));
        answer.lines.push(line);
    }
    for key in keys.iter().filter(|key| counts.contains_key(**key)) {
        let scored = |(cohort, institution): &(Quarter, String)| {
            *cohort == key.0 && held.contains_key(&(institution.clone(), *cohort))
        };
        if !held.contains_key(&(key.1.clone(), key.0)) && keys.iter().any(|other| scored(other)) {
            answer.flags.push(("W706", key.1.clone(), String::new(), None));
        }
    }
}
