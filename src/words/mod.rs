//! The catalogues: every word of the program in Chinese and in English. A missing one does not compile.

mod capitals;
mod columns;
mod en;
mod en_refusals;
mod examples;
mod help;
mod phrases;
mod tales;
mod usage;
mod zh;
mod zh_refusals;

pub use capitals::capitals;
pub use columns::{column_name, column_title};
pub use examples::EXAMPLES;
pub use help::HELP;
pub use phrases::{Phrase, phrase};
pub use tales::{Tale, tale};
pub use usage::{
    ERROR, HEADINGS, HelpWord, PAGE_HEADINGS, Tip, Usage, VALUE_NAMES, help_word, tip, usage, why,
};

use crate::base::code::Code;
use crate::base::message::{DiskFault, Msg};
use crate::base::person::hide_numbers;
use crate::base::reason::Reason;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    Zh,
    En,
}

/// Titles of tables, columns and lines on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    Error,
    Note,
    Cure,
    Clause,
    Settlement,
    Out,
    BySource,
    Source,
    Count,
    Held,
    Gross,
    Prepay,
    Final,
    Posted,
    Payable,
    Recover,
    Total,
    NotSettled,
    PayBack,
    NobodyPaysBack,
    Institution,
    Name,
    Score,
    Ratio,
    Reason,
    Refused,
    NothingRefused,
    Code,
    Rows,
    Meaning,
    WhatToDo,
    Flags,
    LocalFigures,
    Unconfirmed,
    Confirmed,
    Value,
    Rows100,
    ReadRows,
    RejectedRows,
    VoidRows,
    HeldRows,
    AdmittedRows,
    OtherRows,
    Scorecard,
    Indicator,
    Points,
    Origin,
    Written,
    More,
    Reading,
    Failed,
    PrepaidExceeds,
    Correction,
    NoneYet,
    Encoding,
    File,
    Kind,
    AllGood,
    Area,
    Merged,
    Ledger,
    From,
    BatchNumber,
    Period,
    Amount,
    Time,
    Operator,
    ApprovedBy,
    Document,
    Undone,
    OpeningBatch,
    SettlementBatch,
    ReversalBatch,
    AdjustmentBatch,
    Head,
    Stage,
    Seconds,
    RowsASecond,
    Hashing,
    ReadingLedger,
    ReadingHeaders,
    ReadingSignings,
    Qualifying,
    ReadingSwipes,
    ReadingScores,
    Settling,
    Writing,
    Posting,
    Cohort,
    Package,
    SigningsNoted,
    FromLedger,
}

pub fn say(lang: Lang, msg: &Msg) -> String {
    let said = match lang {
        Lang::Zh => zh::say(msg),
        Lang::En => en::say(msg),
    };
    match msg {
        // A hash may hold fifteen digits in a row; these hold nothing that was in a cell.
        Msg::Posted { .. } | Msg::LedgerGood { .. } | Msg::NoSuchHead { .. } => said,
        // Whatever a cell held, no sentence shows an ID number.
        _ => hide_numbers(said),
    }
}

/// Why a row is refused.
pub fn refusal(lang: Lang, reason: &Reason) -> String {
    hide_numbers(match lang {
        Lang::Zh => zh_refusals::refusal(reason),
        Lang::En => en_refusals::refusal(reason),
    })
}

/// What the system says of a disk or a file.
pub fn disk_said(lang: Lang, fault: &DiskFault) -> String {
    match lang {
        Lang::Zh => zh::disk(fault),
        Lang::En => fault.said.clone(),
    }
}

/// What to do about a fault that has no cure of its own.
pub fn remedy(lang: Lang, msg: &Msg) -> Option<&'static str> {
    match lang {
        Lang::Zh => zh::remedy(msg),
        Lang::En => en::remedy(msg),
    }
}

pub fn label(lang: Lang, label: Label) -> &'static str {
    match lang {
        Lang::Zh => zh::label(label),
        Lang::En => en::label(label),
    }
}

/// What a code means, in a line.
pub fn title(lang: Lang, code: Code) -> &'static str {
    words(lang, code).0
}

/// What to do about it.
pub fn cure(lang: Lang, code: Code) -> &'static str {
    words(lang, code).1
}

fn words(lang: Lang, code: Code) -> (&'static str, &'static str) {
    match lang {
        Lang::Zh => zh::code(code),
        Lang::En => en::code(code),
    }
}

/// Joins names as a sentence lists them, at most twelve.
fn list(names: &[String], between: &str, more: &str) -> String {
    let shown = names.iter().take(12).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between);
    if names.len() > 12 { shown + more } else { shown }
}
