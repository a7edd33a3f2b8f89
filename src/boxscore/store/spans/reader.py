"""One span file as a reader has it: any number of them beside the one writer, each for one thread at a time."""

from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import apsw
import msgspec
import zstandard

from boxscore.errors import StoreError
from boxscore.store.spans import blocks, queries, scores
from boxscore.store.spans.blocks import Payload
from boxscore.store.spans.columns import BLOCK, PLACE, from_values, to_usd
from boxscore.store.spans.database import Row
from boxscore.store.spans.filters import Filter, kind_of
from boxscore.store.spans.queries import Where
from boxscore.store.spans.schema import connect
from boxscore.store.spans.store import Counts, StoredSpan, TraceSummary

NAMES_KEPT = 50_000
DICTIONARIES_KEPT = 64

# Sums of trillionths may pass 64 bits where each of them does not, so they are summed in two halves.
_COST = "sum(s.cost_picousd / 1000000), sum(s.cost_picousd % 1000000)"
_TOTALS = f"""
SELECT count(*), sum(s.error), max(s.start_ns + s.duration_ns) - min(s.start_ns), sum(s.input_tokens),
    sum(s.output_tokens), {_COST}
FROM spans s WHERE s.project = ? AND s.trace = ?
"""  # noqa: S608 - our own words
_COUNTS = f"SELECT count(*), sum(s.error), sum(s.input_tokens), sum(s.output_tokens), {_COST}, count(s.cost_picousd)"
_TRACE = f"""
SELECT {queries.COLUMNS} FROM spans s WHERE s.project = ? AND s.trace = ? AND (s.start_ns, s.span) > (?, ?)
ORDER BY s.start_ns, s.span LIMIT ?
"""  # noqa: S608


class Reader:
    """Answers from one file. Everything inside one `snapshot` sees the same commits."""

    def __init__(self, path: Path, number: int) -> None:
        self.number = number
        self._path = path
        self._connection = connect(path, write=False)
        self._scored = False
        self._names: dict[int, str] = {}
        self._dictionaries: OrderedDict[int, zstandard.ZstdCompressionDict] = OrderedDict()

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def snapshot(self) -> Generator[None]:
        try:
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("COMMIT")
        except (apsw.Error, zstandard.ZstdError, msgspec.DecodeError) as error:
            raise StoreError(f"{self._path} could not be read: {error}.") from error

    def name_id(self, value: str) -> int | None:
        return cast("int | None", self._connection.execute("SELECT id FROM names WHERE value = ?", (value,)).get)

    def newest(self, project: str) -> int | None:
        """The latest time in the file, None where it has nothing of the project."""
        number = self.name_id(project)
        asked = "SELECT max(at_ns) FROM spans WHERE project = ?"
        return None if number is None else cast("int | None", self._connection.execute(asked, (number,)).get)

    def where(self, project: str, filter: Filter) -> Where | None:
        number = self.name_id(project)
        if number is None:
            return None
        scored = any(kind_of(condition.field) == "score" for condition in filter) and self._attach_scores()
        return queries.where(number, filter, self.name_id, scored=scored)

    def _attach_scores(self) -> bool:
        """Whether there are scores beside the file."""
        if not self._scored and (path := self._path.with_name(scores.FILE)).exists():
            scores.connect(path, write=False).close()  # says so where it cannot be used
            self._connection.execute("ATTACH ? AS beside", (str(path),))
            self._scored = True
        return self._scored

    def rows(self, where: Where, limit: int) -> list[Row]:
        asked = f"SELECT {queries.COLUMNS} {where.source} {where.order} LIMIT ?"
        return self._connection.execute(asked, (*where.parameters, limit)).fetchall()

    def rows_of(self, seqs: Sequence[int]) -> list[Row]:
        asked = f"SELECT {queries.COLUMNS} FROM spans s WHERE s.seq = ?"  # noqa: S608 - our own words
        return [row for seq in seqs for row in self._connection.execute(asked, (seq,))]

    def rows_after(self, seq: int, limit: int) -> list[Row]:
        """In the order of arrival."""
        asked = f"SELECT {queries.COLUMNS} FROM spans s WHERE s.seq > ? ORDER BY s.seq LIMIT ?"  # noqa: S608
        return self._connection.execute(asked, (seq, limit)).fetchall()

    def last_seq(self) -> int:
        return cast(int, self._connection.execute("SELECT coalesce(max(seq), 0) FROM spans").get)

    def changes_after(self, change: int) -> list[tuple[int, int]]:
        """Numbers of changes and the spans that they changed."""
        asked = "SELECT id, seq FROM changes WHERE id > ? ORDER BY id"
        return cast("list[tuple[int, int]]", self._connection.execute(asked, (change,)).fetchall())

    def trace_rows(self, project: str, trace: bytes, after: tuple[int, bytes], limit: int) -> list[Row]:
        parameters = (self.name_id(project), trace, *after, limit)
        return self._connection.execute(_TRACE, parameters).fetchall()

    def knows(self, project: str, trace: bytes) -> bool:
        asked = "SELECT 1 FROM spans WHERE project = ? AND trace = ? LIMIT 1"
        return self._connection.execute(asked, (self.name_id(project), trace)).get is not None

    def spans(self, rows: Iterable[Row], *, whole: bool) -> list[StoredSpan]:
        opened: dict[int, list[Payload]] = {}
        found: list[StoredSpan] = []
        for values in rows:
            payload = None
            if whole:
                block = cast(int, values[BLOCK])
                payloads = opened.get(block) or opened.setdefault(block, self._payloads(block))
                payload = payloads[cast(int, values[PLACE])]
            found.append(from_values(values, self._name, payload))
        return found

    def summary(self, project: str, entry: StoredSpan) -> TraceSummary:
        spans, errors, duration, tokens_in, tokens_out, millionths, rest = cast(
            "tuple[int, int, int | None, int | None, int | None, int | None, int]",
            self._connection.execute(_TOTALS, (self.name_id(project), entry.trace_id)).fetchone(),
        )
        return TraceSummary(
            entry=entry,
            spans=spans,
            errors=errors,
            duration_ns=duration,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cost_usd=None if millionths is None else to_usd(millionths * 1_000_000 + rest),
        )

    def counts(self, where: Where) -> Counts:
        spans, errors, tokens_in, tokens_out, millionths, rest, priced = cast(
            "Sequence[int]",
            self._connection.execute(f"{_COUNTS} {where.source}", where.parameters).fetchone(),
        )
        return Counts(
            spans=spans,
            errors=errors or 0,
            input_tokens=tokens_in or 0,
            output_tokens=tokens_out or 0,
            cost_usd=to_usd((millionths or 0) * 1_000_000 + (rest or 0)),
            unpriced=spans - priced,
        )

    def facets(self, where: Where, field: str) -> dict[str | None, int]:
        asked = f'SELECT s."{field}", count(*) {where.source} GROUP BY 1'
        found = cast("list[tuple[int | None, int]]", self._connection.execute(asked, where.parameters).fetchall())
        return {None if number is None else self._name(number): count for number, count in found}

    def _name(self, number: int) -> str:
        found = self._names.get(number)
        if found is None:
            found = cast(str, self._connection.execute("SELECT value FROM names WHERE id = ?", (number,)).get)
            if len(self._names) >= NAMES_KEPT:
                self._names.clear()
            self._names[number] = found
        return found

    def _payloads(self, block: int) -> list[Payload]:
        asked = "SELECT dictionary, data FROM blocks WHERE id = ?"
        number, data = cast("tuple[int | None, bytes]", self._connection.execute(asked, (block,)).fetchone())
        return blocks.unpack(data, None if number is None else self._dictionary(number))

    def _dictionary(self, number: int) -> zstandard.ZstdCompressionDict:
        found = self._dictionaries.pop(number, None)
        if found is None:
            asked = "SELECT data FROM dictionaries WHERE id = ?"
            found = zstandard.ZstdCompressionDict(cast(bytes, self._connection.execute(asked, (number,)).get))
            if len(self._dictionaries) >= DICTIONARIES_KEPT:
                self._dictionaries.popitem(last=False)
        self._dictionaries[number] = found
        return found
