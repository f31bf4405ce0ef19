//! The statement of each institution as a file of its own, or all in one where there are many.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::settlement::lines::Line;

use super::csv::by_id;
use super::findings::Findings;
use super::statement::{Statement, Teller, around};
use super::written::{Written, hex, write_parts, write_text};

/// So many institutions still have a file each.
const MOST_FILES: usize = 500;

/// Writes them into `folder`.
pub fn write(findings: &Findings, folder: &Path) -> Result<Vec<Written>> {
    let all = of_institutions(findings);
    let teller = Teller::new(findings);
    if all.len() > MOST_FILES {
        let (begin, end) = around(findings, None);
        let written =
            write_parts(folder, "statements.html", (&begin, end), &all, |statement| teller.tell(statement));
        return written.map(|one| vec![one]);
    }
    if all.is_empty() {
        return Ok(Vec::new());
    }
    fs::create_dir(folder.join("statements")).context("statements")?;
    let id = |statement: &Statement| findings.run.rules.institutions.get(statement.institution).id.as_str();
    let names = file_names(all.iter().map(id));
    let each = all.par_iter().map(|statement| {
        let (begin, end) = around(findings, Some(statement.institution));
        let text = [&begin, &*teller.tell(statement), end].concat();
        write_text(folder, format!("statements/{}.html", names[id(statement)]), &text)
    });
    each.collect()
}

/// Where the statement of each institution stands, as a link from report.html.
pub fn links(findings: &Findings) -> HashMap<u32, String> {
    let all = of_institutions(findings);
    let id = |institution: u32| findings.run.rules.institutions.get(institution).id.as_str();
    let names = file_names(all.iter().map(|one| id(one.institution)));
    let link = |one: &Statement| match all.len() > MOST_FILES {
        true => format!("statements.html#s{}", one.institution),
        false => format!("statements/{}.html", names[id(one.institution)]),
    };
    all.iter().map(|one| (one.institution, link(one))).collect()
}

/// Institutions that have a line, a signing row or a flag, in the order of their ids.
fn of_institutions<'a>(findings: &'a Findings) -> Vec<Statement<'a>> {
    let run = findings.run;
    let mut lines: Vec<Vec<&Line>> = vec![Vec::new(); run.rules.institutions.count()];
    for line in &run.settlement.lines {
        lines[line.institution as usize].push(line);
    }
    let mut refused: HashMap<&str, Vec<usize>> = HashMap::new();
    for at in 0..findings.refused_count() {
        refused.entry(findings.refused_by(at)).or_default().push(at);
    }
    let mut flags = findings.flags.by_institution();
    let statement = |institution: u32| {
        let at = institution as usize;
        let id = run.rules.institutions.get(institution).id.as_str();
        let statement = Statement {
            institution,
            lines: std::mem::take(&mut lines[at]),
            refused: refused.remove(id).unwrap_or_default(),
            flags: std::mem::take(&mut flags[at]),
        };
        let said = !statement.lines.is_empty()
            || !statement.refused.is_empty()
            || !statement.flags.is_empty()
            || run.rows.get(at).is_some_and(|rows| rows.rows > 0);
        said.then_some(statement)
    };
    by_id(run.rules).into_iter().filter_map(statement).collect()
}

/// A file name for each id: letters, digits, `-` and `_` as they are, every other byte as `~` and two digits. Ids
/// that would be one name on some disk (case, length, names that Windows keeps for itself) get a part of their hash.
fn file_names<'a>(ids: impl Iterator<Item = &'a str>) -> HashMap<&'a str, String> {
    const LONGEST: usize = 100;
    let plain = |id: &str| {
        let byte = |byte: u8| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' => char::from(byte).to_string(),
            other => format!("~{other:02X}"),
        };
        id.bytes().map(byte).collect::<String>()
    };
    let mut by_name: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for id in ids {
        by_name.entry(plain(id).to_lowercase()).or_default().push(id);
    }
    let mut names = HashMap::new();
    for (lower, ids) in by_name {
        let kept = ["con", "prn", "aux", "nul"].contains(&lower.as_str())
            || (lower.len() == 4 && (lower.starts_with("com") || lower.starts_with("lpt")));
        for id in &ids {
            let mut name = plain(id);
            if ids.len() > 1 || kept || name.len() > LONGEST {
                name.truncate(LONGEST);
                name = format!("{name}~~{}", &hex(&Sha256::digest(id.as_bytes()))[..16]);
            }
            names.insert(*id, name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_ids_share_a_file_and_none_leaves_the_folder() {
        let long = "甲".repeat(200);
        let longer = format!("{long}乙");
        let ids = [
            "WL01", "wl01", "../x", "a/b", "a b", "a~20b", "CON", "com1", "=x", "", ".", "甲", &long, &longer,
        ];
        let names = file_names(ids.into_iter());
        assert_eq!(names.len(), ids.len());
        let mut lower: Vec<String> = names.values().map(|name| name.to_lowercase()).collect();
        lower.sort();
        lower.dedup();
        assert_eq!(lower.len(), ids.len());
        for name in names.values() {
            let safe = |c: char| c.is_ascii_alphanumeric() || "-_~".contains(c);
            assert!(name.len() < 200 && name.chars().all(safe), "{name}");
        }
        assert_eq!((names["a b"].as_str(), names["甲"].as_str()), ("a~20b", "~E7~94~B2"));
        assert_ne!(names["a~20b"], "a~20b");
    }
}
