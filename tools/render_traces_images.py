"""Render the pictures of the docs that show traces: `python tools/render_traces_images.py [OUT]`.

Runs `boxscore traces` on a terminal of its own over the invented support desk that its tests use, and takes what the
terminal shows as pages of a Chromium, light and dark.
"""

import argparse
import asyncio
import os
import pty
import re
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path

from screenshot import Shot, shoot

ROOT = Path(__file__).resolve().parent.parent
COMMANDS: dict[str, tuple[int, list[str]]] = {
    "list": (100, ["list"]),
    "show": (100, ["show", "8c1f"]),
    "conversation": (80, ["show", "8c1f", "--conversation"]),
    "failed": (80, ["show", "5d20"]),
    "odd": (80, ["show", "0b7e"]),
    "span": (80, ["show", "8c1f", "--span", "8ff3"]),
    "search": (80, ["search", "refund", "two invoices"]),
    "stats": (100, ["stats", "--since", "2h"]),
}
"""By name: columns of the terminal, and what is asked."""
KEPT = ("list", "show")
"""Those that the docs show; the others are taken with --all."""

PAGE = """<!doctype html><meta charset="utf-8"><style>
body{{margin:0;background:{paper};color:{ink}}}
pre{{margin:0;padding:20px 24px;font:13px/18px "DejaVu Sans Mono",monospace;
font-variant-ligatures:none}}
.c1{{font-weight:700}} .c2{{opacity:.62}} .c32{{color:{good}}} .c166{{color:{bad}}} .c31{{background:red}}
.prompt{{opacity:.62}}
</style><pre><span class="prompt">$ {command}</span>
{text}</pre>"""
THEMES = {
    "light": {"paper": "#fbfaf6", "ink": "#1b1917", "good": "#0087d7", "bad": "#d75f00"},
    "dark": {"paper": "#151412", "ink": "#ebe7de", "good": "#0087d7", "bad": "#d75f00"},
}
_STYLE = re.compile(r"\x1b\[(?:38;5;)?(\d+)m")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", default=ROOT / "docs" / "images")
    parser.add_argument("--all", action="store_true", help="take every picture, those that no page shows too")
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT / "tests" / "unit" / "cli"))
    from desk import fill

    with tempfile.TemporaryDirectory() as folder:
        home = fill(Path(folder) / "home", time.time_ns())
        shots: list[Shot] = []
        for name, (columns, words) in COMMANDS.items():
            if name not in KEPT and not arguments.all:
                continue
            text = _as_html(_on_a_terminal(["boxscore", "traces", *words], columns, home))
            command = escape(" ".join(["boxscore", "traces", *(f'"{w}"' if " " in w else w for w in words)]))
            for theme, colours in THEMES.items():
                page = Path(folder) / f"{name}-{theme}.html"
                page.write_text(PAGE.format(text=text, command=command, **colours), encoding="utf-8")
                out = arguments.out / f"traces-{name}-{theme}.png"
                shots.append(Shot(page, out, round(columns * 7.83) + 50, theme))
        asyncio.run(shoot(shots))
    for shot in shots:
        print(f"{shot.out}: {', '.join(shot.complaints) or 'nothing from outside, no sideways scroll'}")


def _on_a_terminal(command: list[str], columns: int, home: Path) -> str:
    """What the command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        "BOXSCORE_HOME": str(home),
        "COLUMNS": str(columns),
    }
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    found = b""
    while True:
        try:
            part = os.read(ours, 65_536)
        except OSError:  # how a terminal says that the other side has gone
            break
        if not part:
            break
        found += part
    os.close(ours)
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(command)} left with {process.returncode}: {found.decode()}")
    return found.decode().replace("\r\n", "\n").rstrip("\n")


def _as_html(text: str) -> str:
    """Weights and colours of a terminal as spans."""
    open_spans = 0
    parts: list[str] = []
    at = 0
    for style in _STYLE.finditer(text):
        parts.append(escape(text[at : style.start()]))
        if style[1] == "0":
            parts.append("</span>" * open_spans)
            open_spans = 0
        else:
            parts.append(f'<span class="c{style[1]}">')
            open_spans += 1
        at = style.end()
    return "".join([*parts, escape(text[at:])])


if __name__ == "__main__":
    main()
