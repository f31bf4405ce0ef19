//! The statement of one institution (结算单), as it is printed and signed: its lines as arithmetic, its scores on their
//! curves, its refused rows and flags in full; and the notice (追回通知书) where money comes back.

use rust_decimal::Decimal;

use crate::base::money::{Fen, shortest};
use crate::policy::curve::Basis;
use crate::settlement::clear::Outcome;
use crate::settlement::lines::{Line, clawback};
use crate::words::{Label, Lang, Phrase, capitals, cure, label, title};

use super::charts;
use super::explain::{Explainer, curves_of, paper};
use super::findings::{Findings, Refused};
use super::html::Html;
use super::names;
use super::rules::percent;
use super::totals::Total;

/// What a statement is about: an institution, its lines, and where its refused rows and flags stand.
pub struct Statement<'a> {
    pub institution: u32,
    pub lines: Vec<&'a Line>,
    pub refused: Vec<usize>,
    pub flags: Vec<usize>,
}

/// What all statements are told with.
pub struct Teller<'a> {
    findings: &'a Findings<'a>,
    explainer: Explainer<'a>,
}

/// What stands before the statements of a page, of one or of all, and behind them.
pub fn around(findings: &Findings, only: Option<u32>) -> (String, &'static str) {
    let mut html = Html::default();
    let title = findings.words(Phrase::StatementTitle, &[]);
    let name = only.map(|at| findings.run.rules.institutions.get(at).name.as_str()).unwrap_or_default();
    begin(&mut html, findings, &format!("{title} {name} {}", findings.run.rules.period));
    html.raw("<style>").raw(include_str!("look/base.css")).raw(include_str!("look/statement.css"));
    html.raw("</style></head><body>\n");
    (html.done(), "</body></html>\n")
}

/// The head of a page that loads nothing from anywhere.
pub fn begin(html: &mut Html, findings: &Findings, title: &str) {
    html.raw("<!doctype html>\n");
    html.open("html", &[("lang", if findings.lang() == Lang::Zh { "zh-CN" } else { "en" })]);
    html.raw("<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">");
    html.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">");
    html.raw("<meta name=\"referrer\" content=\"no-referrer\">").tagged("title", title);
}

impl<'a> Teller<'a> {
    pub fn new(findings: &'a Findings<'a>) -> Teller<'a> {
        Teller { findings, explainer: Explainer::new(findings.run, findings.lang()) }
    }

    fn say(&self, what: Phrase, with: &[&str]) -> String {
        self.findings.words(what, with)
    }

    fn label(&self, what: Label) -> String {
        label(self.findings.lang(), what).to_string()
    }

    /// The statement, and the notice behind it.
    pub fn tell(&self, statement: &Statement<'a>) -> String {
        let mut html = Html::default();
        let total = Total::of(statement.lines.iter().copied().filter(|line| line.settled));
        html.open("article", &[("id", &format!("s{}", statement.institution))]);
        self.head(&mut html, statement);
        self.sums(&mut html, statement, &total);
        self.steps(&mut html, statement);
        self.curves(&mut html, statement);
        self.refused(&mut html, statement);
        self.flags(&mut html, statement);
        self.agreed(&mut html, statement);
        self.figures(&mut html, statement);
        self.foot(&mut html, statement);
        html.raw("</article>\n");
        if total.recover > Fen::ZERO {
            self.notice(&mut html, statement, total.recover);
        }
        html.done()
    }

    fn head(&self, html: &mut Html, statement: &Statement) {
        let run = self.findings.run;
        let one = run.rules.institutions.get(statement.institution);
        let policy = &run.rules.region.versions[run.rules.version_on(run.rules.period.first_day())];
        html.tagged("h1", self.say(Phrase::StatementTitle, &[])).raw("<div class=\"head\">");
        html.tagged("span", self.say(Phrase::StatementTo, &[&one.name, &one.id]));
        if !one.district.is_empty() {
            html.tagged("span", self.say(Phrase::StatementDistrict, &[&one.district]));
        }
        html.tagged(
            "span",
            self.say(Phrase::StatementPeriod, &[&names::period(run.rules.period, self.findings.lang())]),
        );
        html.tagged("span", self.say(Phrase::StatementPolicy, &[&policy.name, &policy.document]));
        html.tagged("span", self.say(Phrase::DocUnit, &[])).raw("</div>\n");
    }

    /// Rows and amounts, then the amounts in words.
    fn sums(&self, html: &mut Html, statement: &Statement, total: &Total) {
        let run = self.findings.run;
        let at = statement.institution as usize;
        let (rows, heads) = (run.rows.get(at).copied().unwrap_or_default(), run.settlement.heads[at]);
        html.raw("<div class=\"wide\"><table class=\"sums\">");
        let counts = [
            (Label::Rows100, rows.rows.into()),
            (Label::RejectedRows, rows.rejected.into()),
            (Label::VoidRows, rows.void.into()),
            (Label::AdmittedRows, heads.admitted),
            (Label::HeldRows, heads.held),
        ];
        html.raw("<tr>");
        for (what, _) in &counts {
            html.classed("th", "n", self.label(*what));
        }
        let score = self.label(Label::Score);
        html.classed("th", "n", score).raw("</tr><tr>");
        for (_, count) in counts {
            html.classed("td", "n", count.to_string());
        }
        let lines: Vec<&Line> = statement.lines.iter().copied().filter(|line| line.settled).collect();
        let scores = names::scores(run.rules, &lines, self.findings.lang());
        match scores.as_slice() {
            [] => {
                html.classed("td", "n", self.label(Label::NoneYet));
            }
            [one] => {
                html.classed("td", "n", one);
            }
            all => {
                html.raw("<td class=\"n\">");
                for one in all {
                    html.tagged("div", one);
                }
                html.raw("</td>");
            }
        }
        html.raw("</tr><tr>");
        let last = total.last.map_or_else(|| self.label(Label::NoneYet), Fen::grouped);
        let amounts = [
            (Label::Gross, total.gross.grouped()),
            (Label::Prepay, total.prepay.grouped()),
            (Label::Final, last),
            (Label::Posted, total.posted.grouped()),
            (Label::Payable, total.payable.grouped()),
            (Label::Recover, total.recover.grouped()),
        ];
        for (what, _) in &amounts {
            html.classed("th", "n", self.label(*what));
        }
        html.raw("</tr><tr>");
        for (_, amount) in &amounts {
            html.classed("td", "n", amount);
        }
        html.raw("</tr></table></div>\n");
        let words = |amount: Fen| [amount.grouped(), capitals(amount)];
        if total.payable > Fen::ZERO {
            let with = words(total.payable);
            html.classed(
                "p",
                "words",
                self.say(Phrase::StatementPayable, &with.each_ref().map(String::as_str)),
            );
        }
        if total.recover > Fen::ZERO {
            let with = words(total.recover);
            html.classed(
                "p",
                "words",
                self.say(Phrase::StatementRecover, &with.each_ref().map(String::as_str)),
            );
        }
        if total.payable == Fen::ZERO && total.recover == Fen::ZERO {
            html.classed("p", "words", self.say(Phrase::StatementNothing, &[]));
        }
    }

    fn steps(&self, html: &mut Html, statement: &Statement<'a>) {
        let (run, lang) = (self.findings.run, self.findings.lang());
        html.tagged("h2", self.say(Phrase::StatementSteps, &[]));
        if statement.lines.is_empty() {
            html.classed("p", "soft", self.say(Phrase::NoLines, &[]));
        }
        for line in &statement.lines {
            let policy = &run.rules.region.versions[line.version];
            let package = names::package(policy, &line.package, lang);
            let source = names::source(run, &line.source, lang);
            html.tagged("h3", format!("{}　{package}　{source}　({})", line.cohort, policy.id));
            html.raw("<table class=\"steps\">");
            let explained = self.explainer.line(line);
            for (step, clause) in self.explainer.steps(&explained, &self.findings.posted.batches) {
                html.raw("<tr>").tagged("td", step).classed("td", "soft", clause).raw("</tr>");
            }
            html.raw("</table>\n");
        }
    }

    /// Each curve that cleared a line, with the institution's points on it.
    fn curves(&self, html: &mut Html, statement: &Statement) {
        let run = self.findings.run;
        type Marks = Vec<(Decimal, Decimal, String)>;
        let mut drawn: Vec<(usize, usize, Marks)> = Vec::new();
        for line in &statement.lines {
            let policy = &run.rules.region.versions[line.version];
            let parts = line.tranches.iter().map(|one| one.outcome.as_ref());
            let outcomes: Vec<Option<&Outcome>> = match line.tranches.is_empty() {
                true => vec![line.earned.as_ref()],
                false => parts.collect(),
            };
            // Parts without a curve have no outcome either.
            let with_curve = outcomes.into_iter().flatten();
            for (curve, outcome) in curves_of(policy, line).into_iter().zip(with_curve) {
                let Some(score) = outcome.score else { continue };
                if matches!(policy.curves[curve].basis, Basis::Chain(_)) {
                    continue;
                }
                let ratio = outcome.earned.ratio;
                let with = [line.cohort.to_string(), shortest(score), percent(ratio)];
                let told = self.say(Phrase::StatementMark, &with.each_ref().map(String::as_str));
                let known = drawn.iter_mut().find(|one| (one.0, one.1) == (line.version, curve));
                match known {
                    Some((.., marks)) if marks.iter().any(|mark| mark.2 == told) => {}
                    Some((.., marks)) => marks.push((score, ratio, told)),
                    None => drawn.push((line.version, curve, vec![(score, ratio, told)])),
                }
            }
        }
        if drawn.is_empty() {
            return;
        }
        html.tagged("h2", self.say(Phrase::StatementCurves, &[])).raw("<div class=\"curves\">");
        for (version, curve, marks) in drawn {
            let curve = &run.rules.region.versions[version].curves[curve];
            let named =
                self.say(Phrase::StatementCurve, &[names::curve(curve, self.findings.lang()), &curve.clause]);
            let told: Vec<String> = marks.iter().map(|mark| mark.2.clone()).collect();
            let told = self.say(Phrase::DocOf, &[&named, &told.join(&self.say(Phrase::DocThen, &[]))]);
            html.raw("<figure>");
            charts::curve(html, &told, curve, &marks);
            html.tagged("figcaption", told).raw("</figure>");
        }
        html.raw("</div>\n");
    }

    fn refused(&self, html: &mut Html, statement: &Statement) {
        let lang = self.findings.lang();
        html.tagged("h2", self.say(Phrase::StatementRefused, &[&statement.refused.len().to_string()]));
        if statement.refused.is_empty() {
            html.classed("p", "soft", self.say(Phrase::StatementNone, &[]));
            return;
        }
        html.raw("<div class=\"wide\"><table>").header(&[
            self.say(Phrase::StatementPlace, &[]),
            self.label(Label::Code),
            self.say(Phrase::DocContract, &[]),
            self.say(Phrase::DocPerson, &[]),
            self.label(Label::Reason),
            self.label(Label::Clause),
            self.label(Label::WhatToDo),
        ]);
        html.raw("<tbody>");
        for at in &statement.refused {
            let Refused { row, file, reason } = self.findings.refused_at(*at);
            let place = format!("{}:{}", file, row.place.line);
            html.raw("<tr>").classed("td", unbroken(&place), &place);
            html.open("td", &[("class", "k"), ("title", title(lang, row.code))])
                .text(row.code.name())
                .close("td");
            html.classed("td", unbroken(row.contract), row.contract)
                .classed("td", "k", row.person)
                .tagged("td", &reason);
            html.tagged("td", row.clause.unwrap_or_default());
            html.tagged("td", cure(lang, row.code)).raw("</tr>\n");
        }
        html.raw("</tbody></table></div>\n");
    }

    fn flags(&self, html: &mut Html, statement: &Statement) {
        let lang = self.findings.lang();
        if statement.flags.is_empty() {
            return;
        }
        html.tagged("h2", self.say(Phrase::StatementFlags, &[&statement.flags.len().to_string()]));
        html.raw("<div class=\"wide\"><table>").header(&[
            self.label(Label::Code),
            self.say(Phrase::DocContract, &[]),
            self.say(Phrase::DocPerson, &[]),
            self.say(Phrase::DocDetail, &[]),
            self.label(Label::Clause),
            self.label(Label::WhatToDo),
        ]);
        html.raw("<tbody>");
        for at in &statement.flags {
            let flag = self.findings.flags.at(*at);
            html.raw("<tr>")
                .open("td", &[("class", "k"), ("title", title(lang, flag.code))])
                .text(flag.code.name())
                .close("td");
            html.classed("td", unbroken(&flag.contract), &flag.contract).classed(
                "td",
                "k",
                flag.person.unwrap_or_default(),
            );
            html.tagged("td", &flag.detail).tagged("td", flag.clause.unwrap_or_default());
            html.tagged("td", cure(lang, flag.code)).raw("</tr>\n");
        }
        html.raw("</tbody></table></div>\n");
    }

    fn agreed(&self, html: &mut Html, statement: &Statement) {
        let id = &self.findings.run.rules.institutions.get(statement.institution).id;
        let posted = self.findings.posted;
        let mut any = false;
        for one in posted.agreed.iter().filter(|one| one.institution == *id) {
            if !any {
                html.tagged("h2", self.say(Phrase::StatementAgreed, &[]));
            }
            any = true;
            let (amount, batch) = (one.amount.grouped(), one.batch.to_string());
            let by = paper(&posted.batches, one.batch);
            let source = names::source(self.findings.run, &one.source, self.findings.lang());
            let with = [one.cohort.as_str(), &source, &amount, &one.document, &one.reason, &batch, &by];
            html.tagged("p", self.say(Phrase::AgreedLine, &with));
        }
    }

    /// What the policy wants reported of the institution, and by when it is told its result.
    fn figures(&self, html: &mut Html, statement: &Statement) {
        let mut any = false;
        for row in &self.findings.run.settlement.figures {
            if row.institution != Some(statement.institution) {
                continue;
            }
            if row.figure == "feedback_day" {
                let day = self.say(Phrase::StatementFeedback, &[&row.value]);
                html.classed("p", "words", format!("{day}　[{}]", row.clause));
                continue;
            }
            if !any {
                html.tagged("h2", self.say(Phrase::StatementFigures, &[])).raw("<table>");
            }
            any = true;
            html.raw("<tr>").tagged("td", names::figure(&row.figure, self.findings.lang()));
            let value = names::figure_value(&row.figure, &row.value, self.findings.lang());
            html.classed("td", "n", value).classed("td", "soft", &*row.clause).raw("</tr>");
        }
        if any {
            html.raw("</table>");
        }
    }

    fn foot(&self, html: &mut Html, statement: &Statement) {
        let paper = &self.findings.output.paper;
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        // No policy names the day: the bureau writes it in.
        html.raw("<div class=\"end\">").tagged("p", self.say(Phrase::StatementObject, &[]));
        // Should it stand on a page of its own, that page says whose it is.
        let one = self.findings.run.rules.institutions.get(statement.institution);
        let period = names::period(self.findings.run.rules.period, self.findings.lang());
        let whose = [
            self.say(Phrase::StatementTo, &[&one.name, &one.id]),
            self.say(Phrase::StatementPeriod, &[&period]),
        ];
        html.classed("p", "soft", whose.join("　"));
        html.raw("<div class=\"sign\">");
        html.tagged("span", self.say(Phrase::SignPrepared, &[&word(&paper.operator)]));
        html.tagged("span", self.say(Phrase::SignChecked, &[]));
        html.tagged("span", self.say(Phrase::SignApproved, &[&word(&paper.approved_by)]));
        html.tagged("span", self.say(Phrase::SignDate, &[]));
        html.tagged("span", self.say(Phrase::SignInstitution, &[])).raw("<span></span><span></span>");
        html.tagged("span", self.say(Phrase::SignDate, &[])).raw("</div>\n<div class=\"foot\">");
        self.standing(html, statement);
        html.raw("</div></div>\n");
    }

    /// The approving document, why sums may be wrong, the ledger's head, and what nobody confirmed.
    fn standing(&self, html: &mut Html, statement: &Statement) {
        if let Some(document) = &self.findings.output.paper.document {
            html.tagged("div", self.say(Phrase::DocPaper, &[document]));
        }
        let doubts = self.findings.doubts_of(statement.institution);
        for told in doubts.into_iter().chain(self.findings.standing()) {
            html.tagged("div", told);
        }
    }

    /// 追回通知书.
    fn notice(&self, html: &mut Html, statement: &Statement, recover: Fen) {
        let (run, lang) = (self.findings.run, self.findings.lang());
        let one = run.rules.institutions.get(statement.institution);
        let policy = &run.rules.region.versions[run.rules.version_on(run.rules.period.first_day())];
        html.raw("<article class=\"letter\">").tagged("h1", self.say(Phrase::NoticeTitle, &[]));
        html.classed("p", "to", self.say(Phrase::NoticeTo, &[&one.name, &one.id]));
        let period = names::period(run.rules.period, lang);
        let (amount, words) = (recover.grouped(), capitals(recover));
        let with = [policy.name.as_str(), &policy.document, &period, &amount, &words];
        html.tagged("p", self.say(Phrase::NoticeText, &with)).raw("<div class=\"wide\"><table>");
        html.header(&[
            self.label(Label::Cohort),
            self.label(Label::Package),
            self.label(Label::Source),
            self.label(Label::Posted),
            self.say(Phrase::NoticeDue, &[]),
            self.label(Label::Recover),
            self.label(Label::Reason),
            self.label(Label::Clause),
        ]);
        html.raw("<tbody>");
        for line in statement.lines.iter().filter(|line| line.recover > Fen::ZERO) {
            let policy = &run.rules.region.versions[line.version];
            html.raw("<tr>").tagged("td", line.cohort.to_string());
            html.tagged("td", names::package(policy, &line.package, lang));
            html.tagged("td", names::source(run, &line.source, lang));
            for amount in [line.posted, line.due(), line.recover] {
                html.classed("td", "n", amount.grouped());
            }
            let back = clawback(line, policy);
            html.tagged(
                "td",
                back.as_ref().map_or(String::new(), |back| self.label(names::reason(back.reason))),
            );
            html.tagged("td", back.map_or(String::new(), |back| back.clause.to_string())).raw("</tr>");
        }
        html.raw("</tbody></table></div>\n").tagged("p", self.say(Phrase::NoticeEnd, &[]));
        html.tagged("p", self.say(Phrase::StatementObject, &[]));
        html.raw("<div class=\"seal\">").tagged("div", self.say(Phrase::SignBureau, &[]));
        html.tagged("div", self.say(Phrase::SignDate, &[])).raw("</div>\n<div class=\"sign\">");
        html.tagged("span", self.say(Phrase::SignInstitution, &[])).raw("<span></span><span></span>");
        html.tagged("span", self.say(Phrase::SignDate, &[])).raw("</div>\n<div class=\"foot\">");
        self.standing(html, statement);
        html.raw("</div></article>\n");
    }
}

/// The class of a cell with an id in it: a short one stays on one line.
fn unbroken(id: &str) -> &'static str {
    const SHORT: usize = 20;
    if id.len() <= SHORT { "id" } else { "" }
}
