//! manifest.json: what went in, by which rules, and what came out. No clock time.
//! run.json: how it was run; the only file whose bytes may differ.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::base::place::Kind;
use crate::pipeline::Run;
use crate::words::{Lang, say};

use super::flags::{counts_of, flag_counts};
use super::names;
use super::output::Output;
use super::totals::{Total, totals};
use super::written::{Written, hex};

pub fn total_json(total: &Total) -> Value {
    json!({
        "count": total.count,
        "held": total.held,
        "gross": total.gross.to_string(),
        "prepay": total.prepay.to_string(),
        "final": total.last.map(|last| last.to_string()),
        "posted": total.posted.to_string(),
        "payable": total.payable.to_string(),
        "recover": total.recover.to_string(),
    })
}

/// The files that were written, as a manifest tells them.
pub fn outputs(written: &[Written]) -> Value {
    let told = |file: &Written| json!({ "file": file.name, "sha256": file.sha256, "bytes": file.bytes });
    written.iter().map(told).collect()
}

/// The manifest of a settlement, but for what was written.
pub fn manifest(run: &Run, output: &Output) -> Value {
    let lang = output.lang;
    let count = |kind: Kind| run.inputs.refused().filter(|reject| reject.kind == kind).count();
    let read = run.inputs.facts.iter().filter(|facts| facts.kind == Kind::Signings).map(|facts| facts.rows);
    let notices: Vec<String> = run.inputs.notices.iter().map(|notice| say(lang, notice)).collect();
    let region = run.rules.region;
    let policies: Vec<Value> = region
        .versions
        .iter()
        .flat_map(|version| version.files.iter().enumerate().map(move |file| (version, file)))
        .map(|(version, (nth, file))| {
            let sha256 = hex(&Sha256::digest(file.text.as_bytes()));
            let mut policy = json!({
                "policy": file.id(), "document": version.document, "sha256": sha256, "bytes": file.text.len(),
            });
            if nth > 0 {
                policy["extends"] = json!(nth);
            }
            policy
        })
        .collect();
    let local: Vec<Value> = region
        .versions
        .iter()
        .flat_map(|version| version.local.iter().map(move |figure| (version, figure)))
        .map(|(version, figure)| {
            json!({
                "policy": version.id, "figure": figure.id, "value": figure.value.as_deref(),
                "confirmed": figure.confirmed, "clause": &*figure.clause,
            })
        })
        .collect();
    let mut facts: Vec<_> = run.inputs.facts.iter().collect();
    facts.sort_by_key(|facts| &facts.name);
    let inputs: Vec<Value> = facts
        .iter()
        .map(|facts| {
            let mut input = json!({
                "file": facts.name, "kind": facts.kind.name(), "sha256": facts.sha256, "bytes": facts.bytes,
                "rows": facts.rows, "encoding": facts.encoding,
            });
            if let Some(sheet) = &facts.sheet {
                input["sheet"] = json!(sheet);
            }
            input
        })
        .collect();
    let mut counts = flag_counts(run);
    for (code, count) in counts_of(run.inputs.rejects.iter().map(|reject| reject.code)) {
        *counts.entry(code).or_default() += count;
    }
    let codes: BTreeMap<&str, u64> = counts.into_iter().map(|(code, count)| (code.name(), count)).collect();
    let source = |(id, total): (&String, &Total)| {
        let mut json = total_json(total);
        json["name"] = json!(names::source(run, id, Lang::Zh));
        (id.clone(), json)
    };
    let sources: Map<String, Value> = totals(run).iter().map(source).collect();
    let mut manifest = json!({
        "region": region.id,
        "period": run.rules.period.to_string(),
        "program": concat!("jiayi ", env!("CARGO_PKG_VERSION")),
        "language": if lang == Lang::En { "en" } else { "zh" },
        "output": output.told(),
        "policies": policies,
        "local": local,
        "inputs": inputs,
        "rows": {
            "signings": read.sum::<u64>(),
            "rejected": count(Kind::Signings),
            "void": run.inputs.void_rows,
            "admitted": run.settlement.heads.iter().map(|heads| heads.admitted).sum::<u64>(),
            "held": run.settlement.heads.iter().map(|heads| heads.held).sum::<u64>(),
        },
        "notices": notices,
        "codes": codes,
        "sources": sources,
        "ledger": run.history.past().map(|past| json!({ "batch": past.batch, "head": past.head })),
        "outputs": [],
    });
    if let Some(day) = run.rules.as_of {
        manifest["as_of"] = json!(day.to_string());
    }
    manifest
}

/// Writes a JSON file, indented, with a line break at its end.
pub fn write_json(folder: &Path, name: &str, value: &Value) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).context(name.to_string())?;
    text.push('\n');
    fs::write(folder.join(name), text).context(name.to_string())
}
