"""What can be counted and priced: one typed table.

A kind is a field of `boxscore.providers.response.Usage` with a unit of billing and dimensions. Kinds form a lattice:
`cache_read_tokens` is a part of `input_tokens` because its dimensions hold those of the other and more. A price is
due for each kind that a price row names, over the tokens that no narrower named kind has taken.

The kinds, their units and their dimensions follow genai-prices (MIT), which documents them as its units.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

__all__ = ["KINDS", "Kind", "find_kind", "is_part_of", "missing_kinds"]

Direction = Literal["input", "output", "other"]

_TOKENS_PER_PRICE = 1_000_000


class Kind(NamedTuple):
    """`field` is the field of Usage, `per` how many units one price buys, `unit` how a price is read aloud."""

    field: str
    per: int
    unit: str
    dimensions: Mapping[str, str]
    name: str
    """The name in a price table: the field without `_tokens`."""
    direction: Direction


def _kind(field: str, per: int, unit: str, dimensions: Mapping[str, str]) -> Kind:
    found = dimensions.get("direction")
    direction = "input" if found == "input" else "output" if found == "output" else "other"
    return Kind(field, per, unit, dimensions, field.removesuffix("_tokens"), direction)


def _token_kinds() -> Iterable[Kind]:
    def tokens(field: str, **dimensions: str) -> Kind:
        return _kind(field, _TOKENS_PER_PRICE, "1M tokens", {"family": "tokens", **dimensions})

    yield tokens("input_tokens", direction="input")
    yield tokens("output_tokens", direction="output")
    for modality in (None, "text", "audio", "image", "video"):
        infix = f"{modality}_" if modality else ""
        of: dict[str, str] = {"modality": modality} if modality else {}
        if modality:
            yield tokens(f"input_{infix}tokens", direction="input", **of)
            yield tokens(f"output_{infix}tokens", direction="output", **of)
        yield tokens(f"cache_{infix}read_tokens", direction="input", token_type="cache_read", **of)  # noqa: S106
        write = {"direction": "input", "token_type": "cache_write", **of}
        yield tokens(f"cache_{infix}write_tokens", **write)
        yield tokens(f"cache_{infix}write_5m_tokens", cache_ttl="5m", **write)
        yield tokens(f"cache_{infix}write_1h_tokens", cache_ttl="1h", **write)
        yield tokens(f"input_{infix}tool_tokens", direction="input", token_type="tool", **of)  # noqa: S106
        yield tokens(f"output_{infix}reasoning_tokens", direction="output", token_type="reasoning", **of)  # noqa: S106
        yield tokens(f"output_{infix}citation_tokens", direction="output", token_type="citation", **of)  # noqa: S106


def _other_kinds() -> Iterable[Kind]:
    yield _kind("input_characters", 1_000_000, "1M characters", {"family": "characters", "direction": "input"})
    yield _kind(
        "input_text_messages", 1_000, "1k messages", {"family": "messages", "direction": "input", "modality": "text"}
    )
    audio = {"family": "durations", "modality": "audio"}
    yield _kind("audio_seconds", 3_600, "hour", audio)
    yield _kind("input_audio_seconds", 3_600, "hour", {**audio, "direction": "input"})
    yield _kind("output_audio_seconds", 3_600, "hour", {**audio, "direction": "output"})
    yield _kind("input_pixels", 1_000_000_000, "1G pixels", {"family": "pixels", "direction": "input"})
    pages = {"family": "document_pages", "direction": "input"}
    yield _kind("input_document_pages", 1_000, "1k pages", pages)
    yield _kind("input_annotated_document_pages", 1_000, "1k pages", {**pages, "page_type": "annotated"})
    yield _kind("rerank_searches", 1_000, "1k searches", {"family": "rerank"})
    for tool, plural in (
        ("web_search", "web_searches"),
        ("social_search", "social_searches"),
        ("storage_search", "storage_searches"),
        ("code_execution", "code_executions"),
    ):
        yield _kind(plural, 1_000, "1k calls", {"family": "tool_calls", "tool_type": tool})
    yield _kind("requests", 1_000, "1k requests", {"family": "requests"})


KINDS: dict[str, Kind] = {kind.name: kind for kind in (*_token_kinds(), *_other_kinds())}
"""Every kind by its name in a price table (`input`, `cache_write_1h`, `web_searches`, …), broad before narrow."""

_BY_DIMENSIONS = {frozenset(kind.dimensions.items()): kind for kind in KINDS.values()}


def find_kind(name: str) -> Kind | None:
    """The kind of that name; the field's full name (`input_tokens`) is understood too."""
    return KINDS.get(name) or KINDS.get(name.removesuffix("_tokens"))


def is_part_of(narrow: Kind, broad: Kind) -> bool:
    """True when every unit of `narrow` is one of `broad` too (and they are not the same)."""
    return narrow is not broad and broad.dimensions.items() <= narrow.dimensions.items()


def missing_kinds(names: Iterable[str]) -> set[str]:
    """Kinds that a price row must name besides `names`, so that every unit has exactly one price.

    A narrow kind needs the broad ones it is cut out of; two kinds that can overlap (audio, cached) need the kind of
    their overlap (cached audio). Source: the coverage rules of genai-prices.
    """
    named = set(names)
    kinds = [KINDS[name] for name in sorted(named)]
    missing = {
        broad.name for kind in kinds for broad in KINDS.values() if is_part_of(kind, broad) and broad.name not in named
    }
    for i, left in enumerate(kinds):
        for right in kinds[i + 1 :]:
            shared = left.dimensions.keys() & right.dimensions.keys()
            if any(left.dimensions[key] != right.dimensions[key] for key in shared):
                continue
            join = _BY_DIMENSIONS.get(frozenset({**left.dimensions, **right.dimensions}.items()))
            if join is not None and join.name not in named:
                missing.add(join.name)
    return missing
