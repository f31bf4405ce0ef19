//! `jiayi merge`: the settlements of several areas → one summary of all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::base::diagnostic::stop;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::report::output::CsvForm;
use crate::report::screen::{self, Look};
use crate::report::written::{self, Table, own, text};
use crate::report::{manifest, publish};
use crate::words::Lang;

use super::post::Written;
use super::verify::{COLUMNS, amount, sums, table};
use super::{Ended, print, seen};

pub struct Merge<'a> {
    pub folders: &'a [PathBuf],
    pub out: &'a Path,
    pub json: bool,
    pub look: Look,
}

/// Amounts by area and source, and how many charges and held ones.
type Totals = BTreeMap<(String, String), ([u64; 2], [Fen; COLUMNS.len()])>;

pub fn run(merge: &Merge) -> Result<Ended> {
    let mut areas = Vec::new();
    for folder in merge.folders {
        let written = Written::read(folder)?;
        let at = |file: &str| folder.join(file).display().to_string();
        if let Some(changed) = written.changed_outputs(at).into_iter().next() {
            return Err(stop(changed, Some(Msg::MergeAgain)));
        }
        if !written.output.only.csv {
            return Err(stop(Msg::NoCsv { path: folder.display().to_string() }, Some(Msg::SettleWithCsv)));
        }
        let mut found = Vec::new();
        sums(&written, &mut found);
        if let Some(fact) = found.into_iter().next() {
            // Of many areas: in which.
            let fact = match fact {
                Msg::SumDiffers { what, stands, adds } => Msg::SumDiffers { what: at(&what), stands, adds },
                other => other,
            };
            return Err(stop(fact, Some(Msg::MergeAgain)));
        }
        areas.push(written);
    }
    if let Some(other) = areas.iter().find(|area| area.period != areas[0].period) {
        let (first, other) = (areas[0].period, other.period);
        return Err(stop(Msg::PeriodsDiffer { first, other }, None));
    }
    // Areas do not share money: an institution in two of them would be paid twice.
    let mut homes: BTreeMap<String, String> = BTreeMap::new();
    let mut totals = Totals::new();
    let mut rows = Vec::new();
    for area in &areas {
        let folder = area.folder.display().to_string();
        for row in table(area, "summary.csv") {
            let id = row.get("institution_id").cloned().unwrap_or_default();
            if let Some(first) = homes.insert(id.clone(), folder.clone()) {
                return Err(stop(Msg::InstitutionInTwo { id, first, second: folder }, None));
            }
            rows.push((area.region.clone(), id, row));
        }
        for line in table(area, "settlement.csv") {
            let source = line.get("source").cloned().unwrap_or_default();
            let (counts, sums) = totals.entry((area.region.clone(), source)).or_default();
            for (count, column) in counts.iter_mut().zip(["count", "held"]) {
                *count += line.get(column).and_then(|cell| cell.parse::<u64>().ok()).unwrap_or_default();
            }
            for (sum, column) in sums.iter_mut().zip(COLUMNS) {
                *sum += amount(&line, column);
            }
        }
    }
    rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    publish::replace(merge.out, &areas[0].folder, |folder| {
        let written = [summary(folder, &rows)?, sources(folder, &totals)?];
        let of_area = |area: &Written| {
            json!({
                "region": area.region, "manifest": area.hash(), "ledger": area.manifest["ledger"],
                "rows": area.manifest["rows"], "codes": area.manifest["codes"],
                "unconfirmed": area.unconfirmed(), "notices": area.manifest["notices"],
            })
        };
        let manifest = json!({
            "period": areas[0].period.to_string(),
            "program": concat!("jiayi ", env!("CARGO_PKG_VERSION")),
            "areas": areas.iter().map(of_area).collect::<Vec<_>>(),
            "sources": by_source(&totals),
            "outputs": manifest::outputs(&written),
        });
        manifest::write_json(folder, "manifest.json", &manifest)
    })?;
    // Sources as the areas' own policies call them.
    let named = |region: &str, source: &str| {
        let mut of_region = areas.iter().filter(|area| area.region == region && merge.look.lang == Lang::Zh);
        let name = of_region.find_map(|area| area.manifest["sources"][source]["name"].as_str());
        name.unwrap_or(source).to_string()
    };
    let told: Vec<(String, String, [u64; 2], [Fen; COLUMNS.len()])> = totals
        .iter()
        .map(|((region, source), (counts, sums))| (region.clone(), named(region, source), *counts, *sums))
        .collect();
    let folder = merge.out.display().to_string();
    // Of each policy once; apart, as a sentence names a dozen at most.
    let figures: BTreeSet<Vec<String>> =
        areas.iter().map(Written::unconfirmed).filter(|open| !open.is_empty()).collect();
    print(
        merge.json,
        |out| screen::merged(out, areas[0].period, &told, &folder, merge.look),
        || {
            json!({
                "schema": "jiayi.merge/1", "period": areas[0].period.to_string(), "areas": areas.len().to_string(),
                "institutions": rows.len().to_string(), "sources": by_source(&totals), "out": folder,
                "unconfirmed": figures.iter().flatten().collect::<Vec<_>>(),
            })
        },
    )?;
    if !merge.json {
        let open: Vec<Msg> = figures.into_iter().map(|figures| Msg::Unconfirmed { figures }).collect();
        seen(screen::notices(&mut io::stderr().lock(), &open, merge.look))?;
    }
    Ok(Ended::Done)
}

fn by_source(totals: &Totals) -> Value {
    let mut all: BTreeMap<&str, [Fen; COLUMNS.len()]> = BTreeMap::new();
    for ((_, source), (_, sums)) in totals {
        let sum = all.entry(source).or_default();
        sum.iter_mut().zip(sums).for_each(|(all, one)| *all += *one);
    }
    let each = all.into_iter().map(|(source, sums)| {
        let cells: Map<String, Value> = COLUMNS
            .iter()
            .zip(sums)
            .map(|(column, sum)| (column.to_string(), json!(sum.to_string())))
            .collect();
        (source.to_string(), Value::Object(cells))
    });
    Value::Object(each.collect())
}

/// Every institution of every area, as its own summary has it.
fn summary(folder: &Path, rows: &[(String, String, BTreeMap<String, String>)]) -> Result<written::Written> {
    let columns = crate::report::csv::SUMMARY;
    let header: Vec<&str> = ["region"].into_iter().chain(columns).collect();
    let mut out = Table::create(folder, "summary.csv", &header, CsvForm::PLAIN)?;
    for (region, _, row) in rows {
        let cell = |column: &&str| row.get(*column).map(String::as_str).unwrap_or_default();
        out.row([text(region)].into_iter().chain(columns.iter().map(|column| text(cell(column)))))?;
    }
    out.finish()
}

/// By area and source.
fn sources(folder: &Path, totals: &Totals) -> Result<written::Written> {
    let header: Vec<&str> = ["region", "source", "count", "held"].into_iter().chain(COLUMNS).collect();
    let mut out = Table::create(folder, "sources.csv", &header, CsvForm::PLAIN)?;
    for ((region, source), (counts, sums)) in totals {
        let counts = counts.map(own);
        let sums = sums.map(own);
        out.row([text(region), text(source)].into_iter().chain(counts).chain(sums))?;
    }
    out.finish()
}
