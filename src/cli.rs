//! What was typed → the command's function.

mod help;
mod pages;
mod refusal;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::base::period::{Cycle, Date, Period};
use crate::command::assess::Assess;
use crate::command::check::Check;
use crate::command::explain::{Explain, What};
use crate::command::ledger::Ledger;
use crate::command::merge::Merge;
use crate::command::post::Post;
use crate::command::rules::Rules;
use crate::command::sample::Sample;
use crate::command::settle::Settle;
use crate::command::verify::Verify;
use crate::command::{Common, Ended, assess, check, explain, merge, period, post, settle, verify};
use crate::ledger::chain::Paper;
use crate::report::output::{CsvForm, Encoding, Only, Output};
use crate::report::screen::Look;
use crate::sample::{self, Asked, Form};
use crate::words::Lang;

use help::command;

#[derive(Parser)]
#[command(name = "jiayi", version, arg_required_else_help = true)]
struct Cli {
    #[arg(long, global = true, display_order = 990)]
    lang: Option<LangArg>,
    #[arg(long, global = true, display_order = 991, default_value = "auto", hide_default_value = true)]
    color: ColorArg,
    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, ValueEnum)]
enum LangArg {
    Zh,
    En,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum ColorArg {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Table,
    Json,
}

#[derive(Args)]
struct Shared {
    #[arg(long)]
    region: String,
    #[arg(long, value_name = "DIR", env = "JIAYI_REGIONS")]
    regions: Option<PathBuf>,
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1024))]
    threads: Option<u16>,
    #[arg(long, short)]
    quiet: bool,
    #[arg(long)]
    strict: bool,
    #[arg(long)]
    timings: bool,
    #[arg(long, default_value = "table", hide_default_value = true)]
    format: Format,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct When {
    #[arg(long)]
    period: Option<String>,
    #[arg(long)]
    quarter: Option<String>,
    #[arg(long)]
    half: Option<String>,
    #[arg(long)]
    year: Option<String>,
    #[arg(long)]
    month: Option<String>,
}

#[derive(Subcommand)]
enum Command {
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
enum FormArg {
    #[value(name = "utf-8")]
    Utf8,
    Gb18030,
}

/// `0.01` as parts of a million.
fn share(text: &str) -> Result<u64, &'static str> {
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
enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What is written, and how.
#[derive(Args)]
struct FilesArgs {
    #[arg(long, default_value = "zh", hide_default_value = true)]
    file_lang: LangArg,
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    only: Vec<OnlyArg>,
    #[arg(long, default_value = "utf-8", hide_default_value = true)]
    csv_encoding: EncodingArg,
    #[arg(long, default_value = "en", hide_default_value = true)]
    csv_headers: LangArg,
    #[arg(long)]
    reveal_ids: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnlyArg {
    Csv,
    Xlsx,
    Html,
}

#[derive(Clone, Copy, ValueEnum)]
enum EncodingArg {
    #[value(name = "utf-8")]
    Utf8,
    #[value(name = "utf-8-bom")]
    Utf8Bom,
    Gb18030,
}

impl FilesArgs {
    fn output(&self, paper: &PaperArgs) -> Output {
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
struct PaperArgs {
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    #[arg(long, value_name = "NAME")]
    approved_by: Option<String>,
    #[arg(long, value_name = "NUMBER")]
    document: Option<String>,
}

impl PaperArgs {
    fn paper(&self) -> Paper {
        Paper {
            operator: self.operator.clone(),
            approved_by: self.approved_by.clone(),
            document: self.document.clone(),
            time: now(),
        }
    }
}

/// The time that a posting notes: the clock's, or SOURCE_DATE_EPOCH where a build or a test must not depend on it.
fn now() -> String {
    let set = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|seconds| seconds.parse().ok());
    let set = set.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    set.unwrap_or_else(jiff::Timestamp::now).to_string()
}

#[derive(Subcommand)]
enum LedgerCommand {
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
enum RulesCommand {
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

/// The language that `--lang`, JIAYI_LANG or the locale ask for; Chinese where none does.
fn language(arguments: &[OsString]) -> Lang {
    let typed = arguments.iter().enumerate().find_map(|(at, argument)| {
        let text = argument.to_string_lossy().into_owned();
        match text.strip_prefix("--lang=") {
            Some(lang) => Some(lang.to_string()),
            None if text == "--lang" => arguments.get(at + 1).map(|next| next.to_string_lossy().into_owned()),
            None => None,
        }
    });
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = || set("LC_ALL").or_else(|| set("LC_MESSAGES")).or_else(|| set("LANG"));
    match typed.or_else(|| set("JIAYI_LANG")).or_else(locale) {
        Some(lang) if lang.starts_with("en") => Lang::En,
        _ => Lang::Zh,
    }
}

/// Reads the command line and runs the command.
pub fn run(arguments: Vec<OsString>) -> Result<(Ended, Look)> {
    let lang = language(&arguments);
    let typed = default_look(&arguments);
    let matches = command(lang).try_get_matches_from(arguments);
    let cli = matches.and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = cli.unwrap_or_else(|error| refusal::end(&error, typed));
    let look = look(lang, cli.color);
    Ok((dispatch(&cli, look)?, look))
}

/// How to write to the screen, also when the command line could not be read.
pub fn default_look(arguments: &[OsString]) -> Look {
    let asked = |what: &str| {
        let word = format!("--color={what}");
        arguments.iter().any(|one| *one == *word)
            || arguments.windows(2).any(|pair| pair[0] == "--color" && pair[1] == what)
    };
    let color = match (asked("always"), asked("never")) {
        (true, _) => ColorArg::Always,
        (_, true) => ColorArg::Never,
        _ => ColorArg::Auto,
    };
    look(language(arguments), color)
}

fn look(lang: Lang, asked: ColorArg) -> Look {
    let terminal = std::io::stdout().is_terminal();
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let color = match asked {
        ColorArg::Always => true,
        ColorArg::Never => false,
        ColorArg::Auto => !plain && std::env::var("TERM").as_deref() != Ok("dumb"),
    };
    let auto = asked == ColorArg::Auto;
    let color_of = |terminal: bool| color && (terminal || !auto);
    let asked = std::env::var("COLUMNS").ok().and_then(|width| width.parse().ok());
    let width = asked.or_else(|| comfy_table::Table::new().width()).filter(|width| terminal && *width >= 40);
    let (color, color_err) = (color_of(terminal), color_of(std::io::stderr().is_terminal()));
    Look { lang, color, color_err, width }
}

fn common(shared: &Shared, look: Look) -> Common<'_> {
    Common {
        region: &shared.region,
        regions: shared.regions.as_deref(),
        threads: shared.threads.map(usize::from),
        quiet: shared.quiet,
        strict: shared.strict,
        timings: shared.timings,
        json: shared.format == Format::Json,
        look,
    }
}

fn dispatch(cli: &Cli, look: Look) -> Result<Ended> {
    match &cli.command {
        Command::Settle { shared, when, data, out, as_of, ledger, post, paper, files } => {
            settle::run(&Settle {
                common: common(shared, look),
                period: when.read()?,
                data: data.as_deref(),
                out: out.as_deref(),
                as_of: *as_of,
                ledger: ledger.as_deref(),
                post: post.then(|| paper.paper()),
                output: files.output(paper),
            })
        }
        Command::Post { out, data, ledger, regions, threads, quiet, timings, format, paper } => {
            post::run(&Post {
                common: Common {
                    region: "",
                    regions: regions.as_deref(),
                    threads: threads.map(usize::from),
                    quiet: *quiet,
                    strict: false,
                    timings: *timings,
                    json: *format == Format::Json,
                    look,
                },
                out,
                data: data.as_deref(),
                ledger: ledger.as_deref(),
                paper: paper.paper(),
            })
        }
        Command::Merge { folders, out, format } => {
            merge::run(&Merge { folders, out, json: *format == Format::Json, look })
        }
        Command::Verify { out, data, ledger, regions, threads, format } => verify::run(&Verify {
            common: Common {
                region: "",
                regions: regions.as_deref(),
                threads: threads.map(usize::from),
                quiet: false,
                strict: false,
                timings: false,
                json: *format == Format::Json,
                look,
            },
            out,
            data: data.as_deref(),
            ledger: ledger.as_deref(),
        }),
        Command::Ledger { region, ledger, regions, format, what } => {
            let of = Ledger {
                region: region.as_deref(),
                ledger: ledger.as_deref(),
                regions: regions.as_deref(),
                json: *format == Format::Json,
                look,
            };
            match what {
                LedgerCommand::Init { from, payments, data, paper } => {
                    let from = period(from, ANY_PERIOD, |_| true)?;
                    of.init(from, payments.as_deref(), data.as_deref(), paper.paper())
                }
                LedgerCommand::List => of.list(),
                LedgerCommand::Show { number } => of.show(*number),
                LedgerCommand::Verify { head } => of.verify(head.as_deref()),
                LedgerCommand::Reverse { number, paper } => of.reverse(*number, paper.paper()),
                LedgerCommand::Adjust { file, data, paper } => {
                    of.adjust(file, data.as_deref(), paper.paper())
                }
                LedgerCommand::Export { folder } => of.export(folder),
            }
        }
        Command::Assess { shared, period: text, sheets, output, data, file_lang } => assess::run(&Assess {
            common: common(shared, look),
            period: period(text, ANY_PERIOD, |_| true)?,
            sheets,
            output,
            data: data.as_deref(),
            file_lang: (*file_lang).into(),
        }),
        Command::Check { shared, data, ledger } => check::run(&Check {
            common: common(shared, look),
            data: data.as_deref(),
            ledger: ledger.as_deref(),
        }),
        Command::Explain {
            code,
            institution,
            contract,
            person,
            region,
            period: text,
            data,
            ledger,
            as_of,
            regions,
            format,
        } => {
            let json = *format == Format::Json;
            let what = match (institution, contract, person) {
                (Some(id), _, _) => What::Institution(id),
                (_, Some(id), _) => What::Contract(id),
                (_, _, Some(id)) => What::Person(id),
                _ => return explain::codes(code.as_deref(), json, look),
            };
            explain::run(&Explain {
                common: Common {
                    region: region.as_deref().unwrap_or_default(),
                    regions: regions.as_deref(),
                    threads: None,
                    quiet: false,
                    strict: false,
                    timings: false,
                    json,
                    look,
                },
                period: text.as_ref().map(|text| period(text, ANY_PERIOD, |_| true)).transpose()?,
                as_of: *as_of,
                data: data.as_deref(),
                ledger: ledger.as_deref(),
                what,
            })
        }
        Command::Rules { regions, format, what } => {
            let rules = Rules { regions: regions.as_deref(), json: *format == Format::Json, look };
            match what {
                RulesCommand::List => rules.list(),
                RulesCommand::Show { region, on, toml: true } => rules.file(region, *on),
                RulesCommand::Show { region, on, toml: false } => rules.show(region, *on),
                RulesCommand::Check { files } => rules.check(files),
                RulesCommand::Diff { old, new } => rules.diff(old, new),
                RulesCommand::Curve { region, on, curve } => rules.curve(region, *on, curve.as_deref()),
                RulesCommand::New { region, from, extends } => rules.begin(region, *from, extends.as_deref()),
            }
        }
        Command::Sample {
            region,
            signings,
            swipes_per_signing,
            institutions,
            errors,
            seed,
            period: text,
            encoding,
            out,
            regions,
            quiet,
        } => crate::command::sample::run(&Sample {
            region,
            regions: regions.as_deref(),
            data: Asked {
                period: text.as_ref().map(|text| period(text, ANY_PERIOD, |_| true)).transpose()?,
                signings: *signings,
                swipes_per_signing: *swipes_per_signing,
                institutions: *institutions,
                errors: *errors,
                seed: *seed,
                form: match encoding {
                    FormArg::Utf8 => Form::Utf8,
                    FormArg::Gb18030 => Form::Gb18030,
                },
            },
            out: out.as_deref(),
            quiet: *quiet,
            look,
        }),
        Command::Completions { shell } => pages::completions(*shell, look.lang),
        Command::Man { of, out: Some(folder) } if of.is_empty() => pages::all(folder, look.lang),
        Command::Man { of, .. } => pages::one(of, look.lang),
    }
}

const ANY_PERIOD: &str = "2020Q1, 2020H1, 2020, 2020-01";

impl When {
    fn read(&self) -> Result<Period> {
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

#[cfg(test)]
mod tests;
