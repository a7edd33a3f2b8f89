"""The user's own price table: YAML, JSON or CSV, looked at before the built-in one.

    prices:
      - provider: acme              # optional: any provider
        model: acme-large           # the name, exactly; or a rule:
        # match: {starts_with: acme-large}
        from: 2026-01-01            # optional: from the start of that day, UTC
        hours: ["00:30", "08:30"]   # optional: daily between two times, UTC
        when: {service_tier: flex}  # optional: only for requests served so
        usd_per_mtok:               # US dollars a million tokens, by kind
          input: 3
          output: 15
          cache_read: 0.3
        # input: {base: 3, tiers: [{above: 200000, price: 6}]}
        usd_per_1k: {web_searches: 10, requests: 2}
        usd_per_hour: {audio_seconds: 0.36}

In CSV the columns are `provider, model, match, from, hours_from, hours_to` and one for each kind (`input`, `output`,
…); `match` is `starts_with:acme-` and the like.
"""

import csv
import hashlib
import io
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import cast

import msgspec
import yaml

from boxscore.costs.kinds import find_kind, missing_kinds
from boxscore.costs.row import Context, Match, PriceRow, Rate, Since, Tier
from boxscore.errors import FileError, SpecError

__all__ = ["OwnRow", "OwnTable", "parse_own_table", "read_own_table"]

_UNITS = {"usd_per_mtok": 1_000_000, "usd_per_1k": 1_000, "usd_per_hour": 3_600}
_FIELDS = frozenset({"provider", "model", "match", "from", "hours", "when", "context_window", "note", *_UNITS})
_CSV_FIELDS = frozenset({"provider", "model", "match", "from", "hours_from", "hours_to", "context_window", "note"})


class OwnRow(msgspec.Struct, frozen=True):
    """A row as read. `line` is where it begins in its file."""

    line: int
    provider: str | None
    match: Match
    model: str
    rates: dict[str, Rate]
    since: Since | None
    when: Context
    context_window: int | None


class OwnTable(msgspec.Struct, frozen=True):
    """The rows of one file; `version` is the first eight digits of its SHA-256."""

    name: str
    version: str
    entries: tuple[OwnRow, ...]

    def find(self, model: str, provider: str | None, at: datetime, context: Context | None) -> PriceRow | None:
        """The row for a model: the latest start that holds, then the one with hours or `when`, then the later row."""
        prefix, _, rest = model.partition("/")
        best: tuple[tuple[date, bool, bool, int], OwnRow] | None = None
        for n, row in enumerate(self.entries):
            named = row.provider is None or (provider or "").lower() == row.provider.lower()
            fits = (
                (named and row.match(model))
                or (provider is None and bool(rest) and row.provider == prefix.lower() and row.match(rest))
                or (provider is None and row.provider is not None and row.match(model))
            )
            if not fits or not (row.since is None or row.since.holds(at)):
                continue
            if not row.when.items() <= (context or {}).items():
                continue
            start = row.since.start if row.since and row.since.start else date.min
            rank = (start, bool(row.when), bool(row.since and row.since.hours), n)
            if best is None or rank > best[0]:
                best = rank, row
        return self._as_price(best[1], model) if best else None

    def rows(self, at: datetime) -> list[PriceRow]:
        """The rows that hold at a moment, in the order of the file."""
        return [self._as_price(row, row.model) for row in self.entries if row.since is None or row.since.holds(at)]

    def all_rows(self) -> list[PriceRow]:
        """All rows, whenever they hold, in the order of the file."""
        return [self._as_price(row, row.model) for row in self.entries]

    def _as_price(self, row: OwnRow, model: str) -> PriceRow:
        return PriceRow(
            id=f"{self.name}:{row.line}",
            version=self.version,
            source="own",
            provider=row.provider,
            model=model,
            rates=row.rates,
            since=row.since,
            context_window=row.context_window,
            context=row.when,
        )


def read_own_table(path: Path) -> OwnTable:
    """Read the file. `FileError` when it is no table at all, `SpecError` with line and key for a bad row."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileError(path, "there is no such price table: check `BOXSCORE_PRICES`") from None
    except OSError as error:
        raise FileError(path, f"the price table cannot be read: {error}") from error
    return parse_own_table(path, data)


def parse_own_table(path: Path, data: bytes) -> OwnTable:
    """What a file at `path` with these bytes would be; the same errors."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(path, f"the price table cannot be read: {error}") from error
    version = hashlib.sha256(data).hexdigest()[:8]
    raw = _csv_rows(text, path) if path.suffix.lower() == ".csv" else _yaml_rows(text, path)
    rows = tuple(_Reader(path, line, fields).row() for line, fields in raw)
    return OwnTable(path.name, version, rows)


def _yaml_rows(text: str, path: Path) -> list[tuple[int, dict[str, object]]]:
    """The rows with their lines. JSON is read by the same parser, which is why tabs of its margin are spaces here."""
    loader = yaml.SafeLoader(text.replace("\t", " ") if path.suffix.lower() == ".json" else text)
    try:
        root = loader.get_single_node()
        if root is None:
            raise FileError(path, "the price table is empty: `boxscore prices --help` shows its form")
        if isinstance(root, yaml.MappingNode):
            pairs = {str(loader.construct_object(key)): value for key, value in root.value}  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
            unknown = sorted(pairs.keys() - {"prices"})
            if unknown or "prices" not in pairs:
                what = f"the key {unknown[0]!r} is not known" if unknown else "the key 'prices' is missing"
                raise SpecError(f"{what}: a price table is a list of rows under `prices`", path=path)
            root = cast("yaml.Node", pairs["prices"])
        if not isinstance(root, yaml.SequenceNode):
            raise SpecError("`prices` is a list of rows", key="prices", path=path)
        rows: list[tuple[int, dict[str, object]]] = []
        for node in cast("list[yaml.Node]", root.value):
            line = node.start_mark.line + 1
            value: object = loader.construct_object(node, deep=True)  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            if not isinstance(value, dict):
                raise SpecError(f"line {line}: a row is a mapping of fields to values", path=path)
            rows.append((line, {str(k): v for k, v in cast("dict[object, object]", value).items()}))
        return rows
    except yaml.YAMLError as error:
        raise FileError(path, f"the price table is no YAML or JSON: {' '.join(str(error).split())}") from error
    finally:
        loader.dispose()  # pyright: ignore[reportUnknownMemberType]


def _csv_rows(text: str, path: Path) -> list[tuple[int, dict[str, object]]]:
    reader = csv.DictReader(io.StringIO(text))
    rows: list[tuple[int, dict[str, object]]] = []
    for record in reader:
        fields: dict[str, object] = {}
        rates: dict[str, dict[str, object]] = {}
        for column, value in record.items():
            if not value:
                continue
            if column in _CSV_FIELDS:
                fields[column] = value
                continue
            kind = find_kind(column or "")
            if kind is None:
                raise SpecError(f"line {reader.line_num}: this column is no field and no kind", key=column, path=path)
            unit = next((name for name, per in _UNITS.items() if per == kind.per), "usd_per_mtok")
            rates.setdefault(unit, {})[kind.name] = value
        if "hours_from" in fields or "hours_to" in fields:
            fields["hours"] = [fields.pop("hours_from", None), fields.pop("hours_to", None)]
        if isinstance(rule := fields.get("match"), str):
            clause, _, text_ = rule.partition(":")
            fields["match"] = {clause: text_}
        rows.append((reader.line_num, {**fields, **rates}))
    return rows


class _Reader:
    """One row on its way from a file to an `OwnRow`; every complaint names file, line and field."""

    def __init__(self, path: Path, line: int, fields: dict[str, object]) -> None:
        self.path = path
        self.line = line
        self.fields = fields

    def row(self) -> OwnRow:
        for name in self.fields:
            if name not in _FIELDS:
                raise self.wrong(name, f"this field is not known; known are {', '.join(sorted(_FIELDS))}")
        model, rule = self.text("model"), self.fields.get("match")
        if (model is None) == (rule is None):
            raise self.wrong("model", "a row names either `model` (exactly) or `match` (a rule)")
        match = Match(equals=model) if model is not None else self.rule(rule)
        rates = self.rates()
        return OwnRow(
            line=self.line,
            provider=self.text("provider"),
            match=match,
            model=model or next((t for t in (match.equals, match.starts_with, match.contains) if t), "(rule)"),
            rates=rates,
            since=self.since(),
            when=self.when(),
            context_window=self.whole("context_window"),
        )

    def wrong(self, field: str, problem: str) -> SpecError:
        return SpecError(f"line {self.line}: {problem}", key=field, path=self.path)

    def text(self, field: str) -> str | None:
        value = self.fields.get(field)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(field, f"{value!r} is no name (write it in quotes if it is one)")
        return value.strip()

    def whole(self, field: str) -> int | None:
        value = self.fields.get(field)
        if value is None:
            return None
        try:
            return int(str(value))
        except ValueError:
            raise self.wrong(field, f"{value!r} is no whole number") from None

    def rule(self, value: object) -> Match:
        try:
            match = msgspec.convert(value, Match)
        except msgspec.ValidationError as error:
            raise self.wrong("match", f"{value!r} is no rule on names: {error}") from error
        if match.empty:
            raise self.wrong("match", "an empty rule would fit every model; use equals, starts_with, contains, …")
        try:
            match("probe")
        except Exception as error:  # a pattern that does not compile
            raise self.wrong("match", f"{value!r} does not work: {error}") from error
        return match

    def since(self) -> Since | None:
        start, hours = self.fields.get("from"), self.fields.get("hours")
        if start is None and hours is None:
            return None
        return Since(start=self.day(start) if start is not None else None, hours=self.span(hours) if hours else None)

    def day(self, value: object) -> date:
        if isinstance(value, datetime):
            raise self.wrong("from", f"{value!r} has a time of day; prices change at the start of a day, UTC")
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise self.wrong("from", f"{value!r} is no date such as 2026-01-31") from None

    def span(self, value: object) -> tuple[time, time]:
        limits = cast("list[object]", value) if isinstance(value, list) else []
        try:
            begin, end = (time.fromisoformat(str(limit)) for limit in limits)
        except ValueError:
            raise self.wrong("hours", f"{value!r} is no pair of times such as ['00:30', '08:30'] (in quotes)") from None
        return begin, end

    def when(self) -> Context:
        value = self.fields.get("when")
        if value is None:
            return {}
        if not isinstance(value, dict) or not value:
            raise self.wrong("when", f"{value!r} is no mapping such as {{service_tier: flex}}")
        return {str(k): str(v) for k, v in cast("dict[object, object]", value).items()}

    def rates(self) -> dict[str, Rate]:
        rates: dict[str, Rate] = {}
        for unit, per in _UNITS.items():
            table = self.fields.get(unit)
            if table is None:
                continue
            if unit == "usd_per_mtok" and not isinstance(table, dict):
                table = {"input": table, "output": table}
            if not isinstance(table, dict):
                raise self.wrong(unit, f"{table!r} is no mapping of kinds to prices")
            for name, value in cast("dict[object, object]", table).items():
                field = f"{unit}.{name}"
                kind = find_kind(str(name))
                if kind is None:
                    raise self.wrong(field, "this kind is not known; `boxscore prices --kinds` lists them")
                if kind.per != per:
                    raise self.wrong(field, f"{kind.name} is priced per {kind.unit}, not under {unit}")
                rates[kind.name] = self.rate(field, value)
        if not rates:
            raise self.wrong("usd_per_mtok", "the row has no price; for a free model write `usd_per_mtok: 0`")
        if missing := missing_kinds(rates):
            names = ", ".join(sorted(missing))
            raise self.wrong("usd_per_mtok", f"the row needs a price for {names} too, of which its kinds are parts")
        return rates

    def rate(self, field: str, value: object) -> Rate:
        if not isinstance(value, dict):
            return Rate(self.number(field, value))
        table = cast("dict[str, object]", value)
        if table.keys() - {"base", "tiers"} or "base" not in table or not isinstance(table.get("tiers"), list):
            raise self.wrong(field, "a price with tiers is {base: 3, tiers: [{above: 200000, price: 6}]}")
        tiers: list[Tier] = []
        for tier in cast("list[object]", table["tiers"]):
            pair = cast("dict[str, object]", tier) if isinstance(tier, dict) else {}
            above = pair.get("above")
            if pair.keys() != {"above", "price"} or not isinstance(above, int) or above < 0:
                raise self.wrong(field, f"{tier!r} is no tier such as {{above: 200000, price: 6}}")
            tiers.append(Tier(above, self.number(f"{field}.tiers", pair["price"])))
        return Rate(self.number(f"{field}.base", table["base"]), tuple(sorted(tiers, key=lambda tier: tier.above)))

    def number(self, field: str, value: object) -> Decimal:
        try:
            number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number < 0:
            raise self.wrong(field, f"{value!r} is no price: a number of US dollars, zero or more")
        return number
