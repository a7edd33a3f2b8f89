"""A comparison: a verdict with the evidence that it rests on, and what a caller knows around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import msgspec

from boxscore.experiments.trial import Run
from boxscore.experiments.verdict import (
    Evidence,
    JudgeInfo,
    Verdict,
)
from boxscore.writing import write_whole


@dataclass(frozen=True)
class Comparison:
    """A verdict and what it rests on. Printed, it is the box score; in a notebook, the report."""

    verdict: Verdict
    evidence: Evidence

    def __str__(self) -> str:
        from boxscore.experiments import report  # drawn after the last call, so it need not be there before the first

        return report.terminal(self.verdict)

    def json(self) -> str:
        """The verdict as JSON text."""
        return msgspec.json.format(msgspec.json.encode(self.verdict), indent=2).decode()

    def html(self) -> str:
        """The report: one page that needs nothing else."""
        from boxscore.experiments import report

        return report.html(self.verdict, self.evidence)

    def save(self, path: str | Path) -> Path:
        """Write the report to `path`, whole or not at all."""
        path = Path(path)
        write_whole(path, self.html())
        return path

    def _repr_html_(self) -> str:
        from html import escape

        return f'<iframe srcdoc="{escape(self.html())}" style="width:100%;height:720px;border:0"></iframe>'


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What is known around a comparison and only told on, never computed with.

    `warnings` are shown with the verdict, `command` repeats it. `began` is when a comparison of several looks began:
    what it asked since then is its own, whichever look paid for it. `judges` are by the id of the candidate's run.
    """

    warnings: tuple[str, ...] = ()
    command: str | None = None
    seed: int = 0
    dataset_total: int | None = None
    slices: Sequence[str] = ()
    also: Sequence[Run] = ()
    began: datetime | None = None
    judges: Mapping[str, tuple[JudgeInfo, ...]] = field(default_factory=dict[str, tuple[JudgeInfo, ...]])
    now: datetime | None = None
