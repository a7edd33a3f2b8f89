"""What the records store asks of a database, whichever it is."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

import msgspec

from boxscore.store.records.rows import Cell

Statement: TypeAlias = tuple[str, Sequence[Cell]]
"""Its text, and what its placeholders stand for."""


class Write(msgspec.Struct, frozen=True):
    """One statement with its rows, which take the place of `{}` in it. Writes of a batch are run by ascending `order`,
    so that parents precede children, and INSERTs with the same statement become one."""

    order: int
    statement: str
    rows: Sequence[tuple[Cell, ...]]


class Transactions(Protocol):
    """A connection that writes, for one thread at a time."""

    def run(self, statements: Sequence[Statement]) -> list[tuple[Cell, ...]]:
        """All of them or none, in one transaction, and the rows that the last one gives; after the commit is on disk.
        `StoreError` where nothing was kept; `StoreAwayError` where the database went away."""
        ...

    def close(self) -> None: ...


class Lock(Protocol):
    """What one process alone has, until it lets go or dies."""

    def release(self) -> None:
        """Lets go; without effect when it is not held."""
        ...


class Reading(Protocol):
    """Statements that see one and the same state."""

    def rows(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]: ...


class Database(Protocol):
    """Statements are SQL that SQLite and PostgreSQL both know, with `?` where a value goes. Safe to use from threads.
    Failures are `boxscore.errors.StoreError`."""

    name: str
    """How a person would call it in a sentence: a path, or an address without its password."""

    def rows(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]:
        """What a SELECT finds."""
        ...

    def reading(self) -> AbstractContextManager[Reading]:
        """Several SELECTs on one state."""
        ...

    def change(self, statement: str, *given: Cell) -> list[tuple[Cell, ...]]:
        """One statement that writes, in a transaction of its own, and the rows that its RETURNING gives; after the
        commit is on disk. What is to be found and taken at once (a job, a one-time link) is one such statement."""
        ...

    def submit(self, writes: Sequence[Write]) -> "Future[None]":
        """All writes or none; done when they are committed and synced, with others in one commit."""
        ...

    def submit_async(self, writes: Sequence[Write]) -> "asyncio.Future[None]":
        """The same for the running event loop."""
        ...

    def lock(self, name: str) -> Lock | None:
        """The lock of that name, None when another process has it; free when its holder dies."""
        ...

    def close(self) -> None:
        """Waits for what is being written."""
        ...
