//! The part of a rule file that says what is paid for: packages, their fees and shares, and limits of both.

use std::ops::Range;

use rust_decimal::Decimal;

use crate::base::message::Msg;
use crate::base::money::Fen;
use crate::base::period::Date;

use super::build::{named, named_part};
use super::build_parts::services_at_least;
use super::merge::ALSO;
use super::package::{
    Bound, Conditions, Example, FeeRule, Group, Item, ItemsDue, Limit, LimitOf, MOST_CONDITIONS, MOST_TAGS,
    NoPrice, Package, PackageKind, Price, ShareAmount, ShareRule, Weigh, Weight, When,
};
use super::reader::{At, Reader};
use super::{Clause, Named};

/// Ids that packages refer to.
pub struct Known<'a> {
    pub sources: &'a [String],
    /// Which of the sources this policy settles, and the most that their curves pay of a share.
    pub settled: &'a [bool],
    pub most_paid: &'a [Decimal],
    /// Borne once for a person: an add-on has none of it.
    pub once: &'a [bool],
    pub schemes: &'a [String],
    pub kinds: &'a [String],
    /// Groups of people, those of packages' groups among them.
    pub tags: &'a [Named],
}

pub fn package(table: Reader, version: Date, known: &Known, limits: &[Limit]) -> Option<Package> {
    let named = named_part(&table);
    let kind = table.required("kind", |r, key| r.word(key, &PackageKind::ALL));
    let clause = table.clause();
    let offered_from = table.date("offered_from").map_or(version, |at| at.value);
    let requires = table.texts("requires").into_iter().map(|at| at.value).collect();
    let groups = table.table_or_tables("group").into_iter().map(|group| self::group(group, known)).collect();
    let deduct_missing = table.bool("deduct_missing").unwrap_or(false);
    let items_due = table.word("items_due", &ItemsDue::ALL).unwrap_or(ItemsDue::WholeYear);
    let services_at_least = services_at_least(&table, "services_at_least");
    let items: Vec<Item> =
        table.tables("item").into_iter().filter_map(|row| item(row, deduct_missing)).collect();
    let mut priced = Some((Vec::new(), Vec::new(), Vec::new()));
    let mut weigh = Weigh::Multiply;
    if kind == Some(PackageKind::Free) {
        if table.has("fee") || table.has("share") {
            table.fault(table.span(), Msg::FreeHasFee, None);
        }
        for key in ["fee", "share", "list_price", "discount", "weight", "weigh"] {
            table.mention(key);
        }
    } else {
        let fees = fees(&table, known, &clause);
        weigh = table.word("weigh", &Weigh::ALL).unwrap_or(Weigh::Multiply);
        let rows = table.tables("weight").into_iter().map(|row| weight(row, known));
        let mut weights: Option<Vec<Weight>> = rows.collect::<Vec<_>>().into_iter().collect();
        if weights.as_ref().is_some_and(|weights| weights.len() > MOST_WEIGHTS) {
            table.fault(table.span(), Msg::TooManyOf { table: "weight".into(), most: MOST_WEIGHTS }, None);
            weights = None;
        }
        if !table.has("share") {
            table.fault(
                table.span(),
                Msg::MissingKey { table: "package".into(), key: "share".into() },
                Some(Msg::AddKey { key: "share".into() }),
            );
        }
        let rows = table.tables("share");
        let last = rows.len().saturating_sub(1);
        // A rest for some may stand before others; one for all leaves nothing to those behind it.
        let shares: Vec<Option<ShareRule>> = rows
            .into_iter()
            .enumerate()
            .map(|(at, row)| {
                let ends = at == last || row.has("when");
                share(row, ends, known)
            })
            .collect();
        let shares: Option<Vec<ShareRule>> = shares.into_iter().collect();
        priced = fees.and_then(|fees| Some((fees, weights?, shares?)));
    }
    let span = table.span();
    let (sheet, cited) = (table.sheet, table.cited());
    let fault = |fact, cure| sheet.fault_of(span.clone(), fact, cure, cited.clone());
    table.finish();
    let (fees, weights, shares) = priced?;
    let package = Package {
        named: named?,
        kind: kind?,
        fees,
        weights,
        weigh,
        shares,
        requires,
        groups,
        items,
        deduct_missing,
        items_due,
        services_at_least,
        offered_from,
        clause,
    };
    if kind == Some(PackageKind::Free) {
        // What had to cost something costs nothing now.
        for limit in limits.iter().filter(|limit| limit.at_least.is_some() && limit.holds_for(&package)) {
            let (of, clause) = (package.named.id.clone(), limit.clause.clone());
            let whom = String::new();
            fault(Msg::LimitBroken { of, amount: Fen::ZERO, bound: bounds(limit), clause, whom }, None);
        }
        return Some(package);
    }
    if package.conditions().count() > MOST_CONDITIONS {
        fault(Msg::TooManyConditions { most: MOST_CONDITIONS }, None);
        return None;
    }
    if package.asked_tags().len() > MOST_TAGS {
        fault(Msg::TooManyTags { count: package.asked_tags().len(), most: MOST_TAGS }, None);
        return None;
    }
    let (mut broken, mut items_told): (Vec<Msg>, bool) = (Vec::new(), false);
    for ((holding, kind), example) in package.cases(known.schemes.len(), known.kinds.len()) {
        let whom = whom(&example, known);
        let price = match package.price(holding, kind) {
            Ok(price) => price,
            Err(NoPrice::NoFee) => {
                fault(Msg::NoFeeForCase { whom }, Some(Msg::LastFeeForAll));
                return None;
            }
            Err(NoPrice::Sum { sum, fee }) if sum > fee => {
                fault(Msg::SharesOverFee { sum, fee, whom }, Some(Msg::LastIsRest));
                return None;
            }
            Err(NoPrice::Sum { sum, fee }) => {
                fault(Msg::SharesNotFee { sum, fee, whom }, Some(Msg::LastIsRest));
                return None;
            }
        };
        // What items are taken off.
        let first = price.shares.iter().find(|(source, _)| known.settled.get(*source) == Some(&true));
        if let (Some(sum), Some((_, share))) = (planned(&package, |item| item.amount), first)
            && sum != *share
            && package.weights.is_empty()
        {
            if !items_told {
                fault(Msg::ItemsNotShare { sum, share: *share, whom: whom.clone() }, None);
            }
            items_told = true;
        }
        let billed = |(source, _): &&(usize, Fen)| {
            package.kind != PackageKind::Addon || known.once.get(*source) != Some(&true)
        };
        for limit in limits.iter().filter(|limit| limit.holds_for(&package)) {
            let mut paid =
                Price { fee: price.fee, shares: price.shares.iter().filter(billed).copied().collect() };
            let mut bad = limit.broken_by(&paid);
            if limit.at_most.is_some() {
                // A curve that pays more than all of a share goes over a ceiling as well.
                for (source, amount) in &mut paid.shares {
                    *amount = amount.share(
                        known.most_paid.get(*source).copied().unwrap_or(Decimal::ONE).max(Decimal::ONE),
                    );
                }
                bad = bad.or_else(|| limit.at_most_broken_by(&paid));
            }
            if let Some(amount) = bad {
                let (of, clause) = (package.named.id.clone(), limit.clause.clone());
                let fact = Msg::LimitBroken { of, amount, bound: bounds(limit), clause, whom: whom.clone() };
                let same = |other: &Msg| matches!((other, &fact), (Msg::LimitBroken { bound: a, clause: b, .. }, Msg::LimitBroken { bound: c, clause: d, .. }) if a == c && b == d);
                if !broken.iter().any(same) {
                    broken.push(fact);
                }
            }
        }
    }
    for fact in broken {
        fault(fact, None);
    }
    Some(package)
}

/// Somebody of a case, as a fault names them: `scheme = resident, age = 64`.
fn whom(example: &Example, known: &Known) -> String {
    let mut parts = Vec::new();
    parts.extend(example.scheme.and_then(|at| known.schemes.get(at)).map(|id| format!("scheme = {id}")));
    parts.extend(example.kind.and_then(|at| known.kinds.get(at)).map(|id| format!("kind = {id}")));
    if !example.district.is_empty() {
        parts.push(format!("district = {}", example.district));
    }
    parts.extend(example.age.map(|age| format!("age = {age}")));
    if !example.tags.is_empty() {
        parts.push(format!("tag = {}", example.tags.join(" + ")));
    }
    parts.join(", ")
}

/// What the items come to, where any has this figure.
fn planned(package: &Package, of: fn(&Item) -> Option<Fen>) -> Option<Fen> {
    let listed = package.items.iter().any(|item| of(item).is_some());
    let each = |item: &Item| Some(of(item)?.times(u64::from(item.times.unwrap_or(1))));
    listed.then(|| package.items.iter().filter_map(each).sum())
}

/// The fee: one, or several with their conditions, or a list price less a discount.
fn fees(table: &Reader, known: &Known, clause: &Clause) -> Option<Vec<FeeRule>> {
    let listed = table.has("list_price");
    let (list, discount) = (table.money("list_price"), table.ratio("discount"));
    if listed {
        if table.has("fee") {
            table.mention("fee");
            table.fault(table.span(), Msg::OneOfTwo { keys: "fee, list_price".into() }, None);
            return None;
        }
        let (list, discount) = (list?.value, table.required("discount", |_, _| discount.clone())?.value);
        let amount = list.share(Decimal::ONE - discount);
        let list = Some((list, discount));
        return Some(vec![FeeRule { amount, list, when: When::default(), clause: clause.clone() }]);
    }
    if table.has("discount") {
        table.fault(
            table.span(),
            Msg::MissingKey { table: "package".into(), key: "list_price".into() },
            None,
        );
    }
    if !table.is_list("fee") {
        let amount = table.required("fee", Reader::money)?.value;
        return Some(vec![FeeRule { amount, list: None, when: When::default(), clause: clause.clone() }]);
    }
    let rows = table.tables("fee");
    let last = rows.len().saturating_sub(1);
    let rows = rows.into_iter().enumerate().map(|(at, row)| {
        if at < last && !row.has("when") {
            row.fault(row.span(), Msg::FeeForAllNotLast, None);
        }
        let amount = row.required("amount", Reader::money);
        let when = row.table("when").map(|table| when(table, known)).unwrap_or_default();
        let clause = row.clause();
        row.finish();
        Some(FeeRule { amount: amount?.value, list: None, when, clause })
    });
    rows.collect::<Vec<_>>().into_iter().collect()
}

fn weight(row: Reader, known: &Known) -> Option<Weight> {
    let factor = row.required("factor", Reader::decimal);
    let when = row.table("when").map(|table| when(table, known)).unwrap_or_default();
    let clause = row.clause();
    if let Some(at) = factor.as_ref().filter(|at| at.value.is_zero() || at.value > Decimal::TEN) {
        row.fault(at.span.clone(), Msg::FactorRange, None);
        row.finish();
        return None;
    }
    row.finish();
    Some(Weight { factor: factor?.value, when, clause })
}

fn share(row: Reader, ends: bool, known: &Known) -> Option<ShareRule> {
    let source = row.required("source", |r, key| r.reference(key, known.sources));
    let clause = row.clause();
    let amount = share_amount(&row, ends, known);
    let when = row.table("when").map(|table| when(table, known)).unwrap_or_default();
    row.finish();
    Some(ShareRule { source: source?, amount: amount?, when, clause })
}

fn share_amount(row: &Reader, ends: bool, known: &Known) -> Option<ShareAmount> {
    let rest = row.bool("rest");
    let given = [row.has("amount"), row.has("ratio"), rest == Some(true)];
    // Asked for in any case, so that a misspelt one is told from a missing one.
    let amount = row.money("amount");
    row.mention("ratio");
    if given.iter().filter(|given| **given).count() != 1 {
        row.fault(row.span(), Msg::OneOfTwo { keys: "amount, ratio, rest".into() }, None);
        return None;
    }
    if given[0] {
        return Some(ShareAmount::Fixed(amount?.value));
    }
    if given[2] {
        if !ends {
            row.fault(row.span(), Msg::RestNotLast, None);
        }
        return Some(ShareAmount::Rest);
    }
    if row.is_table("ratio") && known.kinds.is_empty() {
        row.fault(row.span(), Msg::NoKinds, None);
        return None;
    }
    if !row.is_table("ratio") {
        return Some(ShareAmount::Ratio(row.ratio("ratio")?.value));
    }
    let by_kind = row.decimals_by_name("ratio")?;
    let mut ratios = Vec::new();
    for kind in known.kinds {
        match by_kind.get(kind) {
            Some(at) if super::curve::is_ratio(at.value) => ratios.push(at.value),
            Some(at) => row.fault(at.span.clone(), Msg::RatioRange { key: kind.clone() }, None),
            None => row.fault(row.span(), Msg::MissingKey { table: "ratio".into(), key: kind.clone() }, None),
        }
    }
    for (name, at) in &by_kind {
        let name = At { value: name.clone(), span: at.span.clone() };
        row.find_reference("ratio", &name, known.kinds);
    }
    Some(ShareAmount::RatioByKind(ratios))
}

fn age(table: &Reader, key: &'static str) -> Option<i16> {
    let at = table.integer(key)?;
    if at.value > 150 {
        table.fault(at.span, Msg::AgeRange, None);
        return None;
    }
    i16::try_from(at.value).ok()
}

fn when(table: Reader, known: &Known) -> When {
    let all = conditions(&table, known);
    let unless = table.table("unless").map(|inner| {
        let unless = conditions(&inner, known);
        if unless.is_empty() {
            inner.fault(inner.span(), Msg::EmptyUnless, None);
        }
        inner.finish();
        unless
    });
    table.finish();
    When { all, unless }
}

fn conditions(table: &Reader, known: &Known) -> Conditions {
    let tags = table.text_or_texts("tag").into_iter().filter_map(|at| tag(table, at, known)).collect();
    Conditions {
        schemes: table.references("scheme", known.schemes),
        kinds: table.references("kind", known.kinds),
        districts: table.text_or_texts("district").into_iter().map(|at| at.value).collect(),
        tags,
        age_from: age(table, "age_from"),
        age_under: age(table, "age_under"),
    }
}

/// The group of people that an id names.
fn tag(table: &Reader, at: At<String>, known: &Known) -> Option<Named> {
    let ids: Vec<String> = known.tags.iter().map(|tag| tag.id.clone()).collect();
    Some(known.tags[table.find_reference("tag", &at, &ids)?].clone())
}

fn group(table: Reader, known: &Known) -> Group {
    let (age_from, age_under) = (age(&table, "age_from"), age(&table, "age_under"));
    // Tags by their ids where the file lists them, else written out here.
    let tags = match table.has("tag") && !table.is_table_list("tag") {
        true => table.text_or_texts("tag").into_iter().filter_map(|at| tag(&table, at, known)).collect(),
        // As all groups of that id together are called.
        false => {
            let own = table.tables("tag").into_iter().filter_map(named);
            own.map(|tag| known.tags.iter().find(|one| one.id == tag.id).cloned().unwrap_or(tag)).collect()
        }
    };
    let clause = table.clause();
    table.finish();
    Group { age_from, age_under, tags, clause }
}

fn item(table: Reader, must_have_times: bool) -> Option<Item> {
    let named = named_part(&table);
    let clause = table.clause();
    let (times, amount) = if must_have_times {
        (table.required("times", Reader::integer), table.required("amount", Reader::money))
    } else {
        (table.integer("times"), table.money("amount"))
    };
    let price = table.money("price").map(|at| at.value);
    if let Some(at) = times.as_ref().filter(|at| at.value > 1_000) {
        table.fault(at.span.clone(), Msg::ServicesRange, None);
    }
    table.finish();
    let (times, amount) = (times.map(|at| at.value), amount.map(|at| at.value));
    Some(Item { named: named?, times, price, amount, clause })
}

/// Most weights of a package: of ten each, a fee that they multiply still is a number.
const MOST_WEIGHTS: usize = 8;
/// Most items of a package, and kinds of institutions: each has a number of eight bits.
pub const MOST_OF_A_LIST: usize = 250;

/// Names, what a package requires, and the sums of its items.
pub fn check_packages(root: &Reader, packages: &[(Range<usize>, Package)]) {
    for (at, (span, package)) in packages.iter().enumerate() {
        for name in package.named.names() {
            if packages[..at].iter().any(|(_, other)| other.named.is(name)) {
                root.fault(span.clone(), Msg::NamedTwice { name: name.to_string() }, None);
                break;
            }
        }
        for (nth, item) in package.items.iter().enumerate() {
            if package.items[..nth].iter().any(|other| other.named.id == item.named.id) {
                root.fault(span.clone(), Msg::NamedTwice { name: item.named.id.clone() }, None);
            }
        }
        if package.items.len() > MOST_OF_A_LIST {
            root.fault(span.clone(), Msg::TooManyOf { table: "item".into(), most: MOST_OF_A_LIST }, None);
        }
        if root.tables("population").iter().any(|line| line.text("id").as_ref() == Some(&package.named.id)) {
            root.fault(span.clone(), Msg::NamedTwice { name: package.named.id.clone() }, None);
        }
        for required in &package.requires {
            // A package with a fault of its own is there all the same.
            let there =
                root.tables("package").iter().any(|table| table.text("id").as_ref() == Some(required));
            if !there {
                let fact = Msg::UnknownWord { key: "requires".into(), value: required.clone() };
                let known = packages.iter().map(|(_, other)| other.named.id.clone()).collect::<Vec<_>>();
                root.fault(span.clone(), fact, Some(Msg::OneOf { known: known.join(", ") }));
            }
        }
        if let (Some(sum), [fee]) = (planned(package, |item| item.price), package.fees.as_slice())
            && sum != fee.list.map_or(fee.amount, |(list, _)| list)
        {
            let fee = fee.list.map_or(fee.amount, |(list, _)| list);
            root.fault(span.clone(), Msg::ItemsNotFee { sum, fee }, None);
        }
    }
}

pub fn limit(table: Reader, known: &Known, root: &Reader) -> Option<Limit> {
    let package = table.text_at("package");
    let kind = table.word("kind", &PackageKind::ALL);
    let population = table.text_at("population");
    let exists = |key: &'static str, at: &At<String>| {
        let known: Vec<String> = root.tables(key).iter().filter_map(|table| table.text("id")).collect();
        table.find_reference(key, at, &known).is_some()
    };
    let of = match (&package, kind, &population) {
        (Some(at), None, None) => exists("package", at).then(|| LimitOf::Package(at.value.clone())),
        (None, Some(kind), None) => {
            let also = table.texts(ALSO).into_iter().map(|at| at.value).collect();
            Some(LimitOf::Kind(kind, also))
        }
        (None, None, Some(at)) => exists("population", at).then(|| LimitOf::Population(at.value.clone())),
        _ => {
            table.fault(table.span(), Msg::OneOfTwo { keys: "package, kind, population".into() }, None);
            None
        }
    };
    let sources = table.references("sources", known.sources);
    let bound = |amount: &'static str, ratio: &'static str| match (table.money(amount), table.ratio(ratio)) {
        (Some(_), Some(at)) => {
            table.fault(at.span, Msg::OneOfTwo { keys: format!("{amount}, {ratio}") }, None);
            None
        }
        (Some(at), None) => Some(Bound::Amount(at.value)),
        (None, at) => at.map(|at| Bound::Ratio(at.value)),
    };
    let (at_least, at_most) = (bound("at_least", "at_least_ratio"), bound("at_most", "at_most_ratio"));
    if at_least.is_none() && at_most.is_none() {
        table.fault(table.span(), Msg::OneOfTwo { keys: "at_least, at_most".into() }, None);
    }
    let clause = table.clause();
    table.finish();
    Some(Limit { of: of?, sources, at_least, at_most, clause })
}

/// A limit's bounds as people write them: `≥ 20.00, ≤ 0.50`.
pub fn bounds(limit: &Limit) -> String {
    let shown = |sign: &str, bound: Bound| match bound {
        Bound::Amount(fen) => format!("{sign} {fen}"),
        Bound::Ratio(ratio) => format!("{sign} {}", ratio.normalize()),
    };
    let both = [limit.at_least.map(|bound| shown("≥", bound)), limit.at_most.map(|bound| shown("≤", bound))];
    both.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
