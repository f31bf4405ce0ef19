//! Charts as SVG, in whole units, each with a text for those who do not see it. Their colours are the page's.

use rust_decimal::Decimal;

use crate::base::money::half_up;
use crate::policy::curve::Curve;

use super::curves::curve_points;
use super::html::Html;
use super::rules::percent;

/// How far `value` reaches of a length, where `most` reaches all of it.
fn reach(value: Decimal, most: Decimal, length: i64) -> i64 {
    if most <= Decimal::ZERO {
        return 0;
    }
    half_up(value / most * Decimal::from(length), 0).try_into().unwrap_or(length)
}

/// Opens a chart that is so wide and high, with its text.
fn begin(html: &mut Html, (width, height): (i64, i64), text: &str) {
    let view = format!("0 0 {width} {height}");
    html.open("svg", &[("viewBox", &view), ("role", "img"), ("aria-label", text)]).tagged("title", text);
}

fn line(html: &mut Html, class: &str, (x1, y1): (i64, i64), (x2, y2): (i64, i64)) {
    let [x1, y1, x2, y2] = [x1, y1, x2, y2].map(|at| at.to_string());
    html.open("line", &[("class", class), ("x1", &x1), ("y1", &y1), ("x2", &x2), ("y2", &y2)]).close("line");
}

fn words(html: &mut Html, class: &str, (x, y): (i64, i64), text: &str) {
    let [x, y] = [x, y].map(|at| at.to_string());
    html.open("text", &[("class", class), ("x", &x), ("y", &y)]).text(text).close("text");
}

fn bar(html: &mut Html, class: &str, (x, y): (i64, i64), (width, height): (i64, i64)) {
    let [x, y, width, height] = [x, y, width, height].map(|at| at.to_string());
    html.open("rect", &[("class", class), ("x", &x), ("y", &y), ("width", &width), ("height", &height)]);
    html.close("rect");
}

/// A name that fits beside an amount; all of it stands in its tip.
fn short(name: &str) -> String {
    const MOST: usize = 24;
    if name.chars().count() <= MOST {
        name.to_string()
    } else {
        name.chars().take(MOST).chain(['…']).collect()
    }
}

/// One bar: its class, how long it is, and what stands beside it.
pub struct Bar {
    pub class: &'static str,
    pub value: Decimal,
    pub label: String,
}

/// So many groups stay together on a page.
const PART: usize = 4;

/// Bars across, in groups that have a name.
pub fn bars(html: &mut Html, text: &str, groups: &[(String, Vec<Bar>)]) {
    const WIDTH: i64 = 360;
    const LONGEST: i64 = 260;
    let most = groups.iter().flat_map(|(_, bars)| bars).map(|bar| bar.value).max().unwrap_or_default();
    // Pages are broken between the parts, and within none.
    for (part, groups) in groups.chunks(PART).enumerate() {
        let rows: i64 = groups.iter().map(|(_, bars)| 22 + 16 * bars.len() as i64).sum();
        let size = (WIDTH, rows + 4);
        if part == 0 {
            begin(html, size, text);
        } else {
            // Its text stands at the first.
            let view = format!("0 0 {} {}", size.0, size.1);
            html.open("svg", &[("viewBox", &view), ("aria-hidden", "true")]);
        }
        let mut y = 0;
        for (name, each) in groups {
            html.raw("<g>").tagged("title", name);
            words(html, "name", (0, y + 14), &short(name));
            html.raw("</g>");
            y += 19;
            for one in each {
                let long = reach(one.value, most, LONGEST);
                // What is there is seen, however small.
                let long = if one.value > Decimal::ZERO { long.max(2) } else { 0 };
                bar(html, one.class, (0, y + 1), (long, 11));
                words(html, "value", (long + 5, y + 10), &one.label);
                y += 16;
            }
            y += 3;
        }
        html.close("svg");
    }
}

/// Columns side by side over a scale of names.
pub fn columns(html: &mut Html, text: &str, values: &[(String, u64)]) {
    const HEIGHT: i64 = 150;
    let wide = 360 / values.len().max(1) as i64;
    begin(html, (360, HEIGHT + 36), text);
    let most = values.iter().map(|(_, count)| *count).max().unwrap_or_default();
    for (at, (name, count)) in values.iter().enumerate() {
        let x = at as i64 * wide;
        let high = reach(Decimal::from(*count), Decimal::from(most), HEIGHT - 4);
        bar(html, "final", (x + 1, HEIGHT + 14 - high), (wide - 2, high));
        if *count > 0 {
            words(html, "count", (x + wide / 2, HEIGHT + 10 - high), &count.to_string());
        }
        if at % 2 == 0 {
            words(html, "mark", (x, HEIGHT + 28), name);
        }
    }
    line(html, "axis", (0, HEIGHT + 14), (360, HEIGHT + 14));
    html.close("svg");
}

/// A curve from score to ratio, with points marked on it: the score, the ratio, and what is told of it.
pub fn curve(html: &mut Html, text: &str, curve: &Curve, marks: &[(Decimal, Decimal, String)]) {
    const LEFT: i64 = 40;
    const WIDTH: i64 = 300;
    const TOP: i64 = 12;
    const HEIGHT: i64 = 140;
    begin(html, (LEFT + WIDTH + 20, TOP + HEIGHT + 26), text);
    let points = curve_points(curve);
    let ratios = points.iter().map(|point| point.ratio).chain(marks.iter().map(|mark| mark.1));
    let most = ratios.max().unwrap_or_default().max(Decimal::ONE);
    let at = |score: Decimal, ratio: Decimal| {
        let x = LEFT + reach(score, Decimal::ONE_HUNDRED, WIDTH);
        (x, TOP + HEIGHT - reach(ratio, most, HEIGHT))
    };
    for part in 0..=4 {
        let ratio = most * Decimal::from(part) / Decimal::from(4);
        let (_, y) = at(Decimal::ZERO, ratio);
        line(html, "grid", (LEFT, y), (LEFT + WIDTH, y));
        words(html, "scale", (LEFT - 4, y + 4), &percent(half_up(ratio, 3)));
    }
    for score in (0..=100).step_by(20) {
        let (x, y) = at(Decimal::from(score), Decimal::ZERO);
        words(html, "count", (x, y + 16), &score.to_string());
    }
    for pair in points.windows(2) {
        let (above, below) = (&pair[0], &pair[1]);
        let from = above.from.unwrap_or(above.ratio);
        if let Some(from) = above.from {
            line(html, "jump", at(above.score, above.ratio), at(above.score, from));
        }
        line(html, "curve", at(above.score, from), at(below.score, below.ratio));
    }
    for (score, ratio, told) in marks {
        let (x, y) = at(*score, *ratio);
        let [x, y] = [x, y].map(|at| at.to_string());
        html.open("circle", &[("class", "mark-dot"), ("cx", &x), ("cy", &y), ("r", "5")])
            .tagged("title", told);
        html.close("circle");
    }
    html.close("svg");
}
