//! Number formats → what of a number they show: a day, a share of a hundred, or the number.

use calamine::Style;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Number,
    Percent,
    /// A day, with its time where it has one.
    Day,
    /// A year and month without a day.
    Month,
    Year,
    /// At least so many digits, zeros before them: how codes are kept that begin with zeros.
    Digits(u8),
}

impl Format {
    /// Of a style; what has no code is one that Excel has and a file does not write out.
    pub fn of(style: &Style) -> Format {
        style.number_format.as_ref().map_or(Format::Number, |format| {
            match (&*format.format_code, format.format_id) {
                ("General", Some(id)) => of_built_in(id),
                (code, _) => of_code(code),
            }
        })
    }
}

/// Formats of a Chinese Excel, whose codes are not told.
fn of_built_in(id: u32) -> Format {
    match id {
        27 | 36 | 50 | 52 | 57 => Format::Month,
        28..=35 | 51 | 53..=56 | 58 => Format::Day,
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
    // Only zeros, so that `00123` is seen of 123. What is quoted beside them is not: it is not the code's.
    if letters.len() > 1 && letters.bytes().all(|byte| byte == b'0') && !code.contains(['"', '\\', '%']) {
        return Format::Digits(letters.len().min(30) as u8);
    }
    let letters = letters.replace("general", "").replace("e+", "").replace("e-", "");
    let has = |wanted: &[char]| letters.contains(wanted);
    if !elapsed && !has(&['y', 'm', 'd', 'h', 's']) {
        return if has(&['%']) { Format::Percent } else { Format::Number };
    }
    let month = has(&['y', 'e']) && has(&['m']) && !has(&['d', 'h', 's', 'a']);
    if !elapsed && !has(&['m', 'd', 'h', 's', 'a']) {
        return Format::Year;
    }
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
            ("yyyy\"年\"", Format::Year),
            ("00000", Format::Digits(5)),
            ("0", Format::Number),
            ("0000;-0000", Format::Digits(4)),
        ] {
            assert_eq!(of_code(code), format, "{code}");
        }
        assert_eq!([0, 28, 57].map(of_built_in), [Format::Number, Format::Day, Format::Month]);
    }
}
