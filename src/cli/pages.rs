//! What is installed beside the program: completions for shells, and manual pages.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use clap::Command;
use clap_complete::{Shell as Complete, generate};
use clap_mangen::Man;

use crate::base::diagnostic::{nearest, stop};
use crate::base::message::Msg;
use crate::command::Ended;
use crate::report::publish;
use crate::words::{EXAMPLES, HelpWord, Lang, PAGE_HEADINGS, help_word};

use super::arguments::Shell;
use super::help::{command, without_help};

/// The script that a shell reads.
pub fn completions(shell: Shell, lang: Lang) -> Result<Ended> {
    let shell = match shell {
        Shell::Bash => Complete::Bash,
        Shell::Zsh => Complete::Zsh,
        Shell::Fish => Complete::Fish,
    };
    let mut script = Vec::new();
    let mut root = command(lang);
    // What clap adds of itself is said in its own words until it is built.
    root.build();
    generate(shell, &mut in_our_words(root, lang), "jiayi", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Ended::Done)
}

/// The command `help`, here and below, in the reader's language.
fn in_our_words(root: Command, lang: Lang) -> Command {
    let names: Vec<String> = root.get_subcommands().map(|one| one.get_name().to_string()).collect();
    names.into_iter().fold(root, |root, name| {
        root.mut_subcommand(&name, |one| {
            let one = in_our_words(one, lang);
            if name == "help" { one.about(help_word(lang, HelpWord::HelpCommand)) } else { one }
        })
    })
}

/// The page of one command, such as `ledger init`.
pub fn one(of: &[String], lang: Lang) -> Result<Ended> {
    let root = without_help(lang);
    let mut found = &root;
    for word in of.iter().flat_map(|word| word.split_whitespace()) {
        let name = word.strip_prefix("jiayi-").unwrap_or(word);
        found = found.find_subcommand(name).ok_or_else(|| {
            let known: Vec<&str> = found.get_subcommands().map(Command::get_name).collect();
            let cure = match nearest(name, known.iter().copied()) {
                Some(near) => Msg::DidYouMean { near: near.to_string() },
                None => Msg::OneOf { known: known.join(", ") },
            };
            stop(Msg::NoSuchCommand { name: name.to_string() }, Some(cure))
        })?;
    }
    io::stdout().write_all(page(found, lang)?.as_bytes())?;
    Ok(Ended::Done)
}

/// Every page, into a folder.
pub fn all(folder: &Path, lang: Lang) -> Result<Ended> {
    let failed = |path: &Path, error: io::Error| publish::cannot_write(path, &error);
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let root = without_help(lang);
    let inner = root.get_subcommands().flat_map(Command::get_subcommands);
    for command in [&root].into_iter().chain(root.get_subcommands()).chain(inner) {
        let path = folder.join(format!("{}.1", name_of(command)));
        fs::write(&path, page(command, lang)?).map_err(|error| failed(&path, error))?;
    }
    Ok(Ended::Done)
}

/// `jiayi-ledger-init`.
fn name_of(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

/// A page in the language of man: no date, so that the same program writes the same page.
fn page(command: &Command, lang: Lang) -> Result<String> {
    let typed = name_of(command).replace('-', " ");
    let of = typed.strip_prefix("jiayi ").unwrap_or(&typed);
    let man = Man::new(command.clone().after_help(""))
        .title(name_of(command).to_uppercase())
        .section("1")
        .source(format!("jiayi {}", env!("CARGO_PKG_VERSION")))
        .manual(help_word(lang, HelpWord::Manual));
    let mut bytes = Vec::new();
    man.render_title(&mut bytes)?;
    man.render_name_section(&mut bytes)?;
    man.render_synopsis_section(&mut bytes)?;
    man.render_description_section(&mut bytes)?;
    man.render_options_section(&mut bytes)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut bytes)?;
    }
    let mut text = String::from_utf8(bytes).context("a manual page is text")?;
    let examples: Vec<_> = EXAMPLES.iter().filter(|(command, ..)| *command == of).collect();
    if !examples.is_empty() {
        text += &format!(".SH {}\n", help_word(lang, HelpWord::ExamplesOfPage));
    }
    for (_, line, zh, en) in examples {
        text += &format!(".TP\n\\fB{}\\fR\n{}\n", plain(line), plain(if lang == Lang::Zh { zh } else { en }));
    }
    if lang == Lang::Zh {
        for (english, chinese) in PAGE_HEADINGS {
            text = text.replace(&format!("\n.SH {english}\n"), &format!("\n.SH {chinese}\n"));
        }
    }
    Ok(text)
}

/// Text that man takes as it is: a hyphen that can be copied, no control line.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
