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
use toml::de::{DeTable, DeValue};

use crate::base::diagnostic::{Diagnostic, Excerpt, nearest};
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::Date;

use super::{Clause, LocalFigure};

/// What a file's readers share: its text, its faults, its local figures.
pub struct Sheet<'t> {
    pub path: String,
    pub text: Arc<str>,
    faults: RefCell<Vec<Diagnostic>>,
    local: RefCell<BTreeMap<String, (&'t Spanned<DeValue<'t>>, LocalFigure)>>,
    used: RefCell<Vec<String>>,
}

/// A table being read. Each key that is asked for is known; what is left at the end is a fault.
pub struct Reader<'t> {
    pub sheet: &'t Sheet<'t>,
    table: &'t DeTable<'t>,
    span: Range<usize>,
    name: String,
    asked: RefCell<Vec<&'static str>>,
}

/// A value with its place.
#[derive(Clone, Debug)]
pub struct At<T> {
    pub value: T,
    pub span: Range<usize>,
}

impl<'t> Sheet<'t> {
    pub fn new(path: String, text: Arc<str>) -> Sheet<'t> {
        Sheet { path, text, faults: RefCell::default(), local: RefCell::default(), used: RefCell::default() }
    }

    pub fn fault(&self, span: Range<usize>, fact: Msg, cure: Option<Msg>) {
        let excerpt = Excerpt { path: self.path.clone(), text: Arc::clone(&self.text), span };
        self.faults.borrow_mut().push(Diagnostic { fact, cure, excerpt: Some(excerpt) });
    }

    pub fn faults(&self) -> Vec<Diagnostic> {
        self.faults.take()
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
            let reader = Reader::new(self, inner, value.span(), format!("local.{id}"));
            let confirmed = reader.bool("confirmed").unwrap_or(false);
            let means = reader.required_text("means").unwrap_or_default();
            let clause = reader.clause();
            let Some(figure) = reader.raw("value") else {
                reader.missing("value");
                continue;
            };
            let figure_text = self.text[figure.span()].trim_matches('"').to_string();
            let local = LocalFigure { id: id.clone(), value: figure_text, means, clause, confirmed };
            reader.finish();
            self.local.borrow_mut().insert(id, (figure, local));
        }
    }

    /// The local figures; one that nothing asks for is a fault.
    pub fn local_figures(&self) -> Vec<LocalFigure> {
        let local = self.local.borrow();
        let used = self.used.borrow();
        for (id, (value, _)) in local.iter() {
            if !used.contains(id) {
                self.fault(value.span(), Msg::LocalUnused { id: id.clone() }, None);
            }
        }
        local.values().map(|(_, figure)| figure.clone()).collect()
    }
}

impl<'t> Reader<'t> {
    pub fn new(sheet: &'t Sheet<'t>, table: &'t DeTable<'t>, span: Range<usize>, name: String) -> Reader<'t> {
        Reader { sheet, table, span, name, asked: RefCell::default() }
    }

    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub fn fault(&self, span: Range<usize>, fact: Msg, cure: Option<Msg>) {
        self.sheet.fault(span, fact, cure);
    }

    fn path_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_string() } else { format!("{}.{key}", self.name) }
    }

    fn missing(&self, key: &'static str) {
        let cure = Msg::AddKey { key: key.to_string() };
        self.fault(
            self.span(),
            Msg::MissingKey { table: self.name.clone(), key: key.to_string() },
            Some(cure),
        );
    }

    fn raw(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        self.table.get(key)
    }

    pub fn has(&self, key: &'static str) -> bool {
        self.table.contains_key(key)
    }

    /// The value, through `local.` where it is named so.
    fn value(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        let value = self.raw(key)?;
        let Some(id) = value.get_ref().as_str().and_then(|text| text.strip_prefix("local.")) else {
            return Some(value);
        };
        let local = self.sheet.local.borrow();
        self.sheet.used.borrow_mut().push(id.to_string());
        match local.get(id) {
            Some((figure, _)) => Some(figure),
            None => {
                let cure = nearest(id, local.keys().map(String::as_str))
                    .map(|near| Msg::DidYouMean { near: format!("local.{near}") });
                self.fault(value.span(), Msg::NoSuchLocal { id: id.to_string() }, cure);
                None
            }
        }
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'t>>, wanted: &'static str) {
        let cure = matches!(value.get_ref(), DeValue::Float(_) | DeValue::Integer(_))
            .then(|| Msg::WriteAsString { text: self.sheet.text[value.span()].to_string() });
        let fact = match value.get_ref() {
            DeValue::Float(_) => Msg::FloatRefused { key: self.path_of(key) },
            _ => Msg::WrongValue { key: self.path_of(key), wanted },
        };
        self.fault(value.span(), fact, cure);
    }

    pub fn text_at(&self, key: &'static str) -> Option<At<String>> {
        let value = self.value(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() => Some(At { value: text.to_string(), span: value.span() }),
            _ => {
                self.wrong(key, value, "text");
                None
            }
        }
    }

    pub fn text(&self, key: &'static str) -> Option<String> {
        self.text_at(key).map(|at| at.value)
    }

    pub fn required_text(&self, key: &'static str) -> Option<String> {
        self.required(key, Reader::text)
    }

    /// `read` of a key that must be there.
    pub fn required<T>(
        &self,
        key: &'static str,
        read: impl Fn(&Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.asked.borrow_mut().push(key);
            self.missing(key);
            return None;
        }
        read(self, key)
    }

    pub fn clause(&self) -> Clause {
        self.required_text("clause").unwrap_or_default().into()
    }

    pub fn bool(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.wrong(key, value, "true / false");
        }
        found
    }

    pub fn integer(&self, key: &'static str) -> Option<At<u32>> {
        let value = self.value(key)?;
        let plain = value.get_ref().as_integer().filter(|number| number.radix() == 10);
        let found = plain.and_then(|number| number.as_str().parse().ok());
        if found.is_none() {
            self.wrong(key, value, "a whole number");
        }
        Some(At { value: found?, span: value.span() })
    }

    pub fn integers(&self, key: &'static str) -> Option<Vec<u32>> {
        let value = self.value(key)?;
        let numbers: Option<Vec<u32>> = value.get_ref().as_array().map(|array| {
            let plain = |item: &Spanned<DeValue>| {
                item.get_ref().as_integer().filter(|number| number.radix() == 10)?.as_str().parse().ok()
            };
            array.iter().filter_map(plain).collect()
        });
        match numbers {
            Some(numbers) if !numbers.is_empty() && numbers.len() == value.get_ref().as_array()?.len() => {
                Some(numbers)
            }
            _ => {
                self.wrong(key, value, "a list of whole numbers");
                None
            }
        }
    }

    pub fn texts(&self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(At { value: text.to_string(), span: item.span() }),
                None => self.wrong(key, item, "text"),
            }
        }
        texts
    }

    fn decimal_of(&self, key: &str, value: &'t Spanned<DeValue<'t>>) -> Option<At<Decimal>> {
        let text = match value.get_ref() {
            DeValue::String(text) => text.as_ref(),
            _ => "",
        };
        match plain_decimal(text) {
            Some(decimal) => Some(At { value: decimal, span: value.span() }),
            None => {
                self.wrong(key, value, "a number in quotes, such as \"0.5\"");
                None
            }
        }
    }

    pub fn decimal(&self, key: &'static str) -> Option<At<Decimal>> {
        self.decimal_of(key, self.value(key)?)
    }

    /// A ratio, 0 to 1.
    pub fn ratio(&self, key: &'static str) -> Option<At<Decimal>> {
        let at = self.decimal(key)?;
        if !super::curve::is_ratio(at.value) {
            self.fault(at.span, Msg::RatioRange { key: self.path_of(key) }, None);
            return None;
        }
        Some(at)
    }

    pub fn money(&self, key: &'static str) -> Option<At<Fen>> {
        let at = self.decimal(key)?;
        match Fen::from_yuan(at.value) {
            Some(fen) => Some(At { value: fen, span: at.span }),
            None => {
                self.fault(at.span, Msg::MoneyDecimals { key: self.path_of(key) }, None);
                None
            }
        }
    }

    /// A table of decimals by name: `{ village_clinic = "0.70" }`.
    pub fn decimals_by_name(&self, key: &'static str) -> Option<BTreeMap<String, At<Decimal>>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table of numbers in quotes");
            return None;
        };
        let mut all = BTreeMap::new();
        for (name, value) in table {
            all.insert(name.get_ref().to_string(), self.decimal_of(name.get_ref(), value)?);
        }
        Some(all)
    }

    /// Whether the value is a table, through `local.` too.
    pub fn is_table(&self, key: &'static str) -> bool {
        let asked = self.asked.borrow().len();
        let is = self.value(key).is_some_and(|value| value.get_ref().is_table());
        self.asked.borrow_mut().truncate(asked);
        is
    }

    pub fn date(&self, key: &'static str) -> Option<At<Date>> {
        let value = self.value(key)?;
        let date =
            value.get_ref().as_str().filter(|text| text.len() == 10).and_then(|text| text.parse().ok());
        if date.is_none() {
            self.wrong(key, value, "a date in quotes, such as \"2019-11-01\"");
        }
        Some(At { value: date?, span: value.span() })
    }

    /// One of `words`.
    pub fn word<T: Copy>(&self, key: &'static str, words: &[(&'static str, T)]) -> Option<T> {
        let at = self.text_at(key)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == at.value) {
            return Some(*value);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let cure = match nearest(&at.value, known.iter().copied()) {
            Some(near) => Msg::DidYouMean { near: near.to_string() },
            None => Msg::OneOf { known: known.join(", ") },
        };
        self.fault(at.span, Msg::UnknownWord { key: self.path_of(key), value: at.value }, Some(cure));
        None
    }

    /// The index of the id that `key` names among `known`.
    pub fn reference(&self, key: &'static str, known: &[String]) -> Option<usize> {
        let at = self.text_at(key)?;
        self.find_reference(&self.path_of(key), &at, known)
    }

    pub fn find_reference(&self, key: &str, at: &At<String>, known: &[String]) -> Option<usize> {
        let found = known.iter().position(|id| *id == at.value);
        if found.is_none() {
            let cure = match nearest(&at.value, known.iter().map(String::as_str)) {
                Some(near) => Msg::DidYouMean { near: near.to_string() },
                None => Msg::OneOf { known: known.join(", ") },
            };
            self.fault(
                at.span.clone(),
                Msg::UnknownWord { key: key.to_string(), value: at.value.clone() },
                Some(cure),
            );
        }
        found
    }

    pub fn table(&self, key: &'static str) -> Option<Reader<'t>> {
        let value = self.raw(key)?;
        match value.get_ref().as_table() {
            Some(table) => Some(Reader::new(self.sheet, table, value.span(), self.path_of(key))),
            None => {
                self.fault(value.span(), Msg::WantedTable { key: self.path_of(key) }, None);
                None
            }
        }
    }

    /// The tables of a list: `[[source]]`, or `share = [{ … }]`.
    pub fn tables(&self, key: &'static str) -> Vec<Reader<'t>> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.fault(value.span(), Msg::WantedTables { key: self.path_of(key) }, None);
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (at, item) in array.iter().enumerate() {
            match item.get_ref().as_table() {
                Some(table) => {
                    let name = format!("{}[{}]", self.path_of(key), at + 1);
                    tables.push(Reader::new(self.sheet, table, item.span(), name));
                }
                None => self.fault(item.span(), Msg::WantedTable { key: self.path_of(key) }, None),
            }
        }
        tables
    }

    /// Every key with its text: `[flags]`.
    pub fn all_texts(&self) -> Vec<(At<String>, String)> {
        let mut all = Vec::new();
        for (key, value) in self.table {
            match value.get_ref().as_str() {
                Some(text) => {
                    all.push((At { value: key.get_ref().to_string(), span: key.span() }, text.to_string()))
                }
                None => self.wrong(key.get_ref(), value, "text"),
            }
        }
        all
    }

    /// Names a key that the table may have.
    pub fn mention(&self, key: &'static str) {
        self.asked.borrow_mut().push(key);
    }

    /// Keys that nobody asked for are faults.
    pub fn finish(self) {
        self.finish_if(true);
    }

    /// [`Reader::finish`]; where a fault hides which keys belong here (`all` is false), only those that
    /// look like a known one.
    pub fn finish_if(self, all: bool) {
        let asked = self.asked.borrow();
        for (key, _) in self.table {
            if asked.iter().any(|known| known == key.get_ref()) {
                continue;
            }
            let near = nearest(key.get_ref(), asked.iter().copied());
            let cure = match near {
                Some(near) => Msg::DidYouMean { near: near.to_string() },
                None if all => Msg::OneOf { known: asked.join(", ") },
                None => continue,
            };
            let fact = Msg::UnknownKey { key: key.get_ref().to_string(), table: self.name.clone() };
            self.fault(key.span(), fact, Some(cure));
        }
    }
}

/// Digits with at most one point, as a rule file writes figures.
pub fn plain_decimal(text: &str) -> Option<Decimal> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    // Nine digits before and behind the point: whatever is multiplied with another stays exact.
    (digits(whole) && digits(decimals) && whole.len() <= 9 && decimals.len() <= 9)
        .then(|| Decimal::from_str_exact(text).ok())?
}
