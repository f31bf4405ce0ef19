//! Number formats → what of a number they show: a day, a share of a hundred, or the number.

use std::collections::HashMap;
use std::io;

use quick_xml::events::Event;

use super::parts::{Parts, attribute, damaged};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Number,
    Percent,
    /// A day, with its time where it has one.
    Day,
    /// A year and month without a day.
    Month,
}

/// The format of each style that cells name.
#[derive(Default)]
pub struct Formats(Vec<Format>);

/// No workbook has more styles, nor formats of its own.
const MOST_STYLES: usize = 100_000;

impl Formats {
    pub fn read(parts: &Parts, name: &str) -> io::Result<Formats> {
        let Some(mut xml) = parts.xml(name)? else { return Ok(Formats::default()) };
        let (mut own, mut styles, mut in_cells) = (HashMap::new(), Vec::new(), false);
        loop {
            match xml.next()? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "numFmt" => {
                        own.insert(
                            attribute(&element, "numFmtId")?,
                            of_code(&attribute(&element, "formatCode")?),
                        );
                    }
                    "cellXfs" => in_cells = true,
                    "xf" if in_cells => {
                        let id = attribute(&element, "numFmtId")?;
                        let built_in = || id.parse().map_or(Format::Number, of_built_in);
                        styles.push(own.get(&id).copied().unwrap_or_else(built_in));
                    }
                    _ => {}
                },
                Event::End(element) if element.local_name().as_ref() == "cellXfs" => in_cells = false,
                Event::Eof => return Ok(Formats(styles)),
                _ => {}
            }
            if own.len().max(styles.len()) > MOST_STYLES {
                return Err(damaged());
            }
        }
    }

    /// Of the style that a cell names; none is the first one.
    pub fn of(&self, style: Option<&str>) -> Format {
        let at = style.map_or(Some(0), |style| style.parse().ok());
        at.and_then(|at: usize| self.0.get(at)).copied().unwrap_or(Format::Number)
    }
}

/// Formats that a file does not write out, as a Chinese Excel has them.
fn of_built_in(id: u32) -> Format {
    match id {
        9 | 10 => Format::Percent,
        17 | 27 | 36 | 50 | 52 | 57 => Format::Month,
        14..=22 | 28..=35 | 45..=47 | 51 | 53..=56 | 58 => Format::Day,
        _ => Format::Number,
    }
}

/// What a format code shows: its first part, without what is quoted, escaped or in brackets.
fn of_code(code: &str) -> Format {
    let (mut letters, mut quoted, mut bracket, mut literal) = (String::new(), false, None, false);
    let mut elapsed = false;
    for c in code.chars() {
        match c {
            _ if literal => literal = false,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '\\' | '_' | '*' => literal = true,
            '[' => bracket = Some(String::new()),
            // `[h]:mm` counts hours.
            ']' => {
                let inside = bracket.take().unwrap_or_default();
                elapsed |= !inside.is_empty() && inside.bytes().all(|byte| b"hms".contains(&byte));
            }
            _ => match &mut bracket {
                Some(inside) => inside.push(c.to_ascii_lowercase()),
                None if c == ';' => break,
                None => letters.push(c.to_ascii_lowercase()),
            },
        }
    }
    let letters = letters.replace("general", "").replace("e+", "").replace("e-", "");
    let has = |wanted: &[char]| letters.contains(wanted);
    if !elapsed && !has(&['y', 'm', 'd', 'h', 's']) {
        return if has(&['%']) { Format::Percent } else { Format::Number };
    }
    let month = has(&['y', 'e']) && has(&['m']) && !has(&['d', 'h', 's', 'a']);
    if month && !elapsed { Format::Month } else { Format::Day }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_says_what_a_number_is() {
        for (code, format) in [
            ("General", Format::Number),
            ("0.00_ ", Format::Number),
            ("#,##0.00;[Red]-#,##0.00", Format::Number),
            ("0.00E+00", Format::Number),
            ("0\"day\"", Format::Number),
            ("\\d0", Format::Number),
            ("G/通用格式", Format::Number),
            ("¥#,##0.00", Format::Number),
            ("0.00%", Format::Percent),
            ("yyyy-mm-dd", Format::Day),
            ("yyyy\"年\"m\"月\"d\"日\";@", Format::Day),
            ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", Format::Day),
            ("yyyy/m/d h:mm:ss", Format::Day),
            ("[h]:mm:ss", Format::Day),
            ("yyyy\"年\"m\"月\"", Format::Month),
            ("[$-804]yyyy-mm;@", Format::Month),
            ("mmm-yy", Format::Month),
        ] {
            assert_eq!(of_code(code), format, "{code}");
        }
        assert_eq!(
            [0, 2, 9, 14, 17, 22, 31, 49, 57].map(of_built_in),
            [
                Format::Number,
                Format::Number,
                Format::Percent,
                Format::Day,
                Format::Month,
                Format::Day,
                Format::Day,
                Format::Number,
                Format::Month
            ]
        );
    }
}
