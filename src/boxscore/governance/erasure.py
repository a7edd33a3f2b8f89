"""Erasure: nothing of a user, a session or a trace stays in the home, nor comes back with a backup."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from boxscore import settings
from boxscore.errors import UsageError
from boxscore.governance import tombstones
from boxscore.governance.tombstones import Kind, Tombstone
from boxscore.store.records import Records
from boxscore.store.records.database import FILE
from boxscore.store.records.datasets import DatasetStore
from boxscore.store.spans import SqliteSpans
from boxscore.store.spans.files import FOLDER
from boxscore.store.spans.upkeep import Inventory

Trace = tuple[str, bytes]


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased; `rows` of datasets had been made from these traces."""

    traces: int
    spans: int
    rows: int = 0


def erase(
    home: Path,
    store: SqliteSpans,
    kind: Kind,
    value: str,
    *,
    project: str,
    now_ns: int,
    progress: Callable[[str], None] = lambda step: None,
) -> Erasure:
    """Erases all that began until now: every trace in which a span names the user, and the sessions of those as far as
    they name nobody else; or the traces of a session; or one trace (`value` in hex). Scores of them go with them, and
    rows of datasets that were made from them, out of every version.

    Done, when it returns, to the bytes: texts, dictionaries that were trained on them, roll-ups, search, tags, names,
    freed pages and logs of the span files. A tombstone, synced first, makes sure of it after a kill and in backups from
    before (`reapply`).
    """
    stone = bury(home, kind, value, project=project, now_ns=now_ns)
    done = _erase(home, store, [(stone, _stored(kind, value))], progress)
    tombstones.add(home, [stone], done=True)
    return done


def bury(home: Path, kind: Kind, value: str, *, project: str, now_ns: int) -> Tombstone:
    """Adds the tombstone of what is to be erased: who writes to the home carries it out. It reaches all that is stored,
    also where the clock is behind."""
    newest = max((file.newest_ns or 0 for file in Inventory(home / FOLDER).files()), default=0)
    stone = tombstones.make(home, kind, project, _stored(kind, value), max(now_ns, newest))
    tombstones.add(home, [stone])
    return stone


def reapply(home: Path, store: SqliteSpans, *, progress: Callable[[str], None] = lambda step: None) -> Erasure:
    """Erases again what tombstones stand for: after a kill, in a backup from before, or where spans came late that
    began before they were erased. What began later is kept: nobody is banned by being forgotten."""
    stones = tombstones.read(home)
    found: list[tuple[Tombstone, str]] = []
    upkeep = store.upkeep
    for field in ("user", "session"):
        if of_kind := [stone for stone in stones if stone.kind == field]:
            found += tombstones.found_among(of_kind, upkeep.values(field))
    if of_kind := [stone for stone in stones if stone.kind == "trace"]:
        files = upkeep.files()
        values = ((one.project, one.trace_id.hex()) for file in files for one in upkeep.traces(file.number))
        found += tombstones.found_among(of_kind, values)
    unfinished = [stone for stone, done in stones.items() if not done]
    done = _erase(home, store, found, progress)
    if unfinished:  # what a killed erasure removed has names and bytes that nobody remembers: all files are looked at
        progress("looking for what is left")
        upkeep.scrub(texts=True)
        tombstones.add(home, unfinished, done=True)
    return done


def _erase(
    home: Path, store: SqliteSpans, found: Sequence[tuple[Tombstone, str]], progress: Callable[[str], None]
) -> Erasure:
    upkeep = store.upkeep
    progress("looking for traces")
    reached = [_reach(store, stone, value) for stone, value in found]
    followers = list({trace: None for reach in reached for trace in reach.followers})
    traces = list({trace: None for reach in reached for trace in reach.traces})
    progress("removing rows of datasets")
    # first: after a kill they are found by their traces
    rows = _remove_rows(home, {*followers, *traces, *(_trace(*one) for one in found if one[0].kind == "trace")})
    if not traces:
        return Erasure(traces=0, spans=0, rows=rows)
    progress("training dictionaries anew")
    trained = upkeep.untrain([*followers, *traces])
    progress(f"removing {len(followers) + len(traces):,} traces")
    upkeep.remove_session_scores(session for reach in reached for session in reach.sessions)
    removed = upkeep.remove(followers)  # first: after a kill they are found by those whom they follow
    removed.add(upkeep.remove(traces))
    trained |= upkeep.untrain([*followers, *traces])  # what came of them meanwhile may have been learnt from
    progress("overwriting what is left")
    upkeep.scrub({number: set[int]() for number in trained} | removed.names, texts=True)
    return Erasure(traces=len(followers) + len(traces), spans=removed.spans, rows=rows)


def _trace(stone: Tombstone, value: str) -> Trace:
    return stone.project, bytes.fromhex(value)


def _remove_rows(home: Path, traces: Collection[Trace]) -> int:
    """Rows that were made from these traces, out of all versions of all datasets; where there are records at all."""
    records_url = settings.load().records_url
    if not traces or (records_url is None and not (home / FILE).exists()):
        return 0
    by_project: dict[str, list[str]] = {}
    for project, trace_id in traces:
        by_project.setdefault(project, []).append(trace_id.hex())
    with Records.open(home, records_url) as records:
        return sum(DatasetStore(records.database, project).erase(ids) for project, ids in by_project.items())


class _Reach(NamedTuple):
    """The traces that go, those that go because they share a session with them, and sessions that go as a whole."""

    traces: Sequence[Trace]
    followers: Sequence[Trace] = ()
    sessions: Sequence[tuple[str, str]] = ()


def _reach(store: SqliteSpans, stone: Tombstone, value: str) -> _Reach:
    upkeep = store.upkeep
    match stone.kind:
        case "trace":
            return _Reach([(stone.project, bytes.fromhex(value))])
        case "session":
            traces = upkeep.traces_of(stone.project, "session", [value], stone.at_ns)[value]
            return _Reach(traces, sessions=[(stone.project, value)])
        case "user":
            traces = upkeep.traces_of(stone.project, "user", [value], stone.at_ns)[value]
            sessions = [session for _, session in upkeep.sessions_of(traces)]
            followers: list[Trace] = []
            whole: list[tuple[str, str]] = []
            for session, of_session in upkeep.traces_of(stone.project, "session", sessions, stone.at_ns).items():
                theirs = [trace for trace in of_session if not upkeep.names_others(trace, value)]
                followers += set(theirs) - set(traces)
                if len(theirs) == len(of_session):
                    whole.append((stone.project, session))
            return _Reach(traces, followers, whole)


def _stored(kind: Kind, value: str) -> str:
    """The value as it is looked for."""
    try:
        return bytes.fromhex(value).hex() if kind == "trace" else value
    except ValueError:
        raise UsageError(f"{value!r} is no trace id: it is written in hexadecimal digits.") from None


def hold_against(staged: Path, home: Path) -> None:
    """Erases in a home that is about to be restored what was erased since: by its own tombstones, and by those of the
    home that it replaces."""
    tombstones.merge(staged, tombstones.read(home))
    if tombstones.read(staged):
        with SqliteSpans(staged) as store:
            reapply(staged, store)
