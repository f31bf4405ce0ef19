//! What a person sees: tables in the reader's language, messages with excerpts; and JSON for scripts.

use std::collections::BTreeMap;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle,
};
use serde_json::{Map, Value, json};
use unicode_width::UnicodeWidthStr;

use crate::base::code::Code;
use crate::base::diagnostic::Diagnostic;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::Period;
use crate::base::place::Kind;
use crate::intake::refusals::Refusal;
use crate::pipeline::{Run, refused_by_code};
use crate::policy::Policy;
use crate::policy::version::Region;
use crate::settlement::clear::Outcome;
use crate::settlement::lines::clawback;
use crate::settlement::tally::HeadCounts;
use crate::stages::Inputs;
use crate::words::{Label, Lang, Phrase, cure, disk_said, label, phrase, refusal, remedy, say, title};

use super::flags::{counts_of, flag_counts};
use super::manifest::total_json;
use super::names;
use super::totals::{Total, totals};

/// A line under the header, and no more.
const RULED: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// The stories of made-up exports: where each stands, what it is, and its code.
pub fn sample(out: &mut impl Write, rows: &[[String; 3]], look: Look) -> io::Result<()> {
    let mut table = look.table(&[]);
    let words = [Phrase::SampleWhere, Phrase::SampleStory].map(|what| phrase(look.lang, what, &[]));
    let [at, story] = words;
    table.set_header([at, story, look.label(Label::Code).to_string()]);
    table.add_rows(rows.iter().map(|row| row.iter().map(Cell::new).collect::<Vec<_>>()));
    writeln!(out, "{}", table.trim_fmt())
}

/// How the screen is written to.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub lang: Lang,
    pub color: bool,
    /// On the error stream.
    pub color_err: bool,
    /// Of the terminal, in columns; nothing where it is no terminal.
    pub width: Option<u16>,
}

impl Look {
    pub(super) fn label(self, what: Label) -> &'static str {
        label(self.lang, what)
    }

    pub(super) fn table(self, header: &[Label]) -> Table {
        let mut table = Table::new();
        table.load_style(RULED);
        table.set_content_arrangement(match self.width {
            Some(_) => ContentArrangement::Dynamic,
            None => ContentArrangement::Disabled,
        });
        if let Some(width) = self.width {
            table.set_width(width);
        }
        if self.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(header.iter().map(|what| self.bold(self.label(*what))));
        // Only words may be broken over lines: a number that is, is read wrong.
        use Label::{Clause, Document, Meaning, Name, Reason, Source, WhatToDo};
        for (column, what) in table.column_iter_mut().zip(header) {
            if !matches!(what, Clause | Document | Meaning | Name | Reason | Source | WhatToDo) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
        }
        table
    }

    pub(super) fn bold(self, text: &str) -> Cell {
        let cell = Cell::new(text);
        if self.color { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    fn money(self, amount: Fen) -> Cell {
        right(amount.grouped())
    }

    /// An amount that comes back.
    fn back(self, amount: Fen) -> Cell {
        let cell = self.money(amount);
        if self.color && amount > Fen::ZERO { cell.fg(Color::Red) } else { cell }
    }
}

pub(super) fn right(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// The settlement on the screen: totals by source, who pays back, what was refused, what to look at.
pub fn settlement(out: &mut impl Write, run: &Run, folder: &str, look: Look) -> io::Result<()> {
    let policy = &run.rules.region.versions[run.rules.version_on(run.rules.period.first_day())];
    writeln!(
        out,
        "{}  {} ({})  {}",
        look.label(Label::Settlement),
        policy.name,
        policy.document,
        run.rules.period
    )?;
    row_counts(out, run, look)?;
    sources(out, run, look)?;
    pay_back(out, run, look)?;
    refused(out, run.inputs, look)?;
    raised(out, run, look)?;
    local_figures(out, run.rules.region, look)?;
    writeln!(out, "\n{}: {folder}", look.label(Label::Out))
}

fn row_counts(out: &mut impl Write, run: &Run, look: Look) -> io::Result<()> {
    let read: u64 =
        run.inputs.facts.iter().filter(|facts| facts.kind == Kind::Signings).map(|facts| facts.rows).sum();
    let refused = run.refused_signings();
    let sum = |pick: fn(&HeadCounts) -> u64| run.settlement.heads.iter().map(pick).sum::<u64>();
    // Of this run's files; what the ledger adds stands apart.
    let (admitted, held) = (sum(|heads| heads.admitted), sum(|heads| heads.held));
    let (of_ledger, held_of_ledger) = (sum(|heads| heads.recalled), sum(|heads| heads.recalled_held));
    let (admitted, held) = (admitted - (of_ledger - held_of_ledger), held - held_of_ledger);
    let other = read - refused - run.inputs.void_rows - admitted - held;
    let part = |what, count: u64| format!("{} {count}", look.label(what));
    let parts = [
        part(Label::ReadRows, read),
        part(Label::RejectedRows, refused),
        part(Label::VoidRows, run.inputs.void_rows),
        part(Label::HeldRows, held),
        part(Label::AdmittedRows, admitted),
        part(Label::OtherRows, other),
    ];
    write!(out, "{}: {} = {}", look.label(Label::Rows100), parts[0], parts[1..].join(" + "))?;
    match of_ledger {
        0 => writeln!(out),
        _ => writeln!(out, "  {} {of_ledger}", look.label(Label::FromLedger)),
    }
}

fn sources(out: &mut impl Write, run: &Run, look: Look) -> io::Result<()> {
    use Label::{Count, Final, Gross, Held, Payable, Posted, Prepay, Recover, Source};
    writeln!(out, "\n{}", look.label(Label::BySource))?;
    let totals = totals(run);
    // A column of nothing but zeros would push the others off a narrow screen.
    let any_held = totals.values().any(|total| total.held > 0);
    let header = [Source, Count, Held, Gross, Prepay, Final, Posted, Payable, Recover];
    let header: Vec<Label> = header.into_iter().filter(|what| any_held || *what != Held).collect();
    let rows: Vec<Vec<Cell>> =
        totals.iter().map(|(id, total)| source_row(run, id, total, any_held, look)).collect();
    let mut table = Look { width: None, ..look }.table(&header);
    table.add_rows(rows.clone());
    // Where the lines are wider than the screen, sources stand side by side, their names over several lines.
    let wide = table.lines().map(|line| line.width()).max().unwrap_or_default();
    if look.width.is_none_or(|width| wide <= usize::from(width)) {
        return writeln!(out, "{}", table.trim_fmt());
    }
    let mut table = look.table(&[Source]);
    let names = rows.iter().map(|row| look.bold(&row[0].content()));
    table.set_header([look.bold(look.label(Source))].into_iter().chain(names));
    for (at, what) in header.iter().enumerate().skip(1) {
        let cells = rows.iter().map(|row| row[at].clone());
        table.add_row([Cell::new(look.label(*what))].into_iter().chain(cells));
    }
    writeln!(out, "{}", table.trim_fmt())
}

/// The settlements of several areas: amounts by area and source, and of all of them.
pub fn merged(
    out: &mut impl Write,
    period: Period,
    rows: &[(String, String, [u64; 2], [Fen; 6])],
    folder: &str,
    look: Look,
) -> io::Result<()> {
    use Label::{Area, Count, Final, Gross, Held, Payable, Posted, Prepay, Recover, Source};
    writeln!(out, "{}  {period}", look.label(Label::Merged))?;
    let mut table = look.table(&[Area, Source, Count, Held, Gross, Prepay, Final, Posted, Payable, Recover]);
    let mut add = |region: &str, source: &str, counts: [u64; 2], sums: [Fen; 6]| {
        let words = [Cell::new(region), Cell::new(source)].into_iter().chain(counts.map(right));
        table.add_row(words.chain(sums.map(|sum| look.money(sum))));
    };
    let mut all: std::collections::BTreeMap<&str, ([u64; 2], [Fen; 6])> = std::collections::BTreeMap::new();
    for (region, source, counts, sums) in rows {
        add(region, source, *counts, *sums);
        let (all_counts, all_sums) = all.entry(source).or_default();
        all_counts.iter_mut().zip(counts).for_each(|(all, one)| *all += one);
        all_sums.iter_mut().zip(sums).for_each(|(all, one)| *all += *one);
    }
    for (source, (counts, sums)) in all {
        add(look.label(Label::Total), source, counts, sums);
    }
    writeln!(out, "{}", table.trim_fmt())?;
    writeln!(out, "\n{}: {folder}", look.label(Label::Out))
}

fn source_row(run: &Run, id: &str, total: &Total, any_held: bool, look: Look) -> Vec<Cell> {
    let named =
        run.rules.region.versions.iter().find_map(|version| Some(&version.sources[version.source(id)?]));
    let name = match (look.lang, named) {
        (Lang::Zh, Some(source)) => source.name.clone(),
        _ => id.to_string(),
    };
    let mut cells = vec![Cell::new(name), right(total.count)];
    if any_held {
        cells.push(right(total.held));
    }
    cells.push(look.money(total.gross));
    if total.settled {
        cells.push(look.money(total.prepay));
        cells.push(total.last.map_or_else(|| right(look.label(Label::NoneYet)), |last| look.money(last)));
        cells.extend([look.money(total.posted), look.money(total.payable), look.back(total.recover)]);
    } else {
        cells.push(right(look.label(Label::NotSettled)));
        cells.extend(["", "", "", ""].map(Cell::new));
    }
    cells
}

fn pay_back(out: &mut impl Write, run: &Run, look: Look) -> io::Result<()> {
    use Label::{Clause, Final, Institution, Name, Posted, Prepay, Reason, Recover, Score};
    let back: Vec<_> = run
        .settlement
        .lines
        .iter()
        .filter(|line| line.recover > Fen::ZERO)
        .filter_map(|line| clawback(line, &run.rules.region.versions[line.version]))
        .collect();
    if back.is_empty() {
        return writeln!(out, "\n{}", look.label(Label::NobodyPaysBack));
    }
    writeln!(out, "\n{}", look.label(Label::PayBack))?;
    // On a narrow screen only what nobody can do without: the rest stands in clawback.csv.
    const NARROW: u16 = 76;
    let all = look.width.is_none_or(|width| width >= NARROW);
    let kept = [true, true, true, all, all, all, true, true, all];
    let columns = [Institution, Name, Score, Prepay, Final, Posted, Recover, Reason, Clause];
    let columns: Vec<Label> =
        columns.into_iter().zip(kept).filter_map(|(one, kept)| kept.then_some(one)).collect();
    let mut table = look.table(&columns);
    for back in back.iter().take(20) {
        let institution = run.rules.institutions.get(back.line.institution);
        let score = back.line.earned.as_ref().map_or(String::new(), Outcome::shown);
        let cells = [
            Cell::new(&institution.id),
            Cell::new(&institution.name),
            right(score),
            look.money(back.line.prepay),
            back.line.last.map_or_else(|| right(""), |last| look.money(last)),
            look.money(back.line.posted),
            look.back(back.line.recover),
            Cell::new(look.label(names::reason(back.reason))),
            Cell::new(&back.clause),
        ];
        table.add_row(cells.into_iter().zip(kept).filter_map(|(cell, kept)| kept.then_some(cell)));
    }
    writeln!(out, "{}", table.trim_fmt())?;
    if back.len() > 20 {
        writeln!(out, "{} clawback.csv ({})", look.label(Label::More), back.len() - 20)?;
    }
    Ok(())
}

pub(super) fn refused(out: &mut impl Write, inputs: &Inputs, look: Look) -> io::Result<()> {
    let counts = refused_by_code(inputs);
    if counts.is_empty() {
        return writeln!(out, "\n{}", look.label(Label::NothingRefused));
    }
    writeln!(out, "\n{}", look.label(Label::Refused))?;
    let mut table = look.table(&[Label::Code, Label::Kind, Label::Rows, Label::Meaning]);
    for ((code, kind), count) in counts {
        table.add_row(vec![
            Cell::new(code),
            Cell::new(kind),
            right(count),
            Cell::new(title(look.lang, code)),
        ]);
    }
    writeln!(out, "{}", table.trim_fmt())
}

fn raised(out: &mut impl Write, run: &Run, look: Look) -> io::Result<()> {
    let counts = flag_counts(run);
    if counts.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", look.label(Label::Flags))?;
    let mut table = look.table(&[Label::Code, Label::Rows, Label::Meaning]);
    for (code, count) in counts {
        table.add_row(vec![Cell::new(code), right(count), Cell::new(title(look.lang, code))]);
    }
    writeln!(out, "{}", table.trim_fmt())
}

/// Figures that the text leaves open, and whether somebody confirmed them.
fn local_figures(out: &mut impl Write, region: &Region, look: Look) -> io::Result<()> {
    let open: Vec<_> = region
        .versions
        .iter()
        .flat_map(|version| version.local.iter().map(move |figure| (version, figure)))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", look.label(Label::LocalFigures))?;
    for (version, figure) in open {
        let state = look.label(if figure.confirmed { Label::Confirmed } else { Label::Unconfirmed });
        writeln!(
            out,
            "  {} {} = {} [{state}] {} {}",
            version.id,
            figure.id,
            figure.value.as_deref().unwrap_or("?"),
            figure.clause,
            figure.means
        )?;
    }
    Ok(())
}

/// The settlement for scripts. Amounts, ratios and scores are strings.
pub fn settlement_json(run: &Run, folder: &str, lang: Lang) -> Value {
    let notices = notes(run.inputs, lang);
    let sources: Map<String, Value> =
        totals(run).iter().map(|(source, total)| (source.clone(), total_json(total))).collect();
    let back: Vec<Value> = run
        .settlement
        .lines
        .iter()
        .filter_map(|line| clawback(line, &run.rules.region.versions[line.version]))
        .map(|back| {
            json!({
                "cohort": back.line.cohort.to_string(),
                "institution_id": run.rules.institutions.get(back.line.institution).id,
                "source": back.line.source,
                "recover": back.line.recover.to_string(),
                "withheld": back.withheld.to_string(),
                "reason": back.reason.name(),
                "clause": &*back.clause,
            })
        })
        .collect();
    let flags: Map<String, Value> =
        flag_counts(run).into_iter().map(|(code, count)| (code.name().to_string(), json!(count))).collect();
    json!({
        "schema": "jiayi.settle/1",
        "region": run.rules.region.id,
        "period": run.rules.period.to_string(),
        "out": folder,
        "sources": sources,
        "clawback": back,
        "rejected": refused_json(run.inputs),
        "flags": flags,
        "unconfirmed": run.rules.region.versions.iter().flat_map(Policy::open_ids).collect::<Vec<_>>(),
        "notices": notices,
    })
}

pub(super) fn notes(inputs: &Inputs, lang: Lang) -> Vec<String> {
    inputs.notices.iter().map(|notice| say(lang, notice)).collect()
}

pub(super) fn refused_json(inputs: &Inputs) -> Value {
    let mut by_kind: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for ((code, kind), count) in refused_by_code(inputs) {
        by_kind.entry(kind).or_default().insert(code.name().to_string(), json!(count));
    }
    json!(by_kind)
}

/// A place of a refused row with the line it stands on.
pub struct Shown<'a> {
    pub reject: Refusal<'a>,
    pub excerpt: String,
}

/// What `check` shows: files, codes and counts, first places with their excerpts, what to do.
pub fn check(out: &mut impl Write, inputs: &Inputs, places: &[Shown], look: Look) -> io::Result<()> {
    let mut table = look.table(&[Label::File, Label::Kind, Label::Rows, Label::Encoding]);
    let mut facts: Vec<_> = inputs.facts.iter().collect();
    facts.sort_by_key(|facts| &facts.name);
    for facts in facts {
        table.add_row(vec![
            Cell::new(facts.label()),
            Cell::new(facts.kind.name()),
            right(facts.rows),
            Cell::new(facts.encoding),
        ]);
    }
    writeln!(out, "{}", table.trim_fmt())?;
    refused(out, inputs, look)?;
    if places.is_empty() {
        return writeln!(out, "{}", look.label(Label::AllGood));
    }
    let counts = counts_of(inputs.rejects.iter().map(|row| row.code));
    for of_code in places.chunk_by(|a, b| a.reject.code == b.reject.code) {
        let code = of_code[0].reject.code;
        writeln!(out, "\n{code} {}", title(look.lang, code))?;
        writeln!(out, "  {}: {}", look.label(Label::WhatToDo), cure(look.lang, code))?;
        for Shown { reject, excerpt } in of_code {
            let (file, line) = (&inputs.names[reject.place.file as usize], reject.place.line);
            writeln!(out, "  {file}:{line}  {}", refusal(look.lang, &reject.reason))?;
            writeln!(out, "    | {excerpt}")?;
        }
        let more = counts.get(&code).map_or(0, |all| all - of_code.len() as u64);
        if more > 0 {
            writeln!(out, "  {}", phrase(look.lang, Phrase::CheckMore, &[&more.to_string()]))?;
        }
    }
    Ok(())
}

pub fn check_json(inputs: &Inputs, places: &[Shown], lang: Lang) -> Value {
    let first: Vec<Value> = places
        .iter()
        .map(|shown| {
            json!({
                "code": shown.reject.code.name(),
                "file": inputs.names[shown.reject.place.file as usize],
                "line": shown.reject.place.line,
                "reason": refusal(lang, &shown.reject.reason),
                "excerpt": shown.excerpt,
            })
        })
        .collect();
    let files: Vec<Value> = inputs
        .facts
        .iter()
        .map(|facts| json!({ "file": facts.label(), "kind": facts.kind.name(), "rows": facts.rows, "encoding": facts.encoding }))
        .collect();
    json!({ "schema": "jiayi.check/1", "files": files, "rejected": refused_json(inputs), "first": first, "notices": notes(inputs, lang) })
}

/// A code's page, or the list of all.
pub fn explain(out: &mut impl Write, codes: &[Code], look: Look) -> io::Result<()> {
    let mut table = look.table(&[Label::Code, Label::Meaning, Label::WhatToDo]);
    for code in codes {
        table.add_row(vec![code.name(), title(look.lang, *code), cure(look.lang, *code)]);
    }
    writeln!(out, "{}", table.trim_fmt())
}

/// The same for scripts.
pub fn codes_json(codes: &[Code], lang: Lang) -> Value {
    let each = codes.iter().map(
        |code| json!({ "code": code.name(), "meaning": title(lang, *code), "what_to_do": cure(lang, *code) }),
    );
    json!({ "schema": "jiayi.codes/1", "codes": each.collect::<Vec<_>>() })
}

/// Things said once a run.
pub fn notices(out: &mut impl Write, notices: &[Msg], look: Look) -> io::Result<()> {
    for notice in notices {
        writeln!(out, "{}: {}", look.label(Label::Note), say(look.lang, notice))?;
    }
    Ok(())
}

/// The cure that stands with a fault, else the usual one for its kind.
pub(super) fn cure_of(one: &Diagnostic, lang: Lang) -> Option<String> {
    let own = one.cure.as_ref().map(|cure| say(lang, cure));
    own.or_else(|| remedy(lang, &one.fact).map(str::to_string))
}

/// What stopped the run: the fact, the excerpt with its place, the cure.
pub fn diagnostics(out: &mut impl Write, all: &[Diagnostic], look: Look) -> io::Result<()> {
    let renderer = if look.color_err { Renderer::styled() } else { Renderer::plain() };
    for one in all {
        let fact = say(look.lang, &one.fact);
        let error = Level::ERROR.with_name(look.label(Label::Error));
        let help = Level::HELP.with_name(look.label(Label::Cure));
        let mut group = annotate_snippets::Group::with_title(error.primary_title(fact));
        if let Some(excerpt) = &one.excerpt {
            let snippet = Snippet::source(&*excerpt.text)
                .path(&excerpt.path)
                .annotation(AnnotationKind::Primary.span(excerpt.span.clone()));
            group = group.element(snippet);
        }
        if let Some(clause) = &one.clause {
            let note = Level::NOTE.with_name(look.label(Label::Clause));
            group = group.element(note.message(clause.clone()));
        }
        if let Some(cure) = cure_of(one, look.lang) {
            group = group.element(help.message(cure));
        }
        writeln!(out, "{}", renderer.render(&[group]))?;
    }
    Ok(())
}

/// An error that nothing more is known of.
pub fn failure(out: &mut impl Write, error: &anyhow::Error, look: Look) -> io::Result<()> {
    write!(out, "{}: ", look.label(Label::Error))?;
    match error.chain().enumerate().find_map(|(at, cause)| Some((at, cause.downcast_ref::<io::Error>()?))) {
        // Whose fault it is stands before what the disk says.
        Some((at, said)) => {
            error.chain().take(at).try_for_each(|about| write!(out, "{about}: "))?;
            writeln!(out, "{}", disk_said(look.lang, &said.into()))
        }
        None => writeln!(out, "{error:#}"),
    }
}
