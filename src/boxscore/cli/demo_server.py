"""The end of the demo: a real `boxscore serve` with the demo project in it, and a support desk that goes on working."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from pathlib import Path
from types import FrameType

import click

from boxscore import settings
from boxscore.cli.desk import work
from boxscore.client.place import Place, find_place, listens
from boxscore.datasets.tickets import DEMO_SEED, tickets
from boxscore.errors import OperationError

__all__ = ["serve_demo"]

AT_ONCE, PAUSE_S, SHIFT = 60, 2.0, 1_800
"""Tickets that are answered at once, seconds between the later ones, and how many a shift has: about an hour's."""
READY_S, CLOSE_S = 30.0, 5.0


def serve_demo(port: int, project: str, *, browser: bool) -> int:
    """Serves the folder's stores until Ctrl-C, or hands the traces to the server that already does."""
    home = settings.home().resolve()
    running = find_place(home)
    if running is not None and listens(running):
        _desk(running.url, project, threading.Event(), shift=AT_ONCE)
        _tell(running.url, project, browser)
        return 0
    command = [sys.executable, "-m", "boxscore", "serve", f"--port={_free(port)}", "--log-format=json"]
    # In a session of its own, so that Ctrl-C reaches us alone: the desk closes first, and loses no trace.
    server = subprocess.Popen(command, env=os.environ | {"BOXSCORE_HOME": str(home)}, start_new_session=True)  # noqa: S603
    closing = threading.Event()
    desk = threading.Thread(target=lambda: _desk(place.url, project, closing, shift=SHIFT), daemon=True)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        place = _ready(home, server)
        desk.start()
        _tell(place.url, project, browser)
        click.echo("The desk answers a ticket every two seconds. Ctrl-C stops both.", err=True)
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        closing.set()
        if desk.is_alive():
            desk.join(CLOSE_S)
        server.terminate()
        server.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _desk(url: str, project: str, closing: threading.Event, *, shift: int) -> None:
    import boxscore

    boxscore.init(
        url,
        service="support-desk",
        environment="demo",
        release="1.0",
        instrument=False,
        headers={"boxscore-project": project},
    )
    work(tickets(shift, seed=DEMO_SEED + 1), closing, at_once=AT_ONCE, pause_s=PAUSE_S)
    boxscore.flush(2.0)


def _tell(url: str, project: str, browser: bool) -> None:
    page = f"{url}/?project={project}"
    click.echo(f"Box score, runs and live traces of the demo: {page}", err=True)
    if browser:
        webbrowser.open(page)


def _ready(home: Path, server: "subprocess.Popen[bytes]") -> Place:
    until = time.monotonic() + READY_S
    while server.poll() is None and time.monotonic() < until:
        place = find_place(home)
        if place is not None and place.pid == server.pid and listens(place):
            return place
        time.sleep(0.05)
    raise OperationError("the server did not start: its log above says why. The verdict and its report are kept.")


def _free(port: int) -> int:
    """The port if nobody has it, else 0, for which the system chooses one."""
    with socket.socket() as tried:
        try:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port
