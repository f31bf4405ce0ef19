//! 中文：一行为何退回。

use crate::base::reason::Reason;

pub fn refusal(reason: &Reason) -> String {
    let near =
        |near: &Option<String>| near.as_ref().map_or(String::new(), |near| format!("；是否应为 `{near}`"));
    match reason {
        Reason::FieldCount { want, got } => format!("本行有 {got} 个字段，表头有 {want} 个"),
        Reason::RecordTooLong => "本行超过 64 KiB，不像一条记录".into(),
        Reason::IdTooLong { column } => format!("`{column}` 超过 64 KiB，不像一个编号"),
        Reason::QuoteNotClosed => "引号没有正确闭合，本行的列无法确定".into(),
        Reason::NotText { encoding } => format!("含有不属于 {encoding} 编码的字节，读不成文字"),
        Reason::NulByte => "含有空字节（NUL），不是文字".into(),
        Reason::Empty { column } => format!("必填的 `{column}` 为空"),
        Reason::BadDate { column, value } => format!("`{column}` 的 `{value}` 不是可识别的日期"),
        Reason::ExcelDate { column, value } => {
            format!("`{column}` 的 `{value}` 像是电子表格的日期序号，请把该列设为日期格式再导出")
        }
        Reason::BadNumber { column, value } => format!("`{column}` 的 `{value}` 不是可识别的数字"),
        Reason::NegativeNumber { column, value } => format!("`{column}` 的 `{value}` 是负数"),
        Reason::TooManyDecimals { column, value } => {
            format!("`{column}` 的 `{value}` 超过两位小数，金额只到分")
        }
        Reason::NotWhole { column, value } => format!("`{column}` 的 `{value}` 不是整数"),
        Reason::AmountTooLarge { column, value } => {
            format!("`{column}` 的 `{value}` 过大，一行的金额应小于 1,000,000,000 元")
        }
        Reason::CutBySpreadsheet { column } => {
            format!("`{column}` 被电子表格当作数字，末几位已丢失，请把该列设为文本再导出")
        }
        Reason::BadWord { column, value, takes } => {
            format!("`{column}` 的 `{value}` 不在可填的词中（{takes}）")
        }
        Reason::IdLength { length } => format!("身份证号应为 18 位（旧证 15 位），实有 {length} 位"),
        Reason::IdNotDigits => "身份证号除末位可为 X 外应全为数字".into(),
        Reason::IdBirthDate => "身份证号中的出生日期不存在".into(),
        Reason::IdCheckDigit => "身份证号的校验位不符，至少有一位录错".into(),
        Reason::IdCutByExcel => "身份证号被电子表格当作数字，末几位已丢失".into(),
        Reason::BornLater { day } => format!("身份证号中的出生日期晚于本行日期 {day}"),
        Reason::UnknownInstitution { id, near: n } => format!("机构 `{id}` 不在机构表中{}", near(n)),
        Reason::InstitutionTwice { id, at } => format!("机构编码 `{id}` 已在 {at} 出现"),
        Reason::NotDesignated { id } => format!("机构 `{id}` 不是定点机构"),
        Reason::NoVersion { day, from, to: Some(to) } => {
            format!("签约日期 {day} 没有有效的政策，政策自 {from} 起至 {to} 止")
        }
        Reason::NoVersion { day, from, to: None } => {
            format!("签约日期 {day} 没有有效的政策，政策自 {from} 起执行")
        }
        Reason::NotYetOffered { package, from } => format!("`{package}` 自 {from} 起才可签约"),
        Reason::KindNotAdmitted { kind } if kind.is_empty() => {
            "机构表中没有填写该机构的类别，无法确定能否签约".into()
        }
        Reason::KindNotAdmitted { kind } => format!("`{kind}` 类机构不在可签约的机构之列"),
        Reason::NoSuchPackage { name, near: n } => format!("政策中没有服务包 `{name}`{}", near(n)),
        Reason::NotInsured => "未参保".into(),
        Reason::SchemeNotCovered { scheme } => format!("险种 `{scheme}` 不在保障范围内"),
        Reason::TooYoung { age, from } => format!("签约时 {age} 周岁，此服务包须满 {from} 周岁"),
        Reason::TooOld { age, under } => format!("签约时 {age} 周岁，此服务包须不满 {under} 周岁"),
        Reason::NotInGroup { wanted } => format!("人群中没有 `{wanted}`"),
        Reason::TermNotAllowed { term, allowed } => {
            format!("签约期限 {term} 个月不在可签的期限中（{allowed}）")
        }
        Reason::BalanceBelow { balance, share } => {
            format!("门诊统筹余额 {balance} 元低于基金承担的 {share} 元")
        }
        Reason::ContractUsed { contract, at } => format!("协议编号 `{contract}` 已在 {at} 使用"),
        Reason::ContractOfAnother { contract, at } => {
            format!("协议编号 `{contract}` 在 {at} 是另一个人的；更正身份证号请作废原协议、用新编号重签")
        }
        Reason::Overlaps { contract, at, institution, from, to } => {
            format!("与 {at} 的协议 `{contract}`（{institution}，{from} 起，至 {to} 前）重叠")
        }
        Reason::AddonAlone { named, .. } => format!("生效日没有在同一机构签约所需的服务包（{named}）"),
        Reason::TooManyAddons { most } => format!("同期叠加的个性化服务包已达上限 {most} 个"),
        Reason::SwipeTwice { at } => format!("流水号已在 {at} 出现"),
        Reason::ScoreRange { score } => format!("得分 `{score}` 不在 0 至 100 之间"),
        Reason::ScoresDiffer { score, other, at } => {
            format!("同一机构、周期和层级有不同得分：{score} 与 {at} 的 {other}，考核日期不能确定以哪个为准")
        }
        Reason::NoSuchLevel { level, known } => format!("考核层级 `{level}` 不在政策中（{known}）"),
        Reason::PeriodOfOtherCycle { period, level, example } => {
            format!("考核周期 `{period}` 不是{level}级考核的周期（应如 {example}）")
        }
        Reason::NoSuchIndicator { indicator } => format!("考核表中没有指标 `{indicator}`"),
        Reason::IndicatorRange { indicator, value, most } => {
            format!("指标「{indicator}」的 `{value}` 不是可填的值（{most}）")
        }
        Reason::IndicatorTwice { at } => format!("同一指标已在 {at} 填写，且内容不同"),
        Reason::NoSuchCohort { cohort, example } => format!("批次 `{cohort}` 不是结算周期（应如 {example}）"),
        Reason::NoSuchSource { source, known } => format!("`{source}` 不是由本政策结算的资金来源（{known}）"),
        Reason::PackageMissing { known } => format!("没有写服务包；政策有几个收费的服务包（{known}）"),
    }
}
