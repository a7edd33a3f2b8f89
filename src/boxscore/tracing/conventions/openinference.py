"""OpenInference (Arize Phoenix and its instrumentors).

Source: https://github.com/Arize-ai/openinference, `spec/semantic_conventions.md` and the package
`openinference-semantic-conventions`.
"""

from boxscore.tracing.conventions.dialect import Dialect, Indexed, Name

__all__ = ["OPENINFERENCE"]

_MESSAGE = ("message.", "message_content.", "tool_call.", "function.")

OPENINFERENCE = Dialect(
    title="OpenInference",
    source="https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md",
    names={
        "openinference.span.kind": Name(
            field="operation",
            values={
                "LLM": "chat",
                "EMBEDDING": "embeddings",
                "TOOL": "execute_tool",
                "AGENT": "invoke_agent",
                "RETRIEVER": "retrieval",
                "RERANKER": "rerank",
                "CHAIN": "chain",
                "GUARDRAIL": "guardrail",
                "EVALUATOR": "evaluate",
                "PROMPT": "prompt",
                "DECISION": "decision",
                "UNKNOWN": "",
            },
        ),
        "llm.request.model_name": "model_asked",
        "llm.response.model_name": "model",
        "llm.model_name": "model",
        "embedding.model_name": "model",
        "llm.provider": "provider",
        "llm.system": "provider",
        "llm.token_count.prompt": "input_tokens",
        "llm.token_count.completion": "output_tokens",
        "llm.token_count.prompt_details.cache_read": "cached_tokens",
        "llm.token_count.prompt_details.cache_input": "cached_tokens",
        "llm.token_count.prompt_details.cache_write": "written_tokens",
        "llm.token_count.completion_details.reasoning": "reasoning_tokens",
        "llm.prompt_template.version": "prompt_version",
        "prompt.id": "prompt",
        "graph.node.name": "step",
        "graph.node.id": "step",
        "agent.name": "step",
        "tool.name": "step",
        "input.value": "input",
        "output.value": "output",
        "tool.parameters": Name(field="input", implies="execute_tool"),
        "metadata": "metadata",
        "tag.tags": "tags",
    },
    indexed={
        "llm.input_messages.": Indexed("input", _MESSAGE),
        "llm.output_messages.": Indexed("output", _MESSAGE),
        "llm.prompts.": Indexed("input", ("prompt.",)),
        "llm.choices.": Indexed("output", ("completion.",)),
        "retrieval.documents.": Indexed("output", ("document.",)),
    },
    metadata=("metadata.",),
    namespaces=(
        "openinference.", "llm.", "embedding.", "input.", "output.", "tool.", "retrieval.", "reranker.", "image.",
        "graph.", "agent.", "prompt.", "tag.", "decision.", "document.", "evaluations", "annotations", "trace.",
    ),
)  # fmt: skip
