//! Results in, files and screens out. No arithmetic but sums of what is shown.

mod charts;
pub mod csv;
pub mod curves;
pub mod documents;
pub mod explain;
pub mod figures;
pub mod findings;
pub mod flags;
mod html;
pub mod ledger;
pub mod life;
pub mod manifest;
pub mod names;
pub mod output;
mod page;
pub mod publish;
pub mod rules;
mod rules_packages;
pub mod scorecard;
pub mod screen;
mod statement;
mod statements;
pub mod timings;
pub mod told;
pub mod totals;
pub mod workbook;
pub mod written;
