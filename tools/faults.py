"""The fault campaign: what `docs/reliability.md` promises, broken on purpose, over and over.

    make faults                                    everything, and the figures into docs/reliability.md
    python tools/faults.py --only kill power       some of it
    python tools/faults.py --scale 5 --seed 2      more of it, drawn otherwise

Every run ends with the same question: is what was acknowledged stored, once and whole? It leaves with 1 when one was
answered with no. Linux and a C compiler are needed.
"""

import argparse
import os
import platform
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from faults import around, scenarios, shim  # noqa: E402 - the scenarios are the tests'
from faults.around import YEAR_NS  # noqa: E402
from faults.calls import ERRORS, Found, Site  # noqa: E402
from faults.checker import Verdict  # noqa: E402
from faults.servers import serve, store_server  # noqa: E402

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
SECOND_NS = 10**9
SYNC_DELAYS_S = (0.001, 0.01, 0.1, 1.0, 5.0)
RUNS_A_HOME = 5
OFTEN = ("write", "write", "write", "sync", "sync", "open", "truncate", "unlink", "rename", "mmap")


@dataclass
class Row:
    """A line of the report."""

    name: str
    runs: int = 0
    verdict: Verdict = field(default_factory=Verdict)
    notes: list[str] = field(default_factory=list)
    expects_losses: bool = False

    def add(self, verdict: Verdict, runs: int = 1) -> None:
        self.runs += runs
        self.verdict += verdict
        if not verdict.good and not self.expects_losses:
            for problem in verdict.problems[:3] or [str(verdict)]:
                print(f"    {problem[:400]}", flush=True)

    @property
    def good(self) -> bool:
        return self.verdict.lost > 0 if self.expects_losses else self.verdict.good

    def __str__(self) -> str:
        told = self.verdict
        cells = (self.runs, told.acknowledged, told.lost, told.duplicated, told.half)
        problems = "(expected)" if self.expects_losses else f"{len(told.problems)}"
        return f"| {self.name} | {' | '.join(f'{cell:,}' for cell in cells)} | {problems} | {'; '.join(self.notes)} |"


class Campaign:
    """`scale` multiplies how often each fault is tried."""

    def __init__(self, work: Path, *, seed: int, scale: float) -> None:
        self._work = work
        self._seed = seed
        self._scale = scale
        self._built = shim.compiled(work)
        self._made = 0

    def times(self, runs: int) -> range:
        return range(max(1, round(runs * self._scale)))

    def home(self) -> Path:
        shutil.rmtree(self._work / str(self._made), ignore_errors=True)
        self._made += 1
        made = self._work / str(self._made)
        made.mkdir()
        return made

    def draw(self, name: str, n: int = 0) -> random.Random:
        return random.Random(f"{self._seed} {name} {n}")

    def kill(self) -> Iterator[Row]:
        for name, start, homes in (("server", serve, 6), ("store alone, small files", store_server, 4)):
            row = Row(f"kill -9 at any moment, {name}")
            for n in self.times(homes):
                draw = self.draw(row.name, n)
                row.add(scenarios.kill(self.home(), start, draw, kills=RUNS_A_HOME, longest_s=1.5), RUNS_A_HOME)
            yield row

    def power(self) -> Iterator[Row]:
        small = partial(store_server, segment_spans=150)
        for name, start, homes in (("server", serve, 10), ("store alone, small files", small, 10)):
            row = Row(f"power loss, {name}")
            for n in self.times(homes):
                done, found = scenarios.lose_power(
                    self.home(), start, self._built, self.draw(row.name, n), losses=5, longest_s=1.5
                )
                row.add(found, done)
            yield row
        row = Row("power loss after failed syncs, a kill and a new start")
        for n in self.times(8):
            done, found = scenarios.lose_power(
                *(self.home(), store_server, self._built, self.draw(row.name, n)),
                losses=5,
                lives=1,
                processes=2,
                failing_syncs=True,
            )
            row.add(found, done)
        yield row
        row = Row("power loss, a store broken on purpose (no sync at commit)", expects_losses=True)
        for n in self.times(4):
            done, found = scenarios.lose_power(
                self.home(),
                partial(store_server, synchronous="NORMAL"),
                self._built,
                self.draw(row.name, n),
                losses=5,
                lives=1,
            )
            row.add(found, done)
        yield row

    def calls(self) -> Iterator[Row]:
        errors = sorted({error for errors in ERRORS.values() for error in errors})
        row = Row(f"the n-th call fails, store ({', '.join(errors)})")
        fired = refused = 0
        with scenarios.Calls(self.home(), self._built) as calls:
            every = calls.sites()
            sites = self.draw(row.name).sample(every, min(len(every), len(self.times(400))))
            for site in sites:
                found = calls.run(site)
                fired, refused = fired + (found.fired > 0), refused + found.refused
                row.add(_verdict(found))
        row.notes.append(f"of {len(every):,} sites; {fired:,} fired, {refused:,} were refused to a sender")
        yield row
        row, fired = Row("the n-th call fails, server"), 0
        draw = self.draw(row.name)
        for _ in self.times(40):
            op = draw.choice(
                ("write", "write", "write", "sync", "sync", "open", "truncate", "unlink", "rename", "mmap")
            )
            error = draw.choice(ERRORS[op])
            lasting = draw.random() < 0.3 and error in ("EIO", "ENOSPC")
            site = Site(op, draw.randint(1, {"write": 60, "sync": 12}.get(op, 4)), error, -1 if lasting else 1)
            hit, found = around.failing_call(self.home(), serve, self._built, site, at_start=draw.random() < 0.3)
            fired += hit
            row.add(found)
        row.notes.append(f"{fired} fired")
        yield row

    def full(self) -> Iterator[Row]:
        for name, start in (("server", serve), ("store alone, small files", store_server)):
            row = Row(f"disk full under load, then freed, {name}")
            for n in self.times(5):
                row.add(around.disk_full(self.home(), start, self._built, self.draw(row.name, n)))
            yield row

    def slow(self) -> Iterator[Row]:
        row = Row(f"each sync takes {', '.join(f'{1000 * delay:g}' for delay in SYNC_DELAYS_S)} ms")
        longest: list[float] = []
        for delay in SYNC_DELAYS_S:
            took, found = around.slow_sync(self.home(), serve, self._built, delay)
            longest.append(took)
            row.add(found)
        row.notes.append(f"slowest of 8 answers at once: {', '.join(f'{1000 * took:.0f}' for took in longest)} ms")
        yield row

    def overload(self) -> Iterator[Row]:
        row = Row("overload: 100 clients at once on a disk that syncs in a second")
        told, found = around.overload(self.home(), serve, self._built, seconds=60 * min(1, self._scale))
        row.add(found)
        row.notes.append(
            f"{told['offered_to_taken']:.0f} × what was taken was offered; {told['refused']:,} requests refused and "
            f"counted, {told['taken']:,} taken; at most {told['memory_mb']:.0f} MB resident; spans were taken again "
            f"{told['recovered_s']:.1f} s after it ended, {told['cpu_s']:.1f} s of CPU"
        )
        yield row

    def clocks(self) -> Iterator[Row]:
        row = Row("the server's clock jumps: seconds, hours, a day, ten years, both ways")
        sizes = (SECOND_NS, 3_600 * SECOND_NS, 86_400 * SECOND_NS, 10 * YEAR_NS)
        for n in self.times(5):
            draw = self.draw(row.name, n)
            jumps = [draw.choice((-1, 1)) * draw.choice(sizes) for _ in range(8)]
            row.add(around.clocks(self.home(), serve, self._built, jumps), len(jumps))
        yield row

    def orders(self) -> Iterator[Row]:
        row = Row("every order of a trace of six spans")
        row.add(around.orders(self.home(), serve, self._built, around.every_order()), 720)
        yield row
        count = len(self.times(2_000))
        row = Row("random orders of twelve versions of six spans")
        row.add(around.orders(self.home(), serve, self._built, around.random_orders(self.draw(row.name), count)), count)
        yield row

    def repeats(self) -> Iterator[Row]:
        row = Row("a batch two to five times at once, and again after a kill and a restart")
        count = len(self.times(300))
        row.add(around.repeats(self.home(), serve, self._built, self.draw(row.name), batches=count), count)
        yield row

    def second(self) -> Iterator[Row]:
        row = Row("a second server on the folder")
        for _ in self.times(10):
            row.add(around.second_server(self.home(), serve, self._built))
        yield row

    def stop(self) -> Iterator[Row]:
        for name, twice in (("SIGTERM under load", False), ("SIGTERM twice under load", True)):
            row, longest = Row(name), 0.0
            for n in self.times(10):
                took, found = around.stopped(self.home(), serve, self._built, self.draw(name, n), twice=twice)
                longest = max(longest, took)
                row.add(found)
            row.notes.append(f"gone after {longest:.1f} s at most")
            yield row


PARTS: tuple[str, ...] = (
    *("kill", "power", "calls", "full", "slow", "overload", "clocks", "orders", "repeats", "second", "stop"),
)


def _verdict(found: Found) -> Verdict:
    problems = [f"{found.site} at {found.where}: {problem}" for problem in found.problems]
    return Verdict(
        acknowledged=found.acknowledged,
        lost=found.lost,
        duplicated=found.duplicated,
        half=found.half,
        problems=problems,
    )


def report(rows: list[Row], command: str, took_s: float) -> str:
    heads = ("Fault", "Runs", "Acknowledged", "Lost", "Twice", "Half", "Other findings", "Measured")
    machine = f"{os.cpu_count()} cores (load {os.getloadavg()[2]:.0f}), Linux {platform.release().partition('-')[0]}"
    return "\n".join(
        [
            f"{time.strftime('%d %B %Y').lstrip('0')}, `{command}`, {took_s / 60:.0f} minutes on {machine}:",
            "",
            f"| {' | '.join(heads)} |",
            f"|---|{'---:|' * 6}---|",
            *map(str, rows),
        ]
    )


def write(page: Path, text: str) -> None:
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", action="store_true", help=f"write the figures into {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    if (reason := shim.missing()) is not None:
        sys.exit(reason)
    began, rows = time.monotonic(), list[Row]()
    with tempfile.TemporaryDirectory(prefix="boxscore-faults-") as work:
        campaign = Campaign(Path(work), seed=options.seed, scale=options.scale)
        for part in options.only:
            part_of: Callable[[], Iterator[Row]] = getattr(campaign, part)
            for row in part_of():
                print(row, flush=True)
                rows.append(row)
    took = time.monotonic() - began
    if options.report:
        write(PAGE, report(rows, "make faults", took))
    bad = [row.name for row in rows if not row.good]
    print(f"{took / 60:.0f} minutes; {f'not as promised: {bad}' if bad else 'all as promised'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
