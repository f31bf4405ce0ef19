//! Writes a made-up quarter of family-doctor data: 2020Q1 of the region Urumqi, as large as wanted.
//!
//! The five files hold what real exports hold, in a province's proportions: most rows are plain, some are
//! wrong in each of the ways that SPEC §2.1 names. Nobody in them exists: every ID number has an area code
//! 9999xx, which is assigned to nobody, with a real birth date and a true check digit.
//!
//! The same arguments give the same bytes. Both encodings take the same random draws, so that the two
//! forms of one seed settle to the same figures.
//!
//! This file decides nothing about money; it only makes input. It uses no crate and no floating point.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
usage: generate --signings N --out DIR
    [--swipes-per-signing 5]   swipes are N times this
    [--institutions K]         default N/250, at least 400 and at most 20000
    [--errors 0.01]            share of rows that are wrong in some way
    [--seed 1]
    [--encoding utf8|gb18030]  gb18030: Chinese headers, CRLF, dates like 2020/1/3";

const MILLION: u64 = 1_000_000;

/// Rows wait in a pool of this size and leave it in random order, so that the rows of one person are not neighbours.
const POOL: u64 = 2048;

fn main() -> ExitCode {
    let plan = match Plan::from_arguments(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(message) => {
            eprintln!("{message}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match write_all(&plan) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cannot write to `{}`: {error}", plan.out.display());
            ExitCode::FAILURE
        }
    }
}

fn write_all(plan: &Plan) -> io::Result<()> {
    std::fs::create_dir_all(&plan.out)?;
    write_institutions(plan)?;
    let signed = write_signings(plan)?;
    write_swipes(plan, signed.persons)?;
    write_scores(plan)?;
    write_payments(plan, &signed.paid_in_quarter)
}

// ---------------------------------------------------------------- what was asked for

struct Plan {
    signings: u64,
    swipes: u64,
    institutions: u64,
    /// Wrong rows in a million.
    errors: u64,
    seed: u64,
    gb18030: bool,
    out: PathBuf,
}

impl Plan {
    fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Plan, String> {
        let (mut signings, mut institutions, mut out) = (None, None, None);
        let (mut swipes_per_signing, mut errors, mut seed, mut gb18030) = (5, 10_000, 1, false);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or_else(|| format!("`{name}` needs a value"))?;
            let whole =
                || value.parse::<u64>().map_err(|_| format!("`{name} {value}` is not a whole number"));
            match name.as_str() {
                "--signings" => signings = Some(whole()?),
                "--swipes-per-signing" => swipes_per_signing = whole()?,
                "--institutions" => institutions = Some(whole()?),
                "--errors" => {
                    errors = share(&value)
                        .ok_or_else(|| format!("`--errors {value}` is not a share from 0 to 1"))?
                }
                "--seed" => seed = whole()?,
                "--encoding" => {
                    gb18030 = match value.as_str() {
                        "utf8" => false,
                        "gb18030" => true,
                        _ => {
                            return Err(format!("`--encoding {value}` is neither utf8 nor gb18030"));
                        }
                    }
                }
                "--out" => out = Some(PathBuf::from(&value)),
                _ => return Err(format!("unknown argument `{name}`")),
            }
        }
        let signings = signings.ok_or("--signings is missing")?;
        let institutions = institutions.unwrap_or((signings / 250).clamp(400, 20_000));
        if institutions < 20 {
            return Err("--institutions must be at least 20".into());
        }
        Ok(Plan {
            signings,
            swipes: signings * swipes_per_signing,
            institutions,
            errors,
            seed,
            gb18030,
            out: out.ok_or("--out is missing")?,
        })
    }

    /// A draw that belongs to one thing (a person, an institution), so that it can be drawn again and need not be kept.
    fn draw_for(&self, what: u64, number: u64) -> Rng {
        Rng(scramble(scramble(self.seed ^ (what << 56)) ^ number))
    }

    fn rng(&self, what: u64) -> Rng {
        self.draw_for(what, u64::MAX)
    }
}

/// `0.01` as parts of a million.
fn share(text: &str) -> Option<u64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || decimals.len() > 6 || !digits_only(whole) || !digits_only(decimals) {
        return None;
    }
    let parts =
        whole.parse::<u64>().ok()?.checked_mul(MILLION)? + format!("{decimals:0<6}").parse::<u64>().ok()?;
    (parts <= MILLION).then_some(parts)
}

const OF_PERSON: u64 = 1;
const OF_INSTITUTION: u64 = 2;
const OF_SIGNINGS: u64 = 3;
const OF_SWIPES: u64 = 4;
const OF_SCORES: u64 = 5;
const OF_PAYMENTS: u64 = 6;
const OF_ID_NUMBERS: u64 = 7;

// ---------------------------------------------------------------- chance

/// splitmix64: one word of state, and any state is a good one.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        scramble(self.0)
    }

    /// 0 to n-1.
    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }

    fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    fn per_mille(&mut self, n: u64) -> bool {
        self.below(1000) < n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

fn scramble(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

// ---------------------------------------------------------------- days

/// Days since 1970-01-01.
type Day = i64;

const fn day(year: i64, month: i64, day: i64) -> Day {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn year_month_day(day: Day) -> (u64, u64, u64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z - era * 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as u64, month as u64, (day_of_year - (153 * shifted + 2) / 5 + 1) as u64)
}

/// The same day a year on; a year after 29 February is 28 February.
fn year_later(from: Day) -> Day {
    let (y, m, d) = year_month_day(from);
    day(y as i64 + 1, m as i64, if (m, d) == (2, 29) { 28 } else { d as i64 })
}

const IN_FORCE: Day = day(2019, 11, 1);
const QUARTER: Day = day(2020, 1, 1);
const AFTER_QUARTER: Day = day(2020, 4, 1);

// ---------------------------------------------------------------- a file

/// One CSV file. Rows are built as UTF-8 and turned into the wanted encoding when they end.
struct Sheet {
    file: File,
    buffer: Vec<u8>,
    row: Vec<u8>,
    fields: usize,
    gb18030: bool,
}

impl Sheet {
    fn create(plan: &Plan, name: &str, english: &str, chinese: &str) -> io::Result<Sheet> {
        let mut sheet = Sheet {
            file: File::create(Path::new(&plan.out).join(name))?,
            buffer: Vec::with_capacity(1 << 20),
            row: Vec::with_capacity(256),
            fields: 0,
            gb18030: plan.gb18030,
        };
        let header = if plan.gb18030 { chinese } else { english };
        sheet.text(header);
        sheet.end_row()?;
        Ok(sheet)
    }

    fn field(&mut self) -> &mut Vec<u8> {
        if self.fields > 0 {
            self.row.push(b',');
        }
        self.fields += 1;
        &mut self.row
    }

    fn text(&mut self, text: &str) {
        self.field().extend_from_slice(text.as_bytes());
    }

    /// A letter and a number, so many digits wide.
    fn label(&mut self, letter: u8, number: u64, digits: u32) {
        let row = self.field();
        row.push(letter);
        push_number(row, number, digits);
    }

    fn fen(&mut self, fen: u64) {
        let row = self.field();
        push_number(row, fen / 100, 1);
        row.push(b'.');
        push_number(row, fen % 100, 2);
    }

    fn date(&mut self, day: Option<Day>) {
        let gb18030 = self.gb18030;
        let row = self.field();
        if let Some(day) = day {
            push_date(row, day, gb18030);
        }
    }

    fn date_and_time(&mut self, day: Day, second: u64) {
        let gb18030 = self.gb18030;
        let row = self.field();
        push_date(row, day, gb18030);
        row.push(b' ');
        push_number(row, second / 3600, if gb18030 { 1 } else { 2 });
        row.push(b':');
        push_number(row, second / 60 % 60, 2);
        row.push(b':');
        push_number(row, second % 60, 2);
    }

    /// The English or the Chinese word; in a Chinese file always the Chinese one.
    fn word(&mut self, rng: &mut Rng, english: &str, chinese: &str) {
        let coin = rng.percent(50);
        self.text(if self.gb18030 || coin { chinese } else { english });
    }

    fn end_row(&mut self) -> io::Result<()> {
        if self.gb18030 {
            // Every character written here stands in the table below; a missing one is a fault of this file.
            let row = std::str::from_utf8(&self.row).expect("rows are built as UTF-8");
            for c in row.chars() {
                match u8::try_from(c) {
                    Ok(byte) if byte < 0x80 => self.buffer.push(byte),
                    _ => {
                        let at = GB2312.binary_search_by_key(&c, |entry| entry.0);
                        let at = at.unwrap_or_else(|_| panic!("`{c}` is missing from the table GB2312"));
                        self.buffer.extend_from_slice(&GB2312[at].1.to_be_bytes());
                    }
                }
            }
            self.buffer.push(b'\r');
        } else {
            self.buffer.extend_from_slice(&self.row);
        }
        self.buffer.push(b'\n');
        self.row.clear();
        self.fields = 0;
        if self.buffer.len() > (1 << 20) - 1024 { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

fn push_number(row: &mut Vec<u8>, mut number: u64, digits: u32) {
    let mut text = [b'0'; 20];
    let mut at = text.len();
    while number > 0 {
        at -= 1;
        text[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    row.extend_from_slice(&text[at.min(text.len() - digits as usize)..]);
}

fn push_date(row: &mut Vec<u8>, day: Day, chinese: bool) {
    let (y, m, d) = year_month_day(day);
    let (mark, digits) = if chinese { (b'/', 1) } else { (b'-', 2) };
    push_number(row, y, 4);
    row.push(mark);
    push_number(row, m, digits);
    row.push(mark);
    push_number(row, d, digits);
}

// ---------------------------------------------------------------- institutions

const DISTRICTS: [&str; 8] =
    ["天山区", "沙依巴克区", "新市区", "水磨沟区", "头屯河区", "达坂城区", "米东区", "乌鲁木齐县"];

fn push_institution(sheet: &mut Sheet, institution: u64) {
    sheet.label(b'U', institution, 6);
}

/// Ten and ten belong together: a centre and the nine that report to it, in the country or in the city.
fn write_institutions(plan: &Plan) -> io::Result<()> {
    let mut sheet = Sheet::create(
        plan,
        "institutions.csv",
        "institution_id,name,kind,district,parent_id,designated",
        "机构编码,机构名称,机构类别,区县,上级机构编码,定点",
    )?;
    let mut repeated = Vec::new();
    for institution in 0..plan.institutions {
        let mut rng = plan.draw_for(OF_INSTITUTION, institution);
        write_institution(&mut sheet, plan, institution, &mut rng)?;
        if rng.below(8 * MILLION) < plan.errors {
            repeated.push(institution);
        }
    }
    // E306: the row stands a second time.
    for institution in repeated {
        let mut rng = plan.draw_for(OF_INSTITUTION, institution);
        write_institution(&mut sheet, plan, institution, &mut rng)?;
    }
    sheet.flush()
}

/// Whether it is of a kind that the policy does not admit (E303), and whether it is designated (E302): both come from
/// the institution, not from the row that signs at it. These are the first draws for an institution.
fn standing(plan: &Plan, rng: &mut Rng) -> (bool, bool) {
    let is_hospital = rng.below(8 * MILLION) < plan.errors;
    let is_designated = rng.below(4 * MILLION) >= plan.errors;
    (is_hospital, is_designated)
}

fn write_institution(sheet: &mut Sheet, plan: &Plan, institution: u64, rng: &mut Rng) -> io::Result<()> {
    let group = institution / 10;
    let (is_centre, is_rural) = (institution.is_multiple_of(10), group.is_multiple_of(2));
    let district = DISTRICTS[(group % 8) as usize];
    let (kind, kind_chinese) = match (is_centre, is_rural) {
        (true, true) => ("township_center", "乡镇卫生院"),
        (true, false) => ("community_center", "社区卫生服务中心"),
        (false, true) => ("village_clinic", "村卫生室"),
        (false, false) => ("health_station", "社区卫生服务站"),
    };
    let (is_hospital, is_designated) = standing(plan, rng);

    push_institution(sheet, institution);
    let name = sheet.field();
    name.extend_from_slice(district.as_bytes());
    push_number(name, institution, 1);
    name.extend_from_slice("号".as_bytes());
    name.extend_from_slice(kind_chinese.as_bytes());
    if is_hospital {
        sheet.word(rng, "hospital", "医院");
    } else {
        sheet.word(rng, kind, kind_chinese);
    }
    sheet.text(district);
    if is_centre {
        sheet.text("");
    } else {
        push_institution(sheet, group * 10);
    }
    match (is_designated, rng.below(3)) {
        (false, _) => sheet.word(rng, "no", "否"),
        (true, 0) => sheet.text(""),
        (true, _) => sheet.word(rng, "yes", "是"),
    }
    sheet.end_row()
}

/// Where a person signs: some institutions are several times as large as others, none is empty.
fn home_of(plan: &Plan, rng: &mut Rng) -> u64 {
    let n = plan.institutions;
    if rng.percent(50) {
        return rng.below(n);
    }
    let up_to = rng.below(n) + 1;
    rng.below(up_to)
}

/// Any institution but this one.
fn another(plan: &Plan, institution: u64, rng: &mut Rng) -> u64 {
    (institution + 1 + rng.below(plan.institutions - 1)) % plan.institutions
}

/// The number of an institution that is in no file.
fn unknown_institution(rng: &mut Rng) -> u64 {
    900_000 + rng.below(100_000)
}

// ---------------------------------------------------------------- people

const FIRST_BIRTH: Day = day(1930, 1, 1);
const BIRTHS: u64 = (day(2019, 7, 1) - FIRST_BIRTH) as u64;

/// The ID number of person number `person`: different people have different ones, in no visible order,
/// and it takes no table: a step of a large prime through all numbers there are.
fn push_id_number(row: &mut Vec<u8>, plan: &Plan, person: u64, spoil: bool) {
    const ALL: u64 = 100 * BIRTHS * 999;
    let offset = plan.rng(OF_ID_NUMBERS).below(ALL);
    let number = ((u128::from(person) * 1_000_000_007 + u128::from(offset)) % u128::from(ALL)) as u64;
    let (area, birth, sequence) = (number % 100, number / 100 % BIRTHS, number / 100 / BIRTHS + 1);
    let (y, m, d) = year_month_day(FIRST_BIRTH + birth as Day);
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

/// What a person signed and when: drawn again for each of the person's swipes.
struct Person {
    home: u64,
    signed_on: Day,
    paid: bool,
    free: bool,
}

fn person(plan: &Plan, number: u64) -> Person {
    let mut rng = plan.draw_for(OF_PERSON, number);
    let home = home_of(plan, &mut rng);
    let signed_on = if rng.percent(60) {
        QUARTER + rng.below((AFTER_QUARTER - QUARTER) as u64) as Day
    } else {
        IN_FORCE + rng.below((QUARTER - IN_FORCE) as u64) as Day
    };
    let (paid, free) = match rng.below(100) {
        0..55 => (true, false),
        55..80 => (true, true),
        _ => (false, true),
    };
    Person { home, signed_on, paid, free }
}

// ---------------------------------------------------------------- signings

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Counted as no fault of its own: the second row of somebody who signed already (E502, E503).
    Again,
    FieldCount,    // E101
    Empty,         // E102
    Date,          // E103
    Amount,        // E104
    YesNo,         // E106
    CheckDigit,    // E201
    Institution,   // E301
    Early,         // E305
    Package,       // E304
    Uninsured,     // E401
    Term,          // E403
    Balance,       // E405
    ContractTaken, // E501
}

const FAULTS: [Fault; 13] = [
    Fault::FieldCount,
    Fault::Empty,
    Fault::Date,
    Fault::Amount,
    Fault::YesNo,
    Fault::CheckDigit,
    Fault::Institution,
    Fault::Early,
    Fault::Package,
    Fault::Uninsured,
    Fault::Term,
    Fault::Balance,
    Fault::ContractTaken,
];

struct Signing {
    person: u64,
    institution: u64,
    paid: bool,
    signed_on: Day,
    starts_on: Option<Day>,
    ended_on: Option<Day>,
    fault: Fault,
}

struct Signed {
    persons: u64,
    /// For each institution, the rows without fault that start in the quarter.
    paid_in_quarter: Vec<u64>,
}

fn write_signings(plan: &Plan) -> io::Result<Signed> {
    let mut sheet = Sheet::create(
        plan,
        "signings.csv",
        "contract_id,person_id,institution_id,package,signed_on,starts_on,term_months,ended_on,scheme,insured,balance,personal_paid,status,name",
        "协议编号,身份证号,机构编码,服务包,签约日期,生效日期,签约期限,解约日期,险种,参保状态,门诊统筹余额,个人缴费金额,状态,姓名",
    )?;
    let mut rng = plan.rng(OF_SIGNINGS);
    let mut signed = Signed { persons: 0, paid_in_quarter: vec![0; plan.institutions as usize] };
    let pool_size = POOL.min(plan.signings / 20 + 1) as usize;
    let mut pool = Vec::new();
    for contract in 1..=plan.signings {
        while pool.len() < pool_size {
            sign(plan, signed.persons, &mut rng, &mut pool);
            signed.persons += 1;
        }
        let signing = pool.swap_remove(rng.below(pool.len() as u64) as usize);
        write_signing(&mut sheet, plan, contract, &signing, &mut rng, &mut signed.paid_in_quarter)?;
    }
    sheet.flush()?;
    Ok(signed)
}

/// The rows of one person.
fn sign(plan: &Plan, number: u64, rng: &mut Rng, rows: &mut Vec<Signing>) {
    let person = person(plan, number);
    if person.free {
        let signing = first_signing(plan, number, &person, false, rng);
        rows.push(signing);
    }
    if !person.paid {
        return;
    }
    let mut first = first_signing(plan, number, &person, true, rng);
    // As likely as three of the faults of a single row, and they end in E502 and E503.
    if first.fault == Fault::None && rng.below(MILLION) * FAULTS.len() as u64 / 3 < plan.errors {
        let start = first.starts_on.unwrap_or(first.signed_on);
        let again = |institution, signed_on, starts_on| Signing {
            person: number,
            institution,
            paid: true,
            signed_on,
            starts_on,
            ended_on: None,
            fault: Fault::Again,
        };
        let later = first.signed_on + 1 + rng.below(20) as Day;
        match rng.below(8) {
            0..3 => rows.push(again(another(plan, person.home, rng), later, None)),
            3..5 => rows.push(again(person.home, later, None)),
            5 => {
                // Ended early and signed elsewhere: Urumqi counts the whole signed term (二(二), 三(二)).
                first.ended_on = Some(start + 10);
                rows.push(again(another(plan, person.home, rng), later, Some(start + 30)));
            }
            6 => {
                // The first row is refused, so it does not stand in the way of the second.
                first.fault = Fault::Balance;
                rows.push(again(another(plan, person.home, rng), later, None));
            }
            _ => {
                // The second is refused and would overlap the third, which starts when the first has run out,
                // or a day too early.
                rows.push(again(another(plan, person.home, rng), later, Some(start + 30)));
                let third = year_later(start) - rng.below(2) as Day;
                rows.push(again(another(plan, person.home, rng), later, Some(third)));
            }
        }
    }
    rows.push(first);
}

fn first_signing(plan: &Plan, number: u64, person: &Person, paid: bool, rng: &mut Rng) -> Signing {
    let mut signed_on = person.signed_on;
    let mut fault = Fault::None;
    if rng.below(MILLION) < plan.errors {
        fault = rng.pick(&FAULTS);
        // Nobody asks about insurance and balance for a package that costs nothing.
        if !paid && matches!(fault, Fault::Balance | Fault::Uninsured) {
            fault = Fault::CheckDigit;
        }
        if fault == Fault::Early {
            signed_on = IN_FORCE - 1 - rng.below(31) as Day;
        }
    }
    let starts_on = match rng.below(100) {
        0..70 => None,
        70..95 => Some(signed_on),
        95..99 => Some(signed_on + 1 + rng.below(20) as Day),
        // Signed in the quarter, in force after it.
        _ => Some(AFTER_QUARTER + rng.below(30) as Day),
    };
    let ended_on = rng.percent(1).then(|| starts_on.unwrap_or(signed_on) + 10 + rng.below(290) as Day);
    Signing { person: number, institution: person.home, paid, signed_on, starts_on, ended_on, fault }
}

fn write_signing(
    sheet: &mut Sheet,
    plan: &Plan,
    contract: u64,
    signing: &Signing,
    rng: &mut Rng,
    paid_in_quarter: &mut [u64],
) -> io::Result<()> {
    let Signing { fault, paid, .. } = *signing;
    let is_void = rng.per_mille(3);
    let start = signing.starts_on.unwrap_or(signing.signed_on);
    if fault == Fault::None && !is_void && paid && (QUARTER..AFTER_QUARTER).contains(&start) {
        paid_in_quarter[signing.institution as usize] += 1;
    }
    // Where one kind of fault has several forms.
    let form = rng.below(4);

    // contract_id: one of the last thousand stands a second time
    let taken = 1 + rng.below(1000);
    sheet.label(
        b'C',
        if fault == Fault::ContractTaken && taken < contract { contract - taken } else { contract },
        9,
    );
    // person_id
    let row = sheet.field();
    if !(fault == Fault::Empty && form == 0) {
        push_id_number(row, plan, signing.person, fault == Fault::CheckDigit);
    }
    // institution_id
    let unknown = unknown_institution(rng);
    match fault {
        Fault::Institution => push_institution(sheet, unknown),
        Fault::Empty if form == 1 => sheet.text(""),
        _ => push_institution(sheet, signing.institution),
    }
    // package
    match (fault, paid) {
        (Fault::Package, _) => sheet.word(rng, "premium", "高级服务包"),
        (Fault::Empty, _) if form > 1 => sheet.text(""),
        (_, true) => sheet.word(rng, "paid", "有偿服务包"),
        (_, false) => sheet.word(rng, "free", "免费服务包"),
    }
    // signed_on, starts_on
    match (fault, form) {
        (Fault::Date, 0) => sheet.text("2020-02-30"),
        (Fault::Date, 1) => sheet.text("2020-13-01"),
        (Fault::Date, 2) => sheet.text("待定"),
        _ => sheet.date(Some(signing.signed_on)),
    }
    match (fault, form) {
        (Fault::Date, 3) => sheet.text("2019/2/29"),
        _ => sheet.date(signing.starts_on),
    }
    // term_months
    let term_given = rng.percent(80);
    match (fault, form) {
        (Fault::Term, 0..2) => sheet.text("24"),
        (Fault::Term, _) => sheet.text("6"),
        (Fault::Amount, 3) => sheet.text("x"),
        _ => sheet.text(if term_given { "12" } else { "" }),
    }
    // ended_on
    sheet.date(signing.ended_on);
    // scheme
    let scheme_given = rng.percent(80);
    match (fault, form) {
        (Fault::Uninsured, 0..2) => sheet.word(rng, "employee", "城镇职工"),
        _ if scheme_given => sheet.word(rng, "resident", "城乡居民"),
        _ => sheet.text(""),
    }
    // insured
    let yes = rng.pick(&[("y", "是"), ("true", "是"), ("1", "1"), ("", "")]);
    match (fault, form) {
        (Fault::Uninsured, 2..) => sheet.word(rng, "no", "否"),
        (Fault::YesNo, 0..2) => sheet.text("不详"),
        _ => sheet.word(rng, yes.0, yes.1),
    }
    // balance: often just enough; a free package asks for none
    let balance_given = rng.percent(if paid { 70 } else { 10 });
    let balance = match rng.below(20) {
        0 if paid => 1050,
        _ if paid => 1051 + rng.below(40_000),
        _ => rng.below(2_000),
    };
    match (fault, form) {
        (Fault::Balance, 0) => sheet.text("0"),
        (Fault::Balance, _) => sheet.fen(1049),
        (Fault::Amount, 0) => sheet.text("-35.00"),
        (Fault::Amount, 1) => sheet.text("35.005"),
        _ if balance_given => sheet.fen(balance),
        _ => sheet.text(""),
    }
    // personal_paid
    let payment = rng.below(1000);
    match (fault, form) {
        (Fault::Amount, 2) => sheet.text("abc"),
        _ if !paid || payment < 5 => sheet.text(""),
        _ if payment < 10 => sheet.fen(400),
        _ => sheet.fen(450),
    }
    // status
    let status_given = rng.percent(60);
    match (fault, form) {
        _ if is_void => sheet.word(rng, "void", "作废"),
        (Fault::YesNo, 2..) => sheet.text("pending"),
        _ => sheet.text(if status_given { "valid" } else { "" }),
    }
    // name: the last field, so that a row with too few fields is a row without it
    let style = rng.below(200);
    let surname = rng.pick(&["甲", "乙", "丙", "丁"]);
    if fault != Fault::FieldCount || form > 1 {
        let (open, middle, close) = match style {
            0 => ("\"", ",", "\""),
            1 => ("\"", "\"\"", "\"\"\""),
            _ => ("", "", ""),
        };
        let row = sheet.field();
        for part in [open, "居民", middle, surname] {
            row.extend_from_slice(part.as_bytes());
        }
        push_number(row, signing.person, 1);
        row.extend_from_slice(close.as_bytes());
        if fault == Fault::FieldCount {
            sheet.text("x");
        }
    }
    sheet.end_row()
}

// ---------------------------------------------------------------- swipes

const ITEMS: [(&str, &str); 9] = [
    ("consult", "普通门诊诊察费"),
    ("consult_elderly", "普通门诊老年人诊察费"),
    ("im_injection", "肌肉注射"),
    ("iv_injection", "静脉注射"),
    ("iv_infusion", "静脉输液"),
    ("referral", "转诊转院"),
    ("follow_up", "病情随访"),
    ("chronic_service", "慢性病医保服务"),
    ("record", "建立医保服务档案"),
];

#[derive(Clone, Copy, PartialEq)]
enum SwipeFault {
    None,
    FieldCount,  // E101
    Empty,       // E102
    Date,        // E103
    Number,      // E104
    CheckDigit,  // E201
    Institution, // E301
    Repeated,    // E506
}

const SWIPE_FAULTS: [SwipeFault; 7] = [
    SwipeFault::FieldCount,
    SwipeFault::Empty,
    SwipeFault::Date,
    SwipeFault::Number,
    SwipeFault::CheckDigit,
    SwipeFault::Institution,
    SwipeFault::Repeated,
];

fn write_swipes(plan: &Plan, persons: u64) -> io::Result<()> {
    let mut sheet = Sheet::create(
        plan,
        "swipes.csv",
        "person_id,institution_id,swiped_at,swipe_id,item,quantity,charged,card_type",
        "身份证号,机构编码,刷卡时间,流水号,服务项目,数量,收费金额,卡类型",
    )?;
    let mut rng = plan.rng(OF_SWIPES);
    for swipe in 1..=plan.swipes {
        let number = rng.below(persons);
        write_swipe(&mut sheet, plan, swipe, number, &mut rng)?;
    }
    sheet.flush()
}

fn write_swipe(sheet: &mut Sheet, plan: &Plan, swipe: u64, number: u64, rng: &mut Rng) -> io::Result<()> {
    let fault = if rng.below(MILLION) < plan.errors { rng.pick(&SWIPE_FAULTS) } else { SwipeFault::None };
    let form = rng.below(4);

    // person_id
    let row = sheet.field();
    if !(fault == SwipeFault::Empty && form == 0) {
        push_id_number(row, plan, number, fault == SwipeFault::CheckDigit);
    }
    // institution_id: the person's own, and now and then another
    let home = person(plan, number).home;
    let institution = if rng.per_mille(15) { another(plan, home, rng) } else { home };
    let unknown = unknown_institution(rng);
    match fault {
        SwipeFault::Institution => push_institution(sheet, unknown),
        SwipeFault::Empty if form == 1 => sheet.text(""),
        _ => push_institution(sheet, institution),
    }
    // swiped_at
    let day = match rng.below(100) {
        0..92 => QUARTER + rng.below((AFTER_QUARTER - QUARTER) as u64) as Day,
        92..97 => IN_FORCE + rng.below((QUARTER - IN_FORCE) as u64) as Day,
        _ => AFTER_QUARTER + rng.below(30) as Day,
    };
    let second = 8 * 3600 + rng.below(10 * 3600);
    match (fault, form) {
        (SwipeFault::Date, 0) => sheet.text("2020-02-30 10:00:00"),
        (SwipeFault::Date, 1) => sheet.text("2020-13-01 10:00:00"),
        (SwipeFault::Date, _) => sheet.text("待定"),
        (SwipeFault::Empty, 2..) => sheet.text(""),
        _ => sheet.date_and_time(day, second),
    }
    // swipe_id: one of the last thousand stands a second time; few have none
    let taken = 1 + rng.below(1000);
    if fault == SwipeFault::Repeated && taken < swipe {
        sheet.label(b'S', swipe - taken, 10);
    } else if rng.per_mille(2) {
        sheet.text("");
    } else {
        sheet.label(b'S', swipe, 10);
    }
    // item
    let (item, chinese) = rng.pick(&ITEMS);
    match rng.below(1000) {
        0..10 => sheet.text(""),
        10..40 => sheet.word(rng, "blood_test", "血常规"),
        // Quotes that need not be there are read like any others.
        40..42 => sheet.text("\"follow_up\""),
        _ => sheet.word(rng, item, chinese),
    }
    // quantity
    match (fault, form) {
        (SwipeFault::Number, 0) => sheet.text("1.5"),
        (SwipeFault::Number, 1) => sheet.text("-1"),
        _ => sheet.text(rng.pick(&["1", "1", "1", "1", "2", ""])),
    }
    // charged
    let charged = match rng.per_mille(4) {
        true => 100 + rng.below(3000),
        false => 0,
    };
    let zero = rng.pick(&["0", "0.00", ""]);
    match (fault, form) {
        (SwipeFault::Number, 2) => sheet.text("0.005"),
        (SwipeFault::Number, 3) => sheet.text("abc"),
        _ if charged > 0 => sheet.fen(charged),
        _ => sheet.text(zero),
    }
    // card_type: the last field
    let card = rng.pick(&["social_security", "social_security", "id_card", "health_card"]);
    if fault != SwipeFault::FieldCount || form > 1 {
        sheet.text(card);
        if fault == SwipeFault::FieldCount {
            sheet.text("x");
        }
    }
    sheet.end_row()
}

// ---------------------------------------------------------------- scores and payments

fn write_scores(plan: &Plan) -> io::Result<()> {
    let mut sheet =
        Sheet::create(plan, "scores.csv", "institution_id,period,score", "机构编码,考核周期,得分")?;
    let mut rng = plan.rng(OF_SCORES);
    for institution in 0..plan.institutions {
        let tenths = match rng.below(100) {
            0..3 => continue,
            3..6 => 600,
            6..9 => 650,
            9..12 => 900,
            12..14 => 599,
            _ => 500 + rng.below(501),
        };
        if rng.below(MILLION) >= plan.errors {
            write_score(&mut sheet, Some(institution), tenths, &mut rng)?;
            continue;
        }
        match rng.below(4) {
            0 => write_score(&mut sheet, None, tenths, &mut rng)?, // E301
            1 => write_score(&mut sheet, Some(institution), 1001, &mut rng)?, // E601
            2 => {
                // E603: two that differ, neither holds
                write_score(&mut sheet, Some(institution), tenths, &mut rng)?;
                write_score(&mut sheet, Some(institution), 1000 - tenths / 2, &mut rng)?;
            }
            _ => {
                // the same twice is one
                write_score(&mut sheet, Some(institution), tenths, &mut rng)?;
                write_score(&mut sheet, Some(institution), tenths, &mut rng)?;
            }
        }
    }
    sheet.flush()
}

fn write_score(sheet: &mut Sheet, institution: Option<u64>, tenths: u64, rng: &mut Rng) -> io::Result<()> {
    let institution = institution.unwrap_or_else(|| unknown_institution(rng));
    push_institution(sheet, institution);
    sheet.text("2020Q1");
    let bare = rng.percent(50);
    let row = sheet.field();
    push_number(row, tenths / 10, 1);
    if !tenths.is_multiple_of(10) || !bare {
        row.push(b'.');
        push_number(row, tenths % 10, 1);
    }
    sheet.end_row()
}

/// Half of the institutions were prepaid, most of them about as much as was right.
fn write_payments(plan: &Plan, paid_in_quarter: &[u64]) -> io::Result<()> {
    let mut sheet = Sheet::create(
        plan,
        "payments.csv",
        "institution_id,cohort,source,amount,package",
        "机构编码,批次,资金来源,金额,服务包",
    )?;
    let mut rng = plan.rng(OF_PAYMENTS);
    for (institution, &count) in paid_in_quarter.iter().enumerate() {
        // Whether something posted without a charge makes a line is not what is measured here: so none where all the
        // rows are refused, or where so few are that they may be.
        let mut draw = plan.draw_for(OF_INSTITUTION, institution as u64);
        let (is_hospital, is_designated) = standing(plan, &mut draw);
        if is_hospital || !is_designated || count < 5 || rng.percent(50) {
            continue;
        }
        let people = match rng.below(4) {
            0 => count + 1 + rng.below(3),
            1 => count - 1 - rng.below(3),
            _ => count,
        };
        // Half of 10.50 each; now and then in two sums.
        let half = people * 525;
        let first = if rng.percent(10) { rng.below(half) } else { half };
        for amount in [first, half - first] {
            if amount > 0 {
                push_institution(&mut sheet, institution as u64);
                sheet.text("2020Q1");
                sheet.text("resident_fund");
                sheet.fen(amount);
                sheet.word(&mut rng, "paid", "有偿服务包");
                sheet.end_row()?;
            }
        }
    }
    sheet.flush()
}

// ---------------------------------------------------------------- GB18030

/// The Chinese characters of this file in GB18030, in order of code point. They are all of GB 2312, which
/// GB18030 holds unchanged as two bytes each.
#[rustfmt::skip]
const GB2312: &[(char, u16)] = &[
    ('丁', 0xb6a1), ('上', 0xc9cf), ('不', 0xb2bb), ('丙', 0xb1fb), ('东', 0xb6ab), ('个', 0xb8f6), ('中', 0xd6d0), ('乌', 0xceda),
    ('乙', 0xd2d2), ('乡', 0xcfe7), ('人', 0xc8cb), ('份', 0xb7dd), ('余', 0xd3e0), ('作', 0xd7f7), ('依', 0xd2c0), ('保', 0xb1a3),
    ('偿', 0xb3a5), ('克', 0xbfcb), ('免', 0xc3e2), ('分', 0xb7d6), ('别', 0xb1f0), ('刷', 0xcba2), ('务', 0xcef1), ('包', 0xb0fc),
    ('区', 0xc7f8), ('医', 0xd2bd), ('协', 0xd0ad), ('卡', 0xbfa8), ('卫', 0xcec0), ('县', 0xcfd8), ('参', 0xb2ce), ('号', 0xbac5),
    ('名', 0xc3fb), ('否', 0xb7f1), ('周', 0xd6dc), ('坂', 0xdbe0), ('型', 0xd0cd), ('城', 0xb3c7), ('天', 0xccec), ('头', 0xcdb7),
    ('姓', 0xd0d5), ('定', 0xb6a8), ('室', 0xcad2), ('察', 0xb2ec), ('射', 0xc9e4), ('居', 0xbed3), ('屯', 0xcdcd), ('山', 0xc9bd),
    ('工', 0xb9a4), ('巴', 0xb0cd), ('市', 0xcad0), ('常', 0xb3a3), ('年', 0xc4ea), ('废', 0xb7cf), ('建', 0xbda8), ('待', 0xb4fd),
    ('得', 0xb5c3), ('心', 0xd0c4), ('态', 0xccac), ('性', 0xd0d4), ('情', 0xc7e9), ('慢', 0xc2fd), ('批', 0xc5fa), ('收', 0xcad5),
    ('效', 0xd0a7), ('数', 0xcafd), ('新', 0xd0c2), ('日', 0xc8d5), ('时', 0xcab1), ('是', 0xcac7), ('普', 0xc6d5), ('有', 0xd3d0),
    ('服', 0xb7fe), ('期', 0xc6da), ('木', 0xc4be), ('机', 0xbbfa), ('村', 0xb4e5), ('来', 0xc0b4), ('构', 0xb9b9), ('核', 0xbacb),
    ('案', 0xb0b8), ('档', 0xb5b5), ('次', 0xb4ce), ('民', 0xc3f1), ('水', 0xcbae), ('沙', 0xc9b3), ('沟', 0xb9b5), ('河', 0xbad3),
    ('注', 0xd7a2), ('流', 0xc1f7), ('液', 0xd2ba), ('源', 0xd4b4), ('点', 0xb5e3), ('状', 0xd7b4), ('生', 0xc9fa), ('甲', 0xbcd7),
    ('病', 0xb2a1), ('目', 0xc4bf), ('码', 0xc2eb), ('磨', 0xc4a5), ('社', 0xc9e7), ('种', 0xd6d6), ('称', 0xb3c6), ('立', 0xc1a2),
    ('站', 0xd5be), ('筹', 0xb3ef), ('签', 0xc7a9), ('米', 0xc3d7), ('类', 0xc0e0), ('约', 0xd4bc), ('级', 0xbcb6), ('统', 0xcdb3),
    ('编', 0xb1e0), ('缴', 0xbdc9), ('老', 0xc0cf), ('考', 0xbfbc), ('职', 0xd6b0), ('肉', 0xc8e2), ('肌', 0xbca1), ('脉', 0xc2f6),
    ('血', 0xd1aa), ('规', 0xb9e6), ('解', 0xbde2), ('议', 0xd2e9), ('访', 0xb7c3), ('证', 0xd6a4), ('诊', 0xd5ef), ('详', 0xcfea),
    ('费', 0xb7d1), ('资', 0xd7ca), ('身', 0xc9ed), ('转', 0xd7aa), ('输', 0xcae4), ('达', 0xb4ef), ('通', 0xcda8), ('量', 0xc1bf),
    ('金', 0xbdf0), ('镇', 0xd5f2), ('门', 0xc3c5), ('间', 0xbce4), ('限', 0xcfde), ('院', 0xd4ba), ('险', 0xcfd5), ('随', 0xcbe6),
    ('静', 0xbeb2), ('项', 0xcfee), ('额', 0xb6ee), ('高', 0xb8df), ('鲁', 0xc2b3), ('齐', 0xc6eb),
];
