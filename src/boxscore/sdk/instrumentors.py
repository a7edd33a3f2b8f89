"""Switching on what instruments other libraries: whatever OpenTelemetry and OpenInference packages are installed."""

import logging
import os
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from opentelemetry.trace import TracerProvider

from boxscore.sdk.notices import tell

__all__ = ["switch_on"]

_GROUPS = ("openinference_instrumentor", "opentelemetry_instrumentor")
"""Of two instrumentors of one name the first counts: both together would tell every token twice."""


def switch_on(provider: TracerProvider, only: Sequence[str] | None = None) -> list[str]:
    """Instruments with all that is installed, or with `only` these names; gives the names of those that work. A broken
    one is told in one line of the log. `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` is heeded."""
    found: dict[str, EntryPoint] = {}
    for group in _GROUPS:
        for entry in entry_points(group=group):
            found.setdefault(entry.name, entry)
    unwanted = {name.strip() for name in os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")}
    if only is not None:
        for name in sorted(set(only) - set(found)):
            known = ", ".join(sorted(found)) or "none"
            tell(f"instrumentor {name}", f"no instrumentor is called {name!r}; installed are: {known}.")
    names = [name for name in found if (only is None or name in only) and name not in unwanted and "*" not in unwanted]
    return [name for name in names if _instrument(found[name], provider)]


def _instrument(entry: EntryPoint, provider: TracerProvider) -> bool:
    try:
        instrumentor = entry.load()()
        if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
            return True
        conflict = getattr(instrumentor, "_check_dependency_conflicts", lambda: None)()
        if conflict is not None:  # the instrumentor is there, what it instruments is not
            logging.getLogger("boxscore.sdk").debug("instrumentor %r stays off: %s", entry.name, conflict)
            return False
        instrumentor.instrument(tracer_provider=provider)
    except ModuleNotFoundError as error:  # what it instruments, most often
        logging.getLogger("boxscore.sdk").debug("instrumentor %r stays off: %s", entry.name, error)
        return False
    except Exception as error:  # noqa: BLE001 - anything may be installed
        said = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        tell(f"instrumentor {entry.name}", f"instrumentor {entry.name!r} cannot be switched on: {said}")
        return False
    logging.getLogger("boxscore.sdk").debug("instrumentor %r is on", entry.name)
    return True
