//! The sentences in which a policy is told, in both languages side by side. `{0}`, `{1}` … are filled in.

use super::Lang;

macro_rules! phrases {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// A sentence, or a part of one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Phrase { $($name),* }

        impl Phrase {
            #[cfg(test)]
            const ALL: &[Phrase] = &[$(Phrase::$name),*];

            const fn words(self) -> (&'static str, &'static str) {
                match self { $(Phrase::$name => ($zh, $en)),* }
            }
        }
    };
}

phrases! {
    SectionPolicy: "政策", "policy";
    SectionCharge: "计费", "charges";
    SectionWho: "谁可以签", "who may sign";
    SectionSources: "资金来源", "sources";
    SectionPackages: "服务包", "packages";
    SectionAssessment: "考核", "assessment";
    SectionReports: "核对与报告", "checks and reports";
    SectionNames: "名称", "names";
    SectionLocal: "由地方确定", "left to the region";
    InForce: "自 {0} 起执行", "in force from {0}";
    InForceTo: "自 {0} 起执行，至 {1} 止", "in force from {0} to {1}";
    Extends: "在 {0} 的基础上", "on top of {0}";
    Charge: "按{0}计费，自生效日起算", "a fee for each {0}, from the day a signing starts";
    ChargeCalendar: "按{0}计费，首次自生效日起，以后按日历{0}", "a fee for each {0}: the first from the day a signing starts, then by the calendar";
    Cycle: "按{0}结算", "settled by the {0}";
    Terms: "签约期限 {0} 个月", "terms of {0} months";
    TermsOrMore: "签约期限 {0} 个月或更长", "terms of {0} months or more";
    TermsThisYear: "签约到当年年底", "terms up to the end of the year";
    TermsNextYear: "签约到次年年底", "terms up to the end of the next year";
    ShortCharge: "不足一个计费期的：{0}", "a charge that the calendar or the term cuts short: {0}";
    EndedCharge: "提前解约的：{0}", "a charge that an early end cuts short: {0}";
    EndedFor: "因{0}提前解约的：{1}", "ended early for {0}: {1}";
    PaysWhole: "全额", "all of it";
    PaysMonths: "按月（不足一月算一月）", "by months, a begun one counts";
    PaysFullMonths: "按满月", "by full months";
    PaysDays: "按天", "by days";
    PaysNothing: "不付", "nothing";
    Insured: "须参保：{0}", "for those insured: {0}";
    AnyInsurance: "不问参保", "insurance is not asked for";
    Kinds: "定点机构：{0}", "designated institutions: {0}";
    AnyKind: "任何类别的定点机构", "designated institutions of any kind";
    EndedFrees: "提前解约后即可另签", "an ended signing no longer blocks another";
    WholeTerm: "提前解约仍占用整个签约期", "an ended signing still takes up its whole term";
    Addons: "同期最多叠加 {0} 个个性化服务包", "at most {0} add-ons at a time";
    BalanceBelow: "门诊统筹余额低于{0}的分担额不得签", "not signed where the balance is below the part of {0}";
    Authorized: "{0}的部分须有个人授权，否则暂缓", "the part of {0} is held without the person's authorization";
    TwoPeople: "入账的经办人和审批人须为两人", "who posts and who approved must be two people";
    Evidence: "计费期内有 {0} 次服务记录才支付", "paid once the charge has {0} service record(s)";
    EvidenceCards: "计费期内有 {0} 次服务记录才支付，凭{1}", "paid once the charge has {0} service record(s), by {1}";
    SourceSettled: "{0}：考核前先付 {1}，按曲线 {2} 清算", "{0}: {1} before the assessment, cleared by curve {2}";
    SourceTranches: "{0}：先付 {1}，其余分期", "{0}: {1} at the start, the rest in parts";
    SourceShown: "{0}：只列出，不由本政策结算", "{0}: only shown, not settled here";
    SourceOnce: "{0}：每人只付一次，叠加包不再付", "{0}: once for a person, an add-on has none";
    TrancheCurve: "{0}·{1}：{2}，按曲线 {3}", "{0}, {1}: {2}, by curve {3}";
    TranchePlain: "{0}·{1}：{2}", "{0}, {1}: {2}";
    TrancheFrom: "，批次开始满 {0} 个月后", ", {0} months after the cohort begins";
    PackageBasic: "{0}（基本）", "{0} (basic)";
    PackageFree: "{0}（免费，只计数）", "{0} (free, only counted)";
    PackageAddon: "{0}（叠加在 {1} 上）", "{0} (on top of {1})";
    OfferedFrom: "{0}：自 {1} 签约的起", "{0}: signings from {1}";
    Fee: "{0}：费用 {1} 元", "{0}: the fee is {1}";
    FeeListed: "{0}：费用 {1} 元（标价 {2} 元，优惠 {3}）", "{0}: the fee is {1} ({2} less {3})";
    Weight: "{0}：费用 × {1}", "{0}: the fee × {1}";
    WeighHighest: "{0}：几项权重同时适用的，取最高", "{0}: of several weights the highest holds";
    ShareFixed: "{0}：{1}承担 {2} 元", "{0}: {1} bears {2}";
    ShareRatio: "{0}：{1}承担 {2}", "{0}: {1} bears {2}";
    ShareRest: "{0}：{1}承担其余", "{0}: {1} bears the rest";
    Whenever: "（{0}）", " ({0})";
    Unless: "除非{0}", "unless {0}";
    AgeFrom: "{0} 岁及以上", "aged {0} and over";
    AgeUnder: "不满 {0} 岁", "under {0}";
    OneOfGroups: "{0}：限{1}", "{0}: for {1}";
    Item: "{0}：{1}", "{0}: {1}";
    ItemTimes: "{0}：{1}，{2} 次", "{0}: {1}, {2} times";
    ItemAmount: "，每次 {0} 元", ", {0} each";
    ItemPrice: "，每次收费 {0} 元", ", priced {0} each";
    DeductWhole: "{0}：清算时缺的次数从分担额中扣除，按全年", "{0}: at clearing each time missing is taken off the share, of the whole year";
    DeductPassed: "{0}：清算时缺的次数从分担额中扣除，按已满月数", "{0}: at clearing each time missing is taken off the share, of the months that have passed";
    Services: "{0}：计费期内服务满 {1} 次才计", "{0}: counts once the charge has {1} service record(s)";
    Population: "{0}：{1}按服务人口每人每年 {2} 元", "{0}: {1} pays {2} a year for each head served";
    Level: "{0}：每{1}考核一次", "{0}: assesses each {1}";
    CurveLinear: "曲线 {0}：{1}分及以上全付，每低一分少付 {2}，低于 {3} 分不付", "curve {0}: all from {1} points on, {2} less for each point under it, nothing under {3}";
    CurveBand: "曲线 {0}：{1} 分及以上付 {2}", "curve {0}: {2} from {1} points on";
    CurvePoint: "曲线 {0}：{1} 分付 {2}，其间按比例", "curve {0}: {2} at {1} points, in proportion between";
    CurveBelowNothing: "曲线 {0}：再低不付", "curve {0}: nothing under that";
    CurveBelowFixed: "曲线 {0}：再低付 {1}", "curve {0}: {1} under that";
    CurveBelowScore: "曲线 {0}：再低按得分 ÷ 100 付", "curve {0}: score ÷ 100 under that";
    CurveGate: "曲线 {0}：{1} 分及以上全付，否则不付", "curve {0}: all from {1} points on, else nothing";
    CurveShare: "曲线 {0}：按得分 ÷ 100 付", "curve {0}: score ÷ 100";
    OnlyWhole: "（不足一份的不计）", " (only full ones count)";
    EachStarted: "（不足一份的按一份计）", " (each begun one counts)";
    SheetOf: "{0}的考核表", "the score sheet of {0}";
    Derived: "（考核表未填时由数据得出：{0}）", " (from the exports where the sheet leaves it out: {0})";
    Graded: "，{0}", ", {0}";
    NotRenewed: "，不再续约", ", no renewal";
    BasisOne: "曲线 {0} 用{1}的得分", "curve {0} takes the score of {1}";
    BasisWeighted: "曲线 {0} 用加权得分：{1}", "curve {0} takes the weighted score: {1}";
    BasisLowest: "曲线 {0} 用最低的得分：{1}", "curve {0} takes the lowest score: {1}";
    BasisChain: "曲线 {0} 是 {1} 的乘积", "curve {0} is the product of {1}";
    Nth: "{0}第 {1} 次", "{0} no. {1}";
    OfParent: "上级机构的{0}", "{0} of the parent";
    Indicator: "{0} {1} {2}，满分 {3}：{4}", "{0} {1} {2}, {3} points: {4}";
    MethodSteps: "{0}", "{0}";
    MethodStep: "低于 {0} 扣 {1}", "{1} off under {0}";
    MethodUnder: "低于 {0}，每 {1} 扣 {2}", "{2} off for each {1} under {0}";
    MethodOver: "高于 {0}，每 {1} 扣 {2}", "{2} off for each {1} over {0}";
    MethodCase: "每例扣 {0}", "{0} off for each case";
    MethodYesNo: "有或无", "yes or no";
    MethodPoints: "按考核给分", "points by hand";
    Flag: "提示 {0}：{1}", "flag {0}: {1}";
    DoubleBenefit: "不得同时享受{0}", "{0} may not be claimed beside it";
    DoubleBeside: "签{1}的不得同时享受{0}", "{0} may not be claimed beside a {1} package";
    CapFlag: "一个{0}不超过 {1} 人，超过的提示", "a {0} has at most {1} people: more are flagged";
    CapCut: "一个{0}不超过 {1} 人，后来的暂缓支付", "a {0} has at most {1} people: later ones are held";
    Team: "团队", "team";
    Doctor: "医生", "doctor";
    Limit: "限度：{0} 的{1} {2}", "limit: {1} of {0} {2}";
    TheFee: "费用", "the fee";
    TheAmount: "标准", "the amount";
    FigureFree: "报告免费签约数", "reported: signings of free packages";
    FigureCoverage: "报告签约覆盖率", "reported: coverage";
    FigureIndividual: "报告个人承担额", "reported: what residents bear";
    FigureStaff: "报告应用于人员薪酬的部分：费用的 {0} 及以上", "reported: at least {0} of the fee for those who serve";
    FigureReward: "报告团队奖励：每服务人口 {1} 元的 {0}", "reported: a team reward of {0} of {1} for each head served";
    FigureRenewal: "报告是否续约", "reported: whether the contract is renewed";
    FigureFeedback: "报告结果反馈的最后一天：考核后 {0} 个工作日", "reported: the day by which the result is told, {0} working days after the assessment";
    FigureSatisfaction: "报告满意度：指标 {0}", "reported: satisfaction, indicator {0}";
    Target: "，目标 {0}", ", target {0}";
    CalendarYear: "{0} 年放假：{1}；调休上班：{2}", "{0}: days off {1}; worked weekends {2}";
    Local: "{0} = {1}：{2}", "{0} = {1}: {2}";
    Year: "年", "year";
    Half: "半年", "half-year";
    Quarter: "季度", "quarter";
    Month: "月", "month";
    And: "、", ", ";
    Or: "或", " or ";
    // rules list, diff, check, curve and new.
    Version: "版本", "Version";
    Document: "文件", "Document";
    From: "执行", "From";
    To: "至", "To";
    Unconfirmed: "未确认", "Not confirmed";
    State: "状态", "State";
    Ready: "可用", "ready";
    Open: "有未填的数字", "figures open";
    Faulty: "有错，见 rules check", "faults: see rules check";
    Same: "{0} 与 {1} 没有不同。", "{0} and {1} say the same.";
    Differences: "{0} → {1}", "{0} → {1}";
    Added: "增加", "added";
    Removed: "删去", "removed";
    Was: "原为", "was";
    Now: "改为", "now";
    NoFaults: "{0}：没有错误", "{0}: no fault";
    OpenOnly: "{0}：没有错误；有未填的数字，要由另一文件 extends 后才能结算", "{0}: no fault; figures are open, so it settles only through a file that extends it";
    Stray: "{0} 没有读：政策文件应为 regions/地区/日期.toml", "{0} was not read: a rule file is regions/region/date.toml";
    Uncovered: "{0}：{1} 至 {2} 没有有效的版本，这些天签的约会退回（E305）", "{0}: no version is in force from {1} to {2}; signings of those days are refused (E305)";
    Overlapping: "{0}：{1} 写明至 {2} 止，但 {3} 起已由下一版本代替", "{0}: {1} says it ends on {2}, but the next version replaces it from {3}";
    ScoreColumn: "得分", "Score";
    RatioColumn: "支付比例", "Ratio";
    GradeColumn: "等次", "Grade";
    JumpColumn: "跳变", "Jump";
    JumpFrom: "由 {0}", "from {0}";
    StepCharges: "{0} 份 × {1}{2} = {3}", "{0} × {1}{2} = {3}";
    StepHeld: "{0} 份 × {1}{2} 暂缓：{3}", "{0} × {1}{2} held: {3}";
    StepGross: "分担额 {0}", "gross {0}";
    StepNotSettled: "只列出，不由本政策结算", "only shown, not settled here";
    StepPrepay: "预拨 {0} × {1} = {2}", "prepayment {0} × {1} = {2}";
    StepItems: "少做的项目 {0} − {1} = {2}", "items missing {0} − {1} = {2}";
    StepTranche: "{0}：{1}，{2} 起，得分 {3}：{4}", "{0}: {1}, from {2}, score {3}: {4}";
    StepWaits: "未到期或没有得分", "not due yet, or no score";
    StepScore: "得分 {0}（{1} {2}，机构 {3}，考核于 {4}）", "score {0} ({1} {2}, institution {3}, assessed on {4})";
    StepFinal: "清算 {0} × {1} = {2}", "final {0} × {1} = {2}";
    StepAllParts: "各部分合计 {0}（{1}）", "all parts {0} ({1})";
    StepNoScore: "没有得分，暂不清算；应为 {0}", "no score yet, so nothing is cleared; due {0}";
    StepBatch: "台账第 {0} 批 {1}（{2}）", "batch {0} of the ledger {1} ({2})";
    StepPayable: "应为 {0} − 已入账 {1} = 应付 {2}", "due {0} − posted {1} = payable {2}";
    StepRecover: "应为 {0} − 已入账 {1}：追回 {2}", "due {0} − posted {1}: recover {2}";
    StepNothing: "应为 {0}，已入账 {1}：不付不退", "due {0}, posted {1}: nothing moves";
    HeldNoEvidence: "没有服务记录", "no service record";
    HeldUnauthorized: "没有个人授权", "not authorized by the person";
    HeldOverCap: "团队或医生已满", "the team or doctor is full";
    NoLines: "本期没有这个机构的结算行。", "This institution has no line in the period.";
    AgreedOnPaper: "按文件调整（不在上面的计算之内）", "Agreed on paper (not part of what is computed above)";
    AgreedLine: "{0} {1} {2}：{3}，{4}（第 {5} 批，{6}）", "{0} {1} {2}: {3}, {4} (batch {5}, {6})";
    LifeOf: "协议 {0}", "contract {0}";
    RowAdmitted: "{0}：有效，计入", "{0}: taken";
    RowVoid: "{0}：作废，只计数", "{0}: void, only counted";
    RowRefused: "{0}：退回 {1} {2}：{3}", "{0}: refused {1} {2}: {3}";
    LifeFacts: "{0}，{1} {2}，{3}，{4} 签约，{5} 起，{6} 前", "{0}, {1} {2}, {3}, signed on {4}, from {5} to before {6}";
    LifePassed: "通过的检查：{0}", "checks passed: {0}";
    LifeCharge: "第 {0} 次计费：{1} 起，批次 {2}{3}", "charge {0}: from {1}, cohort {2}{3}";
    LifeEvidence: "服务记录 {0} 次，须 {1} 次", "service records: {0}, of {1} that it takes";
    LifeItem: "项目 {0}：做了 {1} 次，应做 {2} 次", "item {0}: done {1}, planned {2}";
    LifeInBatch: "所在结算行（{1}）：台账第 {0} 批 {2}", "its line ({1}): batch {0} of the ledger {2}";
    LifeNoCharge: "没有计费：在计费开始之前就已结束，或不在结算的批次里", "no charge: it ended before one began, or none falls in what is settled";
    LifeService: "服务记录 {0}", "service record {0}";
    StateAdmitted: "有效", "admitted";
    StateVoid: "作废", "void";
    LifeNoted: "台账第 {0} 批（{1}）：{2}，{5} {6}，{3} 起，{4} 前", "batch {0} of the ledger ({1}): {2}, {5} {6}, from {3} to before {4}";
    LifeMoved: "它那时所在的结算行（{1} {2} {3}）：台账第 {0} 批 {4}", "its line of then ({1} {2} {3}): batch {0} of the ledger {4}";
    // Documents.
    DocSheetSummary: "汇总", "Summary";
    DocSheetLines: "结算明细", "Lines";
    DocSheetClawback: "追回清单", "Recoveries";
    DocSheetRefused: "退回数据", "Refused rows";
    DocSheetFlags: "疑点", "Flags";
    DocSheetBasis: "口径", "Basis";
    DocTitleSummary: "家庭医生签约服务费结算汇总表", "Family doctor signing fees: summary of the settlement";
    DocTitleLines: "家庭医生签约服务费结算明细表", "Family doctor signing fees: settlement lines";
    DocTitleClawback: "家庭医生签约服务费追回清单", "Family doctor signing fees: recoveries";
    DocTitleRefused: "家庭医生签约服务费退回数据", "Family doctor signing fees: refused rows";
    DocTitleFlags: "家庭医生签约服务费疑点", "Family doctor signing fees: what to look at";
    DocTitleBasis: "家庭医生签约服务费结算口径", "Family doctor signing fees: what the settlement is based on";
    DocAbout: "{0}（{1}）　结算期间：{2}", "{0} ({1})   period: {2}";
    DocUnit: "单位：元", "in yuan";
    DocUnitNone: "", "";
    DocNumber: "序号", "No.";
    DocTotal: "合计", "Total";
    DocNone: "无", "none";
    DocNotGiven: "（未填）", "(not given)";
    DocInstitutions: "机构数", "Institutions";
    DocAdmitted: "计费签约", "Signings charged";
    DocDistrict: "区县", "District";
    DocParent: "上级机构", "Parent";
    DocPolicy: "政策版本", "Policy";
    DocDeduction: "扣减", "Deduction";
    DocPrepayRatio: "预拨比例", "Prepaid part";
    DocShortfall: "差额", "Shortfall";
    DocWithheld: "未付差额", "Withheld";
    DocContract: "协议编号", "Contract";
    DocPerson: "身份证号", "ID number";
    DocLine: "行", "Line";
    DocDetail: "说明", "Detail";
    DocItem: "项目", "What";
    DocContent: "内容", "Content";
    DocClauseOrHash: "条款 / 校验值", "Clause / hash";
    DocBySource: "一、按资金来源", "By source";
    DocByDistrict: "二、按区县", "By district";
    DocNotSettledHere: "{0}（只列出，不由本政策结算）", "{0} (only shown, not settled here)";
    DocCapitals: "应付合计（大写）：{0}　　追回合计（大写）：{1}", "payable in words: {0}   to be recovered in words: {1}";
    DocCapitalsOne: "合计（大写）：{0}", "in words: {0}";
    DocSign: "制表：{0}　　　　　　复核：　　　　　　审批：{1}　　　　　　日期：　　　　年　　月　　日", "Prepared by: {0}            Checked by:             Approved by: {1}            Date:             ";
    DocPaper: "批准文号：{0}", "Document: {0}";
    DocHead: "台账第 {0} 批，校验值 {1}", "Ledger at batch {0}, head {1}";
    DocNoLedger: "未用台账：已入账的金额取自付款表（payments）", "Without a ledger: what was posted is as payments say";
    DocBatch: "第 {0} 批：{1}", "Batch {0}: {1}";
    DocDoubt: "注意：{0}", "Note: {0}";
    DocUnconfirmed: "注意：以下由地方确定的数字尚未确认，不能入账：{0}", "Note: these figures left to the region are not confirmed, so nothing can be posted: {0}";
    DocChartSource: "按资金来源（元）", "By source (yuan)";
    DocChartDistrict: "应付与追回，按区县（元）", "Payable and recovered, by district (yuan)";
    DocInput: "输入文件", "Input file";
    DocInputFacts: "{0}：{1}，{2} 行，{3} 字节，编码 {4}", "{0}: {1}, {2} rows, {3} bytes, {4}";
    DocRuleFile: "政策文件", "Rule file";
    DocLocalUnconfirmed: "地方数字（未确认）", "Local figure (not confirmed)";
    DocLocalConfirmed: "地方数字（已确认）", "Local figure (confirmed)";
    DocNotice: "提示", "Note";
    DocProgram: "程序", "Program";
    StatementTitle: "家庭医生签约服务费结算单", "Family doctor signing fees: statement";
    StatementTo: "机构：{0}（{1}）", "Institution: {0} ({1})";
    StatementDistrict: "区县：{0}", "District: {0}";
    StatementPeriod: "结算期间：{0}", "Period: {0}";
    StatementPolicy: "依据：{0}（{1}）", "By: {0} ({1})";
    StatementSteps: "计算过程", "How it comes about";
    StatementStep: "步骤", "Step";
    StatementCurves: "得分与支付比例", "Scores and what they pay";
    StatementCurve: "曲线 {0}（{1}）", "Curve {0} ({1})";
    StatementMark: "{0}：得分 {1}，支付比例 {2}", "{0}: score {1}, pays {2}";
    CheckMore: "……另有 {0} 行", "… and {0} more";
    StatementRefused: "退回的行（共 {0} 行）", "Refused rows ({0})";
    StatementFlags: "疑点（共 {0} 条）", "Flags ({0})";
    StatementNone: "没有。", "None.";
    StatementPlace: "文件:行", "File:line";
    StatementAgreed: "按文件调整（不在上面的计算之内）", "Agreed on paper (not part of what is computed above)";
    StatementFigures: "另行报告", "Reported beside it";
    StatementObject: "机构如有异议，请于　　　　年　　月　　日前书面提出。", "Objections in writing by: ____________";
    StatementFeedback: "考核结果最迟于 {0} 反馈", "The result of the assessment is told by {0}";
    DocPage: "第 &P 页 共 &N 页", "page &P of &N";
    DocUnsettledIn: "分担额合计中有 {0} 元属于只列出、不由本政策结算的资金来源；由本政策结算的为 {1} 元，与汇总表的合计一致。", "Of the sum of shares, {0} is of sources that are only shown, not settled here; the {1} settled here is the total of the summary.";
    DocBetween: "、", ", ";
    DocThen: "；", "; ";
    DocLocalFigure: "{2}（{0} = {1}）", "{0} = {1}: {2}";
    AnswerYes: "是", "yes";
    AnswerNo: "否", "no";
    OriginSheet: "考核表", "sheet";
    OriginDerived: "数据", "derived";
    InYear: "{0}年", "{0}";
    InFirstHalf: "{0}年上半年", "{0}H1";
    InSecondHalf: "{0}年下半年", "{0}H2";
    InFirstQuarter: "{0}年第一季度", "{0}Q1";
    InSecondQuarter: "{0}年第二季度", "{0}Q2";
    InThirdQuarter: "{0}年第三季度", "{0}Q3";
    InFourthQuarter: "{0}年第四季度", "{0}Q4";
    InMonth: "{0}年{1}月", "{0}-{1}";
    KindInstitutions: "机构表", "institutions";
    KindSignings: "签约表", "signings";
    KindSwipes: "服务记录表", "swipes";
    KindScores: "得分表", "scores";
    KindPayments: "付款表", "payments";
    KindSheets: "考核表", "sheets";
    KindAdjustments: "调整表", "adjustments";
    DeriveDataValidity: "有效签约行占比", "data_validity";
    DeriveEffectiveShare: "有效签约占比", "effective_share";
    DeriveSeparateCharges: "包内项目单独收费例数", "separate_charges";
    DeriveSwipeRecords: "刷卡记录占比", "swipe_records";
    DeriveUnpaidCases: "未缴费例数", "unpaid_cases";
    DerivePaymentConsistency: "缴费一致率", "payment_consistency";
    DocOf: "{0}：{1}", "{0}: {1}";
    DocAll: "{0}。{1}", "{0}. {1}";
    DocWith: "{0}（{1}）", "{0} ({1})";
    StatementPayable: "应付合计：{0} 元（大写：{1}）", "Payable: {0} ({1})";
    StatementRecover: "追回合计：{0} 元（大写：{1}）", "To be paid back: {0} ({1})";
    StatementNothing: "本期不付不退。", "Nothing moves in this period.";
    StatementUnknown: "不属于任何机构的退回行见 rejected.csv。", "Refused rows that name no known institution are in rejected.csv.";
    SignPrepared: "制表：{0}", "Prepared by: {0}";
    SignChecked: "复核：", "Checked by:";
    SignApproved: "审批：{0}", "Approved by: {0}";
    SignInstitution: "机构签收（盖章）：", "Institution (seal):";
    SignDate: "日期：　　年　月　日", "Date:";
    SignBureau: "经办机构（盖章）", "For the bureau (seal)";
    NoticeTitle: "追回通知书", "Notice of recovery";
    NoticeTo: "{0}（{1}）：", "To {0} ({1}):";
    NoticeText: "根据《{0}》（{1}），经 {2} 结算核定，你机构已预拨的家庭医生签约服务费中，有 {3} 元（大写：{4}）不再应付，应予缴回。明细如下：", "By {0} ({1}), as settled for {2}: of the signing fees prepaid to you, {3} ({4}) is no longer due and is to be paid back, as follows:";
    NoticeEnd: "请核对后按经办机构的安排缴回；计算过程见所附结算单。", "Please check it and pay it back as the bureau arranges; the statement shows how it comes about.";
    NoticeDue: "应为", "Due";
    FigureNameFree: "免费签约数", "signings of free packages";
    FigureNameIndividual: "个人承担额（元）", "borne by residents (yuan)";
    FigureNameStaff: "用于人员薪酬（元）", "for those who serve (yuan)";
    FigureNameReward: "团队奖励（元）", "team reward (yuan)";
    FigureNameCoverage: "签约覆盖率", "coverage";
    FigureNameCoverageTarget: "签约覆盖率目标", "target of the coverage";
    FigureNameCoverageMet: "签约覆盖率达标", "target of the coverage met";
    FigureNameSatisfaction: "满意度", "satisfaction";
    FigureNameSatisfactionTarget: "满意度目标", "target of the satisfaction";
    FigureNameSatisfactionMet: "满意度达标", "target of the satisfaction met";
    FigureNameRenewal: "续约", "renewed";
    PageTitle: "家庭医生签约服务费结算", "Family doctor signing fees: settlement";
    PageBySource: "按资金来源", "By source";
    PageByDistrict: "按区县", "By district";
    PageScores: "得分分布", "Scores";
    PageScoresAbout: "每五分一档，柱上为次数。", "Five points to a column, with how many scores.";
    PageCurve: "得分与支付比例", "Scores against what they pay";
    PageMark: "{0} 分付 {1}：{2} 行", "{0} pays {1}: {2} line(s)";
    PageRecoveries: "追回最多的机构", "Largest recoveries";
    PageRefused: "退回的行，按代码", "Refused rows by code";
    PageInstitutions: "各机构", "Institutions";
    PageFind: "查找", "Find";
    PageAll: "全部", "all";
    PageRest: "图中没有画出的其余 {0} 项：{1}", "The other {0}, not drawn: {1}";
    PageOnlyBack: "只看须缴回的", "only those that pay back";
    SampleFile: "{0}：{1} 行", "{0}: {1} rows";
    SampleSettle: "检查并结算：", "To check and to settle it:";
    SampleTitle: "{0} {1}：示例数据", "{0} {1}: made-up data";
    SampleAbout: "由 jiayi sample 按政策文件生成（jiayi {1}，种子 {0}），供培训、演示和测速；其中的人并不存在，身份证号的地区码 9999xx 未分配给任何地方。在本文件夹内执行：", "Written by jiayi sample from the rule file (jiayi {1}, seed {0}), for training, demonstration and timing. Nobody in it exists: area code 9999xx of the ID numbers is assigned to no place. In this folder:";
    SampleWhere: "所在", "Where";
    SampleStory: "内容", "What it shows";
    CreatedFile: "已写入 {0}；填好后用 jiayi rules check {0} 检查", "written: {0}; fill it in, then run jiayi rules check {0}";
}

/// A sentence with its blanks filled.
pub fn phrase(lang: Lang, phrase: Phrase, with: &[&str]) -> String {
    let (zh, en) = phrase.words();
    let template = if lang == Lang::Zh { zh } else { en };
    let mut parts = template.split('{');
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let (number, rest) = part.split_once('}').unwrap_or(("", part));
        out.push_str(number.parse().ok().and_then(|at: usize| with.get(at)).copied().unwrap_or_default());
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_have_the_same_blanks() {
        for phrase in Phrase::ALL {
            let (zh, en) = phrase.words();
            for at in 0..7 {
                let blank = format!("{{{at}}}");
                assert_eq!(zh.contains(&blank), en.contains(&blank), "{phrase:?}");
            }
        }
    }
}
