//! The command line with its help in the reader's language: every word of it stands in the catalogue, and in
//! Chinese those that clap itself would say are taken over.

use std::mem;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, Command, CommandFactory, ValueHint};

use super::arguments::Cli;
use crate::words::{EXAMPLES, HEADINGS, HELP, HelpWord, Lang, VALUE_NAMES, help_word};

/// Where clap has its own help and version among the options.
const LAST: usize = 999;

/// The command line with its help in the reader's language.
pub fn command(lang: Lang) -> Command {
    finished(worded(Cli::command(), "", lang), lang)
}

/// The same without the `help` commands, of which there are no pages.
pub fn without_help(lang: Lang) -> Command {
    let mut root = worded(Cli::command(), "", lang).disable_help_subcommand(true);
    root.build();
    finished(root, lang)
}

fn finished(mut root: Command, lang: Lang) -> Command {
    if lang == Lang::Zh {
        root.build();
        chinese(&mut root);
    }
    root
}

/// A command and those under it, by the words of the catalogue. `above` is what is typed before its name.
fn worded(command: Command, above: &str, lang: Lang) -> Command {
    let typed = [above, command.get_name()].join(" ").trim().to_string();
    let of = typed.strip_prefix("jiayi ").unwrap_or(&typed).to_string();
    let words = |argument: &str| {
        let entry = HELP.iter().find(|(command, name, _, _)| *command == of && *name == argument);
        entry.map(|(_, _, zh, en)| if lang == Lang::Zh { *zh } else { *en })
    };
    let mut command = command.about(words("").unwrap_or_default()).mut_args(|argument| {
        let Some(help) = words(argument.get_id().as_str()) else { return argument };
        described(argument, help, lang)
    });
    if let Some(examples) = examples(&of, lang) {
        command = command.after_help(examples);
    }
    for sub in command.get_subcommands_mut() {
        *sub = worded(mem::take(sub), &typed, lang);
    }
    if lang == Lang::Zh {
        command = command.disable_help_flag(true).arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help)
                .display_order(LAST)
                .help(help_word(lang, HelpWord::Help)),
        );
        if typed == "jiayi" {
            command = command.disable_version_flag(true).arg(
                Arg::new("version")
                    .short('V')
                    .long("version")
                    .action(ArgAction::Version)
                    .display_order(LAST)
                    .help(help_word(lang, HelpWord::Version)),
            );
        }
    }
    command
}

/// An argument with its words, what it takes, and what a shell may offer for it.
fn described(argument: Arg, help: &str, lang: Lang) -> Arg {
    let mut help = help.to_string();
    let values: Vec<String> =
        argument.get_possible_values().iter().map(|value| value.get_name().to_string()).collect();
    let flag = matches!(argument.get_action(), ArgAction::SetTrue);
    if !flag && values.iter().any(|value| !help.contains(value.as_str())) {
        let between = help_word(lang, HelpWord::Between);
        help += &format!(" [{}: {}]", help_word(lang, HelpWord::Takes), values.join(between));
    }
    let default: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !flag && !argument.is_hide_default_value_set() && !default.is_empty() {
        help += &format!(" [{}: {}]", help_word(lang, HelpWord::Default), default.join(","));
    }
    if let Some(variable) = argument.get_env() {
        help += &format!(" [{}: {}]", help_word(lang, HelpWord::Variable), variable.to_string_lossy());
    }
    let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    let name = name.unwrap_or_else(|| argument.get_id().as_str().to_uppercase());
    let argument = match name.as_str() {
        "DIR" | "FOLDER" | "FOLDERS" | "OUT" => argument.value_hint(ValueHint::DirPath),
        "FILE" | "FILES" | "OUTPUT" | "SHEETS" => argument.value_hint(ValueHint::FilePath),
        _ => argument,
    };
    let argument = argument.help(help).hide_env(true);
    if flag {
        return argument;
    }
    let argument = argument.hide_possible_values(true).hide_default_value(true);
    match VALUE_NAMES.iter().find(|(english, _)| *english == name) {
        Some((_, chinese)) if lang == Lang::Zh => argument.value_name(*chinese),
        _ => argument,
    }
}

/// What stands under a command's help: lines to be typed, and what each does.
fn examples(of: &str, lang: Lang) -> Option<String> {
    let own: Vec<_> = EXAMPLES.iter().filter(|(command, ..)| *command == of).collect();
    if own.is_empty() {
        return None;
    }
    let mut text = help_word(lang, HelpWord::Examples).to_string();
    for (_, line, zh, en) in own {
        text += &format!("\n  {}\n      {}", folded(line), if lang == Lang::Zh { zh } else { en });
    }
    Some(text)
}

/// A long command over several lines, as a shell takes it: what a terminal breaks by itself can't be copied.
fn folded(line: &str) -> String {
    const WIDTH: usize = 70;
    let (mut text, mut column) = (String::new(), 0);
    for word in line.split_inclusive(' ') {
        // A value stays beside its option.
        let goes = word.starts_with("--") && column + 2 * word.len() > WIDTH || column + word.len() > WIDTH;
        if goes && column > 0 {
            text += "\\\n    ";
            column = 2;
        }
        text += word;
        column += word.len();
    }
    text
}

/// What clap has added to a command that is built: its own `help` command, and names of values.
fn chinese(command: &mut Command) {
    let word = |word| help_word(Lang::Zh, word);
    for sub in command.get_subcommands_mut() {
        if sub.get_name() == "help" {
            *sub = mem::take(sub).about(word(HelpWord::HelpCommand));
        } else {
            chinese(sub);
        }
    }
    if command.has_subcommands() {
        *command = mem::take(command).subcommand_value_name(word(HelpWord::Command));
    }
}

/// A help or a usage as clap renders it, with its headings in the reader's language.
pub fn in_words(text: &StyledStr, lang: Lang, color: bool) -> String {
    let text = if color { text.ansi().to_string() } else { text.to_string() };
    if lang == Lang::En {
        return text;
    }
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let bare: String = StyledStr::from(line.to_string()).to_string();
        let heading = HEADINGS.iter().find(|(english, _)| bare.trim_start().starts_with(english));
        match heading {
            Some((english, chinese)) => out += &line.replacen(english, chinese, 1),
            None => out += line,
        }
    }
    // Of clap's own: it stands in usages alone.
    out.replace(help_word(Lang::En, HelpWord::Options), help_word(Lang::Zh, HelpWord::Options))
}
