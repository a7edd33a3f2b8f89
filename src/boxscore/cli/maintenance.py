"""What the commands that look after a home share."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import click

from boxscore import settings

EVERY_S = 1.0


def home() -> Path:
    return settings.home().resolve()


def tell_of_records_elsewhere(says: str) -> None:
    """A line on standard error with the database in the place of `{}`, where records are not in the home."""
    if (url := settings.load().records_url) is not None:
        from boxscore.store.records.postgres import name_of

        click.echo(says.format(name_of(url)), err=True)


@contextmanager
def bytes_shown(what: str) -> Generator[Callable[[str, int, int], None]]:
    """A bar on a terminal and a line a second in a log, on standard error, once it takes longer than a second."""
    began, last = time.monotonic(), 0.0

    def show(path: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - began < EVERY_S or now - last < EVERY_S:
            return
        last = now
        share = f"{done / total:.0%}" if total else ""
        _line(f"{what}: {share} of {total / 1e6:,.0f} MB, {path}")

    yield show
    _clear()


@contextmanager
def steps_shown() -> Generator[Callable[[str], None]]:
    """The step at hand, on standard error, once it takes longer than a second."""
    began = time.monotonic()

    def show(step: str) -> None:
        if time.monotonic() - began >= EVERY_S:
            _line(step)

    yield show
    _clear()


def _line(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{text}", nl=False, err=True)
    else:
        click.echo(text, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
