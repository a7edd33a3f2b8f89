"""Progress of long work on standard error: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from boxscore.experiments.runner import Progress

LINE_EVERY_S = 10.0


@contextmanager
def show_progress(*, quiet: bool = False) -> Generator[Callable[[str, Progress], None] | None]:
    """Gives a function to call with the variant's name and how far it is; None when nothing is to be shown."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        with _bars() as update:
            yield update
    else:
        yield _Lines()


@contextmanager
def _bars() -> Generator[Callable[[str, Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[rest]}"),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def update(variant: str, progress: Progress) -> None:
            if variant not in tasks:
                tasks[variant] = bars.add_task(variant, total=progress.total, rest="")
            bars.update(tasks[variant], completed=progress.done, total=progress.total, rest=_rest(progress))

        yield update


class _Lines:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, variant: str, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_S:
            self._last = now
            print(f"{variant}: {progress.done} of {progress.total} {_rest(progress)}", file=sys.stderr)  # noqa: T201


def _rest(progress: Progress) -> str:
    parts = [f"${progress.spent_usd:.4f}"] if progress.spent_usd else []
    if progress.errors:
        parts.append(f"{progress.errors} errors")
    if progress.reused:
        parts.append(f"{progress.reused} reused")
    return ", ".join(parts)
