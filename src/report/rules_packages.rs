//! What a policy says of its packages, and by which words exports may call things.

use std::collections::BTreeMap;

use crate::base::money::shortest;
use crate::policy::Named;
use crate::policy::package::{
    Bound, Conditions, ItemsDue, LimitOf, Package, PackageKind, ShareAmount, Weigh, When,
};
use crate::words::Phrase;

use super::rules::{Teller, percent};

impl Teller<'_> {
    fn conditions(&self, asked: &Conditions) -> String {
        let policy = self.policy;
        let mut parts = Vec::new();
        let or = |names: Vec<String>| self.list(Phrase::Or, names);
        if let Some(insurance) = policy.insurance.as_ref().filter(|_| !asked.schemes.is_empty()) {
            parts.push(or(asked.schemes.iter().map(|at| self.name(&insurance.schemes[*at])).collect()));
        }
        if !asked.kinds.is_empty() {
            let kinds = &policy.institutions.kinds;
            parts.push(or(asked.kinds.iter().map(|at| self.name(&kinds[*at])).collect()));
        }
        if !asked.districts.is_empty() {
            parts.push(or(asked.districts.clone()));
        }
        if !asked.tags.is_empty() {
            parts.push(or(asked.tags.iter().map(|tag| self.name(tag)).collect()));
        }
        parts.extend(asked.age_from.map(|age| self.words(Phrase::AgeFrom, &[&age.to_string()])));
        parts.extend(asked.age_under.map(|age| self.words(Phrase::AgeUnder, &[&age.to_string()])));
        self.list(Phrase::And, parts)
    }

    /// What is asked, in brackets; nothing where nothing is.
    fn when(&self, when: &When) -> String {
        let mut parts = Vec::new();
        if !when.all.is_empty() {
            parts.push(self.conditions(&when.all));
        }
        if let Some(unless) = &when.unless {
            parts.push(self.words(Phrase::Unless, &[&self.conditions(unless)]));
        }
        match parts.is_empty() {
            true => String::new(),
            false => self.words(Phrase::Whenever, &[&self.list(Phrase::And, parts)]),
        }
    }

    pub(super) fn packages(&mut self) {
        let policy = self.policy;
        for package in &policy.packages {
            self.package(package);
        }
        for limit in &policy.limits {
            let of = match &limit.of {
                LimitOf::Package(id) | LimitOf::Population(id) => id.clone(),
                LimitOf::Kind(kind, _) => kind.id().to_string(),
            };
            let what = match (&limit.of, limit.sources.is_empty()) {
                (LimitOf::Population(_), _) => self.words(Phrase::TheAmount, &[]),
                (_, true) => self.words(Phrase::TheFee, &[]),
                (_, false) => self.list(Phrase::And, limit.sources.iter().map(|at| self.source(*at))),
            };
            let shown = |sign: &str, bound: Option<Bound>| {
                bound.map(|bound| match bound {
                    Bound::Amount(fen) => format!("{sign} {fen}"),
                    Bound::Ratio(ratio) => format!("{sign} {}", percent(ratio)),
                })
            };
            let both = [shown("≥", limit.at_least), shown("≤", limit.at_most)];
            let bounds = self.list(Phrase::And, both.into_iter().flatten());
            let text = self.words(Phrase::Limit, &[&of, &what, &bounds]);
            self.say(Phrase::SectionPackages, format!("limit {of} {what} {bounds}"), text, &limit.clause);
        }
    }

    fn package(&mut self, package: &Package) {
        use Phrase::SectionPackages;
        let policy = self.policy;
        let name = self.name(&package.named);
        let about = format!("package {}", package.named.id);
        let text = match package.kind {
            PackageKind::Basic => self.words(Phrase::PackageBasic, &[&name]),
            PackageKind::Free => self.words(Phrase::PackageFree, &[&name]),
            PackageKind::Addon => {
                let required = package.requires.iter().filter_map(|id| {
                    self.policy
                        .packages
                        .iter()
                        .find(|one| one.named.id == *id)
                        .map(|one| self.name(&one.named))
                });
                let on = self.list(Phrase::Or, required.collect::<Vec<_>>());
                self.words(Phrase::PackageAddon, &[&name, &on])
            }
        };
        self.say(SectionPackages, about.clone(), text, &package.clause);
        if package.offered_from != policy.from {
            let text = self.words(Phrase::OfferedFrom, &[&name, &package.offered_from.to_string()]);
            self.say(SectionPackages, format!("{about} offered"), text, &package.clause);
        }
        if !package.groups.is_empty() {
            let groups = package.groups.iter().map(|group| {
                self.conditions(&Conditions {
                    tags: group.tags.clone(),
                    age_from: group.age_from,
                    age_under: group.age_under,
                    ..Conditions::default()
                })
            });
            let text = self.words(Phrase::OneOfGroups, &[&name, &self.list(Phrase::Or, groups)]);
            let clause = package.groups[0].clause.clone();
            self.say(SectionPackages, format!("{about} group"), text, &clause);
        }
        for (at, fee) in package.fees.iter().enumerate() {
            let text = match fee.list {
                Some((list, discount)) => {
                    let with =
                        [name.as_str(), &fee.amount.to_string(), &list.to_string(), &percent(discount)];
                    self.words(Phrase::FeeListed, &with)
                }
                None => self.words(Phrase::Fee, &[&name, &fee.amount.to_string()]),
            };
            let text = text + &self.when(&fee.when);
            self.say(SectionPackages, format!("{about} fee {at}"), text, &fee.clause);
        }
        for (at, weight) in package.weights.iter().enumerate() {
            let text =
                self.words(Phrase::Weight, &[&name, &shortest(weight.factor)]) + &self.when(&weight.when);
            self.say(SectionPackages, format!("{about} weight {at}"), text, &weight.clause);
        }
        if package.weigh == Weigh::Highest && package.weights.len() > 1 {
            let text = self.words(Phrase::WeighHighest, &[&name]);
            self.say(SectionPackages, format!("{about} weigh"), text, &package.weights[0].clause);
        }
        let mut nth: BTreeMap<usize, usize> = BTreeMap::new();
        for share in &package.shares {
            let source = self.source(share.source);
            let text = match &share.amount {
                ShareAmount::Fixed(fen) => {
                    self.words(Phrase::ShareFixed, &[&name, &source, &fen.to_string()])
                }
                ShareAmount::Ratio(ratio) => {
                    self.words(Phrase::ShareRatio, &[&name, &source, &percent(*ratio)])
                }
                ShareAmount::RatioByKind(ratios) => {
                    let kinds = policy.institutions.kinds.iter().zip(ratios);
                    let each = kinds.map(|(kind, ratio)| format!("{} {}", self.name(kind), percent(*ratio)));
                    self.words(Phrase::ShareRatio, &[&name, &source, &self.list(Phrase::And, each)])
                }
                ShareAmount::Rest => self.words(Phrase::ShareRest, &[&name, &source]),
            };
            let count = nth.entry(share.source).or_default();
            *count += 1;
            let about = format!("{about} share {} {count}", policy.sources[share.source].id);
            let text = text + &self.when(&share.when);
            self.say(SectionPackages, about, text, &share.clause);
        }
        for item in &package.items {
            let title = self.name(&item.named);
            let mut text = match item.times {
                Some(times) => self.words(Phrase::ItemTimes, &[&name, &title, &times.to_string()]),
                None => self.words(Phrase::Item, &[&name, &title]),
            };
            if let Some(price) = item.price {
                text += &self.words(Phrase::ItemPrice, &[&price.to_string()]);
            }
            if let Some(amount) = item.amount {
                text += &self.words(Phrase::ItemAmount, &[&amount.to_string()]);
            }
            self.say(SectionPackages, format!("{about} item {}", item.named.id), text, &item.clause);
        }
        if package.deduct_missing {
            let what = match package.items_due {
                ItemsDue::WholeYear => Phrase::DeductWhole,
                ItemsDue::MonthsPassed => Phrase::DeductPassed,
            };
            let text = self.words(what, &[&name]);
            self.say(SectionPackages, format!("{about} deduct"), text, &package.clause);
        }
        if let Some(count) = package.services_at_least {
            let text = self.words(Phrase::Services, &[&name, &count.to_string()]);
            self.say(SectionPackages, format!("{about} services"), text, &package.clause);
        }
    }
}

impl Teller<'_> {
    /// By which words exports may call things.
    pub(super) fn names_of_all(&mut self) {
        let policy = self.policy;
        let add = |what: &str, named: &Named, clause: &str| -> (String, String, String) {
            (
                format!("names {what} {}", named.id),
                named.names().collect::<Vec<_>>().join(" = "),
                clause.to_string(),
            )
        };
        let mut said = Vec::new();
        if let Some(insurance) = &policy.insurance {
            said.extend(insurance.schemes.iter().map(|one| add("scheme", one, &insurance.clause)));
        }
        said.extend(
            policy.institutions.kinds.iter().map(|one| add("kind", one, &policy.institutions.clause)),
        );
        said.extend(policy.levels.iter().map(|one| add("level", &one.named, &one.clause)));
        if let Some(rule) = &policy.evidence {
            said.extend(rule.cards.iter().map(|one| add("card", one, &rule.clause)));
        }
        for (reason, _) in &policy.prorate.reasons {
            said.push(add("reason", reason, policy.prorate.clause.as_deref().unwrap_or_default()));
        }
        for package in &policy.packages {
            said.push(add("package", &package.named, &package.clause));
            for item in &package.items {
                said.push(add(&format!("item {}", package.named.id), &item.named, &item.clause));
            }
            for group in &package.groups {
                let of = format!("group {}", package.named.id);
                said.extend(group.tags.iter().map(|one| add(&of, one, &group.clause)));
            }
            for tag in package.asked().flat_map(|asked| &asked.tags) {
                said.push(add(&format!("tag {}", package.named.id), tag, &package.clause));
            }
        }
        said.extend(policy.double_benefits.iter().map(|one| add("double benefit", &one.item, &one.clause)));
        for source in &policy.sources {
            said.push((
                format!("names source {}", source.id),
                format!("{} = {}", source.id, source.name),
                source.clause.to_string(),
            ));
        }
        for (about, text, clause) in said {
            self.say(Phrase::SectionNames, about, text, &clause);
        }
    }
}
