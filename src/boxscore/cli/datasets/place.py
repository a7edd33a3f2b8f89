"""What the commands over datasets ask: the server at BOXSCORE_URL, or the records of this folder."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from boxscore import settings
from boxscore.cli.times import moment
from boxscore.client import datasets as asked_for
from boxscore.client.call import Address
from boxscore.client.datasets import DatasetDetail, DatasetDiff, FromTraces, TracesTaken, VersionMade
from boxscore.client.link import BlockingLink
from boxscore.datasets.export import Form, write_examples
from boxscore.datasets.from_spans import take
from boxscore.datasets.names import Reference, parse_reference
from boxscore.datasets.stored import opened
from boxscore.datasets.version import Changes, DatasetLine, DatasetVersion, Edit, PlacedExample
from boxscore.datasets.versions import Datasets
from boxscore.errors import FileError

__all__ = ["Place", "conditions_text", "place"]

BY = "command line"


class Place(Protocol):
    """Where datasets are."""

    where: str

    def lines(self, *, archived: bool) -> list[DatasetLine]: ...
    def detail(self, name: str) -> DatasetDetail: ...
    def create(self, name: str, description: str | None) -> DatasetLine: ...
    def versions(self, name: str, limit: int) -> list[DatasetVersion]: ...
    def find(self, at: Reference, text: str, where: Sequence[str], limit: int) -> list[PlacedExample]: ...
    def diff(self, name: str, before: str, after: str, limit: int) -> DatasetDiff: ...
    def put_file(self, name: str, file: Path, *, add: bool, note: str | None) -> VersionMade: ...
    def remove(self, name: str, ids: Sequence[str], note: str | None) -> VersionMade: ...
    def take(self, name: str, asked: FromTraces) -> TracesTaken: ...
    def export(self, at: Reference, form: Form, out: Path, *, spreadsheet: bool) -> None: ...
    def restore(self, name: str, number: int) -> VersionMade: ...
    def archive(self, name: str, *, back: bool) -> DatasetLine: ...
    def delete(self, name: str) -> None: ...


@contextmanager
def place() -> Generator[Place]:
    """The server that is named, else this folder: a server that has the folder sees what is written at once."""
    chosen = settings.load()
    if chosen.url:
        with closing(BlockingLink(Address.of(chosen.url, chosen.api_key, chosen.project))) as link:
            yield _OfServer(link)
        return
    with opened() as datasets:
        yield _OfFolder(datasets)


def conditions_text(filter: Sequence[str], since: str | None, until: str | None) -> list[str]:
    """The filter, with times as the store has them."""
    now_ns = time.time_ns()
    found = list(filter)
    if since is not None:
        found.append(f"start_ns>={moment(since, now_ns, '--since')}")
    if until is not None:
        found.append(f"start_ns<{moment(until, now_ns, '--until')}")
    return found


class _OfFolder:
    def __init__(self, datasets: Datasets) -> None:
        self._datasets = datasets
        self.where = datasets.store.database.name

    def lines(self, *, archived: bool) -> list[DatasetLine]:
        return self._datasets.list(archived=archived)

    def detail(self, name: str) -> DatasetDetail:
        from boxscore.experiments.plan import detectable

        line = self._datasets.get(name)
        seen, head = None, line.head
        if head is not None and head.examples > head.erased:
            seen = detectable(head.examples - head.erased, head.summary.units, head.summary.typical)
        return DatasetDetail(dataset=line, detectable=seen, used_by=[])

    def create(self, name: str, description: str | None) -> DatasetLine:
        return self._datasets.create(name, by=BY, description=description)

    def versions(self, name: str, limit: int) -> list[DatasetVersion]:
        return self._datasets.versions(name, limit=limit)

    def find(self, at: Reference, text: str, where: Sequence[str], limit: int) -> list[PlacedExample]:
        number, after = self._datasets.version(at).number, -1
        found: list[PlacedExample] = []
        while len(found) < limit:
            more, cursor = self._datasets.find(
                at.name, number, text=text, where=where, after=after, limit=limit - len(found)
            )
            found += more
            if cursor is None:
                break
            after = cursor
        return found

    def diff(self, name: str, before: str, after: str, limit: int) -> DatasetDiff:
        old, new = (self._datasets.version(_at(name, version)).number for version in (before, after))
        added, changed, removed = self._datasets.difference(name, old, new)
        items = self._datasets.differences(name, old, new, [*removed, *changed, *added][:limit])
        changes = Changes(added=len(added), changed=len(changed), removed=len(removed))
        return DatasetDiff(before=old, after=new, changes=changes, items=items, cursor=None)

    def put_file(self, name: str, file: Path, *, add: bool, note: str | None) -> VersionMade:
        made = self._datasets.import_file(name, file, by=BY, note=note, add=add)
        return VersionMade(version=made.version, new=made.new)

    def remove(self, name: str, ids: Sequence[str], note: str | None) -> VersionMade:
        head = self._datasets.version(Reference(name)).number
        made = self._datasets.edit(name, Edit(remove=ids), base=head, by=BY, note=note)
        return VersionMade(version=made.version, new=made.new)

    def take(self, name: str, asked: FromTraces) -> TracesTaken:
        from boxscore.client.spans import open_spans

        with closing(open_spans()) as reader:
            taken, first, version = take(
                self._datasets, reader, name, asked.selection, asked.mapping, by=BY, note=asked.note, look=asked.look
            )
        return TracesTaken(taken=taken, examples=first, version=version)

    def export(self, at: Reference, form: Form, out: Path, *, spreadsheet: bool) -> None:
        exact = Reference(at.name, self._datasets.version(at).number)
        with out.open("wb") as file:
            write_examples(form, lambda: self._datasets.examples(exact), file, spreadsheet=spreadsheet)

    def restore(self, name: str, number: int) -> VersionMade:
        made = self._datasets.restore(name, number, base=self._datasets.version(Reference(name)).number, by=BY)
        return VersionMade(version=made.version, new=made.new)

    def archive(self, name: str, *, back: bool) -> DatasetLine:
        return self._datasets.archive(name, back=back)

    def delete(self, name: str) -> None:
        self._datasets.delete(name)


class _OfServer:
    def __init__(self, link: BlockingLink) -> None:
        self._link = link
        self.where = link.address.url

    def lines(self, *, archived: bool) -> list[DatasetLine]:
        return list(self._link.ask(asked_for.datasets(archived=archived, limit=1000)).items)

    def detail(self, name: str) -> DatasetDetail:
        return self._link.ask(asked_for.dataset(name))

    def create(self, name: str, description: str | None) -> DatasetLine:
        return self._link.ask(asked_for.create_dataset(name, description=description))

    def versions(self, name: str, limit: int) -> list[DatasetVersion]:
        return list(self._link.ask(asked_for.dataset_versions(name, limit=min(limit, 1000))).items)

    def find(self, at: Reference, text: str, where: Sequence[str], limit: int) -> list[PlacedExample]:
        found: list[PlacedExample] = []
        cursor: str | None = None
        while len(found) < limit:
            most = min(1000, limit - len(found))
            page = self._link.ask(
                asked_for.dataset_examples(at.name, _version(at), text=text, where=where, limit=most, cursor=cursor)
            )
            found += page.items
            cursor = page.cursor
            if cursor is None:
                break
        return found

    def diff(self, name: str, before: str, after: str, limit: int) -> DatasetDiff:
        return self._link.ask(asked_for.diff_versions(name, before, after, limit=min(limit, 1000)))

    def put_file(self, name: str, file: Path, *, add: bool, note: str | None) -> VersionMade:
        try:
            body = file.read_bytes()
        except OSError as error:
            raise FileError(file, f"cannot be read: {error.strerror or error}.") from error
        return self._link.ask(asked_for.import_dataset(name, body, filename=file.name, add=add, note=note))

    def remove(self, name: str, ids: Sequence[str], note: str | None) -> VersionMade:
        head = self.detail(name).dataset.head
        return self._link.ask(asked_for.edit_dataset(name, base=head.number if head else 0, remove=ids, note=note))

    def take(self, name: str, asked: FromTraces) -> TracesTaken:
        return self._link.ask(asked_for.add_traces(name, asked))

    def export(self, at: Reference, form: Form, out: Path, *, spreadsheet: bool) -> None:
        out.write_bytes(
            self._link.ask(asked_for.export_dataset(at.name, _version(at), form=form, spreadsheet=spreadsheet))
        )

    def restore(self, name: str, number: int) -> VersionMade:
        head = self.detail(name).dataset.head
        return self._link.ask(asked_for.restore_version(name, number, base=head.number if head else 0))

    def archive(self, name: str, *, back: bool) -> DatasetLine:
        return self._link.ask(asked_for.change_dataset(name, archived=not back))

    def delete(self, name: str) -> None:
        self._link.ask(asked_for.delete_dataset(name))


def _version(at: Reference) -> str:
    return "head" if at.version is None else str(at.version)


def _at(name: str, version: str) -> Reference:
    return Reference(name) if version == "head" else parse_reference(f"{name}@{version}")
