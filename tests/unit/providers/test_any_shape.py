"""A body with something wrong anywhere in it is an answer or a leaf of the error tree, never another exception."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boxscore.errors import ProviderError
from boxscore.providers.dialects.anthropic import Anthropic
from boxscore.providers.dialects.bedrock import Bedrock
from boxscore.providers.dialects.bedrock_invoke import BedrockInvoke
from boxscore.providers.dialects.dialect import Dialect, Event
from boxscore.providers.dialects.gemini import Gemini
from boxscore.providers.response import Response

USAGE = {"input_tokens": 1, "cache_creation": {"ephemeral_5m_input_tokens": 1}, "details": [{"modality": "TEXT"}]}
CONVERSED = [
    {"reasoningContent": {"reasoningText": {"text": "a", "signature": "b"}, "redactedContent": "c"}},
    {"text": "a"},
    {"citationsContent": {"content": [{"text": "a"}], "citations": [{"title": "b"}]}},
    {"toolUse": {"toolUseId": "t", "name": "f", "input": {"a": 1}}},
    {"toolUse": {"toolUseId": "t", "name": "boxscore_answer", "input": {"a": 1}}},
]
SAID = {
    "content": [
        {"type": "thinking", "thinking": "a", "signature": "b"},
        {"type": "text", "text": "a", "citations": [{"url": "b"}]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "t", "name": "boxscore_answer", "input": {"a": 1}},
    ],
    "model": "m",
    "stop_reason": "refusal",
    "stop_details": {"category": "c", "explanation": "d"},
    "usage": USAGE,
}
CANDIDATE = {
    "content": {
        "role": "model",
        "parts": [{"text": "a", "thought": True}, {"text": "a"}, {"functionCall": {"name": "f", "args": {}}}],
    },
    "finishReason": "SAFETY",
    "finishMessage": "a",
    "index": 0,
}
BODIES: list[tuple[Any, Any]] = [
    (Anthropic(), SAID),
    (Anthropic(), {"type": "error", "error": {"type": "api_error", "message": "a"}}),
    (Gemini(), {"candidates": [CANDIDATE, CANDIDATE], "usageMetadata": USAGE, "modelVersion": "m"}),
    (Gemini(), {"promptFeedback": {"blockReason": "a", "blockReasonMessage": "b"}}),
    (
        Bedrock(),
        {
            "output": {"message": {"role": "assistant", "content": CONVERSED}},
            "stopReason": "content_filtered",
            "usage": USAGE,
            "serviceTier": {"type": "flex"},
            "trace": {"promptRouter": {"invokedModelId": "m"}},
        },
    ),
    (
        BedrockInvoke(),
        {"inputTextTokenCount": 1, "results": [{"tokenCount": 1, "outputText": "", "completionReason": "a"}]},
    ),
    (BedrockInvoke(), {"completions": [{"data": {"text": "a"}, "finishReason": {"reason": "b"}}]}),
    (BedrockInvoke(), {"generations": [{"text": "a", "finish_reason": "b"}]}),
    (BedrockInvoke(), {"text": "a", "finish_reason": "ERROR_TOXIC", "tool_calls": [{"name": "f", "parameters": {}}]}),
]
STREAMS: list[tuple[Dialect, Any]] = [
    (
        Anthropic(),
        [
            ["message_start", {"type": "message_start", "message": {**SAID, "content": []}}],
            *(
                ["x", {"type": "content_block_start", "index": index, "content_block": block}]
                for index, block in enumerate(SAID["content"])
            ),
            *(
                ["x", {"type": "content_block_delta", "index": index, "delta": delta}]
                for index, delta in (
                    (0, {"type": "thinking_delta", "thinking": "a"}),
                    (0, {"type": "signature_delta", "signature": "a"}),
                    (1, {"type": "text_delta", "text": "a"}),
                    (1, {"type": "citations_delta", "citation": {"url": "a"}}),
                    (2, {"type": "input_json_delta", "partial_json": "{}"}),
                )
            ),
            ["x", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": USAGE}],
        ],
    ),
    (
        Gemini(),
        [
            [None, {"candidates": [CANDIDATE], "usageMetadata": USAGE, "modelVersion": "m"}],
            [None, {"candidates": [CANDIDATE], "usageMetadata": USAGE, "promptFeedback": {"blockReason": "a"}}],
        ],
    ),
    (
        Bedrock(),
        [
            ["contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "t", "name": "f"}}}],
            *(
                ["contentBlockDelta", {"contentBlockIndex": index, "delta": delta}]
                for index, delta in (
                    (0, {"toolUse": {"input": "{}"}}),
                    (1, {"text": "a"}),
                    (1, {"citation": {"title": "a"}}),
                    (2, {"reasoningContent": {"text": "a", "signature": "b", "redactedContent": "c"}}),
                )
            ),
            ["messageStop", {"stopReason": "end_turn", "additionalModelResponseFields": {}}],
            ["metadata", {"usage": USAGE, "metrics": {"latencyMs": 1}}],
        ],
    ),
]
JUNK = (None, True, 0, -1, 2.5, 2**70, "", "text", "{", [], [None], {}, {"type": "text"}, {"error": 1}, [{"a": [1]}])


@pytest.mark.parametrize(("dialect", "body"), BODIES, ids=lambda value: getattr(value, "name", ""))
def test_a_whole_body(dialect: Any, body: Any) -> None:
    for wrong in _spoiled(body):
        _ends_well(lambda wrong=wrong: dialect.read(wrong, provider="p"), wrong)


@pytest.mark.parametrize(("dialect", "events"), STREAMS, ids=lambda value: getattr(value, "name", ""))
def test_a_stream(dialect: Dialect, events: Any) -> None:
    def answer(wrong: Any) -> Response:
        assembly = dialect.assembly(provider="p")
        for name, data in wrong:
            assembly.feed(Event(name, data))
        return assembly.finish()

    for index, (name, data) in enumerate(events):
        for spoiled in _spoiled(data):
            wrong = [*events[:index], (name, spoiled), *events[index + 1 :]]
            _ends_well(lambda wrong=wrong: answer(wrong), spoiled)


@pytest.mark.parametrize(("dialect", "events"), STREAMS, ids=lambda value: getattr(value, "name", ""))
@settings(deadline=None)
@given(data=st.data())
def test_a_stream_in_any_order(dialect: Dialect, events: Any, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(events))
    left = shuffled[: data.draw(st.integers(0, len(shuffled)))]
    assembly = dialect.assembly(provider="p")

    def answer() -> Response:
        for name, event in left:
            assembly.feed(Event(name, event))
        return assembly.finish()

    _ends_well(answer, left)


def _spoiled(body: Any) -> Iterator[Any]:
    """The body with each of its parts replaced by each of `JUNK`, one at a time."""
    for path in _paths(body):
        for junk in JUNK:
            yield _with(body, path, junk)


def _paths(value: Any) -> Iterator[tuple[Any, ...]]:
    yield ()
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        for path in _paths(value[key]):
            yield (key, *path)


def _with(body: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    made = copy.copy(body)
    made[path[0]] = _with(body[path[0]], path[1:], junk)
    return made


def _ends_well(answer: Callable[[], Response], sent: Any) -> None:
    try:
        response = answer()
    except ProviderError:
        return
    except Exception as error:
        raise AssertionError(f"{error!r} for {sent}") from error
    assert all(isinstance(text, str) for text in (response.output, response.reasoning)), sent
    assert all(isinstance(call.name, str) for call in response.tool_calls), sent
    assert isinstance(response.finish_reason, str | None), sent
