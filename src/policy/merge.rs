//! `extends`: a file that holds only what differs, laid over the one it extends.
//!
//! Tables are merged key by key and lists of tables by their ids; whatever else the file says takes
//! the place of what was there. Limits are never taken back.

use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::base::message::Msg;

use super::file::Sheet;

/// Values that only make sense as a whole.
const WHOLE: [&str; 4] = ["when", "unless", "below", "group"];
/// Bounds of a local figure, which whoever extends it keeps.
const BOUNDS: [&str; 2] = ["at_least", "at_most"];

/// Lays `over` over `under`.
pub fn merge<'i>(under: &mut DeTable<'i>, over: DeTable<'i>, sheet: &Sheet<'_>) {
    fix_limits(under);
    tables(under, over, sheet, "");
}

/// Limits hold as the file says them that sets them: their figures are no longer open to whoever extends
/// it, and a limit on a kind of packages keeps the packages that are of that kind now.
fn fix_limits(under: &mut DeTable<'_>) {
    let local = under.get("local").and_then(|local| local.get_ref().as_table()).cloned().unwrap_or_default();
    let packages: Vec<(String, Spanned<DeValue>)> = under
        .get("package")
        .and_then(|list| list.get_ref().as_array())
        .into_iter()
        .flat_map(|list| list.iter())
        .filter_map(|one| {
            let table = one.get_ref().as_table()?;
            Some((table.get("kind")?.get_ref().as_str()?.to_string(), table.get("id")?.clone()))
        })
        .collect();
    let Some(DeValue::Array(limits)) = under.get_mut("limit").map(Spanned::get_mut) else { return };
    for limit in limits.iter_mut() {
        let DeValue::Table(limit) = limit.get_mut() else { continue };
        for key in ["at_least", "at_most", "at_least_ratio", "at_most_ratio"] {
            let Some(value) = limit.get_mut(key) else { continue };
            let name =
                value.get_ref().as_str().and_then(|text| text.strip_prefix("local.")).map(str::to_string);
            let figure = name.as_ref().and_then(|name| {
                let (id, entry) =
                    name.split_once('.').map_or((name.as_str(), None), |(id, entry)| (id, Some(entry)));
                let figure = local.get(id)?.get_ref().as_table()?.get("value")?;
                match entry {
                    Some(entry) => figure.get_ref().as_table()?.get(entry),
                    None => Some(figure),
                }
            });
            if let Some(figure) = figure {
                *value = figure.clone();
            }
        }
        let kind = limit.get("kind").and_then(|kind| kind.get_ref().as_str()).map(str::to_string);
        if let Some(kind) = kind.filter(|_| !limit.contains_key(ALSO)) {
            let also: DeArray =
                packages.iter().filter(|(of, _)| *of == kind).map(|(_, id)| id.clone()).collect();
            limit.insert(Spanned::new(0..0, ALSO.into()), Spanned::new(0..0, DeValue::Array(also)));
        }
    }
}

/// Where a limit on a kind keeps the packages that it was set for.
pub const ALSO: &str = "packages (kept)";

fn tables<'i>(under: &mut DeTable<'i>, over: DeTable<'i>, sheet: &Sheet<'_>, path: &str) {
    for (key, value) in over {
        let name = key.get_ref().to_string();
        let here = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let of_local = path.starts_with("local.");
        let Some(there) = under.get_mut(name.as_str()) else {
            under.insert(key, without_marks(value));
            continue;
        };
        if of_local && BOUNDS.contains(&name.as_str()) {
            sheet.fault(key.span(), Msg::BoundIsTheirs { key: here }, None);
            continue;
        }
        let span = value.span();
        match (there.get_mut(), value.into_inner()) {
            (DeValue::Table(mine), DeValue::Table(mut theirs)) if !WHOLE.contains(&name.as_str()) => {
                let (mut remove, mut replace) =
                    (marked(&mut theirs, "remove"), marked(&mut theirs, "replace"));
                // Figures with bounds stay, and so do their bounds.
                let bounded = path == "local" && BOUNDS.iter().any(|bound| mine.contains_key(*bound));
                if (here == "local" && (remove || replace)) || (bounded && remove) {
                    sheet.fault(key.span(), Msg::BoundIsTheirs { key: here.clone() }, None);
                    (remove, replace) = (false, false);
                }
                if bounded && replace {
                    for bound in BOUNDS {
                        if theirs.contains_key(bound) && mine.contains_key(bound) {
                            let key = format!("{here}.{bound}");
                            sheet.fault(span.clone(), Msg::BoundIsTheirs { key }, None);
                        }
                        if let Some((name, value)) = mine.remove_entry(bound) {
                            theirs.remove(bound);
                            theirs.insert(name, value);
                        }
                    }
                }
                // A figure that is set anew is not what somebody confirmed before.
                if path == "local" && theirs.contains_key("value") {
                    mine.remove("confirmed");
                }
                if remove || replace {
                    under.remove(name.as_str());
                } else {
                    tables(mine, theirs, sheet, &here);
                    continue;
                }
                if replace {
                    under.insert(key, Spanned::new(span, DeValue::Table(theirs)));
                }
            }
            (DeValue::Array(mine), DeValue::Array(theirs)) if here == "limit" => {
                for one in theirs {
                    mine.push(one);
                }
            }
            (DeValue::Array(mine), DeValue::Array(theirs))
                if identified(mine, &here) && identified(&theirs, &here) =>
            {
                *mine = lists(std::mem::replace(mine, DeArray::new()), theirs, sheet, &here);
            }
            (_, value) => {
                under.remove(name.as_str());
                under.insert(key, without_marks(Spanned::new(span, value)));
            }
        }
    }
}

/// What tells the tables of a list apart.
fn identity_key(path: &str) -> &'static str {
    match path {
        "sheet" => "level",
        "calendar.year" => "year",
        _ => "id",
    }
}

fn identity(value: &Spanned<DeValue>, path: &str) -> Option<String> {
    let value = value.get_ref().as_table()?.get(identity_key(path))?.get_ref();
    let text = value.as_str().map(str::to_string);
    text.or_else(|| Some(value.as_integer()?.as_str().to_string()))
}

fn identified(list: &DeArray, path: &str) -> bool {
    !list.is_empty() && list.iter().all(|one| identity(one, path).is_some())
}

/// Takes a mark out of a table, and tells whether it was set.
fn marked(table: &mut DeTable, mark: &str) -> bool {
    let set = table.get(mark).is_some_and(|value| value.get_ref().as_bool() == Some(true));
    if set {
        table.remove(mark);
    }
    set
}

fn lists<'i>(under: DeArray<'i>, over: DeArray<'i>, sheet: &Sheet<'_>, path: &str) -> DeArray<'i> {
    let mut all: Vec<Spanned<DeValue<'i>>> = under.into_iter().collect();
    for one in over {
        let id = identity(&one, path);
        let span = one.span();
        let place = all.iter().position(|other| identity(other, path) == id);
        let mut value = one.into_inner();
        let DeValue::Table(table) = &mut value else { continue };
        let (remove, replace) = (marked(table, "remove"), marked(table, "replace"));
        match place {
            Some(at) if remove => {
                all.remove(at);
            }
            None if remove => sheet.fault(span, Msg::NothingToRemove { table: path.to_string() }, None),
            Some(at) if replace => all[at] = Spanned::new(span, value),
            Some(at) => {
                // What is said of the whole from here on stands at the place of what differs.
                let mut merged =
                    std::mem::replace(&mut all[at], Spanned::new(span.clone(), DeValue::Boolean(false)));
                if let (DeValue::Table(mine), DeValue::Table(theirs)) = (merged.get_mut(), value) {
                    tables(mine, theirs, sheet, path);
                }
                all[at] = Spanned::new(span, merged.into_inner());
            }
            None => all.push(Spanned::new(span, value)),
        }
    }
    all.into_iter().collect()
}

/// A table that is new has nothing to replace.
fn without_marks<'i>(mut value: Spanned<DeValue<'i>>) -> Spanned<DeValue<'i>> {
    if let DeValue::Table(table) = value.get_mut() {
        marked(table, "replace");
    }
    value
}
