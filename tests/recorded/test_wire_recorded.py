"""All recorded exchanges with real providers: what they answered, how they refused, what they were asked."""

import importlib.util
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from boxscore.providers.dialects.cohere import Cohere
from boxscore.providers.dialects.openai_chat import OpenAIChat
from boxscore.providers.dialects.openai_responses import OpenAIResponses
from boxscore.providers.request import Message, Request
from boxscore.providers.response import ToolCall

pytestmark = pytest.mark.recorded

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "wire.py"
Recorded = Callable[[str], Path]
Row = dict[str, Any]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_wire", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(recorded: Recorded) -> Path:
    recorded("wire/openllmetry.jsonl")
    recorded("wire/otel_contrib.jsonl")
    return Path(os.environ["BOXSCORE_DATA"])


def test_every_exchange_is_read_as_its_body_says(bench: ModuleType, data: Path) -> None:
    outcomes = list(bench.outcomes(data))

    assert [(o.row["id"], o.due, o.found) for o in outcomes if not o.equal] == []
    assert Counter(o.kind for o in outcomes) == {"answer": 828, "error": 34, "not covered": 13}


def test_kinds_without_an_adapter_are_these(bench: ModuleType, data: Path) -> None:
    missing = Counter((o.row["provider"], o.row["path"]) for o in bench.outcomes(data) if o.kind == "not covered")

    assert missing == {
        ("cohere", "/v2/embed"): 2,
        ("cohere", "/v1/rerank"): 4,
        ("cohere", "/v2/rerank"): 2,
        ("mistral", "/v1/embeddings"): 3,
        ("openai", "/v1/embeddings"): 2,
    }


def test_errors_are_these_leaves_of_the_tree(bench: ModuleType, data: Path) -> None:
    leaves = Counter((o.row["provider"], o.row["status"], o.found) for o in bench.outcomes(data) if o.kind == "error")

    assert leaves == {
        ("azure", 200, "filtered"): 6,
        ("azure", 401, "auth"): 6,
        ("azure", 404, "not_found"): 3,
        ("bedrock", 400, "not_found"): 2,
        ("cohere", 404, "not_found"): 2,
        ("openai", 400, "not_found"): 1,
        ("openai", 400, "refused"): 6,
        ("openai", 404, "not_found"): 5,
        ("vertex", 400, "refused"): 2,
        ("vertex", 404, "not_found"): 1,
    }


def test_streams_read_the_same_wherever_their_bytes_are_cut(bench: ModuleType, data: Path) -> None:
    assert bench.uneven_streams(data) == []


def test_a_stream_without_its_end_is_never_taken_for_an_answer(bench: ModuleType, data: Path) -> None:
    whole, cut = 0, Counter[str]()
    for row in bench.rows(data):
        dialect = bench.spoken(row)
        if row["stream"] and dialect is not None:
            broken = {**row, "raw": row["raw"][: len(row["raw"]) // 2]}
            try:
                bench.streamed(broken, dialect)
                whole += 1
            except bench.ProviderError as error:
                cut[error.kind] += 1

    assert whole == 0
    assert cut == {"cut": 200}


def test_what_was_asked_is_what_a_request_of_ours_would_ask(bench: ModuleType, data: Path) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for row in bench.rows(data):
        dialect = bench.spoken(row)
        if isinstance(dialect, OpenAIChat | OpenAIResponses | Cohere) and row["request"] is not None:
            seen[row["provider"], row["api"]] += 1
            request = responses_request(row) if row["api"] == "responses" else chat_request(row)

            stream = bool(row["request"].get("stream"))
            assert stated(dialect.body(request, stream=stream), dialect) == stated(row["request"], dialect)

    assert seen == {
        ("openai", "chat"): 387,
        ("azure", "chat"): 67,
        ("groq", "chat"): 39,
        ("mistral", "chat"): 13,
        ("deepseek", "chat"): 1,
        ("together", "chat"): 3,
        ("cohere", "chat"): 18,
        ("openai", "responses"): 85,
    }


def chat_request(row: Row) -> Request:
    """The recorded request as ours: what `Request` has a place for goes there, all else is params."""
    body = dict(row["request"])
    turns, tools, model = body.pop("messages"), body.pop("tools", None) or (), body.pop("model", "")
    form = body.get("response_format") or {}
    schema = form.get("json_schema", {})
    schema = schema.get("schema") if schema.get("name") == "answer" else None
    for derived in ("stream", "stream_options"):
        body.pop(derived, None)
    return Request(
        model=model,
        messages=tuple(
            Message(
                role=turn["role"],
                content=turn.get("content"),
                tool_calls=tuple(
                    ToolCall(name=c["function"]["name"], arguments=c["function"]["arguments"], id=c["id"])
                    for c in turn.get("tool_calls") or ()
                ),
                tool_call_id=turn.get("tool_call_id"),
            )
            for turn in turns
        ),
        params=body,
        tools=tuple(tools),
        output_schema=schema,
    )


def responses_request(row: Row) -> Request:
    body = dict(row["request"])
    asked, tools = body.pop("input"), body.pop("tools", None) or ()
    limit = {"max_tokens": body.pop("max_output_tokens")} if "max_output_tokens" in body else {}
    body.pop("stream", None)
    messages: list[Message] = []
    for item in [{"role": "user", "content": asked}] if isinstance(asked, str) else asked:
        if item.get("type") == "function_call":
            call = ToolCall(name=item["name"], arguments=item["arguments"], id=item["call_id"])
            messages.append(Message(role="assistant", content=None, tool_calls=(call,)))
        elif item.get("type") == "function_call_output":
            messages.append(Message(role="tool", content=item["output"], tool_call_id=item["call_id"]))
        else:
            messages.append(Message(role=item["role"], content=item["content"]))
    return Request(model=body.pop("model"), messages=tuple(messages), params=body | limit, tools=tuple(tools))


def stated(body: Row, dialect: object) -> Row:
    """What a body states, without what the recorded clients wrote and nothing depends on: empty values, a false
    `stream`, usage not asked for, ids and statuses of earlier output, a type that is the default."""
    stated = {key: value for key, value in body.items() if value not in (None, [], False)}
    stated.pop("stream_options", None)
    if isinstance(dialect, OpenAIResponses):
        asked = stated["input"]
        items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
        calls = ("function_call", "function_call_output")
        drop = ("id", "status")
        stated["input"] = [
            {k: v for k, v in item.items() if k not in drop and not (k == "type" and v not in calls)} for item in items
        ]
    else:
        kept = ("role", "content", "tool_calls", "tool_call_id")
        stated["messages"] = [
            {key: turn[key] for key in kept if turn.get(key) is not None} for turn in stated["messages"]
        ]
    return stated
