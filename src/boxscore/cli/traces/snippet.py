"""Where in a text the words of a search stand, and what is around them."""

import re
import unicodedata
from typing import NamedTuple

from boxscore.cli.traces.ink import Ink
from boxscore.text import cells, cut, stripped

_PIECES = re.compile(r'"([^"]*)"|([^\s"]+)')
_WORDS = re.compile(r"\w+")
_READ = 200_000
"""Characters of a text that are looked through."""
_BEFORE = 3
"""A hit stands no later than at one third of its snippet."""


class Hit(NamedTuple):
    start: int
    end: int


def snippet(text: str, asked: str, width: int, ink: Ink) -> str | None:
    """The first place where the text has what was asked for, marked, in at most `width` columns; None where it has
    none of it. Without colour the marks are «guillemets»."""
    line = stripped(text[:_READ])
    hits = find(line, asked)
    if not hits:
        return None
    width -= 0 if ink.colour else 2 * min(len(hits), 4)
    start = 0 if cells(line) <= width else max(0, hits[0].start - width // _BEFORE)
    if start:
        space = line.find(" ", start, hits[0].start)
        start = space + 1 if space >= 0 else start
    shown = ("…" if start else "") + line[start:]
    moved = (1 if start else 0) - start
    shown = cut(shown, width)
    marked, at = "", 0
    for hit in hits:
        first, last = hit.start + moved, hit.end + moved
        if first < at or not shown.startswith(line[hit.start : hit.end], first):
            continue  # beside the other, or cut off
        word = shown[first:last]
        marked += shown[at:first] + (ink.bold(ink.good(word)) if ink.colour else f"«{word}»")
        at = last
        if not ink.colour and marked.count("«") == 4:
            break
    return marked + shown[at:]


def find(line: str, asked: str) -> list[Hit]:
    """The places of the words and phrases in a line, in order; case and accents do not matter."""
    folded, origin = _folded(line)
    found: list[Hit] = []
    for piece in _PIECES.finditer(asked):
        words = _WORDS.findall(_folded(piece[1] or piece[2] or "")[0])
        if not words:
            continue
        pattern = r"\b" + r"\W+".join(map(re.escape, words)) + r"\b"
        found += [Hit(origin[match.start()], origin[match.end() - 1] + 1) for match in re.finditer(pattern, folded)]
    return sorted(found)


def _folded(text: str) -> tuple[str, list[int]]:
    """The text without case and accents, and where each of its characters came from."""
    folded: list[str] = []
    origin: list[int] = []
    for at, character in enumerate(text):
        if character.isascii():
            folded.append(character.lower())
            origin.append(at)
            continue
        for plain in unicodedata.normalize("NFKD", character).casefold():
            if not unicodedata.combining(plain):
                folded.append(plain)
                origin.append(at)
    return "".join(folded), origin
