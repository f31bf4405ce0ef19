-- The settlement of Urumqi's 2020Q1 (SPEC §2–§5, 乌医保〔2019〕62号) in DuckDB: what a good SQL engineer
-- would run instead of jiayi, to have something to measure jiayi against and to check its sums with.
--
-- run.py puts the folder of the input in place of @DATA@, that of the output in place of @OUT@, and runs it.
--
-- It writes every CSV file that `jiayi settle --only csv` writes, row for row and in the same order: settlement,
-- summary, clawback, delta, figures, flags (W701 to W704, W706, W710; the region has no others) and rejected.csv with
-- the line of every row; and in totals.csv and codes.csv the sums and counts of the manifest. Reasons say what jiayi's
-- say, but for its hints (an institution that was perhaps meant, an ID number that a spreadsheet cut short) and shorter
-- words where bytes are no text; run.py does not look at them.
--
-- It does less than the program in what it takes for granted, which is what `jiayi sample --region urumqi` writes:
-- UTF-8, one file of each kind, columns in a fixed order with English names and none beyond them; packages, schemes,
-- kinds and sources by id or name, with no other alias; clean cells (no full-width letters or digits, no Excel wrapping,
-- no blanks at the ends, no `¥`, `元` or `,` in amounts); no ID number inside another id, that would have to be masked;
-- no line break in a cell and no blank line; fields with none of the faults of quoting that are E101; no cell that a
-- spreadsheet would take for a formula. There is one policy version, no ledger, and neither SHA-256 nor a manifest.
-- Where SPEC leaves open how a thing is meant, the reading is named beside it.
--
-- Money is whole fen in BIGINT, ratios and scores are DECIMAL; nothing is DOUBLE.

-- ------------------------------------------------------------------ reading cells

-- Nothing but digits, so that '1e2', '1_000' and '+5', which a cast would take, are not numbers.
CREATE MACRO whole_number(cell) AS
    CASE WHEN regexp_full_match(cell, '[0-9]{1,9}') THEN CAST(cell AS BIGINT) END;

-- At most two decimals: a cast to DECIMAL(_, 2) alone would round 10.495 up to 10.50.
CREATE MACRO fen(cell) AS
    CASE WHEN cell IN ('0', '0.00') THEN 0
         WHEN regexp_full_match(cell, '[0-9]{1,12}(\.[0-9]{1,2})?')
         THEN CAST(CAST(cell AS DECIMAL(18, 2)) * 100 AS BIGINT) END;

-- The cast reads 2020-01-03 and 2020/1/3, each with or without a time, and refuses days the calendar lacks; the
-- other forms are tried only for what it refuses. Words that it would take ('epoch', 'infinity') sort behind 'A'.
CREATE MACRO day_of(cell) AS CAST(
    CASE WHEN TRY_CAST(cell AS TIMESTAMP) >= TIMESTAMP '1800-01-01'
              AND TRY_CAST(cell AS TIMESTAMP) < TIMESTAMP '3000-01-01' AND cell < 'A' THEN TRY_CAST(cell AS TIMESTAMP)
         ELSE try_strptime(cell, ['%Y%m%d', '%Y.%m.%d', '%Y年%m月%d日', '%Y%m%d %H:%M:%S', '%Y.%m.%d %H:%M:%S',
                                  '%Y年%m月%d日 %H:%M:%S']) END AS DATE);

-- CASE and not IN: see the note at the institutions.
CREATE MACRO yes_no(cell) AS
    CASE lower(cell) WHEN 'y' THEN true WHEN 'yes' THEN true WHEN 'true' THEN true WHEN '1' THEN true
                     WHEN '是' THEN true WHEN '有' THEN true
                     WHEN 'n' THEN false WHEN 'no' THEN false WHEN 'false' THEN false WHEN '0' THEN false
                     WHEN '否' THEN false WHEN '无' THEN false END;

-- The first 17 digits of an ID number stand for the person: the last character follows from them. 15 digits are
-- the old form, of the years 1900 to 1999. Of 18 characters it only says what number they would be: is_person looks
-- at them again, for less than a regular expression costs.
CREATE MACRO person_of(id) AS
    CASE WHEN strlen(id) = 18 THEN TRY_CAST(substring(id, 1, 17) AS BIGINT)
         WHEN regexp_full_match(id, '[0-9]{15}') THEN CAST(id[1:6] || '19' || id[7:15] AS BIGINT) END;

CREATE MACRO birth_of(person) AS
    TRY(make_date(person // 10000000 % 10000, person // 100000 % 100, person // 1000 % 100));

-- GB 11643: of the 17 digits the k-th from the right (k from 0) weighs 2^(k+1) mod 11. It is q(k) - 10 q(k+1) of the
-- quotients q(k) = person // 10^k, and -10 is 1 mod 11: so q(0) weighs 2, and q(k) 2^(k+1) + 2^k = 3 * 2^k mod 11.
-- Half the divisions of taking the digits one by one, and far quicker than seventeen pieces of text.
CREATE MACRO check_digit(person) AS substr('10X98765432', CAST(1 + (
      person * 2
    + person // 10 * 6 + person // 100 * 1 + person // 1000 * 2
    + person // 10000 * 4 + person // 100000 * 8 + person // 1000000 * 5
    + person // 10000000 * 10 + person // 100000000 * 9 + person // 1000000000 * 7
    + person // 10000000000 * 3 + person // 100000000000 * 6 + person // 1000000000000 * 1
    + person // 10000000000000 * 2 + person // 100000000000000 * 4 + person // 1000000000000000 * 8
    + person // 10000000000000000 * 5
    ) % 11 AS INTEGER), 1);

-- "Born after the row's own date is not real": the row's own date is signed_on, or swiped_at. An id that is what its
-- number would be written as has neither blanks nor signs in it; no number is written with leading zeros.
CREATE MACRO is_person(id, person, own_date) AS
    coalesce(birth_of(person) BETWEEN DATE '1800-01-01' AND own_date
             AND (strlen(id) = 15
                  OR CASE WHEN id < '1' THEN regexp_full_match(id, '[0-9]{17}[0-9X]') AND id[18] = check_digit(person)
                          ELSE id = concat(person, check_digit(person)) END), false);

-- As it is written today: with leading zeros, if it has any.
CREATE MACRO full_id(person) AS lpad(CAST(person AS VARCHAR), 17, '0') || check_digit(person);

-- What rejected.csv may show of an ID number.
CREATE MACRO masked(id) AS
    CASE WHEN length(id) <= 10 THEN repeat('*', length(id))
         ELSE left(id, 6) || repeat('*', length(id) - 10) || right(id, 4) END;

CREATE MACRO shortest(number) AS rtrim(rtrim(CAST(number AS VARCHAR), '0'), '.');

CREATE MACRO yuan(amount) AS CAST(amount * 0.01 AS DECIMAL(18, 2));

-- Reasons, as rejected.csv gives them.
CREATE MACRO about(name, cell) AS '`' || name || '` 的 `' || cell || '`';

CREATE MACRO not_whole(name, cell) AS about(name, cell) ||
    CASE WHEN regexp_full_match(cell, '-[0-9.]+') THEN ' 是负数'
         WHEN regexp_full_match(cell, '[0-9]+\.[0-9]+') THEN ' 不是整数' ELSE ' 不是可识别的数字' END;

CREATE MACRO not_fen(name, cell) AS about(name, cell) ||
    CASE WHEN regexp_full_match(cell, '-[0-9.]+') THEN ' 是负数'
         WHEN regexp_full_match(cell, '[0-9]+\.[0-9]{3,}') THEN ' 超过两位小数，金额只到分' ELSE ' 不是可识别的数字' END;

CREATE MACRO not_person(id, person, own_date) AS
    CASE WHEN length(id) NOT IN (15, 18) THEN '身份证号应为 18 位（旧证 15 位），实有 ' || length(id) || ' 位'
         WHEN NOT regexp_full_match(id, '[0-9]+X?') THEN '身份证号除末位可为 X 外应全为数字'
         WHEN birth_of(person) IS NULL OR birth_of(person) < DATE '1800-01-01' THEN '身份证号中的出生日期不存在'
         WHEN length(id) = 18 AND id[18] <> check_digit(person) THEN '身份证号的校验位不符，至少有一位录错'
         ELSE '身份证号中的出生日期晚于本行日期 ' || own_date END;

-- One byte a row instead of sixteen. A void row is counted and not settled: it has a code of its own, which is
-- none of SPEC's, so that every row without a code counts.
CREATE TYPE code AS ENUM ('E101', 'E102', 'E103', 'E104', 'E105', 'E106', 'E201', 'E301', 'E302', 'E303', 'E304', 'E305',
                          'E306', 'E401', 'E403', 'E405', 'E501', 'E502', 'E503', 'E506', 'E601', 'E602', 'E603', 'E604',
                          'E605', 'void');
CREATE TYPE package AS ENUM ('free', 'paid');

-- ------------------------------------------------------------------ the policy

CREATE TABLE kind AS
SELECT *, CAST(round(1500 * outpatient_ratio) AS SMALLINT) AS fund_fen
FROM (VALUES ('village_clinic', '村卫生室', 0.70), ('health_station', '社区卫生服务站', 0.70),
             ('township_center', '乡镇卫生院', 0.70), ('community_center', '社区卫生服务中心', 0.70))
     AS k(kind, name, outpatient_ratio);

-- By id or name, as the files have both; null for what the paid package does not hold.
CREATE MACRO item_name(item) AS
    CASE item WHEN 'consult' THEN '普通门诊诊察费' WHEN 'consult_elderly' THEN '普通门诊老年人诊察费'
              WHEN 'im_injection' THEN '肌肉注射' WHEN 'iv_injection' THEN '静脉注射' WHEN 'iv_infusion' THEN '静脉输液'
              WHEN 'referral' THEN '转诊转院' WHEN 'follow_up' THEN '病情随访'
              WHEN 'chronic_service' THEN '慢性病医保服务' WHEN 'record' THEN '建立医保服务档案'
              WHEN '普通门诊诊察费' THEN item WHEN '普通门诊老年人诊察费' THEN item WHEN '肌肉注射' THEN item
              WHEN '静脉注射' THEN item WHEN '静脉输液' THEN item WHEN '转诊转院' THEN item WHEN '病情随访' THEN item
              WHEN '慢性病医保服务' THEN item WHEN '建立医保服务档案' THEN item END;

-- ------------------------------------------------------------------ institutions

-- In every file, rows with too many or too few fields go to reject_errors, and rowid counts the others in the
-- order of the file. That holds only while nothing between the file and its table is a join: DuckDB keeps the order
-- through expressions and loses it through joins, and makes a join of a long IN list too. So the statements that
-- read a file look nothing up.
CREATE TABLE institution_row AS
SELECT institution_id, name, kind, district, parent_id, coalesce(yes_no(designated), true) AS designated,
       CAST(CASE WHEN institution_id IS NULL OR name IS NULL THEN 'E102'
                 WHEN designated IS NOT NULL AND yes_no(designated) IS NULL THEN 'E106' END AS code) AS code,
       CASE code WHEN 'E102' THEN '必填的 `' || CASE WHEN institution_id IS NULL THEN 'institution_id' ELSE 'name' END || '` 为空'
                 WHEN 'E106' THEN about('designated', designated) || ' 不在可填的词中' END AS reason
FROM read_csv('@DATA@/institutions.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
              store_rejects = true, rejects_limit = 0,
              columns = {'institution_id': 'VARCHAR', 'name': 'VARCHAR', 'kind': 'VARCHAR', 'district': 'VARCHAR',
                         'parent_id': 'VARCHAR', 'designated': 'VARCHAR'});

-- E306; an earlier row that was itself refused is not in the way.
CREATE TABLE first_institution AS
SELECT institution_id, min(rowid) AS row FROM institution_row WHERE code IS NULL GROUP BY institution_id;

UPDATE institution_row SET code = 'E306' WHERE code IS NULL AND rowid NOT IN (SELECT row FROM first_institution);

-- No kind, or one that is not the policy's: fund_fen is null, E303.
CREATE TABLE institution AS
SELECT i.institution_id, i.name, coalesce(k.kind, i.kind) AS kind, i.district, i.parent_id, i.designated, k.fund_fen
FROM institution_row i LEFT JOIN kind k ON i.kind IN (k.kind, k.name)
WHERE i.code IS NULL;

-- ------------------------------------------------------------------ signings

-- What is asked of every row stands in a step of its own: in the CASE that gives the codes it would be asked of
-- selected rows, which takes longer. `cells` is what rejected.csv needs as it was written, in one column that is null
-- for nearly all rows: several would each take their room.
CREATE TABLE signing AS
WITH cell AS (
    SELECT *, person_of(person_id) AS person,
           day_of(signed_on) AS signed_day, day_of(starts_on) AS starts_day, day_of(ended_on) AS ended_day,
           whole_number(term_months) AS months, fen(balance) AS balance_fen, fen(personal_paid) AS paid_fen,
           coalesce(yes_no(insured), true)
           -- A scheme that the policy does not know is one that it does not cover (E401).
           AND coalesce(scheme IN ('resident', '城乡居民'), true) AS is_covered,
           CAST(CASE WHEN package IN ('paid', '有偿服务包') THEN 'paid'
                     WHEN package IN ('free', '免费服务包') THEN 'free' END AS package) AS known_package
    FROM read_csv('@DATA@/signings.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                  store_rejects = true, rejects_limit = 0,
                  columns = {'contract_id': 'VARCHAR', 'person_id': 'VARCHAR', 'institution_id': 'VARCHAR',
                             'package': 'VARCHAR', 'signed_on': 'VARCHAR', 'starts_on': 'VARCHAR',
                             'term_months': 'VARCHAR', 'ended_on': 'VARCHAR', 'scheme': 'VARCHAR',
                             'insured': 'VARCHAR', 'balance': 'VARCHAR', 'personal_paid': 'VARCHAR',
                             'status': 'VARCHAR', 'name': 'VARCHAR'})
),
asked AS (
    SELECT *, is_person(person_id, person, signed_day) AS is_real FROM cell
),
coded AS (
    SELECT *,
           CAST(CASE WHEN contract_id IS NULL OR person_id IS NULL OR institution_id IS NULL OR package IS NULL
                          OR signed_on IS NULL THEN 'E102'
                     WHEN lower(status) IN ('void', '作废') THEN 'void'
                     WHEN signed_day IS NULL OR starts_on IS NOT NULL AND starts_day IS NULL
                          OR ended_on IS NOT NULL AND ended_day IS NULL THEN 'E103'
                     WHEN term_months IS NOT NULL AND months IS NULL OR balance IS NOT NULL AND balance_fen IS NULL
                          OR personal_paid IS NOT NULL AND paid_fen IS NULL THEN 'E104'
                     WHEN insured IS NOT NULL AND yes_no(insured) IS NULL
                          OR status IS NOT NULL AND lower(status) NOT IN ('valid', '有效') THEN 'E106'
                     WHEN NOT is_real THEN 'E201' END AS code) AS code
    FROM asked
)
SELECT contract_id, person, institution_id, known_package AS package, signed_day AS signed_on,
       coalesce(starts_day, signed_day) AS starts_on, ended_day AS ended_on, balance_fen, paid_fen,
       coalesce(months, 12) = 12 AS is_term, is_covered, code,
       -- No share is above the fee.
       CASE WHEN code IS NOT NULL OR known_package IS NULL OR NOT is_covered OR months <> 12 OR balance_fen < 1500
            THEN concat(person_id, chr(31), package, chr(31), signed_on, chr(31), starts_on, chr(31), ended_on, chr(31),
                        term_months, chr(31), scheme, chr(31), insured, chr(31), balance, chr(31), personal_paid, chr(31),
                        status) END AS cells
FROM coded;

-- The rest of the first table of codes. seq is the order of the file.
CREATE TABLE checked AS
SELECT s.rowid AS seq, s.contract_id, s.person, s.institution_id, s.package, s.signed_on, s.starts_on,
       -- Charges and swipes go by the day it really ended, overlaps by the whole signed term.
       least(CAST(s.starts_on + INTERVAL 12 MONTH AS DATE), s.ended_on) AS in_force_until,
       -- W702: what the resident paid, where that is less than the person's share.
       CASE WHEN s.package = 'paid' AND coalesce(s.paid_fen, 0) < 1500 - i.fund_fen
            THEN CAST(coalesce(s.paid_fen, 0) AS SMALLINT) END AS underpaid_fen,
       CASE WHEN s.code IS NOT NULL THEN s.code
            WHEN i.institution_id IS NULL THEN CAST('E301' AS code)
            WHEN NOT i.designated THEN 'E302'
            WHEN s.signed_on < DATE '2019-11-01' THEN 'E305'
            WHEN i.fund_fen IS NULL THEN 'E303'
            WHEN s.package IS NULL THEN 'E304'
            -- The policy is for the insured, so this holds for the free package too; only the paid one has a
            -- fund's share to set against the balance.
            WHEN NOT s.is_covered THEN 'E401'
            WHEN NOT s.is_term THEN 'E403'
            WHEN s.package = 'paid' AND s.balance_fen < i.fund_fen THEN 'E405' END AS code,
       s.cells
FROM signing s LEFT JOIN institution i USING (institution_id);
DROP TABLE signing;

-- E501. Few contract ids stand twice, so only those are put in order.
CREATE TABLE used AS
SELECT seq, CAST('E501' AS code) AS code, first_seq
FROM (
    SELECT seq, first(seq) OVER in_turn AS first_seq, row_number() OVER in_turn AS n
    FROM checked
    WHERE code IS NULL AND contract_id IN (
        SELECT contract_id FROM checked WHERE code IS NULL GROUP BY ALL HAVING count(*) > 1)
    WINDOW in_turn AS (PARTITION BY contract_id ORDER BY starts_on, signed_on, seq)
)
WHERE n > 1;

UPDATE checked SET code = u.code FROM used u WHERE checked.seq = u.seq;

-- E502 and E503: the earliest valid signing wins. A refused row blocks nobody, so each row needs to know what
-- became of those before it: one step of the recursion for the n-th row of all people who have several. Admitted
-- terms do not overlap, so the last one admitted is all there is to remember.
-- A signing that ended before it began is in force on no day and overlaps nothing, even by its signed term.
CREATE TABLE overlap AS
WITH RECURSIVE
ranked AS MATERIALIZED (
    SELECT seq, person, institution_id, starts_on, CAST(starts_on + INTERVAL 12 MONTH AS DATE) AS term_end,
           row_number() OVER (PARTITION BY person ORDER BY starts_on, signed_on, contract_id, seq) AS n
    FROM checked
    WHERE code IS NULL AND package = 'paid' AND starts_on < in_force_until
      AND person IN (SELECT person FROM checked WHERE code IS NULL AND package = 'paid'
                     GROUP BY ALL HAVING count(*) > 1)
),
walk AS (
    SELECT seq, person, n, false AS is_refused, seq AS held_seq, institution_id AS held_at, institution_id AS asked_at,
           term_end AS held_until
    FROM ranked WHERE n = 1
    UNION ALL
    SELECT r.seq, r.person, r.n, r.starts_on < w.held_until,
           CASE WHEN r.starts_on < w.held_until THEN w.held_seq ELSE r.seq END,
           CASE WHEN r.starts_on < w.held_until THEN w.held_at ELSE r.institution_id END,
           r.institution_id,
           CASE WHEN r.starts_on < w.held_until THEN w.held_until ELSE r.term_end END
    FROM walk w JOIN ranked r ON r.person = w.person AND r.n = w.n + 1
)
SELECT seq, CAST(CASE WHEN asked_at = held_at THEN 'E502' ELSE 'E503' END AS code) AS code, held_seq AS first_seq
FROM walk WHERE is_refused;

UPDATE checked SET code = o.code FROM overlap o WHERE checked.seq = o.seq;

-- ------------------------------------------------------------------ swipes

-- `cells` as above, and where something was charged: for W701.
CREATE TABLE swipe AS
WITH cell AS (
    SELECT *, person_of(person_id) AS person, day_of(swiped_at) AS day, fen(charged) AS charged_fen
    FROM read_csv('@DATA@/swipes.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                  store_rejects = true, rejects_limit = 0,
                  columns = {'person_id': 'VARCHAR', 'institution_id': 'VARCHAR', 'swiped_at': 'VARCHAR',
                             'swipe_id': 'VARCHAR', 'item': 'VARCHAR', 'quantity': 'VARCHAR', 'charged': 'VARCHAR',
                             'card_type': 'VARCHAR'})
),
asked AS (
    SELECT *, is_person(person_id, person, day) AS is_real FROM cell
),
coded AS (
    SELECT *,
           CAST(CASE WHEN person_id IS NULL OR institution_id IS NULL OR swiped_at IS NULL THEN 'E102'
                     WHEN day IS NULL THEN 'E103'
                     -- Nearly all are 1.
                     WHEN quantity <> '1' AND whole_number(quantity) IS NULL
                          OR charged IS NOT NULL AND charged_fen IS NULL THEN 'E104'
                     WHEN NOT is_real THEN 'E201' END AS code) AS code
    FROM asked
)
SELECT person, institution_id, day, swipe_id, code,
       CASE WHEN code IS NOT NULL OR charged_fen > 0
            THEN concat(person_id, chr(31), swiped_at, chr(31), quantity, chr(31), charged, chr(31), item) END AS cells
FROM coded;

UPDATE swipe SET code = 'E301'
WHERE code IS NULL AND institution_id NOT IN (SELECT institution_id FROM institution);

-- E506. The hashes are half the size of the ids; two ids with one hash do no harm, as the ids decide below.
CREATE TABLE repeated AS
SELECT row, first_row
FROM (
    SELECT rowid AS row, min(rowid) OVER (PARTITION BY swipe_id) AS first_row FROM swipe
    WHERE code IS NULL AND hash(swipe_id) IN (
        SELECT hash(swipe_id) FROM swipe WHERE code IS NULL AND swipe_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1)
)
WHERE row > first_row;

UPDATE swipe SET code = 'E506' WHERE rowid IN (SELECT row FROM repeated);

-- W701 and W703, and no other swipe: nearly all are at the institution that was signed with, without a charge. At
-- most one paid signing of a person is in force on a day, so no swipe is met twice.
CREATE TABLE swipe_flag AS
WITH met AS (
    SELECT s.rowid AS row, s.person, s.day, s.institution_id AS swiped_at, s.cells, c.contract_id, c.institution_id
    FROM swipe s
    JOIN checked c ON c.person = s.person AND s.day >= c.starts_on AND s.day < c.in_force_until
                      AND (s.cells IS NOT NULL OR s.institution_id <> c.institution_id)
    WHERE s.code IS NULL AND s.day BETWEEN DATE '2020-01-01' AND DATE '2020-03-31'
      AND c.code IS NULL AND c.package = 'paid'
)
SELECT 'W701' AS code, institution_id, contract_id, person, row,
       '包内项目 `' || item_name(split_part(cells, chr(31), 5)) || '` 单独收费 '
                 || yuan(fen(split_part(cells, chr(31), 4))) || ' 元' AS detail
FROM met WHERE swiped_at = institution_id AND detail IS NOT NULL
UNION ALL
SELECT 'W703', institution_id, contract_id, person, row, '在非签约机构 `' || swiped_at || '` 刷卡'
FROM met
-- Who has a free signing in force where he swiped, swiped at an institution that he signed with. (A join, as of
-- NOT EXISTS DuckDB would put all free signings into a hash table; so it is the few rows of met.)
WHERE swiped_at <> institution_id AND row NOT IN (
    SELECT m.row
    FROM met m JOIN checked f ON f.person = m.person AND f.institution_id = m.swiped_at
                                 AND m.day >= f.starts_on AND m.day < f.in_force_until
    WHERE f.package = 'free' AND f.code IS NULL);

-- ------------------------------------------------------------------ scores and payments

CREATE TABLE score_row AS
WITH cell AS (
    SELECT *, CASE WHEN regexp_full_match(score, '[0-9]{1,3}(\.[0-9]{1,6})?') THEN CAST(score AS DECIMAL(9, 6)) END
              AS points,
           day_of(assessed_on) AS assessed
    FROM read_csv('@DATA@/scores.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                  store_rejects = true, rejects_limit = 0,
                  columns = {'institution_id': 'VARCHAR', 'period': 'VARCHAR', 'score': 'VARCHAR',
                             'assessed_on': 'VARCHAR'})
)
SELECT institution_id, period, points, assessed,
       CAST(CASE WHEN institution_id IS NULL OR period IS NULL OR score IS NULL THEN 'E102'
                 WHEN assessed_on IS NOT NULL AND assessed IS NULL THEN 'E103'
                 WHEN points IS NULL THEN 'E104' END AS code) AS code,
       CASE code WHEN 'E102' THEN '必填的 `' || CASE WHEN institution_id IS NULL THEN 'institution_id'
                                                   WHEN period IS NULL THEN 'period' ELSE 'score' END || '` 为空'
                 WHEN 'E103' THEN about('assessed_on', assessed_on) || ' 不是可识别的日期'
                 WHEN 'E104' THEN about('score', score) || ' 不是可识别的数字' END AS reason
FROM cell;

UPDATE score_row
SET code = CASE WHEN institution_id NOT IN (SELECT institution_id FROM institution) THEN 'E301'
                WHEN points > 100 THEN 'E601'
                WHEN NOT regexp_full_match(period, '[0-9]{4}Q[1-4]') THEN 'E602' END
WHERE code IS NULL;

-- For each assessment what its rows say: one score; or several, of which the one that was assessed last holds if
-- every row has its day and those of the last day agree; else none (E603). The same score twice is one, of the
-- earlier day.
CREATE TABLE assessment AS
SELECT institution_id, period, count(DISTINCT points) > 1 AS differ,
       differ AND (count(*) > count(assessed) OR count(DISTINCT points) FILTER (assessed = last_day) > 1) AS clash,
       CASE WHEN differ THEN any_value(points) FILTER (assessed = last_day) ELSE any_value(points) END AS points,
       CASE WHEN differ THEN any_value(last_day) ELSE min(assessed) END AS assessed,
       min(row) FILTER (assessed = last_day) AS row
FROM (SELECT rowid AS row, *, max(assessed) OVER (PARTITION BY institution_id, period) AS last_day
      FROM score_row WHERE code IS NULL)
GROUP BY institution_id, period;

UPDATE score_row SET code = 'E603'
FROM assessment a
WHERE score_row.code IS NULL AND a.clash
  AND score_row.institution_id = a.institution_id AND score_row.period = a.period;

CREATE TABLE score AS
SELECT institution_id, points, assessed,
       CASE WHEN points >= 90 THEN 1.00 WHEN points < 60 THEN 0.00 ELSE 1 - 0.02 * (90 - points) END AS ratio
FROM assessment WHERE period = '2020Q1' AND NOT clash;

-- SPEC lists no codes for payments; they are checked as the other files are. An empty package is the one that charges.
CREATE TABLE payment_row AS
SELECT institution_id, cohort, source, package, fen(amount) AS fen,
       CAST(CASE WHEN institution_id IS NULL OR cohort IS NULL OR source IS NULL OR amount IS NULL THEN 'E102'
                 WHEN fen(amount) IS NULL THEN 'E104' END AS code) AS code,
       CASE code WHEN 'E102' THEN '必填的值为空' WHEN 'E104' THEN about('amount', amount) || ' 不是可识别的数字' END AS reason
FROM read_csv('@DATA@/payments.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
              store_rejects = true, rejects_limit = 0,
              columns = {'institution_id': 'VARCHAR', 'cohort': 'VARCHAR', 'source': 'VARCHAR', 'amount': 'VARCHAR',
                         'package': 'VARCHAR'});

UPDATE payment_row
SET code = CASE WHEN institution_id NOT IN (SELECT institution_id FROM institution) THEN 'E301'
                WHEN NOT regexp_full_match(cohort, '[0-9]{4}Q[1-4]') THEN 'E602'
                WHEN source NOT IN ('resident_fund', '城乡居民医保基金') THEN 'E604'
                WHEN package NOT IN ('paid', '有偿服务包') THEN 'E304' END
WHERE code IS NULL;

-- ------------------------------------------------------------------ rows that no table has

-- One such row may stand in reject_errors once for each surplus field. n counts them by file, so that of the rows
-- that their file's table has, rows_before stand before one.
CREATE TABLE unread AS
SELECT *, row_number() OVER (PARTITION BY file ORDER BY line) AS n, line - 1 - n AS rows_before
FROM (
    SELECT parse_filename(s.file_path) AS file, e.line,
           CAST(min(CASE WHEN e.error_type = 'INVALID ENCODING' THEN 'E105' ELSE 'E101' END) AS code) AS code,
           any_value(string_split(e.csv_line, ',')) AS cells,
           max(CAST(nullif(regexp_extract(e.error_message, 'Found: ([0-9]+)', 1), '') AS INTEGER)) AS found,
           any_value(nullif(regexp_extract(e.error_message, 'Columns: ([0-9]+)', 1), '')) AS wanted
    FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id)
    GROUP BY ALL
);

-- What is to be added to a rowid for its line: the header, as rows count from 0, and the rows that no table has. No
-- cell of `jiayi sample` has a line break in it, and no line is blank.
CREATE TABLE shift AS
SELECT file, rows_before AS from_row, 2 + max(n) AS lines FROM unread GROUP BY file, rows_before
UNION ALL
SELECT file, -1, 2
FROM (VALUES ('institutions.csv'), ('signings.csv'), ('swipes.csv'), ('scores.csv'), ('payments.csv')) AS f(file);

-- ------------------------------------------------------------------ lines

-- One pass for all that is counted of signings. The charge of a signing starts with it (one contract year), so its
-- day decides the cohort; a charge that starts on or after ended_on is none.
CREATE TABLE head AS
SELECT institution_id, count(*) AS signings, count(code) FILTER (code <> 'void') AS refused,
       count(*) FILTER (code = 'void') AS void,
       count(*) FILTER (code IS NULL AND package = 'paid' AND starts_on < in_force_until
                        AND starts_on BETWEEN DATE '2020-01-01' AND DATE '2020-03-31') AS charges,
       count(*) FILTER (code IS NULL AND package = 'free' AND starts_on <= DATE '2020-03-31'
                        AND in_force_until > DATE '2020-03-31') AS free
FROM checked GROUP BY institution_id;

-- A line also stands where something was posted and no charge is left: that is due back. Source `individual` is
-- shown and not settled.
CREATE TABLE line AS
WITH charge AS (
    SELECT institution_id, charges AS count, charges * fund_fen AS fund, charges * (1500 - fund_fen) AS individual
    FROM head JOIN institution USING (institution_id) WHERE charges > 0
),
payment AS (
    SELECT institution_id, 'resident_fund' AS source, sum(fen) AS posted
    FROM payment_row WHERE code IS NULL AND cohort = '2020Q1' GROUP BY institution_id HAVING posted > 0
),
gross AS (
    SELECT institution_id, source, coalesce(count, 0) AS count, CAST(coalesce(fen, 0) AS BIGINT) AS gross,
           CAST(coalesce(posted, 0) AS BIGINT) AS posted
    FROM (SELECT institution_id, 'resident_fund' AS source, count, fund AS fen FROM charge
          UNION ALL SELECT institution_id, 'individual', count, individual FROM charge)
    FULL JOIN payment USING (institution_id, source)
),
-- round() of a DECIMAL is half up for what is not negative.
due AS (
    SELECT g.*, source = 'resident_fund' AS is_settled, s.points, s.ratio,
           CASE WHEN source = 'resident_fund' THEN CAST(round(gross * 0.5) AS BIGINT) ELSE 0 END AS prepay,
           CAST(round(gross * s.ratio) AS BIGINT) AS final
    FROM gross g LEFT JOIN score s ON s.institution_id = g.institution_id AND g.source = 'resident_fund'
)
SELECT due.*, i.name, i.district, i.parent_id,
       CASE WHEN is_settled THEN greatest(coalesce(final, prepay) - posted, 0) ELSE 0 END AS payable,
       CASE WHEN is_settled THEN greatest(posted - coalesce(final, prepay), 0) ELSE 0 END AS recover
FROM due JOIN institution i USING (institution_id);

COPY (
    SELECT '2020Q1' AS cohort, institution_id, name AS institution_name, district, parent_id, 'paid' AS package,
           source, 'urumqi/2019-11-01' AS policy, count, 0 AS held, yuan(gross) AS gross,
           CASE WHEN final IS NOT NULL THEN 0.00 END AS deduction,
           CASE WHEN is_settled THEN '0.5' END AS prepay_ratio, yuan(prepay) AS prepay, shortest(points) AS score,
           shortest(ratio) AS ratio, yuan(final) AS final, yuan(posted) AS posted, yuan(payable) AS payable,
           yuan(recover) AS recover
    FROM line ORDER BY institution_id, source
) TO '@OUT@/settlement.csv' (HEADER);

-- ------------------------------------------------------------------ beside the lines

-- Rows that do not decode are their institution's as well.
COPY (
    SELECT i.institution_id, i.name AS institution_name, i.kind, i.district, i.parent_id,
           coalesce(h.signings, 0) + coalesce(u.count, 0) AS signings,
           coalesce(h.refused, 0) + coalesce(u.count, 0) AS rejected, coalesce(h.void, 0) AS void,
           coalesce(h.charges, 0) AS admitted, 0 AS held, shortest(l.points) AS score, NULL AS grade,
           yuan(coalesce(l.gross, 0)) AS gross, yuan(coalesce(l.prepay, 0)) AS prepay, yuan(l.final) AS final,
           yuan(coalesce(l.posted, 0)) AS posted, yuan(coalesce(l.payable, 0)) AS payable,
           yuan(coalesce(l.recover, 0)) AS recover, NULL AS renew
    FROM institution i
    LEFT JOIN head h USING (institution_id)
    LEFT JOIN (SELECT cells[3] AS institution_id, count(*) AS count FROM unread
               WHERE file = 'signings.csv' AND code = 'E105' GROUP BY ALL) u USING (institution_id)
    LEFT JOIN (FROM line WHERE is_settled) l USING (institution_id)
    ORDER BY institution_id
) TO '@OUT@/summary.csv' (HEADER);

COPY (
    WITH back AS (
        SELECT *, greatest(prepay - final, 0) AS shortfall FROM line WHERE recover > 0 OR final < prepay
    )
    SELECT '2020Q1' AS cohort, institution_id, name AS institution_name, 'paid' AS package, source, count,
           yuan(prepay) AS prepay, shortest(points) AS score, shortest(ratio) AS ratio, yuan(final) AS final,
           yuan(coalesce(shortfall, 0)) AS shortfall, yuan(posted) AS posted, yuan(recover) AS recover,
           yuan(greatest(coalesce(shortfall, 0) - recover, 0)) AS withheld,
           CASE WHEN points < 60 AND gross > 0 THEN 'failed'
                WHEN shortfall > 0 THEN 'prepaid_exceeds_earned' ELSE 'correction' END AS reason, '四(四)' AS clause
    FROM back ORDER BY institution_id, source
) TO '@OUT@/clawback.csv' (HEADER);

-- Without a ledger nobody knows for which rows something was posted: from that to the prepayment is one step, from
-- there to what the score makes of it the other.
COPY (
    SELECT '2020Q1' AS cohort, institution_id, name AS institution_name, 'paid' AS package, source,
           'urumqi/2019-11-01' AS policy, cause, 0 AS count, 0.00 AS gross, yuan(amount) AS amount
    FROM (SELECT *, unnest(['earlier_posting', 'score']) AS cause, unnest([prepay - posted, final - prepay]) AS amount
          FROM line WHERE posted > 0)
    WHERE amount <> 0
    ORDER BY institution_id, source, cause
) TO '@OUT@/delta.csv' (HEADER);

COPY (
    SELECT institution_id, figure, value, clause
    FROM (
        SELECT institution_id, 'free_signings' AS figure, CAST(CAST(sum(free) AS BIGINT) AS VARCHAR) AS value,
               '一(一)' AS clause
        FROM head SEMI JOIN institution USING (institution_id)
        GROUP BY ROLLUP (institution_id) HAVING sum(free) > 0 OR institution_id IS NULL
        UNION ALL
        SELECT institution_id, 'individual_share', CAST(yuan(sum(gross)) AS VARCHAR), '二(四)'
        FROM line WHERE source = 'individual' GROUP BY ROLLUP (institution_id)
    )
    ORDER BY institution_id NULLS FIRST, figure
) TO '@OUT@/figures.csv' (HEADER);

-- ------------------------------------------------------------------ flags

-- W704 is for who was signed after the cohort's last day and after its assessment.
CREATE TABLE flag AS
SELECT code, institution_id, contract_id, person, 'swipes.csv' AS file, row, detail FROM swipe_flag
UNION ALL
SELECT CASE WHEN is_late THEN 'W704' ELSE 'W702' END, institution_id, contract_id, person, 'signings.csv', seq,
       CASE WHEN is_late THEN '签约时 2020Q1 批次已于 ' || assessed || ' 考核，属迟报'
            ELSE '个人缴费 ' || yuan(underpaid_fen) || ' 元，低于个人应承担的 ' || yuan(1500 - fund_fen) || ' 元' END
FROM (
    SELECT c.*, s.assessed, i.fund_fen,
           unnest([CASE WHEN underpaid_fen IS NOT NULL THEN false END,
                   CASE WHEN signed_on > DATE '2020-03-31' AND signed_on > assessed THEN true END]) AS is_late
    FROM (FROM checked
          WHERE code IS NULL AND package = 'paid' AND starts_on < in_force_until
            AND starts_on BETWEEN DATE '2020-01-01' AND DATE '2020-03-31'
            AND (underpaid_fen IS NOT NULL OR signed_on > DATE '2020-03-31')) c
    JOIN institution i USING (institution_id)
    LEFT JOIN score s USING (institution_id)
)
WHERE is_late IS NOT NULL
UNION ALL
SELECT 'W706', institution_id, NULL, NULL, NULL, NULL, '2020Q1 批次其他机构已有考核得分（层级 `区县`），本机构没有，未清算'
FROM line
WHERE is_settled AND count > 0 AND points IS NULL AND EXISTS (FROM line WHERE points IS NOT NULL)
UNION ALL
SELECT 'W710', institution_id, NULL, NULL, 'scores.csv', r.rowid,
       '得分 ' || shortest(r.points) || ' 已由 scores.csv:' || a.row + s.lines || ' 的 ' || shortest(a.points) || ' 取代'
FROM score_row r JOIN assessment a USING (institution_id, period)
ASOF JOIN (FROM shift WHERE file = 'scores.csv') s ON a.row >= s.from_row
WHERE r.code IS NULL AND a.differ AND r.points <> a.points;

COPY (
    SELECT f.code, f.institution_id, f.contract_id,
           masked(full_id(f.person)) AS person_id, f.file, f.row + s.lines AS line,
           f.detail,
           CASE f.code WHEN 'W701' THEN '二(三)' WHEN 'W702' THEN '三(一)、四(三)' WHEN 'W703' THEN '三(二)'
                       ELSE '四(四)' END AS clause
    FROM flag f ASOF LEFT JOIN shift s ON s.file = f.file AND f.row >= s.from_row
    ORDER BY f.code, f.institution_id, f.contract_id NULLS FIRST, f.file, line
) TO '@OUT@/flags.csv' (HEADER);

-- ------------------------------------------------------------------ what was refused

-- chr(31) stands for the place of the row to which other_row points.
CREATE TABLE reject AS
SELECT 'institutions.csv' AS file, r.rowid AS row, NULL AS contract_id, NULL AS person_id, r.institution_id, r.code,
       CASE WHEN r.code = 'E306' THEN '机构编码 `' || r.institution_id || '` 已在 ' || chr(31) || ' 出现'
            ELSE r.reason END AS reason,
       f.row AS other_row
FROM institution_row r LEFT JOIN first_institution f ON r.code = 'E306' AND r.institution_id = f.institution_id
WHERE r.code IS NOT NULL
UNION ALL
SELECT 'signings.csv', c.seq, c.contract_id, masked(coalesce(nullif(c.cell[1], ''), full_id(c.person))), c.institution_id, c.code,
       CASE c.code
           WHEN 'E102' THEN '必填的 `' || CASE WHEN c.contract_id IS NULL THEN 'contract_id' WHEN c.cell[1] = '' THEN 'person_id'
                                             WHEN c.institution_id IS NULL THEN 'institution_id'
                                             WHEN c.cell[2] = '' THEN 'package' ELSE 'signed_on' END || '` 为空'
           WHEN 'E103' THEN CASE WHEN day_of(c.cell[3]) IS NULL THEN about('signed_on', c.cell[3])
                                 WHEN c.cell[4] <> '' AND day_of(c.cell[4]) IS NULL THEN about('starts_on', c.cell[4])
                                 ELSE about('ended_on', c.cell[5]) END || ' 不是可识别的日期'
           WHEN 'E104' THEN CASE WHEN c.cell[6] <> '' AND whole_number(c.cell[6]) IS NULL
                                 THEN not_whole('term_months', c.cell[6])
                                 WHEN c.cell[9] <> '' AND fen(c.cell[9]) IS NULL THEN not_fen('balance', c.cell[9])
                                 ELSE not_fen('personal_paid', c.cell[10]) END
           WHEN 'E106' THEN CASE WHEN c.cell[8] <> '' AND yes_no(c.cell[8]) IS NULL
                                 THEN about('insured', c.cell[8])
                                      || ' 不在可填的词中（y/n, yes/no, true/false, 1/0, 是/否, 有/无）'
                                 ELSE about('status', c.cell[11]) || ' 不在可填的词中（valid, void, 有效, 作废）' END
           WHEN 'E201' THEN not_person(c.cell[1], c.person, c.signed_on)
           WHEN 'E301' THEN '机构 `' || c.institution_id || '` 不在机构表中'
           WHEN 'E302' THEN '机构 `' || c.institution_id || '` 不是定点机构'
           WHEN 'E303' THEN coalesce('`' || i.kind || '` 类机构不在可签约的机构之列',
                                     '机构表中没有填写该机构的类别，无法确定能否签约')
           WHEN 'E304' THEN '政策中没有服务包 `' || c.cell[2] || '`'
           WHEN 'E305' THEN '签约日期 ' || c.signed_on || ' 没有有效的政策，政策自 2019-11-01 起执行'
           WHEN 'E401' THEN CASE WHEN yes_no(c.cell[8]) = false THEN '未参保' ELSE '险种 `' || c.cell[7] || '` 不在保障范围内' END
           WHEN 'E403' THEN '签约期限 ' || c.cell[6] || ' 个月不在可签的期限中（12）'
           WHEN 'E405' THEN '门诊统筹余额 ' || yuan(fen(c.cell[9])) || ' 元低于基金承担的 ' || yuan(i.fund_fen) || ' 元'
           WHEN 'E501' THEN '协议编号 `' || c.contract_id || '` 已在 ' || chr(31) || ' 使用'
           ELSE '与 ' || chr(31) || ' 的协议 `' || f.contract_id || '`（' || g.name || '，' || f.starts_on || ' 起，至 '
                || CAST(f.starts_on + INTERVAL 12 MONTH AS DATE) || ' 前）重叠' END,
       o.first_seq
FROM (SELECT *, string_split(cells, chr(31)) AS cell FROM checked WHERE code IS NOT NULL AND code <> 'void') c
LEFT JOIN institution i USING (institution_id)
LEFT JOIN (FROM used UNION ALL FROM overlap) o ON o.seq = c.seq
LEFT JOIN checked f ON f.seq = o.first_seq
LEFT JOIN institution g ON g.institution_id = f.institution_id
UNION ALL
SELECT 'swipes.csv', s.row, NULL, masked(coalesce(nullif(s.cell[1], ''), full_id(s.person))), s.institution_id, s.code,
       CASE s.code
           WHEN 'E102' THEN '必填的 `' || CASE WHEN s.cell[1] = '' THEN 'person_id'
                                             WHEN s.institution_id IS NULL THEN 'institution_id' ELSE 'swiped_at' END
                            || '` 为空'
           WHEN 'E103' THEN about('swiped_at', s.cell[2]) || ' 不是可识别的日期'
           WHEN 'E104' THEN CASE WHEN s.cell[3] <> '' AND whole_number(s.cell[3]) IS NULL
                                 THEN not_whole('quantity', s.cell[3]) ELSE not_fen('charged', s.cell[4]) END
           WHEN 'E201' THEN not_person(s.cell[1], s.person, s.day)
           WHEN 'E301' THEN '机构 `' || s.institution_id || '` 不在机构表中'
           ELSE '流水号已在 ' || chr(31) || ' 出现' END,
       r.first_row
FROM (SELECT rowid AS row, *, string_split(cells, chr(31)) AS cell FROM swipe WHERE code IS NOT NULL) s
LEFT JOIN repeated r USING (row)
UNION ALL
SELECT 'scores.csv', r.rowid, NULL, NULL, r.institution_id, r.code,
       CASE r.code WHEN 'E301' THEN '机构 `' || r.institution_id || '` 不在机构表中'
                   WHEN 'E601' THEN '得分 `' || shortest(r.points) || '` 不在 0 至 100 之间'
                   WHEN 'E602' THEN '考核周期 `' || r.period || '` 不是区县级考核的周期（应如 2020Q1）'
                   WHEN 'E603' THEN '同一机构、周期和层级有不同得分：' || shortest(r.points) || ' 与 ' || chr(31)
                                    || ' 的 ' || shortest(o.points) || '，考核日期不能确定以哪个为准'
                   ELSE r.reason END,
       o.row
FROM score_row r
LEFT JOIN LATERAL (
    SELECT min(rowid) AS row, arg_min(points, rowid) AS points FROM score_row o
    WHERE r.code = 'E603' AND o.code = 'E603' AND o.institution_id = r.institution_id AND o.period = r.period
      AND o.points <> r.points) o ON true
WHERE r.code IS NOT NULL
UNION ALL
SELECT 'payments.csv', rowid, NULL, NULL, institution_id, code,
       CASE code WHEN 'E301' THEN '机构 `' || institution_id || '` 不在机构表中'
                 WHEN 'E602' THEN '批次 `' || cohort || '` 不是结算周期（应如 2020Q1）'
                 WHEN 'E604' THEN '`' || source || '` 不是由本政策结算的资金来源'
                 WHEN 'E304' THEN '政策中没有服务包 `' || package || '`' ELSE reason END,
       NULL
FROM payment_row
WHERE code IS NOT NULL;

COPY (
    SELECT file, line, split_part(file, '.', 1) AS kind, contract_id, person_id, institution_id, code, reason,
           CASE code WHEN 'E302' THEN '二(一)' WHEN 'E303' THEN '二(一)' WHEN 'E304' THEN '五' WHEN 'E305' THEN '五'
                     WHEN 'E401' THEN '二(一)' WHEN 'E403' THEN '三(二)' WHEN 'E405' THEN '三(一)'
                     WHEN 'E502' THEN '三(二)、二(二)' WHEN 'E503' THEN '三(二)、二(二)' WHEN 'E602' THEN '四(四)' END AS clause
    FROM (
        SELECT r.* EXCLUDE (reason, row), r.row + s.lines AS line,
               CASE WHEN other_row IS NULL THEN reason
                    ELSE replace(reason, chr(31), r.file || ':' || r.other_row + o.lines) END AS reason
        FROM reject r
        ASOF LEFT JOIN shift s ON s.file = r.file AND r.row >= s.from_row
        ASOF LEFT JOIN shift o ON o.file = r.file AND r.other_row >= o.from_row
        UNION ALL BY NAME
        SELECT file, line, code,
               CASE WHEN code = 'E105' THEN '有不属于文件编码的字节'
                    ELSE coalesce('本行有 ' || found || ' 个字段，表头有 ' || wanted || ' 个', '本行已损坏') END AS reason,
               -- As far as commas alone tell: of rows that do not decode the first cells are ids.
               CASE WHEN code = 'E105' AND file = 'signings.csv' THEN cells[1] END AS contract_id,
               CASE WHEN code = 'E105' THEN masked(CASE file WHEN 'signings.csv' THEN cells[2]
                                                             WHEN 'swipes.csv' THEN cells[1] END) END AS person_id,
               CASE WHEN code = 'E105' THEN CASE file WHEN 'signings.csv' THEN cells[3] WHEN 'swipes.csv' THEN cells[2]
                                                      ELSE cells[1] END END AS institution_id
        FROM unread
    )
    ORDER BY file, line
) TO '@OUT@/rejected.csv' (HEADER);

-- ------------------------------------------------------------------ counts and sums of the manifest

COPY (
    SELECT source, CAST(sum(count) AS BIGINT) AS count, yuan(sum(gross)) AS gross, yuan(sum(prepay)) AS prepay,
           yuan(sum(final)) AS final, yuan(sum(posted)) AS posted, yuan(sum(payable)) AS payable,
           yuan(sum(recover)) AS recover
    FROM line GROUP BY source ORDER BY source
) TO '@OUT@/totals.csv' (HEADER);

COPY (
    SELECT code, count(*) AS count
    FROM (SELECT CAST(code AS VARCHAR) AS code FROM reject UNION ALL SELECT code FROM unread UNION ALL SELECT code FROM flag)
    GROUP BY ALL ORDER BY ALL
) TO '@OUT@/codes.csv' (HEADER);
