//! 中文。

use crate::base::code::Code;
use crate::base::message::{DiskFault, FileFault, HeaderFault, Msg};

use super::zh_refusals::refusal;
use super::{Label, list};

pub fn say(msg: &Msg) -> String {
    let names = |names: &[String]| list(names, "、", "等");
    match msg {
        Msg::Row(reason) => refusal(reason),
        Msg::InstitutionIsPerson { id, at } => {
            format!("{at}：机构编码 `{id}` 含有一个人的身份证号，输出和文件名会把它印出来")
        }
        Msg::NotAPerson => {
            "请在各文件中改用机构代码；如果它本来就是机构代码，请在各文件中给它加一个短横，如在第 6 位之后"
                .into()
        }
        Msg::ChargedSeparately { item, amount } => format!("包内项目 `{item}` 单独收费 {amount} 元"),
        Msg::PaidBelow { paid, share } => format!("个人缴费 {paid} 元，低于个人应承担的 {share} 元"),
        Msg::SwipedElsewhere { institution } => format!("在非签约机构 `{institution}` 刷卡"),
        Msg::ClearedBefore { cohort, batch } => {
            format!("批次 {cohort} 已在台账第 {batch} 批清算，本行按清算时的比例支付")
        }
        Msg::SignedLate { cohort, assessed_on } => {
            format!("签约时 {cohort} 批次已于 {assessed_on} 考核，属迟报")
        }
        Msg::TeamTooLarge { doctor: false, team, people, most } => {
            format!("团队 `{team}` 签约 {people} 人，超过 {most} 人")
        }
        Msg::TeamTooLarge { doctor: true, team, people, most } => {
            format!("医生 `{team}` 签约 {people} 人，超过 {most} 人")
        }
        Msg::OverCap { most } => format!("生效时团队或医生已签满 {most} 人，暂缓支付"),
        Msg::ScoreMissing { cohort, level } => {
            format!("{cohort} 批次其他机构已有考核得分（层级 `{level}`），本机构没有，未清算")
        }
        Msg::ClaimedBeside { item } => format!("签约期内又享受了不得重复享受的 `{item}`"),
        Msg::NoServiceRecord { from, asked: 0 | 1 } => {
            format!("自 {from} 起的计费期内还没有服务记录，暂缓支付")
        }
        Msg::NoServiceRecord { from, asked } => {
            format!("自 {from} 起的计费期内服务记录不足 {asked} 次，暂缓支付")
        }
        Msg::NotAuthorized { source } => format!("没有个人授权，{source}的部分暂缓支付"),
        Msg::ScoreReplaced { score, by, at } => format!("得分 {score} 已由 {at} 的 {by} 取代"),
        Msg::SheetOfOtherPeriod { institution, period } => {
            format!("机构 `{institution}` 的考核表属于 {period}，本次不计算")
        }
        Msg::ValueDiffers { institution, indicator, sheet, data } => {
            format!("机构 `{institution}` 的「{indicator}」：考核表为 {sheet}，由数据得 {data}，以考核表为准")
        }
        Msg::PointsDiffer { institution, indicator, sheet, worked_out } => {
            format!(
                "机构 `{institution}` 的「{indicator}」：手工给 {sheet} 分，按实测值或数据应得 {worked_out} 分；考核表有实测值的以实测值为准"
            )
        }
        Msg::NoScore { institution, missing } => {
            format!("机构 `{institution}` 缺少指标 {}，没有得分", names(missing))
        }
        Msg::NoSheetForLevel => "本政策没有考核指标表，无法由考核表算分".into(),
        Msg::UnknownColumns { file, columns } => format!("{file} 的 {} 列不认识，没有使用", names(columns)),
        Msg::DoubledColumns { file, columns } => format!("{file} 的 {} 列重复，只用了第一列", names(columns)),
        Msg::NoRows { file } => format!("{file} 只有表头，没有数据行"),
        Msg::MaybeGb18030 { file, rows } => format!(
            "{file} 的表头读作 utf-8，却有 {rows} 行不是 utf-8；如是 GB18030 文件，请把表头改为中文名称或转存为 UTF-8"
        ),
        Msg::LeftOutColumn { what, file, column } => format!("{file} 没有 `{column}` 列，{what} 不作判断"),
        Msg::LeftOutFile { what, kind } => format!("没有 {kind}*.csv，{what} 不作判断"),
        Msg::NoPaymentsFile { .. } => {
            "有得分而没有 payments*.csv：按没有预拨过计算，应付中可能含已付的钱".into()
        }
        Msg::PaymentsNotRead => "已付金额以台账为准，payments*.csv 没有读取".into(),
        Msg::PartlyBeforeOpening { period, opening } => {
            format!("台账自 {opening} 起：{period} 中更早的批次视为已在别处结清，不在本次结果里")
        }
        Msg::PaymentsElsewhere { rows, period, all: true } => {
            format!("payments 的 {rows} 行批次都不在 {period} 内，没有计入已入账：应付可能偏多，请核对批次")
        }
        Msg::PaymentsElsewhere { rows, period, all: false } => {
            format!("payments 有 {rows} 行的批次不在 {period} 内，本次没有计入")
        }
        Msg::PaymentsRefused { rows } => {
            format!("payments 有 {rows} 行退回，没有计入已入账：应付可能偏多、追回可能偏少，请先更正")
        }
        Msg::UnusedFiles { files } => {
            format!("文件夹中的 {} 没有使用（文件名须以类名开头、以 {TABLES} 结尾）", names(files))
        }
        Msg::SheetsNotRead { file, others } => {
            format!("读取的是工作表 {file}；同一工作簿中的 {} 没有读取", names(others))
        }
        Msg::RowsAbove { file, header } => {
            format!("{file} 的表头在第 {header} 行，以上各行视为标题，没有读取")
        }
        Msg::SameFile { first, second } => format!("{first} 与 {second} 内容完全相同，同一数据可能算了两遍"),
        Msg::NoCharges { period, rows, refused, void, .. } => {
            format!(
                "{period} 没有计费：签约 {rows} 行，其中退回 {refused} 行、作废 {void} 行；请核对期间、签约日期和退回原因"
            )
        }
        Msg::KindsMissing { file, column } => {
            format!(
                "{file} 没有 `{column}` 列：本政策只认列明类别的机构，该文件中各机构的签约都会因 E303 退回"
            )
        }
        Msg::YearNotListed { year } => {
            format!("规则文件的 [calendar] 没有 {year} 年的节假日，没有算出反馈考核结果的最后一天")
        }
        Msg::NothingOfPeriod { period } => format!("考核表中没有 {period} 的指标，没有写出得分"),
        Msg::NoScoresFile => "没有 scores*.csv，本次只算预拨，不清算".into(),
        Msg::NoPackageNamed { file } => format!("{file} 中有未写服务包的付款，记在唯一收费的服务包上"),
        Msg::CannotRead { path, why } => format!("读不了 `{path}`：{}", disk(why)),
        Msg::CannotWrite { path, why } => format!("写不了 `{path}`：{}", disk(why)),
        Msg::NoSuchFile { path } => format!("没有文件 `{path}`"),
        Msg::IsAFolder { path } => format!("`{path}` 是文件夹，这里应为文件"),
        Msg::FaultyFile { path, fault } => faulty(path, fault),
        Msg::SameInTwoForms { first, second } => {
            format!("{first} 与 {second} 像是同一张表的两份，同时读取会重复计算")
        }
        Msg::UnreadForm { path } => format!("`{path}` 的格式不能读取"),
        Msg::EmptyFile { path } => format!("`{path}` 是空文件，连表头也没有"),
        Msg::MissingFile { wanted, folder } => format!("`{folder}` 中没有 `{wanted}`"),
        Msg::MissingColumns { path, columns } => {
            let columns: Vec<String> = columns.iter().map(|(id, zh)| format!("`{id}`（{zh}）")).collect();
            format!("`{path}` 缺少必需的列 {}", columns.join("、"))
        }
        Msg::UnknownRegion { region } => format!("没有地区 `{region}` 的政策文件"),
        Msg::BadPeriod { text, wanted } => format!("`{text}` 不是可用的期间，应如 {wanted}"),
        Msg::PeriodTooFine { period, cycle } => {
            let cycle = match *cycle {
                "month" => "月",
                "quarter" => "季度",
                "half" => "半年",
                _ => "年",
            };
            format!("`{period}` 比政策的结算周期（{cycle}）短")
        }
        Msg::NoPolicyYet { period, from } => format!("`{period}` 结束时政策尚未执行，政策自 {from} 起执行"),
        Msg::BeforeOpening { period, opening } => {
            format!("台账自 {opening} 起，期间 {period} 更早，视为已在别处结清")
        }
        Msg::RulesForgot { package, signed_on, batch } => {
            format!("台账第 {batch} 批有 {signed_on} 签约的服务包 `{package}`，现在的政策文件里找不到它")
        }
        Msg::NotOurFolder { path } => format!("`{path}` 已有文件，且不是本程序的输出，没有覆盖"),
        Msg::OutIsInput { path } => format!("输出文件夹 `{path}` 含有输入数据，不能覆盖"),
        Msg::ForeignFile { path } => format!("`{path}` 不是考核得分的输出，没有覆盖"),
        Msg::ScoresOfOther { path, there } => format!("`{path}` 里是 {there} 的考核，没有覆盖"),
        Msg::ScoresApart { period } => {
            format!(
                "请用 -o 另给一个文件，如 -o scores-{period}.csv；settle 会读文件夹里所有以 scores 开头的文件"
            )
        }
        Msg::ScoresAreCsv { path } => format!("得分写成 CSV：`{path}` 的文件名须以 .csv 结尾，如 scores.csv"),
        Msg::NameOfCards { path } => {
            format!("`{path}`：以 scorecard、rejected 开头的文件名留给得分明细和退回的行")
        }
        Msg::OutputStaysWhole { path } => {
            format!("`{path}` 是结算输出，不能再写入别的文件；请用 -o 另指一处")
        }
        Msg::NoSuchCode { text } => format!("没有代码 `{text}`"),
        Msg::ExportAgain => "请重新导出；首行应为表头".into(),
        Msg::MendFile { fault } => mend(fault).into(),
        Msg::RemoveOne => "请只留其中一个，把另一个移出文件夹".into(),
        Msg::SaveAsWorkbook => "请打开后另存为同名的 .xlsx 或 CSV；如与本次结算无关，请移出文件夹".into(),
        Msg::NameDataFolder => "用 --data 指明放导出文件的文件夹".into(),
        Msg::PutFileThere { wanted, there, near: n } => match (there.is_empty(), n) {
            (true, _) => format!("文件夹是空的；请把 `{wanted}` 放进去，或用 --data 指明别处"),
            (false, Some(near)) if !near.ends_with(".csv") && !near.ends_with(".xlsx") => {
                format!("请把 `{near}` 另存为 CSV，命名为 `{wanted}`")
            }
            (false, Some(near)) if near.ends_with(".xlsx") => {
                format!("`{near}` 是否就是它？请改名为 `{}`", wanted.replace(".csv", ".xlsx"))
            }
            (false, Some(near)) => format!("`{near}` 是否就是它？请改名为 `{wanted}`"),
            (false, None) => format!("那里有 {}；文件名须以类名开头、以 {TABLES} 结尾", names(there)),
        },
        Msg::ColumnsThere { fault: HeaderFault::NotText, .. } => {
            "表头不是文字：请存为 UTF-8、GB18030 或带 BOM 的 UTF-16 的 CSV".into()
        }
        Msg::ColumnsThere { fault: HeaderFault::Separator, .. } => {
            "各列似以分号或制表符分隔，请以逗号分隔重新导出".into()
        }
        Msg::ColumnsThere { there, fault: HeaderFault::Title, .. } => {
            format!("首行像是标题（{}），请删去，使首行为表头", names(there))
        }
        Msg::ColumnsThere { there, near: Some(near), .. } => {
            format!("表头有 {}；`{near}` 是否就是它？", names(there))
        }
        Msg::ColumnsThere { there, near: None, .. } => format!("表头有 {}", names(there)),
        Msg::DidYouMean { near } => format!("是否应为 `{near}`"),
        Msg::OneOf { known } => format!("可用的有：{known}"),
        Msg::KeepOldRules => "把当时的政策文件放回地区文件夹（`--regions`）；旧版本要一直保留".into(),
        Msg::LedgerBusy { path } => format!("另一个程序正在使用台账 `{path}`"),
        Msg::NoLedger { path } => format!("没有台账 `{path}`"),
        Msg::NotALedger { path } => format!("`{path}` 不是 jiayi 的台账"),
        Msg::NewerLedger { path, shape, known } => {
            format!("台账 `{path}` 是更新的程序写的（第 {shape} 版，本程序只认到第 {known} 版）")
        }
        Msg::OtherPaper { printed, given } => format!("结算文件上写的是 `{printed}`，入账时给的是 `{given}`"),
        Msg::RulesGone { policy, batch } => {
            format!("第 {batch} 批按政策 `{policy}` 入账，现在没有这个政策文件：它的计费会改按别的政策计算")
        }
        Msg::LaterPosted { cohort } => format!(
            "台账里已有更晚的批次（到 {cohort}）：这些行对它们的影响这次不计算，请随后再结算一次更晚的期间"
        ),
        Msg::LaterCharges { signings } => format!(
            "这一批登记了 {signings} 份协议；以后各批为它们支付的费用，下次结算会按没有这些协议重新计算，除非导出里仍有它们"
        ),
        Msg::VoidOfAnother { rows } => {
            format!("{rows} 行作废的协议编号已入账，但身份证号是别人的：不据此追回")
        }
        Msg::OlderLedger { path } => format!("台账 `{path}` 是更早的程序写的，本程序不认它的写法"),
        Msg::LedgerOfOther { path, found, region } => {
            format!("台账 `{path}` 是 `{found}` 的，不是 `{region}` 的")
        }
        Msg::LedgerDamaged { path, why } => format!("台账 `{path}` 已损坏或被改动：{why}"),
        Msg::LedgerThere { path } => format!("台账 `{path}` 已经有了，不再重建"),
        Msg::NotAnOutput { path } => format!("`{path}` 不是 settle 写出的文件夹（没有可读的 manifest.json）"),
        Msg::NoCsv { path } => format!("`{path}` 没有 CSV 文件（settle 时用 --only 选掉了），不能汇总"),
        Msg::SettleWithCsv => "重新 settle，--only 中写上 csv".into(),
        Msg::OutputGone { file } => format!("输出文件 `{file}` 不见了"),
        Msg::OutputChanged { file } => format!("输出文件 `{file}` 在写出之后被改动过"),
        Msg::InputChanged { file } => format!("输入文件 `{file}` 在结算之后被改动过"),
        Msg::ChangedMeanwhile { file } => format!("输入文件 `{file}` 在读取期间被改动过"),
        Msg::InputMissing { file } => format!("结算时读过的 `{file}` 现在不在了"),
        Msg::InputNew { file } => format!("`{file}` 是结算之后才有的输入文件"),
        Msg::RulesChanged { policy } => format!("政策文件 `{policy}` 在结算之后被改动过"),
        Msg::OtherBytes { file } => format!("重新计算的 `{file}` 与文件夹中的不同"),
        Msg::OtherProgram { wrote, here } => format!("输出是 `{wrote}` 写的，这里是 `{here}`"),
        Msg::AlreadyPosted { batch } => format!("这份结算已经入账：第 {batch} 批"),
        Msg::LedgerMoved { batch, then } => format!("台账已到第 {batch} 批，这份结算是按第 {then} 批算的"),
        Msg::UnconfirmedPost { figures } => format!("有未确认的数字，不能入账：{}", names(figures)),
        Msg::NothingToPost => "没有变动，没有入账".into(),
        Msg::TwoPeople => "政策要求经办人和审批人是两个人".into(),
        Msg::NoSuchBatch { number, last } => format!("台账没有第 {number} 批，最后一批是第 {last} 批"),
        Msg::ReversedBefore { number, by } => format!("第 {number} 批已由第 {by} 批冲销"),
        Msg::NoSuchHead { hash } => format!("台账中没有 `{hash}`：它被截短或改写过，或这是另一个台账"),
        Msg::AdjustedBefore { batch, what } => format!("{what}已在第 {batch} 批登记过"),
        Msg::OpeningOlder { cohort, opening } => {
            format!("批次 {cohort} 早于台账开账的 {opening}，视为已在别处结清")
        }
        Msg::RowRefused { at, reason, rows } => {
            format!("{at}：{reason}（共 {rows} 行有问题，没有写入任何内容）")
        }
        Msg::LedgerNotYet { path } => format!("还没有台账 `{path}`：已付金额以 payments*.csv 为准"),
        Msg::WhichLedger => "没有说是哪个台账：给出 --region 或 --ledger".into(),
        Msg::InitLedger => "先用 `jiayi post` 入账，或用 `jiayi ledger init` 开账".into(),
        Msg::OtherLedger => "用 --ledger 指出本地区的台账".into(),
        Msg::NewerProgram => "请用写它的那个程序，或更新的程序".into(),
        Msg::OlderProgram => {
            "请用写它的那个程序核对；用本程序以 `ledger init` 另立新台账，把已付的金额作为期初".into()
        }
        Msg::RestoreLedger => "先留好这个文件，再从备份恢复".into(),
        Msg::TryLater => "等它结束再试".into(),
        Msg::MergeAgain => "重新结算该统筹区，看过结果再汇总".into(),
        Msg::SettleAgain => "重新运行 settle，看过结果再入账".into(),
        Msg::ConfirmFigures => "在本地区自己的政策文件中核定（见 README），再结算".into(),
        Msg::NamePeople => "用 --operator 和 --approved-by 给出两个不同的人".into(),
        Msg::Posted { batch, head } => format!("已入账：第 {batch} 批，校验值 {head}"),
        Msg::Opened { batch, opening, amount } => {
            format!("已开账：自 {opening} 起，第 {batch} 批，开账余额 {amount} 元")
        }
        Msg::Reversed { number, batch } => format!("第 {number} 批已由第 {batch} 批冲销"),
        Msg::LaterStands { batch, lines, signings } => format!(
            "其后第 {batch} 批动过同样的 {lines} 行、{signings} 份协议：它们按现有记录保留，下次 settle 会算出差额"
        ),
        Msg::Adjusted { batch, rows, amount } => {
            format!("已登记 {rows} 笔调整，合计 {amount} 元：第 {batch} 批")
        }
        Msg::LedgerGood { batches, head } => format!("台账完好：{batches} 批，校验值 {head}"),
        Msg::HeadInside { batch, since } => format!("该校验值是第 {batch} 批的，其后又入账 {since} 批"),
        Msg::Exported { folder } => format!("已导出到 {folder}"),
        Msg::WhichPeriod => "没有说是哪个期间：给出 --period".into(),
        Msg::NoSuchInstitution { id } => format!("机构表和台账中没有机构 `{id}`"),
        Msg::NotAnIdNumber => "--person 后面不是有效的身份证号".into(),
        Msg::NoSuchSigning => "导出文件和台账中都没有这份签约".into(),
        Msg::FileNotListed { file } => format!("文件夹里的 `{file}` 不在 manifest.json 中"),
        Msg::OutputDiffers { file, line, here, anew } => {
            format!("`{file}` 第 {line} 行：这里是 `{here}`，重新计算是 `{anew}`")
        }
        Msg::SumDiffers { what, stands, adds } => format!("{what}：写的是 {stands}，逐行相加是 {adds}"),
        Msg::OutputGood { lines } => format!("一致：{lines} 行结算，合计无误，重新计算字节相同"),
        Msg::PeriodsDiffer { first, other } => format!("期间不同：{first} 和 {other}，不能合在一起"),
        Msg::InstitutionInTwo { id, first, second } => format!("机构 `{id}` 同时在 {first} 和 {second} 中"),
        Msg::EarlierAsOf { day, posted } => match posted {
            Some(posted) => format!("台账已入账到 {posted}，不能再按更早的 {day} 结算：付出的部分不收回"),
            None => format!("台账已按全部到期入账，不能再按 {day} 结算：付出的部分不收回"),
        },
        Msg::StandAgain { rows } => {
            format!("{rows} 份已作废、解约或退回的协议按这次导出又有效：请确认导出不比上次入账的旧")
        }
        Msg::MovedByRules { lines, amount } => format!(
            "政策文件自入账后有改动，{lines} 行已入账的金额按现在的文件重算，变动 {amount} 元（delta.csv 的 rule_changed）"
        ),
        Msg::NewLedger { path, opening } => {
            format!("新开台账 `{path}`，自 {opening} 起；更早的批次视为已在别处结清")
        }
        Msg::OtherLedgerThere { path, there } => {
            format!("没有台账 `{path}`，而旁边的 `{there}` 是本地区的台账")
        }
        Msg::NameOrInit => "用 --ledger 指出它；确要另开一本，用 `jiayi ledger init`".into(),
        Msg::PaymentsFaulty { rows } => {
            format!("payments*.csv 有 {rows} 行没有读进来：开账余额不全，不能入账")
        }
        Msg::MendPayments => "先更正这些行（见 rejected.csv），再结算入账".into(),
        Msg::EmptyLedger { path } => format!("台账 `{path}` 是空的"),
        Msg::BadHead { text } => format!("`{text}` 不是完整的校验值（64 位十六进制）"),
        Msg::InstitutionsUnchecked => "没有机构表（--data），机构编码没有核对".into(),
        Msg::AdjustedTwice { what } => format!("{what} 在文件中出现两次"),
        Msg::NothingToRegister => "文件里没有可登记的行".into(),
        Msg::AmountZero { what } => format!("{what} 的金额为 0"),
        Msg::PostedAs { batch, reversed } => {
            if *reversed {
                format!("这份结算曾以第 {batch} 批入账，已被冲销")
            } else {
                format!("这份结算以第 {batch} 批入账")
            }
        }
        Msg::NotPosted => "这份结算没有入账".into(),
        Msg::SettledWithout => "这份结算没有用台账，而本地区有台账".into(),
        Msg::MoveLedger => {
            "只有开账余额、还没有结算的台账，可以移开文件后重开；否则用 `jiayi ledger reverse`".into()
        }
        Msg::TooManySigners { most } => {
            format!("按本地区服务包的年龄要求，练习数据最多 {most} 份签约，再多身份证号就不够用了")
        }
        Msg::FolderFilled { path } => format!("文件夹 `{path}` 里已有内容，请给一个新的"),
        Msg::AnotherOut => "请另指一处（--out、-o）".into(),
        Msg::CheckSpace => "请检查磁盘空间和写入权限；原有输出没有变动".into(),
        Msg::TomlSyntax { message } => format!("政策文件的写法有误：{message}"),
        Msg::VersionNotADate { name } => format!("政策文件名 `{name}` 不是日期（应如 2019-11-01.toml）"),
        Msg::VersionDiffers { name } => format!("执行日期与文件名 `{name}` 不同"),
        Msg::MissingKey { table, key } if table.is_empty() => format!("缺少 `{key}`"),
        Msg::MissingKey { table, key } => format!("`{table}` 缺少 `{key}`"),
        Msg::UnknownKey { key, table } if table.is_empty() => format!("不认识的项 `{key}`"),
        Msg::UnknownKey { key, table } => format!("`{table}` 中有不认识的项 `{key}`"),
        Msg::UnknownWord { key, value } => format!("`{key}` 的 `{value}` 不是可用的值"),
        Msg::WrongValue { key, wanted } => format!("`{key}` 的值不对，应为{}", wanted_value(wanted)),
        Msg::FloatRefused { key } => format!("`{key}` 是不带引号的小数，会失去精度"),
        Msg::WantedTable { key } => format!("`{key}` 应为一个表"),
        Msg::WantedTables { key } => format!("`{key}` 应为一组表"),
        Msg::RatioRange { key } => format!("`{key}` 应在 0 与 1 之间"),
        Msg::MoneyDecimals { key } => format!("`{key}` 超过两位小数，金额只到分"),
        Msg::NoSuchLocal { id } => format!("[local] 中没有 `{id}`"),
        Msg::LocalUnused { id } => format!("[local] 的 `{id}` 没有被使用"),
        Msg::ScoreMark => "分数线应在 0 与 100 之间".into(),
        Msg::FloorOverFull => "下限高于满额分数线".into(),
        Msg::BandsOrder => "各档应由高到低排列，且分数线不同".into(),
        Msg::CurveFalls => "分数较高的一档，支付比例反而较低".into(),
        Msg::OneOfTwo { keys } => format!("应写且只写其中一项：{keys}"),
        Msg::FreeHasFee => "免费服务包不能有费用和分担".into(),
        Msg::SharesOverFee { sum, fee, whom } => {
            format!("分担额合计 {sum} 元，超过费用 {fee} 元{}", of(whom))
        }
        Msg::SharesNotFee { sum, fee, whom } => {
            format!("分担额合计 {sum} 元，不等于费用 {fee} 元{}", of(whom))
        }
        Msg::NoKinds => "按类别的比例需要先列出机构类别".into(),
        Msg::TermZero => "签约期限应为 1 至 1200 个月".into(),
        Msg::EndsBeforeItStarts => "最后一天早于执行日期".into(),
        Msg::AgeRange => "年龄应为 0 至 150".into(),
        Msg::RestNotLast => "不带 `when` 的 `rest` 只能写在最后一项".into(),
        Msg::NamedTwice { name } => format!("`{name}` 用了两次"),
        Msg::ItemsNotShare { sum, share, whom } => format!(
            "各项目金额（次数 × 每次金额）合计 {sum} 元，不等于第一项结算的分担额 {share} 元{}",
            of(whom)
        ),
        Msg::ItemsNotFee { sum, fee } => {
            format!("各项目收费（次数 × 每次收费）合计 {sum} 元，不等于费用 {fee} 元")
        }
        Msg::NoFeeForCase { whom } => format!("有的人按所列条件没有费用可依{}", of(whom)),
        Msg::FeeForAllNotLast => "不带 `when` 的费用对所有人适用，只能写在最后一项".into(),
        Msg::MoneyTooMuch { key } => format!("`{key}` 应不到 1,000,000 元"),
        Msg::TooManyOf { table, most } => format!("`{table}` 最多 {most} 项"),
        Msg::NoSuchDistrict { district } => {
            format!("规则文件的条件写有区县 `{district}`，机构表中没有这个区县的机构")
        }
        Msg::Unconfirmed { figures } => format!("有未确认的数字：{}", names(figures)),
        Msg::TooManyConditions { most } => format!("一个服务包的费用、权重和分担合计不能超过 {most} 项"),
        Msg::TooManyTags { count, most } => {
            format!("一个服务包的条件区分了 {count} 种人群，最多 {most} 种")
        }
        Msg::TooManyReasons { most } => format!("解约原因最多 {most} 种"),
        Msg::TooManyPackages { count, most } => format!("各版本的服务包合计 {count} 个，最多 {most} 个"),
        Msg::FactorRange => "权重应大于 0、不超过 10".into(),
        Msg::EmptyUnless => "`unless` 中没有条件".into(),
        Msg::ServicesRange => "服务次数应为 1 至 1000".into(),
        Msg::LimitBroken { of: what, amount, bound, clause, whom } => {
            format!("`{what}` 的 {amount} 元超出 {clause} 的限度（{bound}）{}", of(whom))
        }
        Msg::OutOfBounds { id, least, most } => {
            let least = least.as_ref().map(|bound| format!("不低于 {bound}"));
            let most = most.as_ref().map(|bound| format!("不高于 {bound}"));
            let both: Vec<String> = [least, most].into_iter().flatten().collect();
            format!("`local.{id}` 超出限度（{}）", both.join("，"))
        }
        Msg::BoundIsTheirs { key } => format!("`{key}` 是上级文件定的限度，不能改"),
        Msg::NothingToRemove { table } => format!("上级文件的 `{table}` 中没有可删的这一项"),
        Msg::OpenFigure { id, means } => format!("`local.{id}` 还没有数值：{means}"),
        Msg::SecondPass { key } => {
            format!(
                "`{key}` 要等所有机构都算完再算第二遍（如点值、总额控制、余额再分配、结余分享），规则文件不能表达"
            )
        }
        Msg::PartsNotWhole { sum } => format!("各部分合计 {sum}，应为 1"),
        Msg::RatioOver { key } => format!("`{key}` 应在 0 与 2 之间"),
        Msg::BandsGap { to, wanted } => format!("各档之间有空隙：此档到 {to}，上一档从 {wanted} 起"),
        Msg::BandsOverlap { to, wanted } => format!("各档重叠：此档到 {to}，上一档从 {wanted} 起"),
        Msg::PointsOrder => "各点应由低分到高分排列，分数不同，不超过 100".into(),
        Msg::TwoPoints => "至少要有两点".into(),
        Msg::NthOfCohort { level, most: 1 } => {
            format!("`{level}` 每批次只考核一次或更少，不写 `nth`")
        }
        Msg::NthOfCohort { level, most } => {
            format!("`{level}` 在一个批次内考核 {most} 次，要用 `nth`（1 至 {most}）写明用哪一次")
        }
        Msg::NoCalendar => "按工作日计算需要 [calendar]（法定节假日和调休）".into(),
        Msg::SameDate { other } => format!("执行日期与 `{other}` 相同"),
        Msg::ExtendsItself { circle } => format!("`extends` 绕了一圈：{circle}"),
        Msg::RegionName { region } => {
            format!("地区名 `{region}` 只能用小写英文字母、数字、`-` 和 `_`，它也是文件夹的名字")
        }
        Msg::NotUtf8 { path, line } => format!("`{path}` 第 {line} 行起不是 UTF-8 文字"),
        Msg::FileThere { path } => format!("已有 `{path}`，没有覆盖"),
        Msg::NoSuchCommand { name } => format!("没有命令 `{name}`"),
        Msg::NoSuchVersion { id } => format!("没有政策文件 `{id}`"),
        Msg::SheetNot100 { sum } => format!("各指标分值合计 {sum}，不等于 100"),
        Msg::ZeroUnit => "单位不能为 0".into(),
        Msg::AddTable { key } => format!("请补上一段 [{key}]"),
        Msg::EnglishMarks { found, want } => format!("这里的 `{found}` 是中文标点，请改用英文的 `{want}`"),
        Msg::SaveAsUtf8 => "请存为 UTF-8（记事本：另存为，编码选 UTF-8）".into(),
        Msg::AddKey { key } => format!("请补上 `{key} = …`"),
        Msg::WriteAsString { text } => format!("请加引号：\"{text}\""),
        Msg::LastIsRest => "最后一项可写 `rest = true`".into(),
        Msg::LastFeeForAll => "最后一项费用不写 `when`，就对其余的人都适用".into(),
        Msg::FillByExtends { id } => {
            format!("在本文件补上 `value`，或另建文件写 `extends` 和 [local.{id}] 的 value")
        }
        Msg::SettleThatElsewhere => "请在本程序之外算好，把结果作为金额或比例写入规则文件".into(),
    }
}

/// 没有另写办法时怎么改。
pub fn remedy(msg: &Msg) -> Option<&'static str> {
    Some(match msg {
        Msg::TomlSyntax { .. } => {
            "文字和金额放在英文双引号里；`键 = 值` 一行一项；表头写成 [名称] 或 [[名称]]"
        }
        Msg::MissingKey { .. } => "补上这一项",
        Msg::ChangedMeanwhile { .. } => "等该文件写完或复制完后，再运行一次",
        Msg::UnknownWord { .. } => "改成文件里有的编号",
        Msg::NoSuchVersion { .. } => "写成 地区/日期，如 sichuan/2025-01-02",
        Msg::VersionNotADate { .. } => "把文件名改为执行日期，如 2026-01-01.toml",
        Msg::VersionDiffers { .. } => "把 in_force_from 和文件名改成同一天",
        Msg::WrongValue { wanted, .. } if wanted.contains("number in quotes") => {
            "只写数字，放在英文双引号里：50% 写 \"0.5\"，不写“元”、逗号、正负号"
        }
        Msg::WrongValue { .. } => "按所说的样子写；regions/README.md 有例子",
        Msg::WantedTable { .. } | Msg::WantedTables { .. } => {
            "写成 [名称] 或 { … }；一组写成 [[名称]] 或 [{ … }, { … }]"
        }
        Msg::RatioRange { .. } => "比例写成小数：50% 写 \"0.5\"",
        Msg::RatioOver { .. } => "比例写成小数，最多 \"2\"（付两倍）",
        Msg::MoneyDecimals { .. } => "四舍五入到分，写成 \"15.00\"",
        Msg::MoneyTooMuch { .. } => "这里是每人的金额，请核对单位是不是元",
        Msg::LocalUnused { .. } => "在用到的地方写 \"local.名称\"，或删去这一段",
        Msg::NoSuchLocal { .. } => "在 [local] 下补上这个数字，或改成已有的名称",
        Msg::ScoreMark => "改为 0 至 100 之间的分数",
        Msg::FloorOverFull => "下限应不高于满额分数线",
        Msg::BandsOrder => "从高分到低分排列，每档分数线不同，不超过 100",
        Msg::BandsGap { .. } | Msg::BandsOverlap { .. } => {
            "让每档的 to 等于上一档的 from，最高档的 to 为 100；也可以不写 to"
        }
        Msg::PointsOrder => "从低分到高分排列，每点分数不同",
        Msg::TwoPoints => "至少写两个 point",
        Msg::CurveFalls => "得分高的支付比例不应更低，请核对比例和 below",
        Msg::OneOfTwo { .. } => "只留其中一项，其余删去",
        Msg::FreeHasFee => "删去 fee 和 share，或把 kind 改为 basic",
        Msg::FeeForAllNotLast => "把有 `when` 的费用写在前面",
        Msg::RestNotLast => "把它移到最后，或写上 `when`",
        Msg::TooManyOf { .. } | Msg::TooManyConditions { .. } | Msg::TooManyTags { .. } => {
            "分成几个服务包，或合并相同的条件"
        }
        Msg::TooManyReasons { .. } => "付法相同的原因可以不列，按 ended 处理",
        Msg::TooManyPackages { .. } => "把停用的旧版本移出文件夹",
        Msg::NoKinds => "在 [institutions] 下列出 [[institutions.kind]]",
        Msg::TermZero => "写月数，如 [12]",
        Msg::EndsBeforeItStarts => "核对 in_force_from 和 in_force_to",
        Msg::AgeRange => "写周岁，0 至 150",
        Msg::NamedTwice { .. } => "改一个名称，或删去重复的一项",
        Msg::ItemsNotShare { .. } => {
            "核对次数和每次金额，使合计等于第一项结算的分担额；不按项目扣款的可以不写 amount"
        }
        Msg::ItemsNotFee { .. } => "核对次数和每次收费，使合计等于费用；也可以不写 price",
        Msg::FactorRange => "写大于 0、不超过 10 的权重",
        Msg::EmptyUnless => "写上条件，或删去 unless",
        Msg::ServicesRange => "写 1 至 1000 的整数",
        Msg::LimitBroken { .. } => "按限度改金额或比例；限度是文件或上级文件定的",
        Msg::OutOfBounds { .. } => "按限度改 value",
        Msg::BoundIsTheirs { .. } => "删去这一行",
        Msg::NothingToRemove { .. } => "核对编号，或删去这一项",
        Msg::PartsNotWhole { .. } => "各部分（连同 prepay）合计应为 1",
        Msg::NthOfCohort { .. } => "核对考核周期和结算周期，补上或删去 `nth`",
        Msg::NoCalendar => "补上 [calendar] 和 [[calendar.year]]",
        Msg::SameDate { .. } => "删去或改名其中一个文件",
        Msg::ExtendsItself { .. } => "让其中一个文件不再写 extends",
        Msg::SheetNot100 { .. } => "核对各指标的 max，合计应为 100",
        Msg::ZeroUnit => "写每多少扣分，如 \"1\"",
        Msg::RegionName { .. } => "如 hangzhou、my-city",
        Msg::FileThere { .. } => "换一个日期，或先移走原文件",
        _ => return None,
    })
}

/// For whom, where not everybody is meant.
fn of(whom: &str) -> String {
    if whom.is_empty() { String::new() } else { format!("（例如 {whom}）") }
}

fn wanted_value(wanted: &str) -> &str {
    match wanted {
        "text" => "文字",
        "a whole number" => "整数",
        "a list of whole numbers" => "一组整数",
        "a list of texts" => "一组文字",
        "a number in quotes, such as \"0.5\"" => "加引号的数字，如 \"0.5\"",
        "a table of numbers in quotes" => "由加引号的数字组成的表",
        "dates in quotes, such as \"2025-10-01\" or \"2025-10-01..2025-10-08\"" => {
            "加引号的日期，如 \"2025-10-01\" 或 \"2025-10-01..2025-10-08\""
        }
        "a date in quotes, such as \"2019-11-01\"" => "加引号的日期，如 \"2019-11-01\"",
        other => other,
    }
}

pub fn label(label: Label) -> &'static str {
    match label {
        Label::Error => "错误",
        Label::Note => "说明",
        Label::Cure => "办法",
        Label::Clause => "条款",
        Label::Settlement => "家庭医生签约服务费结算",
        Label::Out => "输出",
        Label::BySource => "按资金来源",
        Label::Source => "资金来源",
        Label::Count => "计费",
        Label::Held => "暂缓",
        Label::Gross => "分担额",
        Label::Prepay => "预拨",
        Label::Final => "清算",
        Label::Posted => "已入账",
        Label::Payable => "应付",
        Label::Recover => "追回",
        Label::Total => "合计",
        Label::NotSettled => "不结算",
        Label::PayBack => "须缴回的机构",
        Label::NobodyPaysBack => "没有须缴回的机构。",
        Label::Institution => "机构编码",
        Label::Name => "名称",
        Label::Score => "得分",
        Label::Ratio => "支付比例",
        Label::Reason => "原因",
        Label::Refused => "退回的行",
        Label::NothingRefused => "没有退回的行。",
        Label::Code => "代码",
        Label::Rows => "行数",
        Label::Meaning => "含义",
        Label::WhatToDo => "怎么办",
        Label::Flags => "疑点",
        Label::LocalFigures => "文件未定、由地方确定的数字",
        Label::Unconfirmed => "未确认",
        Label::Confirmed => "已确认",
        Label::Value => "实测值",
        Label::Rows100 => "签约行",
        Label::ReadRows => "读入",
        Label::RejectedRows => "退回",
        Label::VoidRows => "作废",
        Label::HeldRows => "暂缓",
        Label::AdmittedRows => "计费",
        Label::OtherRows => "本期无计费",
        Label::Scorecard => "考核得分表",
        Label::Indicator => "指标",
        Label::Points => "得分",
        Label::Origin => "来源",
        Label::Written => "已写入",
        Label::More => "其余见",
        Label::Reading => "读取",
        Label::Failed => "考核不合格",
        Label::PrepaidExceeds => "预拨多于应得",
        Label::Correction => "数据更正",
        Label::NoneYet => "待考核",
        Label::Encoding => "编码",
        Label::File => "文件",
        Label::Kind => "类别",
        Label::AllGood => "全部可用。",
        Label::Area => "统筹地区",
        Label::Merged => "各地区汇总",
        Label::Ledger => "台账",
        Label::From => "开账",
        Label::BatchNumber => "批号",
        Label::Period => "期间",
        Label::Amount => "金额",
        Label::Time => "入账时间（UTC）",
        Label::Operator => "经办",
        Label::ApprovedBy => "审批",
        Label::Document => "文号",
        Label::Undone => "已冲销",
        Label::OpeningBatch => "开账余额",
        Label::SettlementBatch => "结算",
        Label::ReversalBatch => "冲销",
        Label::AdjustmentBatch => "调整",
        Label::Head => "校验值",
        Label::Stage => "阶段",
        Label::Seconds => "秒",
        Label::RowsASecond => "行/秒",
        Label::Hashing => "其中计算输入文件的 SHA-256，未压缩的文件含查找单元格（各线程合计，秒）",
        Label::ReadingLedger => "读台账",
        Label::ReadingHeaders => "读表头和机构",
        Label::ReadingSignings => "读签约",
        Label::Qualifying => "互相核对签约",
        Label::ReadingSwipes => "读服务记录",
        Label::ReadingScores => "读得分等",
        Label::Settling => "结算",
        Label::Writing => "写结果",
        Label::Posting => "入账",
        Label::Cohort => "批次",
        Label::Package => "服务包",
        Label::SigningsNoted => "新登记或有变化的协议",
        Label::FromLedger => "另有台账中的协议",
    }
}

/// 含义与办法。
pub fn code(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::E101 => ("字段个数与表头不同，或行已损坏", "打开该行，检查多余的逗号、未闭合的引号，重新导出"),
        Code::E102 => ("必填的值为空", "补填后重新导出"),
        Code::E103 => ("日期无法识别", "改为 2020-01-03 这样的写法，年份 1800–2999"),
        Code::E104 => (
            "数字无法识别、为负、金额超过两位小数，或编号被当作数字",
            "改为 15.00 这样的写法；编号列设为文本后重新导出",
        ),
        Code::E105 => ("有不属于文件编码的字节", "用同一编码重新导出整个文件"),
        Code::E106 => ("是/否或状态不是可填的词", "改为 是/否 或 有效/作废"),
        Code::E201 => ("身份证号无效", "对照证件更正；在电子表格中把该列设为文本"),
        Code::E301 => ("机构不在机构表中", "更正机构编码，或在机构表中补上该机构"),
        Code::E302 => ("机构不是定点机构", "核对机构表的“定点”列；非定点机构不能签约"),
        Code::E303 => ("政策不允许该类机构签约", "核对机构表的“机构类别”列"),
        Code::E304 => ("政策中没有该服务包", "按政策文件中的名称或编号填写服务包"),
        Code::E305 => ("签约日没有有效的政策或服务包", "核对签约日期"),
        Code::E306 => ("机构编码重复", "每个机构只留一行"),
        Code::E401 => ("未参保，或险种不在范围内", "核对参保状态和险种"),
        Code::E402 => ("不属于该服务包的人群", "核对年龄和人群标签"),
        Code::E403 => ("签约期限不在可签的期限中", "核对签约期限"),
        Code::E405 => ("门诊统筹余额低于基金承担额", "该居民当年不能签有偿协议；如余额有误请更正"),
        Code::E501 => ("协议编号重复", "每份协议只留一行，或更正编号"),
        Code::E502 => ("同一机构重复签约", "签约期内只留一份；较早的有效"),
        Code::E503 => ("已在其他机构签约", "签约期内不得改签；与另一机构核对"),
        Code::E504 => ("没有所需的基本服务包", "先签基本服务包"),
        Code::E505 => ("叠加的个性化服务包过多", "只留允许的个数"),
        Code::E506 => ("流水号重复", "同一笔刷卡只留一行"),
        Code::E601 => ("得分或实测值超出范围", "更正得分或实测值"),
        Code::E602 => ("考核周期或批次不对", "按政策的周期填写，如 2020Q1"),
        Code::E603 => ("同一考核有不同得分", "只留一个，或填写考核日期以最后的为准"),
        Code::E604 => ("没有该指标或资金来源", "按政策文件中的编号填写"),
        Code::E605 => ("没有该考核层级", "按政策文件中的层级填写"),
        Code::W701 => ("包内项目单独收费", "向机构核实，应退还居民"),
        Code::W702 => ("个人缴费缺失或不足", "不得减免个人承担部分，向机构核实"),
        Code::W703 => ("在非签约机构刷卡", "核实是否转诊或改签"),
        Code::W704 => ("迟报：其批次已考核", "核实迟报原因"),
        Code::W705 => ("团队人数超过上限", "核实团队编码和人数"),
        Code::W706 => ("有计费而没有得分", "补报考核得分后再清算"),
        Code::W707 => ("重复享受待遇", "与待遇支付记录核对"),
        Code::W708 => ("暂缓支付", "补服务记录或个人授权后自动支付"),
        Code::W710 => ("得分已被后来的取代", "确认以后一个为准"),
    }
}

/// The ends of names of tables that are read.
const TABLES: &str = ".csv、.csv.gz、.csv.zst 或 .xlsx";

/// What the system says of a disk or a file.
pub fn disk(fault: &DiskFault) -> String {
    use std::io::ErrorKind::*;
    let known = match fault.kind {
        PermissionDenied => "没有权限",
        StorageFull => "磁盘已满",
        QuotaExceeded => "超出磁盘配额",
        ReadOnlyFilesystem => "所在的磁盘或文件是只读的",
        NotFound => "没有这个文件或文件夹",
        AlreadyExists => "已有同名的文件",
        NotADirectory => "路径中有一段不是文件夹",
        IsADirectory => "是文件夹",
        DirectoryNotEmpty => "文件夹不是空的",
        InvalidFilename => "文件名过长，或有不能用的字符",
        FileTooLarge => "文件超出系统允许的大小",
        ResourceBusy | ExecutableFileBusy => "正被其他程序占用",
        TimedOut | StaleNetworkFileHandle => "网络磁盘没有回应",
        OutOfMemory => "内存不足",
        Interrupted => "读写被中断",
        _ => return format!("读写出错（系统提示：{}）", fault.said),
    };
    known.into()
}

fn faulty(path: &str, fault: &FileFault) -> String {
    let what = match fault {
        FileFault::NotPacked { form } => return format!("`{path}` 按文件名应是 {form} 压缩文件，内容却不是"),
        FileFault::Disguised { form } => return format!("`{path}` 按文件名应是文本，内容却是 {form} 文件"),
        FileFault::SheetsAlike { names: sheets } => {
            return format!("`{path}` 中的工作表 {} 名称都像是要读取的表", list(sheets, "、", "等"));
        }
        FileFault::SheetsComplete { names } => {
            return format!("`{path}` 中的工作表 {} 都有所需的列，不知该读哪一张", list(names, "、", "等"));
        }
        FileFault::OtherSheet { first, names } => {
            return format!(
                "`{path}` 的第一张工作表 `{first}` 没有所需的列，{} 有，不能确定该读哪一张",
                list(names, "、", "等")
            );
        }
        FileFault::ErrorWord { word, sheet, row } => {
            return format!(
                "`{path}` 的工作表 `{sheet}` 第 {row} 行或其后有单元格显示错误值 {word}，无法得知其内容"
            );
        }
        FileFault::CutShort => "不完整，文件后面缺了一部分",
        FileFault::Damaged => "已损坏，内容与文件自带的校验不符",
        FileFault::Trailing => "在压缩内容之后还有不属于它的字节",
        FileFault::WideWindow => "解压需要超过 128 MB 内存",
        FileFault::NoWorkbook => "不是 .xlsx 工作簿",
        FileFault::EmptyWorkbook => "是空文件（0 字节）",
        FileFault::OldWorkbook => "实际是 Excel 2003 及以前的工作簿（.xls），与文件名不符",
        FileFault::OtherWorkbook => "实际是其他格式的工作簿（.xlsb、.ods 等），与文件名不符",
        FileFault::Encrypted => "已加密，须输入密码才能打开",
        FileFault::Endless => "含有没有尽头的内容",
        FileFault::TooLarge => "解压后的文字超出工作簿应有的大小",
    };
    format!("`{path}` {what}")
}

fn mend(fault: &FileFault) -> &'static str {
    match fault {
        FileFault::NotPacked { .. } => "如果本来就是 CSV，请把文件名改为 .csv；否则请重新导出或压缩",
        FileFault::Disguised { .. } => "请按实际格式改文件名",
        FileFault::SheetsComplete { .. } | FileFault::OtherSheet { .. } => {
            "请把各张另存为单独的文件，或把要读的那张工作表改用表名（如 签约、signings）"
        }
        FileFault::SheetsAlike { .. } => "请把要结算的工作表另存为单独的文件，或给其余工作表改名",
        FileFault::CutShort => "请从来源重新复制并核对文件大小，或重新导出",
        FileFault::Damaged => "请从来源重新复制并核对文件大小，或重新导出；如是工作簿，请打开后重新保存",
        FileFault::Trailing => "请手工解压、核对末尾内容后重新压缩",
        FileFault::WideWindow => "请用 zstd 的一般设置重新压缩，不要用 --ultra、--long",
        FileFault::NoWorkbook | FileFault::OldWorkbook | FileFault::OtherWorkbook => {
            "请打开后另存为“Excel 工作簿（.xlsx）”；如果本来就是 CSV，请把文件名改为 .csv"
        }
        FileFault::EmptyWorkbook => "请重新导出",
        FileFault::Encrypted => "请用密码打开，取消密码后保存",
        FileFault::ErrorWord { .. } => "请打开后改正该单元格的公式或直接填写内容，再保存",
        FileFault::Endless | FileFault::TooLarge => "在查明文件来源之前请勿使用；请重新导出，或另存为 CSV",
    }
}
