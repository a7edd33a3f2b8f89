"""Blocks: what is long in a trace's spans (texts, metadata, raw bytes), compressed together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import blake2b

import msgspec
import zstandard

from boxscore.store.spans.rows import SpanRow

LEVEL = 1
SPANS = 64
"""A block holds at most so many spans: a page of a long trace opens few blocks."""
BYTES = 1024 * 1024
"""Nor does it hold more of raw spans than this, unless one alone is more: to see a span all of its block is read."""
DICTIONARY_BYTES = 64 * 1024
SAMPLES = 200
"""Blocks of an application to train its dictionary on."""
SAMPLE_BYTES = 16 * 1024
APPLICATIONS = 256
"""No more applications than these get a dictionary: one holds about a megabyte of memory."""

Owner = tuple[str, str]
"""Project and application. Dictionaries hold what their texts have in common, and never cross projects."""


class Payload(msgspec.Struct, frozen=True, array_like=True):
    """The long part of one span."""

    raw: bytes = b""
    resource: bytes = b""
    scope: bytes = b""
    input_text: str = ""
    output_text: str = ""
    metadata: dict[str, str] = {}


class Texts(msgspec.Struct, frozen=True, array_like=True):
    """Of a payload what is searched."""

    _raw: msgspec.Raw
    _resource: msgspec.Raw
    _scope: msgspec.Raw
    input_text: str
    output_text: str


class Origin(msgspec.Struct, frozen=True, array_like=True):
    """Of a payload what tells the process that sent it."""

    _raw: msgspec.Raw
    resource: bytes


_FIELDS = Payload.__struct_fields__
_decoder = msgspec.msgpack.Decoder(list[Payload])
_texts = msgspec.msgpack.Decoder(list[Texts])
_origins = msgspec.msgpack.Decoder(list[Origin])


def payload_of(row: SpanRow) -> Payload:
    return Payload(row.raw, row.resource, row.scope, row.input_text, row.output_text, row.metadata)


def with_payload(fields: dict[str, object], payload: Payload) -> None:
    for name in _FIELDS:
        fields[name] = getattr(payload, name)


def split(rows: Sequence[SpanRow]) -> Iterator[Sequence[SpanRow]]:
    """The spans of a trace by block."""
    start = size = 0
    for place, row in enumerate(rows):
        size += len(row.raw)
        if place > start and (place - start == SPANS or size > BYTES):
            yield rows[start:place]
            start, size = place, len(row.raw)
    if rows:
        yield rows[start:]


def pack(payloads: Sequence[Payload]) -> bytes:
    return msgspec.msgpack.encode(payloads)


def compress(packed: bytes, dictionary: "Dictionary | None") -> bytes:
    return (dictionary.compressor if dictionary else _plain).compress(packed)


def unpack(data: bytes, opener: zstandard.ZstdDecompressor) -> list[Payload]:
    """The payloads of a block, in their places. `opener` has its dictionary. Whatever is wrong with it is a
    `zstandard.ZstdError` or a `msgspec.DecodeError`."""
    return _decoder.decode(opener.decompress(data))


def unpack_texts(data: bytes, opener: zstandard.ZstdDecompressor) -> list[Texts]:
    """As `unpack`, of the payloads only the texts."""
    return _texts.decode(opener.decompress(data))


def unpack_origins(data: bytes, opener: zstandard.ZstdDecompressor) -> list[Origin]:
    """As `unpack`, of the payloads only the resources."""
    return _origins.decode(opener.decompress(data))


MARK_BYTES = 8


def mark(trace: bytes) -> bytes:
    """Stands for a trace that a dictionary was trained on, without its id."""
    return blake2b(trace, digest_size=MARK_BYTES).digest()


def saw(trained: bytes | None, marks: Iterable[bytes]) -> bool:
    """Whether one of the marked traces is among those that a dictionary was trained on; so it is where nobody knows."""
    if trained is None:
        return True
    seen = {trained[at : at + MARK_BYTES] for at in range(0, len(trained), MARK_BYTES)}
    return not seen.isdisjoint(marks)


class Dictionary:
    """A trained dictionary, ready to compress with. For one thread at a time. `trained` are the marks of the traces
    that its texts are from."""

    def __init__(self, data: bytes, seen: bytes | None) -> None:
        self.data = data
        self.trained = seen
        trained = zstandard.ZstdCompressionDict(data)
        trained.precompute_compress(level=LEVEL)  # pyright: ignore[reportUnknownMemberType] - its stub lacks a type
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, dict_data=trained, write_checksum=True)


_plain = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)


class Dictionaries:
    """Trains a dictionary for each application once enough of its blocks went by; beside the writing thread, which
    asks `of` and goes on without one meanwhile."""

    def __init__(self) -> None:
        self._ready: dict[Owner, Dictionary] = {}
        self._samples: dict[Owner, dict[bytes, bytes]] = {}
        self._training: dict[Owner, Future[Dictionary | None]] = {}
        self._pool = ThreadPoolExecutor(1, "boxscore-dictionaries")

    def of(self, owner: Owner) -> Dictionary | None:
        if (ready := self._ready.get(owner)) is not None:
            return ready
        training = self._training.get(owner)
        if training is None or not training.done():
            return None
        made = training.result()
        if made is not None:
            self._ready[owner] = made
        return made

    def add(self, owner: Owner, dictionary: Dictionary) -> None:
        """A dictionary that was trained before."""
        self._ready[owner] = dictionary

    def forget(self, marks: Set[bytes]) -> None:
        """Uses and learns nothing more that is from the marked traces."""
        for samples in self._samples.values():
            for gone in marks & samples.keys():
                del samples[gone]
        for owner in {*self._ready, *self._training}:
            training = self._training.get(owner)
            made = self._ready.get(owner) if training is None else training.result()
            if made is not None and saw(made.trained, marks):
                self._ready.pop(owner, None)
                self._training.pop(owner, None)

    def learn(self, owner: Owner, trace: bytes, packed: bytes) -> None:
        """Looks at a block that was compressed without a dictionary."""
        if owner in self._training or (owner not in self._samples and self._full()):
            return
        samples = self._samples.setdefault(owner, {})
        samples[mark(trace)] = packed[:SAMPLE_BYTES]
        if len(samples) == SAMPLES:
            self._training[owner] = self._pool.submit(train, self._samples.pop(owner))

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _full(self) -> bool:
        return len(self._samples) + len(self._training) + len(self._ready) >= APPLICATIONS


def train(samples: Mapping[bytes, bytes]) -> Dictionary | None:
    """A dictionary of packed blocks by the marks of their traces; None where they have too little in common."""
    try:
        texts = list[bytes | bytearray | memoryview](samples.values())
        data = zstandard.train_dictionary(DICTIONARY_BYTES, texts).as_bytes()
    except zstandard.ZstdError:
        return None
    return Dictionary(data, b"".join(samples))
