"""How traces look on a terminal: width, weight and colour, and nothing but text where there is no terminal."""

import os
import shutil
import sys
from collections.abc import Iterable

from boxscore.text import cells, stripped, wrapped

__all__ = ["FAILED", "Ink", "flowed", "safe", "terminal_width"]

NARROWEST, WIDEST = 60, 160
FAILED = "◆"
"""The mark of what is bad, everywhere in Boxscore."""


class Ink:
    """Weights and the colours of the box score; they change nothing but the look."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    @classmethod
    def of_terminal(cls) -> "Ink":
        return cls(sys.stdout.isatty() and "NO_COLOR" not in os.environ)

    def bold(self, text: str) -> str:
        return self._styled(text, "1")

    def pale(self, text: str) -> str:
        return self._styled(text, "2")

    def good(self, text: str) -> str:
        return self._styled(text, "38;5;32")

    def bad(self, text: str) -> str:
        return self._styled(text, "38;5;166")

    def _styled(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text.strip() else text


def terminal_width() -> int:
    """Columns of the terminal, 60 to 160; 80 where there is none and COLUMNS does not say."""
    return max(NARROWEST, min(shutil.get_terminal_size((80, 24)).columns, WIDEST))


def flowed(items: Iterable[str], width: int) -> list[str]:
    """Items beside each other, as many on a line as there is room for; none is broken that has room on a line."""
    lines: list[str] = []
    for item in items:
        if lines and cells(lines[-1]) + cells(item) + 3 <= width:
            lines[-1] += f" · {item}"
        else:
            lines += wrapped(item, width)
    return lines


def safe(text: str | None) -> str:
    """A text of a span as one line that can do nothing to a terminal; – where there is none."""
    return stripped(text) if text else "–"
