"""A home as the demo leaves it, and the addresses of its screens."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from serving import Server

PROJECT = "demo"
DESK = """
import sys, threading, boxscore
from boxscore.cli.desk import work
from boxscore.datasets.tickets import tickets
boxscore.init(sys.argv[1], service="support-desk", environment="demo", release="1.0", instrument=False,
              headers={"boxscore-project": sys.argv[2]})
work(tickets(int(sys.argv[3]), seed=7), threading.Event(), at_once=10**6, pause_s=0)
assert boxscore.flush()
"""


def furnish(home: Path) -> Path:
    """The project, dataset, runs and box score of `boxscore demo`."""
    env = os.environ | {"BOXSCORE_HOME": str(home)}
    command = [sys.executable, "-m", "boxscore", "demo", "--no-serve", "--report", str(home.parent / "report.html")]
    subprocess.run(command, env=env, check=True, capture_output=True)
    return home


def answer_tickets(server: Server, count: int = 40, *, project: str = PROJECT) -> None:
    """The demo's desk answers so many tickets, traced."""
    env = os.environ | {"BOXSCORE_HOME": str(server.home)}
    subprocess.run([sys.executable, "-c", DESK, server.url, project, str(count)], env=env, check=True)


def screens(server: Server, *, project: str = PROJECT) -> Iterator[tuple[str, str]]:
    """Names and addresses of all screens that have something to show."""

    def first(what: str) -> dict[str, object]:
        return json.loads(server.ask(f"/api/v1/{what}?project={project}&limit=1").body)["items"][0]

    trace = first("traces")["entry"]
    assert isinstance(trace, dict)
    trace_id, session = trace["trace_id"], trace["session"]
    yield "home", f"/?project={project}"
    yield "traces", f"/traces?project={project}&range=1h"
    yield "spans", f"/traces?project={project}&range=1h&tab=spans"
    yield "sessions", f"/traces?project={project}&range=1h&tab=sessions"
    yield "trace-beside", f"/traces?project={project}&range=1h&trace={trace_id}"
    yield "trace", f"/traces/{trace_id}?project={project}"
    yield "conversation", f"/traces/{trace_id}?project={project}&view=conversation"
    yield "raw", f"/traces/{trace_id}?project={project}&view=raw"
    yield "session", f"/sessions/{session}?project={project}"
    yield "datasets", f"/datasets?project={project}"
    yield "dataset", f"/datasets/support-tickets?project={project}"
    yield "versions", f"/datasets/support-tickets?project={project}&tab=versions"
    yield "experiments", f"/experiments?project={project}"
    yield "runs", f"/experiments?project={project}&tab=runs"
    yield "matrix", f"/experiments?project={project}&tab=matrix"
    yield "box-score", f"/experiments/{first('comparisons')['id']}?project={project}"
    yield "compare", f"/experiments/new?project={project}"
    yield "run", f"/runs/{first('runs')['id']}?project={project}"
    yield "costs", f"/costs?project={project}&range=1h"
    yield "prompts", f"/prompts?project={project}"
    yield "releases", f"/releases?project={project}"
    yield "review", f"/review?project={project}"
    for page in ("", "/members", "/keys", "/projects", "/prices", "/providers", "/audit"):
        yield f"settings{page.replace('/', '-')}", f"/settings{page}?project={project}"
