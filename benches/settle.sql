-- The settlement of Urumqi's 2020Q1 (SPEC §2–§5, 乌医保〔2019〕62号) in DuckDB: what a good SQL engineer
-- would run instead of jiayi, to have something to measure jiayi against and to check its sums with.
--
-- run.py puts the folder of the input in place of @DATA@, that of the output in place of @OUT@, and runs it.
--
-- It is for the UTF-8 files that `jiayi sample --region urumqi` writes, and does less than the program for them: columns have a
-- fixed order and English names, cells are taken as clean (no full-width digits, no Excel wrapping, no blanks at
-- the ends), there is one policy version, no ledger, no sheet, and of the flags only W701 and W703. Where SPEC
-- leaves open how a thing is meant, the reading is named beside it.
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
-- the old form, of the years 1900 to 1999.
CREATE MACRO person_of(id) AS
    CASE WHEN regexp_full_match(id, '[0-9]{17}[0-9X]') THEN CAST(id[1:17] AS BIGINT)
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

-- "Born after the row's own date is not real": the row's own date is signed_on, or swiped_at.
CREATE MACRO is_person(id, person, own_date) AS
    coalesce(birth_of(person) BETWEEN DATE '1800-01-01' AND own_date
             AND (length(id) = 15 OR id[18] = check_digit(person)), false);

-- What rejected.csv may show of an ID number.
CREATE MACRO masked(id) AS
    CASE WHEN length(id) <= 10 THEN repeat('*', length(id))
         ELSE left(id, 6) || repeat('*', length(id) - 10) || right(id, 4) END;

CREATE MACRO shortest(number) AS rtrim(rtrim(CAST(number AS VARCHAR), '0'), '.');

-- One byte a row instead of sixteen.
CREATE TYPE code AS ENUM ('E101', 'E102', 'E103', 'E104', 'E105', 'E106', 'E201', 'E301', 'E302', 'E303', 'E304', 'E305',
                          'E306', 'E401', 'E403', 'E405', 'E501', 'E502', 'E503', 'E506', 'E601', 'E602', 'E603');

-- ------------------------------------------------------------------ the policy

CREATE TABLE kind AS
SELECT *, CAST(round(1500 * outpatient_ratio) AS BIGINT) AS fund_fen
FROM (VALUES ('village_clinic', '村卫生室', 0.70), ('health_station', '社区卫生服务站', 0.70),
             ('township_center', '乡镇卫生院', 0.70), ('community_center', '社区卫生服务中心', 0.70))
     AS k(kind, name, outpatient_ratio);

-- ------------------------------------------------------------------ institutions

-- In every file, rows with too many or too few fields go to reject_errors, and rowid counts the others in the
-- order of the file. That holds only while nothing between the file and its table is a join: DuckDB keeps the order
-- through expressions and loses it through joins, and makes a join of a long IN list too. So the statements that
-- read a file look nothing up.
CREATE TABLE institution_row AS
SELECT institution_id, name, kind, district, parent_id, coalesce(yes_no(designated), true) AS designated,
       CAST(CASE WHEN institution_id IS NULL OR name IS NULL THEN 'E102'
                 WHEN designated IS NOT NULL AND yes_no(designated) IS NULL THEN 'E106' END AS code) AS code
FROM read_csv('@DATA@/institutions.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
              store_rejects = true, rejects_limit = 0,
              columns = {'institution_id': 'VARCHAR', 'name': 'VARCHAR', 'kind': 'VARCHAR', 'district': 'VARCHAR',
                         'parent_id': 'VARCHAR', 'designated': 'VARCHAR'});

-- E306; an earlier row that was itself refused is not in the way.
UPDATE institution_row SET code = 'E306'
WHERE code IS NULL
  AND rowid NOT IN (SELECT min(rowid) FROM institution_row WHERE code IS NULL GROUP BY institution_id);

-- No kind, or one that is not the policy's: fund_fen is null, E303.
CREATE TABLE institution AS
SELECT i.institution_id, i.name, i.district, i.parent_id, i.designated, k.fund_fen
FROM institution_row i LEFT JOIN kind k ON i.kind IN (k.kind, k.name)
WHERE i.code IS NULL;

-- ------------------------------------------------------------------ signings

CREATE TABLE signing AS
WITH cell AS (
    SELECT *, person_of(person_id) AS person,
           day_of(signed_on) AS signed_day, day_of(starts_on) AS starts_day, day_of(ended_on) AS ended_day,
           whole_number(term_months) AS months, fen(balance) AS balance_fen,
           coalesce(lower(status) IN ('void', '作废'), false) AS is_void
    FROM read_csv('@DATA@/signings.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                  store_rejects = true, rejects_limit = 0,
                  columns = {'contract_id': 'VARCHAR', 'person_id': 'VARCHAR', 'institution_id': 'VARCHAR',
                             'package': 'VARCHAR', 'signed_on': 'VARCHAR', 'starts_on': 'VARCHAR',
                             'term_months': 'VARCHAR', 'ended_on': 'VARCHAR', 'scheme': 'VARCHAR',
                             'insured': 'VARCHAR', 'balance': 'VARCHAR', 'personal_paid': 'VARCHAR',
                             'status': 'VARCHAR', 'name': 'VARCHAR'})
)
SELECT contract_id, person, institution_id, signed_day AS signed_on, ended_day AS ended_on,
       coalesce(starts_day, signed_day) AS starts_on, coalesce(months, 12) AS months, balance_fen, is_void,
       CASE WHEN package IN ('paid', '有偿服务包') THEN 'paid'
            WHEN package IN ('free', '免费服务包') THEN 'free' END AS package,
       -- A scheme that the policy does not know is one that it does not cover (E401).
       coalesce(yes_no(insured), true) AND coalesce(scheme IN ('resident', '城乡居民'), true) AS is_covered,
       CAST(CASE WHEN contract_id IS NULL OR person_id IS NULL OR institution_id IS NULL OR package IS NULL
                      OR signed_on IS NULL THEN 'E102'
                 WHEN is_void THEN NULL
                 WHEN signed_day IS NULL OR starts_on IS NOT NULL AND starts_day IS NULL
                      OR ended_on IS NOT NULL AND ended_day IS NULL THEN 'E103'
                 WHEN term_months IS NOT NULL AND months IS NULL OR balance IS NOT NULL AND balance_fen IS NULL
                      OR personal_paid IS NOT NULL AND fen(personal_paid) IS NULL THEN 'E104'
                 WHEN insured IS NOT NULL AND yes_no(insured) IS NULL
                      OR status IS NOT NULL AND lower(status) NOT IN ('valid', '有效') THEN 'E106'
                 WHEN NOT is_person(person_id, person, signed_day) THEN 'E201' END AS code) AS code,
       -- Only rejected.csv needs it as it was written, and only where it is not a person's.
       CASE WHEN code IS NOT NULL THEN person_id END AS person_id
FROM cell;

-- The rest of the first table of codes. seq is the order of the file.
CREATE TABLE checked AS
SELECT s.rowid AS seq, s.contract_id, s.person, s.person_id, s.institution_id, s.package, s.signed_on, s.starts_on,
       -- Charges and swipes go by the day it really ended, overlaps by the whole signed term.
       CAST(s.starts_on + INTERVAL 12 MONTH AS DATE) AS term_end,
       least(CAST(s.starts_on + INTERVAL 12 MONTH AS DATE), s.ended_on) AS in_force_until,
       i.fund_fen, s.is_void,
       CAST(CASE WHEN s.code IS NOT NULL OR s.is_void THEN CAST(s.code AS VARCHAR)
                 WHEN i.institution_id IS NULL THEN 'E301'
                 WHEN NOT i.designated THEN 'E302'
                 WHEN s.signed_on < DATE '2019-11-01' THEN 'E305'
                 WHEN i.fund_fen IS NULL THEN 'E303'
                 WHEN s.package IS NULL THEN 'E304'
                 -- The policy is for the insured, so this holds for the free package too; only the paid one has a
                 -- fund's share to set against the balance.
                 WHEN NOT s.is_covered THEN 'E401'
                 WHEN s.months <> 12 THEN 'E403'
                 WHEN s.package = 'paid' AND s.balance_fen < i.fund_fen THEN 'E405' END AS code) AS code
FROM signing s LEFT JOIN institution i USING (institution_id);
DROP TABLE signing;

-- E501. Few contract ids stand twice, so only those are put in order.
UPDATE checked SET code = 'E501'
WHERE seq IN (
    SELECT seq FROM checked
    WHERE code IS NULL AND NOT is_void AND contract_id IN (
        SELECT contract_id FROM checked WHERE code IS NULL AND NOT is_void GROUP BY ALL HAVING count(*) > 1)
    QUALIFY row_number() OVER (PARTITION BY contract_id ORDER BY starts_on, signed_on, seq) > 1);

-- E502 and E503: the earliest valid signing wins. A refused row blocks nobody, so each row needs to know what
-- became of those before it: one step of the recursion for the n-th row of all people who have several. Admitted
-- terms do not overlap, so the last one admitted is all there is to remember.
-- A signing that ended before it began is in force on no day and overlaps nothing, even by its signed term.
CREATE TABLE overlap AS
WITH RECURSIVE
ranked AS MATERIALIZED (
    SELECT seq, person, institution_id, starts_on, term_end,
           row_number() OVER (PARTITION BY person ORDER BY starts_on, signed_on, contract_id, seq) AS n
    FROM checked
    WHERE code IS NULL AND NOT is_void AND package = 'paid' AND starts_on < in_force_until
      AND person IN (SELECT person FROM checked WHERE code IS NULL AND NOT is_void AND package = 'paid'
                     GROUP BY ALL HAVING count(*) > 1)
),
walk AS (
    SELECT seq, person, n, false AS is_refused, institution_id AS held_at, institution_id AS asked_at,
           term_end AS held_until
    FROM ranked WHERE n = 1
    UNION ALL
    SELECT r.seq, r.person, r.n, r.starts_on < w.held_until,
           CASE WHEN r.starts_on < w.held_until THEN w.held_at ELSE r.institution_id END,
           r.institution_id,
           CASE WHEN r.starts_on < w.held_until THEN w.held_until ELSE r.term_end END
    FROM walk w JOIN ranked r ON r.person = w.person AND r.n = w.n + 1
)
SELECT seq, CASE WHEN asked_at = held_at THEN 'E502' ELSE 'E503' END AS code FROM walk WHERE is_refused;

UPDATE checked SET code = CAST(o.code AS code) FROM overlap o WHERE checked.seq = o.seq;

-- ------------------------------------------------------------------ swipes

CREATE TABLE swipe AS
WITH cell AS (
    SELECT *, person_of(person_id) AS person, day_of(swiped_at) AS day
    FROM read_csv('@DATA@/swipes.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                  store_rejects = true, rejects_limit = 0,
                  columns = {'person_id': 'VARCHAR', 'institution_id': 'VARCHAR', 'swiped_at': 'VARCHAR',
                             'swipe_id': 'VARCHAR', 'item': 'VARCHAR', 'quantity': 'VARCHAR', 'charged': 'VARCHAR',
                             'card_type': 'VARCHAR'})
),
coded AS (
    SELECT *, CASE WHEN fen(charged) > 0 THEN item END AS charged_item,
           CAST(CASE WHEN person_id IS NULL OR institution_id IS NULL OR swiped_at IS NULL THEN 'E102'
                     WHEN day IS NULL THEN 'E103'
                     WHEN quantity IS NOT NULL AND whole_number(quantity) IS NULL
                          OR charged IS NOT NULL AND fen(charged) IS NULL THEN 'E104'
                     WHEN NOT is_person(person_id, person, day) THEN 'E201' END AS code) AS code
    FROM cell
)
SELECT person, institution_id, day, swipe_id, charged_item, code,
       CASE WHEN code IS NOT NULL THEN person_id END AS person_id
FROM coded;

UPDATE swipe SET code = 'E301'
WHERE code IS NULL AND institution_id NOT IN (SELECT institution_id FROM institution);

-- E506. The hashes are half the size of the ids; two ids with one hash do no harm, as the ids decide below.
UPDATE swipe SET code = 'E506'
WHERE rowid IN (
    SELECT rowid FROM swipe
    WHERE code IS NULL AND hash(swipe_id) IN (
        SELECT hash(swipe_id) FROM swipe WHERE code IS NULL AND swipe_id IS NOT NULL GROUP BY ALL HAVING count(*) > 1)
    QUALIFY row_number() OVER (PARTITION BY swipe_id ORDER BY rowid) > 1);

-- At most one paid signing of a person is in force on a day, so no swipe counts twice.
CREATE TABLE of_signed AS
SELECT s.person, s.day, s.institution_id, s.charged_item, s.institution_id = c.institution_id AS here
FROM swipe s
JOIN checked c ON c.person = s.person AND s.day >= c.starts_on AND s.day < c.in_force_until
WHERE s.code IS NULL AND s.day BETWEEN DATE '2020-01-01' AND DATE '2020-03-31'
  AND c.code IS NULL AND NOT c.is_void AND c.package = 'paid';

-- Who has a free signing in force where he swiped, swiped at an institution that he signed with.
CREATE TABLE flag AS
SELECT (SELECT count(*) FROM of_signed WHERE here AND charged_item IN (
           'consult', '普通门诊诊察费', 'consult_elderly', '普通门诊老年人诊察费', 'im_injection', '肌肉注射',
           'iv_injection', '静脉注射', 'iv_infusion', '静脉输液', 'referral', '转诊转院', 'follow_up', '病情随访',
           'chronic_service', '慢性病医保服务', 'record', '建立医保服务档案')) AS w701,
       (SELECT count(*) FROM of_signed s WHERE NOT here AND NOT EXISTS (
           FROM checked f
           WHERE f.person = s.person AND f.institution_id = s.institution_id AND f.package = 'free'
             AND f.code IS NULL AND NOT f.is_void AND s.day >= f.starts_on AND s.day < f.in_force_until)) AS w703;

-- ------------------------------------------------------------------ scores and payments

CREATE TABLE score_row AS
WITH cell AS (
    SELECT *, CASE WHEN regexp_full_match(score, '[0-9]{1,3}(\.[0-9]{1,6})?') THEN CAST(score AS DECIMAL(9, 6)) END
              AS points
    FROM read_csv('@DATA@/scores.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
                  store_rejects = true, rejects_limit = 0,
                  columns = {'institution_id': 'VARCHAR', 'period': 'VARCHAR', 'score': 'VARCHAR',
                             'assessed_on': 'VARCHAR'})
)
SELECT institution_id, period, points, day_of(assessed_on) AS assessed,
       CAST(CASE WHEN institution_id IS NULL OR period IS NULL OR score IS NULL THEN 'E102'
                 WHEN points IS NULL THEN 'E104' END AS code) AS code
FROM cell;

UPDATE score_row
SET code = CASE WHEN institution_id NOT IN (SELECT institution_id FROM institution) THEN 'E301'
                WHEN points > 100 THEN 'E601'
                WHEN NOT regexp_full_match(period, '[0-9]{4}Q[1-4]') THEN 'E602' END
WHERE code IS NULL;

-- Of several the one that was assessed last holds (every row has its day). E603: of two of that day that differ
-- none holds, nor do the earlier ones; the same twice is one.
CREATE TABLE last_day AS
SELECT institution_id, period, max(assessed) AS day FROM score_row WHERE code IS NULL GROUP BY ALL;

UPDATE score_row SET code = 'E603'
WHERE code IS NULL AND (institution_id, period) IN (
    SELECT (institution_id, period) FROM score_row JOIN last_day USING (institution_id, period)
    WHERE code IS NULL AND assessed = day
    GROUP BY institution_id, period HAVING count(DISTINCT points) > 1);

CREATE TABLE score AS
SELECT DISTINCT institution_id, points,
       CASE WHEN points >= 90 THEN 1.00 WHEN points < 60 THEN 0.00 ELSE 1 - 0.02 * (90 - points) END AS ratio
FROM score_row JOIN last_day USING (institution_id, period)
WHERE code IS NULL AND period = '2020Q1' AND assessed = day;

-- SPEC has no checks for payments: all of them are read. An empty package is the one that charges.
CREATE TABLE payment AS
SELECT institution_id, source, sum(fen(amount)) AS posted
FROM read_csv('@DATA@/payments.csv', auto_detect = false, header = true, delim = ',', quote = '"', escape = '"',
              store_rejects = true, rejects_limit = 0,
              columns = {'institution_id': 'VARCHAR', 'cohort': 'VARCHAR', 'source': 'VARCHAR', 'amount': 'VARCHAR',
                         'package': 'VARCHAR'})
WHERE cohort = '2020Q1' AND coalesce(package IN ('paid', '有偿服务包'), true)
GROUP BY ALL;

-- ------------------------------------------------------------------ lines

-- The charge of a signing starts with it (one contract year), so its day decides the cohort; a charge that starts
-- on or after ended_on is none. Source `individual` is shown and not settled.
CREATE TABLE line AS
WITH charge AS (
    SELECT institution_id, count(*) AS count, sum(fund_fen) AS fund, sum(1500 - fund_fen) AS individual
    FROM checked
    WHERE code IS NULL AND NOT is_void AND package = 'paid' AND starts_on < in_force_until
      AND starts_on BETWEEN DATE '2020-01-01' AND DATE '2020-03-31'
    GROUP BY institution_id
),
-- A line also stands where something was posted and no charge is left: that is due back.
gross AS (
    SELECT institution_id, source, coalesce(count, 0) AS count, CAST(coalesce(fen, 0) AS BIGINT) AS gross,
           CAST(coalesce(posted, 0) AS BIGINT) AS posted
    FROM (SELECT institution_id, 'resident_fund' AS source, count, fund AS fen FROM charge
          UNION ALL SELECT institution_id, 'individual', count, individual FROM charge)
    FULL JOIN (FROM payment WHERE source = 'resident_fund') USING (institution_id, source)
),
-- round() of a DECIMAL is half up for what is not negative.
due AS (
    SELECT g.*, source = 'resident_fund' AS is_settled, s.points, s.ratio,
           CASE WHEN source = 'resident_fund' THEN CAST(round(gross * 0.5) AS BIGINT) ELSE 0 END AS prepay,
           CAST(round(gross * s.ratio) AS BIGINT) AS final
    FROM gross g LEFT JOIN score s ON s.institution_id = g.institution_id AND g.source = 'resident_fund'
)
SELECT *, CASE WHEN is_settled THEN greatest(coalesce(final, prepay) - posted, 0) ELSE 0 END AS payable,
       CASE WHEN is_settled THEN greatest(posted - coalesce(final, prepay), 0) ELSE 0 END AS recover
FROM due;

CREATE MACRO yuan(amount) AS CAST(amount * 0.01 AS DECIMAL(18, 2));

COPY (
    SELECT '2020Q1' AS cohort, institution_id, i.name AS institution_name, i.district, i.parent_id, 'paid' AS package,
           source, 'urumqi/2019-11-01' AS policy, count, 0 AS held, yuan(gross) AS gross,
           CASE WHEN final IS NOT NULL THEN 0.00 END AS deduction,
           CASE WHEN is_settled THEN '0.5' END AS prepay_ratio, yuan(prepay) AS prepay, shortest(points) AS score,
           shortest(ratio) AS ratio, yuan(final) AS final, yuan(posted) AS posted, yuan(payable) AS payable,
           yuan(recover) AS recover
    FROM line LEFT JOIN institution i USING (institution_id)
    ORDER BY cohort, institution_id, package, source
) TO '@OUT@/settlement.csv' (HEADER);

-- ------------------------------------------------------------------ what was refused

-- `row` is the place among the rows that have as many fields as the header; a row that has not (E101) is known by
-- its line. One such line can be reported once for each surplus field.
CREATE TABLE reject AS
SELECT 'institutions.csv' AS file, rowid + 1 AS row, NULL AS line, NULL AS contract_id, NULL AS person_id,
       institution_id, code
FROM institution_row WHERE code IS NOT NULL
UNION ALL
SELECT 'signings.csv', seq + 1, NULL, contract_id,
       masked(coalesce(person_id, CAST(person AS VARCHAR) || check_digit(person))), institution_id, code
FROM checked WHERE code IS NOT NULL
UNION ALL
SELECT 'swipes.csv', rowid + 1, NULL, NULL,
       masked(coalesce(person_id, CAST(person AS VARCHAR) || check_digit(person))), institution_id, code
FROM swipe WHERE code IS NOT NULL
UNION ALL
SELECT 'scores.csv', rowid + 1, NULL, NULL, NULL, institution_id, code
FROM score_row WHERE code IS NOT NULL
UNION ALL
SELECT DISTINCT parse_filename(s.file_path), NULL, e.line, NULL, NULL, NULL,
       CAST(CASE WHEN e.error_type = 'INVALID ENCODING' THEN 'E105' ELSE 'E101' END AS code)
FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id);

COPY (FROM reject ORDER BY file, row, line) TO '@OUT@/rejected.csv' (HEADER);

-- ------------------------------------------------------------------ the sums that run.py compares

COPY (
    SELECT source, CAST(sum(count) AS BIGINT) AS count, yuan(sum(gross)) AS gross, yuan(sum(prepay)) AS prepay,
           yuan(coalesce(sum(final), 0)) AS final, yuan(sum(posted)) AS posted, yuan(sum(payable)) AS payable,
           yuan(sum(recover)) AS recover
    FROM line GROUP BY source ORDER BY source
) TO '@OUT@/totals.csv' (HEADER);

COPY (SELECT file, code, count(*) AS count FROM reject GROUP BY ALL ORDER BY ALL) TO '@OUT@/codes.csv' (HEADER);

COPY (
    SELECT 'W701' AS code, w701 AS count FROM flag UNION ALL SELECT 'W703', w703 FROM flag ORDER BY code
) TO '@OUT@/flag_counts.csv' (HEADER);
