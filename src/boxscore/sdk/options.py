"""Where to, under which name: from the arguments of `init`, `BOXSCORE_*` and `OTEL_*` variables, in this order."""

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from boxscore import settings
from boxscore.errors import SpecError
from boxscore.sdk.post import Target

__all__ = ["exporter_number", "resource_attributes", "spool_folder", "target"]

DEFAULT_URL = "http://127.0.0.1:8400"
_TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
_LONGEST_S = 60.0  # OpenTelemetry for Python reads seconds; who wrote milliseconds, as others read, waits this long
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_SPANS, _SCORES = "/v1/traces", "/api/v1/scores"


def target(url: str | None, headers: Mapping[str, str] | None) -> Target:
    """`SpecError` for an address or a header that is none.

    Sources of the variables: opentelemetry.io/docs/specs/otel/protocol/exporter.
    """
    base = url or settings.load().url or _exporter("ENDPOINT", of_spans=False)
    exact = None if url or settings.load().url else os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or None
    base = (base or (exact or "").removesuffix(_SPANS) or DEFAULT_URL).rstrip("/")
    spans_url = exact or base.removesuffix(_SPANS) + _SPANS
    for address in (base, spans_url):
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SpecError(f"{address!r} is no address: it starts with http:// or https://, then a host.", key="url")
    said = dict(_pairs(_exporter("HEADERS") or "")) | {name: value.strip() for name, value in (headers or {}).items()}
    if url or settings.load().url or base == DEFAULT_URL:  # an address of OpenTelemetry's may be anybody's
        said = _key_and_project({name.lower() for name in said}) | said
    for name, value in said.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):  # which may be a key: it is not shown
            raise SpecError(
                f"the header {name[:80]!r} cannot be sent: its name or its value has a line break or a character that "
                "headers do not have.",
                key="headers",
            )
    return Target(
        spans_url=spans_url,
        scores_url=base.removesuffix(_SPANS) + _SCORES,
        headers=tuple(sorted(said.items())),
        timeout_s=min(_LONGEST_S, exporter_number(*_TIMEOUTS, default=10.0)),
        compress=_exporter("COMPRESSION") == "gzip",
        certificate=_exporter("CERTIFICATE"),
        client_certificate=_exporter("CLIENT_CERTIFICATE"),
        client_key=_exporter("CLIENT_KEY"),
    )


def _key_and_project(without: set[str]) -> dict[str, str]:
    found = settings.headers(settings.load())
    return {name: value for name, value in found.items() if name not in without}


def spool_folder(to: Target) -> Path:
    """Where spans wait for a server, one folder for each address and key: in the home where there is one, else with
    the system's temporary files."""
    identity = hashlib.sha256(repr((to.spans_url, to.headers)).encode()).hexdigest()[:16]
    home = settings.home()
    if home.is_dir() or settings.load().home is not None:
        return home / "spool" / identity
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    return Path(tempfile.gettempdir()) / f"boxscore-spool-{user}" / identity


def resource_attributes(service: str | None, environment: str | None, release: str | None) -> dict[str, str]:
    """What OpenTelemetry's own variables do not say is left out."""
    said = {
        "service.name": service,
        "deployment.environment.name": environment,
        "service.version": release,
    }
    return {key: value for key, value in said.items() if value}


def exporter_number(*names: str, default: float) -> float:
    """The first of the variables that is a positive number."""
    for name in names:
        try:
            value = float(os.environ.get(name, ""))
        except ValueError:
            continue
        if value > 0:
            return value
    return default


def _exporter(name: str, *, of_spans: bool = True) -> str | None:
    found = os.environ.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}") if of_spans else None
    return (found or os.environ.get(f"OTEL_EXPORTER_OTLP_{name}") or "").strip() or None


def _pairs(text: str) -> list[tuple[str, str]]:
    """`a=1,b=2`, with what is not plain in it percent-encoded."""
    pairs = [part.partition("=") for part in text.split(",") if "=" in part]
    return [(unquote(key.strip()), unquote(value.strip())) for key, _, value in pairs]
