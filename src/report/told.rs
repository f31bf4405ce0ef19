//! What `jiayi rules …` shows: lists, sentences, differences, curves, faults for scripts.

use std::io::{self, Write};

use comfy_table::Cell;
use serde_json::{Value, json};

use crate::base::diagnostic::Diagnostic;
use crate::base::money::shortest;
use crate::policy::Policy;
use crate::policy::curve::{Basis, Curve};
use crate::words::{Label, Lang, Phrase, phrase, say};

use super::curves::{chart, curve_points};
use super::names;
use super::rules::{Change, Said};
use super::screen::{Look, cure_of, right};

/// A table with these titles.
pub fn phrases(out: &mut impl Write, header: &[Phrase], rows: &[[String; 6]], look: Look) -> io::Result<()> {
    let mut table = look.table(&[Label::Name; 6]);
    table.set_header(header.iter().map(|what| look.bold(&phrase(look.lang, *what, &[]))));
    for row in rows {
        table.add_row(row.iter().map(Cell::new));
    }
    writeln!(out, "{}", table.trim_fmt())
}

/// A policy in plain words: a sentence a line, its article behind it.
pub fn said(out: &mut impl Write, said: &[Said], look: Look) -> io::Result<()> {
    let mut section = None;
    for one in said {
        if section != Some(one.section) {
            let gap = if section.is_some() { "\n" } else { "" };
            section = Some(one.section);
            writeln!(out, "{gap}{}", phrase(look.lang, one.section, &[]))?;
        }
        writeln!(out, "  {}{}", one.text, cited(&one.clause))?;
    }
    Ok(())
}

fn cited(clause: &str) -> String {
    if clause.is_empty() { String::new() } else { format!("  [{clause}]") }
}

/// What two policies say differently.
pub fn changes(
    out: &mut impl Write,
    changes: &[Change],
    (old, new): (&str, &str),
    look: Look,
) -> io::Result<()> {
    let words = |what, with: &[&str]| phrase(look.lang, what, with);
    if changes.is_empty() {
        return writeln!(out, "{}", words(Phrase::Same, &[old, new]));
    }
    writeln!(out, "{}", words(Phrase::Differences, &[old, new]))?;
    let mut section = None;
    for change in changes {
        if section != Some(change.section) {
            section = Some(change.section);
            writeln!(out, "\n{}", words(change.section, &[]))?;
        }
        let line = |mark: &str, what, one: &Said| {
            format!("  {mark} {}: {}{}", words(what, &[]), one.text, cited(&one.clause))
        };
        match (&change.was, &change.now) {
            (Some(was), Some(now)) => {
                writeln!(out, "{}", line("-", Phrase::Was, was))?;
                writeln!(out, "{}", line("+", Phrase::Now, now))?;
            }
            (Some(was), None) => writeln!(out, "{}", line("-", Phrase::Removed, was))?,
            (None, Some(now)) => writeln!(out, "{}", line("+", Phrase::Added, now))?,
            (None, None) => {}
        }
    }
    Ok(())
}

/// A curve as a table and a small chart, with its jumps.
pub fn curve(out: &mut impl Write, policy: &Policy, curve: &Curve, look: Look) -> io::Result<()> {
    let sources: Vec<&str> = policy
        .sources
        .iter()
        .filter(|source| {
            let mut curves =
                source.curve.into_iter().chain(source.tranches.iter().filter_map(|one| one.curve));
            curves.any(|at| policy.curves[at].id == curve.id)
        })
        .map(|source| if look.lang == Lang::Zh { source.name.as_str() } else { source.id.as_str() })
        .collect();
    let name = names::curve(curve, look.lang);
    writeln!(out, "{} · {name}{} {}", policy.id, cited(&curve.clause), sources.join(" / "))?;
    if let Basis::Chain(of) = &curve.basis {
        let each: Vec<&str> = of.iter().map(|at| names::curve(&policy.curves[*at], look.lang)).collect();
        return writeln!(out, "{}\n", phrase(look.lang, Phrase::BasisChain, &[name, &each.join(" × ")]));
    }
    for line in chart(curve) {
        writeln!(out, "{line}")?;
    }
    let points = curve_points(curve);
    let words = |what| phrase(look.lang, what, &[]);
    let mut header = vec![words(Phrase::ScoreColumn), words(Phrase::RatioColumn), words(Phrase::JumpColumn)];
    let graded = points.iter().any(|point| point.grade.is_some());
    if graded {
        header.push(words(Phrase::GradeColumn));
    }
    let labels = vec![Label::Name; header.len()];
    let mut table = look.table(&labels);
    table.set_header(header.iter().map(|title| look.bold(title)));
    for point in points {
        let jump = point.from.map(|from| phrase(look.lang, Phrase::JumpFrom, &[&shortest(from)]));
        let mut cells = vec![
            right(shortest(point.score)),
            right(shortest(point.ratio)),
            Cell::new(jump.unwrap_or_default()),
        ];
        if graded {
            cells.push(Cell::new(point.grade.unwrap_or_default()));
        }
        table.add_row(cells);
    }
    writeln!(out, "{}\n", table.trim_fmt())
}

/// A fault for scripts: where it stands, and what it is.
pub fn fault_json(fault: &Diagnostic, lang: Lang) -> Value {
    let place = fault.excerpt.as_ref().map(|excerpt| {
        let before = &excerpt.text[..excerpt.span.start.min(excerpt.text.len())];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        (excerpt.path.clone(), line, column)
    });
    json!({
        "file": place.as_ref().map(|place| &place.0),
        "line": place.as_ref().map(|place| place.1),
        "column": place.as_ref().map(|place| place.2),
        "fact": say(lang, &fault.fact),
        "cure": cure_of(fault, lang),
        "clause": fault.clause,
    })
}
