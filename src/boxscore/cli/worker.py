"""`boxscore worker`: does the jobs that others asked for."""

import os
import signal
import sys
import threading
from contextlib import closing
from types import FrameType
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from boxscore.jobs import Handler, Task, Worker
    from boxscore.types import Json

KINDS = ("comparison", "run")
IDLE_S = 60.0
"""A worker that a server started ends when there was nothing to do for so long."""
NICE = 5
"""So much less of a right to the CPU than a server on the same machine, whose senders wait."""


@click.command()
@click.option("--at-once", type=click.IntRange(1, 64), default=2, show_default=True, help="Jobs at the same time.")
@click.option("--idle", type=click.FloatRange(0), metavar="S", help="End when there was nothing to do for S seconds.")
@click.option(
    "--lease",
    type=click.FloatRange(0.5),
    default=10.0,
    show_default=True,
    metavar="S",
    help="Take over from workers that say nothing for S seconds.",
)
@click.option("--attached", is_flag=True, help="End with standard input, and so with the program that started it.")
@click.option(
    "--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of the log."
)
def worker(at_once: int, idle: float | None, lease: float, attached: bool, log_format: Literal["text", "json"]) -> None:
    """Do the jobs of this home, or of the database at BOXSCORE_RECORDS_URL.

    `boxscore serve` starts a worker of its own when there is a job; this one is for more of them, on this machine or
    others, which then share the database. SIGTERM and Ctrl-C give back what is under way: another worker goes on.
    """
    from boxscore import settings
    from boxscore.jobs import Jobs, Worker
    from boxscore.server.logs import log_to_stderr
    from boxscore.store.records.records import open_database

    log_to_stderr(log_format)
    chosen = settings.load()
    if attached:
        os.nice(NICE)
        idle = IDLE_S if idle is None else idle
    with closing(open_database(settings.home(chosen), chosen.records_url)) as database:
        made = Worker(Jobs(database), dict.fromkeys(KINDS, _lazily), at_once=at_once, lease_s=lease)

        def stop(number: int, frame: FrameType | None) -> None:
            made.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        if attached:
            threading.Thread(target=_end_with, args=[made], daemon=True).start()
        made.run(idle_s=idle)


async def _lazily(task: "Task") -> "Json":
    """Experiments are heavy, and loaded with the first job."""
    from boxscore.experiments.jobs import handlers

    handler: Handler = handlers()[task.job.kind]
    return await handler(task)


def _end_with(made: "Worker") -> None:
    while sys.stdin.buffer.read(4096):
        pass
    made.stop()
