//! jiayi settles family doctor signing fees (家庭医生签约服务费) by a region's rules.
//!
//! The run stands in [`pipeline`]: read → qualify → price → assess → settle → report.
//!
//! | to change | open |
//! |---|---|
//! | a figure or a reading of a policy | `regions/<region>/<date>.toml` |
//! | what a rule file may say | `policy/build*.rs`, then the types of `policy/`; `regions/README.md` tells it |
//! | how a file is laid over another | `policy/merge.rs` |
//! | what a column is called | `intake/aliases.toml` |
//! | how a cell is read | `intake/cells.rs`; what a workbook's cell says: `intake/xlsx/` |
//! | in which forms a file may lie on the disk | `intake/folder.rs`, `intake/packed.rs` |
//! | when a row is refused | by itself: `intake/`, by the rules: `settlement/desk.rs`, against the others: `settlement/qualify.rs` |
//! | what a run keeps in memory of a row | of a signing: `settlement/admitted.rs`, its contract id: `settlement/contracts.rs`; of a swipe: `settlement/swipe_ids.rs`, `intake/spill.rs`; of a refused row: `intake/refusals.rs` |
//! | what a charge is worth | `settlement/price.rs` |
//! | how a score comes about | `settlement/assess.rs`, `policy/sheet.rs` |
//! | what a score earns | `policy/curve.rs` |
//! | what is due | `settlement/lines.rs`, what is prepaid and cleared: `settlement/clear.rs` |
//! | a policy told in words | `report/rules.rs`, `words/phrases.rs` |
//! | what an output looks like | `report/` |
//! | which files a settlement has, and how they are written | `report/output.rs`, `report/documents.rs` |
//! | the workbook, a statement, the page for a browser | `report/workbook/`, `report/statement.rs`, `report/page.rs`; their looks: `report/look/` |
//! | what is posted, and what a later run knows of it | `ledger/`, `settlement/past.rs`, `settlement/history.rs` |
//! | what moved a line since it was posted | `settlement/delta.rs`, `settlement/changes.rs` |
//! | a word | `words/zh.rs`, `words/en.rs`; why a row is refused: `words/zh_refusals.rs`, `words/en_refusals.rs` |
//! | made-up exports | `sample/`; its stories: `sample/stories.rs`, `words/tales.rs` |
//! | a command | `command/`, `cli.rs`; its help: `words/help.rs`, `words/examples.rs`; clap's own words in Chinese: `words/usage.rs` |
//!
//! The rooms, each importing only from itself and those before it (a test holds that):
//! base, words, policy, sample, intake, settlement, ledger, stages, pipeline, report, command, cli.

pub mod base;
pub mod cli;
pub mod command;
pub mod intake;
pub mod ledger;
pub mod pipeline;
pub mod policy;
pub mod report;
pub mod sample;
pub mod settlement;
pub mod stages;
pub mod words;
