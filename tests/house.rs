//! The rules of the house: rooms import only from those above them, the README's commands print what it
//! shows, and the commands that it names are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The rooms in the order that lib.rs tells, which are all there are.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("lib.rs");
    let list = lib.lines().find_map(|line| line.strip_prefix("//! base, ")).expect("the list of rooms");
    let rooms: Vec<String> =
        format!("base, {}", list.trim_end_matches('.')).split(", ").map(String::from).collect();
    let mut listed = rooms.clone();
    listed.sort();
    let modules: Vec<String> = lib
        .lines()
        .filter_map(|line| Some(line.strip_prefix("pub mod ")?.trim_end_matches(';').to_string()))
        .collect();
    assert_eq!(listed, modules, "lib.rs lists every room");
    rooms
}

#[test]
fn rooms_import_only_from_rooms_above() {
    let rooms = rooms();
    assert!(rooms.len() >= 8 && rooms[0] == "base", "lib.rs lists the rooms: {rooms:?}");
    let height: BTreeMap<&str, usize> =
        rooms.iter().enumerate().map(|(at, room)| (room.as_str(), at)).collect();
    let mut files = Vec::new();
    rust_files(&root().join("src"), &mut files);
    let mut seen = 0;
    for file in files {
        let inside = file.strip_prefix(root().join("src")).expect("in src");
        let first =
            inside.components().next().expect("a part").as_os_str().to_string_lossy().replace(".rs", "");
        let Some(own) = height.get(first.as_str()) else { continue };
        let text = fs::read_to_string(&file).expect("text");
        for (line, used) in text.lines().enumerate().flat_map(|(line, text)| {
            text.match_indices("crate::").map(move |(at, _)| (line + 1, &text[at + 7..])).collect::<Vec<_>>()
        }) {
            let room: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let other = height.get(room.as_str());
            assert!(
                other.is_some_and(|other| other <= own),
                "{}:{line} uses `{room}`, which does not stand above it",
                inside.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "the test looks at what is there");
}

/// Sentences stand in the catalogues: what files and screens are made of has no Chinese of its own.
#[test]
fn reports_and_commands_hold_no_chinese_words() {
    let mut files = Vec::new();
    for room in ["src/report", "src/command", "src/cli", "src/ledger"] {
        rust_files(&root().join(room), &mut files);
    }
    let mut seen = 0;
    for file in files.iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(file).expect("text");
        let (code, _) = text.split_once("#[cfg(test)]").unwrap_or((&text, ""));
        for (line, text) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            let strings = text.split('"').skip(1).step_by(2);
            seen += 1;
            // A list of articles has 、 in every language, and the font of an office's tables a Chinese name.
            let chinese =
                |c: char| ('\u{3003}'..='\u{9FFF}').contains(&c) || ('\u{FF01}'..='\u{FF65}').contains(&c);
            let said: Vec<&str> = strings.filter(|text| text.contains(chinese) && *text != "宋体").collect();
            assert_eq!(said, [""; 0], "{}:{} has words of its own", file.display(), line + 1);
        }
    }
    assert!(seen > 1_000);
}

#[test]
fn the_room_of_nouns_imports_nothing_of_ours() {
    let mut files = Vec::new();
    rust_files(&root().join("src/base"), &mut files);
    for file in files {
        let text = fs::read_to_string(&file).expect("text");
        assert!(!text.contains("use crate::"), "{}", file.display());
    }
}

/// The fenced blocks of the README: language and text.
fn blocks() -> Vec<(String, String)> {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let mut blocks = Vec::new();
    let mut parts = readme.split("\n```");
    parts.next();
    while let (Some(block), Some(_)) = (parts.next(), parts.next()) {
        let (language, text) = block.split_once('\n').expect("a fence ends its line");
        blocks.push((language.to_string(), format!("{text}\n")));
    }
    blocks
}

#[test]
fn the_readme_shows_what_its_main_command_prints() {
    let blocks = blocks();
    let at = blocks.iter().position(|(_, text)| text.contains("-- settle ")).expect("the main command");
    let command =
        blocks[at].1.trim().strip_prefix("cargo run --release -- ").expect("run by cargo").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root().join("samples"), folder.path().join("samples")).expect("a link");
    let done = Command::new(env!("CARGO_BIN_EXE_jiayi"))
        .args(command.split_whitespace())
        .current_dir(folder.path())
        .env_clear()
        .output()
        .expect("it runs");
    assert!(done.status.success());
    let printed = String::from_utf8_lossy(&done.stdout);
    bless(&blocks[at + 1].1, &printed);
    assert_eq!(printed, blocks[at + 1].1, "README.md shows other output");
    assert!(folder.path().join("out/urumqi/2020Q1/settlement.csv").is_file());
}

/// With JIAYI_BLESS the README is made to show what is printed.
fn bless(shown: &str, printed: &str) {
    if std::env::var_os("JIAYI_BLESS").is_some() && shown != printed {
        let path = root().join("README.md");
        let readme = fs::read_to_string(&path).expect("README.md");
        fs::write(path, readme.replacen(shown, printed, 1)).expect("README.md");
    }
}

/// The transcripts of the README: each command with what it prints, in one folder, one after the other.
#[test]
fn the_transcripts_of_the_readme_are_what_the_program_prints() {
    let folder = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(root().join("samples"), folder.path().join("samples")).expect("a link");
    let (mut seen, mut wrong) = (0, String::new());
    for (_, text) in blocks().iter().filter(|(language, _)| language == "console") {
        for part in text.split("$ jiayi ").skip(1) {
            let (command, shown) = part.split_once('\n').expect("a line");
            let done = Command::new(env!("CARGO_BIN_EXE_jiayi"))
                .args(command.split_whitespace())
                .current_dir(folder.path())
                .env_clear()
                .env("SOURCE_DATE_EPOCH", "1586900000")
                .output()
                .expect("it runs");
            assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
            let printed = String::from_utf8_lossy(&done.stdout).into_owned();
            if printed != shown {
                wrong += &format!("$ jiayi {command}\n{printed}");
                bless(&format!("$ jiayi {command}\n{shown}"), &format!("$ jiayi {command}\n{printed}"));
            }
            seen += 1;
        }
    }
    assert!(seen >= 8, "the README shows the ledger");
    assert!(wrong.is_empty(), "README.md shows other output than:\n{wrong}");
}

#[test]
fn the_readme_lists_every_code_as_the_program_explains_it() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    for code in jiayi::base::code::Code::ALL {
        let row = format!(
            "| {code} | {} | {} |",
            jiayi::words::title(jiayi::words::Lang::En, *code),
            jiayi::words::cure(jiayi::words::Lang::En, *code)
        );
        assert!(readme.contains(&row), "README.md lacks: {row}");
    }
}

#[test]
fn ci_runs_the_commands_of_the_readme() {
    let ci = fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
    for (_, text) in blocks().iter().filter(|(language, _)| language == "sh") {
        let words: Vec<&str> = text.split_whitespace().filter(|word| *word != "--quiet").collect();
        let lines: Vec<String> = ci
            .lines()
            .map(|line| {
                line.split_whitespace().filter(|word| *word != "--quiet").collect::<Vec<_>>().join(" ")
            })
            .collect();
        assert!(lines.contains(&words.join(" ")), "{words:?}");
    }
}

#[test]
fn every_region_of_the_folder_is_inside_the_program() {
    for region in fs::read_dir(root().join("regions")).expect("regions") {
        let region = region.expect("readable").path();
        if region.is_dir() {
            let id = region.file_name().expect("a name").to_string_lossy().into_owned();
            let inside = jiayi::policy::version::load(&id, None).expect("it loads");
            let outside = jiayi::policy::version::load(&id, Some(&root().join("regions"))).expect("it loads");
            let names = |region: &jiayi::policy::version::Region| {
                region.versions.iter().map(|version| version.id.clone()).collect::<Vec<_>>()
            };
            assert_eq!(names(&inside), names(&outside));
        }
    }
}

#[test]
fn the_readme_names_every_region_with_a_sample_that_settles() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    for region in fs::read_dir(root().join("regions")).expect("regions") {
        let region = region.expect("readable").path();
        if !region.is_dir() {
            continue;
        }
        let id = region.file_name().expect("a name").to_string_lossy().into_owned();
        let row =
            readme.lines().find(|line| line.starts_with(&format!("| {id} |"))).expect("a row of the table");
        let command = row.split('`').nth(1).expect("how the sample is settled");
        let golden =
            fs::read_to_string(root().join("tests/golden").join(&id).join("command")).expect("a golden");
        assert!(golden.contains(command), "{id}: {golden}");
        assert!(
            root().join("samples").join(&id).join("README.md").is_file(),
            "{id}'s sample says its stories"
        );
    }
}
