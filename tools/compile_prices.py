"""Compile the prices of the installed genai-prices into `src/boxscore/costs/prices.json`.

The library's own data takes some 120 MB of memory once it is read; our table has the same facts in a few, one model a
line, so that a new version of the library shows as a readable diff.

    python tools/compile_prices.py            write the table
    python tools/compile_prices.py --check    exit 1 if the table is not what the installed version gives
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

from genai_prices import types
from genai_prices.data import providers
from genai_prices.data_units import unit_data

from boxscore.costs.kinds import KINDS, find_kind

TABLE = Path(__file__).parent.parent / "src" / "boxscore" / "costs" / "prices.json"


def compile_table() -> str:
    """The table as text. Fails when the library prices something that we have no kind for."""
    for field, unit in unit_data.items():
        kind = find_kind(field)
        ours = kind and (kind.field, kind.per, dict(kind.dimensions))
        if ours != (field, unit["per"], unit["dimensions"]):
            raise SystemExit(f"genai-prices has the unit {field!r} as {unit}; boxscore.costs.kinds has it as {ours}")
    kinds = {unit["price_key"]: kind.name for field, unit in unit_data.items() if (kind := find_kind(field))}
    lines = [f'{{"source":"genai-prices","version":{json.dumps(version("genai-prices"))},"providers":[']
    for n, provider in enumerate(providers):
        head: dict[str, Any] = {"id": provider.id, "name": provider.name, "api": provider.api_pattern}
        if provider.provider_match:
            head["provider_match"] = _match(provider.provider_match)
        if provider.model_match:
            head["model_match"] = _match(provider.model_match)
        if provider.fallback_model_providers:
            head["fallback"] = provider.fallback_model_providers
        lines.append(_dump(head)[:-1] + ',"models":[')
        lines.append(",\n".join(_dump(_model(model, kinds)) for model in provider.models))
        lines.append("]}" + ("," if n + 1 < len(providers) else ""))
    lines.append("]}")
    return "\n".join(lines) + "\n"


def _model(model: types.ModelInfo, kinds: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {"id": model.id, "match": _match(model.match)}
    if model.name and model.name != model.id:
        found["name"] = model.name
    if model.context_window:
        found["context_window"] = model.context_window
    if model.deprecated:
        found["deprecated"] = True
    prices = model.prices if isinstance(model.prices, list) else [types.ConditionalPrice(prices=model.prices)]
    found["prices"] = [_price(p.prices, p.constraint, kinds) for p in prices]
    if model.price_variants:
        found["variants"] = [{"when": v.when, **_price(v.prices, v.constraint, kinds)} for v in model.price_variants]
    return found


def _price(prices: types.ModelPrice, constraint: object, kinds: dict[str, str]) -> dict[str, Any]:
    rates = {kinds[key]: _rate(value) for key, value in vars(prices).items() if value is not None}
    order = {name: n for n, name in enumerate(KINDS)}
    found: dict[str, Any] = {"rates": dict(sorted(rates.items(), key=lambda item: order[item[0]]))}
    if isinstance(constraint, types.StartDateConstraint):
        found["since"] = {"from": constraint.start_date.isoformat()}
    elif isinstance(constraint, types.TimeOfDateConstraint):
        found["since"] = {"hours": [constraint.start_time.isoformat(), constraint.end_time.isoformat()]}
    elif constraint is not None:
        raise SystemExit(f"a condition of unknown form: {constraint}")
    return found


def _rate(value: object) -> object:
    if isinstance(value, types.TieredPrices):
        return {
            "base": _number(value.base),
            "tiers": [{"above": t.start, "price": _number(t.price)} for t in value.tiers],
        }
    if not isinstance(value, Decimal):
        raise SystemExit(f"a price of unknown form: {value!r}")
    return _number(value)


def _number(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _match(clause: object) -> dict[str, Any]:
    for name in ("equals", "starts_with", "ends_with", "contains"):
        if (text := getattr(clause, name, None)) is not None:
            return {name: text}
    if (pattern := getattr(clause, "regex", None)) is not None:
        re.compile(pattern)
        return {"regex": pattern}
    for name in ("or", "and"):
        if (rules := getattr(clause, name + "_", None)) is not None:
            return {name: [_match(rule) for rule in rules]}
    raise SystemExit(f"a rule on names of unknown form: {clause}")


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def main(argv: Iterable[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the table is out of date")
    options = parser.parse_args(list(argv) if argv is not None else None)
    text = compile_table()
    if options.check:
        if not TABLE.exists() or TABLE.read_text(encoding="utf-8") != text:
            print(f"{TABLE} is not what genai-prices {version('genai-prices')} gives: run tools/compile_prices.py")
            return 1
        return 0
    TABLE.write_text(text, encoding="utf-8")
    print(f"{TABLE}: genai-prices {version('genai-prices')}, {len(text) / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
