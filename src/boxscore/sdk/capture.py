"""Inputs and outputs as text: JSON of bounded size, made at once, for what a function was given may change later."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import cast

import msgspec

from boxscore.sdk.notices import tell
from boxscore.types import Json

__all__ = ["Capture", "plain_text"]

LIMIT = 256 * 1024
_DEPTH = 24
_ITEMS = 20_000
_NATIVE = (int, float, bool, type(None))
_WIDEST = 63  # bits


class Capture:
    """Makes text of values, of at most about `limit` characters. `redact` is given every value as plain JSON and gives
    what is kept of it; when it fails, nothing is."""

    def __init__(self, limit: int = LIMIT, redact: Callable[[Json], Json] | None = None) -> None:
        self._limit = limit
        self._redact = redact

    @property
    def redacts(self) -> bool:
        return self._redact is not None

    def __call__(self, value: object) -> str | None:
        """Never raises; None where there is nothing to keep. Text stays as it is, all else is JSON."""
        try:
            if self._redact is None:
                if type(value) is str:
                    if len(value) <= self._limit and value.isascii():
                        return value
                elif type(value) is dict and self._is_flat(value):  # pyright: ignore[reportUnknownArgumentType]
                    try:
                        return _encode(value).decode()
                    except (ValueError, TypeError, OverflowError):
                        pass  # half of a surrogate pair, an odd key, a number of 65 bits
                plain = _Bounded(self._limit).plain(value, 0)  # pyright: ignore[reportUnknownArgumentType]
            else:
                plain = self._redact(_Bounded(self._limit).plain(value, 0))
                plain = _Bounded(self._limit).plain(plain, 0)
            if plain is None:
                return None
            return plain if isinstance(plain, str) else msgspec.json.encode(plain).decode()
        except Exception as error:  # noqa: BLE001 - a hook or an object of the application
            tell("capture", f"a value was not captured: {type(error).__name__} was raised while it was read.")
            return None

    def _is_flat(self, value: "dict[object, object]") -> bool:
        """A few short texts and numbers, as most arguments are: they need no copy."""
        left = self._limit
        for inner in value.values():
            if type(inner) is str:
                left -= len(inner)
            elif type(inner) not in _NATIVE:
                return False
        return left >= 0 and len(value) <= _FEW


def plain_text(value: object) -> str:
    """A short value as text, for metadata."""
    return Capture(_SHORT)(value) or ""


_SHORT = 8_192
_FEW = 64
_encode = msgspec.json.Encoder().encode


class _Bounded:
    """Plain copies of values until there was enough of them."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._items = _ITEMS

    def plain(self, value: object, depth: int) -> Json:
        kind = type(value)
        if kind is str:
            return self._text(cast("str", value))
        if kind in _NATIVE:
            return value if kind is not int or cast("int", value).bit_length() <= _WIDEST else "<int>"
        self._items -= 1
        if depth >= _DEPTH or self._items < 0 or self._left <= 0:
            return "…"
        if isinstance(value, dict):
            return self._object(cast("dict[object, object]", value), depth)
        if isinstance(value, list | tuple | set | frozenset):
            return self._list(cast("list[object]", value), depth)
        return self._other(value, depth)

    def _text(self, text: str) -> str:
        if len(text) > self._left:
            text, more = text[: max(self._left, 0)], len(text)
            text = f"{text}… ({more:,} characters)"
        self._left -= len(text)
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:  # half of a surrogate pair
                text = text.encode("utf-8", "replace").decode()
        return text

    def _object(self, value: Mapping[object, object], depth: int) -> dict[str, Json]:
        plain: dict[str, Json] = {}
        for key, inner in value.items():
            if self._items < 0 or self._left <= 0:
                plain["…"] = len(value) - len(plain)
                break
            name = self._text(key) if isinstance(key, str) else str(key) if isinstance(key, _NATIVE) else _named(key)
            self._items -= 1
            self._left -= 4
            plain[name] = self.plain(inner, depth + 1)
        return plain

    def _list(self, value: "list[object]", depth: int) -> list[Json]:
        plain: list[Json] = []
        for inner in value:
            if self._items < 0 or self._left <= 0:
                plain.append(f"… ({len(value):,} items)")
                break
            self._items -= 1
            self._left -= 2
            plain.append(self.plain(inner, depth + 1))
        return plain

    def _other(self, value: object, depth: int) -> Json:
        if isinstance(value, bytes | bytearray | memoryview):
            return f"<{len(cast('bytes', value)):,} bytes>"
        if isinstance(value, str):
            return self._text(str.__str__(value))
        if isinstance(value, int | float):  # numpy's among them
            return self.plain(int(value) if isinstance(value, int) else float(value), depth)
        if isinstance(value, type):
            return _named(value)
        if dataclasses.is_dataclass(value):
            fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
            return self._object(cast("dict[object, object]", fields), depth)
        if isinstance(value, msgspec.Struct):
            return self._object({name: getattr(value, name, None) for name in value.__struct_fields__}, depth)
        if hasattr(type(value), "model_fields"):  # pydantic: what the official clients answer with
            return self._object(cast("dict[object, object]", dict(value)), depth)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownArgumentType]
        try:
            return msgspec.to_builtins(value, builtin_types=())  # times, Decimal, UUID, enumerations
        except (TypeError, ValueError):
            return f"<{_named(type(value))}>"  # its own text might be long in the making


def _named(value: object) -> str:
    kind = value if isinstance(value, type) else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"
