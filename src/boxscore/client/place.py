"""Where the server of a folder is found: `HOME/server.json`, there as long as it serves."""

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from boxscore.writing import write_whole

__all__ = ["Place", "find_place", "listens", "remove_place", "write_place"]

NAME = "server.json"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a server and its process; the standard ports of OTLP where it has them."""

    url: str
    pid: int
    otlp_port: int | None = None
    grpc_port: int | None = None


def write_place(home: Path, place: Place) -> None:
    write_whole(home / NAME, msgspec.json.encode(place).decode())


def remove_place(home: Path) -> None:
    """Ours alone: another server may have followed."""
    found = find_place(home)
    if found is not None and found.pid == os.getpid():
        (home / NAME).unlink(missing_ok=True)


def find_place(home: Path) -> Place | None:
    """The server of a folder, None where none runs. One that was killed leaves its file and no process."""
    try:
        place = msgspec.json.decode((home / NAME).read_bytes(), type=Place)
        os.kill(place.pid, 0)
    except PermissionError:  # another user's, and alive
        return place  # pyright: ignore[reportPossiblyUnboundVariable]
    except (OSError, OverflowError, msgspec.MsgspecError):
        return None
    return place


def listens(place: Place) -> bool:
    """Whether anybody does at the address. After a server was killed its number may have gone to another process."""
    try:
        address = urlsplit(place.url)
        socket.create_connection((address.hostname or "", address.port or 80), timeout=1.0).close()
    except (ConnectionRefusedError, ValueError):
        return False
    except OSError:
        return True  # there, and too busy for us
    return True
