//! Everything the program has to say, as data. The words stand in the catalogues of `words`.

use std::io::{self, ErrorKind};

use super::money::Fen;
use super::period::{Date, Period};
use super::reason::Reason;

impl From<Reason> for Msg {
    fn from(reason: Reason) -> Msg {
        Msg::Row(reason)
    }
}

/// What is wrong with a header as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    None,
    NotText,
    /// Its cells are parted by semicolons or tabs.
    Separator,
    /// It has one cell that says something, as a title line has.
    Title,
}

/// What is wrong with a file as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFault {
    /// It is named as compressed, and is not.
    NotPacked {
        form: &'static str,
    },
    /// It ends where more must follow.
    CutShort,
    /// It does not unpack, or not to what its checksum says.
    Damaged,
    /// Something else stands behind what was compressed.
    Trailing,
    /// It wants more memory to unpack than any export needs.
    WideWindow,
    /// It is named as text, and is something else.
    Disguised {
        form: &'static str,
    },
    NoWorkbook,
    EmptyWorkbook,
    /// Of Excel up to 2003.
    OldWorkbook,
    /// Of another program, or in Excel's binary form.
    OtherWorkbook,
    Encrypted,
    /// Several sheets are named like the kind of file.
    SheetsAlike {
        names: Vec<String>,
    },
    /// None of the sheets is named like the kind of file, and several have its columns.
    SheetsComplete {
        names: Vec<String>,
    },
    /// None of the sheets is named like the kind of file, and only others than the first have its columns.
    OtherSheet {
        first: String,
        names: Vec<String>,
    },
    /// A cell shows an error that is none of Excel's usual ones, not far behind a row.
    ErrorWord {
        word: String,
        sheet: String,
        row: u32,
    },
    /// A piece of it has no end.
    Endless,
    TooLarge,
}

impl std::fmt::Display for FileFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for FileFault {}

/// What the system says of a disk or a file: of what kind it is, and its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskFault {
    pub kind: ErrorKind,
    pub said: String,
}

impl From<&io::Error> for DiskFault {
    fn from(error: &io::Error) -> DiskFault {
        DiskFault { kind: error.kind(), said: error.to_string() }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Msg {
    // Why a row is refused.
    Row(Reason),
    // The list of institutions.
    InstitutionIsPerson { id: String, at: String },
    NotAPerson,
    // Flags.
    ChargedSeparately { item: String, amount: Fen },
    PaidBelow { paid: Fen, share: Fen },
    SwipedElsewhere { institution: String },
    SignedLate { cohort: Period, assessed_on: Date },
    ClearedBefore { cohort: Period, batch: u32 },
    TeamTooLarge { doctor: bool, team: String, people: u64, most: u64 },
    OverCap { most: u64 },
    ScoreMissing { cohort: Period, level: String },
    ClaimedBeside { item: String },
    NoServiceRecord { from: Date, asked: u32 },
    NotAuthorized { source: String },
    ScoreReplaced { score: String, by: String, at: String },
    // Assessment.
    SheetOfOtherPeriod { institution: String, period: String },
    ValueDiffers { institution: String, indicator: String, sheet: String, data: String },
    PointsDiffer { institution: String, indicator: String, sheet: String, worked_out: String },
    NoScore { institution: String, missing: Vec<String> },
    NoSheetForLevel,
    // What a run says once.
    UnknownColumns { file: String, columns: Vec<String> },
    DoubledColumns { file: String, columns: Vec<String> },
    NoRows { file: String },
    MaybeGb18030 { file: String, rows: u64 },
    LeftOutColumn { what: String, file: String, column: String },
    LeftOutFile { what: String, kind: &'static str },
    NoScoresFile,
    NoPaymentsFile { prepays: bool },
    PaymentsNotRead,
    PartlyBeforeOpening { period: Period, opening: Date },
    PaymentsElsewhere { rows: u64, period: Period, all: bool },
    PaymentsRefused { rows: u64 },
    UnusedFiles { files: Vec<String> },
    SheetsNotRead { file: String, others: Vec<String> },
    RowsAbove { file: String, header: u32 },
    SameFile { first: String, second: String },
    NoCharges { period: Period, rows: u64, refused: u64, void: u64, posted: bool },
    KindsMissing { file: String, column: String },
    YearNotListed { year: i16 },
    NothingOfPeriod { period: Period },
    NoPackageNamed { file: String },
    NoSuchDistrict { district: String },
    Unconfirmed { figures: Vec<String> },
    // What stops a run.
    CannotRead { path: String, why: DiskFault },
    CannotWrite { path: String, why: DiskFault },
    NoSuchFile { path: String },
    IsAFolder { path: String },
    EmptyFile { path: String },
    FaultyFile { path: String, fault: FileFault },
    SameInTwoForms { first: String, second: String },
    UnreadForm { path: String },
    MissingFile { wanted: String, folder: String },
    MissingColumns { path: String, columns: Vec<(String, String)> },
    UnknownRegion { region: String },
    BadPeriod { text: String, wanted: &'static str },
    PeriodTooFine { period: String, cycle: &'static str },
    NoPolicyYet { period: String, from: Date },
    BeforeOpening { period: Period, opening: Date },
    RulesForgot { package: String, signed_on: Date, batch: u32 },
    NotOurFolder { path: String },
    OutIsInput { path: String },
    ForeignFile { path: String },
    ScoresAreCsv { path: String },
    NameOfCards { path: String },
    OutputStaysWhole { path: String },
    ScoresOfOther { path: String, there: String },
    ScoresApart { period: Period },
    NoSuchCode { text: String },
    // Cures.
    ExportAgain,
    MendFile { fault: FileFault },
    RemoveOne,
    SaveAsWorkbook,
    NameDataFolder,
    PutFileThere { wanted: String, there: Vec<String>, near: Option<String> },
    ColumnsThere { there: Vec<String>, near: Option<String>, fault: HeaderFault },
    DidYouMean { near: String },
    OneOf { known: String },
    AnotherOut,
    KeepOldRules,
    CheckSpace,
    // Several areas.
    PeriodsDiffer { first: Period, other: Period },
    InstitutionInTwo { id: String, first: String, second: String },
    // The ledger.
    MoveLedger,
    TooManySigners { most: String },
    FolderFilled { path: String },
    EarlierAsOf { day: Date, posted: Option<Date> },
    StandAgain { rows: u64 },
    MovedByRules { lines: usize, amount: Fen },
    NewLedger { path: String, opening: Period },
    OtherLedgerThere { path: String, there: String },
    NameOrInit,
    PaymentsFaulty { rows: u64 },
    MendPayments,
    EmptyLedger { path: String },
    BadHead { text: String },
    InstitutionsUnchecked,
    AdjustedTwice { what: String },
    NothingToRegister,
    AmountZero { what: String },
    PostedAs { batch: u32, reversed: bool },
    NotPosted,
    SettledWithout,
    FileNotListed { file: String },
    OutputDiffers { file: String, line: usize, here: String, anew: String },
    SumDiffers { what: String, stands: Fen, adds: Fen },
    OutputGood { lines: usize },
    WhichPeriod,
    NoSuchInstitution { id: String },
    NotAnIdNumber,
    NoSuchSigning,
    Posted { batch: u32, head: String },
    Opened { batch: u32, opening: Period, amount: Fen },
    Reversed { number: u32, batch: u32 },
    LaterStands { batch: u32, lines: u64, signings: u64 },
    Adjusted { batch: u32, rows: usize, amount: Fen },
    LedgerGood { batches: usize, head: String },
    HeadInside { batch: u32, since: u32 },
    Exported { folder: String },
    LedgerBusy { path: String },
    NoLedger { path: String },
    NotALedger { path: String },
    NewerLedger { path: String, shape: i32, known: i32 },
    OlderLedger { path: String },
    OtherPaper { printed: String, given: String },
    RulesGone { policy: String, batch: u32 },
    LaterPosted { cohort: Period },
    LaterCharges { signings: u64 },
    VoidOfAnother { rows: u64 },
    LedgerOfOther { path: String, found: String, region: String },
    LedgerDamaged { path: String, why: String },
    LedgerThere { path: String },
    NotAnOutput { path: String },
    NoCsv { path: String },
    SettleWithCsv,
    OutputChanged { file: String },
    OutputGone { file: String },
    InputChanged { file: String },
    ChangedMeanwhile { file: String },
    InputMissing { file: String },
    InputNew { file: String },
    RulesChanged { policy: String },
    OtherBytes { file: String },
    OtherProgram { wrote: String, here: String },
    AlreadyPosted { batch: u32 },
    LedgerMoved { batch: u32, then: u32 },
    UnconfirmedPost { figures: Vec<String> },
    NothingToPost,
    TwoPeople,
    NoSuchBatch { number: u32, last: u32 },
    ReversedBefore { number: u32, by: u32 },
    NoSuchHead { hash: String },
    AdjustedBefore { batch: u32, what: String },
    OpeningOlder { cohort: Period, opening: Date },
    RowRefused { at: String, reason: String, rows: usize },
    LedgerNotYet { path: String },
    WhichLedger,
    InitLedger,
    OtherLedger,
    NewerProgram,
    OlderProgram,
    RestoreLedger,
    TryLater,
    SettleAgain,
    MergeAgain,
    ConfirmFigures,
    NamePeople,
    // Rule files.
    TomlSyntax { message: String },
    VersionNotADate { name: String },
    VersionDiffers { name: String },
    MissingKey { table: String, key: String },
    UnknownKey { key: String, table: String },
    UnknownWord { key: String, value: String },
    WrongValue { key: String, wanted: &'static str },
    FloatRefused { key: String },
    WantedTable { key: String },
    WantedTables { key: String },
    RatioRange { key: String },
    MoneyDecimals { key: String },
    NoSuchLocal { id: String },
    LocalUnused { id: String },
    ScoreMark,
    FloorOverFull,
    BandsOrder,
    CurveFalls,
    OneOfTwo { keys: String },
    FreeHasFee,
    SharesOverFee { sum: Fen, fee: Fen, whom: String },
    SharesNotFee { sum: Fen, fee: Fen, whom: String },
    RestNotLast,
    NoKinds,
    TermZero,
    EndsBeforeItStarts,
    AgeRange,
    NamedTwice { name: String },
    ItemsNotShare { sum: Fen, share: Fen, whom: String },
    ItemsNotFee { sum: Fen, fee: Fen },
    NoFeeForCase { whom: String },
    FeeForAllNotLast,
    MoneyTooMuch { key: String },
    TooManyOf { table: String, most: usize },
    TooManyConditions { most: usize },
    TooManyTags { count: usize, most: usize },
    TooManyReasons { most: usize },
    TooManyPackages { count: usize, most: usize },
    FactorRange,
    EmptyUnless,
    ServicesRange,
    LimitBroken { of: String, amount: Fen, bound: String, clause: std::sync::Arc<str>, whom: String },
    OutOfBounds { id: String, least: Option<String>, most: Option<String> },
    BoundIsTheirs { key: String },
    NothingToRemove { table: String },
    OpenFigure { id: String, means: String },
    SecondPass { key: String },
    PartsNotWhole { sum: String },
    RatioOver { key: String },
    BandsGap { to: String, wanted: String },
    BandsOverlap { to: String, wanted: String },
    PointsOrder,
    TwoPoints,
    NthOfCohort { level: String, most: u8 },
    NoCalendar,
    SameDate { other: String },
    ExtendsItself { circle: String },
    NoSuchVersion { id: String },
    NoSuchCommand { name: String },
    RegionName { region: String },
    FileThere { path: String },
    NotUtf8 { path: String, line: usize },
    SheetNot100 { sum: String },
    ZeroUnit,
    AddKey { key: String },
    AddTable { key: String },
    EnglishMarks { found: char, want: char },
    SaveAsUtf8,
    WriteAsString { text: String },
    LastIsRest,
    LastFeeForAll,
    FillByExtends { id: String },
    SettleThatElsewhere,
}

impl Msg {
    /// Whether the sums of a settlement may be wrong by what the run was given.
    pub fn doubts_sums(&self) -> bool {
        matches!(
            self,
            Msg::PaymentsRefused { .. }
                | Msg::PaymentsElsewhere { all: true, .. }
                | Msg::NoPaymentsFile { prepays: true }
                // Against a ledger a period may be quiet.
                | Msg::NoCharges { posted: false, .. }
                | Msg::KindsMissing { .. }
                | Msg::SameFile { .. }
        )
    }

    /// Whether it names a file, which may be another institution's matter.
    pub fn names_file(&self) -> bool {
        matches!(self, Msg::KindsMissing { .. } | Msg::SameFile { .. })
    }

    /// Whether it must be seen before money moves, even where nothing else is shown.
    pub fn warns(&self) -> bool {
        let of_ledger = matches!(
            self,
            Msg::StandAgain { .. }
                | Msg::MovedByRules { .. }
                | Msg::LaterPosted { .. }
                | Msg::VoidOfAnother { .. }
        );
        of_ledger || self.doubts_sums()
    }
}
