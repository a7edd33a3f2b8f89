"""Are the exchanges of real providers read as they were written?

Every recorded exchange is read by the dialect that its address speaks, and compared with a second reading made here:
plain loops over the raw body, written from the providers' references and sharing nothing with the dialects. Streams are
fed in pieces of 1, 7 and 64 bytes and whole. Answers of another status than 200 are compared by their leaf of the error
tree.

    BOXSCORE_DATA=… python benchmarks/wire.py [--write]
"""

import json
import platform
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from boxscore.costs import read_body
from boxscore.errors import ProviderError
from boxscore.providers.dialects import Dialect
from boxscore.providers.dialects.anthropic import Anthropic
from boxscore.providers.dialects.bedrock import Bedrock
from boxscore.providers.dialects.bedrock_invoke import BedrockInvoke
from boxscore.providers.dialects.cohere import Cohere, CohereV1
from boxscore.providers.dialects.framing import decoder
from boxscore.providers.dialects.gemini import Gemini
from boxscore.providers.dialects.openai_chat import Mistral, OpenAIChat
from boxscore.providers.dialects.openai_responses import OpenAIResponses
from boxscore.providers.refusals import refusal
from boxscore.providers.response import Response
from boxscore.providers.transport import Reply
from boxscore.types import Json

FILES = ("openllmetry", "otel_contrib")
PIECES = (1, 7, 64)

Row = dict[str, Json]

SPOKEN: tuple[tuple[str, str, str, Json], ...] = (
    ("openai|azure|groq|deepseek|together", "chat", "/chat/completions", OpenAIChat()),
    ("mistral", "chat", "/chat/completions", Mistral()),
    ("openai", "responses", "/responses", OpenAIResponses()),
    ("cohere", "chat", "/v2/chat", Cohere()),
    ("cohere", "chat", "/v1/chat", CohereV1()),
    ("anthropic", "messages", "/messages", Anthropic()),
    ("google|vertex", "generate", ":(stream)?[gG]enerateContent", Gemini()),
    ("bedrock", "converse", "/converse(-stream)?", Bedrock()),
    ("bedrock", "invoke", "/invoke", BedrockInvoke()),
)
"""Provider, API and end of the path, and the dialect that reads what comes from there."""


class Said(NamedTuple):
    """What an answer says. Calls are (name, arguments); tokens (input, output, cached, reasoning), None: not said."""

    text: str = ""
    calls: tuple[tuple[str, Json], ...] = ()
    reason: str | None = None
    tokens: tuple[int | None, ...] = (None, None, None, None)


class Outcome(NamedTuple):
    """`kind` is answer, error or not covered. `due` and `found` are both readings: of an error, its leaf."""

    row: Row
    kind: str
    due: Json = None
    found: Json = None

    @property
    def equal(self) -> bool:
        return self.due == self.found


def rows(data: Path) -> Iterator[Row]:
    for name in FILES:
        with (data / "wire" / f"{name}.jsonl").open(encoding="utf-8") as file:
            yield from map(json.loads, file)


def outcomes(data: Path) -> Iterator[Outcome]:
    for row in rows(data):
        dialect = spoken(row)
        if row["status"] != 200:
            yield Outcome(row, "error", due_leaf(row), refused(row))
        elif dialect is None:
            yield Outcome(row, "not covered")
        elif not row["stream"] and (due := due_leaf(row)):
            yield Outcome(row, "error", due, leaf_inside(row, dialect))
        else:
            yield Outcome(
                row, "answer", said(row), found(streamed(row, dialect) if row["stream"] else read(row, dialect))
            )


def spoken(row: Row) -> Json:
    for provider, api, path, dialect in SPOKEN:
        if re.fullmatch(provider, row["provider"]) and row["api"] == api and re.search(f"{path}$", row["path"]):
            return dialect
    return None


# What the dialects find


def read(row: Row, dialect: Json) -> Response:
    return dialect.read(row["response"], provider=row["provider"])


def streamed(row: Row, dialect: Dialect, piece: int | None = None) -> Response:
    raw = row["raw"].encode()
    cutter, assembly = decoder(dialect.framing, provider=row["provider"]), dialect.assembly(provider=row["provider"])
    size = piece or len(raw)
    for at in range(0, len(raw), size):
        for event in cutter.feed(raw[at : at + size]):
            assembly.feed(event)
    for event in cutter.close():
        assembly.feed(event)
    return assembly.finish()


def found(response: Response) -> Said:
    usage = read_body(response.usage_raw, provider=response.provider).usage if response.usage_raw else None
    names = ("input_tokens", "output_tokens", "cache_read_tokens", "output_reasoning_tokens")
    return Said(
        response.output,
        tuple((call.name, call.arguments) for call in response.tool_calls),
        response.finish_reason,
        tuple(getattr(usage, name, None) for name in names),
    )


def refused(row: Row) -> str | None:
    body = row["raw"] if row["response"] is None else json.dumps(row["response"])
    error = refusal(Reply(status=row["status"], headers=row["headers"], body=body.encode(), wall_s=0), row["provider"])
    return error and error.kind


def leaf_inside(row: Row, dialect: Json) -> str | None:
    try:
        read(row, dialect)
    except ProviderError as error:
        return error.kind
    return None


def uneven_streams(data: Path) -> list[tuple[str, int]]:
    """Streams that are read otherwise when they come in pieces, with the size of these."""
    return [
        (row["id"], piece)
        for row in rows(data)
        if row["stream"] and (dialect := spoken(row)) is not None
        for piece in PIECES
        if streamed(row, dialect, piece) != streamed(row, dialect)
    ]


# What the bodies say


def due_leaf(row: Row) -> str | None:
    """The leaf of an error's body, by the few forms that were recorded; None for an answer."""
    body = row["response"] or {}
    if row["api"] == "chat" and any("message" not in choice for choice in body.get("choices", [])):
        return "filtered"  # of these choices the filter left the reason only
    if row["status"] == 200 and body.get("error") is None:
        return None
    error = body.get("error") or body
    if error.get("code") == "content_filter":
        return "filtered"
    if row["status"] == 401:
        return "auth"
    if row["status"] == 404 or error.get("code") == "model_not_found" or "identifier" in error["message"]:
        return "not_found"
    return "refused"


def said(row: Row) -> Said:
    events = stream_of(row["raw"]) if row["stream"] else []
    match row["provider"], row["api"]:
        case _, "responses":
            return responses_streamed(events) if row["stream"] else responses(row["response"])
        case "cohere", _:
            version_1 = row["path"] == "/v1/chat"
            if row["stream"]:
                return cohere_v1_streamed(events) if version_1 else cohere_streamed(events)
            return cohere_v1(row["response"]) if version_1 else cohere(row["response"])
        case "anthropic", _:
            return anthropic_streamed(events) if row["stream"] else anthropic(row["response"])
        case (("google" | "vertex"), _):
            return gemini(events or [row["response"]])
        case _, "converse":
            return converse(row["response"])
        case _, "invoke":
            return invoked(row)
        case _:
            return chat_streamed(events) if row["stream"] else chat(row["response"])


def stream_of(raw: str) -> list[Json]:
    texts = [line.removeprefix("data:").strip() for line in raw.split("\n") if line.startswith(("data:", "{"))]
    return [json.loads(text) for text in texts if text != "[DONE]"]


def chat(body: Json) -> Said:
    choice = body["choices"][0]
    message = choice["message"]
    functions = [call["function"] for call in message.get("tool_calls") or []]
    functions += [message["function_call"]] if "function_call" in message else []
    return Said(
        message.get("content") or message.get("refusal") or "",
        tuple((function["name"], json.loads(function["arguments"])) for function in functions),
        choice["finish_reason"],
        chat_tokens(body["usage"]),
    )


def chat_streamed(chunks: list[Json]) -> Said:
    text, reason, usage = "", None, None
    names: dict[int, str] = {}
    arguments: dict[int, str] = {}
    for chunk in chunks:
        usage = chunk.get("usage") or chunk.get("x_groq", {}).get("usage") or usage
        for choice in chunk["choices"]:
            if choice["index"] == 0:
                reason = choice["finish_reason"] or reason
                text += choice["delta"].get("content") or ""
                for call in choice["delta"].get("tool_calls") or []:
                    names.setdefault(call["index"], call["function"].get("name"))
                    arguments[call["index"]] = arguments.get(call["index"], "") + call["function"]["arguments"]
    calls = tuple((names[index], json.loads(arguments[index] or "{}")) for index in names)
    return Said(text, calls, reason, chat_tokens(usage) if usage else (None,) * 4)


def chat_tokens(usage: Json) -> tuple[int | None, ...]:
    prompt, completion = usage.get("prompt_tokens_details") or {}, usage.get("completion_tokens_details") or {}
    cached, reasoning = prompt.get("cached_tokens"), completion.get("reasoning_tokens")
    return usage["prompt_tokens"], usage["completion_tokens"], cached, reasoning


def responses(body: Json) -> Said:
    messages = [item for item in body["output"] if item["type"] == "message"]
    calls = [item for item in body["output"] if item["type"] == "function_call"]
    usage = body["usage"]
    return Said(
        "".join(part["text"] for message in messages for part in message["content"]),
        tuple((call["name"], json.loads(call["arguments"])) for call in calls),
        body["status"],
        (
            usage["input_tokens"],
            usage["output_tokens"],
            usage["input_tokens_details"]["cached_tokens"],
            usage["output_tokens_details"]["reasoning_tokens"],
        ),
    )


def responses_streamed(events: list[Json]) -> Said:
    """Text and arguments from the pieces; usage and status, which only the last event has, from there."""
    end = responses(events[-1]["response"])
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    names = [e["item"]["name"] for e in events if e["type"].endswith("item.added") and "name" in e["item"]]
    pieces: dict[int, str] = {}
    for event in events:
        if event["type"] == "response.function_call_arguments.delta":
            pieces[event["output_index"]] = pieces.get(event["output_index"], "") + event["delta"]
    return end._replace(text=text, calls=tuple(zip(names, map(json.loads, pieces.values()), strict=True)))


def cohere(body: Json) -> Said:
    message = body["message"]
    return Said(
        "".join(part["text"] for part in message.get("content", [])),
        tuple((c["function"]["name"], json.loads(c["function"]["arguments"])) for c in message.get("tool_calls", [])),
        body["finish_reason"],
        cohere_tokens(body["usage"]),
    )


def cohere_streamed(events: list[Json]) -> Said:
    text, names, arguments = "", list[str](), list[str]()
    for event in events:
        message = event.get("delta", {}).get("message", {})
        if event["type"] == "content-delta":
            text += message["content"]["text"]
        if event["type"] == "tool-call-start":
            names.append(message["tool_calls"]["function"]["name"])
            arguments.append(message["tool_calls"]["function"]["arguments"])
        if event["type"] == "tool-call-delta":
            arguments[-1] += message["tool_calls"]["function"]["arguments"]
    end = events[-1]["delta"]
    calls = tuple(zip(names, map(json.loads, arguments), strict=True))
    return Said(text, calls, end["finish_reason"], cohere_tokens(end["usage"]))


def cohere_v1(body: Json) -> Said:
    return Said(body["text"], (), body["finish_reason"], cohere_tokens(body["meta"]))


def cohere_v1_streamed(events: list[Json]) -> Said:
    text = "".join(event["text"] for event in events if event["event_type"] == "text-generation")
    return Said(text, (), events[-1]["finish_reason"], cohere_tokens(events[-1]["response"]["meta"]))


def cohere_tokens(usage: Json) -> tuple[int | None, ...]:
    """Billed ones: these are what is paid."""
    return int(usage["billed_units"]["input_tokens"]), int(usage["billed_units"]["output_tokens"]), None, None


def anthropic(body: Json) -> Said:
    return Said(
        "".join(block["text"] for block in body["content"] if block["type"] == "text"),
        tuple((block["name"], block["input"]) for block in body["content"] if block["type"] == "tool_use"),
        body["stop_reason"],
        anthropic_tokens(body["usage"]),
    )


def anthropic_streamed(events: list[Json]) -> Said:
    text, reason, names, inputs, usage = "", None, list[str](), list[str](), dict[str, Json]()
    for event in events:
        block, delta = event.get("content_block", {}), event.get("delta", {})
        usage |= event.get("message", {}).get("usage", {}) | event.get("usage", {})
        reason = delta.get("stop_reason") or reason
        text += delta.get("text", "")
        if block.get("type") == "tool_use":
            names.append(block["name"])
            inputs.append("")
        if "partial_json" in delta:
            inputs[-1] += delta["partial_json"]
    calls = tuple((name, json.loads(given or "{}")) for name, given in zip(names, inputs, strict=True))
    return Said(text, calls, reason, anthropic_tokens(usage))


def anthropic_tokens(usage: Json) -> tuple[int | None, ...]:
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    return usage["input_tokens"] + (read or 0) + (written or 0), usage["output_tokens"], read, None


def gemini(bodies: list[Json]) -> Said:
    candidates = [body["candidates"][0] for body in bodies]
    parts = [part for candidate in candidates for part in candidate["content"].get("parts", [])]
    reason, usage = candidates[-1]["finishReason"], bodies[-1]["usageMetadata"]
    thoughts = usage.get("thoughtsTokenCount")
    return Said(
        "".join(part.get("text", "") for part in parts),
        tuple((part["functionCall"]["name"], part["functionCall"]["args"]) for part in parts if "functionCall" in part),
        {1: "STOP", 2: "MAX_TOKENS"}.get(reason, reason),
        (
            usage["promptTokenCount"],
            usage.get("candidatesTokenCount", 0) + (thoughts or 0),
            usage.get("cachedContentTokenCount"),
            thoughts,
        ),
    )


def converse(body: Json) -> Said:
    blocks, usage = body["output"]["message"]["content"], body["usage"]
    read = usage.get("cacheReadInputTokenCount")
    written = usage.get("cacheWriteInputTokenCount")
    return Said(
        "".join(block.get("text", "") for block in blocks),
        tuple((block["toolUse"]["name"], block["toolUse"]["input"]) for block in blocks if "toolUse" in block),
        body["stopReason"],
        (usage.get("inputTokens", 0) + (read or 0) + (written or 0), usage.get("outputTokens"), read, None),
    )


def invoked(row: Row) -> Said:
    """By the model that was asked, not by the body's shape."""
    body, model = row["response"], row["path"]
    if "nova" in model:
        return converse(body)
    if "anthropic" in model:
        return anthropic(body) if "content" in body else Said(body["completion"], (), body["stop_reason"])
    if "titan" in model:
        result = body["results"][0]
        tokens = (int(body["inputTextTokenCount"]), int(result["tokenCount"]), None, None)
        return Said(result["outputText"], (), result["completionReason"], tokens)
    if "llama" in model:
        tokens = (body["prompt_token_count"], body["generation_token_count"], None, None)
        return Said(body["generation"], (), body["stop_reason"], tokens)
    if "mistral" in model:
        return Said(body["outputs"][0]["text"], (), body["outputs"][0]["stop_reason"])
    if "ai21" in model:
        completion = body["completions"][0]
        return Said(completion["data"]["text"], (), completion["finishReason"]["reason"])
    if "sagemaker" in model:
        return Said(body["choices"][0]["text"], (), body["choices"][0]["finish_reason"], chat_tokens(body["usage"]))
    answer = body if "command-r" in model else body["generations"][0]
    return Said(answer["text"], (), answer["finish_reason"])


# The page


def microseconds_an_event(data: Path) -> tuple[int, float]:
    """Events of all recorded streams, and CPU time to decode and assemble one."""
    every = [(row, spoken(row)) for row in rows(data) if row["stream"]]
    events = sum(row["raw"].count("data:") or row["raw"].count("\n") for row, _ in every)
    begin = time.process_time()
    for _ in range(5):
        for row, dialect in every:
            streamed(row, dialect, 1024)
    return events, (time.process_time() - begin) / 5 / events * 1e6


def page(data: Path) -> str:
    done = list(outcomes(data))
    kinds = Counter(outcome.kind for outcome in done)
    unequal = [outcome for outcome in done if not outcome.equal]
    uneven = uneven_streams(data)
    events, each = microseconds_an_event(data)
    lines = [
        "# Wire formats against recorded exchanges",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}.",
        "Written by `python benchmarks/wire.py --write` from `wire/` of the recorded data: what providers answered,",
        "read by the dialects and by plain loops over the raw bodies that share nothing with them. Equal means answer",
        "text, tool calls with their arguments, finish reason, and input, output, cached and reasoning tokens.",
        "",
        "| what | result |",
        "|---|---:|",
        f"| exchanges | {len(done)} |",
        f"| answers read | {kinds['answer']} |",
        f"| errors read | {kinds['error']} |",
        f"| of these, equal to the plain reading | {len(done) - kinds['not covered'] - len(unequal)} |",
        f"| not covered: no adapter reads this kind yet | {kinds['not covered']} |",
        f"| streams read otherwise in pieces of {', '.join(map(str, PIECES))} bytes than whole | {len(uneven)} |",
        f"| CPU to decode and assemble one of {events:,} streamed events | {each:.0f} µs |",
        "",
        "## By provider",
        "",
        "| provider | API | stream | dialect | exchanges | answers | equal | errors | leaf | not covered |",
        "|---|---|---|---|---:|---:|---:|---:|---|---:|",
    ]
    groups: dict[tuple[str, str, str, bool], list[Outcome]] = {}
    for outcome in done:
        row = outcome.row
        name = getattr(spoken(row), "name", "–")
        groups.setdefault((row["provider"], row["api"], name, row["stream"]), []).append(outcome)
    for (provider, api, name, stream), group in sorted(groups.items()):
        of = Counter(outcome.kind for outcome in group)
        equal = sum(outcome.equal for outcome in group if outcome.kind == "answer")
        leaves = Counter(outcome.found for outcome in group if outcome.kind == "error")
        leaf = ", ".join(f"{kind} {number}" for kind, number in sorted(leaves.items()))
        lines.append(
            f"| {provider} | {api} | {'yes' if stream else ''} | {name} | {len(group)} | {of['answer'] or ''} "
            f"| {equal or ''} | {of['error'] or ''} | {leaf} | {of['not covered'] or ''} |"
        )
    lines += [f"\nNot equal: `{outcome.row['id']}`" for outcome in unequal]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    from page import main  # beside this script

    sys.exit(main("wire", page, __doc__))
