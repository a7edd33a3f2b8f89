"""What runs and comparisons left: lists with cursors, counts over rows, and trials page by page."""

# ruff: noqa: S608 - what is put into statements is our own words; what is given is bound

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeVar, cast

import msgspec

from boxscore.errors import UsageError
from boxscore.store.records.backend import Database
from boxscore.store.records.rows import Cell, ResponseRow, RunRow, TrialRow, VariantRow, VerdictRow, rows, time_cell

Row = TypeVar("Row", bound=msgspec.Struct)

RECENT = timedelta(seconds=60)
"""What a rate is measured over."""

Which = Literal["all", "errors", "reused"]


class RunCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Counted and summed over the rows of a run at the moment of asking. `asked` trials are due in all; `calls` were
    paid by this run, `unpriced` of them at no known price; `failures` are kinds of errors, the most frequent first;
    `recent` calls came back within the last minute, the last one at `latest`."""

    asked: int
    trials: int
    errors: int
    reused: int
    calls: int
    unpriced: int
    spent_usd: Decimal
    failures: dict[str, int] = {}
    recent: int = 0
    latest: datetime | None = None


class TrialEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One trial with its example, its response and its scores by metric: value, label and note."""

    trial: TrialRow
    response: ResponseRow
    example_json: str
    position: int
    scores: dict[str, tuple[float | None, str | None, str | None]]


class Results:
    """One project's runs and verdicts, for those who look. Lists give a cursor for what follows, None at their end."""

    def __init__(self, database: Database, project: str) -> None:
        self._database, self._project = database, project

    def runs(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        dataset: str | None = None,
        variant: str | None = None,
        unfinished: bool = False,
    ) -> tuple[list[RunRow], str | None]:
        """The newest first. `dataset` is NAME or NAME@VERSION, `variant` a hash or a name."""
        also, given = _of_dataset(dataset, "runs")
        if variant is not None:
            also += " AND (variant_hash = ? OR variant_name = ?)"
            given += [variant, variant]
        also += " AND finished_at IS NULL" if unfinished else ""
        found = self._page(RunRow, "runs", "started_at", also, given, limit, cursor)
        return found, _next([(row.started_at, row.id) for row in found], limit)

    def verdicts(
        self,
        *,
        limit: int,
        cursor: str | None = None,
        dataset: str | None = None,
        verdict: str | None = None,
        variant: str | None = None,
    ) -> tuple[list[VerdictRow], str | None]:
        """The newest first. `variant` is the hash or the name of either side."""
        also, given = "", list[Cell]()
        if dataset is not None:
            told, names = _of_dataset(dataset, "runs")
            also += f" AND candidate_run IN (SELECT id FROM runs WHERE project_id = ?{told})"
            given += [self._project, *names]
        if variant is not None:
            also += (
                " AND EXISTS (SELECT 1 FROM runs WHERE runs.id IN (baseline_run, candidate_run) "
                "AND (variant_hash = ? OR variant_name = ?))"
            )
            given += [variant, variant]
        if verdict is not None:
            also += " AND verdict = ?"
            given.append(verdict)
        found = self._page(VerdictRow, "verdicts", "created_at", also, given, limit, cursor)
        return found, _next([(row.created_at, row.id) for row in found], limit)

    def variants(self, *, limit: int, cursor: str | None = None) -> tuple[list[VariantRow], str | None]:
        """By hash: a variant has no time of its own."""
        found = self._database.rows(
            f"SELECT {_columns(VariantRow)} FROM variants WHERE project_id = ? AND hash > ? ORDER BY hash LIMIT ?",
            self._project,
            cursor or "",
            limit,
        )
        taken = rows(VariantRow, found)
        return taken, taken[-1].hash if len(taken) == limit else None

    def variant(self, hash: str) -> VariantRow | None:
        asked = f"SELECT {_columns(VariantRow)} FROM variants WHERE project_id = ? AND hash = ?"
        found = rows(VariantRow, self._database.rows(asked, self._project, hash))
        return found[0] if found else None

    def run(self, run_id: str) -> RunRow | None:
        asked = f"SELECT {_columns(RunRow)} FROM runs WHERE project_id = ? AND id = ?"
        found = rows(RunRow, self._database.rows(asked, self._project, run_id))
        return found[0] if found else None

    def verdict(self, verdict_id: str) -> VerdictRow | None:
        asked = f"SELECT {_columns(VerdictRow)} FROM verdicts WHERE project_id = ? AND id = ?"
        found = rows(VerdictRow, self._database.rows(asked, self._project, verdict_id))
        return found[0] if found else None

    def counts(self, found: Sequence[RunRow], *, now: datetime) -> dict[str, RunCounts]:
        """By the id of the run; a few statements however many runs there are."""
        if not found:
            return {}
        ids = [row.id for row in found]
        which = f"({', '.join('?' * len(ids))})"
        with self._database.reading() as reading:
            examples = reading.rows(
                f"SELECT run_id, count(*) FROM run_examples WHERE run_id IN {which} GROUP BY run_id", *ids
            )
            trials = reading.rows(
                "SELECT trials.run_id, error_kind, responses.run_id <> trials.run_id, count(*) "
                "FROM trials JOIN responses ON responses.id = response_id "
                f"WHERE trials.run_id IN {which} GROUP BY 1, 2, 3",
                *ids,
            )
            # SQLite would add money as binary floats, so it only groups; the sums are made here.
            paid = reading.rows(
                f"SELECT run_id, cost_usd, count(*) FROM responses WHERE run_id IN {which} GROUP BY run_id, cost_usd",
                *ids,
            )
            latest = reading.rows(
                "SELECT run_id, max(recorded_at), count(*) FILTER (WHERE recorded_at > ?) FROM responses "
                f"WHERE run_id IN {which} GROUP BY run_id",
                time_cell(now - RECENT),
                *ids,
            )
        asked = dict(cast("list[tuple[str, int]]", examples))
        last = {run: (at, recent) for run, at, recent in cast("list[tuple[str, str, int]]", latest)}
        return {
            row.id: _counted(
                asked.get(row.id, 0) * row.repeats,
                [one[1:] for one in cast("list[tuple[str, str | None, bool, int]]", trials) if one[0] == row.id],
                [one[1:] for one in cast("list[tuple[str, str | None, int]]", paid) if one[0] == row.id],
                *last.get(row.id, (None, 0)),
            )
            for row in found
        }

    def datasets(self) -> list[tuple[str, str, int, datetime]]:
        """Dataset versions that were run: name, version, finished runs, the start of the last one; the newest first."""
        told = self._database.rows(
            "SELECT dataset_name, dataset_version, count(finished_at), max(started_at) FROM runs WHERE project_id = ? "
            "GROUP BY dataset_name, dataset_version ORDER BY 4 DESC",
            self._project,
        )
        return [
            (name, version, finished, datetime.fromisoformat(at))
            for name, version, finished, at in cast("list[tuple[str, str, int, str]]", told)
        ]

    def trials(
        self,
        run_id: str,
        *,
        limit: int,
        cursor: str | None = None,
        which: Which = "all",
        examples: Sequence[str] | None = None,
    ) -> tuple[list[TrialEntry], str | None]:
        """By place of the example, then repeat; those of an example, where `examples` names some."""
        also, given = "", list[Cell]()
        if cursor is not None:
            position, _, repeat = cursor.partition(".")
            if not (position.isdecimal() and repeat.isdecimal()):
                raise UsageError(f"{cursor[:80]!r} is no cursor of this list: take the one of the page before.")
            also += " AND (asked.position > ? OR (asked.position = ? AND repeat > ?))"
            given += [int(position), int(position), int(repeat)]
        also += {
            "all": "",
            "errors": " AND error_kind IS NOT NULL",
            "reused": " AND responses.run_id <> trials.run_id",
        }[which]
        if examples is not None:
            also += f" AND trials.example_id IN ({', '.join('?' * len(examples))})"
            given += examples
        told = self._database.rows(
            "SELECT asked.position, content_json, trials.run_id, trials.example_id, repeat, response_id, "
            f"{_columns(ResponseRow, 'responses')} FROM trials "
            "JOIN run_examples AS asked ON asked.run_id = trials.run_id AND asked.example_id = trials.example_id "
            "JOIN examples ON examples.project_id = asked.project_id AND examples.hash = asked.example_hash "
            "JOIN responses ON responses.id = response_id "
            f"WHERE trials.run_id = ? AND asked.project_id = ?{also} ORDER BY asked.position, repeat LIMIT ?",
            run_id,
            self._project,
            *given,
            limit,
        )
        width = 2 + len(TrialRow.__struct_fields__)
        trials = rows(TrialRow, [row[2:width] for row in told])
        responses = rows(ResponseRow, [row[width:] for row in told])
        scores = self._scores(run_id, [trial.example_id for trial in trials])
        found = [
            TrialEntry(
                trial=trial,
                response=response,
                position=cast(int, row[0]),
                example_json=cast(str, row[1]),
                scores=scores.get((trial.example_id, trial.repeat), {}),
            )
            for row, trial, response in zip(told, trials, responses, strict=True)
        ]
        following = f"{found[-1].position}.{found[-1].trial.repeat}" if len(found) == limit else None
        return found, following

    def _scores(
        self, run_id: str, examples: Sequence[str]
    ) -> dict[tuple[str, int], dict[str, tuple[float | None, str | None, str | None]]]:
        names = list(dict.fromkeys(examples))
        if not names:
            return {}
        told = self._database.rows(
            "SELECT example_id, repeat, metric, value, label, note FROM scores "
            f"WHERE run_id = ? AND example_id IN ({', '.join('?' * len(names))}) ORDER BY metric",
            run_id,
            *names,
        )
        found: dict[tuple[str, int], dict[str, tuple[float | None, str | None, str | None]]] = {}
        for example, repeat, metric, value, label, note in cast(
            "list[tuple[str, int, str, float | None, str | None, str | None]]", told
        ):
            found.setdefault((example, repeat), {})[metric] = (value, label, note)
        return found

    def _page(
        self,
        kind: type[Row],
        table: str,
        time: str,
        also: str,
        given: Sequence[Cell],
        limit: int,
        cursor: str | None,
    ) -> list[Row]:
        if cursor is not None:
            at, _, last = cursor.partition("~")
            if not last:
                raise UsageError(f"{cursor[:80]!r} is no cursor of this list: take the one of the page before.")
            also += f" AND ({time} < ? OR ({time} = ? AND id < ?))"
            given = [*given, at, at, last]
        return rows(
            kind,
            self._database.rows(
                f"SELECT {_columns(kind)} FROM {table} WHERE project_id = ?{also} "
                f"ORDER BY {time} DESC, id DESC LIMIT ?",
                self._project,
                *given,
                limit,
            ),
        )


def _columns(kind: type[msgspec.Struct], table: str | None = None) -> str:
    return ", ".join(name if table is None else f"{table}.{name}" for name in kind.__struct_fields__)


def _of_dataset(dataset: str | None, table: str) -> tuple[str, list[Cell]]:
    if dataset is None:
        return "", []
    name, at, version = dataset.rpartition("@")
    if not at:
        return f" AND {table}.dataset_name = ?", [dataset]
    # a name may hold an @ of its own
    return (
        f" AND (({table}.dataset_name = ? AND {table}.dataset_version = ?) OR {table}.dataset_name = ?)",
        [name, version, dataset],
    )


def _next(keys: Sequence[tuple[datetime, str]], limit: int) -> str | None:
    return f"{time_cell(keys[-1][0])}~{keys[-1][1]}" if len(keys) == limit else None


def _counted(
    asked: int,
    trials: Sequence[tuple[str | None, bool, int]],
    paid: Sequence[tuple[str | None, int]],
    latest: str | None,
    recent: int,
) -> RunCounts:
    failures: dict[str, int] = {}
    for kind, _, count in trials:
        if kind is not None:
            failures[kind] = failures.get(kind, 0) + count
    return RunCounts(
        asked=asked,
        trials=sum(count for *_, count in trials),
        errors=sum(failures.values()),
        reused=sum(count for _, reused, count in trials if reused),
        calls=sum(count for _, count in paid),
        unpriced=sum(count for cost, count in paid if cost is None),
        spent_usd=sum((Decimal(cost) * count for cost, count in paid if cost is not None), Decimal(0)),
        failures=dict(sorted(failures.items(), key=lambda item: -item[1])),
        recent=recent,
        latest=None if latest is None else datetime.fromisoformat(latest),
    )
