//! What was typed → the command's function.

mod arguments;
mod help;
mod pages;
mod refusal;

use std::ffi::OsString;
use std::io::IsTerminal;

use anyhow::Result;
use clap::FromArgMatches;
use rustix::fs::Mode;

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
use crate::report::screen::Look;
use crate::sample::{Asked, Form};
use crate::words::Lang;

use arguments::{ANY_PERIOD, Cli, ColorArg, Command, FormArg, Format, LedgerCommand, RulesCommand, Shared};
use help::command;

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
    // What is written is its owner's alone from the first byte on, whatever becomes of the run; pages of the manual
    // and rule files are for everybody.
    if !matches!(cli.command, Command::Man { .. } | Command::Rules { .. }) {
        rustix::process::umask(Mode::RWXG | Mode::RWXO);
    }
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

#[cfg(test)]
mod tests;
