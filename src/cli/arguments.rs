//! What can be typed: every command with its arguments. Their help stands in the catalogue.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::period::{Cycle, Date, Period};
use crate::base::person::mask_within;
use crate::command::period;
use crate::ledger::chain::Paper;
use crate::report::output::{CsvForm, Encoding, Only, Output};
use crate::sample;
use crate::words::Lang;

#[derive(Parser)]
#[command(name = "jiayi", version, arg_required_else_help = true)]
pub(super) struct Cli {
    #[arg(long, global = true, display_order = 990)]
    pub lang: Option<LangArg>,
    #[arg(long, global = true, display_order = 991, default_value = "auto", hide_default_value = true)]
    pub color: ColorArg,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum LangArg {
    Zh,
    En,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum ColorArg {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(super) enum Format {
    Table,
    Json,
}

#[derive(Args)]
pub(super) struct Shared {
    #[arg(long)]
    pub region: String,
    #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS")]
    pub regions: Option<PathBuf>,
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    pub threads: Option<u16>,
    #[arg(long, short)]
    pub quiet: bool,
    #[arg(long)]
    pub strict: bool,
    #[arg(long)]
    pub timings: bool,
    #[arg(long, default_value = "table", hide_default_value = true)]
    pub format: Format,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct When {
    #[arg(long)]
    pub period: Option<String>,
    #[arg(long)]
    pub quarter: Option<String>,
    #[arg(long)]
    pub half: Option<String>,
    #[arg(long)]
    pub year: Option<String>,
    #[arg(long)]
    pub month: Option<String>,
}

#[derive(Subcommand)]
pub(super) enum Command {
    Settle {
        #[command(flatten)]
        shared: Shared,
        #[command(flatten)]
        when: When,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[arg(long, value_name = "DATE")]
        as_of: Option<Date>,
        #[arg(long, value_name = "FILE")]
        ledger: Option<PathBuf>,
        #[arg(long)]
        post: bool,
        #[command(flatten)]
        paper: PaperArgs,
        #[command(flatten)]
        files: FilesArgs,
    },
    Post {
        out: PathBuf,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[arg(long, value_name = "FILE")]
        ledger: Option<PathBuf>,
        #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS")]
        regions: Option<PathBuf>,
        #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
        threads: Option<u16>,
        #[arg(long, short)]
        quiet: bool,
        #[arg(long)]
        timings: bool,
        #[arg(long, default_value = "table", hide_default_value = true)]
        format: Format,
        #[command(flatten)]
        paper: PaperArgs,
    },
    Merge {
        #[arg(required = true)]
        folders: Vec<PathBuf>,
        #[arg(long, value_name = "DIR", default_value = "out/merged", hide_default_value = true)]
        out: PathBuf,
        #[arg(long, default_value = "table", hide_default_value = true)]
        format: Format,
    },
    Verify {
        out: PathBuf,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[arg(long, value_name = "FILE")]
        ledger: Option<PathBuf>,
        #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS")]
        regions: Option<PathBuf>,
        #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
        threads: Option<u16>,
        #[arg(long, default_value = "table", hide_default_value = true)]
        format: Format,
    },
    Ledger {
        #[arg(long, global = true)]
        region: Option<String>,
        #[arg(long, value_name = "FILE", global = true)]
        ledger: Option<PathBuf>,
        #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS", global = true)]
        regions: Option<PathBuf>,
        #[arg(long, default_value = "table", hide_default_value = true, global = true)]
        format: Format,
        #[command(subcommand)]
        what: LedgerCommand,
    },
    Assess {
        #[command(flatten)]
        shared: Shared,
        #[arg(long)]
        period: String,
        #[arg(required = true)]
        sheets: Vec<PathBuf>,
        #[arg(long, short, value_name = "FILE", default_value = "scores.csv", hide_default_value = true)]
        output: PathBuf,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[arg(long, default_value = "zh", hide_default_value = true)]
        file_lang: LangArg,
    },
    Check {
        #[command(flatten)]
        shared: Shared,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[arg(long, value_name = "FILE")]
        ledger: Option<PathBuf>,
    },
    Explain {
        code: Option<String>,
        #[arg(long, requires = "region", conflicts_with = "code", group = "of")]
        institution: Option<String>,
        #[arg(long, requires = "region", conflicts_with = "code", group = "of")]
        contract: Option<String>,
        #[arg(long, requires = "region", conflicts_with = "code", group = "of")]
        person: Option<String>,
        #[arg(long, requires = "of")]
        region: Option<String>,
        #[arg(long, requires = "of")]
        period: Option<String>,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[arg(long, value_name = "FILE")]
        ledger: Option<PathBuf>,
        #[arg(long, value_name = "DATE")]
        as_of: Option<Date>,
        #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS")]
        regions: Option<PathBuf>,
        #[arg(long, default_value = "table", hide_default_value = true)]
        format: Format,
    },
    Rules {
        #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS", global = true)]
        regions: Option<PathBuf>,
        #[arg(long, default_value = "table", hide_default_value = true, global = true)]
        format: Format,
        #[command(subcommand)]
        what: RulesCommand,
    },
    Sample {
        #[arg(long)]
        region: String,
        #[arg(long, default_value_t = 10_000, hide_default_value = true, value_parser = clap::value_parser!(u64).range(sample::LEAST_SIGNINGS..=sample::MOST_SIGNINGS))]
        signings: u64,
        #[arg(long, value_name = "N", default_value_t = 5, hide_default_value = true, value_parser = clap::value_parser!(u64).range(0..=100))]
        swipes_per_signing: u64,
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(sample::LEAST_INSTITUTIONS..=sample::MOST_INSTITUTIONS))]
        institutions: Option<u64>,
        #[arg(long, value_name = "SHARE", default_value = "0.01", hide_default_value = true, value_parser = share)]
        errors: u64,
        #[arg(long, value_name = "N", default_value_t = 1, hide_default_value = true)]
        seed: u64,
        #[arg(long)]
        period: Option<String>,
        #[arg(long, default_value = "utf-8", hide_default_value = true)]
        encoding: FormArg,
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS")]
        regions: Option<PathBuf>,
        #[arg(long, short)]
        quiet: bool,
    },
    Completions {
        shell: Shell,
    },
    Man {
        #[arg(value_name = "COMMAND")]
        of: Vec<String>,
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// How made-up exports are written.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FormArg {
    #[value(name = "utf-8")]
    Utf8,
    Gb18030,
}

/// `0.01` as parts of a million.
pub(super) fn share(text: &str) -> Result<u64, &'static str> {
    const WRONG: &str = "0 – 1";
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || decimals.len() > 6 || !digits(decimals) {
        return Err(WRONG);
    }
    let parts: u64 = format!("{decimals:0<6}").parse().map_err(|_| WRONG)?;
    Some(parts + if whole == "1" { 1_000_000 } else { 0 }).filter(|parts| *parts <= 1_000_000).ok_or(WRONG)
}

/// Shells that a clerk or a packager has.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What is written, and how.
#[derive(Args)]
pub(super) struct FilesArgs {
    #[arg(long, default_value = "zh", hide_default_value = true)]
    pub file_lang: LangArg,
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub only: Vec<OnlyArg>,
    #[arg(long, default_value = "utf-8", hide_default_value = true)]
    pub csv_encoding: EncodingArg,
    #[arg(long, default_value = "en", hide_default_value = true)]
    pub csv_headers: LangArg,
    #[arg(long)]
    pub reveal_ids: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum OnlyArg {
    Csv,
    Xlsx,
    Html,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum EncodingArg {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-8-bom")]
    Utf8Bom,
    Gb18030,
}

impl FilesArgs {
    pub fn output(&self, paper: &PaperArgs) -> Output {
        let name = |only: &OnlyArg| match only {
            OnlyArg::Csv => "csv",
            OnlyArg::Xlsx => "xlsx",
            OnlyArg::Html => "html",
        };
        let encoding = match self.csv_encoding {
            EncodingArg::Utf8 => Encoding::Utf8,
            EncodingArg::Utf8Bom => Encoding::Utf8Bom,
            EncodingArg::Gb18030 => Encoding::Gb18030,
        };
        Output {
            lang: self.file_lang.into(),
            only: Only::of(self.only.iter().map(name)),
            csv: CsvForm { encoding, headers: self.csv_headers.into() },
            reveal: self.reveal_ids,
            paper: Paper { time: String::new(), ..paper.paper() },
        }
    }
}

/// Who answers for a batch.
#[derive(Args)]
pub(super) struct PaperArgs {
    #[arg(long, value_name = "NAME")]
    pub operator: Option<String>,
    #[arg(long, value_name = "NAME")]
    pub approved_by: Option<String>,
    #[arg(long, value_name = "NUMBER")]
    pub document: Option<String>,
}

impl PaperArgs {
    pub fn paper(&self) -> Paper {
        // These are printed under every paper.
        let word = |word: &Option<String>| word.as_deref().map(mask_within);
        Paper {
            operator: word(&self.operator),
            approved_by: word(&self.approved_by),
            document: word(&self.document),
            time: now(),
        }
    }
}

/// The time that a posting notes: the clock's, or SOURCE_DATE_EPOCH where a build or a test must not depend on it.
pub(super) fn now() -> String {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let set = set.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    set.unwrap_or_else(jiff::Timestamp::now).to_string()
}

#[derive(Subcommand)]
pub(super) enum LedgerCommand {
    Init {
        #[arg(long, value_name = "PERIOD")]
        from: String,
        #[arg(long, value_name = "FILE")]
        payments: Option<PathBuf>,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[command(flatten)]
        paper: PaperArgs,
    },
    List,
    Show {
        number: u32,
    },
    Verify {
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    Reverse {
        number: u32,
        #[command(flatten)]
        paper: PaperArgs,
    },
    Adjust {
        file: PathBuf,
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        #[command(flatten)]
        paper: PaperArgs,
    },
    Export {
        folder: PathBuf,
    },
}

#[derive(Subcommand)]
pub(super) enum RulesCommand {
    List,
    Show {
        region: String,
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        #[arg(long)]
        toml: bool,
    },
    Check {
        files: Vec<PathBuf>,
    },
    Diff {
        old: String,
        new: String,
    },
    Curve {
        region: String,
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        #[arg(long, value_name = "ID")]
        curve: Option<String>,
    },
    New {
        region: String,
        #[arg(long, value_name = "DATE")]
        from: Date,
        #[arg(long, value_name = "REGION/DATE")]
        extends: Option<String>,
    },
}

impl From<LangArg> for Lang {
    fn from(lang: LangArg) -> Lang {
        match lang {
            LangArg::Zh => Lang::Zh,
            LangArg::En => Lang::En,
        }
    }
}

pub(super) const ANY_PERIOD: &str = "2020Q1, 2020H1, 2020, 2020-01";

impl When {
    pub fn read(&self) -> Result<Period> {
        let of = |cycle: Cycle| move |period: Period| period.cycle() == cycle;
        match (&self.period, &self.quarter, &self.half, &self.year, &self.month) {
            (_, Some(text), _, _, _) => period(text, "2020Q1", of(Cycle::Quarter)),
            (_, _, Some(text), _, _) => period(text, "2020H1", of(Cycle::Half)),
            (_, _, _, Some(text), _) => period(text, "2020", of(Cycle::Year)),
            (_, _, _, _, Some(text)) => period(text, "2020-01", of(Cycle::Month)),
            (text, ..) => period(text.as_deref().unwrap_or_default(), ANY_PERIOD, |_| true),
        }
    }
}
