"""Tracing: spans over OTLP, and the normal form of what they say."""

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
