//! What ids of a policy are called in documents: the Chinese name, or the id for those who read English.

use rust_decimal::Decimal;

use crate::base::money::shortest;
use crate::base::period::{Cycle, Period};
use crate::base::place::Kind;
use crate::pipeline::Run;
use crate::policy::Policy;
use crate::policy::curve::Curve;
use crate::policy::sheet::Derive;
use crate::settlement::assess::ScoreEntry;
use crate::settlement::lines::{ClawbackReason, Line};
use crate::settlement::rules::Rules;
use crate::words::{Label, Lang, Phrase, phrase};

use super::rules::percent;

/// Of a source, wherever a version names it.
pub fn source(run: &Run, id: &str, lang: Lang) -> String {
    let versions = run.rules.region.versions.iter().rev();
    let named = versions.filter_map(|version| Some(&version.sources[version.source(id)?].name)).next();
    named.filter(|_| lang == Lang::Zh).map_or_else(|| id.to_string(), Clone::clone)
}

/// Of a package, or of what is paid by population.
pub fn package(policy: &Policy, id: &str, lang: Lang) -> String {
    let package = policy.packages.iter().find(|package| package.named.id == id);
    let population = policy.population.iter().find(|rule| rule.id == id).map(|rule| &rule.name);
    let name = package.map(|package| &package.named.name).or(population);
    name.filter(|_| lang == Lang::Zh).map_or_else(|| id.to_string(), Clone::clone)
}

/// Of a curve.
pub fn curve(curve: &Curve, lang: Lang) -> &str {
    if lang == Lang::Zh { &curve.name } else { &curve.id }
}

/// Why money comes back.
pub fn reason(reason: ClawbackReason) -> Label {
    match reason {
        ClawbackReason::Failed => Label::Failed,
        ClawbackReason::PrepaidExceedsEarned => Label::PrepaidExceeds,
        ClawbackReason::Correction => Label::Correction,
    }
}

/// The versions that a run's lines follow, and the one of its first day.
pub fn versions<'a>(run: &'a Run) -> Vec<&'a Policy> {
    let lines = run.settlement.lines.iter().map(|line| line.version);
    let first = run.rules.version_on(run.rules.period.first_day());
    let used: std::collections::BTreeSet<usize> = lines.chain([first]).collect();
    used.into_iter().map(|version| &run.rules.region.versions[version]).collect()
}

/// Scores that cleared some lines: the score alone where there is one, else whose and of when each is.
pub fn scores(rules: &Rules, lines: &[&Line], lang: Lang) -> Vec<String> {
    let mut all: Vec<&ScoreEntry> = Vec::new();
    for used in lines.iter().filter_map(|line| line.earned.as_ref()).flat_map(|outcome| &outcome.used) {
        if !all.iter().any(|one| one.key == used.key) {
            all.push(used);
        }
    }
    if let [one] = all.as_slice() {
        return vec![shortest(one.score)];
    }
    all.sort_by(|a, b| (&a.key.2, a.key.1, a.key.0).cmp(&(&b.key.2, b.key.1, b.key.0)));
    let own = lines.first().map(|line| line.institution);
    let told = all.into_iter().map(|one| {
        let (institution, of, level_id) = &one.key;
        let whose = if own == Some(*institution) { "" } else { &rules.institutions.get(*institution).id };
        let what = format!("{whose} {} {}", level(rules, level_id, lang), period(*of, lang));
        phrase(lang, Phrase::DocOf, &[what.trim_start(), &shortest(one.score)])
    });
    told.collect()
}

/// Of a period, as documents write it.
pub fn period(period: Period, lang: Lang) -> String {
    let first = period.first_day();
    let month = first.month();
    let what = match period.cycle() {
        Cycle::Year => Phrase::InYear,
        Cycle::Half if month == 1 => Phrase::InFirstHalf,
        Cycle::Half => Phrase::InSecondHalf,
        Cycle::Quarter => match month {
            1 => Phrase::InFirstQuarter,
            4 => Phrase::InSecondQuarter,
            7 => Phrase::InThirdQuarter,
            _ => Phrase::InFourthQuarter,
        },
        Cycle::Month => Phrase::InMonth,
    };
    let month = if lang == Lang::En { format!("{month:02}") } else { month.to_string() };
    phrase(lang, what, &[&first.year().to_string(), &month])
}

/// Of a kind of file.
pub fn kind(kind: Kind, lang: Lang) -> String {
    let what = match kind {
        Kind::Institutions => Phrase::KindInstitutions,
        Kind::Signings => Phrase::KindSignings,
        Kind::Swipes => Phrase::KindSwipes,
        Kind::Scores => Phrase::KindScores,
        Kind::Payments => Phrase::KindPayments,
        Kind::Sheets => Phrase::KindSheets,
        Kind::Adjustments => Phrase::KindAdjustments,
    };
    phrase(lang, what, &[])
}

/// Of what an indicator is worked out from.
pub fn derive(derive: Derive, lang: Lang) -> String {
    let what = match derive {
        Derive::DataValidity => Phrase::DeriveDataValidity,
        Derive::EffectiveShare => Phrase::DeriveEffectiveShare,
        Derive::SeparateCharges => Phrase::DeriveSeparateCharges,
        Derive::SwipeRecords => Phrase::DeriveSwipeRecords,
        Derive::UnpaidCases => Phrase::DeriveUnpaidCases,
        Derive::PaymentConsistency => Phrase::DerivePaymentConsistency,
    };
    phrase(lang, what, &[])
}

pub fn yes_no(yes: bool, lang: Lang) -> String {
    phrase(lang, if yes { Phrase::AnswerYes } else { Phrase::AnswerNo }, &[])
}

/// The value of a figure that the policy wants reported, as documents show it.
pub fn figure_value(id: &str, value: &str, lang: Lang) -> String {
    match (id, value) {
        (_, "yes" | "no") => yes_no(value == "yes", lang),
        ("coverage" | "coverage_target", ratio) => {
            Decimal::from_str_exact(ratio).map_or_else(|_| ratio.to_string(), percent)
        }
        _ => value.to_string(),
    }
}

/// Of a level of assessment, wherever a version names it.
pub fn level(rules: &Rules, id: &str, lang: Lang) -> String {
    let mut levels = rules.region.versions.iter().rev().flat_map(|version| &version.levels);
    let named = levels.find(|level| level.named.id == id).map(|level| &level.named.name);
    named.filter(|_| lang == Lang::Zh).map_or_else(|| id.to_string(), Clone::clone)
}

/// Figures that nobody confirmed, of the versions that were used: in Chinese what they are, else
/// `urumqi/2019-11-01 fee`.
pub fn unconfirmed(run: &Run, lang: Lang) -> Vec<String> {
    let open = versions(run).into_iter().flat_map(|version| {
        // What each means, without what is said beside that.
        let means = |means: &String| means.split(['；', '，', '（']).next().unwrap_or_default().to_string();
        match lang {
            Lang::Zh => version.open_figures().map(|figure| means(&figure.means)).collect::<Vec<_>>(),
            Lang::En => version.open_ids().collect(),
        }
    });
    open.collect()
}

/// Of a figure that the policy wants reported.
pub fn figure(id: &str, lang: Lang) -> String {
    let what = match id {
        "free_signings" => Phrase::FigureNameFree,
        "individual_share" => Phrase::FigureNameIndividual,
        "staff_share" => Phrase::FigureNameStaff,
        "team_reward" => Phrase::FigureNameReward,
        "coverage" => Phrase::FigureNameCoverage,
        "coverage_target" => Phrase::FigureNameCoverageTarget,
        "coverage_met" => Phrase::FigureNameCoverageMet,
        "satisfaction" => Phrase::FigureNameSatisfaction,
        "satisfaction_target" => Phrase::FigureNameSatisfactionTarget,
        "satisfaction_met" => Phrase::FigureNameSatisfactionMet,
        "renewal" => Phrase::FigureNameRenewal,
        other => return other.to_string(),
    };
    phrase(lang, what, &[])
}

/// Of each name its place among all in their order: numbers are quicker to compare than names.
pub fn turns<'n>(names: impl Iterator<Item = &'n String>) -> Vec<u32> {
    let names: Vec<&String> = names.collect();
    let mut in_order: Vec<usize> = (0..names.len()).collect();
    in_order.sort_by_key(|at| names[*at]);
    let mut turns = vec![0; names.len()];
    (0..).zip(in_order).for_each(|(turn, at)| turns[at] = turn);
    turns
}
