//! Header cells → the columns that SPEC §2 names.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::base::place::Kind;

use super::cells::clean_text;

/// A column of one kind of file: its name in SPEC §2, and whether the file must have it.
pub type Column = (&'static str, bool);

/// Columns that are known but not read here.
const UNREAD: &[&str] = &["name", "grade", "ratio", "doctor_id", "note"];

type Names = HashMap<String, HashMap<String, Vec<String>>>;

static ALIASES: LazyLock<HashMap<&'static str, HashMap<String, String>>> = LazyLock::new(|| {
    let table: Names = toml::from_str(include_str!("aliases.toml")).expect("the alias table is valid");
    Kind::ALL
        .iter()
        .map(|kind| {
            let columns = table.get(kind.name()).expect("every kind has its table");
            let mut names = HashMap::new();
            for (column, aliases) in columns {
                for alias in aliases.iter().chain([column]) {
                    let other = names.insert(normal(alias), column.clone());
                    assert!(other.is_none_or(|other| other == *column), "`{alias}` names two columns");
                }
            }
            (kind.name(), names)
        })
        .collect()
});

/// Where each column stands in a file.
#[derive(Clone, Debug)]
pub struct Columns {
    /// As the file writes them, cleaned.
    pub header: Vec<String>,
    positions: Vec<Option<usize>>,
    names: Vec<&'static str>,
    pub unknown: Vec<String>,
    /// Header cells whose column was named before: the first counts.
    pub doubled: Vec<String>,
    pub missing: Vec<&'static str>,
    known: usize,
}

impl Columns {
    pub fn find(kind: Kind, columns: &[Column], header: Vec<String>) -> Columns {
        let aliases = &ALIASES[kind.name()];
        let mut positions = vec![None; columns.len()];
        let (mut unknown, mut doubled, mut known) = (Vec::new(), Vec::new(), 0);
        let mut unread = Vec::new();
        for (at, cell) in header.iter().enumerate() {
            // "机构编码(必填)" is a name with a remark, "区(县)" is one with none.
            let bare = || aliases.get(&normal(cell.split(['(', '[', '【']).next().unwrap_or_default()));
            let Some(name) = aliases.get(&normal(cell)).or_else(bare) else {
                if !cell.is_empty() {
                    unknown.push(cell.clone());
                }
                continue;
            };
            known += 1;
            match columns.iter().position(|(column, _)| column == name) {
                Some(column) if positions[column].is_none() => positions[column] = Some(at),
                None if UNREAD.contains(&name.as_str()) && !unread.contains(&name) => unread.push(name),
                _ => doubled.push(cell.clone()),
            }
        }
        let missing = columns
            .iter()
            .zip(&positions)
            .filter(|((_, required), position)| *required && position.is_none())
            .map(|((name, _), _)| *name)
            .collect();
        let names = columns.iter().map(|(name, _)| *name).collect();
        Columns { header, positions, names, unknown, doubled, missing, known }
    }

    /// How many header cells are known names.
    pub fn known(&self) -> usize {
        self.known
    }

    pub fn position(&self, column: usize) -> Option<usize> {
        self.positions[column]
    }

    /// The columns that the file has, each with its place.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.positions.iter().enumerate().filter_map(|(column, at)| Some((column, (*at)?)))
    }

    /// What the file calls the column; its own name where the file has none.
    pub fn title(&self, column: usize) -> String {
        match self.positions[column] {
            Some(at) => self.header[at].clone(),
            None => self.names[column].to_string(),
        }
    }
}

/// What the column is called in Chinese exports; the first alias of the table.
pub fn chinese_name(kind: Kind, column: &str) -> String {
    static TABLE: LazyLock<Names> =
        LazyLock::new(|| toml::from_str(include_str!("aliases.toml")).expect("the alias table is valid"));
    TABLE[kind.name()].get(column).and_then(|names| names.first()).cloned().unwrap_or_default()
}

/// Whether a workbook's sheet is named like a kind of file.
pub fn is_sheet_of(kind: Kind, name: &str) -> bool {
    static TABLE: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let table: Names = toml::from_str(include_str!("aliases.toml")).expect("the alias table is valid");
        let named = table["sheet_names"].iter();
        let names = named.flat_map(|(kind, names)| {
            names.iter().chain([kind]).map(|name| (normal(name), kind.clone())).collect::<Vec<_>>()
        });
        names.collect()
    });
    TABLE.get(&normal(name)).is_some_and(|of| of == kind.name())
}

fn normal(cell: &str) -> String {
    let cell = clean_text(cell);
    cell.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '*' | ':'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_known_in_both_languages_and_in_disguise() {
        let columns = [("institution_id", true), ("name", true), ("district", false)];
        let header = ["机构编码（必填）", "*机构名称", "区（县）", "备用（元）"].map(clean_text).to_vec();
        let found = Columns::find(Kind::Institutions, &columns, header);
        assert_eq!(found.positions, [Some(0), Some(1), Some(2)]);
        assert_eq!(found.unknown, ["备用(元)"]);
        let amount = Columns::find(Kind::Payments, &[("amount", true)], vec!["金额(元)".to_string()]);
        assert!(amount.missing.is_empty());
        let header = ["Institution ID", "institution-id", "NAME"].map(clean_text).to_vec();
        let found = Columns::find(Kind::Institutions, &columns, header);
        assert_eq!(
            (found.positions, found.doubled),
            (vec![Some(0), Some(2), None], vec!["institution-id".to_string()])
        );
    }

    #[test]
    fn what_a_file_lacks_is_named() {
        let columns = [("institution_id", true), ("name", true)];
        let found = Columns::find(Kind::Institutions, &columns, vec!["机构编马".to_string()]);
        assert_eq!(found.missing, ["institution_id", "name"]);
        assert_eq!(chinese_name(Kind::Institutions, "institution_id"), "机构编码");
    }
}
