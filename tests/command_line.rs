//! What a shell and `man` are given, and how the program ends on a command line that is wrong.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use support::{good, stderr};

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jiayi"))
        .args(words)
        .env_clear()
        .env("JIAYI_LANG", "en")
        .output()
        .expect("it starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// Whether a program can be run here.
fn there_is(program: &str) -> bool {
    let there = Command::new(program).arg("--version").output().is_ok_and(|done| done.status.success());
    if !there {
        eprintln!("skipped: there is no {program} here");
    }
    there
}

#[test]
fn bash_completes_commands_options_and_values() {
    if !there_is("bash") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    for lang in ["zh", "en"] {
        let script = run(&["--lang", lang, "completions", "bash"]);
        good(&script);
        let path = folder.path().join("jiayi.bash");
        fs::write(&path, &script.stdout).expect("the script is written");
        // What bash would offer behind these words: the last is the one being typed.
        let offered = |words: &[&str]| -> BTreeSet<String> {
            let last = words.len() - 1;
            let line = format!(
                "source '{}'; COMP_WORDS=({}); COMP_CWORD={last}; COMPREPLY=(); _jiayi jiayi '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                path.display(),
                words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
                words[last],
                words[last - 1],
            );
            let done = Command::new("bash").args(["--norc", "-c", &line]).output().expect("bash runs");
            assert!(done.stderr.is_empty(), "{}", stderr(&done));
            stdout(&done).lines().filter(|one| !one.is_empty()).map(String::from).collect()
        };
        let is = |got: BTreeSet<String>, want: &[&str]| {
            assert_eq!(got, want.iter().map(ToString::to_string).collect::<BTreeSet<_>>());
        };
        is(offered(&["jiayi", "se"]), &["settle"]);
        is(offered(&["jiayi", "ledger", "re"]), &["reverse"]);
        is(offered(&["jiayi", "settle", "--csv-e"]), &["--csv-encoding"]);
        is(offered(&["jiayi", "settle", "--csv-encoding", "utf"]), &["utf-8", "utf-8-bom"]);
        is(offered(&["jiayi", "--lang", ""]), &["zh", "en"]);
        is(offered(&["jiayi", "completions", "f"]), &["fish"]);
        let all = offered(&["jiayi", ""]);
        for command in ["settle", "post", "ledger", "rules", "explain", "completions", "man", "--lang"] {
            assert!(all.contains(command), "{all:?}");
        }
    }
}

#[test]
fn zsh_and_fish_read_their_scripts() {
    let folder = tempfile::tempdir().expect("a folder");
    for (shell, option) in [("zsh", "-n"), ("fish", "-n")] {
        if !there_is(shell) {
            continue;
        }
        for lang in ["zh", "en"] {
            let script = run(&["--lang", lang, "completions", shell]);
            good(&script);
            let path = folder.path().join("script");
            fs::write(&path, &script.stdout).expect("the script is written");
            let done = Command::new(shell).arg(option).arg(&path).output().expect("the shell runs");
            assert!(done.status.success() && done.stderr.is_empty(), "{shell}: {}", stderr(&done));
            assert!(stdout(&script).contains(if lang == "zh" {
                "结算一个期间"
            } else {
                "Settle a period"
            }));
        }
    }
}

fn pages(folder: &Path, lang: &str) -> Vec<(String, String)> {
    good(&run(&["--lang", lang, "man", "--out", &folder.display().to_string()]));
    let mut pages: Vec<(String, String)> = support::files(folder)
        .into_iter()
        .map(|(name, bytes)| (name, String::from_utf8(bytes).expect("text")))
        .collect();
    pages.sort();
    pages
}

#[test]
fn every_command_has_its_manual_page() {
    let folder = tempfile::tempdir().expect("a folder");
    for (lang, headings) in
        [("en", ["NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES"]), ("zh", ["名称", "用法", "选项", "示例"])]
    {
        let out = folder.path().join("share/man/man1").join(lang);
        let pages = pages(&out, lang);
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        for name in
            ["jiayi.1", "jiayi-settle.1", "jiayi-ledger.1", "jiayi-ledger-init.1", "jiayi-rules-new.1"]
        {
            assert!(names.contains(&name), "{names:?}");
        }
        assert!(!names.iter().any(|name| name.contains("help")), "{names:?}");
        for (name, page) in &pages {
            for heading in headings {
                assert!(page.contains(&format!("\n.SH {heading}\n")), "{name}: {page}");
            }
            // Of every page that a page names there is one.
            for other in page.lines().filter(|line| line.ends_with("(1)") && line.starts_with("jiayi")) {
                let other = other.replace("\\-", "-").replace("(1)", ".1");
                assert!(names.contains(&other.as_str()), "{name} names {other}");
            }
            // Written twice, and alone: the same bytes.
            let stem = name.strip_suffix(".1").expect("a page of section 1");
            let words: Vec<&str> = stem.split('-').skip(1).collect();
            let alone = run(&[&["--lang", lang, "man"], words.as_slice()].concat());
            assert_eq!(&stdout(&alone), page);
            if there_is("groff") {
                let path = out.join(name);
                let done =
                    Command::new("groff").args(["-man", "-Kutf8", "-Tutf8", "-ww", "-z"]).arg(&path).output();
                let done = done.expect("groff runs");
                assert!(
                    done.status.success() && !stderr(&done).contains("warning: macro"),
                    "{}",
                    stderr(&done)
                );
            }
        }
    }
}

#[test]
fn a_page_of_no_command_is_refused_with_the_nearest_one() {
    let done = run(&["man", "ledgr"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(stderr(&done).contains("there is no command `ledgr`") && stderr(&done).contains("`ledger`"));
}

#[test]
fn wrong_usage_exits_with_2_and_a_help_with_0() {
    for lang in ["zh", "en"] {
        for (words, code) in [
            (vec!["settle", "--regin", "urumqi"], 2),
            (vec!["setle"], 2),
            (vec!["settle"], 2),
            (vec![], 2),
            (vec!["settle", "--help"], 0),
            (vec!["help", "ledger", "init"], 0),
            (vec!["--version"], 0),
        ] {
            let done = run(&[&["--lang", lang], words.as_slice()].concat());
            assert_eq!(done.status.code(), Some(code), "{words:?}: {}", stderr(&done));
            let (said, silent) =
                if code == 0 { (&done.stdout, &done.stderr) } else { (&done.stderr, &done.stdout) };
            assert!(!said.is_empty() && silent.is_empty(), "{words:?}");
        }
    }
}
