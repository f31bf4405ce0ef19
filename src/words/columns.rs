//! What the columns of the CSV files are called in Chinese.

/// (as SPEC names it, 中文)
const TITLES: &[(&str, &str)] = &[
    ("admitted", "计费签约"),
    ("amount", "金额"),
    ("cause", "变动原因"),
    ("clause", "条款"),
    ("code", "代码"),
    ("cohort", "批次"),
    ("contract_id", "协议编号"),
    ("count", "计费份数"),
    ("deduction", "扣减"),
    ("detail", "说明"),
    ("district", "区县"),
    ("due_on", "到期日"),
    ("figure", "指标"),
    ("file", "文件"),
    ("final", "清算"),
    ("grade", "等次"),
    ("gross", "分担额"),
    ("held", "暂缓"),
    ("institution_id", "机构编码"),
    ("institution_name", "机构名称"),
    ("kind", "类别"),
    ("line", "行"),
    ("package", "服务包"),
    ("parent_id", "上级机构编码"),
    ("part", "所占比例"),
    ("payable", "应付"),
    ("person_id", "身份证号"),
    ("policy", "政策"),
    ("posted", "已入账"),
    ("prepay", "预拨"),
    ("prepay_ratio", "预拨比例"),
    ("ratio", "支付比例"),
    ("reason", "原因"),
    ("recover", "追回"),
    ("rejected", "退回"),
    ("renew", "续约"),
    ("score", "得分"),
    ("shortfall", "差额"),
    ("signings", "签约行"),
    ("source", "资金来源"),
    ("tranche", "分期"),
    ("value", "数值"),
    ("void", "作废"),
    ("withheld", "未付差额"),
];

/// A column's Chinese title; the name itself where it has none.
pub fn column_title(name: &str) -> &str {
    TITLES.iter().find(|(known, _)| *known == name).map_or(name, |(_, title)| title)
}

/// The column that a title stands for, in either language.
pub fn column_name(title: &str) -> &str {
    TITLES.iter().find(|(_, known)| *known == title).map_or(title, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_stands_for_one_column() {
        for (at, (name, title)) in TITLES.iter().enumerate() {
            assert_eq!(column_name(title), *name);
            assert!(TITLES[at + 1..].iter().all(|(other, _)| other != name));
        }
    }
}
