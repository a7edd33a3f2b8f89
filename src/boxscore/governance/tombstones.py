"""What was erased, in a way that finds it again and does not tell it: a line of JSON each, in `HOME/tombstones.jsonl`.

The file is what an older backup is held against. It may be copied elsewhere, and several may be put together.
"""

import errno
import json
import os
import secrets
import zlib
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from boxscore.errors import StoreError

FILE = "tombstones.jsonl"

Kind: TypeAlias = Literal["user", "session", "trace"]


class Tombstone(msgspec.Struct, frozen=True):
    """Stands for a user, a session or a trace of a project whose spans until `at_ns` (nanoseconds since 1970) are
    erased. `digest` is a keyed hash of it, `salt` the key: who has the file can only try names out."""

    kind: Kind
    project: str
    digest: str
    salt: str
    at_ns: int

    def of(self, value: str) -> bool:
        return self.digest == _digest(self.kind, self.project, value, self.salt)


class _Line(msgspec.Struct, frozen=True):
    stone: Tombstone
    done: bool
    """A second line with it says that nothing of what it stands for was left."""


def read(home: Path) -> dict[Tombstone, bool]:
    """All of the home, in their order, and whether each was carried out to its end. A `StoreError` names a line that
    cannot be read; a last one that was not written to its end is none."""
    path = home / FILE
    found: dict[Tombstone, bool] = {}
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return found
    for number, line in enumerate(lines[:-1], start=1):
        check, _, written = line.partition(b" ")
        try:
            if int(check, 16) != zlib.crc32(written):
                raise ValueError("its checksum differs")
            read = msgspec.json.decode(written, type=_Line)
        except (ValueError, msgspec.MsgspecError) as error:
            raise StoreError(
                f"{path}, line {number} is damaged ({error}): bring the file back from a backup. Until then nobody "
                "knows all that was erased, and no backup is restored."
            ) from error
        found[read.stone] = found.get(read.stone, False) or read.done
    return found


def make(home: Path, kind: Kind, project: str, value: str, at_ns: int) -> Tombstone:
    """A new one for the home; the same salt as the ones before, so that many are looked up at once."""
    salt = next((stone.salt for stone in read(home)), None) or secrets.token_hex(16)
    return Tombstone(kind, project, _digest(kind, project, value, salt), salt, at_ns)


def add(home: Path, stones: Iterable[Tombstone], *, done: bool = False) -> None:
    """Appends them, synced."""
    path = home / FILE
    text = b"".join(_written(_Line(stone, done)) for stone in stones)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":  # a line that a kill cut off
            whole = os.pread(handle, size, 0).rfind(b"\n") + 1
            os.ftruncate(handle, whole)
        if os.write(handle, text) < len(text):  # as it is where room ends in the middle of it
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(handle)
    except OSError as error:
        raise StoreError(f"{path} could not be written: {error.strerror}. Nothing was erased.") from error
    finally:
        os.close(handle)


def merge(home: Path, stones: Iterable[Tombstone]) -> None:
    """Adds those that the home does not have, as not carried out."""
    known = read(home)
    if missing := [stone for stone in stones if stone not in known]:
        add(home, missing)


def found_among(stones: Sequence[Tombstone], values: Iterable[tuple[str, str]]) -> list[tuple[Tombstone, str]]:
    """Those values, by project, that a tombstone stands for."""
    by_digest = {(stone.project, stone.digest): stone for stone in stones}
    keys: set[tuple[Kind, str]] = {(stone.kind, stone.salt) for stone in stones}
    return [
        (stone, value)
        for project, value in values
        for kind, salt in keys
        if (stone := by_digest.get((project, _digest(kind, project, value, salt)))) is not None
    ]


def _digest(kind: Kind, project: str, value: str, salt: str) -> str:
    told = json.dumps([kind, project, value]).encode()
    return blake2b(told, key=salt.encode(), digest_size=16).hexdigest()


def _written(line: _Line) -> bytes:
    text = msgspec.json.encode(line)
    return b"%08x %s\n" % (zlib.crc32(text), text)
