"""Names that two frameworks use beside the GenAI conventions.

Source: https://github.com/pydantic/pydantic-ai (`pydantic_ai/models/instrumented.py`, spans of agents and tools) and
https://github.com/google/adk-python (`src/google/adk/telemetry`).
"""

from boxscore.tracing.conventions.dialect import Dialect, Name

__all__ = ["GOOGLE_ADK", "PYDANTIC"]

PYDANTIC = Dialect(
    title="Pydantic AI",
    source="https://ai.pydantic.dev/logfire/",
    names={
        "agent_name": "step",
        "gen_ai.usage.details.cache_read_tokens": "cached_tokens",
        "gen_ai.usage.details.cached_tokens": "cached_tokens",
        "gen_ai.usage.details.cache_write_tokens": "written_tokens",
        "gen_ai.usage.details.reasoning_tokens": "reasoning_tokens",
        "gen_ai.usage.details.thoughts_tokens": "reasoning_tokens",
        "model_name": "model_asked",
        "final_result": Name(field="output", implies="invoke_agent"),
        "pydantic_ai.all_messages": Name(field="input", implies="invoke_agent"),
        "all_messages_events": Name(field="input", implies="invoke_agent"),
        "events": "input",
        "tool_arguments": Name(field="input", implies="execute_tool"),
        "tool_response": Name(field="output", implies="execute_tool"),
    },
    namespaces=("pydantic_ai.", "model_request_parameters"),
)

GOOGLE_ADK = Dialect(
    title="Google ADK",
    source="https://google.github.io/adk-docs/observability/",
    names={
        "gcp.vertex.agent.session_id": "session",
        "gcp.vertex.agent.llm_request": Name(field="input", implies="chat"),
        "gcp.vertex.agent.llm_response": Name(field="output", implies="chat"),
        "gcp.vertex.agent.tool_call_args": Name(field="input", implies="execute_tool"),
        "gcp.vertex.agent.tool_response": Name(field="output", implies="execute_tool"),
    },
    namespaces=("gcp.",),
)
