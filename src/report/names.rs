//! What ids of a policy are called in documents: the Chinese name, or the id for those who read English.

use crate::pipeline::Run;
use crate::policy::Policy;
use crate::policy::curve::Curve;
use crate::settlement::lines::ClawbackReason;
use crate::words::{Label, Lang, Phrase, phrase};

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

/// Of a level of assessment, wherever a version names it.
pub fn level(run: &Run, id: &str, lang: Lang) -> String {
    let mut levels = run.rules.region.versions.iter().rev().flat_map(|version| &version.levels);
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
