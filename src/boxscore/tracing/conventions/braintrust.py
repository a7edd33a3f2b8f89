"""Braintrust.

Source: https://www.braintrust.dev/docs/integrations/sdk-integrations/opentelemetry/attributes and the tracing of its
SDKs (`braintrust.input_json`, `braintrust.metrics` with prompt, cached and reasoning tokens).
"""

from collections.abc import Mapping

from boxscore.tracing.conventions.dialect import Dialect, Field, Name

__all__ = ["BRAINTRUST"]

_METRICS: Mapping[str, Field | Name] = {
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "prompt_cached_tokens": "cached_tokens",
    "prompt_cache_creation_tokens": "written_tokens",
    "completion_reasoning_tokens": "reasoning_tokens",
    "time_to_first_token": Name(field="first_token", unit="s"),
}
_TYPE = Name(
    field="operation",
    values={
        "llm": "chat",
        "tool": "execute_tool",
        "function": "execute_tool",
        "task": "chain",
        "eval": "evaluate",
        "score": "evaluate",
    },
)

BRAINTRUST = Dialect(
    title="Braintrust",
    source="https://www.braintrust.dev/docs/integrations/sdk-integrations/opentelemetry/attributes",
    names={
        "braintrust.span_attributes": {"type": _TYPE},
        "braintrust.input_json": "input",
        "braintrust.input": "input",
        "braintrust.output_json": "output",
        "braintrust.output": "output",
        "braintrust.metrics": _METRICS,
        "braintrust.metrics.prompt_tokens": "input_tokens",
        "braintrust.metrics.completion_tokens": "output_tokens",
        "braintrust.metadata": "metadata",
        "braintrust.metadata.model": "model",
        "braintrust.tags": "tags",
    },
    metadata=("braintrust.metadata.",),
    namespaces=("braintrust.",),
)
