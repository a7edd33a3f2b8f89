"""LangSmith's exporter: GenAI names, and its own for what those lack.

Source: https://github.com/langchain-ai/langsmith-sdk, `python/langsmith/_internal/otel/_otel_exporter.py`.
"""

from collections.abc import Mapping

from boxscore.tracing.conventions.dialect import Dialect, Field, Name

__all__ = ["LANGSMITH"]

_INPUT_DETAILS: Mapping[str, Field] = {"cache_read": "cached_tokens", "cache_creation": "written_tokens"}
_OUTPUT_DETAILS: Mapping[str, Field] = {"reasoning": "reasoning_tokens"}

LANGSMITH = Dialect(
    title="LangSmith",
    source="https://github.com/langchain-ai/langsmith-sdk/blob/main/python/langsmith/_internal/otel/_otel_exporter.py",
    names={
        "langsmith.span.kind": Name(
            field="operation",
            values={
                "llm": "chat",
                "tool": "execute_tool",
                "retriever": "retrieval",
                "embedding": "embeddings",
                "chain": "chain",
                "prompt": "prompt",
                "parser": "chain",
            },
        ),
        "langsmith.metadata.langgraph_node": "step",
        "langsmith.metadata.thread_id": "session",
        "langsmith.metadata.session_id": "session",
        "langsmith.metadata.conversation_id": "session",
        "langsmith.metadata.user_id": "user",
        "langsmith.metadata.ls_provider": "provider",
        "langsmith.metadata.ls_model_name": "model_asked",
        "langsmith.span.tags": "tags",
        "gen_ai.usage.input_token_details": _INPUT_DETAILS,
        "gen_ai.usage.output_token_details": _OUTPUT_DETAILS,
    },
    metadata=("langsmith.metadata.",),
    namespaces=("langsmith.",),
)
