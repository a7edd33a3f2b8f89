"""Tracing: spans over OTLP, and the normal form of what they say."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boxscore.tracing.ingest import Ingest
    from boxscore.tracing.limits import Limits
    from boxscore.tracing.normal import Normaliser
    from boxscore.tracing.otlp import Batch, Span, answer_json, answer_protobuf, read_json, read_protobuf
    from boxscore.tracing.values import read_value

__all__ = [
    "Batch",
    "Ingest",
    "Limits",
    "Normaliser",
    "Span",
    "answer_json",
    "answer_protobuf",
    "read_json",
    "read_protobuf",
    "read_value",
]

_HOMES = {"Ingest": "ingest", "Limits": "limits", "Normaliser": "normal", "read_value": "values"}


def __getattr__(name: str) -> object:
    """What takes spans in loads the prices; who reads what is stored does without."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES.get(name, 'otlp')}"), name)
    globals()[name] = found
    return found
