"""Verdicts that were reached here, as lists and as pages: recalled from the store, with all that was run beside them.

The verdict that is kept is never changed. What it lacks (because an older version wrote it) or could not know (what was
run on the same examples since) is worked out from the rows and shown beside it.
"""

import csv
import io
from collections import OrderedDict
from datetime import datetime
from decimal import Decimal
from threading import Lock
from typing import Literal, NamedTuple

import msgspec

from boxscore.datasets.names import parse_reference
from boxscore.datasets.versions import Datasets
from boxscore.errors import NotFoundError, UsageError
from boxscore.experiments.comparison import Comparison
from boxscore.experiments.history import History, VariantRef
from boxscore.experiments.journal import load_run
from boxscore.experiments.report import fineprint, html, markdown, sides
from boxscore.experiments.report.pair_lines import PairLine, pair_line
from boxscore.experiments.report.sheet import Phrase, Sheet, said, sheet
from boxscore.experiments.slices import members
from boxscore.experiments.verdict import Decision, Pair, Verdict
from boxscore.store.records import Records, VerdictRow
from boxscore.store.records.jobs import JobRows
from boxscore.store.records.results import Results
from boxscore.types import Json

KEPT = 3
"""Comparisons that are held in memory: pages of one are asked one after the other."""

MOST_BESIDE = 6
Outcome = Literal["worse", "better", "tied"]


class ComparisonEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict in a list: its headline in pieces, and between whom. `spent_usd` is what its answers cost."""

    id: str
    verdict: Decision
    created_at: datetime
    said: tuple[Phrase, ...]
    rule: str
    dataset: str
    version: str
    examples: int
    baseline: VariantRef
    candidate: VariantRef
    baseline_run: str | None
    candidate_run: str | None
    spent_usd: Decimal | None


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes to compare the same on more. `asked` is the body that `POST /comparisons` was sent, None for a
    comparison that was started elsewhere; `dataset` is the reference of a dataset of the store, None for other rows;
    `left` of its examples were not compared."""

    asked: dict[str, Json] | None
    dataset: str | None
    left: int


class _Read(NamedTuple):
    shown: Comparison
    runs: dict[str, str]


class BoxScores:
    """Of one project. Methods raise `NotFoundError` for an id that is not there."""

    def __init__(self, records: Records, kept: "Kept | None" = None) -> None:
        self._records = records
        self._results = Results(records.database, records.project)
        self._kept = kept or Kept()

    def entries(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        dataset: str | None = None,
        verdict: str | None = None,
        variant: str | None = None,
    ) -> tuple[list[ComparisonEntry], str | None]:
        """The newest first."""
        found, following = self._results.verdicts(
            limit=limit, cursor=cursor, dataset=dataset, verdict=verdict, variant=variant
        )
        return [_entry(row) for row in found], following

    def verdict(self, verdict_id: str) -> str:
        """The JSON as it was kept."""
        return self._row(verdict_id).content_json

    def sheet(self, verdict_id: str) -> Sheet:
        read = self._read(verdict_id)
        return sheet(read.shown.verdict, read.shown.evidence, runs=read.runs)

    def pairs(
        self,
        verdict_id: str,
        *,
        limit: int,
        outcome: Outcome | None = None,
        slice: str | None = None,
        value: str | None = None,
        cursor: str | None = None,
    ) -> tuple[list[PairLine], str | None]:
        """Answers side by side: those that lost most, those that gained most, ties. `slice` and `value` are of a line
        of the slices."""
        start = _place(cursor)
        found = self._chosen(verdict_id, outcome, slice, value)
        taken = found[start : start + limit]
        end = start + len(taken)
        return [pair_line(pair) for pair in taken], str(end) if end < len(found) else None

    def again(self, verdict_id: str) -> Again:
        row = self._row(verdict_id)
        verdict = msgspec.json.decode(row.content_json, type=Verdict)
        run = None if row.candidate_run is None else self._results.run(row.candidate_run)
        asked: dict[str, Json] | None = None
        if run is not None and run.job_id is not None:
            asked = msgspec.json.decode(JobRows(self._records.database).spec(run.job_id), type=dict[str, Json])
        named: Json = verdict.dataset.name if asked is None else asked["dataset"]
        try:
            reference = parse_reference(named if isinstance(named, str) else "")
            found = Datasets(self._records.database, self._records.project).version(reference)
        except UsageError:  # rows of a file, or sent along: nobody here knows of more
            return Again(asked=asked, dataset=None, left=0)
        return Again(asked=asked, dataset=str(reference), left=max(0, found.examples - verdict.dataset.examples))

    def html(self, verdict_id: str) -> str:
        shown = self._read(verdict_id).shown
        return html(shown.verdict, shown.evidence)

    def markdown(self, verdict_id: str) -> str:
        shown = self._read(verdict_id).shown
        return markdown([(shown.verdict, shown.evidence)])

    def csv(self, verdict_id: str) -> str:
        """One row per example, both answers in it. Cells that a spreadsheet would take for a formula begin with '."""
        out = io.StringIO()
        table = csv.writer(out)
        both = ("output", "value", "label", "error", "tokens_out", "cost_usd", "latency_s")
        head = [f"{side}_{name}" for side in ("baseline", "candidate") for name in both]
        table.writerow(["example_id", "outcome", "question", "reference", *head])
        for pair in self._read(verdict_id).shown.evidence.pairs:
            told = [getattr(side, name) for side in (pair.baseline, pair.candidate) for name in both]
            reference = "" if pair.reference is None else sides.plain(pair.reference)
            row = [pair.example_id, pair.outcome, sides.question(pair.inputs), reference, *told]
            table.writerow([_inert(cell) for cell in row])
        return out.getvalue()

    def _row(self, verdict_id: str) -> VerdictRow:
        row = self._results.verdict(verdict_id)
        if row is None:
            raise NotFoundError("comparison", verdict_id)
        return row

    def _chosen(self, verdict_id: str, outcome: Outcome | None, slice: str | None, value: str | None) -> list[Pair]:
        pairs = self._read(verdict_id).shown.evidence.pairs
        inside: set[str] | None = None
        if slice is not None:
            run = self._row(verdict_id).candidate_run
            inside = set() if run is None else members(load_run(self._records, run).examples, slice, value or "")
        return [
            pair
            for pair in pairs
            if (outcome is None or pair.outcome == outcome) and (inside is None or pair.example_id in inside)
        ]

    def _read(self, verdict_id: str) -> _Read:
        row = self._row(verdict_id)
        verdict = msgspec.json.decode(row.content_json, type=Verdict)
        beside = self._beside(row, verdict)
        key = (id(self._records.database), self._records.project, row.id, str(row.created_at), *beside)
        found = self._kept.get(key)
        if found is None:
            found = self._kept.put(key, self._work_out(row, beside))
        return found

    def _beside(self, row: VerdictRow, verdict: Verdict) -> list[str]:
        """Ids of runs of other variants on the same examples, the newest first."""
        data = verdict.dataset
        own = {verdict.baseline.hash, verdict.candidate.hash, *(other.hash for other in verdict.also_run)}
        newest = History(self._records).newest(data.name, data.version) if data.version else []
        return [found.id for found in newest if found.variant_hash not in own][:MOST_BESIDE]

    def _work_out(self, row: VerdictRow, beside: list[str]) -> _Read:
        from boxscore.experiments.measures import cost_comparison  # these load numpy
        from boxscore.experiments.recall import recalled
        from boxscore.experiments.summary import summarise
        from boxscore.experiments.table import column

        comparison, table = recalled(self._records, row)
        verdict = comparison.verdict
        runs = {verdict.candidate.hash: row.candidate_run} if row.candidate_run else {}
        if row.baseline_run:
            runs[verdict.baseline.hash] = row.baseline_run
        if table is None:
            return _Read(comparison, runs)
        if verdict.cost is not None and verdict.cost.benefit is None:
            alpha = 1 - (verdict.confidence_level or 1 - verdict.rule.alpha)
            found = cost_comparison(table, table.metric(verdict.rule.metric), alpha)
            cost = msgspec.structs.replace(verdict.cost, benefit=found and found.benefit)
            verdict = msgspec.structs.replace(verdict, cost=cost)
        also = list(verdict.also_run)
        for run_id in beside:
            run = load_run(self._records, run_id)
            if verdict.rule.metric in {metric.name for metric in run.metrics}:
                metrics = tuple(metric for metric in table.metrics if metric in run.metrics)
                also.append(summarise(column(run, table.examples, metrics), metrics, table.clusters))
                runs[run.variant.hash] = run.id
        verdict = msgspec.structs.replace(verdict, also_run=tuple(also))
        return _Read(Comparison(verdict, comparison.evidence), runs)


class Kept:
    """The comparisons that were read last. Safe to use from threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: OrderedDict[tuple[object, ...], _Read] = OrderedDict()

    def get(self, key: tuple[object, ...]) -> _Read | None:
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: tuple[object, ...], found: _Read) -> _Read:
        with self._lock:
            self._found[key] = found
            while len(self._found) > KEPT:
                self._found.popitem(last=False)
        return found


def _entry(row: VerdictRow) -> ComparisonEntry:
    verdict = msgspec.json.decode(row.content_json, type=Verdict)
    spent = verdict.provenance.spent_usd if verdict.provenance else None
    return ComparisonEntry(
        id=row.id,
        verdict=verdict.verdict,
        created_at=row.created_at,
        said=said(verdict),
        rule=fineprint.rule_words(verdict.rule, verdict),
        dataset=verdict.dataset.name,
        version=verdict.dataset.version,
        examples=verdict.dataset.examples,
        baseline=_ref(verdict, "baseline"),
        candidate=_ref(verdict, "candidate"),
        baseline_run=row.baseline_run,
        candidate_run=row.candidate_run,
        spent_usd=None if spent is None else Decimal(str(spent)),
    )


def _ref(verdict: Verdict, side: Literal["baseline", "candidate"]) -> VariantRef:
    variant = verdict.baseline if side == "baseline" else verdict.candidate
    return VariantRef(name=variant.name, hash=variant.hash, model=variant.model)


def _place(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not cursor.isdecimal() or len(cursor) > 12:
        raise UsageError(f"{cursor[:80]!r} is no cursor of this list: take the one of the page before.")
    return int(cursor)


def _inert(cell: object) -> object:
    """A spreadsheet runs what begins like a formula."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{cell}"
    return "" if cell is None else cell
