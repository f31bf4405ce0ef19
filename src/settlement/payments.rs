//! A row of payments.csv → the line that it was paid for: E301, E602 (cohort), E604 (source), E102 and E304
//! (package), by whichever version of the rules it fits.

use crate::base::code::Code;
use crate::base::money::Fen;
use crate::base::period::Period;
use crate::base::reason::Reason;
use crate::intake::rows::Fault;
use crate::intake::scores::payments;
use crate::policy::package::PackageKind;
use crate::policy::{Policy, Source, is_called};

use super::desk::unknown_institution;
use super::rules::Rules;

/// Which line (cohort, institution, package, source), how much, and whether the row named the package.
pub type Payment = ((Period, u32, String, String), Fen, bool);

/// Reads a payment against the rules.
pub fn payment(rules: &Rules, row: &payments::PaymentRow) -> Result<Payment, Fault> {
    let Some(institution) = rules.institutions.find(row.institution.as_bytes()) else {
        return Err(Fault::new(Code::E301, unknown_institution(rules, &row.institution)));
    };
    let cohort = Period::parse(&row.cohort);
    // A version that settles so is meant; where none does, the one in force then says why not.
    let mut why = None;
    for version in rules.versions_about(cohort.unwrap_or(rules.period).first_day()) {
        match payment_of(&rules.region.versions[version], rules, cohort, row) {
            Ok((cohort, source, package)) => {
                let named = !row.package.is_empty();
                return Ok(((cohort, institution, package, source), row.amount, named));
            }
            Err(fault) => why = why.or(Some(fault)),
        }
    }
    Err(why.unwrap_or_else(|| {
        Fault::new(
            Code::E602,
            Reason::NoSuchCohort { cohort: row.cohort.to_string(), example: String::new() },
        )
    }))
}

/// The cohort and source that an amount agreed on paper is about, for an institution that there is.
pub fn line_of(rules: &Rules, [institution, cohort, source]: [&str; 3]) -> Result<(Period, String), Fault> {
    if rules.institutions.find(institution.as_bytes()).is_none()
        && rules.institutions.gone(institution).is_none()
    {
        return Err(Fault::new(Code::E301, unknown_institution(rules, institution)));
    }
    let parsed = Period::parse(cohort);
    let mut why = None;
    for version in rules.versions_about(parsed.unwrap_or(rules.period).first_day()) {
        match settled_source(&rules.region.versions[version], rules, parsed, cohort, source) {
            Ok((cohort, source)) => return Ok((cohort, source.id.clone())),
            Err(fault) => why = why.or(Some(fault)),
        }
    }
    Err(why.unwrap_or_else(|| {
        Fault::new(Code::E602, Reason::NoSuchCohort { cohort: cohort.to_string(), example: String::new() })
    }))
}

/// A cohort of a version's cycle, and a source that it settles: E602, E604.
fn settled_source<'p>(
    policy: &'p Policy,
    rules: &Rules,
    parsed: Option<Period>,
    cohort: &str,
    source: &str,
) -> Result<(Period, &'p Source), Fault> {
    let Some(cohort) = parsed.filter(|cohort| cohort.cycle() == policy.cycle) else {
        let example = policy.cycle.of(rules.period.first_day()).to_string();
        return Err(Fault::new(Code::E602, Reason::NoSuchCohort { cohort: cohort.to_string(), example }));
    };
    let settled = || policy.sources.iter().filter(|source| source.settled);
    match settled().find(|one| is_called(source, [&one.id, &one.name])) {
        Some(source) => Ok((cohort, source)),
        None => {
            let known = settled().map(|source| source.id.clone()).collect::<Vec<_>>().join(", ");
            Err(Fault::new(Code::E604, Reason::NoSuchSource { source: source.to_string(), known }))
        }
    }
}

/// The cohort, source and package of a payment, as one version knows them.
fn payment_of(
    policy: &Policy,
    rules: &Rules,
    cohort: Option<Period>,
    row: &payments::PaymentRow,
) -> Result<(Period, String, String), Fault> {
    let (cohort, source) = settled_source(policy, rules, cohort, &row.cohort, &row.source)?;
    let charging = || policy.packages.iter().filter(|package| package.kind != PackageKind::Free);
    let ids: Vec<&String> = charging()
        .map(|package| &package.named.id)
        .chain(policy.population.iter().map(|line| &line.id))
        .collect();
    if row.package.is_empty() {
        return match ids.as_slice() {
            [only] => Ok((cohort, source.id.clone(), only.to_string())),
            _ => {
                let known = ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
                Err(Fault::new(Code::E102, Reason::PackageMissing { known }))
            }
        };
    }
    let text = row.package.as_ref();
    let package = charging().find(|package| package.named.is(text)).map(|package| &package.named.id);
    let line =
        || policy.population.iter().find(|line| is_called(text, [&line.id, &line.name])).map(|line| &line.id);
    match package.or_else(line) {
        Some(package) => Ok((cohort, source.id.clone(), package.clone())),
        None => Err(Fault::new(Code::E304, Reason::NoSuchPackage { name: text.to_string(), near: None })),
    }
}
