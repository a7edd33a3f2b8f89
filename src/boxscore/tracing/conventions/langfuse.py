"""Langfuse's own attributes.

Source: https://github.com/langfuse/langfuse-python `langfuse/_client/attributes.py`, and what its server reads:
https://github.com/langfuse/langfuse `web/src/features/otel/server/attributes.ts`. Its usage counts what came from the
cache beside `input`, not within.
"""

from collections.abc import Mapping

from boxscore.tracing.conventions.dialect import Dialect, Field, Name

__all__ = ["LANGFUSE"]

_USAGE: Mapping[str, Field] = {
    "input": "uncached_tokens",
    "output": "output_tokens",
    "prompt_tokens": "input_tokens",
    "completion_tokens": "output_tokens",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "input_cached_tokens": "cached_tokens",
    "input_cache_read": "cached_tokens",
    "cache_read_input_tokens": "cached_tokens",
    "input_cache_creation": "written_tokens",
    "cache_creation_input_tokens": "written_tokens",
    "output_reasoning_tokens": "reasoning_tokens",
    "output_reasoning": "reasoning_tokens",
}

LANGFUSE = Dialect(
    title="Langfuse",
    source="https://github.com/langfuse/langfuse-python/blob/main/langfuse/_client/attributes.py",
    names={
        "langfuse.observation.type": Name(
            field="operation",
            values={
                "generation": "chat",
                "embedding": "embeddings",
                "agent": "invoke_agent",
                "tool": "execute_tool",
                "retriever": "retrieval",
                "evaluator": "evaluate",
                "span": "",
                "event": "",
            },
        ),
        "langfuse.observation.input": "input",
        "langfuse.observation.output": "output",
        "langfuse.trace.input": "input",
        "langfuse.trace.output": "output",
        "langfuse.observation.model.name": "model",
        "langfuse.observation.usage_details": _USAGE,
        "langfuse.observation.completion_start_time": Name(field="first_token", unit="at"),
        "langfuse.observation.prompt.name": "prompt",
        "langfuse.observation.prompt.version": "prompt_version",
        "langfuse.observation.status_message": "status_message",
        "langfuse.observation.level": Name(
            field="error", values={"ERROR": "ERROR", "DEFAULT": "", "DEBUG": "", "WARNING": ""}
        ),
        "langfuse.environment": "environment",
        "langfuse.release": "release",
        "langfuse.session.id": "session",
        "langfuse.user.id": "user",
        "langfuse.trace.tags": "tags",
        "langfuse.tags": "tags",
        "langfuse.internal.as_root": "entry",
        "langfuse.trace.metadata": "metadata",
        "langfuse.observation.metadata": "metadata",
        # what LangChain's callback puts there
        "langfuse.observation.metadata.langgraph_node": "step",
        "langfuse.observation.metadata.thread_id": "session",
        "langfuse.observation.metadata.ls_provider": "provider",
        "langfuse.observation.metadata.ls_model_name": "model_asked",
    },
    metadata=("langfuse.trace.metadata.", "langfuse.observation.metadata."),
    namespaces=("langfuse.",),
)
