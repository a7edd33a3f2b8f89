"""The shim between a program and its disk: compiled here, preloaded there, steered through a file that both map."""

import errno
import mmap
import os
import shutil
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

OPS = {
    name: 1 << place
    for place, name in enumerate(
        ("open", "write", "sync", "truncate", "rename", "unlink", "mmap", "close", "mkdir"),
    )
}
NUMBERS = ("room", "delay_us", "clock_ns", "ops", "countdown", "error", "times", "calls", "fired")
MATCH = 8 * len(NUMBERS)
WHERE = MATCH + 64
SIZE = WHERE + 256


def environment(shim: Path, folder: Path, control: Path, *, log: Path | None = None) -> dict[str, str]:
    """For a program that runs under the shim. `log`: everything that changes `folder` is recorded there, for
    `power.Disk`."""
    told = {"LD_PRELOAD": str(shim), "FAULTS_FOLDER": str(folder), "FAULTS_CONTROL": str(control)}
    return os.environ | told | ({"FAULTS_LOG": str(log)} if log else {})


def missing() -> str | None:
    """Why the shim cannot be used here; None when it can."""
    if not sys.platform.startswith("linux"):
        return "faults are put between a program and its disk on Linux only"
    return None if shutil.which("cc") else "no C compiler (cc) is here to build the shim with"


@cache
def compiled(folder: Path) -> Path:
    made = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(
        ["cc", "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", made, source, "-ldl", "-lpthread"], check=True
    )
    return made


class Control:
    """The shim's switches: the file at `path`, which a program under the shim maps too."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), SIZE)

    @classmethod
    def made(cls, path: Path) -> "Control":
        path.write_bytes(bytes(SIZE))
        made = cls(path)
        made.heal()
        return made

    def __getattr__(self, name: str) -> int:
        if name not in NUMBERS:
            raise AttributeError(name)
        return struct.unpack_from("q", self._map, 8 * NUMBERS.index(name))[0]

    def __setattr__(self, name: str, value: object) -> None:
        if name in NUMBERS:
            struct.pack_into("q", self._map, 8 * NUMBERS.index(name), value)
        else:
            object.__setattr__(self, name, value)

    @property
    def where(self) -> str:
        """The file under the last failure."""
        return self._map[WHERE:SIZE].split(b"\0", 1)[0].decode()

    def count(self, *ops: str, match: str = "") -> None:
        """Counts such calls from here on (`calls`)."""
        self.countdown = 0
        self._map[MATCH:WHERE] = match.encode().ljust(64, b"\0")
        self.calls = self.fired = 0
        self.ops = sum(OPS[op] for op in ops)

    def fail(self, *ops: str, n: int, error: str, match: str = "", times: int = 1) -> None:
        """The n-th of such calls from here on fails: `error` is the name of an errno, or "short"."""
        self.count(*ops, match=match)
        self.error = 0 if error == "short" else getattr(errno, error)
        self.times = times
        self.countdown = n

    def heal(self) -> None:
        self.ops = self.countdown = self.delay_us = self.clock_ns = 0
        self.room = -1
