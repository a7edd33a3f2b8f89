"""Byte-pair encoding over UTF-8 bytes: every text has an encoding and comes back unchanged.

Method: R. Sennrich, B. Haddow, A. Birch, "Neural Machine Translation of Rare Words with Subword Units" (2016), on
bytes.
Ids: the special tokens first, then the 256 bytes, then one id per merge in the order learned. Digits are pieces of
their own, so a number costs one token per digit and is copied digit by digit.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

__all__ = ["SPECIALS", "Tokenizer"]

SPECIALS = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
"""Marks of the chat layout. They have ids but no spelling: text that looks like one is encoded as the text it is."""

_FIRST_BYTE = len(SPECIALS)
_FIRST_MERGE = _FIRST_BYTE + 256
_PIECES = re.compile(r"\d| ?[^\W\d_]+| ?[^\w\s]+|_|\s")
_MEMORY = 50_000
"""Pieces whose encoding is remembered, at most."""


class Tokenizer:
    """Encodes text to ids and back. `merges` are pairs of ids, the n-th of which makes id 261 + n."""

    def __init__(self, merges: Sequence[tuple[int, int]]) -> None:
        self.merges = tuple(merges)
        self._rank = {pair: number for number, pair in enumerate(self.merges)}
        self._bytes: list[bytes] = [b""] * _FIRST_BYTE + [bytes([value]) for value in range(256)]
        for left, right in self.merges:
            if not all(_FIRST_BYTE <= part < len(self._bytes) for part in (left, right)):
                raise ValueError(f"merge ({left}, {right}) uses an id that is not made before it")
            self._bytes.append(self._bytes[left] + self._bytes[right])
        self._remembered: dict[str, tuple[int, ...]] = {}

    @classmethod
    def train(cls, texts: Iterable[str], *, vocabulary: int) -> "Tokenizer":
        """Learn merges until there are `vocabulary` ids, the most frequent pair first, ties to the smaller ids."""
        counts = Counter(piece for text in texts for piece in _PIECES.findall(text))
        words = [([_FIRST_BYTE + byte for byte in piece.encode("utf-8", "replace")], n) for piece, n in counts.items()]
        merges: list[tuple[int, int]] = []
        while _FIRST_MERGE + len(merges) < vocabulary:
            pairs: Counter[tuple[int, int]] = Counter()
            for ids, n in words:
                for pair in pairwise(ids):
                    pairs[pair] += n
            if not pairs:
                break
            best = min(pairs, key=lambda pair: (-pairs[pair], pair))
            made = _FIRST_MERGE + len(merges)
            merges.append(best)
            words = [(_merge(ids, best, made), n) for ids, n in words]
        return cls(merges)

    @classmethod
    def from_json(cls, text: str) -> "Tokenizer":
        return cls([(int(left), int(right)) for left, right in json.loads(text)["merges"]])

    def to_json(self) -> str:
        return json.dumps({"kind": "byte-level BPE", "specials": SPECIALS, "merges": self.merges}) + "\n"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def __len__(self) -> int:
        return len(self._bytes)

    def encode(self, text: str) -> list[int]:
        """Ids of `text`. A lone surrogate, which UTF-8 cannot hold, is encoded as a question mark."""
        ids: list[int] = []
        for piece in _PIECES.findall(text):
            known = self._remembered.get(piece)
            if known is None:
                known = self._encode_piece(piece)
                if len(self._remembered) < _MEMORY:
                    self._remembered[piece] = known
            ids.extend(known)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids`; special tokens have none, and bytes that are no UTF-8 become the replacement character."""
        return b"".join(self._bytes[id] for id in ids).decode("utf-8", "replace")

    def _encode_piece(self, piece: str) -> tuple[int, ...]:
        ids = [_FIRST_BYTE + byte for byte in piece.encode("utf-8", "replace")]
        while len(ids) > 1:
            ranks = [self._rank.get(pair, len(self._rank)) for pair in pairwise(ids)]
            lowest = min(ranks)
            if lowest == len(self._rank):
                break
            ids = _merge(ids, self.merges[lowest], _FIRST_MERGE + lowest)
        return tuple(ids)


def _merge(ids: list[int], pair: tuple[int, int], made: int) -> list[int]:
    """`ids` with every occurrence of `pair`, left to right, replaced by `made`."""
    out: list[int] = []
    at = 0
    while at < len(ids):
        if at + 1 < len(ids) and ids[at] == pair[0] and ids[at + 1] == pair[1]:
            out.append(made)
            at += 2
        else:
            out.append(ids[at])
            at += 1
    return out
