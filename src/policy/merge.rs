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
/// What tells the tables of a list apart.
const IDENTITIES: [&str; 3] = ["id", "year", "level"];
/// Bounds of a local figure, which whoever extends it keeps.
const BOUNDS: [&str; 2] = ["at_least", "at_most"];

/// Lays `over` over `under`.
pub fn merge<'i>(under: &mut DeTable<'i>, over: DeTable<'i>, sheet: &Sheet<'_>) {
    tables(under, over, sheet, "");
}

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
            (DeValue::Table(mine), DeValue::Table(theirs)) if !WHOLE.contains(&name.as_str()) => {
                tables(mine, theirs, sheet, &here);
            }
            (DeValue::Array(mine), DeValue::Array(theirs)) if here == "limit" => {
                for one in theirs {
                    mine.push(one);
                }
            }
            (DeValue::Array(mine), DeValue::Array(theirs)) if identified(mine) && identified(&theirs) => {
                *mine = lists(std::mem::replace(mine, DeArray::new()), theirs, sheet, &here);
            }
            (_, value) => {
                under.remove(name.as_str());
                under.insert(key, without_marks(Spanned::new(span, value)));
            }
        }
    }
}

fn identity(value: &Spanned<DeValue>) -> Option<(&'static str, String)> {
    let table = value.get_ref().as_table()?;
    IDENTITIES.iter().find_map(|key| {
        let value = table.get(*key)?.get_ref();
        let text = value.as_str().map(str::to_string);
        Some((*key, text.or_else(|| Some(value.as_integer()?.as_str().to_string()))?))
    })
}

fn identified(list: &DeArray) -> bool {
    !list.is_empty() && list.iter().all(|one| identity(one).is_some())
}

fn lists<'i>(under: DeArray<'i>, over: DeArray<'i>, sheet: &Sheet<'_>, path: &str) -> DeArray<'i> {
    let mut all: Vec<Spanned<DeValue<'i>>> = under.into_iter().collect();
    for one in over {
        let id = identity(&one);
        let span = one.span();
        let place = all.iter().position(|other| identity(other) == id);
        let mut value = one.into_inner();
        let DeValue::Table(table) = &mut value else { continue };
        let mut marked = |key| {
            let mark = table.get(key).is_some_and(|value| value.get_ref().as_bool() == Some(true));
            if mark {
                table.remove(key);
            }
            mark
        };
        let (remove, replace) = (marked("remove"), marked("replace"));
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
    if let DeValue::Table(table) = value.get_mut()
        && table.get("replace").is_some_and(|value| value.get_ref().as_bool() == Some(true))
    {
        table.remove("replace");
    }
    value
}
