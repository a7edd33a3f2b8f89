"""Conventions: what the attributes of a span are called, by dialect. Earlier dialects and earlier names count first."""

from boxscore.tracing.conventions.braintrust import BRAINTRUST
from boxscore.tracing.conventions.dialect import Dialect, Field, Indexed, Name, Target
from boxscore.tracing.conventions.frameworks import GOOGLE_ADK, PYDANTIC
from boxscore.tracing.conventions.genai import GENAI, MCP, OPENTELEMETRY
from boxscore.tracing.conventions.langfuse import LANGFUSE
from boxscore.tracing.conventions.langsmith import LANGSMITH
from boxscore.tracing.conventions.mlflow import MLFLOW
from boxscore.tracing.conventions.openinference import OPENINFERENCE
from boxscore.tracing.conventions.own import BOXSCORE
from boxscore.tracing.conventions.traceloop import TRACELOOP
from boxscore.tracing.conventions.vercel import VERCEL

__all__ = ["DIALECTS", "Dialect", "Field", "Indexed", "Name", "Target"]

DIALECTS: tuple[Dialect, ...] = (
    BOXSCORE,
    LANGSMITH,  # before GenAI, whose operation its exporter only guesses
    GENAI,
    TRACELOOP,
    OPENINFERENCE,
    LANGFUSE,
    BRAINTRUST,
    VERCEL,
    MLFLOW,
    PYDANTIC,
    GOOGLE_ADK,
    OPENTELEMETRY,
    MCP,  # last: its session is a connection's, not a conversation's
)
