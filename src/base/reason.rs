//! Why a row is refused, as data. The words stand in the catalogues of `words`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::money::Fen;
use super::period::Date;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    // A row by itself.
    FieldCount { want: usize, got: usize },
    RecordTooLong,
    IdTooLong { column: String },
    QuoteNotClosed,
    NotText { encoding: Cow<'static, str> },
    NulByte,
    Empty { column: String },
    BadDate { column: String, value: String },
    ExcelDate { column: String, value: String },
    BadNumber { column: String, value: String },
    NegativeNumber { column: String, value: String },
    TooManyDecimals { column: String, value: String },
    NotWhole { column: String, value: String },
    AmountTooLarge { column: String, value: String },
    CutBySpreadsheet { column: String },
    BadWord { column: String, value: String, takes: Cow<'static, str> },
    IdLength { length: usize },
    IdNotDigits,
    IdBirthDate,
    IdCheckDigit,
    IdCutByExcel,
    BornLater { day: Date },
    UnknownInstitution { id: String, near: Option<String> },
    InstitutionTwice { id: String, at: String },
    NotDesignated { id: String },
    NoVersion { day: Date, from: Date, to: Option<Date> },
    NotYetOffered { package: String, from: Date },
    KindNotAdmitted { kind: String },
    NoSuchPackage { name: String, near: Option<String> },
    NotInsured,
    SchemeNotCovered { scheme: String },
    TooYoung { age: i16, from: i16 },
    TooOld { age: i16, under: i16 },
    NotInGroup { wanted: String },
    TermNotAllowed { term: u32, allowed: String },
    BalanceBelow { balance: Fen, share: Fen },
    // Rows against each other.
    ContractUsed { contract: String, at: String },
    ContractOfAnother { contract: String, at: String },
    Overlaps { contract: String, at: String, institution: String, from: Date, to: Date },
    // The packages by their ids, and as the policy names them.
    AddonAlone { needs: String, named: String },
    TooManyAddons { most: usize },
    SwipeTwice { at: String },
    ScoreRange { score: String },
    ScoresDiffer { score: String, other: String, at: String },
    NoSuchLevel { level: String, known: String },
    PeriodOfOtherCycle { period: String, level: String, example: String },
    NoSuchIndicator { indicator: String },
    IndicatorRange { indicator: String, value: String, most: String },
    IndicatorTwice { at: String },
    NoSuchCohort { cohort: String, example: String },
    NoSuchSource { source: String, known: String },
    PackageMissing { known: String },
}
