"""With Anthropic, Google and Amazon no word of an answer is lost, a stream is the very answer that its parts make, and
what was asked is what we would ask. That answers are read as their bodies say is in `test_wire_recorded.py`."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from boxscore.providers.dialects.anthropic import Anthropic
from boxscore.providers.dialects.bedrock import Bedrock
from boxscore.providers.dialects.bedrock_invoke import BedrockInvoke
from boxscore.providers.dialects.framing import decoder
from boxscore.providers.dialects.gemini import Gemini
from boxscore.providers.request import Message, Request
from boxscore.providers.response import Response, ToolCall

pytestmark = pytest.mark.recorded

Row = dict[str, Any]
Recorded = Callable[[str], Path]

DIALECTS = {
    ("anthropic", "messages"): Anthropic(),
    ("google", "generate"): Gemini(),
    ("vertex", "generate"): Gemini(),
    ("bedrock", "converse"): Bedrock(),
    ("bedrock", "invoke"): BedrockInvoke(),
}


@pytest.fixture(scope="module")
def rows(recorded: Recorded) -> list[Row]:
    files = [recorded("wire/openllmetry.jsonl"), recorded("wire/otel_contrib.jsonl")]
    every = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    return [row for row in every if (row["provider"], row["api"]) in DIALECTS]


def test_a_streamed_answer_is_the_one_its_parts_make_unstreamed(rows: list[Row]) -> None:
    seen = 0
    for row in rows:
        if row["stream"] and row["provider"] == "anthropic":
            seen += 1
            assert _streamed(row) == Anthropic().read(_whole(_events(row)), provider="anthropic")

    assert seen == 37


def test_no_text_of_a_body_is_lost(rows: list[Row]) -> None:
    lost: list[str] = []
    for row in rows:
        if row["status"] == 200 and not row["stream"]:
            response = DIALECTS[row["provider"], row["api"]].read(row["response"], provider=row["provider"])
            kept = json.dumps(msgspec.to_builtins(response), ensure_ascii=False)
            lost += [
                text for text in _strings(row["response"]) if json.dumps(text, ensure_ascii=False)[1:-1] not in kept
            ]

    assert lost == []


def test_what_was_asked_is_what_a_request_of_ours_would_ask(rows: list[Row]) -> None:
    seen: Counter[str] = Counter()
    for row in rows:
        ask = _ASK.get((row["provider"], row["api"]))
        if ask is not None and row["status"] != 400:
            seen[row["provider"]] += 1
            dialect = DIALECTS[row["provider"], row["api"]]
            assert not isinstance(dialect, BedrockInvoke)

            request, due = ask(row["request"])
            assert dialect.body(request, stream=row["stream"]) == due

    assert seen == {"anthropic": 83, "google": 2, "vertex": 20, "bedrock": 22}


def _streamed(row: Row) -> Response:
    cutter, assembly = decoder("sse", provider="anthropic"), Anthropic().assembly(provider="anthropic")
    for event in (*cutter.feed(row["raw"].encode()), *cutter.close()):
        assembly.feed(event)
    return assembly.finish()


def _events(row: Row) -> list[Any]:
    return [json.loads(line[5:]) for line in row["raw"].splitlines() if line.startswith("data:")]


def _whole(events: list[Any]) -> Any:
    """Anthropic's message out of its events."""
    message = next(event["message"] for event in events if event["type"] == "message_start")
    blocks: list[Any] = []
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append(dict(event["content_block"]))
            pieces = ""
        if event["type"] == "content_block_delta":
            delta = event["delta"]
            if delta["type"] == "input_json_delta":
                pieces += delta["partial_json"]
                blocks[-1]["input"] = json.loads(pieces) if pieces.endswith("}") else {}
            else:
                key = delta["type"].removesuffix("_delta")
                blocks[-1][key] += delta[key]
        if event["type"] == "message_delta":
            message = {**message, **event["delta"], "usage": {**message["usage"], **event["usage"]}}
    return {**message, "content": blocks}


def _strings(value: Any) -> Iterator[str]:
    """Every text in a body but the names of its own parts."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in ("type", "role"):
                yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


def _ask_anthropic(body: Any) -> tuple[Request, Any]:
    params = {k: v for k, v in body.items() if k not in ("model", "messages", "system", "tools", "stream")}
    request = Request(
        messages=(*_system(body.get("system")), *_messages(body["messages"])),
        model=body["model"],
        params=params,
        tools=tuple(body.get("tools", ())),
    )
    due = json.loads(json.dumps(body["messages"]), object_hook=_carried)
    return request, {**body, "messages": _merged(due)}


def _carried(fields: Any) -> Any:
    """Our messages of role tool do not say whether the tool failed."""
    return {key: value for key, value in fields.items() if key != "is_error"}


def _messages(recorded: Any) -> list[Message]:
    """Anthropic's turns in our form: uses of tools as calls, their results as messages of role tool."""
    made: list[Message] = []
    for turn in recorded:
        content = turn["content"]
        of = lambda kind: [b for b in content if isinstance(b, dict) and b["type"] == kind]  # noqa: E731, B023
        if of("tool_result"):
            made += [
                Message(role="tool", content=block["content"], tool_call_id=block["tool_use_id"])
                for block in of("tool_result")
            ]
            continue
        calls = tuple(ToolCall(name=b["name"], arguments=b["input"], id=b["id"]) for b in of("tool_use"))
        kept = [b for b in content if b["type"] != "tool_use"] if isinstance(content, list) else content
        made.append(Message(role=turn["role"], content=kept, tool_calls=calls))
    return made


def _merged(turns: Any) -> Any:
    merged: list[Any] = []
    for turn in turns:
        if merged and merged[-1]["role"] == turn["role"]:
            merged[-1] = {"role": turn["role"], "content": [*merged[-1]["content"], *turn["content"]]}
        else:
            merged.append(turn)
    return merged


def _system(system: Any) -> list[Message]:
    return [Message(role="system", content=system)] if system else []


def _ask_gemini(body: Any) -> tuple[Request, Any]:
    system = body.get("systemInstruction", {}).get("parts", [])
    config = body.get("generationConfig", {})
    ours = {"temperature": "temperature", "topP": "top_p", "maxOutputTokens": "max_tokens", "stopSequences": "stop"}
    params = {ours[key]: value for key, value in config.items() if key in ours}
    others = {key: value for key, value in config.items() if key not in ours}
    names = {"model": "assistant", "user": "user"}
    ids: list[str | None] = []
    messages: list[Message] = []
    for turn in body["contents"]:
        calls = [part["functionCall"] for part in turn["parts"] if "functionCall" in part]
        answers = [part["functionResponse"] for part in turn["parts"] if "functionResponse" in part]
        if answers:
            messages += [Message(role="tool", content=json.dumps(answer["response"])) for answer in answers]
            continue
        ids += [None for _ in calls]
        messages.append(
            Message(
                role=names[turn["role"]],
                content=[part for part in turn["parts"] if "functionCall" not in part],
                tool_calls=tuple(ToolCall(name=call["name"], arguments=call["args"]) for call in calls),
            )
        )
    request = Request(
        messages=(*_system(system), *messages),
        model="gemini",
        params=params | ({"generationConfig": others} if others else {}),
        tools=tuple(body.get("tools", ())),
    )
    due = dict(body)
    if system:
        due["systemInstruction"] = {"parts": system}
    due["contents"] = [
        {"role": turn["role"], "parts": [_without_signature(part) for part in turn["parts"]]}
        for turn in body["contents"]
    ]
    return request, due


def _without_signature(part: Any) -> Any:
    return {key: value for key, value in part.items() if key != "thoughtSignature"}


def _ask_converse(body: Any) -> tuple[Request, Any]:
    config = body.get("inferenceConfig", {})
    ours = {"temperature": "temperature", "topP": "top_p", "maxTokens": "max_tokens", "stopSequences": "stop"}
    messages: list[Message] = []
    for turn in body["messages"]:
        results = [block["toolResult"] for block in turn["content"] if "toolResult" in block]
        if results:
            messages += [
                Message(role="tool", content=result["content"], tool_call_id=result["toolUseId"]) for result in results
            ]
            continue
        uses = [block["toolUse"] for block in turn["content"] if "toolUse" in block]
        messages.append(
            Message(
                role=turn["role"],
                content=[block for block in turn["content"] if "toolUse" not in block],
                tool_calls=tuple(ToolCall(name=u["name"], arguments=u["input"], id=u["toolUseId"]) for u in uses),
            )
        )
    carried = ("messages", "system", "inferenceConfig", "toolConfig")
    request = Request(
        messages=(*_system(body.get("system")), *messages),
        model="model",
        params={ours[key]: value for key, value in config.items()}
        | {key: value for key, value in body.items() if key not in carried},
        tools=tuple(body.get("toolConfig", {}).get("tools", ())),
    )
    return request, {**body, "messages": _merged(body["messages"])}


_ASK = {
    ("anthropic", "messages"): _ask_anthropic,
    ("google", "generate"): _ask_gemini,
    ("vertex", "generate"): _ask_gemini,
    ("bedrock", "converse"): _ask_converse,
}
