"""`boxscore prices`: a price at a date, the cost of usage, a run under the prices of another day."""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import cast

import click
import msgspec

from boxscore import settings
from boxscore.cli.times import date_time
from boxscore.costs import (
    KINDS,
    Cost,
    PriceBook,
    PriceRow,
    Repricing,
    cost,
    default_book,
    events_of,
    read_body,
)
from boxscore.errors import (
    DatasetError,
    FileError,
    UnknownNameError,
    UnknownPriceError,
    UnreadableUsageError,
    UsageError,
)
from boxscore.providers.response import Usage
from boxscore.types import Json

_SHOWN = 20
_TABLE_FORM = """
\b
Your own prices come first: $BOXSCORE_PRICES, or prices.yaml in the .boxscore folder (YAML, JSON or CSV):
\b
  prices:
    - provider: acme            # optional: any provider
      model: acme-large         # exactly; or match: {starts_with: acme-}
      from: 2026-01-01          # optional: from that day on, UTC
      usd_per_mtok: {input: 3, output: 15, cache_read: 0.3}
"""


@click.command(epilog=_TABLE_FORM)
@click.argument("model", required=False)
@click.option("--provider", help="Who serves the model: an id, an alias or the base address.")
@click.option("--at", metavar="DATE", help="Prices of this moment: 2026-01-31, or 2026-01-31T08:30Z (default: now).")
@click.option("--tier", metavar="TIER", help="How it is served: flex, priority, batch, …")
@click.option("--usage", "source", metavar="FILE", help="Price usage: a body, a stream or JSONL of them; - is stdin.")
@click.option("--dialect", help="The dialect of the usage, when its shape does not tell.")
@click.option("--flavour", help="The API of the provider (chat, responses, anthropic, …), which tells the dialect.")
@click.option("--run", "run_id", metavar="ID", help="Price the responses of a run again; nothing stored is changed.")
@click.option("--kinds", is_flag=True, help="List what can be priced, by its name in a price table.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def prices(
    model: str | None,
    provider: str | None,
    at: str | None,
    tier: str | None,
    source: str | None,
    dialect: str | None,
    flavour: str | None,
    run_id: str | None,
    kinds: bool,
    as_json: bool,
) -> None:
    """Show the price of MODEL at a date, price usage, or price a run again.

    Prices are dated. Every cost names the price row and the version of the table that it was computed from.
    """
    moment = datetime.now(UTC) if at is None else date_time(at, "--at")
    context = ({"processing": "batch"} if tier == "batch" else {"service_tier": tier}) if tier else {}
    if kinds:
        _show_kinds(as_json)
    elif source is not None:
        _price_usage(source, model, provider, moment, context, dialect, flavour, as_json)
    elif run_id is not None:
        _price_run(run_id, model, provider, moment, as_json)
    elif model is not None:
        _show_price(model, provider, moment, context, as_json)
    else:
        raise UsageError("nothing to price: name a MODEL, --usage FILE or --run ID (`boxscore models` lists models)")


# A price


def _show_price(model: str, provider: str | None, at: datetime, context: dict[str, str], as_json: bool) -> None:
    book = default_book()
    row = book.look_up(model, provider, at, context=context)
    if row is None:
        raise _unknown(book, model, provider, at)
    history = book.history(model, provider)
    if as_json:
        _print_json(
            {
                "model": model,
                "at": at,
                "price": _row_json(row),
                "history": [_row_json(step) for step in history],
                "book": book.version,
            }
        )
        return
    window = f", context {row.context_window:,} tokens" if row.context_window else ""
    click.echo(f"{_full_name(row)}{window}{', deprecated' if row.deprecated else ''}")
    click.echo(f"price of {at:%Y-%m-%d %H:%M} UTC  {row.ref}")
    if row.context:
        click.echo("served as " + ", ".join(f"{key} {value}" for key, value in row.context.items()))
    click.echo()
    click.echo(f"{'':<24} {'US dollars':>12}")
    for name, rate in row.rates.items():
        click.echo(f"{name:<24} {_plain(rate.base):>12}  per {KINDS[name].unit}")
        for step in rate.tiers:
            click.echo(f"{'':<24} {_plain(step.price):>12}  above {step.above:,} input tokens, then for all")
    if not row.rates:
        click.echo(f"{'everything':<24} {'0':>12}")
    if len(history) > 1:
        click.echo("\nprices over time (input, output per 1M tokens)")
        for step in history:
            here = " <" if step.id == row.id.partition("+")[0] else ""
            click.echo(f"{_since(step):<24} {_of(step, 'input'):>12} {_of(step, 'output'):>10}{here}")


def _unknown(book: PriceBook, model: str, provider: str | None, at: datetime) -> UsageError:
    """The most helpful refusal: who sells a model of this name, else the nearest name."""
    sellers = book.sellers_of(model)
    if sellers:
        sold = ", ".join(sellers[:6]) + (" and others" if len(sellers) > 6 else "")
        by = f"by {provider!r}" if provider else "without a provider"
        return UsageError(f"no price of {model!r} is known {by}; it has one at {sold}: name one with --provider")
    rows = list(book.models(at))
    known = {row.model for row in rows if provider is None or row.provider == provider}
    if provider is not None and not known:
        return UnknownNameError("provider", provider, {row.provider for row in rows if row.provider})
    return UnknownNameError("model", model, known)


def _show_kinds(as_json: bool) -> None:
    if as_json:
        _print_json([{"kind": k.name, "field": k.field, "per": k.per, "unit": k.unit} for k in KINDS.values()])
        return
    for kind in KINDS.values():
        click.echo(f"{kind.name:<34} US dollars per {kind.unit}")


# Usage


class _Priced(msgspec.Struct):
    line: int | None
    model: str
    provider: str | None
    dialect: str
    usage: Usage
    cost: Cost | None
    """None: the price is not known."""


def _price_usage(
    source: str,
    model: str | None,
    provider: str | None,
    at: datetime,
    context: dict[str, str],
    dialect: str | None,
    flavour: str | None,
    as_json: bool,
) -> None:
    book = default_book()
    rows: list[_Priced] = []
    for line, document in _documents(source):
        body, named, seller = _body(document)
        try:
            reading = read_body(body, dialect=dialect, provider=provider or seller, flavour=flavour)
        except UnreadableUsageError as error:
            raise DatasetError(str(error), path=source, line=line) from error
        of = model or reading.model or named
        if of is None:
            raise DatasetError("the body names no model: name it before the options", path=source, line=line)
        served = {**reading.context, **context}
        row = book.look_up(of, provider or seller, at, context=served)
        try:
            paid = cost(reading.usage, row) if row is not None else None
        except UnreadableUsageError as error:
            raise DatasetError(str(error), path=source, line=line) from error
        rows.append(_Priced(line, of, row.provider if row else None, reading.dialect, reading.usage, paid))
    unknown = [row for row in rows if row.cost is None]
    if unknown and len(unknown) == len(rows):
        raise UnknownPriceError(unknown[0].model, provider=provider, needed_by=source)
    _show_costs(rows, at, book, as_json)
    if unknown:
        first = f"{unknown[0].model!r}, line {unknown[0].line}"
        click.echo(f"no price is known for {len(unknown)} of {len(rows)}, the first {first}: say --provider", err=True)


def _documents(source: str) -> list[tuple[int | None, Json]]:
    """JSON documents with their lines: one, one a line, or the events of one stream."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise FileError(source, "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(source, f"it cannot be read as text: {error}") from error
    if not text.strip():
        raise FileError(source, "it is empty: a usage object, a body or JSONL of bodies was expected")
    if text.lstrip().startswith(("data:", "event:", ":")):
        return [(None, events_of(text))]
    try:
        return [(None, msgspec.json.decode(text))]
    except msgspec.DecodeError:
        pass
    documents: list[tuple[int | None, Json]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                documents.append((number, msgspec.json.decode(line)))
            except msgspec.DecodeError as error:
                raise DatasetError(f"this is no JSON: {error}", path=source, line=number) from error
    return documents


def _body(document: Json) -> tuple[Json, str | None, str | None]:
    """The body in a document (which may be a record that holds it), and the model and provider beside it."""
    if not isinstance(document, dict):
        return document, None, None
    record = cast("dict[str, Json]", document)
    named, seller = record.get("model"), record.get("provider")
    body = next((record[key] for key in ("body", "response") if isinstance(record.get(key), dict | list)), record)
    if body is record.get("response") and not isinstance(record.get("status"), int):
        body = record  # an event of a stream has a response of its own
    return body, named if isinstance(named, str) else None, seller if isinstance(seller, str) else None


def _show_costs(rows: list[_Priced], at: datetime, book: PriceBook, as_json: bool) -> None:
    total = sum((_paid(row) or Decimal(0) for row in rows), Decimal(0))
    if as_json:
        _print_json({"at": at, "rows": rows, "total_usd": total, "book": book.version})
        return
    if len(rows) == 1:
        _show_parts(rows[0])
        return
    click.echo(f"{'line':>6} {'model':<32} {'tokens in':>10} {'out':>8} {'US dollars':>14}")
    for row in rows[:_SHOWN]:
        usage = row.usage
        counts = f"{usage.input_tokens or 0:>10,} {usage.output_tokens or 0:>8,}"
        click.echo(f"{row.line or '':>6} {row.model:<32.32} {counts} {_known(_paid(row), 'no price'):>14}")
    if len(rows) > _SHOWN:
        rest = sum((_paid(row) or Decimal(0) for row in rows[_SHOWN:]), Decimal(0))
        click.echo(f"{'…':>6} {f'{len(rows) - _SHOWN:,} more':<32} {'':>10} {'':>8} {_plain(rest):>14}")
    tokens_in = sum(row.usage.input_tokens or 0 for row in rows)
    tokens_out = sum(row.usage.output_tokens or 0 for row in rows)
    click.echo(f"{'':>6} {f'{len(rows):,} in all':<32} {tokens_in:>10,} {tokens_out:>8,} {_plain(total):>14}")
    click.echo(f"prices of {at:%Y-%m-%d %H:%M} UTC, {book.version}")


def _paid(row: _Priced) -> Decimal | None:
    return row.cost.total_usd if row.cost else None


def _show_parts(row: _Priced) -> None:
    if row.cost is None:
        return
    click.echo(f"{row.model}  {_plain(row.cost.total_usd)} US dollars")
    click.echo(f"usage in {row.dialect}, price {row.cost.price}")
    click.echo()
    for part in row.cost.parts:
        above = f"  (above {part.above:,})" if part.above is not None else ""
        rate = f"{_plain(part.usd_per_unit)} per {KINDS[part.kind].unit}"
        click.echo(f"{part.kind:<22} {part.count:>12,} × {rate:<22} {_plain(part.usd):>14}{above}")


# A run


def _price_run(run_id: str, model: str | None, provider: str | None, at: datetime, as_json: bool) -> None:
    configured = settings.load()
    if configured.url:
        from boxscore.client import Client

        with Client() as client:
            again = client.run_cost(run_id, model=model, provider=provider, at=at)
    else:
        home = settings.home(configured)
        if configured.records_url is None and not (home / "records.db").exists():  # opening the store would make one
            raise UnknownNameError("run", run_id, (), where=str(home))
        from boxscore.experiments.repricing import reprice_run
        from boxscore.store.records import Records

        with Records.open(home, configured.records_url, project=configured.project or "default") as records:
            again = reprice_run(records, run_id, at, model=model, provider=provider)
    _show_repricing(run_id, again, at, as_json)


def _show_repricing(run_id: str, again: Repricing, at: datetime, as_json: bool) -> None:
    if as_json:
        _print_json({"run": run_id, "at": at, **msgspec.structs.asdict(again)})
        return
    click.echo(f"run {run_id} at the prices of {at:%Y-%m-%d %H:%M} UTC")
    click.echo(f"{'model':<34} {'responses':>9} {'recorded $':>14} {'then $':>14}")
    for row in again.rows:
        click.echo(f"{row.model:<34.34} {row.responses:>9,} {_known(row.was_usd):>14} {_known(row.usd):>14}")
    click.echo(f"{'in all, where both are known':<34} {'':>9} {_plain(again.was_usd):>14} {_plain(again.usd):>14}")
    if again.unpriced:
        click.echo(f"{again.unpriced} of {again.responses} responses have no usage or no price and are left out")


# Forms


def _row_json(row: PriceRow) -> Json:
    start: date | None = row.since.start if row.since else None
    hours = row.since.hours if row.since else None
    return {
        "ref": row.ref,
        "id": row.id,
        "version": row.version,
        "source": row.source,
        "provider": row.provider,
        "model": row.model,
        "from": start,
        "hours": hours,
        "context": row.context,
        "context_window": row.context_window,
        "deprecated": row.deprecated,
        "rates": {
            name: {
                "usd": rate.base,
                "per": KINDS[name].per,
                "tiers": [{"above": tier.above, "usd": tier.price} for tier in rate.tiers],
            }
            for name, rate in row.rates.items()
        },
    }


def _print_json(value: object) -> None:
    click.echo(msgspec.json.Encoder(decimal_format="number").encode(value).decode())


def _full_name(row: PriceRow) -> str:
    return f"{row.provider}/{row.model}" if row.provider else row.model


def _since(row: PriceRow) -> str:
    if row.since is None:
        return "at first"
    begin = f"from {row.since.start}" if row.since.start else ""
    if row.since.hours:
        begin += "{}{:%H:%M} to {:%H:%M} UTC".format(", " if begin else "", *row.since.hours)
    return begin


def _of(row: PriceRow, kind: str) -> str:
    rate = row.rates.get(kind)
    return "–" if rate is None else _plain(rate.base) + ("*" if rate.tiers else "")


def _known(value: Decimal | None, otherwise: str = "not recorded") -> str:
    return otherwise if value is None else _plain(value)


def _plain(value: Decimal) -> str:
    """A number without exponent and without zeros at its end."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") or "0") if "." in text else text
