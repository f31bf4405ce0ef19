//! institutions.csv: ten and ten belong together, a centre and the nine that report to it.

use std::io;
use std::path::Path;

use crate::policy::FigureKind;

use super::Plan;
use super::chance::{Of, Rng};
use super::file::{Sheet, push_number};

pub const DISTRICTS: [&str; 8] = ["东区", "西区", "南区", "北区", "新区", "老城区", "东郊县", "西郊县"];

/// Where a policy names no kinds: a centre of the country and the city, and those that report to one.
const ANY_KINDS: [(&str, &str); 4] = [
    ("township_center", "乡镇卫生院"),
    ("community_center", "社区卫生服务中心"),
    ("village_clinic", "村卫生室"),
    ("health_station", "社区卫生服务站"),
];

/// The institution whose team has too many people.
pub const CROWDED: u64 = 0;
/// The first whose score is set; each of the set scores has one.
pub const FIRST_SET: u64 = 1;

/// The institution that is not designated, and the one of a kind that the policy does not admit: the last two.
pub fn not_designated(plan: &Plan) -> u64 {
    plan.institutions - 1
}

pub fn not_admitted(plan: &Plan) -> Option<u64> {
    (!plan.kinds.is_empty() && !plan.policy.institutions.admit("hospital")).then(|| plan.institutions - 2)
}

pub fn push(sheet: &mut Sheet, institution: u64) {
    sheet.label(b'U', institution, 6);
}

/// `U000012`
pub fn name(institution: u64) -> String {
    format!("U{institution:06}")
}

pub fn write(plan: &Plan, folder: &Path) -> io::Result<u64> {
    let mut columns = vec![
        ("institution_id", "机构编码"),
        ("name", "机构名称"),
        ("kind", "机构类别"),
        ("district", "区县"),
        ("parent_id", "上级机构编码"),
        ("designated", "定点"),
    ];
    if counts_people(plan) {
        columns.push(("served_population", "服务人口"));
    }
    let mut sheet = Sheet::create(folder, "institutions.csv", plan.form, &columns)?;
    let mut repeated = Vec::new();
    for institution in 0..plan.institutions {
        let mut rng = plan.draw_for(Of::Institution, institution);
        row(&mut sheet, plan, institution, &mut rng)?;
        if plan.faulty(&mut rng, 8) {
            repeated.push(institution);
        }
    }
    // E306: the row stands a second time. A few of them even where there are few institutions.
    if repeated.is_empty() && plan.errors > 0 {
        repeated.push(plan.institutions / 2);
    }
    for institution in repeated {
        let mut rng = plan.draw_for(Of::Institution, institution);
        row(&mut sheet, plan, institution, &mut rng)?;
    }
    sheet.finish()
}

/// Whether the policy pays or reports by heads served.
fn counts_people(plan: &Plan) -> bool {
    let figures = &plan.policy.figures;
    !plan.policy.population.is_empty()
        || figures
            .iter()
            .any(|figure| matches!(figure.kind, FigureKind::Coverage { .. } | FigureKind::TeamReward { .. }))
}

pub fn population(plan: &Plan, institution: u64) -> u64 {
    let mut rng = plan.draw_for(Of::Institution, u64::MAX - institution);
    1_000 + rng.below(20_000)
}

/// Whether it is of a kind that the policy does not admit (E303), and whether it is designated (E302): both come
/// from the institution, not from the row that signs at it. These are the first draws for an institution.
fn standing(plan: &Plan, institution: u64, rng: &mut Rng) -> (bool, bool) {
    let hospital = plan.faulty(rng, 8);
    let designated = !plan.faulty(rng, 4);
    // Those whose story is their score stay as they are.
    let kept = institution <= super::scores::home(plan);
    let hospital = hospital && !kept && not_admitted(plan).is_some();
    (
        hospital || not_admitted(plan) == Some(institution),
        (designated || kept) && institution != not_designated(plan),
    )
}

/// Whether it may sign at all.
pub fn may_sign(plan: &Plan, institution: u64) -> bool {
    let mut rng = plan.draw_for(Of::Institution, institution);
    let (hospital, designated) = standing(plan, institution, &mut rng);
    !hospital && designated
}

/// Its kind by the policy: an index, of two sorts, for a centre and for those that report to it.
pub fn kind(plan: &Plan, institution: u64) -> usize {
    let (centre, group) = (institution.is_multiple_of(10), institution / 10);
    let of = |centre: bool| -> Vec<usize> {
        let is = |at: &usize| plan.kinds[*at].id.contains("center") == centre;
        (0..plan.kinds.len()).filter(is).collect()
    };
    let of = match of(centre) {
        none if none.is_empty() => of(!centre),
        some => some,
    };
    of.get(group as usize % of.len().max(1)).copied().unwrap_or_default()
}

pub fn district<'p>(plan: &'p Plan, institution: u64) -> &'p str {
    &plan.districts[(institution / 10) as usize % plan.districts.len()]
}

fn row(sheet: &mut Sheet, plan: &Plan, institution: u64, rng: &mut Rng) -> io::Result<()> {
    let (hospital, designated) = standing(plan, institution, rng);
    let group = institution / 10;
    let centre = institution.is_multiple_of(10);
    let (id, chinese) = match plan.kinds.get(kind(plan, institution)) {
        Some(kind) => (kind.id.as_str(), kind.name.as_str()),
        None => ANY_KINDS[usize::from(!centre) * 2 + (group % 2) as usize],
    };
    let district = district(plan, institution);
    push(sheet, institution);
    let mut name = district.as_bytes().to_vec();
    push_number(&mut name, institution, 1);
    sheet.text(&format!("{}号{}", String::from_utf8_lossy(&name), if hospital { "医院" } else { chinese }));
    if hospital {
        // One word in either form: what no policy knows is shown as it is written.
        sheet.text("医院");
    } else if plan.kinds.is_empty() {
        sheet.text(chinese);
    } else {
        sheet.word(rng, id, chinese);
    }
    sheet.text(district);
    if centre {
        sheet.text("");
    } else {
        push(sheet, group * 10);
    }
    match (designated, rng.below(3)) {
        (false, _) => sheet.word(rng, "no", "否"),
        (true, 0) => sheet.text(""),
        (true, _) => sheet.word(rng, "yes", "是"),
    }
    if counts_people(plan) {
        sheet.number(population(plan, institution));
    }
    sheet.end_row()
}

/// Where a person signs: some institutions are several times as large as others, none is empty.
pub fn home_of(plan: &Plan, rng: &mut Rng) -> u64 {
    // Those that may not sign have only their stories.
    let n = plan.institutions - 2;
    if rng.percent(50) {
        return rng.below(n);
    }
    let up_to = rng.below(n) + 1;
    rng.below(up_to)
}

/// Any institution but this one.
pub fn another(plan: &Plan, institution: u64, rng: &mut Rng) -> u64 {
    (institution + 1 + rng.below(plan.institutions - 3)) % (plan.institutions - 2)
}

/// The number of an institution that is in no file.
pub fn unknown(rng: &mut Rng) -> u64 {
    900_000 + rng.below(100_000)
}
