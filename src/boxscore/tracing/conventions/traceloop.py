"""Traceloop's OpenLLMetry.

Source: https://github.com/traceloop/openllmetry, the package `opentelemetry-semantic-conventions-ai`; the numbered
`gen_ai.prompt.0.content` attributes as its instrumentations write them.
"""

from boxscore.tracing.conventions.dialect import Dialect, Indexed, Name

__all__ = ["TRACELOOP"]

TRACELOOP = Dialect(
    title="Traceloop (OpenLLMetry)",
    source="https://github.com/traceloop/openllmetry",
    names={
        "llm.request.type": Name(
            field="operation",
            values={
                "chat": "chat",
                "completion": "text_completion",
                "embedding": "embeddings",
                "rerank": "rerank",
                "unknown": "",
            },
        ),
        "traceloop.span.kind": Name(
            field="operation",
            values={
                "workflow": "invoke_workflow",
                "task": "chain",
                "agent": "invoke_agent",
                "tool": "execute_tool",
                "unknown": "",
            },
        ),
        "traceloop.entity.name": "step",
        "traceloop.entity.path": "step",
        "traceloop.workflow.name": "step",
        "gen_ai.task.name": "step",
        "traceloop.entity.input": "input",
        "traceloop.entity.output": "output",
        "gen_ai.task.input": "input",
        "gen_ai.task.output": "output",
        "traceloop.prompt.key": "prompt",
        "traceloop.prompt.version": "prompt_version",
        "traceloop.prompt.version_name": "prompt_version",
        "traceloop.prompt.version_hash": "prompt_version",
        "traceloop.association.properties.session_id": "session",
        "traceloop.association.properties.thread_id": "session",
        "traceloop.association.properties.chat_id": "session",
        "traceloop.association.properties.user_id": "user",
        "gen_ai.user": "user",
        "llm.user": "user",
        "gen_ai.openai.system_fingerprint": "fingerprint",
        "gen_ai.usage.cache_read_input_tokens": "cached_tokens",
        "gen_ai.usage.cache_creation_input_tokens": "written_tokens",
        "gen_ai.usage.reasoning_tokens": "reasoning_tokens",
        "llm.usage.reasoning_tokens": "reasoning_tokens",
    },
    indexed={
        "gen_ai.prompt.": Indexed("input"),
        "gen_ai.completion.": Indexed("output"),
        "llm.prompts.": Indexed("input"),
        "llm.completions.": Indexed("output"),
    },
    metadata=("traceloop.association.properties.",),
    namespaces=("traceloop.", "pinecone.", "qdrant.", "haystack.", "langgraph."),
)
