"""Writes as the statements of one transaction: few, with many rows each, in an order that keys allow."""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from boxscore.store.records.backend import Statement, Write
from boxscore.store.records.rows import Cell

_AT_ONCE = 64
_COLUMNS = re.compile(r"INSERT INTO \w+ \(([\w, ]+)\)")
_UPSERT = re.compile(r"ON CONFLICT \(([\w, ]+)\) DO UPDATE")

Rows = list[tuple[Cell, ...]]


def statements(writes: Sequence[Write]) -> list[Statement]:
    """By ascending `order`; what says the same becomes one, for a language hands over its locks at every step."""
    grouped: dict[tuple[int, str], list[Sequence[tuple[Cell, ...]]]] = {}
    for write in writes:
        grouped.setdefault((write.order, write.statement), []).append(write.rows)
    return [
        made
        for (_, statement), parts in sorted(grouped.items(), key=_order)
        for rows in _apart(statement, parts)
        for made in _filled(statement, rows)
    ]


def _apart(statement: str, parts: list[Sequence[tuple[Cell, ...]]]) -> Iterator[Rows]:
    """PostgreSQL refuses to change one row twice in a statement. The second version of a row goes into a second one; a
    statement that does not show which row it means stays as it was given."""
    if not statement.startswith("INSERT"):
        yield from (list(rows) for rows in parts)
        return
    rows = [row for part in parts for row in part]
    key = _key(statement)
    if not key:
        yield rows
        return
    rounds: list[Rows] = []
    seen: dict[tuple[Cell, ...], int] = {}
    for row in rows:
        of = tuple(row[place] for place in key)
        turn = seen[of] = seen.get(of, -1) + 1
        if turn == len(rounds):
            rounds.append([])
        rounds[turn].append(row)
    yield from rounds


@lru_cache(maxsize=128)
def _key(statement: str) -> tuple[int, ...]:
    """Where in a row the columns are by which an upsert finds what it replaces; none for a plain INSERT."""
    columns, upsert = _COLUMNS.match(statement), _UPSERT.search(statement)
    if columns is None or upsert is None:
        return ()
    places = {name.strip(): place for place, name in enumerate(columns[1].split(","))}
    return tuple(places[name.strip()] for name in upsert[1].split(","))


def _filled(statement: str, rows: Rows) -> Iterator[Statement]:
    """In powers of two, so that few texts are there to be prepared."""
    begin = 0
    while left := len(rows) - begin:
        count = min(_AT_ONCE, 1 << (left.bit_length() - 1))
        part = rows[begin : begin + count]
        yield _text(statement, len(part[0]), count), [cell for row in part for cell in row]
        begin += count


@lru_cache(maxsize=256)
def _text(statement: str, columns: int, rows: int) -> str:
    row = f"({', '.join('?' * columns)})"
    return statement.format(", ".join([row] * rows))


def _order(group: tuple[tuple[int, str], object]) -> int:
    (order, _), _ = group
    return order
