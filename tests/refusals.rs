//! What the loader refuses: each fault of a rule file with its place and words, several at once, and files
//! that extend others. The files are the examples of regions/README.md with something changed.

mod support;

use std::fs;
use std::path::Path;

use jiayi::base::diagnostic::{Diagnostic, Stopped};
use jiayi::policy::version;
use jiayi::words::{Lang, remedy, say};
use support::{Case, examples, good, id, jiayi, regions, stderr};

/// The examples, and some files more.
struct Files {
    folder: tempfile::TempDir,
}

impl Files {
    fn new() -> Files {
        let folder = tempfile::tempdir().expect("a folder");
        examples(folder.path());
        Files { folder }
    }

    fn path(&self, id: &str) -> std::path::PathBuf {
        self.folder.path().join(format!("{id}.toml"))
    }

    fn put(&self, id: &str, text: &str) {
        let path = self.path(id);
        fs::create_dir_all(path.parent().expect("a region")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    fn change(&self, id: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(id)).expect("the file");
        assert!(text.contains(from), "{id} has {from:?}");
        self.put(id, &text.replacen(from, to, 1));
    }

    fn load(&self, region: &str) -> Vec<Diagnostic> {
        match version::load(region, Some(self.folder.path())) {
            Ok(_) => Vec::new(),
            Err(error) => error.downcast::<Stopped>().expect("diagnostics").diagnostics,
        }
    }

    fn faults(&self, region: &str) -> Vec<String> {
        let found = self.load(region);
        for one in &found {
            if let Some(excerpt) = &one.excerpt {
                assert!(excerpt.span.start <= excerpt.span.end && excerpt.span.end <= excerpt.text.len());
                assert!(excerpt.text.is_char_boundary(excerpt.span.start), "{:?}", one.fact);
            }
            assert!(!say(Lang::Zh, &one.fact).is_empty());
            for lang in [Lang::Zh, Lang::En] {
                assert!(
                    one.cure.is_some() || remedy(lang, &one.fact).is_some(),
                    "{:?} has no cure",
                    one.fact
                );
            }
        }
        found.iter().map(|one| say(Lang::En, &one.fact)).collect()
    }
}

#[test]
fn each_mistake_has_its_words() {
    let mut wrong = Vec::new();
    for (region, from, to, said) in [
        (
            "riverside",
            "amount = \"10.00\", clause = \"四\" },\n]\nweight",
            "amount = \"10.00\", when = { age_from = 3 }, clause = \"四\" },\n]\nweight",
            "no fee holds for some of the people",
        ),
        ("riverside", "amount = \"12.00\"", "amount = 12.00", "is a float"),
        ("riverside", "factor = \"1.5\"", "factor = \"0\"", "a factor is over 0"),
        (
            "riverside",
            "weigh = \"multiply\"",
            "weigh = \"add\"",
            "`package[1].weigh`: `add` is none of its values",
        ),
        (
            "riverside",
            "ratio = \"0.60\", when = { scheme = \"resident\" }",
            "ratio = \"0.90\", when = { scheme = \"resident\" }",
            "the shares add up to",
        ),
        ("riverside", "unless = { district = \"江东区\" }", "unless = { }", "`unless` asks for nothing"),
        (
            "riverside",
            "when = { tag = \"chronic\" }",
            "when = { tag = \"cronic\" }",
            "`cronic` is none of its values",
        ),
        (
            "riverside",
            "when = { kind = \"township_center\",",
            "when = { kind = \"hospital\",",
            "`hospital` is none of its values",
        ),
        (
            "riverside",
            "when = { scheme = \"employee\" }",
            "when = { schema = \"employee\" }",
            "unknown key `schema`",
        ),
        (
            "riverside",
            "source = \"civil_affairs\", rest",
            "source = \"civil_afairs\", rest",
            "`civil_afairs` is none of its values",
        ),
        ("riverside", "rest = true, when = { tag = \"poor\" }", "rest = true", "can only be the last share"),
        ("riverside", "pays = \"nothing\"", "pays = \"none\"", "`none` is none of its values"),
        (
            "riverside",
            "terms_months = [12, 24]",
            "terms_months = [12, 24]\nterm_ends = \"this_year_end\"",
            "give one of: terms_months, term_ends",
        ),
        ("riverside", "over = \"cut_off\"", "over = \"cut\"", "`cut` is none of its values"),
        (
            "riverside",
            "per_point = \"0.01\"",
            "per_point = \"0.01\"\nnth = 2",
            "assesses a cohort once or less often",
        ),
        ("riverside", "indicator = \"4\"", "indicator = \"9\"", "`indicator`: `9` is none of its values"),
        (
            "lakeside",
            "part = \"0.15\", curve = \"mid_year\"",
            "part = \"0.20\", curve = \"mid_year\"",
            "the parts add up to 1.05, not to 1",
        ),
        (
            "lakeside",
            "prepay = \"0.7\"\nclause",
            "prepay = \"0.7\"\ncurve = \"year_end\"\nclause",
            "give one of: curve, tranche",
        ),
        ("lakeside", "discount = \"0.10\"", "discount = \"1.10\"", "should be between 0 and 1"),
        (
            "lakeside",
            "list_price = \"120.00\"",
            "list_price = \"120.00\"\nfee = \"108.00\"",
            "give one of: fee, list_price",
        ),
        (
            "lakeside",
            "list_price = \"120.00\"\ndiscount = \"0.10\"",
            "fee = \"108.00\"\ndiscount = \"0.10\"",
            "`package` lacks `list_price`",
        ),
        ("lakeside", "weight = \"0.4\"", "weight = \"0.5\"", "the parts add up to 1.1, not to 1"),
        (
            "lakeside",
            "{ level = \"district\", nth = 2, weight",
            "{ level = \"district\", weight",
            "assesses 2 times in a cohort",
        ),
        ("lakeside", "nth = 1\n", "nth = 3\n", "assesses 2 times in a cohort"),
        (
            "lakeside",
            "combine = \"weighted\"",
            "combine = \"weighted\"\nlevel = \"city\"",
            "give one of: level, combine",
        ),
        ("lakeside", "{ score = \"80\", ratio", "{ score = \"95\", ratio", "points stand from low to high"),
        ("lakeside", "ratio = \"1.2\"", "ratio = \"0.8\"", "the ratio falls as the score rises"),
        ("lakeside", "ratio = \"1.2\"", "ratio = \"2.1\"", "should be between 0 and 2"),
        (
            "lakeside",
            "below = { ratio = \"0\"",
            "below = { ratio = \"0.7\"",
            "the ratio falls as the score rises",
        ),
        (
            "lakeside",
            "value = \"60.00\"",
            "value = \"49.99\"",
            "`local.standard` is out of its bounds (at least 50.00, at most 100.00)",
        ),
        (
            "lakeside",
            "value = \"60.00\"",
            "value = \"100.01\"",
            "`base`: 120.01 breaks the limit of 七 (≤ 100.00)",
        ),
        (
            "lakeside",
            "amount = \"80.00\"",
            "amount = \"90.00\"",
            "`standard`: 18.00 breaks the limit of 四 (≥ 0.2, ≤ 0.4)",
        ),
        (
            "lakeside",
            "ratio = \"local.curve.pass\"",
            "ratio = \"local.curve.pas\"",
            "there is no `curve.pas` under [local]",
        ),
        (
            "lakeside",
            "requires = [\"standard\"]",
            "requires = [\"standart\"]",
            "`requires`: `standart` is none of its values",
        ),
        ("lakeside", "[calendar]", "[calender]", "needs a [calendar]"),
        ("lakeside", "2027-02-05..2027-02-11", "2027-02-11..2027-02-05", "dates in quotes"),
        (
            "lakeside",
            "[overlap]",
            "[budget]\ntotal = \"1000000.00\"\nclause = \"八\"\n\n[overlap]",
            "`budget` needs a second pass over everyone",
        ),
        (
            "lakeside",
            "prepay = \"1\"",
            "prepay = \"1\"\npoint_value = \"floating\"",
            "`point_value` needs a second pass over everyone",
        ),
        ("hillside", "services_at_least = 2", "services_at_least = 0", "a number of services is 1 to 1000"),
        (
            "hillside",
            "times = 2, price",
            "times = 3, price",
            "the items (times × price) add up to 40.00, the fee is 30.00",
        ),
        (
            "hillside",
            "amount = \"24.00\"",
            "amount = \"23.00\"",
            "the items (times × amount) add up to 24.00, the first settled share is 23.00",
        ),
        (
            "hillside",
            "to = \"90\"",
            "to = \"85\"",
            "a gap between bands: this one goes up to 85, the next begins at 90",
        ),
        (
            "hillside",
            "to = \"90\"",
            "to = \"95\"",
            "bands overlap: this one goes up to 95, the next begins at 90",
        ),
        ("hillside", "from = \"70\"", "from = \"92\"", "bands go from the highest mark down"),
        ("hillside", "ratio = \"0.95\"", "ratio = \"1.05\"", "the ratio falls as the score rises"),
        (
            "hillside",
            "{ curve = \"own\" }, { curve = \"town\" }",
            "{ curve = \"own\" }, { curve = \"both\" }",
            "`both` is none of its values",
        ),
        (
            "hillside",
            "at_least = \"20.00\"",
            "at_least = \"30.01\"",
            "`standard`: 30.00 breaks the limit of 四 (≥ 30.01)",
        ),
        ("hillside", "id = \"city\"\nremove", "id = \"province\"\nremove", "has no such entry to remove"),
        (
            "hillside",
            "extends = \"lakeside/2026-01-01\"",
            "extends = \"lakeside/2025-01-01\"",
            "there is no rule file `lakeside/2025-01-01`",
        ),
        (
            "hillside",
            "items_due = \"months_passed\"",
            "items_due = \"months\"",
            "`months` is none of its values",
        ),
    ] {
        let files = Files::new();
        files.change(&format!("{region}/2026-01-01"), from, to);
        let all = files.faults(region);
        if !all.iter().any(|fault| fault.contains(said)) {
            wrong.push(format!("{to}\nsays {all:#?}, not {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn several_mistakes_are_told_at_once_each_with_its_clause() {
    let files = Files::new();
    files.change("riverside/2026-01-01", "factor = \"1.5\"", "factor = 1.5");
    files.change("riverside/2026-01-01", "people = 2000", "peple = 2000");
    files.change("riverside/2026-01-01", "floor = \"60\"", "floor = \"95\"");
    files.change("riverside/2026-01-01", "max = \"30\"", "max = \"31\"");
    let found = files.load("riverside");
    let told: Vec<(String, Option<&str>)> =
        found.iter().map(|one| (say(Lang::En, &one.fact), one.clause.as_deref())).collect();
    for (said, clause) in
        [("is a float", "四"), ("`peple`", "六"), ("the floor lies over", "五"), ("101 points", "五")]
    {
        assert!(
            told.iter().any(|(fact, cited)| fact.contains(said) && *cited == Some(clause)),
            "{said} of {clause}: {told:#?}"
        );
    }
}

#[test]
fn every_syntax_error_is_told() {
    let files = Files::new();
    files.change("riverside/2026-01-01", "unit = \"month\"", "unit = month");
    files.change("riverside/2026-01-01", "people = 2000", "people 2000");
    assert!(files.faults("riverside").len() >= 2, "{:?}", files.faults("riverside"));
}

const HEAD: &str =
    "[policy]\nname = \"x\"\ndocument = \"x\"\nin_force_from = \"2026-03-01\"\nclause = \"1\"\n";

#[test]
fn a_city_says_only_what_differs_and_keeps_the_floor() {
    let files = Files::new();
    for region in ["jilin/2017-08-01", "xinjiang/2022-12-16", "sichuan/2025-01-02"] {
        let text = fs::read_to_string(regions().join(format!("{region}.toml"))).expect("a rule file");
        files.put(region, &text);
    }
    let city = |parent: &str, more: &str| {
        files.put("city/2026-03-01", &format!("extends = \"{parent}\"\n{HEAD}{more}"));
        files.faults("city")
    };
    assert_eq!(city("jilin/2017-08-01", ""), Vec::<String>::new());
    // Not under 20 and 30; the individual's part 0.40 to 0.50; a fund's part of a personalised package up to 40.
    for (figure, value, fault) in [
        ("basic_fund", "19.99", "`basic`: 19.99 breaks the limit of 三(一) (≥ 20.00)"),
        ("basic_fund", "20.00", ""),
        ("basic_fund", "25.00", ""),
        ("public_health_base", "29.99", "`public_health_base`: 29.99 breaks the limit of 三(一)1 (≥ 30.00)"),
        ("public_health_base", "30.00", ""),
        ("individual_ratio", "0.39", "breaks the limit of 三(二)1 (≥ 0.4, ≤ 0.5)"),
        ("individual_ratio", "0.40", "`chronic`: 42.00 breaks the limit of 三(二)2 (≤ 40.00)"),
        ("individual_ratio", "0.50", ""),
        ("individual_ratio", "0.51", "breaks the limit of 三(二)1 (≥ 0.4, ≤ 0.5)"),
        ("rehab_fund", "40.00", ""),
        ("rehab_fund", "40.01", "`rehab`: 40.01 breaks the limit of 三(二)2 (≤ 40.00)"),
    ] {
        let all =
            city("jilin/2017-08-01", &format!("[local.{figure}]\nvalue = \"{value}\"\nconfirmed = true\n"));
        match fault {
            "" => assert_eq!(all, Vec::<String>::new(), "{figure} {value}"),
            fault => assert!(all.iter().any(|one| one.contains(fault)), "{figure} {value}: {all:?}"),
        }
    }
    // The two packages whose items a prefecture may change: the fund's 59 and 66 are the most.
    for (package, fund, individual, broken) in [
        ("hypertension", "59.00", "17.00", false),
        ("hypertension", "59.01", "16.99", true),
        ("hypertension", "58.00", "18.00", false),
        ("diabetes", "66.00", "25.00", false),
        ("diabetes", "66.01", "24.99", true),
    ] {
        let fee = if package == "hypertension" { "86.00" } else { "101.00" };
        let more = format!(
            "[[package]]\nid = \"{package}\"\nname = \"x\"\nreplace = true\nkind = \"addon\"\nrequires = [\"basic\"]\nfee = \"{fee}\"\nclause = \"1\"\nshare = [\n{{ source = \"resident_fund\", amount = \"{fund}\", clause = \"1\" }},\n{{ source = \"public_health\", amount = \"10.00\", clause = \"1\" }},\n{{ source = \"individual\", amount = \"{individual}\", clause = \"1\" }},\n]\n"
        );
        let all = city("xinjiang/2022-12-16", &more);
        assert_eq!(
            all.iter().any(|one| one.contains("breaks the limit of 附件备注")),
            broken,
            "{package} {fund}: {all:?}"
        );
    }
    // A limit can't be taken back, nor a bound of a figure.
    let all = city(
        "jilin/2017-08-01",
        "[[limit]]\npackage = \"basic\"\nsources = [\"resident_fund\", \"employee_fund\"]\nat_least = \"1.00\"\nclause = \"1\"\n[local.basic_fund]\nvalue = \"10.00\"\n",
    );
    assert!(all.iter().any(|one| one.contains("三(一)")), "{all:?}");
    let all = {
        files.put("city/2026-03-01", &format!("extends = \"lakeside/2026-01-01\"\n{HEAD}[local.standard]\nvalue = \"40.00\"\nat_least = \"10.00\"\n"));
        files.faults("city")
    };
    assert!(
        all.iter().any(|one| one.contains("`local.standard.at_least` is a bound of the file")),
        "{all:?}"
    );
    // A fault of the parent stands in the parent's file.
    files.change("sichuan/2025-01-02", "times = 12, amount = \"2.00\"", "times = 13, amount = \"2.00\"");
    files.put("city/2026-03-01", &format!("extends = \"sichuan/2025-01-02\"\n{HEAD}"));
    let found = files.load("city");
    let path = &found[0].excerpt.as_ref().expect("a place").path;
    assert!(path.ends_with("sichuan/2025-01-02.toml"), "{path}");
}

#[test]
fn an_open_figure_settles_only_once_it_is_filled() {
    let files = Files::new();
    let text = fs::read_to_string(regions().join("sichuan/2025-01-02.toml")).expect("it");
    let open = text.replace("[local.hypertension_fee]\nvalue = \"160.00\"\n", "[local.hypertension_fee]\n");
    assert_ne!(open, text);
    files.put("sichuan/2025-01-02", &open);
    let said = files.faults("sichuan");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].contains("`local.hypertension_fee` has no value yet"), "{said:?}");
    let fill = |value: &str| {
        files.put(
            "city/2026-03-01",
            &format!("extends = \"sichuan/2025-01-02\"\n{HEAD}[local.hypertension_fee]\n{value}"),
        );
        files.faults("city")
    };
    assert_eq!(fill("value = \"160.00\"\n"), Vec::<String>::new());
    assert!(fill("confirmed = false\n")[0].contains("has no value yet"));
    // `rules check` says so and finds no fault; `settle` refuses.
    let home = tempfile::tempdir().expect("a folder");
    let mut command = jiayi(home.path());
    let checked = command
        .args(["rules", "check", "--regions"])
        .arg(files.folder.path())
        .arg(files.path("sichuan/2025-01-02"));
    let output = checked.output().expect("it runs");
    good(&output);
    assert!(String::from_utf8_lossy(&output.stdout).contains("settles only through a file that extends it"));
    let case = Case::good();
    let output = case.settle_period("sichuan", files.folder.path(), "2025", &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("has no value yet"), "{}", stderr(&output));
}

#[test]
fn a_circle_and_two_files_of_one_day_are_refused() {
    let files = Files::new();
    files.put("a/2026-03-01", &format!("extends = \"b/2026-03-01\"\n{HEAD}"));
    files.put("b/2026-03-01", &format!("extends = \"a/2026-03-01\"\n{HEAD}"));
    assert_eq!(files.faults("a"), ["`extends` goes in a circle: a/2026-03-01 → b/2026-03-01 → a/2026-03-01"]);
    files.put("c/2026-03-01", &format!("extends = \"c/2026-03-01\"\n{HEAD}"));
    assert_eq!(files.faults("c"), ["`extends` goes in a circle: c/2026-03-01 → c/2026-03-01"]);
    let text = fs::read_to_string(files.path("riverside/2026-01-01")).expect("it");
    files.put("riverside/20260101", &text);
    let said = files.faults("riverside");
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("the same date as"), "{said:?}");
}

#[test]
fn names_that_are_no_date_or_region_are_refused() {
    let files = Files::new();
    let text = fs::read_to_string(files.path("riverside/2026-01-01")).expect("it");
    files.put("riverside/spring", &text);
    assert_eq!(
        files.faults("riverside"),
        ["the rule file's name `spring` is no date (such as 2019-11-01.toml)"]
    );
    let home = tempfile::tempdir().expect("a folder");
    let output =
        jiayi(home.path()).args(["rules", "new", "杭州", "--from", "2026-01-01"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("small letters, digits"), "{}", stderr(&output));
}

#[test]
fn each_signing_follows_the_version_of_its_day() {
    let files = Files::new();
    // From July the fee is 20.00 a month.
    let text = fs::read_to_string(files.path("riverside/2026-01-01")).expect("it");
    let text = text.replace("in_force_from = \"2026-01-01\"", "in_force_from = \"2026-07-01\"");
    files.put("riverside/2026-07-01", &text.replace("{ amount = \"10.00\"", "{ amount = \"20.00\""));
    let case = Case::default();
    case.write("institutions.csv", "institution_id,name,kind\nC,Center,community_center\n");
    let row = |contract: &str, serial, signed: &str, starts: &str| {
        format!("{contract},{},C,care,{signed},{starts}\n", id("1990-01-01", serial))
    };
    case.write(
        "signings.csv",
        format!(
            "contract_id,person_id,institution_id,package,signed_on,starts_on\n{}{}{}",
            row("A", 1, "2026-06-30", "2026-07-01"),
            row("B", 2, "2026-07-01", ""),
            row("E", 3, "2026-07-01", "2026-07-05"),
        ),
    );
    good(&case.settle_period("riverside", files.folder.path(), "2026Q3", &[]));
    let out = case.outputs();
    let lines: Vec<String> = out
        .rows("settlement.csv")
        .iter()
        .filter(|row| row["source"] == "resident_fund")
        .map(|row| format!("{} {} {}", row["policy"], row["count"], row["gross"]))
        .collect();
    assert_eq!(lines, ["riverside/2026-01-01 3 18.00", "riverside/2026-07-01 6 72.00"]);
}

#[test]
fn settling_with_an_unconfirmed_figure_says_which() {
    let case = Case::good();
    let output = case.settle(&[]);
    good(&output);
    let screen = String::from_utf8_lossy(&output.stdout).into_owned();
    for figure in ["fee", "outpatient_ratio", "assessment_cycle"] {
        assert!(screen.contains(&format!("{figure} = ")) && screen.contains("not confirmed"), "{screen}");
    }
    let json = case.settle(&["--format", "json"]);
    assert!(String::from_utf8_lossy(&json.stdout).contains("urumqi/2019-11-01 outpatient_ratio"));
}

#[test]
fn rules_commands_do_what_they_say() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |arguments: &[&str]| {
        let output = jiayi(home.path()).args(["rules"]).args(arguments).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), stderr(&output))
    };
    let (code, out, _) = run(&["list"]);
    assert_eq!(code, Some(0));
    for region in [
        "ankang/2016-10-13",
        "jilin/2017-08-01",
        "sichuan/2025-01-02",
        "urumqi/2019-11-01",
        "xinjiang/2022-12-16",
    ] {
        assert!(out.contains(region), "{out}");
        let (code, shown, said) = run(&["show", region.split('/').next().expect("a region")]);
        assert_eq!(code, Some(0), "{said}");
        assert!(shown.lines().count() > 30, "{shown}");
        assert_eq!(run(&["curve", region]).0, Some(0));
    }
    assert!(
        run(&["show", "urumqi"])
            .1
            .contains("all from 90 points on, 2% less for each point under it, nothing under 60  [四(四)]")
    );
    assert_eq!(run(&["show", "urumqi", "--on", "2019-10-31"]).0, Some(1));
    assert_eq!(run(&["show", "urumqi", "--on", "2019-11-01"]).0, Some(0));
    // The jumps of Sichuan's bands.
    let (_, curve, _) = run(&["curve", "sichuan", "--format", "json"]);
    let curve: serde_json::Value = serde_json::from_str(&curve).expect("JSON");
    let jumps: Vec<String> = curve["curves"][0]["points"]
        .as_array()
        .expect("points")
        .iter()
        .filter(|point| !point["jumps_from"].is_null())
        .map(|point| {
            format!("{} {}→{}", point["score"], point["jumps_from"], point["ratio"]).replace('"', "")
        })
        .collect();
    assert_eq!(jumps, ["85 0.9→1", "70 0.8→0.9", "60 0.6→0.8"]);
    // A new file, and one that extends another, have no fault; neither is written over.
    assert_eq!(run(&["new", "mycity", "--from", "2026-01-01"]).0, Some(0));
    assert_eq!(
        run(&["new", "chengdu", "--from", "2026-02-01", "--extends", "sichuan/2025-01-02"]).0,
        Some(0)
    );
    let (code, _, said) = run(&["new", "mycity", "--from", "2026-01-01"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("was not overwritten"), "{said}");
    assert_eq!(run(&["new", "../mycity", "--from", "2026-01-01"]).0, Some(1));
    let (code, out, said) = run(&["check"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        out.contains("mycity/2026-01-01: no fault") && out.contains("chengdu/2026-02-01: no fault"),
        "{out}"
    );
    let (code, out, _) = run(&["diff", "sichuan", "chengdu"]);
    assert_eq!(code, Some(0));
    assert!(out.contains("in force from 2026-02-01 to 2027-01-01"), "{out}");
    assert!(run(&["diff", "urumqi", "urumqi"]).1.contains("say the same"));
    // A fault: exit 1, with file, line and column, the clause and the cure.
    let path = home.path().join("regions/mycity/2026-01-01.toml");
    let text = fs::read_to_string(&path).expect("the new file");
    fs::write(
        &path,
        text.replace("fee = \"50.00\"", "fee = 50.00").replace("kind = \"basic\"", "knd = \"basic\""),
    )
    .expect("it is written");
    let (code, _, said) = run(&["check", "regions/mycity/2026-01-01.toml"]);
    assert_eq!(code, Some(1));
    for part in ["2026-01-01.toml:", "fee = 50.00", "put it in quotes", "did you mean `kind`", "三"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let (code, json, _) = run(&["check", "regions/mycity/2026-01-01.toml", "--format", "json"]);
    assert_eq!(code, Some(1));
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let first = &json["faults"][0];
    assert!(first["line"].is_u64() && first["column"].is_u64() && first["clause"] == "三", "{json}");
}

#[test]
fn days_that_no_version_covers_are_told() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("regions");
    fs::create_dir(&folder).expect("a folder");
    examples(&folder);
    let first = folder.join("riverside/2026-01-01.toml");
    let text = fs::read_to_string(&first).expect("it");
    let later = |day: &str| {
        let text = text.replace("in_force_from = \"2026-01-01\"", &format!("in_force_from = \"{day}\""));
        text.replace("in_force_to = \"2027-12-31\"\n", "")
    };
    let check = |path: &Path| {
        let output = jiayi(home.path()).args(["rules", "check"]).arg(path).output().expect("it runs");
        good(&output);
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    for (day, said) in [
        ("2028-01-01", None),
        ("2028-01-02", Some("no version is in force from 2028-01-01 to 2028-01-01")),
        ("2027-12-31", Some("replaces it from 2027-12-31")),
    ] {
        let path = folder.join(format!("riverside/{day}.toml"));
        fs::write(&path, later(day)).expect("it is written");
        let out = check(&path);
        match said {
            Some(said) => assert!(out.contains(said), "{day}: {out}"),
            None => assert_eq!(out.trim(), format!("riverside/{day}: no fault")),
        }
        fs::remove_file(path).expect("it goes");
    }
}

/// Refusals that take more than a line of an example: what is changed, and the variant that is told.
#[test]
fn each_refusal_has_a_file_that_gets_it() {
    let many = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join("");
    let river = "riverside";
    let lake = "lakeside";
    let tags = many(16, &|at| format!("[[tag]]\nid = \"t{at}\"\nname = \"标签{at}\"\n"));
    let weights = |count: usize| {
        let each =
            many(count, &|at| format!("{{ factor = \"1\", when = {{ tag = \"t{at}\" }}, clause = \"1\" }},"));
        format!("weight = [{each}]")
    };
    let old_weights = "weight = [\n    { factor = \"1.5\", when = { tag = \"chronic\" }, clause = \"四\" },\n    { factor = \"1.2\", when = { age_from = 65 }, clause = \"四\" },\n]";
    let fee = "fee = [\n    { amount = \"12.00\", when = { kind = \"township_center\", unless = { district = \"江东区\" } }, clause = \"四\" },\n    { amount = \"10.00\", clause = \"四\" },\n]";
    let cases: Vec<(&str, String, &str, String)> = vec![
        // (region, from, variant, to)
        (river, fee.into(), "TooManyTags", {
            let each = many(15, &|at| format!("{{ amount = \"1.00\", when = {{ tag = \"t{at}\" }}, clause = \"1\" }},"));
            format!("fee = [{each} {{ amount = \"10.00\", clause = \"1\" }}]")
        }),
        (river, old_weights.into(), "TooManyOf", weights(9)),
        (river, "{ id = \"fraud\"".into(), "TooManyReasons", many(15, &|at| format!("{{ id = \"r{at}\", name = \"原因{at}\", pays = \"days\" }},\n")) + "{ id = \"fraud\""),
        (river, "age_from = 65".into(), "AgeRange", "age_from = 151".into()),
        (lake, "ratio = \"0.50\", clause = \"四\" }".into(), "NoKinds", "ratio = { clinic = \"0.50\" }, clause = \"四\" }".into()),
        (lake, "kind = \"free\"\nclause".into(), "FreeHasFee", "kind = \"free\"\nfee = \"1.00\"\nclause".into()),
        (lake, "    { score = \"60\", ratio = \"local.curve.pass\" },\n    { score = \"80\", ratio = \"local.curve.good\" },\n    { score = \"90\", ratio = \"1\" },\n".into(), "TwoPoints", String::new()),
        (river, "unit = \"1\"".into(), "ZeroUnit", "unit = \"0\"".into()),
        (lake, "below = { ratio = \"0\", grade = \"不合格\", renew = false }".into(), "WantedTable", "below = \"0\"".into()),
        (river, "kind = [{ id = \"community_center\", name = \"社区卫生服务中心\" }, { id = \"township_center\", name = \"乡镇卫生院\", aliases = [\"卫生院\"] }]".into(), "WantedTables", "kind = \"any\"".into()),
        (river, fee.into(), "FeeForAllNotLast", "fee = [{ amount = \"10.00\", clause = \"1\" }, { amount = \"12.00\", when = { age_from = 65 }, clause = \"1\" }]".into()),
        (river, "amount = \"12.00\"".into(), "MoneyTooMuch", "amount = \"1000000.00\"".into()),
        (river, "people = 2000\nover".into(), "MissingKey", "over".into()),
        (river, "W705 = \"六\"\n".into(), "MissingKey", String::new()),
        (river, "id = \"poor\"".into(), "NamedTwice", "id = \"chronic\"".into()),
        (river, "{ id = \"employee\"".into(), "NamedTwice", "{ id = \"resident\"".into()),
        (river, "{ id = \"township_center\", name".into(), "NamedTwice", "{ id = \"community_center\", name".into()),
        (river, "{ id = \"fraud\"".into(), "NamedTwice", "{ id = \"death\"".into()),
        (river, "id = \"satisfaction\"\nindicator = \"4\"\ntarget = \"85\"".into(), "NamedTwice", "id = \"coverage\"".into()),
        (lake, "id = \"base\"".into(), "NamedTwice", "id = \"standard\"".into()),
        (lake, "year = [{ year = 2027".into(), "NamedTwice", "year = [{ year = 2027, holidays = [\"2027-01-01\"] }, { year = 2027".into()),
        (river, "in_force_to = \"2027-12-31\"".into(), "EndsBeforeItStarts", "in_force_to = \"2025-12-31\"".into()),
        (river, "terms_months = [12, 24]".into(), "TermZero", "terms_months = [1201]".into()),
        (river, "max = \"30\"".into(), "SheetNot100", "max = \"29\"".into()),
        (river, "full_at = \"85\"".into(), "ScoreMark", "full_at = \"185\"".into()),
        (river, "in_force_from = \"2026-01-01\"".into(), "VersionDiffers", "in_force_from = \"2026-01-02\"".into()),
        (river, "fee = [\n    { amount = \"12.00\"".into(), "MoneyDecimals", "fee = [\n    { amount = \"12.005\"".into()),
        (lake, "means = \"合格与良好的支付比例\"".into(), "LocalUnused", "means = \"x\"\nclause = \"五\"\n\n[local.nobody]\nvalue = \"1\"\nmeans = \"x\"".into()),
    ];
    let mut wrong = Vec::new();
    for (region, from, variant, to) in cases {
        let files = Files::new();
        files.change(&format!("{region}/2026-01-01"), &from, &to);
        if variant.starts_with("TooMany") {
            files.change(&format!("{region}/2026-01-01"), "[insurance]", &format!("{tags}\n[insurance]"));
        }
        let told: Vec<String> = files.load(region).iter().map(|one| format!("{:?}", one.fact)).collect();
        let cured =
            files.load(region).iter().all(|one| one.cure.is_some() || remedy(Lang::Zh, &one.fact).is_some());
        if !told.iter().any(|fact| fact.starts_with(variant)) || !cured {
            wrong.push(format!("{variant}: {told:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // More packages than a signing's number has room for.
    let files = Files::new();
    let packages = many(260, &|at| {
        format!("\n[[package]]\nid = \"p{at}\"\nname = \"包{at}\"\nkind = \"free\"\nclause = \"1\"\n")
    });
    let text = fs::read_to_string(files.path("riverside/2026-01-01")).expect("it");
    files.put("riverside/2026-01-01", &(text.clone() + &packages));
    files.put(
        "riverside/2027-01-01",
        &(text.replace("in_force_from = \"2026-01-01\"", "in_force_from = \"2027-01-01\"") + &packages),
    );
    assert_eq!(files.faults("riverside"), ["all versions have 522 packages together, at most 512"]);
}

#[test]
fn chinese_marks_and_other_encodings_are_told_in_words() {
    for (from, to, mark) in [
        ("unit = \"month\"", "unit = “month”", "`“` is a Chinese punctuation mark: write the English `\"`"),
        (
            "{ amount = \"12.00\", when",
            "{ amount = \"12.00\"， when",
            "`，` is a Chinese punctuation mark: write the English `,`",
        ),
        ("[overlap]", "【overlap】", "`【` is a Chinese punctuation mark: write the English `[`"),
    ] {
        let files = Files::new();
        files.change("riverside/2026-01-01", from, to);
        let found = files.load("riverside");
        let cures: Vec<String> =
            found.iter().filter_map(|one| Some(say(Lang::En, one.cure.as_ref()?))).collect();
        assert!(cures.iter().any(|cure| cure == mark), "{to}: {cures:?}");
        assert!(found.len() <= 3, "one slip is told once a line: {}", found.len());
    }
    let files = Files::new();
    let text = fs::read_to_string(files.path("riverside/2026-01-01")).expect("it");
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    fs::write(files.path("riverside/2026-01-01"), bytes).expect("it is written");
    let said = files.faults("riverside");
    assert!(said[0].ends_with("is no UTF-8 text from line 3 on"), "{said:?}");
    // A byte-order mark and Windows line ends are no matter.
    files.put("riverside/2026-01-01", &format!("\u{feff}{}", text.replace('\n', "\r\n")));
    assert_eq!(files.faults("riverside"), Vec::<String>::new());
}

#[test]
fn a_limit_holds_for_what_is_billed_whatever_the_package_is_called_now() {
    let files = Files::new();
    let jilin = fs::read_to_string(regions().join("jilin/2017-08-01.toml")).expect("it");
    files.put("jilin/2017-08-01", &jilin);
    let city = |more: &str| {
        files.put("city/2026-03-01", &format!("extends = \"jilin/2017-08-01\"\n{HEAD}{more}"));
        files.faults("city")
    };
    // No longer an add-on: the limits on add-ons were set for it.
    let basic = "[[package]]\nid = \"rehab\"\nkind = \"basic\"\nfee = \"1000.00\"\nrequires = [\"basic\"]\n[local.rehab_fund]\nvalue = \"500.00\"\n";
    assert!(city(basic).iter().any(|one| one.contains("三(二)2")), "{:?}", city(basic));
    // Borne once for a person: an add-on would bill nothing of it.
    let once = "[[source]]\nid = \"individual\"\nonce_for_person = true\n";
    assert!(
        city(once).iter().any(|one| one.contains("0.00 breaks the limit of 三(二)1")),
        "{:?}",
        city(once)
    );
    // A limit's own figure is not open to whoever extends it.
    files.put(
        "jilin/2017-08-01",
        &jilin.replace(
            "at_most = \"40.00\"\nclause = \"三(二)2\"",
            "at_most = \"local.rehab_fund\"\nclause = \"三(二)2\"",
        ),
    );
    let more = "[local.rehab_fund]\nvalue = \"50.00\"\n";
    assert!(city(more).iter().any(|one| one.contains("(≤ 40.00)")), "{:?}", city(more));
    // A table may be taken out, or set anew.
    files.put("jilin/2017-08-01", &jilin);
    assert_eq!(city("[evidence]\nremove = true\n"), Vec::<String>::new());
    let ends = "[charge]\nreplace = true\nunit = \"year\"\ncycle = \"quarter\"\nclause = \"1\"\nterm_ends = \"this_year_end\"\nterms_clause = \"1\"\n";
    assert_eq!(city(ends), Vec::<String>::new());
    // Bounds of a figure stay through `replace`; a limit's entry of a figure is as it was; what had to cost
    // something may not be free; a chain pays over 1 as its members do; parts only in part.
    let lake = |from: &str, to: &str, more: &str| {
        let files = Files::new();
        if !from.is_empty() {
            files.change("lakeside/2026-01-01", from, to);
        }
        files.put("city/2026-03-01", &format!("extends = \"lakeside/2026-01-01\"\n{HEAD}{more}"));
        files.faults("city")
    };
    let figure = "[local.standard]\nreplace = true\nvalue = \"200.00\"\nmeans = \"x\"\nclause = \"1\"\n";
    assert!(
        lake("", "", figure).iter().any(|one| one.contains("out of its bounds")),
        "{:?}",
        lake("", "", figure)
    );
    assert!(lake("", "", "[local]\nreplace = true\n").iter().any(|one| one.contains("`local` is a bound")));
    let entry = ("value = { pass = \"0.6\"", "value = { most = \"100.00\", pass = \"0.6\"");
    let named = |text: &str| {
        text.replace(
            "at_most = \"100.00\"\nclause = \"七\"\n\n[overlap]",
            "at_most = \"local.curve.most\"\nclause = \"七\"\n\n[overlap]",
        )
    };
    let files = Files::new();
    files.change("lakeside/2026-01-01", entry.0, entry.1);
    let text = named(&fs::read_to_string(files.path("lakeside/2026-01-01")).expect("it"));
    files.put("lakeside/2026-01-01", &text.replace("at_least = \"50.00\"\nat_most = \"100.00\"\n", ""));
    let more = "[local.curve]\nvalue = { most = \"500.00\" }\n[local.standard]\nvalue = \"200.00\"\n";
    files.put("city/2026-03-01", &format!("extends = \"lakeside/2026-01-01\"\n{HEAD}{more}"));
    let all = files.faults("city");
    assert!(all.iter().any(|one| one.contains("(≤ 100.00)")), "{all:?}");
    let free = "[[package]]\nid = \"rehab\"\nname = \"x\"\nreplace = true\nkind = \"free\"\nclause = \"1\"\n";
    assert!(
        city(free).iter().any(|one| one.contains("`rehab`: 0.00 breaks the limit of 三(二)1")),
        "{:?}",
        city(free)
    );
    let points = "shape = \"points\"\npoint = [{ score = \"60\", ratio = \"1\" }, { score = \"100\", ratio = \"1.4\" }]\nbelow = { ratio = \"0\" }\n";
    let chain = format!(
        "[[curve]]\nid = \"clearing\"\nreplace = true\nlevel = \"district\"\nclause = \"1\"\n{points}[[curve]]\nid = \"twice\"\ncombine = \"chain\"\nof = [{{ curve = \"clearing\" }}]\nclause = \"1\"\n[[source]]\nid = \"resident_fund\"\ncurve = \"twice\"\n"
    );
    assert!(
        city(&chain).iter().any(|one| one.contains("56.00 breaks the limit of 三(二)2")),
        "{:?}",
        city(&chain)
    );
}
