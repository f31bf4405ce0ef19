//! One table of a workbook as an office prints it: a title over all columns, the unit, a header that is repeated on
//! each page, numbered rows, a sum row of formulas, and lines to sign on. Rows are written once, in their order, and
//! not kept; what does not fit on one sheet goes on on the next.

use anyhow::Result;
use rust_decimal::Decimal;
use rust_xlsxwriter::{
    ConditionalFormatFormula, Format, FormatAlign, FormatBorder, Formula, Workbook, Worksheet,
    column_number_to_name,
};
use unicode_width::UnicodeWidthStr;

use crate::base::money::Fen;
use crate::words::{Lang, Phrase, phrase};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Sentences, over several lines where they are long.
    Words,
    Count,
    Money,
    Number,
}

pub struct Column {
    pub title: String,
    pub kind: Kind,
    /// In half characters.
    pub width: usize,
    /// Added up in the sum row.
    pub sum: bool,
}

impl Column {
    pub fn new(title: impl Into<String>, kind: Kind, width: usize) -> Column {
        Column { title: title.into(), kind, width, sum: false }
    }

    pub fn summed(title: impl Into<String>, kind: Kind) -> Column {
        Column { sum: true, ..Column::new(title, kind, 9) }
    }
}

pub enum Cell {
    Text(String),
    Count(u64),
    Money(Fen),
    Number(Decimal),
    None,
}

impl Cell {
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// A ratio or score, where there is one.
    pub fn number(number: Option<Decimal>) -> Cell {
        number.map_or(Cell::None, Cell::Number)
    }

    pub fn money(amount: Option<Fen>) -> Cell {
        amount.map_or(Cell::None, Cell::Money)
    }

    /// How wide it stands, in half characters.
    pub fn width(&self) -> usize {
        match self {
            Cell::Text(text) => text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0),
            Cell::Count(count) => count.to_string().len(),
            Cell::Money(amount) => amount.grouped().len(),
            Cell::Number(number) => number.normalize().to_string().len(),
            Cell::None => 0,
        }
    }
}

/// Of a sheet: everything but its rows.
pub struct Head {
    pub sheet: String,
    pub title: String,
    /// Under the title, to the left and to the right.
    pub about: String,
    pub unit: String,
    pub columns: Vec<Column>,
    /// Under the table, over its whole width.
    pub foot: Vec<String>,
}

/// The looks of cells. All are made known to the workbook in one order, so that sheets that are written side by side
/// number them alike.
#[derive(Clone)]
pub struct Looks {
    pub title: Format,
    pub about: Format,
    pub unit: Format,
    pub header: Format,
    pub text: Format,
    pub words: Format,
    pub count: Format,
    pub money: Format,
    pub number: Format,
    /// In the place of an amount that is not known yet.
    pub waits: Format,
    pub row_number: Format,
    pub sum_word: Format,
    pub sum_count: Format,
    pub sum_money: Format,
    pub sum_empty: Format,
    pub foot: Format,
    pub section: Format,
    /// Of whole columns of long tables, in the order of kinds: a look that is named with each cell is looked up with
    /// each, which takes longer than the cell.
    columns: [Format; 5],
    column_number: Format,
    lines: Format,
}

const MONEY: &str = "#,##0.00;[Red]-#,##0.00";

impl Looks {
    pub fn known_to(book: &mut Workbook) -> Looks {
        let plain =
            || Format::new().set_font_name("宋体").set_font_size(10).set_align(FormatAlign::VerticalCenter);
        let boxed = || plain().set_border(FormatBorder::Thin);
        let sum = || boxed().set_bold().set_border_top(FormatBorder::Medium);
        let looks = Looks {
            title: plain().set_font_size(16).set_bold().set_align(FormatAlign::Center),
            about: plain().set_align(FormatAlign::Left).set_text_wrap(),
            unit: plain().set_align(FormatAlign::Right),
            header: boxed()
                .set_bold()
                .set_align(FormatAlign::Center)
                .set_text_wrap()
                .set_background_color("E7ECEF"),
            text: boxed().set_num_format("@").set_align(FormatAlign::Left),
            words: boxed().set_num_format("@").set_align(FormatAlign::Left).set_text_wrap(),
            count: boxed().set_num_format("#,##0"),
            money: boxed().set_num_format(MONEY),
            number: boxed().set_align(FormatAlign::Right),
            waits: boxed().set_align(FormatAlign::Right),
            row_number: boxed().set_align(FormatAlign::Center),
            sum_word: sum().set_align(FormatAlign::Center),
            sum_count: sum().set_num_format("#,##0"),
            sum_money: sum().set_num_format(MONEY),
            sum_empty: sum(),
            foot: plain().set_text_wrap().set_align(FormatAlign::Left),
            section: plain().set_bold().set_font_size(12),
            columns: [
                plain().set_num_format("@").set_align(FormatAlign::Left),
                plain().set_num_format("@").set_align(FormatAlign::Left).set_text_wrap(),
                plain().set_num_format("#,##0"),
                plain().set_num_format(MONEY),
                plain().set_align(FormatAlign::Right),
            ],
            column_number: plain().set_align(FormatAlign::Center),
            lines: Format::new().set_border(FormatBorder::Thin),
        };
        let Looks { title, about, unit, header, text, words, count, money, number, .. } = &looks;
        for look in [title, about, unit, header, text, words, count, money, number] {
            book.register_format(look);
        }
        let Looks { waits, row_number, sum_word, sum_count, sum_money, sum_empty, foot, section, .. } =
            &looks;
        for look in [waits, row_number, sum_word, sum_count, sum_money, sum_empty, foot, section] {
            book.register_format(look);
        }
        looks.columns.iter().chain([&looks.column_number]).for_each(|look| book.register_format(look));
        looks
    }
}

/// Of a column: counts and amounts.
type Sum = (u64, Fen);

/// A sheet's name and its last row, from 1.
type Span = (String, u32);

/// A row of a sheet, by Excel's own limit.
pub const MOST_ROWS: usize = 1_048_576;

/// Above the first row of a table, and below its last.
const ABOVE: usize = 3;
const BELOW: usize = 40;

/// How many sheets so many rows take.
pub fn sheets_for(rows: usize, most: usize) -> usize {
    rows.div_ceil(most - ABOVE - BELOW).max(1)
}

/// Writes a table over `sheets`, as many as [`sheets_for`] says.
pub fn write(
    mut sheets: Vec<Worksheet>,
    head: &Head,
    rows: impl Iterator<Item = Vec<Cell>>,
    (looks, lang, most): (&Looks, Lang, usize),
) -> Result<Vec<Worksheet>> {
    let room = most - ABOVE - BELOW;
    let mut sums: Vec<Sum> = vec![Default::default(); head.columns.len()];
    let mut spans = Vec::new();
    let (mut rows, mut number) = (rows.peekable(), 0);
    for (nth, sheet) in sheets.iter_mut().enumerate() {
        let name = if nth == 0 { head.sheet.clone() } else { format!("{} ({})", head.sheet, nth + 1) };
        begin(sheet, head, &name, looks, lang)?;
        let mut at = ABOVE as u32;
        for cells in rows.by_ref().take(room) {
            number += 1;
            if at == ABOVE as u32 {
                header(sheet, &head.columns, looks, lang)?;
            }
            row(sheet, at, number, &head.columns, cells, &mut sums)?;
            at += 1;
        }
        let last = at.max(ABOVE as u32 + 1) - 1;
        sheet.autofilter(ABOVE as u32 - 1, 0, last, head.columns.len() as u16)?;
        let lines = ConditionalFormatFormula::new().set_rule("=TRUE()").set_format(&looks.lines);
        sheet.add_conditional_format(ABOVE as u32, 0, last, head.columns.len() as u16, &lines)?;
        spans.push((name, at));
        if rows.peek().is_none() {
            end(sheet, at, head, (&sums, &spans), looks, lang)?;
        }
    }
    Ok(sheets)
}

/// Print set-up and the lines above the rows.
fn begin(sheet: &mut Worksheet, head: &Head, name: &str, looks: &Looks, lang: Lang) -> Result<()> {
    page(sheet, name, lang)?;
    let last = head.columns.len() as u16;
    sheet.set_freeze_panes(ABOVE as u32, 0)?.set_repeat_rows(0, ABOVE as u32 - 1)?;
    sheet.set_column_width(0, 6)?.set_column_format(0, &looks.column_number)?;
    for (at, column) in head.columns.iter().enumerate() {
        let title = column.title.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
        // One more for the border, one for fonts with wide digits, and two for the filter's arrow.
        let more = if column.kind == Kind::Money { 2 } else { 1 };
        sheet.set_column_width(at as u16 + 1, (column.width + more).max(title + 3) as u32)?;
        sheet.set_column_format(at as u16 + 1, &looks.columns[column.kind as usize])?;
    }
    sheet.set_row_height(0, 30)?;
    sheet.merge_range(0, 0, 0, last, &head.title, &looks.title)?;
    // The unit stands over the last two columns, which an amount needs anyway.
    let about = if head.unit.is_empty() { last } else { last.saturating_sub(2) };
    let widths = head.columns.iter().take(about.into()).map(|column| column.width + 1);
    let lines = lines_of(&Cell::text(&head.about), 6 + widths.sum::<usize>());
    sheet.set_row_height(1, height(lines).max(18))?;
    sheet.merge_range(1, 0, 1, about, &fitting(head.about.as_str()), &looks.about)?;
    if !head.unit.is_empty() {
        sheet.merge_range(1, last.saturating_sub(1), 1, last, &head.unit, &looks.unit)?;
    }
    sheet.set_row_height(2, 30)?;
    Ok(())
}

/// A4 across, as wide as the page, numbered.
pub fn page(sheet: &mut Worksheet, name: &str, lang: Lang) -> Result<()> {
    sheet.set_name(name)?.set_default_row_height(17);
    sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 0).set_print_center_horizontally(true);
    sheet
        .set_margins(0.3, 0.3, 0.6, 0.7, 0.3, 0.35)
        .set_footer(format!("&C{}", phrase(lang, Phrase::DocPage, &[])));
    Ok(())
}

fn row(
    sheet: &mut Worksheet,
    at: u32,
    number: u64,
    columns: &[Column],
    cells: Vec<Cell>,
    sums: &mut [Sum],
) -> Result<()> {
    let lines = columns.iter().zip(&cells).filter(|(column, _)| column.kind == Kind::Words);
    let lines = lines.map(|(column, cell)| lines_of(cell, column.width)).max().unwrap_or(1);
    if lines > 1 {
        sheet.set_row_height(at, height(lines))?;
    }
    sheet.write_number(at, 0, u32::try_from(number)?)?;
    for (nth, cell) in cells.into_iter().enumerate() {
        let place = nth as u16 + 1;
        match cell {
            Cell::Text(text) => sheet.write_string(at, place, fitting(text))?,
            Cell::Count(count) => {
                sums[nth].0 += count;
                plain_number(sheet, at, place, &count.to_string())?
            }
            Cell::Money(amount) => {
                sums[nth].1 += amount;
                plain_number(sheet, at, place, &amount.to_string())?
            }
            Cell::Number(value) => plain_number(sheet, at, place, &value.normalize().to_string())?,
            Cell::None => sheet,
        };
    }
    Ok(())
}

fn header(sheet: &mut Worksheet, columns: &[Column], looks: &Looks, lang: Lang) -> Result<()> {
    let at = ABOVE as u32 - 1;
    sheet.write_string_with_format(at, 0, phrase(lang, Phrase::DocNumber, &[]), &looks.header)?;
    for (column, known) in columns.iter().enumerate() {
        sheet.write_string_with_format(at, column as u16 + 1, &known.title, &looks.header)?;
    }
    Ok(())
}

/// The number of a row.
pub fn numbered(sheet: &mut Worksheet, row: u32, nth: u64, looks: &Looks) -> Result<()> {
    number(sheet, row, 0, &nth.to_string(), &looks.row_number)
}

/// A cell in the look of its column.
pub fn put(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell,
    kind: Kind,
    looks: &Looks,
) -> Result<()> {
    match cell {
        Cell::Text(text) => {
            let look = match kind {
                Kind::Words => &looks.words,
                Kind::Money | Kind::Number => &looks.waits,
                _ => &looks.text,
            };
            sheet.write_string_with_format(row, column, fitting(text.as_str()), look)?;
        }
        Cell::Count(count) => {
            number(sheet, row, column, &count.to_string(), &looks.count)?;
        }
        Cell::Money(amount) => number(sheet, row, column, &amount.to_string(), &looks.money)?,
        Cell::Number(value) => number(sheet, row, column, &value.normalize().to_string(), &looks.number)?,
        Cell::None => {
            sheet.write_blank(row, column, &looks.text)?;
        }
    }
    Ok(())
}

/// A workbook keeps numbers as binary floats, which hold fifteen digits: the nearest one is what a person who types
/// the number gets. A longer one stands as text.
#[allow(clippy::disallowed_types)]
fn float(text: &str) -> Option<f64> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    text.parse().ok().filter(|_| digits <= 15)
}

fn plain_number<'s>(
    sheet: &'s mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
) -> Result<&'s mut Worksheet> {
    Ok(match float(text) {
        Some(number) => sheet.write_number(row, column, number)?,
        None => sheet.write_string(row, column, text)?,
    })
}

pub fn number(sheet: &mut Worksheet, row: u32, column: u16, text: &str, look: &Format) -> Result<()> {
    match float(text) {
        Some(number) => sheet.write_number_with_format(row, column, number, look)?,
        None => sheet.write_string_with_format(row, column, text, look)?,
    };
    Ok(())
}

/// A cell holds 32,767 characters; nobody reads as many.
pub fn fitting(text: impl Into<String>) -> String {
    const MOST: usize = 8_000;
    let text = text.into();
    if text.len() <= MOST {
        return text;
    }
    text.chars().take(MOST / 4).chain(['…']).collect()
}

/// Over how many lines a cell stands in a column so wide.
pub fn lines_of(cell: &Cell, width: usize) -> usize {
    let Cell::Text(text) = cell else { return 1 };
    // A word is not broken, so of several lines few are full.
    let room = (width * 9 / 10).max(1);
    let lines = |line: &str| if line.width() <= width { 1 } else { line.width().div_ceil(room) };
    text.lines().map(lines).sum::<usize>().max(1)
}

/// Of a row with so many lines, in points; no row is higher than 409.
pub fn height(lines: usize) -> u32 {
    (lines as u32 * 14 + 3).min(409)
}

/// The sum row, and what stands under the table.
fn end(
    sheet: &mut Worksheet,
    at: u32,
    head: &Head,
    (sums, spans): (&[Sum], &[Span]),
    looks: &Looks,
    lang: Lang,
) -> Result<()> {
    let mut at = at;
    if at == ABOVE as u32 && spans.len() == 1 {
        header(sheet, &head.columns, looks, lang)?;
        let last = head.columns.len() as u16;
        sheet.merge_range(at, 0, at, last, &phrase(lang, Phrase::DocNone, &[]), &looks.text)?;
        at += 1;
    } else if head.columns.iter().any(|column| column.sum) {
        sheet.write_string_with_format(at, 0, phrase(lang, Phrase::DocTotal, &[]), &looks.sum_word)?;
        for (nth, (column, (count, amount))) in head.columns.iter().zip(sums).enumerate() {
            let place = nth as u16 + 1;
            if !column.sum {
                sheet.write_blank(at, place, &looks.sum_empty)?;
                continue;
            }
            let letter = column_number_to_name(place);
            let range = |(name, end): &Span| format!("'{name}'!{letter}{}:{letter}{end}", ABOVE + 1);
            let ranges = match spans {
                [(_, end)] => format!("{letter}{}:{letter}{end}", ABOVE + 1),
                _ => spans.iter().map(range).collect::<Vec<_>>().join(","),
            };
            let (result, look) = match column.kind {
                Kind::Money => (amount.to_string(), &looks.sum_money),
                _ => (count.to_string(), &looks.sum_count),
            };
            let formula = Formula::new(format!("=SUM({ranges})")).set_result(result);
            sheet.write_formula_with_format(at, place, formula, look)?;
        }
        at += 1;
    }
    let width =
        6 + head.columns.iter().map(|column| column.width.max(column.title.width() + 2) + 2).sum::<usize>();
    for line in &head.foot {
        sheet.set_row_height(at, height(lines_of(&Cell::text(line), width)).max(22))?;
        sheet.merge_range(at, 0, at, head.columns.len() as u16, &fitting(line.as_str()), &looks.foot)?;
        at += 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::*;

    fn parts(book: &mut Workbook) -> Vec<(String, String)> {
        let bytes = book.save_to_buffer().expect("a workbook");
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).expect("a zip file");
        (0..zip.len())
            .map(|at| {
                let mut part = zip.by_index(at).expect("a part");
                let mut text = String::new();
                part.read_to_string(&mut text).expect("text");
                (part.name().expect("a name").to_string(), text)
            })
            .collect()
    }

    #[test]
    fn rows_that_do_not_fit_go_on_on_the_next_sheet_and_are_summed_over_all() {
        let mut book = Workbook::new();
        let looks = Looks::known_to(&mut book);
        let (rows, most) = (25usize, ABOVE + BELOW + 10);
        assert_eq!(sheets_for(rows, most), 3);
        assert_eq!((sheets_for(0, most), sheets_for(10, most), sheets_for(11, most)), (1, 1, 2));
        let sheets = (0..3).map(|_| book.new_worksheet_with_constant_memory().expect("a sheet")).collect();
        let text = |title: &str| Column::new(title, Kind::Text, 9);
        let head = Head {
            sheet: "明细".into(),
            title: "表".into(),
            about: "关于".into(),
            unit: "单位：元".into(),
            columns: vec![text("甲"), text("乙"), Column::summed("应付", Kind::Money)],
            foot: vec!["合计".into()],
        };
        let cells = (1..=rows as i64)
            .map(|at| vec![Cell::text("=1+1"), Cell::text("<b>&\u{1}"), Cell::Money(Fen(at * 101))]);
        let sheets = write(sheets, &head, cells, (&looks, Lang::Zh, most)).expect("written");
        sheets.into_iter().for_each(|sheet| book.push_worksheet(sheet));
        let parts = parts(&mut book);
        let part = |name: &str| &parts.iter().find(|(part, _)| part == name).expect("a part").1;
        let book = part("xl/workbook.xml");
        for name in ["name=\"明细\"", "name=\"明细 (2)\"", "name=\"明细 (3)\"", "明细 (3)'!$1:$3"] {
            assert!(book.contains(name), "{name}");
        }
        let last = part("xl/worksheets/sheet3.xml");
        let sum = "SUM('明细'!D4:D13,'明细 (2)'!D4:D13,'明细 (3)'!D4:D8)</f><v>328.25</v>";
        assert!(last.contains(sum), "{last}");
        assert!(!part("xl/worksheets/sheet1.xml").contains("<f>"), "no formula but the sum");
        assert!(last.contains("&lt;b&gt;&amp;_x0001_") && last.contains(">=1+1<"));
    }
}
