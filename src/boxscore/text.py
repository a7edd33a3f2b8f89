"""Text that came from models, files and users, made safe to print: no control sequence survives, nothing hides.

A name or an answer may hold terminal escapes, bidirectional overrides, invisible tags or half a surrogate pair. On a
terminal they are stripped, in the HTML report they are shown, because a person who compares answers wants to see them.
"""

import re
import unicodedata

ANSI = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # strings: window title, hyperlinks, device control
    r"|\x9b[0-?]*[ -/]*[@-~]"
    r"|\x1b[ -/]*[0-~]?"
)

# Characters that change how their neighbours are read or that nobody sees. Joiners (U+200C, U+200D) and the plain
# direction marks stay: Persian, Hindi, Hebrew and emoji need them.
UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u202a-\u202e\u2060-\u206f\u3164\ufeff\U000e0000-\U000e007f]"
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
SURROGATE = re.compile("[\ud800-\udfff]")
BREAKS = re.compile(r"\s*[\r\n\t\v\f\u0085\u2028\u2029]+\s*")

NAMES = {
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI", "\u200b": "ZWSP", "\ufeff": "BOM",
}  # fmt: skip


def stripped(text: str) -> str:
    """One line that is safe on a terminal: escapes, controls and unseen characters gone, breaks become one space."""
    text = SURROGATE.sub("\ufffd", ANSI.sub("", text))
    text = BREAKS.sub(" ", text)
    return UNSEEN.sub("", CONTROL.sub("", text)).strip()


def revealed(text: str) -> str:
    """The text with everything that hides made visible: `␛[31m`, `⟨RLO⟩`, `⟨U+E0041⟩`. Line breaks and tabs stay."""
    text = SURROGATE.sub("\ufffd", text).replace("\r\n", "\n").replace("\r", "\n")
    text = CONTROL.sub(_picture, text)
    return UNSEEN.sub(lambda match: f"⟨{NAMES.get(match[0], f'U+{ord(match[0]):04X}')}⟩", text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "␡" if code == 0x7F else f"⟨U+{code:04X}⟩"


def cells(text: str) -> int:
    """Columns that the text takes on a terminal: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(_cells(character) for character in text)


def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, with … at its end where something was left off."""
    if cells(text) <= width:
        return text
    if width < 1:
        return ""
    kept, used = "", 0
    for character in text:
        used += _cells(character)
        if used > width - 1:
            break
        kept += character
    return kept.rstrip() + "…"


def middle_cut(text: str, width: int) -> str:
    """As `cut`, but keeps both ends: names of models differ at theirs."""
    if cells(text) <= width:
        return text
    tail = ""
    for character in reversed(text):
        if cells(tail) + _cells(character) > (width - 1) // 2:
            break
        tail = character + tail
    return cut(text, width - cells(tail)) + tail if tail else cut(text, width)


def left(text: str, width: int) -> str:
    """Exactly `width` columns, text at the left."""
    text = cut(text, width)
    return text + " " * (width - cells(text))


def right(text: str, width: int) -> str:
    """Exactly `width` columns, text at the right."""
    text = cut(text, width)
    return " " * (width - cells(text)) + text


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns, broken at spaces; a word that is longer is broken where it must be."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        while cells(word) > width:
            if line:
                lines.append(line)
                line = ""
            head = cut(word, width + 1)[:-1] if cells(word) > width else word
            while cells(head) > width:
                head = head[:-1]
            head = head or word[0]
            lines.append(head)
            word = word[len(head) :]
        if not word:
            continue
        if line and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line else lines or [""]
