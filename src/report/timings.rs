//! What each stage of a run took, for whoever asks where the time goes.

use std::io::{self, Write};
use std::time::Duration;

use crate::base::money::grouped;
use crate::stages::Stage;
use crate::words::Label;

use super::screen::{Look, right};

/// One stage: how long it took, and how many rows it was about, where it is about rows.
pub struct Timed {
    pub stage: Stage,
    pub took: Duration,
    pub rows: Option<u64>,
}

/// What a stage is called.
pub fn title(stage: Stage) -> Label {
    match stage {
        Stage::Ledger => Label::ReadingLedger,
        Stage::Headers => Label::ReadingHeaders,
        Stage::Signings => Label::ReadingSignings,
        Stage::Qualify => Label::Qualifying,
        Stage::Swipes => Label::ReadingSwipes,
        Stage::Small => Label::ReadingScores,
        Stage::Settle => Label::Settling,
        Stage::Write => Label::Writing,
        Stage::Post => Label::Posting,
    }
}

/// Prints seconds, rows and rows a second of each stage; then what the hashing of the inputs took of them, over
/// all threads.
pub fn print(
    out: &mut impl Write,
    timed: &[Timed],
    (hashing, bytes): (Duration, u64),
    look: Look,
) -> io::Result<()> {
    let mut table = look.table(&[Label::Stage, Label::Seconds, Label::Rows, Label::RowsASecond]);
    for Timed { stage, took, rows } in timed {
        let rate = rows.map(|rows| u128::from(rows) * 1_000_000 / took.as_micros().max(1));
        let number = |number: Option<u128>| right(number.map_or(String::new(), grouped));
        let cells = [right(seconds(*took)), number(rows.map(u128::from)), number(rate)];
        table.add_row([comfy_table::Cell::new(look.label(title(*stage)))].into_iter().chain(cells));
    }
    let all: Duration = timed.iter().map(|one| one.took).sum();
    table.add_row([look.bold(look.label(Label::Total)), right(seconds(all))]);
    writeln!(out, "{table}")?;
    let (title, took) = (look.label(Label::Hashing), seconds(hashing));
    writeln!(out, "{title}: {took} ({} MB)", grouped(u128::from(bytes) / 1_000_000))
}

fn seconds(time: Duration) -> String {
    format!("{}.{:03}", time.as_secs(), time.subsec_millis())
}
