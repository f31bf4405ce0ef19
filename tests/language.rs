//! regions/README.md is the document of the rule language: its examples load, and between them they use
//! every key that the loader asks for.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jiayi::base::diagnostic::Stopped;
use jiayi::policy::version;
use jiayi::words::{Lang, say};
use support::examples;

#[test]
fn every_example_loads() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = examples(folder.path());
    assert_eq!(names.len(), 3);
    for (region, _) in names {
        if let Err(error) = version::load(&region, Some(folder.path())) {
            let stopped = error.downcast_ref::<Stopped>().expect("diagnostics");
            let told: Vec<String> = stopped.diagnostics.iter().map(|one| say(Lang::En, &one.fact)).collect();
            panic!("{region}: {told:#?}");
        }
    }
}

/// Every key that the loader asks for, read off its source: a word in quotation marks behind `(`, in a call
/// of one of the reader's functions.
fn keys_of_the_loader() -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for file in
        ["build.rs", "build_package.rs", "build_parts.rs", "build_assessment.rs", "file.rs", "reader.rs"]
    {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy").join(file))
            .expect("the loader");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default().replace('\n', " ");
        for call in [
            "required(",
            "required_text(",
            "text(",
            "text_at(",
            "texts(",
            "text_or_texts(",
            "table(",
            "tables(",
            "table_or_tables(",
            "money(",
            "ratio(",
            "ratio_over(",
            "decimal(",
            "decimals_by_name(",
            "integer(",
            "integers(",
            "bool(",
            "date(",
            "word(",
            "reference(",
            "references(",
            "services_at_least(&table, ",
            "conditions(&table, ",
            "age(table, ",
            "age(&table, ",
            "score(",
            "bound(",
        ] {
            for (at, _) in text.match_indices(call) {
                let rest = text[at + call.len()..].trim_start();
                let word = rest.strip_prefix('"').and_then(|rest| rest.split('"').next());
                keys.extend(
                    word.filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
                        .map(String::from),
                );
            }
        }
    }
    // Called through a closure: `bound("at_least", "at_least_ratio")`, `days("holidays")`.
    keys.extend(["at_least_ratio", "at_most_ratio", "holidays", "workdays", "value"].map(String::from));
    keys
}

#[test]
fn every_key_has_an_example() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut used = BTreeSet::new();
    fn walk(value: &toml::Value, used: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) => table.iter().for_each(|(key, value)| {
                used.insert(key.clone());
                walk(value, used);
            }),
            toml::Value::Array(array) => array.iter().for_each(|value| walk(value, used)),
            _ => {}
        }
    }
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/README.md")).expect("it");
    for (_, text) in examples(folder.path()) {
        walk(&toml::Value::Table(text.parse().expect("TOML")), &mut used);
    }
    let keys = keys_of_the_loader();
    assert!(keys.len() > 100, "the loader asks for {} keys", keys.len());
    let without: Vec<&String> = keys.iter().filter(|key| !used.contains(*key)).collect();
    assert!(without.is_empty(), "keys without an example: {without:?}");
    let page = readme.split("## Three examples").next().expect("the page before its examples");
    let named = |key: &str| {
        [
            format!("`{key}`"),
            format!("`{key} "),
            format!("[{key}]"),
            format!("[{key}."),
            format!(".{key}]"),
            format!(" {key} ="),
            format!(" {key}, "),
            format!(" {key} }}"),
        ]
        .iter()
        .any(|form| page.contains(form))
    };
    let unsaid: Vec<&String> = keys.iter().filter(|key| !named(key)).collect();
    assert!(unsaid.is_empty(), "keys that the page does not name: {unsaid:?}");
    for mark in ["remove", "replace", "extends"] {
        assert!(used.contains(mark));
    }
}

/// Takes out the keys of a file one by one; calls `each` with the key's name and the file without it.
fn without_each(value: &toml::Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        toml::Value::Table(table) => {
            for (key, inner) in table {
                path.push(key.clone());
                found.push(path.clone());
                without_each(inner, path, found);
                path.pop();
            }
        }
        toml::Value::Array(array) => {
            for (at, inner) in array.iter().enumerate() {
                path.push(at.to_string());
                without_each(inner, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

fn take_out(value: &mut toml::Value, path: &[String]) {
    match (value, path) {
        (toml::Value::Table(table), [last]) => {
            table.remove(last);
        }
        (toml::Value::Table(table), [key, rest @ ..]) => take_out(&mut table[key.as_str()], rest),
        (toml::Value::Array(array), [at, rest @ ..]) => {
            take_out(&mut array[at.parse::<usize>().expect("a place")], rest);
        }
        _ => panic!("no such place"),
    }
}

#[test]
fn without_any_of_its_keys_an_example_is_refused_or_says_something_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let all = examples(folder.path());
    let tell = |region: &str| {
        let region = version::load(region, Some(folder.path())).ok()?;
        Some(jiayi::report::rules::tell(&region.versions[0], Lang::En))
    };
    // What says the default, or only calls something by another word of which none is told twice.
    let default = ["weigh", "whole_term", "at_least", "addons_at_most", "partial", "confirmed", "remove"];
    let (mut same, mut tried) = (Vec::new(), BTreeSet::new());
    for (region, text) in all.iter().filter(|(region, _)| region != "hillside") {
        let whole: toml::Value = toml::Value::Table(text.parse().expect("TOML"));
        let told = tell(region).expect("the example loads");
        let mut paths = Vec::new();
        without_each(&whole, &mut Vec::new(), &mut paths);
        let path_of = folder.path().join(region).join("2026-01-01.toml");
        for path in paths {
            let key = path.last().expect("a key").clone();
            if default.contains(&key.as_str()) {
                continue;
            }
            let mut less = whole.clone();
            take_out(&mut less, &path);
            fs::write(&path_of, toml::to_string(&less).expect("TOML")).expect("it is written");
            tried.insert(key);
            if tell(region).is_some_and(|now| now == told) {
                same.push(path.join("."));
            }
        }
        fs::write(&path_of, text).expect("it is written");
    }
    assert!(tried.len() > 100, "{} keys were taken out", tried.len());
    assert!(same.is_empty(), "taken out without a difference: {same:?}");
}
