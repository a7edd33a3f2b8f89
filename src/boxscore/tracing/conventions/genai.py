"""OpenTelemetry's GenAI conventions, names of today and of before, with MCP's.

Source: https://github.com/open-telemetry/semantic-conventions-genai (`docs/gen-ai`, `docs/gen-ai/mcp.md`), and the
deprecated names in the registry of semantic-conventions 1.2x to 1.37 (`gen_ai.system`, `gen_ai.prompt`,
`gen_ai.usage.prompt_tokens`, events that carry messages). `gen_ai.latency.time_to_first_token`, in seconds, is vLLM's.
"""

from boxscore.tracing.conventions.dialect import Dialect, Name

__all__ = ["GENAI", "MCP", "OPENTELEMETRY"]

GENAI = Dialect(
    title="OpenTelemetry GenAI",
    source="https://opentelemetry.io/docs/specs/semconv/gen-ai/",
    names={
        "gen_ai.operation.name": "operation",
        "gen_ai.conversation.id": "session",
        "gen_ai.request.model": "model_asked",
        "gen_ai.response.model": "model",
        "gen_ai.provider.name": "provider",
        "gen_ai.system": "provider",
        "gen_ai.openai.response.system_fingerprint": "fingerprint",
        "gen_ai.response.system_fingerprint": "fingerprint",
        "openai.response.system_fingerprint": "fingerprint",
        "gen_ai.prompt.name": "prompt",
        "gen_ai.prompt.version": "prompt_version",
        "gen_ai.usage.input_tokens": "input_tokens",
        "gen_ai.usage.prompt_tokens": "input_tokens",
        "gen_ai.usage.output_tokens": "output_tokens",
        "gen_ai.usage.completion_tokens": "output_tokens",
        "gen_ai.usage.cache_read.input_tokens": "cached_tokens",
        "gen_ai.usage.cache_creation.input_tokens": "written_tokens",
        "gen_ai.usage.reasoning.output_tokens": "reasoning_tokens",
        "gen_ai.response.time_to_first_chunk": Name(field="first_token", unit="s"),
        "gen_ai.latency.time_to_first_token": Name(field="first_token", unit="s"),
        "gen_ai.tool.name": "step",
        "gen_ai.agent.name": "step",
        "gen_ai.workflow.name": "step",
        "gen_ai.agent.id": "step",
        "gen_ai.input.messages": "input",
        "gen_ai.output.messages": "output",
        "gen_ai.tool.call.arguments": Name(field="input", implies="execute_tool"),
        "gen_ai.tool.call.result": Name(field="output", implies="execute_tool"),
        "gen_ai.retrieval.query.text": Name(field="input", implies="retrieval"),
        "gen_ai.retrieval.documents": Name(field="output", implies="retrieval"),
        "gen_ai.prompt": "input",
        "gen_ai.completion": "output",
        "error.type": "error",
    },
    namespaces=("gen_ai.", "openai.", "azure.ai.", "aws.bedrock."),
)

MCP = Dialect(
    title="MCP",
    source="https://opentelemetry.io/docs/specs/semconv/gen-ai/mcp/",
    names={
        "mcp.method.name": Name(
            field="operation",
            values={
                "tools/call": "execute_tool",
                "resources/read": "retrieval",
            },
        ),
        "mcp.session.id": "session",
        "mcp.resource.uri": "step",
        "mcp.request.argument": "input",
        "mcp.response.value": "output",
    },
    namespaces=("mcp.", "jsonrpc."),
)

OPENTELEMETRY = Dialect(
    title="OpenTelemetry in general",
    source="https://opentelemetry.io/docs/specs/semconv/registry/attributes/",
    names={
        "session.id": "session",
        "user.id": "user",
        "enduser.id": "user",
        "service.name": "application",
        "service.version": "release",
        "deployment.environment.name": "environment",
        "deployment.environment": "environment",
    },
    namespaces=(
        "browser.", "client.", "cloud.", "code.", "container.", "db.", "deployment.", "device.", "enduser.", "error.",
        "event.", "exception.", "faas.", "gcp.", "host.", "http.", "k8s.", "logfire.", "messaging.", "net.",
        "network.", "os.", "otel.", "peer.", "process.", "rpc.", "server.", "service.", "session.", "telemetry.",
        "thread.", "url.", "user_agent.", "user.", "aws.",
    ),
)  # fmt: skip
