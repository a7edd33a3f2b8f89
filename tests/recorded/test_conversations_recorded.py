"""Recorded traces of agent frameworks as conversations: what was asked, called and answered is read from each."""

from collections.abc import Callable
from pathlib import Path

import pytest
from test_traces_recorded import Observation, observations

from boxscore.tracing.conversation import MODEL_CALLS, Said, conversation, read_exchange
from boxscore.tracing.said import Text, ToolCall, ToolResult, joined

pytestmark = pytest.mark.recorded

Recorded = Callable[[str], Path]


@pytest.fixture(scope="module")
def traces(recorded: Recorded) -> dict[bytes, list[Observation]]:
    found: dict[bytes, list[Observation]] = {}
    for one in observations(recorded("traces/frameworks.jsonl")):
        found.setdefault(one.row.trace_id, []).append(one)
    return found


def told(traces: dict[bytes, list[Observation]], framework: str) -> list[Said]:
    """The conversation of the last recorded trace of a framework."""
    spans = next(group for group in reversed(traces.values()) if group[0].framework == framework)
    rows = {one.row.span_id: one.row for one in spans}.values()
    return list(conversation(sorted(rows, key=lambda row: row.start_ns)))


def test_every_recorded_trace_tells_who_asked_and_who_answered(traces: dict[bytes, list[Observation]]) -> None:
    for spans in traces.values():
        rows = {one.row.span_id: one.row for one in spans}.values()
        said = list(conversation(sorted(rows, key=lambda row: row.start_ns)))
        roles = {one.message.role for one in said}

        assert {"user", "assistant"} <= roles, spans[0].framework
        assert roles <= {"system", "developer", "user", "assistant", "tool"}, spans[0].framework
        assert all(one.message.parts for one in said)


@pytest.mark.parametrize(
    ("framework", "name", "arguments", "result"),
    [
        ("agno", "duckduckgo_search", {"query": "currently trending on Twitter"}, "Twitter"),
        ("google-adk", "say_hello", None, "greeting"),
        ("langgraph-js", "get_weather", {"city": "San Francisco"}, "sunny"),
        ("langgraph-python", "Web-Search", {"query": "example"}, "Example"),
        ("microsoft-agent", "get_weather", {"location": "Tokyo, Japan"}, "stormy"),
    ],
)
def test_a_tool_is_called_with_its_arguments_and_its_result_comes_back(
    traces: dict[bytes, list[Observation]], framework: str, name: str, arguments: object, result: str
) -> None:
    parts = [part for one in told(traces, framework) for part in one.message.parts]
    (call,) = [part for part in parts if isinstance(part, ToolCall)]
    results = [part.text for part in parts if isinstance(part, ToolResult)]

    assert (call.name, call.arguments) == (name, arguments)
    assert any(result in text for text in results)


def test_no_message_is_told_twice_however_often_it_was_repeated(traces: dict[bytes, list[Observation]]) -> None:
    for framework in ("langgraph-js", "microsoft-agent", "google-adk", "crewai"):
        said = [(one.message.role, joined(one.message.parts)) for one in told(traces, framework)]

        assert len(said) == len(set(said)), framework


def test_what_a_call_of_a_model_says_holds_the_text_that_is_searched(traces: dict[bytes, list[Observation]]) -> None:
    calls = [one.row for spans in traces.values() for one in spans if one.row.operation in MODEL_CALLS]
    seen = 0
    for row in calls:
        answers = [
            part.text for message in read_exchange(row).output for part in message.parts if isinstance(part, Text)
        ]
        for text in answers:
            seen += 1
            assert "".join(text.split())[:500] in "".join(row.output_text.split())

    assert seen >= 15
