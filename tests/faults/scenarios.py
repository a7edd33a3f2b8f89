"""The faults, one function each: short forms and the campaign call the same ones."""

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from faults import shim
from faults.calls import Found, Site, sites
from faults.checker import Verdict, check
from faults.load import Journal, Load
from faults.power import Disk, acknowledgement, killed, read_log
from faults.servers import Server, program, with_tests

Start = Callable[[Path, dict[str, str] | None], Server]
"""Starts a program on a folder, with an environment if need be."""


def kill(work: Path, start: Start, draw: random.Random, *, kills: int, longest_s: float = 0.7) -> Verdict:
    """kill -9 at any moment under load, again and again on one folder."""
    home, journal = work / "home", Journal()
    home.mkdir()
    for life in range(kills):
        with start(home, None) as server, Load(server.port, journal, str(life)):
            time.sleep(draw.uniform(0.05, longest_s))  # the fault is the time: any is as good as another
            server.kill()
    return check(home, journal)


def lose_power(
    work: Path,
    start: Start,
    built: Path,
    draw: random.Random,
    *,
    losses: int,
    lives: int = 2,
    processes: int = 1,
    failing_syncs: bool = False,
    longest_s: float = 0.8,
) -> tuple[int, Verdict]:
    """A server under load whose power is lost, at `losses` points in each of its lives; from what the last one left it
    goes on in the next. In a life it may be killed and started again, so often that there are so many `processes`, and
    syncs may fail in all but the last of them."""
    total, done = Verdict(), 0
    journal, before = Journal(), work / "before"
    before.mkdir()
    for life in range(lives):
        home, log = work / f"home-{life}", work / f"log-{life}"
        shutil.copytree(before, home)
        control = shim.Control.made(work / "control")
        control.delay_us = draw.choice((0, 0, 2_000))
        handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        environment = shim.environment(built, home, work / "control", log=log)

        def stamp(told: bytes, handle: int = handle) -> None:
            os.write(handle, acknowledgement(told))

        known = dict(journal.acknowledged)
        for process in range(processes):
            with start(home, environment) as server:
                if failing_syncs and process + 1 < processes:
                    control.fail("sync", n=draw.randrange(1, 40), error="EIO", times=draw.choice((1, -1)))
                with Load(server.port, journal, f"life {life} {process}", stamp=stamp):
                    time.sleep(draw.uniform(0.2, longest_s))
                    server.kill()
                    os.write(handle, killed())
                control.heal()
        os.close(handle)
        records = read_log(log)
        disk = Disk(home, records, before)
        left = work / "left"
        for point in sorted(draw.sample(range(len(records) + 1), min(losses, len(records)))):
            disk.run_to(point)
            shutil.rmtree(left, ignore_errors=True)
            loss = disk.lose_power(left, draw)
            survived = Journal()
            survived.sent = journal.sent
            survived.acknowledged = known | _acknowledged(records[:point])
            shutil.rmtree(before)
            shutil.copytree(left, before)
            found = check(left, survived)
            found.problems = [f"power lost at {point} of {len(records)} ({loss}): {it}" for it in found.problems]
            total += found
            done += 1
        journal.acknowledged = survived.acknowledged
        shutil.rmtree(home)
    return done, total


def _acknowledged(records):
    found = {}
    for record in records:
        if record.kind == "acknowledged":
            for trace, place, version in json.loads(record.data):
                key = (bytes.fromhex(trace), place)
                found[key] = max(version, found.get(key, 0))
    return found


class Calls:
    """Runs `calls.py` under the shim."""

    def __init__(self, work: Path, built: Path) -> None:
        shim.Control.made(work / "control")
        self._process = subprocess.Popen(
            program("calls"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=with_tests(shim.environment(built, work / "home", work / "control")),
        )

    def sites(self) -> list[Site]:
        """Every call that a clean run makes, with each error that it can have."""
        return sites({op: json.loads(self._ask(op)) for op in shim.OPS})

    def run(self, site: Site) -> Found:
        return msgspec.json.decode(self._ask(msgspec.to_builtins(site)), type=Found)

    def _ask(self, question: object) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def __enter__(self) -> "Calls":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
