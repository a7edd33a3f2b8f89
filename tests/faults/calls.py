"""One call after another fails under a span store: open, write, sync, truncate, rename, unlink, map, close, mkdir.

Run as a program under the shim; it reads sites (JSON, one a line) and answers each with what was
found. One process, for a start of the interpreter costs more than a run.
"""

import json
import os
import shutil
import sys
from pathlib import Path

import msgspec

from boxscore.errors import StoreError
from boxscore.store.spans import SqliteSpans
from faults import shim
from faults.checker import PROJECT, Verdict, check
from faults.load import SCORE, SPANS, WHOLE, Journal, parts_of, request, rows, score, trace_id
from faults.store_server import score_of

SEGMENT_SPANS = 30
TRACES = 8
ERRORS = {
    "open": ("EIO", "EMFILE", "ENOSPC", "EINTR"),
    "write": ("EIO", "ENOSPC", "EINTR", "short"),
    "sync": ("EIO", "ENOSPC", "EINTR"),
    "truncate": ("EIO", "ENOSPC", "EINTR"),
    "rename": ("EIO", "ENOSPC"),
    "unlink": ("EIO",),
    "mmap": ("ENOMEM",),
    "close": ("EIO", "EINTR"),
    "mkdir": ("EIO", "ENOSPC"),
}
LASTING = {"EIO", "ENOSPC", "EMFILE"}


class Site(msgspec.Struct, frozen=True):
    """The n-th call of `op`, on files whose path holds `match`, fails so many `times` (-1: from there on)."""

    op: str
    n: int
    error: str
    times: int = 1
    match: str = ""


class Found(msgspec.Struct):
    site: Site
    fired: int
    where: str
    refused: int
    acknowledged: int
    lost: int
    duplicated: int
    half: int
    problems: list[str]

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.half or self.problems)


def sites(counts: dict[str, int]) -> list[Site]:
    """Every call of a clean run, with each error that it can have."""
    return [
        Site(op, n, error, times)
        for op, count in counts.items()
        for n in range(1, count + 1)
        for error in ERRORS[op]
        for times in ((1, -1) if error in LASTING else (1,))
    ]


def run(home: Path, control: shim.Control, site: Site | None) -> tuple[Journal, int, list[str]]:
    """The store's whole life with one fault in it: made, written to until it has several files, caught up, closed."""
    journal, problems, refused = Journal(), [], 0
    if site is not None:
        control.fail(site.op, n=site.n, error=site.error, times=site.times, match=site.match)
    try:
        store = SqliteSpans(home, segment_spans=SEGMENT_SPANS)
    except StoreError:
        control.heal()  # whoever started it looks, and starts it again
        store, refused = SqliteSpans(home, segment_spans=SEGMENT_SPANS), 1
    failed = False
    for n in range(TRACES):
        for part in (*parts_of(f"trace {n}"), [((trace_id(f"trace {n}"), SCORE), WHOLE)]):
            failed |= not put(store, journal, part, problems)
        if n == TRACES // 2:
            try:
                store.catch_up()
            except StoreError:
                failed = True
            except Exception as error:  # noqa: BLE001
                problems.append(f"catching up: {error!r}")
    refused += failed
    control.heal()
    if site is not None and site.error == "ENOSPC" and site.op == "write":
        after = [((trace_id("afterwards"), place), WHOLE) for place in range(SPANS)]
        if not put(store, journal, after, problems):
            problems.append("there is room again, and it still refuses")
    try:
        store.close()
    except Exception as error:  # noqa: BLE001
        problems.append(f"closing: {error!r}")
    return journal, refused, problems


def put(store: SqliteSpans, journal: Journal, part, problems: list[str]) -> bool:
    journal.sending(part)
    try:
        trace, place = part[0][0]
        if place == SCORE:
            store.put_scores(PROJECT, [score_of(score(trace))]).result(30)
        else:
            store.put(PROJECT, rows(request(part))).result(30)
    except StoreError:
        return False
    except Exception as error:  # noqa: BLE001 - an error outside the tree is a finding
        problems.append(f"putting: {error!r}")
        return False
    journal.answered(200, part)
    return True


def main() -> None:
    control = shim.Control(Path(os.environ["FAULTS_CONTROL"]))
    home = Path(os.environ["FAULTS_FOLDER"])
    for line in sys.stdin:
        asked = json.loads(line)
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        if isinstance(asked, str):  # how many such calls a clean run makes
            control.count(asked)
            journal, refused, problems = run(home, control, None)
            assert not refused
            assert not problems
            answer = msgspec.json.encode(control.calls)
        else:
            site = msgspec.convert(asked, Site)
            try:
                journal, refused, problems = run(home, control, site)
                fired, where = control.fired, control.where
                verdict = check(home, journal)
            except Exception as error:  # noqa: BLE001
                fired, where, refused, verdict = control.fired, control.where, 0, Verdict()
                problems = [f"the run broke off: {error!r}"]
                control.heal()
            told = (verdict.acknowledged, verdict.lost, verdict.duplicated, verdict.half)
            answer = msgspec.json.encode(Found(site, fired, where, refused, *told, problems + verdict.problems))
        sys.stdout.write(answer.decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
