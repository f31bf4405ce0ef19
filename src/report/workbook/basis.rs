//! The sheet that an auditor asks for first: the policy with its articles, figures and which of them are local, the
//! input files with their hashes, what the run had to say.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::base::code::Code;
use crate::report::findings::Findings;
use crate::report::flags::flag_counts;
use crate::report::names;
use crate::report::rules::tell;
use crate::report::written::hex;
use crate::words::{Label, Phrase, label, phrase, say, title};

use super::Part;
use super::details::head;
use super::table::{Cell, Column, Kind};

pub fn basis<'a>(findings: &'a Findings<'a>) -> Part<'a> {
    let (run, lang) = (findings.run, findings.lang());
    let word = |what: Phrase| findings.words(what, &[]);
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut add = |what: String, content: String, clause: String| rows.push([what, content, clause]);
    for policy in names::versions(run) {
        add(
            word(Phrase::SectionPolicy),
            findings.words(Phrase::DocWith, &[&format!("{}  {}", policy.id, policy.name), &policy.document]),
            String::new(),
        );
        for said in tell(policy, lang).into_iter().filter(|said| said.section != Phrase::SectionLocal) {
            add(phrase(lang, said.section, &[]), said.text, said.clause);
        }
        for figure in &policy.local {
            let state =
                if figure.confirmed { Phrase::DocLocalConfirmed } else { Phrase::DocLocalUnconfirmed };
            let value = figure.value.as_deref().unwrap_or("?");
            add(
                word(state),
                findings.words(Phrase::DocLocalFigure, &[&figure.id, value, &figure.means]),
                figure.clause.to_string(),
            );
        }
        for file in &policy.files {
            let hash = hex(&Sha256::digest(file.text.as_bytes()));
            add(word(Phrase::DocRuleFile), file.id(), hash);
        }
    }
    let mut facts: Vec<_> = run.inputs.facts.iter().collect();
    facts.sort_by_key(|facts| &facts.name);
    for facts in facts {
        let (rows, bytes) = (facts.rows.to_string(), facts.bytes.to_string());
        let with = [&facts.label(), &names::kind(facts.kind, lang), &rows, &bytes, facts.encoding];
        add(word(Phrase::DocInput), findings.words(Phrase::DocInputFacts, &with), facts.sha256.clone());
    }
    let refused = run.inputs.rejects.iter().map(|reject| reject.code);
    let codes: BTreeSet<Code> = refused.chain(flag_counts(run).into_keys()).collect();
    for code in codes {
        add(label(lang, Label::Code).to_string(), format!("{code} {}", title(lang, code)), String::new());
    }
    for notice in &run.inputs.notices {
        add(word(Phrase::DocNotice), say(lang, notice), String::new());
    }
    for told in findings.standing() {
        add(label(lang, Label::Ledger).to_string(), told, String::new());
    }
    for batch in &findings.posted.batches {
        let paper = &batch.paper;
        let words = [paper.operator.clone(), paper.approved_by.clone(), paper.document.clone()];
        let words = words.into_iter().flatten().collect::<Vec<_>>().join(&word(Phrase::DocBetween));
        let told = findings.words(Phrase::DocBatch, &[&batch.number.to_string(), &words]);
        add(label(lang, Label::Ledger).to_string(), told, batch.hash.clone());
    }
    add(word(Phrase::DocProgram), concat!("jiayi ", env!("CARGO_PKG_VERSION")).to_string(), String::new());
    let columns = vec![
        Column::new(word(Phrase::DocItem), Kind::Words, 20),
        Column::new(word(Phrase::DocContent), Kind::Words, 90),
        Column::new(word(Phrase::DocClauseOrHash), Kind::Words, 36),
    ];
    let head = head(findings, (Phrase::DocSheetBasis, Phrase::DocTitleBasis), columns, Vec::new());
    let count = rows.len();
    let cells = rows.into_iter().map(|row| row.into_iter().map(Cell::Text).collect());
    Part { head, count, rows: Box::new(cells) }
}
