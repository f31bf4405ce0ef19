//! A command line that can't be run: told in the reader's language, with clap's exit codes.

use std::io::{self, Write};
use std::process;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::base::person::hide_numbers;
use crate::report::screen::Look;
use crate::words::{ERROR, Lang, Tip, Usage, tip, usage, why};

use super::help::in_words;

/// Prints a help, a version, or what is wrong with the command line, and ends.
pub fn end(error: &clap::Error, look: Look) -> ! {
    // What was typed may be an ID number.
    let text = told(error, look);
    let text = if error.use_stderr() { hide_numbers(text) } else { text };
    // Whoever does not listen any more has no use for a word about it.
    let _ = match error.use_stderr() {
        true => io::stderr().write_all(text.as_bytes()),
        false => io::stdout().write_all(text.as_bytes()),
    };
    process::exit(error.exit_code())
}

/// What is printed.
pub fn told(error: &clap::Error, look: Look) -> String {
    let color = if error.use_stderr() { look.color_err } else { look.color };
    let shows = matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::DisplayVersion
    );
    if shows || look.lang == Lang::En {
        return in_words(&error.render(), look.lang, color);
    }
    let (red, off) = if color { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
    let mut text = format!("{red}{ERROR}{off} {}\n", usage(&wrong(error)));
    let tips = tips(error);
    for one in &tips {
        text += &format!("\n  {}", tip(one));
    }
    if !tips.is_empty() {
        text.push('\n');
    }
    if let Some(ContextValue::StyledStr(form)) = error.get(ContextKind::Usage) {
        text += &format!("\n{}\n", in_words(form, Lang::Zh, color).trim_end());
    }
    text + &format!("\n{}\n", tip(&Tip::More))
}

/// A value of the error as one text.
fn one(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    }
}

/// A value of the error as a list.
fn list(error: &clap::Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text],
        Some(ContextValue::Strings(all)) => all.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

fn number(error: &clap::Error, kind: ContextKind) -> isize {
    match error.get(kind) {
        Some(ContextValue::Number(number)) => *number,
        _ => 0,
    }
}

fn wrong(error: &clap::Error) -> Usage<'_> {
    let argument = one(error, ContextKind::InvalidArg);
    let value = one(error, ContextKind::InvalidValue).unwrap_or_default();
    let command = one(error, ContextKind::InvalidSubcommand);
    match (error.kind(), argument) {
        (ErrorKind::ArgumentConflict, given) => {
            let others = list(error, ContextKind::PriorArg);
            match given.or(command) {
                Some(one) if others == [one] => Usage::Twice { one },
                Some(one) => Usage::NotTogether { one, others },
                None => Usage::Other,
            }
        }
        (ErrorKind::NoEquals, Some(one)) => Usage::NoEquals { one },
        (ErrorKind::InvalidValue, Some(one)) if value.is_empty() => Usage::NoValue { one },
        (ErrorKind::InvalidValue, Some(one)) => Usage::BadValue { one, value, why: None },
        (ErrorKind::ValueValidation, Some(one)) => {
            let said = std::error::Error::source(error).map(ToString::to_string);
            Usage::BadValue { one, value, why: said.map(|said| why(one, &said)) }
        }
        (ErrorKind::InvalidSubcommand, _) => Usage::NoSuchCommand { value: command.unwrap_or_default() },
        (ErrorKind::MissingRequiredArgument, _) => {
            Usage::Missing { all: list(error, ContextKind::InvalidArg) }
        }
        (ErrorKind::MissingSubcommand, _) => Usage::NoCommand { of: command.unwrap_or("jiayi") },
        (ErrorKind::TooManyValues, Some(one)) => Usage::TooMany { one, value },
        (ErrorKind::TooFewValues, Some(one)) => Usage::TooFew {
            one,
            want: number(error, ContextKind::MinValues),
            got: number(error, ContextKind::ActualNumValues),
        },
        (ErrorKind::WrongNumberOfValues, Some(one)) => Usage::TooFew {
            one,
            want: number(error, ContextKind::ExpectedNumValues),
            got: number(error, ContextKind::ActualNumValues),
        },
        (ErrorKind::UnknownArgument, Some(one)) => Usage::Unexpected { one },
        (ErrorKind::InvalidUtf8, _) => Usage::NotText,
        _ => Usage::Other,
    }
}

fn tips(error: &clap::Error) -> Vec<Tip<'_>> {
    let mut tips = Vec::new();
    let values = list(error, ContextKind::ValidValue);
    if !values.is_empty() {
        tips.push(Tip::Takes { values });
    }
    let commands = list(error, ContextKind::ValidSubcommand);
    if !commands.is_empty() {
        tips.push(Tip::Commands { values: commands });
    }
    for kind in [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue] {
        let values = list(error, kind);
        if !values.is_empty() {
            tips.push(Tip::Similar { values });
        }
    }
    if let Some(ContextValue::StyledStrs(said)) = error.get(ContextKind::Suggested) {
        for one in said {
            // Sentences of clap's, known by their shape: `'settle --quarter' exists`, `to pass 'x' as a value, …`.
            let said = one.to_string();
            let quoted = said.split('\'').nth(1).map(str::to_string);
            let Some(quoted) = quoted else { continue };
            if said.ends_with("exists") {
                tips.push(Tip::Elsewhere { command: quoted });
            } else if said.contains("as a value") {
                tips.push(Tip::AsValue { value: quoted });
            }
        }
    }
    tips
}
