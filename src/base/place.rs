//! Where a value stands in the inputs.

/// A line of an input file: the file's number in the run, and the line from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub file: u16,
    pub line: u32,
}

/// What an input file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Institutions,
    Signings,
    Swipes,
    Scores,
    Payments,
    Sheets,
    /// Amounts agreed on paper, for the ledger; in no data folder.
    Adjustments,
}

impl Kind {
    pub const ALL: [Kind; 7] = [
        Kind::Institutions,
        Kind::Signings,
        Kind::Swipes,
        Kind::Scores,
        Kind::Payments,
        Kind::Sheets,
        Kind::Adjustments,
    ];

    /// Kinds of files that a data folder holds.
    pub fn of_folder() -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|kind| *kind != Kind::Adjustments)
    }

    /// The start of its files' names, and its name in outputs.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Institutions => "institutions",
            Kind::Signings => "signings",
            Kind::Swipes => "swipes",
            Kind::Scores => "scores",
            Kind::Payments => "payments",
            Kind::Sheets => "sheets",
            Kind::Adjustments => "adjustments",
        }
    }
}
