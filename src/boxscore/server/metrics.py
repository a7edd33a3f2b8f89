"""Metrics: one typed table, from which `/metrics` and the reference page are made."""

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["METRICS", "Metric", "Sample", "exposition"]

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

Kind: TypeAlias = Literal["counter", "gauge", "histogram"]


class Metric(NamedTuple):
    """`remedy` is what to do when it is not as it should be."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    remedy: str
    label: str | None = None


class Sample(NamedTuple):
    """A value of a metric; `label` is that of the metric's label, `suffix` what a histogram adds to its name."""

    metric: str
    value: float
    label: str | None = None
    suffix: str = ""


METRICS: tuple[Metric, ...] = (
    Metric(
        "boxscore_ready",
        "gauge",
        "0 or 1",
        "Whether spans are taken in.",
        "/health/ready says why not.",
    ),
    Metric(
        "boxscore_spans_accepted_total",
        "counter",
        "spans",
        "Spans of requests that could be read. They are stored before their request is answered.",
        "While it grows and stored does not, look at refused requests and at the log.",
    ),
    Metric(
        "boxscore_spans_stored_total",
        "counter",
        "spans",
        "Spans on disk, synced and acknowledged, repeats among them.",
        "None: what is missing to accepted waits in the queue, or its request was refused and is sent again.",
    ),
    Metric(
        "boxscore_spans_repeated_total",
        "counter",
        "spans",
        "Stored spans that were there already: sent again, or another version of them.",
        "Many mean that senders do not hear the answer in time: raise their timeout, or look at the commit time.",
    ),
    Metric(
        "boxscore_spans_rejected_total",
        "counter",
        "spans",
        "Spans that no sending again makes good, by reason; the rest of their request was stored. Nothing of them is "
        "kept, the sender was told.",
        "Look at what sends them: the reason names the field or the cap.",
        "reason",
    ),
    Metric(
        "boxscore_requests_refused_total",
        "counter",
        "requests",
        "Requests with spans of which nothing was kept, by the error's code. After busy and store they are sent again.",
        "busy: fewer or faster; store: look at the disk; others: at what sends them.",
        "reason",
    ),
    Metric(
        "boxscore_queue_spans",
        "gauge",
        "spans",
        "Spans that were read and wait for the disk.",
        "When it stays high, the disk is the limit: look at the commit time.",
    ),
    Metric(
        "boxscore_queue_bytes",
        "gauge",
        "bytes",
        "Requests that are not answered yet. At its cap, others are refused as busy.",
        "When it stays high, more arrives than this machine can take: send fewer spans, or sample.",
    ),
    Metric(
        "boxscore_queue_age_seconds",
        "gauge",
        "seconds",
        "How long the oldest request with spans has waited for its answer.",
        "Above the timeout of senders (10 s as a rule) they send again what is stored already.",
    ),
    Metric(
        "boxscore_acknowledgement_seconds",
        "histogram",
        "seconds",
        "From a request's last byte to its answer, sync and all.",
        "Compare with the commit time: what is above it is waiting.",
    ),
    Metric(
        "boxscore_commit_seconds_total",
        "counter",
        "seconds",
        "Time spent writing and syncing; by boxscore_commits_total it is the time of one.",
        "Above 0.1 s a commit, the disk is slow or shared.",
    ),
    Metric("boxscore_commits_total", "counter", "commits", "Synced writes.", "None."),
    Metric(
        "boxscore_jobs",
        "gauge",
        "jobs",
        "Jobs that wait, and those that run, by state.",
        "When many wait, start more workers; when some wait and none runs, look whether there is a worker at all.",
        "state",
    ),
    Metric(
        "boxscore_search_lag_spans",
        "gauge",
        "spans",
        "Stored spans that search cannot find yet.",
        "It falls within seconds after a burst. When it does not, the log says what stops it.",
    ),
    Metric(
        "boxscore_rollup_lag_spans",
        "gauge",
        "spans",
        "Stored spans that are not in the series yet.",
        "As the lag of search.",
    ),
    Metric(
        "boxscore_requests_total",
        "counter",
        "requests",
        "Requests over HTTP that were answered, by status.",
        "5xx: look at the log.",
        "status",
    ),
    Metric(
        "boxscore_requests_open",
        "gauge",
        "requests",
        "Requests under way, over HTTP and gRPC.",
        "When it stays high without traffic, clients read or send slowly; they are cut off in time.",
    ),
    Metric(
        "boxscore_connections_refused_total",
        "counter",
        "connections",
        "Connections closed at once, for too many were open.",
        "Look at which clients keep so many connections.",
    ),
    Metric(
        "boxscore_memory_bytes",
        "gauge",
        "bytes",
        "Resident memory of the server.",
        "Above 512 MB, please report it with what was asked of the server.",
    ),
    Metric(
        "boxscore_disk_free_bytes",
        "gauge",
        "bytes",
        "Free on the disk of the stores.",
        "Make room before it is nothing: delete old spans, or give it a larger disk.",
    ),
    Metric(
        "boxscore_spans_expired_total",
        "counter",
        "spans",
        "Spans that retention has removed, over the life of the folder, by project.",
        "When it is more than you meant, look at the policy: `boxscore retain --help`.",
        "project",
    ),
    Metric(
        "boxscore_backup_timestamp_seconds",
        "gauge",
        "seconds since 1970",
        "When the last backup was made; absent when none is known.",
        "Run `boxscore backup` daily.",
    ),
    Metric("boxscore_start_timestamp_seconds", "gauge", "seconds since 1970", "When the server began.", "None."),
)


def exposition(samples: Iterator[Sample]) -> bytes:
    """The samples in Prometheus' text format, version 0.0.4, in the order of the table."""
    found: dict[str, list[Sample]] = {metric.name: [] for metric in METRICS}
    for sample in samples:
        found[sample.metric].append(sample)
    lines: list[str] = []
    for metric in METRICS:
        lines += [f"# HELP {metric.name} {metric.meaning}", f"# TYPE {metric.name} {metric.kind}"]
        for sample in found[metric.name]:
            label = ""
            if sample.label is not None:
                name = "le" if metric.kind == "histogram" else metric.label
                label = f'{{{name}="{_escaped(sample.label)}"}}'
            lines.append(f"{metric.name}{sample.suffix}{label} {sample.value:.15g}")
    return ("\n".join(lines) + "\n").encode()


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def counted(metric: str, counts: Mapping[str, int]) -> Iterator[Sample]:
    """A sample for each label."""
    return (Sample(metric, value, label) for label, value in sorted(counts.items()))


def of_machine(home: Path) -> Iterator[Sample]:
    """Memory of this process and room on the disk; what cannot be told is left out."""
    with contextlib.suppress(OSError):  # Linux alone has it
        yield Sample("boxscore_memory_bytes", int(Path("/proc/self/statm").read_bytes().split()[1]) * PAGE)
    with contextlib.suppress(OSError):
        yield Sample("boxscore_disk_free_bytes", shutil.disk_usage(home).free)
