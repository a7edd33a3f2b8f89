"""Variants as a spec writes them down."""

import difflib
import importlib
import importlib.util
import math
import re
import sys
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, cast

import msgspec

from boxscore.costs import PriceRow, fixed_row
from boxscore.errors import FileError, SpecError, TemplateError, UnknownNameError
from boxscore.experiments.callables import CallableVariant
from boxscore.experiments.variant import Variant
from boxscore.experiments.variants import CommandVariant, HttpVariant, PromptVariant
from boxscore.prompts import PromptTemplate
from boxscore.providers import secrets
from boxscore.providers.known import KNOWN, connect
from boxscore.providers.request import Provider
from boxscore.providers.transport import Limits
from boxscore.types import Json

Keys = TypeVar("Keys", bound="_Common")


class _Common(msgspec.Struct, frozen=True, kw_only=True):
    kind: str | None = None
    model: str | None = None
    timeout_s: float = 120.0
    usd_per_mtok: Json = None


class PromptKeys(_Common, frozen=True, kw_only=True):
    """A prompt with a model: `provider` is `tiny`, a known name, or any name with a `base_url` that speaks `api`."""

    provider: str = "openai"
    prompt: Json = None
    prompt_file: str | None = None
    messages: list[Json] | None = None
    params: dict[str, Json] = {}
    tools: list[dict[str, Json]] = []
    output_schema: Json = None
    base_url: str | None = None
    api: str | None = None
    api_key_env: str | None = None
    stream: bool = False
    first_token_s: float | None = None


class HttpKeys(_Common, frozen=True, kw_only=True):
    """An HTTP endpoint. `headers_env` maps header names to environment variables that hold their values."""

    url: str
    output_path: str = "output"
    usage_path: str = "usage"
    cost_path: str = "cost_usd"
    model_path: str = "model"
    inputs_key: str | None = "inputs"
    headers: dict[str, str] = {}
    headers_env: dict[str, str] = {}


class CommandKeys(_Common, frozen=True, kw_only=True):
    """A command: a text for the shell, or a list of arguments. `reads` is `text` or `json`."""

    command: str | list[str]
    reads: str = "text"


class PythonKeys(_Common, frozen=True, kw_only=True):
    """A function: `package.module:function` or `file.py:function`. `identity` replaces its source as identity."""

    python: str
    identity: str | None = None


_KINDS: dict[str, type[_Common]] = {
    "prompt": PromptKeys,
    "http": HttpKeys,
    "command": CommandKeys,
    "python": PythonKeys,
}
_TELLING = {"url": "http", "command": "command", "python": "python"}
# Texts for the model may well speak of keys, and api_key_env has a check of its own.
_SPOKEN = frozenset({"prompt", "messages", "tools", "output_schema", "api_key_env"})
_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "object": "a mapping",
    "array": "a list",
    "null": "empty",
    "bool": "true or false",
}


def variant_from_spec(name: str, mapping: Mapping[str, Json], base_dir: Path) -> Variant:
    """The variant that a spec's mapping describes; relative paths begin at `base_dir`.

    Its `kind` is told, or seen from its keys: `url` is http, `command` and `python` are themselves, all else is a
    prompt. Raises `SpecError` with the key (`variants.NAME.KEY`) for an unknown key with the nearest known one, a wrong
    type, a secret in the spec or one that is not set, and `FileError` for a file that cannot be read.
    """
    spec = _Spec(name, mapping, base_dir)
    kind = spec.kind()
    if kind == "http":
        return _http(spec, spec.read(HttpKeys))
    if kind == "command":
        return _command(spec, spec.read(CommandKeys))
    if kind == "python":
        return _python(spec, spec.read(PythonKeys))
    return _prompt(spec, spec.read(PromptKeys))


class _Spec:
    """One variant's mapping, and errors that say where in it."""

    def __init__(self, name: str, mapping: Mapping[str, Json], folder: Path) -> None:
        self.name = name
        self.mapping = mapping
        self.folder = folder

    def key(self, key: str) -> str:
        return f"variants.{self.name}.{key}"

    def error(self, problem: str, key: str) -> SpecError:
        return SpecError(problem, key=self.key(key))

    def kind(self) -> str:
        told = self.mapping.get("kind")
        if told is not None and told not in _KINDS:
            close = difflib.get_close_matches(str(told), _KINDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(_KINDS)}."
            raise self.error(f"no kind of variant is called {told!r}: {hint}", "kind")
        seen = {kind for key, kind in _TELLING.items() if key in self.mapping}
        if told is None and len(seen) > 1:
            raise self.error(f"it could be {' or '.join(sorted(seen))}: say which.", "kind")
        return cast("str", told) if told is not None else next(iter(seen), "prompt")

    def read(self, keys: type[Keys]) -> Keys:
        known = keys.__struct_fields__
        for key, value in self.mapping.items():
            if key in ("api_key", "key", "token", "password", "secret"):
                raise self.error("keys never stand in a spec: name the environment variable with 'api_key_env'.", key)
            if key not in known:
                close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
                hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}."
                raise self.error(f"there is no such key; {hint}", str(key))
            if key not in _SPOKEN and secrets.looks_secret(repr(value)):
                raise self.error("this looks like a secret, and a spec is no place for one: revoke it.", key)
        try:
            found = msgspec.convert(dict(self.mapping), keys)
        except msgspec.ValidationError as error:
            raise self.explained(error) from None
        for key in ("timeout_s", "first_token_s"):
            seconds = getattr(found, key, None)
            if seconds is not None and not 0 < seconds < math.inf:
                raise self.error(f"must be above 0 seconds, and is {seconds:g}.", key)
        return found

    def explained(self, error: msgspec.ValidationError) -> SpecError:
        problem, _, place = str(error).partition(" - at `$")
        key = place.rstrip("`").removeprefix(".")
        if found := re.search(r"missing required field `(.*)`", problem):
            return self.error("is missing, and this kind of variant needs it.", found[1])
        if found := re.match(r"Expected `(.*?)`, got `(.*?)`", problem):
            wanted = " or ".join(_WORDS.get(kind, kind) for kind in found[1].split(" | ") if kind != "null")
            problem = f"must be {wanted}, and is {_WORDS.get(found[2], found[2])}"
        return self.error(f"{problem}.", key)

    def prices(self, keys: _Common) -> PriceRow | None:
        if keys.usd_per_mtok is None:
            return None
        try:
            return fixed_row(keys.usd_per_mtok, name=self.name)
        except SpecError as error:
            raise self.error(error.problem, "usd_per_mtok") from None

    def secret(self, variable: str, key: str) -> str:
        return secrets.from_environment(variable, key=self.key(key))


def _prompt(spec: _Spec, keys: PromptKeys) -> Variant:
    if keys.model is None:
        raise spec.error("is missing: which model is to answer?", "model")
    return PromptVariant(
        name=spec.name,
        prompt=_template(spec, keys),
        provider=_provider(spec, keys),
        model=keys.model,
        params=keys.params,
        tools=keys.tools,
        output_schema=keys.output_schema,
        prices=spec.prices(keys),
    )


def _template(spec: _Spec, keys: PromptKeys) -> PromptTemplate:
    given = [key for key in ("prompt", "prompt_file", "messages") if getattr(keys, key) is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} are given, and one of them is enough" if given else "it has no prompt"
        raise spec.error(f"{said}: write 'prompt', 'prompt_file' or 'messages'.", "prompt")
    source: Json = keys.prompt if keys.prompt is not None else keys.messages
    if keys.prompt_file is not None:
        source = read_prompt(spec.folder / keys.prompt_file)
    try:
        return PromptTemplate.parse(source)
    except TemplateError as error:
        raise TemplateError(f"key {spec.key(given[0])!r}: {error}", variable=error.variable) from error


def read_prompt(path: Path) -> str:
    """The text of a prompt's file, else `FileError`."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise FileError(path, f"byte {error.start + 1} is no UTF-8; save the file as UTF-8.") from error


def _provider(spec: _Spec, keys: PromptKeys) -> Provider:
    if keys.provider == "tiny":
        for key in ("base_url", "api", "api_key_env", "first_token_s"):
            if getattr(keys, key) is not None:
                raise spec.error("the embedded model has no address and needs no key: leave it out.", key)
        from boxscore.models.tiny import MODELS, TinyProvider  # loads numpy

        if keys.model not in MODELS:
            raise UnknownNameError("model", keys.model or "", MODELS, where=f"key {spec.key('model')!r}")
        return TinyProvider()
    if keys.base_url is None and keys.provider not in KNOWN:
        names = ("tiny", *KNOWN)
        close = difflib.get_close_matches(keys.provider, names, n=1, cutoff=0.6)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(names)}."
        raise spec.error(f"where is {keys.provider!r}? Give its 'base_url'; {hint}", "provider")
    first = Limits().first_token_s if keys.first_token_s is None else keys.first_token_s
    try:
        return connect(
            keys.provider,
            key_env=keys.api_key_env,
            base_url=keys.base_url,
            api=keys.api,
            stream=keys.stream,
            limits=Limits(total_s=keys.timeout_s, first_token_s=min(first, keys.timeout_s)),
        )
    except SpecError as error:
        raise spec.error(error.problem, error.key or "provider") from None


def _http(spec: _Spec, keys: HttpKeys) -> Variant:
    hidden = {header: spec.secret(variable, f"headers_env.{header}") for header, variable in keys.headers_env.items()}
    try:
        return HttpVariant(
            name=spec.name,
            url=keys.url,
            output_path=keys.output_path,
            usage_path=keys.usage_path,
            cost_path=keys.cost_path,
            model_path=keys.model_path,
            inputs_key=keys.inputs_key,
            headers=keys.headers,
            secret_headers=hidden,
            model=keys.model,
            timeout_s=keys.timeout_s,
            prices=spec.prices(keys),
        )
    except SpecError as error:
        raise spec.error(error.problem, error.key or "url") from None


def _command(spec: _Spec, keys: CommandKeys) -> Variant:
    if not keys.command:
        raise spec.error("is empty.", "command")
    if keys.reads not in ("text", "json"):
        raise spec.error(f"must be text or json, and is {keys.reads!r}.", "reads")
    return CommandVariant(
        name=spec.name,
        command=keys.command,
        folder=spec.folder,
        reads=keys.reads,
        model=keys.model,
        timeout_s=keys.timeout_s,
        prices=spec.prices(keys),
    )


def _python(spec: _Spec, keys: PythonKeys) -> Variant:
    function = _function(spec, keys.python)
    identity = keys.identity
    place = keys.python.rpartition(":")[0]
    if identity is None and place.endswith(".py"):  # the whole file: the function's helpers shape its answers too
        identity = f"{keys.python} {sha256((spec.folder / place).read_bytes()).hexdigest()}"
    return CallableVariant(
        function,
        name=spec.name,
        model=keys.model,
        identity=identity,
        timeout_s=keys.timeout_s,
        prices=spec.prices(keys),
    )


def _function(spec: _Spec, where: str) -> Callable[..., object]:
    place, _, attribute = where.rpartition(":")
    if not place or not attribute.isidentifier():
        raise spec.error(f"{where!r} is no function: write file.py:function or package.module:function.", "python")
    module = _file(spec, spec.folder / place) if place.endswith(".py") else _module(spec, place)
    names = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
    function = getattr(module, attribute, None)
    if not callable(function):
        close = difflib.get_close_matches(attribute, names, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise spec.error(f"{place} has no function {attribute!r}{hint}", "python")
    return function


def _module(spec: _Spec, name: str) -> object:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise spec.error(f"{name!r} cannot be imported: {type(error).__name__}: {error}.", "python") from error


def _file(spec: _Spec, path: Path) -> object:
    if not path.is_file():
        raise FileError(path, f"there is no such file, and key {spec.key('python')!r} names it.")
    name = f"boxscore_variant_{path.stem}_{sha256(str(path.resolve()).encode()).hexdigest()[:8]}"
    found = importlib.util.spec_from_file_location(name, path)
    if found is None or found.loader is None:
        raise FileError(path, "is no Python file.")
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses look themselves up there
    try:
        found.loader.exec_module(module)
    except Exception as error:
        raise spec.error(f"{path.name} cannot be loaded: {type(error).__name__}: {error}.", "python") from error
    return module
