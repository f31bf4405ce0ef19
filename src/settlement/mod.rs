//! The computation: rows and rules in, lines and reasons out. No files, no clock, no printing.

pub mod admitted;
pub mod assess;
mod buckets;
mod changes;
pub mod clear;
pub mod contracts;
pub mod delta;
pub mod desk;
pub mod evidence;
pub mod explain;
pub mod figures;
pub mod flags;
pub mod history;
pub mod lines;
pub mod order;
pub mod past;
pub mod payments;
pub mod price;
pub mod qualify;
pub mod rules;
mod swipe_ids;
pub mod tally;
