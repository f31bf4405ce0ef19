#!/usr/bin/env python3
"""What a province costs: one line for each limit that the program is held to, in one run on the same machine.

    cargo build --release
    python3 benches/province.py [--signings 5000000] [--runs 2] [--work target/bench]

Five swipes for each signing. Every program runs on the same two cores, in turn; the best of its runs counts. Only the
ratios mean anything. It needs Python 3, some 20 GB of disk for 5,000,000 signings, and the network once, for DuckDB and
Polars.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

import run as race

SIZES = (1_000_000, 5_000_000, 20_000_000)

POLARS = "polars==2.1.0"
# Looking at four columns of each file, and nothing else.
POLARS_SCAN = """
import sys, polars
LENIENT = {"infer_schema": False, "ignore_errors": True, "truncate_ragged_lines": True}
for name, columns in (
    ("signings", ["person_id", "institution_id", "package", "signed_on"]),
    ("swipes", ["person_id", "institution_id", "swiped_at", "item"]),
):
    scan = polars.scan_csv(f"{sys.argv[1]}/{name}.csv", encoding="utf8-lossy", **LENIENT)
    scan.select(polars.col(columns).str.len_bytes().sum()).collect(engine="streaming")
"""


def main():
    options = read_options()
    work = Path(options.work).resolve()
    options.work = work
    try:
        python = race.duckdb_python(work)
        polars = add_polars(python)
        for line in lines(options, work, python, polars):
            print(line, flush=True)
    except race.Broken as reason:
        print(f"province.py: {reason}", file=sys.stderr)
        return 1
    return 0


def read_options():
    parser = argparse.ArgumentParser(description="measure what a province costs")
    parser.add_argument("--signings", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=2, help="of each; the best counts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--jiayi", default=race.ROOT / "target" / "release" / "jiayi")
    parser.add_argument("--work", default=race.ROOT / "target" / "bench", help="folder for data, output and programs")
    options = parser.parse_args()
    options.swipes_per_signing, options.errors, options.seed, options.only, options.smoke = 5, 0.01, 1, None, False
    return options


def add_polars(python):
    steps = subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", POLARS])
    return steps.returncode == 0


def lines(options, work, python, polars):
    data = work / "province"
    yield f"{options.threads} cores, best of {options.runs}; times in seconds, memory in MiB\n"
    yield "| what | seconds | peak memory | ratio |"
    yield "|---|---:|---:|---:|"
    race.generate(options, data)
    results = race.measure(options, work, data, python)
    differences = race.compare(work)
    if differences:
        raise race.Broken(f"the results differ: {differences[0]}")
    jiayi, duckdb = best(results["jiayi"]), best(results["DuckDB"])
    newlines = best(results["newline count"])
    rows = f"{options.signings:,} signings, {5 * options.signings:,} swipes"
    yield row(f"{rows}: jiayi", jiayi, "")
    yield row("DuckDB", duckdb, f"{duckdb.seconds / jiayi.seconds:.2f} × jiayi, memory {duckdb.peak / jiayi.peak:.2f} ×")
    yield row("newlines, one core", newlines, f"jiayi {jiayi.seconds / newlines.seconds:.2f} × that")
    if polars:
        scan = best([race.run("Polars", [python, "-c", POLARS_SCAN, data], options.threads) for _ in range(options.runs)])
        yield row("Polars, scan of four columns of each", scan, f"jiayi {jiayi.seconds / scan.seconds:.2f} × that")
    one = settle(options, data, "--threads", "1")
    yield row("jiayi, 1 thread", one, f"{one.seconds / jiayi.seconds:.2f} × 2 threads")
    whole = settle(options, data, "--only", "csv,xlsx,html")
    yield row("jiayi with all documents", whole, f"{whole.seconds / jiayi.seconds:.2f} × the CSV files alone")
    bound = 100e6 + options.signings * (64 + 5 * 16)
    yield row("memory against 100 MB + 64 bytes a signing + 16 a swipe", jiayi, f"{jiayi.peak / bound:.2f} of it")
    for end, command in (("gz", ["gzip", "-1", "-f"]), ("zst", ["zstd", "-1", "-q", "-f", "--rm"])):
        if shutil.which(command[0]):
            packed = work / "packed"
            shutil.copytree(data, packed)
            subprocess.run([*command, packed / "signings.csv", packed / "swipes.csv"], check=True)
            read = settle(options, packed)
            yield row(f"the same as .csv.{end}", read, f"{read.seconds / jiayi.seconds:.2f} × plain")
            shutil.rmtree(packed)
    shutil.rmtree(data)
    race.generate_as(options, data, "gb18030")
    other = settle(options, data)
    yield row("the same in GB18030, Chinese headers, CRLF", other, f"{other.seconds / jiayi.seconds:.2f} × UTF-8")
    shutil.rmtree(data)
    first = None
    for factor in SIZES:
        options.signings = factor
        race.generate(options, data)
        sized = settle(options, data)
        each = sized.seconds / options.signings
        first = first or each
        bound = 100e6 + options.signings * (64 + 5 * 16)
        told = f"{each / first:.2f} × the time of the first for each, memory {sized.peak / bound:.2f} of its bound"
        yield row(f"{options.signings:,} signings", sized, told)
        shutil.rmtree(data)
    options.runs = 20
    small = settle(options, race.ROOT / "samples" / "urumqi", "--only", "csv,xlsx,html")
    yield row("the sample of 300 signings, all documents", small, f"{small.seconds * 1000:.0f} ms")


def settle(options, data, *more):
    out = options.work / "out" / "province"
    command = [options.jiayi, "settle", "--region", "urumqi", "--quarter", "2020Q1", "--data", data, "--out", out]
    command += ["--quiet", *(more if "--only" in more else ("--only", "csv", *more))]
    done = best([race.run("jiayi", command, options.threads) for _ in range(options.runs)])
    shutil.rmtree(out, ignore_errors=True)
    return done


def best(runs):
    return min(runs, key=lambda one: one.seconds)


def row(what, measured, told):
    memory = "" if measured.peak is None else f"{measured.peak / 2**20:,.0f}"
    return f"| {what} | {measured.seconds:.2f} | {memory} | {told} |"


if __name__ == "__main__":
    sys.exit(main())
