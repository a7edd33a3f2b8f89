"""`boxscore.init`: the road from spans to the server, laid once per process."""

import atexit
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from opentelemetry import trace as otel
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from boxscore import __version__, settings
from boxscore.errors import BoxscoreError
from boxscore.sdk.capture import LIMIT, Capture
from boxscore.sdk.collector import Collector
from boxscore.sdk.ids import Ids
from boxscore.sdk.instrumentors import switch_on
from boxscore.sdk.notices import tell
from boxscore.sdk.options import exporter_number, resource_attributes, spool_folder, target
from boxscore.sdk.outbox import Outbox
from boxscore.sdk.parcel import Counts, Tally
from boxscore.sdk.post import Post
from boxscore.sdk.runtime import runtime
from boxscore.sdk.spool import Spool
from boxscore.types import Json

__all__ = ["counts", "flush", "init"]

EXIT_S = 2.0
_MEGABYTE = 1024 * 1024


class _Road(NamedTuple):
    collector: Collector
    outbox: Outbox
    post: Post
    ids: Ids
    tally: Tally


_road: _Road | None = None
_laying = threading.Lock()


def init(
    url: str | None = None,
    *,
    service: str | None = None,
    environment: str | None = None,
    release: str | None = None,
    instrument: bool | Sequence[str] = True,
    inputs: bool = True,
    outputs: bool = True,
    redact: Callable[[Json], Json] | None = None,
    limit: int = LIMIT,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Sends the spans of this process to a Boxscore server, from now on. A second call changes nothing.

    `url` is the server's, else `BOXSCORE_URL`, else what OpenTelemetry's `OTEL_EXPORTER_OTLP_*` variables say, else
    http://127.0.0.1:8400. `service`, `environment` and `release` say who speaks; OpenTelemetry's variables do as well.
    A `TracerProvider` that the application has set stays, and gets one more destination.

    `instrument` switches on the OpenTelemetry and OpenInference instrumentors that are installed: all, none, or those
    that are named. `inputs` and `outputs` tell whether arguments and results are kept, each up to `limit` characters;
    `redact` is given each of them as plain JSON and gives what is kept. `BOXSCORE_API_KEY` is the key for a server that
    asks for one; `headers` go with every request too.

    Never raises. Spans leave behind the application's back; while the server is away they wait on disk.
    """
    global _road
    with _laying:
        if _road is not None:
            return
        if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return
        try:
            to = target(url, headers)
            spool_bytes = round(settings.load().spool_mb * _MEGABYTE)
            spool = Spool(spool_folder(to), spool_bytes) if spool_bytes > 0 else None
            who = resource_attributes(service, environment, release)
            tally, post, ids = Tally(), Post(to), Ids()
            outbox = Outbox(post, spool, tally)
            found = otel.get_tracer_provider()
            theirs = found if isinstance(found, TracerProvider) else None
            provider = theirs or TracerProvider(
                resource=Resource.create({**who}), id_generator=ids, shutdown_on_exit=False
            )
            collector = Collector(
                outbox,
                tally,
                stamp={f"boxscore.{_OWN[key]}": value for key, value in who.items()} if theirs else None,
                resource=provider.resource,
                delay_s=exporter_number("OTEL_BSP_SCHEDULE_DELAY", default=1_000.0) / 1e3,
                batch=round(exporter_number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", default=512.0)),
            )
            if theirs is None:
                otel.set_tracer_provider(provider)
            provider.add_span_processor(collector)
            runtime.tracer = provider.get_tracer("boxscore", __version__)
            runtime.capture = Capture(limit, redact)
            runtime.inputs, runtime.outputs = inputs, outputs
            runtime.scores = collector.score
            _road = _Road(collector, outbox, post, ids, tally)
            atexit.register(_leave)
            _leave_as_child()
        except BoxscoreError as error:
            tell("init", f"nothing is traced: {error}")
            return
        except Exception as error:  # noqa: BLE001 - never into the application
            tell("init", f"nothing is traced: {type(error).__name__}: {error}")
            return
    if instrument is not False:
        try:
            switch_on(provider, None if instrument is True else instrument)
        except Exception as error:  # noqa: BLE001 - what is installed may be broken in ways of its own
            tell("init", f"no instrumentor is switched on: {type(error).__name__}: {error}")


_OWN = {
    "service.name": "application",
    "deployment.environment.name": "environment",
    "service.version": "release",
}


def flush(timeout_s: float = 10.0) -> bool:
    """Waits until the server has all spans that ended and all scores; False when it did not take them in time. For the
    end of scripts and serverless functions; it blocks, so not for the middle of an event loop."""
    try:
        return _road is None or _road.collector.force_flush(round(timeout_s * 1_000))
    except Exception as error:  # noqa: BLE001 - never into the application
        tell("flush", f"what waits was not sent: {type(error).__name__}: {error}")
        return False


def counts() -> dict[str, Counts]:
    """What became of this process's `spans` and `scores` so far."""
    return {kind: _road.tally.of(kind) if _road is not None else Counts() for kind in ("spans", "scores")}


def _leave() -> None:
    """The interpreter ends: send what can be sent in a moment, put the rest on disk."""
    if _road is not None:
        try:
            if _road.collector.close(EXIT_S):
                _road.post.close()
        except Exception as error:  # noqa: BLE001 - the application's exit is not ours to disturb
            tell("exit", f"what waited was not sent: {type(error).__name__}: {error}")


def _forked() -> None:
    """In a child: threads, locks, connections and what waits are the parent's."""
    global _laying
    _laying = threading.Lock()
    if _road is not None:
        _road.tally.reset()
        _road.post.forget()
        _road.outbox.forget()
        _road.collector.reset()
        _road.ids.reset()
        processes = sys.modules.get("multiprocessing.util")
        if processes is not None:  # which forgets what was to be done at the end, and then asks who minds
            processes.register_after_fork(_road.collector, _leave_as_child)


def _leave_as_child(_: object = None) -> None:
    """Processes of `multiprocessing` end without `atexit`."""
    processes = sys.modules.get("multiprocessing.util")
    if processes is not None:
        processes.Finalize(None, _leave, exitpriority=-100)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
