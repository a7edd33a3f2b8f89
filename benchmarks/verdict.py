"""Planted effects: does a verdict say what was planted?

    .venv/bin/python benchmarks/verdict.py [--quick] [--write]      (make bench-verdict)

Data with known truth is simulated, thousands of times per row, and the share of wrong decisions counted:

- false ship: shipped although the truth sits on the border of what the rule forbids (at most 5 %);
- false hold: not shipped although the truth is the smallest effect that our own power functions say is seen with 80 %
  (at most 20 %);
- coverage: the 95 % interval holds the truth (at least 94 %).

Everything is seeded. Prints Markdown, exits 1 when a number as counted is out of bounds; `--write` puts it into
its section of docs/benchmarks.md. With `--quick` (few runs) a bound may be missed by 3.5 Monte-Carlo errors.
"""

import argparse
import sys
import time
from typing import NamedTuple

from planted.estimates import measure_amounts, measure_estimates, measure_worst
from planted.rules import measure_rules, rule_head, rule_line
from planted.sequences import measure_sequences
from planted.worlds import SPARSE, WORLDS, World

SIZES = (20, 50, 100, 200, 500, 2000)


class Report(NamedTuple):
    text: str
    broken: list[str]


def measure(*, quick: bool = False, seed: int = 20261101) -> Report:
    """All tables as Markdown, and what is out of bounds."""
    broken: list[str] = []
    parts: list[str] = []

    def runs_for(world: World, count: int) -> int:
        return 600 if quick else min(40_000, max(10_000, 20_000_000 // int(world.units(count).n)))

    for title, worlds, sizes in (
        ("The rules", WORLDS, SIZES if not quick else (20, 100)),
        ("Few changes, and nothing but changes", SPARSE, (20, 100, 500, 2000) if not quick else (100,)),
    ):
        parts += [f"## {title}", "", rule_head()]
        for world in worlds:
            for count in sizes:
                row = measure_rules(world, count, runs=runs_for(world, count), quick=quick, seed=seed)
                parts.append(rule_line(row))
                broken += [
                    f"{world.name}, {count} units: {name} is {share} %"
                    for name, share in row.shares.items()
                    if not share.kept
                ]
        parts.append("")
    tables = (
        ("A 0/1 difference at its worst, all outcomes added up", "%", measure_worst, 0),
        ("One variant's own numbers, and percentiles", "coverage %", measure_estimates, 2000),
        ("Skewed amounts", "coverage %", measure_amounts, 20_000),
        ("Early stop, looked at after every example", "% of runs", measure_sequences, 4000),
    )
    for title, unit, source, runs in tables:
        parts += [f"## {title}", "", f"| data | units | {unit} | ± | |", "|---|---:|---:|---:|---|"]
        for line in source(runs=runs if not quick else 250, quick=quick, seed=seed):
            error = f"{100 * line.share.error:.1f}" if line.share.error else ""
            parts.append(f"| {line.what} | {line.units:,} | {line.share} | {error} | {line.note} |")
            if not line.share.kept:
                broken.append(f"{line.what}, {line.units} units: {line.share} %")
        parts.append("")
    return Report("\n".join(parts), broken)


HEAD = """# Planted effects

Made by `make bench-verdict` (`benchmarks/verdict.py`, seeded). All numbers but units are percent or percentage points;
bold is out of bounds.

S, N and V are the rules superiority, noninferiority and value. "ship" is the share of runs that shipped although the
truth sat on the border (at most 5; 2.5 is what a two-sided alpha of 5 % allows), "hold" the share that did not ship
although the truth was the gain or the margin of the row, the smallest that our power functions promise to see in 80 %
of runs (at most 20; they aim at 18). In N hold the candidate is truly equal and its saving is plain; in V the cost
difference pays from 5 points on. "cover" is the share of 95 % intervals that held the truth (at least 94): of the
difference when there is none, of the difference at the planted gain and loss, of the net benefit, and of dollars per
extra success (an interval that is not finite holds everything). Clusters have 1 to 8 examples; units are the
independent ones.
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="planted effects: false ship, false hold and coverage of every rule")
    parser.add_argument("--quick", action="store_true", help="few runs and sizes, in some seconds")
    parser.add_argument("--write", action="store_true", help="write its section of docs/benchmarks.md as well")
    options = parser.parse_args(arguments)
    started = time.process_time()
    report = measure(quick=options.quick)
    print(report.text)
    print(f"{time.process_time() - started:.0f} s of CPU")
    if options.write:
        from page import write_section  # beside this script

        write_section("verdict", f"{HEAD}\n{report.text}")
    for line in report.broken:
        print(f"out of bounds: {line}", file=sys.stderr)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
