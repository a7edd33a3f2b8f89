"""What a power loss leaves of a folder, worked out from the shim's log of everything that changed it.

A change is certain once a sync of its file (of a name: of its folder) that began after it has ended. All else may be
there or not: wholly, from some point on, write by write in any order, or torn at sectors; where a file had grown, a
sector that was not written may hold anything. A sync that failed makes its changes uncertain for good, as on Linux,
where the next sync of the same file says that all is well.
"""

import random
import struct
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

KINDS = (
    *("", "created", "opened", "written", "truncated", "syncing", "synced", "unsynced", "renamed", "unlinked", "made"),
    *("removed", "acknowledged", "killed"),
)
HEAD = struct.Struct("IIQqQ")
LOSSES = ("all", "none", "from a point on", "some writes", "some sectors of 4096", "some sectors of 512")


class Record(NamedTuple):
    kind: str
    path: str
    inode: int
    offset: int
    data: bytes


def read_log(path: Path) -> list[Record]:
    return list(_records(path.read_bytes()))


def _records(data: bytes) -> Iterator[Record]:
    at = 0
    while at < len(data):
        kind, path_size, inode, offset, size = HEAD.unpack_from(data, at)
        at += HEAD.size
        path, at = data[at : at + path_size].decode(), at + path_size
        yield Record(KINDS[kind], path, inode, offset, data[at : at + size])
        at += size


def killed() -> bytes:
    """A record for the log: whoever kills the process appends it, once it is gone."""
    return HEAD.pack(KINDS.index("killed"), 0, 0, 0, 0)


def acknowledgement(data: bytes) -> bytes:
    """A record for the log: whoever got an answer appends it, in one write, after the answer."""
    return HEAD.pack(KINDS.index("acknowledged"), 0, 0, 0, len(data)) + data


@dataclass
class Change:
    at: int
    make: Callable[..., None]
    data: bytes = b""
    offset: int = 0
    certain: bool = False
    doomed: bool = False


@dataclass
class File:
    content: bytearray = field(default_factory=bytearray)
    changes: list[Change] = field(default_factory=list)

    def settle(self) -> None:
        """What is certain and has nothing uncertain before it need not be looked at again."""
        while self.changes and self.changes[0].certain:
            change = self.changes.pop(0)
            change.make(self.content, change.offset, change.data)


def _write(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, size: int, _: bytes) -> None:
    del content[size:]
    content.extend(bytes(size - len(content)))


class Disk:
    """A folder as it was (`before`), and what the log says came after."""

    def __init__(self, folder: Path, records: Sequence[Record], before: Path | None = None) -> None:
        self._folder = str(folder)
        self._records = records
        self._certain: dict[str, File | None] = {self._folder: None}  # None: a folder
        self._now: dict[str, File | None] = {self._folder: None}
        self._names: list[tuple[str, Change]] = []
        self._inodes: dict[int, File] = {}
        self._syncs: dict[object, deque[int]] = defaultdict(deque)
        self._at = 0
        for path in sorted(before.rglob("*")) if before else []:
            name = f"{self._folder}/{path.relative_to(before)}"
            self._certain[name] = self._now[name] = None if path.is_dir() else File(bytearray(path.read_bytes()))

    def run_to(self, at: int) -> None:
        while self._at < at:
            record = self._records[self._at]
            getattr(self, f"_{record.kind}")(record)
            self._at += 1

    def lose_power(self, target: Path, draw: random.Random) -> str:
        """Writes into `target` what may be left now; gives back how it was chosen."""
        loss = draw.choice(LOSSES)
        keeps = _chooser(loss, draw, self._at)
        names = dict(self._certain)
        for _, change in self._names:
            if change.certain or keeps(change):
                change.make(names)
        target.mkdir(parents=True, exist_ok=True)
        for name, file in sorted(names.items()):
            path = target / name[len(self._folder) + 1 :]
            if str(Path(name).parent) not in names and name != self._folder:
                continue  # its folder is lost
            if file is None:
                path.mkdir(exist_ok=True)
            else:
                path.write_bytes(_content(file, keeps, loss, draw))
        return loss

    # Records

    def _created(self, record: Record) -> None:
        file = self._inodes[record.inode] = File()
        self._name(record.path, lambda names: names.__setitem__(record.path, file))

    def _opened(self, record: Record) -> None:
        known = self._now.get(record.path)
        if known is not None:
            self._inodes[record.inode] = known

    def _written(self, record: Record) -> None:
        self._change(record, _write, record.offset, record.data)

    def _truncated(self, record: Record) -> None:
        self._change(record, _resize, record.offset, b"")

    def _change(self, record: Record, make: Callable[..., None], offset: int, data: bytes) -> None:
        self._inodes[record.inode].changes.append(Change(self._at, make, data, offset))

    def _syncing(self, record: Record) -> None:
        self._syncs[record.path, record.inode].append(self._at)

    def _synced(self, record: Record) -> None:
        began = self._syncs[record.path, record.inode].popleft()
        for change in self._of(record):
            change.certain |= change.at < began and not change.doomed
        if file := self._inodes.get(record.inode):
            file.settle()

    def _unsynced(self, record: Record) -> None:
        self._syncs[record.path, record.inode].popleft()
        for change in self._of(record):
            change.doomed |= not change.certain

    def _of(self, record: Record) -> list[Change]:
        if self._now.get(record.path, 0) is None:
            return [change for folder, change in self._names if folder == record.path]
        return self._inodes[record.inode].changes

    def _renamed(self, record: Record) -> None:
        old, new = record.path, record.data.decode()

        def move(names: dict[str, File | None]) -> None:
            if old in names:
                names[new] = names.pop(old)

        self._name(new, move)

    def _unlinked(self, record: Record) -> None:
        self._name(record.path, lambda names: names.pop(record.path, None))

    _removed = _unlinked

    def _made(self, record: Record) -> None:
        self._name(record.path, lambda names: names.__setitem__(record.path, None))

    def _acknowledged(self, record: Record) -> None:
        pass

    def _killed(self, record: Record) -> None:
        self._syncs.clear()  # those that were under way never end, and others of the same files follow

    def _name(self, path: str, make: Callable[..., None]) -> None:
        make(self._now)
        self._names.append((str(Path(path).parent), Change(self._at, make)))
        while self._names and self._names[0][1].certain:
            self._names.pop(0)[1].make(self._certain)


def _chooser(loss: str, draw: random.Random, at: int) -> Callable[[Change], bool]:
    if loss in ("all", "none"):
        return lambda change: loss == "none"
    if loss == "from a point on":
        point = draw.randrange(max(0, at - 400), at + 1)
        return lambda change: change.at < point
    share = draw.random()
    return lambda change: draw.random() < share


def _content(file: File, keeps: Callable[[Change], bool], loss: str, draw: random.Random) -> bytes:
    content = bytearray(file.content)
    sector = int(loss.rpartition(" ")[2]) if loss.startswith("some sectors") else 0
    garbage = sector and draw.random() < 0.5
    for change in file.changes:
        if change.certain or not (sector and change.data):
            if change.certain or keeps(change):
                change.make(content, change.offset, change.data)
            continue
        at = change.offset
        while at < change.offset + len(change.data):
            end = min((at // sector + 1) * sector, change.offset + len(change.data))
            if keeps(change):
                _write(content, at, change.data[at - change.offset : end - change.offset])
            elif garbage and at >= len(content):
                _write(content, at, draw.randbytes(end - at))
            at = end
    return bytes(content)
