//! Rule files that are refused: each fault with its place, its fact, and no other fault beside it. Urumqi's
//! own file, changed in one place, is what somebody in an office would have.

use std::fs;
use std::path::Path;

use jiayi::base::diagnostic::Stopped;
use jiayi::policy::version;
use jiayi::words::{Lang, say};

/// What the loader says of Urumqi's file with `changes` made; empty where it takes it.
fn faults(changes: &[(&str, &str)]) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("regions/urumqi/2019-11-01.toml");
    let mut text = fs::read_to_string(file).expect("the rule file");
    for (from, to) in changes {
        assert!(text.contains(from), "the file has {from:?}");
        text = text.replacen(from, to, 1);
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("urumqi")).expect("a folder");
    fs::write(folder.path().join("urumqi/2019-11-01.toml"), text).expect("a file");
    match version::load("urumqi", Some(folder.path())) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let stopped = error.downcast_ref::<Stopped>().expect("diagnostics");
            for one in &stopped.diagnostics {
                let excerpt = one.excerpt.as_ref().expect("a place");
                assert!(excerpt.span.end <= excerpt.text.len() && excerpt.span.start <= excerpt.span.end);
            }
            stopped.diagnostics.iter().map(|one| say(Lang::En, &one.fact)).collect()
        }
    }
}

const FUND: &str = r#"{ source = "resident_fund", ratio = "local.outpatient_ratio", clause = "一(二)" },"#;
const REST: &str = r#"{ source = "individual", rest = true, clause = "一(二)" },"#;

fn by_kind(source: &str, village: &str, others: &str) -> String {
    format!(
        r#"{{ source = "{source}", clause = "1", ratio = {{ village_clinic = "{village}", health_station = "{others}", township_center = "{others}", community_center = "{others}" }} }},"#
    )
}

/// The fund's share written out, so that `[local]` has no figure that is not used.
const LOCAL: &str = "[local.outpatient_ratio]";
const UNUSED: &str = "`outpatient_ratio` of [local] is used nowhere";

#[test]
fn the_file_as_it_is_has_no_fault() {
    assert_eq!(faults(&[]), Vec::<String>::new());
}

#[test]
fn ratios_by_kind_are_added_for_each_kind() {
    // 0.60 + 0.40 for village clinics, 0.70 + 0.30 for the others: both make the fee.
    let right =
        format!("{}\n{}", by_kind("resident_fund", "0.60", "0.70"), by_kind("individual", "0.40", "0.30"));
    assert_eq!(faults(&[(FUND, &right), (REST, "")]), [UNUSED]);
    // 0.70 + 0.20 for village clinics leaves 1.50 to nobody, though the greatest of each make the fee.
    let wrong =
        format!("{}\n{}", by_kind("resident_fund", "0.70", "0.70"), by_kind("individual", "0.20", "0.30"));
    assert_eq!(
        faults(&[(FUND, &wrong), (REST, "")]),
        ["the shares add up to 13.50, the fee is 15.00 (for instance kind = village_clinic)", UNUSED]
    );
    assert!(LOCAL.starts_with("[local."));
}

#[test]
fn shares_with_conditions_must_make_the_fee_in_every_case() {
    let old = r#"{ source = "individual", rest = true, when = { age_from = 90 }, clause = "一(二)" },"#;
    assert_eq!(
        faults(&[(REST, old)]),
        ["the shares add up to 10.50, the fee is 15.00 (for instance kind = village_clinic, age = 0)"]
    );
    let over = format!(
        r#"{{ source = "individual", amount = "10.00", when = {{ age_from = 65 }}, clause = "1" }}, {REST}"#
    );
    assert_eq!(faults(&[(REST, &over)]).len(), 1);
    let under = format!(
        r#"{{ source = "individual", amount = "1.00", when = {{ age_from = 65 }}, clause = "1" }}, {REST}"#
    );
    assert_eq!(faults(&[(REST, &under)]), Vec::<String>::new());
}

#[test]
fn a_package_has_at_most_64_conditions() {
    let one = r#"{ source = "individual", amount = "0.01", clause = "1" },"#;
    let many = |count: usize| format!("{}{REST}", one.repeat(count));
    assert_eq!(faults(&[(REST, &many(61))]), Vec::<String>::new());
    assert_eq!(
        faults(&[(REST, &many(62))]),
        ["the fees, weights and shares of a package are at most 64 together"]
    );
}

#[test]
fn a_misspelt_table_is_one_fault() {
    let said = faults(&[("[policy]", "[polcy]")]);
    assert_eq!(said, ["`policy` is missing", "unknown key `polcy`"]);
    let said = faults(&[("[overlap]", "[overlp]")]);
    assert_eq!(said, ["`overlap` is missing", "unknown key `overlp`"]);
}

#[test]
fn figures_out_of_their_range_are_refused() {
    for (from, to, said) in [
        (
            "per_point = \"0.02\"",
            "per_point = \"79228162514264337593543950335\"",
            "should be a number in quotes",
        ),
        ("per_point = \"0.02\"", "per_point = 0.02", "is a float"),
        ("terms_months = [12]", "terms_months = [0]", "a term is 1 to 1200 months"),
        ("terms_months = [12]", "terms_months = [0x12]", "should be a list of whole numbers"),
        ("prepay = \"0.5\"", "prepay = \"1.5\"", "should be between 0 and 1"),
        ("floor = \"60\"", "floor = \"91\"", "the floor lies over"),
        ("full_at = \"90\"", "full_at = \"101\"", "a mark lies between 0 and 100"),
        ("value = \"15.00\"", "value = \"15.005\"", "more than two decimals"),
        ("max = \"20\"", "max = \"21\"", "add up to 101 points"),
        ("settled = false", "settled = \"no\"", "should be true / false"),
        ("curve = \"clearing\"", "curve = \"claring\"", "none of its values"),
        (
            "in_force_from = \"2019-11-01\"",
            "in_force_from = \"2019-11-01\"\nin_force_to = \"2019-10-31\"",
            "the last day is before the first",
        ),
        ("id = \"individual\"", "id = \"resident_fund\"", "is used twice"),
    ] {
        let all = faults(&[(from, to)]);
        assert!(all.iter().any(|fault| fault.contains(said)), "{to}: {all:?}");
    }
}

#[test]
fn a_figure_that_is_set_in_part_is_shown_as_it_holds() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("mine");
    fs::create_dir(&own).expect("a folder");
    let text = "extends = \"urumqi/2019-11-01\"\n\n[local.outpatient_ratio]\nvalue = { village_clinic = \"0.60\" }\nconfirmed = true\n";
    fs::write(own.join("2019-11-01.toml"), text).expect("written");
    let region = version::load("mine", Some(folder.path())).expect("it loads");
    let figure =
        region.versions[0].local.iter().find(|one| one.id == "outpatient_ratio").expect("the figure");
    let shown = figure.value.clone().expect("a value");
    assert!(
        shown.contains("village_clinic = \"0.60\"") && shown.contains("health_station = \"0.70\""),
        "{shown}"
    );
}
