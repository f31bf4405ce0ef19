-- One region's ledger. Days are numbers like 20200103, amounts whole fen, ID numbers their first 17 digits
-- (the last follows from them). Rows are only ever added; `batch` says which batch added them.
CREATE TABLE ledger (region TEXT NOT NULL, opening TEXT NOT NULL);
CREATE TABLE batch (
  number INTEGER PRIMARY KEY, kind TEXT NOT NULL, period TEXT NOT NULL, as_of TEXT, reverses INTEGER,
  time TEXT NOT NULL, operator TEXT, approved_by TEXT, document TEXT, program TEXT NOT NULL, rules TEXT NOT NULL,
  source TEXT NOT NULL, content TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL);
CREATE TABLE institution (
  number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
  district TEXT NOT NULL, parent_id TEXT NOT NULL);
CREATE TABLE terms (
  number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, institution INTEGER NOT NULL, package TEXT NOT NULL,
  scheme TEXT NOT NULL, kind TEXT NOT NULL, district TEXT NOT NULL, groups TEXT NOT NULL, team TEXT NOT NULL,
  doctor TEXT NOT NULL, reason TEXT NOT NULL);
CREATE TABLE items (number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, id TEXT NOT NULL);
-- Signings and services, of which there are as many as people, stand packed in pages: `first` is the number of a
-- page's first row, `count` how many it holds. `jiayi ledger export` writes them out.
CREATE TABLE signing (
  number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, rows BLOB NOT NULL);
CREATE TABLE service (
  number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, rows BLOB NOT NULL);
CREATE TABLE score (
  number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, institution INTEGER NOT NULL, period TEXT NOT NULL,
  level TEXT NOT NULL, score TEXT NOT NULL, assessed_on INTEGER);
-- `amount` is what the batch moved; the rest is what the line came to, empty where a batch only moved an amount.
CREATE TABLE line (
  number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, cohort TEXT NOT NULL, institution INTEGER NOT NULL,
  package TEXT NOT NULL, source TEXT NOT NULL, policy TEXT NOT NULL, amount INTEGER NOT NULL, count INTEGER,
  held INTEGER, gross INTEGER, deduction INTEGER, prepay INTEGER, due INTEGER, final INTEGER, ratio TEXT, score TEXT);
CREATE TABLE adjustment (
  number INTEGER PRIMARY KEY, batch INTEGER NOT NULL, institution INTEGER NOT NULL, source TEXT NOT NULL,
  cohort TEXT NOT NULL, amount INTEGER NOT NULL, document TEXT NOT NULL, reason TEXT NOT NULL);
