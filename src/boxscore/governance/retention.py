"""Retention: how long spans are kept, and what of them is kept longer."""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from itertools import accumulate

import msgspec

from boxscore.errors import SpecError
from boxscore.settings import Settings
from boxscore.store.spans import SqliteSpans
from boxscore.store.spans.removal import Removed
from boxscore.store.spans.upkeep import Inventory, SpanFile, TraceState, Upkeep

DAY_NS = 24 * 3600 * 10**9
WEEK_NS = 7 * DAY_NS
GB = 10**9
FILES = 8
"""Files that a policy by age or size works with: what is to go leaves by whole files, an eighth late at most."""
STEP = 1_000


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept. `days` and `gigabytes` bound everything, `sample` (a share from 0 to 1) what is left after
    `sample_days` of traces without an error and without a score. None bounds nothing."""

    days: float | None = None
    gigabytes: float | None = None
    sample: float = 1.0
    sample_days: float = 7.0

    @classmethod
    def of(cls, settings: Settings) -> "Policy":
        """The policy that the settings give; a `SpecError` names the one that cannot be."""
        for name, value, least in (
            ("retain_days", settings.retain_days, 0.04),
            ("retain_gb", settings.retain_gb, 0.01),
            ("retain_sample_days", settings.retain_sample_days, 0.04),
        ):
            if value is not None and not value >= least:
                raise SpecError(f"it is {value:g}, and {least:g} is the least.", key=f"BOXSCORE_{name.upper()}")
        if not 0 <= settings.retain_sample <= 1:
            raise SpecError(
                f"it is {settings.retain_sample:g}, and not a share from 0 to 1.", key="BOXSCORE_RETAIN_SAMPLE"
            )
        return cls(
            days=settings.retain_days,
            gigabytes=settings.retain_gb,
            sample=settings.retain_sample,
            sample_days=settings.retain_sample_days,
        )

    @property
    def period_ns(self) -> int:
        """How long one span file takes new traces, so that whole files can go in time."""
        return WEEK_NS if self.days is None else min(WEEK_NS, int(self.days * DAY_NS / FILES))


class Now:
    """The time that retention goes by: the server's clock, but no later than the newest span, by the earlier of its two
    clocks, and what has passed since by neither. A clock that runs ahead makes no span older."""

    def __init__(self, clock_ns: Callable[[], int], *, passed_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._clock_ns = clock_ns
        self._passed_ns = passed_ns
        self._was = (0, passed_ns())

    def __call__(self, files: Sequence[SpanFile]) -> int:
        before, at = self._was
        passed = self._passed_ns()
        newest = max((file.newest_ns for file in files if file.newest_ns is not None), default=0)
        now = min(self._clock_ns(), max(newest, before + passed - at))
        self._was = (now, passed)
        return now


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a policy asks of the files that are there: numbers of those that go as a whole, of those that are sampled,
    and whether new traces should go to another file than now."""

    drop: Sequence[int] = ()
    sample: Sequence[int] = ()
    begin: bool = False


class Retained(msgspec.Struct, frozen=True, kw_only=True):
    """What a run removed, or would remove: spans by project, files that went as a whole, scores of what never came."""

    spans: dict[str, int]
    files: int
    scores: int


def plan(files: Sequence[SpanFile], policy: Policy, now_ns: int) -> Plan:
    """What goes now. `files` are the oldest first; the last takes new traces."""
    drop: list[int] = []
    left = list(files)
    ends = _ends(files, now_ns)
    if policy.days is not None:
        expired = now_ns - int(policy.days * DAY_NS)
        drop += [file.number for file in left if file.number in ends and ends[file.number] < expired]
    left = [file for file in left if file.number not in drop]
    begin = False
    if policy.gigabytes is not None:
        room = int(policy.gigabytes * GB)
        while len(left) > 1 and sum(file.bytes for file in left) > room:
            drop.append(left.pop(0).number)
        begin = bool(left) and left[-1].spans > 0 and left[-1].bytes > room / FILES
    settled = now_ns - int(policy.sample_days * DAY_NS)
    sample = [
        file.number
        for file in left
        if file.number in ends
        and ends[file.number] < settled
        and (STEP if file.sampled is None else file.sampled) > _thousandths(policy)
    ]
    # What is sampled takes no new traces any more: they would be looked at by no later run.
    return Plan(drop=drop, sample=sample, begin=begin or (bool(left) and left[-1].number in sample))


def _ends(files: Sequence[SpanFile], now_ns: int) -> dict[int, int]:
    """When each file took its last span; those that are empty have none. Files follow each other, and a clock that was
    set wrong for a while does not change that: what it puts into the future came before what followed, and what it puts
    before an earlier file came after it."""
    ends: dict[int, int] = {}
    follows = now_ns
    for file in reversed(files):
        if file.last_ns is not None:
            told = [at_ns for at_ns in (file.last_ns, file.newest_ns) if at_ns is not None and at_ns <= now_ns]
            ends[file.number] = follows = max(told, default=follows)
    return dict(zip(reversed(ends), accumulate(reversed(ends.values()), max), strict=True))


def keeps(trace: TraceState, policy: Policy) -> bool:
    """Whether sampling leaves the trace: those with an error or a score always, of the others the same ones every time,
    and of a smaller share only some of those of a larger."""
    if trace.error or trace.scored:
        return True
    drawn = int.from_bytes(blake2b(trace.trace_id, digest_size=8).digest(), "big") % STEP
    return drawn < _thousandths(policy)


def retain(
    store: SqliteSpans,
    policy: Policy,
    *,
    now_ns: int,
    dry_run: bool = False,
    progress: Callable[[str], None] = lambda step: None,
) -> Retained:
    """Carries the policy out; with `dry_run` only tells. Whole files are unlinked, traces are removed some at a time,
    and writing goes on between them. A kill in the middle is harmless: the next run goes on.

    Totals by minute (`series`) go with whole files; of what was sampled away they stay. Search, facets and counts know
    stored spans alone.
    """
    inventory = Inventory(store.folder)
    made = plan(inventory.files(), policy, now_ns)
    if not dry_run:
        return _carry_out(store.upkeep, policy, made, now_ns, progress)
    spans = Removed()
    for number in made.drop:
        spans.add(Removed(dict(inventory.spans_of(number))))
    for number in made.sample:
        spans.add(Removed(dict(inventory.spans_of(number, _unkept(inventory, number, policy)))))
    return Retained(spans=spans.projects, files=len(made.drop), scores=0)


def _carry_out(upkeep: Upkeep, policy: Policy, made: Plan, now_ns: int, progress: Callable[[str], None]) -> Retained:
    done = Removed()
    for number in made.drop:
        progress(f"dropping file {number}")
        done.add(Removed(dict(upkeep.drop(number))))
    if made.begin:
        upkeep.begin_file()
    for number in made.sample:
        progress(f"sampling file {number}")
        removed = upkeep.remove(_unkept(upkeep, number, policy), keep_totals=True)
        done.add(removed)
        upkeep.scrub(removed.names)
        upkeep.sampled(number, _thousandths(policy))
    scores = 0
    if policy.days is not None:
        scores = upkeep.remove_waiting_scores(now_ns - int(policy.days * DAY_NS))
    return Retained(spans=done.projects, files=len(made.drop), scores=scores)


def _unkept(inventory: Inventory, number: int, policy: Policy) -> list[tuple[str, bytes]]:
    return [(one.project, one.trace_id) for one in inventory.traces(number) if not keeps(one, policy)]


def _thousandths(policy: Policy) -> int:
    return round(policy.sample * STEP)
