#!/usr/bin/env python3
"""What a ledger costs: posting a quarter, and settling the next one against it.

    cargo build --release
    python3 benches/ledger.py [--signings 1000000] [--runs 2]

A quarter is generated, settled and posted; then another quarter with new contracts is settled with the ledger and
without it, in turn. Prints the ratios: posting against settling, and settling with the ledger against without.
Time never fails it; amounts that do not come out as they must do.
"""

import argparse
import csv
import shutil
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "samples" / "regions"


def main():
    release = ROOT / "target" / "release"
    parser = argparse.ArgumentParser(description="time posting, and settling against a ledger")
    parser.add_argument("--signings", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--jiayi", default=release / "jiayi")
    parser.add_argument("--work", default=ROOT / "target" / "bench-ledger")
    options = parser.parse_args()
    work = Path(options.work).resolve()
    shutil.rmtree(work, ignore_errors=True)
    first, second = work / "first", work / "second"
    for seed, data in ((1, first), (2, second)):
        command = [options.jiayi, "sample", "--region", "urumqi", "--period", "2020Q1", "--quiet", "--out", data]
        command += ["--signings", options.signings, "--seed", seed]
        subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL)
        for name in ("payments.csv", "scores.csv"):
            (data / name).unlink()
    later(second)

    def jiayi(*words):
        command = [options.jiayi, *words, "--quiet", "--threads", options.threads, "--regions", RULES]
        start = time.perf_counter()
        subprocess.run([str(part) for part in command], check=True, stderr=subprocess.DEVNULL)
        return time.perf_counter() - start

    def settle(quarter, data, out, ledger):
        words = ["settle", "--region", "urumqi-bureau", "--quarter", quarter]
        return jiayi(*words, "--data", data, "--out", work / out, "--ledger", work / ledger)

    times = {"settle": [], "post": [], "next": [], "next with ledger": []}
    for _ in range(options.runs):
        for old in work.glob("l.db*"):
            old.unlink()
        times["settle"].append(settle("2020Q1", first, "o1", "l.db"))
        times["post"].append(jiayi("post", work / "o1", "--ledger", work / "l.db"))
        times["next"].append(settle("2020Q2", second, "o2", "none/none.db"))
        times["next with ledger"].append(settle("2020Q2", second, "o3", "l.db"))
        settle("2020Q1", first, "o4", "l.db")
        if moved(work / "o4") != 0:
            print("settled, posted and settled again: something moves", file=sys.stderr)
            return 1
    best = {name: min(all_runs) for name, all_runs in times.items()}
    print(f"{options.signings} signings, ledger of {(work / 'l.db').stat().st_size / 2**20:.0f} MiB, best of {options.runs}")
    for name, seconds in best.items():
        runs = " ".join(f"{one:.2f}" for one in times[name])
        print(f"{name:<18} {seconds:7.2f} s   ({runs})")
    print(f"post ÷ settle                   {best['post'] / best['settle']:.2f}")
    print(f"next quarter, with ÷ without    {best['next with ledger'] / best['next']:.2f}")
    return 0


def later(data):
    """The same shape a quarter later, with contracts of its own."""
    months = [("2020-03-", "2020-06-"), ("2020-02-29", "2020-05-28"), ("2020-02-", "2020-05-")]
    months += [("2020-01-", "2020-04-"), ("2019-12-31", "2020-04-01"), ("2019-12-", "2020-04-")]
    for name in ("signings.csv", "swipes.csv"):
        script = ";".join(f"s/{before}/{after}/g" for before, after in months)
        if name == "signings.csv":
            script = "2,$s/^/N/;" + script
        subprocess.run(["sed", "-i", script, str(data / name)], check=True)


def moved(out):
    with open(out / "settlement.csv", encoding="utf-8", newline="") as file:
        return sum(Decimal(row["payable"]) + Decimal(row["recover"]) for row in csv.DictReader(file))


if __name__ == "__main__":
    sys.exit(main())
