//! What moved a line since it was posted, cause by cause: steps from what was posted to what is due now, so
//! that their amounts add up to payable − recover whatever is rounded on the way.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::base::money::Fen;

use super::lines::Line;
use super::past::LineState;

/// Why a line is due another amount than was posted, in the order in which the steps are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// Paid with no word for which rows (payments, an opening balance), or a posting that was reversed.
    Earlier,
    /// The rule files changed.
    Rule,
    /// Counted anew for another reason: a cap, the population.
    Recounted,
    Void,
    Ended,
    Corrected,
    /// Refused now against a row that came later.
    Refused,
    /// Refused when it was posted, and admitted now.
    Admitted,
    Evidence,
    Authorized,
    /// Items done or missing.
    Items,
    New,
    /// Its cohort was cleared when it came.
    Late,
    Score,
    /// A part of the share fell due.
    Released,
}

impl Cause {
    pub const ALL: [Cause; 15] = [
        Cause::Earlier,
        Cause::Rule,
        Cause::Recounted,
        Cause::Void,
        Cause::Ended,
        Cause::Corrected,
        Cause::Refused,
        Cause::Admitted,
        Cause::Evidence,
        Cause::Authorized,
        Cause::Items,
        Cause::New,
        Cause::Late,
        Cause::Score,
        Cause::Released,
    ];

    /// As delta.csv names it.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Earlier => "earlier_posting",
            Cause::Rule => "rule_changed",
            Cause::Recounted => "recounted",
            Cause::Void => "void",
            Cause::Ended => "ended",
            Cause::Corrected => "corrected",
            Cause::Refused => "refused",
            Cause::Admitted => "admitted",
            Cause::Evidence => "evidence",
            Cause::Authorized => "authorized",
            Cause::Items => "items",
            Cause::New => "new",
            Cause::Late => "late",
            Cause::Score => "score",
            Cause::Released => "released",
        }
    }
}

/// One step: how many charges and how much of their shares came or went, and what that moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    pub cause: Cause,
    pub count: i64,
    pub gross: Fen,
    pub amount: Fen,
}

/// Charges that came and went, and their shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    pub count: i64,
    pub gross: Fen,
}

impl Change {
    pub fn add(&mut self, other: Change) {
        self.count += other.count;
        self.gross += other.gross;
    }
}

/// What a line comes to, to be compared and to be posted.
pub fn state(line: &Line, score: String, rules: &str) -> LineState {
    LineState {
        count: line.count,
        held: line.held,
        gross: line.gross,
        deduction: if line.last.is_some() { line.deduction } else { Fen::ZERO },
        prepay: line.prepay,
        due: line.due(),
        last: line.last,
        ratio: line.earned.as_ref().map(|outcome| outcome.earned.ratio),
        score,
        rules: rules.to_string(),
        batch: 0,
    }
}

/// Whether a line comes to something else than it did.
pub fn differs(now: &LineState, then: &LineState) -> bool {
    let bare = |state: &LineState| LineState { rules: String::new(), batch: 0, ..state.clone() };
    bare(now) != bare(then)
}

/// What an amount was worked out by when the line was posted.
struct Then {
    ratio: Option<Decimal>,
    released: Fen,
    /// What rounding in parts left between the figures and what was due.
    apart: Fen,
}

impl Then {
    fn due(&self, gross: Fen, deduction: Fen, prepay: Decimal) -> Fen {
        let due = match self.ratio {
            Some(ratio) => (gross - deduction.min(gross)).share(ratio),
            None => gross.share(prepay) + self.released,
        };
        due + self.apart
    }
}

/// The steps from what was posted on a line to what is due of it. `rows`: changes of signings that were posted
/// before; `fresh`: signings that were not; `then`: what the line came to; `now`: what it comes to. `cleared`: its
/// cohort was, perhaps on the line of another version; `elsewhere`: another version has such a line that was posted.
pub fn moves(
    line: &Line,
    (then, now): (Option<&LineState>, &LineState),
    rows: &BTreeMap<Cause, Change>,
    fresh: Change,
    (cleared, elsewhere): (bool, bool),
) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut at = line.posted;
    let mut step = |cause, change: Change, due: Fen| {
        let amount = due - at;
        at = due;
        if change != Change::default() || amount != Fen::ZERO {
            moves.push(Move { cause, count: change.count, gross: change.gross, amount });
        }
    };
    // Of what was paid with no word for which rows: whatever the prepayment of now differs from it by.
    let posted = match then {
        Some(then) => then.due,
        None if line.posted != Fen::ZERO => line.prepay,
        None => Fen::ZERO,
    };
    step(Cause::Earlier, Change::default(), posted);
    if then.is_none() && line.posted != Fen::ZERO {
        let scored = line.last.is_some();
        step(if scored { Cause::Score } else { Cause::Released }, Change::default(), line.due());
        return moves;
    }
    let (mut gross, mut deduction) = then.map_or_else(Default::default, |then| (then.gross, then.deduction));
    let prepay = if line.settled { line.prepay_ratio } else { Decimal::ZERO };
    let mut by = Then {
        ratio: match then {
            Some(then) => then.last.and(then.ratio),
            None => now.last.and(now.ratio).filter(|_| cleared),
        },
        released: then
            .map_or(Fen::ZERO, |then| if then.last.is_some() { Fen::ZERO } else { then.due - then.prepay }),
        apart: Fen::ZERO,
    };
    // What the charges of then come to by the rules of now, and what that leaves unexplained.
    let of_rows: Change = rows.values().fold(fresh, |mut sum, change| {
        sum.add(*change);
        sum
    });
    let mut left = Change {
        count: line.count.cast_signed() - then.map_or(0, |then| then.count.cast_signed()) - of_rows.count,
        gross: line.gross - gross - of_rows.gross,
    };
    let mut fresh = fresh;
    // A charge that was posted on another version's line, and is of this one by the rules of now.
    let came_over = then.is_none() && elsewhere;
    if then.is_none() && !elsewhere {
        // A later charge of a signing that was posted before: its cohort is new.
        fresh.add(std::mem::take(&mut left));
    }
    let same_rules = !came_over && then.is_none_or(|then| then.rules == now.rules);
    if same_rules {
        by.apart = posted - by.due(gross, deduction, prepay);
    }
    gross += left.gross;
    // More charges of a cleared cohort: of a signing that came when it was cleared, and began before.
    let cause = match same_rules {
        true if left.count > 0 && by.ratio.is_some() => Cause::Late,
        true => Cause::Recounted,
        false => Cause::Rule,
    };
    step(cause, left, by.due(gross, deduction, prepay));
    for (cause, change) in rows {
        gross += change.gross;
        step(*cause, *change, by.due(gross, deduction, prepay));
    }
    if by.ratio.is_some() && line.last.is_some() && line.deduction != deduction {
        deduction = line.deduction;
        step(Cause::Items, Change::default(), by.due(gross, deduction, prepay));
    }
    gross += fresh.gross;
    let cause = if by.ratio.is_some() { Cause::Late } else { Cause::New };
    step(cause, fresh, by.due(gross, deduction, prepay));
    let scored = now.last.is_some() && then.is_none_or(|then| then.ratio != now.ratio || then.last.is_none());
    let released = line.tranches.iter().any(|one| one.amount.is_some()) && !scored;
    let cause = match (scored, released) {
        (true, _) => Cause::Score,
        (false, true) => Cause::Released,
        (false, false) => Cause::Recounted,
    };
    step(cause, Change::default(), line.due());
    moves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_a_name_of_its_own_and_stands_in_its_order() {
        let names: std::collections::BTreeSet<&str> = Cause::ALL.iter().map(|cause| cause.name()).collect();
        assert_eq!(names.len(), Cause::ALL.len());
        assert!(Cause::ALL.is_sorted());
    }
}
