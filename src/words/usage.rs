//! What is said about the command line in Chinese. clap has the English words itself; these stand in for them.

use super::Lang;

/// clap's own headings and marks in a help, and ours: whole lines, or the beginning of one.
pub const HEADINGS: &[(&str, &str)] =
    &[("Usage:", "用法:"), ("Commands:", "命令:"), ("Arguments:", "参数:"), ("Options:", "选项:")];

/// Headings of a manual page.
pub const PAGE_HEADINGS: &[(&str, &str)] = &[
    ("NAME", "名称"),
    ("SYNOPSIS", "用法"),
    ("DESCRIPTION", "说明"),
    ("OPTIONS", "选项"),
    ("SUBCOMMANDS", "命令"),
    ("VERSION", "版本"),
];

/// What stands for a value in a help.
pub const VALUE_NAMES: &[(&str, &str)] = &[
    ("REGION", "地区"),
    ("DIR", "文件夹"),
    ("FILE", "文件"),
    ("FILES", "文件"),
    ("FOLDER", "文件夹"),
    ("FOLDERS", "文件夹"),
    ("OUT", "文件夹"),
    ("OUTPUT", "文件"),
    ("SHEETS", "考核表"),
    ("N", "数"),
    ("NUMBER", "编号"),
    ("NAME", "姓名"),
    ("HASH", "校验值"),
    ("DATE", "日期"),
    ("PERIOD", "期间"),
    ("QUARTER", "季度"),
    ("HALF", "半年"),
    ("YEAR", "年"),
    ("MONTH", "月"),
    ("FROM", "日期"),
    ("KINDS", "种类"),
    ("CODE", "代码"),
    ("INSTITUTION", "机构编码"),
    ("CONTRACT", "协议编号"),
    ("PERSON", "身份证号"),
    ("OLD", "旧版本"),
    ("NEW", "新版本"),
    ("ID", "曲线"),
    ("REGION/DATE", "地区/日期"),
    ("LANG", "语言"),
    ("FILE_LANG", "语言"),
    ("CSV_HEADERS", "语言"),
    ("COLOR", "何时"),
    ("FORMAT", "格式"),
    ("ONLY", "种类"),
    ("CSV_ENCODING", "编码"),
    ("ENCODING", "编码"),
    ("SHELL", "外壳"),
    ("COMMAND", "命令"),
    ("SHARE", "比例"),
    ("SIGNINGS", "数"),
];

/// The words around an argument in a help.
#[derive(Clone, Copy, Debug)]
pub enum HelpWord {
    Examples,
    ExamplesOfPage,
    Help,
    Version,
    HelpCommand,
    Options,
    Command,
    Takes,
    Default,
    Variable,
    Manual,
    Between,
}

pub fn help_word(lang: Lang, word: HelpWord) -> &'static str {
    let (zh, en) = match word {
        HelpWord::Examples => ("示例:", "Examples:"),
        HelpWord::ExamplesOfPage => ("示例", "EXAMPLES"),
        HelpWord::Help => ("显示帮助", "Print help"),
        HelpWord::Version => ("显示版本", "Print version"),
        HelpWord::HelpCommand => {
            ("显示本帮助，或某个命令的帮助", "Print this message or the help of the given subcommand(s)")
        }
        HelpWord::Options => ("[选项]", "[OPTIONS]"),
        HelpWord::Command => ("命令", "COMMAND"),
        HelpWord::Takes => ("可填", "possible values"),
        HelpWord::Default => ("默认", "default"),
        HelpWord::Variable => ("环境变量", "env"),
        HelpWord::Manual => ("家医结算手册", "Settling signing fees"),
        HelpWord::Between => ("、", ", "),
    };
    if lang == Lang::Zh { zh } else { en }
}

/// What can be wrong with a command line, in Chinese.
#[derive(Debug)]
pub enum Usage<'a> {
    NotTogether { one: &'a str, others: Vec<&'a str> },
    Twice { one: &'a str },
    NoEquals { one: &'a str },
    NoValue { one: &'a str },
    BadValue { one: &'a str, value: &'a str, why: Option<String> },
    TooMany { one: &'a str, value: &'a str },
    TooFew { one: &'a str, want: isize, got: isize },
    NoSuchCommand { value: &'a str },
    Missing { all: Vec<&'a str> },
    NoCommand { of: &'a str },
    Unexpected { one: &'a str },
    NotText,
    Other,
}

pub fn usage(usage: &Usage<'_>) -> String {
    match usage {
        Usage::NotTogether { one, others } if others.is_empty() => {
            format!("`{one}` 不能与其他已给的参数同用")
        }
        Usage::NotTogether { one, others } => format!("`{one}` 不能与 `{}` 同用", others.join("`、`")),
        Usage::Twice { one } => format!("`{one}` 只能给一次"),
        Usage::NoEquals { one } => format!("`{one}` 的值前要用等号"),
        Usage::NoValue { one } => format!("`{one}` 须有值，但没有给"),
        Usage::BadValue { one, value, why: None } => format!("`{value}` 不是 `{one}` 可填的值"),
        Usage::BadValue { one, value, why: Some(why) } => {
            format!("`{value}` 不是 `{one}` 可填的值：{why}")
        }
        Usage::TooMany { one, value } => format!("`{one}` 不能再有值 `{value}`"),
        Usage::TooFew { one, want, got } => format!("`{one}` 须有 {want} 个值，只给了 {got} 个"),
        Usage::NoSuchCommand { value } => format!("没有命令 `{value}`"),
        Usage::Missing { all } => format!("缺少必填的参数:\n  {}", all.join("\n  ")),
        Usage::NoCommand { of } => format!("`{of}` 之后须有命令"),
        Usage::Unexpected { one } => format!("没有参数 `{one}`，或此处不能有它"),
        Usage::NotText => "参数中有不是 UTF-8 文字的字节".into(),
        Usage::Other => "命令行无法识别".into(),
    }
}

/// What may help.
#[derive(Debug)]
pub enum Tip<'a> {
    Takes { values: Vec<&'a str> },
    Commands { values: Vec<&'a str> },
    Similar { values: Vec<&'a str> },
    Elsewhere { command: String },
    AsValue { value: String },
    More,
}

pub fn tip(tip: &Tip<'_>) -> String {
    match tip {
        Tip::Takes { values } => format!("可填: {}", values.join("、")),
        Tip::Commands { values } => format!("命令: {}", values.join("、")),
        Tip::Similar { values } => format!("提示: 是不是 `{}`？", values.join("`、`")),
        Tip::Elsewhere { command } => format!("提示: 有 `{command}`"),
        Tip::AsValue { value } => format!("提示: 要把 `{value}` 作为值，请写 `-- {value}`"),
        Tip::More => "加 `--help` 可看用法。".into(),
    }
}

/// Why a value of an argument can't be read, by the words in which its parser says it.
pub fn why(argument: &str, said: &str) -> String {
    if argument.contains("日期") {
        return "日期写作 2020-01-03".into();
    }
    if let Some((low, high)) = said.rsplit_once(" is not in ").and_then(|(_, range)| range.split_once("..="))
    {
        return format!("须在 {low} 到 {high} 之间");
    }
    if said.contains("digit") || said.contains("integer") || said.contains("number too") {
        return "须为整数".into();
    }
    "写法不对".into()
}

/// Before what is wrong with a command line.
pub const ERROR: &str = "错误:";
