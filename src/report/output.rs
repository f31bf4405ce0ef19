//! What of a settlement is written, and how. manifest.json keeps it, so that whoever computes the settlement again
//! gets the same bytes.

use std::borrow::Cow;

use encoding_rs::GB18030;
use serde_json::{Value, json};

use crate::ledger::chain::{Batch, Paper};
use crate::ledger::tell::Agreed;
use crate::words::{Lang, column_name, column_title};

/// Which kinds of files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Only {
    pub csv: bool,
    pub xlsx: bool,
    pub html: bool,
}

impl Only {
    pub const ALL: Only = Only { csv: true, xlsx: true, html: true };
    const NAMES: [&str; 3] = ["csv", "xlsx", "html"];

    /// Of names; all where there are none.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Only {
        let names: Vec<&str> = names.collect();
        if names.is_empty() {
            return Only::ALL;
        }
        let [csv, xlsx, html] = Only::NAMES.map(|name| names.contains(&name));
        Only { csv, xlsx, html }
    }

    fn names(self) -> Vec<&'static str> {
        let there = [self.csv, self.xlsx, self.html];
        Only::NAMES.into_iter().zip(there).filter(|(_, there)| *there).map(|(name, _)| name).collect()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    /// With the mark by which spreadsheets know it.
    Utf8Bom,
    Gb18030,
}

impl Encoding {
    const ALL: [(&str, Encoding); 3] =
        [("utf-8", Encoding::Utf8), ("utf-8-bom", Encoding::Utf8Bom), ("gb18030", Encoding::Gb18030)];

    fn name(self) -> &'static str {
        Encoding::ALL.iter().find(|(_, one)| *one == self).map_or("", |(name, _)| name)
    }
}

/// How a CSV file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CsvForm {
    pub encoding: Encoding,
    /// Of the header.
    pub headers: Lang,
}

impl CsvForm {
    /// As SPEC §6 has it.
    pub const PLAIN: CsvForm = CsvForm { encoding: Encoding::Utf8, headers: Lang::En };

    /// What stands before everything else in a file.
    pub fn mark(self) -> &'static [u8] {
        if self.encoding == Encoding::Utf8Bom { "\u{FEFF}".as_bytes() } else { b"" }
    }

    pub fn title(self, column: &str) -> &str {
        if self.headers == Lang::Zh { column_title(column) } else { column }
    }

    pub fn bytes(self, text: &str) -> Cow<'_, [u8]> {
        match self.encoding {
            Encoding::Gb18030 => GB18030.encode(text).0,
            _ => Cow::Borrowed(text.as_bytes()),
        }
    }

    /// A file in this form as plain text. Its header keeps its titles.
    pub fn read(self, bytes: &[u8]) -> String {
        let bytes = bytes.strip_prefix(self.mark()).unwrap_or(bytes);
        match self.encoding {
            Encoding::Gb18030 => GB18030.decode_without_bom_handling(bytes).0.into_owned(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        }
    }

    /// The column that a title of this form stands for.
    pub fn column(self, title: &str) -> &str {
        if self.headers == Lang::Zh { column_name(title) } else { title }
    }
}

/// All settings of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Of the sentences in files, and of all words in documents.
    pub lang: Lang,
    pub only: Only,
    pub csv: CsvForm,
    /// ID numbers stand in full, for whoever pays by them.
    pub reveal: bool,
    /// Who answers for it, where that was said; without a time.
    pub paper: Paper,
}

impl Output {
    /// CSV as SPEC has it, and nothing else.
    pub fn plain(lang: Lang) -> Output {
        let only = Only { csv: true, xlsx: false, html: false };
        Output { lang, only, csv: CsvForm::PLAIN, reveal: false, paper: Paper::default() }
    }

    /// For the manifest.
    pub fn told(&self) -> Value {
        let mut told = json!({
            "only": self.only.names(),
            "csv_encoding": self.csv.encoding.name(),
            "csv_headers": if self.csv.headers == Lang::Zh { "zh" } else { "en" },
            "reveal_ids": self.reveal,
        });
        let Paper { operator, approved_by, document, .. } = &self.paper;
        for (name, word) in [("operator", operator), ("approved_by", approved_by), ("document", document)] {
            if let Some(word) = word {
                told[name] = json!(word);
            }
        }
        told
    }

    /// As a manifest tells it.
    pub fn of_manifest(manifest: &Value) -> Output {
        let told = &manifest["output"];
        let word = |name: &str| told[name].as_str().map(str::to_string);
        let names = told["only"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let encoding = word("csv_encoding").unwrap_or_default();
        let encoding = Encoding::ALL.iter().find(|(name, _)| *name == encoding);
        Output {
            lang: if manifest["language"] == "en" { Lang::En } else { Lang::Zh },
            only: if told.is_object() { Only::of(names) } else { Output::plain(Lang::Zh).only },
            csv: CsvForm {
                encoding: encoding.map_or(Encoding::Utf8, |(_, encoding)| *encoding),
                headers: if told["csv_headers"] == "zh" { Lang::Zh } else { Lang::En },
            },
            reveal: told["reveal_ids"] == true,
            paper: Paper {
                operator: word("operator"),
                approved_by: word("approved_by"),
                document: word("document"),
                time: String::new(),
            },
        }
    }
}

/// What the ledger says beside the lines of a run, up to the batch that the run was made at.
#[derive(Clone, Debug, Default)]
pub struct Posted {
    pub batches: Vec<Batch>,
    pub agreed: Vec<Agreed>,
}

impl Posted {
    /// Of a ledger as it was after batch `last`.
    pub fn up_to(last: u32, batches: &[Batch], agreed: Vec<Agreed>) -> Posted {
        Posted {
            batches: batches.iter().filter(|batch| batch.number <= last).cloned().collect(),
            agreed: agreed.into_iter().filter(|one| one.batch <= last).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gives_the_settings_back() {
        let paper = Paper { operator: Some("李四".into()), ..Paper::default() };
        for (encoding, names) in [(Encoding::Gb18030, vec!["xlsx"]), (Encoding::Utf8Bom, vec![])] {
            let csv = CsvForm { encoding, headers: Lang::Zh };
            let only = Only::of(names.into_iter());
            let output = Output { lang: Lang::En, only, csv, reveal: true, paper: paper.clone() };
            assert_eq!(Output::of_manifest(&json!({ "language": "en", "output": output.told() })), output);
        }
        assert_eq!(Output::of_manifest(&json!({ "language": "zh" })), Output::plain(Lang::Zh));
    }
}
