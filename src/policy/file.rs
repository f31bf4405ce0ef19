//! A rule file as written: tables, keys and values with their place, every fault of them at once.
//!
//! Amounts, rates and scores are strings: a TOML float has been a binary fraction before anybody
//! can look at it, so it is refused. A string that starts with `local.` stands for the figure of
//! that name under `[local]`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::DeValue;

use crate::base::diagnostic::{Diagnostic, Excerpt};
use crate::base::message::Msg;

use super::reader::{Reader, plain_decimal};
use super::{LocalFigure, PolicyFile};

/// What a file's readers share: its text and those of the files that it extends, its faults, its local
/// figures.
pub struct Sheet<'t> {
    /// Where each file's text begins, counted over all of them, one after another.
    files: Vec<(usize, PolicyFile)>,
    faults: RefCell<Vec<Diagnostic>>,
    pub(super) local: RefCell<BTreeMap<String, Local<'t>>>,
    pub(super) used: RefCell<Vec<String>>,
}

/// A local figure as written; without a value it is open.
pub(super) struct Local<'t> {
    pub(super) value: Option<&'t Spanned<DeValue<'t>>>,
    span: Range<usize>,
    figure: LocalFigure,
}

impl<'t> Sheet<'t> {
    /// Of `files`, in the order in which their texts were laid out: see [`offsets`].
    pub fn new(files: &[PolicyFile]) -> Sheet<'t> {
        let files = offsets(files).into_iter().zip(files.iter().cloned()).collect();
        Sheet { files, faults: RefCell::default(), local: RefCell::default(), used: RefCell::default() }
    }

    /// The file that a place lies in, and the place within it.
    fn within(&self, span: Range<usize>) -> (&PolicyFile, Range<usize>) {
        let (start, file) =
            self.files.iter().rfind(|(start, _)| *start <= span.start).unwrap_or(&self.files[0]);
        (file, span.start.saturating_sub(*start)..span.end.saturating_sub(*start).min(file.text.len()))
    }

    pub fn fault(&self, span: Range<usize>, fact: Msg, cure: Option<Msg>) {
        self.fault_of(span, fact, cure, None);
    }

    /// A fault of something that a clause of the policy is about.
    pub fn fault_of(&self, span: Range<usize>, fact: Msg, cure: Option<Msg>, clause: Option<String>) {
        let (file, span) = self.within(span);
        let excerpt = Excerpt { path: file.name.clone(), text: Arc::clone(&file.text), span };
        self.faults.borrow_mut().push(Diagnostic { fact, cure, clause, excerpt: Some(excerpt) });
    }

    pub fn faults(&self) -> Vec<Diagnostic> {
        self.faults.take()
    }

    pub(super) fn written(&self, span: Range<usize>) -> &str {
        let (file, span) = self.within(span);
        file.text.get(span).unwrap_or_default()
    }

    /// A value as it is written; where another file set a part of a table anew, as it holds with that.
    fn as_it_holds(&self, value: &Spanned<DeValue>) -> String {
        let span = value.span();
        let DeValue::Table(table) = value.get_ref() else { return self.written(span).to_string() };
        let within = |part: &Spanned<DeValue>| span.start <= part.span().start && part.span().end <= span.end;
        if table.values().all(within) {
            return self.written(span).to_string();
        }
        let parts = table.iter().map(|(key, part)| format!("{} = {}", key.get_ref(), self.as_it_holds(part)));
        format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
    }

    /// Reads `[local]`: figures that the text leaves to the region.
    pub fn read_local(&'t self, root: &Reader<'t>) {
        let Some(table) = root.table("local") else { return };
        for (key, value) in table.table {
            let id = key.get_ref().to_string();
            let Some(inner) = value.get_ref().as_table() else {
                self.fault(value.span(), Msg::WantedTable { key: format!("local.{id}") }, None);
                continue;
            };
            let reader = Reader::new(self, inner, key.span(), format!("local.{id}"));
            let confirmed = reader.bool("confirmed").unwrap_or(false);
            let means = reader.required_text("means").unwrap_or_default();
            let clause = reader.clause();
            let value = reader.raw("value");
            let (least, most) = (reader.decimal("at_least"), reader.decimal("at_most"));
            if let Some(decimal) = value.and_then(|value| plain_decimal(value.get_ref().as_str()?)) {
                let (low, high) = (least.as_ref().map(|at| at.value), most.as_ref().map(|at| at.value));
                if low.is_some_and(|low| decimal < low) || high.is_some_and(|high| decimal > high) {
                    let shown = |bound: Option<Decimal>| bound.map(|bound| bound.to_string());
                    let span = value.map_or_else(|| key.span(), Spanned::span);
                    let fact = Msg::OutOfBounds { id: id.clone(), least: shown(low), most: shown(high) };
                    self.fault(span, fact, None);
                }
            }
            let written = value.map(|value| self.as_it_holds(value));
            let value_text = written.as_ref().map(|text| text.trim_matches('"').to_string());
            let figure = LocalFigure {
                id: id.clone(),
                value: value_text,
                written,
                means,
                at_least: least.map(|at| at.value),
                at_most: most.map(|at| at.value),
                clause,
                confirmed,
            };
            reader.finish();
            self.local.borrow_mut().insert(id, Local { value, span: key.span(), figure });
        }
    }

    /// The local figures; one that nothing asks for is a fault, and so is one that is open, since what
    /// asks for it can't be worked out.
    pub fn local_figures(&self) -> Vec<LocalFigure> {
        let local = self.local.borrow();
        let used = self.used.borrow();
        // What another file leaves open and this one has no use for is no matter here.
        let own = |one: &Local| self.files.get(1).is_none_or(|(start, _)| one.span.start < *start);
        for (id, one) in local.iter().filter(|(id, one)| own(one) || used.contains(id)) {
            if !used.contains(id) {
                self.fault(one.span.clone(), Msg::LocalUnused { id: id.clone() }, None);
            } else if one.value.is_none() {
                let fact = Msg::OpenFigure { id: id.clone(), means: one.figure.means.clone() };
                self.fault(one.span.clone(), fact, Some(Msg::FillByExtends { id: id.clone() }));
            }
        }
        let kept = local.values().filter(|one| own(one) || used.contains(&one.figure.id));
        kept.map(|one| one.figure.clone()).collect()
    }
}

/// Where the texts of `files` begin when they stand one after another: so a place tells its file.
pub fn offsets(files: &[PolicyFile]) -> Vec<usize> {
    let ends = files.iter().scan(0, |end, file| {
        *end += file.text.len() + 1;
        Some(*end)
    });
    [0].into_iter().chain(ends).take(files.len()).collect()
}
