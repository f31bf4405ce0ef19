//! English.

use crate::base::code::Code;
use crate::base::message::{FileFault, HeaderFault, Msg};

use super::en_refusals::refusal;
use super::{Label, list};

pub fn say(msg: &Msg) -> String {
    let names = |names: &[String]| list(names, ", ", " …");
    match msg {
        Msg::Row(reason) => refusal(reason),
        Msg::InstitutionIsPerson { id, at } => {
            format!("{at}: institution_id `{id}` holds a person's ID number, which outputs and file names would show")
        }
        Msg::NotAPerson => {
            "use the institution's code in all files; if this is its code, put a hyphen into it in all files, behind the sixth digit perhaps".into()
        }
        Msg::ChargedSeparately { item, amount } => {
            format!("item `{item}` of the package was charged separately: {amount}")
        }
        Msg::PaidBelow { paid, share } => {
            format!("the resident paid {paid}, below the person's share of {share}")
        }
        Msg::SwipedElsewhere { institution } => {
            format!("swiped at `{institution}`, not at the institution signed with")
        }
        Msg::ClearedBefore { cohort, batch } => {
            format!("batch {batch} of the ledger cleared {cohort} before; this row is paid at that ratio")
        }
        Msg::SignedLate { cohort, assessed_on } => {
            format!("signed after cohort {cohort} was assessed on {assessed_on}")
        }
        Msg::TeamTooLarge { doctor, team, people, most } => {
            let who = if *doctor { "doctor" } else { "team" };
            format!("{who} `{team}` has {people} people, over {most}")
        }
        Msg::OverCap { most } => format!("its team or doctor had {most} people already when it started: held"),
        Msg::ScoreMissing { cohort, level } => format!(
            "cohort {cohort}: others have a score of level `{level}`, this institution has none; not cleared"
        ),
        Msg::ClaimedBeside { item } => format!("`{item}` was claimed beside the package"),
        Msg::NoServiceRecord { from, asked: 0 | 1 } => {
            format!("no service record yet in the charge from {from}: held")
        }
        Msg::NoServiceRecord { from, asked } => {
            format!("fewer than {asked} service records yet in the charge from {from}: held")
        }
        Msg::NotAuthorized { source } => format!("no personal authorization: the part of {source} is held"),
        Msg::ScoreReplaced { score, by, at } => format!("score {score} was replaced by {by} at {at}"),
        Msg::SheetOfOtherPeriod { institution, period } => {
            format!("institution `{institution}`: its sheet is of {period}, not of this run")
        }
        Msg::ValueDiffers { institution, indicator, sheet, data } => {
            format!(
                "institution `{institution}`, {indicator}: the sheet has {sheet}, the data give {data}; the sheet wins"
            )
        }
        Msg::PointsDiffer { institution, indicator, sheet, worked_out } => {
            format!(
                "institution `{institution}`, {indicator}: {sheet} points by hand, {worked_out} worked out; a value in the sheet wins over points, points over the data"
            )
        }
        Msg::NoScore { institution, missing } => {
            format!("institution `{institution}` lacks {}: no score", names(missing))
        }
        Msg::NoSheetForLevel => "the policy has no score sheet, so nothing can be scored from one".into(),
        Msg::UnknownColumns { file, columns } => {
            format!("{file}: columns {} are not known and not used", names(columns))
        }
        Msg::DoubledColumns { file, columns } => {
            format!("{file}: columns {} stand there twice; the first counts", names(columns))
        }
        Msg::NoRows { file } => format!("{file} has a header and no rows"),
        Msg::MaybeGb18030 { file, rows } => format!(
            "{file}: its header reads as utf-8, and {rows} rows do not; if it is GB18030, give the header its Chinese names or save the file as UTF-8"
        ),
        Msg::LeftOutColumn { what, file, column } => {
            format!("{file} has no column `{column}`: {what} left out")
        }
        Msg::LeftOutFile { what, kind } => format!("there is no {kind}*.csv: {what} left out"),
        Msg::NoPaymentsFile { .. } => {
            "there are scores and no payments*.csv: nothing counts as prepaid, so what is payable may have been paid".into()
        }
        Msg::PaymentsNotRead => "the ledger says what was paid: payments*.csv were not read".into(),
        Msg::PartlyBeforeOpening { period, opening } => format!(
            "the ledger opens on {opening}: earlier cohorts of {period} count as settled elsewhere and are left out"
        ),
        Msg::PaymentsElsewhere { rows, period, all: true } => format!(
            "all {rows} rows of payments are of cohorts outside {period} and do not count as posted: payable may be too much; check the cohorts"
        ),
        Msg::PaymentsElsewhere { rows, period, all: false } => {
            format!("{rows} rows of payments are of cohorts outside {period} and do not count here")
        }
        Msg::PaymentsRefused { rows } => format!(
            "{rows} rows of payments were refused and do not count as posted: payable may be too much, recover too little; mend them first"
        ),
        Msg::UnusedFiles { files } => format!(
            "{} in the folder are not used (a name starts with its kind and ends with {TABLES})",
            names(files)
        ),
        Msg::SheetsNotRead { file, others } => {
            format!("{file} is the sheet that was read; {} of that workbook were not", names(others))
        }
        Msg::RowsAbove { file, header } => {
            format!("the header of {file} is row {header}; what stands above it was taken for a title")
        }
        Msg::SameFile { first, second } => format!("{first} and {second} hold the same bytes: the same data may count twice"),
        Msg::NoCharges { period, rows, refused, void, .. } => format!(
            "nothing is charged in {period}: of {rows} signing rows {refused} were refused and {void} are void; check the period, the days of signing and the reasons"
        ),
        Msg::KindsMissing { file, column } => {
            format!("{file} has no column `{column}`: the policy admits listed kinds alone, so all signings of the institutions in it are refused (E303)")
        }
        Msg::YearNotListed { year } => format!(
            "the rule file's [calendar] does not list {year}: the day by which results are told is left out"
        ),
        Msg::NothingOfPeriod { period } => format!("the sheets hold nothing of {period}; no scores were written"),
        Msg::NoScoresFile => "there is no scores*.csv: prepayment only, nothing is cleared".into(),
        Msg::NoPackageNamed { file } => {
            format!("{file}: payments without a package are taken for the one that charges")
        }
        Msg::CannotRead { path, why } => format!("can't read `{path}`: {}", why.said),
        Msg::CannotWrite { path, why } => format!("can't write `{path}`: {}", why.said),
        Msg::NoSuchFile { path } => format!("there is no file `{path}`"),
        Msg::IsAFolder { path } => format!("`{path}` is a folder where a file should be"),
        Msg::FaultyFile { path, fault } => faulty(path, fault),
        Msg::SameInTwoForms { first, second } => {
            format!("{first} and {second} are one table in two forms: its rows would count twice")
        }
        Msg::UnreadForm { path } => format!("`{path}` is of a form that is not read"),
        Msg::EmptyFile { path } => format!("`{path}` is empty, without even a header"),
        Msg::MissingFile { wanted, folder } => format!("there is no `{wanted}` in `{folder}`"),
        Msg::MissingColumns { path, columns } => {
            let columns: Vec<String> = columns.iter().map(|(id, zh)| format!("`{id}` ({zh})")).collect();
            format!("`{path}` lacks the required column {}", columns.join(", "))
        }
        Msg::UnknownRegion { region } => format!("there is no rule file for region `{region}`"),
        Msg::BadPeriod { text, wanted } => format!("`{text}` is no such period; it looks like {wanted}"),
        Msg::PeriodTooFine { period, cycle } => {
            format!("`{period}` is finer than the policy's settlement cycle ({cycle})")
        }
        Msg::NoPolicyYet { period, from } => {
            format!("`{period}` ends before the policy is in force, from {from}")
        }
        Msg::BeforeOpening { period, opening } => {
            format!("the ledger opens on {opening}: {period} is earlier and counts as settled elsewhere")
        }
        Msg::RulesForgot { package, signed_on, batch } => format!(
            "batch {batch} of the ledger holds package `{package}` signed on {signed_on}, which no rule file knows"
        ),
        Msg::NotOurFolder { path } => {
            format!("`{path}` holds files and is no output of this program; it was left as it is")
        }
        Msg::OutIsInput { path } => {
            format!("the output folder `{path}` holds the input data and can't be replaced")
        }
        Msg::ForeignFile { path } => format!("`{path}` is no output of an assessment; it was left as it is"),
        Msg::ScoresOfOther { path, there } => {
            format!("`{path}` holds the assessment of {there}; it was left as it is")
        }
        Msg::ScoresApart { period } => format!(
            "give another file with -o, such as -o scores-{period}.csv; settle reads all files of the folder that begin with scores"
        ),
        Msg::ScoresAreCsv { path } => {
            format!("scores are written as CSV: the name `{path}` must end with .csv, such as scores.csv")
        }
        Msg::NameOfCards { path } => {
            format!("`{path}`: names that begin with scorecard or rejected are for what is written beside scores")
        }
        Msg::OutputStaysWhole { path } => {
            format!(
                "`{path}` is the output of a settlement and takes no other files; name another place with -o"
            )
        }
        Msg::NoSuchCode { text } => format!("there is no code `{text}`"),
        Msg::ExportAgain => "export it again, with the header as its first line".into(),
        Msg::MendFile { fault } => mend(fault).into(),
        Msg::RemoveOne => "leave one of them in the folder and move the other away".into(),
        Msg::SaveAsWorkbook => "open it and save it as .xlsx or as CSV under the same name; if it is not meant for this settlement, move it away".into(),
        Msg::NameDataFolder => "say with --data where the exported files are".into(),
        Msg::PutFileThere { wanted, there, near: n } => match (there.is_empty(), n) {
            (true, _) => format!("the folder is empty: put `{wanted}` there, or say with --data where it is"),
            (false, Some(near)) if !near.ends_with(".csv") && !near.ends_with(".xlsx") => format!("save `{near}` as CSV under the name `{wanted}`"),
            (false, Some(near)) if near.ends_with(".xlsx") => {
                format!("is `{near}` the one? rename it to `{}`", wanted.replace(".csv", ".xlsx"))
            }
            (false, Some(near)) => format!("is `{near}` the one? rename it to `{wanted}`"),
            (false, None) => {
                format!("there are {}; a name starts with its kind and ends with {TABLES}", names(there))
            }
        },
        Msg::ColumnsThere { fault: HeaderFault::NotText, .. } => {
            "the header is no text: save it as CSV in UTF-8, GB18030, or UTF-16 with BOM".into()
        }
        Msg::ColumnsThere { fault: HeaderFault::Separator, .. } => {
            "the columns seem to be parted by semicolons or tabs; export them with commas".into()
        }
        Msg::ColumnsThere { there, fault: HeaderFault::Title, .. } => {
            format!("the first line seems to be a title ({}); delete it, so that the header comes first", names(there))
        }
        Msg::ColumnsThere { there, near: Some(near), .. } => {
            format!("the header has {}; is `{near}` the one?", names(there))
        }
        Msg::ColumnsThere { there, near: None, .. } => format!("the header has {}", names(there)),
        Msg::DidYouMean { near } => format!("did you mean `{near}`?"),
        Msg::OneOf { known } => format!("there are: {known}"),
        Msg::KeepOldRules => {
            "put the rule file of that time back into the region's folder (`--regions`); old versions stay there".into()
        }
        Msg::LedgerBusy { path } => format!("another run is using the ledger `{path}`"),
        Msg::NoLedger { path } => format!("there is no ledger `{path}`"),
        Msg::NotALedger { path } => format!("`{path}` is no ledger of jiayi"),
        Msg::NewerLedger { path, shape, known } => format!("the ledger `{path}` was written by a newer program (shape {shape}; this one knows up to {known})"),
        Msg::OtherPaper { printed, given } => format!("the documents name `{printed}`, the posting `{given}`"),
        Msg::RulesGone { policy, batch } => format!("batch {batch} was posted by the policy `{policy}`, whose rule file is not there: its charges would be counted by another"),
        Msg::LaterPosted { cohort } => format!("later cohorts were posted already (up to {cohort}): what these rows change of them is not worked out here; settle a later period as well"),
        Msg::LaterCharges { signings } => format!("the batch brought {signings} signings: what later batches paid for them is worked out by the next settle as if they had not been, unless an export still holds them"),
        Msg::VoidOfAnother { rows } => format!("{rows} void rows have the contract_id of a posted signing and another person's ID number: nothing comes back for them"),
        Msg::OlderLedger { path } => format!("the ledger `{path}` was written by an older program, in a shape that this one does not read"),
        Msg::LedgerOfOther { path, found, region } => format!("the ledger `{path}` is of `{found}`, not of `{region}`"),
        Msg::LedgerDamaged { path, why } => format!("the ledger `{path}` is damaged or was changed: {why}"),
        Msg::LedgerThere { path } => format!("there is a ledger `{path}` already; it is not made anew"),
        Msg::NotAnOutput { path } => format!("`{path}` is no folder that settle wrote (it has no manifest.json that can be read)"),
        Msg::NoCsv { path } => format!("`{path}` has no CSV files to add up: settle was told by --only to leave them out"),
        Msg::SettleWithCsv => "settle again with csv in --only".into(),
        Msg::OutputGone { file } => format!("the output `{file}` is not there any more"),
        Msg::OutputChanged { file } => format!("the output `{file}` was changed since it was written"),
        Msg::InputChanged { file } => format!("the input `{file}` was changed since it was settled"),
        Msg::ChangedMeanwhile { file } => format!("the input `{file}` was changed while it was read"),
        Msg::InputMissing { file } => format!("the input `{file}`, which was settled, is not there"),
        Msg::InputNew { file } => format!("the input `{file}` was not there when it was settled"),
        Msg::RulesChanged { policy } => format!("the rule file `{policy}` was changed since it was settled"),
        Msg::OtherBytes { file } => format!("computed anew, `{file}` is another than in the folder"),
        Msg::OtherProgram { wrote, here } => format!("the output was written by `{wrote}`, this is `{here}`"),
        Msg::AlreadyPosted { batch } => format!("this settlement is posted already: batch {batch}"),
        Msg::LedgerMoved { batch, then } => format!("the ledger has moved on: it is at batch {batch}, this settlement was made at batch {then}"),
        Msg::UnconfirmedPost { figures } => format!("figures that nobody confirmed can't be posted: {}", names(figures)),
        Msg::NothingToPost => "nothing moved: nothing was posted".into(),
        Msg::TwoPeople => "the rules want two different people: who posts, and who approved".into(),
        Msg::NoSuchBatch { number, last } => format!("the ledger has no batch {number}; its last is {last}"),
        Msg::ReversedBefore { number, by } => format!("batch {number} is reversed already, by batch {by}"),
        Msg::NoSuchHead { hash } => format!("the ledger does not hold `{hash}`: it was cut short or rewritten, or is another one"),
        Msg::AdjustedBefore { batch, what } => format!("{what} stands in batch {batch} already"),
        Msg::OpeningOlder { cohort, opening } => format!("cohort {cohort} is older than {opening}, with which the ledger opens: it counts as settled elsewhere"),
        Msg::RowRefused { at, reason, rows } => format!("{at}: {reason} ({rows} rows in all can't be taken; nothing was written)"),
        Msg::LedgerNotYet { path } => format!("there is no ledger `{path}` yet: what was paid is what payments*.csv say"),
        Msg::WhichLedger => "which ledger? give --region or --ledger".into(),
        Msg::InitLedger => "post a settlement first (`jiayi post`), or open one with `jiayi ledger init`".into(),
        Msg::OtherLedger => "name the region's own ledger by --ledger".into(),
        Msg::NewerProgram => "use the program that wrote it, or a newer one".into(),
        Msg::OlderProgram => "look at it with the program that wrote it; with this one begin a new ledger by `ledger init`, what was paid being its opening balances".into(),
        Msg::RestoreLedger => "keep this file, then restore one from a backup".into(),
        Msg::TryLater => "try again when it has ended".into(),
        Msg::MergeAgain => "settle that area again, look at the result, then merge".into(),
        Msg::SettleAgain => "run settle again, look at the result, then post".into(),
        Msg::ConfirmFigures => "confirm them in a rule file of the bureau's own (README says how), then settle again".into(),
        Msg::NamePeople => "name two different people by --operator and --approved-by".into(),
        Msg::Posted { batch, head } => format!("posted: batch {batch}, head {head}"),
        Msg::Opened { batch, opening, amount } => format!("opened from {opening}: batch {batch}, opening balances {amount}"),
        Msg::Reversed { number, batch } => format!("batch {number} is reversed by batch {batch}"),
        Msg::LaterStands { batch, lines, signings } => format!("batch {batch} came later and moved {lines} of the same lines and {signings} of the same signings: they stand, and the next settle works out the difference"),
        Msg::Adjusted { batch, rows, amount } => format!("{rows} adjustments of {amount} in all: batch {batch}"),
        Msg::LedgerGood { batches, head } => format!("the ledger is whole: {batches} batches, head {head}"),
        Msg::HeadInside { batch, since } => format!("that head is batch {batch}; {since} batches were posted since"),
        Msg::Exported { folder } => format!("exported to {folder}"),
        Msg::WhichPeriod => "which period? give --period".into(),
        Msg::NoSuchInstitution { id } => format!("neither the list of institutions nor the ledger has `{id}`"),
        Msg::NotAnIdNumber => "what stands behind --person is no valid ID number".into(),
        Msg::NoSuchSigning => "neither the exports nor the ledger have this signing".into(),
        Msg::FileNotListed { file } => format!("the folder has `{file}`, which manifest.json does not list"),
        Msg::OutputDiffers { file, line, here, anew } => format!("`{file}` line {line}: here `{here}`, computed anew `{anew}`"),
        Msg::SumDiffers { what, stands, adds } => format!("{what}: {stands} stands there, its lines add up to {adds}"),
        Msg::OutputGood { lines } => format!("it agrees: {lines} settlement lines, every sum, and the same bytes computed anew"),
        Msg::PeriodsDiffer { first, other } => format!("the periods differ: {first} and {other} make no common summary"),
        Msg::InstitutionInTwo { id, first, second } => format!("institution `{id}` stands in {first} and in {second}"),
        Msg::EarlierAsOf { day, posted } => match posted { Some(posted) => format!("the ledger was posted as of {posted}: nothing is settled as of the earlier {day}, since what was paid stays"), None => format!("the ledger was posted with every part due: nothing is settled as of {day}, since what was paid stays") },
        Msg::StandAgain { rows } => format!("{rows} contracts that were void, ended or refused stand again by this export: make sure that it is not older than the one posted last"),
        Msg::MovedByRules { lines, amount } => format!("the rule files changed since they were posted by: {lines} lines are computed anew, {amount} in all (`rule_changed` in delta.csv)"),
        Msg::NewLedger { path, opening } => format!("a new ledger `{path}` opens with {opening}; older cohorts count as settled elsewhere"),
        Msg::OtherLedgerThere { path, there } => format!("there is no ledger `{path}`, and `{there}` beside it is this region's"),
        Msg::NameOrInit => "name it by --ledger; to begin another, use `jiayi ledger init`".into(),
        Msg::PaymentsFaulty { rows } => format!("{rows} rows of payments*.csv were refused: the opening balances would not be whole, so nothing is posted"),
        Msg::MendPayments => "mend those rows (rejected.csv names them), settle again, then post".into(),
        Msg::EmptyLedger { path } => format!("the ledger `{path}` is empty"),
        Msg::BadHead { text } => format!("`{text}` is no whole head: it has 64 hexadecimal digits"),
        Msg::InstitutionsUnchecked => "there is no list of institutions (--data): their ids were not checked".into(),
        Msg::AdjustedTwice { what } => format!("{what} stands twice in the file"),
        Msg::NothingToRegister => "the file has no row to register".into(),
        Msg::AmountZero { what } => format!("the amount of {what} is 0"),
        Msg::PostedAs { batch, reversed } => if *reversed { format!("this settlement was posted as batch {batch}, which is reversed") } else { format!("this settlement was posted as batch {batch}") },
        Msg::NotPosted => "this settlement is not posted".into(),
        Msg::SettledWithout => "this settlement was made without the ledger that the region has".into(),
        Msg::MoveLedger => "a ledger that holds nothing but its opening can be moved away and opened anew; else use `jiayi ledger reverse`".into(),
        Msg::TooManySigners { most } => format!(
            "at most {most} signings can be made up here: for more there are no ID numbers of the ages that the packages ask for"
        ),
        Msg::FolderFilled { path } => format!("the folder `{path}` is not empty: name a new one"),
        Msg::AnotherOut => "name another place (--out, -o)".into(),
        Msg::CheckSpace => "look at the space and the rights on the disk; the old output is as it was".into(),
        Msg::TomlSyntax { message } => format!("the rule file is not well formed: {message}"),
        Msg::VersionNotADate { name } => {
            format!("the rule file's name `{name}` is no date (such as 2019-11-01.toml)")
        }
        Msg::VersionDiffers { name } => format!("differs from the file's name, `{name}`"),
        Msg::MissingKey { table, key } if table.is_empty() => format!("`{key}` is missing"),
        Msg::MissingKey { table, key } => format!("`{table}` lacks `{key}`"),
        Msg::UnknownKey { key, table } if table.is_empty() => format!("unknown key `{key}`"),
        Msg::UnknownKey { key, table } => format!("unknown key `{key}` in `{table}`"),
        Msg::UnknownWord { key, value } => format!("`{key}`: `{value}` is none of its values"),
        Msg::WrongValue { key, wanted } => format!("`{key}` should be {wanted}"),
        Msg::FloatRefused { key } => format!("`{key}` is a float, which loses digits"),
        Msg::WantedTable { key } => format!("`{key}` should be a table"),
        Msg::WantedTables { key } => format!("`{key}` should be a list of tables"),
        Msg::RatioRange { key } => format!("`{key}` should be between 0 and 1"),
        Msg::MoneyDecimals { key } => format!("`{key}` has more than two decimals; money ends at the fen"),
        Msg::NoSuchLocal { id } => format!("there is no `{id}` under [local]"),
        Msg::LocalUnused { id } => format!("`{id}` of [local] is used nowhere"),
        Msg::ScoreMark => "a mark lies between 0 and 100".into(),
        Msg::FloorOverFull => "the floor lies over the mark for the full ratio".into(),
        Msg::BandsOrder => "bands go from the highest mark down, each mark once".into(),
        Msg::CurveFalls => "the ratio falls as the score rises".into(),
        Msg::OneOfTwo { keys } => format!("give one of: {keys}"),
        Msg::FreeHasFee => "a free package has no fee and no shares".into(),
        Msg::SharesOverFee { sum, fee, whom } => {
            format!("the shares add up to {sum}, over the fee of {fee}{}", of(whom))
        }
        Msg::SharesNotFee { sum, fee, whom } => {
            format!("the shares add up to {sum}, the fee is {fee}{}", of(whom))
        }
        Msg::NoKinds => "a ratio by kind needs kinds of institutions".into(),
        Msg::TermZero => "a term is 1 to 1200 months".into(),
        Msg::EndsBeforeItStarts => "the last day is before the first".into(),
        Msg::AgeRange => "an age is 0 to 150".into(),
        Msg::RestNotLast => "a `rest` without `when` can only be the last share".into(),
        Msg::NamedTwice { name } => format!("`{name}` is used twice"),
        Msg::ItemsNotShare { sum, share, whom } => format!(
            "the items (times × amount) add up to {sum}, the first settled share is {share}{}",
            of(whom)
        ),
        Msg::ItemsNotFee { sum, fee } => {
            format!("the items (times × price) add up to {sum}, the fee is {fee}")
        }
        Msg::NoFeeForCase { whom } => {
            format!("no fee holds for some of the people that the conditions tell apart{}", of(whom))
        }
        Msg::FeeForAllNotLast => "a fee without `when` holds for everybody: it can only be the last".into(),
        Msg::MoneyTooMuch { key } => format!("`{key}` should be under 1,000,000 yuan"),
        Msg::TooManyOf { table, most } => format!("`{table}` has at most {most} entries"),
        Msg::NoSuchDistrict { district } => {
            format!("a condition of the rule file names district `{district}`, which no institution is in")
        }
        Msg::Unconfirmed { figures } => format!("figures not confirmed: {}", names(figures)),
        Msg::TooManyConditions { most } => {
            format!("the fees, weights and shares of a package are at most {most} together")
        }
        Msg::TooManyTags { count, most } => {
            format!("the conditions of a package tell {count} groups apart, at most {most}")
        }
        Msg::TooManyReasons { most } => format!("at most {most} reasons for an early end"),
        Msg::TooManyPackages { count, most } => {
            format!("all versions have {count} packages together, at most {most}")
        }
        Msg::FactorRange => "a factor is over 0 and at most 10".into(),
        Msg::EmptyUnless => "`unless` asks for nothing".into(),
        Msg::ServicesRange => "a number of services is 1 to 1000".into(),
        Msg::LimitBroken { of: what, amount, bound, clause, whom } => {
            format!("`{what}`: {amount} breaks the limit of {clause} ({bound}){}", of(whom))
        }
        Msg::OutOfBounds { id, least, most } => {
            let least = least.as_ref().map(|bound| format!("at least {bound}"));
            let most = most.as_ref().map(|bound| format!("at most {bound}"));
            let both: Vec<String> = [least, most].into_iter().flatten().collect();
            format!("`local.{id}` is out of its bounds ({})", both.join(", "))
        }
        Msg::BoundIsTheirs { key } => format!("`{key}` is a bound of the file that this one extends"),
        Msg::NothingToRemove { table } => {
            format!("`{table}` of the file that this one extends has no such entry to remove")
        }
        Msg::OpenFigure { id, means } => format!("`local.{id}` has no value yet: {means}"),
        Msg::SecondPass { key } => format!(
            "`{key}` needs a second pass over everyone (a floating point value, a budget cut, redistribution, surplus sharing): a rule file can't say that"
        ),
        Msg::PartsNotWhole { sum } => format!("the parts add up to {sum}, not to 1"),
        Msg::RatioOver { key } => format!("`{key}` should be between 0 and 2"),
        Msg::BandsGap { to, wanted } => {
            format!("a gap between bands: this one goes up to {to}, the next begins at {wanted}")
        }
        Msg::BandsOverlap { to, wanted } => {
            format!("bands overlap: this one goes up to {to}, the next begins at {wanted}")
        }
        Msg::PointsOrder => "points stand from low to high scores, each another, up to 100".into(),
        Msg::TwoPoints => "it takes at least two points".into(),
        Msg::NthOfCohort { level, most: 1 } => {
            format!("`{level}` assesses a cohort once or less often: no `nth`")
        }
        Msg::NthOfCohort { level, most } => {
            format!("`{level}` assesses {most} times in a cohort: `nth` (1 to {most}) says which one counts")
        }
        Msg::NoCalendar => "counting working days needs a [calendar] of holidays and make-up workdays".into(),
        Msg::SameDate { other } => format!("the same date as `{other}`"),
        Msg::ExtendsItself { circle } => format!("`extends` goes in a circle: {circle}"),
        Msg::RegionName { region } => format!(
            "a region's name (`{region}`) has small letters, digits, `-` and `_` only: it is a folder's too"
        ),
        Msg::NotUtf8 { path, line } => format!("`{path}` is no UTF-8 text from line {line} on"),
        Msg::FileThere { path } => format!("`{path}` is there already and was not overwritten"),
        Msg::NoSuchCommand { name } => format!("there is no command `{name}`"),
        Msg::NoSuchVersion { id } => format!("there is no rule file `{id}`"),
        Msg::SheetNot100 { sum } => format!("the indicators add up to {sum} points, not to 100"),
        Msg::ZeroUnit => "a unit can't be 0".into(),
        Msg::AddTable { key } => format!("add a table [{key}]"),
        Msg::EnglishMarks { found, want } => {
            format!("`{found}` is a Chinese punctuation mark: write the English `{want}`")
        }
        Msg::SaveAsUtf8 => "save it as UTF-8".into(),
        Msg::AddKey { key } => format!("add `{key} = …`"),
        Msg::WriteAsString { text } => format!("put it in quotes: \"{text}\""),
        Msg::LastIsRest => "the last share may be `rest = true`".into(),
        Msg::LastFeeForAll => "the last fee without a `when` holds for everybody else".into(),
        Msg::FillByExtends { id } => {
            format!("add `value` here, or a file of your own with `extends` and the value of [local.{id}]")
        }
        Msg::SettleThatElsewhere => {
            "work that out beside this program and write the result into the rule file as an amount or ratio".into()
        }
    }
}

/// What to do where no other cure is said.
pub fn remedy(msg: &Msg) -> Option<&'static str> {
    Some(match msg {
        Msg::TomlSyntax { .. } => {
            "texts and amounts stand in \"…\"; one `key = value` a line; headings are [name] or [[name]]"
        }
        Msg::MissingKey { .. } => "add it",
        Msg::ChangedMeanwhile { .. } => "wait until it is written or copied as a whole, then run again",
        Msg::UnknownWord { .. } => "write an id that the file has",
        Msg::NoSuchVersion { .. } => "write region/date, such as sichuan/2025-01-02",
        Msg::VersionNotADate { .. } => {
            "name the file by the day from which it is in force, like 2026-01-01.toml"
        }
        Msg::VersionDiffers { .. } => "make in_force_from and the file's name the same day",
        Msg::WrongValue { wanted, .. } if wanted.contains("number in quotes") => {
            "digits only, in quotation marks: \"0.5\" for 50%, no unit, no comma, no sign"
        }
        Msg::WrongValue { .. } => "write it as said; regions/README.md has an example",
        Msg::WantedTable { .. } | Msg::WantedTables { .. } => {
            "write [name] or { … }; a list as [[name]] or [{ … }, { … }]"
        }
        Msg::RatioRange { .. } => "write it as a fraction: \"0.5\" for 50%",
        Msg::RatioOver { .. } => "write it as a fraction, \"2\" (twice as much) at most",
        Msg::MoneyDecimals { .. } => "round it to the fen: \"15.00\"",
        Msg::MoneyTooMuch { .. } => "this is an amount for one head, in yuan",
        Msg::LocalUnused { .. } => "write \"local.name\" where it is meant, or take the table out",
        Msg::NoSuchLocal { .. } => "add the figure under [local], or name one that is there",
        Msg::ScoreMark => "write a score from 0 to 100",
        Msg::FloorOverFull => "the floor should not be over the mark for all",
        Msg::BandsOrder => "from high to low, each mark another, up to 100",
        Msg::BandsGap { .. } | Msg::BandsOverlap { .. } => {
            "let each band's `to` be the `from` of the one above, the highest's 100; or leave `to` out"
        }
        Msg::PointsOrder => "from low to high, each score another",
        Msg::TwoPoints => "write at least two points",
        Msg::CurveFalls => "a higher score should not pay less: check the ratios and `below`",
        Msg::OneOfTwo { .. } => "keep one of them and take the others out",
        Msg::FreeHasFee => "take fee and share out, or make its kind basic",
        Msg::FeeForAllNotLast => "put the fees with a `when` before it",
        Msg::RestNotLast => "move it to the end, or say `when`",
        Msg::TooManyOf { .. } | Msg::TooManyConditions { .. } | Msg::TooManyTags { .. } => {
            "make several packages of it, or join like conditions"
        }
        Msg::TooManyReasons { .. } => "reasons that are paid alike need no entry: they are `ended`",
        Msg::TooManyPackages { .. } => "move old versions out of the folder",
        Msg::NoKinds => "list [[institutions.kind]] under [institutions]",
        Msg::TermZero => "write months, such as [12]",
        Msg::EndsBeforeItStarts => "check in_force_from and in_force_to",
        Msg::AgeRange => "write whole years, 0 to 150",
        Msg::NamedTwice { .. } => "give one of them another name, or take it out",
        Msg::ItemsNotShare { .. } => {
            "check times and amounts: together they make the first settled share; without deductions leave amount out"
        }
        Msg::ItemsNotFee { .. } => "check times and prices: together they make the fee; or leave price out",
        Msg::FactorRange => "write a factor over 0, 10 at most",
        Msg::EmptyUnless => "write a condition, or take unless out",
        Msg::ServicesRange => "write a whole number from 1 to 1000",
        Msg::LimitBroken { .. } => "keep within the limit, which this file or the one it extends sets",
        Msg::OutOfBounds { .. } => "keep the value within its bounds",
        Msg::BoundIsTheirs { .. } => "take the line out",
        Msg::NothingToRemove { .. } => "check the id, or take the entry out",
        Msg::PartsNotWhole { .. } => "all parts, prepay among them, make 1",
        Msg::NthOfCohort { .. } => "check the cycles of assessment and settlement, and add or take out `nth`",
        Msg::NoCalendar => "add [calendar] with [[calendar.year]]",
        Msg::SameDate { .. } => "take one of the files out, or name it by another day",
        Msg::ExtendsItself { .. } => "take `extends` out of one of the files",
        Msg::SheetNot100 { .. } => "check each indicator's max: together they make 100",
        Msg::ZeroUnit => "write by how much points come off, such as \"1\"",
        Msg::RegionName { .. } => "such as hangzhou or my-city",
        Msg::FileThere { .. } => "name another day, or move the file away first",
        _ => return None,
    })
}

/// For whom, where not everybody is meant.
fn of(whom: &str) -> String {
    if whom.is_empty() { String::new() } else { format!(" (for instance {whom})") }
}

pub fn label(label: Label) -> &'static str {
    match label {
        Label::Error => "error",
        Label::Note => "note",
        Label::Cure => "help",
        Label::Clause => "Clause",
        Label::Settlement => "Family doctor signing fees",
        Label::Out => "output",
        Label::BySource => "By source",
        Label::Source => "Source",
        Label::Count => "Charges",
        Label::Held => "Held",
        Label::Gross => "Gross",
        Label::Prepay => "Prepay",
        Label::Final => "Final",
        Label::Posted => "Posted",
        Label::Payable => "Payable",
        Label::Recover => "Recover",
        Label::Total => "Total",
        Label::NotSettled => "not settled",
        Label::PayBack => "Institutions that pay back",
        Label::NobodyPaysBack => "No institution pays back.",
        Label::Institution => "Institution",
        Label::Name => "Name",
        Label::Score => "Score",
        Label::Ratio => "Ratio",
        Label::Reason => "Reason",
        Label::Refused => "Refused rows",
        Label::NothingRefused => "No row was refused.",
        Label::Code => "Code",
        Label::Rows => "Rows",
        Label::Meaning => "Meaning",
        Label::WhatToDo => "What to do",
        Label::Flags => "To be looked at",
        Label::LocalFigures => "Figures that the text leaves to the region",
        Label::Unconfirmed => "not confirmed",
        Label::Confirmed => "confirmed",
        Label::Value => "Value",
        Label::Rows100 => "Signing rows",
        Label::ReadRows => "read",
        Label::RejectedRows => "refused",
        Label::VoidRows => "void",
        Label::HeldRows => "held",
        Label::AdmittedRows => "charged",
        Label::OtherRows => "no charge in the period",
        Label::Scorecard => "Scorecards",
        Label::Indicator => "Indicator",
        Label::Points => "Points",
        Label::Origin => "Origin",
        Label::Written => "written",
        Label::More => "more in",
        Label::Reading => "reading",
        Label::Failed => "failed",
        Label::PrepaidExceeds => "prepaid exceeds earned",
        Label::Correction => "correction",
        Label::NoneYet => "pending",
        Label::Encoding => "Encoding",
        Label::File => "File",
        Label::Kind => "Kind",
        Label::AllGood => "Everything can be used.",
        Label::Area => "area",
        Label::Merged => "all areas",
        Label::Ledger => "ledger",
        Label::From => "opens with",
        Label::BatchNumber => "batch",
        Label::Period => "period",
        Label::Amount => "amount",
        Label::Time => "posted at (UTC)",
        Label::Operator => "operator",
        Label::ApprovedBy => "approved by",
        Label::Document => "document",
        Label::Undone => "reversed",
        Label::OpeningBatch => "opening balances",
        Label::SettlementBatch => "settlement",
        Label::ReversalBatch => "reversal of",
        Label::AdjustmentBatch => "adjustment",
        Label::Head => "head",
        Label::Stage => "Stage",
        Label::Seconds => "Seconds",
        Label::RowsASecond => "Rows a second",
        Label::Hashing => {
            "of it SHA-256 of the inputs, with the search for cells in plain files, seconds over all threads"
        }
        Label::ReadingLedger => "read the ledger",
        Label::ReadingHeaders => "read headers and institutions",
        Label::ReadingSignings => "read signings",
        Label::Qualifying => "hold signings against each other",
        Label::ReadingSwipes => "read swipes",
        Label::ReadingScores => "read scores and the like",
        Label::Settling => "settle",
        Label::Writing => "write",
        Label::Posting => "post",
        Label::Cohort => "Cohort",
        Label::Package => "Package",
        Label::SigningsNoted => "signings noted or changed",
        Label::FromLedger => "and of the ledger",
    }
}

/// Meaning and cure.
pub fn code(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::E101 => (
            "not as many fields as the header, or a damaged row",
            "open the line, look for stray commas and open quotes, export again",
        ),
        Code::E102 => ("a required value is empty", "fill it in and export again"),
        Code::E103 => ("a date can't be read", "write it like 2020-01-03, years 1800–2999"),
        Code::E104 => (
            "a number can't be read, is negative, is money with more than two decimals, or an id became a number",
            "write it like 15.00; format columns of ids as text and export again",
        ),
        Code::E105 => {
            ("bytes that are not text in the file's encoding", "export the whole file in one encoding")
        }
        Code::E106 => ("none of the words that the column takes", "write yes or no; valid or void"),
        Code::E201 => {
            ("the ID number is not valid", "correct it by the card; make the column text in the spreadsheet")
        }
        Code::E301 => ("the institution is not in institutions", "correct the id, or add the institution"),
        Code::E302 => {
            ("the institution is not designated", "check its `designated`; only designated ones sign")
        }
        Code::E303 => {
            ("the policy does not admit institutions of its kind", "check its `kind` in institutions")
        }
        Code::E304 => ("the policy has no such package", "write the package as the rule file names it"),
        Code::E305 => ("no policy or package was in force on the day of signing", "check signed_on"),
        Code::E306 => ("the institution_id stood on an earlier row", "keep one row for each institution"),
        Code::E401 => ("not insured, or under a scheme not covered", "check insured and scheme"),
        Code::E402 => ("not of the group that the package is for", "check age and groups"),
        Code::E403 => ("the term is none of the policy's", "check term_months"),
        Code::E405 => (
            "the balance is below the fund's share",
            "the person can't sign the paid package this year; correct the balance if it is wrong",
        ),
        Code::E501 => {
            ("the contract_id is used twice", "keep one row for each contract, or correct the number")
        }
        Code::E502 => ("signed twice at one institution", "keep one within the term; the earlier holds"),
        Code::E503 => {
            ("signed at another institution", "no change within the term; ask the other institution")
        }
        Code::E504 => ("the basic package it requires is missing", "sign the basic package first"),
        Code::E505 => ("too many add-ons", "keep as many as the policy allows"),
        Code::E506 => ("the swipe_id stood on an earlier row", "keep one row for each swipe"),
        Code::E601 => ("a score or value out of its range", "correct it"),
        Code::E602 => {
            ("the period or cohort is of another cycle", "write it like 2020Q1, as the policy's cycle asks")
        }
        Code::E603 => {
            ("different scores for one assessment", "keep one, or give assessed_on so that the latest holds")
        }
        Code::E604 => ("no such indicator or source", "write it as the rule file names it"),
        Code::E605 => ("no such level", "write it as the rule file names it"),
        Code::W701 => (
            "an item of the package was charged separately",
            "ask the institution; it is owed to the resident",
        ),
        Code::W702 => (
            "the resident paid nothing or too little",
            "the person's part may not be waived; ask the institution",
        ),
        Code::W703 => ("swiped at another institution", "find out: a referral, or a change?"),
        Code::W704 => ("signed late: its cohort was assessed already", "find out why it came late"),
        Code::W705 => ("a team over the cap", "check team ids and numbers"),
        Code::W706 => ("charges and no score", "hand in the score, then clear"),
        Code::W707 => ("claimed beside the package", "hold it against the claims records"),
        Code::W708 => ("held", "paid as soon as the record or the authorization is there"),
        Code::W710 => ("a score that a later one replaced", "make sure that the later one holds"),
    }
}

/// The ends of names of tables that are read.
const TABLES: &str = ".csv, .csv.gz, .csv.zst or .xlsx";

fn faulty(path: &str, fault: &FileFault) -> String {
    let what = match fault {
        FileFault::NotPacked { form } => {
            return format!("`{path}` is named as {form}, and its content is not");
        }
        FileFault::Disguised { form } => {
            return format!("`{path}` is named as text, and its content is that of {form}");
        }
        FileFault::SheetsAlike { names: sheets } => {
            return format!(
                "the sheets {} of `{path}` are all named like what it holds",
                list(sheets, ", ", " …")
            );
        }
        FileFault::SheetsComplete { names } => {
            return format!(
                "sheets {} of `{path}` all have the columns: which is to be read?",
                list(names, ", ", " …")
            );
        }
        FileFault::OtherSheet { first, names } => {
            return format!(
                "the first sheet `{first}` of `{path}` lacks the columns, and {} has them: which is to be read?",
                list(names, ", ", " …")
            );
        }
        FileFault::ErrorWord { word, sheet, row } => {
            return format!(
                "a cell of sheet `{sheet}` of `{path}`, in row {row} or below, shows the error {word}: what it holds can't be told"
            );
        }
        FileFault::CutShort => "ends in the middle: a part of it is missing",
        FileFault::Damaged => "is damaged: its content does not agree with its own checks",
        FileFault::Trailing => "has bytes behind its compressed content that do not belong to it",
        FileFault::WideWindow => "needs over 128 MB of memory to unpack",
        FileFault::NoWorkbook => "is no .xlsx workbook",
        FileFault::EmptyWorkbook => "is empty (0 bytes)",
        FileFault::OldWorkbook => "is a workbook of Excel up to 2003 (.xls), whatever its name says",
        FileFault::OtherWorkbook => {
            "is a workbook of another form (.xlsb, .ods or the like), whatever its name says"
        }
        FileFault::Encrypted => "is encrypted: it opens with a password only",
        FileFault::Endless => "holds a piece of text without end",
        FileFault::TooLarge => "unpacks to more text than any workbook needs",
    };
    format!("`{path}` {what}")
}

fn mend(fault: &FileFault) -> &'static str {
    match fault {
        FileFault::NotPacked { .. } => "if it is plain CSV, name it .csv; else export or compress it again",
        FileFault::Disguised { .. } => "name it as what it is",
        FileFault::SheetsComplete { .. } | FileFault::OtherSheet { .. } => {
            "save each as a file of its own, or name the one that is meant like its kind (signings, 签约)"
        }
        FileFault::SheetsAlike { .. } => {
            "save the sheet that counts as a file of its own, or rename the others"
        }
        FileFault::CutShort => {
            "copy it once more from where it came from and compare the sizes, or export it again"
        }
        FileFault::Damaged => {
            "copy it once more from where it came from and compare the sizes, or export it again; a workbook: open it, save it anew"
        }
        FileFault::Trailing => "unpack it by hand, look at the end, and compress it again",
        FileFault::WideWindow => "compress it again with zstd's usual settings, without --ultra or --long",
        FileFault::NoWorkbook | FileFault::OldWorkbook | FileFault::OtherWorkbook => {
            "open it and save it as \"Excel Workbook (.xlsx)\"; if it is CSV, name it .csv"
        }
        FileFault::EmptyWorkbook => "export it again",
        FileFault::Encrypted => "open it with its password, take the password off and save it",
        FileFault::ErrorWord { .. } => {
            "open it, mend the formula or write what the cell should say, and save it"
        }
        FileFault::Endless | FileFault::TooLarge => {
            "do not use it before it is known where it came from; export it again, or save it as CSV"
        }
    }
}
