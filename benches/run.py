#!/usr/bin/env python3
"""jiayi against DuckDB: the same settlement of the same made-up data, timed and compared.

    cargo build --release
    python3 benches/run.py [--signings 1000000] [--swipes-per-signing 5]
    python3 benches/run.py --smoke

Both run as processes of their own, in turn, on the same number of cores; the best of the runs counts, as whatever
else the machine does only ever makes a run slower. Every run reads files that are in the page cache.

A benchmark of two programs that do different things says nothing, so both write the same files, and these must be the
same, or the exit code is 1:

- settlement, summary, clawback, delta and figures.csv: every cell of every row;
- flags.csv: code, institution, contract, person, file, line and clause of every row, and of its detail the ids, names
  and numbers in it, whatever the words between them;
- rejected.csv: every row but the words of its reason;
- the counts by code and the sums by source of the manifest;
- the order of the rows in each of these files.

Only jiayi writes a manifest with the SHA-256 of what it read and wrote, and only jiayi reads what `settle.sql` names at
its head as taken for granted. Time never fails it.

Needs the standard library; DuckDB is put into a virtual environment under target/bench/ by pip.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SQL = Path(__file__).resolve().parent / "settle.sql"

# One version, so that figures of different days can be compared.
DUCKDB = "duckdb==2.0.0"

DUCKDB_RUN = """
import sys, duckdb
sql, data, out, threads = sys.argv[1:]
text = open(sql, encoding="utf-8").read()
for mark, path in (("@DATA@", data), ("@OUT@", out)):
    text = text.replace(mark, path.replace("'", "''"))
connection = duckdb.connect()
connection.execute(f"SET threads = {int(threads)}; SET enable_progress_bar = false")
connection.execute(text)
"""

# The columns that name a row of each file. A row that is refused or flagged may stand at a line of a file, or at none.
KEYS = {
    "settlement": ("cohort", "institution_id", "package", "source", "policy"),
    "summary": ("institution_id",),
    "clawback": ("cohort", "institution_id", "package", "source"),
    "delta": ("cohort", "institution_id", "package", "source", "policy", "cause"),
    "figures": ("institution_id", "figure"),
    "flags": ("code", "institution_id", "contract_id", "person_id", "file", "line"),
    "rejected": ("file", "line", "code"),
}
SUMS = ("count", "gross", "prepay", "final", "posted", "payable", "recover")


class Broken(Exception):
    """The comparison can't be made."""


class NoDuckDB(Broken):
    """For want of DuckDB, which the network may not give."""


def main():
    options = read_options()
    work = Path(options.work).resolve()
    data = work / "data"
    try:
        python = duckdb_python(work) if options.only != "jiayi" else None
        generate(options, data)
        results = measure(options, work, data, python)
        differences = compare(work) if options.only is None else []
    except NoDuckDB as reason:
        print(f"run.py: {reason}", file=sys.stderr)
        # A machine without a network has nothing to compare with: that is no fault of the program.
        return 0 if options.smoke else 1
    except Broken as reason:
        print(f"run.py: {reason}", file=sys.stderr)
        return 1
    report(options, data, results)
    if options.only is not None:
        print("\nnothing compared: only one of the two was run")
    elif differences:
        print("\nTHE RESULTS DIFFER:")
        for difference in differences[:40]:
            print("  " + difference)
        if len(differences) > 40:
            print(f"  ... and {len(differences) - 40} more")
    else:
        print("\nevery row of every file is the same")
    return 1 if differences else 0


def read_options():
    release = ROOT / "target" / "release"
    parser = argparse.ArgumentParser(description="time jiayi against DuckDB on the same made-up data")
    parser.add_argument("--signings", type=int, default=1_000_000)
    parser.add_argument("--swipes-per-signing", type=int, default=5)
    parser.add_argument("--errors", default="0.01", help="share of wrong rows")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3, help="of each; the best counts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--smoke", action="store_true", help="20,000 signings, one run: a few seconds")
    parser.add_argument("--only", choices=("jiayi", "duckdb"), help="run one of the two, compare nothing")
    parser.add_argument("--jiayi", default=release / "jiayi")
    parser.add_argument("--work", default=ROOT / "target" / "bench", help="folder for data, output and DuckDB")
    options = parser.parse_args()
    if options.smoke:
        options.signings, options.runs = 20_000, 1
    if min(options.signings, options.runs, options.threads) < 1:
        parser.error("--signings, --runs and --threads must be at least 1")
    return options


# ---------------------------------------------------------------- what is needed


def duckdb_python(work):
    """The interpreter of a virtual environment that has DuckDB, made where there is none."""
    venv = work / "venv"
    python = venv / "bin" / "python"
    wanted = DUCKDB.split("==")[1]
    ask = [python, "-c", "import duckdb; print(duckdb.__version__)"]
    if python.exists():
        found = subprocess.run(ask, capture_output=True, text=True)
        if found.returncode == 0 and found.stdout.strip() == wanted:
            return python
    print(f"installing {DUCKDB} ...", file=sys.stderr)
    for step in (
        [sys.executable, "-m", "venv", "--clear", venv],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", DUCKDB],
    ):
        if subprocess.run(step).returncode != 0:
            raise NoDuckDB(f"{DUCKDB} could not be installed")
    return python


def generate(options, data):
    generate_as(options, data, "utf-8")


def generate_as(options, data, encoding):
    shutil.rmtree(data, ignore_errors=True)
    command = [options.jiayi, "sample", "--region", "urumqi", "--period", "2020Q1", "--quiet", "--out", data]
    command += ["--signings", options.signings, "--swipes-per-signing", options.swipes_per_signing]
    # As many institutions as a province has for so many, also where there are few signings.
    command += ["--institutions", min(max(options.signings // 250, 400), 20_000)]
    command += ["--errors", options.errors, "--seed", options.seed, "--encoding", encoding]
    try:
        done = subprocess.run([str(part) for part in command])
    except OSError as error:
        raise Broken(f"jiayi can't be run ({error.strerror}); `cargo build --release`")
    if done.returncode != 0:
        raise Broken(f"jiayi sample ended with {done.returncode}")


# ---------------------------------------------------------------- time and memory


class Measured:
    def __init__(self, seconds, peak, private):
        self.seconds, self.peak, self.private = seconds, peak, private


def measure(options, work, data, python):
    """For each name the runs, in turn: jiayi, DuckDB, jiayi ..."""
    if (ROOT / "ledger" / "urumqi.db").exists():
        raise Broken("`ledger/urumqi.db` is there: jiayi would settle against it, and DuckDB has no ledger")
    jiayi_out, duckdb_out = work / "out" / "jiayi", work / "out" / "duckdb"
    jiayi = [options.jiayi, "settle", "--region", "urumqi", "--quarter", "2020Q1"]
    jiayi += ["--data", data, "--out", jiayi_out, "--quiet", "--only", "csv"]
    commands = {
        "jiayi": (jiayi, jiayi_out),
        "DuckDB": ([python, "-c", DUCKDB_RUN, SQL, data, duckdb_out, options.threads], duckdb_out),
    }
    results = {"newline count": [count_newlines(data) for _ in range(options.runs)]}
    for _ in range(options.runs):
        for name, (command, out) in commands.items():
            if options.only in (None, name.lower()):
                shutil.rmtree(out, ignore_errors=True)
                # jiayi makes its folder itself.
                (out if name == "DuckDB" else out.parent).mkdir(parents=True, exist_ok=True)
                results.setdefault(name, []).append(run(name, command, options.threads))
    return results


def count_newlines(data):
    """The least that any reader of these files must do, on one core."""
    start = time.perf_counter()
    for path in data.iterdir():
        with open(path, "rb", buffering=0) as file:
            while block := file.read(1 << 20):
                block.count(b"\n")
    return Measured(time.perf_counter() - start, None, None)


def run(name, command, threads):
    def stay_on_cores():
        # So that a program that takes all the cores it finds takes as many as the other.
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])

    start = time.perf_counter()
    try:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, preexec_fn=stay_on_cores
        )
    except OSError as error:
        raise Broken(f"{name} can't be run ({error.strerror}); `cargo build --release`")
    private = PrivateMemory(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    private.stop()
    if process.returncode != 0:
        raise Broken(f"{name} ended with {process.returncode}")
    # In KiB, except on macOS. The figure starts with what this script had in memory when it forked, some 20 MiB.
    unit = 1 if sys.platform == "darwin" else 1024
    return Measured(seconds, usage.ru_maxrss * unit, private.peak)


class PrivateMemory(threading.Thread):
    """The most memory that is the process's own, not a mapped file's. Sampled, so a little low."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.path, self.peak, self.ended = f"/proc/{pid}/status", None, threading.Event()
        self.start()

    def run(self):
        while not self.ended.wait(0.02):
            try:
                with open(self.path, encoding="ascii", errors="replace") as status:
                    lines = dict(line.split(":", 1) for line in status if ":" in line)
                kib = sum(int(lines[name].split()[0]) for name in ("RssAnon", "RssShmem"))
            except (OSError, KeyError, ValueError):
                continue  # ended, or no /proc here
            self.peak = max(self.peak or 0, kib * 1024)

    def stop(self):
        self.ended.set()
        self.join()


# ---------------------------------------------------------------- are they the same


def compare(work):
    """What differs, in words."""
    jiayi, duckdb = work / "out" / "jiayi", work / "out" / "duckdb"
    differences = []
    for name, key in KEYS.items():
        ours, theirs = rows_of(jiayi, name, key), rows_of(duckdb, name, key)
        differences += unequal(name, ours, theirs)
        if ours.keys() == theirs.keys() and list(ours) != list(theirs):
            differences.append(f"{name}: the rows are the same, their order is not")
    manifest = manifest_of(jiayi)
    codes = {code: str(count) for code, count in manifest["codes"].items()}
    differences += unequal("codes", codes, {row["code"]: row["count"] for row in table(duckdb / "codes.csv")})
    # What a source has no final of is null there and empty here.
    sums = {
        source: tuple("" if sums[column] is None else str(sums[column]) for column in SUMS)
        for source, sums in manifest["sources"].items()
    }
    totals = {row["source"]: tuple(row[column] for column in SUMS) for row in table(duckdb / "totals.csv")}
    return differences + list(unequal("sums", sums, totals))


def table(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except OSError as error:
        raise Broken(f"`{path.parent.name}/{path.name}` can't be read: {error.strerror}")


def rows_of(out, name, key):
    """The rows of a file by what names them, in their order."""
    path = out / f"{name}.csv"
    if name == "delta" and not path.exists():
        return {}  # Nothing was posted before.
    rows = {}
    try:
        for row in table(path):
            names = tuple(row.pop(column) for column in key)
            if names in rows:
                raise Broken(f"`{out.name}/{path.name}` has two rows of {' '.join(names)}")
            rows[names] = compared(name, row, names)
    except KeyError as column:
        raise Broken(f"`{out.name}/{path.name}` has no column {column}")
    return rows


def compared(name, row, names):
    """What is held against the other program's row: all of it, but for words."""
    if name == "flags":
        row["detail"] = sorted(re.findall(r"`[^`]*`|[0-9A-Za-z][0-9A-Za-z.:-]*", row["detail"]))
    if name == "rejected":
        del row["reason"]
        # Each shows bytes that are no text in its own way, and the generator has them in ids of contracts.
        if "E105" in names:
            row["contract_id"] = row["contract_id"].replace("\N{REPLACEMENT CHARACTER}", "?")
    return row


def manifest_of(out):
    try:
        return json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise Broken(f"`{out.name}/manifest.json` can't be read: {error.strerror}")


def unequal(what, jiayi, duckdb):
    for key in sorted(jiayi.keys() | duckdb.keys()):
        ours, theirs = jiayi.get(key), duckdb.get(key)
        if ours != theirs:
            name = key if isinstance(key, str) else " ".join(key)
            # Of two long rows only what differs in them.
            if isinstance(ours, dict) and isinstance(theirs, dict):
                columns = [column for column in ours.keys() | theirs.keys() if ours.get(column) != theirs.get(column)]
                ours = {column: ours.get(column) for column in sorted(columns)}
                theirs = {column: theirs.get(column) for column in sorted(columns)}
            yield f"{what} {name}: jiayi {ours or 'has none'}, DuckDB {theirs or 'has none'}"


# ---------------------------------------------------------------- the table


def report(options, data, results):
    size = sum(path.stat().st_size for path in data.iterdir())
    print(
        f"{options.signings:,} signings, {options.signings * options.swipes_per_signing:,} swipes, "
        f"{size / 1e6:,.0f} MB, errors {options.errors}, seed {options.seed}; "
        f"{options.threads} cores, best of {options.runs}, {DUCKDB}\n"
    )
    best = {name: min(runs, key=lambda one: one.seconds) for name, runs in results.items()}
    # Memory is the most of all runs: the quickest need not be the one that took least.
    peak = {name: max((one.peak for one in runs if one.peak), default=None) for name, runs in results.items()}
    private = {name: max((one.private for one in runs if one.private), default=None) for name, runs in results.items()}

    print("| | seconds | all runs | MB/s | peak memory, MiB | of it not mapped files, MiB |")
    print("|---|---:|---|---:|---:|---:|")
    for name in ("jiayi", "DuckDB", "newline count"):
        if name in results:
            seconds = best[name].seconds
            runs = " ".join(f"{one.seconds:.2f}" for one in results[name])
            print(
                f"| {name} | {seconds:.2f} | {runs} | {size / seconds / 1e6:,.0f} "
                f"| {mebibytes(peak[name])} | {mebibytes(private[name])} |"
            )
    if "jiayi" in results and "DuckDB" in results:
        memory = f"{peak['DuckDB'] / peak['jiayi']:.2f}"
        print(f"| DuckDB ÷ jiayi | {best['DuckDB'].seconds / best['jiayi'].seconds:.2f} | | | {memory} | |")
    print(
        "\nPeak memory is ru_maxrss: pages of mapped files count in it. The last column leaves them out; it is sampled"
        "\nevery 20 ms and may be a little low. DuckDB's seconds and memory include the Python that starts it."
        "\nThe newline count reads the same files on one core: the floor."
    )


def mebibytes(count):
    return "" if count is None else f"{count / 2**20:,.0f}"


if __name__ == "__main__":
    sys.exit(main())
