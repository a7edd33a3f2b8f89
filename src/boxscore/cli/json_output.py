"""JSON on standard output, set in for people."""

import click
import msgspec

__all__ = ["as_json", "print_json"]

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def print_json(found: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
