use clap::error::ErrorKind;

use super::*;
use crate::words::EXAMPLES;

/// Every command with what is typed for it, in the order of the help.
fn commands(lang: Lang) -> Vec<(String, clap::Command)> {
    let root = command(lang);
    let mut all = vec![("jiayi".to_string(), root.clone())];
    for sub in root.get_subcommands().filter(|sub| sub.get_name() != "help") {
        all.push((sub.get_name().to_string(), sub.clone()));
        for inner in sub.get_subcommands().filter(|inner| inner.get_name() != "help") {
            all.push((format!("{} {}", sub.get_name(), inner.get_name()), inner.clone()));
        }
    }
    all
}

fn look_in(lang: Lang) -> Look {
    Look { lang, color: false, color_err: false, width: None }
}

/// What a command line that can't be run, or a help, prints.
fn told(lang: Lang, line: &str) -> (ErrorKind, String) {
    let error = command(lang).try_get_matches_from(line.split_whitespace()).expect_err(line);
    (error.kind(), refusal::told(&error, look_in(lang)))
}

/// Words of clap's, and any other English sentence: two plain English words with a blank between.
fn english(text: &str) -> Vec<String> {
    let clap =
        ["Usage", "Options", "Commands", "Arguments", "OPTIONS", "COMMAND", "default:", "possible", "env:"];
    let mut found: Vec<String> =
        clap.iter().filter(|word| text.contains(**word)).map(ToString::to_string).collect();
    for line in text.lines() {
        // What is typed, in an example or a usage, is no sentence.
        if line.trim_start().starts_with("jiayi ") || line.contains("用法:") {
            continue;
        }
        let words: Vec<&str> = line.split([' ', '[', ']', '<', '>', '\'', ':', ',', '`', '|']).collect();
        let plain = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
        found.extend(
            words.windows(2).filter(|pair| plain(pair[0]) && plain(pair[1])).map(|pair| pair.join(" ")),
        );
    }
    found
}

#[test]
fn every_argument_has_its_help_in_both_languages() {
    for lang in [Lang::Zh, Lang::En] {
        command(lang).debug_assert();
        for (name, sub) in commands(lang) {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty(), "{name}");
            for argument in sub.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    !help.is_empty() || matches!(argument.get_id().as_str(), "help" | "version"),
                    "{name} {}",
                    argument.get_id()
                );
            }
        }
    }
}

#[test]
fn every_command_has_examples_and_all_of_them_are_true() {
    for (name, _) in commands(Lang::En) {
        assert!(EXAMPLES.iter().any(|(of, ..)| *of == name), "`jiayi {name}` has no example");
        for lang in [Lang::Zh, Lang::En] {
            let mut line: Vec<&str> = vec!["jiayi"];
            line.extend(name.split(' ').filter(|word| *word != "jiayi"));
            line.push("--help");
            let (kind, help) = told(lang, &line.join(" "));
            assert_eq!(kind, ErrorKind::DisplayHelp);
            for (_, example, zh, en) in EXAMPLES.iter().filter(|(of, ..)| *of == name) {
                // A long line is folded as a shell takes it, and so that no terminal folds it.
                let folded = help.replace("\\\n    ", "");
                assert!(folded.contains(example), "{help}");
                assert!(help.lines().all(|told| !told.contains("  jiayi ") || told.len() <= 78), "{help}");
                assert!(help.contains(if lang == Lang::Zh { zh } else { en }), "{help}");
            }
        }
    }
    for (of, line, ..) in EXAMPLES {
        let typed = line.split([">", " | "][usize::from(line.contains(" | "))]).next().expect("a first part");
        for lang in [Lang::Zh, Lang::En] {
            let words: Vec<&str> = typed.split_whitespace().collect();
            assert!(
                *of == "jiayi" || typed.starts_with(&format!("jiayi {of}")),
                "{line} is no example of {of}"
            );
            match command(lang).try_get_matches_from(&words) {
                Ok(matches) => {
                    let cli = Cli::from_arg_matches(&matches).expect(line);
                    if let Command::Settle { when, .. } = &cli.command {
                        when.read().expect(line);
                    }
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::DisplayHelp, "{line}: {error}"),
            }
        }
    }
}

#[test]
fn a_chinese_help_has_no_english_words_of_claps() {
    for (name, _) in commands(Lang::Zh) {
        let line = format!("jiayi {} --help", name.trim_start_matches("jiayi"));
        let (_, help) = told(Lang::Zh, &line);
        assert_eq!(english(&help), Vec::<String>::new(), "{help}");
        assert!(help.contains("用法: jiayi") && help.contains("选项:"), "{help}");
        assert!(help.contains("-h, --help") && help.contains("显示帮助"), "{help}");
        assert!(help.contains("示例:"), "{help}");
        let (_, same) = told(Lang::Zh, &format!("jiayi help {}", name.trim_start_matches("jiayi")));
        assert_eq!(help, same);
    }
    let (_, help) = told(Lang::Zh, "jiayi --help");
    for part in ["命令:", "-V, --version", "显示版本", "显示本帮助，或某个命令的帮助"] {
        assert!(help.contains(part), "{help}");
    }
    let (_, version) = told(Lang::Zh, "jiayi --version");
    assert_eq!(version, format!("jiayi {}\n", env!("CARGO_PKG_VERSION")));
    // The English one has clap's.
    let (_, help) = told(Lang::En, "jiayi settle --help");
    assert!(help.contains("Usage: jiayi settle") && help.contains("Options:") && !english(&help).is_empty());
}

#[test]
fn a_command_line_that_is_wrong_is_told_in_chinese() {
    let settle = "jiayi settle --region urumqi --quarter 2020Q1";
    let adrift = "jiayi explain E503 --region urumqi";
    for (line, kind, parts) in [
        (
            format!("{settle} --qiet"),
            ErrorKind::UnknownArgument,
            ["没有参数 `--qiet`", "提示: 是不是 `--quiet`？"],
        ),
        (format!("{settle} --out"), ErrorKind::InvalidValue, ["`--out <文件夹>` 须有值", "加 `--help`"]),
        (
            "jiayi settle --quarter 2020Q1".into(),
            ErrorKind::MissingRequiredArgument,
            ["缺少必填的参数", "--region <地区>"],
        ),
        (
            "jiayi settle --region urumqi".into(),
            ErrorKind::MissingRequiredArgument,
            ["缺少必填的参数", "--quarter <季度>"],
        ),
        (
            format!("{settle} --format tabel"),
            ErrorKind::InvalidValue,
            ["`tabel` 不是 `--format <格式>` 可填的值", "可填: table、json"],
        ),
        (format!("{settle} --format tabel"), ErrorKind::InvalidValue, ["错误: ", "提示: 是不是 `table`？"]),
        ("jiayi setle".into(), ErrorKind::InvalidSubcommand, ["没有命令 `setle`", "`settle`？"]),
        ("jiayi rules lst".into(), ErrorKind::InvalidSubcommand, ["没有命令 `lst`", "提示: 是不是 `list`？"]),
        (
            format!("{settle} --year 2020"),
            ErrorKind::ArgumentConflict,
            ["`--quarter <季度>` 不能与", "用法: jiayi settle"],
        ),
        (
            format!("{settle} --region jilin"),
            ErrorKind::ArgumentConflict,
            ["`--region <地区>` 只能给一次", "用法:"],
        ),
        (
            format!("{settle} more"),
            ErrorKind::UnknownArgument,
            ["没有参数 `more`，或此处不能有它", "用法: jiayi settle"],
        ),
        (
            format!("{settle} --threads 2000"),
            ErrorKind::ValueValidation,
            ["`2000` 不是 `--threads <数>` 可填的值", "须在 0 到 1024 之间"],
        ),
        (format!("{settle} --threads two"), ErrorKind::ValueValidation, ["`two` 不是", "须为整数"]),
        (
            format!("{settle} --as-of 2020-13-01"),
            ErrorKind::ValueValidation,
            ["`2020-13-01` 不是", "日期写作 2020-01-03"],
        ),
        (adrift.into(), ErrorKind::MissingRequiredArgument, ["缺少必填的参数", "用法: jiayi explain"]),
        ("jiayi merge".into(), ErrorKind::MissingRequiredArgument, ["缺少必填的参数", "<文件夹>..."]),
        (
            "jiayi explain --contract A --person B --region urumqi".into(),
            ErrorKind::ArgumentConflict,
            ["不能与", "加 `--help`"],
        ),
        ("jiayi completions tcsh".into(), ErrorKind::InvalidValue, ["`tcsh` 不是", "可填: bash、zsh、fish"]),
    ] {
        let (found, text) = told(Lang::Zh, &line);
        assert_eq!(found, kind, "{line}: {text}");
        assert_eq!(english(&text), Vec::<String>::new(), "{line}: {text}");
        for part in parts {
            assert!(text.contains(part), "{line} lacks `{part}`: {text}");
        }
        let error = command(Lang::Zh).try_get_matches_from(line.split_whitespace()).expect_err("the same");
        assert_eq!((error.exit_code(), error.use_stderr()), (2, true), "{line}");
        // In English nothing is taken over.
        let (_, english) = told(Lang::En, &line);
        assert!(english.starts_with("error: "), "{english}");
    }
}
