//! Amounts in capital numerals (人民币大写), as 《支付结算办法》 asks for on paper that is signed.

use crate::base::money::Fen;

const DIGITS: [char; 10] = ['零', '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖'];

/// `人民币壹仟肆佰零玖元伍角`: 整 stands behind whole yuan, a negative amount begins with 负.
pub fn capitals(amount: Fen) -> String {
    let fen = amount.0.unsigned_abs();
    let (yuan, jiao, fen) = (fen / 100, fen / 10 % 10, fen % 10);
    let mut out = String::from("人民币");
    if amount < Fen::ZERO {
        out.push('负');
    }
    if yuan > 0 || (jiao == 0 && fen == 0) {
        out += &whole(yuan);
        out.push('元');
    }
    let digit = |number: u64| DIGITS[number as usize];
    match (jiao, fen) {
        (0, 0) => out.push('整'),
        (0, fen) if yuan > 0 => out.extend(['零', digit(fen), '分']),
        (0, fen) => out.extend([digit(fen), '分']),
        (jiao, fen) => {
            // Where the yuan end in a nought it is said before the jiao.
            if yuan > 0 && yuan.is_multiple_of(10) {
                out.push('零');
            }
            out.extend([digit(jiao), '角']);
            if fen > 0 {
                out.extend([digit(fen), '分']);
            }
        }
    }
    out
}

/// A whole number: groups of four digits under 亿亿, 万亿, 亿 and 万, one 零 for each gap.
fn whole(number: u64) -> String {
    if number == 0 {
        return "零".into();
    }
    let mut out = String::new();
    let mut gap = false;
    for (size, name) in [
        (10_000u64.pow(4), "亿亿"),
        (10_000u64.pow(3), "万"),
        (10_000u64.pow(2), "亿"),
        (10_000, "万"),
        (1, ""),
    ] {
        let group = number / size % 10_000;
        // 万 of 亿 leaves 亿 to be said though its own group is empty.
        let of_yi = size == 10_000u64.pow(2) && !(number / 10_000u64.pow(3)).is_multiple_of(10_000);
        if group == 0 {
            if of_yi {
                out += name;
            }
            gap = !out.is_empty();
            continue;
        }
        if !out.is_empty() && (gap || group < 1_000) {
            out.push('零');
        }
        out += &group_of_four(group);
        out += name;
        gap = false;
    }
    out
}

fn group_of_four(group: u64) -> String {
    let mut out = String::new();
    let mut gap = false;
    for (size, name) in [(1_000, "仟"), (100, "佰"), (10, "拾"), (1, "")] {
        let digit = group / size % 10;
        if digit == 0 {
            gap = !out.is_empty();
            continue;
        }
        if gap {
            out.push('零');
        }
        out.push(DIGITS[digit as usize]);
        out += name;
        gap = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_banks_write_them() {
        for (fen, words) in [
            (0, "零元整"),
            (5, "伍分"),
            (10, "壹角"),
            (55, "伍角伍分"),
            (100, "壹元整"),
            (105, "壹元零伍分"),
            (1_000, "壹拾元整"),
            (10_000_110, "壹拾万零壹元壹角"),
            (1_000_000_000_000, "壹佰亿元整"),
            (140_950, "壹仟肆佰零玖元伍角"),
            (600_714, "陆仟零柒元壹角肆分"),
            (168_032, "壹仟陆佰捌拾元零叁角贰分"),
            (10_700_053, "壹拾万柒仟元零伍角叁分"),
            (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
            (32_504, "叁佰贰拾伍元零肆分"),
            (1_000_000, "壹万元整"),
            (1_000_100, "壹万零壹元整"),
            (1_010_000, "壹万零壹佰元整"),
            (10_000_000_000, "壹亿元整"),
            (10_000_000_100, "壹亿零壹元整"),
            (10_010_000_000, "壹亿零壹拾万元整"),
            (1_000_000_000_001, "壹佰亿元零壹分"),
            (100_000_000_000_000, "壹万亿元整"),
            (100_000_001_000_000, "壹万亿零壹万元整"),
            (100_010_000_000_000, "壹万零壹亿元整"),
            (-1_050, "负壹拾元零伍角"),
            (-5, "负伍分"),
            (123_456_789_012, "壹拾贰亿叁仟肆佰伍拾陆万柒仟捌佰玖拾元零壹角贰分"),
        ] {
            assert_eq!(capitals(Fen(fen)).strip_prefix("人民币"), Some(words), "{fen}");
        }
        // The largest amount there is has words too.
        assert!(capitals(Fen(i64::MAX)).ends_with('分'));
    }
}
