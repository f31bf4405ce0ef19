//! Bytes of exported files → typed rows, or refusals with their place and reason.
//! Nothing here knows a region's rules.

pub mod adjustments;
pub mod blocks;
pub mod cells;
pub mod columns;
pub mod digits;
pub mod encoding;
pub mod folder;
pub mod header;
pub mod institutions;
pub mod lines;
pub mod packed;
pub mod quotes;
pub mod read;
pub mod record;
pub mod refusals;
pub mod rows;
pub mod scores;
pub mod sheets;
pub mod short;
pub mod signings;
pub mod spill;
pub mod stamp;
pub mod starts;
pub mod swipes;
pub mod xlsx;
