//! report.html: the settlement at a glance, in one page that loads nothing: totals, charts, and a table of institutions
//! that sorts and filters.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use rust_decimal::Decimal;

use crate::base::code::Code;
use crate::base::money::{Fen, grouped, half_up, shortest};
use crate::pipeline::refused_by_code;
use crate::policy::curve::Basis;
use crate::settlement::lines::Line;
use crate::words::{Label, Phrase, label, title};

use super::charts::{self, Bar};
use super::csv::{by_id, lines_by_institution};
use super::explain::curves_of;
use super::findings::Findings;
use super::flags::flag_counts;
use super::html::Html;
use super::names;
use super::rules::percent;
use super::statement::begin;
use super::statements::links;
use super::totals::{Total, districts, settled, totals};
use super::written::{Written, write_text};

/// So many of the largest recoveries are drawn.
const LARGEST: usize = 10;

/// So many districts are drawn; the table has all.
const MOST_DISTRICTS: usize = 24;
const MOST_CODES: usize = 20;

pub fn write(findings: &Findings, folder: &Path) -> Result<Written> {
    let mut html = Html::default();
    let page = Page { findings };
    page.all(&mut html);
    write_text(folder, "report.html".into(), &html.done())
}

struct Page<'a> {
    findings: &'a Findings<'a>,
}

fn yuan(amount: Fen) -> Decimal {
    Decimal::new(amount.0, 2)
}

impl Page<'_> {
    fn say(&self, what: Phrase) -> String {
        self.findings.words(what, &[])
    }

    fn label(&self, what: Label) -> String {
        label(self.findings.lang(), what).to_string()
    }

    fn all(&self, html: &mut Html) {
        let run = self.findings.run;
        let policy = &run.rules.region.versions[run.rules.version_on(run.rules.period.first_day())];
        let title = self.say(Phrase::PageTitle);
        begin(html, self.findings, &format!("{title} {}", run.rules.period));
        html.raw("<style>").raw(include_str!("look/base.css")).raw(include_str!("look/page.css"));
        self.titles(html);
        html.raw("</style></head><body>\n<header>")
            .tagged("h1", format!("{title}　{}", names::period(run.rules.period, self.findings.lang())));
        html.classed("p", "soft", self.findings.words(Phrase::DocWith, &[&policy.name, &policy.document]))
            .raw("</header>\n<main>\n");
        let (open, between) = (names::unconfirmed(run, self.findings.lang()), self.say(Phrase::DocBetween));
        if !open.is_empty() {
            let told = self.findings.words(Phrase::DocUnconfirmed, &[&open.join(&between)]);
            html.classed("p", "warn", told);
        }
        self.findings.doubts().into_iter().for_each(|told| {
            html.classed("p", "warn", told);
        });
        self.cards(html);
        html.raw("<div class=\"charts\">");
        self.sources(html);
        self.districts(html);
        self.scores(html);
        self.recoveries(html);
        self.codes(html);
        html.raw("</div>\n");
        self.institutions(html);
        html.raw("</main>\n<footer>");
        for told in self.findings.standing().into_iter().take(1) {
            html.classed("p", "hash", told);
        }
        html.classed("p", "soft", concat!("jiayi ", env!("CARGO_PKG_VERSION"))).raw("</footer>\n<script>");
        html.raw(include_str!("look/page.js")).raw("</script></body></html>\n");
    }

    fn cards(&self, html: &mut Html) {
        let run = self.findings.run;
        let total = settled(run);
        let admitted: u64 = run.settlement.heads.iter().map(|heads| heads.admitted).sum();
        let flags: u64 = self.findings.flags.count() as u64;
        let last = total.last.map_or_else(|| self.label(Label::NoneYet), Fen::grouped);
        let cards = [
            ("payable", self.label(Label::Payable), total.payable.grouped()),
            ("recover", self.label(Label::Recover), total.recover.grouped()),
            ("", self.label(Label::Gross), total.gross.grouped()),
            ("", self.label(Label::Prepay), total.prepay.grouped()),
            ("", self.label(Label::Final), last),
            ("", self.label(Label::Posted), total.posted.grouped()),
            ("", self.say(Phrase::DocAdmitted), grouped(admitted)),
            ("", self.label(Label::Refused), grouped(self.findings.refused_count())),
            ("", self.label(Label::Flags), grouped(flags)),
        ];
        html.raw("<dl class=\"cards\">");
        for (class, what, value) in cards {
            html.open("div", &[("class", class)]).tagged("dt", what).tagged("dd", value).raw("</div>");
        }
        html.raw("</dl>\n").classed("p", "soft", self.say(Phrase::DocUnit));
    }

    fn section(&self, html: &mut Html, title: Phrase) {
        html.raw("<section>").tagged("h2", self.say(title));
    }

    fn amounts(&self, total: &Total) -> Vec<Bar> {
        let bar = |class, what, amount: Fen| Bar {
            class,
            value: yuan(amount),
            label: format!("{} {}", self.label(what), amount.grouped()),
        };
        let mut bars = vec![bar("prepay", Label::Prepay, total.prepay)];
        bars.extend(total.last.map(|last| bar("final", Label::Final, last)));
        bars.push(bar("payable", Label::Payable, total.payable));
        bars.push(bar("recover", Label::Recover, total.recover));
        bars
    }

    fn sources(&self, html: &mut Html) {
        let run = self.findings.run;
        self.section(html, Phrase::PageBySource);
        let all: Vec<_> = totals(run).into_iter().filter(|(_, total)| total.settled).collect();
        let name = |id: &String| names::source(run, id, self.findings.lang());
        let groups: Vec<_> = all.iter().map(|(id, total)| (name(id), self.amounts(total))).collect();
        self.told(html, Phrase::PageBySource, &groups);
        html.raw("</section>\n");
    }

    fn districts(&self, html: &mut Html) {
        let all = districts(self.findings.run);
        if all.len() < 2 {
            return;
        }
        self.section(html, Phrase::PageByDistrict);
        let mut all: Vec<_> = all.into_iter().collect();
        all.sort_by(|a, b| b.1.total.payable.cmp(&a.1.total.payable).then(a.0.cmp(b.0)));
        let groups: Vec<_> = all
            .iter()
            .take(MOST_DISTRICTS)
            .map(|(name, district)| {
                let name = if name.is_empty() { self.say(Phrase::DocNotGiven) } else { name.to_string() };
                (name, self.amounts(&district.total).split_off(1))
            })
            .collect();
        self.told(html, Phrase::PageByDistrict, &groups);
        let mut rest = Total::default();
        let others = all.iter().skip(MOST_DISTRICTS);
        others.clone().for_each(|(_, district)| rest.merge(&district.total));
        let sums: Vec<String> = self.amounts(&rest).into_iter().skip(1).map(|bar| bar.label).collect();
        self.rest(html, others.count(), &sums);
        html.raw("</section>\n");
    }

    /// What a chart does not show, in a line.
    fn rest(&self, html: &mut Html, count: usize, sums: &[String]) {
        if count > 0 {
            let with = [&count.to_string(), &sums.join(&self.say(Phrase::DocBetween))];
            html.classed("p", "soft", self.findings.words(Phrase::PageRest, &with.map(String::as_str)));
        }
    }

    /// Bars, with all that they show as their text.
    fn told(&self, html: &mut Html, what: Phrase, groups: &[(String, Vec<Bar>)]) {
        let each = groups.iter().map(|(name, bars)| {
            let labels: Vec<&str> = bars.iter().map(|bar| bar.label.as_str()).collect();
            self.findings.words(Phrase::DocOf, &[name, &labels.join(&self.say(Phrase::DocBetween))])
        });
        let text = self.summed_up(self.say(what), &each.collect::<Vec<_>>());
        charts::bars(html, &text, groups);
    }

    /// All that a chart shows, as its text.
    fn summed_up(&self, what: String, each: &[String]) -> String {
        self.findings.words(Phrase::DocAll, &[&what, &each.join(&self.say(Phrase::DocThen))])
    }

    /// A histogram of scores, and each curve with all that it cleared.
    fn scores(&self, html: &mut Html) {
        let run = self.findings.run;
        type Drawn = (usize, usize, Vec<(Decimal, Decimal, u64)>);
        let mut curves: Vec<Drawn> = Vec::new();
        let mut scores: BTreeMap<_, Decimal> = BTreeMap::new();
        for line in run.settlement.lines.iter().filter(|line| line.settled) {
            let outcomes =
                line.earned.iter().chain(line.tranches.iter().filter_map(|one| one.outcome.as_ref()));
            for used in outcomes.flat_map(|outcome| &outcome.used) {
                scores.insert(used.key.clone(), used.score);
            }
            let policy = &run.rules.region.versions[line.version];
            let (Some(outcome), true) = (&line.earned, line.tranches.is_empty()) else { continue };
            for curve in curves_of(policy, line) {
                let chained = matches!(policy.curves[curve].basis, Basis::Chain(_));
                let Some(score) = outcome.score.filter(|_| !chained) else { continue };
                let at = curves.iter().position(|one| (one.0, one.1) == (line.version, curve));
                let at = at.unwrap_or_else(|| {
                    curves.push((line.version, curve, Vec::new()));
                    curves.len() - 1
                });
                let marks = &mut curves[at].2;
                match marks.iter_mut().find(|mark| (mark.0, mark.1) == (score, outcome.earned.ratio)) {
                    Some(mark) => mark.2 += 1,
                    None => marks.push((score, outcome.earned.ratio, 1)),
                }
            }
        }
        if scores.is_empty() {
            return;
        }
        self.section(html, Phrase::PageScores);
        let mut bins = [0u64; 20];
        for score in scores.values() {
            let bin: usize = half_up(*score, 4).trunc().try_into().unwrap_or(0);
            bins[(bin / 5).min(19)] += 1;
        }
        let named: Vec<(String, u64)> = (0..20).map(|at| ((at * 5).to_string(), bins[at])).collect();
        let told = named.iter().filter(|(_, count)| *count > 0);
        let told = told.map(|(from, count)| {
            self.findings.words(Phrase::DocOf, &[&format!("{from}+"), &count.to_string()])
        });
        let text = self.summed_up(self.say(Phrase::PageScores), &told.collect::<Vec<_>>());
        charts::columns(html, &text, &named);
        html.classed("p", "soft", self.say(Phrase::PageScoresAbout)).raw("</section>\n");
        for (version, at, mut marks) in curves {
            let curve = &run.rules.region.versions[version].curves[at];
            marks.sort();
            let named = self
                .findings
                .words(Phrase::StatementCurve, &[names::curve(curve, self.findings.lang()), &curve.clause]);
            let told = |(score, ratio, count): &(Decimal, Decimal, u64)| {
                let with = [shortest(*score), percent(*ratio), count.to_string()];
                self.findings.words(Phrase::PageMark, &with.each_ref().map(String::as_str))
            };
            let all: Vec<String> = marks.iter().take(60).map(told).collect();
            html.raw("<section>").tagged("h2", format!("{}　{named}", self.say(Phrase::PageCurve)));
            let points: Vec<_> = marks.iter().map(|mark| (mark.0, mark.1, told(mark))).collect();
            charts::curve(html, &self.summed_up(named, &all), curve, &points);
            html.raw("</section>\n");
        }
    }

    fn recoveries(&self, html: &mut Html) {
        let run = self.findings.run;
        let mut back: Vec<(u32, Fen)> = Vec::new();
        for (at, lines) in lines_by_institution(run).iter().enumerate() {
            let sum: Fen = lines.iter().map(|line| line.recover).sum();
            if sum > Fen::ZERO {
                back.push((at as u32, sum));
            }
        }
        self.section(html, Phrase::PageRecoveries);
        if back.is_empty() {
            html.classed("p", "soft", self.label(Label::NobodyPaysBack)).raw("</section>\n");
            return;
        }
        let id = |at: u32| &run.rules.institutions.get(at).id;
        back.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| id(a.0).cmp(id(b.0))));
        let group = |(at, sum): &(u32, Fen)| {
            let bar = Bar { class: "recover", value: yuan(*sum), label: sum.grouped() };
            (format!("{} {}", id(*at), run.rules.institutions.get(*at).name), vec![bar])
        };
        let groups: Vec<_> = back.iter().take(LARGEST).map(group).collect();
        self.told(html, Phrase::PageRecoveries, &groups);
        let others = back.iter().skip(LARGEST);
        let label = format!(
            "{} {}",
            self.label(Label::Recover),
            others.clone().map(|one| one.1).sum::<Fen>().grouped()
        );
        self.rest(html, others.count(), &[label]);
        html.raw("</section>\n");
    }

    fn codes(&self, html: &mut Html) {
        let run = self.findings.run;
        let lang = self.findings.lang();
        let mut by_code: BTreeMap<Code, u64> = BTreeMap::new();
        for ((code, _), count) in refused_by_code(run.inputs) {
            *by_code.entry(code).or_default() += count;
        }
        let mut counts: Vec<(Code, u64)> = by_code.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        self.section(html, Phrase::PageRefused);
        if counts.is_empty() {
            html.classed("p", "soft", self.label(Label::NothingRefused));
        } else {
            let group = |(code, count): &(Code, u64)| {
                let bar = Bar { class: "prepay", value: Decimal::from(*count), label: grouped(*count) };
                (format!("{code} {}", title(lang, *code)), vec![bar])
            };
            let groups: Vec<_> = counts.iter().take(MOST_CODES).map(group).collect();
            self.told(html, Phrase::PageRefused, &groups);
            let others = counts.iter().skip(MOST_CODES);
            let label = format!(
                "{} {}",
                self.label(Label::Rows),
                grouped(others.clone().map(|one| one.1).sum::<u64>())
            );
            self.rest(html, others.count(), &[label]);
        }
        html.raw("</section>\n");
        let flags = flag_counts(run);
        if !flags.is_empty() {
            html.raw("<section>").tagged("h2", self.label(Label::Flags)).raw("<table>");
            html.header(&[self.label(Label::Code), self.label(Label::Meaning), self.label(Label::Rows)]);
            html.raw("<tbody>");
            for (code, count) in flags {
                html.raw("<tr>").tagged("td", code.name()).tagged("td", title(lang, code));
                html.classed("td", "n", grouped(count)).raw("</tr>");
            }
            html.raw("</tbody></table></section>\n");
        }
    }

    /// The columns of the table of institutions: titles, and whether each is a number.
    fn columns(&self) -> Vec<(String, bool)> {
        vec![
            (self.label(Label::Institution), false),
            (self.label(Label::Name), false),
            (self.say(Phrase::DocDistrict), false),
            (self.label(Label::AdmittedRows), true),
            (self.label(Label::RejectedRows), true),
            (self.label(Label::Score), true),
            (self.label(Label::Gross), true),
            (self.label(Label::Prepay), true),
            (self.label(Label::Final), true),
            (self.label(Label::Posted), true),
            (self.label(Label::Payable), true),
            (self.label(Label::Recover), true),
        ]
    }

    /// On a narrow screen a row is a card: each cell says what it is. The titles are words of the catalogue.
    fn titles(&self, html: &mut Html) {
        html.raw("@media (max-width:700px){");
        for (at, (title, _)) in self.columns().iter().enumerate() {
            html.raw("#all td:nth-child(")
                .number(at as i64 + 1)
                .raw("):before{content:\"")
                .text(title)
                .raw("\"}");
        }
        html.raw("}");
    }

    fn institutions(&self, html: &mut Html) {
        let run = self.findings.run;
        let lines = lines_by_institution(run);
        let links = links(self.findings);
        html.raw("<section class=\"all\">").tagged("h2", self.say(Phrase::PageInstitutions));
        html.raw("<div class=\"filter\"><label>")
            .text(self.say(Phrase::PageFind))
            .raw(" <input id=\"find\" type=\"search\"></label><label>");
        html.text(self.say(Phrase::DocDistrict)).raw(" <select id=\"district\"><option value=\"\">");
        html.text(self.say(Phrase::PageAll)).raw("</option>");
        let mut names: Vec<&str> =
            run.rules.institutions.list.iter().map(|one| one.district.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names.into_iter().filter(|name| !name.is_empty()) {
            html.tagged("option", name);
        }
        html.raw("</select></label><label><input id=\"back\" type=\"checkbox\"> ")
            .text(self.say(Phrase::PageOnlyBack));
        html.raw("</label><output id=\"shown\" aria-live=\"polite\"></output></div>\n<table id=\"all\"><thead><tr>");
        for (title, number) in self.columns() {
            let class = if number { "n" } else { "" };
            html.open("th", &[("scope", "col"), ("class", class), ("data-title", &title)]);
            html.raw("<button type=\"button\">").text(title).raw("</button></th>");
        }
        html.raw("</tr></thead><tbody>\n");
        for at in by_id(run.rules) {
            let own: &[&Line] = &lines[at as usize];
            let Some(link) = links.get(&at) else { continue };
            let one = run.rules.institutions.get(at);
            let total = Total::of(own.iter().copied());
            let scores = names::scores(run.rules, own, self.findings.lang());
            let rows = run.rows.get(at as usize).copied().unwrap_or_default();
            html.raw("<tr><td>").open("a", &[("href", link)]).text(&one.id).raw("</a></td>");
            html.tagged("td", &one.name).tagged("td", &one.district);
            html.classed("td", "n", grouped(run.settlement.heads[at as usize].admitted));
            html.classed("td", "n", grouped(rows.rejected));
            // Several scores are words, and broken over lines.
            let class = if scores.len() > 1 { "" } else { "n" };
            html.classed("td", class, scores.join(&self.say(Phrase::DocThen)));
            html.classed("td", "n", total.gross.grouped()).classed("td", "n", total.prepay.grouped());
            html.classed("td", "n", total.last.map_or(String::new(), Fen::grouped));
            for amount in [total.posted, total.payable, total.recover] {
                html.classed("td", "n", amount.grouped());
            }
            html.raw("</tr>\n");
        }
        html.raw("</tbody></table></section>\n");
    }
}
