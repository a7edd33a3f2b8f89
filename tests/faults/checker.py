"""Compares what was acknowledged with what is stored, through the store's public face."""

from dataclasses import dataclass, field
from pathlib import Path

from boxscore.store.spans import SpanRow, SqliteSpans, StoredSpan
from boxscore.store.verify import verify
from faults.load import SCORE, Journal, Key, may_be_stored, place_of, score, word_of

PROJECT = "default"
ALWAYS_NS = 200 * 365 * 86_400 * 10**9
SEARCHED = 5
TOLD = [name for name in SpanRow.__struct_fields__ if name != "entry"]


@dataclass
class Verdict:
    """How many spans and scores were acknowledged, and of those and others that are stored: `lost` are not there,
    `duplicated` there twice, `half` not as they were sent in any version that they may have. `problems` is whatever
    else does not agree."""

    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    duplicated: int = 0
    half: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.half or self.problems)

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            *(getattr(self, name) + getattr(other, name) for name in ("acknowledged", "stored", "lost")),
            *(getattr(self, name) + getattr(other, name) for name in ("duplicated", "half", "problems")),
        )


def check(home: Path, journal: Journal) -> Verdict:
    """Opens the store as a program would after the fault, and looks at everything."""
    try:
        with SqliteSpans(home) as store:
            return check_store(store, journal)
    except Exception as error:  # noqa: BLE001 - whatever keeps it from opening is the finding
        lost = len(journal.acknowledged)
        return Verdict(acknowledged=lost, lost=lost, problems=[f"the store does not open or answer: {error!r}"])


def check_store(store: SqliteSpans, journal: Journal) -> Verdict:
    verdict = Verdict(acknowledged=len(journal.acknowledged))
    stored: dict[Key, StoredSpan] = {}
    for span in _all(store, verdict):
        key = (span.trace_id, place_of(span.span_id))
        verdict.duplicated += key in stored
        stored[key] = span
    scored = _check_scores(store, verdict)
    verdict.stored = len(stored)
    verdict.lost = len(journal.acknowledged.keys() - stored.keys() - scored)
    if invented := (stored.keys() | scored) - journal.sent:
        verdict.problems.append(f"{len(invented)} spans or scores are stored that nobody sent")
    for key, span in stored.items():
        if key in journal.sent and not _is_one_of(span, may_be_stored(key, journal.acknowledged.get(key))):
            verdict.half += 1
    store.catch_up()
    _check_traces(store, stored, verdict)
    _check_totals(store, stored, verdict)
    _check_search(store, stored, verdict)
    verdict.problems += [f"verify: {path.name}: {problem}" for path, problem in verify(store.folder.parent)]
    return verdict


def _check_scores(store: SqliteSpans, verdict: Verdict) -> set[Key]:
    found: set[Key] = set()
    for one in store.scores(PROJECT, limit=10_000):
        key = (one.trace_id or b"", SCORE)
        verdict.duplicated += key in found
        sent = score(key[0]) | {"trace_id": key[0]}
        verdict.half += any(getattr(one, name) != value for name, value in sent.items())
        found.add(key)
    return found


def _all(store: SqliteSpans, verdict: Verdict) -> list[StoredSpan]:
    found: list[StoredSpan] = []
    cursor = None
    while True:
        page = store.spans(PROJECT, limit=5_000, cursor=cursor, whole=True)
        found += page.items
        if (cursor := page.cursor) is None:
            return found


def _is_one_of(span: StoredSpan, versions: list[SpanRow]) -> bool:
    return any(all(getattr(span, name) == getattr(version, name) for name in TOLD) for version in versions)


def _check_traces(store: SqliteSpans, stored: dict[Key, StoredSpan], verdict: Verdict) -> None:
    traces = {trace for trace, _ in stored}
    listed: list[bytes] = []
    cursor = None
    while True:
        page = store.traces(PROJECT, limit=5_000, cursor=cursor)
        listed += [summary.entry.trace_id for summary in page.items]
        if (cursor := page.cursor) is None:
            break
    if sorted(listed) != sorted(traces):
        verdict.problems.append(f"{len(listed)} traces are listed, {len(traces)} stored")
    for trace in sorted(traces)[:SEARCHED]:
        places = {place for of, place in stored if of == trace}
        if {place_of(span.span_id) for span in store.trace(PROJECT, trace).items} != places:
            verdict.problems.append(f"the trace {trace.hex()} by its id has other spans than the list")


def _check_totals(store: SqliteSpans, stored: dict[Key, StoredSpan], verdict: Verdict) -> None:
    counts = store.counts(PROJECT)
    series = store.series(PROJECT, start_ns=0, end_ns=ALWAYS_NS, step_ns=ALWAYS_NS)
    spans, tokens = len(stored), sum(span.output_tokens or 0 for span in stored.values())
    if (counts.spans, counts.output_tokens) != (spans, tokens):
        verdict.problems.append(f"counted are {counts.spans} spans, {counts.output_tokens} tokens: {spans}, {tokens}")
    summed = sum(point.spans for point in series.points), sum(point.output_tokens for point in series.points)
    if (*summed, series.pending) != (spans, tokens, 0):
        verdict.problems.append(f"rolled up are {summed}, {series.pending} pending: {spans}, {tokens} are stored")


def _check_search(store: SqliteSpans, stored: dict[Key, StoredSpan], verdict: Verdict) -> None:
    answered = {key for key, span in stored.items() if span.output_text}
    for trace in sorted({trace for trace, _ in answered})[:SEARCHED]:
        hits = store.search(PROJECT, word_of(trace))
        found = [(span.trace_id, place_of(span.span_id)) for span in hits.items]
        if sorted(found) != sorted(key for key in answered if key[0] == trace) or hits.pending:
            verdict.problems.append(f"search finds {len(found)} of the trace {trace.hex()}, {hits.pending} pending")
