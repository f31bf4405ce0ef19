//! A table of a rule file being read: keys and values with their place, each asked for by name.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use rust_decimal::Decimal;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::base::diagnostic::nearest;
use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::Date;

use super::Clause;
use super::file::Sheet;

/// What only a second pass over everyone could work out, by parts of the names that people give it.
const SECOND_PASS: [&str; 11] = [
    "budget",
    "total_cap",
    "point_value",
    "floating",
    "redistribut",
    "surplus",
    "pool",
    "预算",
    "点值",
    "总额",
    "结余",
];

/// A table being read. Each key that is asked for is known; what is left at the end is a fault.
pub struct Reader<'t> {
    pub sheet: &'t Sheet<'t>,
    pub(super) table: &'t DeTable<'t>,
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

impl<'t> Reader<'t> {
    pub fn new(sheet: &'t Sheet<'t>, table: &'t DeTable<'t>, span: Range<usize>, name: String) -> Reader<'t> {
        Reader { sheet, table, span, name, asked: RefCell::default() }
    }

    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub fn fault(&self, span: Range<usize>, fact: Msg, cure: Option<Msg>) {
        self.sheet.fault_of(span, fact, cure, self.cited());
    }

    /// The clause that the table cites.
    pub fn cited(&self) -> Option<String> {
        let clause = self.table.get("clause")?.get_ref().as_str()?;
        (!clause.is_empty()).then(|| clause.to_string())
    }

    fn path_of(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_string() } else { format!("{}.{key}", self.name) }
    }

    fn missing(&self, key: &'static str) {
        let table = ["policy", "charge", "institutions", "overlap"].contains(&key) && self.name.is_empty();
        let cure = match table {
            true => Msg::AddTable { key: key.to_string() },
            false => Msg::AddKey { key: key.to_string() },
        };
        self.fault(
            self.span(),
            Msg::MissingKey { table: self.name.clone(), key: key.to_string() },
            Some(cure),
        );
    }

    pub(super) fn raw(&self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
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
        // `local.weights.quality` is one entry of a figure that is a table.
        let (id, entry) = id.split_once('.').map_or((id, None), |(id, entry)| (id, Some(entry)));
        let local = self.sheet.local.borrow();
        self.sheet.used.borrow_mut().push(id.to_string());
        let unknown = |known: Vec<String>, id: String| {
            let cure = nearest(&id, known.iter().map(String::as_str))
                .map(|near| Msg::DidYouMean { near: format!("local.{near}") });
            self.fault(value.span(), Msg::NoSuchLocal { id }, cure);
            None
        };
        let Some(figure) = local.get(id).map(|one| one.value) else {
            return unknown(local.keys().cloned().collect(), id.to_string());
        };
        // An open figure is told once, at its own place.
        let figure = figure?;
        let Some(entry) = entry else { return Some(figure) };
        let entries = figure.get_ref().as_table();
        match entries.and_then(|entries| entries.get(entry)) {
            Some(value) => Some(value),
            None => {
                let known = entries.into_iter().flatten().map(|(key, _)| format!("{id}.{}", key.get_ref()));
                unknown(known.collect(), format!("{id}.{entry}"))
            }
        }
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'t>>, wanted: &'static str) {
        let cure = (matches!(value.get_ref(), DeValue::Float(_) | DeValue::Integer(_))
            && !wanted.contains("whole"))
        .then(|| Msg::WriteAsString { text: self.sheet.written(value.span()).to_string() });
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

    /// A text or whole number, without a word where it is none.
    pub fn text_quietly(&self, key: &str) -> Option<String> {
        let value = self.table.get(key)?.get_ref();
        let text = value.as_str().map(str::to_string);
        text.or_else(|| Some(value.as_integer()?.as_str().to_string()))
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

    /// A text, or a list of them.
    pub fn text_or_texts(&self, key: &'static str) -> Vec<At<String>> {
        if !self.is_list(key) {
            return self.text_at(key).into_iter().collect();
        }
        let texts = self.texts(key);
        // None of nothing holds for nobody: what was meant can't be told.
        if let Some(value) =
            self.value(key).filter(|value| value.get_ref().as_array().is_some_and(|list| list.is_empty()))
        {
            self.wrong(key, value, "a list of texts");
        }
        texts
    }

    /// The indices of the ids that `key` names among `known`: one, or a list.
    pub fn references(&self, key: &'static str, known: &[String]) -> Vec<usize> {
        let names = self.text_or_texts(key);
        names.iter().filter_map(|at| self.find_reference(&self.path_of(key), at, known)).collect()
    }

    pub fn texts(&self, key: &'static str) -> Vec<At<String>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of texts");
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_str().filter(|text| !text.trim().is_empty()) {
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

    /// A ratio that may pay more than all: 0 to 2.
    pub fn ratio_over(&self, key: &'static str) -> Option<At<Decimal>> {
        let at = self.decimal(key)?;
        if at.value > super::curve::MOST_RATIO {
            self.fault(at.span, Msg::RatioOver { key: self.path_of(key) }, None);
            return None;
        }
        Some(at)
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
        // More than any fee of one head: products of it stay far from what a number can hold.
        if at.value >= Decimal::from(1_000_000) {
            self.fault(at.span, Msg::MoneyTooMuch { key: self.path_of(key) }, None);
            return None;
        }
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

    /// Whether the value is a list, through `local.` too.
    pub fn is_list(&self, key: &'static str) -> bool {
        let asked = self.asked.borrow().len();
        let is = self.value(key).is_some_and(|value| value.get_ref().is_array());
        self.asked.borrow_mut().truncate(asked);
        is
    }

    /// Whether the value is a list of tables.
    pub fn is_table_list(&self, key: &'static str) -> bool {
        let list = self.table.get(key).and_then(|value| value.get_ref().as_array());
        list.is_some_and(|list| list.iter().all(|one| one.get_ref().is_table()))
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

    /// One table, or a list of them.
    pub fn table_or_tables(&self, key: &'static str) -> Vec<Reader<'t>> {
        if self.is_list(key) { self.tables(key) } else { self.table(key).into_iter().collect() }
    }

    /// A date, or a first and last one: `2025-10-01`, `2025-10-01..2025-10-08`.
    pub fn date_range(&self, key: &'static str, at: &At<String>) -> Option<(Date, Date)> {
        let (first, last) = at.value.split_once("..").unwrap_or((&at.value, &at.value));
        let day = |text: &str| (text.len() == 10).then(|| text.parse().ok()).flatten();
        let range = day(first).zip(day(last)).filter(|(first, last): &(Date, Date)| first <= last);
        if range.is_none() {
            let wanted = "dates in quotes, such as \"2025-10-01\" or \"2025-10-01..2025-10-08\"";
            self.fault(at.span.clone(), Msg::WrongValue { key: self.path_of(key), wanted }, None);
        }
        range
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
            if SECOND_PASS.iter().any(|part| key.get_ref().to_lowercase().contains(part)) {
                let fact = Msg::SecondPass { key: key.get_ref().to_string() };
                self.fault(key.span(), fact, Some(Msg::SettleThatElsewhere));
                continue;
            }
            let near = nearest(key.get_ref(), asked.iter().copied());
            let cure = match near {
                Some(near) => Msg::DidYouMean { near: near.to_string() },
                None if all => {
                    let mut known: Vec<&str> = asked.clone();
                    known.sort_unstable();
                    known.dedup();
                    Msg::OneOf { known: known.join(", ") }
                }
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
