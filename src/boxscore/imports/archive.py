"""Reading members of a zip archive in memory: nothing is unpacked to disk, and nothing larger than a cap is held."""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from boxscore.errors import ExtraMissingError, FileError

__all__ = ["Archive"]

MEMBER_CAP: Final = 256 * 1024 * 1024
"""Largest member, unpacked, in bytes."""

TOTAL_CAP: Final = 4 * 1024 * 1024 * 1024
"""Most that is unpacked of one archive, in bytes: a small file that unpacks to more is no log."""

_ZSTD: Final = 93  # of the zip specification (APPNOTE 4.4.5); Python reads it from 3.14 on
_CHUNK: Final = 1024 * 1024


class Archive:
    """A zip archive whose members are read one at a time. Names are looked up, and never used as paths."""

    def __init__(self, path: Path) -> None:
        """Raises `FileError` for a file that is no archive."""
        self._path = path
        self._read = 0
        try:
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError:
            raise FileError(path, "no such file.") from None
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise FileError(path, f"is no log that can be read ({error}).") from None
        self._members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}

    def names(self) -> list[str]:
        return list(self._members)

    def read(self, name: str) -> bytes:
        """The member, unpacked. Raises `FileError` for a damaged one or one beyond the caps."""
        info = self._members[name]
        try:
            content = bytearray()
            for chunk in self._chunks(info):
                content += chunk
                self._read += len(chunk)
                if len(content) > MEMBER_CAP or self._read > TOTAL_CAP:
                    raise FileError(
                        self._path,
                        f"unpacks to more than {MEMBER_CAP // 1024 // 1024} MB in {name!r} and was not read.",
                    )
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError) as error:
            raise FileError(self._path, f"{name!r} in it cannot be read ({error}).") from None
        return bytes(content)

    def close(self) -> None:
        self._zip.close()

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        if info.compress_type != _ZSTD:
            with self._zip.open(info) as member:
                while chunk := member.read(_CHUNK):
                    yield chunk
            return
        try:
            import zstandard
        except ImportError:
            raise ExtraMissingError("a log of Inspect that is compressed with zstd", "inspect") from None
        with self._path.open("rb") as file:
            reader = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(_raw(file, info))
            try:
                while chunk := reader.read(_CHUNK):
                    yield chunk
            except zstandard.ZstdError as error:
                raise zipfile.BadZipFile(str(error)) from None


def _raw(file: IO[bytes], info: zipfile.ZipInfo) -> bytes:
    """The member as it is packed: after the local header, whose two lengths are its own."""
    file.seek(info.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise zipfile.BadZipFile("no header where it should be")
    name, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
    file.seek(info.header_offset + 30 + name + extra)
    packed = file.read(min(info.compress_size, MEMBER_CAP))
    if len(packed) < info.compress_size:
        raise zipfile.BadZipFile("it ends too early")
    return packed
