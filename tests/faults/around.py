"""Faults around a server: the disk full, slow or failing, too much load, clocks, signals, a second server."""

import itertools
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from boxscore.store.spans import SqliteSpans
from faults import shim
from faults.calls import Site
from faults.checker import PROJECT, Verdict, check
from faults.load import BEGUN, SPANS, WHOLE, Journal, Key, Load, Sender, request, send_once, span_id, trace_id, wait_for
from faults.servers import Server

Start = Callable[..., Server]
FULL = 503
YEAR_NS = 365 * 86_400 * 10**9


@contextmanager
def running(work: Path, start: Start, built: Path) -> Iterator[tuple[Server, shim.Control, Journal]]:
    home = work / "home"
    home.mkdir(exist_ok=True)
    control = shim.Control.made(work / "control")
    with start(home, shim.environment(built, home, work / "control")) as server:
        assert server.port, server.error
        yield server, control, Journal()


def whole_trace(name: str) -> list[tuple[Key, int]]:
    return [((trace_id(name), place), WHOLE) for place in range(SPANS)]


def read(port: int, path: str = "/api/v1/traces?limit=5", *, seconds: float = 10) -> tuple[int, bytes]:
    """A question; its status, 0 where no answer came in time."""
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


def disk_full(work: Path, start: Start, built: Path, draw: random.Random) -> Verdict:
    """The disk fills under load and is freed: refused meanwhile, readable throughout, taken again without a restart."""
    with running(work, start, built) as (server, control, journal):
        problems: list[str] = []
        with Load(server.port, journal, "filling"):
            wait_for(lambda: journal.answers.get(200, 0) > 5)
            control.room = draw.randrange(0, 400_000)
            wait_for(lambda: journal.answers.get(FULL, 0) > 10)
            if (status := read(server.port)[0]) != 200:
                problems.append(f"while the disk was full a question was answered with {status}")
        control.room = -1
        if (status := send_once(server.port, journal, whole_trace("there is room again"))) != 200:
            problems.append(f"there is room again, and spans are answered with {status}")
        _only(journal, {200, FULL}, problems)
        _stop(server, problems)
    return check(work / "home", journal) + Verdict(problems=problems)


def slow_sync(work: Path, start: Start, built: Path, delay_s: float, *, clients: int = 8) -> tuple[float, Verdict]:
    """Every sync takes so long: nothing is answered before, many are answered by one, questions do not wait. Gives back
    the longest acknowledgement, in seconds."""
    with running(work, start, built) as (server, control, journal):
        problems: list[str] = []
        assert send_once(server.port, journal, whole_trace("before")) == 200
        assert read(server.port)[0] == 200
        control.delay_us = int(delay_s * 1e6)
        waits: list[float] = []

        def send(n: int) -> None:
            began = time.monotonic()
            send_once(server.port, journal, whole_trace(f"slow {n}"))
            waits.append(time.monotonic() - began)

        threads = [threading.Thread(target=send, args=(n,)) for n in range(clients)]
        for thread in threads:
            thread.start()
        began = time.monotonic()
        if (status := read(server.port)[0]) != 200:
            problems.append(f"a question was answered with {status}")
        asked = time.monotonic() - began
        for thread in threads:
            thread.join()
        if asked > delay_s / 2 + 1:
            problems.append(f"a question waited {asked:.1f} s for the disk")
        if min(waits) < delay_s:
            problems.append(f"spans were acknowledged after {min(waits):.3f} s, and no sync takes less than {delay_s}")
        if max(waits) > 4 * delay_s + 5:
            problems.append(f"{clients} requests at once took {max(waits):.1f} s: each waited for a sync of its own")
        _only(journal, {200}, problems)
        control.heal()
        _stop(server, problems)
    return max(waits), check(work / "home", journal) + Verdict(problems=problems)


def failing_call(work: Path, start: Start, built: Path, site: Site, *, at_start: bool) -> tuple[bool, Verdict]:
    """One call of the server fails, while it starts or under load. It may refuse, and it may need a new start; it may
    not answer with nonsense. True when the fault fired."""
    home, problems = work / "home", []
    home.mkdir()
    control = shim.Control.made(work / "control")
    environment, journal = shim.environment(built, home, work / "control"), Journal()
    if at_start:
        control.fail(site.op, n=site.n, error=site.error, times=site.times)
    server = start(home, environment)
    if server.port is None:
        if "Traceback" in server.error or not server.error.strip():
            problems.append(f"it did not start, and said {server.error[-300:]!r}")
        with server:
            fired = control.fired
        control.heal()
        server = start(home, environment)
    else:
        fired = 0
    with server:
        if server.port is None:
            return fired > 0, Verdict(problems=[f"it does not start again: {server.error[-300:]!r}"])
        if not at_start:
            control.fail(site.op, n=site.n, error=site.error, times=site.times)
        with Load(server.port, journal, "load", clients=3):
            time.sleep(0.4)
        fired = fired or control.fired
        control.heal()
        if (status := read(server.port)[0]) != 200:
            problems.append(f"after the fault a question was answered with {status}")
        _only(journal, {200, FULL}, problems)
        _stop(server, problems)
    problems = [f"{site}, {'at the start' if at_start else 'under load'}: {problem}" for problem in problems]
    return fired > 0, check(home, journal) + Verdict(problems=problems)


def overload(work: Path, start: Start, built: Path, *, seconds: float, clients: int = 100) -> tuple[dict, Verdict]:
    """Ten times what a slow disk takes in: memory stays flat, refusals are told and counted, then all is as before."""
    with running(work, start, built) as (server, control, journal):
        problems: list[str] = []
        load = [
            [((trace_id(f"over {n} {m}"), place), WHOLE) for m in range(170) for place in range(SPANS)]
            for n in range(24)
        ]
        bodies = [request(spans) for spans in load]
        assert send_once(server.port, journal, load[0], bodies[0]) == 200
        control.delay_us = 1_000_000
        stop, no_advice = threading.Event(), []

        def send(number: int) -> None:
            sender = Sender(server.port, journal)
            for n in itertools.count(number):
                if stop.is_set():
                    sender.close()
                    return
                if sender.send(load[n % len(load)], bodies[n % len(load)]) == FULL:
                    if "retry-after" not in sender.headers:
                        no_advice.append(n)
                    stop.wait(0.03)  # sooner than it was told

        threads = [threading.Thread(target=send, args=(n,), daemon=True) for n in range(clients)]
        for thread in threads:
            thread.start()
        memory, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            memory.append(server.memory_mb())
            time.sleep(0.05)
        stop.set()
        control.heal()
        began, used = time.monotonic(), server.cpu_s()
        wait_for(lambda: send_once(server.port, journal, whole_trace("afterwards")) == 200, seconds=60, every_s=0.1)
        recovered, cpu = time.monotonic() - began, server.cpu_s() - used
        for thread in threads:
            thread.join()
        refused, taken = journal.answers.get(FULL, 0), journal.answers.get(200, 0)
        half = len(memory) // 2
        told = {"memory_mb": max(memory), "refused": refused, "taken": taken, "recovered_s": recovered, "cpu_s": cpu}
        told["offered_to_taken"] = (refused + taken) / taken
        counted = _metric(read(server.port, "/metrics")[1], "boxscore_requests_refused_total")
        if counted != refused:
            problems.append(f"{refused} requests were refused, and {counted} are counted")
        if not refused:
            problems.append("nothing was refused: this was no overload")
        if no_advice:
            problems.append(f"{len(no_advice)} refusals had no Retry-After")
        if max(memory) > 512 or max(memory[half:]) > 1.2 * max(memory[:half]):
            problems.append(f"memory rose to {max(memory):.0f} MB, after {max(memory[:half]):.0f} in the first half")
        if recovered > 10:
            problems.append(f"after the overload it took {recovered:.0f} s, {cpu:.0f} of CPU, until spans were taken")
        _only(journal, {200, FULL}, problems)
        _stop(server, problems)
    return told, check(work / "home", journal) + Verdict(problems=problems)


def _metric(text: bytes, name: str) -> float:
    lines = [line for line in text.decode().splitlines() if line.startswith(name)]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


def clocks(work: Path, start: Start, built: Path, jumps: Sequence[int]) -> Verdict:
    """The server's clock jumps while spans arrive, the same ones before and after among them."""
    with running(work, start, built) as (server, control, journal):
        problems: list[str] = []
        for n, jump in enumerate(jumps):
            control.clock_ns = jump
            with Load(server.port, journal, f"jump {n}", clients=2):
                wait_for(lambda n=n: journal.answers.get(200, 0) > 20 * (n + 1))
            if send_once(server.port, journal, whole_trace("in every time")) != 200:
                problems.append(f"after a jump of {jump / 1e9:.0f} s spans are refused")
        control.heal()
        _only(journal, {200}, problems)
        _stop(server, problems)
    return check(work / "home", journal) + Verdict(problems=problems)


def orders(work: Path, start: Start, built: Path, sequences: Sequence[Sequence[tuple[int, int]]]) -> Verdict:
    """A trace for each sequence of (place, version), all side by side: each request holds the next of each."""
    with running(work, start, built) as (server, _, journal):
        problems: list[str] = []
        sender = Sender(server.port, journal)
        traces = [trace_id(f"order {n}") for n in range(len(sequences))]
        for step in range(max(map(len, sequences))):
            part = [((trace, of[step][0]), of[step][1]) for trace, of in zip(traces, sequences, strict=True)]
            if sender.send(part) != 200:
                problems.append(f"step {step} was refused")
        sender.close()
        _stop(server, problems)
    with SqliteSpans(work / "home") as store:
        for summary in store.traces(PROJECT, limit=10_000).items:
            if summary.entry.span_id != span_id(0) or summary.spans != SPANS:
                problems.append(f"a trace ends with {summary.spans} spans and the entry {summary.entry.name}")
    return check(work / "home", journal) + Verdict(problems=problems)


def every_order() -> list[list[tuple[int, int]]]:
    return [[(place, WHOLE) for place in order] for order in itertools.permutations(range(SPANS))]


def random_orders(draw: random.Random, count: int) -> list[list[tuple[int, int]]]:
    """Of twelve: each span as it began and whole."""
    events = [(place, version) for place in range(SPANS) for version in (BEGUN, WHOLE)]
    return [draw.sample(events, len(events)) for _ in range(count)]


def repeats(work: Path, start: Start, built: Path, draw: random.Random, *, batches: int) -> Verdict:
    """Each batch comes two to five times at once, and again after a restart."""
    journal, problems = Journal(), []
    sent = [whole_trace(f"repeated {n}") + whole_trace(f"and again {n}") for n in range(batches)]
    for life in range(2):
        with running(work, start, built) as (server, _, _):
            for batch in sent:
                times = draw.randint(2, 5) if life == 0 else 1
                together = threading.Barrier(times)

                def send(batch=batch, together=together, port=server.port) -> None:
                    together.wait()
                    send_once(port, journal, batch)

                threads = [threading.Thread(target=send) for _ in range(times)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            server.kill() if life == 0 else _stop(server, problems)
    _only(journal, {200}, problems)
    return check(work / "home", journal) + Verdict(problems=problems)


def second_server(work: Path, start: Start, built: Path) -> Verdict:
    """Another server on the same folder refuses with one sentence, and the first one does not notice."""
    with running(work, start, built) as (server, _, journal):
        problems: list[str] = []
        with Load(server.port, journal, "first", clients=2), start(work / "home", None) as other:
            if other.port is not None or other.process.wait(30) != 4:
                problems.append(f"the second server was not refused: it left with {other.process.poll()}")
            if other.error.count("\n") != 1 or "another process writes to" not in other.error:
                problems.append(f"the second server said {other.error!r}")
        if send_once(server.port, journal, whole_trace("after the second")) != 200:
            problems.append("the first server refuses after the second")
        _only(journal, {200}, problems)
        _stop(server, problems)
    return check(work / "home", journal) + Verdict(problems=problems)


def stopped(work: Path, start: Start, built: Path, draw: random.Random, *, twice: bool) -> tuple[float, Verdict]:
    """SIGTERM under load, once or twice; gives back the seconds until it had left."""
    with running(work, start, built) as (server, control, journal):
        problems: list[str] = []
        control.delay_us = draw.choice((0, 20_000, 200_000))
        with Load(server.port, journal, "until the end"):
            wait_for(lambda: journal.answers.get(200, 0) > 10)
            time.sleep(draw.uniform(0, 0.3))
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            if twice:
                time.sleep(draw.uniform(0, 0.05))
                server.process.send_signal(signal.SIGTERM)
            code = server.process.wait(30)
        took = time.monotonic() - began
        if code not in ((0, 128 + signal.SIGTERM) if twice else (0,)):
            problems.append(f"it left with {code}: {server.error[-300:]}")
        if took > 11:
            problems.append(f"it took {took:.1f} s to stop")
        _only(journal, {200, FULL, 0}, problems)
    return took, check(work / "home", journal) + Verdict(problems=problems)


def _only(journal: Journal, statuses: set[int], problems: list[str]) -> None:
    if others := {status: count for status, count in journal.answers.items() if status not in statuses}:
        problems.append(f"answered with {others}")


def _stop(server: Server, problems: list[str]) -> None:
    if (code := server.stop()) not in (0, -signal.SIGTERM):
        problems.append(f"it left with {code}: {server.error[-300:]}")
