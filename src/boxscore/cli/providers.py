"""`boxscore providers`: who can be asked by name, and whether the key is there."""

import os
import re

import click
import msgspec

from boxscore.cli.json_output import print_json
from boxscore.errors import SpecError
from boxscore.providers import secrets
from boxscore.providers.known import KNOWN, Known
from boxscore.providers.sigv4 import credentials


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A known provider. `key` says where its key was found: "environment", "keyring", "profile" (of Amazon's tools),
    "missing" or "not needed"."""

    provider: str
    api: str
    base_url: str | None
    key_env: str | None
    key: str


@click.command()
@click.option("--keep", metavar="NAME", help="Keep a key in the system's keyring: a provider, or a variable's name.")
@click.option("--forget", metavar="NAME", help="Take a key out of the keyring.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to standard output.")
def providers(keep: str | None, forget: str | None, as_json: bool) -> int:
    """List the providers that are known by name: what they speak, where, and whether the key is found.

    A key is looked for in the environment, then in the system's keyring. It is asked for without being shown, and never
    stands in a spec.

    \b
      boxscore providers
      boxscore providers --keep anthropic
    """
    if keep is not None:
        variable = _variable(keep, "--keep")
        secrets.keep_in_keyring(variable, click.prompt(f"{variable}", hide_input=True, err=True).strip())
        click.echo(f"kept as {variable} in the system's keyring", err=True)
        return 0
    if forget is not None:
        variable = _variable(forget, "--forget")
        secrets.keep_in_keyring(variable, None)
        click.echo(f"{variable} is not in the system's keyring any more", err=True)
        return 0
    lines = [_line(name, known) for name, known in KNOWN.items()]
    if as_json:
        print_json(lines)
        return 0
    for line in lines:
        key = line.key if line.key_env is None else f"{line.key_env} {line.key}"
        click.echo(f"{line.provider:<12}{line.api:<11}{line.base_url or 'base_url is your own':<52}{key}")
    click.echo("\nAny other name works with its base_url; `tiny` is embedded and needs neither address nor key.")
    return 0


def _line(name: str, known: Known) -> Line:
    variable = known.key_env
    if variable is None:
        where = "not needed"
    elif known.api == "converse":
        where = _amazon()
    elif os.environ.get(variable, "").strip():
        where = "environment"
    else:
        where = "keyring" if secrets.from_keyring(variable) else "missing"
    return Line(provider=name, api=known.api, base_url=known.base_url, key_env=variable, key=where)


def _amazon() -> str:
    if any(os.environ.get(name, "").strip() for name in ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID")):
        return "environment"
    try:
        credentials()
    except SpecError:
        return "missing"
    return "profile"


def _variable(name: str, option: str) -> str:
    known = KNOWN.get(name)
    if known is not None:
        if known.key_env is None:
            raise SpecError(f"{name} needs no key.", key=option)
        if known.api == "converse":
            raise SpecError(
                "its keys are kept by Amazon's own tools: `aws configure`, or the variables that they read.", key=option
            )
        return known.key_env
    if not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
        raise SpecError(
            f"{name!r} is neither a known provider nor the name of a variable (capitals, digits, _).", key=option
        )
    return name
