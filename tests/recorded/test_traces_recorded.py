"""Recorded traces of agent frameworks, sent as OTLP: nothing is lost, and the normal form says what they say."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from boxscore.costs import PriceBook
from boxscore.store.spans import SpanRow
from boxscore.tracing import Normaliser, read_json
from boxscore.tracing.rules import RAW, rule_of

pytestmark = pytest.mark.recorded

Recorded = Callable[[str], Path]
SENT_AS = {  # fields of an observation that the recorder did not take from attributes, by the name its SDK sends them
    "type": "langfuse.observation.type",
    "input": "langfuse.observation.input",
    "output": "langfuse.observation.output",
    "model": "langfuse.observation.model.name",
    "modelParameters": "langfuse.observation.model.parameters",
    "usageDetails": "langfuse.observation.usage_details",
    "costDetails": "langfuse.observation.cost_details",
    "promptName": "langfuse.observation.prompt.name",
    "promptVersion": "langfuse.observation.prompt.version",
    "completionStartTime": "langfuse.observation.completion_start_time",
    "level": "langfuse.observation.level",
    "statusMessage": "langfuse.observation.status_message",
    "version": "langfuse.version",
    "environment": "langfuse.environment",
}
MESSAGES = (
    "input.value",
    "output.value",
    "llm.input_messages",
    "all_messages_events",
    "pydantic_ai.all_messages",
    "events",
    "tool_arguments",
    "gcp.vertex.agent.llm_request",
    "gcp.vertex.agent.tool_call_args",
)
MOVED = {"input": "gen_ai.input.messages", "output": "gen_ai.output.messages"}
MOVED_TOOL = {"input": "gen_ai.tool.call.arguments", "output": "gen_ai.tool.call.result"}
TRACE_SENT_AS = {"sessionId": "session.id", "userId": "user.id", "release": "langfuse.release"}


class Observation(NamedTuple):
    """One recorded span: as it was recorded, as it is sent, and the row it became."""

    framework: str
    recorded: dict[str, Any]
    trace: dict[str, Any]
    attributes: dict[str, Any]
    resource: dict[str, Any]
    scope: dict[str, Any]
    row: SpanRow


def metadata_of(observation: dict[str, Any]) -> dict[str, Any]:
    found = observation.get("metadata") or {}
    return json.loads(found) if isinstance(found, str) else found


def nanoseconds(text: str) -> int:
    return int(Decimal(repr(datetime.fromisoformat(text).timestamp())) * 1_000) * 1_000_000


def attributes_of(observation: dict[str, Any], trace: dict[str, Any]) -> dict[str, Any]:
    metadata = metadata_of(observation)
    if "attributes" in metadata:
        kept = dict(metadata["attributes"])
        if not any(key in kept or f"{key}.0" in "".join(kept) for key in MESSAGES):
            # the recorder of these moved the messages out of the attributes: back to where they were
            names = MOVED_TOOL if kept.get("gen_ai.operation.name") == "execute_tool" else MOVED
            kept |= {name: observation[field] for field, name in names.items() if observation.get(field)}
        return kept
    sent = {name: observation[field] for field, name in SENT_AS.items() if observation.get(field) not in (None, "")}
    sent["langfuse.observation.type"] = observation["type"].lower()
    sent |= {name: trace[field] for field, name in TRACE_SENT_AS.items() if trace.get(field)}
    rest = {key: value for key, value in metadata.items() if key not in {"resourceAttributes", "scope"}}
    return sent | {f"langfuse.observation.metadata.{key}": value for key, value in rest.items()}


def as_value(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
        case _:
            return {"stringValue": json.dumps(value)}


def as_attributes(values: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": as_value(value)} for key, value in values.items()]


def is_lost(one: Observation, key: str) -> bool:
    rule = rule_of(key)
    return rule.kind == "own" and rule.key not in one.row.metadata


def numberless(name: str) -> str:
    return ".".join("N" if part.isdecimal() else part for part in name.split("."))


def plain(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)


def sent(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def observations(path: Path) -> Iterator[Observation]:
    to_row = Normaliser(PriceBook())
    for line in path.read_text(encoding="utf-8").splitlines():
        recording = json.loads(line)
        for span in recording["spans"]:
            metadata = metadata_of(span)
            attributes = attributes_of(span, recording["trace"])
            resource, scope = metadata.get("resourceAttributes", {}), metadata.get("scope", {})
            message = {
                "traceId": span["traceId"],
                "spanId": span["id"],
                "parentSpanId": span.get("parentObservationId") or "",
                "name": span["name"],
                "startTimeUnixNano": str(nanoseconds(span["startTime"])),
                "endTimeUnixNano": str(nanoseconds(span["endTime"])),
                "attributes": as_attributes(attributes),
                "status": {"code": 2 if span["level"] == "ERROR" else 0, "message": span.get("statusMessage") or ""},
            }
            group = {
                "resource": {"attributes": as_attributes(resource)},
                "scopeSpans": [
                    {
                        "scope": {
                            "name": scope.get("name") or "",
                            "version": scope.get("version") or "",
                            "attributes": as_attributes(scope.get("attributes") or {}),
                        },
                        "spans": [message],
                    }
                ],
            }
            batch = read_json(json.dumps({"resourceSpans": [group]}).encode())
            assert batch.rejected == {}
            row = to_row(batch.spans[0])
            yield Observation(recording["framework"], span, recording["trace"], attributes, resource, scope, row)


@pytest.fixture(scope="module")
def found(recorded: Recorded) -> list[Observation]:
    return list(observations(recorded("traces/frameworks.jsonl")))


def test_every_field_of_every_recorded_span_is_in_the_raw_span(found: list[Observation]) -> None:
    fields = 0
    for one in found:
        raw, resource = Span.FromString(one.row.raw), Resource.FromString(one.row.resource)
        scope = InstrumentationScope.FromString(one.row.scope)

        assert {item.key: plain(item.value) for item in raw.attributes} == {
            k: sent(v) for k, v in one.attributes.items()
        }
        assert {item.key: plain(item.value) for item in resource.attributes} == {
            k: sent(v) for k, v in one.resource.items()
        }
        assert (scope.name, scope.version) == (one.scope.get("name") or "", one.scope.get("version") or "")
        assert (raw.trace_id.hex(), raw.span_id.hex()) == (one.recorded["traceId"], one.recorded["id"])
        assert raw.parent_span_id.hex() == (one.recorded.get("parentObservationId") or "")
        assert raw.name == one.row.name == one.recorded["name"]
        fields += len(one.attributes) + len(one.resource)

    assert len(found) == 100
    assert fields > 1_500


def test_times_and_places_in_the_trace_are_as_recorded(found: list[Observation]) -> None:
    for one in found:
        start, end = nanoseconds(one.recorded["startTime"]), nanoseconds(one.recorded["endTime"])

        assert (one.row.start_ns, one.row.duration_ns) == (start, end - start)
        assert one.row.entry == (one.recorded.get("parentObservationId") is None)
        assert one.row.error == (one.recorded["level"] == "ERROR")


def test_every_call_of_a_model_has_the_tokens_and_the_model_that_were_recorded(found: list[Observation]) -> None:
    calls = [one for one in found if one.recorded.get("usageDetails") and one.row.operation == "chat"]
    told = [one for one in calls if one.row.input_tokens is not None]

    assert {(one.framework, one.recorded["name"].rpartition("-")[0]) for one in calls if one not in told} == {
        ("agno", ""),  # the recorder counted these itself: no attribute tells their tokens
        ("beeai", "backend.openai.chat.start"),
    }
    assert len(told) >= 19
    for one in told:
        usage = one.recorded["usageDetails"]
        thoughts = usage.get("output_reasoning", 0)  # beside the output in the recorder's count, within it in ours
        assert (one.row.input_tokens, one.row.output_tokens) == (usage["input"], usage["output"] + thoughts)
        assert one.recorded["model"] in (one.row.model, one.row.model_asked)


def test_what_went_in_and_came_out_can_be_searched_wherever_it_was_recorded(found: list[Observation]) -> None:
    silent = [
        (one.framework, one.recorded["name"], side)
        for one in found
        for side, text in (("input", one.row.input_text), ("output", one.row.output_text))
        if one.recorded.get(side) not in (None, "", "{}", "[]") and not text
    ]

    assert silent == []


def test_sessions_and_users_are_those_that_were_recorded(found: list[Observation]) -> None:
    for one in found:
        if one.row.session is not None and one.trace.get("sessionId"):
            assert one.row.session == one.trace["sessionId"]
    told = {one.framework for one in found if one.row.session}

    assert told >= {"agno", "google-adk", "langgraph-python"}


def test_a_cost_that_was_recorded_is_the_cost_that_is_computed(found: list[Observation]) -> None:
    both = [one for one in found if one.recorded.get("totalCost") and one.row.cost_usd is not None]
    other = [
        (one.framework, one.row.model, float(one.recorded["totalCost"]), float(one.row.cost_usd or 0))
        for one in both
        if abs(float(one.recorded["totalCost"]) - float(one.row.cost_usd or 0)) > 1e-9
    ]

    assert len(both) >= 17
    # The projects of these recordings had a price of their own for the model: a dollar a million for all tokens.
    assert {framework for framework, *_ in other} == {"langgraph-python", "vertex-ai"}
    for one in both:
        if one.framework in {"langgraph-python", "vertex-ai"}:
            assert one.row.input_tokens is not None
            assert one.row.output_tokens is not None
            assert one.recorded["totalCost"] == pytest.approx((one.row.input_tokens + one.row.output_tokens) / 1e6)


def test_what_stays_in_the_raw_span_alone_is_known(found: list[Observation]) -> None:
    alone = {numberless(key) for one in found for key in one.attributes if rule_of(key) is RAW}
    own = Counter(key for one in found for key in one.attributes if rule_of(key).kind == "own")
    long = Counter(key for one in found for key in one.attributes if is_lost(one, key))

    assert alone == {
        "gcp.vertex.agent.event_id",
        "gcp.vertex.agent.invocation_id",
        "gen_ai.client.operation.duration",
        "gen_ai.request.choice.count",
        "gen_ai.request.temperature",
        "gen_ai.response.finish_reasons",
        "gen_ai.response.id",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.id",
        "gen_ai.tool.definitions",
        "gen_ai.tool.description",
        "gen_ai.tool.type",
        "gen_ai.usage.details.text_prompt_tokens",
        "input.mime_type",
        "langfuse.observation.cost_details",
        "langfuse.observation.model.parameters",
        "langfuse.version",
        "llm.invocation_parameters",
        "llm.token_count.completion_details.audio",
        "llm.token_count.prompt_details.audio",
        "llm.token_count.total",
        "llm.tools",
        "llm.tools.N.tool.json_schema",
        "logfire.json_schema",
        "logfire.msg",
        "model_request_parameters",
        "operation.cost",
        "output.mime_type",
        "pydantic_ai.new_message_index",
        "server.address",
        "tool.description",
    }
    assert len(own) >= 25
    assert set(long) <= {"crew_agents", "crew_tasks", "crew_inputs", "history", "tools", "thought"}
