//! The first sheet: totals by source and by district, the sums in words, charts, and lines to sign on.

use anyhow::Result;
use rust_xlsxwriter::{Chart, ChartType, Formula, Worksheet, column_number_to_name};
use unicode_width::UnicodeWidthStr;

use crate::base::money::Fen;
use crate::report::findings::Findings;
use crate::report::names;
use crate::report::totals::{Total, districts, totals};
use crate::words::{Label, Phrase, label};

use super::table::{Cell, Kind, Looks, fitting, height, lines_of, number, numbered, page, put};

/// No., name, two counts, six amounts.
const COLUMNS: u16 = 10;
const AMOUNTS: [Label; 6] =
    [Label::Gross, Label::Prepay, Label::Final, Label::Posted, Label::Payable, Label::Recover];

/// The amount that is not known before the assessment.
const CLEARED: u16 = 6;

/// The charts still stand on the first page below so many rows.
const ROWS_ABOVE_CHARTS: u32 = 15;

/// So many rows of a table stand on a page.
const ROWS_OF_A_PAGE: usize = 20;

/// A row of either table.
struct Row {
    name: String,
    counts: [u64; 2],
    total: Total,
}

struct Summary<'a> {
    sheet: &'a mut Worksheet,
    findings: &'a Findings<'a>,
    looks: &'a Looks,
    name: String,
    /// How wide the column of names is, in half characters.
    named: usize,
    at: u32,
    /// Before which rows a page begins.
    breaks: Vec<u32>,
}

pub fn write(sheet: &mut Worksheet, findings: &Findings, looks: &Looks) -> Result<()> {
    let name = findings.words(Phrase::DocSheetSummary, &[]);
    page(sheet, &name, findings.lang())?;
    let mut summary = Summary { sheet, findings, looks, name, named: 0, at: 0, breaks: Vec::new() };
    summary.all()
}

impl Summary<'_> {
    fn word(&self, what: Phrase) -> String {
        self.findings.words(what, &[])
    }

    fn label(&self, what: Label) -> String {
        label(self.findings.lang(), what).to_string()
    }

    fn all(&mut self) -> Result<()> {
        let run = self.findings.run;
        let lang = self.findings.lang();
        let by_source = totals(run);
        let source = |(id, total): (&String, &Total)| Row {
            name: names::source(run, id, lang),
            counts: [total.count, total.held],
            total: *total,
        };
        let settled: Vec<Row> = by_source.iter().filter(|(_, total)| total.settled).map(source).collect();
        let shown: Vec<Row> = by_source.iter().filter(|(_, total)| !total.settled).map(source).collect();
        let by_district: Vec<Row> = districts(run)
            .into_iter()
            .map(|(name, district)| Row {
                name: if name.is_empty() { self.word(Phrase::DocNotGiven) } else { name.to_string() },
                counts: [district.institutions, district.admitted],
                total: district.total,
            })
            .collect();
        self.widths(settled.iter().chain(&shown).chain(&by_district))?;
        self.top()?;
        let heads = [self.label(Label::Source), self.label(Label::Count), self.label(Label::Held)];
        let first = self.table((Phrase::DocBySource, false), heads, &settled, &shown)?;
        let heads = [
            self.word(Phrase::DocDistrict),
            self.word(Phrase::DocInstitutions),
            self.word(Phrase::DocAdmitted),
        ];
        let second = self.table((Phrase::DocByDistrict, true), heads, &by_district, &[])?;
        for line in self.findings.foot(true) {
            self.line(&line)?;
        }
        // What is compared in charts begins a page, where it would be cut otherwise.
        if self.at + 1 > ROWS_ABOVE_CHARTS {
            self.breaks.push(self.at);
        }
        self.sheet.set_page_breaks(&self.breaks)?;
        let at = self.at + 1;
        if settled.is_empty() {
            return Ok(());
        }
        self.chart(at, 0, 420, Phrase::DocChartSource, first, &[5, 6, 8, 9])?;
        // Of one district there is nothing to compare, and of very many nothing can be seen.
        if (2..=ROWS_OF_A_PAGE).contains(&by_district.len()) {
            self.chart(at, 5, 500, Phrase::DocChartDistrict, second, &[8, 9])?;
        }
        Ok(())
    }

    fn widths<'r>(&mut self, rows: impl Iterator<Item = &'r Row>) -> Result<()> {
        let (mut name, mut amount) = (20, 12);
        let mut sum = Fen::ZERO;
        for row in rows {
            name = name.max(row.name.width()).min(44);
            sum += row.total.gross;
            amount = amount.max(sum.grouped().len());
        }
        self.named = name;
        self.sheet.set_column_width(0, 6)?.set_column_width(1, name as u32 + 2)?;
        self.sheet.set_column_width(2, 11)?.set_column_width(3, 11)?;
        for column in 4..COLUMNS {
            self.sheet.set_column_width(column, amount as u32 + 2)?;
        }
        Ok(())
    }

    fn top(&mut self) -> Result<()> {
        let (title, about, unit) =
            (self.word(Phrase::DocTitleSummary), self.findings.about(), self.word(Phrase::DocUnit));
        let last = COLUMNS - 1;
        self.sheet.set_row_height(0, 30)?.merge_range(0, 0, 0, last, &title, &self.looks.title)?;
        self.sheet.merge_range(1, 0, 1, last - 2, &fitting(about), &self.looks.about)?;
        self.sheet.merge_range(1, last - 1, 1, last, &unit, &self.looks.unit)?;
        self.sheet.set_freeze_panes(2, 0)?.set_repeat_rows(0, 1)?;
        self.at = 2;
        Ok(())
    }

    /// A line over the whole width.
    fn line(&mut self, text: &str) -> Result<()> {
        let lines = text.width().div_ceil(130).max(1) as u32;
        self.sheet.set_row_height(self.at, lines * 14 + 8)?;
        self.sheet.merge_range(self.at, 0, self.at, COLUMNS - 1, &fitting(text), &self.looks.foot)?;
        self.at += 1;
        Ok(())
    }

    /// Rows with their sum, then those that are only shown; gives the first and last of the rows.
    fn table(
        &mut self,
        (title, shown_once): (Phrase, bool),
        heads: [String; 3],
        rows: &[Row],
        shown: &[Row],
    ) -> Result<(u32, u32)> {
        let looks = self.looks;
        self.sheet.set_row_height(self.at, 24)?;
        self.sheet.write_string_with_format(self.at, 0, self.findings.words(title, &[]), &looks.section)?;
        self.at += 1;
        let amounts = AMOUNTS.map(|what| self.label(what));
        let heads = [self.word(Phrase::DocNumber)].into_iter().chain(heads).chain(amounts);
        let heads: Vec<String> = heads.collect();
        self.header(&heads)?;
        let first = self.at;
        for (nth, row) in rows.iter().enumerate() {
            // A page further on says again what stands in its columns.
            if nth > 0 && nth % ROWS_OF_A_PAGE == 0 {
                self.breaks.push(self.at);
                self.header(&heads)?;
            }
            self.row(nth as u64 + 1, row)?;
        }
        // Before the first where there are none.
        let last = self.at - 1;
        let all = rows.iter().fold(Total::default(), |mut all, row| {
            all.merge(&row.total);
            all
        });
        // A signing stands under each source that bears a part of it: added up it would count twice.
        let counts =
            shown_once.then(|| [0, 1].map(|at: usize| rows.iter().map(|row| row.counts[at]).sum::<u64>()));
        self.sum((first, last), counts, &all)?;
        for row in shown {
            let name = self.findings.words(Phrase::DocNotSettledHere, &[&row.name]);
            self.row_shown(&name, row)?;
        }
        self.at += 1;
        Ok((first, last))
    }

    fn header(&mut self, heads: &[String]) -> Result<()> {
        // English ones are longer than their columns; the first two and the amounts are wide enough.
        let lines = heads[2..4].iter().map(|head| lines_of(&Cell::text(head), 10)).max().unwrap_or(1);
        self.sheet.set_row_height(self.at, height(lines))?;
        for (column, head) in heads.iter().enumerate() {
            self.sheet.write_string_with_format(self.at, column as u16, head, &self.looks.header)?;
        }
        self.at += 1;
        Ok(())
    }

    fn cells(&self, row: &Row) -> [Cell; 6] {
        let Total { gross, prepay, last, posted, payable, recover, .. } = row.total;
        let cleared = last.map_or_else(|| Cell::text(self.label(Label::NoneYet)), Cell::Money);
        [
            Cell::Money(gross),
            Cell::Money(prepay),
            cleared,
            Cell::Money(posted),
            Cell::Money(payable),
            Cell::Money(recover),
        ]
    }

    fn row(&mut self, number: u64, row: &Row) -> Result<()> {
        let name = Cell::text(&row.name);
        self.make_room(&name)?;
        numbered(self.sheet, self.at, number, self.looks)?;
        put(self.sheet, self.at, 1, &name, Kind::Words, self.looks)?;
        for (column, count) in (2..).zip(row.counts) {
            put(self.sheet, self.at, column, &Cell::Count(count), Kind::Count, self.looks)?;
        }
        for (column, cell) in (4..).zip(self.cells(row)) {
            put(self.sheet, self.at, column, &cell, Kind::Money, self.looks)?;
        }
        self.at += 1;
        Ok(())
    }

    /// A row as high as its name takes.
    fn make_room(&mut self, name: &Cell) -> Result<()> {
        let lines = lines_of(name, self.named);
        if lines > 1 {
            self.sheet.set_row_height(self.at, height(lines))?;
        }
        Ok(())
    }

    fn row_shown(&mut self, name: &str, row: &Row) -> Result<()> {
        let name = Cell::text(name);
        self.make_room(&name)?;
        let cells = [Cell::None, name, Cell::Count(row.counts[0]), Cell::Count(row.counts[1])];
        let none = (0..5).map(|_| Cell::None);
        let cells = cells.into_iter().chain([Cell::Money(row.total.gross)]).chain(none);
        for (column, cell) in cells.enumerate() {
            let kind = if column == 1 { Kind::Words } else { Kind::Money };
            put(self.sheet, self.at, column as u16, &cell, kind, self.looks)?;
        }
        self.at += 1;
        Ok(())
    }

    fn sum(&mut self, (first, last): (u32, u32), counts: Option<[u64; 2]>, all: &Total) -> Result<()> {
        let looks = self.looks;
        let amounts =
            [all.gross, all.prepay, all.last.unwrap_or_default(), all.posted, all.payable, all.recover];
        self.sheet.write_string_with_format(self.at, 0, self.word(Phrase::DocTotal), &looks.sum_word)?;
        self.sheet.write_blank(self.at, 1, &looks.sum_empty)?;
        for column in 2..4 {
            self.sheet.write_blank(self.at, column, &looks.sum_empty)?;
        }
        let counts = counts.into_iter().flatten().map(|count| (count.to_string(), &looks.sum_count));
        let results =
            (2..).zip(counts).chain((4..).zip(amounts.map(|sum| (sum.to_string(), &looks.sum_money))));
        for (column, (result, look)) in results {
            let letter = column_number_to_name(column);
            if last < first {
                // Nothing to add up.
                number(self.sheet, self.at, column, &result, look)?;
            } else if column == CLEARED && all.last.is_none() {
                let word = self.label(Label::NoneYet);
                self.sheet.write_string_with_format(self.at, column, word, look)?;
            } else {
                let formula = format!("=SUM({letter}{}:{letter}{})", first + 1, last + 1);
                let formula = Formula::new(formula).set_result(result);
                self.sheet.write_formula_with_format(self.at, column, formula, look)?;
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Some amounts of a table's rows as columns side by side.
    fn chart(
        &mut self,
        at: u32,
        column: u16,
        width: u32,
        title: Phrase,
        (first, last): (u32, u32),
        of: &[u16],
    ) -> Result<()> {
        const COLORS: [&str; 4] = ["9DB4C0", "2B6A8F", "3C8D5A", "B4443C"];
        let mut chart = Chart::new(ChartType::Column);
        let title = self.findings.words(title, &[]);
        chart.title().set_name(&title);
        chart.set_alt_text(&title).set_width(width).set_height(260);
        let colors = &COLORS[COLORS.len() - of.len()..];
        for (amount, color) in of.iter().zip(colors) {
            let series = chart.add_series();
            series.set_categories((self.name.as_str(), first, 1, last, 1));
            series.set_values((self.name.as_str(), first, *amount, last, *amount));
            let label = self.label(AMOUNTS[usize::from(*amount) - 4]);
            series.set_name(&label).set_format(
                rust_xlsxwriter::ChartFormat::new()
                    .set_solid_fill(rust_xlsxwriter::ChartSolidFill::new().set_color(*color)),
            );
        }
        chart.legend().set_position(rust_xlsxwriter::ChartLegendPosition::Bottom);
        self.sheet.insert_chart(at, column, &chart)?;
        Ok(())
    }
}
