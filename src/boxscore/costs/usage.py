"""One usage normaliser for every dialect: a provider's body, usage object or stream in, `Usage` out."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, cast

import msgspec

from boxscore.costs.dialects import DIALECTS, Dialect, dialect_of_api, head_of, read_path
from boxscore.costs.row import Context
from boxscore.errors import UnknownNameError, UnreadableUsageError
from boxscore.providers.response import Usage
from boxscore.types import Json

__all__ = ["Reading", "add_usage", "detect", "events_of", "normalise", "read_body"]

_FIELDS = frozenset(Usage.__struct_fields__)
_OWN_MARKS = frozenset(
    field for field in _FIELDS if field.startswith("cache_") or field.endswith(("_reasoning_tokens", "_tool_tokens"))
) | {"input_text_tokens", "input_audio_tokens", "web_searches", "audio_seconds"}


class Reading(NamedTuple):
    """What a body tells about its price: the counts, who answered, how it was served, and what language it speaks."""

    usage: Usage
    model: str | None
    context: Context
    dialect: str


def normalise(
    body: Json, *, dialect: str | None = None, provider: str | None = None, flavour: str | None = None
) -> Usage:
    """The usage in a provider's body, in its bare usage object, or in a list of the events of a stream.

    The dialect is told (`dialect`, or the `flavour` of a `provider`'s API) or seen from the shape; a `provider` alone
    settles what shapes leave open (xAI counts reasoning beside the completion). Totals hold all their parts: cached
    tokens are in `input_tokens` even where the provider counts them apart. Counts that are not reported are None.
    In a stream counts are cumulative, so the largest of each is the final one, in whatever event it comes.

    `UnreadableUsageError` names the keys that were seen when the shape is not known.
    """
    return read_body(body, dialect=dialect, provider=provider, flavour=flavour).usage


def read_body(
    body: Json, *, dialect: str | None = None, provider: str | None = None, flavour: str | None = None
) -> Reading:
    """As `normalise`, with the model and the way of serving that the body names."""
    if isinstance(body, Usage):
        return Reading(body, None, {}, "boxscore")
    document = _merged(cast("Sequence[Json]", body)) if isinstance(body, list | tuple) else body
    if not isinstance(document, Mapping):
        raise UnreadableUsageError(
            f"a usage object is a JSON object or a list of events, not {type(document).__name__}"
        )
    data = _camel_case(cast("Mapping[str, Json]", document))
    name = _named(dialect, provider, flavour) or detect(data, provider=provider)
    if name == "boxscore":
        return Reading(_own(data.get("usage", data)), data.get("model"), _context(data, {}), name)
    speech = DIALECTS[name]
    root = _root(data, speech)
    usage = _beside(_read(root, speech), root, speech)
    model = next((m for path in speech.model if isinstance(m := read_path(data, path), str) and m), None)
    return Reading(usage, model, _context(data, root), name)


def detect(body: Json, *, provider: str | None = None) -> str:
    """The dialect of a body or a bare usage object, from its shape. `UnreadableUsageError` when none fits."""
    if not isinstance(body, Mapping):
        raise UnreadableUsageError(f"a usage object is a JSON object, not {type(body).__name__}")
    data = cast("Mapping[str, Json]", body)
    if isinstance(data.get("usageMetadata"), Mapping) or "promptTokenCount" in data or "totalTokenCount" in data:
        return "gemini"
    if "tokenUsage" in data:
        return "cursor"
    if "inputTextTokenCount" in data:
        return "bedrock-titan"
    if "generation_token_count" in data:
        return "bedrock-llama"
    if "usage_info" in data or "pages_processed" in data:
        return "mistral-ocr"
    if "prompt_eval_count" in data or "eval_count" in data:
        return "ollama"
    usage = data
    for path in () if _BARE & data.keys() else _PLACES:
        if isinstance(found := read_path(data, path), Mapping):
            usage = cast("Mapping[str, Json]", found)
            break
    keys = set(usage)
    if "prompt_tokens" in keys:
        return provider if provider in {"x-ai", "perplexity", "databricks"} else _kind_of_chat(keys)
    if keys & {"inputTokens", "outputTokens"}:
        return "bedrock"
    if "billed_units" in keys or "tokens" in keys:
        return "cohere"
    if "input_token_details" in keys:
        return "openai-realtime"
    if keys & {"input_tokens", "output_tokens"}:
        if any(key.startswith("cache_creation") or key == "cache_read_input_tokens" for key in keys):
            return "anthropic"
        if data.get("type") == "message" or "server_tool_use" in keys:
            return "anthropic"
        if keys <= _FIELDS and keys & _OWN_MARKS:
            return "boxscore"
        details = read_path(usage, "input_tokens_details")
        return "openai-images" if isinstance(details, Mapping) and "image_tokens" in details else "openai-responses"
    if "seconds" in keys:
        return "audio-seconds"
    if keys & _FIELDS and keys <= _FIELDS:
        return "boxscore"
    where = "usage" if usage is not data else "body"
    raise UnreadableUsageError(
        f"no usage of a known shape: the {where} has the keys {', '.join(sorted(keys)) or '(none)'}. "
        f"If you know its dialect name it; known are {', '.join(DIALECTS)}",
        keys=sorted(keys),
    )


_BARE = frozenset({"prompt_tokens", "input_tokens", "inputTokens"})
"""Counts that no body has beside its usage object."""
_PLACES = (
    *("usage", "response.usage", "message.usage", "metadata.usage"),
    *("delta.usage", "result.usage", "x_groq.usage", "meta", "response.meta"),
)


def add_usage(usages: Iterable[Usage]) -> Usage:
    """The sum of several calls, count by count; a count that none reported stays None."""
    totals: dict[str, int | float] = {}
    for usage in usages:
        for field in Usage.__struct_fields__:
            value: int | float | None = getattr(usage, field)
            if value is not None:
                totals[field] = totals.get(field, 0) + value
    return msgspec.convert(totals, Usage)


def events_of(text: str) -> list[Json]:
    """The JSON documents of a recorded stream: server-sent events, or one document a line.

    `[DONE]` and comments are left out.
    """
    events: list[Json] = []
    if not any(line.startswith("data:") for line in text.splitlines()):
        text = "".join(f"data: {line}\n\n" for line in text.splitlines() if line.startswith("{"))
    for block in text.replace("\r\n", "\n").split("\n\n"):
        data = "\n".join(line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:"))
        if data and data.strip() != "[DONE]":
            try:
                events.append(msgspec.json.decode(data))
            except msgspec.DecodeError as error:
                raise UnreadableUsageError(f"an event of the stream is no JSON: {error}: {data[:60]!r}") from error
    return events


def _kind_of_chat(keys: set[str]) -> str:
    if keys & {"citation_tokens", "num_search_queries"}:
        return "perplexity"
    return "openai-chat"


def _named(dialect: str | None, provider: str | None, flavour: str | None) -> str | None:
    if dialect is not None:
        if dialect not in DIALECTS and dialect != "boxscore":
            raise UnknownNameError("usage dialect", dialect, DIALECTS)
        return dialect
    if flavour is not None:
        return dialect_of_api((provider or "").lower(), flavour)
    return None


def _root(data: Mapping[str, Json], speech: Dialect) -> Mapping[str, Json]:
    """The usage object in a body; the body itself when it is bare."""
    for path in speech.roots:
        found = read_path(data, path) if path else data
        if isinstance(found, Mapping):
            return cast("Mapping[str, Json]", found)
    return data


def _read(root: Mapping[str, Json], speech: Dialect) -> Usage:
    counts: dict[str, int | float] = {}
    for field, places in _places(speech.name, frozenset(root)):
        for head, alone, path in places:
            value = root[head] if alone else read_path(root, path)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            if value < 0 or value != value or value in (float("inf"), float("-inf")):
                raise UnreadableUsageError(f"{path} is {value}: a count is a finite number, zero or more")
            if isinstance(value, float) and field not in {"audio_seconds", "input_audio_seconds"}:
                if not value.is_integer():
                    raise UnreadableUsageError(f"{path} is {value}: tokens come in whole numbers")
                value = int(value)
            counts[field] = counts.get(field, 0) + value
            break
    lacking = [key for key in speech.needs if read_path(root, key) is None]
    if lacking or not counts:
        raise UnreadableUsageError(
            f"this is no usage in the dialect {speech.name!r}: "
            + (f"{lacking[0]!r} is missing" if lacking else "it has none of the known counts")
            + f"; the keys are {', '.join(sorted(root)) or '(none)'}",
            keys=sorted(root),
        )
    return Usage(**counts)  # pyright: ignore[reportArgumentType]


@lru_cache(maxsize=256)
def _places(dialect: str, keys: frozenset[str]) -> tuple[tuple[str, tuple[tuple[str, bool, str], ...]], ...]:
    """Where each field may be in an object with these keys: the name its path begins with, whether that is all of the
    path, and the path."""
    found = (
        (field, tuple((*head_of(path), path) for path in paths if head_of(path)[0] in keys))
        for field, paths in DIALECTS[dialect].terms
    )
    return tuple((field, places) for field, places in found if places)


def _beside(usage: Usage, root: Mapping[str, Json], speech: Dialect) -> Usage:
    """Reasoning counted beside the completion, which the total gives away, belongs into the output."""
    reasoning, total = usage.output_reasoning_tokens or 0, root.get("total_tokens")
    if speech.name != "openai-chat" or not reasoning or not isinstance(total, int):
        return usage
    inside = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    if total != inside + reasoning:
        return usage
    return msgspec.structs.replace(usage, output_tokens=(usage.output_tokens or 0) + reasoning)


def _own(data: Json) -> Usage:
    try:
        return msgspec.convert(data, Usage)
    except msgspec.ValidationError as error:
        raise UnreadableUsageError(f"the counts are not what they should be: {error}") from error


def _context(data: Mapping[str, Json], root: Mapping[str, Json]) -> Context:
    """How the request was served, in the words of the price table."""
    found: Context = {}
    tier = data.get("service_tier") or root.get("service_tier") or root.get("serviceTier") or data.get("serviceTier")
    if isinstance(tier, str):
        tier = tier.lower()
        if tier == "batch":
            found["processing"] = "batch"
        else:
            found["service_tier"] = tier
    speed = root.get("speed") or data.get("speed")
    if isinstance(speed, str):
        found["speed"] = speed
    return found


def _merged(events: Sequence[Json]) -> Json:
    """One document out of the events of a stream: objects by key, numbers by their maximum, the first of the rest."""
    merged: dict[str, Json] = {}
    for event in events:
        if not isinstance(event, Mapping):
            raise UnreadableUsageError(f"an event of a stream is a JSON object, not {type(event).__name__}")
        merged = _merge(merged, _relevant(cast("Mapping[str, Json]", event)))
    if not merged.keys() - {"model", "modelVersion", "service_tier", "serviceTier", "type"}:
        raise UnreadableUsageError(
            f"none of the {len(events)} events of the stream has a usage. Many endpoints send it only when asked: "
            'with `"stream_options": {"include_usage": true}` in the OpenAI dialect'
        )
    return merged


_KEPT = ("model", "modelVersion", "service_tier", "serviceTier", "usageMetadata", "usage_metadata")
_KEPT_COUNTS = (
    *("prompt_eval_count", "eval_count", "prompt_token_count", "generation_token_count"),
    *("inputTextTokenCount", "totalOutputTextTokenCount"),
)
_KEPT_OF_PARTS = ("model", "service_tier", "usage", "meta")


def _relevant(event: Mapping[str, Json]) -> dict[str, Json]:
    """What an event says of usage, at one place for all events: `usage` (or `usageMetadata`), model, tier."""
    kept: dict[str, Json] = {key: event[key] for key in _KEPT if event.get(key) is not None}
    usage = event.get("usage")
    if isinstance(usage, Mapping):
        kept["usage"] = usage
    for part in ("message", "response", "metadata", "delta", "x_groq", "result"):
        inner = event.get(part)
        if isinstance(inner, Mapping):
            inside = cast("Mapping[str, Json]", inner)
            found = {key: inside[key] for key in _KEPT_OF_PARTS if inside.get(key) is not None}
            kept = _merge(kept, found)
    for key in _KEPT_COUNTS:
        if isinstance(event.get(key), int):
            kept[key] = event[key]
    if str(event.get("type")).startswith("message_"):
        kept["type"] = "message"
    return kept


def _merge(left: Json, right: Json) -> Json:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        a, b = cast("Mapping[str, Json]", left), cast("Mapping[str, Json]", right)
        both = {**a, **b}
        return {key: _merge(a[key], b[key]) if key in a and key in b else both[key] for key in both}
    if isinstance(left, list) and isinstance(right, list):
        return _merge_details(cast("list[Json]", left), cast("list[Json]", right))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return max(left, right)
    return cast("Json", right if left is None else left)


def _merge_details(left: list[Json], right: list[Json]) -> list[Json]:
    """Lists of counts by modality or lifetime; other lists are not read."""
    merged: dict[str, Json] = {}
    for item in (*left, *right):
        if isinstance(item, Mapping):
            row = cast("Mapping[str, Json]", item)
            key = str(row.get("modality") or row.get("ttl"))
            merged[key] = _merge(merged[key], row) if key in merged else row
    return list(merged.values())


def _camel_case(data: Mapping[str, Json]) -> Mapping[str, Json]:
    """Google's SDK dumps the same usage with underscores."""
    if "usage_metadata" in data:
        return {**data, "usageMetadata": _camel(data["usage_metadata"])}
    if "generation_token_count" not in data and ("prompt_token_count" in data or "candidates_token_count" in data):
        return cast("Mapping[str, Json]", _camel(data))
    return data


def _camel(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {_camel_name(key): _camel(item) for key, item in cast("Mapping[str, Json]", value).items()}
    if isinstance(value, list):
        return [_camel(item) for item in cast("list[Json]", value)]
    return value


@lru_cache(maxsize=64)
def _camel_name(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
