"""The built-in price table: what `tools/compile_prices.py` made of genai-prices, read when first needed.

Only the list of providers is decoded at once; the models of a provider when a price of theirs is asked for.
"""

from functools import cache
from importlib.resources import files

import msgspec

from boxscore.costs.row import Match, ModelPrices

__all__ = ["ProviderPrices", "builtin_table"]


class ProviderPrices(msgspec.Struct):
    """A provider and its models. `api` is a pattern of its base address, `fallback` whose models it sells too."""

    id: str
    name: str
    api: str
    raw: msgspec.Raw = msgspec.field(name="models")
    provider_match: Match | None = None
    model_match: Match | None = None
    fallback: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[ModelPrices, ...]:
        return _models(self.id)


class Table(msgspec.Struct):
    source: str
    version: str
    providers: tuple[ProviderPrices, ...]


@cache
def builtin_table() -> Table:
    """The table shipped with this version of Boxscore; `version` is that of genai-prices."""
    return msgspec.json.decode(files("boxscore.costs").joinpath("prices.json").read_bytes(), type=Table)


@cache
def _models(provider: str) -> tuple[ModelPrices, ...]:
    found = next(p for p in builtin_table().providers if p.id == provider)
    return msgspec.json.decode(found.raw, type=tuple[ModelPrices, ...])
