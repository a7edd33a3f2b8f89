"""How a dataset of the store is named: `NAME`, or `NAME@VERSION`. A file's name has a dot or a slash, this has none."""

import re
from typing import NamedTuple

from boxscore.errors import UsageError

__all__ = ["Reference", "check_name", "is_file", "parse_reference"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_HASH = re.compile(r"[0-9a-f]{12}")


class Reference(NamedTuple):
    """`version` is a number, a content hash of 12 digits, or None for the newest."""

    name: str
    version: int | str | None = None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}@{self.version}"


def is_file(text: str) -> bool:
    """Whether it is the path of a file: every form that is read has an ending, so a file's name has a dot."""
    return "." in text or "/" in text or "\\" in text


def check_name(name: str) -> str:
    """The name if a dataset can have it, else `UsageError`."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name[:100]!r} is no name for a dataset: use up to 100 letters (a to z), digits, - and _, and begin with "
            "a letter or a digit. What has a dot or a slash is a file."
        )
    return name


def parse_reference(text: str) -> Reference:
    """`tickets`, `tickets@3` or `tickets@1a2b3c4d5e6f`; `UsageError` for anything else."""
    name, at, version = text.partition("@")
    check_name(name)
    if not at:
        return Reference(name)
    if _HASH.fullmatch(version):
        return Reference(name, version)
    if not _NUMBER.fullmatch(version):
        raise UsageError(
            f"{text[:200]!r} names no version: write {name}@ and its number, as in {name}@3, or the 12 digits of its "
            "content hash."
        )
    return Reference(name, int(version))
