"""Progress of long work on standard error: a bar on a terminal, a line now and then in a log."""

import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from boxscore.experiments.forecast import Forecast
from boxscore.experiments.runner import Progress

LINE_EVERY_S = 10.0
_SMALL = 20
"""Calls below which nobody needs to be told beforehand what they cost."""


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
        pace = _Pace()

        def update(variant: str, progress: Progress) -> None:
            if variant not in tasks:
                tasks[variant] = bars.add_task(variant, total=progress.total, rest="")
            if told := pace.announcement(variant, progress):
                bars.console.print(told, markup=False, highlight=False)
            rest = ", ".join(pace.parts(variant, progress))
            bars.update(tasks[variant], completed=progress.done, total=progress.total, rest=rest)

        yield update


class _Lines:
    def __init__(self) -> None:
        self._last = time.monotonic()
        self._pace = _Pace()

    def __call__(self, variant: str, progress: Progress) -> None:
        if told := self._pace.announcement(variant, progress):
            print(told, file=sys.stderr)  # noqa: T201
        parts = self._pace.parts(variant, progress)
        now = time.monotonic()
        if now - self._last >= LINE_EVERY_S:
            self._last = now
            left = self._pace.left_s(variant, progress)
            parts += [f"{_duration(left)} left"] if left else []
            line = f"{variant}: {progress.done:,} of {progress.total:,}"
            print(", ".join([line, *parts]), file=sys.stderr)  # noqa: T201


class _Pace:
    """How fast each variant's calls go, from when the first was made."""

    def __init__(self) -> None:
        self._began: dict[str, tuple[float, int]] = {}

    def announcement(self, variant: str, progress: Progress) -> str | None:
        """The forecast in a sentence, once, where there is something to say."""
        if progress.forecast is None or variant in self._began:
            return None
        self._began[variant] = (time.monotonic(), progress.done)
        return _foreseen(variant, progress.forecast) if progress.forecast.calls >= _SMALL else None

    def parts(self, variant: str, progress: Progress) -> list[str]:
        rate = self._rate(variant, progress)
        parts = [f"{rate:.1f}/s" if rate < 100 else f"{rate:.0f}/s"] if rate else []
        if progress.spent_usd:
            parts.append(f"${progress.spent_usd:.4f}")
        if progress.errors:
            parts.append("1 error" if progress.errors == 1 else f"{progress.errors} errors")
        if progress.reused:
            parts.append(f"{progress.reused} reused")
        return parts

    def left_s(self, variant: str, progress: Progress) -> float | None:
        rate = self._rate(variant, progress)
        return (progress.total - progress.done) / rate if rate else None

    def _rate(self, variant: str, progress: Progress) -> float | None:
        if variant not in self._began:
            return None
        began, before = self._began[variant]
        seconds = time.monotonic() - began
        return (progress.done - before) / seconds if seconds > 0.5 and progress.done > before else None


def _foreseen(variant: str, forecast: Forecast) -> str | None:
    calls = f"{variant}: {forecast.calls:,} calls to make"
    if forecast.usd is None:
        return f"{calls}; what they cost is not known"
    if not forecast.usd:
        return None
    money = f"${forecast.usd:.2f}" if forecast.usd >= 1 else f"${forecast.usd:.4f}"
    return f"{calls}, about {money} (by {forecast.basis})"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
