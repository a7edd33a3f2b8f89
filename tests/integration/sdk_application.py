"""An application that is traced, for tests that need a process of its own.

python sdk_application.py SCENARIO URL FOLDER RUNS

Each run is a fork of this process, with its own home FOLDER/N. It writes FOLDER/N/made.json: the ids of the spans that
it ended, what `counts()` says when all is over, the longest call in seconds, and how long the exit took.
"""

import asyncio
import atexit
import gc
import json
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import boxscore
from boxscore.sdk import counts

CALLS = 30
made: list[str] = []
slowest = 0.0
leaving = 0.0


@boxscore.trace
def answer(question: str) -> str:
    made.append(boxscore.current_span().span_id)
    return question.upper()


@boxscore.trace
async def parts(count: int) -> AsyncIterator[str]:
    made.append(boxscore.current_span().span_id)
    for number in range(count):
        await asyncio.sleep(0)
        yield f"part {number}"


def calls(count: int = CALLS) -> None:
    global slowest
    for number in range(count):
        began = time.perf_counter()
        answer(f"{number} " + "why " * 200)
        slowest = max(slowest, time.perf_counter() - began)
    boxscore.score("useful", 1.0, session="s-1")


def report(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    told = {kind: {name: getattr(count, name) for name in count.__struct_fields__} for kind, count in counts().items()}
    took = time.perf_counter() - leaving
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    said = {"made": made, "counts": told, "slowest_s": slowest, "exit_s": took, "memory_mb": memory}
    (folder / "made.json").write_text(json.dumps(said))


def forks(folder: Path) -> None:
    """A child by fork, one by multiprocessing, while the parent goes on."""
    calls(5)
    boxscore.flush(0.3)
    calls(5)
    child = os.fork()
    if child == 0:
        in_child(folder / "fork")
        sys.exit()
    process = multiprocessing.get_context("fork").Process(target=in_child, args=(folder / "process",))
    process.start()
    calls(5)
    process.join()
    os.waitpid(child, 0)


def in_child(folder: Path) -> None:
    made.clear()
    calls(5)
    folder.mkdir()
    (folder / "made.json").write_text(json.dumps({"made": made}))
    atexit.unregister(report)  # it is the parent's


def loops() -> None:
    """Streams that nobody takes to their end, and event loops that are over before them."""

    async def abandon() -> None:
        left = parts(5)
        await anext(left)
        kept.append(left)
        async for _ in parts(3):
            pass

    kept: list[object] = []
    for _ in range(3):
        asyncio.run(abandon())
    loop = asyncio.new_event_loop()
    left = parts(5)
    loop.run_until_complete(anext(left))
    loop.close()
    del left
    kept.clear()
    gc.collect()
    calls(5)


def run(scenario: str, url: str, folder: Path) -> None:
    global leaving
    folder.mkdir(parents=True)
    os.environ["BOXSCORE_HOME"] = str(folder)
    atexit.register(report, folder)  # before init, so that it comes after what init leaves to be done
    boxscore.init(url, instrument=False)
    if scenario == "disk":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, resource.RLIM_INFINITY))  # no file grows beyond it
        calls()
    elif scenario == "fork":
        forks(folder)
    elif scenario == "loop":
        loops()
    elif scenario == "flush":
        calls()
        boxscore.flush(0.5)
        calls()
        boxscore.flush(0.5)
    else:  # exit
        calls()
    leaving = time.perf_counter()


def main() -> None:
    scenario, url, folder, runs = sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])
    for number in range(runs):
        child = os.fork()
        if child == 0:
            run(scenario, url, folder / str(number))
            return
        _, status = os.waitpid(child, 0)
        if status != 0:
            sys.exit(f"run {number} ended with {status}")


if __name__ == "__main__":
    main()
