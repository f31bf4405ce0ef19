//! What the stories of a sample are about.

use super::Lang;

macro_rules! tales {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        /// A story that a sample holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Tale { $($name),* }

        /// `{0}`: what it is about more closely.
        pub fn tale(lang: Lang, tale: Tale, about: &str) -> String {
            let (zh, en) = match tale { $(Tale::$name => ($zh, $en)),* };
            (if lang == Lang::Zh { zh } else { en }).replace("{0}", about)
        }
    };
}

tales! {
    Plain: "一切正常", "nothing is wrong";
    Served: "服务项目全部做完", "every service was done";
    TwoPlaces: "同一人在两个机构签约，第二份退回", "one person at two institutions: the second is refused";
    TwiceHere: "同一人在同一机构签两次，第二份退回", "one person twice at the same institution: the second is refused";
    TooEarly: "政策执行前一天签约", "signed the day before the policy began";
    NotDesignated: "机构不是定点机构", "the institution is not designated";
    NotAdmitted: "政策不允许该类机构", "the policy does not admit institutions of this kind";
    Late: "考核之后才签约、倒填生效日期", "signed after the assessment, in force from before it";
    Void: "作废，只计数", "void, only counted";
    Ended: "提前解约，未写原因", "ended early, no reason given";
    EndedFor: "提前解约：{0}", "ended early: {0}";
    WithAddon: "{0}，叠加在基本包上", "{0}, on top of a basic package";
    AddonAlone: "没有基本包的叠加包", "an add-on without a basic package";
    AddonTooMany: "叠加包超过允许的个数", "more add-ons than are allowed";
    NotOfGroup: "{0}：本人不属于所限人群", "{0}: the person is of none of its groups";
    JustOfAge: "签约当天正满 {0} 岁", "exactly {0} years old on the day of signing";
    NotYetOfAge: "签约次日才满 {0} 岁", "{0} years old only on the day after signing";
    WrongTerm: "签约期限不在可签的期限中", "a term that the policy does not have";
    NotInsured: "未参保", "not insured";
    BalanceJust: "余额正好等于基金分担额", "the balance is just the fund's share";
    BalanceBelow: "余额比基金分担额少一分", "the balance is a fen below the fund's share";
    Unauthorized: "没有个人授权，基金部分暂缓", "no authorization: the fund's part is held";
    NoService: "没有服务记录，暂缓", "no service record: held";
    Unpaid: "个人没有缴费", "the resident paid nothing";
    SeparateCharge: "包内项目单独收费", "an item of the package was charged separately";
    Elsewhere: "在非签约机构刷卡", "served at an institution other than the one signed with";
    DoubleBenefit: "不得同时享受的待遇：{0}", "a benefit that may not be claimed beside it: {0}";
    ScoreIs: "{0}", "{0}";
    NoScore: "{0}：没有得分", "{0}: no score";
    ScoreReplaced: "得分被后来的取代", "a score that a later one replaced";
    TeamTooLarge: "一个团队的人数超过上限", "a team with more people than the cap";
}
