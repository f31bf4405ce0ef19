//! Scorecards on the screen and for scripts.

use std::io::{self, Write};

use comfy_table::Cell;
use serde_json::{Value, json};

use crate::base::money::shortest;
use crate::pipeline::{Assessment, shown};
use crate::policy::sheet::Value as Measured;
use crate::settlement::assess::Origin;
use crate::words::{Label, Lang, Phrase, phrase};

use super::names;
use super::screen::{Look, notes, refused, refused_json, right};

/// Scorecards: institutions by indicators.
pub fn cards(out: &mut impl Write, assessment: &Assessment, look: Look) -> io::Result<()> {
    let rules = assessment.rules;
    writeln!(out, "{}  {}", look.label(Label::Scorecard), rules.period)?;
    for card in assessment.cards {
        let institution = rules.institutions.get(card.key.0);
        let score = card.score.map_or_else(|| look.label(Label::NoneYet).to_string(), shortest);
        let ratio = card
            .ratio
            .map_or(String::new(), |ratio| format!("  {} {}", look.label(Label::Ratio), shortest(ratio)));
        let grade = card.grade.as_ref().map_or(String::new(), |grade| format!("  {grade}"));
        writeln!(
            out,
            "\n{}{}{} ({})  {} {score}{ratio}{grade}",
            institution.id,
            if institution.name.is_empty() { "" } else { " " },
            institution.name,
            names::level(rules, &card.key.2, look.lang),
            look.label(Label::Score),
        )?;
        let mut table = look.table(&[
            Label::Indicator,
            Label::Name,
            Label::Value,
            Label::Origin,
            Label::Points,
            Label::Clause,
        ]);
        for line in &card.lines {
            table.add_row(vec![
                Cell::new(&line.indicator),
                Cell::new(&line.title),
                right(match line.value {
                    Some(Measured::Yes(yes)) => names::yes_no(yes, look.lang),
                    value => shown(value),
                }),
                Cell::new(line.origin.map_or(String::new(), |origin| {
                    let what = match origin {
                        Origin::Sheet => Phrase::OriginSheet,
                        Origin::Derived => Phrase::OriginDerived,
                    };
                    phrase(look.lang, what, &[])
                })),
                right(format!("{} / {}", line.points.map_or("?".to_string(), shortest), shortest(line.max))),
                Cell::new(&line.clause),
            ]);
        }
        writeln!(out, "{}", table.trim_fmt())?;
    }
    refused(out, assessment.inputs, look)
}

pub fn cards_json(assessment: &Assessment, lang: Lang) -> Value {
    let cards: Vec<Value> = assessment
        .cards
        .iter()
        .map(|card| {
            let lines: Vec<Value> = card
                .lines
                .iter()
                .map(|line| {
                    json!({
                        "indicator": line.indicator,
                        "value": line.value.map(|value| value.shown()),
                        "origin": line.origin.map(|origin| origin.name()),
                        "points": line.points.map(shortest),
                        "max": shortest(line.max),
                    })
                })
                .collect();
            json!({
                "institution_id": assessment.rules.institutions.get(card.key.0).id,
                "period": card.key.1.to_string(),
                "level": card.key.2,
                "score": card.score.map(shortest),
                "grade": card.grade,
                "ratio": card.ratio.map(shortest),
                "indicators": lines,
            })
        })
        .collect();
    json!({ "schema": "jiayi.assess/1", "cards": cards, "rejected": refused_json(assessment.inputs), "notices": notes(assessment.inputs, lang) })
}
