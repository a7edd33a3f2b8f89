"""How a request shows who asks: the headers that a key, or a signature, makes. Nothing here is ever shown."""

from collections.abc import Mapping
from typing import Protocol


class Auth(Protocol):
    """`identity` tells two accounts apart without giving the key away."""

    @property
    def identity(self) -> str: ...

    def headers(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        """The headers to add to a POST of `body` with `headers`."""
        ...


class KeyAuth:
    """A key in a header: `Authorization: Bearer …`, `x-api-key: …`. Without a key, no header."""

    def __init__(self, key: str | None, *, header: str = "Authorization", prefix: str = "Bearer ") -> None:
        self._headers = {header: f"{prefix}{key}"} if key else {}
        self.identity = str(hash(key))

    def headers(self, url: str, body: bytes, headers: Mapping[str, str]) -> dict[str, str]:
        return self._headers

    def __repr__(self) -> str:
        return "KeyAuth(…)"
