"""`boxscore models`: which models can be named, and what they cost."""

from datetime import date
from decimal import Decimal

import click
import msgspec

from boxscore.models.catalogue import CatalogueEntry, find_models

_SHOWN = 40


@click.command()
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option("--provider", help="Only the models of this provider.")
@click.option("--at", type=click.DateTime(["%Y-%m-%d"]), help="Prices of this date (default: today).")
@click.option("--all", "everything", is_flag=True, help=f"Show all that are found, not the first {_SHOWN}.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def models(words: tuple[str, ...], provider: str | None, at: date | None, everything: bool, as_json: bool) -> None:
    """Models that are known, with context window and price.

    WORDs narrow the list: a model is shown when its name or provider has all of them. Prices are US dollars a
    million tokens. The models called tiny come with Boxscore and run without key or network.
    """
    found = find_models(words, provider=provider, at=at)
    if as_json:
        click.echo(msgspec.json.Encoder(decimal_format="number").encode(found).decode())
        return
    shown = found if everything else found[:_SHOWN]
    click.echo(f"{'provider':<14} {'model':<39} {'context':>7} {'in $/M':>8} {'out $/M':>7}")
    for entry in shown:
        click.echo(_line(entry))
    if len(shown) < len(found):
        click.echo(f"… and {len(found) - len(shown)} more: narrow with words, or --all", err=True)


def _line(entry: CatalogueEntry) -> str:
    mark = "*" if entry.note and entry.provider != "tiny" else " "
    name = entry.model if len(entry.model) <= 39 else entry.model[:38] + "…"
    window = _window(entry.context_window)
    prices = f"{_usd(entry.input_usd_per_mtok):>8} {_usd(entry.output_usd_per_mtok):>7}"
    return f"{entry.provider:<14.14} {name:<39} {window:>7} {prices}{mark}".rstrip()


def _window(tokens: int | None) -> str:
    if tokens is None:
        return "–"
    return f"{tokens / 1e6:.3g}M" if tokens >= 1_000_000 else f"{tokens / 1e3:.4g}k"


def _usd(price: Decimal | None) -> str:
    return "–" if price is None else f"{price.normalize():f}"
