//! English: why a row is refused.

use crate::base::reason::Reason;

pub fn refusal(reason: &Reason) -> String {
    let near = |near: &Option<String>| {
        near.as_ref().map_or(String::new(), |near| format!("; did you mean `{near}`?"))
    };
    match reason {
        Reason::FieldCount { want, got } => format!("the row has {got} fields, the header has {want}"),
        Reason::RecordTooLong => "the row is longer than 64 KiB, no record is".into(),
        Reason::IdTooLong { column } => format!("`{column}` is longer than 64 KiB, no id is"),
        Reason::QuoteNotClosed => {
            "a quote is not closed where a field ends, so its columns are not certain".into()
        }
        Reason::NotText { encoding } => format!("has bytes that are not {encoding} text"),
        Reason::NulByte => "has a NUL byte, which no text holds".into(),
        Reason::Empty { column } => format!("required `{column}` is empty"),
        Reason::BadDate { column, value } => format!("`{column}`: `{value}` is no date that can be read"),
        Reason::ExcelDate { column, value } => {
            format!(
                "`{column}`: `{value}` looks like a spreadsheet's day number; format the column as a date and export again"
            )
        }
        Reason::BadNumber { column, value } => format!("`{column}`: `{value}` is no number that can be read"),
        Reason::NegativeNumber { column, value } => format!("`{column}`: `{value}` is negative"),
        Reason::TooManyDecimals { column, value } => {
            format!("`{column}`: `{value}` has more than two decimals; money ends at the fen")
        }
        Reason::NotWhole { column, value } => format!("`{column}`: `{value}` is no whole number"),
        Reason::AmountTooLarge { column, value } => {
            format!("`{column}`: `{value}` is too large; an amount of one row is below 1,000,000,000")
        }
        Reason::CutBySpreadsheet { column } => format!(
            "`{column}` was taken for a number by a spreadsheet, so its last digits are lost; format the column as text and export again"
        ),
        Reason::BadWord { column, value, takes } => {
            format!("`{column}`: `{value}` is none of the words it takes ({takes})")
        }
        Reason::IdLength { length } => {
            format!("the ID number should have 18 characters (15 on old cards), it has {length}")
        }
        Reason::IdNotDigits => "the ID number should be digits, with an X at most as the last".into(),
        Reason::IdBirthDate => "the birth date in the ID number is none that the calendar has".into(),
        Reason::IdCheckDigit => {
            "the check digit of the ID number does not fit, so at least one digit is wrong".into()
        }
        Reason::IdCutByExcel => {
            "the ID number was taken for a number by a spreadsheet; its last digits are lost".into()
        }
        Reason::BornLater { day } => {
            format!("the birth date in the ID number is after the row's own date {day}")
        }
        Reason::UnknownInstitution { id, near: n } => {
            format!("institution `{id}` is not in institutions{}", near(n))
        }
        Reason::InstitutionTwice { id, at } => format!("institution_id `{id}` stood at {at} already"),
        Reason::NotDesignated { id } => format!("institution `{id}` is not designated"),
        Reason::NoVersion { day, from, to: Some(to) } => {
            format!("no policy was in force on {day}; it is from {from} to {to}")
        }
        Reason::NoVersion { day, from, to: None } => {
            format!("no policy was in force on {day}; it is from {from}")
        }
        Reason::NotYetOffered { package, from } => format!("`{package}` may be signed from {from} on"),
        Reason::KindNotAdmitted { kind } if kind.is_empty() => {
            "the institution's kind is not given, so it can't be told whether it may sign".into()
        }
        Reason::KindNotAdmitted { kind } => {
            format!("the policy does not admit institutions of kind `{kind}`")
        }
        Reason::NoSuchPackage { name, near: n } => format!("the policy has no package `{name}`{}", near(n)),
        Reason::NotInsured => "not insured".into(),
        Reason::SchemeNotCovered { scheme } => format!("the policy does not cover scheme `{scheme}`"),
        Reason::TooYoung { age, from } => {
            format!("aged {age} on the day of signing; the package is for {from} and over")
        }
        Reason::TooOld { age, under } => {
            format!("aged {age} on the day of signing; the package is for those under {under}")
        }
        Reason::NotInGroup { wanted } => format!("`{wanted}` is not among the person's groups"),
        Reason::TermNotAllowed { term, allowed } => {
            format!("a term of {term} months is none of the policy's ({allowed})")
        }
        Reason::BalanceBelow { balance, share } => {
            format!("the balance of {balance} is below the fund's share of {share}")
        }
        Reason::ContractUsed { contract, at } => format!("contract_id `{contract}` is used at {at}"),
        Reason::ContractOfAnother { contract, at } => format!(
            "contract `{contract}` is another person's at {at}; to correct an ID number, void that contract and sign under a new one"
        ),
        Reason::Overlaps { contract, at, institution, from, to } => {
            format!("overlaps contract `{contract}` at {at} ({institution}, from {from}, before {to})")
        }
        Reason::AddonAlone { needs, .. } => format!(
            "no signing of a package it requires ({needs}) in force at that institution on the first day"
        ),
        Reason::TooManyAddons { most } => {
            format!("{most} other add-on(s) overlap its term, as many as the policy allows")
        }
        Reason::SwipeTwice { at } => format!("its swipe_id stood at {at} already"),
        Reason::ScoreRange { score } => format!("`{score}` is not between 0 and 100"),
        Reason::ScoresDiffer { score, other, at } => {
            format!(
                "two different scores for one institution, period and level: {score}, and {other} at {at}; assessed_on does not say which is the latest"
            )
        }
        Reason::NoSuchLevel { level, known } => format!("level `{level}` is none of the policy's ({known})"),
        Reason::PeriodOfOtherCycle { period, level, example } => {
            format!("period `{period}` is not of the assessment cycle of level {level} (such as {example})")
        }
        Reason::NoSuchIndicator { indicator } => format!("the score sheet has no indicator `{indicator}`"),
        Reason::IndicatorRange { indicator, value, most } => {
            format!("indicator `{indicator}`: `{value}` is none of its values ({most})")
        }
        Reason::IndicatorTwice { at } => format!("the indicator stood at {at} already, and differs"),
        Reason::NoSuchCohort { cohort, example } => {
            format!("cohort `{cohort}` is no settlement cycle (such as {example})")
        }
        Reason::NoSuchSource { source, known } => {
            format!("`{source}` is no source that this policy settles ({known})")
        }
        Reason::PackageMissing { known } => {
            format!("no package is named, and the policy has several that charge ({known})")
        }
    }
}
