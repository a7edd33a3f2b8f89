"""Variants, runs, comparisons and their verdicts, and the jobs that make them: how a server is asked for them."""

from collections.abc import Mapping
from typing import Literal

from boxscore.client.call import Call, ask, path, send
from boxscore.experiments.box_scores import ComparisonEntry
from boxscore.experiments.history import RunDetail, RunEntry, TrialLine, VariantEntry
from boxscore.experiments.jobs import Estimate
from boxscore.experiments.jobs_spec import Asked
from boxscore.experiments.report.pair_lines import PairLine
from boxscore.experiments.verdict import Verdict
from boxscore.jobs.job import Job, JobPage, JobState
from boxscore.store.spans import Page
from boxscore.types import Json

__all__ = [
    "cancel_job",
    "compare",
    "comparison",
    "comparison_csv",
    "comparison_markdown",
    "comparison_pairs",
    "comparison_report",
    "comparisons",
    "job",
    "job_events",
    "jobs",
    "plan_comparison",
    "retry_job",
    "run",
    "run_events",
    "run_trials",
    "runs",
    "start_run",
    "variant",
    "variants",
]


def variants(*, limit: int = 50, cursor: str | None = None) -> Call[Page[VariantEntry]]:
    """Variants that were run, by their hash."""
    return ask(Page[VariantEntry], "/variants", limit=limit, cursor=cursor)


def variant(hash: str) -> Call[VariantEntry]:
    """What the hash was computed from. `NotFoundError` where there is none."""
    return ask(VariantEntry, path("variants", hash))


def runs(
    *,
    dataset: str | None = None,
    variant: str | None = None,
    unfinished: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[Page[RunEntry]]:
    """Runs, the newest first, of a dataset (NAME or NAME@VERSION), of a variant (hash or name), or all."""
    return ask(
        Page[RunEntry], "/runs", dataset=dataset, variant=variant, unfinished=unfinished, limit=limit, cursor=cursor
    )


def run(id: str) -> Call[RunDetail]:
    """A run, what its variant is, and its own line of the box score."""
    return ask(RunDetail, path("runs", id))


def run_trials(
    id: str,
    *,
    which: Literal["all", "errors", "reused"] = "all",
    example: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[Page[TrialLine]]:
    """Trials with output, scores, cost, latency and error."""
    return ask(Page[TrialLine], path("runs", id, "trials"), which=which, example=example, limit=limit, cursor=cursor)


def run_events(id: str) -> Call[RunEntry]:
    """The run whenever something of it changed, until it is finished: for `events`."""
    return ask(RunEntry, path("runs", id, "events"))


def comparisons(
    *,
    dataset: str | None = None,
    verdict: Literal["ship", "reject", "undecided"] | None = None,
    variant: str | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Call[Page[ComparisonEntry]]:
    """Verdicts that were reached, the newest first."""
    return ask(
        Page[ComparisonEntry],
        "/comparisons",
        dataset=dataset,
        verdict=verdict,
        variant=variant,
        limit=limit,
        cursor=cursor,
    )


def comparison(id: str) -> Call[Verdict]:
    """A verdict as it was reached and kept."""
    return ask(Verdict, path("comparisons", id))


def comparison_pairs(
    id: str,
    *,
    outcome: Literal["worse", "better", "tied"] | None = None,
    slice: str | None = None,
    value: str | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Call[Page[PairLine]]:
    """Both answers to each example, those that lost most first; of a slice by its field and value."""
    below = path("comparisons", id, "pairs")
    return ask(Page[PairLine], below, outcome=outcome, slice=slice, value=value, limit=limit, cursor=cursor)


def comparison_report(id: str) -> Call[bytes]:
    """The report: a page of HTML that needs nothing else."""
    return ask(bytes, path("comparisons", id, "report.html"))


def comparison_markdown(id: str) -> Call[bytes]:
    """The box score as a comment on a pull request."""
    return ask(bytes, path("comparisons", id, "report.md"))


def comparison_csv(id: str) -> Call[bytes]:
    """One row per example with both answers."""
    return ask(bytes, path("comparisons", id, "pairs.csv"))


def plan_comparison(spec: Mapping[str, Json] | Asked) -> Call[Estimate]:
    """What such a comparison could show, and what it would cost. Nothing is asked of a model."""
    return send(Estimate, "/comparisons/plan", spec, once=False)


def compare(spec: Mapping[str, Json] | Asked) -> Call[Job]:
    """Asks for a comparison: a spec as in a file, with a dataset of the server or rows in it. The job has its id at
    once, and its verdict when it is done."""
    return send(Job, "/comparisons", spec)


def start_run(spec: Mapping[str, Json] | Asked) -> Call[Job]:
    """Asks for a run of one variant."""
    return send(Job, "/runs", spec)


def jobs(
    *, state: JobState | None = None, kind: str | None = None, limit: int = 50, cursor: str | None = None
) -> Call[JobPage]:
    """Jobs, the newest first."""
    return ask(JobPage, "/jobs", state=state, kind=kind, limit=limit, cursor=cursor)


def job(id: str) -> Call[Job]:
    """A job, how far it is and what came of it."""
    return ask(Job, path("jobs", id))


def job_events(id: str) -> Call[Job]:
    """The job whenever something of it changed, until it has ended: for `events`."""
    return ask(Job, path("jobs", id, "events"))


def cancel_job(id: str) -> Call[Job]:
    """Asks a job to stop: what came back is kept."""
    return send(Job, path("jobs", id, "cancel"))


def retry_job(id: str) -> Call[Job]:
    """Has a job that failed or was cancelled go on where it was."""
    return send(Job, path("jobs", id, "retry"))
